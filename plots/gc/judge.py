# SPDX-License-Identifier: MIT
"""What a run of collectors says, in numbers: each point beside the model, and the pauses.

The model is the one by which Go paces its collector. With a live heap L (what the workload keeps, as it asked for it),
stacks and globals R, and GOGC g in percent:

    heap at its peak = L + (L + R) g / 100, at least 4 MiB g / 100
    a cycle costs    a + b L of CPU time; a and b are fitted to the cycles at one GOGC (100, if it was measured)
    per byte allocated = (a + b L) / (peak - L)

Both lines are drawn beside what was measured, also at the settings that the fit did not see."""

from dataclasses import dataclass

import numpy as np

from plots.gc import runs

MINIMUM_B = 4 << 20
SHAPES = (*runs.SHAPES, *runs.OPERATIONS)
STEADY = 2  # the first cycles of a run still find a heap that was built in one go
FITTED = 100


@dataclass(frozen=True)
class Point:
    collector: str
    workload: str
    live_b: int  # asked for
    gogc: int
    launches: int
    cycles: int
    asked_b: float  # live, as the workload asked for it
    reached_b: float  # live, as the collector saw it: with what was allocated while it marked
    peak_b: float  # the largest heap at the end of a cycle, median of cycles
    most_b: float  # of all cycles
    model_peak_b: float
    cpu_ns_per_b: float  # of collecting, for each byte allocated
    model_cpu_ns_per_b: float | None
    share: float  # of the CPUs' time, as Go's gctrace has it
    of_process: float  # of the process's CPU time
    ns_per_b: float  # the run's time, for each byte allocated by a mutator
    pauses_ns: tuple  # p50, p99, max of all stops
    fitted: bool  # the model was fitted to this one, among others

    @property
    def heap_off(self):
        return self.peak_b / self.model_peak_b - 1

    @property
    def cpu_off(self):
        return None if not self.model_cpu_ns_per_b else self.cpu_ns_per_b / self.model_cpu_ns_per_b - 1


@dataclass(frozen=True)
class Pauses:
    collector: str
    workload: str
    live_b: int
    gogc: int
    concurrent: bool
    first_ns: tuple  # of every stop, sorted
    second_ns: tuple
    whole_ns: tuple  # of a collector with one stop; else the longest of each cycle
    mark_ns: tuple


def steady(launch):
    return launch.cycles[STEADY:] if len(launch.cycles) > 2 * STEADY else launch.cycles


def stops(cycle, concurrent):
    """How long mutators stood still, each time."""
    if not concurrent:
        return [cycle.first_stop_ns + cycle.mark_ns + cycle.second_stop_ns]
    found = [cycle.first_stop_ns, cycle.second_stop_ns]
    return found + [cycle.longest_stop_ns] * (cycle.longest_stop_ns > max(found))


def quantiles(values):
    """p50, p99 and the largest."""
    return tuple(float(x) for x in np.quantile(values, [0.5, 0.99, 1.0], method="higher"))


def headroom_b(live_b, others_b, gogc):
    return max(live_b + (live_b + others_b) * gogc / 100, MINIMUM_B * gogc / 100) - live_b


def points(run):
    measured = {key: _measured(launches) for key, launches in run.points.items() if launches}
    costs = _costs(measured)
    return [_point(key, found, costs.get(key[:2]), len(run.points[key])) for key, found in measured.items()]


def _measured(launches):
    cycles = [cycle for launch in launches for cycle in steady(launch)]
    return {
        "cycles": sum(len(launch.cycles) for launch in launches),
        "asked_b": np.mean([launch.asked_live_b for launch in launches]),
        "reached_b": np.mean([cycle.live_b for cycle in cycles]),
        "others_b": np.mean([cycle.stacks_b + cycle.globals_b for cycle in cycles]),
        "peak_b": np.median([cycle.end_b for cycle in cycles]),
        "most_b": max(cycle.end_b for cycle in cycles),
        "cost_ns": np.mean([cycle.cpu_ns for cycle in cycles]),
        "cpu_ns": sum(cycle.cpu_ns for launch in launches for cycle in launch.cycles),
        "allocated_b": sum(launch.allocated_b for launch in launches),
        "share": sum(cycle.cpu_ns for launch in launches for cycle in launch.cycles)
        / sum(launch.seconds * launch.cpus * 1e9 for launch in launches),
        "of_process": sum(cycle.cpu_ns for launch in launches for cycle in launch.cycles)
        / sum(launch.cpu_seconds * 1e9 for launch in launches),
        "ns_per_b": sum(launch.seconds * launch.mutators for launch in launches) * 1e9
        / sum(launch.allocated_b for launch in launches),
        "pauses_ns": quantiles([ns for launch in launches for cycle in launch.cycles
                                for ns in stops(cycle, launch.concurrent)]),
        "boehm": not launches[0].concurrent,
    }


def _costs(measured):
    """{(collector, workload): (GOGC, a, b)}: what a cycle costs, by the live heap."""
    found = {}
    for name in {key[:2] for key in measured}:
        gogc = min((key[3] for key in measured if key[:2] == name), key=lambda one: (abs(one - FITTED), one))
        at = [(one["asked_b"], one["cost_ns"]) for key, one in measured.items() if key[:2] == name and key[3] == gogc]
        live, cost = np.array(at).T
        fixed, per_b = 0.0, float(np.mean(cost) / np.mean(live))
        if len(live) > 1:
            per_b, fixed = (float(x) for x in np.polyfit(live, cost, 1))
            if fixed < 0:
                fixed, per_b = 0.0, float(np.sum(cost * live) / np.sum(live * live))
        found[name] = gogc, fixed, per_b
    return found


def _point(key, found, cost, launches):
    collector, workload, live_b, gogc = key
    room_b = headroom_b(found["asked_b"], found["others_b"], gogc)
    if found["boehm"]:  # its roots count for nothing, and it has no least heap
        room_b = found["asked_b"] * gogc / 100
    fitted, fixed, per_b = cost
    return Point(collector, workload, live_b, gogc, launches, found["cycles"], float(found["asked_b"]),
                 float(found["reached_b"]), float(found["peak_b"]), float(found["most_b"]),
                 float(found["asked_b"] + room_b), found["cpu_ns"] / found["allocated_b"],
                 (fixed + per_b * found["asked_b"]) / room_b,
                 found["share"], found["of_process"], found["ns_per_b"], found["pauses_ns"], gogc == fitted)


@dataclass(frozen=True)
class Shape:
    """What it takes to mark a heap of this shape; or what an operation takes: a store, an allocation."""

    collector: str
    shape: str
    live_b: int
    ns: float  # by the clock: of marking, the median of collections; of an operation
    cpu_ns: float | None  # CPU time of all threads; None where marking goes on beside, and is not told apart


def shapes(run):
    found = []
    for (collector, shape), launch in sorted(run.shapes.items(), key=lambda one: SHAPES.index(one[0][1])):
        if shape in runs.OPERATIONS:
            once = 1e9 * runs.OPERATIONS[shape] / launch.allocated_b
            ns, cpu_ns = launch.seconds * once, None if shape == runs.MARKED else launch.cpu_seconds * once
        else:
            ns, cpu_ns = (float(np.median(times)) for times in zip(*(
                (cycle.mark_ns, cycle.worker_ns + cycle.assist_ns + cycle.idle_ns) for cycle in steady(launch))))
        found.append(Shape(collector, shape, launch.live_b, ns, cpu_ns))
    return found


def pauses(run):
    found = []
    for collector, launch in run.pauses.items():
        cycles = launch.cycles
        found.append(Pauses(
            collector, launch.workload, launch.live_b, launch.gogc, launch.concurrent,
            tuple(sorted(cycle.first_stop_ns for cycle in cycles)),
            tuple(sorted(cycle.second_stop_ns for cycle in cycles)),
            tuple(sorted(max(stops(cycle, launch.concurrent)) for cycle in cycles)),
            tuple(sorted(cycle.mark_ns for cycle in cycles))))
    return found
