# SPDX-License-Identifier: MIT
"""The because of a row: what makes the slower side slower, or what both copy, by their compiled code; what the
registers take; and how far the place of the code matters. Pure functions.

The functions of ask's lessons are generated, so that their names mean nothing to who asks: none is named here."""

from plots.judge.causes import handed, told
from plots.judge.pair_summary import SIDES
from plots.words import because, quantity


def of(row, profile, subject):
    """A sentence, or None where the code does not tell. `row`: a pair_summary.Row; `profile`: None for a pair that does
    not pass the object to a function of the user's."""
    names = {side: row.name_of(side) for side in SIDES}
    cause = because.faster(row, names)
    said = cause or _copies(row, names)
    if said and profile and subject.abi["passed"] == "registers" and not copied(row, "value"):
        said = f"value goes in registers{'' if cause else _how_many(row)}: {said}"
    return "; ".join(filter(None, [said, *_places(row, names)])) or None


def _how_many(row):
    """ (16 B into 2 registers)"""
    found = handed(row, "value")
    return f" ({because.loaded(found)})" if found[1] else ""


def _copies(row, names):
    found = {side: told(row, side) for side in SIDES}
    if None in found.values():
        return None
    if not any(found.values()):
        return "no copy in memory on either side"
    return ", ".join(f"{names[side]} copies {because.listed(found[side])}" for side in SIDES)


def _places(row, names):
    return [f"{names[one.side]} is {quantity.percent(one.slower)} slower in {one.layouts} of {one.of} layouts, by the "
            "place of its code" for one in row.why and row.why.placement or ()]


def copied(row, side):
    """Bytes that the side copies from memory to memory in an operation; None: not told."""
    found = told(row, side)
    return None if found is None else sum(one.bytes for one in found)
