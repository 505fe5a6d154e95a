# SPDX-License-Identifier: MIT
"""Resident memory over time: a burst, everything freed, then light work. Small multiples: a panel for each
configuration, all on one scale.

The line is the median over launches; the band goes from the least to the greatest of them. The baseline is drawn thin
in every other panel."""

from functools import partial

import numpy as np
from matplotlib.ticker import MaxNLocator, NullLocator

from plots.figures import allocator_style, style
from plots.files.allocator_run import TIMELINE
from plots.words import quantity

COLUMNS, PANEL_IN, TITLE_IN, BELOW_IN, GAP_IN, LEFT_IN = 4, 0.62, 0.2, 0.22, 0.16, 0.6
POINTS = 240
REFERENCE = {"color": style.FAINT, "linewidth": 0.7, "linestyle": "-"}


def load(run):
    """(seconds, {configuration: [launch][time] bytes}) on one grid of times: 0 is where each process begins to free all
    that it has, since how long the burst takes is the affair of whoever runs beside it."""
    documents = {cell.configuration: list(cell.launches.values()) for (_, work), cell in run.cells.items()
                 if work == TIMELINE and cell.launches}
    if not documents:
        return np.zeros(0), {}
    every = [document for found in documents.values() for document in found]
    end = min(document["t_ms"][-1] - document["burst_end_ms"] for document in every)
    start = max(document["t_ms"][0] - document["burst_end_ms"] for document in every)
    grid = np.linspace(start, end, POINTS)
    curves = {name: np.array([np.interp(grid, np.array(one["t_ms"]) - one["burst_end_ms"], one["rss_b"])
                              for one in found]) for name, found in documents.items()}
    return grid / 1000, curves


def figures(run, summary):
    seconds, curves = load(run)
    return {"rss_over_time": partial(draw, run, summary, seconds, curves)} if curves else {}


def draw(run, summary, seconds, curves):
    baseline = summary.baseline
    allocators = {column.configuration: column.allocator for column in summary.columns}
    order = sorted(curves, key=lambda name: name != baseline)
    rows = [order[i:i + COLUMNS] for i in range(0, len(order), COLUMNS)]
    launches = max(len(found) for found in curves.values())
    shown = {allocators.get(name) for name in order}
    keys = [style.Key(name, {"color": look.colour, "linewidth": 1.4}) for name, look in allocator_style.LOOKS.items()
            if name in shown]
    keys += [style.Key("least to greatest of the launches", {"facecolor": style.FLOOR_SPREAD}, True)] * (launches > 1)
    keys += [style.Key(f"{baseline}, to compare", REFERENCE)] * (len(order) > 1 and baseline in curves)
    height = TITLE_IN + PANEL_IN
    page = style.Page(height * len(rows) + BELOW_IN, "Memory over time: a burst, then idle",
                      "Everything is freed at 0 s; what stays resident is what the allocator keeps.", keys,
                      f"Medians of {launches} launches; seconds since all was freed." if launches > 1 else
                      "Seconds since all was freed.", allocator_style.small_print(run))
    limits = (min(found.min() for found in curves.values()) / 1.15,
              max(found.max() for found in curves.values()) * 1.15)
    edges = allocator_style.grid(COLUMNS, COLUMNS, LEFT_IN, style.WIDTH_IN - style.MARGIN_IN, GAP_IN)
    top = height * len(rows) + BELOW_IN
    for n, row in enumerate(rows):
        for i, (name, (left, right)) in enumerate(zip(row, edges)):
            ax = page.axes(left, right, top - height, top - TITLE_IN)
            title = allocator_style.fitted(name, right - left, style.SMALL_PT, middle=True)
            ax.set_title(style.plain(title), fontsize=style.SMALL_PT, loc="left", pad=2,
                         fontweight="bold" if name == baseline else "normal")
            draw_panel(ax, seconds, name, curves[name], allocator_style.look(allocators.get(name)).colour, limits)
            if baseline in curves and name != baseline:
                ax.plot(seconds, _median(curves[baseline]), zorder=2.4, **REFERENCE)
            below = n + 1 == len(rows) or i >= len(rows[n + 1])
            ax.tick_params(labelleft=i == 0, labelbottom=below, labelsize=style.SMALL_PT, length=2, pad=1)
        top -= height
    return page.fig


def _median(found):
    return np.maximum(np.median(found, axis=0), 1)


def draw_panel(ax, seconds, name, found, colour, limits):
    """`found`: bytes, [launch][time]."""
    ax.fill_between(seconds, found.min(axis=0), found.max(axis=0), color=colour, alpha=0.15, linewidth=0, zorder=1.5)
    ax.plot(seconds, _median(found), color=colour, linewidth=1.4, zorder=2.5, label=name)
    ax.axvline(0, color=style.FAINT, linewidth=0.8, linestyle=":", zorder=1)
    ax.set_yscale("log", base=2)
    ax.set_xlim(seconds[0], seconds[-1])
    ax.set_ylim(*limits)
    ax.xaxis.set_major_locator(MaxNLocator(4, integer=True, prune="upper"))
    ticks = allocator_style.power_ticks(*limits, 4)
    ax.set_yticks(ticks, [quantity.size(x) for x in ticks])
    ax.yaxis.set_minor_locator(NullLocator())
    ax.grid(True, axis="y", linewidth=0.5)
