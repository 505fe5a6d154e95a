# SPDX-License-Identifier: MIT
"""Statistics on data with known answers; the oracle is arithmetic on paper, exact binomials, or simulation."""

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from plots.files.pair_run import Counts, Launch
from plots.stats import statistics, two_way
from plots.stats.statistics import Estimate, Spread


def launch_of(value_ns, pointer_ns, layouts=None, ops=1, cost_ns=0.0):
    value_ns, pointer_ns = np.asarray(value_ns), np.asarray(pointer_ns)
    if layouts is None:
        layouts = [(i, i) for i in range(len(value_ns))]
    return Launch(0, ops, cost_ns, np.array(layouts), np.zeros(len(layouts), int), value_ns, pointer_ns,
                  np.full(len(layouts), True), int(((value_ns == 0) | (pointer_ns == 0)).sum()), {})


REDUCED = [
    # name, value, pointer, layouts, ops, clock's cost, ratios wanted, value ns/op wanted
    ("one round", [[100]], [[200]], None, 10, 0, [2], [10]),
    ("the clock's cost is taken off", [[145]], [[245]], None, 10, 45, [2], [10]),
    ("median, not mean", [[100, 100, 100]], [[200, 200, 9000]], None, 1, 0, [2], [100]),
    ("median of ratios, not ratio of medians", [[10, 20, 30]], [[30, 20, 30]], None, 1, 0, [1], [20]),
    ("a zero round is left out", [[100, 0, 100]], [[200, 900, 200]], None, 1, 0, [2], [100]),
    ("and so is one on the other side", [[100, 1, 100]], [[200, 0, 200]], None, 1, 0, [2], [100]),
    ("a zero is not a small number", [[100, 1]], [[200, 0]], None, 1, 0, [2], [100]),
    ("an epoch below the clock's cost is a zero", [[145, 30]], [[245, 800]], None, 10, 45, [2], [10]),
    ("layouts by identity, not by order", [[100], [100]], [[300], [200]], [(5, 5), (2, 2)], 1, 0, [2, 3], [100, 100]),
    ("a layout is a pair", [[100], [100]], [[300], [200]], [(1, 7), (1, 3)], 1, 0, [2, 3], [100, 100]),
    ("blocks of one layout are pooled", [[100], [100], [100], [100]], [[300], [200], [300], [200]],
     [(1, 1), (0, 0), (1, 1), (0, 0)], 1, 0, [2, 3], [100, 100]),
]


@pytest.mark.parametrize("name, value, pointer, layouts, ops, cost, ratios, ns", REDUCED, ids=[r[0] for r in REDUCED])
def test_reduce_launch(name, value, pointer, layouts, ops, cost, ratios, ns):
    reduced = statistics.reduce_launch(launch_of(value, pointer, layouts, ops, cost))
    assert np.exp(reduced[0]) == pytest.approx(ratios)
    assert np.exp(reduced[1]) == pytest.approx(ns)


def test_a_launch_without_a_usable_round_is_left_out():
    good, bad = launch_of([[100], [100]], [[200], [200]]), launch_of([[100], [0]], [[200], [200]])
    assert statistics.measure([good, bad, good]).launches == 2
    assert statistics.measure([bad]).launches == 0
    assert statistics.measure([]).launches == 0


def test_headline_is_the_mean_over_layouts_and_the_median_over_launches():
    # Three layouts at -30, 0 and +60 %: a median over them would say 0.
    launches = [launch_of([[1000] * 3] * 3, [[round(1000 * math.exp(x + shift))] * 3 for x in (-0.3, 0.0, 0.6)])
                for shift in (0.0, 0.02, 5.0)]
    measured = statistics.measure(launches)
    assert measured.headlines == pytest.approx([0.1, 0.12, 5.1], abs=1e-3)
    assert statistics.tell(measured.fit, 0.95).ratio.estimate == pytest.approx(0.12, abs=1e-3)


def exact_coverage(n, rank):
    """P(the rank-th of n, counted from 1, <= median <= the rank-th from above), by exact binomials."""
    return 1 - 2 * sum(Fraction(math.comb(n, k), 2 ** n) for k in range(rank))


@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99, statistics.corrected(105), statistics.corrected(170)])
def test_order_ranks_are_the_narrowest_that_cover(confidence):
    for n in range(1, 80):
        ranks = statistics.order_ranks(n, confidence)
        if ranks is None:
            assert exact_coverage(n, 1) < confidence, n
            continue
        low, high = ranks
        assert low + high == n - 1 and low <= high
        assert exact_coverage(n, low + 1) >= Fraction(confidence)
        assert exact_coverage(n, low + 2) < confidence, f"n={n}: a narrower one would do"


KNOWN_RANKS = [(5, 0.95, None), (6, 0.95, (0, 5)), (20, 0.95, (5, 14)), (12, statistics.corrected(170), None),
               (13, statistics.corrected(170), (0, 12)), (0, 0.95, None)]


@pytest.mark.parametrize("n, confidence, want", KNOWN_RANKS)
def test_known_ranks(n, confidence, want):
    assert statistics.order_ranks(n, confidence) == want


def test_launches_needed():
    assert statistics.launches_needed(0.95) == 6
    assert statistics.launches_needed(statistics.corrected(170)) == 13


def test_headline_spread_and_their_bounds():
    # Layout k reads k + 0, 1, ... 5 in six launches: its median is k + 2.5, that of the means 7.5.
    matrix = np.arange(11)[None, :] + np.arange(6)[:, None].astype(float)
    told = statistics.tell(two_way.fit(matrix), 0.95)
    assert told.ratio == Estimate(7.5, 5, 10), "all layouts move together, and 6 launches reach from least to greatest"
    assert told.spread == Spread(3.5, 11.5, 1, 6, 9, 14)
    short = statistics.tell(two_way.fit(matrix[:5]), 0.95)
    assert short.ratio.low is None and short.spread.p10_low is None and short.spread.p10 == 3


def test_noise_of_blocks_makes_the_ends_uncertain():
    """The median of 400 normal blocks has a standard error of 1.2533 / 20; less where other layouts are near."""
    random = np.random.default_rng(3)
    alone = two_way.fit(np.arange(41) * 50 + random.normal(0, 1, (400, 41)))
    assert alone.errors == pytest.approx([0.0627, 0.0627], rel=0.05)
    together = two_way.fit(random.normal(0, 1, (400, 41)))
    assert (0.15 * 0.0627 < together.errors).all() and (together.errors < 0.6 * 0.0627).all()


def test_few_layouts_move_the_mean_and_the_row_says_so():
    matrix = np.zeros((6, 16))
    matrix[:, 0] = 8.0
    told = statistics.tell(two_way.fit(matrix), 0.95)
    assert told.ratio.estimate == 0.5 and (told.spread.p10, told.spread.p90) == (0, 0) and told.outside
    matrix[:, :3] = 8.0
    assert not statistics.tell(two_way.fit(matrix), 0.95).outside, "three of sixteen are p90"


def test_disturbed_blocks_count_as_what_launch_and_layout_say():
    exact = np.arange(16) * 0.1 + np.arange(9)[:, None] * 0.01
    random = np.random.default_rng(4)
    noise = random.normal(0, 0.001, exact.shape)
    spoilt = np.where(random.random(exact.shape) < 0.1, 7.0, exact + noise)
    calm, usual = two_way.settled(spoilt)
    assert (calm[spoilt != 7.0] == spoilt[spoilt != 7.0]).all() and calm == pytest.approx(exact, abs=0.004)
    assert 0.001 < usual < 0.003
    told = statistics.tell(two_way.fit(spoilt), 0.9)
    assert told.ratio.estimate == pytest.approx(0.75 + 0.04, abs=0.002)
    assert told.spread.p10 == pytest.approx(0.15 + 0.04, abs=0.003)
    assert told.spread.p90 == pytest.approx(1.35 + 0.04, abs=0.003)


def test_two_modes_of_the_blocks_are_no_disturbance():
    """A third of the blocks at another stack address: their mean counts."""
    modes = np.resize([0.0, 0.0, 0.3], (9, 16)) + np.resize([-0.001, 0.001], (9, 16))
    assert two_way.settled(modes)[0] == pytest.approx(modes)
    assert statistics.tell(two_way.fit(modes), 0.9).ratio.estimate == pytest.approx(0.1, abs=0.02)


def test_one_launch_one_layout():
    told = statistics.tell(two_way.fit(np.array([[0.25]])), 0.95)
    assert (told.ratio.estimate, told.spread.p10, told.spread.p90, told.outside) == (0.25, 0.25, 0.25, False)


CLASSES = [  # in percent: interval, spread; x is 0.2
    ("value faster", (0.3, 0.5), (0.1, 0.9), None),
    ("value faster", (0.3, 0.5), (-0.1, 0.9), None),  # a layout that is within x of 1 does not disagree
    ("leans value", (0.3, 0.5), (-0.2, 0.9), None),
    ("leans value", (5, 6), (-3, 12), None),
    ("pointer faster", (-0.5, -0.3), (-0.9, -0.1), None),
    ("pointer faster", (-0.5, -0.3), (-0.9, 0.1), None),
    ("leans pointer", (-0.5, -0.3), (-0.9, 0.2), None),
    ("equal", (-0.1, 0.1), (-0.15, 0.15), 0.002),
    ("equal", (-0.1, 0.1), (-0.4, 0.1), 0.005),
    ("equal", (-0.1, 0.3), (-0.1, 0.1), 0.005),
    ("equal", (-0.1, 0.9), (-0.1, 0.1), 0.01),
    ("equal", (-0.1, 0.1), (-0.6, 0.6), 0.01),  # before "placement decides": it is the stronger sentence
    ("placement decides", (-0.1, 0.1), (-1.1, 1.1), None),
    ("placement decides", (0.1, 5), (-3, 4), None),
    ("undecided", (-0.1, 5), (-0.1, 4), None),
    ("undecided", (-2, 2), (-0.1, 0.1), None),
    ("undecided", (0.1, 1.5), (0.5, 1.2), None),
    ("undecided", (0.2, 1.5), (0.5, 1.2), None),  # touches x: not beyond it
]


@pytest.mark.parametrize("want, interval, spread, within", CLASSES)
def test_classify(want, interval, spread, within):
    low, high, p10, p90 = (math.copysign(math.log1p(abs(x) / 100), x) for x in (*interval, *spread))
    verdict = statistics.classify(low, high, p10, p90, 0.002)
    assert (verdict.name, verdict.equal_within) == (want, within)
    mirrored = statistics.classify(-high, -low, -p90, -p10, 0.002)
    swap = {"value": "pointer", "pointer": "value"}
    assert mirrored.name == " ".join(swap.get(word, word) for word in want.split())


VERDICTS = [
    ("a sure spread", (0.01, 0.02), (0.004, 0.006, 0.02, 0.03), "value faster", None),
    ("p10 at 1", (0.01, 0.02), (-0.001, 0.001, 0.02, 0.03), "value faster", None),
    ("p10's bounds span 1 - x", (0.01, 0.02), (-0.003, 0.006, 0.02, 0.03), "undecided", None),
    ("p10 surely below 1", (0.01, 0.02), (-0.009, -0.002, 0.02, 0.03), "leans value", None),
    ("the larger e", (-0.001, 0.001), (-0.004, -0.001, 0.001, 0.0015), "equal", 0.005),
    ("beyond e or not", (-0.001, 0.001), (-0.03, -0.001, 0.001, 0.0015), "undecided", None),
    ("placement, surely", (-0.001, 0.001), (-0.05, -0.03, 0.03, 0.05), "placement decides", None),
    ("placement, perhaps", (-0.001, 0.001), (-0.05, -0.001, 0.03, 0.05), "undecided", None),
]


@pytest.mark.parametrize("name, interval, bounds, want, within", VERDICTS, ids=[row[0] for row in VERDICTS])
def test_verdict_needs_the_same_class_at_every_bound(name, interval, bounds, want, within):
    over = Spread((bounds[0] + bounds[1]) / 2, (bounds[2] + bounds[3]) / 2, *bounds)
    verdict = statistics.verdict(Estimate(sum(interval) / 2, *interval), over, 0.002)
    assert (verdict.name, verdict.equal_within) == (want, within)


def test_no_interval_no_verdict():
    over = Spread(1.0, 1.1, None, None, None, None)
    assert statistics.verdict(Estimate(1.0, None, None), over, 0.002).name == "undecided"


def side(allocs=0, asked=0, granted=0, peak=0):
    return {"allocs": allocs, "frees": allocs, "asked_b": asked, "granted_b": granted, "peak_b": peak, "classes": []}


COUNTS = [
    ("none", [], 0, "missing", None),
    ("alike", [(1000, side(2000, 48000), None)] * 2, 0, "exact", 2),
    ("alike as rationals", [(1000, side(2000), None), (500, side(1000), None)], 0, "exact", 2),
    ("not a whole number", [(1000, side(1500), None)] * 2, 0, "exact", Fraction(3, 2)),
    ("one in a million apart", [(1000000, side(1000000), None), (1000000, side(1000001), None)], 0, "differs", None),
    ("bytes differ, allocations do not", [(1, side(2, 48), None), (1, side(2, 49), None)], 0, "differs", 2),
    ("a peak differs", [(1, side(2, peak=8), None), (1, side(2, peak=9), None)], 0, "differs", 2),
    ("a peak differs, with threads", [(1, side(2, peak=8), None), (1, side(2, peak=9), None)], 2, "exact", 2),
    ("refused", [(1, None, "malloc is not jemalloc's")], 0, "refused", None),
]


@pytest.mark.parametrize("name, launches, threads, status, allocs", COUNTS, ids=[row[0] for row in COUNTS])
@pytest.mark.parametrize("where", ["value", "pointer"])
def test_counts(name, launches, threads, status, allocs, where):
    def both(one):
        other = one and side()
        return (one, other) if where == "value" else (other, one)

    verdict = statistics.judge_counts([Counts(i, ops, *both(one), refused)
                                       for i, (ops, one, refused) in enumerate(launches)], threads)
    assert verdict.status == status
    assert (verdict.detail is None) == (status in ("exact", "missing"))
    mine = getattr(verdict, where)
    assert (mine and mine["allocs_per_op"]) == allocs


SIMULATIONS = 250
LAUNCHES, LAYOUTS, ROUNDS = 20, 16, 8


@dataclass(frozen=True)
class Scenario:
    name: str
    layouts: str = "normal"
    launch_sd: float = 0.02
    within_sd: float = 0.01  # of a layout within a launch
    drift: float = 0.0  # over the launches of a run, of the ratio
    slow_epochs: float = 0.0  # share of epochs that take up to ten times as long
    odd_launches: float = 0.0  # share of launches in which the ratio is 1.35 times what it is
    most: float = 0.985  # over-coverage from here on would mean an interval that wastes launches

    @property
    def truth(self):
        """The median over launches; odd launches, all on one side, move it, and the exact amount is known."""
        return stats.norm.ppf(0.5 / (1 - self.odd_launches)) * self.launch_sd


SCENARIOS = [
    Scenario("normal layouts"),
    Scenario("bimodal layouts", layouts="bimodal"),
    Scenario("insensitive layouts", layouts="insensitive", within_sd=0.002),
    Scenario("launches that hardly differ", launch_sd=0.001, within_sd=0.0),
    Scenario("orthogonal array with pairwise interactions", layouts="orthogonal"),
    Scenario("slow epochs", slow_epochs=0.1, most=1.0),  # the wider of two series that differ here
    Scenario("odd launches", odd_launches=0.1),
    Scenario("drift", drift=0.05, most=1.0),  # the drifting median stays inside more often, not less
]


def layout_effects(kind, random):
    """Effects of the design's layouts, centred on what the mean over all placements is."""
    if kind == "insensitive":
        return np.zeros(LAYOUTS)
    if kind == "bimodal":
        effects = np.where(random.random(LAYOUTS) < 0.3, 0.3, -0.1)
        return effects - effects.mean()
    if kind == "normal":
        effects = random.normal(0, 0.15, LAYOUTS)
        return effects - effects.mean()
    # Three functions at four offsets each. Function and pairwise effects are centred over all 64 placements; the
    # Latin square below runs 16 of these, in which every pair of functions meets every pair of offsets once.
    a, b = np.divmod(np.arange(16), 4)
    offsets = (a, b, (a + b) % 4)
    effects = np.zeros(16)
    for i in range(3):
        alone = random.normal(0, 0.1, 4)
        effects += (alone - alone.mean())[offsets[i]]
        for j in range(i):
            pair = random.normal(0, 0.1, (4, 4))
            effects += (pair - pair.mean())[offsets[i], offsets[j]]
    return effects


def simulate(scenario, random):
    """The launches of one row whose median headline is scenario.truth."""
    effects = layout_effects(scenario.layouts, random)
    launches = []
    for i in range(LAUNCHES):
        apart = random.normal(0, scenario.launch_sd) + effects + random.normal(0, scenario.within_sd, LAYOUTS)
        apart += scenario.drift * (i / (LAUNCHES - 1) - 0.5)
        apart += 0.3 * (random.random() < scenario.odd_launches)
        both = random.normal(0, 0.05)
        sides = []
        for share in (-0.5, 0.5):
            ns = 1e8 * np.exp(both + share * apart[:, None] + random.normal(0, 0.01, (LAYOUTS, ROUNDS)))
            slow = random.random(ns.shape) < scenario.slow_epochs
            sides.append(np.rint(np.where(slow, ns * random.uniform(1, 10, ns.shape), ns)))
        launches.append(launch_of(sides[0] + 45, sides[1] + 45, ops=1000, cost_ns=45))
    return launches


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[one.name for one in SCENARIOS])
def test_coverage_of_the_interval(scenario, record_property):
    random = np.random.default_rng(20260131)
    covered = 0
    for _ in range(SIMULATIONS):
        ratio = statistics.tell(statistics.measure(simulate(scenario, random)).fit, 0.95).ratio
        covered += ratio.low <= scenario.truth <= ratio.high
    record_property("coverage", covered / SIMULATIONS)
    assert 0.93 <= covered / SIMULATIONS <= scenario.most, f"{covered} of {SIMULATIONS}"
