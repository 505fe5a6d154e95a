# SPDX-License-Identifier: MIT
"""README and docs/ against what they speak of: links, commands, flags, verbs and numbers that are there."""
import contextlib
import io
import json
import re
import shlex
import subprocess
import sys

import pytest
import synthetic
from places import ROOT

from ask.advice import QUESTIONS
from plots.judge.allocators.summary import read
from plots.words import allocator_text

PAGES = ["README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]
TEXT = {page: (ROOT / page).read_text() for page in PAGES}
LINKED = [*PAGES, "CHANGELOG.md", "results/SCHEMA.md"]
FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```", re.M | re.S)
# Flags of pkg-config, meson, cmake and examples/ab/accuracy in commands that the pages quote.
FOREIGN = {"--variable", "--cflags", "--prefix", "--build", "--target", "--timeout-multiplier", "--sources", "--runs",
           "--flags", "--memory"}


def help_of(verb):
    return subprocess.run([ROOT / "ampersand", "help", verb], text=True, capture_output=True, check=True).stdout


VERBS = " ".join(re.findall(r"^verbs=(?:'|\"\$verbs )(.*?)['\"]", (ROOT / "door/help.sh").read_text(), re.M)).split()
HELP = {verb: help_of(verb) for verb in VERBS}
LINKS = subprocess.run([sys.executable, ROOT / "harness/lesson/make_layouts.py", "--help"], text=True,
                       capture_output=True, check=True).stdout


def prose(page):
    """The page without its fenced blocks."""
    return FENCE.sub("", TEXT[page])


def spans(page):
    """What is set as code: every line of a block that is no program's text, and what stands between backquotes."""
    for _, language, block in FENCE.findall(TEXT[page]):
        if not language:
            yield from block.replace("\\\n", " ").splitlines()
    yield from re.findall(r"`([^`]+)`", prose(page).replace("\n", " "))


def commands(page):
    """(verb, its words) of each command line of ampersand's, whatever variables are set for it."""
    for span in spans(page):
        for part in re.split(r" && |\s+#\s", span):
            found = re.match(r"(?:\w+=\S*\s+|\w+='[^']*'\s+)*(?:\./)?ampersand ([a-z]+)(.*)", part.strip())
            if found:
                yield found[1], shlex.split(found[2])


def slug(heading):
    return re.sub(r"[^\w\- ]", "", heading.lower().replace("`", "")).replace(" ", "-")


def test_readme_is_two_screens():
    assert len(TEXT["README.md"].splitlines()) <= 130


@pytest.mark.parametrize("page", PAGES)
def test_no_line_is_too_long(page):
    for number, line in enumerate(TEXT[page].splitlines(), 1):
        assert len(line) <= 120 or line.lstrip().startswith(("|", "![")), f"{page}:{number}"


@pytest.mark.parametrize("page", LINKED)
def test_every_link_leads_somewhere(page):
    text = FENCE.sub("", (ROOT / page).read_text())
    for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", text):
        path, _, anchor = link.partition("#")
        target = (ROOT / page).parent / path if path else ROOT / page
        assert target.exists(), f"{page}: {link}"
        if anchor:
            headings = re.findall(r"^#+ (.*)", FENCE.sub("", target.read_text()), re.M)
            assert anchor in map(slug, headings), f"{page}: {link}"


def test_every_page_can_be_found_from_readme():
    linked = set(re.findall(r"\]\((docs/\w[\w-]*\.md)\)", TEXT["README.md"]))
    assert linked == set(PAGES) - {"README.md"}


@pytest.mark.parametrize("page", PAGES)
def test_every_command_has_a_verb_and_flags_that_are_there(page):
    for verb, words in commands(page):
        assert verb in VERBS, f"{page}: {verb} {words}"
        for flag in (word.partition("=")[0] for word in words if word.startswith("--")):
            known = re.search(rf"(?<!\S){flag}(?![\w-])", HELP[verb])
            assert known or flag in FOREIGN and verb == "test", f"{page}: {verb}: {flag}"


def test_commands_are_found():
    assert sum(1 for page in PAGES for _ in commands(page)) > 30


JOBS = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "examples/ci").rglob("*.y*ml"))


@pytest.mark.parametrize("job", JOBS)
def test_jobs_for_forges_use_flags_that_are_there(job):
    called = re.findall(r"ampersand\"? ab (--.*)", (ROOT / job).read_text())
    assert called
    for flag in (flag for words in called for flag in re.findall(r"(?<!\S)--[a-z-]+", words)):
        assert re.search(rf"(?<!\S){flag}(?![\w-])", HELP["ab"]), f"{job}: {flag}"


@pytest.mark.parametrize("page", [*PAGES, "CHANGELOG.md"])
def test_every_flag_is_some_verbs(page):
    text = prose(page) if page == "docs/lessons.md" else (ROOT / page).read_text()  # without its drawings
    for flag in set(re.findall(r"(?<![\w-])--[a-z]+(?:-[a-z]+)*(?![\w-])", text)) - FOREIGN:
        known = [said for said in (*HELP.values(), LINKS) if re.search(rf"(?<!\S){flag}(?![\w-])", said)]
        assert known or flag.startswith("--benchmark_"), f"{page}: {flag}"


@pytest.mark.parametrize("page", PAGES)
def test_every_test_that_a_command_names_is_there(page):
    listed = re.findall(r"'[\w/]*?(\w+)'", (ROOT / "tests/meson.build").read_text())
    for verb, words in commands(page):
        if verb == "test":
            named = [word for word in words if not word.startswith("-") and not word.isdigit()]
            assert {word.removesuffix(".py") for word in named} <= set(listed), f"{page}: {named}"


def test_pages_know_every_verb_and_status():
    page = TEXT["docs/commands.md"]
    rows = re.findall(r"^\| (`.*?) \|", page.split("## What gets")[0], re.M)
    assert [verb for row in rows for verb in re.findall(r"`([a-z-]+)", row)] == [
        "bench", "ask", "ab", "escape", "profile", "trace", "cc", "record", "allocators", "test", "list", "report",
        "charts",
        "compare", "merge", "check", "check-budgets", "stack", "gc", "doctor",
        "setup",
        "help"] and sorted(VERBS) == sorted(re.findall(r"`([a-z-]+)", " ".join(rows)))
    for status in re.findall(r"(?:^|; )(\d+) ", HELP["help"].replace("\n", " ").split("Exit status: ")[1]):
        assert re.search(rf"^\| {status} \|", page, re.M), status


def test_flags_of_bench_in_the_table_are_those_of_bench():
    table = TEXT["docs/commands.md"].split("## Flags of bench")[1].split("\n\n|")[1].split("\n\n")[0]
    flags = re.findall(r"^ ?`(--[a-z-]+)|^\| `(--[a-z-]+)", table, re.M)
    flags = [one or other for one, other in flags]
    assert len(flags) >= 9 and all(f"  {flag} " in HELP["bench"] for flag in flags)


def test_variables_are_read_by_something():
    named = set(re.findall(r"\bAMPERSAND_[A-Z_]+", " ".join(TEXT.values())))
    sources = [path.read_text() for folder in ("door", "harness", "plots", "ask", "tests") for path in
               (ROOT / folder).rglob("*") if path.suffix in (".sh", ".c", ".py")] + [(ROOT / "ampersand").read_text()]
    for name in named:
        assert any(name in source for source in sources), name
    manual = (ROOT / "install/ampersand.1").read_text()
    assert set(re.findall(r"Ev (AMPERSAND_\w+)", manual)) <= named


def test_every_question_of_ask_is_explained():
    page = TEXT["docs/ask.md"].split("## The other questions")[1].split("\n## ")[0]
    assert re.findall(r"^\| ([a-z, ]+) \|", page, re.M)[1:] == [name for name, *_ in QUESTIONS.values()]


def test_readmes_pair_is_the_templates():
    sample = re.search(r"```c\n(AMP_PAIR\(.*?)```", TEXT["README.md"], re.S)[1]
    assert sample in (ROOT / "examples/template/invoice.c").read_text()


def test_readmes_allocators_are_those_of_the_published_run():
    summary = read(json.loads((ROOT / "results/allocators/summary.json").read_text()))
    printed = allocator_text.table(summary).splitlines()
    shown = re.search(r"```\n([ *]+configuration .*?)```", TEXT["README.md"], re.S)[1].splitlines()
    assert len(shown) == 5
    for line in shown:
        assert any(one.startswith(line) for one in printed), line


def test_statistics_can_be_redone_as_the_page_says(tmp_path):
    """The page's own lines, on a run of one row: the ratio of its summary."""
    rows = [synthetic.Truth("pass", 64, 0.3, 2.0)]
    run = synthetic.write_run(tmp_path / "run", rows, synthetic.Plan(launches=6, layouts=4, rounds=4))
    code = re.search(r"```python\n(.*?)```", TEXT["docs/files.md"], re.S)[1].replace('"RUN/', f'"{run}/')
    subprocess.run([sys.executable, "-m", "plots", "summary", run], cwd=ROOT, check=True, capture_output=True)
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(compile(code, "docs/files.md", "exec"), {})
    row, = json.loads((run / "summary.json").read_text())["rows"]
    assert float(out.getvalue()) == pytest.approx(row["ratio"]["estimate"], rel=1e-5)
