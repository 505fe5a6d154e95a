# SPDX-License-Identifier: MIT
"""The report as text: well-formed, self-contained, complete, and harmless whatever is in a run."""

import base64
import dataclasses
import errno
import hashlib
import json
import os
import re
import types

import numpy as np
import pytest

import synthetic
from plots import __main__ as plots_main
from plots.files.pair_run import load
from plots.judge import pair_summary
from plots.judge.pair_summary import Estimate, Spread
from plots.pages import report, shell, sparkline
from plots.words import overview_text, rules
from plots.words.pair_sentences import summarize
from reading import HOSTILE, Page

ROWS = [dataclasses.replace(row, question=f"{row.question} ({row.pair})") for row in synthetic.lessons()
        if row.size in (16, 64, 1000, 1024, 4096) or row.pair == "empty"]
PLAN = synthetic.Plan(launches=13, layouts=4, rounds=4)


def write(folder, rows=ROWS, plan=PLAN, **changes):
    """A run folder, its manifest changed: key=value, or machine=dict to be merged."""
    run = synthetic.write_run(folder, rows, dataclasses.replace(plan, checksums=False))
    manifest = json.loads((run / "manifest.json").read_text())
    for key, part in changes.items():
        manifest[key] = {**manifest[key], **part} if isinstance(part, dict) else part
    (run / "manifest.json").write_text(json.dumps(manifest))
    return run


def hostile_rows():
    return [dataclasses.replace(row, question=HOSTILE) for row in ROWS if row.pair in ("pass", "known_five")]


RUNS = {
    "plain": lambda folder: write(folder),
    "quick": lambda folder: write(folder, plan=dataclasses.replace(PLAN, launches=1, quick=True)),
    "hostile": lambda folder: write(folder, hostile_rows(), machine={"host": HOSTILE, "cpu": HOSTILE},
                                    command=["bench", "paired", HOSTILE],
                                    build={"compiler": HOSTILE, "kernel_args": [HOSTILE], "libraries": {}}),
    "bad": lambda folder: write(folder, plan=dataclasses.replace(
        PLAN, fail={"pass/size=64": ("signal", "SIGSEGV")}, differ=("factory/size=16",))),
    "profiled": lambda folder: synthetic.write_allocations(write(folder), ROWS, HOSTILE, refuse=("factory/size=16",)),
    "refused": lambda folder: write(folder, plan=dataclasses.replace(PLAN, refuse_counts=True)),
    "nothing": lambda folder: write(folder, ROWS[:1], dataclasses.replace(PLAN, launches=0, counts_launches=0,
                                                                          solo=False)),
    "unknown machine": lambda folder: write(folder, [dataclasses.replace(ROWS[0], lesson="nonesuch")]),
}


@pytest.fixture(scope="module")
def text_of(tmp_path_factory):
    """A function of a run's name: its folder and its page, made once."""
    made = {}

    def text(name):
        if name not in made:
            run = RUNS[name](tmp_path_factory.mktemp("report") / "run")
            if name == "unknown machine":
                manifest = json.loads((run / "manifest.json").read_text())
                manifest.update(machine={}, build={}, allocator=None)
                (run / "manifest.json").write_text(json.dumps(manifest))
            made[name] = run, report.page(load(run))
        return made[name]
    return text


@pytest.fixture(params=RUNS)
def variant(request, text_of):
    return request.param, *text_of(request.param)


@pytest.fixture(scope="module")
def page_of(text_of):
    return lambda name: (text_of(name)[0], Page(text_of(name)[1]))


def test_is_well_formed(variant):
    name, _, text = variant
    page = Page(text)
    assert page.faults == [], name
    ids = page.ids()
    assert len(set(ids)) == len(ids), f"{name}: an id is there twice"
    wanted = {attrs["href"][1:] for _, attrs in page.tags if attrs.get("href", "").startswith("#")}
    wanted |= {found for _, attrs in page.tags for words in attrs.values()
               for found in re.findall(r"url\(#([^)]+)\)", words or "")}
    assert wanted <= set(ids), f"{name}: nothing has the id {wanted - set(ids)}"


def test_asks_for_nothing_beside_itself(variant):
    name, _, text = variant
    for tag, attrs in Page(text).tags:
        for key in ("src", "href", "action", "data", "poster", "srcset", "background", "formaction"):
            assert attrs.get(key, "#").startswith("#"), f"{name}: <{tag} {key}={attrs[key]}>"
        assert tag not in ("link", "iframe", "object", "embed", "base", "img"), f"{name}: <{tag}>"
        assert not [key for key in attrs if key.startswith("on")], f"{name}: <{tag} {attrs}>"
    assert not re.search(r"@import|url\((?!#)", Page(text).text("style")), name


def test_holds_every_row_and_question(variant):
    name, run, text = variant
    page = Page(text)
    body = page.text("body")
    rows = json.loads((run / "manifest.json").read_text())["rows"]
    for row in rows:
        assert report.printable(row["question"]) in body, f"{name}: {row['question']}"
    lines = {tuple(cell.strip() for cell in line[:2]) for line in cells(text, "all-rows")}
    assert lines == {(row["pair"], str(row["size"])) for row in rows}, name


def cells(text, table):
    body = re.search(rf'<table class="rows" id="{table}">.*?<tbody>(.*?)</tbody>', text, re.DOTALL)[1]
    return [re.findall(r"<td[^>]*>(.*?)</td>", line, re.DOTALL) for line in body.split("</tr>")[:-1]]


def test_shows_the_summarys_numbers(text_of):
    run, text = text_of("plain")
    judged = pair_summary.document(summarize(load(run))[0])
    lines = re.search(r'id="all-rows".*?<tbody>(.*?)</tbody>', text, re.DOTALL)[1].split("</tr>")
    for row, line in zip(judged["rows"], lines):
        keys = re.findall(r'data-key="([^"]+)"', line)
        value, pointer = (row[f"{side}_ns_per_op"]["estimate"] for side in ("value", "pointer"))
        wanted = [row["size"], value, pointer, row["ratio"]["estimate"], row["ratio"]["low"], row["spread"]["p10"]]
        if row["verdict"].split()[0] in ("value", "pointer", "leans"):
            saved = float(keys.pop(3))
            assert saved == pytest.approx(abs(value - value * row["ratio"]["estimate"]), rel=1e-6)
        assert [float(key) for key in keys[:6]] == wanted, row["row"]
        assert f'data-verdict="{row["verdict"]}"' in line
        sizes = [one["size"] for one in judged["rows"] if one["pair"] == row["pair"]]
        told = row["sentence"][1:] in text  # the first letter may have become a capital
        assert told or row["size"] not in (min(sizes), max(sizes)), row["row"]
    for found in judged["crossovers"]:
        assert text.count(found["sentence"]) >= 2, "in the card and in the figure"


def test_the_first_screen_answers(text_of):
    run, text = text_of("plain")
    summary = summarize(load(run))[0]
    page, main = Page(text), text.index("<main>")
    short = overview_text.in_short(summary, load(run).manifest)
    assert [one.pair for one in short] == ["pass", "factory", "mutate"]
    for one in short:
        places = [text.index(part) for part in (f">{one.lead}</a>", one.rest, 'class="map"', 'id="questions"', "<nav>")]
        assert main < places[0] and places == sorted(places)
        card = overview_text.of_pair(summary.pairs[one.pair], "B")
        assert f"<p>{card.whole}</p>" in text
        assert card.rest.split(" ")[:4] == one.rest.split(" ")[:4], "it says the same"
    asked = re.findall(r'<tr data-find><th scope="row"><a href="#pair-\d+">(\w+)</a>', text)
    assert asked == [pair for pair in summary.pairs if not re.match("null|empty", pair)]
    looks = [attrs["class"].split() for tag, attrs in page.tags if tag == "td" and "cell" in (attrs.get("class") or "")]
    legend = re.search(r'<ul class="legend">.*?</ul>', text, re.DOTALL)[0]
    for look in looks:
        name = " ".join(look[1:3]) if look[1] in ("value", "pointer") else look[1]
        assert f'"cell {name}' in legend or name == "small", "each look of a cell is explained"
        assert "hatched" not in look or '"cell hatched' in legend
    assert len({tuple(look) for look in looks}) >= 6


def test_tells_which_lines_allocate(text_of, page_of):
    run, text = text_of("profiled")
    summary = summarize(load(run))[0]
    card = re.search(r'<article class="card" id="[^"]*" data-find>\s*<h3>factory</h3>.*?</article>', text, re.DOTALL)[0]
    table = re.search(r'aria-label="factory, lines that allocate".*?</table>', card, re.DOTALL)[0]
    lines = [[re.sub("<[^>]*>", "", cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", line)]
             for line in table.split("<tr")[2:]]
    sizes = [row.size for row in summary.pairs["factory"]]
    assert [line[0] for line in lines] == [overview_text.quantity.size(size) for size in sizes]
    assert [line[1:2] + line[3:] for line in lines if len(line) > 4 and line[4] != "-"] == [
        ["pointer", "lesson.c:31", str(size), "1"] for size in sizes if size != 16]
    assert "not recorded: SIGSEGV" in table and "pointer allocates in" in card
    graph = re.search(r'<svg class="flame".*?</svg>', text, re.DOTALL)[0]
    whole = sum(size for size in sizes if size != 16)
    assert f"each row: {overview_text.quantity.size(whole)}, 100 %" in graph and "factory: " in graph
    assert "Not recorded: SIGSEGV (1 row)." in page_of("profiled")[1].text("section")
    assert "What allocates" not in text_of("plain")[1]


def test_escapes_what_others_wrote(page_of):
    _, page = page_of("hostile")
    assert [tag for tag, _ in page.tags].count("script") == 1
    assert "img" not in {tag for tag, _ in page.tags}
    seen = report.printable(HOSTILE)
    assert seen in page.text("h1") + page.text("title") and seen in page.text("dl"), "the host, the compiler"
    assert seen in page.text("main") and "{{ 7*7 }}" in page.text("article")
    assert seen.replace("\ufffd", "").split(" ")[0] in page.text("svg"), "the question, in a figure"


def test_says_when_to_prefer_which_and_what_a_lesson_was_compiled_with(tmp_path):
    run = load(write(tmp_path / "run"))
    for row in run.rows:
        if row.pair == "pass":
            row.declared["prefer"] = HOSTILE
    run.manifest["layouts"]["factory"]["flags"] = ["-O3", "-D<x>"]
    page = Page(report.page(run))
    assert page.faults == [] and "-O3 -D<x>" in page.text("code")
    told = [attrs for tag, attrs in page.tags if tag == "p" and attrs.get("class") == "prefer"]
    assert len(told) == 1  # on its card, and on none of the other pairs
    assert page.text("p").count(report.printable(HOSTILE)) == 1


def test_a_variant_is_told_by_its_flags(tmp_path):
    run = load(write(tmp_path / "run"))
    run.manifest["layouts"]["factory"] |= {"flags": ["-O3"], "source": "other.c"}
    text = report.page(run)
    assert text.count("with <code>-O3</code>: ") == 1
    assert text.index("with <code>-O3</code>") > text.index('id="variants"')


def test_the_script_is_the_one_that_the_page_allows(page_of):
    _, page = page_of("hostile")
    policy = next(attrs["content"] for tag, attrs in page.tags if attrs.get("http-equiv") == "Content-Security-Policy")
    script = "".join(text for stack, text in page.texts if "script" in stack)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest())
    assert f"script-src 'sha256-{digest.decode()}'" in policy and "default-src 'none'" in policy


def test_a_quick_run_has_no_verdicts(page_of):
    _, page = page_of("quick")
    assert "A quick run" in page.text("header")
    assert {attrs["data-verdict"] for _, attrs in page.tags if "data-verdict" in attrs} == {"no verdict"}


def test_tells_what_went_wrong(page_of, text_of):
    _, page = page_of("bad")
    assert "pass/size=64" in page.text("ul", "strong") and "SIGSEGV" in page.text("ul")
    assert re.search(r"factory/size=16\s*:.*counts differ between launches: the pointer side allocated 1 time per "
                     r"operation in launch 0, 1\.001 times in launch 1", page.text("ul"))
    assert 'class="wrong"' in text_of("bad")[1].split('id="all-rows"')[1]
    wrong = [tag for tag, attrs in page.tags if attrs.get("class") == "wrong"]
    assert wrong.count("tr") == 4, "two rows, each in two tables"
    assert wrong.count("td") == 2, "the cells that say differs"
    _, fine = page_of("plain")
    assert not any("wrong" in (attrs.get("class") or "") for _, attrs in fine.tags)


def test_tells_why_there_are_no_counts(page_of):
    _, page = page_of("refused")
    assert f"No counts in {len(ROWS)} rows" in page.text("ul") and "malloc is not jemalloc's" in page.text("ul")


def test_the_rules_are_all_there(page_of):
    _, page = page_of("plain")
    words = " ".join(page.text("main").split())
    for text in (rules.text("verdict_rule"), rules.text("crossover_rule")):
        for line in text.strip().splitlines():
            assert " ".join(line.split()) in words, line


@pytest.mark.parametrize("text, want", [
    ("One.", ["<p>One.</p>"]),
    ("One\ntwo.\n\nThree.", ["<p>One\ntwo.</p>", "<p>Three.</p>"]),
    ("A < b:\n\n    x\n\n    y > 1\n\nEnd.",
     ["<p>A &lt; b:</p>", '<pre class="scroll" tabindex="0">    x\n\n    y &gt; 1</pre>', "<p>End.</p>"]),
], ids=["a sentence", "paragraphs", "a table"])
def test_blocks(text, want):
    assert [str(part) for part in shell.blocks(text)] == want


@pytest.mark.parametrize("case", ["unrecorded", "measured", "changed", "missing", "outside", "folder"])
def test_source(case, tmp_path):
    code = "/* a < b */\nint x; // & so on\n"
    chapter = tmp_path / "benchmarks" / "frames"
    chapter.mkdir(parents=True)
    (chapter / "pass.c").write_text(code)
    (tmp_path / "secret.c").write_text("secret")
    (tmp_path / "benchmarks" / "secret.c").write_text("secret")
    (chapter / "mutate.c").mkdir()
    right = hashlib.sha256(code.encode()).hexdigest()
    lesson, sha256, shown, note = {
        "unrecorded": ("pass", None, True, "does not record"),
        "measured": ("pass", right, True, "version that was measured"),
        "changed": ("pass", right[::-1], True, "Not the version"),
        "missing": ("nonesuch", None, False, "not in this checkout"),
        "outside": ("../secret", None, False, "not in this checkout"),
        "folder": ("mutate", None, False, "not in this checkout"),
    }[case]
    found = report.source(lesson, sha256, tmp_path / "benchmarks")
    assert report.source("pass_o3", sha256, tmp_path / "benchmarks", file=f"{lesson}.c") == found
    assert note in found["note"]
    assert found["name"] == f"benchmarks/frames/{lesson}.c" or case in ("missing", "outside")
    assert ("Not" in found["note"]) == (case == "changed")
    want = '<span class="comment">/* a &lt; b */</span>\nint x; <span class="comment">// &amp; so on</span>\n'
    assert (found["text"] == want) if shown else found["text"] is None


@pytest.mark.parametrize("command, want", [
    (["/x/ampersand-bench", "paired"], "./ampersand bench --seed 1"),
    (["b", "paired", "--seed", "9", "--quick", "--out", "/tmp/a b", "--resume=x"],
     "./ampersand bench --quick --seed 1"),
    (["b", "paired", "--filter", "^(a|b)$"], "./ampersand bench --filter '^(a|b)$' --seed 1"),
    ([], "./ampersand bench --seed 1"),
], ids=["plain", "folders and seeds", "quoting", "none"])
def test_repeat(command, want):
    assert shell.repeat({"command": command, "seed": 1}, "bench") == want


@pytest.mark.parametrize("events, said", [
    (["complete"], ""), (["failed"], ""), (["interrupted"], "interrupted"), ([], "not come to its end"),
    (["interrupted", "resume"], "not come to its end"), (["interrupted", "resume", "complete"], ""),
], ids=", ".join)
def test_an_unfinished_run_says_so(events, said, tmp_path):
    run = write(tmp_path / "run", ROWS[:1])
    journal = (run / "journal.jsonl").read_text().splitlines()[:-1]
    journal += [json.dumps({"time": synthetic.TIME} | ({"event": "resume"} if event == "resume" else
                                                       {"event": "end", "status": event})) for event in events]
    (run / "journal.jsonl").write_text("\n".join(journal) + "\n")
    header = Page(report.page(load(run))).text("header")
    assert (said in header) if said else "what is here" not in header


def run_report(*arguments):
    return plots_main.guarded(["report", *map(str, arguments)])


def test_the_command(small_run, tmp_path, capsys):
    assert run_report(small_run) == 0
    assert capsys.readouterr().out == f"{small_run / 'report.html'}\n"
    assert run_report(small_run, "--out", tmp_path / "page.html") == 0
    assert (tmp_path / "page.html").read_bytes() == (small_run / "report.html").read_bytes(), "the same page each time"
    assert run_report(small_run, "--config", "nonesuch") == 2
    assert run_report(tmp_path / "nowhere") == 2
    assert run_report(small_run, "--out", tmp_path / "nowhere" / "page.html") == 2
    assert "Traceback" not in capsys.readouterr().err


def test_is_written_whole_or_not_at_all(small_run, monkeypatch, capsys):
    (small_run / "report.html").write_text("the old one")

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    monkeypatch.setattr(os, "fsync", full)
    before = sorted(small_run.iterdir())
    assert run_report(small_run) == 2
    assert "report.html: cannot be written: No space left" in capsys.readouterr().err
    assert (small_run / "report.html").read_text() == "the old one" and sorted(small_run.iterdir()) == before


def test_a_damaged_run_is_refused(small_run, capsys):
    path = next(small_run.glob("launches/*/*/*/*.json"))
    path.write_bytes(path.read_bytes()[:-40])
    assert run_report(small_run) == 2
    assert str(path) in capsys.readouterr().err and not (small_run / "report.html").exists()


def test_two_hundred_rows_stay_below_five_megabytes(tmp_path):
    rows = [dataclasses.replace(row, pair=f"{row.pair}_{i}", lesson=f"{row.lesson}_{i}") for i in range(2)
            for row in synthetic.lessons()]
    run = write(tmp_path / "run", rows[:200], synthetic.Plan(launches=15, layouts=64, rounds=2))
    assert run_report(run) == 0
    text = (run / "report.html").read_bytes()
    assert len(text) < 5_000_000
    assert len(cells(text.decode(), "all-rows")) == 200


# ---- The figures that are the report's own

def spark_row(size, estimate, verdict="value faster", low=None, high=None):
    return types.SimpleNamespace(size=size, verdict=verdict, name_of=str,
                                 spread=Spread(p10=estimate * 0.9, p90=estimate * 1.1),
                                 ratio=Estimate(estimate=estimate, low=low, high=high))


@pytest.mark.parametrize("ratios", [[2, 1.5, 0.5, 0.25], [3, 2, 5], [0.1, 0.001]], ids=["crossing", "above", "below"])
def test_sparkline_of_a_sweep(ratios):
    found = sparkline.make([spark_row(8 * 4 ** i, x) for i, x in enumerate(ratios)], str)
    assert found.kind == "sweep" and (found.first, found.last) == ("8", str(8 * 4 ** (len(ratios) - 1)))
    assert [dot.y < found.one for dot in found.dots] == [x > 1 for x in ratios], "up is the value side"
    assert [dot.x for dot in found.dots] == pytest.approx(np.linspace(14, 226, len(ratios)), abs=0.02)
    assert all(18 <= y <= 78 for dot in found.dots for y in (dot.y, found.one, *dot.spread))


def test_sparkline_of_one_row():
    found = sparkline.make([spark_row(8, 0.5, "leans pointer", 0.45, 0.55)], str)
    (dot,) = found.dots
    assert found.kind == "bar" and found.one == 120 and dot.x < 120 and dot.interval[0] < dot.x < dot.interval[1] < 120
    assert (dot.side, dot.shape, dot.filled) == ("pointer", "D", False)
    assert sparkline.make([types.SimpleNamespace(size=1, ratio=None)], str) is None
