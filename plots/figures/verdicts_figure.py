# SPDX-License-Identifier: MIT
"""Ratios pointer/value, a row each, with what the faster side saves and the verdict: of all rows, and of each pair that
was measured at two sizes, too few for a curve.

Mark: the headline, the geometric mean over layouts. Bar: its interval over launches. Thin line: spread over layouts,
p10 to p90. Grey bands: what null pairs of this run read. Hollow: not decided. Right of 1x the value side is faster.

The axis ends at 32x either way; a mark beyond it stands at the edge as an arrowhead, its number is in the table."""

import math
from dataclasses import dataclass
from functools import partial

from matplotlib.patches import Rectangle

from plots.figures import style
from plots.judge import pair_summary
from plots.words import overview_text, quantity, sentences
from plots.words.fitting import cut

LIMIT = 32 * 1.15
LABEL_IN, LEFT_IN, RIGHT_IN = 0.68, 0.84, 4.2
# Columns right of the axes: ratio and ns end there, the others start.
RATIO_IN, INTERVAL_IN, SAVES_IN, VERDICT_IN = 4.85, 4.95, 6.55, 6.68
ROOM_IN = style.WIDTH_IN - style.MARGIN_IN - VERDICT_IN
TWO = 2  # sizes
ABOVE_IN, BELOW_IN = 0.5, 0.42  # room for what stands over and under the axes


@dataclass(frozen=True)
class Floor:
    """What null pairs read: a band of the headline's interval, and one of the spread. None: not measured."""
    low: float | None = None
    high: float | None = None
    p10: float | None = None
    p90: float | None = None


def load_floor(summary):
    """The two floors as one: clockwork and placement, whichever reaches further."""
    floors = [floor for floor in summary.floors.values() if floor]
    ends = {}
    for name, part, pick in (("low", "ratio", min), ("high", "ratio", max), ("p10", "spread", min),
                             ("p90", "spread", max)):
        numbers = [x for x in (getattr(getattr(floor, part), name, None) for floor in floors) if x is not None]
        ends[name] = pick(numbers) if numbers else None
    return Floor(**ends)


def numbers(row):
    """All that a row puts on the axis."""
    found = [row.ratio.estimate, *row.ratio.ends] if row.ratio else []
    return [x for x in [*found, *(row.spread.ends if row.spread else ())] if x is not None]


def has_interval(row):
    return bool(row.ratio and row.ratio.has_interval)


@dataclass(frozen=True)
class Place:
    """A line of the picture: a row, or (row None) a line of a pair's heading."""
    y: float  # in rows, downwards
    row: pair_summary.Row | None
    heading: str = ""
    first: bool = False


def arrange(rows):
    """Lines from top to bottom, and how many row heights they take."""
    places, y, pair = [], 0.3, None
    for row in rows:
        if row.pair != pair:
            pair = row.pair
            y += 0.35 if places else 0.0
            for n, line in enumerate(style.wrap(f"{row.pair}: {row.question}", style.TEXT_PT, weight="bold")):
                places.append(Place(y + 0.5, None, line, n == 0))
                y += 1
        places.append(Place(y + 0.5, row))
        y += 1
    return places, y


def draw(ax, places, rows_high, floor):
    """Axes in, marks out. The axes' height is `rows_high` rows."""
    low, high = limits([p.row for p in places if p.row], floor)
    ax.set_xscale("log", base=2)
    ax.set_xlim(low, high)
    ax.set_ylim(rows_high, 0)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    # Without any interval, as in a quick run, the column is the spread's.
    intervals = any(p.row and has_interval(p.row) for p in places)
    _draw_axis(ax, low, high, "interval" if intervals else "spread over layouts", *directions(places))
    _draw_floor(ax, floor)
    ax.patch.set_visible(False)
    for n, place in enumerate(places):
        if place.row is None:
            _draw_heading(ax, place)
            continue
        if n % 2:
            _draw_stripe(ax, place.y)
        _draw_marks(ax, place.y, place.row)
        _draw_columns(ax, place.y, place.row, intervals)


def limits(rows, floor):
    """Both ends of the axis: all of the data, at most LIMIT either way, and a fifth of it on each side of 1x."""
    found = [x for row in rows for x in numbers(row)]
    found += [x for x in vars(floor).values() if x is not None]
    left = -math.log2(max(min([1 / 1.01, *found]), 1 / LIMIT))
    right = math.log2(min(max([1.01, *found]), LIMIT))
    span = left + right
    left, right = max(left, span / 4), max(right, span / 4)
    return 2 ** (-1.06 * left), 2 ** (1.06 * right)


def directions(places):
    """What stands left and right above the axis: a single pair's own names of its sides, if there is room for both."""
    rows = [place.row for place in places if place.row]
    named = {tuple(f"{row.name_of(side)} faster" for side in ("pointer", "value")) for row in rows}
    room_in = RIGHT_IN - LEFT_IN - 0.3
    if len(named) == 1 and sum(style.text_width_in(f"← {one}", style.TEXT_PT + 0.5, "bold")
                               for one in min(named)) <= room_in:
        return min(named)
    return "pointer faster", "value faster"


def _draw_axis(ax, low, high, range_name, left, right):
    ticks = style.ratio_ticks(low, high)
    for x in ticks:
        ax.axvline(x, color=style.GRID, linewidth=0.5, zorder=0.6)
    ax.axvline(1, color=style.INK, linewidth=0.9, zorder=0.9)
    ax.minorticks_off()
    ax.set_xticks(ticks, [quantity.ratio_tick(x) for x in ticks])
    ax.tick_params(axis="x", top=True, labeltop=True, length=2, pad=2)
    ax.spines["top"].set_visible(True)
    ax.set_xlabel("ratio pointer/value of ns/op on a quiet core, log scale", labelpad=3)
    above = {"transform": ax.transAxes, "va": "bottom", "fontsize": style.TEXT_PT + 0.5, "fontweight": "bold"}
    y = 1 + 0.26 / height_in(ax)
    ax.text(0, y, style.plain(f"← {left}"), ha="left", color=style.POINTER.text, **above)
    ax.text(1, y, style.plain(f"{right} →"), ha="right", color=style.VALUE.text, **above)
    above.update(color=style.FAINT, fontweight="normal", fontsize=style.TEXT_PT)
    ax.text(beside(LABEL_IN), y, "size", ha="right", **above)
    ax.text(beside(RATIO_IN), y, "ratio", ha="right", **above)
    ax.text(beside(INTERVAL_IN), y, range_name, ha="left", **above)
    ax.text(beside(SAVES_IN), y, "saves", ha="right", **above)
    ax.text(beside(VERDICT_IN), y, "verdict", ha="left", **above)


def height_in(ax):
    return ax.bbox.height / ax.figure.dpi


def beside(page_in):
    """A place on the page, in inches from its left, as a fraction of the axes' width."""
    return (page_in - LEFT_IN) / (RIGHT_IN - LEFT_IN)


def _draw_floor(ax, floor):
    for low, high, colour, z in ((floor.p10, floor.p90, style.FLOOR_SPREAD, 0.3),
                                 (floor.low, floor.high, style.FLOOR_INTERVAL, 0.4)):
        if low is not None and high is not None:
            ax.axvspan(low, high, color=colour, linewidth=0, zorder=z)


def _draw_stripe(ax, y):
    """A tint behind every second row, to lead the eye from the mark to the numbers."""
    left, right = beside(style.MARGIN_IN), beside(style.WIDTH_IN - style.MARGIN_IN)
    ax.add_patch(Rectangle((left, y - 0.5), right - left, 1, transform=ax.get_yaxis_transform(), color=style.STRIPE,
                           linewidth=0, zorder=0.1, clip_on=False))


def _draw_heading(ax, place):
    # On white: the bands and the grid stop at a heading, so that letters stand on nothing.
    ax.axhspan(place.y - (0.75 if place.first else 0.5), place.y + 0.5, color="white", linewidth=0, zorder=1)
    ax.text(beside(style.MARGIN_IN), place.y, style.plain(place.heading), transform=ax.get_yaxis_transform(),
            va="center", fontsize=style.TEXT_PT, fontweight="bold", zorder=3)


def _draw_marks(ax, y, row):
    mark = style.VERDICTS[row.verdict]
    if row.ratio is None:
        return
    low, high = ax.get_xlim()
    if row.spread:
        ax.plot(row.spread.ends, [y, y], color=mark.colour, linewidth=0.9, zorder=2)
    if has_interval(row):
        ax.plot(row.ratio.ends, [y, y], color=mark.colour, linewidth=3, zorder=2.1)
    x, marker = row.ratio.estimate, mark.marker
    if not low <= x <= high:
        x, marker = (high, ">") if x > high else (low, "<")
    ax.plot([x], [y], marker=marker, linestyle="none", color=mark.colour, markersize=4.2, markeredgewidth=0.9,
            markerfacecolor=mark.colour if mark.filled else "white", zorder=3, clip_on=False)


def _draw_columns(ax, y, row, intervals):
    mark = style.VERDICTS[row.verdict]
    text = {"transform": ax.get_yaxis_transform(), "va": "center", "fontsize": style.TEXT_PT}
    ax.text(beside(LABEL_IN), y, str(row.size), ha="right", **text)
    if row.ratio is not None:
        ax.text(beside(RATIO_IN), y, sentences.ratio(row.ratio), ha="right", **text)
        ax.text(beside(INTERVAL_IN), y, _range_text(row, intervals), ha="left", color=style.FAINT, **text)
        ax.text(beside(SAVES_IN), y, overview_text.saved(row), ha="right", **text)
    if row.failed:
        why = f"{row.failed.reason}: {row.failed.detail}"
        ax.text(beside(VERDICT_IN) - 0.05, y, style.plain(why), ha="right", color=style.FAINT, **text)
    verdict = cut(sentences.short_verdict(row), lambda shown: style.text_width_in(shown, style.TEXT_PT) <= ROOM_IN)
    ax.text(beside(VERDICT_IN), y, style.plain(verdict), ha="left", color=mark.text, **text)


def _range_text(row, intervals):
    if intervals and not has_interval(row):
        return "too few launches"
    return sentences.interval(row.ratio if intervals else row.spread)


def figures(summary, manifest):
    """{its file's name: what draws it}: "ratios", all rows; and for each pair with two sizes "dots_" with its name."""
    if not summary.rows:
        return {}
    plans = {"ratios": partial(_page, f"Value or pointer? {quantity.counted(len(summary.rows), 'row')}",
                               _lead(summary, manifest), summary.rows, summary, style.small_print(manifest))}
    for pair, rows in summary.pairs.items():
        if sum(row.ratio is not None for row in rows) == len(rows) == TWO:
            plans[f"dots_{pair}"] = partial(_page, f"{pair}, at two sizes", "", sorted(rows, key=lambda row: row.size),
                                            summary, style.small_print(manifest, pair))
    return plans


def _page(title, lead, rows, summary, small):
    floor = load_floor(summary)
    places, rows_high = arrange(rows)
    body_in = rows_high * style.ROW_IN + ABOVE_IN + BELOW_IN
    page = style.Page(body_in, title, lead, _keys(rows, floor), _caption(summary, rows, floor), small)
    draw(page.axes(LEFT_IN, RIGHT_IN, BELOW_IN, body_in - ABOVE_IN), places, rows_high, floor)
    return page.fig


def _lead(summary, manifest):
    if {row.verdict for row in summary.rows} == {"no verdict"}:
        return "A quick run: ratios and spreads, no verdicts"
    return overview_text.tally(summary, manifest)


def _keys(rows, floor):
    present = {row.verdict for row in rows}
    keys = []
    for name, mark in style.VERDICTS.items():
        if name in present and name != "failed":  # which has words, and no mark
            face = mark.colour if mark.filled else "white"
            keys.append(style.Key(name, {"marker": mark.marker, "linestyle": "none", "color": mark.colour,
                                         "markersize": 4.8, "markerfacecolor": face}))
    if any(map(has_interval, rows)):
        keys.append(style.Key("interval over launches", {"color": style.FAINT, "linewidth": 3}))
    if any(row.spread for row in rows):
        keys.append(style.Key("spread over layouts, p10 to p90", {"color": style.FAINT, "linewidth": 0.9}))
    if floor.low is not None:
        keys.append(style.Key("noise floor, interval", {"facecolor": style.FLOOR_INTERVAL}, band=True))
    if floor.p10 is not None:
        keys.append(style.Key("noise floor, spread", {"facecolor": style.FLOOR_SPREAD}, band=True))
    return keys


def _caption(summary, rows, floor):
    rule = summary.rule
    text = ["A row is a pair at one size: two kernels that do the same work. The mark is the headline, pointer "
            "time/value time as the geometric mean over layouts. Right of 1× the value side is faster."]
    if any(map(has_interval, rows)):
        text.append("The thick bar, where it is wider than the mark, is its "
                    f"{quantity.level(rule.confidence)} interval ({rule.interval}; {rule.correction}).")
    if any(row.spread for row in rows):
        text.append("The thin line goes from p10 to p90 over layouts: the same code at other places.")
    if floor != Floor():
        text.append("The grey bands show what identical functions read in this run: compare marks and bars with the "
                    "dark band, thin lines with the light one.")
    if summary.quick:
        text.append("This was a quick run: it gives ratios and spreads, and no verdict.")
    else:
        text.append("A hollow mark is not decided.")
    if any(row.ratio and not 1 / LIMIT <= row.ratio.estimate <= LIMIT for row in rows):
        text.append("An arrowhead lies beyond the axis; its number is in the table.")
    return " ".join(text)
