# SPDX-License-Identifier: MIT
"""Where the launches and the layouts of a pair lie, a strip for each of its rows: small multiples on one scale.

A stroke is one launch (left) or one layout (right), at its ratio over the ratio of the row, so that rows of any ratio
compare. Thick bar: the interval over launches. Thin line: p10 to p90 over layouts. Tall stroke: where pointer/value
is 1, if that is in sight; left of it the pointer side was faster, right of it the value side."""

import math
from dataclasses import dataclass

import numpy as np
from matplotlib.ticker import MaxNLocator

from plots.figures import style
from plots.words import quantity

LABEL_IN, RATIO_IN = 0.78, 1.4
PANELS = (("launches", 1.6, 4.75), ("layouts", 5.0, 8.1))
STRIP_IN, ABOVE_IN, BELOW_IN = 0.21, 0.24, 0.42
REACH = 0.34  # of a strip's height, a stroke's half


@dataclass(frozen=True)
class Row:
    size: int
    ratio: float  # the headline; all others are ratios too
    launches: np.ndarray
    layouts: np.ndarray
    interval: tuple  # (low, high) or ()
    spread: tuple
    names: dict  # {side: what the lesson calls it}


def load(summary, pair, measured):
    """The rows of a pair that have launches. `measured`: statistics.Measured by row."""
    rows = []
    for row in summary.rows:
        mine = measured.get(row.row)
        if row.pair != pair or not row.ratio or mine is None or not mine.launches:
            continue
        paired = row.by_turns  # launches and layouts are those of rounds by turns
        layouts = mine.fit.headline + mine.fit.effects
        rows.append(Row(row.size, paired.ratio.estimate, np.exp(mine.headlines), np.exp(layouts), _ends(paired.ratio),
                        _ends(paired.spread), {side: row.name_of(side) for side in style.SIDES}))
    return sorted(rows, key=lambda row: row.size)


def _ends(part):
    return part.ends if part and None not in part.ends else ()


def limits(rows, field):
    """Both ends of a panel's axis: all of its strokes, the same way from 1 on either side."""
    range_of = {"launches": "interval", "layouts": "spread"}[field]
    reach = max(abs(math.log(x / row.ratio)) for row in rows
                for x in (*getattr(row, field), *getattr(row, range_of), row.ratio * 1.001))
    return math.exp(-1.06 * reach), math.exp(1.06 * reach)


def draw(ax, rows, field):
    """One panel, the strip of row i around y = i + 0.5."""
    low, high = limits(rows, field)
    ax.set_xscale("log", base=2)
    ax.set_xlim(low, high)
    ax.set_ylim(len(rows), 0)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.minorticks_off()
    ticks = style.ratio_ticks(low, high, 7)
    texts = [quantity.ratio_tick(x) for x in ticks]
    if len(ticks) < 3:  # launches of a quiet machine differ by less than the finest of these steps
        ticks = [x for x in MaxNLocator(4).tick_values(low, high) if low <= x <= high]
        texts = [quantity.digits(x, 6, exact=True) for x in ticks]
    ax.set_xticks(ticks, texts)
    ax.tick_params(axis="x", length=2, pad=2)
    ax.set_xlabel(f"ratio of a {'launch' if field == 'launches' else 'layout'} / ratio of the row", labelpad=3)
    ax.text(0, 1 + 0.08 * ax.figure.dpi / ax.bbox.height, f"over {field}", transform=ax.transAxes, ha="left",
            va="bottom", fontsize=style.TEXT_PT, fontweight="bold")
    for x in ticks:
        ax.axvline(x, color=style.GRID, linewidth=0.5, zorder=0.4)
    for i, row in enumerate(rows):
        _draw_strip(ax, i + 0.5, row, field, (low, high))


def _draw_strip(ax, y, row, field, ends):
    ax.axhline(y + 0.5, color=style.GRID, linewidth=0.5, zorder=0.4)
    numbers = getattr(row, field)
    for side, mine in (("value", numbers[numbers >= 1]), ("pointer", numbers[numbers < 1])):
        if len(mine):
            ax.plot(*strokes(mine / row.ratio, y), color=style.SIDES[side].colour, linewidth=0.7, zorder=2)
    low_high, width = (row.interval, 3) if field == "launches" else (row.spread, 0.9)
    if low_high:
        ax.plot([x / row.ratio for x in low_high], [y, y], color=style.INK, linewidth=width, alpha=0.55, zorder=3)
    if ends[0] <= 1 / row.ratio <= ends[1]:
        ax.plot([1 / row.ratio] * 2, [y - 0.5, y + 0.5], color=style.INK, linewidth=1.2, zorder=2.5)


def strokes(x, y):
    """Upright strokes at every x as one line with gaps: one path in the SVG instead of hundreds of marks."""
    gaps = np.full(len(x), np.nan)
    return (np.column_stack([x, x, gaps]).ravel(),
            np.column_stack([np.full(len(x), y - REACH), np.full(len(x), y + REACH), gaps]).ravel())


def figures(summary, manifest, measured):
    """A figure for each pair that was measured, by its file's name."""
    made = {}
    for pair in dict.fromkeys(row.pair for row in summary.rows):
        rows = load(summary, pair, measured)
        if rows:
            made[f"distribution_{pair}"] = _page(pair, rows, manifest)
    return made


def _page(pair, rows, manifest):
    body_in = len(rows) * STRIP_IN + ABOVE_IN + BELOW_IN
    page = style.Page(body_in, f"{pair}: where launches and layouts lie", "", _keys(rows), _caption(rows),
                      style.small_print(manifest, pair))
    for field, left, right in PANELS:
        ax = page.axes(left, right, BELOW_IN, body_in - ABOVE_IN)
        draw(ax, rows, field)
        if field == "launches":
            _draw_labels(ax, rows, left, right)
    return page.fig


def _draw_labels(ax, rows, left_in, right_in):
    text = {"transform": ax.get_yaxis_transform(), "ha": "right", "va": "center", "fontsize": style.TEXT_PT}
    above = text | {"transform": ax.transAxes, "va": "bottom", "color": style.FAINT}
    for at_in, title, shown in ((LABEL_IN, "size", lambda row: f"{row.size}"),
                                (RATIO_IN, "ratio", lambda row: quantity.ratio(row.ratio, *row.interval))):
        x = (at_in - left_in) / (right_in - left_in)
        ax.text(x, 1 + 0.08 * ax.figure.dpi / ax.bbox.height, title, **above)
        for i, row in enumerate(rows):
            ax.text(x, i + 0.5, shown(row), **text)


def _keys(rows):
    keys = []
    for name, side in style.SIDES.items():
        if any((row.layouts >= 1).any() if name == "value" else (row.layouts < 1).any() for row in rows):
            keys.append(style.Key(f"{rows[0].names[name]} faster",
                                  {"color": side.colour, "marker": "|", "markersize": 7, "linestyle": "none",
                                   "markeredgewidth": 1}))
    if any(row.interval for row in rows):
        keys.append(style.Key("interval over launches", {"color": style.INK, "linewidth": 3, "alpha": 0.55}))
    if any(row.spread for row in rows):
        keys.append(style.Key("spread over layouts, p10 to p90", {"color": style.INK, "linewidth": 0.9, "alpha": 0.55}))
    if any(limits(rows, field)[0] <= 1 / row.ratio <= limits(rows, field)[1] for field, _, _ in PANELS for row in rows):
        keys.append(style.Key("here pointer/value is 1", {"color": style.INK, "marker": "|", "markersize": 9,
                                                          "linestyle": "none", "markeredgewidth": 1.2}))
    return keys


def _caption(rows):
    launches, layouts = max(len(row.launches) for row in rows), max(len(row.layouts) for row in rows)
    return (f"A strip is a size. A stroke is one of {launches} launches (its mean over the layouts), or one of "
            f"{layouts} layouts (what it differs from its launch, as a median over launches), divided by the ratio of "
            "the row. Two clusters of strokes are two kinds of placement. Each panel has its own scale.")
