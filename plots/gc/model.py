# SPDX-License-Identifier: MIT
"""What a paced collector should need. Every other cycle of a run makes the model, and those between are judged. The
former give, as means: what marking takes for each live byte (c, CPU time), how much of the room to grow is allocated
while marking goes on (B), and how much of it is left when marking is over (S; below 0 if the heap went beyond its
goal). c grows with GOGC: live objects lie farther apart in a larger heap. With a live heap L, stacks and globals R, and
room to grow G = (L + R) GOGC / 100, up to 4 MiB GOGC / 100 at least:

    collector   heap at its peak          a cycle allocates    since
    boehm       L + G                     G - S                it stops the program
    ours        L + G                     G - S - B            what is born while marking is there until the next cycle
    go          M + (M + R) GOGC / 100    M GOGC / 100 - S     it counts as live: M = L + B

    CPU time for each byte allocated = c L / what a cycle allocates

A law of the workload: a program that takes P of CPU time to allocate G leaves a collector that keeps the heap no less
than C / (C + P) of the time of the CPUs that its mutators use, as long as none of these waits."""

import math
from dataclasses import dataclass

MINIMUM_B = 4 << 20


@dataclass(frozen=True)
class Cost:
    ns_per_b: float  # CPU time for each live byte, idle CPUs included
    born: float  # of the room to grow
    left: float


@dataclass(frozen=True)
class Steady:
    """A cycle of many alike."""

    live_b: float
    peak_b: float
    allocated_b: float

    def cpu_ns_per_b(self, cost):
        return cost.ns_per_b * self.live_b / self.allocated_b


def between(costs, gogc):
    """Of (GOGC, Cost), what lies between: straight over the logarithm of GOGC. None: there is none."""
    costs = sorted(costs, key=lambda one: one[0])
    if not costs or gogc <= costs[0][0]:
        return costs[0][1] if costs else None
    for (low, one), (high, other) in zip(costs, costs[1:]):
        if gogc <= high:
            share = math.log(gogc / low) / math.log(high / low)
            return Cost(*(getattr(one, name) * (1 - share) + getattr(other, name) * share
                          for name in ("ns_per_b", "born", "left")))
    return costs[-1][1]


def room_b(collector, live_b, others_b, gogc):
    if collector == "boehm":  # its roots count for nothing, and it has no least heap
        return live_b * gogc / 100
    return max(live_b + (live_b + others_b) * gogc / 100, MINIMUM_B * gogc / 100) - live_b


def steady(collector, cost, live_b, others_b, gogc):
    """cost: None if it was not measured; then marking takes no time."""
    room = room_b(collector, live_b, others_b, gogc)
    born_b, left_b = (cost.born * room, cost.left * room) if cost else (0, 0)
    if collector != "go":
        return Steady(live_b, live_b + room, room - left_b - (born_b if collector == "ours" else 0))
    room = room_b(collector, live_b + born_b, others_b, gogc)
    return Steady(live_b, live_b + born_b + room, room - left_b)


def least_share(cycle_ns, program_ns, mutators, cpus):
    """Of all CPUs' time. program_ns: its CPU time for all that a cycle may allocate."""
    return min(mutators, cpus) / cpus * cycle_ns / (cycle_ns + program_ns)
