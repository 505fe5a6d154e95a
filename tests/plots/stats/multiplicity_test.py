# SPDX-License-Identifier: MIT
"""The decisions over a table of cells: against other ways to compute them, and by simulation against the truth."""

import math

import numpy as np
import pytest
from scipy import stats

from plots.stats import statistics
from plots.stats.multiplicity import EQUAL_WITHIN, LEAST, RATE, contradicting, decide, floor_of, level_of, probability



@pytest.mark.parametrize("name, values, floor, want", [
    ("all above", [0.1] * 12, LEAST, 0),
    ("all below", [-0.1] * 12, LEAST, 0),
    ("one not above", [0.1] * 11 + [0.0], LEAST, 1),
    ("on the floor is not above", [0.1] * 11 + [LEAST], LEAST, 1),
    ("all at the baseline: equal", [0.0] * 12, LEAST, 0),
    ("three beyond 5 %, on one side", [0.0] * 9 + [0.2] * 3, LEAST, 3),
    ("beyond on both sides: the worse counts", [0.0] * 7 + [0.2] * 2 + [-0.2] * 3, LEAST, 3),
    ("equal is not to be had below the floor", [0.0] * 12, 0.1, 12),
    ("beyond the floor of 10 %", [0.2] * 12, 0.1, 0),
    ("half and half", [0.2, -0.2] * 6, LEAST, 6),
])
def test_contradicting(name, values, floor, want):
    assert contradicting(values, floor) == want


@pytest.mark.parametrize("n", [6, 12, 13, 20])
def test_probability_is_the_sign_test(n):
    for k in range(n // 2 + 1):
        values = [0.3] * (n - k) + [-0.3] * k
        assert probability(values, LEAST) == pytest.approx(stats.binomtest(k, n).pvalue)


def tables(seed, cells=60, null=0.4, n=12):
    random = np.random.default_rng(seed)
    truths = np.where(random.random(cells) < null, 0, random.normal(0, 0.3, cells))
    return [(truth + random.normal(0, 0.04, n), LEAST) for truth in truths]


@pytest.mark.parametrize("seed", range(8))
def test_level_is_the_step_up(seed):
    """Held against the definition, tried for every k."""
    cells = tables(seed, null=(seed % 4) / 3)
    p = [probability(values, floor) for values, floor in cells]
    decided = max([k for k in range(1, len(p) + 1) if sum(x <= RATE * k / len(p) for x in p) >= k], default=0)
    level = level_of(cells)
    assert (level.cells, level.decided) == (len(p), decided)
    assert level.confidence == pytest.approx(1 - RATE * max(decided, 1) / len(p))


@pytest.mark.parametrize("seed", range(8))
def test_the_interval_that_is_shown_decides(seed):
    """A cell is decided just where its interval decides it, and R says how many are."""
    cells = tables(seed)
    level = level_of(cells)
    decisions = [decide(values, floor, level.confidence) for values, floor in cells]
    assert sum(one.name in ("above", "below", "equal") for one in decisions) == level.decided
    for (values, floor), one in zip(cells, decisions):
        assert (one.ratio.low, one.ratio.high) == tuple(
            np.sort(values)[list(statistics.order_ranks(12, level.confidence))])
        assert (probability(values, floor) <= 1 - level.confidence) == (one.name != "undecided")


@pytest.mark.parametrize("name, values, floor, want", [
    ("slower", [0.1] * 12, LEAST, ("above", None)),
    ("faster", [-0.1] * 12, LEAST, ("below", None)),
    ("equal within 1 %", [0.0] * 12, LEAST, ("equal", 0.01)),
    ("equal within 2 %", [0.015, 0.0] * 6, LEAST, ("equal", 0.02)),
    ("equal within 5 %", [0.04, -0.04] * 6, LEAST, ("equal", 0.05)),
    ("a floor of 3 % allows no less than 5 %", [0.0] * 12, math.log(1.03), ("equal", 0.05)),
    ("a floor of 6 % allows no equality", [0.0] * 12, math.log(1.06), ("undecided", None)),
    ("undecided", [0.1, -0.1] * 6, LEAST, ("undecided", None)),
    ("small, but beyond the floor for certain", [0.006] * 12, LEAST, ("above", None)),
    ("too few", [0.1] * 5, LEAST, ("few", None)),
    ("none", [], LEAST, ("few", None)),
])
def test_decide(name, values, floor, want):
    one = decide(np.array(values), floor, 0.95)
    assert (one.name, one.equal_within) == want


@pytest.mark.parametrize("name, again, grain, want", [
    ("nothing known", [], 0.0, LEAST),
    ("quiet", [0.001, -0.001, 0.0], 0.0, LEAST),
    ("off by 3 %", [0.03] * 13, 0.0, 0.03),
    ("off to the other side", [-0.03] * 13, 0.0, 0.03),
    ("too few for an interval: all that was read", [0.01, -0.04], 0.0, 0.04),
    ("its interval counts: of 13, from the third least on", [0.0, 0.0, 0.02, *[0.03] * 8, 0.05, 0.09], 0.0, 0.03),
    ("a coarse clock", [0.0], 0.2, 0.2),
])
def test_floor(name, again, grain, want):
    assert floor_of(again, grain) == want


def test_the_floor_counts_with_its_own_error():
    again = np.random.default_rng(4).normal(0.01, 0.01, 13)
    assert floor_of(again) > abs(np.median(again)) > LEAST


def test_cells_of_few_launches_do_not_count():
    level = level_of([(np.full(5, 0.5), LEAST), (np.full(12, 0.5), LEAST), (np.zeros(0), LEAST)])
    assert (level.cells, level.decided) == (1, 1)
    assert level_of([]).decided == 0


# ---- Simulation: a table of 30 configurations, the first of them the A/A column, by 13 workloads

CONFIGURATIONS, WORKLOADS = 30, 13


def simulate(random, launches=12, sd=(0.014, 0.035), null=0.45, small=0.2, bias=0.0, skew=False):
    """[decision], [truth] as [configuration][workload], of one table. `sd` is a launch's; a ratio's is 1.4 times
    that."""
    shape = (CONFIGURATIONS, WORKLOADS)
    kind = random.random(shape)
    truth = np.where(kind < null, 0.0, np.where(kind < null + small, random.normal(0, 0.05, shape),
                     random.choice([-1, 1], shape) * random.uniform(0.1, 2, shape)))
    truth[0] = 0.0
    truth += bias
    sds = random.uniform(*sd, WORKLOADS)[:, None]

    def noise(*shape):
        usual = random.standard_exponential(shape) - 1 if skew else random.standard_normal(shape)
        return sds * usual + np.where(random.random(shape) < 0.03, abs(random.standard_cauchy(shape)) * 0.1, 0)

    moment = random.normal(0, 0.1, (WORKLOADS, launches))  # falls on all that run within seconds
    baseline = moment + noise(WORKLOADS, launches)
    ratios = truth[..., None] + moment + noise(*shape, launches) - baseline  # all share their baseline
    floors = [floor_of(values) for values in ratios[0]]
    cells = [(ratios[i, j], LEAST if i == 0 else floors[j]) for i in range(CONFIGURATIONS) for j in range(WORKLOADS)]
    level = level_of(cells)
    decisions = np.array([decide(values, floor, level.confidence) for values, floor in cells], object).reshape(shape)
    return decisions, truth


def is_wrong(decision, truth):
    return {"above": truth <= 0, "below": truth >= 0,
            "equal": abs(truth) > math.log1p(decision.equal_within or 0)}.get(decision.name, False)


def rates(runs=25, seed=1, **kwargs):
    """(of the A/A column called different, of all nulls, decided, wrong among the decided), means over tables."""
    random = np.random.default_rng(seed)
    found = []
    for _ in range(runs):
        decisions, truth = simulate(random, **kwargs)
        different = np.vectorize(lambda one: one.name in ("above", "below"))(decisions)
        decided = np.vectorize(lambda one: one.name in ("above", "below", "equal"))(decisions)
        wrong = np.vectorize(is_wrong)(decisions, truth)
        nulls = truth == kwargs.get("bias", 0.0)
        found.append((different[0].mean(), different[nulls].mean(), decided.mean(),
                      wrong.sum() / max(decided.sum(), 1)))
    return np.mean(found, axis=0)


CASES = {"as expected": {}, "nothing differs": {"null": 1.0}, "most differ": {"null": 0.1, "small": 0.1},
         "much noise": {"sd": (0.05, 0.05)}, "skewed noise": {"skew": True}, "many launches": {"launches": 30},
         "small differences": {"null": 0.2, "small": 0.8}, "7 launches": {"launches": 7}}


@pytest.mark.parametrize("case", CASES)
def test_error_rates(case):
    """A/A columns are decided different in at most 1 cell in 20; of all that is decided, no more is wrong."""
    again, null, _, wrong = rates(**CASES[case])
    assert again <= 1 / 20 and null <= 1 / 20 and wrong <= RATE


def test_a_bias_that_all_columns_share_is_in_the_floor():
    """Should the baseline be 2 % off for a reason of its own, that is no finding about thirty configurations."""
    again, null, _, _ = rates(bias=0.02)
    assert null <= 1 / 20
    again, _, _, _ = rates(bias=0.05, sd=(0.005, 0.005))
    assert again > 0.9, "and the A/A column, held against the least floor, tells that it is so"


def test_most_cells_are_decided():
    _, _, decided, _ = rates()
    assert decided >= 0.6


@pytest.mark.parametrize("ratio, least", [(1.1, 0.8), (0.9, 0.8), (1.2, 0.99), (7, 1.0), (0.05, 1.0)])
def test_known_differences_come_out(ratio, least):
    """In a table of which a fifth has that difference, at noise of 3.5 % in a ratio."""
    random = np.random.default_rng(7)
    found = []
    for _ in range(10):
        cells = [((math.log(ratio) if i % 5 == 0 else 0) + random.normal(0, 0.035, 12), LEAST) for i in range(300)]
        confidence = level_of(cells).confidence
        found += [decide(values, floor, confidence).name for values, floor in cells[::5]]
    assert found.count("above" if ratio > 1 else "below") >= least * len(found)
    assert ("below" if ratio > 1 else "above") not in found


def test_equality_is_found_where_noise_allows():
    random = np.random.default_rng(3)
    names = [decide(random.normal(0, 0.01, 12), LEAST, 0.9936) for _ in range(200)]
    assert np.mean([one.name == "equal" for one in names]) > 0.95
    assert all(one.equal_within in EQUAL_WITHIN for one in names if one.name == "equal")
