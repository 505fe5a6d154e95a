# SPDX-License-Identifier: MIT
"""What a run of `./ampersand stack --bench` says: medians over launches with their order-statistic intervals, and the
comparisons that the growable stack is held to. A ratio is formed within each launch."""

from dataclasses import dataclass

import numpy as np

from plots.stats import statistics

KINDS = ("native", "growable", "fresh", "split", "go", "go_fresh")
NAMES = {"native": "native", "growable": "growable", "fresh": "growable, fresh", "split": "segments (gcc)",
         "go": "goroutine", "go_fresh": "goroutine, fresh"}
DEPTH = 10


@dataclass(frozen=True)
class Number:
    """A median over launches; low and high are None where there are too few."""
    estimate: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Goal:
    what: str
    ours: Number | None  # None: not measured
    theirs: Number | None
    unit: str
    ratio: Number | None  # ours/theirs where `at_most`, theirs/ours where more is better
    wanted: str
    reached: bool | None  # None: there was nothing to compare with


def number(values):
    estimate = statistics.estimate(np.asarray(values, dtype=float), statistics.CONFIDENCE)
    return Number(estimate.estimate, estimate.low, estimate.high)


def program_of(kind):
    return {"go": "go", "go_fresh": "go", "split": "split"}.get(kind, "c")


class Result:
    """A stack.json, asked by name. Each answer is one number a launch, or None where that was not measured."""

    def __init__(self, document):
        self.document = document
        self.launches = document["launches"]

    def walks(self, kind, side, elements, depth=DEPTH):
        program, wanted = program_of(kind), (kind, side, elements, depth)
        found = [row["ns"] for launch in self.launches if launch.get(program) for row in launch[program]["walks"]
                 if (row["kind"], row["side"], row["elements"], row["depth"]) == wanted]
        return np.array(found) if found else None

    def growth(self, program, to_b, key="ns"):
        found = [row[key] for launch in self.launches if launch.get(program) for row in launch[program]["growths"]
                 if row["to_b"] == to_b]
        return np.array(found) if found else None

    def growth_within_walk(self, fresh, warm, call):
        """Of the walk with 1024 elements by value, what the growth at the call of this number costs: what that call
        adds on a fresh stack, and does not on a warm one."""
        parts = [self.walks(kind, "value", 1024, depth) for kind in (fresh, warm) for depth in (call + 1, call)]
        return None if any(part is None for part in parts) else (parts[0] - parts[1]) - (parts[2] - parts[3])

    def crowd(self, crowd, kind, key):
        found = [row[key] for rows in self.document["crowds"] for row in rows
                 if (row["crowd"], row["kind"]) == (crowd, kind)]
        return np.array(found) if found else None

    def sizes(self, kind="native"):
        return sorted({row["elements"] for row in self.launches[0][program_of(kind)]["walks"] if row["depth"] == DEPTH})

    def depths(self):
        return sorted({row["depth"] for row in self.launches[0]["c"]["walks"] if row["elements"] == 64})

    def trail(self, kind, elements):
        rows = self.launches[0].get(program_of(kind)) or {"trails": []}
        return next((row["addresses"] for row in rows["trails"]
                     if (row["kind"], row["elements"]) == (kind, elements)), None)

    def kinds(self):
        return [kind for kind in KINDS if self.walks(kind, "value", 1) is not None]


def moves(addresses):
    """The calls before which the string moved."""
    return [n for n in range(1, len(addresses)) if addresses[n] != addresses[n - 1]]


# ---- What it is held to


def time_goal(what, ours, theirs, most):
    """`ours` at most `most` times `theirs`."""
    if theirs is None:
        return Goal(what, number(ours), None, "ns", None, f"<= {most:.3g}", None)
    ratio = number(ours / theirs)
    return Goal(what, number(ours), number(theirs), "ns", ratio, f"<= {most:.3g}", bool(ratio.estimate <= most))


def jump(instructions):
    """Go's and the jump behind them."""
    return None if instructions is None else instructions + 1


def goals(result):
    found = []
    for to_kib, call in ((64, 2), (128, 6)):
        found.append(time_goal(f"growth to {to_kib} KiB, within stack_copy 1024, against Go",
                               result.growth_within_walk("fresh", "growable", call),
                               result.growth_within_walk("go_fresh", "go", call), 0.5))
        found.append(time_goal(f"growth to {to_kib} KiB, of a full stack, against Go", result.growth("c", to_kib << 10),
                               result.growth("go", to_kib << 10), 0.5))
    found += [copy_goal(result, to_kib) for to_kib in (64, 128)]
    check = number(result.document["check_ns"])
    found.append(Goal("entry check, a call", check, None, "ns", None, "<= 1 ns", bool(check.estimate <= 1)))
    for frame, text in (("small", "frame to 128 B"), ("large", "larger frame")):
        ours, theirs = (result.document["prologues"][whose][frame] for whose in ("ampersand", "go"))
        found.append(Goal(f"entry check, instructions, {text}, against Go's and its jump",
                          *(None if n is None else Number(n, None, None) for n in (ours, jump(theirs))), "", None,
                          "no more", None if ours is None or theirs is None else ours <= jump(theirs)))
    found.append(time_goal("fresh stack_copy 1024, by value, against Go", result.walks("fresh", "value", 1024),
                           result.walks("go_fresh", "value", 1024), 1 / 1.5))
    return [*found, memory_goal(result)]


def copy_goal(result, to_kib):
    copied = result.growth("c", to_kib << 10, "copied_b")
    ours, theirs = (copied / result.growth("c", to_kib << 10, key) for key in ("ns", "memcpy_ns"))
    ratio = number(ours / theirs)
    return Goal(f"B copied a ns, growth to {to_kib} KiB, against memcpy", number(ours), number(theirs), "B/ns", ratio,
                ">= 0.7", bool(ratio.estimate >= 0.7))


def memory_goal(result):
    each = {kind: result.crowd("idle", kind, "resident_b") for kind in ("growable", "go")}
    n = result.crowd("idle", "growable", "n")[0]
    book = result.crowd("idle", "growable", "bookkeeping_b")[0]
    stack = number(each["growable"] / n - book)
    return Goal(f"memory of {n:,} idle coroutines, each, without {book} B of bookkeeping, against Go", stack,
                None if each["go"] is None else number(each["go"] / n), "B", None, "<= 2.5 KiB",
                bool(stack.estimate <= 2560))
