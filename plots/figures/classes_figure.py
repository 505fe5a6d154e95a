# SPDX-License-Identifier: MIT
"""Which sizes a workload asks for: jemalloc's requests by size class, from the first chunk that was timed to the last
of the single operations that are timed alone.

A bar ends at its size class and begins at the next smaller one that was asked for, or a quarter octave below; its
height is the share of all requests."""

from functools import partial

from matplotlib.ticker import NullLocator

from plots.figures import allocator_style, style
from plots.words import quantity

COLUMNS, PANEL_IN, TITLE_IN, TICKS_IN, GAP_IN = 3, 1.1, 0.2, 0.38, 0.45


def load(run):
    """[(workload, [(class_b, requests)], configuration)] where there are any; the baseline's if it has them."""
    found = []
    for work in run.workloads:
        names = [run.baseline, *(column.name for column in run.in_force if column.name != run.baseline)]
        for name in names:
            cell = run.cells.get((name, work["name"]))
            classes = next((document["classes"] for document in (cell.launches.values() if cell else ())
                            if document.get("classes")), None)
            if classes and any(one["allocs"] for one in classes):
                bars = sorted((one["class_b"], one["allocs"]) for one in classes if one["allocs"])
                found.append((work["name"], bars, name))
                break
    return found


def figures(run, summary):
    panels = load(run)
    return {"size_classes": partial(draw, run, panels)} if panels else {}


def draw(run, panels):
    edges = allocator_style.grid(COLUMNS, COLUMNS, style.MARGIN_IN + 0.4, style.WIDTH_IN - style.MARGIN_IN - 0.05,
                                  GAP_IN)
    rows = [panels[i:i + COLUMNS] for i in range(0, len(panels), COLUMNS)]
    row_in = TITLE_IN + PANEL_IN + TICKS_IN
    whose = " and ".join(dict.fromkeys(name for _, _, name in panels))
    page = style.Page(row_in * len(rows), "Which sizes the workloads ask for",
                      "Share of all requests, by size class in bytes.", (),
                      f"Counts of {whose} in the first launch: of the timed chunks, and of the single operations that "
                      "are timed after them. Of other threads, the last requests of the warm-up may be included. A bar "
                      "ends at its size class.",
                      allocator_style.small_print(run))
    low = min(bars[0][0] for _, bars, _ in panels) / 1.5
    high = max(bars[-1][0] for _, bars, _ in panels) * 1.3
    for n, row in enumerate(rows):
        top = row_in * (len(rows) - n)
        for (work, bars, _), (left, right) in zip(row, edges):
            ax = page.axes(left, right, top - TITLE_IN - PANEL_IN, top - TITLE_IN)
            ax.set_title(style.plain(work), fontsize=style.TEXT_PT, fontweight="bold", loc="left", pad=4)
            draw_panel(ax, bars, low, high)
    return page.fig


def draw_panel(ax, bars, low, high):
    total = sum(n for _, n in bars)
    sizes = [size for size, _ in bars]
    below = [max(smaller, size / 2 ** 0.25) for size, smaller in zip(sizes, [0, *sizes])]
    ax.set_xscale("log", base=2)
    ax.set_xlim(low, high)
    ax.bar(below, [n / total for _, n in bars], width=[b - a for a, b in zip(below, sizes)], align="edge",
           color=style.VALUE.colour, edgecolor="white", linewidth=0.3)
    top = max(n for _, n in bars) / total * 1.12
    ax.set_ylim(0, top)
    ticks = next([k * step for k in range(1, 5) if k * step <= top]
                 for step in (0.5, 0.25, 0.2, 0.1, 0.05, 0.02, 0.01, 0.001) if step <= top)
    ax.set_yticks([0, *ticks], ["0", *(quantity.level(x) for x in ticks)])
    ticks = allocator_style.power_ticks(low, high, 6)
    ax.set_xticks(ticks, [quantity.size_tick(x) for x in ticks])
    ax.xaxis.set_minor_locator(NullLocator())
    ax.grid(True, axis="y", linewidth=0.5)
