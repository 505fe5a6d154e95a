# SPDX-License-Identifier: MIT
"""Resident memory over time: a burst, everything freed, then light work.

A panel is an allocator. A line is the median over launches; configurations of one allocator whose lines are near each
other are one line, named once at its end; who is in it stands below. A band, where it can be seen, is from the least to
the greatest of the launches. The baseline is drawn thin in the panels of the other allocators."""

import math
from dataclasses import dataclass

import numpy as np
from matplotlib.ticker import NullLocator

from plots.figures import allocator_style, style
from plots.files.allocator_run import TIMELINE
from plots.words import quantity

LEFT_IN, BELOW_IN, LABEL_IN, TITLE_IN = 0.75, 0.42, 2.0, 0.26
PANEL_IN, LINE_IN = 0.9, 0.2  # how high a panel is: at the least, and more for each line
POINTS = 240
LINES = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (6, 1.5, 1.2, 1.5)), (0, (9, 3)), (0, (1, 3)))  # by turns
MOST = len(LINES)  # of an allocator
NEAR = 0.04  # in ln units: closer than this, on average over the time after the burst, two lines are one


@dataclass(frozen=True)
class Group:
    names: tuple  # the baseline first, where it is among them
    rss_b: np.ndarray  # of the first
    low_b: np.ndarray
    high_b: np.ndarray


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


def grouped(curves, allocators, baseline, after):
    """Groups of configurations of one allocator that are near each other where `after` is true, at most MOST of an
    allocator; and how near that is."""
    medians = {name: np.maximum(np.median(found, axis=0), 1) for name, found in curves.items()}
    order = sorted(medians, key=lambda name: (name != baseline, float(medians[name][-1])))
    near = NEAR
    while True:
        groups = []
        for name in order:
            ln = np.log(medians[name])
            mine = next((group for group in groups if allocators.get(group[0]) == allocators.get(name)
                         and abs(ln - np.log(medians[group[0]]))[after].mean() < near), None)
            groups.append([name]) if mine is None else mine.append(name)
        of = [allocators.get(group[0]) for group in groups]
        if max(map(of.count, of)) <= MOST:
            break
        near *= 1.25
    made = []
    for names in groups:
        every = np.concatenate([curves[name] for name in names])
        made.append(Group(tuple(names), medians[names[0]], every.min(axis=0), every.max(axis=0)))
    return sorted(made, key=lambda group: -group.rss_b[-1]), near


def figures(run, summary):
    seconds, curves = load(run)
    return {"rss_over_time": draw(run, summary, seconds, curves)} if curves else {}


def draw(run, summary, seconds, curves):
    baseline = summary["baseline"]
    allocators = {column["configuration"]: column["allocator"] for column in summary["columns"]}
    groups, near = grouped(curves, allocators, baseline, seconds > 0)
    panels = {}
    for group in groups:
        panels.setdefault(allocators.get(group.names[0]), []).append(group)
    panels = dict(sorted(panels.items(), key=lambda panel: panel[0] != allocators.get(baseline)))
    launches = max(len(found) for found in curves.values())
    keys = [style.Key("least to greatest of the launches", {"facecolor": style.FLOOR_SPREAD}, True)] * (launches > 1)
    keys += [style.Key(f"{baseline}, to compare", REFERENCE)] * (len(panels) > 1 and baseline in curves)
    heights = [TITLE_IN + PANEL_IN + LINE_IN * len(mine) for mine in panels.values()]
    page = style.Page(sum(heights) + BELOW_IN, "Memory over time: a burst, then idle",
                      "Everything is freed at 0 s; what stays resident is what the allocator keeps.",
                      keys, _caption(groups, near, launches), allocator_style.small_print(run))
    limits = (min(group.low_b.min() for group in groups) / 1.15, max(group.high_b.max() for group in groups) * 1.15)
    top = sum(heights) + BELOW_IN
    for (allocator, mine), height in zip(panels.items(), heights):
        ax = page.axes(LEFT_IN, style.WIDTH_IN - style.MARGIN_IN - LABEL_IN, top - height, top - TITLE_IN)
        ax.set_title(style.plain(allocator or "another library"), fontsize=style.TEXT_PT, fontweight="bold", loc="left",
                     pad=4)
        top -= height
        looks = [(allocator_style.look(allocator).colour, line) for _, line in zip(mine, LINES)]
        draw_lines(ax, seconds, mine, looks, limits)
        if baseline in curves and allocator != allocators.get(baseline):
            ax.plot(seconds, np.maximum(np.median(curves[baseline], axis=0), 1), zorder=2.4, **REFERENCE)
        ax.axvline(0, color=style.FAINT, linewidth=0.8, linestyle=":", zorder=1)
        ax.tick_params(axis="x", labelbottom=top <= BELOW_IN + 1e-9)
        _names(ax, mine, looks)
    ax.set_xlabel("seconds since all was freed")
    return page.fig


REFERENCE = {"color": style.FAINT, "linewidth": 0.7, "linestyle": "-"}


def _caption(groups, near, launches):
    several = [f"{group.names[0]}: with {', '.join(group.names[1:])}." for group in groups if len(group.names) > 1]
    medians = f"Medians of {launches} launches. " if launches > 1 else ""
    return "\n".join([f"{medians}Configurations of an allocator that differ by less than "
                      f"{quantity.percent(math.expm1(near))} on average, after the burst, share a line.", *several])


def draw_lines(ax, seconds, groups, looks, limits):
    for group, (colour, line) in zip(groups, looks):
        ax.fill_between(seconds, group.low_b, group.high_b, color=colour, alpha=0.15, linewidth=0, zorder=1.5)
        ax.plot(seconds, group.rss_b, color=colour, linestyle=line, linewidth=1.4, zorder=2.5, label=group.names[0])
    ax.set_yscale("log", base=2)
    ax.set_xlim(seconds[0], seconds[-1])
    ax.set_ylim(*limits)
    ticks = allocator_style.power_ticks(*limits, 5)
    ax.set_yticks(ticks, [quantity.size(x) for x in ticks])
    ax.yaxis.set_minor_locator(NullLocator())
    ax.grid(True, axis="y", linewidth=0.5)


def _names(ax, groups, looks):
    """Each line's name at its end, moved apart where they meet, with a thread to the line."""
    dpi = ax.figure.dpi
    wanted = [ax.transData.transform((0, group.rss_b[-1]))[1] for group in groups]
    places = allocator_style.apart(wanted, style.line_in(style.TEXT_PT) * dpi)
    shift = min(0.0, ax.bbox.y1 - max(places))
    inverse = ax.transAxes.inverted()
    for group, (colour, line), at, place in zip(groups, looks, wanted, places):
        more = f" +{len(group.names) - 1}" if len(group.names) > 1 else ""
        room = LABEL_IN - 0.3 - style.text_width_in(more, style.TEXT_PT)
        name = allocator_style.fitted(group.names[0], room, style.TEXT_PT, middle=True)
        y0, y1 = inverse.transform((0, at))[1], inverse.transform((0, place + shift))[1]
        x1 = 1 + 0.2 * dpi / ax.bbox.width
        ax.plot([1.005, x1 - 0.006], [y0, y1], transform=ax.transAxes, color=colour, linestyle=line, linewidth=0.9,
                clip_on=False)
        ax.text(x1, y1, style.plain(name + more), transform=ax.transAxes, va="center", fontsize=style.TEXT_PT)
