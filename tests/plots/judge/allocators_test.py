# SPDX-License-Identifier: MIT
"""Runs over allocator configurations: loaded as they are or refused in one line, judged, and printed."""

import csv
import dataclasses
import io
import json
import math
import re
import shutil

import numpy as np
import pytest

import synthetic_allocators as synthetic
from places import ROOT
from plots.__main__ import guarded
from plots.files import strict_json
from plots.files.allocator_run import load
from plots.judge import allocator_metrics, allocator_summary
from plots.verbs.check import check
from plots.words import allocator_text, quantity, screen
from synthetic_allocators import Plan, Truth, jemalloc

WORKS = tuple(work for work in synthetic.WORKS if work.name in ("small_churn", "burst_idle", "pair_factory"))
QUIET = (0.003, 0.006)
PLAN = Plan(launches=12, timelines=10, sd=QUIET)


def truths():
    known = {truth.name: truth for truth in synthetic.configurations()}
    return tuple(known[name] for name in (
        "jemalloc", "jemalloc-decay-forever", "jemalloc-decay-zero", "jemalloc-narenas-4", "jemalloc-tcache-false",
        "jemalloc-narenas-minus-5", "jemalloc-again", "glibc", "mimalloc", "tbbmalloc", "typo"))


def write(folder, plan=PLAN, configurations=None, works=WORKS):
    return synthetic.write_run(folder, truths() if configurations is None else configurations, works, plan)


@pytest.fixture(scope="session")
def pristine(tmp_path_factory):
    return write(tmp_path_factory.mktemp("allocators") / "run")


@pytest.fixture(scope="session")
def summary(pristine):
    return allocator_summary.summarize(load(pristine))


@pytest.fixture
def copy(pristine, tmp_path):
    return shutil.copytree(pristine, tmp_path / "run")


@pytest.fixture(scope="session")
def unsummed(tmp_path_factory):
    """As pristine, but its journal keeps no CRC-32: what a file says must be enough to refuse it."""
    return write(tmp_path_factory.mktemp("allocators") / "run", dataclasses.replace(PLAN, launches=3, checksums=False))


def cell(summary, configuration, work):
    return next(one for one in summary["cells"] if (one["configuration"], one["workload"]) == (configuration, work))


def decision(summary, configuration, work, metric="ns_per_op"):
    return cell(summary, configuration, work)["metrics"][metric]["decision"]


# ---- What comes out is what was put in

@pytest.mark.parametrize("configuration, work, metric, want", [
    ("jemalloc-tcache-false", "small_churn", "ns_per_op", "slower"),
    ("jemalloc-tcache-false", "small_churn", "p99_ns", "slower"),
    ("jemalloc-tcache-false", "burst_idle", "ns_per_op", "equal"),
    ("jemalloc-decay-zero", "burst_idle", "ns_per_op", "slower"),
    ("jemalloc-decay-zero", "burst_idle", "faults_per_op", "more"),
    ("jemalloc-decay-zero", "burst_idle", "retained_rss_b", "less"),
    ("jemalloc-decay-zero", "timeline", "retained_rss_b", "less"),
    ("jemalloc-decay-forever", "burst_idle", "retained_rss_b", "more"),
    ("jemalloc-decay-forever", "timeline", "retained_rss_b", "more"),
    ("jemalloc-narenas-4", "small_churn", "ns_per_op", "equal"),
    ("jemalloc-narenas-4", "small_churn", "faults_per_op", "equal"),
    ("glibc", "pair_factory", "ns_per_op", "slower"),
    ("mimalloc", "small_churn", "ns_per_op", "faster"),
    ("mimalloc", "burst_idle", "mapped_per_asked", "more"),
    ("jemalloc", "small_churn", "ns_per_op", "baseline"),
])
def test_known_effects_are_decided(summary, configuration, work, metric, want):
    assert decision(summary, configuration, work, metric) == want


def test_ratios_are_the_truth(summary):
    for truth in truths():
        for work in WORKS if truth.in_force and truth.state == "ready" and truth.name != "jemalloc" else ():
            ratio = cell(summary, truth.name, work.name)["metrics"]["ns_per_op"]["ratio"]
            assert ratio["low"] <= ratio["estimate"] <= ratio["high"]
            assert ratio["estimate"] == pytest.approx(math.exp(truth.effect("ns", work.name)), rel=0.03)


def test_the_second_name_of_the_baseline_is_not_another(summary):
    found = [one["decision"] for work in summary["workloads"]
             for one in cell(summary, "jemalloc-again", work["workload"])["metrics"].values()]
    assert sum(one not in ("equal", "undecided") for one in found) <= len(found) / 20
    time = next(one for one in summary["metrics"] if one["name"] == "ns_per_op")
    assert time["again_cells"] == len(WORKS) and time["again_different"] == 0


def test_summary_follows_its_schema(summary):
    assert strict_json.faults(summary, "allocators-summary") == []
    assert json.loads(json.dumps(summary)) == summary


def test_a_second_name_that_reads_otherwise_is_told(tmp_path):
    """Should a run favour its baseline, its own floor must not hide that."""
    run = write(tmp_path / "run", dataclasses.replace(PLAN, bias=0.05), works=WORKS[:2])
    made = allocator_summary.summarize(load(run))
    time = next(one for one in made["metrics"] if one["name"] == "ns_per_op")
    assert (time["again_cells"], time["again_different"]) == (2, 2)
    assert decision(made, "jemalloc-narenas-4", "small_churn") != "slower", "the floor of all others has it in it"
    assert made["workloads"][0]["floors"]["ns_per_op"] == pytest.approx(0.05, abs=0.01)


@pytest.mark.parametrize("configuration, state, words", [
    ("jemalloc-narenas-minus-5", "not in force", "asked for -5, in force is 8"),
    ("tbbmalloc", "absent", "apt-get install libtbbmalloc2"),
    ("typo", "wrong", "did you mean allocator?"),
    ("glibc", "in force", None),
])
def test_columns(summary, configuration, state, words):
    column = next(one for one in summary["columns"] if one["configuration"] == configuration)
    assert column["state"] == state and (words is None or words in column["reason"])
    if state != "in force":
        assert all(one["configuration"] != configuration for one in summary["cells"])
        assert all(configuration not in [one["configuration"] for one in work["ranking"]] for work in summary["workloads"])


def test_ranking(summary):
    churn = next(work for work in summary["workloads"] if work["workload"] == "small_churn")
    names = [one["configuration"] for one in churn["ranking"]]
    assert names[0] == "mimalloc" and names[-1] == "jemalloc-tcache-false" and "jemalloc-again" not in names
    assert [one["configuration"] for one in churn["ranking"] if one["tied"]] == ["mimalloc"]
    assert churn["pick"] == "mimalloc" and churn["sentence"].startswith("the fastest is mimalloc, with 8")
    timeline = summary["workloads"][-1]
    assert timeline["workload"] == "timeline" and timeline["ranking"][0]["configuration"] == "jemalloc-decay-zero"
    assert timeline["sentence"].startswith("the least is kept by jemalloc-decay-zero")


def test_what_reads_best_may_be_undecided_where_others_are_not(tmp_path):
    truths = (Truth("jemalloc"), jemalloc("knobs", "narenas:4,thp:always", ns={"*": -0.21}),
              jemalloc("knob", "narenas:4", ns={"*": -0.2}), Truth("plain", "mimalloc", ns={"*": -0.19}))
    run = load(write(tmp_path / "run", dataclasses.replace(PLAN, again=None), truths, WORKS[:1]))
    table, key = allocator_summary.Table(run), ("knobs", WORKS[0].name, "ns_per_op")
    table.decisions[key] = dataclasses.replace(table.decisions[key], name="undecided")
    found = allocator_summary._workload(table, run.workloads[0])
    assert found["ranking"][0]["configuration"] == "knobs"
    assert found["sentence"] == "knobs reads best, but only knob, plain are shown to be faster than jemalloc"


def test_of_those_that_tie_the_plainest_is_picked(tmp_path):
    twins = (Truth("jemalloc"), jemalloc("knobs", "narenas:4,thp:always", ns={"*": -0.203}),
             jemalloc("knob", "narenas:4", ns={"*": -0.2}), Truth("plain", "mimalloc", ns={"*": -0.198}))
    made = allocator_summary.summarize(load(write(tmp_path / "run", dataclasses.replace(PLAN, again=None), twins)))
    assert made["workloads"][0]["pick"] == "plain"
    assert allocator_summary.summarize(load(write(tmp_path / "same", dataclasses.replace(PLAN, again=None), (
        Truth("knob", environment={"MALLOC_CONF": "narenas:4"}), Truth("jemalloc")))))["workloads"][0]["pick"] == "jemalloc"


def test_a_quick_run_gives_no_verdict(tmp_path):
    made = allocator_summary.summarize(load(write(tmp_path / "run", dataclasses.replace(PLAN, quick=True))))
    found = {one["decision"] for part in made["cells"] for one in part["metrics"].values()}
    assert found == {"no verdict", "baseline"}
    assert all("no verdict" in work["sentence"] for work in made["workloads"])
    assert "quick" in allocator_text.table(made)


def test_crossovers_move_with_the_allocator(summary):
    found = {one["configuration"]: one["sizes"][0] for one in summary["crossovers"]}
    assert found["jemalloc-tcache-false"]["low"] > found["jemalloc"]["high"] and found["jemalloc"]["faster_below"] == "value"
    assert found["mimalloc"]["estimate"] < found["jemalloc"]["estimate"]


# ---- Cells without numbers

@pytest.mark.parametrize("name, plan, configuration, work, state, words", [
    ("a child that crashed", {"fail": {("glibc", "small_churn"): ("signal", "SIGSEGV")}}, "glibc", "small_churn",
     "failed", "signal: SIGSEGV"),
    ("a child that said so itself", {"fail": {("glibc", "small_churn"): ("not in force", "malloc is not glibc's")}}, "glibc",
     "small_churn", "not in force", "malloc is not glibc's"),
    ("a wrong sum", {"disagree": (("mimalloc", "burst_idle"),)}, "mimalloc", "burst_idle", "failed",
     "disagreement: the checksum of launch 0 is badbad"),
    ("a baseline that is wrong", {"disagree": (("jemalloc", "burst_idle"),)}, "jemalloc", "burst_idle", "failed",
     "disagreement"),
    ("other settings than the probe's", {"switched": (("mimalloc", "pair_factory"),)}, "mimalloc", "pair_factory",
     "not in force", "launch 2: its settings are not those of the probe"),
    ("another library than the probe's", {"replaced": (("glibc", "burst_idle"),)}, "glibc", "burst_idle", "not in force",
     "launch 1: its malloc is of /lib/libother.so, the probe's of /usr/lib/x86_64-linux-gnu/libc.so.6"),
    ("a timeline that hung", {"fail": {("glibc", "timeline"): ("timeout", "no end within 20 s")}}, "glibc", "timeline",
     "failed", "timeout: no end"),
])
def test_a_bad_cell_has_a_reason_and_no_numbers(tmp_path, name, plan, configuration, work, state, words):
    made = allocator_summary.summarize(load(write(tmp_path / "run", dataclasses.replace(PLAN, launches=7, timelines=7, **plan))))
    one = cell(made, configuration, work)
    assert one["state"] == state and words in one["reason"] and one["metrics"] == {} and one["launches"] == 0
    assert strict_json.faults(made, "allocators-summary") == []
    others = [part for part in made["cells"] if (part["configuration"], part["workload"]) != (configuration, work)]
    assert all(part["state"] == "measured" and part["metrics"] for part in others)
    table = allocator_text.table(made)
    assert words in " ".join(table.split())
    if configuration == "jemalloc":  # nothing to compare with
        mine = [part["metrics"]["ns_per_op"] for part in others if part["workload"] == work]
        assert all(part["ratio"] is None and part["decision"] == "no verdict" for part in mine)


@pytest.mark.parametrize("reason, state", [("timeout", "failed"), ("not in force", "not in force")])
def test_a_failed_probe_is_a_column_without_numbers(tmp_path, reason, state):
    plan = dataclasses.replace(PLAN, launches=2, timelines=0, fail={("glibc", None): (reason, "it said nothing")})
    made = allocator_summary.summarize(load(write(tmp_path / "run", plan)))
    column = next(one for one in made["columns"] if one["configuration"] == "glibc")
    assert column["state"] == state and "it said nothing" in column["reason"]
    assert all(one["configuration"] != "glibc" for one in made["cells"])


def test_a_column_that_was_not_probed_shows_nothing(unsummed, tmp_path):
    run = shutil.copytree(unsummed, tmp_path / "run")
    (run / "provenance/glibc.json").unlink()
    journal = [line for line in (run / "journal.jsonl").read_text().splitlines()
               if not ('"probe"' in line and '"glibc"' in line)]
    (run / "journal.jsonl").write_text("\n".join(journal) + "\n")
    made = allocator_summary.summarize(load(run))
    assert next(one for one in made["columns"] if one["configuration"] == "glibc")["state"] == "not probed"


def test_a_file_that_the_journal_does_not_know_counts(unsummed, tmp_path):
    """Its run was killed between the two: the file is whole, and a resumed run does not measure it again."""
    run = shutil.copytree(unsummed, tmp_path / "run")
    lines = (run / "journal.jsonl").read_text().splitlines(keepends=True)
    told = ('"done"', '"glibc"', '"small_churn"', '"launch": 1,')
    (run / "journal.jsonl").write_text("".join(line for line in lines if not all(part in line for part in told)))
    cells = load(run).cells
    assert set(cells["glibc", "small_churn"].launches) == {0, 1, 2}
    assert set(cells["glibc", "burst_idle"].launches) == {0, 1, 2}


# ---- Numbers of a launch

def document():
    return synthetic.of_work(Truth("jemalloc"), synthetic.WORKS[0], 0, PLAN, 0.0, 0.0, np.random.default_rng(1))


@pytest.mark.parametrize("name, change, metric, want", [
    ("median of chunks", {"chunks_ns": [100, 900, 200], "sensor_ns": [990] * 3, "chunk_ops": 10}, "ns_per_op", 20),
    ("of those on a quiet core", {"chunks_ns": [100, 120, 130, 900, 910, 920, 930], "chunk_ops": 10,
                                  "sensor_ns": [990, 1000, 1089, 1090, 1500, 1600, 1980]}, "ns_per_op", 12),
    ("however slow those were", {"chunks_ns": [900, 910, 920, 100, 110, 120], "chunk_ops": 10,
                                 "sensor_ns": [990, 1000, 1080, 1500, 1600, 1980]}, "ns_per_op", 91),
    ("or of the three quietest", {"chunks_ns": [100, 500, 130, 900, 910], "chunk_ops": 10,
                                  "sensor_ns": [990, 1400, 1300, 1500, 1980]}, "ns_per_op", 13),
    ("of two, if there are no more", {"chunks_ns": [100, 200], "sensor_ns": [1900, 1980], "chunk_ops": 10}, "ns_per_op", 15),
    ("the clock's cost is off", {"latency": {"ops": 1, "clock_cost_ns": 40.0, "p50_ns": 45, "p90_ns": 50, "p99_ns": 90,
                                             "p999_ns": 95, "max_ns": 99}}, "p99_ns", 50),
    ("but no operation is shorter than the grain", {"latency": {
        "ops": 1, "clock_cost_ns": 40.0, "p50_ns": 39, "p90_ns": 50, "p99_ns": 90, "p999_ns": 95, "max_ns": 99}}, "p50_ns", 2),
    ("faults of all chunks", {"faults": {"minor": 30, "major": 10}, "chunks_ns": [5, 5], "sensor_ns": [990] * 2,
                              "chunk_ops": 100},
     "faults_per_op", 0.2),
])
def test_metrics(name, change, metric, want):
    assert allocator_metrics.of_workload(document() | change)[metric] == pytest.approx(want)


@pytest.mark.parametrize("name, change, want", [
    ("quiet", {}, False),
    ("two of twenty chunks", {"sensor_ns": [990] * 2 + [1500] * 18}, True),
    ("three are enough", {"sensor_ns": [990] * 3 + [1500] * 17}, False),
    ("a pair, two layouts at each size", {"rows": [{"sensor_ns": [990, 990, 1500]}, {"sensor_ns": [1500, 990, 990]}]}, False),
    ("a pair, one layout at one size", {"rows": [{"sensor_ns": [990, 990, 990]}, {"sensor_ns": [1500, 1500, 990]}]}, True),
    ("single operations", {"latency": {"sensor_ns": 1500}}, True),
    ("a timeline", {"t_ms": [0]}, False),
])
def test_disturbed(name, change, want):
    assert allocator_metrics.is_disturbed(document() | change) == want


POOL = dataclasses.replace(synthetic.WORKS[0], name="producer_pool", threads=2)


def two_columns(tmp_path, work):
    """A run of twelve launches of one workload under two allocators."""
    return load(write(tmp_path / "run", dataclasses.replace(PLAN, launches=12, timelines=1, again=None),
                      (Truth("jemalloc"), Truth("glibc", "glibc")), (work,)))


@pytest.mark.parametrize("name, disturbed, want", [
    ("none", {}, 12), ("two of its own", {"glibc": (1, 2)}, 10), ("of the baseline, too", {"glibc": (1,), "jemalloc": (3,)}, 10),
    ("ten remain", {"glibc": (0, 11)}, 10), ("too few would remain", {"glibc": (0, 1, 2)}, 12)])
def test_times_of_disturbed_launches_are_left_out(name, disturbed, want, tmp_path):
    work, run = synthetic.WORKS[0].name, two_columns(tmp_path, synthetic.WORKS[0])
    for configuration, launches in disturbed.items():
        for i in launches:
            found = run.cells[configuration, work].launches[i]
            found["sensor_ns"] = [1500] * len(found["sensor_ns"])
    table = allocator_summary.Table(run)
    ratios = {name: table.ratios("glibc", work, allocator_metrics.BY_NAME[name])
              for name in ("ns_per_op", "peak_rss_b")}
    assert (len(ratios["ns_per_op"]), len(ratios["peak_rss_b"])) == (want, 12), "memory does not feel a neighbour"


@pytest.mark.parametrize("name, one, other, want", [
    ("alike", [60, 64], [62, 60], False), ("as far, both", [320, 330], [320, 310], False),
    ("one is farther", [60, 60], [320, 320], True), ("it is the other", [320, 320], [60, 60], True),
    ("moved meanwhile", [60, 320], [60, 60], True), ("twice is alike", [60, 60], [120, 120], False),
    ("a nanosecond beyond is not", [60, 60], [60, 121], True), ("not known", [None, None], [320, 60], True),
    ("not known, the rest alike", [None, 60], [60, None], False), ("one thread", None, None, False),
    ("of an earlier version", "absent", [60, 320], True)])
def test_apart(name, one, other, want):
    one, other = ({} if trips == "absent" else {"round_trip_ns": trips} for trips in (one, other))
    assert allocator_metrics.are_apart(one, other) == want


@pytest.mark.parametrize("name, trips, disturbed, want, apart", [
    ("all as near", {}, (), 12, 0), ("two farther", {"glibc": (1, 2)}, (), 10, 2),
    ("the baseline's, too", {"glibc": (1,), "jemalloc": (3,)}, (), 10, 2),
    ("both, at the same time", {"glibc": (1,), "jemalloc": (1,)}, (), 12, 0),
    ("too few would remain", {"glibc": (0, 1, 2)}, (), 12, 3),
    ("and another was disturbed", {"glibc": (1,)}, (3,), 10, 1),
    ("two farther and two disturbed: the distance counts for more", {"glibc": (1, 2)}, (3, 4), 10, 2),
    ("three farther and two disturbed: these alone are left out", {"glibc": (0, 1, 2)}, (3, 4), 10, 3)])
def test_times_are_compared_at_the_same_distance(name, trips, disturbed, want, apart, tmp_path):
    work, run = POOL.name, two_columns(tmp_path, POOL)
    for configuration in ("jemalloc", "glibc"):
        for i, document in run.cells[configuration, work].launches.items():
            document["round_trip_ns"] = [320, 318] if i in trips.get(configuration, ()) else [60, 61]
            if i in disturbed:
                document["sensor_ns"] = [1500] * len(document["sensor_ns"])
    table = allocator_summary.Table(run)
    ratios = {name: table.ratios("glibc", work, allocator_metrics.BY_NAME[name])
              for name in ("ns_per_op", "peak_rss_b")}
    assert (len(ratios["ns_per_op"]), len(ratios["peak_rss_b"])) == (want, 12), "memory does not feel a distance"
    made = allocator_summary.summarize(run)
    found = {cell["configuration"]: cell["apart"] for cell in made["cells"] if cell["workload"] == work}
    assert found == {"jemalloc": 0, "glibc": apart}
    said = " ".join(allocator_text.table(made).split())
    assert (f"Distances: in {apart} of 12 launches with several threads" in said) == (apart > 0)


def test_a_baseline_that_moved_is_not_apart_from_itself(tmp_path):
    work, run = POOL.name, two_columns(tmp_path, POOL)
    for name in ("jemalloc", "glibc"):
        run.cells[name, work].launches[4]["round_trip_ns"] = [60, 320]
    found = {cell["configuration"]: cell["apart"] for cell in allocator_summary.summarize(run)["cells"]
             if cell["workload"] == work}
    assert found == {"jemalloc": 0, "glibc": 1}, "nobody knows when it moved"


def test_memory_is_what_the_workload_added():
    memory = {"start_rss_b": 3 << 20, "peak_rss_b": 13 << 20, "retained_rss_b": 4 << 20, "asked_peak_b": 5 << 20,
              "start_mapped_b": 10 << 20, "peak_mapped_b": 30 << 20}
    found = allocator_metrics.of_workload(document() | {"memory": memory})
    assert (found["peak_rss_b"], found["retained_rss_b"]) == (13 << 20, 4 << 20)
    assert (found["resident_per_asked"], found["mapped_per_asked"]) == (2, 4)


def test_no_fault_against_no_fault_is_equal():
    assert allocator_metrics.ln("faults_per_op", 0.0) - allocator_metrics.ln("faults_per_op", 0.0) == 0
    assert allocator_metrics.ln("faults_per_op", 1e-6) == pytest.approx(allocator_metrics.ln("faults_per_op", 0), abs=0.0011)


def test_heap_side_of_a_pair():
    row = {"size": 8, "ops": 10, "rounds_per_block": 2, "layouts": [1, 2], "sensor_ns": [990, 1000], "value_ns": [145, 145, 145, 145],
           "pointer_ns": [245, 245, 445, 445]}
    pair = {"heap_side": "pointer", "quiet_ns": 990, "clock": {"cost_ns": 45.0}, "rows": [row, row | {"size": 16, "pointer_ns": [845] * 4}],
            "memory": document()["memory"], "faults": {"minor": 4, "major": 0}}
    rows = allocator_metrics.pair_rows(pair)
    assert [size for size, _, _ in rows] == [8, 16]
    assert rows[0][1] == pytest.approx(math.log(math.sqrt(2 * 4))) and rows[1][1] == pytest.approx(math.log(8))
    found = allocator_metrics.of_pair(pair)
    assert found["ns_per_op"] == pytest.approx(math.sqrt(math.sqrt(20 * 40) * 80))
    assert "faults_per_op" not in found, "those of both sides, and of setting up"
    other = allocator_metrics.of_pair(pair | {"heap_side": "value"})
    assert other["ns_per_op"] == pytest.approx(10)
    blind = pair | {"rows": [row | {"pointer_ns": [40] * 4}]}
    assert math.isnan(allocator_metrics.pair_rows(blind)[0][1]) and "ns_per_op" not in allocator_metrics.of_pair(blind)


DISTURBED = json.loads((ROOT / "tests/golden/disturbed.json").read_text())


@pytest.mark.parametrize("row", DISTURBED, ids=[row["name"] for row in DISTURBED])
def test_launches_that_are_left_out_are_those_that_would_be_measured_again(row):
    assert allocator_metrics.is_disturbed(row["result"]) == row["disturbed"], "matrix_accept_test.c has the same rows"


def test_where_nothing_differs_nothing_is_said_to(tmp_path):
    same = (Truth("jemalloc"), jemalloc("jemalloc-again", ""), jemalloc("jemalloc-narenas-4", "narenas:4"))
    made = allocator_summary.summarize(load(write(tmp_path / "run", dataclasses.replace(PLAN, sd=(0.05, 0.05)), same)))
    time = [part["metrics"]["ns_per_op"]["decision"] for part in made["cells"] if "ns_per_op" in part["metrics"]]
    assert not {"faster", "slower"} & set(time)
    assert all(work["sentence"].startswith("none is shown to ") and work["pick"] == "jemalloc"
               for work in made["workloads"] if work["kind"] == "workload")


# ---- Printed

def test_table_fits_and_says_all(summary):
    table = allocator_text.table(summary)
    assert max(map(len, table.splitlines())) <= screen.PIPE.width
    words = " ".join(table.split())
    for column in summary["columns"]:
        assert column["configuration"] in words
    for text in ("* mimalloc", "slower", "equal: jemalloc", "Without numbers:", "absent: libtbbmalloc_proxy", "A/A:",
                 "=> the fastest is mimalloc"):
        assert text in words
    assert "\033[" not in table and "\033[33m" in allocator_text.table(summary, screen.Screen(colour=True))


def test_csv_carries_every_number(summary):
    rows = list(csv.DictReader(io.StringIO(allocator_text.numbers(summary).csv())))
    for one in summary["cells"]:
        for metric, numbers in one["metrics"].items():
            row, = (row for row in rows if (row["workload"], row["configuration"], row["metric"]) ==
                    (one["workload"], one["configuration"], metric))
            assert float(row["value"]) == numbers["value"]["estimate"] and row["decision"] == numbers["decision"]
            assert (float(row["ratio_low"]) if row["ratio_low"] else None) == (numbers["ratio"] or {}).get("low")
    out = [row for row in rows if row["state"] == "not in force"]
    assert len(out) == len(summary["workloads"]) and all(row["value"] == row["ratio"] == "" for row in out)


def test_markdown_has_a_table_for_each_workload(summary):
    text = allocator_text.markdown(summary)
    assert text.count("\n## ") + text.startswith("## ") == len(summary["workloads"])
    tables = [part.splitlines() for part in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)]
    assert len(tables) == len(summary["workloads"])
    assert all(line.count("|") - line.count("\\|") == table[0].count("|") for table in tables for line in table)


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
    write(tmp_path / "run", dataclasses.replace(PLAN, launches=2, timelines=0, config=config), (*good, *more), WORKS[:1])
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
TIME = "timelines/glibc/003.json"
PROBE = "provenance/glibc.json"


def put(*keys, value):
    def change(found):
        for key in keys[:-1]:
            found = found[key]
        found[keys[-1]] = value
    return change


def drop(key):
    return lambda found: found.pop(key)


DAMAGE = [
    ("another schema", LAUNCH, put("schema", value="ampersand/workload/9"), ["workload/9", "newer"]),
    ("a pair's file for a workload", LAUNCH, put("schema", value="ampersand/workload-pair/1"), ["workload-pair/1"]),
    ("no chunks", LAUNCH, put("chunks_ns", value=[]), ["chunks_ns"]),
    ("a chunk of no time", LAUNCH, put("chunks_ns", 3, value=0), ["chunks_ns", "no time"]),
    ("a chunk without a reading", LAUNCH, lambda found: found["sensor_ns"].pop(), ["sensor_ns", "19 long"]),
    ("a layout without a reading", PAIR, lambda found: found["rows"][1]["sensor_ns"].pop(), ["rows[1].sensor_ns", "2 long"]),
    ("a text for a time", LAUNCH, put("chunks_ns", 3, value="12"), ["chunks_ns[3]"]),
    ("no memory", LAUNCH, drop("memory"), ["memory"]),
    ("a peak below its start", LAUNCH, put("memory", "peak_rss_b", value=1), ["memory.peak_rss_b", "less than"]),
    ("quantiles out of order", LAUNCH, put("latency", "p99_ns", value=1), ["latency.p99_ns", "less than"]),
    ("another configuration's", LAUNCH, put("configuration", value="mimalloc"), ["configuration", "stands for 'glibc'"]),
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
    ("a changed digit", lambda run: (run / LAUNCH).write_bytes((run / LAUNCH).read_bytes().replace(b'"cpu":1', b'"cpu":2')),
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
