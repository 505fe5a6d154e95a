# SPDX-License-Identifier: MIT
"""The pacer keeps the heap within its goal, and each of its decisions follows from what it says it is made of; the
barrier shades what a field held and what it will hold. Nothing here looks at a clock."""
import re

import pytest

from gc_parts import build, needs, run

KIB = 1024
SPAN_B, SLACK_B = 32 * KIB, 256 * KIB
CYCLE = "number why heap_begin heap_end live born goal span objects".split()
PACE = "cycle gogc live roots goal limited trigger runway work nano beside".split()


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    needs("gcc", "gcc")
    return build(tmp_path_factory.mktemp("pace") / "gc_pace", "gcc", "gc_pace.c", "-O2")


def read(program, *arguments):
    done = run(program, "cycles", *arguments)
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]

    def named(kind, names):
        return [{name: word if name == "why" else int(word) for name, word in zip(names, line[1:])}
                for line in lines if line[0] == kind]
    return named("cycle", CYCLE), named("pace", PACE), next(
        [int(word) for word in line[1:]] for line in lines if line[0] == "peak")


@pytest.mark.parametrize("gogc", [25, 50, 100, 200, 400, 800])
def test_the_heap_stays_within_its_goal(program, gogc):
    check_goal(program, gogc)


def runway_of(pace):
    """One mutator on two CPUs: what it allocates while the worker scans; if that leaves the collector 23 % of both CPUs'
    time, and else what does."""
    growth = pace["goal"] - pace["live"]
    work, beside = (pace[name] / 1e9 * pace["work"] / growth for name in ("nano", "beside"))
    return growth * max(0, min(beside, 0.75 - work * 0.75 * (1 / 0.46 - 1 / 1.5)))


def check_slow(program):
    """A program that allocates little takes no help, unless a cycle took more CPU time than it needs, as where the
    machine was taken away meanwhile."""
    _, paces, _ = read(program, 100, 2048, 8000, 0, 1000)
    assert all(abs(pace["runway"] - runway_of(pace)) < 0.001 * pace["goal"] for pace in paces)
    assert any(abs(pace["runway"] - pace["beside"] / 1e9 * pace["work"]) < 0.01 * pace["goal"] for pace in paces[1:])


def test_a_slow_program_has_a_short_runway(program):
    check_slow(program)


def check_goal(program, gogc=50):
    live_b, garbage_b = 2048 * KIB, 30000 * KIB
    cycles, paces, (_, _, allocated_b) = read(program, gogc, 2048, 30000, 0, 0)
    assert allocated_b >= live_b + garbage_b
    steady = [cycle for cycle in cycles[1:] if cycle["live"] - cycle["born"] >= live_b]
    assert len(steady) >= garbage_b / (live_b * gogc / 100) / 2 - 2 and len(steady) >= 1
    for cycle, pace in zip(cycles, paces):
        assert pace["live"] == cycle["live"] - cycle["born"]
        want = max(pace["live"] + (pace["live"] + pace["roots"]) * gogc // 100, 65536 // 100 * gogc,
                   cycle["live"] + SLACK_B)
        assert abs(pace["goal"] - want) <= 1
        assert abs(pace["runway"] - runway_of(pace)) < 0.001 * pace["goal"]
        room = pace["goal"] - cycle["live"]
        free = min(max(room - pace["runway"], 0.1 * room), 0.95 * room)
        assert abs(pace["trigger"] - cycle["live"] - free) <= 2
    for cycle in steady:
        assert cycle["heap_end"] <= cycle["goal"] + 2 * SPAN_B
        assert cycle["live"] - cycle["born"] < live_b + 64 * KIB  # what a stale word of a stack may keep
    for before, cycle in zip(paces, cycles[1:]):
        assert cycle["goal"] == before["goal"]
        assert cycle["heap_begin"] + SPAN_B > before["trigger"]
    middle = steady[len(steady) // 2:]
    assert max(cycle["goal"] for cycle in middle) <= 1.05 * (1 + gogc / 100) * live_b + SLACK_B


def test_the_memory_limit_comes_before_gogc(program):
    check_limit(program)


def check_limit(program):
    cycles, paces, (_, span_b, _) = read(program, 800, 2048, 30000, 6000, 0)
    assert span_b <= 6000 * KIB
    assert all(pace["limited"] and pace["goal"] <= 6000 * KIB for pace in paces[-3:])
    assert cycles[-1]["why"] == "limit"


def test_assists_mark_if_nobody_else_does(program):
    check_assist(program)


def white(program, check):
    """How many objects were white at the beginning, and at the end."""
    done = run(program, check)
    assert done.returncode == 0, done.stderr
    first, last = (int(word) for word in re.findall(r"\d+", done.stdout))
    return first, last


def check_assist(program):
    first, last = white(program, "assist")
    assert first > 5000 > 200 > last


def test_assists_pay_for_free_slots_only(program):
    check_halfway(program)


def check_halfway(program):
    first, half = white(program, "halfway")
    assert first > 300000 and 0.3 < half / first < 0.8


def test_what_a_store_shades(program):
    check_barrier(program)


def check_barrier(program):
    done = run(program, "barrier")
    assert (done.returncode, done.stdout.split()) == (0, "black white grey white white grey".split()), done.stderr


CHECKS = {"pace": check_goal, "slow": check_slow, "limit": check_limit, "assist": check_assist,
          "halfway": check_halfway, "barrier": check_barrier}
