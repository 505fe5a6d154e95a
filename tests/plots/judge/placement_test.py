# SPDX-License-Identifier: MIT
"""Rows whose ratio depends on the place of the code: what their slow layouts have is named where it was planted."""
import numpy as np
import pytest

from plots.judge import placement
from plots.judge.pair_summary import Spread
from plots.stats.statistics import Measured
from plots.words import because
from types import SimpleNamespace as Facts

OFFSETS = (0, 16, 32, 48)
UNIT = {"value": ["run_value", "take_value"], "pointer": ["run_pointer"],
        "offsets": {"run_value": [OFFSETS[k // 4] for k in range(16)],
                    "take_value": [OFFSETS[k % 4] for k in range(16)],
                    "run_pointer": [OFFSETS[(k + k // 4) % 4] for k in range(16)]}}
PLACES = {"run_value": {"size_b": 90, "loops": [[24, 52]], "jumps": [[47, 52]]},
          "take_value": {"size_b": 20, "loops": [], "jumps": [[19, 20]]},
          "run_pointer": {"size_b": 80, "loops": [[20, 60]], "jumps": [[58, 60]]}}
WIDE = Spread(p10=0.8, p90=1.2)


def measured(value, pointer, launches=5):
    draw = np.random.default_rng(4)
    sides = [np.array(one) + draw.normal(0, 0.004, (launches, 16)) for one in (value, pointer)]
    return Measured(sides[1] - sides[0], *sides, layouts=tuple((k, k) for k in range(16)))


def at(function, places):
    return [0.2 * (offset in places) for offset in UNIT["offsets"][function]]


FLAT = [0.0] * 16
CASES = {  # the value side's times, the pointer side's, what is named
    "a loop across a line": (at("run_value", (16, 32)), FLAT,
                             [("value", 8, ["the loop of run_value reaches into one more 64 B line"])]),
    "a short function across a line": (at("take_value", (48,)), FLAT, [
        ("value", 4, ["take_value reaches into one more 64 B line"])]),
    "both sides": (at("run_value", (16, 32)), at("run_pointer", (16, 32)), [
        ("value", 8, ["the loop of run_value reaches into one more 64 B line"]),
        ("pointer", 8, ["the loop of run_pointer reaches into one more 64 B line"])]),
    "a place that crosses nothing": (at("run_value", (0,)), FLAT, []),
    "nothing": (FLAT, FLAT, []),
}


@pytest.mark.parametrize("name", CASES)
def test_named(name):
    value, pointer, wanted = CASES[name]
    found = placement.causes(measured(value, pointer), UNIT, PLACES, WIDE)
    assert [(one.side, one.layouts, list(one.reaches)) for one in found] == wanted
    assert all(one.of == 16 and one.slower == pytest.approx(np.expm1(0.2), abs=0.02) for one in found)


@pytest.mark.parametrize("places, spread", [(None, WIDE), ({}, WIDE), (PLACES, Spread(p10=0.99, p90=1.01)),
                                            (PLACES, None)], ids=["not read", "empty", "narrow", "not measured"])
def test_nobody_asks(places, spread):
    assert placement.causes(measured(at("run_value", (16, 32)), FLAT), UNIT, places, spread) is None


def test_a_jump_that_ends_at_a_window_is_slow_there_too():
    """[28, 32) ends at a window where the function stands at 0 or 32, and nowhere else."""
    place = {"size_b": 200, "loops": [], "jumps": [[28, 32]]}
    found = placement.causes(measured(at("run_value", (0, 32)), FLAT), UNIT, {"run_value": place}, WIDE)
    assert [one.reaches for one in found] == [("a jump of run_value, 28 B into it, crosses or ends at a 32 B window",)]


def test_in_words():
    found = placement.causes(measured(at("run_value", (16, 32)), FLAT), UNIT, PLACES, WIDE)
    row = Facts(ratio=None, verdict="placement decides", why=Facts(placement=found, copies=None, counters=None))
    assert because.sentence(row, {"value": "frame", "pointer": "heap"}).startswith("frame is 22")
    assert "slower in 8 of 16 layouts, where the loop of run_value reaches into one more 64 B line" in because.sentence(
        row, {"value": "frame", "pointer": "heap"})
