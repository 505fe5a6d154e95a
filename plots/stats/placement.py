# SPDX-License-Identifier: MIT
"""Which property of the code's place tells the slow layouts of a side from the fast ones.

A layout has a time (ln ns, the median over launches), and a property has it or not: a loop crosses a cache line there,
a jump crosses a window. The property that explains most of the variance of the times is taken for the cause if

  - the layouts that have it are the slower ones, by SLOWER or more,
  - it explains EXPLAINS of the variance or more, and
  - shuffled times are explained as well, by the best of all properties, in fewer than 1 - CONFIDENCE of SHUFFLES
    permutations: the best of many is held against the best of many.

This shows that the times go with the property, not that no other property of the same places is behind it: properties
that the same layouts have cannot be told apart, and are all returned."""

from dataclasses import dataclass

import numpy as np

CONFIDENCE = 0.999
SHUFFLES = 9999
EXPLAINS = 0.5
SLOWER = 0.02
SEED = 20261130  # the same run gives the same answer


@dataclass(frozen=True)
class Cause:
    properties: tuple[int, ...]  # columns, the same layouts for all
    slower: float  # ln units
    explains: float  # of the variance
    layouts: int  # that have it


def cause(ln_ns, properties):
    """A Cause or None. `ln_ns`: [layout]; `properties`: [layout][property], of booleans."""
    had = np.asarray(properties, float)
    ln_ns = np.asarray(ln_ns, float)
    if had.size == 0 or ln_ns.std() == 0:
        return None
    known = np.flatnonzero((had.std(axis=0) > 0))  # all layouts have the others, or none does
    if not known.size:
        return None
    columns = had[:, known] - had[:, known].mean(axis=0)
    columns /= np.linalg.norm(columns, axis=0)
    times = (ln_ns - ln_ns.mean()) / np.linalg.norm(ln_ns - ln_ns.mean())
    along = columns.T @ times  # above 0: slower with the property
    best = along.max()
    if best <= 0 or best ** 2 < EXPLAINS:
        return None
    first = known[along.argmax()]
    mask = had[:, first] > 0
    slower = float(ln_ns[mask].mean() - ln_ns[~mask].mean())
    if slower < SLOWER or _by_chance(columns, times, best) >= 1 - CONFIDENCE:
        return None
    same = tuple(int(k) for k in known if np.array_equal(had[:, k], had[:, first]))
    return Cause(same, slower, float(best ** 2), int(mask.sum()))


def _by_chance(columns, times, best):
    draw = np.random.default_rng(SEED)
    shuffled = draw.permuted(np.broadcast_to(times, (SHUFFLES, len(times))), axis=1)
    return (1 + int(((shuffled @ columns).max(axis=1) >= best - 1e-12).sum())) / (1 + SHUFFLES)
