# SPDX-License-Identifier: MIT
"""From the blocks of two versions of one kernel to an interval and a verdict.

    block     one layout, in two fresh processes: the median over rounds of ln(head / base)
    layout    the median of its blocks on a quiet core; of all, where none was quiet
    quad      the mean of four layouts in which every function has each of its four offsets once
    interval  Student's, over quads: these are what is drawn anew; blocks of one layout share its luck

Blocks as units would make the interval too narrow wherever layouts differ. After each of a fixed number of looks a row
may get more visits or be decided; every interval has its share of ERROR, by Bonferroni over rows and looks."""

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

ERROR = 0.01   # of a whole run: the probability that any interval of any row misses
QUAD = 4
QUADS = 4      # of three, resampled from measured A/A runs, the interval missed twice as often as it may
LEAST = 0.002  # the least difference worth a word: below it lies what the clockwork itself cannot tell apart
WITHIN = (0.002, 0.005, 0.01)  # "no change beyond"


@dataclass(frozen=True)
class Interval:
    """Of ln(head / base)."""

    estimate: float
    low: float
    high: float

    def ratio(self):
        return tuple(math.expm1(x) for x in (self.estimate, self.low, self.high))


def per_layout(layouts, values, quiet, count, middle=np.median):
    """One number a layout, NaN where it was not measured. `middle`: of its blocks."""
    found = np.full(count, np.nan)
    for layout in range(count):
        its = (layouts == layout) & np.isfinite(values)
        if (its & quiet).any():
            its &= quiet
        if its.any():
            found[layout] = middle(values[its])
    return found


def means(by_layout):
    """Of the whole quads."""
    quads = by_layout.reshape(-1, QUAD).mean(axis=1)
    return quads[np.isfinite(quads)]


def interval(by_layout, confidence):
    """None where there are too few whole quads."""
    quads = means(by_layout)
    if len(quads) < QUADS:
        return None
    reach = special.stdtrit(len(quads) - 1, (1 + confidence) / 2) * quads.std(ddof=1) / math.sqrt(len(quads))
    middle = float(quads.mean())
    return Interval(middle, middle - float(reach), middle + float(reach))


def confidence_of(rows, looks, figures=1):
    """Of each interval, so that all of all rows hold at all looks."""
    return 1 - ERROR / max(rows * looks * figures, 1)


@dataclass(frozen=True)
class Verdict:
    """`name`: slower, faster, same, undecided; of the head. `beyond`: of "same", no change beyond that fraction."""

    name: str
    beyond: float | None = None
    fails: bool = False  # slower by more than was allowed, for certain


def verdict(found, least=LEAST, allowed=None):
    """`allowed`: as a fraction, what may be slower without failing; None: nothing fails."""
    if found is None:
        return Verdict("undecided")
    x = math.log1p(least)
    fails = allowed is not None and found.low > math.log1p(allowed)
    if found.low > x:
        return Verdict("slower", fails=fails)
    if found.high < -x:
        return Verdict("faster")
    reach = math.expm1(max(found.high, -found.low))
    borders = sorted({*WITHIN, least, *([allowed] if allowed else [])})
    beyond = next((one for one in borders if reach <= one >= least), None)
    return Verdict("undecided") if beyond is None else Verdict("same", beyond)


def is_open(found, decided, allowed):
    """Whether more visits may tell more: it is undecided, or the border of what fails lies within the interval."""
    if decided.name == "undecided":
        return True
    return allowed is not None and found.low <= math.log1p(allowed) < found.high
