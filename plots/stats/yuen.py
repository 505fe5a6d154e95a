# SPDX-License-Identifier: MIT
"""Yuen's interval (1974) for the difference of two samples' 20 % trimmed means: Welch's test on what trimming leaves,
which needs neither equal spreads nor freedom from outliers."""

import math

import numpy as np
from scipy import special

from plots.stats.statistics import Estimate

TRIM = 0.2
LEAST = 6  # of each sample


def difference(a, b, confidence):
    """The Estimate of b's trimmed mean less a's; without an interval where a sample has fewer than LEAST."""
    (mean_a, square_a, free_a), (mean_b, square_b, free_b) = map(_parts, (a, b))
    middle, square = mean_b - mean_a, square_a + square_b
    if min(len(a), len(b)) < LEAST:
        return Estimate(middle, None, None)
    if square == 0:
        return Estimate(middle, middle, middle)
    free = square ** 2 / (square_a ** 2 / free_a + square_b ** 2 / free_b)
    half = float(special.stdtrit(free, (1 + confidence) / 2)) * math.sqrt(square)
    return Estimate(middle, middle - half, middle + half)


def _parts(sample):
    """(trimmed mean, its squared standard error, degrees of freedom)"""
    ordered = np.sort(np.asarray(sample, float))
    cut = int(TRIM * len(ordered))
    kept = ordered[cut:len(ordered) - cut]
    if len(kept) < 2:
        return float(kept.mean()), 0.0, 1
    winsorized = np.clip(ordered, kept[0], kept[-1])
    square = (len(ordered) - 1) * winsorized.var(ddof=1) / (len(kept) * (len(kept) - 1))
    return float(kept.mean()), float(square), len(kept) - 1
