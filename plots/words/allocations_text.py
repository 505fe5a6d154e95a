# SPDX-License-Identifier: MIT
"""Which lines allocate, in words and as tables: of the rows of a pair, and of a whole run."""

from collections import Counter
from dataclasses import dataclass

from plots.judge.pair_summary import SIDES
from plots.words import quantity
from plots.words.table import Column, Table

MOST = 10  # lines of a run


@dataclass(frozen=True)
class Line:
    """Of a row's side, as a table has it."""
    row: object
    side: str
    line: object  # None: the row has none, for `why`
    why: str = ""


def where(line):
    """factory.c:31"""
    return f"{line.file}:{line.line}" if line.file else "-"


def _function(line):
    return f"{line.others} more lines" if line.others else line.function or "?"


def lines(rows):
    """Of all sides, the value side first."""
    for row in rows:
        if row.allocating and row.allocating.not_recorded:
            yield Line(row, SIDES[0], None, f"not recorded: {row.allocating.not_recorded}")
        for side in SIDES if row.allocating else ():
            yield from (Line(row, side, line) for line in getattr(row.allocating, side))


def _table(found, first):
    return Table((*first,
                  Column("side", lambda one: one.side, "side", lambda one: one.row.name_of(one.side), words=True),
                  Column("function", lambda one: one.line.function, "function", lambda one: _function(one.line),
                         words=True),
                  Column("where", lambda one: where(one.line), "line", words=True),
                  Column("bytes_per_op", lambda one: one.line.bytes_per_op, "B/op",
                         lambda one: quantity.count(one.line.bytes_per_op)),
                  Column("allocs_per_op", lambda one: one.line.allocs_per_op, "allocs/op",
                         lambda one: quantity.count(one.line.allocs_per_op))),
                 found, instead=lambda one: one.why)


def of_pair(rows, show):
    """The table of a pair's lines, None where it has none; `show`: its sizes."""
    found = list(lines(rows))
    return _table(found, [Column("size", lambda one: one.row.size, "size", lambda one: show(one.row.size))]) \
        if found else None


def of_run(rows):
    """The table of the lines that ask for most bytes, each in its row that asks for most; None: there are none."""
    most = {}
    for one in lines(rows):
        if one.line and not one.line.others:
            key = one.side, one.row.lesson, one.line.function, where(one.line)
            most[key] = max(most.get(key, one), one, key=lambda each: each.line.bytes_per_op)
    found = sorted(most.values(), key=lambda one: (-one.line.bytes_per_op, one.row.row, one.side))[:MOST]
    return _table(found, [Column("row", lambda one: one.row.row, "row", words=True)]) if found else None


def sentence(row):
    """Where each side allocates most, or nothing."""
    said = []
    for side in SIDES if row.allocating else ():
        for line in getattr(row.allocating, side)[:1]:
            function = line.function or "a function without a name"
            said.append(f"{row.name_of(side)} allocates in {function} ({where(line)})")
    return " and ".join(said)


def missing(allocated, rows):
    """Sentences on what was not recorded; `allocated`: of the run, or None."""
    if allocated and allocated.refused:
        return [f"Which lines allocate is not known: {allocated.refused}."]
    whys = Counter(row.allocating.not_recorded for row in rows if row.allocating and row.allocating.not_recorded)
    said = "; ".join(f"{why} ({quantity.counted(n, 'row')})" for why, n in whys.most_common(3))
    return [f"Not recorded: {said}."] if whys else []
