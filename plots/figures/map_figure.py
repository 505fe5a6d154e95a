# SPDX-License-Identifier: MIT
"""Maps: who wins, by size and by what is done with the object. Passing, by the share that is read; returning; changing.

A cell is a row of the run: the faster side and the nanoseconds that it saves an operation; blue for the value side,
orange for the pointer side, the deeper, the more. Pale: small. White: equal. Hatched: the place of the code decides, or
some layouts say the opposite. Grey: no verdict. Each cell has its words, so that it can be read in grey print. A map of
which the run has no row is not drawn."""

import math
from collections import Counter
from dataclasses import dataclass
from functools import partial

from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Rectangle

from plots.figures import style
from plots.figures.heat_figure import BETTER, BLACK, UNDECIDED, WORSE, ink
from plots.stats import worth
from plots.words import quantity

VALUE, POINTER, PALE, HATCH = BETTER, WORSE, "#fffffe", "#b9b9b8"  # a page leaves these as they are in the dark
SHADES = {side: LinearSegmentedColormap.from_list(side, [PALE, colour])
          for side, colour in (("value", VALUE), ("pointer", POINTER))}
FULL_NS = 64.0  # this and more has the full colour
CELL_IN, HEAD_IN, TITLE_IN, GAP_IN = 0.34, 0.2, 0.26, 0.12
MOST = 11  # columns
FAINTEST = 0.12  # of the full colour
EDGE = 0.035  # of a cell, in the full colour: it tells the sides apart in grey print
UNSIDED = {"undecided": "open", "no verdict": "open", "equal": "equal", "placement decides": "hatched"}


@dataclass(frozen=True)
class Panel:
    title: str
    pairs: tuple  # (what stands beside the cells, the pair)


@dataclass(frozen=True)
class Map:
    title: str
    panels: tuple
    caption: str


def _shares(suffix):
    return tuple((label, f"pass_read_{name}{suffix}") for label, name in (
        ("one member", "one"), ("a quarter", "quarter"), ("half", "half"), ("all", "all")))


MAPS = {
    "map_pass": Map("Pass by value, or by const pointer?",
                    (Panel("members are words; the callee reads", _shares("")),
                     Panel("members are doubles; the callee reads", _shares("_double"))),
                    "Down: how much of the object the callee reads. Across: the object's size."),
    "map_return": Map("Return the object, fill it through a pointer, or allocate it?",
                      (Panel("by value, or as each row says", (
                          ("fill a new local", "return_out"), ("fill one that exists", "return_out_stored"),
                          ("allocate it", "factory"))),),
                      "Down: what the other way is. Across: the object's size."),
    "map_change": Map("Change an object: by value, or through a pointer?",
                      (Panel("what the caller wants", (("the object changed", "mutate"),
                                                       ("a changed copy", "pass_write"))),),
                      "Down: whether the caller's own object is to change. Across: the object's size."),
}


@dataclass(frozen=True)
class Cell:
    """How a row is shown. `side`: whose colour it has, None for none."""
    words: str
    number: str
    side: str | None = None
    strength: float = 0.0
    look: str = ""  # small, equal, hatched or open


def cell_of(row, labels):
    if row.failed or row.ratio is None:
        return Cell("failed" if row.failed else "not measured", "", look="open")
    value_ns, ratio = row.value_ns_per_op.estimate, row.ratio.estimate
    saved = worth.saved_ns(value_ns, ratio)
    number = "< 0.01 ns" if saved < 0.0095 else f"{quantity.digits(saved, 2 if saved < 100 else 3)} ns"
    side = "value" if ratio >= 1 else "pointer"
    if row.verdict in UNSIDED:
        return Cell(row.verdict.removesuffix(" decides"), number, look=UNSIDED[row.verdict])
    leans = "leans " if row.verdict.startswith("leans") else ""
    look = "hatched" if leans else "small" if worth.is_small(value_ns, ratio) else ""
    return Cell(leans + labels[side], number, side, strength(saved), look)


def strength(saved_ns):
    """From 0 to 1, by the octaves: 0.5 ns is seen, and 5 ns is not all there is."""
    return min(1.0, math.log2(1 + saved_ns / worth.WORTH_NS) / math.log2(1 + FULL_NS / worth.WORTH_NS))


def sizes_of(rows):
    """The columns: all sizes; where these are too many those that most pairs have, powers of two, each second ..."""
    pairs = Counter(row.size for row in rows)
    sizes = sorted(pairs)
    if len(sizes) > MOST:
        sizes = [size for size in sizes if pairs[size] == max(pairs.values())]
    if len(sizes) > MOST:
        sizes = [size for size in sizes if size & (size - 1) == 0] or sizes
    return sizes[::-(-len(sizes) // MOST)]


def present(summary):
    """{name: (Map, its panels)} of those whose rows the run has, each panel with the pairs that are there."""
    found = {name: (one, [Panel(panel.title, mine) for panel in one.panels
                          if (mine := tuple(pair for pair in panel.pairs if pair[1] in summary.pairs))])
             for name, one in MAPS.items()}
    return {name: (one, panels) for name, (one, panels) in found.items() if panels}


def figures(summary, manifest):
    """{its file's name: what draws it}, of those whose rows the run has."""
    return {name: partial(_draw, one, panels, summary, manifest) for name, (one, panels) in present(summary).items()}


def _labels(manifest, pair):
    row = next((row for row in manifest["rows"] if row["pair"] == pair), {})
    return {side: row.get(side, {}).get("label", side) for side in style.SIDES}


def _draw(one, panels, summary, manifest):
    shown = [row for panel in panels for _, pair in panel.pairs for row in summary.pairs[pair]]
    sizes = sizes_of(shown)
    left = style.MARGIN_IN + 0.12 + max(
        style.text_width_in(label, style.TEXT_PT) for panel in panels for label, _ in panel.pairs)
    right = style.WIDTH_IN - style.MARGIN_IN
    width_in = min((right - left) / len(sizes), 1.1)
    heights = [TITLE_IN + HEAD_IN + len(panel.pairs) * CELL_IN + GAP_IN for panel in panels]
    cells = {(row.pair, row.size): cell_of(row, _labels(manifest, row.pair)) for row in shown if row.size in sizes}
    page = style.Page(sum(heights), one.title, "The faster side, and what it saves an operation on a quiet core.",
                      _keys(cells.values()), _caption(one, summary, sizes, shown),
                      style.small_print(manifest, panels[0].pairs[0][1]))
    top = sum(heights)
    for panel, height in zip(panels, heights):
        ax = page.axes(left, left + width_in * len(sizes), top - height + GAP_IN, top - TITLE_IN - HEAD_IN)
        _panel(ax, panel, sizes, cells, width_in)
        top -= height
    return page.fig


def _panel(ax, panel, sizes, cells, width_in):
    ax.set_xlim(0, len(sizes))
    ax.set_ylim(len(panel.pairs), 0)
    ax.axis("off")
    text = {"fontsize": style.TEXT_PT, "va": "bottom"}
    ax.text(0, -(HEAD_IN + 0.02) / CELL_IN, panel.title, ha="left", fontweight="bold", **text)
    for x, size in enumerate(sizes):
        ax.text(x + 0.5, -0.1, quantity.size(size), ha="center", **text)
    for y, (label, pair) in enumerate(panel.pairs):
        ax.text(-0.08 / width_in, y + 0.5, label, ha="right", va="center", fontsize=style.TEXT_PT)
        for x, size in enumerate(sizes):
            if (pair, size) in cells:
                _cell(ax, x, y, cells[pair, size], width_in)


def face(cell):
    if cell.side is None:
        return UNDECIDED if cell.look == "open" else PALE
    return SHADES[cell.side](FAINTEST if cell.look else 0.25 + 0.75 * cell.strength)


def _cell(ax, x, y, cell, width_in):
    fill = face(cell)
    edge = {"value": VALUE, "pointer": POINTER, None: HATCH}[cell.side]
    box = (x + 0.02, y + 0.03), 0.96, 0.94
    hatched = cell.look == "hatched"
    if hatched:
        ax.add_patch(Rectangle(*box, facecolor=fill, edgecolor=edge, hatch="////", linewidth=0, alpha=0.45))
        ax.add_patch(Rectangle(*box, facecolor="none", edgecolor=edge, linewidth=0.6))
    else:
        ax.add_patch(Rectangle(*box, facecolor=fill, edgecolor=style.GRID, linewidth=0.4))
    if cell.side:
        (left, top), wide, high = box
        ax.add_patch(Rectangle((left if cell.side == "value" else left + wide - EDGE, top), EDGE, high, facecolor=edge,
                               linewidth=0))
    letters = BLACK if hatched else ink(fill)
    lines = [cell.words, cell.number] if cell.number else [cell.words]
    for n, text in enumerate(lines):
        pt = min(style.SMALL_PT, style.SMALL_PT * 0.9 * width_in / style.text_width_in(text, style.SMALL_PT))
        ax.text(x + 0.5, y + 0.5 + 0.36 * (n - (len(lines) - 1) / 2), style.plain(text), ha="center", va="center",
                fontsize=pt, color=letters, fontweight="bold" if n else "normal",
                bbox={"facecolor": PALE, "edgecolor": "none", "pad": 0.8} if hatched else None)


def _keys(cells):
    keys = [style.Key(f"{side} saves {quantity.time(ns, exact=True)}{' or more' * (ns == FULL_NS)}",
                      {"facecolor": SHADES[side](0.25 + 0.75 * strength(ns))}, True)
            for side in style.SIDES if any(cell.side == side for cell in cells) for ns in (1.0, 8.0, FULL_NS)]
    small = f"less than {quantity.level(worth.WORTH - 1)} or {quantity.time(worth.WORTH_NS, exact=True)}"
    keys += [style.Key(f"{side} faster, small ({small})", {"facecolor": SHADES[side](FAINTEST)}, True)
             for side in style.SIDES if any(cell.side == side and cell.look == "small" for cell in cells)]
    looks = {cell.look for cell in cells}
    if "hatched" in looks:
        keys.append(style.Key("the place of the code decides, or some layouts say the opposite",
                              {"facecolor": PALE, "edgecolor": HATCH, "hatch": "/////"}, True))
    if "open" in looks:
        quick = any(cell.words == "no verdict" for cell in cells)
        keys.append(style.Key("no verdict" if quick else "undecided", {"facecolor": UNDECIDED}, True))
    return keys


def _caption(one, summary, sizes, shown):
    text = [one.caption]
    if any(row.size not in sizes for row in shown):
        text.append("More sizes were measured; the table of all rows has them.")
    if summary.quick:
        text.append("This was a quick run: it gives no verdict.")
    if any(row.verdict in UNSIDED for row in shown):
        text.append("Where no side is named, the number is how far the sides are apart on average.")
    return " ".join(text)
