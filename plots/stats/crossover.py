# SPDX-License-Identifier: MIT
"""At which size does the winner change? By the rule that words/rules/crossover_rule.txt explains."""

import math
from dataclasses import dataclass

import numpy as np

from plots.stats.statistics import CONFIDENCE, estimate, launches_needed

RESAMPLES = 999
SEED = 20260131  # of the bootstrap: the same run gives the same interval


@dataclass(frozen=True)
class Crossover:
    size: float
    low: float | None
    high: float | None
    faster_below: str


@dataclass(frozen=True)
class Crossovers:
    """Of one pair over its sizes. `state`: crossing, none, unclear where no size is clear, few where no size has
    launches enough to be."""

    pair: str
    found: tuple
    state: str
    smallest: int
    largest: int
    faster: str | None  # where the state is none: at `clear` of the `sizes`
    clear: int
    sizes: int


def crossovers(pair, sizes, headlines, threshold, confidence=CONFIDENCE, clear_confidence=None):
    """`headlines`: for each size, one ln ratio a launch. Sizes ascend. `confidence` is that of a crossover's interval,
    `clear_confidence` that of the intervals by which a size is clear (default: the same)."""
    estimates = [estimate(values, clear_confidence or confidence) for values in headlines]
    signs = [clear_sign(one, math.log1p(threshold)) for one in estimates]
    clear = [i for i, sign in enumerate(signs) if sign]
    if not clear:
        state = "unclear" if any(one.has_interval for one in estimates) else "few"
        return Crossovers(pair, (), state, sizes[0], sizes[-1], None, 0, len(sizes))
    curve = np.array([one.estimate for one in estimates])
    drawn = resample(headlines, confidence)
    found = []
    for left, right in zip(clear, clear[1:]):
        if signs[left] != signs[right]:
            found.append(locate(sizes, curve, drawn, left, right, "value" if signs[left] > 0 else "pointer",
                                confidence))
    faster = None if found else "value" if signs[clear[0]] > 0 else "pointer"
    return Crossovers(pair, tuple(found), "crossing" if found else "none", sizes[0], sizes[-1], faster,
                      len(clear), len(sizes))


def clear_sign(one, x):
    """+1 value faster, -1 pointer faster, 0 not clear."""
    if not one.has_interval:
        return 0
    return 1 if one.low > x else -1 if one.high < -x else 0


def resample(headlines, confidence=CONFIDENCE):
    """[resample][size] medians over launches drawn anew, or None where a size has fewer launches than any interval
    needs: a bootstrap of two launches would look precise."""
    if min(len(values) for values in headlines) < launches_needed(confidence):
        return None
    from scipy import stats  # takes half a second to import, and a quick run has no need of it

    random = np.random.default_rng(SEED)
    medians = []
    for values in headlines:
        if np.ptp(values) == 0:
            medians.append(np.full(RESAMPLES, values[0]))
            continue
        result = stats.bootstrap((values,), np.median, n_resamples=RESAMPLES, method="percentile", vectorized=True,
                                 random_state=random)
        medians.append(result.bootstrap_distribution)
    return np.stack(medians, axis=1)


def locate(sizes, curve, drawn, left, right, faster_below, confidence=CONFIDENCE):
    ln_sizes = np.log(np.array(sizes[left : right + 1], float))
    first, last = crossings(ln_sizes, curve[None, left : right + 1])
    middle = math.exp((first[0] + last[0]) / 2)
    if drawn is None:
        return Crossover(middle, None, None, faster_below)
    firsts, lasts = crossings(ln_sizes, drawn[:, left : right + 1])
    tail = (1 - confidence) / 2 * 100
    low, high = np.percentile(firsts, tail), np.percentile(lasts, 100 - tail)
    return Crossover(middle, math.exp(min(low, first[0])), math.exp(max(high, last[0])), faster_below)


def crossings(ln_sizes, curves):
    """(first, last): for each curve over the ln sizes, the first and the last ln size at which it crosses 0. A curve
    that does not cross crosses at the end which its sign says."""
    before, after = curves[:, :-1], curves[:, 1:]
    crosses = np.sign(before) * np.sign(after) < 0
    crosses |= (before == 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(before == after, 0.0, before / (before - after))
    places = ln_sizes[:-1] + np.clip(share, 0, 1) * np.diff(ln_sizes)
    first = np.where(crosses, places, np.inf).min(axis=1)
    last = np.where(crosses, places, -np.inf).max(axis=1)
    return np.clip(first, ln_sizes[0], ln_sizes[-1]), np.clip(last, ln_sizes[0], ln_sizes[-1])
