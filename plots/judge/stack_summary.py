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
    ours: str
    theirs: str
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


def time_goal(what, ours, theirs, most, unit="ns"):
    """`ours` at most `most` times `theirs`."""
    if theirs is None:
        return Goal(what, shown(number(ours), unit), "-", None, f"<= {most:g} x", None)
    ratio = number(ours / theirs)
    return Goal(what, shown(number(ours), unit), shown(number(theirs), unit), ratio, f"<= {most:.3g}",
                bool(ratio.estimate <= most))


def goals(result):
    found = []
    for to_kib, call in ((64, 2), (128, 6)):
        found.append(time_goal(f"growth to {to_kib} KiB, within stack_copy 1024, against Go",
                               result.growth_within_walk("fresh", "growable", call),
                               result.growth_within_walk("go_fresh", "go", call), 0.5))
        found.append(time_goal(f"growth to {to_kib} KiB, of a full stack, against Go", result.growth("c", to_kib << 10),
                               result.growth("go", to_kib << 10), 0.5))
    for to_kib in (64, 128):
        copied = result.growth("c", to_kib << 10, "copied_b")
        ours, theirs = (copied / result.growth("c", to_kib << 10, key) for key in ("ns", "memcpy_ns"))
        ratio = number(ours / theirs)
        found.append(Goal(f"B copied a ns, growth to {to_kib} KiB, against memcpy", shown(number(ours), "B/ns"),
                          shown(number(theirs), "B/ns"), ratio, ">= 0.7", bool(ratio.estimate >= 0.7)))
    check = number(result.document["check_ns"])
    found.append(Goal("entry check, a call", shown(check, "ns"), "-", None, "<= 1 ns", bool(check.estimate <= 1)))
    for frame, text in (("small", "frame to 128 B"), ("large", "larger frame")):
        ours, theirs = (result.document["prologues"][whose][frame] for whose in ("ampersand", "go"))
        found.append(Goal(f"entry check, instructions, {text}, against Go's", str(ours or "-"),
                          f"{theirs} + a jump" if theirs else "-", None, "no more",
                          ours <= theirs + 1 if ours and theirs else None))
    found.append(time_goal("fresh stack_copy 1024, by value, against Go", result.walks("fresh", "value", 1024),
                           result.walks("go_fresh", "value", 1024), 1 / 1.5))
    each = {kind: result.crowd("idle", kind, "resident_b") for kind in ("growable", "fixed", "go")}
    n = result.crowd("idle", "growable", "n")[0]
    book = result.crowd("idle", "growable", "bookkeeping_b")[0]
    stack = number(each["growable"] / n - book)
    found.append(Goal(f"memory of {n:,} idle coroutines, each, without {book} B of bookkeeping, against Go",
                      shown(stack, "B"), "-" if each["go"] is None else shown(number(each["go"] / n), "B"), None,
                      "<= 2,560 B", bool(stack.estimate <= 2560)))
    return found


def shown(value, unit):
    def digits(x):
        return f"{x:,.0f}" if abs(x) >= 1000 else f"{x:.3g}"

    return f"{digits(value.estimate)} {unit}"


def ratio_shown(ratio):
    if ratio is None:
        return ""
    interval = "" if ratio.low is None else f" ({ratio.low:.2f} to {ratio.high:.2f})"
    return f"{ratio.estimate:.2f}{interval}"


# ---- The tables


def tables(result):
    yield from walk_table(result)
    yield ""
    yield from trail_table(result)
    yield ""
    yield from crowd_table(result)
    yield ""
    yield from goal_table(goals(result))


def walk_table(result):
    kinds = result.kinds()
    yield f"stack_copy, {DEPTH} calls: ns an operation, median of {len(result.launches)} launches"
    yield f"{'elements':>8} {'side':<8}" + "".join(f"{NAMES[kind]:>18}" for kind in kinds)
    for elements in result.sizes():
        for side in ("value", "pointer"):
            cells = [result.walks(kind, side, elements) for kind in kinds]
            yield f"{elements:>8} {side:<8}" + "".join(
                f"{'-' if cell is None else shown(number(cell), ''):>18}" for cell in cells)
    hot = [launch["split"]["hot_split_op_ns"] for launch in result.launches if launch.get("split")]
    if hot:
        cost = number([one["most"] - one["least"] for one in hot])
        yield f"hot split: a loop whose call needs a segment each time pays {shown(cost, 'ns')} for it"


def trail_table(result):
    yield f"The string's address over {DEPTH} calls by value moves before call"
    for elements in (1, 64, 1024):
        trails = {kind: result.trail(kind, elements) for kind in ("native", "fresh", "split", "go")}
        yield f"{elements:>8} elements: " + "; ".join(
            f"{NAMES[kind]}: {', '.join(map(str, moves(trail))) or 'none'}" for kind, trail in trails.items() if trail)


def crowd_table(result):
    yield "Coroutines at once: memory of each, and time of each to be made, to have one turn, and to end"
    for crowd in ("idle", "mixed"):
        for kind in ("growable", "fixed", "go"):
            if result.crowd(crowd, kind, "n") is None:
                continue
            n = int(result.crowd(crowd, kind, "n")[0])
            memory = number(result.crowd(crowd, kind, "resident_b") / n)
            times = [shown(number(result.crowd(crowd, kind, key)), "ns") for key in ("create_ns", "turn_ns", "end_ns")]
            text = {"growable": "growable stacks", "fixed": "fixed stacks of 64 KiB", "go": "goroutines"}[kind]
            yield f"{n:>8,} {crowd:<6}{text:<24}{shown(memory, 'B'):>12}" + "".join(f"{time:>12}" for time in times)


def goal_table(found):
    wide = max(len(goal.what) for goal in found) + 2
    yield f"{'':<{wide}}{'ampersand':>12}{'compared':>14}{'ratio (95 %)':>23}  {'wanted':<11}"
    for goal in found:
        verdict = {True: "reached", False: "MISSED", None: "not compared"}[goal.reached]
        yield (f"{goal.what:<{wide}}{goal.ours:>12}{goal.theirs:>14}{ratio_shown(goal.ratio):>23}  {goal.wanted:<11}"
               f"{verdict}")
