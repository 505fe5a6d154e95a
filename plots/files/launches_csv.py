# SPDX-License-Identifier: MIT
"""launches.csv: all that the statistics see of a run's times, a line for each launch and layout.

    row,kind,launch,layout,ln_ratio,value_ns,pointer_ns,quiet
    pass/size=8,paired,0,17,-0.045621,1.41656,1.35342,1
    pass/size=8,solo,0,3,0.001200,1.40911,1.4108,

`kind` paired: the sides by turns; ln_ratio is the median over rounds of ln(pointer/value), and the times are medians
over rounds, in ns an operation; all three are empty where no round is usable. `quiet` is 1 where nothing else was on
the core. solo: each side alone. Nobody looked whether the core was quiet. `layout` is a place of the code: an index
into the lesson's table of layouts, as 3, or as 3+7 where the sides have different ones.

Statistics are made from exactly these digits (statistics.reduced()), so that this table gives the same results as the
raw rounds."""

import csv
import gzip
import io
import math
import re
import zlib
from dataclasses import dataclass, field

import numpy as np

from plots.files import strict_json
from plots.program.errors import Refused

HEADER = ["row", "kind", "launch", "layout", "ln_ratio", "value_ns", "pointer_ns", "quiet"]


@dataclass(frozen=True)
class Tidy:
    """A paired launch, a number for each layout, in the order of the layouts."""

    number: int
    layouts: np.ndarray  # [layout][value's, pointer's]
    medians: np.ndarray  # [ln ratio, ln value ns, ln pointer ns][layout]; NaN: no usable round
    quiet: np.ndarray  # [layout]
    ops: int = 0  # of either side in all that was timed; 0: the table does not say it


@dataclass(frozen=True)
class Alone:
    """A solo launch: each side alone, at one layout."""

    number: int
    layout: int
    value_ns: float
    pointer_ns: float


@dataclass
class Of:
    """Of a row."""

    paired: tuple = ()
    solo: tuple = ()
    lines: dict = field(default_factory=dict, repr=False)  # of each paired launch, while it is read


# ---- Written

def text(rows):
    """The file; `rows` are (name, Tidy launches, Alone launches)."""
    out = [",".join(HEADER)]
    for name, paired, solo in rows:
        for one in paired:
            start = f"{name},paired,{one.number},"
            ns = np.exp(one.medians[1:])
            out += [f"{start}{_layout(*layout)},{_number(ratio, '.6f')},{_number(value, '.6g')},"
                    f"{_number(pointer, '.6g')},{quiet:d}"
                    for layout, ratio, value, pointer, quiet in zip(
                        one.layouts.tolist(), one.medians[0].tolist(), *ns.tolist(), one.quiet.tolist())]
        out += [f"{name},solo,{one.number},{one.layout},{math.log(one.pointer_ns / one.value_ns):.6f},"
                f"{one.value_ns:.6g},{one.pointer_ns:.6g}," for one in solo]
    return "\n".join(out) + "\n"


def _layout(value, pointer):
    return f"{value}" if value == pointer else f"{value}+{pointer}"


def _number(x, form):
    return "" if math.isnan(x) else format(x, form)


# ---- Read

def read(path, names):
    """{row: Of} of a file, compressed or not, for all rows of these `names`. Raises Refused."""
    found = {name: Of() for name in names}
    for number, line in enumerate(_lines(path), start=2):
        try:
            _add(found, line)
        except (ValueError, KeyError) as error:
            why = f"no row {error.args[0]} in manifest.json" if isinstance(error, KeyError) else str(error)
            raise Refused(path, f"line {number}", why) from None
    for name, of in found.items():
        of.paired = tuple(_launch(path, name, launch, of.lines[launch]) for launch in sorted(of.lines))
        of.lines = {}
        if any(not np.array_equal(one.layouts, of.paired[0].layouts) for one in of.paired):
            raise Refused(path, f"{name}: other layouts in one launch than in another")
    return found


def _lines(path):
    raw = strict_json.read_bytes(path)
    try:
        text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("ascii")
        rows = csv.reader(io.StringIO(text), strict=True)
        if next(rows, None) != HEADER:
            raise Refused(path, "line 1", f"not {','.join(HEADER)}")
        yield from rows
    except (OSError, EOFError, zlib.error) as error:
        raise Refused(path, f"not what gzip wrote, or cut off: {error}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise Refused(path, f"not a table: {error}") from None


def _add(found, line):
    """A line to its row. Raises ValueError, or KeyError of a row that is not known."""
    if len(line) != len(HEADER):
        raise ValueError(f"{len(line)} fields, where there are {len(HEADER)}")
    name, kind, launch, layout, *numbers, quiet = line
    of, launch = found[name], _whole(launch)
    places = re.fullmatch(r"([0-9]{1,6})(?:\+([0-9]{1,6}))?", layout, re.ASCII)
    if not places:
        raise ValueError(f"{layout!r} is not a layout")
    if kind == "solo" and quiet == "" and "" not in numbers:
        _, value, pointer = map(_finite, numbers)
        of.solo += (Alone(launch, int(places[1]), _time(value), _time(pointer)),)
    elif kind == "paired" and quiet in ("0", "1") and numbers.count("") in (0, 3):
        ratio, *ns = (math.nan if text == "" else _finite(text) for text in numbers)
        place = int(places[1]), int(places[2] or places[1])
        mine = of.lines.setdefault(launch, {})
        if place in mine:
            raise ValueError(f"layout {layout} of launch {launch} of {name} is there twice")
        mine[place] = (ratio, *(x if math.isnan(x) else _time(x) for x in ns), quiet == "1")
    else:
        raise ValueError(f"not the line of a launch: {','.join(line)[:80]}")


def _launch(path, name, number, lines):
    layouts = sorted(lines)
    columns = np.array([lines[layout] for layout in layouts], float)
    medians = np.stack([columns[:, 0], *np.log(columns[:, 1:3].T.copy())])
    return Tidy(number, np.array(layouts), medians, columns[:, 3] == 1)


def _whole(text):
    if not re.fullmatch(r"[0-9]{1,9}", text, re.ASCII):
        raise ValueError(f"{text!r} is not the number of a launch")
    return int(text)


def _finite(text):
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is not a number that a measurement can give")
    return number


def _time(ns):
    if ns <= 0:
        raise ValueError(f"{ns:g} is not a time")
    return ns
