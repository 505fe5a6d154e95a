# SPDX-License-Identifier: MIT
"""Allocators: tables, files, statuses, and damaged files, which are refused."""
import csv
import dataclasses
import io
import json
import re
import shutil
from types import SimpleNamespace

import pytest

from columns import PLAN, TIME, WORKS, drop, put, truths, write
from plots.__main__ import guarded
from plots.judge.allocators.metrics import METRICS
from plots.judge.allocators.summary import Cell, Decided, document, read
from plots.verbs.check import check
from plots.words import allocator_text, quantity, screen
from synthetic_allocators import Truth


def test_table_fits_and_says_all(summary):
    table = allocator_text.table(summary)
    assert max(map(len, table.splitlines())) <= screen.PIPE.width
    words = " ".join(table.split())
    for column in summary.columns:
        assert column.configuration in words
    for text in ("* mimalloc", "slower", "equal: jemalloc", "Without numbers:", "absent: libtbbmalloc_proxy", "A/A:",
                 "=> in the top group, which holds the fastest with 95 %: mimalloc"):
        assert text in words
    assert "\033[" not in table and "\033[33m" in allocator_text.table(summary, screen.Screen(colour=True))


def test_csv_carries_every_number(summary):
    rows = list(csv.DictReader(io.StringIO(allocator_text.numbers(summary).csv())))
    for one in summary.cells:
        for metric, numbers in one.metrics.items():
            row, = (row for row in rows if (row["workload"], row["configuration"], row["metric"]) ==
                    (one.workload, one.configuration, metric))
            assert float(row["value"]) == numbers.value.estimate and row["decision"] == numbers.decision
            assert (float(row["ratio_low"]) if row["ratio_low"] else None) == (numbers.ratio and numbers.ratio.low)
    out = [row for row in rows if row["state"] == "not in force"]
    assert len(out) == len(summary.workloads) and all(row["value"] == row["ratio"] == "" for row in out)


def test_markdown_has_a_table_for_each_workload(summary):
    text = allocator_text.markdown(summary)
    assert text.count("\n## ") + text.startswith("## ") == len(summary.workloads)
    tables = [part.splitlines() for part in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)]
    assert len(tables) == len(summary.workloads)
    assert all(line.count("|") - line.count("\\|") == table[0].count("|") for table in tables for line in table)


LONG = {"glibc": "jemalloc:narenas:1,tcache:false", "mimalloc": "jemalloc:narenas:1,tcache:true"}


@pytest.fixture(scope="module")
def long_names(summary):
    text = json.dumps(document(summary))
    for name, longer in LONG.items():
        text = text.replace(f'"configuration": "{name}"', f'"configuration": "{longer}"')
    return read(json.loads(text))


def test_markdown_has_every_name_in_full_and_every_metric(long_names):
    parts = allocator_text.markdown(long_names).split("## ")[1:]
    for work, part in zip(long_names.workloads, parts):
        head, _, *lines = [[cell.strip().replace("\\", "") for cell in line.strip("|").split("|")]
                           for line in part.splitlines() if line.startswith("|")]
        lines = {line[1]: dict(zip(head, line)) for line in lines}
        cells = [cell for cell in long_names.cells if cell.workload == work.workload and cell.metrics]
        assert ("longest" in head) == any("max_ns" in cell.metrics for cell in cells)
        assert set(lines) == {cell.configuration for cell in cells} and set(LONG.values()) <= set(lines)
        for cell in cells:
            for name, one in cell.metrics.items():
                short = next(metric.short for metric in METRICS if metric.name == name)
                main = name == ("retained_rss_b" if work.workload == "timeline" else "ns_per_op")
                shown = lines[cell.configuration]["ratio" if main else short]
                assert shown.startswith(allocator_text.ratio(one)) and lines[cell.configuration][short]


def test_a_screen_has_names_by_their_ends_and_the_columns_for_which_it_has_room(long_names):
    table = allocator_text.table(long_names)
    for name in LONG.values():
        shown = name[:18] + "…" + name[-9:]
        assert shown in table and len(shown) == 28
    head = table.splitlines()[2].split()
    assert head[-5:] == ["p99", "peak", "RSS", "retained", "faults"]
    assert not {"p50", "longest", "mapped/asked", "resident/asked"} & set(head)


def test_large_numbers_in_sentences_are_grouped():
    metric = Decided(name="ns_per_op", title="time", unit="ns", cells=23456, decided=12345, confidence=0.95,
                     launches_needed=6, again_cells=10001, again_different=10000)
    cell = Cell(workload="w", configuration="c", state="measured", reason=None, launches=30000, disturbed=20000,
                apart=10002, metrics={})
    summary = SimpleNamespace(metrics=[metric], again="a", baseline="b", cells=[cell], decided=lambda _: metric,
                              workloads=[SimpleNamespace(workload="w", threads=2)])
    assert allocator_text.decided(summary) == "Decided: 12,345 of 23,456 cells (52.6 %) in time per operation"
    assert "10,000 of its 10,001 cells in time per operation, and 10,000 of 10,001 in" in allocator_text.again(summary)
    assert "in 20,000 of 30,000 launches the core" in allocator_text.neighbours(summary)
    assert "in 10,002 of 30,000 launches with several threads, a cache line took 2 times" in allocator_text.distances(
        summary)


@pytest.mark.parametrize("x, unit, want", [
    (21.44, "ns", "21.44 ns"), (1234, "ns", "1.234 µs"), (0.999e6, "ns", "999.0 µs"), (3e9, "ns", "3.000 s"),
    (3 << 20, "B", "3 MiB"), (0.0, "", "0"), (0.01234, "", "0.01234"), (None, "ns", "-")])
def test_number(x, unit, want):
    assert quantity.of_unit(x, unit) == want


# ---- The commands

@pytest.mark.parametrize("case, config, status", [
    ("in force", (), 0), ("one not in force", (), 0), ("one not in force", ("lies",), 1), ("one wrong", (), 1),
    ("one absent", (), 0), ("one absent", ("lies",), 0)])
def test_status(tmp_path, case, config, status):
    """A setting that is not in force is a failure of the run where somebody asked for it by name."""
    state = {"one wrong": "wrong", "one absent": "absent"}.get(case, "ready")
    more = () if case == "in force" else (
        Truth("lies", state=state, in_force=False, reason="opt.x: no", why=None if state == "ready" else "why not"),)
    good = tuple(truth for truth in truths() if truth.name in ("jemalloc", "jemalloc-again", "glibc"))
    write(tmp_path / "run", dataclasses.replace(PLAN, launches=2, timelines=0, config=config), (*good, *more),
          WORKS[:1])
    assert guarded(["allocators", str(tmp_path / "run"), "--format", "csv"]) == status


def test_allocators_writes_everything(copy, capsys):
    assert guarded(["allocators", str(copy), "--format", "csv"]) == 1, "a column is wrong, another not in force"
    out, err = capsys.readouterr()
    assert out.startswith("workload,configuration,") and err == ""
    figures = {path.stem for path in (copy / "figures").iterdir()}
    assert figures == {"heat_time", "heat_p99", "heat_peak", "heat_retained", "heat_faults", "pareto", "rss_over_time",
                       "size_classes", "answers"}
    assert "Which allocator settings?" in (copy / "report.html").read_text()
    assert guarded(["check", str(copy)]) == 0
    assert "files follow their schemas" in capsys.readouterr().out
    before = (copy / "figures/heat_time.svg").read_bytes()
    assert guarded(["charts", str(copy)]) == 0 and (copy / "figures/heat_time.svg").read_bytes() == before
    page = (copy / "report.html").read_text()
    assert guarded(["report", str(copy)]) == 0 and (copy / "report.html").read_text() == page


def test_all_well_is_exit_0(tmp_path, capsys):
    run = write(tmp_path / "run", dataclasses.replace(PLAN, launches=2, timelines=1, again=None),
                (Truth("jemalloc"), Truth("glibc", "glibc"), truths()[-2]), WORKS[:1])
    assert guarded(["allocators", str(run)]) == 0, "an allocator that is not installed is no failure"
    assert "no verdict" in capsys.readouterr().out


# ---- Damaged files are refused in one line

LAUNCH = "launches/glibc/small_churn/001.json"
PAIR = "launches/mimalloc/pair_factory/002.json"
PROBE = "provenance/glibc.json"


DAMAGE = [
    ("another schema", LAUNCH, put("schema", value="ampersand/workload/9"), ["workload/9", "newer"]),
    ("a pair's file for a workload", LAUNCH, put("schema", value="ampersand/workload-pair/1"), ["workload-pair/1"]),
    ("no chunks", LAUNCH, put("chunks_ns", value=[]), ["chunks_ns"]),
    ("a chunk of no time", LAUNCH, put("chunks_ns", 3, value=0), ["chunks_ns", "no time"]),
    ("a chunk without a reading", LAUNCH, lambda found: found["sensor_ns"].pop(), ["sensor_ns", "19 long"]),
    ("a layout without a reading", PAIR, lambda found: found["rows"][1]["sensor_ns"].pop(),
     ["rows[1].sensor_ns", "2 long"]),
    ("a text for a time", LAUNCH, put("chunks_ns", 3, value="12"), ["chunks_ns[3]"]),
    ("no memory", LAUNCH, drop("memory"), ["memory"]),
    ("a peak below its start", LAUNCH, put("memory", "peak_rss_b", value=1), ["memory.peak_rss_b", "less than"]),
    ("quantiles out of order", LAUNCH, put("latency", "p99_ns", value=1), ["latency.p99_ns", "less than"]),
    ("another configuration's", LAUNCH, put("configuration", value="mimalloc"),
     ["configuration", "stands for 'glibc'"]),
    ("another launch's", LAUNCH, put("launch", value=2), ["launch", "stands for 1"]),
    ("another workload's", LAUNCH, put("workload", value="burst_idle"), ["workload", "stands for 'small_churn'"]),
    ("other sizes", PAIR, lambda found: found["rows"].pop(), ["rows", "sizes"]),
    ("rounds missing", PAIR, lambda found: found["rows"][1]["value_ns"].pop(), ["rows[1].value_ns", "11 long"]),
    ("time runs backwards", TIME, put("t_ms", 5, value=1), ["t_ms", "backwards"]),
    ("memory without its time", TIME, lambda found: found["rss_b"].pop(), ["rss_b", "240 long"]),
    ("a probe of another", PROBE, put("configuration", value="jemalloc"), ["configuration", "stands for 'glibc'"]),
    ("a probe of nobody's malloc", PROBE, drop("identity"), ["identity"]),
    ("no word on force", PROBE, drop("in_force"), ["in_force"]),
    ("a baseline that is not there", "manifest.json", put("baseline", value="nonesuch"), ["baseline", "nonesuch"]),
    ("a configuration twice", "manifest.json", put("configurations", 1, "name", value="jemalloc"), ["twice"]),
    ("a workload called timeline", "manifest.json", put("workloads", 0, "name", value="timeline"), ["timeline"]),
]


@pytest.mark.parametrize("name, path, change, words", DAMAGE, ids=[one[0] for one in DAMAGE])
def test_damage_is_refused_in_one_line(unsummed, tmp_path, capsys, name, path, change, words):
    run = shutil.copytree(unsummed, tmp_path / "run") if not path.startswith("timelines") else write(
        tmp_path / "run", dataclasses.replace(PLAN, launches=1, timelines=4, checksums=False), works=WORKS[:2])
    found = json.loads((run / path).read_text())
    change(found)
    (run / path).write_text(json.dumps(found))
    assert guarded(["allocators", str(run)]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("ampersand: ") and err.count("\n") == 1
    for word in [path.rpartition("/")[2], *words]:
        assert word in err
    assert check(run)[1]


@pytest.mark.parametrize("name, damage, words", [
    ("a changed digit",
     lambda run: (run / LAUNCH).write_bytes((run / LAUNCH).read_bytes().replace(b'"cpu":1', b'"cpu":2')),
     ["001.json", "CRC-32"]),
    ("a changed probe", lambda run: (run / PROBE).write_text((run / PROBE).read_text().replace("2.36", "2.37")),
     ["glibc.json", "CRC-32"]),
    ("a cut file", lambda run: (run / LAUNCH).write_bytes((run / LAUNCH).read_bytes()[:-20]), ["001.json", "not JSON"]),
    ("a file that is gone", lambda run: (run / LAUNCH).unlink(), ["001.json", "missing"]),
    ("a probe that is gone", lambda run: (run / PROBE).unlink(), ["glibc.json", "missing"]),
    ("a changed manifest", lambda run: (run / "manifest.json").write_text((run / "manifest.json").read_text() + " "),
     ["manifest.json", "CRC-32"]),
    ("no journal", lambda run: (run / "journal.jsonl").unlink(), ["journal.jsonl"]),
    ("a workload of nobody", lambda run: (run / "launches/glibc/other").mkdir(), ["other", "does not name"]),
    ("a configuration of nobody", lambda run: (run / "timelines/other").mkdir(), ["other", "does not name"]),
    ("a child of no workload", lambda run: (run / "journal.jsonl").write_text(
        (run / "journal.jsonl").read_text().replace('"workload": "small_churn", ', "")), ["line", "None"]),
    ("a file of nobody", lambda run: (run / "launches/glibc/small_churn/notes.txt").write_text(""), ["notes.txt"]),
    ("a journal of another run", lambda run: (run / "journal.jsonl").write_text(
        (run / "journal.jsonl").read_text().replace('"small_churn"', '"large_churn"')), ["line", "large_churn"]),
])
def test_what_the_journal_does_not_know_is_refused(copy, capsys, name, damage, words):
    damage(copy)
    assert guarded(["allocators", str(copy)]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1
    for word in words:
        assert word in err


def test_a_run_of_pairs_is_refused(small_run, capsys):
    assert guarded(["allocators", str(small_run)]) == 2
    assert "'ampersand/run/1' is not ampersand/allocators/1" in capsys.readouterr().err
