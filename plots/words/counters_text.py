# SPDX-License-Identifier: MIT
"""The table of what both sides of each row execute an operation: `bench --why`, and the report."""

from collections import Counter

from plots.judge.pair_summary import SIDES
from plots.words import quantity
from plots.words.table import Column, Table

EVENTS = {"instructions": ("instructions", 0), "loads": ("loads", 0), "stores": ("stores", 0),
          "branches": ("branches", 5), "branch_misses": ("mispredicted", 6), "cache_misses": ("L1 misses", 7)}


def of(row, side, event):
    counters = row.why and row.why.counters
    return getattr(getattr(counters, side), event) if counters else None


def _column(event, side):
    words, spare = EVENTS[event]
    return Column(f"{side}_{event}_per_op", lambda row: of(row, side, event), f"{side} {words}/op",
                  lambda row: quantity.executed(of(row, side, event)), short={"value": "val", "pointer": "ptr"}[side],
                  group=f"{words}/op", gap=2 if side == "value" else 1, spare=spare)


def table(rows):
    """Rows that nobody could count say why."""
    columns = (Column("row", lambda row: row.row, "executed by", words=True),
               *(_column(event, side) for event in EVENTS for side in SIDES))
    return Table(columns, list(rows), instead=lambda row: "" if row.why and row.why.counters else _reason(row))


def _reason(row):
    return f"not counted: {row.why and row.why.not_counted or 'the run has no counters.json'}"


def note(rows):
    """Who counted, in sentences."""
    sources = {row.why.counters.source for row in rows if row.why and row.why.counters}
    if "valgrind" in sources:
        return ["Counted by valgrind (callgrind), exactly. Mispredicted branches and misses of the first level's data "
                "cache are simulated; each turn of a rep movs counts as an instruction with a load, a store and a "
                "branch."]
    return ["Counted by the processor's counters."] if sources else []


def missing(rows):
    """A line on the rows without counters, and one on those whose code was not read, or none."""
    return [*_missing(rows, "not_counted", "instructions, loads, stores, branches and misses"),
            *_missing(rows, "code_not_read", "copies and causes of placement")]


def _missing(rows, key, what):
    whys = Counter(getattr(row.why, key) for row in rows if row.why and getattr(row.why, key))
    if not whys:
        return []
    said = "; ".join(f"{why} ({quantity.counted(n, 'row')})" for why, n in whys.most_common(3))
    return [f"No {what} of {quantity.counted(sum(whys.values()), 'row')}: {said}."]
