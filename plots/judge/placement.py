# SPDX-License-Identifier: MIT
"""Why the place of the code decides a row, or spreads it: loops, jumps and short functions that reach into one more
cache line or window at some of the places where the layouts put them.

Where a function's loops and jumps are within it says the lesson's table ("places", from harness/copies); where each
layout puts the function, the table's offsets."""

import math

import numpy as np

from plots.judge.numbers import short
from plots.judge.pair_summary import SIDES, Placed
from plots.stats import placement

WIDE = 0.05  # of p90 over p10, in ln units: a spread that asks for a reason
LINE_B, WINDOW_B = 64, 32


def causes(measured, unit, places, spread):
    """A tuple of Placed, one for each side whose slow layouts have a cause that can be shown; None where nobody asks,
    or the table does not say where loops and jumps are."""
    if not places or spread is None or math.log(spread.p90 / spread.p10) < WIDE:
        return None
    found = []
    for index, side in enumerate(SIDES):
        ln_ns = np.median((measured.ln_value_ns, measured.ln_pointer_ns)[index], axis=0)
        layouts = sorted({layout[index] for layout in measured.layouts})
        times = [ln_ns[[layout[index] == one for layout in measured.layouts]].mean() for one in layouts]
        kinds, columns = _properties(unit, side, places, layouts)
        cause = placement.cause(times, np.array(columns, bool).T.reshape(len(layouts), len(columns)))
        if cause:
            found.append(Placed(side=side, slower=short(math.expm1(cause.slower)), layouts=cause.layouts,
                                of=len(layouts), explains=short(cause.explains),
                                reaches=tuple(kinds[k] for k in cause.properties)))
    return tuple(found)


def _properties(unit, side, places, layouts):
    """What may be the cause, in words, and for each which layouts have it."""
    kinds, columns = [], []
    for function in unit[side]:
        offsets = [unit["offsets"][function][layout] for layout in layouts]
        for what, begin, end in _stretches(places.get(function, {})):
            for size_b, name in ((LINE_B, "64 B line"), (WINDOW_B, "32 B window")):
                if what == "jump" and size_b == LINE_B:
                    continue  # it crosses a window, too
                reached = [_reached(offset + begin, offset + end, size_b, what == "jump") for offset in offsets]
                kinds.append(f"{_called(what, function)} reaches into one more {name}" if what != "jump" else
                             f"a jump of {function}, {begin} B into it, crosses or ends at a {name}")
                columns.append([n > min(reached) for n in reached])
    return kinds, columns


def _called(what, function):
    return f"the loop of {function}" if what == "loop" else function


def _stretches(place):
    """(what, begin, end) of what is executed in every operation."""
    yield from (("loop", *one) for one in place.get("loops", ()))
    if place and not place["loops"]:
        yield "function", 0, place["size_b"]
    yield from (("jump", *one) for one in place.get("jumps", ()))


def _reached(begin, end, size_b, up_to_its_end):
    """How many blocks of `size_b` bytes a stretch touches; a jump also that in which the next instruction begins."""
    return (end - (0 if up_to_its_end else 1)) // size_b - begin // size_b + 1
