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
# Fills by their class: a side, its boxes by turns, and the text on the side's own. A page has its own sheet.
SHEET = {"value": style.SIDES["value"].colour, "value0": "#c3d3ee", "value1": "#d9e4f5",
         "pointer": style.SIDES["pointer"].colour, "pointer0": "#f6d9ae", "pointer1": "#fbe8cd",
         "any0": "#e6dfc8", "any1": "#f1ecdc", "on-value": "#ffffff", "on-pointer": style.INK}
NAMES = {"alloc_space": "bytes allocated", "alloc_objects": "allocations", "inuse_space": "bytes not freed",
         "inuse_objects": "objects not freed", "cpu": "CPU time", "time": "CPU time", "copied": "bytes copied",
         "samples": "samples"}
HIDDEN = {"samples"}  # CPU time says the same


@dataclass
class Box:
    """A function with those that it called, or something else that has parts."""

    name: str
    where: str = ""
    side: str = ""  # from here on downwards
    total: float = 0
    below: dict = field(default_factory=dict)

    def add(self, frames, amount):
        """An amount to this box and to those of the frames, the outermost first; equal names below one box are one."""
        box = self
        box.total += amount
        for frame in frames[:DEEPEST]:
            name = frame.function or "?"
            box = box.below.setdefault(name, Box(name, f"{Path(frame.file).name}:{frame.line}" if frame.file else ""))
            box.total += amount

    def join(self, part):
        """A part of this box, as it is."""
        self.total += part.total
        self.below[part.name] = part


def tree(samples, i, side):
    """The boxes of the i-th value."""
    root = Box(side or "all", side=side)
    for sample in samples:
        if sample.values[i] != 0:
            root.add(sample.stack, abs(sample.values[i]))
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

    def box(self, box, x, y, scale, side="", depth=0):
        """Draw a box and those below it; y of its upper edge."""
        width = box.total * scale
        if width < LEAST:
            return
        self.deepest = max(self.deepest, depth)
        fill = box.side or f"{side or 'any'}{depth % 2}"
        side = box.side or side
        told = (f"{box.name}{f' ({box.where})' if box.where else ''}: {amount_text(box.total, self.unit, self.per)}, "
                f"{quantity.percent(box.total / self.whole)}")
        self.marks.append(f'<g><title>{escape(told)}</title><rect x="{x:.2f}" y="{y}" '
                          f'width="{max(width - 0.5, 0.2):.2f}" height="{ROW - 1}" class="{fill}"/>')
        room = int((width - 6) / LETTER)
        if room >= 3:
            text = box.name if len(box.name) <= room else box.name[:room - 1] + "…"
            ink = f' class="on-{fill}"' if f"on-{fill}" in SHEET else ""
            self.marks.append(f'<text x="{x + 3:.2f}" y="{y + ROW - 5}"{ink}>{escape(text)}</text>')
        self.marks.append("</g>")
        for below in sorted(box.below.values(), key=lambda each: (-each.total, each.name)):
            self.box(below, x, y + ROW, scale, side, depth + 1)
            x += below.total * scale


def graph(title, roots, unit, y, per):
    """(marks, height) of boxes beside each other, on one scale, under a title that begins at y."""
    whole = sum(root.total for root in roots)
    scale = (WIDTH - 2 * MARGIN) / whole
    drawing, x = Drawing(unit, per, whole), MARGIN
    for root in roots:
        drawing.box(root, x, y + HEAD, scale)
        x += root.total * scale
    head = f'<text x="{MARGIN}" y="{y + 20}" class="head">{escape(title)}</text>'
    return [head, *drawing.marks], HEAD + (drawing.deepest + 1) * ROW + GAP


def heading(name, roots, unit, per):
    if len(roots) == 1:
        return f"{name}: {amount_text(roots[0].total, unit, per)}"
    value, pointer = (root.total for root in roots)
    return f"{name}: value {amount_text(value, unit, per)}, pointer {amount_text(pointer, unit, per)}"


def graph_of(profile, i, y, per):
    """(marks, height) of the graph of the i-th value; nothing if all are 0."""
    name, unit = profile.types[i]
    is_difference = any(sample.is_base for sample in profile.samples)
    sides = ("value", "pointer") if is_difference else ("",)
    roots = [tree([sample for sample in profile.samples if side == "" or sample.is_base == (side == "value")], i, side)
             for side in sides]
    if not sum(root.total for root in roots) or name in HIDDEN:
        return [], 0
    return graph(heading(NAMES.get(name, name), roots, unit, per), roots, unit, y, per)


def svg(profile, title, per=0):
    """The document. `per`: how many operations the values are of; they are shown of one."""
    y, marks = 40, []
    order = sorted(range(len(profile.types)), key=lambda i: profile.types[i][0] != profile.default)
    for i in order:
        more, height = graph_of(profile, i, y, per)
        marks += more
        y += height
    if not marks:
        marks, y = [f'<text x="{MARGIN}" y="{y + 20}">nothing was recorded</text>'], y + 40
    fills = " ".join(f".{name} {{ fill: {colour} }}" for name, colour in SHEET.items())
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" role="img" aria-label="{escape(title)}">',
        f"<style>text {{ font: {FONT}px ui-monospace, monospace; fill: {style.INK} }} "
        f".head {{ font: 13px sans-serif }} .title {{ font: bold 15px sans-serif }} {fills}</style>",
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
