# SPDX-License-Identifier: MIT
"""Draw a profile, or the difference of a pair's sides, as flame graphs: SVG that any browser shows.

One graph for each kind of value. A box is a function; below it stand those that it called; its width is its part of the
whole. In a difference both sides stand side by side, on one scale: the value side and the pointer side, each with all
that it takes, so that what one has and the other has not is seen as a box."""

import sys
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from plots.figures import style
from plots.files import pprof
from plots.program.errors import Refused
from plots.words import quantity

WIDTH, MARGIN, ROW, LETTER, FONT = 1000, 10, 18, 6.4, 11
HEAD, GAP, LEAST = 34, 22, 0.3  # px above a graph's boxes, below them; what is narrower is not drawn
DEEPEST = 40
SHADES = {"value": ("#c3d3ee", "#d9e4f5"), "pointer": ("#f6d9ae", "#fbe8cd"), "": ("#e6dfc8", "#f1ecdc")}
NAMES = {"alloc_space": "bytes allocated", "alloc_objects": "allocations", "inuse_space": "bytes not freed",
         "inuse_objects": "objects not freed", "cpu": "CPU time", "time": "CPU time", "copied": "bytes copied",
         "samples": "samples"}
HIDDEN = {"samples"}  # CPU time says the same


@dataclass
class Box:
    """A function with those that called it; `own` is what its sub-boxes do not hold."""

    name: str
    where: str = ""
    total: int = 0
    below: dict = field(default_factory=dict)


def tree(samples, i, side):
    """The boxes of the i-th value, those of equal name below one box joined."""
    root = Box(side)
    for sample in samples:
        amount = abs(sample.values[i])
        if amount == 0:
            continue
        box = root
        box.total += amount
        for frame in sample.stack[:DEEPEST]:
            name = frame.function or "?"
            box = box.below.setdefault(name, Box(name, f"{Path(frame.file).name}:{frame.line}" if frame.file else ""))
            box.total += amount
    return root


def amount_text(amount, unit, per):
    """`per`: operations that the amount is of; 0: it is of the whole program."""
    amount = amount / per if per else amount
    text = {"nanoseconds": quantity.time, "bytes": quantity.size}.get(unit, quantity.count)(amount)
    return f"{text} an operation" if per else text


class Drawing:
    def __init__(self, unit, per, whole):
        self.unit, self.per, self.whole = unit, per, whole
        self.marks, self.deepest = [], 0

    def box(self, box, x, y, scale, side, depth):
        """Draw a box and those below it; y of its upper edge."""
        width = box.total * scale
        if width < LEAST:
            return
        self.deepest = max(self.deepest, depth)
        colour = style.SIDES[side].colour if depth == 0 and side else SHADES[side][depth % 2]
        ink = ' style="fill: #ffffff"' if depth == 0 and side == "value" else ""
        share = f"{quantity.percent(box.total / self.whole)}"
        told = f"{box.name}{f' ({box.where})' if box.where else ''}: {amount_text(box.total, self.unit, self.per)}, {share}"
        self.marks.append(f'<g><title>{escape(told)}</title><rect x="{x:.2f}" y="{y}" width="{max(width - 0.5, 0.2):.2f}" '
                          f'height="{ROW - 1}" fill="{colour}"/>')
        room = int((width - 6) / LETTER)
        if room >= 3:
            text = box.name if len(box.name) <= room else box.name[:room - 1] + "…"
            self.marks.append(f'<text x="{x + 3:.2f}" y="{y + ROW - 5}"{ink}>{escape(text)}</text>')
        self.marks.append("</g>")
        for below in sorted(box.below.values(), key=lambda each: (-each.total, each.name)):
            self.box(below, x, y + ROW, scale, side, depth + 1)
            x += below.total * scale


def heading(name, roots, unit, per):
    if len(roots) == 1:
        return f"{name}: {amount_text(roots[0].total, unit, per)}"
    value, pointer = (root.total for root in roots)
    return f"{name}: value {amount_text(value, unit, per)}, pointer {amount_text(pointer, unit, per)}"


def graph(profile, i, y, per):
    """(marks, height) of the graph of the i-th value, whose heading begins at y; nothing if all are 0."""
    name, unit = profile.types[i]
    is_difference = any(sample.is_base for sample in profile.samples)
    sides = ("value", "pointer") if is_difference else ("",)
    roots = [tree([sample for sample in profile.samples if side == "" or sample.is_base == (side == "value")], i, side)
             for side in sides]
    whole = sum(root.total for root in roots)
    if whole == 0 or name in HIDDEN:
        return [], 0
    scale = (WIDTH - 2 * MARGIN) / whole
    drawing, x = Drawing(unit, per, whole), MARGIN
    marks = [f'<text x="{MARGIN}" y="{y + 20}" class="head">{escape(heading(NAMES.get(name, name), roots, unit, per))}</text>']
    for side, root in zip(sides, roots):
        root.name = root.name or "all"
        drawing.box(root, x, y + HEAD, scale, side, 0)
        x += root.total * scale
    return marks + drawing.marks, HEAD + (drawing.deepest + 1) * ROW + GAP


def svg(profile, title, per=0):
    """The document. `per`: how many operations the values are of; they are shown of one."""
    y, marks = 40, []
    order = sorted(range(len(profile.types)), key=lambda i: profile.types[i][0] != profile.default)
    for i in order:
        more, height = graph(profile, i, y, per)
        marks += more
        y += height
    if not marks:
        marks, y = [f'<text x="{MARGIN}" y="{y + 20}">nothing was recorded</text>'], y + 40
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" role="img" aria-label="{escape(title)}">',
        f"<style>text {{ font: {FONT}px ui-monospace, monospace; fill: {style.INK} }} .head {{ font: 13px sans-serif }} "
        ".title { font: bold 15px sans-serif }</style>",
        f'<rect width="{WIDTH}" height="{y}" fill="#ffffff"/>',
        f'<text x="{MARGIN}" y="26" class="title">{escape(title)}</text>', *marks, "</svg>", ""])


def add_arguments(parser):
    parser.add_argument("profile", metavar="FILE.pb.gz")
    parser.add_argument("svg", metavar="FILE.svg")
    parser.add_argument("--per", type=int, default=0, help="operations that the profile is of; one is shown")


def main(arguments):
    profile = pprof.read(arguments.profile)
    try:
        Path(arguments.svg).write_text(svg(profile, profile.comment or arguments.profile, arguments.per))
    except OSError as error:
        raise Refused(arguments.svg, error.strerror) from None
    print(f"{arguments.svg}: a flame graph; any browser shows it", file=sys.stderr)
    return 0
