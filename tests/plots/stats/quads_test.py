# SPDX-License-Identifier: MIT
"""Quads as the unit of an interval: what an interval covers, and what a verdict says."""
import math

import numpy as np
import pytest
from scipy import stats

from plots.stats import quads


def test_per_layout_takes_quiet_blocks_where_there_are_some():
    layouts, values = np.array([0, 0, 0, 1, 1, 2]), np.array([1.0, 9.0, 3.0, 7.0, 5.0, np.nan])
    quiet = np.array([True, False, True, False, False, True])
    found = quads.per_layout(layouts, values, quiet, 4)
    assert found[:2].tolist() == [2.0, 6.0] and np.isnan(found[2:]).all()


def test_an_interval_is_that_of_scipy_over_quads():
    draw = np.random.default_rng(5)
    values = draw.normal(0.01, 0.02, 64)
    found = quads.interval(values, 0.99)
    means = values.reshape(16, 4).mean(axis=1)
    low, high = stats.t.interval(0.99, 15, means.mean(), stats.sem(means))
    assert (found.estimate, found.low, found.high) == pytest.approx((means.mean(), low, high))


def test_a_quad_that_is_not_whole_takes_no_part():
    values = np.arange(24.0)
    values[3] = np.nan
    assert quads.interval(values, 0.9) == quads.interval(values[4:], 0.9) is not None
    assert quads.means(values).tolist() == [5.5, 9.5, 13.5, 17.5, 21.5]


@pytest.mark.parametrize("n, decides", [(0, False), (1, False), (3, False), (4, True)])
def test_few_quads_decide_nothing(n, decides):
    assert (quads.interval(np.arange(4.0 * n), 0.9) is not None) is decides


def test_offsets_of_layouts_cancel_in_a_quad():
    """Luck of placement that depends on the offset alone is the same in every quad, and so in no interval."""
    luck = np.tile([0.0, 0.05, -0.02, 0.01], 16)
    order = np.concatenate([np.random.default_rng(k).permutation(4) for k in range(16)]) + np.repeat(np.arange(16) * 4,
                                                                                                     4)
    found = quads.interval(luck[order] + 0.001, 0.99)
    assert found.high - found.low < 1e-12 and found.estimate == pytest.approx(0.011)


def test_a_whole_run_calls_nothing_different_by_chance():
    """Ten kernels of identical code, each looked at five times with more data: how many runs call any different."""
    draw, wrong, runs = np.random.default_rng(17), 0, 300
    confidence = quads.confidence_of(10, 5, 2)
    for _ in range(runs):
        noise = draw.normal(0, 0.01, (10, 5, 64)).cumsum(axis=1) / np.arange(1, 6)[:, None]
        wrong += any(quads.verdict(quads.interval(values, confidence)).name in ("slower", "faster")
                     for row in noise for values in row)
    assert wrong <= 6  # 1 in 100 were allowed; 300 runs have more than 6 with a probability below 0.04


@pytest.mark.parametrize("low, high, least, allowed, want", [
    (0.003, 0.02, 0.002, None, ("slower", None, False)),
    (0.003, 0.02, 0.002, 0.01, ("slower", None, False)),
    (0.011, 0.02, 0.002, 0.01, ("slower", None, True)),
    (0.001, 0.02, 0.002, None, ("undecided", None, False)),
    (-0.02, -0.003, 0.002, 0.01, ("faster", None, False)),
    (-0.001, 0.0015, 0.002, None, ("same", 0.002, False)),
    (-0.001, 0.004, 0.002, None, ("same", 0.005, False)),
    (-0.009, 0.004, 0.002, None, ("same", 0.01, False)),
    (-0.015, 0.015, 0.002, 0.02, ("same", 0.02, False)),
    (-0.015, 0.015, 0.002, None, ("undecided", None, False)),
    (0.01, 0.02, 0.03, None, ("same", 0.03, False)),   # of a kernel whose floor is 3 %
    (-0.001, 0.001, 0.03, None, ("same", 0.03, False)),
    (0.01, 0.04, 0.03, None, ("undecided", None, False)),
    (0.04, 0.05, 0.03, 0.02, ("slower", None, True)),
], ids=str)
def test_verdicts(low, high, least, allowed, want):
    found = quads.verdict(quads.Interval((low + high) / 2, low, high), least, allowed)
    assert (found.name, found.beyond, found.fails) == want


def test_no_interval_decides_nothing():
    assert quads.verdict(None).name == "undecided"


@pytest.mark.parametrize("low, high, allowed, want", [
    (0.004, 0.006, None, False), (0.004, 0.03, 0.02, True), (0.021, 0.03, 0.02, False), (-0.05, 0.05, None, True)])
def test_which_rows_want_more(low, high, allowed, want):
    found = quads.Interval((low + high) / 2, low, high)
    assert quads.is_open(found, quads.verdict(found, allowed=allowed), allowed) is want


def test_every_figure_of_every_row_at_every_look_has_its_share():
    assert 1 - quads.confidence_of(7, 5, 2) == pytest.approx(quads.ERROR / 70)
    assert math.isclose(quads.Interval(math.log(1.5), 0, 0).ratio()[0], 0.5)
