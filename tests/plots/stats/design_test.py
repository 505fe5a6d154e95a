# SPDX-License-Identifier: MIT
"""What a design that is not full adds: held against the mean over all placements, which a simulation knows."""
import itertools
import math

import numpy as np
import pytest
from plots.files.pair_run import unit_of
from plots.program.errors import Refused
from plots.stats import layout_error
from plots.stats.statistics import Estimate, Measured

OFFSETS = (0, 16, 32, 48)
ALL = np.array(list(itertools.product(range(4), repeat=4)))  # all placements of four functions: 256
PART = ALL[ALL[:, 3] == ALL[:, 0] ^ ALL[:, 1] ^ ALL[:, 2]]  # 64 of them, every pair of functions balanced


def measured_on(placements, effect, launches=6):
    layouts = tuple((k, k) for k in range(len(placements)))
    matrix = np.tile([effect(placement) for placement in placements], (launches, 1))
    return Measured(matrix, matrix, matrix, layouts)


def unit_on(placements, kind="orthogonal array", functions=4):
    offsets = {f"f{i}": [OFFSETS[p[i]] for p in placements] for i in range(functions)}
    return {"rows": ["p/size=8"], "design": kind, "value": ["f0", "f1"],
            "pointer": [f"f{i}" for i in range(2, functions)],
            "offsets": offsets}


def main_effects(random):
    main = random.normal(0, 0.1, (4, 4))
    return lambda placement: sum(main[i][level] for i, level in enumerate(placement))


def with_interactions(random):
    main, noise = main_effects(random), random.normal(0, 0.05, (4, 4, 4, 4))
    return lambda placement: main(placement) + noise[tuple(placement)]


@pytest.mark.parametrize("change, word", [
    (lambda table: table["units"][0].update(rows=["q/size=8"]), "no unit holds the row p/size=8"),
    (lambda table: table["units"][0]["offsets"].pop("f2"), "f2 has no 64 offsets"),
    (lambda table: table["units"][0]["offsets"]["f1"].pop(), "f1 has no 64 offsets"),
])
def test_a_table_with_a_gap_is_refused(change, word):
    table = {"lesson": "p", "n": 64, "units": [unit_on(PART)]}
    assert unit_of(table, "p/size=8") is table["units"][0]
    change(table)
    with pytest.raises(Refused, match=word):
        unit_of(table, "p/size=8")


def test_main_effects_alone_are_exact():
    effect = main_effects(np.random.default_rng(1))
    part = measured_on(PART, effect)
    assert part.headlines[0] == pytest.approx(np.mean([effect(p) for p in ALL]), abs=1e-12)
    assert layout_error.error(part, unit_on(PART)).error == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("placements, kind", [(ALL, "orthogonal array"), (PART, "full factorial")])
def test_a_full_design_adds_nothing(placements, kind):
    part = measured_on(placements, with_interactions(np.random.default_rng(2)))
    assert layout_error.error(part, unit_on(placements, kind)) == layout_error.NONE


def test_functions_that_are_full_among_themselves_add_nothing():
    """The array is of four functions, the unit uses three: all 64 placements of these are there."""
    part = measured_on(PART, with_interactions(np.random.default_rng(3)))
    assert layout_error.error(part, unit_on(PART, functions=3)) == layout_error.NONE


def test_the_error_is_of_the_size_of_what_a_part_is_off_by():
    off, said = [], []
    for seed in range(300):
        effect = with_interactions(np.random.default_rng(seed))
        part = measured_on(PART, effect)
        off.append(part.headlines[0] - np.mean([effect(p) for p in ALL]))
        said.append(layout_error.error(part, unit_on(PART)).error)
    assert np.mean(np.abs(off) <= 1.96 * np.array(said)) >= 0.93
    assert 0.7 <= np.sqrt(np.mean(np.square(off))) / np.mean(said) <= 1.0  # a quarter of all is no small sample


@pytest.mark.parametrize("freedom, t", [(1, 12.7062), (3, 3.18245), (51, 2.00758), (10**6, 1.95997)])
def test_an_interval_is_widened_by_squares(freedom, t):
    """Student's t from a printed table: few degrees of freedom tell little of the error."""
    got = layout_error.widen(Estimate(0.1, 0.07, 0.14), layout_error.Error(0.02, freedom), 0.95)
    reach = t * 0.02
    assert (got.low, got.high) == pytest.approx((0.1 - math.hypot(0.03, reach), 0.1 + math.hypot(0.04, reach)),
                                                abs=1e-5)
    assert layout_error.widen(Estimate(0.1, 0.07, 0.14), layout_error.NONE, 0.95) == Estimate(0.1, 0.07, 0.14)
    assert layout_error.widen(Estimate(0.1, None, None), layout_error.Error(0.02, 3), 0.95) == Estimate(0.1, None, None)
