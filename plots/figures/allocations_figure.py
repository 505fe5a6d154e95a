# SPDX-License-Identifier: MIT
"""What an operation allocates: allocations and bytes of both sides, a row for each that allocates at all.

Mark: the exact count. Upright stroke: bytes as asked for, where the allocator granted more. Hollow: the count changed
between launches, which is an error. Rows without allocations, or without counts, become sentences."""

import math
from functools import partial

from plots.figures import style
from plots.judge.pair_summary import SIDES
from plots.words import quantity

LABEL_IN = 0.72
PANELS = (("allocs_per_op", "allocations/op", 0.85, 2.75, 3.25, 3.85),
          ("granted_b_per_op", "B/op, granted", 4.15, 6.45, 7.2, 8.05))
ABOVE_IN, BELOW_IN = 0.3, 0.28
BYTES_FROM = 8  # below this the axis of bytes is linear, so that it holds 0


def side_of(row, side):
    """A side's exact counts, None where one of them is not known."""
    found = row.counted(side)
    return found if found and None not in (found.allocs_per_op, found.asked_b_per_op, found.granted_b_per_op) else None


def sides_of(rows):
    return [found for row in rows for side in SIDES if (found := side_of(row, side))]


def allocates(row):
    return any(side.allocs_per_op > 0 for side in sides_of([row]))


def arrange(rows):
    """Where each row stands, and each pair's heading: (y, row or None, pair); and how many row heights that takes."""
    places, y, pair = [], 0.0, None
    for row in rows:
        if row.pair != pair:
            pair = row.pair
            y += 0.35 if places else 0
            places.append((y + 0.5, None, pair))
            y += 1
        places.append((y + 0.5, row, pair))
        y += 1
    return places, y


def draw(ax, places, rows_high, panel):
    """One panel: `panel` is an entry of PANELS."""
    field, label, left, right, value_in, pointer_in = panel
    rows = [row for _, row, _ in places if row]
    most = max((getattr(side, field) for side in sides_of(rows)), default=1)
    _draw_axis(ax, field, most)
    ax.set_ylim(rows_high, 0)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    above = {"transform": ax.transAxes, "va": "bottom", "fontsize": style.TEXT_PT}
    y_above = 1 + 0.08 / (ax.bbox.height / ax.figure.dpi)
    ax.text(0, y_above, label, ha="left", fontweight="bold", **above)
    columns = (("value", value_in), ("pointer", pointer_in))
    for name, at_in in columns:
        ax.text((at_in - left) / (right - left), y_above, name, ha="right", color=style.SIDES[name].text, **above)
    for y, row, _ in places:
        if row is None:
            continue
        ax.axhline(y, color=style.GRID, linewidth=0.5, zorder=0.5)
        for name, at_in in columns:
            side = side_of(row, name)
            if side:
                _draw_side(ax, y, side, field, style.SIDES[name], row.counts.status == "exact")
                ax.text((at_in - left) / (right - left), y, quantity.count(getattr(side, field)), ha="right",
                        va="center", fontsize=style.TEXT_PT, transform=ax.get_yaxis_transform())


def _draw_side(ax, y, side, field, look, exact):
    x = getattr(side, field)
    # Where both sides stand at one place both are to be seen: the value side's mark is the larger and lies below.
    size, z = (5.6, 2) if look is style.VALUE else (3.8, 3)
    ax.plot([x], [y], marker=look.marker, color=look.colour, markersize=size, linestyle="none", zorder=z,
            markerfacecolor=look.colour if exact else "white", clip_on=False)
    if field == "granted_b_per_op" and side.asked_b_per_op != side.granted_b_per_op:
        ax.plot([side.asked_b_per_op], [y], marker="|", color=look.text, markersize=7, markeredgewidth=1.1, zorder=z,
                clip_on=False)


def _draw_axis(ax, field, most):
    if field == "granted_b_per_op":
        ax.set_xscale("symlog", base=2, linthresh=BYTES_FROM, linscale=1)
        last = max(math.ceil(math.log2(max(most, 1))), 4)
        step = -(-(last - 3) // 5)
        ticks = [0, *(2 ** n for n in range(last, 2, -step))]
        ax.set_xlim(-0.04 * 2 ** 3, 2.0 ** last * 1.25)
    else:
        ax.set_xscale("symlog", base=10, linthresh=1, linscale=0.5)
        last = max(math.ceil(math.log10(max(most, 1)) - 1e-9), 0)
        step = -(-(last + 1) // 6)
        ticks = [0, *(10 ** n for n in range(last, -1, -step))]
        ax.set_xlim(-0.04, 10.0 ** last * 1.25)
    ticks = sorted(ticks)
    ax.minorticks_off()
    ax.set_xticks(ticks, [quantity.size_tick(x) if field == "granted_b_per_op" else quantity.count(x) for x in ticks])
    for x in ticks:
        ax.axvline(x, color=style.GRID, linewidth=0.5, zorder=0.4)
    ax.tick_params(axis="x", length=2, pad=2)


def draw_labels(ax, places, left_in, right_in):
    """Names of pairs and sizes, left of the first panel, whose edges are given."""
    for y, row, pair in places:
        at_in, text, look = ((style.MARGIN_IN, pair, {"fontweight": "bold", "ha": "left"}) if row is None else
                             (LABEL_IN, str(row.size), {"ha": "right"}))
        ax.text((at_in - left_in) / (right_in - left_in), y, style.plain(text), va="center", fontsize=style.TEXT_PT,
                transform=ax.get_yaxis_transform(), **look)


def problems(rows):
    """The rows that have no exact count, in words."""
    said = []
    for status, text in (("differs", "Counts that changed between launches, which is an error"),
                         ("refused", "Counts refused"),
                         ("missing", "Not counted")):
        found = [row for row in rows if row.counts.status == status]
        for detail in dict.fromkeys(row.counts.detail for row in found):
            why = f" ({detail})" if detail else ""
            said.append(f"{text}{why}: {_names([row for row in found if row.counts.detail == detail], rows)}.")
    return said


def silence(rows):
    """The rows that do not allocate and have no place in the picture, in words."""
    silent = [row for row in rows if row.counts.status == "exact" and not allocates(row)]
    return [f"No allocation on either side: {_names(silent, rows)}."] if silent else []


def _names(found, rows):
    """Pairs, with the sizes that are meant where those are not all of the pair's."""
    names = []
    for pair in dict.fromkeys(row.pair for row in found):
        sizes = [row.size for row in found if row.pair == pair]
        if len(sizes) == sum(row.pair == pair for row in rows):
            names.append(pair)
        else:
            names.append(f"{pair} (size {', '.join(map(str, sizes))})")
    return ", ".join(names)


def figures(summary, manifest):
    """{its file's name: what draws the one figure of this module}"""
    return {"allocations": partial(_page, summary.rows, manifest)} if summary.rows else {}


def _page(rows, manifest):
    shown = [row for row in rows if allocates(row) and row.counts.status in ("exact", "differs")]
    places, rows_high = arrange(shown)
    body_in = rows_high * style.ROW_IN + ABOVE_IN + BELOW_IN if shown else 0
    page = style.Page(body_in, "What an operation allocates", "\n".join(problems(rows)), _keys(shown),
                      "\n".join([*silence(rows), *_caption(rows, shown)]), style.small_print(manifest))
    for panel in PANELS if shown else ():
        left, right = panel[2:4]
        ax = page.axes(left, right, BELOW_IN, body_in - ABOVE_IN)
        draw(ax, places, rows_high, panel)
        if panel is PANELS[0]:
            draw_labels(ax, places, left, right)
    return page.fig


def _keys(shown):
    if not shown:
        return []
    keys = [style.Key(name, {"color": side.colour, "marker": side.marker, "linestyle": "none", "markersize": 5})
            for name, side in style.SIDES.items()]
    if any(side.asked_b_per_op != side.granted_b_per_op for side in sides_of(shown)):
        keys.append(style.Key("bytes asked for, where more were granted",
                              {"color": style.INK, "marker": "|", "linestyle": "none", "markersize": 7}))
    if any(row.counts.status == "differs" for row in shown):
        keys.append(style.Key("hollow: changed between launches", {
            "color": style.INK, "marker": "o", "linestyle": "none", "markersize": 5, "markerfacecolor": "white"}))
    return keys


def _caption(rows, shown):
    if not shown:
        counted = any(row.counts.status == "exact" for row in rows)
        return ["Counts are exact and read from the allocator; making the fixture does not count."] if counted else []
    return ["A row is a pair at one size. Left: how often one operation allocates. Right: how many bytes the allocator "
            "grants for it. Counts are exact and read from the allocator; making the fixture does not count. The axes "
            f"are linear up to 1 allocation and {BYTES_FROM} bytes, and logarithmic beyond."]
