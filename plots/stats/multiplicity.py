# SPDX-License-Identifier: MIT
"""From launches to decisions over a whole table of cells, by the rule that words/rules/allocator_rule.txt explains: the
sign test for a cell, the false coverage rate of Benjamini and Yekutieli for the table."""

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
    """The floor of a workload: how far from 0 the median of the A/A column's ln ratios may lie, by its interval at
    1 - RATE. An empty list where there are none; in ln units."""
    if not len(again):
        return max(LEAST, grain)
    found = estimate(np.asarray(again), 1 - RATE)
    ends = (found.low, found.high) if found.has_interval else (np.min(again), np.max(again))
    return max(LEAST, grain, *(abs(float(end)) for end in ends))


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
