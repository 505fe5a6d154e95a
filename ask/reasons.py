# SPDX-License-Identifier: MIT
"""The because of a row: what its sides copy, by their compiled code, and what the registers take. Pure functions."""

from plots.judge.pair_summary import SIDES
from plots.judge.causes import told
from plots.words import because


def of(row, profile, subject):
    """A sentence, or None where the code does not tell. `row`: a pair_summary.Row; `profile`: None for a pair that does
    not pass the object to a function of the user's."""
    said = row.why.sentence if row.why else None
    if not said:
        said = _copies(row)
    if profile and said and subject.abi["passed"] == "registers" and not copied(row, "value"):
        return f"value goes in registers: {said}"
    return said


def _copies(row):
    found = {side: told(row, side) for side in SIDES}
    if None in found.values():
        return None
    if not any(found.values()):
        return "no copy in memory on either side"
    return ", ".join(f"{row.name_of(side)} copies {because.listed(found[side])}" for side in SIDES)


def copied(row, side):
    """Bytes that the side copies from memory to memory in an operation; None: not told."""
    found = told(row, side)
    return None if found is None else sum(one.bytes for one in found)
