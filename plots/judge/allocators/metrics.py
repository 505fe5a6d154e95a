# SPDX-License-Identifier: MIT
"""What a launch of a workload comes to: one number for each metric, as words/rules/allocator_metrics.txt explains.

Which chunks count is decided by the sensor alone, never by their times (files/quiet.py)."""

import math
from dataclasses import dataclass

import numpy as np

from plots.files.allocator_run import PROGRAM, TIMELINE
from plots.files.quiet import is_quiet

PAGE_B = 4096  # a ratio of memory is never one of less than a page
FAULTS_OFFSET = 1e-3
TICK_NS = 1e6  # added to CPU times: a program's system time may be none at all
GRAIN_SHARE, GRAIN_NS = 0.05, 1.0
LEAST_QUIET = {"chunks": 3, "layouts": 2}


@dataclass(frozen=True)
class Metric:
    name: str
    title: str
    short: str  # the heading of a column
    unit: str  # "ns", "B", "" for a plain number
    worse: str  # the word for a ratio above 1
    better: str
    offset: float = 0.0  # added to both sides of a ratio
    clocked: bool = False  # single operations, so that the clock's grain counts


METRICS = (
    Metric("ns_per_op", "time per operation", "ns/op", "ns", "slower", "faster"),
    Metric("p50_ns", "one operation, median", "p50", "ns", "slower", "faster", clocked=True),
    Metric("p99_ns", "one operation, 99th percentile", "p99", "ns", "slower", "faster", clocked=True),
    Metric("max_ns", "one operation, longest", "longest", "ns", "slower", "faster", clocked=True),
    Metric("peak_rss_b", "peak RSS", "peak RSS", "B", "more", "less"),
    Metric("retained_rss_b", "retained RSS", "retained", "B", "more", "less"),
    Metric("faults_per_op", "page faults per operation", "faults", "", "more", "less", offset=FAULTS_OFFSET),
    Metric("mapped_per_asked", "bytes mapped / asked", "mapped/asked", "", "more", "less"),
    Metric("resident_per_asked", "bytes resident / asked", "resident/asked", "", "more", "less"),
)
PROGRAM_METRICS = (
    Metric("wall_ns", "time from start to end", "time", "ns", "slower", "faster"),
    Metric("user_ns", "user time of its CPUs", "user", "ns", "slower", "faster", offset=TICK_NS),
    Metric("system_ns", "system time of its CPUs", "system", "ns", "slower", "faster", offset=TICK_NS),
    *(metric for metric in METRICS if metric.name in ("peak_rss_b", "retained_rss_b")),
    Metric("faults", "page faults", "faults", "", "more", "less", offset=1.0),
    Metric("metric", "its own metric", "metric", "", "worse", "better"),
)
BY_NAME = {metric.name: metric for metric in (*PROGRAM_METRICS, *METRICS)}


def metrics_of(run):
    """The metrics that a run has: those of workloads, or those of a program."""
    if not run.program:
        return METRICS
    return tuple(metric for metric in PROGRAM_METRICS if metric.name != "metric" or run.program["metric"])


def time_of(summary):
    """The metric of a summary that its workloads, or the program, are ranked by."""
    return BY_NAME[next(one.name for one in summary.metrics if one.name in ("ns_per_op", "wall_ns"))]


def main_metric(kind):
    """What workloads of a kind are ranked by."""
    return BY_NAME[{TIMELINE: "retained_rss_b", PROGRAM: "wall_ns"}.get(kind, "ns_per_op")]


def quiet(readings_ns, quiet_ns, least):
    """Which of them count: a mask. At least `least`, or all if there are fewer."""
    readings = np.asarray(readings_ns)
    return is_quiet(readings, quiet_ns) | (readings <= np.sort(readings)[min(least, len(readings)) - 1])


def is_disturbed(document):
    """Whether a launch's times rest on less than they should: too few chunks, or layouts of some size, or none of the
    attempts at single operations, were quiet."""
    if "t_ms" in document:  # nothing of a timeline is timed
        return False
    if "wall_ns" in document:  # before a program and after it
        return not is_quiet(np.asarray(document["sensor_ns"]), document["quiet_ns"]).all()
    if "rows" in document:
        lists, least = [row["sensor_ns"] for row in document["rows"]], LEAST_QUIET["layouts"]
    else:
        if not is_quiet(document["latency"]["sensor_ns"], document["quiet_ns"]):
            return True
        lists, least = [document["sensor_ns"]], LEAST_QUIET["chunks"]
    return any(is_quiet(readings, document["quiet_ns"]).sum() < least for readings in lists)


APART = 2.0  # seen on one machine: 56 to 85 ns, and 340 to 368


def are_apart(one, other):
    """Whether the CPUs of two launches' first two threads were at different distances, in one launch or between the
    two: a line of the cache took APART times as long (harness/measure/round_trip.h). A time that is not known, because
    the other thread could not answer, counts as the same: to leave such launches out would choose by how busy they
    were."""
    trips = [ns for document in (one, other) for ns in document.get("round_trip_ns") or () if ns]
    return len(trips) > 1 and max(trips) > APART * min(trips)


TIMES = ("ns_per_op", "p50_ns", "p99_ns", "max_ns", "wall_ns", "user_ns", "system_ns")
ENOUGH = 10  # launches that have an interval at 99.8 %, which few cells that are decided ask for


def grain_ns(document):
    return max(GRAIN_NS, GRAIN_SHARE * document["latency"]["clock_cost_ns"])


def of_workload(document):
    """{metric: number} of a launch's file."""
    latency, memory = document["latency"], document["memory"]
    grain = grain_ns(document)
    asked = max(memory["asked_peak_b"], 1)
    ops = document["chunk_ops"] * len(document["chunks_ns"])
    counted = quiet(document["sensor_ns"], document["quiet_ns"], LEAST_QUIET["chunks"])
    return {
        "ns_per_op": float(np.median(np.array(document["chunks_ns"])[counted])) / document["chunk_ops"],
        **{key: max(latency[key] - latency["clock_cost_ns"], grain) for key in ("p50_ns", "p99_ns", "max_ns")},
        "peak_rss_b": max(memory["peak_rss_b"], PAGE_B), "retained_rss_b": max(memory["retained_rss_b"], PAGE_B),
        "faults_per_op": (document["faults"]["minor"] + document["faults"]["major"]) / ops,
        "mapped_per_asked": max(memory["peak_mapped_b"] - memory["start_mapped_b"], PAGE_B) / asked,
        "resident_per_asked": max(memory["peak_rss_b"] - memory["start_rss_b"], PAGE_B) / asked,
    }


def of_pair(document):
    rows = pair_rows(document)
    memory = document["memory"]
    heap = [ln_ns for _, _, ln_ns in rows if math.isfinite(ln_ns)]
    return {
        **({"ns_per_op": math.exp(float(np.mean(heap)))} if len(heap) == len(rows) else {}),
        "peak_rss_b": max(memory["peak_rss_b"], PAGE_B), "retained_rss_b": max(memory["retained_rss_b"], PAGE_B),
    }


def pair_rows(document):
    """(size, ln pointer/value, ln ns/op of the heap side) of each size; NaN where the clock saw too little."""
    return [(row["size"], *_pair_row(row, document)) for row in document["rows"]]


def _pair_row(row, document):
    """As statistics.reduce_launch(): within a layout the median over rounds, over layouts the mean."""
    counted = quiet(row["sensor_ns"], document["quiet_ns"], LEAST_QUIET["layouts"])
    value, pointer = (np.array(row[f"{side}_ns"], float).reshape(len(counted), -1)[counted] -
                      document["clock"]["cost_ns"] for side in ("value", "pointer"))
    out = (value <= 0) | (pointer <= 0)
    value, pointer = np.where(out, np.nan, value), np.where(out, np.nan, pointer)
    if np.isnan(value).all(axis=1).any():
        return math.nan, math.nan
    ratio = np.nanmedian(np.log(pointer) - np.log(value), axis=1).mean()
    heap = value if document["heap_side"] == "value" else pointer
    return float(ratio), float(np.nanmedian(np.log(heap), axis=1).mean()) - math.log(row["ops"])


def of_program(document):
    memory = document["memory"]
    return {
        **{key: document[key] for key in ("wall_ns", "user_ns", "system_ns")},
        "peak_rss_b": max(memory["peak_rss_b"], PAGE_B), "retained_rss_b": max(memory["retained_rss_b"], PAGE_B),
        "faults": document["faults"]["minor"] + document["faults"]["major"],
        **({"metric": document["metric"]} if "metric" in document else {}),
    }


def of_timeline(document):
    return {key: max(document[key], PAGE_B) for key in ("peak_rss_b", "retained_rss_b")}


def ln(metric, number):
    return math.log(number + BY_NAME[metric].offset)
