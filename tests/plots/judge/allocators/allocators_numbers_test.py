# SPDX-License-Identifier: MIT
"""The numbers of a launch of an allocator, and which launches are left out."""
import dataclasses
import json
import math

import pytest

import synthetic_allocators as synthetic
from columns import PLAN, cell, document, write
from places import ROOT
from plots.files.allocator_run import load
from plots.judge.allocators import judging, metrics
from plots.words import allocator_sentences, allocator_text
from synthetic_allocators import Truth, jemalloc


@pytest.mark.parametrize("name, change, metric, want", [
    ("median of chunks", {"chunks_ns": [100, 900, 200], "sensor_ns": [990] * 3, "chunk_ops": 10}, "ns_per_op", 20),
    ("of those on a quiet core", {"chunks_ns": [100, 120, 130, 900, 910, 920, 930], "chunk_ops": 10,
                                  "sensor_ns": [990, 1000, 1089, 1090, 1500, 1600, 1980]}, "ns_per_op", 12),
    ("however slow those were", {"chunks_ns": [900, 910, 920, 100, 110, 120], "chunk_ops": 10,
                                 "sensor_ns": [990, 1000, 1080, 1500, 1600, 1980]}, "ns_per_op", 91),
    ("or of the three quietest", {"chunks_ns": [100, 500, 130, 900, 910], "chunk_ops": 10,
                                  "sensor_ns": [990, 1400, 1300, 1500, 1980]}, "ns_per_op", 13),
    ("of two, if there are no more", {"chunks_ns": [100, 200], "sensor_ns": [1900, 1980], "chunk_ops": 10}, "ns_per_op",
     15),
    ("the clock's cost is off", {"latency": {"ops": 1, "clock_cost_ns": 40.0, "p50_ns": 45, "p90_ns": 50, "p99_ns": 90,
                                             "p999_ns": 95, "max_ns": 99}}, "p99_ns", 50),
    ("but no operation is shorter than the grain", {"latency": {
        "ops": 1, "clock_cost_ns": 40.0, "p50_ns": 39, "p90_ns": 50, "p99_ns": 90, "p999_ns": 95, "max_ns": 99}},
     "p50_ns", 2),
    ("faults of all chunks", {"faults": {"minor": 30, "major": 10}, "chunks_ns": [5, 5], "sensor_ns": [990] * 2,
                              "chunk_ops": 100},
     "faults_per_op", 0.2),
])
def test_metrics(name, change, metric, want):
    assert metrics.of_workload(document() | change)[metric] == pytest.approx(want)


@pytest.mark.parametrize("name, change, want", [
    ("quiet", {}, False),
    ("two of twenty chunks", {"sensor_ns": [990] * 2 + [1500] * 18}, True),
    ("three are enough", {"sensor_ns": [990] * 3 + [1500] * 17}, False),
    ("a pair, two layouts at each size", {"rows": [{"sensor_ns": [990, 990, 1500]}, {"sensor_ns": [1500, 990, 990]}]},
     False),
    ("a pair, one layout at one size", {"rows": [{"sensor_ns": [990, 990, 990]}, {"sensor_ns": [1500, 1500, 990]}]},
     True),
    ("single operations", {"latency": {"sensor_ns": 1500}}, True),
    ("a timeline", {"t_ms": [0]}, False),
])
def test_disturbed(name, change, want):
    assert metrics.is_disturbed(document() | change) == want


POOL = dataclasses.replace(synthetic.WORKS[0], name="producer_pool", threads=2)


def two_columns(tmp_path, work):
    """A run of twelve launches of one workload under two allocators."""
    return load(write(tmp_path / "run", dataclasses.replace(PLAN, launches=12, timelines=1, again=None),
                      (Truth("jemalloc"), Truth("glibc", "glibc")), (work,)))


@pytest.mark.parametrize("name, disturbed, want", [
    ("none", {}, 12), ("two of its own", {"glibc": (1, 2)}, 10),
    ("of the baseline, too", {"glibc": (1,), "jemalloc": (3,)}, 10),
    ("ten remain", {"glibc": (0, 11)}, 10), ("too few would remain", {"glibc": (0, 1, 2)}, 12)])
def test_times_of_disturbed_launches_are_left_out(name, disturbed, want, tmp_path):
    work, run = synthetic.WORKS[0].name, two_columns(tmp_path, synthetic.WORKS[0])
    for configuration, launches in disturbed.items():
        for i in launches:
            found = run.cells[configuration, work].launches[i]
            found["sensor_ns"] = [1500] * len(found["sensor_ns"])
    table = judging.Table(run)
    ratios = {name: table.ratios("glibc", work, metrics.BY_NAME[name])
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
    assert metrics.are_apart(one, other) == want


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
    table = judging.Table(run)
    ratios = {name: table.ratios("glibc", work, metrics.BY_NAME[name])
              for name in ("ns_per_op", "peak_rss_b")}
    assert (len(ratios["ns_per_op"]), len(ratios["peak_rss_b"])) == (want, 12), "memory does not feel a distance"
    made = allocator_sentences.summarize(run)
    found = {cell.configuration: cell.apart for cell in made.cells if cell.workload == work}
    assert found == {"jemalloc": 0, "glibc": apart}
    said = " ".join(allocator_text.table(made).split())
    assert (f"Distances: in {apart} of 12 launches with several threads" in said) == (apart > 0)


def test_a_baseline_that_moved_is_not_apart_from_itself(tmp_path):
    work, run = POOL.name, two_columns(tmp_path, POOL)
    for name in ("jemalloc", "glibc"):
        run.cells[name, work].launches[4]["round_trip_ns"] = [60, 320]
    found = {cell.configuration: cell.apart for cell in allocator_sentences.summarize(run).cells
             if cell.workload == work}
    assert found == {"jemalloc": 0, "glibc": 1}, "nobody knows when it moved"


def test_memory_is_what_the_workload_added():
    memory = {"start_rss_b": 3 << 20, "peak_rss_b": 13 << 20, "retained_rss_b": 4 << 20, "asked_peak_b": 5 << 20,
              "start_mapped_b": 10 << 20, "peak_mapped_b": 30 << 20}
    found = metrics.of_workload(document() | {"memory": memory})
    assert (found["peak_rss_b"], found["retained_rss_b"]) == (13 << 20, 4 << 20)
    assert (found["resident_per_asked"], found["mapped_per_asked"]) == (2, 4)


def test_no_fault_against_no_fault_is_equal():
    assert metrics.ln("faults_per_op", 0.0) - metrics.ln("faults_per_op", 0.0) == 0
    assert metrics.ln("faults_per_op", 1e-6) == pytest.approx(metrics.ln("faults_per_op", 0), abs=0.0011)


def test_heap_side_of_a_pair():
    row = {"size": 8, "ops": 10, "rounds_per_block": 2, "layouts": [1, 2], "sensor_ns": [990, 1000],
           "value_ns": [145, 145, 145, 145],
           "pointer_ns": [245, 245, 445, 445]}
    pair = {"heap_side": "pointer", "quiet_ns": 990, "clock": {"cost_ns": 45.0},
            "rows": [row, row | {"size": 16, "pointer_ns": [845] * 4}],
            "memory": document()["memory"], "faults": {"minor": 4, "major": 0}}
    rows = metrics.pair_rows(pair)
    assert [size for size, _, _ in rows] == [8, 16]
    assert rows[0][1] == pytest.approx(math.log(math.sqrt(2 * 4))) and rows[1][1] == pytest.approx(math.log(8))
    found = metrics.of_pair(pair)
    assert found["ns_per_op"] == pytest.approx(math.sqrt(math.sqrt(20 * 40) * 80))
    assert "faults_per_op" not in found, "those of both sides, and of setting up"
    other = metrics.of_pair(pair | {"heap_side": "value"})
    assert other["ns_per_op"] == pytest.approx(10)
    blind = pair | {"rows": [row | {"pointer_ns": [40] * 4}]}
    assert math.isnan(metrics.pair_rows(blind)[0][1]) and "ns_per_op" not in metrics.of_pair(blind)


DISTURBED = json.loads((ROOT / "tests/golden/disturbed.json").read_text())


@pytest.mark.parametrize("row", DISTURBED, ids=[row["name"] for row in DISTURBED])
def test_launches_that_are_left_out_are_those_that_would_be_measured_again(row):
    assert metrics.is_disturbed(row["result"]) == row["disturbed"], "matrix_accept_test.c has the same rows"


def test_where_nothing_differs_nothing_is_said_to(tmp_path):
    same = (Truth("jemalloc"), jemalloc("jemalloc-again", ""), jemalloc("jemalloc-narenas-4", "narenas:4"))
    made = allocator_sentences.summarize(load(write(tmp_path / "run", dataclasses.replace(PLAN, sd=(0.05, 0.05)),
                                                    same)))
    time = [part.metrics["ns_per_op"].decision for part in made.cells if "ns_per_op" in part.metrics]
    assert not {"faster", "slower"} & set(time)
    assert all(work.sentence.endswith("(2 of 2, jemalloc among them)") and work.pick == "jemalloc"
               for work in made.workloads if work.kind == "workload")
