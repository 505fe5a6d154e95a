# SPDX-License-Identifier: MIT
"""summary.json, bench.txt and the table, against golden files; AMPERSAND_GOLDEN=write makes them anew, to be read
before they are committed."""

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
import zlib
from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace

import pytest
from places import ROOT
import synthetic

from plots.__main__ import guarded
from plots.files import bench_format, strict_json
from plots.files.pair_run import load
from plots.files.records import ABSENT
from plots.judge import pair_summary
from plots.judge.pair_summary import Estimate
from plots.judge.summary import _observe
from plots.verbs.check import check
from plots.words import pair_text, screen, sentences
from plots.words.pair_sentences import summarize

GOLDEN = ROOT / "tests" / "golden"


@pytest.fixture
def golden_run(tmp_path):
    return shutil.copytree(GOLDEN / "run", tmp_path / "run")


def compare(name, text):
    path = GOLDEN / name
    if os.environ.get("AMPERSAND_GOLDEN") == "write":
        path.write_text(text)
    assert text == path.read_text(), f"differs from {path}"


def test_golden_files(golden_run, capsys):
    for form, name in (("table", "table.txt"), ("markdown", "table.md"), ("csv", "table.csv"),
                       ("json", "summary.json")):
        assert guarded(["summary", str(golden_run), "--format", form]) == 1  # a row failed, and counts differ
        captured = capsys.readouterr()
        assert captured.err == ""
        compare(name, captured.out)
    compare("summary.json", (golden_run / "summary.json").read_text())
    compare("bench.txt", (golden_run / "bench.txt").read_text())
    assert check(golden_run)[1] == []


def rewrite(run, path, text):
    """Change a result and what the journal keeps of it."""
    journal = run / "journal.jsonl"
    old, new = (zlib.crc32(content) for content in (path.read_bytes(), text.encode()))
    path.write_text(text)
    journal.write_text(re.sub(rf'("crc32": ?){old}\b', rf"\g<1>{new}", journal.read_text()))


def test_stack_of_an_operation(golden_run, capsys):
    """The most of any launch; what was not followed is shown by what was touched; rows that have none, as none."""
    for launch, (reserved, touched) in enumerate(((104, 96), (120, 88))):
        path = golden_run / f"counts/default/pass/size=64/{launch:03d}.json"
        document = json.loads(path.read_text())
        document["value"].update(stack_reserved_b=reserved, stack_touched_b=touched)
        document["pointer"].update(stack_reserved_b=None if launch else 40, stack_touched_b=40)
        rewrite(golden_run, path, json.dumps(document))
    summary = pair_summary.document(summarize(load(golden_run))[0])
    row = next(row for row in summary["rows"] if row["row"] == "pass/size=64")
    assert {key: row["counts"]["value"][key] for key in row["counts"]["value"] if key.startswith("stack")} == {
        "stack_reserved_b_per_op": 120, "stack_touched_b_per_op": 96}
    assert row["counts"]["pointer"]["stack_reserved_b_per_op"] is None
    assert check(golden_run)[1] == []
    guarded(["summary", str(golden_run), "--wide"])
    lines = capsys.readouterr().out.splitlines()
    assert "stack B" in lines[0]
    (line,) = [line for line in lines if re.match(r"pass +64 ", line)]
    assert re.search(r" 120 +~40 ", line), line
    (line,) = [line for line in lines if re.match(r"pass +8 ", line)]
    assert re.search(r" - +- ", line), line
    guarded(["summary", str(golden_run), "--format", "markdown"])
    assert "| 120 / 96 | ? / 40 |" in capsys.readouterr().out
    guarded(["summary", str(golden_run), "--format", "csv"])
    found = {row["row"]: row for row in csv.DictReader(io.StringIO(capsys.readouterr().out))}
    assert found["pass/size=64"]["value_stack_reserved_b_per_op"] == "120"
    assert found["pass/size=64"]["pointer_stack_touched_b_per_op"] == "40"
    path = golden_run / "counts/default/pass/size=64/000.json"
    rewrite(golden_run, path, path.read_text().replace('"stack_touched_b": 96', '"stack_touched_b": -1'))
    assert guarded(["summary", str(golden_run)]) == 2
    assert "stack_touched_b" in capsys.readouterr().err


def test_golden_run_says_what_is_true_of_it(golden_run):
    """The golden files were not only written, they are right: by the truths that the run was made from."""
    summary = pair_summary.document(summarize(load(golden_run))[0])
    rows = {row["row"]: row for row in summary["rows"]}
    assert {name: row["verdict"] for name, row in rows.items()} == {
        "pass/size=8": "value faster", "pass/size=64": "leans pointer", "pass/size=4096": "pointer faster",
        "factory/size=24": "value faster", "factory/size=4096": "value faster", "broken/size=16": "failed",
        "null/size=16": "equal", "null_placed/size=16": "placement decides"}
    truths = {"pass/size=8": 1.284, "pass/size=64": 0.9512, "pass/size=4096": 0.04979, "factory/size=24": 4.055,
              "factory/size=4096": 1.105, "null/size=16": 1.0, "null_placed/size=16": 1.0}
    for name, truth in truths.items():
        assert rows[name]["ratio"]["low"] <= truth <= rows[name]["ratio"]["high"], name
        sides = rows[name]["pointer_ns_per_op"]["estimate"] / rows[name]["value_ns_per_op"]["estimate"]
        assert sides == pytest.approx(rows[name]["ratio"]["estimate"], rel=0.02), name
    assert rows["pass/size=8"]["value_ns_per_op"]["estimate"] == pytest.approx(2.0, rel=0.05)
    assert rows["factory/size=24"]["counts"] == {
        "status": "exact", "detail": None,
        "value": {"allocs_per_op": 0, "asked_b_per_op": 0, "granted_b_per_op": 0, "peak_b": 0},
        "pointer": {"allocs_per_op": 1, "asked_b_per_op": 24, "granted_b_per_op": 32, "peak_b": 32}}
    differs = rows["factory/size=4096"]["counts"]
    assert differs["status"] == "differs" and differs["pointer"]["allocs_per_op"] is None
    assert differs["detail"] == (
        "the pointer side allocated 1 time per operation in launch 0, 1.001 times in launch 1")
    assert summary["floors"]["clockwork"]["row"] == "null/size=16"
    assert summary["floors"]["placement"]["row"] == "null_placed/size=16"
    assert [one["pair"] for one in summary["crossovers"]] == ["pass"]  # two sizes are no sweep
    assert summary["crossovers"][0]["sizes"][0]["faster_below"] == "value"
    strict_json.validate(summary, "summary", "summary.json")


def run_of(tmp_path, rows=None, **plan):
    rows = rows or [synthetic.Truth("pass", 64, 0.3, 2.0)]
    plan = {"launches": 8, "layouts": 4, "rounds": 4} | plan
    return synthetic.write_run(tmp_path / "run", rows, synthetic.Plan(**plan))


OUTCOMES = [
    # name, plan, exit status, verdict, what its sentence says
    ("sound", {}, 0, "value faster", "value is 1.35 times as fast"),
    ("quick", {"quick": True}, 0, "no verdict", "a quick run gives no verdict"),
    ("too few launches", {"launches": 3}, 0, "undecided", "3 of the 7 launches that an interval needs"),
    ("no launch", {"launches": 0}, 0, "undecided", "not measured"),
    ("a row failed", {"fail": {"pass/size=64": ("timeout", "killed after 60 s")}}, 1, "failed",
     "timeout, killed after"),
    ("counts differ", {"differ": ("pass/size=64",)}, 1, "value faster", "value is 1.3"),
    ("counts refused", {"refuse_counts": True}, 0, "value faster", "value is 1.3"),
]


@pytest.mark.parametrize("name, plan, status, verdict, said", OUTCOMES, ids=[row[0] for row in OUTCOMES])
def test_outcomes(tmp_path, capsys, name, plan, status, verdict, said):
    run = run_of(tmp_path, **plan)
    assert guarded(["summary", str(run)]) == status
    out = capsys.readouterr().out
    row = json.loads((run / "summary.json").read_text())["rows"][0]
    assert row["verdict"] == verdict
    assert said in row["sentence"]
    assert check(run)[1] == []
    if row["ratio"] is None:
        assert row["sentence"] in out  # the reason stands in the table
    else:
        assert verdict in " ".join(out.split())
    if name in ("quick", "too few launches"):
        assert row["ratio"]["estimate"] > 1.2
    if name == "too few launches":
        assert row["ratio"]["low"] is None and row["spread"]["p10"] > 1
    if name == "counts differ":
        assert "differs" in out and ("the pointer side allocated 0 times per operation in launch 0, 0.001 times in "
                                     "launch 1") in " ".join(out.split())
    if name == "counts refused":
        assert "No counts in 1 row: malloc is not jemalloc's." in out
        assert "allocs/op" not in (run / "bench.txt").read_text().split("pkg:")[1]


def test_zero_rounds_everywhere_are_no_ratio(tmp_path):
    run = run_of(tmp_path, [synthetic.Truth("pass", 8, zero_rounds=1.0)])
    summary, bench = summarize(load(run))
    row = pair_summary.document(summary)["rows"][0]
    assert row["ratio"] is None and row["verdict"] == "undecided" and "clock" in row["sentence"]
    assert "Benchmark" not in bench


WIDE = [synthetic.Truth("a_pair_with_a_long_name", 134217728, -6.0, 90000.0, layout_sd=1.0, allocs=(0, 1),
                        bytes=(0, 134217728)), synthetic.Truth("pass", 8, 0.0, layout_sd=0.2, bimodal=True)]


@pytest.mark.parametrize("rows", [synthetic.lessons()[::7], WIDE], ids=["lessons", "wide"])
def test_table_keeps_to_its_width_and_columns(tmp_path, rows):
    summary, _ = summarize(load(run_of(tmp_path, rows, launches=6, fail={rows[-1].name: ("memory", "x" * 300)})))
    text = pair_text.table(summary)
    if rows is not WIDE:  # names that nobody should choose are not cut
        assert max(map(len, text.splitlines())) <= pair_text.WIDTH
    left_out = re.search(r"\nLeft out at this width: (.*); --wide shows all\n", text)[1]
    assert ("spread" in text.splitlines()[1]) != ("spread over layouts" in left_out)
    lines = pair_text.table(summary, wide=True).split("\n\n")[0].splitlines()
    head = lines[1]
    assert "Left out" not in lines[-1]
    for line in lines[2:1 + len(rows)]:
        assert line[head.index("ratio") + 5] == " " != line[head.index("ratio") + 4]
        assert line[head.index("spread") - 1] == " " != line[head.index("spread")]


def test_the_legend_is_five_lines_and_what_to_do_next_one(golden_run, tmp_path):
    for run in (golden_run, run_of(tmp_path / "quick", quick=True), run_of(tmp_path / "few", launches=3)):
        text = pair_text.table(summarize(load(run))[0], manifest=load(run).manifest)
        legend, _, rest = text.partition("How to read it\n")[2].partition("\n\n")
        assert 3 <= len(legend.splitlines()) <= 5 and max(map(len, legend.splitlines())) <= pair_text.WIDTH
        assert rest.startswith("In short\n  Pass ")
        assert rest.count("Next: ") == (run != golden_run) and "\n" not in rest.partition("Next: ")[2].rstrip("\n")


@pytest.mark.parametrize("disturbed, want", [
    (0, "Neighbours: none; nothing else ran on the core"),
    (3, "Neighbours: in 1.5 % of the blocks something else ran on the core at every attempt")])
def test_neighbours(disturbed, want):
    found = SimpleNamespace(blocks=200, disturbed=disturbed, launches=20, left_out=0)
    assert pair_text.neighbours(SimpleNamespace(neighbours=found, rows=())) == [want]


class Screen(io.StringIO):
    def isatty(self):
        return True


COLOURS = [("a terminal", Screen, {}, True), ("NO_COLOR", Screen, {"NO_COLOR": "1"}, False),
           ("NO_COLOR that is empty", Screen, {"NO_COLOR": ""}, True),
           ("a dumb terminal", Screen, {"TERM": "dumb"}, False),
           ("a pipe", io.StringIO, {}, False)]


@pytest.mark.parametrize("name, stream, environment, colour", COLOURS, ids=[row[0] for row in COLOURS])
def test_colour(monkeypatch, golden_run, name, stream, environment, colour):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    for key, value in environment.items():
        monkeypatch.setenv(key, value)
    out = stream()
    manifest = load(golden_run).manifest
    pair_text.show(summarize(load(golden_run))[0], "table", out, manifest=manifest)
    assert ("\033[" in out.getvalue()) == colour
    assert ("\033[1;31mfailed" in out.getvalue()) == colour
    assert ("\033[1;31mcounts differ" in out.getvalue()) == colour
    plain = re.sub(r"\033\[[0-9;]*m", "", out.getvalue())
    bare = pair_text.table(summarize(load(golden_run))[0], screen.Screen(80, narrow=True),
                           manifest=manifest)
    assert plain == ((GOLDEN / "table.txt").read_text() if stream is io.StringIO else bare)


NUMBERS = [(33554432, "33554432"), (Fraction(3, 2), "1.5"), (0.000125, "0.000125"), (123456789.0, "123457000")]


@pytest.mark.parametrize("x, want", NUMBERS)
def test_numbers_as_benchstat_reads_them(x, want):
    assert bench_format.number(x) == want


BARS = [("value faster", 1.05, "  =|   "), ("value faster", 2.0, " ==|   "), ("value faster", 9.0, "===|   "),
        ("pointer faster", 0.95, "   |=  "), ("leans pointer", 0.5, "   |-- "), ("equal", 1.001, "   |   ")]


@pytest.mark.parametrize("verdict, ratio, want", BARS)
def test_bar(verdict, ratio, want):
    assert pair_text.bar(SimpleNamespace(verdict=verdict, ratio=Estimate(estimate=ratio, low=None, high=None))) == want


def test_csv_reads_back(golden_run):
    summary, _ = summarize(load(golden_run))
    read = list(csv.DictReader(io.StringIO(pair_text.rows(summary.rows).csv())))
    assert [row["row"] for row in read] == [row.row for row in summary.rows]
    assert float(read[0]["ratio_low"]) == summary.rows[0].ratio.low
    assert read[5]["ratio"] == "" and read[5]["verdict"] == "failed"


FORMAT = [  # the golden file, written by hand from the format's definition
    ("Pass/size=64/side=value", 1048576, {"ns/op": 1.25, "B/op": 0, "allocs/op": 0}),
    ("Pass/size=64/side=pointer", 1048576, {"ns/op": 0.9375, "B/op": 0, "allocs/op": 0}),
    ("Pass_inlined/size=64/side=value", 1000000000, {"ns/op": 0.000125}),
    ("Factory/size=33554432/side=pointer", 3, {"ns/op": 123457000.0, "B/op": 33554432, "allocs/op": Fraction(3, 2)}),
]
CONFIGURATION = {"goos": "linux", "goarch": "amd64", "pkg": "ampersand", "cpu": "AMD EPYC 7B13",
                 "configuration": "default"}


def test_go_format_is_written_as_defined():
    written = bench_format.write(CONFIGURATION, [(f"Benchmark{name}", n, values, {}) for name, n, values in FORMAT])
    assert written == (GOLDEN / "format.bench.txt").read_text()


def test_go_format_says_how_each_lesson_was_compiled():
    """Once for the lines that follow, taken back where a lesson does not say it."""
    ways = [{"compiler": "gcc 12.2.0", "kernel-args": "-O2"}] * 2 + [{"compiler": "clang 14.0.6", "kernel-args": "-O2"},
                                                                    {"compiler": "clang 14.0.6"}, {}]
    written = bench_format.write({}, [(f"BenchmarkX{i}", 1, {"ns/op": 1}, way) for i, way in enumerate(ways)])
    assert [line.configuration for line in bench_format.read(written)[0]] == ways
    assert written.count("compiler:") == 3 and written.count("kernel-args:") == 2


def test_go_format_is_read_as_defined():
    lines, units = bench_format.read((GOLDEN / "format.bench.txt").read_text())
    assert [(line.name, line.iterations, line.values) for line in lines] == FORMAT
    assert all(line.configuration == CONFIGURATION for line in lines)
    assert units == {"B/op": {"assume": "exact"}, "allocs/op": {"assume": "exact"}}


OTHERS = [("ok  \tgolang.org/x 1.2s\nPASS\n", 0), ("Benchmarking is fun\n", 0), ("BenchmarkX-8 1 2 ns/op\n", 1),
          ("Benchmark 1 2 ns/op\n", 1), ("k: v\nBenchmarkX 1 2 ns/op 3 extra\nk:\n", 1)]


@pytest.mark.parametrize("text, n", OTHERS)
def test_go_format_skips_what_is_none_of_it(text, n):
    assert len(bench_format.read(text)[0]) == n


BROKEN = ["BenchmarkX\t\n", "BenchmarkX 0 1 ns/op\n", "BenchmarkX 1 1\n", "BenchmarkX 1 x ns/op\n", "Unit B/op exact\n"]


@pytest.mark.parametrize("text", BROKEN)
def test_go_format_refuses_broken_lines(text):
    with pytest.raises(bench_format.Malformed, match="line 1"):
        bench_format.read(text)


def test_bench_txt_has_a_line_for_every_side_and_launch(golden_run):
    run = load(golden_run)
    lines, _ = bench_format.read(summarize(run)[1])
    assert len(lines) == 2 * sum(len(row.launches) for row in run.rows) == 140
    first = lines[0]
    assert first.name == "Pass/size=8/side=value" and first.values["ns/op"] == pytest.approx(2.0, rel=0.1)
    assert first.iterations == run.rows[0].launches[0].ops * 4 * 4


def test_nothing_is_half_written(tmp_path, capsys):
    run = run_of(tmp_path)
    (run / "summary.json").mkdir()  # cannot be replaced by a file, even by root
    assert guarded(["summary", str(run)]) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1 and "summary.json: cannot be written" in captured.err
    assert "pass" in captured.out  # the judgement is shown all the same
    assert not list(run.glob("*.tmp"))


WRONG = [([], "usage:"), (["summry"], "summry: no such verb; did you mean summary?"),
         (["summary"], "summary: the following arguments are required: RUN"),
         (["summary", ".", "--format", "xml"], "summary: argument --format: invalid choice: 'xml'"),
         (["summary", ".", "--form", "csv"], "summary: --form: no such flag; the nearest is --format"),
         (["summary", ".", "--frobnicate"], "summary: --frobnicate: no such flag\n"),
         (["compare", "a", "b", "c"], "compare: c: one word too many; ./ampersand help compare"),
         (["compare", "a", "b", "--fail-on-chang"],
          "compare: --fail-on-chang: no such flag; the nearest is --fail-on-change; ")]


@pytest.mark.parametrize("arguments, said", WRONG)
def test_wrong_use(arguments, said):
    done = subprocess.run([sys.executable, "-m", "plots", *arguments], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2 and said in done.stderr and done.stdout == ""


def test_verbs_that_are_there_are_listed():
    done = subprocess.run([sys.executable, "-m", "plots", "--help"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0
    for verb in ("summary", "check", "charts", "report", "compare", "doctor"):
        assert f"  {verb} " in done.stdout


def test_a_reader_that_has_seen_enough_is_no_error(golden_run):
    done = subprocess.run(f"{sys.executable} -m plots summary {golden_run} | head -1", cwd=ROOT, shell=True,
                          capture_output=True, text=True)
    assert done.stderr == "" and "ns/op" in done.stdout


@pytest.mark.parametrize("calibration,observable,shown,sentence", [
    ("pass", True, "value faster", "value is"),  # faster at one of its sizes is enough
    ("null", False, "not observable here", "not observable here: on this machine null shows no effect either"),
    ("broken", None, "value faster (not calibrated)", "value is"),
    ("nowhere", None, "value faster (not calibrated)", "value is")])
def test_a_row_is_only_observable_where_its_calibration_shows_the_effect(golden_run, calibration, observable, shown,
                                                                         sentence):
    run = load(golden_run)
    for row in run.rows:
        if row.pair == "factory":
            row.declared["observed_by"] = calibration
    rows = {row.row: row for row in summarize(run)[0].rows}
    row = rows["factory/size=24"]
    assert row.observable is observable and row.sentence.startswith(sentence)
    assert sentences.verdict(row).startswith(shown)
    assert rows["pass/size=8"].observable is ABSENT


def test_an_effect_that_is_seen_by_turns_only_is_seen(golden_run):
    row = summarize(load(golden_run))[0].rows[0]
    for alone, by_turns, seen in (("leans value", "value faster", True), ("equal", "leans value", False)):
        calibration = replace(row, pair="calibration", verdict=alone, paired=SimpleNamespace(verdict=by_turns))
        found = _observe([calibration, row], {calibration.row: "calibration"}, False)
        assert found[0].observable is seen, alone


def test_nothing_is_said_of_what_a_quick_run_cannot_calibrate(golden_run):
    run = load(golden_run)
    run.manifest["quick"] = True
    for row in run.rows:
        row.declared["observed_by"] = "null"
    assert run.quick and not any("observable" in row for row in pair_summary.document(summarize(run)[0])["rows"])
