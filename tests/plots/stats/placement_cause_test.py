# SPDX-License-Identifier: MIT
"""Which property of its place makes code slow: planted causes are found, and where there is none, none is named."""
import math

import numpy as np
import pytest

from plots.stats import placement

LAYOUTS = 64


def offsets(seed, functions=3):
    """Every placement of so many functions once, in random order."""
    rows = np.array(np.meshgrid(*[[0, 16, 32, 48]] * functions)).T.reshape(-1, functions)
    return np.random.default_rng(seed).permutation(rows)[:LAYOUTS]


def crosses(column, begin, end, size_b):
    return (column + begin) // size_b != (column + end - 1) // size_b


def properties(at):
    return np.stack([crosses(at[:, f], 8, 8 + n, size_b) for f in range(at.shape[1]) for n in (20, 40)
                     for size_b in (64, 32)], axis=1)


def noise(seed, sigma=0.01):
    return np.random.default_rng(1000 + seed).normal(0, sigma, LAYOUTS)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("k", range(12))
def test_a_planted_cause_is_found(k, seed):
    had = properties(offsets(seed))
    if not 0 < had[:, k].sum() < LAYOUTS:
        pytest.skip("the property is the same everywhere")
    found = placement.cause(1.5 + 0.2 * had[:, k] + noise(seed), had)
    assert k in found.properties and all((had[:, one] == had[:, k]).all() for one in found.properties)
    assert found.slower == pytest.approx(0.2, abs=0.02) and found.explains > 0.9
    assert found.layouts == had[:, k].sum()


@pytest.mark.parametrize("seed", range(40))
def test_no_cause_is_named_where_there_is_none(seed):
    assert placement.cause(1.5 + noise(seed, 0.1), properties(offsets(seed))) is None


def test_two_groups_that_no_property_explains():
    groups = np.random.default_rng(5).random(LAYOUTS) < 0.5
    assert placement.cause(1.5 + 0.3 * groups, properties(offsets(5))) is None


NOT_NAMED = {
    "faster with it": lambda had: -0.2 * had[:, 0],
    "too small to matter": lambda had: 0.01 * had[:, 0],
    "most of it is something else": lambda had: 0.1 * had[:, 0] + noise(3, 0.1),
    "the same everywhere": lambda had: np.zeros(LAYOUTS),
}


@pytest.mark.parametrize("name", NOT_NAMED)
def test_not_named(name):
    had = properties(offsets(2))[:, :1]
    assert 0 < had.sum() < LAYOUTS
    assert placement.cause(NOT_NAMED[name](had), had) is None


def test_properties_of_the_same_layouts_are_not_told_apart():
    had = properties(offsets(1))[:, :1]
    twice = np.hstack([had, had, ~had])
    assert placement.cause(0.2 * had[:, 0], twice).properties == (0, 1)


@pytest.mark.parametrize("had", [np.empty((LAYOUTS, 0)), np.ones((LAYOUTS, 2))], ids=["none", "all have it"])
def test_without_properties(had):
    assert placement.cause(noise(1), had) is None


def test_few_layouts_show_nothing():
    """Of four layouts one that is slow and has the property may be chance: of four places each is as likely."""
    had = np.array([[True], [False], [False], [False]])
    assert placement.cause([math.log(1.3), 0, 0.001, 0.002], had) is None
