# SPDX-License-Identifier: MIT
"""From raw rounds to a verdict, by the rule that words/rules/verdict_rule.txt explains: medians over rounds, one fit
over launches and layouts (two_way.py), order statistics over launches.

Everything is computed in ln and shown as a ratio, pointer/value: above 1 the value side is the faster one."""

import functools
import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from scipy import special

from plots.stats import sensor, two_way

CONFIDENCE = 0.95
EQUAL_WITHIN = (0.002, 0.005, 0.01)
ENDS = 4  # of intervals, by which a verdict can be wrong


@dataclass(frozen=True)
class Estimate:
    """In ln units for ratios, in ns for times; low and high are None where there are too few launches."""

    estimate: float
    low: float | None
    high: float | None

    @property
    def has_interval(self):
        return self.low is not None


@dataclass(frozen=True)
class Spread:
    """p10 and p90 over layouts, in ln units, each with the bounds that the launches allow (None: too few)."""

    p10: float
    p90: float
    p10_low: float | None
    p10_high: float | None
    p90_low: float | None
    p90_high: float | None


@dataclass(frozen=True)
class Verdict:
    name: str
    equal_within: float | None = None


@dataclass(frozen=True)
class Measured:
    """What a row's launches say. Matrices are [launch][layout], as measured; launches without a usable round, and those
    that sensor.kept() leaves out, are not among them."""

    ln_ratio: np.ndarray
    ln_value_ns: np.ndarray  # per operation
    ln_pointer_ns: np.ndarray
    layouts: tuple = ()  # which layout each column is; (value's, pointer's)
    quiet: np.ndarray | None = None  # a mask [launch][layout]; None: all
    left_out: int = 0  # launches that were disturbed in most of their blocks

    @property
    def launches(self):
        return self.ln_ratio.shape[0]

    @functools.cached_property
    def fit(self):
        """Of the ratio, as on a quiet core."""
        return two_way.fit(self._filled(self.ln_ratio))

    @property
    def headlines(self):
        """One number a launch: the mean of ln ratio over the layouts. Their median is the headline."""
        return self.fit.headlines[0]

    def over_layouts(self, matrix):
        """The mean of one of the matrices over the layouts, as on a quiet core: one number a launch."""
        return two_way.settled(self._filled(matrix))[0].mean(axis=1)

    def _filled(self, matrix):
        return matrix if self.quiet is None else sensor.fill(matrix, self.quiet)


def measure(launches, needed=0):
    """Reduce raw rounds to one number per launch and layout. `needed`: how many launches an interval needs; 0 leaves no
    launch out for its neighbours."""
    per_launch = [reduced(launch) for launch in launches]
    usable = [(medians, quiet) for medians, quiet in per_launch if np.isfinite(medians).all()]
    if not usable:
        return Measured(*np.empty((3, 0, 0)))
    quiet = np.stack([quiet for _, quiet in usable])
    kept = sensor.kept(quiet, needed)
    layouts = tuple(map(tuple, np.unique(launches[0].layouts, axis=0).tolist()))
    return Measured(*np.stack([medians for medians, _ in usable], axis=1)[:, kept], layouts, quiet[kept],
                    int((~kept).sum()))


def reduced(launch):
    """(reduce_launch(), the layouts that were quiet) in the digits of launches.csv, from raw rounds or from there: both
    give the same results."""
    if hasattr(launch, "medians"):
        return launch.medians, launch.quiet
    medians = reduce_launch(launch)
    return np.stack([np.round(medians[0], 6), *np.log(six_digits(np.exp(medians[1:])))]), _quiet_layouts(launch)


def six_digits(numbers):
    """Positive numbers as "%.6g" prints them."""
    with np.errstate(invalid="ignore"):
        decimals = 5 - np.floor(np.log10(numbers))
        low, high = 10.0 ** np.maximum(decimals, 0), 10.0 ** np.maximum(-decimals, 0)
        return np.round(numbers * low / high) / low * high


def _quiet_layouts(launch):
    """[layout], in the order of reduce_launch(): whether every block of it was quiet."""
    _, layout = np.unique(_identities(launch), return_inverse=True)
    return np.bincount(layout, ~launch.quiet) == 0


def _identities(launch):
    """A number for the layouts of each block, (value's, pointer's), in the order of these."""
    return launch.layouts[:, 0].astype(np.int64) << 32 | launch.layouts[:, 1]


def reduce_launch(launch):
    """[ln ratio, ln value ns/op, ln pointer ns/op][layout]: medians over rounds, with the clock's cost taken off.

    A round in which either side did not exceed the clock's cost is left out; a layout without a round is NaN.
    Layouts are in the order of their identity, (value's, pointer's)."""
    value = launch.value_ns - launch.clock_cost_ns
    pointer = launch.pointer_ns - launch.clock_cost_ns
    out = (value <= 0) | (pointer <= 0)
    if out.any():
        value, pointer = np.where(out, np.nan, value), np.where(out, np.nan, pointer)
    logarithms = np.log(np.stack([value, pointer]))
    ln_sides = logarithms - math.log(launch.ops)
    rounds = np.stack([logarithms[1] - logarithms[0], ln_sides[0], ln_sides[1]])
    blocks = _identities(launch)
    layouts = len(np.unique(blocks))
    each = rounds.shape[1] // layouts * rounds.shape[2]
    rounds = rounds[:, np.argsort(blocks, kind="stable")].reshape(3, layouts, each)
    if not out.any():
        return np.median(rounds, axis=2)
    empty = np.isnan(rounds).all(axis=2)
    return np.where(empty, np.nan, np.nanmedian(np.where(empty[..., None], 0.0, rounds), axis=2))


@functools.cache
def order_ranks(n, confidence):
    """0-based ranks (low, high) of n sorted launches that enclose their true median with at least this confidence, or
    None where not even the least and the greatest do."""
    rank = int((special.bdtr(np.arange(n), n, 0.5) < (1 - confidence) / 2).sum())
    return (rank - 1, n - rank) if rank > 0 else None


def launches_needed(confidence):
    """The least number of launches that has an order-statistic interval."""
    return next(n for n in range(1, 10000) if order_ranks(n, confidence))


def median_interval(values, confidence):
    """The median over the first axis, and its order-statistic interval; arrays, or None for no interval."""
    ordered = np.sort(values, axis=0)
    ranks = order_ranks(len(ordered), confidence)
    low, high = (None, None) if ranks is None else (ordered[ranks[0]], ordered[ranks[1]])
    return np.median(ordered, axis=0), low, high


def estimate(values, confidence):
    middle, low, high = median_interval(np.asarray(values), confidence)
    return Estimate(float(middle), None if low is None else float(low), None if high is None else float(high))


def corrected(rows, confidence=CONFIDENCE):
    """The confidence of each of `rows` intervals that hold together with `confidence` (Bonferroni)."""
    return 1 - (1 - confidence) / max(rows, 1)


def of_verdicts(rows, share=1.0):
    """The confidence of each interval of `rows` verdicts that are all true with CONFIDENCE; `share` of the error is
    theirs. A verdict rests on three intervals. Whatever the truth is, a wrong verdict needs one of four certain ends to
    miss it, and an end misses with half of an interval's error."""
    return 1 - share * (1 - CONFIDENCE) / (ENDS / 2 * max(rows, 1))


@dataclass(frozen=True)
class Told:
    """What a row's launches tell of its ratio, all of one fit (two_way.py). `outside`: whether the headline lies
    outside of p10 to p90, because fewer than one layout in ten move the mean."""

    ratio: Estimate
    spread: Spread
    outside: bool


def tell(fit, confidence):
    """Told, of a two_way.Fit of one row: each interval, and each bound of the spread, at this confidence."""
    parts = [(middle, *((None, None) if ends is None else ends)) for middle, ends in zip(*enclosed(fit, confidence))]
    ratio, p10, p90 = ([None if x is None else float(x) for x in part] for part in parts)
    return Told(Estimate(*ratio), Spread(p10[0], p90[0], *p10[1:], *p90[1:]), bool(fit.skewed))


def enclosed(fit, confidence):
    """([headline, p10, p90], [(low, high) of each]), where these are None if there are too few launches."""
    middles = fit.headline, fit.headline + fit.p10, fit.headline + fit.p90
    ranks = order_ranks(fit.headlines[0].shape[-1], confidence)
    if ranks is None:
        return middles, [None] * 3
    ends = []
    for middle, series, error in zip(middles, (fit.headlines, fit.p10s, fit.p90s), (0.0, *fit.errors)):
        ordered = np.sort(np.stack(series), axis=-1)
        low, high = (pick(ordered[..., rank], axis=0) for pick, rank in zip((np.min, np.max), ranks))
        reach = special.ndtri((1 + confidence) / 2) * error
        ends.append(widened(middle, np.minimum(middle, low), np.maximum(middle, high), reach))
    moved = np.percentile(fit.moving[..., ranks, :], [10, 90], axis=-1)  # NaN where no group moves
    for i, (low, high) in enumerate(np.moveaxis(moved, -1, 1), start=1):
        ends[i] = np.fmin(ends[i][0], low), np.fmax(ends[i][1], high)
    return middles, ends


def widened(middle, low, high, reach):
    """An interval with an error of its own that reaches so far: by adding squares."""
    return middle - np.hypot(middle - low, reach), middle + np.hypot(high - middle, reach)


def classify(low, high, p10, p90, threshold):
    """The rule in verdict_rule.txt, for a spread that is known exactly. All but the threshold in ln units."""
    x = math.log1p(threshold)
    if low > x:
        return Verdict("value faster" if p10 > -x else "leans value")
    if high < -x:
        return Verdict("pointer faster" if p90 < x else "leans pointer")
    for e in EQUAL_WITHIN:
        if -math.log1p(e) <= min(low, p10) and max(high, p90) <= math.log1p(e):
            return Verdict("equal", e)
    if p10 < -x and p90 > x:
        return Verdict("placement decides")
    return Verdict("undecided")


def verdict(ratio, over_layouts, threshold):
    """The verdict on a row from its headline's Estimate and its Spread, both corrected over the table."""
    if not ratio.has_interval or over_layouts.p10_low is None:
        return Verdict("undecided")
    classes = [classify(ratio.low, ratio.high, p10, p90, threshold)
               for p10 in (over_layouts.p10_low, over_layouts.p10_high)
               for p90 in (over_layouts.p90_low, over_layouts.p90_high)]
    if len({one.name for one in classes}) > 1:
        return Verdict("undecided")
    return max(classes, key=lambda one: one.equal_within or 0)


@dataclass(frozen=True)
class Difference:
    """What a side did in two launches, each as (launch, Fraction)."""

    side: str
    key: str
    first: tuple
    other: tuple


@dataclass(frozen=True)
class CountVerdict:
    """Exact counts per operation. `status` is exact, differs (between launches), refused or missing; a quantity that
    differs is None. `detail` is why it was refused, or Differences."""

    status: str
    detail: str | tuple | None
    value: dict | None
    pointer: dict | None


_PER_OP = {"allocs": "allocs_per_op", "asked_b": "asked_b_per_op", "granted_b": "granted_b_per_op"}


def judge_counts(counts, threads=0):
    """Compare the counting launches of a row, as rationals: any difference is an error, not noise."""
    if not counts:
        return CountVerdict("missing", None, None, None)
    refused = [one for one in counts if one.refused is not None]
    if refused:
        return CountVerdict("refused", refused[0].refused, None, None)
    details, sides = [], {}
    for side in ("value", "pointer"):
        sides[side] = {}
        for key in ("allocs", "frees", "asked_b", "granted_b", "peak_b"):
            # A peak is not a rate; and where threads allocate at once, it is their race that sets it.
            per = [Fraction(getattr(one, side)[key], 1 if key == "peak_b" else one.ops) for one in counts]
            differs = len(set(per)) > 1 and not (key == "peak_b" and threads)
            if differs:
                i = next(i for i, x in enumerate(per) if x != per[0])
                details.append(Difference(side, key, (counts[0].number, per[0]), (counts[i].number, per[i])))
            if key != "frees":
                sides[side][_PER_OP.get(key, key)] = None if differs else max(per)
        for key in ("stack_reserved_b", "stack_touched_b"):  # the most of any launch: libc's part may differ
            found = [getattr(one, side)[key] for one in counts if key in getattr(one, side)]
            if found:
                sides[side][f"{key}_per_op"] = None if None in found else max(found)
    if details:
        return CountVerdict("differs", tuple(details), sides["value"], sides["pointer"])
    return CountVerdict("exact", None, sides["value"], sides["pointer"])
