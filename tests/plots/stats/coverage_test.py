# SPDX-License-Identifier: MIT
"""How often intervals and verdicts are wrong, by simulation where the truth is known: of one row, of a whole table, and
of a table whose undecided rows are looked at again.

Each test prints how often an end missed and how often it may (pytest -s). AMPERSAND_SIMULATE=N draws N
times as many."""

import itertools
import math
import os
import sys
from dataclasses import dataclass

import numpy as np
import pytest
from scipy import stats

from plots.stats import statistics, stopping, two_way
from plots.stats.statistics import Estimate, Spread

MORE = int(os.environ.get("AMPERSAND_SIMULATE", "1"))
LAYOUTS = 64
LAUNCH_SD, BLOCK_SD = 0.003, 0.005
MODES = 0.42  # share of launches in the rarer of two modes
APART = 0.05  # of two modes
X = math.log1p(0.002)

EFFECTS = {  # of layouts; their mean is 0
    "normal": stats.norm.ppf((np.arange(LAYOUTS) + 0.5) / LAYOUTS) * 0.12,
    "bimodal": np.resize([0.2, -0.1, -0.1], LAYOUTS) - np.resize([0.2, -0.1, -0.1], LAYOUTS).mean(),
    "insensitive": np.zeros(LAYOUTS),
}


@dataclass(frozen=True)
class Scenario:
    name: str
    groups: tuple = ()  # of layouts that have a mode of their own in each launch: masks, by the number of layouts
    modes: float = 0.0  # of a whole launch
    odd: float = 0.0  # share of launches that are far off
    tails: float = 0.0  # degrees of freedom of Student's t; 0: normal
    drift: float = 0.0  # over the launches of a run
    disturbed: float = 0.0  # share of blocks that are far off, all on one side, and of which no sensor tells
    block_modes: float = 0.0  # share of blocks in another mode, as by the place of the stack: their mean counts

    def calm(self, random, rows, n, effects):
        """[row][launch][layout] before what happens to single blocks."""
        def noise(scale):
            return scale * (random.standard_t(self.tails, shape) if self.tails else random.normal(0, 1, shape))
        shape = rows, n, 1
        table = noise(LAUNCH_SD) + effects + self.drift * np.linspace(-0.5, 0.5, n)[:, None]
        table = table + self.modes * (random.random(shape) < MODES) + 0.3 * (random.random(shape) < self.odd)
        for group in self.groups:
            table = table + np.where(group(len(effects)), APART, 0) * (random.random(shape) < MODES)
        return table

    def draw(self, random, rows, n, effects):
        table = self.calm(random, rows, n, effects)
        shape = table.shape
        noise = random.standard_t(self.tails + 0.5, shape) if self.tails else random.normal(0, 1, shape)
        table = table + BLOCK_SD * noise
        return table - 0.3 * (random.random(shape) < self.disturbed) + APART * (random.random(shape) < self.block_modes)

    def truths(self, random, effects):
        """((least, greatest) of headline, p10, p90). Where layouts move apart from launch to launch, the percentile of
        the layouts' own medians is not just the headline plus that of their effects, and the median of two modes also
        moves with the noise around them: between all these everything is true."""
        table = self.calm(random, 1, 20001, effects)[0]
        shift = APART * self.block_modes
        launches = table.mean(axis=1)
        headline = np.median(launches + random.normal(0, BLOCK_SD / math.sqrt(len(effects)), len(launches))) + shift
        own, noisy = (np.percentile(np.median(each, axis=0) + shift, [10, 90]) for each in
                      (table, table + random.normal(0, BLOCK_SD, table.shape) if self.groups else table))
        apart = np.median(table - launches[:, None], axis=0)
        added = headline + np.percentile(apart - apart.mean(), [10, 90])
        return (headline, headline), *zip(*(pick([own, noisy, added], axis=0) for pick in (np.min, np.max)))


def first(share):
    return lambda layouts: np.arange(layouts) < share * layouts


def every_fourth(beginning):
    return lambda layouts: np.arange(layouts) % 4 == beginning


SCENARIOS = [
    Scenario("plain"),
    Scenario("launches with two modes", modes=APART),
    Scenario("a third of the layouts moves together", groups=(first(1 / 3),)),
    Scenario("three groups of layouts move", groups=tuple(map(every_fourth, range(3)))),
    Scenario("disturbed blocks", disturbed=0.08),
    Scenario("blocks with two modes", block_modes=0.35),
    Scenario("heavy tails", tails=1.5),
    Scenario("odd launches", odd=0.1),
    Scenario("drift", drift=0.03),
]
ENDS = ("low", "p10_low", "p90_low", "high", "p10_high", "p90_high")


def missed(fit, truths, confidence):
    """[end]: how many rows miss, in the order of ENDS."""
    ends = statistics.enclosed(fit, confidence)[1]
    return ([int((low > most + 1e-9).sum()) for (low, _), (_, most) in zip(ends, truths)]
            + [int((high < least - 1e-9).sum()) for (_, high), (least, _) in zip(ends, truths)])


def may_miss(rows, confidence):
    """What an interval at its stated confidence exceeds in 1 of 1000 such simulations."""
    return stats.binom.ppf(0.999, rows, (1 - confidence) / 2)


@pytest.mark.parametrize("launches, rows", [(16, 200), (64, 40)])
@pytest.mark.parametrize("scenario", SCENARIOS, ids=[one.name for one in SCENARIOS])
def test_every_end_misses_as_seldom_as_stated(scenario, launches, rows):
    random = np.random.default_rng(3)
    for kind in EFFECTS:
        truths = scenario.truths(random, EFFECTS[kind])
        fit = two_way.fit(scenario.draw(random, rows * MORE, launches, EFFECTS[kind]))
        for confidence in (0.95, 0.99, 0.9999):  # a table of one row needs 0.975
            found = missed(fit, truths, confidence)
            print(f"{scenario.name}, {kind}, {launches} launches, {confidence}: missed {found} of {rows * MORE}, "
                  f"stated {rows * MORE * (1 - confidence) / 2:.2f}")
            for end, count in zip(ENDS, found):
                assert count <= may_miss(rows * MORE, confidence), (kind, confidence, end)


@pytest.mark.parametrize("name, group", [
    ("a sixteenth of the layouts", first(1 / 16)), ("an eighth of the layouts", first(1 / 8)),
    ("a scattered quarter", every_fourth(0))])
@pytest.mark.parametrize("apart, modes", [(APART, MODES), (2.5 * BLOCK_SD, MODES), (APART, 0.2)])
def test_small_and_scattered_groups_that_move_together(monkeypatch, name, group, apart, modes):
    """p10 and p90 of layouts that were chosen by launches in their rarer mode would miss up to ten times as often."""
    monkeypatch.setattr(sys.modules[__name__], "APART", apart)
    monkeypatch.setattr(sys.modules[__name__], "MODES", modes)
    random, scenario = np.random.default_rng(4), Scenario(f"{name} moves together", groups=(group,))
    for kind in ("normal", "insensitive"):
        truths = scenario.truths(random, EFFECTS[kind])
        fit = two_way.fit(scenario.draw(random, 100 * MORE, 16, EFFECTS[kind]))
        for confidence in (0.95, 0.99, 0.9999):
            found = missed(fit, truths, confidence)
            print(f"{scenario.name} by {apart}, {modes}, {kind}, {confidence}: missed {found} of {100 * MORE}")
            assert max(found) <= may_miss(100 * MORE, confidence)


def test_what_happens_in_one_launch_widens_nothing():
    """A launch of 16 with a third of its layouts off: a disturbance, and no mode."""
    random = np.random.default_rng(5)
    table = Scenario("plain").draw(random, 50, 16, EFFECTS["normal"])
    table[:, 3, :21] -= 0.05
    assert np.isnan(two_way.moving(table)).all(axis=(1, 2)).mean() > 0.9


# Whole tables

NULLS = [
    Scenario("plain"), Scenario("launches with two modes", modes=APART), Scenario("odd launches", odd=0.1),
    Scenario("a third of the layouts moves together", groups=(first(1 / 3),)),
    Scenario("disturbed blocks", disturbed=0.08),
    Scenario("heavy tails", tails=1.5), Scenario("drift", drift=0.03)]


def null_rows(random, rows, n, scenarios, layouts=LAYOUTS):
    """Rows of all kinds whose headline is 1 in truth."""
    effects = [each[::LAYOUTS // layouts] / 10 for each in EFFECTS.values()]
    parts = []
    for one, each in zip(scenarios, itertools.cycle(effects)):
        each = each - each.mean()
        parts.append(one.draw(random, rows, n, each) - one.truths(random, each)[0][0])
    return np.concatenate(parts)


def verdicts(tables, confidence):
    fit = two_way.fit(tables)
    middles, ends = statistics.enclosed(fit, confidence)
    for i in range(len(tables)):
        ratio, p10, p90 = ([float(x[i]) for x in (middle, *of)] for middle, of in zip(middles, ends))
        yield Estimate(*ratio), Spread(p10[0], p90[0], *p10[1:], *p90[1:])


def test_a_table_of_nulls_has_seldom_a_winner():
    """In at most 1 table of 20 any row at all is decided for a side, where none is faster."""
    random = np.random.default_rng(7)
    tables, rows = 60 * MORE, 2 * len(NULLS)
    drawn = null_rows(random, 2 * tables, 16, NULLS)
    names = [statistics.verdict(*one, 0.002).name for one in verdicts(drawn, statistics.of_verdicts(rows))]
    sided = np.array(["faster" in name or "leans" in name for name in names]).reshape(len(NULLS), tables, 2)
    wrong = int(sided.any(axis=(0, 2)).sum())
    print(f"{wrong} of {tables} tables of {rows} null rows have a winner; stated {0.05 * tables:.1f}")
    assert wrong <= stats.binom.ppf(0.999, tables, 0.05)


def test_looking_again_keeps_the_error_of_a_table():
    """The whole rule: undecided rows go on after 16, 32, ... 256 launches, in tables of six rows. Without drift: the
    early launches of a ratio that drifts have another truth."""
    looks, tables, scenarios = (16, 32, 64, 128, 256), 40 * MORE, [one for one in NULLS if not one.drift]
    rule = stopping.Rule(looks, 0.0005, 10**9)
    random = np.random.default_rng(8)
    drawn = null_rows(random, tables, looks[-1], scenarios, 16)
    wrong, had = np.zeros(len(drawn), bool), np.zeros(len(drawn), int)
    going = np.arange(len(drawn))
    for look, n in enumerate(looks, start=1):
        confidence = statistics.of_verdicts(len(scenarios), stopping.share(len(looks), look))
        more = []
        for row, (ratio, over) in zip(going, verdicts(drawn[going, :n], confidence)):
            name = statistics.verdict(ratio, over, 0.002).name
            wrong[row] |= "faster" in name or "leans" in name
            had[row] = look
            if stopping.state(rule, look, name, stopping.half_width(ratio, over), 0) == "open":
                more.append(row)
        going = np.array(more, int)
    tables_wrong = int(wrong.reshape(len(scenarios), tables).any(axis=0).sum())
    print(f"{tables_wrong} of {tables} tables have a winner after up to 5 looks; stated {0.05 * tables:.1f}; looks "
          f"{np.bincount(had)[1:]}")
    assert (had == len(looks)).mean() > 0.2, "looking again is what this is about"
    assert tables_wrong <= stats.binom.ppf(0.999, tables, 0.05)


# Four ends

GRID = (-0.03, -0.0015, 0.0, 0.0015, 0.03)


def holds(verdict, headline, p10, p90):
    """Whether a verdict is true, by its words."""
    if verdict.name == "undecided":
        return True
    if verdict.name == "equal":
        e = math.log1p(verdict.equal_within)
        return -e <= min(headline, p10) and max(headline, p90) <= e
    if verdict.name == "placement decides":
        return p10 < -X and p90 > X
    if verdict.name.endswith("pointer") or verdict.name.startswith("pointer"):
        headline, p10, p90 = -headline, -p90, -p10
    return headline > X and ((p10 <= -X) == ("leans" in verdict.name))


def test_a_wrong_verdict_needs_one_of_four_ends_to_miss():
    """By every truth and every set of bounds on a grid: whatever the truth is, there are four ends of which one has
    missed in each wrong verdict. So an interval has half of a verdict's error."""
    most = 0
    pairs = [(low, high) for low in GRID for high in GRID if low <= high]
    told = [(bounds, statistics.verdict(Estimate(0, *bounds[0]), Spread(0, 0, *bounds[1], *bounds[2]), 0.002))
            for bounds in itertools.product(pairs, repeat=3)]
    told = [(bounds, verdict) for bounds, verdict in told if verdict.name != "undecided"]
    for truth in ((h, p10, p90) for h in GRID for p10 in GRID for p90 in GRID if p10 <= h <= p90):
        misses = {frozenset(2 * i + (low < x) for i, ((low, high), x) in enumerate(zip(bounds, truth))
                            if low > x or high < x)
                  for bounds, verdict in told if not holds(verdict, *truth)}
        assert frozenset() not in misses, "a wrong verdict though nothing missed"
        least = next(k for k in range(7) for some in itertools.combinations(range(6), k)
                     if all(one & set(some) for one in misses))
        most = max(most, least)
    assert most == statistics.ENDS
