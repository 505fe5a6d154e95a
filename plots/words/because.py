# SPDX-License-Identifier: MIT
"""Why the slower side of a row is slower, as far as the counted facts and the compiled code show it.

A cause is only said where the slower side does more of it: it allocates more, it copies more bytes, or it executes so
many more instructions, mispredicted branches or cache misses. Where no fact points that way there is no sentence: the
cause may be a wait (a load for a store), a long chain or a place, which counts do not show."""

import math

from plots.judge.pair_summary import SIDES
from plots.words import quantity

EXPLAINS = 0.5  # of ln pointer/value: what a ratio of instructions must reach to be named
MISSES = 0.05  # an operation, and more than the other side: fewer are noise of the simulation


def sentence(row, labels):
    """None where no side is the slower one, or nothing shows why. `labels`: what the sides are called."""
    if row.ratio is None or not (row.verdict.endswith(" faster") or row.verdict.startswith("leans ")):
        return None
    slow, fast = ("pointer", "value") if row.ratio.estimate >= 1 else ("value", "pointer")
    found = [said for fact in (allocates, copies) if (said := fact(row, slow, fast, labels))]
    return "; ".join(found or executes(row, slow, fast, labels)) or None


def allocates(row, slow, fast, labels):
    more, less = row.counted(slow), row.counted(fast)
    if row.counts.status != "exact" or more.allocs_per_op <= less.allocs_per_op:
        return None
    return (f"{labels[slow]} allocates {_times(more.allocs_per_op)} an operation "
            f"({quantity.size(more.asked_b_per_op)}), {labels[fast]} {_times(less.allocs_per_op)}")


def _times(n):
    return {0: "never", 1: "once"}.get(n) or f"{quantity.count(n)} times"


# ---- Copies, read from the compiled code

def told(row, side):
    """The copies of a side, None where the code was not read or does not tell all."""
    found = row.why and row.why.copies and getattr(row.why.copies, side)
    return found if isinstance(found, tuple) and all(one.how != "not told" for one in found) else None


def copies(row, slow, fast, labels):
    more, less = told(row, slow), told(row, fast)
    if more is None or less is None or sum(one.bytes for one in more) <= sum(one.bytes for one in less):
        return None
    return f"{labels[slow]} copies {_listed(more)}, {labels[fast]} {_listed(less)}"


def _listed(found):
    """Copies made in the same way are told as one."""
    alike = {}
    for one in found:
        alike.setdefault((one.how, one.width_b), []).append(one)
    return " and ".join(_copy(how, sum(one.bytes for one in ones), sum(one.moves or 0 for one in ones))
                        for (how, _), ones in alike.items()) or "nothing"


def _copy(how, size_b, moves):
    """256 B in 16 vector moves; 257 B by rep movs; 1 KiB by a call of memcpy"""
    if how in ("moves", "vector moves"):
        return f"{quantity.size(size_b)} in {quantity.counted(moves, how.removesuffix('s'))}"
    return f"{quantity.size(size_b)} by {'a ' * how.startswith('call')}{how}"


def cliff(below, above, labels):
    """What of the code changes from one size to the next: "no copy to moves", "vector moves to rep movs". None where
    that is not known, or nothing changes."""
    said = []
    for side in SIDES:
        ways = [told(row, side) for row in (below, above)]
        if None not in ways:
            before, after = (" and ".join(dict.fromkeys(one.how for one in way)) or "no copy" for way in ways)
            said += [(side, f"{before} to {after}")] * (before != after)
    return "; ".join(text if side == "value" else f"{labels[side]}: {text}" for side, text in said) or None


# ---- What is executed

def executes(row, slow, fast, labels):
    """A list of one sentence, or empty."""
    counters = row.why and row.why.counters
    if not counters:
        return []
    more, less = getattr(counters, slow), getattr(counters, fast)
    for key, words in (("branch_misses", "mispredicts {} branches"),
                       ("cache_misses", "misses the first cache {} times")):
        n, other = getattr(more, key), getattr(less, key)
        if None not in (n, other) and n - other >= MISSES and n >= 2 * other:
            return [f"{labels[slow]} {words.format(quantity.count(n))} an operation, {labels[fast]} "
                    f"{quantity.count(other)}"]
    if not more.instructions or not less.instructions or (
            math.log(more.instructions / less.instructions) < EXPLAINS * abs(math.log(row.ratio.estimate))):
        return []
    return [f"{labels[slow]} executes {_executed(more)} an operation, {labels[fast]} {_executed(less)}"]


def _executed(side):
    said = f"{quantity.count(side.instructions)} instructions"
    if None in (side.loads, side.stores):
        return said
    return f"{said} ({quantity.counted(side.loads, 'load')}, {quantity.counted(side.stores, 'store')})"
