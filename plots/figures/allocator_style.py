# SPDX-License-Identifier: MIT
"""What the figures about allocator configurations share. Thirty configurations are too many for colours: an allocator
has one, with a shape that tells it apart in grey print, and a configuration has its name beside its mark."""

import math
from dataclasses import dataclass

from matplotlib.patches import Rectangle

from plots.figures import style
from plots.words.fitting import cut

MOST_WORKS = 14  # side by side on a page


@dataclass(frozen=True)
class Look:
    colour: str
    marker: str


LOOKS = {"jemalloc": Look("#6b4f7d", "o"), "glibc": Look("#8a6d1b", "s"), "mimalloc": Look("#1a8f72", "^"),
         "tcmalloc": Look("#a8487f", "D")}
OTHER = Look("#5c5c5c", "X")
NAME_IN = 2.1  # room for a configuration's name, at the most


def look(allocator):
    return LOOKS.get(allocator, OTHER)


def small_print(run):
    settings = run.manifest["settings"]
    launches = f"{settings['launches']} {'launch' if settings['launches'] == 1 else 'launches'} of each"
    return " · ".join([*style.place(run.manifest), launches, style.made(run.manifest)])


def names_in(names):
    """Room for these names beside an axis."""
    return min(NAME_IN, 0.12 + max(style.text_width_in(name, style.TEXT_PT, "bold") for name in names))


def fitted(text, width_in, pt, middle=False):
    """`text`, cut where it is too long: see cut()."""
    return cut(text, lambda shown: style.text_width_in(shown, pt) <= width_in, middle)


def grid(n, columns, left_in, right_in, gap_in):
    """Left and right edge of each column."""
    width = (right_in - left_in - gap_in * (columns - 1)) / columns
    return [(left_in + i * (width + gap_in), left_in + i * (width + gap_in) + width) for i in range(columns)][:n]


def hatch(ax, x, y, width, height):
    ax.add_patch(Rectangle((x, y), width, height, facecolor="white", edgecolor=style.FLOOR_INTERVAL, hatch="/////",
                           linewidth=0))


def power_ticks(low, high, most):
    """Powers of two between the limits, at most so many."""
    first, last = math.ceil(math.log2(low) - 1e-9), math.floor(math.log2(high) + 1e-9)
    step = max(1, -(-(last - first + 1) // most))
    return [2.0 ** n for n in range(first, last + 1) if n % step == 0] or [2.0 ** n for n in range(first, last + 1)]


def without_pairs(works):
    """The workloads of a figure with a place for each: where they are many, the pairs have a figure of their own."""
    return works if len(works) <= MOST_WORKS else [work for work in works if work.kind != "pair"]
