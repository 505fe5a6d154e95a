# SPDX-License-Identifier: MIT
"""The flame graph of a whole run, for its report: what one operation of each side of each row allocates.

Below the run stand its pairs, below these their sides, then the functions, as far as the lesson's code goes; those
without a name are left out. The sizes of a pair are joined."""

from html import escape

from markupsafe import Markup

from plots.judge.pair_summary import SIDES
from plots.profile import flame

VALUES = (("bytes asked for", "bytes"), ("allocations", "count"))  # of a sample, and their units


def _boxes(rows, allocated, i):
    """The run's box, by the i-th value."""
    pairs = {}
    for row in rows:
        recorded = allocated.rows.get(row.row)
        sides = pairs.setdefault(row.pair, {side: flame.Box(row.name_of(side), side=side) for side in SIDES})
        for side in SIDES if recorded else ():
            for sample in recorded.sides[side]:
                named = [frame for frame in sample.stack if frame.function]
                sides[side].add(named, sample.values[i] / recorded.ops)
    run = flame.Box("each row")
    for name, sides in pairs.items():
        pair = flame.Box(name)
        for side in SIDES:
            if sides[side].total:
                pair.join(sides[side])
        if pair.total:
            run.join(pair)
    return run


def svg(rows, allocated):
    """For a page whose sheet has the classes of flame.SHEET; nothing where no row allocates."""
    y, marks = 0, []
    for i, (what, unit) in enumerate(VALUES):
        run = _boxes(rows, allocated, i) if allocated else flame.Box("")
        if run.total:
            title = f"{what}, one operation of each side: {flame.amount_text(run.total, unit, 0)}"
            more, height = flame.graph(title, [run], unit, y, 0)
            marks += more
            y += height
    if not marks:
        return ""
    return Markup(f'<svg class="flame" viewBox="0 0 {flame.WIDTH} {y}" role="img" '
                  f'aria-label="{escape("Flame graph of what the rows allocate")}">' + "".join(marks) + "</svg>")
