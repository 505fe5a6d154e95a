# SPDX-License-Identifier: MIT
"""What the compiled code and the times of a run say together: how long a rep movs takes to start.

Two neighbouring sizes of a pair show it, if one side copies by rep movs at the larger and not at the smaller one: that
side's time jumps, while the other side's hardly changes. The control pair `empty` shows what a cycle takes: its loop
has two instructions, and a turn of it takes one cycle."""

from dataclasses import dataclass

from plots.judge.pair_summary import SIDES

NEIGHBOURS = 1.1  # sizes this close hardly differ in bytes
STILL = 0.2  # of the jump: what the other side may move meanwhile
REP_MOVS, EMPTY = "rep movs", "empty"


@dataclass(frozen=True)
class Start:
    """Of one rep movs."""
    ns: float
    cycles: float | None  # None: the run does not say what a cycle takes


def told(row, side):
    """The copies of a side, None where the code was not read or does not tell all."""
    found = row.why and row.why.copies and getattr(row.why.copies, side)
    return found if isinstance(found, tuple) and all(one.how != "not told" for one in found) else None


def handed(row, side):
    """(bytes, moves) that calls of a side get in registers, loaded from memory, by its code."""
    found = row.why and row.why.handed
    return next(((one.bytes, one.moves) for one in getattr(found, side)), (0, 0)) if found else (0, 0)


def waits(row, side):
    """Loads of a side that wait for a store, by its code."""
    found = row.why and row.why.waits
    return getattr(found, side) if found else ()


def rep_movs(row, side):
    """How many an operation executes; None: not told."""
    found = told(row, side)
    return None if found is None else sum(one.moves for one in found if one.how == REP_MOVS)


def may_rep_movs(row, side):
    """Also where not all is told."""
    found = row.why and row.why.copies and getattr(row.why.copies, side) or ()
    return any(REP_MOVS in f"{one.how} {one.why or ''}" for one in found)


def cycle_ns(rows):
    """None where `empty` was not measured."""
    return next((row.value_ns_per_op.estimate for row in rows if row.pair == EMPTY and row.value_ns_per_op), None)


def start(pairs, cycle):
    """The Start of a rep movs, or None where no pair shows it. `pairs`: {pair: its rows}; `cycle` in ns or None.

    The smallest that any pair shows: its jump may also hold a wait for what was copied."""
    jumps = [jump for rows in pairs.values() for side in SIDES for jump in _jumps(rows, side)]
    return Start(min(jumps), min(jumps) / cycle if cycle else None) if jumps else None


def _jumps(rows, side):
    """ns at each size from which on the side copies by one rep movs."""
    other = next(one for one in SIDES if one != side)
    measured = sorted((row for row in rows if row.ratio), key=lambda row: row.size)
    for below, above in zip(measured, measured[1:]):
        if above.size <= NEIGHBOURS * below.size and rep_movs(below, side) == 0 and rep_movs(above, side) == 1:
            jump = _rise(below, above, side)
            if jump > 0 and abs(_rise(below, above, other)) <= STILL * jump:
                yield jump


def _rise(below, above, side):
    return above.ns_per_op(side).estimate - below.ns_per_op(side).estimate
