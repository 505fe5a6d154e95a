# SPDX-License-Identifier: MIT
"""What both sides of a row execute an operation, from the totals of counters.json."""

from fractions import Fraction

from plots.files.records import ABSENT
from plots.judge.pair_summary import SIDES, Counters, SideCounters, Why


def why(row, counted):
    """The `why` of a row; ABSENT where the run was not counted at all."""
    if counted is None:
        return ABSENT
    found = counted.rows.get(row)
    if found is None or "refused" in found:
        return Why(not_counted=found["refused"] if found else counted.refused or "the row is missing in counters.json")
    value, pointer = (SideCounters(**{event: _per_op(n, found["ops"]) for event, n in found[side].items()})
                      for side in SIDES)
    return Why(counters=Counters(source=counted.source, value=value, pointer=pointer))


def _per_op(total, ops):
    if total is None:
        return None
    exact = Fraction(total, ops)
    return int(exact) if exact.denominator == 1 else round(float(exact), 4)
