# SPDX-License-Identifier: MIT
"""What a paced collector should need, from what the run measured apart: the cycles of `costs`, which nothing paces, give
what a cycle takes (C, CPU time), and what the program itself takes for each byte (a). With a live heap L, stacks and
globals R, and room to grow G = (L + R) GOGC / 100, up to 4 MiB GOGC / 100 at least:

    collector   heap at its peak          a cycle allocates    since
    boehm       L + G                     G                    it stops the program
    ours        L + G                     G - B                what is born while marking (B) is there until the next cycle
    go          M + (M + R) GOGC / 100    M GOGC / 100         it counts as live: M = L + B

    CPU time for each byte allocated = C / what a cycle allocates

B is the runway, by each collector's rule: what mutators allocate while marking goes on. Ours: as much as the worker needs
with a quarter of the CPUs, but no more than leaves the collector a quarter of the CPUs' time (harness/gc/pace.c). Go: as
much as it needs with a quarter of every CPU and all of the idle ones, at most 30 % of the way to the goal."""

from dataclasses import dataclass

MINIMUM_B = 4 << 20
SHARE = 0.25
OURS_B = (0.05, 0.9)  # of the way from the heap after marking to the goal
GO_B = (0.05, 0.3)


@dataclass(frozen=True)
class Cost:
    """What was measured apart. cycle_ns: CPU time, idle CPUs included; own_ns_per_b: of the program."""

    cycle_ns: float
    own_ns_per_b: float
    mutators: int
    cpus: int


@dataclass(frozen=True)
class Steady:
    """A cycle of many alike."""

    peak_b: float
    allocated_b: float

    def cpu_ns_per_b(self, cost):
        return cost.cycle_ns / self.allocated_b


def growth_b(live_b, others_b, gogc):
    return max(live_b + (live_b + others_b) * gogc / 100, MINIMUM_B * gogc / 100) - live_b


def steady(collector, cost, live_b, others_b, gogc):
    """cost: None if it was not measured; then a cycle is short."""
    if collector == "boehm":  # its roots count for nothing, and it has no least heap
        return Steady(live_b * (1 + gogc / 100), live_b * gogc / 100)
    if collector == "go":
        return _go(cost, live_b, others_b, gogc)
    room_b = growth_b(live_b, others_b, gogc)
    low, high = (part / (1 + part) for part in OURS_B)
    return Steady(live_b + room_b, room_b * (1 - min(high, max(low, runway(cost, room_b)))))


def runway(cost, room_b):
    """Of the room, as harness/gc/pace.c has it."""
    if not cost:
        return 0
    work = cost.cycle_ns / cost.own_ns_per_b / room_b
    worker = min(1, SHARE * cost.cpus)
    alone, beside = min(cost.mutators, cost.cpus), min(cost.mutators, cost.cpus - worker)
    affordable = ((work / (beside + worker) + 1 / alone - work / (SHARE * cost.cpus))
                  / (2 / alone - 1 / (beside + worker)))
    return min(work * beside / worker, max(0, affordable))


def _go(cost, live_b, others_b, gogc):
    marked_b = live_b
    for _ in range(200):
        room_b = growth_b(marked_b, others_b, gogc)
        born_b = 0
        if cost:
            busy = min(cost.mutators, cost.cpus)
            born_b = cost.cycle_ns / cost.own_ns_per_b * (1 - SHARE) * busy / (SHARE * busy + cost.cpus - busy)
        marked_b = live_b + min(GO_B[1] * room_b, max(GO_B[0] * room_b, born_b))
    room_b = growth_b(marked_b, others_b, gogc)
    return Steady(marked_b + room_b, room_b)
