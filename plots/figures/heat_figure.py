# SPDX-License-Identifier: MIT
"""Every configuration in every workload: a row each, a column each, the ratio to the baseline in each cell.

Blue: better than the baseline; orange: worse; the deeper, the further. Grey: undecided, the interval crosses the floor.
White with a frame: equal. Hatched: no number. A row that is hatched throughout was not in force and has its
reason; a single cell failed, or was not measured for this metric, and the report says which. In grey print the numbers
tell better from worse."""

import math
from functools import partial

import numpy as np
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.patches import Rectangle

from plots.figures import allocator_style, style
from plots.judge.allocators.metrics import BY_NAME
from plots.stats.multiplicity import EQUAL_WITHIN
from plots.words import quantity
from plots.words.sentences import capital, ratio

SHOWN = {"ns_per_op": "heat_time", "p99_ns": "heat_p99", "peak_rss_b": "heat_peak", "retained_rss_b": "heat_retained",
         "faults_per_op": "heat_faults"}
# Not quite the other figures' blue, orange, black and white, which a page turns about in the dark: a cell stays as is.
BETTER, WORSE, UNDECIDED = "#1b4a93", "#e08a1d", "#dcdcdc"
BLACK, WHITE = "#000001", "#fffffe"  # letters on these
PALETTE = LinearSegmentedColormap.from_list("better to worse", [BETTER, "#ffffff", WORSE])
FULL = 3.0  # octaves: eight times, and beyond, has the full colour
ROW_IN, HEAD_PT = 0.185, style.TEXT_PT
ELSEWHERE = "(other workloads and pairs included) are decided"


def colour(ratio):
    """Of a decided ratio: by the root of its octaves, so that a tenth is seen and eightfold is not all there is."""
    octaves = max(-FULL, min(FULL, math.log2(ratio)))
    return PALETTE(0.5 + 0.5 * math.copysign(math.sqrt(abs(octaves) / FULL), octaves))


def ink(background):
    """Black or white, whichever is read better on it."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(background)]
    luminance = float(np.dot(linear, (0.2126, 0.7152, 0.0722)))
    return BLACK if (luminance + 0.05) / 0.05 >= 1.05 / (luminance + 0.05) else WHITE


def figures(run, summary):
    plans = {}
    if run.program:  # one column: program_figure.py shows all of its numbers at once
        return plans
    for metric, name in SHOWN.items():
        works = [work for work in summary.workloads if any(metric in cell.metrics for cell in summary.cells_of(work))]
        apart = allocator_style.without_pairs(works)
        if apart:
            plans[name] = partial(draw, run, summary, BY_NAME[metric], apart)
        if len(apart) < len(works) and metric == "ns_per_op":  # a pair's process is no workload for memory's sake
            plans[f"{name}_pairs"] = partial(draw, run, summary, BY_NAME[metric],
                                             [work for work in works if work not in apart])
    return plans


def draw(run, summary, metric, works):
    cells = {(cell.configuration, cell.workload): cell for cell in summary.cells}
    columns = summary.columns
    head_in = 0.1 + max(style.text_width_in(work.workload, HEAD_PT) for work in works)
    below_in = 0.12
    body_in = head_in + ROW_IN * len(columns) + below_in
    less = "faster" if metric.unit == "ns" else "less"
    page = style.Page(
        body_in, f"{capital(metric.title)}, as a ratio to {summary.baseline}",
        f"Below 1 is {less}, above 1 {'slower' if less == 'faster' else 'more'}; the number is the median over "
        "launches.",
        _keys(summary, less), _caption(summary, metric, works), allocator_style.small_print(run))
    name_in = allocator_style.names_in(column.configuration for column in columns)
    left = style.MARGIN_IN + name_in
    ax = page.axes(left, style.WIDTH_IN - style.MARGIN_IN, below_in, below_in + ROW_IN * len(columns))
    ax.set_xlim(0, len(works))
    ax.set_ylim(len(columns), 0)
    ax.axis("off")
    width_in = (style.WIDTH_IN - style.MARGIN_IN - left) / len(works)
    for x, work in enumerate(works):
        ax.text(x + 0.5, -0.25, style.plain(work.workload), rotation=90, ha="center", va="bottom", fontsize=HEAD_PT)
    for y, column in enumerate(columns):
        name = allocator_style.fitted(column.configuration, name_in - 0.1, style.TEXT_PT, middle=True)
        _row(ax, y, column, works, cells, metric, summary.baseline, width_in, name)
    return page.fig


def _row(ax, y, column, works, cells, metric, baseline, width_in, label):
    name = column.configuration
    weight = "bold" if name == baseline else "normal"
    x = -0.08 / width_in
    ax.text(x, y + 0.5, style.plain(label), ha="right", va="center", fontsize=style.TEXT_PT, fontweight=weight)
    if column.state != "in force":
        _band(ax, 0, y, len(works), f"{column.state}: {column.reason}", width_in)
        return
    for i, work in enumerate(works):
        cell = cells.get((name, work.workload))
        one = cell and cell.metrics.get(metric.name)
        if one is None:
            allocator_style.hatch(ax, i, y, 1, 1)
        else:
            _cell(ax, i, y, one)


def _band(ax, x, y, cells, text, width_in):
    allocator_style.hatch(ax, x, y, cells, 1)
    text = allocator_style.fitted(text, cells * width_in - 0.3, style.SMALL_PT)
    ax.text(x + cells / 2, y + 0.5, style.plain(text), ha="center", va="center", fontsize=style.SMALL_PT,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.2})


def _cell(ax, x, y, one):
    decision = one.decision
    if decision == "baseline":
        fill, letters, text = "#ffffff", style.INK, "1"
    elif one.ratio is None:
        fill, letters, text = UNDECIDED, style.FAINT, "–"
    else:
        text = ratio(one.ratio)
        if decision in ("undecided", "no verdict"):
            fill, letters = UNDECIDED, style.FAINT
        elif decision == "equal":
            fill, letters = "#ffffff", style.FAINT
        else:
            fill = colour(one.ratio.estimate)
            letters = ink(fill)
    edge = (style.FAINT, 0.7) if decision == "equal" else (style.GRID, 0.4)
    ax.add_patch(Rectangle((x + 0.02, y + 0.05), 0.96, 0.9, facecolor=fill, edgecolor=edge[0], linewidth=edge[1]))
    ax.text(x + 0.5, y + 0.52, text, ha="center", va="center", fontsize=style.SMALL_PT, color=letters)


def _keys(summary, less):
    out = style.Key("not measured", {"facecolor": "#ffffff", "edgecolor": style.FLOOR_INTERVAL, "hatch": "/////"}, True)
    if summary.quick:
        return [style.Key("no verdict", {"facecolor": UNDECIDED}, True), out]
    worse = "slower" if less == "faster" else "more"
    steps = ((1 / 8, f"1/8 or {less}"), (1 / 2, "1/2"), (0.9, "0.9"), (1.1, "1.1"), (2, "2"), (8, f"8 or {worse}"))
    return [*(style.Key(label, {"facecolor": colour(ratio)}, True) for ratio, label in steps),
            style.Key("undecided: crosses the floor", {"facecolor": UNDECIDED}, True),
            style.Key(f"equal within {quantity.level(EQUAL_WITHIN[-1])}",
                      {"facecolor": "#ffffff", "edgecolor": style.FAINT, "linewidth": 0.6}, True), out]


def _caption(summary, metric, works):
    one = summary.decided(metric)
    if summary.quick:
        return "A quick run: a first look, and no verdicts."
    shown = {work.workload for work in works}
    whole = all(cell.workload in shown for cell in summary.cells if metric.name in cell.metrics)
    text = (f"{one.decided} of {one.cells} cells {'are decided' if whole else ELSEWHERE}. Each interval is at "
            f"{quantity.level(one.confidence)}: on average at most {quantity.level(summary.rule.rate)} of the "
            "decided cells are wrong, by simulation.")
    if one.again_cells:
        text += (f" {summary.again} is {summary.baseline} again: {one.again_different} of its "
                 f"{one.again_cells} cells were decided different.")
    return text
