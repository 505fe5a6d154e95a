# SPDX-License-Identifier: MIT
"""What the page of a run of pairs shows first, as data for its template: the answers, the maps of passing, returning
and changing, and the table of every question by class of sizes. All three judge a row by overview.py, so that none
can contradict another, and share one legend."""

from plots.figures import map_figure
from plots.judge import overview
from plots.judge.pair_summary import SIDES
from plots.stats import worth
from plots.words import overview_text as text, quantity

LETTERS = {"value": "V", "pointer": "P"}
UNNAMED = {"small": "≈", "equal": "=", "placement": "/", "open": "?", "failed": "×"}  # on a map, where no side wins
LEAST, TWICE = quantity.level(worth.WORTH - 1), quantity.digits(overview.TWICE, 2, exact=True)


def answers(summary, manifest, numbers):
    """`numbers`: {pair: its place on the page}"""
    return [{"lead": one.lead, "rest": one.rest, "number": numbers[one.pair]}
            for one in text.in_short(summary, manifest)]


def classes(cell, verdicts):
    """How a cell looks: whose colour and how deep, hatched or not; grey where no verdict is."""
    kind = "both" if overview.both(cell) else cell.sides[0] if cell.sides else cell.state
    depth = "" if not cell.sides else "deep" if cell.large else "mid" if cell.state == "wins" else "pale"
    return " ".join([*([kind, depth] if verdicts or not cell.sides else ["open"]), *["hatched"] * cell.place]).strip()


# ---- Maps

def maps(summary, numbers):
    """The maps whose rows the run has; a panel is a table."""
    verdicts = overview.has_verdicts(summary)
    return [{"title": one.title, "panels": [_panel(panel, summary, numbers, verdicts) for panel in panels]}
            for one, panels in map_figure.present(summary).values()]


def _panel(panel, summary, numbers, verdicts):
    sizes = map_figure.sizes_of([row for _, pair in panel.pairs for row in summary.pairs[pair]])
    return {"title": panel.title, "sizes": [quantity.size_tick(size) for size in sizes],
            "rows": [{"label": label, "number": numbers[pair],
                      "cells": [_of_map(pair, size, summary, verdicts) for size in sizes]}
                     for label, pair in panel.pairs]}


def _of_map(pair, size, summary, verdicts):
    row = next((row for row in summary.pairs[pair] if row.size == size), None)
    if row is None:
        return None
    cell = overview.cell([row])
    who, saved = text.cell_words(cell, {side: row.name_of(side) for side in SIDES})
    return {"classes": classes(cell, verdicts), "mark": LETTERS[cell.sides[0]] if cell.sides else UNNAMED[cell.state],
            "number": _bare(cell.saved_ns[0]) if cell.sides else "",
            "title": f"{quantity.size(size)}: {who}" + (f", {saved}" if saved else "")}


def _bare(saved_ns):
    """Nanoseconds in four letters, for a narrow cell with the unit above it: 0.06, 2.7, 129, 12k."""
    if saved_ns < 0.995:
        return quantity.fixed(saved_ns, 2)
    if saved_ns < 9950:
        return quantity.digits(saved_ns, 2)
    return f"{quantity.digits(saved_ns / 1000, 2)}k"


# ---- The table of questions

def questions(summary, manifest, numbers, kinds, wanted):
    """The questions of one kind, a row each: {"columns", "rows"}. A class of sizes in which none has a size is left
    out."""
    verdicts = overview.has_verdicts(summary)
    pairs = [pair for pair in _variety_first(summary) if kinds[pair] == wanted]
    found = {pair: overview.by_class(summary.pairs[pair]) for pair in pairs}
    used = [i for i in range(len(overview.CLASSES)) if any(cells[i] for cells in found.values())]
    return {"columns": [text.CLASS_NAMES[i] for i in used],
            "rows": [{"pair": pair, "question": summary.pairs[pair][0].question, "number": numbers[pair],
                      "unit": _unit(manifest, pair), "flags": _flags(summary.pairs[pair][0], manifest, wanted),
                      "cells": [_of_table(cells[i], summary.pairs[pair][0], verdicts) for i in used]}
                     for pair, cells in found.items()]}


def _variety_first(summary):
    """The pairs in the run's order, but the topics come first, and last those that the maps show already."""
    topics = [topic.pair for topic in text.TOPICS]
    mapped = _mapped(summary)
    return sorted(summary.pairs, key=lambda pair: (pair not in topics, pair in mapped))


def _mapped(summary):
    return {pair for _, panels in map_figure.present(summary).values() for panel in panels for _, pair in panel.pairs}


def _unit(manifest, pair):
    unit = text.unit_of(manifest, pair)
    return "" if unit == "B" else unit


def _flags(row, manifest, wanted):
    """Of a variant, what tells it from the question that it asks again."""
    return " ".join(manifest["layouts"][row.lesson]["flags"]) if wanted == "variant" else ""


def _of_table(cell, row, verdicts):
    if cell is None:
        return None
    who, saved = text.cell_words(cell, {side: row.name_of(side) for side in SIDES})
    return {"classes": classes(cell, verdicts), "who": who.replace("+", "+\u200b"), "saved": saved}


# ---- The legend of both

SMALL = f"small ({text.SMALL})"


def legend(summary):
    """[(looks of cells, what they mean)] of the cells that the page has."""
    verdicts = overview.has_verdicts(summary)
    cells = [cell for rows in summary.pairs.values() for cell in overview.by_class(rows) if cell]
    cells += [overview.cell([row]) for pair in _mapped(summary) for row in summary.pairs[pair]]
    shown = {name for cell in cells for name in _parts(classes(cell, verdicts))}
    return explained(shown, {side: f"{side} faster" for side in SIDES}, (
        (("both mid",), "the winner changes"), (("equal", "small"), "equal, or small either way"),
        (("hatched",), "the place of the code decides, or some layouts say the opposite"),
        (("open",), "undecided" if verdicts else "ahead so far: no verdict"), (("failed",), "failed")))


def explained(shown, sides, others, small=SMALL):
    """The entries of a legend of which any look is shown: the depths of each side, then the others."""
    depths = (("deep", f"{TWICE} times or more"), ("mid", f"{LEAST} to {TWICE} times"), ("pale", small))
    entries = []
    for side, words in sides.items():
        mine = [(f"{side} {depth}", much) for depth, much in depths if f"{side} {depth}" in shown]
        entries.append(([look for look, _ in mine], f"{words}: " + ", ".join(much for _, much in mine)))
    entries += [([look for look in looks if look in shown][:1], words) for looks, words in others]
    return [entry for entry in entries if entry[0]]


def _parts(found):
    """What of a cell's classes the legend explains."""
    names = found.split()
    return {" ".join(names[:2]) if names[0] in SIDES else "both mid" if names[0] == "both" else names[0],
            "hatched" if "hatched" in names else names[0]}
