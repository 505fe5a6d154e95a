# SPDX-License-Identifier: MIT
"""What the readings of harness/sensor.h say: whether something else was on the core while a block was measured.

A disturbed block is not used as it is. Where most launches of its layout, and most layouts of its launch, were quiet, it
takes the value that these two say (an additive model of layouts and launches); else it stays, as all there is:

    ln ratio of (launch, layout) = median of the layout's quiet launches + mean of what the launch's quiet layouts differ
                                   from their own medians

Whether a block is disturbed is told by the sensor alone, never by the block's time."""

import numpy as np

QUIET = 1.1  # as in harness/sensor.h
MOST = 0.5


def is_quiet(readings_ns, quiet_ns):
    """A mask."""
    return np.asarray(readings_ns) <= QUIET * quiet_ns


def fill(matrix, quiet):
    """`matrix` [launch][layout] with its disturbed entries replaced where enough is quiet; `quiet` is a mask like it."""
    launches, layouts = quiet.mean(axis=1) > MOST, quiet.mean(axis=0) > MOST
    replaced = ~quiet & launches[:, None] & layouts
    if not replaced.any():
        return matrix
    known = np.where(quiet, matrix, np.nan)
    typical = np.where(layouts, np.nanmedian(np.where(layouts, known, 0.0), axis=0), np.nan)
    differs = np.nanmean((known - typical)[launches], axis=1)
    filled = np.array(matrix)
    filled[launches] = np.where(replaced[launches], typical + differs[:, None], matrix[launches])
    return filled
