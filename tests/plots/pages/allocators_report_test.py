# SPDX-License-Identifier: MIT
"""The page about configurations: well-formed, self-contained, complete, harmless whatever is in a run, and no number
of what was not in force. In a browser, where there is one: what a person sees."""

import base64
import dataclasses
import hashlib
import html
import json
import re

import pytest

import chromium
import synthetic_allocators as synthetic
from chromium import ask, luminance, show
from plots.__main__ import guarded
from plots.files import strict_json
from plots.files.allocator_run import load
from plots.judge.allocators.metrics import main_metric
from plots.pages import allocator_report, shell
from plots.program.errors import one_line
from plots.words import allocator_sentences, allocator_text, rules
from reading import HOSTILE, Page
from synthetic_allocators import FEW, SOME, Plan, Truth

PLAN = Plan(launches=12, timelines=8, sd=(0.005, 0.01))
CASES = {
    "plain": (FEW, SOME, PLAN),
    "quick": (FEW, SOME, dataclasses.replace(PLAN, launches=1, timelines=0, quick=True)),
    "bad": (FEW, SOME, dataclasses.replace(PLAN, fail={("glibc", "large_blocks"): ("signal", "SIGSEGV"),
                                                       ("jemalloc", "small_churn"): ("timeout",
                                                                                     "no end within 20 s")})),
    "hostile": (FEW + (Truth("evil", HOSTILE, {"X": HOSTILE}, HOSTILE), Truth("wrong", state="wrong", why=HOSTILE),
                       Truth("lies", in_force=False, reason=HOSTILE)),
                tuple(dataclasses.replace(work, purpose=HOSTILE, operation=HOSTILE) for work in SOME),
                dataclasses.replace(PLAN, launches=2, timelines=1)),
    "nothing": (FEW, SOME, dataclasses.replace(PLAN, launches=0, timelines=0)),
    "none in force": (tuple(dataclasses.replace(one, in_force=False, reason="no") for one in FEW), SOME, PLAN),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    cache = {}

    def make(case):
        if case not in cache:
            folder = synthetic.write_run(tmp_path_factory.mktemp("page") / "run", *CASES[case])
            cache[case] = folder, allocator_report.page_of(folder)
        return cache[case]
    return make


@pytest.mark.parametrize("case", CASES)
def test_is_well_formed(made, case):
    page = Page(made(case)[1])
    assert page.faults == []
    ids = page.ids()
    assert len(set(ids)) == len(ids)
    wanted = {attrs["href"][1:] for _, attrs in page.tags if attrs.get("href", "").startswith("#")}
    wanted |= {found for _, attrs in page.tags for words in attrs.values()
               for found in re.findall(r"url\(#([^)]+)\)", words or "")}
    assert wanted <= set(ids), f"nothing has the id {wanted - set(ids)}"


@pytest.mark.parametrize("case", CASES)
def test_asks_for_nothing_beside_itself(made, case):
    page = Page(made(case)[1])
    for tag, attrs in page.tags:
        for key in ("src", "href", "action", "data", "poster", "srcset", "background", "formaction"):
            assert attrs.get(key, "#").startswith("#"), f"<{tag} {key}={attrs[key]}>"
        assert tag not in ("link", "iframe", "object", "embed", "base", "img")
        assert not [key for key in attrs if key.startswith("on")]
    policy = next(attrs["content"] for _, attrs in page.tags if attrs.get("http-equiv") == "Content-Security-Policy")
    script = "".join(text for stack, text in page.texts if "script" in stack)
    assert f"script-src 'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" in policy
    assert [tag for tag, _ in page.tags].count("script") == 1


def test_escapes_what_others_wrote(made):
    page = Page(made("hostile")[1])
    seen = strict_json.printable(HOSTILE)
    assert seen in page.text("article") and seen in page.text("table"), "a purpose, a setting"
    assert one_line(HOSTILE)[:40] in page.text("ul"), "a reason"


def rows(text, table):
    body = re.search(rf'aria-label="{table}">.*?<tbody>(.*?)</tbody>', text, re.DOTALL)[1]
    return [[html.unescape(cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", line, re.DOTALL)]
            for line in body.split("</tr>")[:-1]]


@pytest.mark.parametrize("case", ["plain", "bad"])
def test_every_cell_is_there_with_its_numbers(made, case):
    folder, text = made(case)
    summary = allocator_sentences.summarize(load(folder))
    for work in summary.workloads:
        lines = {line[0]: line for line in rows(text, f"{work.workload}, by configuration")}
        assert set(lines) == {column.configuration for column in summary.columns}
        for cell in (cell for cell in summary.cells if cell.workload == work.workload):
            line = lines[cell.configuration]
            if not cell.metrics:
                assert line[1] == f"{cell.state}: {cell.reason}" and set(line[2:]) == {"-"}
                continue
            for one in cell.metrics.values():
                if one.ratio and one.ratio.low is not None:
                    want = f"{allocator_text.with_interval(one)} {allocator_text.MARKS.get(one.decision, '')}".strip()
                    assert want in line, f"{cell.configuration}: {want} is not in {line}"


def test_what_was_not_in_force_has_a_reason_and_no_numbers(made):
    _, text = made("plain")
    for name in ("jemalloc-narenas-minus-5", "tbbmalloc"):
        found = [line for table in ("Every cell of the run", *(f"{work.name}, by configuration" for work in SOME))
                 for line in rows(text, table) if name in line]
        assert len(found) == 1 + len(SOME)
        for line in found:
            after = line[line.index(name) + 1:]
            assert after[0].startswith(("not in force: opt.narenas", "absent: ")) and set(after[1:]) == {"-"}


def test_provenance_is_complete(made):
    folder, text = made("plain")
    table = {line[0]: line for line in rows(text, "Provenance of each configuration")}
    assert table["jemalloc-tcache-false"][1:4] == ["in force", "MALLOC_CONF=tcache:false", "opt.tcache=false"]
    assert table["jemalloc-narenas-minus-5"][1].startswith("not in force: opt.narenas: asked for -5")
    assert "arenas=4" in table["glibc"][4]
    libraries = {line[0]: line for line in rows(text, "Libraries with their hashes")}
    found = json.loads((folder / "provenance/glibc.json").read_text())["library"]
    assert libraries[found["file"]][1:3] == [found["version"], found["sha256"]]


def test_the_first_screen_answers(made):
    folder, text = made("plain")
    summary = allocator_sentences.summarize(load(folder))
    page = Page(text)
    places = [text.index(part) for part in ("<main>", 'class="short"', 'id="questions"', "<nav>", 'id="workloads"')]
    assert places == sorted(places)
    answers = " ".join(page.text("section", "strong").split())
    picks = [work.pick for work in summary.workloads]
    for name in set(picks) - {"jemalloc"}:
        assert f"{name} in {picks.count(name)}" in answers
    assert "Most is gained in " in answers and ("Keep jemalloc as it is in" in answers) == ("jemalloc" in picks)
    shown = re.findall(r'<td class="cell ([^"]*)"><b>([^<]*)</b> ([^<]*)</td>', text)
    for work in summary.workloads:  # the oracle: of each allocator the least that is decided better
        better = [(cell.metrics[main].ratio.estimate, cell.configuration) for cell in summary.cells
                  if cell.workload == work.workload and (main := main_metric(work.kind).name)
                  in cell.metrics and cell.metrics[main].decision in ("faster", "less")]
        if better:
            ratio, name = min(better)
            depth = "deep" if ratio <= 1 / 2 else "mid" if ratio <= 1 / 1.1 else "pale"
            assert any(look == f"value {depth}" and who == name for look, who, _ in shown), work.workload
    assert not [who for _, who, _ in shown if who == summary.again]


def test_cards_rank_and_give_a_line_to_paste(made):
    _, text = made("plain")
    page = Page(text)
    cards = " ".join(page.text("article").split())
    assert "LD_PRELOAD=/usr/lib/x86_64-linux-gnu/libmimalloc.so.2.0" in page.text("article", "pre")
    assert "MALLOC_CONF=dirty_decay_ms:-1,muzzy_decay_ms:-1" in page.text("article", "pre"), "the best of large_blocks"
    for best in "mimalloc", "jemalloc-decay-forever":
        assert f"In the top group, which holds the fastest with 95 %: {best} (1 of" in cards
    assert page.text("ol", "strong").split()[0] == "jemalloc-decay-forever"


def test_a_quick_run_has_no_verdicts(made):
    page = Page(made("quick")[1])
    assert "A quick run" in page.text("header")
    found = {attrs["data-verdict"] for _, attrs in page.tags if "data-verdict" in attrs}
    assert not found & {"faster", "slower", "more", "less", "equal", "undecided"}


def test_tells_what_went_wrong(made):
    page = Page(made("bad")[1])
    assert "glibc in large_blocks : failed: signal: SIGSEGV" in " ".join(page.text("ul").split())
    assert "jemalloc in small_churn : failed: timeout: no end within 20 s" in " ".join(page.text("ul").split())
    assert "jemalloc was not measured" in page.text("article")


def test_the_rule_is_all_there(made):
    words = " ".join(Page(made("plain")[1]).text("main").split())
    for line in rules.text("allocator_rule").strip().splitlines():
        assert " ".join(line.split()) in words, line
    assert "./ampersand allocators --seed 1" in words


def test_a_configuration_cannot_be_singled_out(made, capsys):
    assert guarded(["report", str(made("plain")[0]), "--config", "glibc"]) == 2
    assert "--config" in capsys.readouterr().err


# ---- In a browser

@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    driver = chromium.started(tmp_path_factory)
    yield driver
    driver.quit()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1400])
def test_looks_right(browser, made, width, scheme):
    folder, text = made("plain")
    (folder / "report.html").write_text(text, encoding="utf-8")
    show(browser, folder / "report.html", width, scheme)
    assert browser.get_log("browser") == []
    assert ask(browser, "performance.getEntriesByType('resource').map(entry => entry.name)") == []
    wide, room, page = ask(browser, "[innerWidth, document.documentElement.clientWidth,"
                                    " document.documentElement.scrollWidth]")
    assert wide == width and page == room, "no sideways scrolling"
    assert ask(browser, "document.querySelectorAll('figure svg').length") == 9
    page = luminance(ask(browser, "getComputedStyle(document.documentElement).backgroundColor"))
    for words in ("p", ".rows td", "th", "pre", "li", ".aside", ".rows td.value", ".rows td.pointer", "td.wrong"):
        colour = ask(browser, f"getComputedStyle(document.querySelector('{words}')).color")
        light, dark = sorted((luminance(colour), page), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, f"{words}: {colour}"
    # Letters on the heat map's colours stay as they are, in the dark too; all others stand on the page.
    kept = ask(browser, "Array.from(document.querySelectorAll('figure svg text'), text => getComputedStyle(text).fill)")
    on_colours = {"rgb(0, 0, 1)", "rgb(255, 255, 254)"}
    assert on_colours <= set(kept)
    for colour in set(kept) - on_colours:
        light, dark = sorted((luminance(colour), page), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, f"a figure's {colour}"


def test_filters(browser, made):
    folder, text = made("plain")
    (folder / "report.html").write_text(text, encoding="utf-8")
    show(browser, folder / "report.html")
    for words, verdict, want in (("small_churn tcache-false", "", 1), ("narenas-minus", "", 1), ("5", "", 2),
                                 ("", "baseline", 4),
                                 ("pair_factory", "faster", 1), ("nonesuch", "", 0)):
        browser.execute_script("""const [words, verdict] = arguments;
            document.getElementById("words").value = words;
            document.getElementById("words").dispatchEvent(new Event("input"));
            document.getElementById("verdict").value = verdict;
            document.getElementById("verdict").dispatchEvent(new Event("change"));""", words, verdict)
        shown = ask(browser, "document.getElementById('shown').textContent")
        assert shown.startswith(f"{want} of "), f"{words!r}, {verdict!r}: {shown}"
    assert shell.repeat(load(folder).manifest, "allocators") in ask(browser, "document.body.textContent")
