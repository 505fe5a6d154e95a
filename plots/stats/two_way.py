# SPDX-License-Identifier: MIT
"""The one estimator of a row: what its launches and its layouts add to ln(pointer/value).

    table [launch][layout]  =  launch effect + layout effect + what is left

1. Two rounds of median polish (Tukey 1977) give effects that a minority of blocks cannot move.
2. A block that is FAR off them counts as what they say. Far is FAR times what four of five blocks stay within, of the
   row or of the block's layout, whichever is more: so a layout that has two modes keeps both.
3. A launch's ratio is the mean over its layouts, and the headline the median over launches. A layout's effect is the
   median over launches of what it differs from its launch, less the mean of all effects. So the headline is the mean
   over layouts, and p10 and p90 stand about the same headline.

If fewer than one layout in ten differ much, the mean may lie beyond p10 or p90: `skewed` says so.

An interval needs a number from each launch. There are two series for each of headline, p10 and p90:

    headline    the launch's mean over its layouts with step 2, and without
    p10, p90    the level in this launch of the layouts that are lowest (highest) in the other half of the launches,
                15 % of all: the mean of their blocks with step 2, and the median without

Each interval reaches as far as the wider of both says. The first series of a pair withstands disturbed blocks. The
second does not ask what other launches say of a block, and so it holds where many layouts move together from launch to
launch. Layouts are chosen by launches that they are not judged by: the lowest of many noisy ones is lower by luck, and
reads higher in another launch.

The percentile of the effects is also off by the noise of single blocks at the few layouts that are near: `errors`.

A group of layouts may change between two modes, about as often in one as in the other, and most launches at hand may
be in the rarer one. Then both series of p10 and p90 are about layouts that were chosen in the wrong mode. So what
layouts do together is looked for: the components of what is left that are stronger than in tables whose launches were
shuffled for each layout apart, and that are not the affair of few launches. If there is one, each layout stands where
its launch, its layout and these components put it, `moving`; and the bounds reach as far as p10 and p90 of the layouts
at the ranks of the interval.

Arrays may have more axes in front; all is in ln units."""

import math
from dataclasses import dataclass

import numpy as np

FAR = 4.0
USUAL = 0.8  # the share of blocks that "usual" covers
TAIL = 0.15  # of the layouts, about p10 or p90
TINY = 1e-12  # rounding
OFTEN = 0.2  # of the launches: what happens in fewer moves no median
SHUFFLES, BEYOND = 5, 1.1  # a component is more than chance if it is so much larger than that of each shuffled table
MEDIAN = 0.978  # of many: its standard error times the root of their number, where USUAL of them are within 1 (normal)


@dataclass(frozen=True)
class Fit:
    """Each series is [launch]."""

    headline: np.ndarray
    effects: np.ndarray  # [layout], whose mean is 0
    headlines: tuple  # two series
    p10: np.ndarray  # as a difference from the headline
    p90: np.ndarray
    p10s: tuple  # two series each
    p90s: tuple
    errors: np.ndarray  # of p10 and of p90: what the noise of single blocks adds
    moving: np.ndarray  # [rank over launches][layout]: the layouts where groups of them have put them

    @property
    def skewed(self):
        return (self.p10 > TINY) | (self.p90 < -TINY)


def polish(table, rounds=2):
    """(launch effects, layout effects), the layouts' at the level of the table."""
    layout = np.median(table, axis=-2)
    for _ in range(rounds):
        launch = np.median(table - layout[..., None, :], axis=-1)
        launch = launch - np.median(launch, axis=-1)[..., None]
        layout = np.median(table - launch[..., None], axis=-2)
    return launch, layout


def settled(table):
    """(the table with each block that is far off at what its launch and its layout say, what is usual)."""
    launch, layout = polish(table)
    said = launch[..., None] + layout[..., None, :]
    off = np.abs(table - said)
    usual = np.quantile(off, USUAL, axis=(-2, -1), keepdims=True)
    return np.where(off > FAR * usual, said, table), usual[..., 0, 0]


def fit(table):
    calm, usual = settled(table)
    headlines = calm.mean(axis=-1), table.mean(axis=-1)
    effects = _effects(calm, headlines[0])
    ends = np.percentile(effects, [10, 90], axis=-1)
    levels = _levels(calm, headlines[0], table)
    series = [tuple(level[end] for level in levels) for end in range(2)]
    alone = usual * MEDIAN / np.sqrt(table.shape[-2])
    near = (np.abs(effects - ends[..., None]) <= alone[..., None]).sum(axis=-1)
    return Fit(np.median(headlines[0], axis=-1), effects, headlines, ends[0], ends[1], *series,
               alone / np.sqrt(np.maximum(near, 1)), np.sort(moving(table), axis=-2))


def moving(table):
    """[launch][layout]: launch and layout effect, and what groups of layouts do together; NaN where none shows."""
    launch, layout = polish(table)
    said = launch[..., None] + layout[..., None, :]
    off, (n, k) = table - said, table.shape[-2:]
    noise = np.sqrt((off ** 2).mean(axis=(-2, -1))) * (math.sqrt(n) + math.sqrt(k))
    found = np.full(table.shape, np.nan)
    more = _strongest(off) > noise
    if more.any():  # else there is no need to shuffle
        found[more] = said[more] + _components(off[more], n)
    return found


def _components(off, n):
    """The sum of those components of tables that are more than chance; NaN where none is."""
    random = np.random.default_rng(1)
    chance = np.max([_strongest(random.permuted(off, axis=-2)) for _ in range(SHUFFLES)], axis=0)
    left, size, right = np.linalg.svd(off, full_matrices=False)
    often = 1 / (left ** 4).sum(axis=-2) >= OFTEN * n
    size = np.where((size > BEYOND * chance[..., None] + TINY) & often, size, 0.0)
    return np.where((size > 0).any(axis=-1)[..., None, None], (left * size[..., None, :]) @ right, np.nan)


def _strongest(table):
    """The largest singular value."""
    other = np.swapaxes(table, -1, -2)
    square = table @ other if table.shape[-2] <= table.shape[-1] else other @ table
    return np.sqrt(np.maximum(np.linalg.eigvalsh(square)[..., -1], 0))


def _effects(calm, launches):
    """[layout], with the mean 0."""
    effects = np.median(calm - launches[..., None], axis=-2)
    return effects - effects.mean(axis=-1)[..., None]


def _levels(calm, launches, table):
    """The levels about p10 and about p90, [2][launch], by effects from the other half of the launches: the mean of the
    settled blocks, and the median of all."""
    n = table.shape[-2]
    found = np.empty((2, 2, *table.shape[:-1]))
    for mine in range(2):
        other = slice(1 - mine, None, 2) if n > 1 else slice(None)
        effects = _effects(calm[..., other, :], launches[..., other])
        order = np.argsort(effects, axis=-1)
        number = max(1, round(TAIL * effects.shape[-1]))
        ends = np.percentile(effects, [10, 90], axis=-1)
        for end, layouts in enumerate((order[..., :number], order[..., -number:])):
            for kind, (blocks, middle) in enumerate(((calm, np.mean), (table, np.median))):
                bare = blocks[..., mine::2, :] - effects[..., None, :]
                level = middle(np.take_along_axis(bare, layouts[..., None, :], axis=-1), axis=-1)
                found[kind, end][..., mine::2] = level + ends[end][..., None]
    return found
