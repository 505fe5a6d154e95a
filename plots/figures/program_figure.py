# SPDX-License-Identifier: MIT
"""A program of the user's under every configuration: a row each, a panel for each number, the ratio to the baseline.

A dot is the median over runs, its bar the interval. Filled: decided, blue where it is better and orange where it is
worse, a square where both are equal. Hollow: undecided. The grey band is the floor: what the baseline differs by from
itself. Above a panel stands what the baseline has. A configuration without numbers has its reason instead."""

import math
from functools import partial

from matplotlib.ticker import NullLocator

from plots.files.allocator_run import PROGRAM
from plots.figures import allocator_style, style
from plots.judge.allocators.metrics import BY_NAME
from plots.judge.pair_summary import Estimate
from plots.words import quantity

ROW_IN, HEAD_IN, BELOW_IN, GAP_IN = 0.19, 0.42, 0.5, 0.14
LEAST = 1.02  # the axis reaches as far on both sides
MOST = 64.0
BETTER = {"faster", "less", "better"}
WORSE = {"slower", "more", "worse"}


def figures(run, summary):
    works = [work for work in summary.workloads if work.kind == PROGRAM]
    return {"program": partial(draw, run, summary, works[0])} if works and any(rows(summary, works[0])) else {}


def rows(summary, work):
    """Its cells, the best first; the baseline's second name last of those with numbers; then those without."""
    cells = {cell.configuration: cell for cell in summary.cells_of(work)}
    ranked = [one.configuration for one in work.ranking]
    names = ranked + [name for name in cells if name not in ranked]
    names.sort(key=lambda name: not cells[name].metrics)
    absent = [column for column in summary.columns if column.configuration not in cells]
    return [cells[name] for name in names], absent


def draw(run, summary, work):
    measured, absent = rows(summary, work)
    shown = [BY_NAME[one.name] for one in summary.metrics
             if any(one.name in cell.metrics for cell in measured)]
    every = [*measured, *absent]
    body_in = HEAD_IN + ROW_IN * len(every) + BELOW_IN
    page = style.Page(body_in, f"{work.workload} under {quantity.counted(len(every), 'configuration')}",
                      f"Each number as a ratio to {summary.baseline}, whose own stands above.", _keys(summary),
                      _caption(summary), allocator_style.small_print(run))
    name_in = allocator_style.names_in(row.configuration for row in every)
    edges = allocator_style.grid(len(shown), len(shown), style.MARGIN_IN + name_in, style.WIDTH_IN - style.MARGIN_IN,
                                 GAP_IN)
    for n, (metric, (left, right)) in enumerate(zip(shown, edges)):
        ax = page.axes(left, right, BELOW_IN, BELOW_IN + ROW_IN * len(every))
        _panel(ax, metric, measured, every, summary, work.floors.get(metric.name))
        if n == 0:
            _names(ax, every, summary.baseline, name_in, right - left)
            _reasons(ax, every, edges[-1][1] - left, right - left)
    return page.fig


def _names(ax, every, baseline, name_in, width_in):
    for y, row in enumerate(every):
        name = allocator_style.fitted(row.configuration, name_in - 0.1, style.TEXT_PT, middle=True)
        ax.text(-0.08 / width_in, y + 0.5, style.plain(name), ha="right", va="center", fontsize=style.TEXT_PT,
                fontweight="bold" if row.configuration == baseline else "normal",
                transform=ax.get_yaxis_transform())


def _reasons(ax, every, room_in, width_in):
    """Across all panels, where a configuration has no numbers."""
    for y, row in enumerate(every):
        if not getattr(row, "metrics", None):
            why = f"{row.state}: {row.reason}" if row.reason else row.state
            ax.text(0.06 / width_in, y + 0.5, style.plain(allocator_style.fitted(why, room_in - 0.1, style.SMALL_PT)),
                    va="center", fontsize=style.SMALL_PT, color=style.FAINT, transform=ax.get_yaxis_transform(),
                    zorder=4)


def _panel(ax, metric, measured, every, summary, floor):
    found = [cell.metrics.get(metric.name) for cell in measured]
    ax.set_xscale("log", base=2)
    ax.set_ylim(len(every), 0)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    low, high = _limits(found, floor)
    ax.set_xlim(low, high)
    ticks = style.ratio_ticks(low, high, 3)
    ax.set_xticks(ticks, [quantity.ratio_tick(x).replace("×", "") for x in ticks], fontsize=style.SMALL_PT)
    ax.xaxis.set_minor_locator(NullLocator())
    ax.axvline(1, color=style.GRID, linewidth=0.8, zorder=0.8)
    if floor:
        ax.axvspan(1 / (1 + floor), 1 + floor, color=style.FLOOR_SPREAD, linewidth=0, zorder=0.5)
    for y, one in enumerate(found):
        if one:
            _mark(ax, y + 0.5, one)
    own = next((cell.metrics[metric.name].value.estimate for cell in measured
                if cell.configuration == summary.baseline and metric.name in cell.metrics), None)
    for line, (words, weight) in enumerate(((metric.short, "bold"), ("" if own is None else quantity.of_unit(
            own, metric.unit), "normal"))):
        ax.annotate(style.plain(words), (0.5, 1), (0, 16 - 11 * line), xycoords="axes fraction",
                    textcoords="offset points", ha="center", va="bottom", fontsize=style.TEXT_PT, fontweight=weight)
    below, above = _directions(metric, summary, found)
    ax.set_xlabel(f"← {below}  {above} →", fontsize=style.SMALL_PT, labelpad=2)


def _directions(metric, summary, found):
    """The words for a ratio below 1, and above: of a metric of the program's own these may be turned round."""
    turned = any(one and one.ratio and one.decision in ("better", "worse") and
                 (one.decision == "better") == (one.ratio.estimate > 1) for one in found)
    return (metric.worse, metric.better) if turned else (metric.better, metric.worse)


def _limits(found, floor):
    """As far on both sides of 1, so that panels compare."""
    ratios = [one.ratio for one in found if one and one.ratio]
    ends = [value for ratio in ratios for value in (ratio.low, ratio.estimate, ratio.high) if value]
    reach = max([LEAST, 1 + (floor or 0), *(max(end, 1 / end) for end in ends)])
    reach = min(reach ** 1.15, MOST)
    return 1 / reach, reach


def _mark(ax, y, one):
    decision, ratio = one.decision, one.ratio or Estimate(estimate=1.0, low=None, high=None)
    side = style.VALUE if decision in BETTER else style.POINTER if decision in WORSE else None
    colour = side.colour if side else style.INK if decision == "baseline" else style.FAINT
    marker = side.marker if side else "s" if decision == "equal" else "o"
    if ratio.low is not None:
        ax.plot([ratio.low, ratio.high], [y, y], color=colour, linewidth=1.4, zorder=2)
    filled = side or decision in ("equal", "baseline")
    ax.plot([ratio.estimate], [y], linestyle="none", marker=marker, markersize=4, color=colour,
            markerfacecolor=colour if filled else "white", markeredgewidth=0.9, zorder=3)


def _keys(summary):
    def mark(side=None, marker="o", filled=True, colour=style.FAINT):
        colour = side.colour if side else colour
        return {"linestyle": "none", "marker": side.marker if side else marker, "markersize": 4, "color": colour,
                "markerfacecolor": colour if filled else "white", "markeredgewidth": 0.9}
    keys = [style.Key(summary.baseline, mark(colour=style.INK))]
    if summary.quick:
        return [*keys, style.Key("no verdict", mark(filled=False))]
    return [*keys, style.Key("better", mark(style.VALUE)), style.Key("worse", mark(style.POINTER)),
            style.Key("equal", mark(marker="s")), style.Key("undecided", mark(filled=False)),
            style.Key("floor", {"facecolor": style.FLOOR_SPREAD}, True)]


def _caption(summary):
    if summary.quick:
        return "A quick run: a first look, and no verdicts."
    decided, cells, again, wrong = (sum(getattr(one, key) for one in summary.metrics) for key in (
        "decided", "cells", "again_cells", "again_different"))
    text = f"Bars: intervals over runs. {decided} of {cells} cells are decided."
    return text + (f" {summary.again} is {summary.baseline} again: {wrong} of its {again} cells were decided "
                   "different." if again else "")
