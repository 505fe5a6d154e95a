# SPDX-License-Identifier: MIT
"""What a paced collector should need, from what was measured apart from the cycles that are judged: collections in the
same process, behind them, that nothing paced give what a cycle takes (C, CPU time); a warm-up, before them, how much of
the room is allocated while marking goes on (B). C grows with GOGC: live objects lie farther apart in a larger heap. With
a live heap L, stacks and globals R, and room to grow G = (L + R) GOGC / 100, up to 4 MiB GOGC / 100 at least:

    collector   heap at its peak          a cycle allocates    since
    boehm       L + G                     G                    it stops the program
    ours        L + G                     G - B                what is born while marking is there until the next cycle
    go          M + (M + R) GOGC / 100    M GOGC / 100         it counts as live: M = L + B

    CPU time for each byte allocated = C / what a cycle allocates

A law of the workload: a program that takes P of CPU time to allocate G leaves a collector that keeps the heap no less
than C / (C + P) of the time of the CPUs that its mutators use, as long as none of these waits."""

import math
from dataclasses import dataclass

MINIMUM_B = 4 << 20


@dataclass(frozen=True)
class Cost:
    cycle_ns: float  # CPU time, idle CPUs included
    born: float  # of the room to grow


@dataclass(frozen=True)
class Steady:
    """A cycle of many alike."""

    peak_b: float
    allocated_b: float

    def cpu_ns_per_b(self, cost):
        return cost.cycle_ns / self.allocated_b


def between(costs, gogc):
    """Of (GOGC, Cost), what lies between: straight over the logarithm of GOGC. None: there is none."""
    costs = sorted(costs, key=lambda one: one[0])
    if not costs or gogc <= costs[0][0]:
        return costs[0][1] if costs else None
    for (low, one), (high, other) in zip(costs, costs[1:]):
        if gogc <= high:
            share = math.log(gogc / low) / math.log(high / low)
            return Cost(*(getattr(one, name) * (1 - share) + getattr(other, name) * share
                          for name in ("cycle_ns", "born")))
    return costs[-1][1]


def growth_b(live_b, others_b, gogc):
    return max(live_b + (live_b + others_b) * gogc / 100, MINIMUM_B * gogc / 100) - live_b


def steady(collector, cost, live_b, others_b, gogc):
    """cost: None if it was not measured; then marking takes no time."""
    if collector == "boehm":  # its roots count for nothing, and it has no least heap
        return Steady(live_b * (1 + gogc / 100), live_b * gogc / 100)
    born = cost.born if cost else 0
    room_b = growth_b(live_b, others_b, gogc)
    if collector == "ours":
        return Steady(live_b + room_b, room_b * (1 - born))
    marked_b = live_b + born * room_b
    room_b = growth_b(marked_b, others_b, gogc)
    return Steady(marked_b + room_b, room_b)


def least_share(cycle_ns, program_ns, mutators, cpus):
    """Of all CPUs' time. program_ns: its CPU time for all that a cycle may allocate."""
    return min(mutators, cpus) / cpus * cycle_ns / (cycle_ns + program_ns)
