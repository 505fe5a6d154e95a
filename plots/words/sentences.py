# SPDX-License-Identifier: MIT
"""The words that a row has in every table, figure and page; and parts that many sentences have."""

from plots.judge.pair_summary import SIDES
from plots.words import quantity

MARK = " *"  # at a verdict: the row has carry-over


def listed(names, most=6):
    """a, b, c and 4 more"""
    names = list(names)
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def lost(parts):
    """A sentence about rows or cells, (name, how many launches it goes on without); "" where there is none."""
    told = [f"{name} ({n})" for name, n in parts if n]
    if not told:
        return ""
    launches = quantity.counted(sum(n for _, n in parts), "launch", "launches")
    return f"Lost: {launches} crashed, hung or found no memory, twice each; no number holds them: {listed(told)}"


def capital(sentence):
    return sentence[:1].upper() + sentence[1:]


# ---- Of a row of pairs

def ratio(found):
    """Of a part with an interval of its own; "-" where there is none."""
    return quantity.ratio(found.estimate, *found.ends) if found else quantity.NONE


def interval(found):
    """Of an estimate, or p10 to p90 of a spread."""
    return quantity.interval(*found.ends) if found else quantity.NONE


def verdict(row):
    """All that is to be said of it in a table's cell."""
    if row.failed:
        return f"failed: {row.failed.detail or row.failed.reason}"
    text = short_verdict(row, MARK if carried_over(row) else "")
    return f"counts differ; {text}" if row.counts.status == "differs" else text


def short_verdict(row, mark=""):
    if row.observable is False:
        return "not observable here"
    within = f" ({quantity.level(row.equal_within)})" if row.equal_within else ""
    unsure = row.observable is None and row.verdict != "undecided"
    return named(row.verdict, row.labels) + mark + within + " (not calibrated)" * unsure


def named(verdict, labels):
    """A verdict with the names that the sides have in a pair, where they have any: "thread faster"."""
    return " ".join((labels or {}).get(word, word) for word in verdict.split(" "))


def carried_over(row):
    return bool(row.solo and row.solo.carry_over)


# ---- Of a crossover

def with_interval(size, low, high, show_size):
    """16 B (12 B to 20 B); without the interval where there is none, or where it reads as the size does."""
    ends = [] if low is None else [show_size(low), show_size(high)]
    shown = show_size(size)
    return f"{shown} ({' to '.join(ends)})" if set(ends) - {shown} else shown


def crossover(result, show_size, names=None):
    """In words; `show_size` turns a number into "17 B", `names` are those of the sides. A side is ahead at a size that is clear for it: that says
    nothing of the layouts, which a verdict asks as well."""
    smallest, largest = show_size(result.smallest), show_size(result.largest)
    names = names or {side: side for side in SIDES}
    if result.state == "few":
        return f"unknown between {smallest} and {largest}: too few launches"
    if result.state == "unclear":
        return f"no size between {smallest} and {largest} has a clear winner"
    if result.state == "none":
        where = "every size" if result.clear == result.sizes else f"{result.clear} of {result.sizes} sizes"
        return f"none between {smallest} and {largest}: {names[result.faster]} is ahead at {where}"
    parts = []
    for i, one in enumerate(result.found):
        place = "below" if i == 0 else "up to"
        parts.append(f"{names[one.faster_below]}{' wins' if i == 0 else ''} {place} "
                     f"{with_interval(one.size, one.low, one.high, show_size)}")
    last = "pointer" if result.found[-1].faster_below == "value" else "value"
    return ", ".join(parts) + f", {names[last]} above"
