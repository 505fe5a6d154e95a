# SPDX-License-Identifier: MIT
"""C beside Go: the ratio pointer/value of each lesson that both have, a row for each size, and the times behind it.

Filled: C, at the ratio of the run. Hollow: Go, at the ratio of its times. The line between them is how far the
languages are apart. Colour and shape are those of the faster side, as everywhere. Right of 1x the value side is
faster."""

import math
from dataclasses import dataclass
from functools import partial

from plots.figures import style
from plots.words import quantity
from plots.words.overview_text import unit_of

LEFT_IN, RIGHT_IN = 1.0, 4.7
TIMES_IN = (5.3, 6.0, 7.1, 7.8)  # where the columns of times end: C value, C pointer, Go value, Go pointer
ABOVE_IN, BELOW_IN, HEAD = 0.42, 0.42, 1.2  # HEAD: of a pair's name, in rows
LIMIT = 32.0
MOST = 1e9  # what is no time of Go's has ratios beyond


@dataclass(frozen=True)
class Row:
    pair: str
    size: int
    c: tuple  # (value ns, pointer ns), and its ratio
    c_ratio: float
    go: tuple

    @property
    def go_ratio(self):
        return self.go[1] / self.go[0]


def load(summary, document):
    """The rows that both languages measured; `document`: plots/go/go.py's."""
    mine, found = {row.row: row for row in summary.rows}, []
    for one in document.rows:
        row = mine.get(one.row)
        go = tuple(getattr(getattr(one, side), "ns_per_op", None) for side in style.SIDES)
        if row and row.ratio and all(go) and 1 / MOST < go[1] / go[0] < MOST:
            c = tuple(row.ns_per_op(side).estimate for side in style.SIDES)
            found.append(Row(row.pair, row.size, c, row.ratio.estimate, go))
    return found


def figures(summary, manifest, document):
    """{its file's name: what draws it}; nothing where Go measured none of the rows."""
    rows = load(summary, document)
    return {"go": partial(_page, rows, manifest, document.version)} if rows else {}


def _page(rows, manifest, version):
    pairs = {}
    for row in rows:
        pairs.setdefault(row.pair, []).append(row)
    rows_high = len(rows) + HEAD * len(pairs)
    body_in = rows_high * style.ROW_IN + ABOVE_IN + BELOW_IN
    page = style.Page(
        body_in, "The same lessons in C and in Go", "Does the language change the answer?", _keys(rows),
        "A row is a lesson at one size. A mark is pointer time/value time; right of 1× the value side is faster. Go's "
        "times are of each side alone, in one binary at one place: read them roughly.",
        f"{style.small_print(manifest)} · {version}")
    ax = page.axes(LEFT_IN, RIGHT_IN, BELOW_IN, body_in - ABOVE_IN)
    _axis(ax, rows, rows_high)
    y = 0.0
    for pair, mine in pairs.items():
        name = style.plain(f"{pair} ({unit_of(manifest, pair)})")
        ax.text(_beside(style.MARGIN_IN), y + HEAD / 2 + 0.1, name, va="center", fontweight="bold",
                fontsize=style.TEXT_PT, transform=ax.get_yaxis_transform())
        y += HEAD
        for row in mine:
            _row(ax, y + 0.5, row)
            y += 1
    return page.fig


def _axis(ax, rows, rows_high):
    found = [min(max(x, 1 / LIMIT), LIMIT) for row in rows for x in (row.c_ratio, row.go_ratio)]
    low, high = min([0.8, *found]) / 1.08, max([1.25, *found]) * 1.08
    ax.set_xscale("log", base=2)
    ax.set_xlim(low, high)
    ax.set_ylim(rows_high, 0)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.minorticks_off()
    ticks = style.ratio_ticks(low, high)
    ax.set_xticks(ticks, [quantity.ratio_tick(x) for x in ticks])
    ax.tick_params(axis="x", length=2, pad=2)
    ax.set_xlabel("ratio pointer/value of ns/op, log scale", labelpad=3)
    for x in ticks:
        ax.axvline(x, color=style.INK if x == 1 else style.GRID, linewidth=0.9 if x == 1 else 0.5, zorder=0.6)
    above = {"transform": ax.transAxes, "va": "bottom", "fontsize": style.TEXT_PT}
    y = 1 + 0.08 * ax.figure.dpi / ax.bbox.height
    ax.text(0, y, "← pointer faster", ha="left", fontweight="bold", color=style.POINTER.text, **above)
    ax.text(1, y, "value faster →", ha="right", fontweight="bold", color=style.VALUE.text, **above)
    for x_in, words in zip(TIMES_IN, ("C: value", "pointer", "Go: value", "pointer")):
        ax.text(_beside(x_in), y, words, ha="right", color=style.FAINT, **above)


def _row(ax, y, row):
    text = {"transform": ax.get_yaxis_transform(), "va": "center", "ha": "right", "fontsize": style.TEXT_PT}
    ax.text(_beside(LEFT_IN - 0.12), y, str(row.size), **text)
    for x_in, ns in zip(TIMES_IN, (*row.c, *row.go)):
        ax.text(_beside(x_in), y, quantity.time(ns, 3), **text)
    places = [min(max(x, 1 / LIMIT), LIMIT) for x in (row.c_ratio, row.go_ratio)]
    ax.plot(places, [y, y], color=style.FAINT, linewidth=0.7, zorder=2)
    for ratio, x, filled in zip((row.c_ratio, row.go_ratio), places, (True, False)):
        side = style.SIDES["value" if ratio >= 1 else "pointer"]
        marker = side.marker if math.isclose(ratio, x) else ">" if ratio > x else "<"
        ax.plot([x], [y], marker=marker, linestyle="none", color=side.colour, markersize=4.2, markeredgewidth=0.9,
                markerfacecolor=side.colour if filled else "white", zorder=3, clip_on=False)


def _beside(page_in):
    """A place on the page, in inches from its left, as a fraction of the axes' width."""
    return (page_in - LEFT_IN) / (RIGHT_IN - LEFT_IN)


def _keys(rows):
    keys = [style.Key(f"{language}, {name} faster", {
        "marker": side.marker, "linestyle": "none", "color": side.colour, "markersize": 4.8,
        "markerfacecolor": side.colour if language == "C" else "white"})
        for language in ("C", "Go") for name, side in style.SIDES.items()]
    if any(not 1 / LIMIT <= x <= LIMIT for row in rows for x in (row.c_ratio, row.go_ratio)):
        keys.append(style.Key("beyond the axis", {"marker": ">", "linestyle": "none", "color": style.FAINT,
                                                  "markersize": 4.8}))
    return keys
