# SPDX-License-Identifier: MIT
"""How every figure looks: one palette, one page, no text outside of it.

A colour never carries a meaning alone. The value side is dark, round and solid, the pointer side light, square-edged
and dashed: the two differ in grey print and for every kind of colour blindness. What is decided is filled, what is not
is hollow.

A page is measured in inches from its lower left corner, and its height follows from its text: a header (title, lead,
key), a body for axes, a footer (caption, small print). Text is wrapped by its measured width, never by a guess."""

import functools
import math
import re
from contextlib import contextmanager
from dataclasses import dataclass

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.textpath import text_to_path

from plots.files import compiled

WIDTH_IN = 8.3  # 830 pixels at 100 dpi: the width of a README
MARGIN_IN = 0.12
PNG_DPI = 200
ROW_IN = 0.145  # from one row of a table to the next

TITLE_PT, LEAD_PT, TEXT_PT, SMALL_PT = 12, 9, 7.5, 6.5
LINE = 1.35  # line height over font size
PT_PER_IN = 72

INK, FAINT, GRID = "#1a1a1a", "#5c5c5c", "#dcdcdc"
FLOOR_INTERVAL, FLOOR_SPREAD, STRIPE = "#b4b4b4", "#e2e2e2", "#f6f6f6"


@dataclass(frozen=True)
class Side:
    colour: str
    text: str  # the same hue, dark enough to be read as letters
    marker: str
    line: object  # a matplotlib line style


SIDES = {
    "value": Side("#1b4a94", "#1b4a94", "o", "-"),
    "pointer": Side("#e08a1e", "#9a5200", "D", (0, (4, 1.5))),
}


@dataclass(frozen=True)
class Mark:
    colour: str
    text: str
    marker: str
    filled: bool


VALUE, POINTER = SIDES["value"], SIDES["pointer"]
VERDICTS = {
    "value faster": Mark(VALUE.colour, VALUE.text, VALUE.marker, True),
    "leans value": Mark(VALUE.colour, VALUE.text, VALUE.marker, False),
    "pointer faster": Mark(POINTER.colour, POINTER.text, POINTER.marker, True),
    "leans pointer": Mark(POINTER.colour, POINTER.text, POINTER.marker, False),
    "equal": Mark(FAINT, INK, "s", True),
    "placement decides": Mark(FAINT, INK, "s", False),
    "undecided": Mark(FAINT, FAINT, "v", False),
    "no verdict": Mark(FAINT, FAINT, "o", False),
    "failed": Mark(INK, INK, "x", True),
}

RC = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial"],  # the first ships with matplotlib; a viewer may lack it
    "font.size": TEXT_PT,
    "text.color": INK,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.labelsize": TEXT_PT,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": False,
    "grid.color": GRID,
    "grid.linewidth": 0.5,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": TEXT_PT,
    "ytick.labelsize": TEXT_PT,
    "lines.solid_capstyle": "butt",
    "svg.fonttype": "none",  # letters stay letters: they can be searched, read aloud and tested
    "svg.hashsalt": "ampersand",  # else the ids in an SVG differ from one writing to the next
}


@contextmanager
def applied():
    """Draw and write in this style, whatever a user's own matplotlibrc says."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(RC)
        yield


def plain(text):
    """Text of others, as text: no mathematics between dollar signs, no control characters."""
    return re.sub(r"[\x00-\x1f\x7f]+", " ", str(text)).replace("$", r"\$")


@dataclass(frozen=True)
class Key:
    """One entry of a page's key: a sample of the mark, and what it means. `style` is of Line2D, or of a Rectangle."""
    label: str
    style: dict
    band: bool = False

    @property
    def sample_in(self):
        return 0.12 if self.style.get("linestyle") == "none" else 0.3


class Page:
    """A figure whose height follows from its header, its body and its footer."""

    def __init__(self, body_in, title, lead="", keys=(), caption="", small=""):
        self.fig = Figure(figsize=(WIDTH_IN, 1), dpi=100, facecolor="white")
        FigureCanvasAgg(self.fig)
        above = [(title, TITLE_PT, "bold", INK), (lead, LEAD_PT, "normal", INK)]
        below = [(caption, TEXT_PT, "normal", INK), (small, SMALL_PT, "normal", FAINT)]
        above = [(wrap(text, pt, weight=weight), pt, weight, c) for text, pt, weight, c in above if text]
        below = [(wrap(text, pt), pt, weight, c) for text, pt, weight, c in below if text]
        lanes = self._key_lanes(keys)
        key_in = len(lanes) * 1.5 * line_in(TEXT_PT)
        footer_in = sum(block_in(lines, pt) for lines, pt, _, _ in below) + MARGIN_IN
        header_in = sum(block_in(lines, pt) for lines, pt, _, _ in above) + key_in + MARGIN_IN
        self.bottom_in = footer_in
        self.height_in = footer_in + body_in + header_in
        self.fig.set_size_inches(WIDTH_IN, self.height_in)
        top = self._blocks(above, self.height_in - MARGIN_IN)
        self._draw_keys(lanes, top)
        self._blocks(below, footer_in)

    def axes(self, left_in, right_in, bottom_in, top_in, **kwargs):
        """Axes between these edges: x from the page's left, y from the bottom of the body."""
        rect = (left_in / WIDTH_IN, (self.bottom_in + bottom_in) / self.height_in,
                (right_in - left_in) / WIDTH_IN, (top_in - bottom_in) / self.height_in)
        return self.fig.add_axes(rect, **kwargs)

    def _blocks(self, blocks, top_in):
        for lines, pt, weight, colour in blocks:
            for n, line in enumerate(lines):
                self.fig.text(MARGIN_IN, top_in - (n + 0.5) * line_in(pt), plain(line), fontsize=pt, fontweight=weight,
                              color=colour, va="center", transform=self.fig.dpi_scale_trans)
            top_in -= block_in(lines, pt)
        return top_in

    def _key_lanes(self, keys):
        lanes, x = [], WIDTH_IN
        for key in keys:
            width = key.sample_in + 0.07 + text_width_in(key.label, TEXT_PT)
            if x + width > WIDTH_IN - MARGIN_IN:
                lanes.append([])
                x = MARGIN_IN
            lanes[-1].append((x, key))
            x += width + 0.2
        return lanes

    def _draw_keys(self, lanes, top_in):
        step = 1.5 * line_in(TEXT_PT)
        scale = self.fig.dpi_scale_trans
        for lane, entries in enumerate(lanes):
            y = top_in - (lane + 0.5) * step
            for x, key in entries:
                wide = key.sample_in
                if key.band:
                    sample = Rectangle((x, y - 0.05), wide, 0.1, transform=scale, **{"linewidth": 0} | key.style)
                else:
                    sample = Line2D([x, x + wide / 2, x + wide], [y] * 3, transform=scale, markevery=[1], **key.style)
                self.fig.add_artist(sample)
                self.fig.text(x + wide + 0.06, y, plain(key.label), fontsize=TEXT_PT, va="center", transform=scale)


def line_in(pt):
    return pt * LINE / PT_PER_IN


def block_in(lines, pt):
    return (len(lines) + 0.35) * line_in(pt)


@functools.lru_cache(maxsize=4096)
def text_width_in(text, pt, weight="normal"):
    """How wide a line is, and three in a hundred more: a viewer's hinting and fonts differ a little from ours."""
    font = FontProperties(family=RC["font.sans-serif"][0], size=pt, weight=weight)
    width_pt, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return 1.03 * width_pt / PT_PER_IN


def wrap(text, pt, width_in=WIDTH_IN - 2 * MARGIN_IN, weight="normal"):
    """The lines of `text`, none wider than `width_in`. A word that is too long by itself is broken."""
    # A line is as wide as its words and what lies between them: measuring words, not lines, keeps this quick.
    space_in = text_width_in("n n", pt, weight) - text_width_in("nn", pt, weight)
    lines = []
    for paragraph in text.split("\n"):
        line, line_width_in = [], -space_in
        for word in (part for word in paragraph.split() for part in broken(word, pt, width_in, weight)):
            line_width_in += space_in + text_width_in(word, pt, weight)
            if line and line_width_in > width_in:
                lines.append(" ".join(line))
                line, line_width_in = [], text_width_in(word, pt, weight)
            line.append(word)
        lines.append(" ".join(line))
    return lines


def broken(word, pt, width_in, weight):
    """`word` in parts that fit, of one letter at least: mostly the word itself."""
    if len(word) < 2 or text_width_in(word, pt, weight) <= width_in:
        return [word]
    half = len(word) // 2
    return broken(word[:half], pt, width_in, weight) + broken(word[half:], pt, width_in, weight)


@dataclass(frozen=True)
class Label:
    text: str
    middle_in: float  # from the page's left
    lane: int  # 0: the lowest


def in_lanes(labels, weight="normal"):
    """Labels, (inches from the page's left, text), in lanes, so that none covers another and none leaves the page."""
    ends, placed = [], []
    for at_in, text in sorted(labels):
        half = text_width_in(text, TEXT_PT, weight) / 2
        middle = min(max(at_in, MARGIN_IN + half), WIDTH_IN - MARGIN_IN - half)
        lane = next((n for n, end in enumerate(ends) if end <= middle - half), len(ends))
        ends[lane:lane + 1] = [middle + half + 0.1]
        placed.append(Label(text, middle, lane))
    return placed


def lanes_in(labels):
    """How high the lanes of these Labels are."""
    return max((label.lane + 1 for label in labels), default=0) * line_in(TEXT_PT)


def write_lanes(ax, labels, offset_in, **kwargs):
    """Write Labels above `ax`, the lowest lane `offset_in` above the axes."""
    dpi = ax.figure.dpi
    for label in labels:
        top_px = ax.bbox.y1 + (offset_in + (label.lane + 0.5) * line_in(TEXT_PT)) * dpi
        x_axes, y_axes = ax.transAxes.inverted().transform((label.middle_in * dpi, top_px))
        ax.text(x_axes, y_axes, plain(label.text), transform=ax.transAxes, ha="center", va="center", fontsize=TEXT_PT,
                **kwargs)


def ratio_ticks(low, high, most=12):
    """At most so many ratios to name on an axis: powers of two over a wide one, else round steps. 1 is among them."""
    octaves = [2.0 ** n for n in range(-30, 31) if low <= 2.0 ** n <= high]
    if len(octaves) >= 4:
        step = -(-len(octaves) // most)
        return [x for x in octaves if round(math.log2(x)) % step == 0]
    for step in (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5):
        first, last = math.ceil((low - 1) / step - 1e-9), math.floor((high - 1) / step + 1e-9)
        if last - first < min(most, 8):
            return [1 + n * step for n in range(first, last + 1) if 1 + n * step > 0]
    return octaves


def size_label(unit):
    """Names an axis of sizes."""
    return {"": "size", "B": "size in bytes"}.get(unit, f"number of {unit}")


def time_ticks(low_ns, high_ns):
    """Times to name on a log axis: decades, or 1-2-5, or all of one digit, or of two in steps of five, of two, of one:
    the first that gives four."""
    decades = range(math.floor(math.log10(low_ns)), math.ceil(math.log10(high_ns)) + 1)
    tenths = [n / 10 for n in range(10, 100)]
    for digits in ((1,), (1, 2, 5), range(1, 10), tenths[::5], tenths[::2], tenths):
        ticks = [digit * 10.0 ** n for n in decades for digit in digits if low_ns <= digit * 10.0 ** n <= high_ns]
        if len(ticks) >= 4:
            break
    return ticks


def small_print(manifest, pair=None):
    """The machine and the compiler that the numbers belong to, those of one pair or all, and how much was measured."""
    lesson = next((row["lesson"] for row in manifest["rows"] if row["pair"] == pair), None)
    allocator, settings = manifest["allocator"] or {}, manifest["settings"]
    parts = place(manifest, lesson)
    if allocator.get("name"):
        version = str(allocator.get("version") or "").partition("-")[0]  # what follows is a hash of forty digits
        parts.append(f"{allocator['name']} {version}".strip())
    parts.append(f"{settings['launches']} launches, {settings['layouts']} layouts")
    return " · ".join([*parts, made(manifest)])


def made(manifest):
    return f"ampersand {manifest['version']}, {manifest['created'][:10]}"


def place(manifest, lesson=None):
    """[the machine, the compiler: of this lesson or of all]"""
    machine = manifest["machine"]
    words = f"{machine.get('cpu') or 'unknown processor'}, {machine.get('cpus') or '?'} CPUs"
    if machine.get("virtual"):
        words += f", in a virtual machine ({machine['virtual']})"
    return [words, compiled.caption(manifest, lesson) if lesson else compiled.brief(manifest)]
