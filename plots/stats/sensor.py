# SPDX-License-Identifier: MIT
"""What the readings of harness/measure/sensor.h say: whether something else was on the core while a block was measured.

    a launch disturbed in half of its blocks or more    is left out; where an interval needs more than are left, the
                                                        quietest of these stay, as many as it needs
    a disturbed block of another launch                 takes no part in anything: in its place stands what
                                                        its layout and its launch say, by an additive model

    ln ratio of (launch, layout) = median of the layout's quiet launches
                                   + mean of what the launch's quiet layouts differ from their own medians

A block that stands for another has no launch of its own: were such blocks observations, intervals over launches of one
layout would be too narrow. The mean over a launch's layouts has them as a minority, and its own effect in each. Where
little is quiet, blocks stay as they are. Whether one is disturbed is told by the sensor alone, never by its time."""

import numpy as np

MOST = 0.5


def kept(quiet, needed):
    """Which launches take part, a mask, from `quiet` [launch][layout]: those quiet in more than half of their layouts,
    and the quietest others until there are `needed`. All, where none is needed for an interval."""
    share = quiet.mean(axis=1)
    mostly = share > MOST
    if not needed:
        return np.full(len(quiet), True)
    if mostly.sum() < needed:
        mostly[np.argsort(-share, kind="stable")[:needed]] = True
    return mostly


def fill(matrix, quiet):
    """`matrix` [launch][layout] with its disturbed entries replaced where enough is quiet; `quiet`: a mask like it."""
    layouts = quiet.mean(axis=0) > MOST
    known = quiet & layouts
    launches = known.sum(axis=1) > MOST * quiet.shape[1]
    replaced = ~quiet & launches[:, None] & layouts
    if not replaced.any():
        return matrix
    typical = np.zeros(matrix.shape[1])
    typical[layouts] = np.nanmedian(np.where(known, matrix, np.nan)[:, layouts], axis=0)
    differs = np.where(known, matrix - typical, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return np.where(replaced, typical + differs[:, None], matrix)
