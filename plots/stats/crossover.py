# SPDX-License-Identifier: MIT
"""Between which sizes does the winner change? By the rule that words/rules/crossover_rule.txt explains.

It comes from the rows' own verdicts: no interval, threshold or estimate of its own can contradict them."""

import math
from dataclasses import dataclass

import numpy as np

CLIFF = 1.1  # measured sizes this close leave nothing to guess between them
NEITHER = "neither"  # wins at a size, for certain


@dataclass(frozen=True)
class Crossover:
    """One side wins up to the size `low`, the other from `high` on; both were measured. `size` is where the line
    through the ratios crosses 1: a guess, None where a size between them is undecided: then nothing is known of it."""

    low: int
    high: int
    faster_below: str
    size: float | None
    between: tuple = ()  # sizes at which neither wins for certain
    undecided: tuple = ()  # sizes of which nothing is known

    @property
    def faster_above(self):
        return "pointer" if self.faster_below == "value" else "value"

    @property
    def is_cliff(self):
        return self.high <= CLIFF * self.low


@dataclass(frozen=True)
class Crossovers:
    """Of one pair over its sizes. `state`: crossing; open where the winner changes, but across undecided sizes; none;
    unclear where no size has a winner; few where no size has launches enough to have one."""

    pair: str
    found: tuple  # without those across undecided sizes
    across: tuple  # those
    state: str
    smallest: int
    largest: int
    faster: str | None  # where the state is none: at `clear` of the `sizes`
    clear: int
    sizes: int


def crossovers(pair, sizes, ln_ratios, winners, enough=True):
    """`sizes` ascend; of each its ln ratio, and who wins: value, pointer, NEITHER, or None where that is undecided.
    `enough`: whether any size has launches enough for an interval."""
    clear = [i for i, winner in enumerate(winners) if winner in ("value", "pointer")]
    found = [_between(sizes, ln_ratios, winners, left, right) for left, right in zip(clear, clear[1:])
             if winners[left] != winners[right]]
    across = tuple(one for one in found if one.undecided)
    if not clear:
        state = "unclear" if enough else "few"
    else:
        state = "none" if not found else "open" if len(across) == len(found) else "crossing"
    return Crossovers(pair, tuple(one for one in found if not one.undecided), across, state, sizes[0], sizes[-1],
                      winners[clear[0]] if state == "none" else None, len(clear), len(sizes))


def _between(sizes, ln_ratios, winners, left, right):
    inner = range(left + 1, right)
    undecided = tuple(sizes[i] for i in inner if winners[i] is None)
    size = None if undecided else _crossing(np.log(np.array(sizes[left:right + 1], float)),
                                            np.array(ln_ratios[left:right + 1]))
    return Crossover(sizes[left], sizes[right], winners[left], size,
                     tuple(sizes[i] for i in inner if winners[i] == NEITHER), undecided)


def _crossing(ln_sizes, curve):
    """The middle, in ln size, of the first and the last place at which the line through the points crosses 0."""
    before, after = curve[:-1], curve[1:]
    crosses = np.flatnonzero(np.sign(before) != np.sign(after))
    if not len(crosses):
        return math.exp(ln_sizes.mean())
    share = before[crosses] / (before - after)[crosses]
    places = ln_sizes[crosses] + np.clip(share, 0, 1) * np.diff(ln_sizes)[crosses]
    return math.exp((places[0] + places[-1]) / 2)
