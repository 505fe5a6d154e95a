# SPDX-License-Identifier: MIT
"""Where the launches and the layouts of a pair lie, a strip for each of its rows. Coordinates only, as in sparkline.py:
templates/distribution.html.j2 draws them, hundreds of pictures in the time that matplotlib takes for two.

    size   ratio |   launches, in their order   |      layouts
                 |    .       .                 |        :
      64   1.23  | .     . .      .  .          |      ::::       .
                 |    .    o   .                |   . ::::::     :::
                 | _  ___     __                | --------|--------
                   share of disturbed blocks       p10 to p90

A dot is a launch, at its ratio over the ratio of the row, or a layout. Layouts of one ratio are stacked: a stack is a
mode. Hollow: the launch was left out. All strips of a pair have the same scales; the middle is the ratio of the row."""

import math
from dataclasses import dataclass

import numpy as np

from plots.figures import style
from plots.stats import sensor
from plots.words import quantity

WIDTH, LABEL_X, RATIO_X = 800, 62, 122
PANELS = {"launches": (136, 436), "layouts": (456, 792)}
TOP, STRIP, BELOW = 34, 48, 20
DOT = 3.2  # from one dot to the next
HALF = 16  # of a strip's height, what dots of launches may use either way
STACK = 36
SENSOR = 10  # a bar of a launch all of whose blocks were disturbed


@dataclass(frozen=True)
class Row:
    """Ratios are pointer/value over the ratio of the row."""
    size: str
    text: str  # its ratio
    ratio: float
    launches: np.ndarray  # in order
    takes_part: np.ndarray  # [launch]
    disturbed: np.ndarray  # [launch] share of blocks
    layouts: np.ndarray
    interval: tuple  # (low, high) or ()
    spread: tuple


@dataclass(frozen=True)
class Strip:
    y: float  # its lower edge
    middle: float  # of the launches
    size: str
    text: str
    dots: dict  # {class: path of dots}
    band: tuple  # (y, height) of the interval
    sensor: str  # path
    spread: tuple  # (x, x)
    one: float | None  # where pointer/value is 1 among the layouts


@dataclass(frozen=True)
class Distribution:
    height: float
    foot: float
    strips: tuple
    ticks: tuple  # (x, words) of the layouts
    launches_scale: str  # what a strip's height is
    caption: str
    legend: tuple  # (class, words)


def load(rows, launches, measured, order, show_size):
    """The Rows of a pair that have launches, by size: `rows` of its summary, Tidy `launches` and statistics.Measured by
    name. `order`: {(name, launch): its place among all that were measured}, empty where nobody knows."""
    found = []
    for row in sorted(rows, key=lambda row: row.size):
        mine = measured.get(row.row)
        if not row.ratio or mine is None or not mine.launches:
            continue
        paired = row.by_turns  # launches and layouts are those of rounds by turns
        usable = [one for one in launches[row.row] if np.isfinite(one.medians).all()]
        quiet = np.stack([one.quiet for one in usable])
        kept = sensor.kept(quiet, row.launches)
        ln = np.array([one.medians[0].mean() for one in usable])
        ln[kept] = mine.headlines
        at = np.argsort([order.get((row.row, one.number), one.number) for one in usable], kind="stable")
        ratio = paired.ratio.estimate
        found.append(Row(
            show_size(row.size), quantity.ratio(ratio, *_ends(paired.ratio)), ratio, np.exp(ln)[at] / ratio, kept[at],
            1 - quiet.mean(axis=1)[at], np.exp(mine.fit.headline + mine.fit.effects) / ratio,
            tuple(x / ratio for x in _ends(paired.ratio)), tuple(x / ratio for x in _ends(paired.spread))))
    return found


def _ends(part):
    return part.ends if part and None not in part.ends else ()


def order_of(journal):
    """{(row, launch): its place} of the paired launches, from the events of a journal; none of a published run."""
    done = [event for event in journal if event["event"] == "done" and event["kind"] == "paired"]
    return {(f"{event['pair']}/size={event['size']}", event["launch"]): place for place, event in enumerate(done)}


def make(rows, names, ordered):
    """The Distribution of Rows; None of none. `names`: {side: what the lesson calls it}."""
    if not rows:
        return None
    reach = max(_reach(np.concatenate([row.launches[row.takes_part], row.interval])) for row in rows)
    wide = max(_reach(np.concatenate([row.layouts, row.spread])) for row in rows)
    left, right = PANELS["layouts"]
    across = (right - left) / 2 / wide

    def x_of(ratio):
        return left + (right - left) / 2 + across * math.log(ratio)
    strips = tuple(_strip(row, TOP + (i + 1) * STRIP, reach, x_of) for i, row in enumerate(rows))
    return Distribution(
        TOP + len(rows) * STRIP + BELOW, TOP + len(rows) * STRIP, strips, _ticks(wide, x_of),
        f"height of a strip: ± {quantity.percent(math.expm1(reach * STRIP / 2 / HALF))}",
        _caption(rows, ordered), tuple(_legend(rows, names)))


def _reach(ratios):
    return 1.06 * max(np.abs(np.log(ratios)).max(), 1e-4)


def _strip(row, y, reach, x_of):
    middle = y - STRIP / 2
    dots = {}

    def add(kind, points):
        path = "".join(f"M{x:.1f} {at:.1f}h0" for x, at in points)
        if path:
            dots[kind] = dots.get(kind, "") + path

    def y_of(ratio):
        return middle - HALF * float(np.clip(math.log(ratio) / reach, -1.3, 1.3))
    left, right = PANELS["launches"]
    xs = left + 6 + (right - left - 12) * (np.arange(len(row.launches)) + 0.5) / len(row.launches)
    for side in style.SIDES:
        ours = (row.launches * row.ratio >= 1) == (side == "value")
        for part, kind in ((row.takes_part, side), (~row.takes_part, f"{side} out")):
            add(kind, [(x, y_of(ratio)) for x, ratio in zip(xs[ours & part], row.launches[ours & part])])
        ours = (row.layouts * row.ratio >= 1) == (side == "value")
        add(side, [point for point, mine in zip(stacked([x_of(ratio) for ratio in row.layouts], y - 6), ours) if mine])
    band = sorted(map(y_of, row.interval))
    bars = "".join(f"M{x:.1f} {y - 1:g}v{-SENSOR * share:.1f}" for x, share in zip(xs, row.disturbed) if share)
    in_sight = PANELS["layouts"][0] <= x_of(1 / row.ratio) <= PANELS["layouts"][1]
    return Strip(y, middle, row.size, row.text, dots, (band[0], max(band[1] - band[0], 0.8)) if band else (), bars,
                 tuple(round(x_of(x), 1) for x in row.spread), round(x_of(1 / row.ratio), 1) if in_sight else None)


def stacked(places, base):
    """[(x, y)] of dots at these places, in stacks over `base` where they are less than a dot apart."""
    columns = np.floor(np.array(places) / DOT).astype(int)
    most = max(np.unique(columns, return_counts=True)[1])
    pitch = min(DOT, STACK / most)
    height, points = {}, []
    for column in columns.tolist():
        points.append(((column + 0.5) * DOT, base - pitch * height.get(column, 0)))
        height[column] = height.get(column, 0) + 1
    return points


def _ticks(wide, x_of):
    low, high = math.exp(-wide), math.exp(wide)
    ticks = style.ratio_ticks(low, high, 7)
    texts = [quantity.ratio_tick(x) for x in ticks]
    if len(ticks) < 3:  # layouts differ by less than the finest of these steps
        ticks = [1 + n * step for step in [10.0 ** math.floor(math.log10(math.expm1(wide)))] for n in (-1, 0, 1)]
        texts = [quantity.digits(x, 6, exact=True) for x in ticks]
    return tuple((round(x_of(x), 1), text) for x, text in zip(ticks, texts))


def _legend(rows, names):
    for side in style.SIDES:
        if any(side in kind for row in rows for kind in _sides(row)):
            yield side, f"{names[side]} faster"
    if any(not row.takes_part.all() for row in rows):
        yield "out", "launch that was left out"
    if any(row.interval for row in rows):
        yield "band", "interval over launches"
    if any(row.disturbed.any() for row in rows):
        yield "sensor", "share of a launch's blocks that something else on the core disturbed"
    yield "spread", "p10 to p90 over layouts"
    yield "one", "here pointer/value is 1"


def _sides(row):
    every = np.concatenate([row.launches, row.layouts]) * row.ratio
    return (["value"] if (every >= 1).any() else []) + (["pointer"] if (every < 1).any() else [])


def _caption(rows, ordered):
    launches, layouts = max(len(row.launches) for row in rows), max(len(row.layouts) for row in rows)
    how = "in the order in which they were measured" if ordered else "in the order of their numbers"
    return (f"A strip is a size. Left: up to {launches} launches {how}, each at its mean over the layouts. Right: "
            f"{layouts} layouts, each at what it differs from its launch, a median over launches; a stack is a mode, a "
            "kind of placement. All are divided by the ratio of the row.")
