# SPDX-License-Identifier: MIT
"""What a run of `./ampersand stack --bench` says: medians over launches with their order-statistic intervals, and the
comparisons that the growable stack is held to. A ratio is formed within each launch."""

from dataclasses import dataclass

import numpy as np

from plots.files import records
from plots.stats import statistics
from plots.stats.statistics import Estimate

KINDS = ("native", "growable", "fresh", "split", "go", "go_fresh")
DEPTH = 10


@dataclass(frozen=True)
class Goal:
    name: str  # words/stack_text.py says what it is
    of: dict  # and of what
    ours: Estimate | None  # None: not measured
    theirs: Estimate | None
    unit: str
    ratio: Estimate | None  # ours/theirs where `at_most`, theirs/ours where more is better
    limit: float | None  # None: theirs
    limit_unit: str  # of the ratio where empty
    reached: bool | None  # None: there was nothing to compare with


def number(values):
    """The median over launches, with its interval."""
    return statistics.estimate(np.asarray(values, dtype=float), statistics.CONFIDENCE)


# ---- What was measured: stack.json


@dataclass(frozen=True)
class Walk:
    kind: str
    side: str
    elements: int
    depth: int
    ns: float


@dataclass(frozen=True)
class Trail:
    """Where the string was at each call."""
    kind: str
    elements: int
    addresses: tuple[int, ...]


@dataclass(frozen=True)
class Growth:
    to_b: int
    ns: float
    copied_b: int | None = None  # Go does not say
    memcpy_ns: float | None = None


@dataclass(frozen=True)
class HotSplit:
    least: float
    most: float


@dataclass(frozen=True)
class Program:
    """What a process of it measured."""
    walks: tuple[Walk, ...]
    trails: tuple[Trail, ...]
    growths: tuple[Growth, ...] = ()
    hot_split_op_ns: HotSplit | None = None


@dataclass(frozen=True)
class Launch:
    c: Program
    split: Program | None = None
    go: Program | None = None

    def of(self, kind):
        return {"go": self.go, "go_fresh": self.go, "split": self.split}.get(kind, self.c)


@dataclass(frozen=True)
class Crowd:
    crowd: str
    kind: str
    n: int
    resident_b: int
    create_ns: float
    turn_ns: float
    end_ns: float
    bookkeeping_b: int | None = None  # of ours


@dataclass(frozen=True)
class Instructions:
    small: int | None
    large: int | None


@dataclass(frozen=True)
class Prologues:
    ampersand: Instructions
    go: Instructions


@dataclass(frozen=True)
class Measured:
    launches: tuple[Launch, ...]
    crowds: tuple[tuple[Crowd, ...], ...]
    prologues: Prologues
    check_ns: tuple[float, ...]


def array(found):
    return np.array(found) if found else None


class Result:
    """A stack.json, asked by name. Each answer is one number a launch, or None where that was not measured."""

    def __init__(self, document):
        self.document = document
        self.measured = records.read(Measured, document)
        self.launches = self.measured.launches

    def walks(self, kind, side, elements, depth=DEPTH):
        wanted = kind, side, elements, depth
        return array([walk.ns for launch in self.launches if launch.of(kind) for walk in launch.of(kind).walks
                      if (walk.kind, walk.side, walk.elements, walk.depth) == wanted])

    def growth(self, program, to_b, key="ns"):
        return array([getattr(growth, key) for launch in self.launches if launch.of(program)
                      for growth in launch.of(program).growths if growth.to_b == to_b])

    def growth_within_walk(self, fresh, warm, call):
        """Of the walk with 1024 elements by value, what the growth at the call of this number costs: what that call
        adds on a fresh stack, and does not on a warm one."""
        parts = [self.walks(kind, "value", 1024, depth) for kind in (fresh, warm) for depth in (call + 1, call)]
        return None if any(part is None for part in parts) else (parts[0] - parts[1]) - (parts[2] - parts[3])

    def crowd(self, crowd, kind, key):
        return array([getattr(one, key) for crowds in self.measured.crowds for one in crowds
                      if (one.crowd, one.kind) == (crowd, kind)])

    def sizes(self, kind="native"):
        return sorted({walk.elements for walk in self.launches[0].of(kind).walks if walk.depth == DEPTH})

    def depths(self):
        return sorted({walk.depth for walk in self.launches[0].c.walks if walk.elements == 64})

    def trail(self, kind, elements):
        program = self.launches[0].of(kind)
        return next((trail.addresses for trail in (program.trails if program else ())
                     if (trail.kind, trail.elements) == (kind, elements)), None)

    def kinds(self):
        return [kind for kind in KINDS if self.walks(kind, "value", 1) is not None]


def moves(addresses):
    """The calls before which the string moved."""
    return [n for n in range(1, len(addresses)) if addresses[n] != addresses[n - 1]]


# ---- What it is held to


def time_goal(name, of, ours, theirs, most):
    """`ours` at most `most` times `theirs`."""
    if theirs is None:
        return Goal(name, of, number(ours), None, "ns", None, most, "", None)
    ratio = number(ours / theirs)
    return Goal(name, of, number(ours), number(theirs), "ns", ratio, most, "", bool(ratio.estimate <= most))


def jump(instructions):
    """Go's and the jump behind them."""
    return None if instructions is None else instructions + 1


def goals(result):
    found = []
    for to_b, call in ((64 << 10, 2), (128 << 10, 6)):
        found.append(time_goal("growth in a walk", {"to_b": to_b},
                               result.growth_within_walk("fresh", "growable", call),
                               result.growth_within_walk("go_fresh", "go", call), 0.5))
        found.append(time_goal("growth of a full stack", {"to_b": to_b}, result.growth("c", to_b),
                               result.growth("go", to_b), 0.5))
    found += [copy_goal(result, to_b) for to_b in (64 << 10, 128 << 10)]
    check = number(result.measured.check_ns)
    found.append(Goal("check", {}, check, None, "ns", None, 1, "ns", bool(check.estimate <= 1)))
    for frame in ("small", "large"):
        ours, theirs = (getattr(whose, frame) for whose in (result.measured.prologues.ampersand,
                                                            result.measured.prologues.go))
        found.append(Goal(f"check of a {frame} frame", {},
                          *(None if n is None else Estimate(n, None, None) for n in (ours, jump(theirs))), "", None,
                          None, "", None if ours is None or theirs is None else ours <= jump(theirs)))
    found.append(time_goal("fresh walk", {}, result.walks("fresh", "value", 1024),
                           result.walks("go_fresh", "value", 1024), 1 / 1.5))
    return [*found, memory_goal(result)]


def copy_goal(result, to_b):
    copied = result.growth("c", to_b, "copied_b")
    ours, theirs = (copied / result.growth("c", to_b, key) for key in ("ns", "memcpy_ns"))
    ratio = number(ours / theirs)
    return Goal("copy", {"to_b": to_b}, number(ours), number(theirs), "B/ns", ratio, 0.7, "",
                bool(ratio.estimate >= 0.7))


def memory_goal(result):
    each = {kind: result.crowd("idle", kind, "resident_b") for kind in ("growable", "go")}
    n = result.crowd("idle", "growable", "n")[0]
    book = result.crowd("idle", "growable", "bookkeeping_b")[0]
    stack = number(each["growable"] / n - book)
    return Goal("memory", {"n": n, "book_b": book}, stack,
                None if each["go"] is None else number(each["go"] / n), "B", None, 2560, "B",
                bool(stack.estimate <= 2560))
