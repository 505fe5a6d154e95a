# SPDX-License-Identifier: MIT
"""A run in short: what a row says at a glance, the answer of a pair in words, a cell of the table of questions."""
import types

import pytest

from plots.files.records import ABSENT
from plots.judge import overview
from plots.judge.pair_summary import Estimate
from plots.words import overview_text
from plots.words.overview_text import TOPICS, Topic

PLAIN = Topic("p", "", {"value": "value faster", "pointer": "pointer faster"}, {"value": "value", "pointer": "pointer"})
PASS, RETURN, CHANGE = TOPICS


def row(size, value_ns=10.0, pointer_ns=None, verdict=None, failed=None, observable=True, pair="p"):
    """pointer_ns: None as fast; by default the verdict is that of the times."""
    pointer_ns = value_ns if pointer_ns is None else pointer_ns
    faster = "equal" if pointer_ns == value_ns else f"{'value' if pointer_ns > value_ns else 'pointer'} faster"
    return types.SimpleNamespace(
        pair=pair, row=f"{pair}/size={size}", lesson=pair, size=size, failed=failed, observable=observable,
        truth=ABSENT,
        verdict="failed" if failed else verdict or faster, name_of=str,
        value_ns_per_op=None if failed else Estimate(estimate=value_ns, low=None, high=None),
        ratio=None if failed else Estimate(estimate=pointer_ns / value_ns, low=None, high=None))


# name, the row, state, side, ns saved, whether everywhere, whether large
OUTCOMES = [
    ("twice", row(8, 10, 20), "wins", "value", 10, True, True),
    ("not quite twice", row(8, 10, 19.9), "wins", "value", 9.9, True, False),
    ("a third", row(8, 30, 10), "wins", "pointer", 20, True, True),
    ("less than a tenth", row(8, 100, 109), "small", "value", 9, True, False),
    ("a tenth", row(8, 100, 111), "wins", "value", 11, True, False),
    ("less than half a nanosecond", row(8, 0.4, 0.8), "small", "value", 0.4, True, False),
    ("equal", row(8, 100, 100.1, "equal"), "small", None, 0.1, True, False),
    ("leans", row(8, 10, 20, "leans value"), "wins", "value", 10, False, True),
    ("placement", row(8, 10, 20, "placement decides"), "placement", None, 10, False, False),
    ("undecided", row(8, 10, 20, "undecided"), "open", None, 10, False, False),
    ("a quick run", row(8, 10, 20, "no verdict"), "wins", "value", 10, True, True),
    ("not observable", row(8, 10, 20, observable=False), "open", None, None, True, False),
    ("failed", row(8, failed="signal"), "failed", None, None, True, False),
]


@pytest.mark.parametrize("name, one, state, side, saved, everywhere, large", OUTCOMES,
                         ids=[case[0] for case in OUTCOMES])
def test_outcome(name, one, state, side, saved, everywhere, large):
    found = overview.outcome(one)
    assert (found.state, found.side, found.everywhere, found.large) == (state, side, everywhere, large)
    assert found.saved_ns == (saved if saved is None else pytest.approx(saved))


# name, topic, rows, the answer
ANSWERS = [
    ("everywhere", PLAIN, [row(8, 10, 12), row(64, 10, 30)], "Value faster: it saves 2.0 ns at 8 B, 20 ns at 64 B."),
    ("one size", PLAIN, [row(8, 10, 12)], "Value faster: it saves 2.0 ns."),
    ("nothing decided", RETURN, [row(64, 5, 5.5, "undecided"), row(128, 5, 5.5, "undecided")],
     "Return a new object (no clear winner): undecided at every size."),
    ("from a size", PASS, [row(8, 1, 0.9), row(64, 2, 1.4), row(256, 10, 1)],
     "Pass by const pointer from 64 B: it saves 0.60 ns at 64 B, 9.0 ns at 256 B. At 8 B it hardly matters: 0.10 ns at "
     "most."),
    ("up to a size", PLAIN, [row(8, 1, 9), row(16, 1, 9), row(4112, 100, 101)],
     "Value faster up to 16 B: it saves 8.0 ns. At 4,112 B it hardly matters: 1.0 ns of 101 ns at most."),
    ("small by the ratio and by the time", PLAIN, [row(8, 0.2, 0.3), row(16, 100, 101)],
     "Either way: at every size it hardly matters: 1.0 ns of 101 ns at most."),
    ("the winner changes", CHANGE, [row(16, 1, 4), row(24, 13, 3), row(1536, 60, 3)],
     "Change an object through a pointer from 24 B: it saves 10 ns at 24 B, 57 ns at 1.5 KiB. At 16 B a changed copy "
     "saves 3.0 ns."),
    ("gaps", RETURN, [row(8, 1, 5), row(16, 5, 5), row(32, 1, 5), row(64, 5, 5), row(128, 5, 5.5, "undecided"),
                      row(256, 5, 5, "placement decides"), row(512, 2, 9)],
     "Return a new object by value instead of allocating it: it saves 4.0 ns at 8 B, 7.0 ns at 512 B. At 16 B and at "
     "64 B it hardly matters: under 0.01 ns. Undecided at 128 B. At 256 B the place of the code decides."),
    ("nobody wins", PLAIN, [row(8, 5, 9, "placement decides"), row(16, 5, 9, "placement decides")],
     "No clear winner: at every size the place of the code decides."),
    ("as many of both: the larger sizes", PLAIN, [row(8, 1, 5), row(16, 5, 1)],
     "Pointer faster at 16 B: it saves 4.0 ns. At 8 B value saves 4.0 ns."),
    ("failed", PLAIN, [row(8, 1, 5), row(16, failed="signal")],
     "Value faster at 8 B: it saves 4.0 ns. Failed at 16 B."),
    ("a quick run", PASS, [row(8, 9, 3, "no verdict")], "Pass so far by const pointer: it saves 6.0 ns."),
]


@pytest.mark.parametrize("name, topic, rows, want", ANSWERS, ids=[case[0] for case in ANSWERS])
def test_answer(name, topic, rows, want):
    assert overview_text.of_topic(topic, rows[::-1], "B").whole == want


@pytest.mark.parametrize("size, unit, want", [
    (8, "B", "8 B"), (1024, "B", "1 KiB"), (1536, "B", "1.5 KiB"), (4112, "B", "4,112 B"), (65537, "B", "65,537 B"),
    (4194304, "B", "4 MiB"), (1, "calls", "1 call"), (65536, "entries", "65,536 entries"), (1025, "", "1,025"),
    (2048, "", "2 Ki")])
def test_no_digit_of_a_size_is_lost(size, unit, want):
    assert overview_text.exact_size(size, unit) == want


NAMES = {"value": "arena", "pointer": "malloc"}
# name, rows of one class, state, sides, whether large and hatched, words
CELLS = [
    ("one wins", [row(17, 1, 5), row(32, 1, 3)], "wins", ("value",), True, False, ("arena", "2.0..4.0 ns")),
    ("what is small does not hide a winner", [row(17, 1, 1.1), row(32, 10, 15)], "wins", ("value",), False, False,
     ("arena", "5.0 ns")),
    ("the winner changes, in the order of sizes", [row(32, 5, 1), row(17, 1, 5)], "wins", ("value", "pointer"), True,
     False,
     ("arena, malloc", "4.0 ns")),
    ("other units", [row(17, 900, 500), row(32, 5000, 1000)], "wins", ("pointer",), True, False,
     ("malloc", "400 ns..4.0 µs")),
    ("small", [row(17, 1, 1.1), row(32, 1, 1.2)], "small", ("value",), False, False, ("arena", "0.10..0.20 ns")),
    ("small either way", [row(17, 1, 1.1), row(32, 1, 0.8)], "small", (), False, False, ("small", "0.10..0.20 ns")),
    ("small or equal", [row(17, 1, 1), row(32, 1, 0.8)], "small", (), False, False, ("small", "up to 0.20 ns")),
    ("equal", [row(17, 900, 901, "equal")], "equal", (), False, False, ("equal", "")),
    ("placement", [row(17, 5, 9, "placement decides")], "placement", (), False, True, ("placement", "")),
    ("a winner, and placement", [row(17, 5, 9, "placement decides"), row(32, 1, 5)], "wins", ("value",), True, True,
     ("arena", "4.0 ns")),
    ("leans", [row(17, 1, 5, "leans value")], "wins", ("value",), True, True, ("arena", "4.0 ns")),
    ("undecided", [row(17, 5, 9, "undecided")], "open", (), False, False, ("undecided", "")),
    ("failed", [row(17, failed="signal")], "failed", (), False, False, ("failed", "")),
]


@pytest.mark.parametrize("name, rows, state, sides, large, place, words", CELLS, ids=[case[0] for case in CELLS])
def test_cell(name, rows, state, sides, large, place, words):
    found = overview.cell(rows)
    assert (found.state, found.sides, found.large, found.place) == (state, sides, large, place)
    assert overview_text.cell_words(found, NAMES) == words


def test_each_size_has_one_class():
    sizes = [1, 16, 17, 64, 65, 256, 257, 4096, 4097, 65536, 65537, 1 << 30]
    found = overview.by_class([row(size, 1, 5) for size in sizes])
    assert [cell.sizes for cell in found] == [(1, 16), (17, 64), (65, 256), (257, 4096), (4097, 65536),
                                              (65537, 1 << 30)]
    assert len(overview_text.CLASS_NAMES) == len(overview.CLASSES)
    assert [bool(cell) for cell in overview.by_class([row(300)])] == [False, False, False, True, False, False]


def summary_of(rows, floors=()):
    pairs = {}
    for one in rows:
        pairs.setdefault(one.pair, []).append(one)
    return types.SimpleNamespace(rows=rows, pairs=pairs, floors={
        name: types.SimpleNamespace(row=name) for name in floors} | {"placement": None})


def test_which_pairs_ask_a_question():
    rows = [row(16, pair=pair) for pair in ("pass", "pass_o3", "known", "null", "empty", "sharing", "visible", "lto")]
    rows[2].truth = 1.05
    rows[4].lesson = "null"
    layouts = {"pass": {"source": "pass.c"}, "pass_o3": {"source": "pass.c", "flags": ["-O3"]},
               "lto": {"source": "lto.c", "flags": ["-flto"]}}
    manifest = {"rows": [{"pair": "sharing", "observed_by": "visible"}], "layouts": layouts}
    assert overview.kinds(summary_of(rows, ["null/size=16"]), manifest) == {
        "pass": "question", "pass_o3": "variant", "known": "control", "null": "control", "empty": "control",
        "sharing": "question", "visible": "control", "lto": "question"}


@pytest.mark.parametrize("pairs, want", [
    (["pass", "factory", "mutate", "other"], ["Pass by value", "Return a new object by value instead of allocating it",
                                              "Change an object by returning a changed copy"]),
    (["other", "mutate"], ["Change an object by returning a changed copy"]),
    (["one", "two", "three", "four"], ["One: value faster", "Two: value faster", "Three: value faster"]),
])
def test_topics_come_first_else_the_first_questions(pairs, want):
    manifest = {"rows": [{"pair": pair} for pair in pairs], "layouts": {}}
    found = overview_text.in_short(summary_of([row(16, 1, 5, pair=pair) for pair in pairs]), manifest)
    assert [one.lead for one in found] == want
