# SPDX-License-Identifier: MIT
"""What makes the sides of a row differ: what each executes an operation, from the totals of counters.json; what it
copies, and which loads wait for a store, from the table of layouts of its lesson."""

from fractions import Fraction

from plots.files import records
from plots.files.records import ABSENT
from plots.judge.pair_summary import SIDES, Copies, Counters, SideCounters, Waits, Why


def why(row, counted, table):
    """The `why` of a row; ABSENT where the run was not counted and nothing of its code was read. `table`: the layouts
    of its lesson."""
    code = {key: records.read(kind, table[key][row]) for key, kind in (("copies", Copies), ("waits", Waits))
            if row in table.get(key, ())}
    if counted is None:
        return Why(**code) if code else ABSENT
    found = counted.rows.get(row)
    if found is None or "refused" in found:
        return Why(not_counted=found["refused"] if found else counted.refused or "the row is missing in counters.json",
                   **code)
    value, pointer = (SideCounters(**{event: _per_op(n, found["ops"]) for event, n in found[side].items()})
                      for side in SIDES)
    return Why(counters=Counters(source=counted.source, value=value, pointer=pointer), **code)


def _per_op(total, ops):
    if total is None:
        return None
    exact = Fraction(total, ops)
    return int(exact) if exact.denominator == 1 else round(float(exact), 4)
