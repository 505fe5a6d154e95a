# SPDX-License-Identifier: MIT
"""What makes the sides of a row differ: what each executes an operation, from the totals of counters.json; what it
copies, and which loads wait for a store, from the table of layouts of its lesson; which of its lines allocate, from
allocations.json."""

from plots.files import records
from plots.files.records import ABSENT
from plots.judge.numbers import per_op
from plots.judge.pair_summary import (SIDES, Allocating, AllocatingLine, Copies, Counters, Handed, SideCounters,
                                      Waits, Why)

MOST = 5  # lines of a side that allocate; the others are one more


def why(row, counted, table):
    """The `why` of a row; ABSENT where the run was not counted and nothing of its code was read. `table`: the layouts
    of its lesson."""
    code = {key: records.read(kind, table[key][row]) for key, kind in (("copies", Copies), ("handed", Handed),
                                                                      ("waits", Waits)) if row in table.get(key, ())}
    if counted is None:
        return Why(**code) if code else ABSENT
    found = counted.rows.get(row)
    if found is None or "refused" in found:
        return Why(not_counted=found["refused"] if found else counted.refused or "the row is missing in counters.json",
                   **code)
    value, pointer = (SideCounters(**{event: per_op(n, found["ops"]) for event, n in found[side].items()})
                      for side in SIDES)
    return Why(counters=Counters(source=counted.source, value=value, pointer=pointer), **code)


def allocating(row, allocated):
    """The `allocating` of a row; ABSENT where the run was not profiled, or the row says that it allocates nothing."""
    recorded = allocated and allocated.rows.get(row)
    if not recorded:
        return ABSENT
    if recorded.refused:
        return Allocating(value=(), pointer=(), not_recorded=recorded.refused)
    return Allocating(**{side: _lines(recorded.sides[side], recorded.ops) for side in SIDES})


def _place(stack):
    """The innermost frame whose line is known: of what a library without debug information allocates, who called it."""
    return next((frame for frame in reversed(stack) if frame.file), stack[-1])


def _lines(samples, ops):
    """Those that ask for most bytes first."""
    found = {}
    for sample in samples:
        place = _place(sample.stack)
        bytes_, allocs = found.get(place, (0, 0))
        found[place] = bytes_ + sample.values[0], allocs + sample.values[1]
    ordered = sorted(found.items(), key=lambda one: (-one[1][0], -one[1][1], one[0].function, one[0].line))
    shown = ordered if len(ordered) <= MOST + 1 else ordered[:MOST]
    lines = [AllocatingLine(function=frame.function or None, file=frame.file or None, line=frame.line,
                            bytes_per_op=per_op(bytes_, ops), allocs_per_op=per_op(allocs, ops))
             for frame, (bytes_, allocs) in shown]
    rest = [numbers for _, numbers in ordered[len(shown):]]
    if rest:
        lines.append(AllocatingLine(function=None, file=None, line=0, others=len(rest),
                                    bytes_per_op=per_op(sum(one[0] for one in rest), ops),
                                    allocs_per_op=per_op(sum(one[1] for one in rest), ops)))
    return tuple(lines)
