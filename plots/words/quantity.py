# SPDX-License-Identifier: MIT
"""Every number that people read, one form for each kind of quantity: in tables, sentences, figures and pages alike.

    ratio      as many decimals as its interval deserves: the last one is worth at most a tenth of the interval's width.
               Four at most, two digits at least; without an interval three digits. Below a tenth as 1/20.1
    time       four digits, as `go test -benchmem` prints them; bare under a heading "ns/op", else with its unit
    size       three digits and a binary unit: 17 B, 4 KiB, 1.5 MiB
    count      whole numbers in full, others in four digits
    percent    what was measured: one decimal, two digits below a tenth of a percent, none from a hundred on
    level      a percentage that somebody chose: as it is, 0.2 %, 95 %

What is not there is "-". A number of five digits or more is grouped: 65,536. The size in a row's name is part of the
name, and stays as it is. `exact` marks a number that was chosen and not measured: it loses the zeros at its end. Marks
on an axis, where there is little room, have forms of their own: 1/8, 1×, 20 ns, 4Ki."""

import math

NONE = "-"
GROUPED = 10000
LEAST_NS = 0.0095  # of a difference of times: what is less would read as 0.01
TIMES = (("ns", 1.0), ("µs", 1e3), ("ms", 1e6), ("s", 1e9))
PREFIXES = ("", "Ki", "Mi", "Gi", "Ti")


def absent(x):
    return x is None or not math.isfinite(x)


def fixed(x, decimals):
    """With so many decimals; never -0."""
    text = f"{x:.{decimals}f}"
    if float(text) == 0:
        return text.lstrip("-")
    return f"{x:,.{decimals}f}" if abs(float(text)) >= GROUPED else text


def digits(x, n, exact=False):
    """In n digits or, of a large number, all before the point; below a thousandth in two."""
    if x == 0:
        return "0"
    if abs(x) < 0.001:
        return f"{x:.2g}"
    magnitude = math.floor(math.log10(abs(float(f"{x:.{n - 1}e}"))))  # of what is printed: 9.9996 is 10.00
    text = fixed(x, max(0, n - 1 - magnitude))
    return text.rstrip("0").rstrip(".") if exact and "." in text else text


def ratio(x, low=None, high=None):
    """`low` and `high`: its interval."""
    if absent(x):
        return NONE
    known = not absent(low) and not absent(high) and low > 0
    if 0 < x < 0.0995:
        return f"1/{ratio(1 / x, *((1 / high, 1 / low) if known else ()))}"
    if known:
        return fixed(x, _decimals(x, high - low))
    return fixed(x, 3) if x < 9.9995 else digits(float(f"{x:.3g}"), 3)


def _decimals(x, width):
    least = max(0, 1 - math.floor(math.log10(x))) if x > 0 else 2
    return max(least, min(4, 1 - math.floor(math.log10(width)) if width > 0 else 4))


def interval(low, high, to=".."):
    """Of a ratio, in the digits that the ratio has with it; 1/x for both ends or for none."""
    if absent(low) or absent(high):
        return NONE
    if 0 < low and high < 0.0995:
        return to.join(ratio(x, low, high) for x in (low, high))
    same = low if 0.0995 <= low and high < 9.9995 else None  # both ends in the same digits
    return to.join(fixed(x, _decimals(same or x, high - low)) for x in (low, high))


def with_interval(x, low, high):
    """0.91 (0.80..1.02)"""
    between = interval(low, high)
    return ratio(x, low, high) + ("" if between == NONE else f" ({between})")


def ratio_tick(x):
    if x <= 0.5 and math.log2(x).is_integer():
        return f"1/{fixed(1 / x, 0)}"
    return "1×" if abs(x - 1) < 1e-9 else digits(x, 4, exact=True)


def time_ns(ns):
    """Bare, where the heading names the unit."""
    return NONE if absent(ns) else digits(ns, 4)


def time(ns, n=4, exact=False):
    if absent(ns):
        return NONE
    rounded = abs(float(f"{ns:.{n - 1}e}"))
    unit, factor = next((one for one in reversed(TIMES) if rounded >= one[1]), TIMES[0])
    return f"{digits(ns / factor, n, exact)} {unit}"


def size(x, unit="B"):
    """17 B; of other units ("elements") a count with its unit, of an unknown one ("") 28.8 Ki."""
    if absent(x):
        return NONE
    if unit not in ("", "B"):
        return f"{digits(x, 3, exact=True)} {one_of(unit) if x == 1 else unit}"
    step = 0
    while abs(x) >= 1023.5 and step < len(PREFIXES) - 1:
        x, step = x / 1024, step + 1
    return f"{digits(x, 3, exact=True)} {PREFIXES[step]}{unit}".rstrip()


def measured_size(x, unit="B"):
    """Of a size that something was measured at: exact, 4 KiB or 4112 B."""
    text = size(x, unit)
    number, _, shown = text.partition(" ")
    factor = 1024 ** PREFIXES.index(shown.removesuffix(unit)) if unit in ("", "B") else 1
    return text if float(number.replace(",", "")) * factor == x else f"{count(x)} {unit}".rstrip()


def near_size(x, unit="B"):
    """Of a size that is a guess: two digits."""
    step = 0
    while unit in ("", "B") and x / 1024 ** step >= 1000 and step < len(PREFIXES) - 1:
        step += 1
    return size(float(f"{x / 1024 ** step:.2g}") * 1024 ** step, unit)


def size_tick(x):
    """64, 257, 1Ki, 4Mi: what is no multiple in full."""
    step = next((n for n in range(len(PREFIXES) - 1, 0, -1) if x >= 1024 ** n and x % 1024 ** n == 0), 0)
    return f"{x / 1024 ** step:.0f}{PREFIXES[step]}"


def one_of(unit):
    """elements: element; entries: entry."""
    return unit[:-3] + "y" if unit.endswith("ies") else unit.removesuffix("s")


def counted(n, noun, plural=None):
    """1 row, 2 rows, 65,536 launches."""
    return f"{count(n)} {noun if n == 1 else plural or noun + 's'}"


def count(x):
    if absent(x):
        return NONE
    return fixed(x, 0) if x == int(x) else digits(x, 4, exact=True)


def executed(x):
    """Instructions, loads and the like of an operation: two decimals at most."""
    if absent(x):
        return NONE
    return fixed(x, 2).rstrip("0").rstrip(".")


def of_unit(x, unit):
    """In nanoseconds, bytes, or of no unit."""
    return {"ns": time, "B": size}.get(unit, count)(x)


def percent(fraction, signed=False):
    """Of what was measured: 0.052 is 5.2 %."""
    if absent(fraction):
        return NONE
    return f"{_hundredths(fraction, '+' if signed else '')} %"


def _hundredths(fraction, sign):
    x = 100 * fraction
    if abs(x) < 0.005:
        return f"{sign}0.0"
    text = f"{x:.2g}" if abs(x) < 0.0995 else fixed(x, 1 if abs(x) < 99.95 else 0)
    return text if x < 0 else sign + text


def change(ratio_of, signed=True):
    """From A to B, by their ratio: 1.05 is +5.0 %."""
    return NONE if absent(ratio_of) else percent(ratio_of - 1, signed)


def changes(low, high):
    """+1.2 to +3.4 %"""
    if absent(low) or absent(high):
        return NONE
    return f"{change(low).removesuffix(' %')} to {change(high)}"


def load(x):
    """Of the machine, in the digits of uptime(1)."""
    return NONE if absent(x) else fixed(x, 2)


def level(fraction):
    """Of what was chosen: a threshold, a confidence."""
    return f"{digits(100 * fraction, 4, exact=True)} %"


def faster(x):
    """How much the faster side of a ratio is faster: 1.28 times as fast, 5.2 % faster; as fast as the other."""
    factor = max(x, 1 / x)
    if factor >= 1.1:
        return f"{digits(factor, 3, exact=True)} times as fast"
    by = percent(factor - 1)
    return "as fast as the other" if by == percent(0) else f"{by} faster"
