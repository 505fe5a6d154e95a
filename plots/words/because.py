# SPDX-License-Identifier: MIT
"""Why the slower side of a row is slower, as far as the counted facts and the compiled code show it.

A cause is only said where the slower side does more of it: it allocates more, it copies more bytes, its code loads
what no single store before it holds, or it executes so many more instructions, mispredicted branches or cache misses.
That a load waits for a store, and how long a rep movs takes to start, is said only where the times of the run show it,
too. Where no fact points that way there is no sentence: the cause may be a long chain, which counts do not show.

Of a row whose ratio depends on the place of the code, what sets the slow places apart (judge/placement.py)."""

import math

from plots.files.compiled import AAPCS64, SYSV
from plots.judge.causes import REP_MOVS, handed, may_rep_movs, rep_movs, told, waits
from plots.judge.pair_summary import SIDES
from plots.words import quantity

EXPLAINS = 0.5  # of ln pointer/value: what a ratio of instructions must reach to be named
REGISTERS_B = {SYSV: (16,), AAPCS64: (16, 32)}  # up to so many an object is passed in them; 32: four doubles
WAIT_NS = 2  # more than the other side takes, at least: ten cycles at 5 GHz, what a load that is not forwarded costs
SHARE = 0.1  # of the side's time: what the start of a rep movs must take to be named
MISSES = 0.05  # an operation, and more than the other side: fewer are noise of the simulation
RATE = 0.02  # of the branches: what must be mispredicted to be named; valgrind mispredicts the end of each long loop


def sentence(row, labels, start=None):
    """None where nothing shows why. `labels`: what the sides are called; `start`: the
    causes.Start of a rep movs in this run."""
    said = [faster(row, labels, start), places(row, labels)]
    return "; ".join(filter(None, said)) or None


def places(row, labels):
    return "; ".join(f"{labels[one.side]} is {quantity.percent(one.slower)} slower in {one.layouts} of {one.of} "
                     f"layouts, where {' and '.join(one.reaches)}" for one in row.why and row.why.placement or ())


def faster(row, labels, start=None):
    """None where no side is the slower one."""
    if row.ratio is None or not (row.verdict.endswith(" faster") or row.verdict.startswith("leans ")):
        return None
    slow, fast = ("pointer", "value") if row.ratio.estimate >= 1 else ("value", "pointer")
    found = [said for fact in (allocates, copies, waits_for) if (said := fact(row, slow, fast, labels))]
    found += begins(row, slow, fast, start)
    return "; ".join(found or in_registers(row, slow, fast, labels) + executes(row, slow, fast, labels)) or None


def allocates(row, slow, fast, labels):
    more, less = row.counted(slow), row.counted(fast)
    if row.counts.status != "exact" or more.allocs_per_op <= less.allocs_per_op:
        return None
    return (f"{labels[slow]} allocates {times(more.allocs_per_op)} an operation "
            f"({quantity.size(more.asked_b_per_op)}), {labels[fast]} {times(less.allocs_per_op)}")


def times(n):
    return {0: "never", 1: "once"}.get(n) or f"{quantity.count(n)} times"


# ---- Copies, read from the compiled code

def copies(row, slow, fast, labels):
    more, less = told(row, slow), told(row, fast)
    if more is None or less is None:
        return None
    by = sum(one.bytes for one in more) - sum(one.bytes for one in less)
    if by > 0 or (by == 0 and rep_movs(row, slow) and not rep_movs(row, fast)):
        return f"{labels[slow]} copies {listed(more)}, {labels[fast]} {listed(less)}"
    return None


def in_registers(row, slow, fast, labels):
    """A list of one sentence, or empty: only where no side copies in memory, beside which registers hardly count."""
    more, less = handed(row, slow), handed(row, fast)
    if more[0] <= less[0] or told(row, slow) != () or told(row, fast) != ():
        return []
    return [f"{labels[slow]} loads {loaded(more)} for its calls, {labels[fast]} {loaded(less)}"]


def loaded(found):
    """16 B into 2 registers"""
    size_b, moves = found
    return f"{quantity.size(size_b)} into {quantity.counted(moves, 'register')}" if moves else "nothing"


def listed(found):
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


def cliff(below, above, labels, ours=None):
    """What of the code changes from one size to the next: "no copy to moves", "vector moves to rep movs". None where
    that is not known, or nothing changes. `ours`: the ABI of the run, by its name, where the sizes are bytes."""
    said = []
    for side in SIDES:
        ways = [told(row, side) for row in (below, above)]
        if None not in ways:
            before, after = (" and ".join(dict.fromkeys(one.how for one in way)) or "no copy" for way in ways)
            by_abi = before == "no copy" and any(below.size <= most < above.size for most in REGISTERS_B.get(ours, ()))
            change = f"registers to {after} ({ours})" if by_abi else f"{before} to {after}"
            waiting = waits(above, side) and not waits(below, side)
            change += ", and a load waits for a store" * bool(waiting)
            said += [(side, change)] * (before != after)
    return "; ".join(text if side == "value" else f"{labels[side]}: {text}" for side, text in said) or None


def copies_as_before(below, above):
    """Whether it is known that no side copies in another way at one size than at the other, and that one copies."""
    ways = [[None if (found := told(row, side)) is None else {one.how for one in found} for row in (below, above)]
            for side in SIDES]
    return all(None not in way and way[0] == way[1] for way in ways) and any(way[0] for way in ways)


# ---- What the code and the times show together

def waits_for(row, slow, fast, labels):
    found = waits(row, slow)
    times = [row.ns_per_op(side).estimate for side in (slow, fast)] if found else ()
    if not found or waits(row, fast) or times[0] - times[1] < WAIT_NS:
        return None
    one = max(found, key=lambda wait: wait.load_b / wait.store_b)
    if one.store_b >= one.load_b:
        return f"in {labels[slow]}, {_of(one.load_b)} load of what two stores wrote waits for them"
    return f"in {labels[slow]}, {_of(one.load_b)} load after {_of(one.store_b)} store waits for the store"


def _of(size_b):
    return f"{'an' if size_b in (8, 11, 18) else 'a'} {quantity.size(size_b)}"


def begins(row, slow, fast, start):
    """A list of one sentence, or empty."""
    n, other = rep_movs(row, slow), rep_movs(row, fast)
    if start is None or None in (n, other) or (n - other) * start.ns < SHARE * row.ns_per_op(slow).estimate:
        return []
    took = quantity.time(start.ns, 2) if start.cycles is None else f"{quantity.fixed(start.cycles, 0)} cycles"
    return [f"{'each' if n > 1 else 'the'} {REP_MOVS} starts up in about {took}"]


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
        if key == "branch_misses" and n is not None and (n < RATE * (more.branches or 0) or may_rep_movs(row, slow)):
            continue  # valgrind takes each turn of a rep movs for a branch
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
