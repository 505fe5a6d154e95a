# SPDX-License-Identifier: MIT
"""Verdicts by exact counts: one allocation more fails, few more instructions may be allowed."""
from fractions import Fraction
from types import SimpleNamespace

import pytest

from plots.ab import exact, text
from plots.ab.counts import Counted

BASE = {"allocs": Fraction(1000), "asked_b": Fraction(2400), "instructions": Fraction(100)}


def judged(allowed=0.01, **head):
    counts = {"base": Counted(BASE), "head": Counted(BASE | head)}
    verdict = exact.judge(["kernel"], {"kernel": counts}, allowed)["kernel"].verdict
    return verdict.name, verdict.fails


@pytest.mark.parametrize("head, want", [
    ({}, ("same", False)),
    ({"allocs": 1001}, ("more", True)), ({"asked_b": 2401}, ("more", True)),  # no percentage of these is allowed
    ({"instructions": 101}, ("more", False)), ({"instructions": 102}, ("more", True)),
    ({"instructions": 99}, ("fewer", False)), ({"allocs": 0}, ("fewer", False)),
    ({"instructions": Fraction(1009, 10)}, ("same", False)),  # the allocator's own: it falls into one count or another
    ({"instructions": Fraction(991, 10)}, ("same", False)),
    ({"allocs": 1001, "instructions": 50}, ("more", True)),      # less of one thing pays for nothing
    ({"instructions": None}, ("same", False)),                # without valgrind
    ({"instructions": None, "allocs": 1001}, ("more", True)),
], ids=str)
def test_verdicts(head, want):
    assert judged(**head) == want


def test_without_a_limit_nothing_fails():
    assert judged(None, allocs=1001, instructions=900) == ("more", False)


def test_what_was_not_counted_is_a_failed_row():
    row, = exact.judge(["kernel"], {"kernel": {"base": Counted({}, "it took more than 60 s"), "head": Counted({})}},
                       0).values()
    assert row.verdict.name == "failed" and "60 s" in row.failure["detail"]
    assert exact.judge(["kernel"], {}, 0)["kernel"].verdict.name == "failed"


@pytest.mark.parametrize("allocs, want", [
    ((1001,), "1 allocates or executes more"), ((1001, 1002), "2 allocate or execute more"),
    ((1001, 1000), "1 allocates or executes more, 1 the same"), ((999,), "nothing takes more: 1 less")], ids=str)
def test_the_one_line(allocs, want):
    counts = {f"k{i}": {"base": Counted(BASE), "head": Counted(BASE | {"allocs": n})} for i, n in enumerate(allocs)}
    rows = exact.judge(list(counts), counts, 0.01).values()
    settings, facts = SimpleNamespace(fail_on=0.01), {"kernels": list(counts), "same": []}
    assert text.Report(settings, {}, None, facts, rows, counts, {}, None, {}).summary() == want
