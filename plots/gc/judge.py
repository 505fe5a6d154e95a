# SPDX-License-Identifier: MIT
"""What a run of collectors says, in numbers: each point beside the model, and the pauses.

The model (plots/gc/model.py) is made of what was measured apart, and drawn beside what was measured at each setting."""

from dataclasses import dataclass

import numpy as np

from plots.gc import model, runs

SHAPES = (*runs.SHAPES, *runs.OPERATIONS, *runs.LOOPS)
LONG_NS = 100_000  # a stop
STEADY = 2  # the first cycles of a run still find a heap that was built in one go


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
    cpu_ns_per_b: float  # of collecting, for each byte allocated; idle CPUs included
    model_cpu_ns_per_b: float | None
    share: float  # of the CPUs' time, as Go's gctrace has it
    least_share: float | None  # that the workload leaves any collector
    of_process: float  # of the process's CPU time
    ns_per_b: float  # the run's time, for each byte allocated by a mutator
    pauses_ns: tuple  # p50, p99, max of all stops
    others_b: float  # stacks and globals
    cost: model.Cost | None  # measured apart

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
    first_held: tuple | None  # how many stops were held up, and p99 of the others; None: not known
    second_held: tuple | None


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


def held(stops_ns):
    """Of (time, CPU time of the process) of stops: how many that took long had a CPU for less than half of it, since
    other programs had it; and p99 of the others."""
    if not any(cpu_ns for _, cpu_ns in stops_ns):
        return None
    others = [ns for ns, cpu_ns in stops_ns if ns < LONG_NS or 2 * cpu_ns >= ns]
    return len(stops_ns) - len(others), quantiles(others)[1] if others else None


def points(run):
    return [_point(key, _measured(launches), _cost(launches), len(launches))
            for key, launches in run.points.items() if launches]


def _but_first(cycles):
    """Unless there is only one."""
    return cycles[1:] or cycles


def _cost(launches):
    """What cycles took that nothing paced, and what was born while the warm-up marked; None: not measured."""
    apart = [cycle.whole_ns for launch in launches for cycle in _but_first(launch.apart_cycles)]
    born = [(cycle.end_b - cycle.trigger_b)
            / model.growth_b(launch.asked_live_b, cycle.stacks_b + cycle.globals_b, launch.gogc)
            for launch in launches for cycle in _but_first(launch.warm_cycles)]
    return model.Cost(float(np.median(apart)), min(0.9, float(np.median(born)))) if apart and born else None


def _turns(launch):
    """(cycle, bytes allocated since the one before has ended, and ns), of whole cycles."""
    cycles = launch.cycles[STEADY - 1:] if len(launch.cycles) > 2 * STEADY else launch.cycles
    if len(cycles) < 2:
        return [(cycles[0], launch.allocated_b, 1e9 * launch.seconds)]
    return [(cycle, max(1, cycle.end_b - before.live_b), max(1, cycle.end_ns - before.end_ns))
            for before, cycle in zip(cycles, cycles[1:])]


def _measured(launches):
    cycles = [cycle for launch in launches for cycle in steady(launch)]
    turns = [turn for launch in launches for turn in _turns(launch)]
    return {
        "mutators": launches[0].mutators, "cpus": launches[0].cpus,
        "cycles": sum(len(launch.cycles) for launch in launches),
        "asked_b": np.mean([launch.asked_live_b for launch in launches]),
        "reached_b": np.mean([cycle.live_b for cycle in cycles]),
        "others_b": np.mean([cycle.stacks_b + cycle.globals_b for cycle in cycles]),
        "peak_b": np.median([cycle.end_b for cycle in cycles]),
        "most_b": max(cycle.end_b for cycle in cycles),
        "cpu_ns_per_b": sum(cycle.whole_ns for cycle, _, _ in turns) / sum(allocated_b for _, allocated_b, _ in turns),
        "share": sum(cycle.cpu_ns for cycle, _, _ in turns) / sum(ns for _, _, ns in turns) / launches[0].cpus,
        "of_process": sum(cycle.cpu_ns for launch in launches for cycle in launch.cycles)
        / sum(launch.cpu_seconds * 1e9 for launch in launches),
        "own_ns_per_b": sum(1e9 * launch.cpu_seconds - sum(cycle.whole_ns for cycle in launch.cycles)
                            for launch in launches) / sum(launch.allocated_b for launch in launches),
        "ns_per_b": sum(launch.seconds * launch.mutators for launch in launches) * 1e9
        / sum(launch.allocated_b for launch in launches),
        "pauses_ns": quantiles([ns for launch in launches for cycle in launch.cycles
                                for ns in stops(cycle, launch.concurrent)]),
    }


def _point(key, found, cost, launches):
    collector, workload, live_b, gogc = key
    wanted = model.steady(collector, cost, found["asked_b"], found["others_b"], gogc)
    own_ns = found["own_ns_per_b"] * model.growth_b(found["asked_b"], found["others_b"], gogc)
    least = model.least_share(cost.cycle_ns, own_ns, found["mutators"], found["cpus"]) if cost and own_ns > 0 else None
    return Point(collector, workload, live_b, gogc, launches, found["cycles"], float(found["asked_b"]),
                 float(found["reached_b"]), float(found["peak_b"]), float(found["most_b"]), float(wanted.peak_b),
                 found["cpu_ns_per_b"], wanted.cpu_ns_per_b(cost) if cost else None,
                 found["share"], least, found["of_process"], found["ns_per_b"], found["pauses_ns"],
                 float(found["others_b"]), cost)


@dataclass(frozen=True)
class Shape:
    """What it takes to mark a heap of this shape; what an operation takes: a store, an allocation; or a stop."""

    collector: str
    shape: str
    live_b: int
    ns: float  # by the clock: of marking or of the longest stop, the median of collections; of an operation
    cpu_ns: float | None  # CPU time of all threads; None where marking goes on beside, and is not told apart


def shapes(run):
    found = []
    for (collector, shape), launch in sorted(run.shapes.items(), key=lambda one: SHAPES.index(one[0][1])):
        if shape in runs.OPERATIONS:
            once = 1e9 * runs.OPERATIONS[shape] / launch.allocated_b
            ns, cpu_ns = launch.seconds * once, None if shape in runs.CLOCKED else launch.cpu_seconds * once
        elif shape in runs.LOOPS:
            if not launch.cycles:  # too short a run: no collection was over before the loops were
                continue
            ns, cpu_ns = float(np.median([max(stops(cycle, launch.concurrent)) for cycle in launch.cycles])), None
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
            tuple(sorted(cycle.mark_ns for cycle in cycles)),
            held([(cycle.first_stop_ns, cycle.first_stop_cpu_ns) for cycle in cycles]),
            held([(cycle.second_stop_ns, cycle.second_stop_cpu_ns) for cycle in cycles])))
    return found
