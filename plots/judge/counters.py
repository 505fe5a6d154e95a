# SPDX-License-Identifier: MIT
"""What makes the sides of a row differ: what each executes an operation, from the totals of counters.json, and what it
copies, from the table of layouts of its lesson."""

from fractions import Fraction

from plots.files import records
from plots.files.records import ABSENT
from plots.judge.pair_summary import SIDES, Copies, Counters, SideCounters, Why


def why(row, counted, copied):
    """The `why` of a row; ABSENT where the run was not counted and nothing of its code was read. `copied`: the copies
    of all rows of its lesson, or None."""
    copies = records.read(Copies, copied[row]) if copied and row in copied else None
    if counted is None:
        return Why(copies=copies) if copies else ABSENT
    found = counted.rows.get(row)
    if found is None or "refused" in found:
        return Why(not_counted=found["refused"] if found else counted.refused or "the row is missing in counters.json",
                   copies=copies)
    value, pointer = (SideCounters(**{event: _per_op(n, found["ops"]) for event, n in found[side].items()})
                      for side in SIDES)
    return Why(counters=Counters(source=counted.source, value=value, pointer=pointer), copies=copies)


def _per_op(total, ops):
    if total is None:
        return None
    exact = Fraction(total, ops)
    return int(exact) if exact.denominator == 1 else round(float(exact), 4)
