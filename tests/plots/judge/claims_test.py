# SPDX-License-Identifier: MIT
"""Claims of lessons against the rows of a run."""
from dataclasses import replace
from types import SimpleNamespace

import pytest

from plots.judge import claims
from plots.judge.pair_summary import Counts, Estimate, Row, Stopped
from plots.stats import worth
from plots.words import sentences


def row(size, verdict, ratio, value_ns=10.0, interval=True):
    ends = {"low": ratio * 0.999, "high": ratio * 1.001} if interval else {"low": None, "high": None}
    time = {"low": None, "high": None}
    return Row(row=f"pair/size={size}", pair="pair", size=size, lesson="pair", question="Which?",
               launches=13, left_out=0,
               layouts=64, verdict=verdict, equal_within=None, stopped=Stopped(look=1, of=1, why="fixed"), solo=None,
               counts=Counts(status="missing", detail=None, value=None, pointer=None), failed=None,
               value_ns_per_op=Estimate(estimate=value_ns, **time),
               pointer_ns_per_op=Estimate(estimate=value_ns * ratio, **time), ratio=Estimate(estimate=ratio, **ends))


FASTER, LEANS, OTHER = ("value faster", 1.5), ("leans value", 1.2), ("pointer faster", 0.5)
CASES = [  # what is claimed, what the rows say, whether it holds
    ("value", [FASTER], True),
    ("value", [LEANS], True),
    ("value", [OTHER], False),
    ("value", [("equal", 1.0)], False),
    ("value", [("placement decides", 1.0)], None),
    ("value", [("undecided", 1.5)], None),
    ("value", [FASTER, OTHER], False),
    ("value", [FASTER, ("undecided", 0.9)], True),
    ("value", [], None),
    ("pointer", [OTHER], True),
    ("pointer", [FASTER], False),
    ("neither", [("equal", 1.0)], True),
    ("neither", [("placement decides", 1.02)], True),
    ("neither", [("value faster", 1.05)], True),      # small
    ("neither", [FASTER], False),
    ("neither", [("undecided", 1.5)], None),
    ("neither", [("no verdict", 1.5)], None),
    ("value", [("no verdict", 0.5)], None),
    ("value", [("failed", 0.5)], None),
]


@pytest.mark.parametrize("faster, says, holds", CASES)
def test_a_claim_holds_or_not(faster, says, holds):
    rows = [row(8 + i, *said) for i, said in enumerate(says)]
    claim = {"faster": faster, "from": 8, "to": 0, "text": "So it is."}
    found = claims.judge({"pair": [claim]}, {"pair": rows})[0]
    assert found.holds is holds and found.rows == len(says)
    assert bool(found.against) == (holds is False)


OF_ALL, SYSV, AARCH64 = ({"faster": "value", "from": 0, "to": 0, "text": text} | ({"abi": abi} if abi else {})
                         for text, abi in (("All.", ""), ("Six registers.", "x86-64 System V"), ("Eight.", "AArch64")))


@pytest.mark.parametrize("arch, want", [("x86_64", [OF_ALL, SYSV]), ("aarch64", [OF_ALL, AARCH64]),
                                        ("riscv64", [OF_ALL]), (None, [OF_ALL])])
def test_what_is_true_of_another_abi_is_left_out(arch, want):
    rows = [SimpleNamespace(pair="pair", declared={"claims": [OF_ALL, SYSV, AARCH64]})] * 2
    run = SimpleNamespace(manifest={"machine": {"arch": arch} if arch else {}}, rows=rows)
    assert claims.declared(run) == {"pair": want}


@pytest.mark.parametrize("low, high, about", [(0, 0, 4), (0, 16, 2), (16, 0, 3), (17, 64, 1), (65, 0, 1), (200, 0, 0)])
def test_sizes_are_inclusive(low, high, about):
    rows = [row(size, *FASTER) for size in (8, 16, 64, 128)]
    claim = {"faster": "value", "from": low, "to": high, "text": "So it is."}
    assert claims.judge({"pair": [claim]}, {"pair": rows})[0].rows == about


@pytest.mark.parametrize("value_ns, ratio, small", [(10, 1.09, True), (10, 1.11, False), (10, 0.92, True),
                                                   (10, 0.89, False),
                                                   (1, 1.45, True), (1, 1.55, False), (1, 0.4, False)])
def test_small_is_below_a_tenth_or_half_a_nanosecond(value_ns, ratio, small):
    assert worth.is_small(value_ns, ratio) is small


def test_without_an_interval_a_row_says_nothing():
    claim = {"faster": "value", "from": 0, "to": 0, "text": "So it is."}
    rows = [row(8, "undecided", 0.5, interval=False)]
    assert claims.judge({"pair": [claim]}, {"pair": rows})[0].holds is None


@pytest.mark.parametrize("labels, verdict, shown", [
    ({"value": "coroutine", "pointer": "thread"}, "value faster", "coroutine faster"),
    ({"value": "coroutine", "pointer": "thread"}, "leans pointer", "leans thread"),
    ({"pointer": "thread"}, "value faster", "value faster"),
    ({"pointer": "thread"}, "pointer faster", "thread faster"),
    ({"value": "a", "pointer": "b"}, "placement decides", "placement decides")])
def test_a_verdict_calls_the_sides_by_their_names(labels, verdict, shown):
    assert sentences.named(verdict, replace(row(8, verdict, 1.5), labels=labels).labels) == shown
    assert sentences.named(verdict, row(8, verdict, 1.5).labels) == verdict
