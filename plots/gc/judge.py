# SPDX-License-Identifier: MIT
"""What a run of collectors says, in numbers: each point beside the model, and the pauses.

Every other cycle makes the model (plots/gc/model.py); it stands beside the cycles between these, at each setting."""

from dataclasses import dataclass

import numpy as np

from plots.gc import model, runs

SHAPES = (*runs.SHAPES, *runs.OPERATIONS, *runs.LOOPS)
LONG_NS = 100_000  # a stop
FIRST = 4  # a quarter of a run's cycles is left out: they find a heap that was built in one go, and a pacer that learns


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
    cost: model.Cost | None  # None: too few cycles

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
    return launch.cycles[len(launch.cycles) // FIRST:]


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
    """Of (time, CPU time of who owes it) of stops: how many that took long had a CPU for less than half of it, since
    other programs had it; and p99 of the others."""
    if not any(cpu_ns for _, cpu_ns in stops_ns):
        return None
    others = [ns for ns, cpu_ns in stops_ns if ns < LONG_NS or 2 * cpu_ns >= ns]
    return len(stops_ns) - len(others), quantiles(others)[1] if others else None


def points(run):
    return [_point(key, launches) for key, launches in run.points.items() if launches]


def _turns(launch):
    """(cycle, bytes allocated since the one before has ended, and ns), of whole cycles."""
    cycles = launch.cycles[max(0, len(launch.cycles) // FIRST - 1):]
    if len(cycles) < 2:
        return [(cycles[0], launch.allocated_b, 1e9 * launch.seconds)]
    return [(cycle, max(1, cycle.end_b - before.live_b), max(1, cycle.end_ns - before.end_ns))
            for before, cycle in zip(cycles, cycles[1:])]


def _halves(launches):
    """Turns that make the model, and those that are judged; the former may be none."""
    turns = [_turns(launch) for launch in launches]
    return [turn for few in turns for turn in few[1::2]], [turn for few in turns for turn in few[::2]]


def _cost(cycles, collector, asked_b, gogc):
    """None: there are none."""
    if not cycles:
        return None
    room = sum(model.room_b(collector, asked_b, cycle.stacks_b + cycle.globals_b, gogc) for cycle in cycles)
    born = sum(cycle.end_b - cycle.trigger_b for cycle in cycles) / room
    left = sum(cycle.goal_b - cycle.end_b for cycle in cycles) / room
    return model.Cost(sum(cycle.whole_ns for cycle in cycles) / len(cycles) / asked_b, born, left)


def _sum(launches, value):
    return sum(value(launch) for launch in launches)


def _point(key, launches):
    collector, workload, live_b, gogc = key
    one = launches[0]
    making, judged = _halves(launches)
    cycles, turns = [cycle for cycle, _, _ in judged], making + judged
    asked_b = float(np.mean([launch.asked_live_b for launch in launches]))
    others_b = float(np.mean([cycle.stacks_b + cycle.globals_b for cycle in cycles]))
    cost = _cost([cycle for cycle, _, _ in making], collector, asked_b, gogc)
    wanted = model.steady(collector, cost, asked_b, others_b, gogc)
    allocated_b = _sum(launches, lambda launch: launch.allocated_b)
    own_ns = _sum(launches, lambda launch: 1e9 * launch.cpu_seconds - sum(cycle.whole_ns for cycle in launch.cycles))
    return Point(
        collector, workload, live_b, gogc, len(launches), _sum(launches, lambda launch: len(launch.cycles)), asked_b,
        reached_b=float(np.mean([cycle.live_b for cycle in cycles])),
        peak_b=float(np.median([cycle.end_b for cycle in cycles])),
        most_b=float(max(cycle.end_b for cycle, _, _ in turns)),
        model_peak_b=wanted.peak_b,
        cpu_ns_per_b=sum(cycle.whole_ns for cycle in cycles) / sum(allocated for _, allocated, _ in judged),
        model_cpu_ns_per_b=wanted.cpu_ns_per_b(cost) if cost else None,
        share=sum(cycle.cpu_ns for cycle, _, _ in turns) / sum(ns for _, _, ns in turns) / one.cpus,
        least_share=model.least_share(cost.ns_per_b * asked_b, own_ns / allocated_b
                                      * model.room_b(collector, asked_b, others_b, gogc), one.mutators, one.cpus)
        if cost and own_ns > 0 else None,
        of_process=_sum(launches, lambda launch: sum(cycle.cpu_ns for cycle in launch.cycles))
        / _sum(launches, lambda launch: 1e9 * launch.cpu_seconds),
        ns_per_b=1e9 * _sum(launches, lambda launch: launch.seconds * launch.mutators) / allocated_b,
        pauses_ns=quantiles([ns for launch in launches for cycle in launch.cycles
                             for ns in stops(cycle, launch.concurrent)]),
        others_b=others_b, cost=cost)


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
