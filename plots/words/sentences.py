# SPDX-License-Identifier: MIT
"""The words that a row has in every table, figure and page; and parts that many sentences have."""

from plots.words import quantity

MARK = " *"  # at a verdict: the row has carry-over


def listed(names, most=6):
    """a, b, c and 4 more"""
    names = list(names)
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def capital(sentence):
    return sentence[:1].upper() + sentence[1:]


# ---- Of a row of pairs

def ratio(found):
    """Of a part with an interval of its own; "-" where there is none."""
    return quantity.ratio(found["estimate"], found["low"], found["high"]) if found else quantity.NONE


def interval(found, low="low", high="high"):
    return quantity.interval(found[low], found[high]) if found else quantity.NONE


def verdict(row):
    """All that is to be said of it in a table's cell."""
    if row["failed"]:
        return f"failed: {row['failed']['detail'] or row['failed']['reason']}"
    text = short_verdict(row, MARK if carried_over(row) else "")
    return f"counts differ; {text}" if row["counts"]["status"] == "differs" else text


def short_verdict(row, mark=""):
    if row.get("observable", True) is False:
        return "not observable here"
    within = f" ({quantity.level(row['equal_within'])})" if row["equal_within"] else ""
    unsure = row.get("observable", True) is None and row["verdict"] != "undecided"
    return row["verdict"] + mark + within + " (not calibrated)" * unsure


def carried_over(row):
    return bool(row["solo"] and row["solo"]["carry_over"])
