# SPDX-License-Identifier: MIT
"""What a design that is not full adds to the interval.

A full factorial holds every placement of a side's functions equally often: its mean is that of all placements, and
nothing is added. Beyond three functions a side (of 64 layouts) the lesson has an orthogonal array, a balanced part of
all placements. It gives the main effect of every function exactly, so what a mean over it can be off by is what the
main effects leave: with residuals e of the layouts' medians after least squares on each function's offsets, over n
layouts and d degrees of freedom, the standard error is sqrt(sum(e^2) / d / n), as if these residuals were drawn. It
widens the headline's interval by adding squares:  half' = sqrt(half^2 + (z * error)^2)."""

import math
from collections import Counter

import numpy as np
from scipy import special

from plots.stats.statistics import Estimate


def is_full(columns):
    """Whether every combination of offsets appears, each equally often; `columns`: [function][layout]."""
    seen = Counter(zip(*columns))
    levels = [len(set(column)) for column in columns]
    return len(seen) == math.prod(levels) and len(set(seen.values())) == 1


def error(measured, unit):
    """The standard error, in ln units, of a row's headline as a mean over all placements. 0.0 for a full design."""
    if unit["design"] == "full factorial" or not measured.launches:
        return 0.0
    columns = [[unit["offsets"][function][layout[side]] for layout in measured.layouts]
               for side, name in enumerate(("value", "pointer")) for function in unit[name]]
    if is_full(columns):
        return 0.0
    medians = np.median(measured.ln_ratio, axis=0)
    effects = [np.ones(len(medians))] + [np.equal(column, offset) for column in columns
                                         for offset in sorted(set(column))[1:]]
    matrix = np.column_stack(effects).astype(float)
    fit, _, rank, _ = np.linalg.lstsq(matrix, medians, rcond=None)
    left = len(medians) - rank
    if left < 1:  # as many effects as layouts: they explain everything and nothing
        return float(medians.std(ddof=1) / math.sqrt(len(medians)))
    return float(math.sqrt(((medians - matrix @ fit) ** 2).sum() / left / len(medians)))


def widen(ratio, design_error, confidence):
    """The headline's Estimate with what the design adds."""
    if not ratio.has_interval or design_error == 0:
        return ratio
    reach = special.ndtri((1 + confidence) / 2) * design_error
    return Estimate(ratio.estimate, ratio.estimate - math.hypot(ratio.estimate - ratio.low, reach),
                    ratio.estimate + math.hypot(ratio.high - ratio.estimate, reach))
