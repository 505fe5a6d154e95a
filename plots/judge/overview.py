# SPDX-License-Identifier: MIT
"""A run in short: what each row says at a glance, what each question says in each class of sizes, and which pairs ask a
question at all.

A row has a winner if its verdict says that a side is faster, or leans that way; whether that matters is worth.py's
rule. Where a run gives no verdicts (a quick one, or one layout), the ratio alone says who is ahead so far."""

import math
from dataclasses import dataclass

from plots.judge.pair_summary import SIDES
from plots.stats import worth

CLASSES = (16, 64, 256, 4096, 65536, math.inf)  # two registers, a line, before rep movs, a page, near caches, beyond
TWICE = 2.0  # a factor from which a difference is large
STATES = ("wins", "small", "placement", "open", "failed")


@dataclass(frozen=True)
class Outcome:
    """What a row says."""
    state: str  # wins: by enough to matter; small: equal, or too little; placement; open: nobody can tell; failed
    side: str | None  # the faster one, where the row has a winner
    saved_ns: float | None  # what it saves an operation
    factor: float | None  # how many times as fast it is
    everywhere: bool = True  # whether it wins in nearly all layouts

    @property
    def large(self):
        return self.state == "wins" and self.factor >= TWICE


def outcome(row):
    if row.failed:
        return Outcome("failed", None, None, None)
    if row.ratio is None or row.observable is False:
        return Outcome("open", None, None, None)
    ratio, value_ns = row.ratio.estimate, row.value_ns_per_op.estimate
    numbers = {"saved_ns": worth.saved_ns(value_ns, ratio), "factor": max(ratio, 1 / ratio)}
    ahead = "value" if ratio >= 1 else "pointer"
    if row.verdict in ("undecided", "placement decides"):
        return Outcome({"undecided": "open"}.get(row.verdict, "placement"), None, **numbers, everywhere=False)
    if row.verdict == "equal":
        return Outcome("small", None, **numbers)
    return Outcome("small" if worth.is_small(value_ns, ratio) else "wins", ahead, **numbers,
                   everywhere=not row.verdict.startswith("leans"))


@dataclass(frozen=True)
class Cell:
    """What a question says in a class of sizes."""
    state: str  # as of an Outcome, or equal; "wins" with two sides: the winner changes from the first to the second
    sides: tuple  # in the order of sizes
    large: bool  # at one size at least
    place: bool  # at one size or more the place of the code decides, or the winner does not win everywhere
    saved_ns: tuple  # (least, most) over the sizes that the state speaks of, or ()
    sizes: tuple


def cell(rows):
    """Of rows of one pair. Sizes that say more hide those that say less: wins, small, placement, open, failed."""
    rows = sorted(rows, key=lambda row: row.size)
    found = [outcome(row) for row in rows]
    state = next(name for name in STATES if any(one.state == name for one in found))
    mine = [one for one in found if one.state == state]
    sides = tuple(dict.fromkeys(one.side for one in mine if one.side))
    if state == "small" and not sides:
        state = "equal"
    elif state == "small" and len({one.side for one in mine}) > 1:
        sides = ()  # now the one, now the other, or none: by little
    saved = [one.saved_ns for one in mine if one.saved_ns is not None]
    return Cell(state, sides, any(one.large for one in mine),
                any(one.state == "placement" or (one.side and not one.everywhere) for one in found),
                (min(saved), max(saved)) if saved else (), tuple(row.size for row in rows))


def by_class(rows):
    """[a Cell, or None where the pair has no such size], one for each of CLASSES."""
    return [cell(mine) if (mine := [row for row in rows if low < row.size <= high]) else None
            for low, high in zip((-1, *CLASSES), CLASSES)]


def stretches(rows):
    """[((state, side), rows)]: sizes beside each other that say the same; the side only of those that win."""
    found = []
    for row in sorted(rows, key=lambda row: row.size):
        said = outcome(row)
        key = said.state, said.side if said.state == "wins" else None
        if found and found[-1][0] == key:
            found[-1][1].append(row)
        else:
            found.append((key, [row]))
    return found


def ahead(rows):
    """The side that wins at most of the sizes; where both win at as many, at the largest. None: neither."""
    won = [side for (_, side), mine in stretches(rows) for _ in mine if side]
    return max(reversed(won), key=won.count) if won else None


def kinds(summary, manifest):
    """{pair: question, variant (a lesson's source, compiled with other flags) or control (it calibrates the others)}"""
    calibrations = {row.get("observed_by") for row in manifest["rows"]}
    floors = {floor.row for floor in summary.floors.values() if floor}
    lessons = {row.lesson for row in summary.rows if row.row in floors}
    return {pair: "control" if pair in calibrations or rows[0].lesson in lessons or rows[0].truth
            else "variant" if _repeats(rows[0].lesson, manifest) else "question"
            for pair, rows in summary.pairs.items()}


def _repeats(lesson, manifest):
    table = manifest["layouts"].get(lesson, {})
    return bool(table.get("flags")) and table.get("source", f"{lesson}.c") != f"{lesson}.c"


def has_verdicts(summary):
    return all(row.verdict != "no verdict" for row in summary.rows)


def both(cell):
    return len(cell.sides) == len(SIDES)
