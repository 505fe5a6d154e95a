# SPDX-License-Identifier: MIT
"""Why a side is slower: what is said, and above all what is not."""
from types import SimpleNamespace as Facts

import pytest

from plots.judge.pair_summary import Counts, Estimate, SideCounts
from plots.words import because

LABELS = {"value": "value", "pointer": "heap"}
NOTHING, MOVES, VECTORS = (), (8, "moves", 1), (256, "vector moves", 16)
MANY, REP, CALL = (17, "moves", 3), (257, "rep movs", 1), (1024, "call of memcpy", 1)
NOT_TOLD = (None, "not told", None)


def copied(*some):
    return tuple(Facts(bytes=n, how=how, moves=moves, width_b=8 if how == "moves" else 16)
                 for n, how, moves in some if how)


def ran(instructions, loads=None, stores=None, branch_misses=0, cache_misses=0):
    return Facts(instructions=instructions, loads=loads, stores=stores, branch_misses=branch_misses,
                 cache_misses=cache_misses)


def row(ratio, verdict=None, allocs=(0, 0), copies=None, counters=None):
    sides = [SideCounts(allocs_per_op=n, asked_b_per_op=24 * n, granted_b_per_op=32 * n, peak_b=0) for n in allocs]
    return Facts(ratio=Estimate(estimate=ratio, low=None, high=None),
                 verdict=verdict or ("value faster" if ratio > 1 else "pointer faster"),
                 counts=(counts := Counts(status="exact", detail=None, value=sides[0], pointer=sides[1])),
                 counted=lambda side: getattr(counts, side),
                 why=Facts(copies=copies and Facts(value=copies[0], pointer=copies[1]),
                           counters=counters and Facts(value=counters[0], pointer=counters[1])))


BY_VALUE = (copied(VECTORS), copied())
CASES = [
    ("copies alike are one", row(0.5, copies=(copied(VECTORS, VECTORS, MOVES), copied())),
     "value copies 512 B in 32 vector moves and 8 B in 1 move, heap nothing"),
    ("allocates", row(4.0, allocs=(0, 1)), "heap allocates once an operation (24 B), value never"),
    ("allocates more", row(4.0, allocs=(1, 2.5)), "heap allocates 2.5 times an operation (60 B), value once"),
    ("allocates, and is the faster", row(0.5, allocs=(0, 1)), None),
    ("allocates alike", row(4.0, allocs=(1, 1)), None),
    ("copies", row(0.5, copies=BY_VALUE), "value copies 256 B in 16 vector moves, heap nothing"),
    ("copies, and is the faster", row(2.0, copies=BY_VALUE), None),
    ("copies as much", row(0.5, copies=(copied(MOVES), copied(MOVES))), None),
    ("one move", row(0.5, copies=(copied(MANY), copied(MOVES))), "value copies 17 B in 3 moves, heap 8 B in 1 move"),
    ("two ways", row(0.5, copies=(copied(REP, MOVES), copied())),
     "value copies 257 B by rep movs and 8 B in 1 move, heap nothing"),
    ("a call", row(0.5, copies=(copied(CALL), copied())), "value copies 1 KiB by a call of memcpy, heap nothing"),
    ("not told", row(0.5, copies=(copied(VECTORS), copied(NOT_TOLD))), None),
    ("both", row(4.0, allocs=(0, 1), copies=(copied(), copied(MOVES))),
     "heap allocates once an operation (24 B), value never; heap copies 8 B in 1 move, value nothing"),
    ("equal", row(1.0, "equal", copies=BY_VALUE), None),
    ("undecided", row(0.5, "undecided", copies=BY_VALUE), None),
    ("placement", row(0.5, "placement decides", allocs=(1, 0)), None),
    ("leans", row(0.5, "leans pointer", copies=BY_VALUE), "value copies 256 B in 16 vector moves, heap nothing"),
    ("instructions", row(2.0, counters=(ran(10, 2, 1), ran(20, 5, 4))),
     "heap executes 20 instructions (5 loads, 4 stores) an operation, value 10 instructions (2 loads, 1 store)"),
    ("too few more instructions", row(2.0, counters=(ran(10), ran(12))), None),
    ("fewer instructions", row(2.0, counters=(ran(20), ran(10))), None),
    ("mispredicts", row(2.0, counters=(ran(10), ran(10, branch_misses=0.5))),
     "heap mispredicts 0.5 branches an operation, value 0"),
    ("mispredicts as often", row(2.0, counters=(ran(10, branch_misses=0.5), ran(10, branch_misses=0.52))), None),
    ("misses", row(0.5, counters=(ran(10, cache_misses=4), ran(10))),
     "value misses the first cache 4 times an operation, heap 0"),
    ("nothing is known", row(2.0), None),
]


@pytest.mark.parametrize("name, one, want", CASES, ids=[case[0] for case in CASES])
def test_sentence(name, one, want):
    assert because.sentence(one, LABELS) == want


CLIFFS = [
    ("registers to memory", (copied(), copied()), (copied(MANY), copied()), "no copy to moves"),
    ("to rep movs", (copied(VECTORS), copied()), (copied(REP), copied()), "vector moves to rep movs"),
    ("the same way", (copied(MOVES), copied()), (copied(MANY), copied()), None),
    ("the other side", (copied(), copied()), (copied(), copied(CALL)), "heap: no copy to call of memcpy"),
    ("not told", (copied(NOT_TOLD), copied()), (copied(REP), copied()), None),
    ("not read", None, None, None),
]


@pytest.mark.parametrize("name, below, above, want", CLIFFS, ids=[case[0] for case in CLIFFS])
def test_cliff(name, below, above, want):
    assert because.cliff(row(1.0, copies=below), row(1.0, copies=above), LABELS) == want
