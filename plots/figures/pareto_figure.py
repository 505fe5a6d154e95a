# SPDX-License-Identifier: MIT
"""Time against peak memory, a panel for each workload: what does speed cost?

A mark is a configuration, its place the ratios to the baseline, its bars their intervals. To the left is faster,
below is less memory. The line is the Pareto front: for a configuration on it, none is at once faster and smaller.
Luck makes no front: a ratio that is not decided counts as 1, the baseline goes before all that count as it does, and
a step is one per cent at least. Members carry letters, named below the panel; marks that lie on each other share a
label."""

import math
from dataclasses import dataclass
from functools import partial

import numpy as np
from matplotlib.ticker import NullLocator

from plots.figures import allocator_style, style
from plots.judge.allocators.metrics import time_of
from plots.judge.pair_summary import Estimate
from plots.words import quantity

COLUMNS, PANEL_IN, TITLE_IN, TICKS_IN, GAP_IN = 3, 1.75, 0.2, 0.38, 0.55
STEP = math.log(1.01)
LETTERS = "abcdefghijklmnopqrstuvwxyz"
NEAR_PX, LABEL_PX = 7, 9
LABEL_IN = -0.42  # of the upright axis, left of it, beyond its widest tick


@dataclass(frozen=True)
class Point:
    name: str
    allocator: str
    time: Estimate  # ratios
    peak: Estimate
    counts: tuple  # as these ln ratios, (time, peak), for the front

    @property
    def decided(self):
        return self.counts != (0.0, 0.0)


def load(summary, workload):
    allocators = {column.configuration: column.allocator for column in summary.columns}
    one = Estimate(estimate=1.0, low=None, high=None)
    points = []
    for cell in summary.cells:
        time, peak = (cell.metrics.get(metric) for metric in (time_of(summary).name, "peak_rss_b"))
        if cell.workload != workload or not time or not peak or cell.configuration == summary.again:
            continue
        baseline = cell.configuration == summary.baseline
        if not baseline and not (time.ratio and peak.ratio):
            continue
        points.append(Point(cell.configuration, allocators[cell.configuration], time.ratio or one, peak.ratio or one,
                            (_counts(time), _counts(peak))))
    return points


def _counts(part):
    """Its ln ratio if it was decided different, else that of the baseline."""
    counts = part.ratio and part.decision in ("slower", "faster", "more", "less")
    return math.log(part.ratio.estimate) if counts else 0.0


def front(points):
    """The points that none beats in both, in the order of time."""
    best, found = math.inf, []
    for point in sorted(points, key=lambda one: (one.counts, one.time.has_interval)):
        if point.counts[1] < best - STEP:
            best = point.counts[1]
            found.append(point)
    return found


def figures(run, summary):
    panels = [(work, load(summary, work.workload)) for work in allocator_style.without_pairs(summary.workloads)]
    panels = [(work, points) for work, points in panels if len(points) > 1]
    return {"pareto": partial(draw, run, summary, panels)} if panels else {}


def draw(run, summary, panels):
    edges = allocator_style.grid(COLUMNS, COLUMNS, style.MARGIN_IN + 0.48, style.WIDTH_IN - style.MARGIN_IN, GAP_IN)
    rows = [panels[i:i + COLUMNS] for i in range(0, len(panels), COLUMNS)]
    names = [[_names(front(points), edges[0][1] - edges[0][0] + 0.35) for _, points in row] for row in rows]
    heights = [TITLE_IN + PANEL_IN + TICKS_IN + max(map(len, found)) * style.line_in(style.SMALL_PT) + 0.12
               for found in names]
    shown = {point.allocator for _, points in panels for point in points}
    keys = [style.Key(name, _mark(name)) for name in allocator_style.LOOKS if name in shown]
    keys += [style.Key("another library", _mark(None))] if shown - set(allocator_style.LOOKS) else []
    keys += [style.Key("as the baseline, or undecided", _mark(None) | {"markerfacecolor": "white", "marker": "o"}),
             style.Key("Pareto front", {"color": style.INK, "linewidth": 1, "linestyle": ":"})]
    page = style.Page(sum(heights), "Time against peak memory",
                      f"Ratios to {summary.baseline}: left is faster, below is less memory. No other "
                      "configuration beats one on the Pareto front in both.", keys,
                      "Bars: intervals over launches. For the front, a ratio that is not decided counts as 1.",
                      allocator_style.small_print(run))
    top = sum(heights)
    for row, found, height in zip(rows, names, heights):
        for (work, points), lines, (left, right) in zip(row, found, edges):
            ax = page.axes(left, right, top - TITLE_IN - PANEL_IN, top - TITLE_IN)
            ax.set_title(style.plain(work.workload), fontsize=style.TEXT_PT, fontweight="bold", loc="left", pad=4)
            draw_panel(ax, points)
            ax.set_xlabel("time →", fontsize=style.SMALL_PT, labelpad=1)
            ax.set_ylabel("peak memory →", fontsize=style.SMALL_PT, va="center")
            ax.yaxis.set_label_coords(LABEL_IN / (right - left), 0.5)
            for n, line in enumerate(lines):
                y_in = TICKS_IN + (n + 0.5) * style.line_in(style.SMALL_PT)
                ax.text(-0.35 / (right - left), -y_in / PANEL_IN, style.plain(line), transform=ax.transAxes,
                        fontsize=style.SMALL_PT, va="center")
        top -= height
    return page.fig


def _names(found, width_in):
    lines = []
    for letter, point in zip(_letters(), found):
        name = allocator_style.fitted(f"{letter}: {point.name}", width_in, style.SMALL_PT)
        longer = f"{lines[-1]} · {name}" if lines else ""
        if lines and style.text_width_in(longer, style.SMALL_PT) <= width_in:
            lines[-1] = longer
        else:
            lines.append(name)
    return lines


def _letters():
    yield from LETTERS
    yield from (a + b for a in LETTERS for b in LETTERS)


def _mark(allocator):
    look = allocator_style.look(allocator)
    return {"linestyle": "none", "marker": look.marker, "markersize": 4, "color": look.colour,
            "markeredgewidth": 0.9}


def draw_panel(ax, points):
    ax.set_xscale("log", base=2)
    ax.set_yscale("log", base=2)
    _limits(ax, points)
    ax.axvline(1, color=style.GRID, linewidth=0.8, zorder=0.8)
    ax.axhline(1, color=style.GRID, linewidth=0.8, zorder=0.8)
    for point in points:
        mark = _mark(point.allocator)
        x, y = point.time.estimate, point.peak.estimate
        for part, other, across in ((point.time, y, True), (point.peak, x, False)):
            if part.has_interval:
                ends, at = part.ends, [other, other]
                ax.plot(*(ends, at) if across else (at, ends), color=mark["color"], linewidth=0.8, alpha=0.7, zorder=2)
        ax.plot([x], [y], **mark | {"markerfacecolor": mark["color"] if point.decided else "white"}, zorder=3)
    members = front(points)
    corners = [(a.time.estimate, a.peak.estimate) for a in members]
    stairs = [corner for a, b in zip(corners, corners[1:]) for corner in (a, (b[0], a[1]))] + corners[-1:]
    ax.plot(*zip(*stairs), color=style.INK, linewidth=1, linestyle=":", zorder=2.5, label="front")
    _label(ax, points, members)


def _limits(ax, points):
    for which, key in (("x", "time"), ("y", "peak")):
        ends = [value for point in points for value in vars(getattr(point, key)).values() if value is not None]
        low, high = min(ends + [1 / 1.05]), max(ends + [1.05])
        pad = max((high / low) ** 0.14, 1.06)
        low, high = low / pad, high * pad
        getattr(ax, f"set_{which}lim")(low, high)
        ticks = style.ratio_ticks(low, high, 5)[:7]
        ticks = ticks[:: -(-len(ticks) // 5)] if len(ticks) > 5 and 1 in ticks[:: -(-len(ticks) // 5)] else ticks
        getattr(ax, f"set_{which}ticks")(ticks, [quantity.ratio_tick(x).replace("×", "") for x in ticks])
        getattr(ax, f"{which}axis").set_minor_locator(NullLocator())


def _label(ax, points, members):
    """Letters beside the front's marks. Marks that are nearly one have one label; none covers a mark or another."""
    place = [ax.transData.transform((point.time.estimate, point.peak.estimate)) for point in points]
    groups = []
    for letter, point in zip(_letters(), members):
        xy = ax.transData.transform((point.time.estimate, point.peak.estimate))
        near = next((group for group in groups if abs(group[0] - xy).max() < NEAR_PX), None)
        if near:
            near[1] += letter
        else:
            groups.append([xy, letter])
    taken = [(xy[0] - 4, xy[1] - 4, xy[0] + 4, xy[1] + 4) for xy in place] + _lines(ax)
    for xy, text in groups:
        width = style.text_width_in(text, style.SMALL_PT, "bold") * ax.figure.dpi
        box = min(_around(xy, width, ax), key=lambda one: sum(_overlap(one, other) for other in taken))
        taken.append(box)
        x, y = ax.transAxes.inverted().transform(((box[0] + box[2]) / 2, (box[1] + box[3]) / 2))
        ax.text(x, y, text, transform=ax.transAxes, ha="center", va="center", fontsize=style.SMALL_PT,
                fontweight="bold", zorder=4)


def _lines(ax):
    """Boxes around what is drawn as lines, the bars and the front, in pixels."""
    found = []
    for line in ax.lines:
        if not all(line.get_transform().contains_branch_seperately(ax.transData)):
            continue  # the line at 1, across the whole panel
        ends = ax.transData.transform(np.column_stack(line.get_data()))
        found += [(*(np.minimum(a, b) - 1), *(np.maximum(a, b) + 1)) for a, b in zip(ends, ends[1:])]
    return found


def _around(xy, width, ax):
    """Boxes for a label beside a place, nearest first, that stay in the panel."""
    for reach in (9, 15, 22, 30):
        for dx, dy in ((-0.7, -0.7), (-1, 0), (0, -1), (0.7, -0.7), (-0.7, 0.7), (0, 1), (1, 0), (0.7, 0.7)):
            x, y = xy[0] + dx * (reach + width / 2 - 3), xy[1] + dy * reach
            box = (x - width / 2, y - LABEL_PX / 2, x + width / 2, y + LABEL_PX / 2)
            if ax.bbox.x0 < box[0] and box[2] < ax.bbox.x1 and ax.bbox.y0 < box[1] and box[3] < ax.bbox.y1:
                yield box
    yield (xy[0] - width / 2, xy[1] + 6, xy[0] + width / 2, xy[1] + 6 + LABEL_PX)


def _overlap(a, b):
    across, along = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    return across * along if across > 0 and along > 0 else 0.0
