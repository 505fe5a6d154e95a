# SPDX-License-Identifier: MIT
"""All answers on one page: a row for each question, a column for each class of sizes.

A cell names the faster side and what it saves an operation, from the least to the most over the sizes that were
measured. Blue: the value side; orange: the pointer side; deep: twice as fast or more at one size at least; middle: by
enough to matter; pale: small. Both colours: the winner changes within the class. Hatched: the place of the code decides
at one of the sizes, or some layouts say the opposite. White: equal, or small either way. Grey: undecided."""

from dataclasses import dataclass
from functools import partial

from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle

from plots.figures import style
from plots.figures.heat_figure import BETTER, BLACK, UNDECIDED, WORSE, ink
from plots.judge import overview
from plots.judge.pair_summary import SIDES
from plots.stats import worth
from plots.words import overview_text, quantity

ROW_IN, HEAD_IN, TITLE_IN, BELOW_IN = 0.168, 0.2, 0.24, 0.06
PALE, HATCH = "#fffffe", "#9a9a99"  # a page leaves these as they are in the dark
FULL = {"value": BETTER, "pointer": WORSE}
EDGE = 0.025  # of a cell, in the full colour: it tells the sides apart in grey print
SHARE = {"deep": 1.0, "mid": 0.45, "pale": 0.14}  # of the full colour
PARTS = (("question", ""), ("variant", "the same code, compiled with other flags"))


@dataclass(frozen=True)
class Look:
    fills: tuple  # one, or two where the winner changes
    hatched: bool

    @property
    def letters(self):
        return BLACK if self.hatched or len(self.fills) > 1 else ink(self.fills[0])


def shade(side, depth):
    """Between white and the side's colour."""
    share = SHARE[depth]
    return tuple(1 - share * (1 - part) for part in to_rgb(FULL[side]))


def look(cell, verdicts=True):
    """How a cell is drawn; without verdicts no side has won."""
    if not verdicts or not cell.sides:
        grey = not verdicts or cell.state in ("open", "failed")
        return Look((UNDECIDED if grey else PALE,), cell.place)
    if overview.both(cell):
        return Look(tuple(shade(side, "mid") for side in cell.sides), cell.place)
    depth = "deep" if cell.large else "mid" if cell.state == "wins" else "pale"
    return Look((shade(cell.sides[0], depth),), cell.place)


def figures(summary, manifest):
    """{its file's name: what draws the one figure of this module}"""
    kinds = overview.kinds(summary, manifest)
    parts = [(title, [pair for pair in summary.pairs if kinds[pair] == kind]) for kind, title in PARTS]
    parts = [(title, pairs) for title, pairs in parts if pairs]
    return {"verdicts": partial(_draw, parts, summary, manifest)} if parts else {}


def _draw(parts, summary, manifest):
    verdicts = overview.has_verdicts(summary)
    cells = {pair: overview.by_class(summary.pairs[pair]) for _, pairs in parts for pair in pairs}
    used = [i for i in range(len(overview.CLASSES)) if any(mine[i] for mine in cells.values())]
    body_in = HEAD_IN + BELOW_IN + sum(len(pairs) * ROW_IN + bool(title) * TITLE_IN for title, pairs in parts)
    page = style.Page(body_in, "Value or pointer? Every question, by size",
                      "The faster side, and what it saves an operation on a quiet core." if verdicts else
                      "A quick run: a first look, and no verdicts",
                      _keys([cell for mine in cells.values() for cell in mine if cell], verdicts), _caption(summary),
                      style.small_print(manifest))
    name_in = 0.1 + max(style.text_width_in(_name(pair, manifest), style.TEXT_PT) for pair in cells)
    left, right = style.MARGIN_IN + name_in, style.WIDTH_IN - style.MARGIN_IN
    ax = page.axes(left, right, 0, body_in)
    ax.set_xlim(0, len(used))
    ax.set_ylim(body_in, 0)
    ax.axis("off")
    width_in = (right - left) / len(used)
    for x, i in enumerate(used):
        ax.text(x + 0.5, HEAD_IN - 0.05, overview_text.CLASS_NAMES[i], ha="center", va="bottom",
                fontsize=style.TEXT_PT, color=style.FAINT)
    y = HEAD_IN
    for title, pairs in parts:
        if title:
            ax.text(0, y + TITLE_IN - 0.05, title, ha="left", va="bottom", fontsize=style.TEXT_PT, color=style.FAINT)
            y += TITLE_IN
        for pair in pairs:
            ax.text(-0.08 / width_in, y + ROW_IN / 2, style.plain(_name(pair, manifest)), ha="right", va="center",
                    fontsize=style.TEXT_PT)
            for x, i in enumerate(used):
                if cells[pair][i]:
                    _cell(ax, x, y, cells[pair][i], summary.pairs[pair][0], width_in, verdicts)
            y += ROW_IN
    return page.fig


def _name(pair, manifest):
    unit = overview_text.unit_of(manifest, pair)
    return pair if unit == "B" else f"{pair} ({unit})"


def _cell(ax, x, y, cell, row, width_in, verdicts):
    found = look(cell, verdicts)
    left, wide, high = x + 0.008, 0.984, ROW_IN - 0.014
    for n, fill in enumerate(found.fills):
        ax.add_patch(Rectangle((left + n * wide / len(found.fills), y), wide / len(found.fills), high, facecolor=fill,
                               linewidth=0))
    if verdicts and len(cell.sides) == 1:
        at = left if cell.sides[0] == "value" else left + wide - EDGE
        ax.add_patch(Rectangle((at, y), EDGE, high, facecolor=FULL[cell.sides[0]], linewidth=0))
    hatch = {"hatch": "//////", "edgecolor": HATCH} if found.hatched else {"edgecolor": style.GRID}
    ax.add_patch(Rectangle((left, y), wide, high, facecolor="none", linewidth=0 if found.hatched else 0.4, **hatch))
    names = {side: row.name_of(side) for side in SIDES}
    text = " ".join(part for part in overview_text.cell_words(cell, names) if part)
    pt = min(style.SMALL_PT, style.SMALL_PT * 0.93 * width_in / style.text_width_in(text, style.SMALL_PT))
    back = {"facecolor": PALE if len(found.fills) > 1 else found.fills[0], "edgecolor": "none", "pad": 0.6}
    ax.text(x + 0.5, y + high / 2, style.plain(text), ha="center", va="center_baseline", fontsize=pt,
            color=ink(found.fills[0]) if len(found.fills) == 1 else BLACK, bbox=back if found.hatched else None)


def _keys(cells, verdicts):
    least, twice = quantity.level(worth.WORTH - 1), quantity.digits(overview.TWICE, 2, exact=True)
    looks = {(cell.sides[0], look(cell).fills[0]) for cell in cells if len(cell.sides) == 1} if verdicts else set()
    keys = [style.Key(f"{side} faster, {words}", {"facecolor": shade(side, depth)}, True) for side in SIDES
            for depth, words in (("deep", f"{twice} times or more"), ("mid", f"{least} to {twice} times"),
                                 ("pale", "small")) if (side, shade(side, depth)) in looks]
    if any(cell.place for cell in cells):
        keys.append(style.Key("place of the code decides, or some layouts say the opposite",
                              {"facecolor": PALE, "edgecolor": HATCH, "hatch": "//////"}, True))
    if any(cell.state in ("equal", "small") and not cell.sides for cell in cells):
        keys.append(style.Key("equal, or small either way", {"facecolor": PALE, "edgecolor": style.FAINT,
                                                             "linewidth": 0.6}, True))
    if not verdicts or any(cell.state in ("open", "failed") for cell in cells):
        keys.append(style.Key("undecided" if verdicts else "no verdict", {"facecolor": UNDECIDED}, True))
    return keys


def _caption(summary):
    text = ["Across: the size in bytes, or in the unit beside the name. The range goes from the least to the most over "
            f"the sizes that were measured. Small: {overview_text.SMALL}."]
    if any(overview.both(cell) for rows in summary.pairs.values() for cell in overview.by_class(rows) if cell):
        text.append("Where two sides are named, the winner changes within these sizes.")
    if summary.quick:
        text.append("This was a quick run: it gives no verdict.")
    else:
        text.append("In grey print: a cell's edge is on the left where the value side is faster, on the right where "
                    "the pointer side is.")
    return " ".join(text)
