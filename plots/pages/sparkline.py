# SPDX-License-Identifier: MIT
"""A pair's ratios in the size of a stamp, for a page: against size where there are several, else as a bar.

Coordinates only: templates/macros.html.j2 draws them. The ratio's axis is logarithmic and always shows 1; a mark has
the colour, the shape and the filling of its verdict, as in every other figure (style.py)."""

import math
from dataclasses import dataclass

from plots.figures import style
from plots.words import quantity

LEFT, RIGHT, TOP, BOTTOM = 10, 230, 18, 78  # of the plot, in a picture of 240 x 96; words stand above and below
PAD = 0.06


@dataclass(frozen=True)
class Dot:
    x: float
    y: float
    verdict: str
    shape: str  # o, D, s, v, x: matplotlib's letters
    filled: bool
    side: str  # value, pointer or neither: whose colour it has
    spread: tuple  # the ends along the ratio's axis, or ()
    interval: tuple


@dataclass(frozen=True)
class Sparkline:
    kind: str  # "sweep" or "bar"
    dots: tuple
    one: float  # where 1 stands on the ratio's axis
    line: str  # through the dots
    first: str  # words at both ends of the lower axis
    last: str
    value: str  # what the sides are called
    pointer: str


def _ends(size):
    """"8 B" as it is, "1024 elements" as its number: there is no room, and the sentences below name the unit."""
    return size if size.endswith("B") else size.split()[0]


def make(rows, show_size):
    """From the rows of one pair. None where nothing was measured."""
    rows = sorted((row for row in rows if row.ratio), key=lambda row: row.size)
    if not rows:
        return None
    numbers = [math.log(x) for row in rows for x in _numbers(row)]
    sweep = len(rows) > 1
    if sweep:
        low, high = _limits(min(0, *numbers), max(0, *numbers))
        ratio_at = _scale(low, high, BOTTOM, TOP)  # above 1 is up
        size_at = _scale(math.log(rows[0].size or 1), math.log(rows[-1].size or 1), LEFT + 4, RIGHT - 4)
        first, last = (_ends(show_size(rows[i].size)) for i in (0, -1))
    else:
        reach = _limits(0, max(map(abs, numbers)))[1]
        ratio_at = _scale(-reach, reach, LEFT, RIGHT)
        first, last = (quantity.ratio(math.exp(x)) for x in (-reach, reach))
    dots = []
    for row in rows:
        at = ratio_at(math.log(row.ratio.estimate))
        x, y = (size_at(math.log(row.size or 1)), at) if sweep else (at, (TOP + BOTTOM) / 2)
        dots.append(_dot(row, x, y, ratio_at))
    line = " ".join(f"{dot.x:g},{dot.y:g}" for dot in dots)
    return Sparkline("sweep" if sweep else "bar", tuple(dots), ratio_at(0), line, first, last,
                     *map(rows[0].name_of, style.SIDES))


def _numbers(row):
    found = [row.ratio.estimate, *row.ratio.ends, *(row.spread.ends if row.spread else ())]
    return [x for x in found if x is not None]


def _limits(low, high):
    pad = PAD * max(high - low, 1e-3)
    return low - pad, high + pad


def _scale(low, high, start, end):
    return lambda x: round(start + (end - start) * ((x - low) / (high - low) if high > low else 0.5), 2)


def _dot(row, x, y, ratio_at):
    mark = style.VERDICTS[row.verdict]
    side = next((name for name, look in style.SIDES.items() if look.colour == mark.colour), "neither")

    def ends(part):
        return tuple(ratio_at(math.log(number)) for number in part.ends) if part and None not in part.ends else ()

    return Dot(x, y, row.verdict, mark.marker, mark.filled, side, ends(row.spread), ends(row.ratio))
