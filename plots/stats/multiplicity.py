# SPDX-License-Identifier: MIT
r"""From launches to decisions over a whole table of cells.

    launch i of a configuration   x_i  \                         / median over launches: the ratio
    launch i of the baseline      b_i  /   r_i = ln(x_i / b_i)   \ order statistics: its interval

Launch i of every configuration and of the baseline ran within seconds of each other, in random order: what the
machine did then fell on both, so ratios are taken launch by launch. Their order statistics give an interval that
assumes no distribution (statistics.py): of n launches, from the r-th to the (n-r+1)-th, wrong with probability 2
P(Bin(n, 1/2) < r).

A cell is decided by its interval alone. f is the floor of its workload, in ln units; in this order:

    slower, more    the interval lies wholly above  f
    faster, less    the interval lies wholly below -f
    equal within e  the interval lies within -e to e; the smallest e of 1, 2 and 5 % that is not below the floor
    undecided       everything else: measure more

The floor. Chance is in the interval; the floor is for what does not average out: places, order, names. It is the
larger of 0.5 %, the least difference that is worth a word, and of what the same configuration under a second name
(the A/A column) reads beside 1 in this workload, its |median|. The A/A column itself is held against 0.5 % alone:
against a floor that was made from it, it could not fail. Where a clock is part of the number, its grain is part of
the floor.

The level. A table has hundreds of cells, and a reader looks at those that are decided. So what is held down is the
rate of wrong ones among these: the false coverage rate of Benjamini and Yekutieli (2005). p of a cell is the least
error probability at which its interval decides anything: with k launches that contradict (those not above f; or those
beyond e, on the worse side), p = 2 P(Bin(n, 1/2) <= k), the sign test of the composite hypothesis. Benjamini and
Hochberg's step-up (1995) takes

    R = the largest k for which k cells have p <= q k / m          q = 0.05, m = the cells that have an interval at all

and every interval of the table is at 1 - q R / m. A cell is decided just where that interval decides it, for the
interval that is shown. A decision is wrong only if the interval misses the truth, whichever decision it was, so at
most q of the decided cells are wrong on average, and a configuration that is the baseline is called different in at
most q of its cells. The cells of a workload share their baseline, which makes them err together, and the step-up is
known to hold for such dependence; that it does here, tests/plots/stats/multiplicity_test.py shows by simulation. Each metric is a
table of its own.

A step of order statistics is coarse: 12 launches have intervals that are wrong with 0.05, 0.6 and 3.9 %, 13 with
0.02, 0.3 and 2.2 %. A cell whose launches do not suffice for the level has no interval; one of fewer than 6 launches
cannot be decided by any table, and does not count in m."""

import functools
import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from plots.stats.statistics import Estimate, estimate, launches_needed

RATE = 0.05  # q
LEAST = math.log1p(0.005)
EQUAL_WITHIN = (0.01, 0.02, 0.05)
FEWEST = launches_needed(1 - RATE)


@dataclass(frozen=True)
class Decision:
    """`name` is above, below, equal, undecided or few (launches)."""

    ratio: Estimate | None
    name: str
    equal_within: float | None = None


@dataclass(frozen=True)
class Level:
    """What all decisions of a table have in common."""

    cells: int  # m
    decided: int  # R
    confidence: float  # of each interval

    @property
    def launches_needed(self):
        return launches_needed(self.confidence)


def floor_of(again, grain=0.0):
    """The floor of a workload from the A/A column's ln ratios, an empty list where there are none; in ln units."""
    return max(LEAST, grain, abs(float(np.median(again))) if len(again) else 0.0)


def contradicting(values, floor):
    """How many of the ln ratios speak against the decision that fewest speak against."""
    values = np.asarray(values)
    counts = [int((values <= floor).sum()), int((values >= -floor).sum())]
    counts += [int(max((values < -e).sum(), (values > e).sum())) for e in _margins(floor)]
    return min(counts)


def probability(values, floor):
    """p of a cell."""
    return min(1.0, 2 * _tail(contradicting(values, floor), len(values)))


@functools.lru_cache(maxsize=None)
def _tail(k, n):
    return float(special.bdtr(k, n, 0.5))


def level_of(cells, rate=RATE):
    """The step-up over all (ln ratios, floor) of a table."""
    p = np.sort([probability(values, floor) for values, floor in cells if len(values) >= FEWEST])
    m = len(p)
    passing = np.flatnonzero(p <= rate * np.arange(1, m + 1) / max(m, 1))
    decided = int(passing[-1]) + 1 if len(passing) else 0
    return Level(m, decided, 1 - rate * max(decided, 1) / max(m, 1))


def decide(values, floor, confidence):
    """One cell, at the table's confidence."""
    if len(values) == 0:
        return Decision(None, "few")
    ratio = estimate(values, confidence)
    if not ratio.has_interval:
        return Decision(ratio, "few")
    if ratio.low > floor:
        return Decision(ratio, "above")
    if ratio.high < -floor:
        return Decision(ratio, "below")
    within = next((e for e in _margins(floor) if -e <= ratio.low and ratio.high <= e), None)
    if within is not None:
        return Decision(ratio, "equal", round(math.expm1(within), 6))
    return Decision(ratio, "undecided")


def _margins(floor):
    return [math.log1p(e) for e in EQUAL_WITHIN if math.log1p(e) >= floor]
