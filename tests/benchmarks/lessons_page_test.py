# SPDX-License-Identifier: MIT
"""docs/lessons.md against the lessons: each is there, with its own drawing and the figures of the reference run."""
import json
import re

import pytest
from places import LESSONS, ROOT
from tables import TABLES

PAGE = (ROOT / "docs/lessons.md").read_text()
PARTS = dict(re.findall(r"^### \[(\w+)\]\(\.\./benchmarks/\w+/\1\.c\)\n(.*?)(?=^##|\Z)", PAGE, re.M | re.S))
MEASURED = {row["pair"] for row in json.loads((ROOT / "results/reference/manifest.json").read_text())["rows"]}
VARIANTS = re.search(r"^variants = \{\}\nforeach variant, flags : \{(.*?)\}\n  foreach lesson : \[(.*?)\]",
                     (ROOT / "benchmarks/meson.build").read_text(), re.M)


def drawings(lesson):
    """The paragraphs of the comment on top of a lesson that are indented."""
    text = (ROOT / LESSONS[lesson]).read_text()
    lines = text[text.index("/*"):text.index("*/")].splitlines()[1:]
    paragraphs = re.split(r"\n\n", "\n".join(line.removeprefix(" *").removeprefix(" ") for line in lines).strip("\n"))
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph.startswith("  "))


def sizes():
    """How many sizes each pair has."""
    found = {}
    for pairs in TABLES.values():
        for pair, several in pairs:
            found[pair] = found.get(pair, 0) + len(several)
    return found


def figures(text):
    return re.findall(r"!\[(\w+): [^]]*\]\(\.\./results/reference/figures/(?:crossover|dots)_(\w+)\.svg\)", text)


def test_all_of_the_catalogue_is_there():
    assert set(PARTS) == set(TABLES)


@pytest.mark.parametrize("lesson", PARTS)
def test_drawing_is_the_lessons_own(lesson):
    drawn = re.search(r"^```\n(.*?)\n```$", PARTS[lesson], re.M | re.S)[1]
    assert drawn == drawings(lesson)


@pytest.mark.parametrize("lesson", PARTS)
def test_figures_are_those_of_its_pairs(lesson):
    many = [pair for pair in dict.fromkeys(pair for pair, _ in TABLES[lesson]) if sizes()[pair] >= 2
            and pair in MEASURED]
    shown = [(alternative, file) for alternative, file in figures(PARTS[lesson])
             if re.sub("_(o3|native)$", "", file) in many and not file.endswith(("_o3", "_native"))]
    assert shown == [(pair, pair) for pair in many]
    for pair in many:  # two sizes are no curve
        assert f"figures/{'dots' if sizes()[pair] == 2 else 'crossover'}_{pair}.svg" in PARTS[lesson]


def test_figures_of_the_variants():
    variants, lessons = (re.findall(r"'(\w+)'(?: :)?", part) for part in VARIANTS.groups())
    variants = [name for name in variants if name in ("o3", "native")]
    want = [f"{lesson}_{variant}" for variant in variants for lesson in lessons]
    assert [file for _, file in figures(PAGE) if file.endswith(("_o3", "_native"))] == want
    for lesson in want:
        assert f"`{lesson}`" in PAGE


def test_every_link_within_the_tree_leads_somewhere():
    for path in re.findall(r"\]\(((?!http)[^)]+)\)", PAGE):
        if "/figures/" not in path:  # those are made with the reference run
            assert (ROOT / "docs" / path.partition("#")[0]).exists(), path
