# SPDX-License-Identifier: MIT
"""Does the allocator change the answer? For each pair with a heap side: at which size the winner changes, with the
baseline and with each configuration that certainly changes the answer.

Dark: the value side wins there; light: the pointer side. The bar goes between the two measured sizes between which the
winner changes, the dot is where it probably does (crossover.py). Pairs of one or two sizes have no curve to
cross: who wins at each stands in a table below."""

from functools import partial

from matplotlib.patches import Rectangle
from matplotlib.ticker import NullLocator

from plots.figures import allocator_style, style
from plots.words import quantity
from plots.words.sentences import bracket

UNCLEAR = {"linestyle": "none", "marker": "o", "markersize": 3, "color": style.FAINT, "markerfacecolor": "white",
           "markeredgewidth": 0.7}
ROW_IN, TITLE_IN, TICKS_IN, WORDS_IN = 0.17, 0.24, 0.42, 1.75
SWEEP = 3  # sizes
BELOW_IN = 0.12


def figures(run, summary):
    pairs = {}
    for found in summary.crossovers:
        pairs.setdefault(found.pair, []).append(found)
    return {"answers": partial(draw, run, summary, pairs)} if pairs else {}


def unit_of(run, pair):
    """What its sizes count, "" where the manifest does not say."""
    return next((work.get("size_unit", "") for work in run.workloads if work["pair"] == pair), "")


def sizes_of(rows):
    """Of a pair, those that any configuration was measured at."""
    return sorted({one.size for row in rows for one in row.winners})


def draw(run, summary, pairs):
    few = {pair: rows for pair, rows in pairs.items() if 0 < len(sizes_of(rows)) < SWEEP}
    pairs = {pair: rows for pair, rows in pairs.items() if pair not in few}
    said = caption(pairs, few, summary.baseline)
    pairs = {pair: shown(rows, summary.baseline) for pair, rows in pairs.items()}
    cells = [(pair, size) for pair, rows in few.items() for size in sizes_of(rows)]
    names = list(dict.fromkeys(
        row.configuration for rows in few.values() for row in shown(rows, summary.baseline)))
    head_in = 0.1 + max((style.text_width_in(label(*cell), style.SMALL_PT) for cell in cells), default=0)
    heights = [TITLE_IN + ROW_IN * len(rows) + TICKS_IN for rows in pairs.values()]
    table_in = TITLE_IN + head_in + ROW_IN * len(names) + BELOW_IN if few else 0
    keys = [style.Key("value wins", {"facecolor": style.VALUE.colour, "alpha": 0.55}, True),
            style.Key("pointer wins", {"facecolor": style.POINTER.colour, "alpha": 0.45}, True),
            style.Key("the winner changes here; the dot is a guess",
                      {"color": style.INK, "marker": "o", "markersize": 4, "linewidth": 2}),
            style.Key("no clear winner at this size" + (", or –" if few else ""), UNCLEAR),
            style.Key("where it does with the baseline", {"facecolor": style.FLOOR_SPREAD}, True)]
    page = style.Page(sum(heights) + table_in, "Does the allocator change the answer?",
                      "The size at which the winner changes between value and pointer, by configuration.", keys,
                      said, allocator_style.small_print(run))
    every = [row for rows in (*pairs.values(), *few.values()) for row in rows]
    name_in = allocator_style.names_in(row.configuration for row in every)
    top = sum(heights) + table_in
    for (pair, rows), height in zip(pairs.items(), heights):
        left, right = style.MARGIN_IN + name_in, style.WIDTH_IN - style.MARGIN_IN - WORDS_IN
        ax = page.axes(left, right, top - height + TICKS_IN, top - TITLE_IN)
        ax.set_title(style.plain(pair), fontsize=style.TEXT_PT, fontweight="bold", loc="left", pad=4)
        draw_pair(ax, rows, summary.baseline, right - left, name_in, unit_of(run, pair))
        top -= height
    if few:
        ax = page.axes(style.MARGIN_IN + name_in, style.WIDTH_IN - style.MARGIN_IN, BELOW_IN,
                       BELOW_IN + ROW_IN * len(names))
        draw_table(ax, few, cells, names, summary.baseline, name_in)
    return page.fig


def label(pair, size):
    return f"{pair} {quantity.size_tick(size)}"


def draw_table(ax, few, cells, names, baseline, name_in):
    """V where the value side wins, P where the pointer side does, a dash where neither does for certain."""
    ax.set_xlim(0, len(cells))
    ax.set_ylim(len(names), 0)
    ax.axis("off")
    width_in = (style.WIDTH_IN - 2 * style.MARGIN_IN - name_in) / len(cells)
    won = {(row.configuration, row.pair, one.size): one.faster
           for rows in few.values() for row in rows for one in row.winners}
    for x, cell in enumerate(cells):
        ax.text(x + 0.5, -0.25, style.plain(label(*cell)), rotation=90, ha="center", va="bottom",
                fontsize=style.SMALL_PT)
    for y, name in enumerate(names):
        shown = allocator_style.fitted(name, name_in - 0.1, style.TEXT_PT, middle=True)
        ax.text(-0.08 / width_in, y + 0.5, style.plain(shown), ha="right", va="center", fontsize=style.TEXT_PT,
                fontweight="bold" if name == baseline else "normal")
        for x, (pair, size) in enumerate(cells):
            if (name, pair, size) in won:
                _winner(ax, x, y, won[name, pair, size])


def _winner(ax, x, y, side):
    fill = style.SIDES[side].colour if side else "white"
    ax.add_patch(Rectangle((x + 0.04, y + 0.06), 0.92, 0.88, facecolor=fill, edgecolor=style.GRID, linewidth=0.4,
                           alpha=0.55 if side == "value" else 0.45 if side else 1))
    ax.text(x + 0.5, y + 0.52, side[0].upper() if side else "–", ha="center", va="center", fontsize=style.SMALL_PT,
            color=style.INK if side else style.FAINT)


def draw_pair(ax, rows, baseline, width_in, name_in, unit):
    low, high = min(row.smallest for row in rows), max(row.largest for row in rows)
    if low == high:
        low, high = low / 2, high * 2
    ax.set_xscale("log", base=2)
    ax.set_xlim(low, high)
    ax.set_ylim(len(rows), 0)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    for row in rows:
        if row.configuration == baseline:
            for one in row.sizes:
                if one.low is not None:
                    ax.axvspan(one.low, one.high, color=style.FLOOR_SPREAD, linewidth=0, zorder=0.5)
    for y, row in enumerate(rows):
        _row(ax, y, row, low, high)
        name = allocator_style.fitted(row.configuration, name_in - 0.1, style.TEXT_PT, middle=True)
        weight = "bold" if row.configuration == baseline else "normal"
        ax.text(-0.08 / width_in, y + 0.5, style.plain(name), ha="right", va="center", fontsize=style.TEXT_PT,
                fontweight=weight, transform=ax.get_yaxis_transform())
        ax.text(1 + 0.1 / width_in, y + 0.5, style.plain(words(row, unit)), va="center", fontsize=style.SMALL_PT,
                transform=ax.get_yaxis_transform())
    ticks = allocator_style.power_ticks(low, high, 10)
    ax.set_xticks(ticks, [quantity.size_tick(x) for x in ticks])
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xlabel(style.plain(style.size_label(unit)))


def _row(ax, y, row, low, high):
    for start, end, winner in segments(row):
        side = style.SIDES[winner]
        ax.barh(y + 0.5, end - start, left=start, height=0.34 if winner == "value" else 0.2, color=side.colour,
                alpha=0.55 if winner == "value" else 0.45, linewidth=0, zorder=1.5)
    unclear = [one.size for one in row.winners if one.faster is None]
    ax.plot(unclear, [y + 0.5] * len(unclear), **UNCLEAR, zorder=2.3, clip_on=False)
    for one in row.sizes:
        if one.low is not None:
            ax.plot([one.low, one.high], [y + 0.5] * 2, color=style.INK, linewidth=2, zorder=2.4)
        ax.plot([one.estimate], [y + 0.5], color=style.INK, marker="o", markersize=3.6, zorder=2.5)


def segments(row):
    """(from, to, winner) over the sizes that were measured; nothing where no size has a clear winner, or where one
    changes across a size that has none."""
    if row.state == "none":
        return [(row.smallest, row.largest, row.faster)]
    clear = [one.faster for one in row.winners if one.faster]
    if sum(a != b for a, b in zip(clear, clear[1:])) > len(row.sizes):
        return []
    found, start = [], row.smallest
    for one in row.sizes:
        found.append((start, one.estimate, one.faster_below))
        start = one.estimate
    if found:
        found.append((start, row.largest, "pointer" if row.sizes[-1].faster_below == "value" else "value"))
    return found


def words(row, unit="B"):
    """What stands beside a row, in the room that there is."""
    if row.state == "few":
        return "too few launches"
    if row.state == "unclear":
        return "no clear winner"
    if row.state == "none":
        clear = sum(one.faster is not None for one in row.winners)
        return f"{row.faster} wins throughout" if clear == len(row.winners) else (
            f"{row.faster} wins at {clear} of {len(row.winners)} sizes")
    if row.state == "open":
        return "changes at an unclear size"
    if len(row.sizes) > 1:
        return f"{len(row.sizes)} crossovers"
    one = row.sizes[0]
    text = bracket(one.low, one.high, None, unit)
    return allocator_style.fitted(text, WORDS_IN - 0.12, style.SMALL_PT)


def caption(pairs, few, baseline):
    """Of the curves each, of the table only what changes."""
    curves = [sentence(rows, baseline) for rows in pairs.values()]
    changed = [f"{pair} ({', '.join(names)})" for pair, rows in few.items() if (names := changing(rows, baseline))]
    table = [f"In the table, the winner is certainly another one than with {baseline}: "
             f"{'; '.join(changed) if changed else 'nowhere'}."] if few else []
    return "\n".join([*curves, *table, f"A configuration that is not drawn does not certainly differ from {baseline}."])


def shown(rows, baseline):
    """The baseline's row, first, and those of the configurations that change the answer; all where it has none."""
    own, found = [row for row in rows if row.configuration == baseline], differing(rows, baseline)
    others = {*changing(rows, baseline), *(name for part in found.values() for name in part)}
    return own + [row for row in rows if row.configuration in others] if own and found else rows


def changing(rows, baseline):
    """The configurations with which a size has the other winner than with the baseline."""
    own = {one.size: one.faster for row in rows if row.configuration == baseline for one in row.winners}
    return [row.configuration for row in rows
            if any(one.faster and own.get(one.size) and one.faster != own[one.size]
                   for one in row.winners)]


def differing(rows, baseline):
    """{how: the configurations that change the answer for certain}: another winner throughout, crossovers where the
    baseline has none ("others"), or its only one moved beyond the sizes that enclose the baseline's. Empty where the
    baseline has no one answer."""
    known = {row.configuration: row.sizes[0] for row in rows
             if len(row.sizes) == 1 and row.sizes[0].low is not None}
    mine, own = known.get(baseline), next((row for row in rows if row.configuration == baseline), None)
    if own and own.state == "none":
        return {"others": [row.configuration for row in rows
                           if row.state == "crossing" or row.faster not in (None, own.faster)]}
    return {} if mine is None else {
        "the crossover lies higher": [name for name, one in known.items() if one.low >= mine.high],
        "lower": [name for name, one in known.items() if one.high <= mine.low]}


def sentence(rows, baseline):
    """Which configurations change the answer for certain."""
    pair, found = rows[0].pair, differing(rows, baseline)
    if "others" in found:
        own = next(row for row in rows if row.configuration == baseline)
        return (f"{pair}: with {baseline}, {own.faster} wins wherever a winner is clear; " + (
            f"not so with {', '.join(found['others'])}." if found["others"] else "no configuration changes that."))
    if not found:
        return f"{pair}: {baseline} has no single crossover to compare others with."
    parts = [f"{where} than with {baseline}: {', '.join(names)}" for where, names in found.items() if names]
    return f"{pair}: {'; '.join(parts)}." if parts else f"{pair}: no configuration moves the crossover for certain."
