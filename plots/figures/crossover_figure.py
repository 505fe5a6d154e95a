# SPDX-License-Identifier: MIT
"""Time of both sides against size, one figure per pair, with the sizes between which the winner changes.

Above: ns/op. Dot: the estimate of a size that was measured. Band: its interval over launches. Below: the ratio
pointer/value, with its interval and its spread over layouts. Upright band: the two
measured sizes between which the winner changes."""

import itertools
import math
from functools import partial

from matplotlib.ticker import NullLocator

from plots.figures import style
from plots.files import compiled
from plots.judge.causes import NEIGHBOURS
from plots.judge.pair_summary import SIDES
from plots.words import because, quantity
from plots.words.overview_text import unit_of
from plots.words.sentences import bracket

LEFT_IN, RIGHT_IN = 0.82, style.WIDTH_IN - 0.2
TIME_IN, RATIO_IN, BELOW_IN, GAP_IN = 3.0, 1.5, 0.45, 0.12
CODE_SIZES, CLIFF_TIME = 1.5, 1.25  # neighbours this close in size and this far apart in time are named
CROSSOVER = "#6b4f7d"
SWEEP = 3  # sizes: fewer are no curve
NEAR, HIDING, NEAR_IN = 1.25, 4.0, 0.8  # ratios near 1 are drawn once more where the axis has more octaves than HIDING


def load(summary, pair):
    return sorted(summary.pairs[pair], key=lambda row: row.size)


def load_crossovers(summary, pair):
    """Where the winner changes, and the sentence about it."""
    return next(((one.sizes, one.sentence or "") for one in summary.crossovers if one.pair == pair), ((), ""))


def at(part, end="estimate"):
    """An end of an estimate or of a spread; NaN, which leaves a gap, where it is not known."""
    found = getattr(part, end, None)
    return math.nan if found is None else found


def are_known(rows, part, end="low"):
    return any(not math.isnan(at(getattr(row, part), end)) for row in rows)


def timed(rows):
    return [row for row in rows if row.value_ns_per_op and row.pointer_ns_per_op]


def cliffs(rows):
    """Pairs of neighbouring sizes at which the time of a side jumps by more than the size explains: they hardly differ,
    or they differ a little and the code of a side is another."""
    found = []
    measured = timed(rows)
    for a, b in zip(measured, measured[1:]):
        sides = [[row.ns_per_op(side).estimate for row in (a, b)] for side in SIDES]
        jump = max(max(times) / min(times) for times in sides)
        if b.size <= NEIGHBOURS * a.size and jump >= CLIFF_TIME:
            found.append((a.size, b.size))
        elif b.size <= CODE_SIZES * a.size and jump >= CLIFF_TIME * b.size / a.size and because.cliff(
                a, b, dict.fromkeys(SIDES)):
            found.append((a.size, b.size))
    return found


def draw_times(ax, rows):
    """ns/op of both sides: a line through the sizes, a dot at each, a band for the interval."""
    sizes = [row.size for row in rows]
    _size_axis(ax, sizes)
    ax.set_yscale("log")
    for name, side in style.SIDES.items():
        times = [row.ns_per_op(name) for row in rows]
        ax.fill_between(sizes, [at(ns, "low") for ns in times], [at(ns, "high") for ns in times], color=side.colour,
                        alpha=0.25, linewidth=0, zorder=1.5)
        ax.plot(sizes, [at(ns) for ns in times], color=side.colour, linestyle=side.line, linewidth=1.3,
                marker=side.marker, markersize=3.6, zorder=2.5, label=rows[0].name_of(name))
    _time_axis(ax, rows)
    for row in rows:
        if row.failed:
            ax.plot([row.size], [0.03], marker="x", color=style.INK, markersize=5, zorder=3,
                    transform=ax.get_xaxis_transform())


def draw_ratios(ax, rows):
    """Ratio pointer/value: interval as a bar, spread over layouts as a thin line."""
    _draw_ratios(ax, rows, *_ratio_limits(rows))
    _label(ax, "pointer/value")
    side = {"transform": ax.transAxes, "ha": "right", "fontsize": style.TEXT_PT, "fontweight": "bold"}
    ax.text(0.995, 0.97, f"{rows[0].name_of('value')} faster ↑", va="top", color=style.VALUE.text, **side)
    ax.text(0.995, 0.04, f"{rows[0].name_of('pointer')} faster ↓", va="bottom", color=style.POINTER.text, **side)


def is_hidden(rows):
    """Whether octaves of ratio hide what lies near 1."""
    low, high = _ratio_limits(rows)
    return math.log2(high / low) > HIDING and any(1 / NEAR <= at(row.ratio) <= NEAR for row in rows)


def draw_near(ax, rows):
    """The same ratios, of those near 1; the others stand at the edge as arrowheads."""
    _draw_ratios(ax, rows, 1 / NEAR, NEAR)
    _label(ax, "near 1×")
    for row in rows:
        ratio, colour = at(row.ratio), style.VERDICTS[row.verdict].colour
        if not math.isnan(ratio) and not 1 / NEAR <= ratio <= NEAR:
            ax.plot([row.size], [0.96 if ratio > 1 else 0.04], marker="^" if ratio > 1 else "v", markersize=3,
                    color=colour, linestyle="none", transform=ax.get_xaxis_transform(), zorder=2.5)


def _draw_ratios(ax, rows, low, high):
    _size_axis(ax, [row.size for row in rows])
    ax.set_yscale("log", base=2)
    for row in rows:
        mark = style.VERDICTS[row.verdict]
        for part, ends, width, z in ((row.spread, ("p10", "p90"), 0.9, 2), (row.ratio, ("low", "high"), 3, 2.1)):
            ax.plot([row.size] * 2, [at(part, end) for end in ends], color=mark.colour, linewidth=width, zorder=z)
        ax.plot([row.size], [at(row.ratio)], color=mark.colour, linestyle="none", marker=mark.marker,
                markersize=3.6, markerfacecolor=mark.colour if mark.filled else "white", zorder=2.5)
    ax.set_ylim(low, high)
    ticks = style.ratio_ticks(low, high, 6)
    ax.set_yticks(ticks, [quantity.ratio_tick(x) for x in ticks])
    ax.yaxis.set_minor_locator(NullLocator())
    ax.grid(True, axis="y", linewidth=0.5)
    ax.axhline(1, color=style.INK, linewidth=0.9, zorder=0.9)


def draw_crossovers(axes, crossovers):
    for ax in axes:
        for crossover in crossovers:
            if crossover.low is not None and crossover.high is not None:
                ax.axvspan(crossover.low, crossover.high, color=CROSSOVER, alpha=0.18, linewidth=0, zorder=0.5)
            ax.axvline(crossover.estimate, color=CROSSOVER, linewidth=1.1, linestyle="-.", zorder=0.8)


def draw_cliffs(axes, found):
    for ax in axes:
        for below, above in found:
            ax.axvline(math.sqrt(below * above), color=style.FAINT, linewidth=0.7, linestyle=":", zorder=0.7)


def _size_limits(sizes):
    low, high = min(sizes), max(sizes)
    pad = max((high / low) ** 0.03, 1.05)
    return low / pad, high * pad


def _size_axis(ax, sizes):
    low, high = min(sizes), max(sizes)
    ax.set_xscale("log", base=2)
    ax.set_xlim(*_size_limits(sizes))
    first, last = math.ceil(math.log2(low) - 1e-9), math.floor(math.log2(high) + 1e-9)
    step = -(-(last - first + 1) // 15)
    ticks = [2.0 ** n for n in range(first, last + 1, step)] if last - first >= 2 else sorted(set(sizes))
    ax.set_xticks(ticks, [quantity.size_tick(x) for x in ticks])
    ax.xaxis.set_minor_locator(NullLocator())
    ax.grid(True, axis="x", linewidth=0.5)


def _time_axis(ax, rows):
    numbers = [x for row in timed(rows) for side in SIDES for x in vars(row.ns_per_op(side)).values() if x is not None]
    low, high = min(numbers), max(numbers)
    pad = max((high / low) ** 0.06, 1.08)
    ax.set_ylim(low / pad, high * pad)
    ticks = style.time_ticks(*ax.get_ylim())
    ax.set_yticks(ticks, [quantity.time(ns, exact=True) for ns in ticks])
    ax.yaxis.set_minor_locator(NullLocator())
    ax.grid(True, axis="y", linewidth=0.5)
    _label(ax, "time per operation (ns/op)")


def _label(ax, text):
    """Name the upright axis, at one distance from the page's edge whatever its ticks read."""
    ax.set_ylabel(text, va="center")
    ax.yaxis.set_label_coords((style.MARGIN_IN + 0.05 - LEFT_IN) / (RIGHT_IN - LEFT_IN), 0.5)


def _ratio_limits(rows):
    """All of the data and 1x, with an empty strip on top and below for the words that say who is faster."""
    parts = [*((row.ratio, end) for row in rows for end in ("estimate", "low", "high")),
             *((row.spread, end) for row in rows for end in ("p10", "p90"))]
    numbers = [x for x in itertools.starmap(at, parts) if not math.isnan(x)]
    left, right = -math.log2(min([0.99, *numbers])), math.log2(max([1.01, *numbers]))
    span = left + right
    return 2 ** -(left + 0.22 * span), 2 ** (right + 0.22 * span)


def cliff_text(rows, below, above, ours=None):
    """256 | 257: vector moves to rep movs; the sizes alone where the code does not show whether anything changes.
    `ours`: the ABI of sizes that are bytes."""
    of = {row.size: row for row in rows}
    said = because.cliff(of[below], of[above], {side: rows[0].name_of(side) for side in SIDES}, ours)
    said = said or ("copies as before" if because.copies_as_before(of[below], of[above]) else None)
    return f"{below} | {above}" + (f": {said}" if said else "")


def crossover_text(crossover, unit="B"):
    return f"crossover {bracket(crossover.low, crossover.high, crossover.estimate, unit)}"


def figures(summary, manifest):
    """{its file's name: what draws it}, for each pair with three sizes or more that were measured."""
    plans = {}
    for pair in summary.pairs:
        rows = load(summary, pair)
        if len(timed(rows)) >= SWEEP:
            plans[f"crossover_{pair}"] = partial(_page, pair, rows, summary, manifest)
    return plans


def _page(pair, rows, summary, manifest):
    crossovers, sentence = load_crossovers(summary, pair)
    unit = unit_of(manifest, pair)
    ours = compiled.abi(manifest) if unit == "B" else None
    found, sizes = cliffs(rows), [row.size for row in rows]
    over_times = style.in_lanes([(_place_in(math.sqrt(a * b), sizes), cliff_text(rows, a, b, ours)) for a, b in found])
    over_ratios = style.in_lanes([(_place_in(one.estimate, sizes), crossover_text(one, unit)) for one in crossovers],
                                 "bold")
    near_in = NEAR_IN + GAP_IN if is_hidden(rows) else 0
    ratios_in = BELOW_IN + near_in
    times_in = ratios_in + RATIO_IN + GAP_IN + style.lanes_in(over_ratios)
    page = style.Page(times_in + TIME_IN + 0.08 + style.lanes_in(over_times), f"{pair}: {rows[0].question}",
                      f"Crossover: {sentence}" if sentence else "", _keys(rows, crossovers, found),
                      _caption(summary, rows, sentence, crossovers, found), style.small_print(manifest, pair))
    low_ax = page.axes(LEFT_IN, RIGHT_IN, ratios_in, ratios_in + RATIO_IN)
    top_ax = page.axes(LEFT_IN, RIGHT_IN, times_in, times_in + TIME_IN)
    axes = [low_ax, top_ax]
    if near_in:
        axes.insert(0, page.axes(LEFT_IN, RIGHT_IN, BELOW_IN, BELOW_IN + NEAR_IN))
        draw_near(axes[0], rows)
    draw_times(top_ax, rows)
    draw_ratios(low_ax, rows)
    draw_crossovers(axes, crossovers)
    draw_cliffs(axes, found)
    for ax in axes[1:]:
        ax.tick_params(axis="x", labelbottom=False)
    axes[0].set_xlabel(style.plain(style.size_label(unit)), labelpad=3)
    style.write_lanes(top_ax, over_times, 0.02, color=style.FAINT)
    style.write_lanes(low_ax, over_ratios, 0.04, fontweight="bold", color=CROSSOVER)
    return page.fig


def _place_in(size, sizes):
    """Where a size stands on the page, in inches from its left."""
    low, high = map(math.log, _size_limits(sizes))
    return LEFT_IN + (RIGHT_IN - LEFT_IN) * (math.log(size) - low) / (high - low)


def _keys(rows, crossovers, found):
    keys = [style.Key(rows[0].name_of(name), {"color": side.colour, "linestyle": side.line, "marker": side.marker,
                                              "linewidth": 1.3, "markersize": 4})
            for name, side in style.SIDES.items()]
    if are_known(rows, "value_ns_per_op"):
        keys.append(style.Key("interval over launches", {"facecolor": style.VALUE.colour, "alpha": 0.25}, band=True))
    if are_known(rows, "ratio"):
        keys.append(style.Key("interval of the ratio", {"color": style.FAINT, "linewidth": 3}))
    if are_known(rows, "spread", "p10"):
        keys.append(style.Key("spread over layouts, p10 to p90", {"color": style.FAINT, "linewidth": 0.9}))
    if crossovers:
        keys.append(style.Key("probably near", {"color": CROSSOVER, "linestyle": "-.", "linewidth": 1.1}))
    if any(c.low is not None for c in crossovers):
        keys.append(style.Key("crossover lies here", {"facecolor": CROSSOVER, "alpha": 0.18}, band=True))
    if found:
        keys.append(style.Key("cliff", {"color": style.FAINT, "linestyle": ":", "linewidth": 0.9}))
    if any(row.failed for row in rows):
        keys.append(style.Key("failed", {"color": style.INK, "marker": "x", "linestyle": "none", "markersize": 5}))
    return keys


def _caption(summary, rows, sentence, crossovers, found):
    text = ["Above: the time of one operation on a quiet core, with a mark for each measured size. Below: pointer "
            "time/value time, with the mark of the faster side or a grey one; a filled mark is decided. Above 1× the "
            "value side is faster."]
    if are_known(rows, "value_ns_per_op"):
        text.append("A band that cannot be seen is narrower than the line.")
    if is_hidden(rows):
        text.append(f"At the bottom the same ratios once more, between {quantity.ratio_tick(1 / NEAR)} and "
                    f"{quantity.ratio_tick(NEAR)}; an arrowhead lies beyond.")
    if crossovers:
        text.append("The winner changes between the two measured sizes at the ends of the upright band; where between "
                    "them is a guess.")
    if sentence:
        text.append("A side wins where the whole interval of the ratio is on its side. Its mark is filled if also at "
                    "most one layout in ten says the opposite.")
    if found:
        text.append("A cliff is a jump of time between two sizes that hardly differ, or at which the code changes.")
    if summary.quick:
        text.append("This was a quick run: no intervals, no verdicts.")
    return " ".join(text)
