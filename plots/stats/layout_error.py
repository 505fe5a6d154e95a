# SPDX-License-Identifier: MIT
"""What a design that is not full adds to the interval.

A full factorial holds every placement of a side's functions equally often: its mean is that of all placements, and
nothing is added. Beyond three functions a side (of 64 layouts) the lesson has an orthogonal array, a balanced part of
all placements. It gives the main effect of every function exactly, so what a mean over it can be off by is what the
main effects leave: with residuals e of the layouts' effects after least squares on each function's offsets, over n
layouts and d degrees of freedom, the standard error is sqrt(sum(e^2) / d / n), as if these residuals were drawn. It
widens the headline's interval by adding squares:  half' = sqrt(half^2 + (t * error)^2), with Student's t of d degrees
of freedom, since the error is estimated, and often from few."""

import math
from collections import Counter
from dataclasses import dataclass

import numpy as np
from scipy import special

from plots.stats.statistics import Estimate


def is_full(columns):
    """Whether every combination of offsets appears, each equally often; `columns`: [function][layout]."""
    seen = Counter(zip(*columns))
    levels = [len(set(column)) for column in columns]
    return len(seen) == math.prod(levels) and len(set(seen.values())) == 1


@dataclass(frozen=True)
class Error:
    """A standard error in ln units, and the degrees of freedom that it was estimated with."""

    error: float
    freedom: int


NONE = Error(0.0, 1)


def error(measured, unit):
    """Of a row's headline as a mean over all placements. NONE for a full design."""
    if unit["design"] == "full factorial" or not measured.launches:
        return NONE
    columns = [[unit["offsets"][function][layout[side]] for layout in measured.layouts]
               for side, name in enumerate(("value", "pointer")) for function in unit[name]]
    if is_full(columns):
        return NONE
    found = measured.fit.effects
    effects = [np.ones(len(found))] + [np.equal(column, offset) for column in columns
                                         for offset in sorted(set(column))[1:]]
    matrix = np.column_stack(effects).astype(float)
    fit, _, rank, _ = np.linalg.lstsq(matrix, found, rcond=None)
    left = len(found) - int(rank)
    if left < 1:  # as many effects as layouts: they explain everything and nothing
        return Error(float(found.std(ddof=1) / math.sqrt(len(found))), len(found) - 1)
    return Error(math.sqrt(((found - matrix @ fit) ** 2).sum() / left / len(found)), left)


def widen(ratio, design_error, confidence):
    """The headline's Estimate with what the design adds."""
    if not ratio.has_interval or design_error.error == 0:
        return ratio
    reach = special.stdtrit(design_error.freedom, (1 + confidence) / 2) * design_error.error
    return Estimate(ratio.estimate, ratio.estimate - math.hypot(ratio.estimate - ratio.low, reach),
                    ratio.estimate + math.hypot(ratio.high - ratio.estimate, reach))
