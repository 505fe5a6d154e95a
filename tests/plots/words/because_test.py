# SPDX-License-Identifier: MIT
"""Why a side is slower: what is said, and above all what is not."""
from types import SimpleNamespace as Facts

import pytest

from plots.judge import causes
from plots.judge.pair_summary import Counts, Estimate, SideCounts
from plots.words import because

LABELS = {"value": "value", "pointer": "heap"}
NOTHING, MOVES, VECTORS = (), (8, "moves", 1), (256, "vector moves", 16)
MANY, REP, CALL = (17, "moves", 3), (257, "rep movs", 1), (1024, "call of memcpy", 1)
NOT_TOLD = (None, "not told", None)


def copied(*some):
    return tuple(Facts(bytes=n, how=how, moves=moves, width_b=8 if how == "moves" else 16, why=None)
                 for n, how, moves in some if how)


def ran(instructions, loads=None, stores=None, branch_misses=0, cache_misses=0, branches=2):
    return Facts(instructions=instructions, loads=loads, stores=stores, branch_misses=branch_misses, branches=branches,
                 cache_misses=cache_misses)


def waiting(*some):
    return tuple(Facts(load_b=load_b, store_b=store_b) for load_b, store_b in some)


def row(ratio, verdict=None, allocs=(0, 0), copies=None, counters=None, size=64, waits=None, value_ns=10.0,
        pair="pair", handed=None):
    sides = [SideCounts(allocs_per_op=n, asked_b_per_op=24 * n, granted_b_per_op=32 * n, peak_b=0) for n in allocs]
    times = {"value": Facts(estimate=value_ns), "pointer": Facts(estimate=value_ns * ratio)}
    return Facts(size=size, pair=pair, ns_per_op=times.get, value_ns_per_op=times["value"],
                 ratio=Estimate(estimate=ratio, low=None, high=None),
                 verdict=verdict or ("value faster" if ratio > 1 else "pointer faster"),
                 counts=(counts := Counts(status="exact", detail=None, value=sides[0], pointer=sides[1])),
                 counted=lambda side: getattr(counts, side),
                 why=Facts(placement=(), copies=copies and Facts(value=copies[0], pointer=copies[1]),
                           counters=counters and Facts(source="valgrind", value=counters[0], pointer=counters[1]),
                           handed=handed and Facts(value=given(handed[0]), pointer=given(handed[1])),
                           waits=waits and Facts(value=waits[0], pointer=waits[1])))


def given(registers):
    return (Facts(bytes=registers[0], moves=registers[1]),) if registers else ()


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
    ("mispredicts the end of a long loop",
     row(0.5, counters=(ran(400, branch_misses=1, branches=100), ran(390))), None),
    ("mispredicts the end of a short one", row(0.5, counters=(ran(400, branch_misses=1, branches=40), ran(390))),
     "value mispredicts 1 branches an operation, heap 0"),
    ("mispredicts as often", row(2.0, counters=(ran(10, branch_misses=0.5), ran(10, branch_misses=0.52))), None),
    ("misses", row(0.5, counters=(ran(10, cache_misses=4), ran(10))),
     "value misses the first cache 4 times an operation, heap 0"),
    ("the same bytes, one by rep movs", row(0.5, copies=(copied(REP), copied((257, "vector moves", 17)))),
     "value copies 257 B by rep movs, heap 257 B in 17 vector moves"),
    ("the faster one by rep movs", row(2.0, copies=(copied(REP), copied((257, "vector moves", 17)))), None),
    ("valgrind takes the end of a rep movs for a branch",
     row(0.5, copies=(copied(REP), copied(REP)), counters=(ran(40, branch_misses=1), ran(40))), None),
    ("so where not all is told",
     row(0.5, copies=((Facts(how="not told", why="rep movs, on some paths only"),), copied()),
         counters=(ran(40, branch_misses=1), ran(40))), None),
    ("not told, but no rep movs",
     row(0.5, copies=(copied(NOT_TOLD), copied()), counters=(ran(40, branch_misses=1), ran(40))),
     "value mispredicts 1 branches an operation, heap 0"),
    ("waits", row(0.5, waits=(waiting((16, 8)), ())), "in value, a 16 B load after an 8 B store waits for the store"),
    ("the narrowest store", row(2.0, waits=((), waiting((16, 8), (8, 1)))),
     "in heap, an 8 B load after a 1 B store waits for the store"),
    ("across two stores", row(2.0, waits=((), waiting((16, 16)))),
     "in heap, a 16 B load of what two stores wrote waits for them"),
    ("waits, and is the faster", row(2.0, waits=(waiting((16, 8)), ())), None),
    ("both wait", row(0.5, waits=(waiting((16, 8)), waiting((16, 8)))), None),
    ("too short to be a wait", row(0.9, waits=(waiting((16, 8)), ())), None),
    ("copies, and waits for what it copies", row(0.5, copies=BY_VALUE, waits=(waiting((16, 8)), ())),
     "value copies 256 B in 16 vector moves, heap nothing; "
     "in value, a 16 B load after an 8 B store waits for the store"),
    ("in registers", row(0.5, copies=((), ()), handed=((16, 2), None)),
     "value loads 16 B into 2 registers for its calls, heap nothing"),
    ("in registers, and executes more",
     row(0.5, copies=((), ()), handed=((8, 1), None), counters=(ran(20, 5, 4), ran(10, 2, 1))),
     "value loads 8 B into 1 register for its calls, heap nothing; "
     "value executes 20 instructions (5 loads, 4 stores) an operation, heap 10 instructions (2 loads, 1 store)"),
    ("fewer in registers", row(2.0, copies=((), ()), handed=((32, 4), (8, 1))), None),
    ("more, and the faster one has some", row(0.5, copies=((), ()), handed=((32, 4), (8, 1))),
     "value loads 32 B into 4 registers for its calls, heap 8 B into 1 register"),
    ("in registers, beside a copy", row(0.5, copies=BY_VALUE, handed=((8, 1), None)),
     "value copies 256 B in 16 vector moves, heap nothing"),
    ("in registers, beside what is not told", row(0.5, copies=(copied(NOT_TOLD), ()), handed=((8, 1), None)), None),
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


@pytest.mark.parametrize("below, above, want", [
    ((REP,), (REP,), True), ((MOVES,), (MANY,), True), ((VECTORS,), (REP,), False), ((), (), False),
    ((NOT_TOLD,), (NOT_TOLD,), False), ((REP, MOVES), (MOVES, REP), True)])
def test_whether_the_code_copies_as_before(below, above, want):
    rows = [row(1.0, copies=(copied(*ways), copied())) for ways in (below, above)]
    assert because.copies_as_before(*rows) is want


def test_a_cliff_where_loads_begin_to_wait():
    below = row(1.0, copies=(copied(), copied()))
    above = row(1.0, copies=(copied(VECTORS), copied()), waits=(waiting((16, 8)), ()))
    assert because.cliff(below, above, LABELS) == "no copy to vector moves, and a load waits for a store"


def sizes(times, ways, sizes_b=(256, 264)):
    """Rows of a pair whose value side takes these times and copies in these ways; its pointer side takes 1 ns."""
    return [row(1 / ns, size=size, value_ns=ns, copies=(copied(way), copied()))
            for size, ns, way in zip(sizes_b, times, ways)]


REP_264, THREE = (264, "rep movs", 1), (792, "rep movs", 3)
STARTS = [  # rows, cycle in ns: ns, cycles of a start
    ("a jump", sizes((4.5, 12), (VECTORS, REP_264)), 0.25, (7.5, 30)),
    ("nobody knows what a cycle takes", sizes((4.5, 12), (VECTORS, REP_264)), None, (7.5, None)),
    ("three in one operation", sizes((20, 35), (VECTORS, THREE)), 0.25, None),
    ("no jump", sizes((12, 12), (VECTORS, REP_264)), 0.25, None),
    ("a fall", sizes((12, 11), (VECTORS, REP_264)), 0.25, None),
    ("sizes too far apart", sizes((4.5, 12), (VECTORS, REP_264), (256, 512)), 0.25, None),
    ("rep movs before", sizes((4.5, 12), (REP, REP_264)), 0.25, None),
    ("no rep movs", sizes((4.5, 12), (VECTORS, CALL)), 0.25, None),
    ("not told", sizes((4.5, 12), (NOT_TOLD, REP_264)), 0.25, None),
]


@pytest.mark.parametrize("name, rows, cycle, want", STARTS, ids=[case[0] for case in STARTS])
def test_how_long_a_rep_movs_takes_to_start(name, rows, cycle, want):
    assert causes.start({"pair": rows[::-1]}, cycle) == (causes.Start(*want) if want else None)


def test_a_jump_of_both_sides_is_no_start():
    rows = sizes((4.5, 12), (VECTORS, REP_264))
    rows[1].ns_per_op = {"value": Facts(estimate=12.0), "pointer": Facts(estimate=3.0)}.get
    assert causes.start({"pair": rows}, 0.25) is None


def test_the_smallest_jump_of_a_run_is_the_start():
    pairs = {f"pair{ns}": sizes((4.5, 4.5 + ns), (VECTORS, REP_264)) for ns in (13, 7, 9)}
    assert causes.start(pairs, 0.25) == causes.Start(7, 28)


@pytest.mark.parametrize("value_ns, way, start, want", [
    (12, REP_264, causes.Start(7.5, 30.2), "the rep movs starts up in about 30 cycles"),
    (12, REP_264, causes.Start(7.53, None), "the rep movs starts up in about 7.5 ns"),
    (35, THREE, causes.Start(5, 20), "each rep movs starts up in about 20 cycles"),
    (76, REP_264, causes.Start(7.5, 30), None),  # less than a tenth
    (12, VECTORS, causes.Start(7.5, 30), None),
    (12, REP_264, None, None),
])
def test_a_start_is_named_where_it_matters(value_ns, way, start, want):
    said = because.sentence(row(0.1, value_ns=value_ns, copies=(copied(way), copied())), LABELS, start)
    assert said.partition("heap nothing")[2] == (f"; {want}" if want else "")


@pytest.mark.parametrize("fast, named", [((REP_264,), False), ((REP_264, REP), False), ((NOT_TOLD,), False),
                                         ((CALL,), True), ((), True)])
def test_a_start_of_both_sides_is_no_cause(fast, named):
    one = row(0.5, value_ns=20, copies=(copied(REP_264), copied(*fast)))
    said = because.sentence(one, LABELS, causes.Start(7.5, 30))
    assert ("starts up" in (said or "")) is named


def test_a_cycle_is_a_turn_of_the_empty_loop():
    assert causes.cycle_ns([row(1.0), row(1.0, pair="empty", value_ns=0.27)]) == 0.27
    assert causes.cycle_ns([row(1.0)]) is None


SYSV, AARCH64 = "x86-64 System V", "AArch64"
IN_REGISTERS = [  # sizes, ABI
    (16, 17, SYSV, "registers to moves (x86-64 System V)"),
    (16, 24, AARCH64, "registers to moves (AArch64)"),
    (32, 48, AARCH64, "registers to moves (AArch64)"),  # four doubles
    (32, 48, SYSV, "no copy to moves"),
    (8, 16, SYSV, "no copy to moves"),
    (17, 24, SYSV, "no copy to moves"),
    (16, 17, None, "no copy to moves"),
]


@pytest.mark.parametrize("below, above, abi, want", IN_REGISTERS)
def test_a_cliff_of_the_abi_says_which(below, above, abi, want):
    sides = row(1.0, copies=(copied(), copied()), size=below), row(1.0, copies=(copied(MANY), copied()), size=above)
    assert because.cliff(*sides, LABELS, abi) == want


@pytest.mark.parametrize("name, below, above, want", CLIFFS, ids=[case[0] for case in CLIFFS])
def test_cliff(name, below, above, want):
    assert because.cliff(row(1.0, copies=below), row(1.0, copies=above), LABELS) == want
