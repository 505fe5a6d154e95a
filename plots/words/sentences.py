# SPDX-License-Identifier: MIT
"""The words that a row has in every table, figure and page; and parts that many sentences have."""

from plots.judge.pair_summary import SIDES
from plots.stats.crossover import CLIFF
from plots.words import quantity

MARK = " *"  # at a verdict: the row has carry-over, and shows each side alone


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
    return f"Lost: {launches} crashed, hung or ran out of memory twice; no number includes them: {listed(told)}"


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
    small = " (small)" * bool(row.small)  # instead of "faster": a table has little room
    name = named(row.verdict.removesuffix(" faster") if small else row.verdict, row.labels)
    return name + small + mark + within + " (not calibrated)" * unsure


def named(verdict, labels):
    """A verdict with the names that the sides have in a pair, where they have any: "thread faster"."""
    return " ".join((labels or {}).get(word, word) for word in verdict.split(" "))


def carried_over(row):
    return bool(row.solo and row.solo.carry_over)


# ---- Of a crossover

def bracket(low, high, estimate, unit):
    """between 256 and 65,536 elements, probably near 8600 elements; of an older run that has no interval the estimate."""
    near = None if estimate is None else quantity.near_size(estimate, unit)
    if low is None:
        return f"near {near}"
    ends = [quantity.measured_size(size, unit) for size in (low, high)]
    first = _without_unit(*ends)
    between = f"between {first} and {ends[1]}"
    if near is None or near in ends or high <= CLIFF * low:
        return between
    return f"{between}, probably near {near}"


def _without_unit(size, other):
    """Of a size beside another of the same unit."""
    number, _, unit = size.rpartition(" ")
    return number if number and other.endswith(f" {unit}") else size


def crossover(result, unit="B", names=None):
    """In words; `unit` is what sizes count, `names` are those of the sides."""
    smallest, largest = (quantity.measured_size(size, unit) for size in (result.smallest, result.largest))
    names = names or {side: side for side in SIDES}
    if result.state == "few":
        return f"unknown between {smallest} and {largest}: too few launches"
    if result.state == "unclear":
        return f"no size between {smallest} and {largest} has a winner for certain"
    if result.state == "none":
        every = result.clear == result.sizes
        where = "every size" if every else f"{result.clear} of {result.sizes} sizes"
        none = "none" if every else "none shown"
        return f"{none} between {smallest} and {largest}: {names[result.faster]} wins at {where}"
    return "; then ".join(_change(one, unit, names) for one in
                          sorted(result.found + result.across, key=lambda one: one.low))


def _change(one, unit, names):
    """from list to array between 256 and 65,536 elements, probably near 8600 elements; at a cliff list up to
    16 B, array from 17 B"""
    def sizes(some):
        return ", ".join(quantity.measured_size(size, unit) for size in some)
    below, above = names[one.faster_below], names[one.faster_above]
    if one.is_cliff or one.undecided:
        said = f"{below} up to {sizes([one.low])}, {above} from {sizes([one.high])}"
    else:
        said = f"from {below} to {above} {bracket(one.low, one.high, one.size, unit)}"
    if one.undecided:
        return f"{said}; undecided between them: {sizes(one.undecided)}"
    return said + (f" (neither at {sizes(one.between)})" if one.between else "")
