# SPDX-License-Identifier: MIT
"""From the blocks of a run to rows, and from rows to what is printed."""
import json
import math
from types import SimpleNamespace

import numpy as np
import pytest

from plots.ab import judge, text
from plots.ab.settings import Settings, Side
from plots.files import ab_run, strict_json
from plots.files.ab_run import AbRun, Blocks
from plots.stats import quads

LAYOUTS = 64


def blocks(ln=0.0, sd=0.0005, ln_mean=None, memory_b=0, seed=1):
    """One for each layout; a base takes 100 ns."""
    noise = np.random.default_rng(seed).normal(0, sd, (2, LAYOUTS))
    base, ratio = 100 * np.exp(noise[0] - noise[0].mean()), ln + noise[1]
    whole = ratio if ln_mean is None else ln_mean + noise[1]
    return Blocks(np.arange(LAYOUTS), ratio, whole, base, base * np.exp(ratio), np.ones(LAYOUTS, bool), 1.0, memory_b,
                  50000.0, 4, 500)


def run_of(rows, failures=None):
    names = [name for name in rows if not name.endswith("/floor")]
    manifest = {"settings": {"looks": [1, 3, 6, 12, 24], "layouts": LAYOUTS}, "allowed": None,
                "rows": [*names, *(f"{name}/floor" for name in names)],
                "machine": {"caches": [{"level": 2, "size_b": 1 << 20}]}}
    return AbRun(manifest, {name: one for name, one in rows.items() if one}, failures or {}, {})


def judged(rows, allowed=None, **more):
    return judge.judge(run_of(rows, **more), allowed)


@pytest.mark.parametrize("ln, allowed, want", [
    (0.01, None, ("slower", False)), (0.01, 0.005, ("slower", True)), (0.01, 0.02, ("slower", False)),
    (-0.01, 0.005, ("faster", False)), (0, 0.005, ("same", False))])
def test_above_zero_the_head_is_slower(ln, allowed, want):
    row = judged({"k": blocks(ln)}, allowed)["k"]
    assert (row.verdict.name, row.verdict.fails) == want
    assert row.base_ns == pytest.approx(100) and row.head_ns == pytest.approx(100 * math.exp(ln), rel=1e-3)


def test_columns_and_difference_agree_where_layouts_differ():
    """Two layouts in five are twice as slow: medians of blocks would say that nothing is."""
    ln = np.where(np.arange(LAYOUTS) % 5 < 2, math.log(2), 0.0)
    row = judged({"k": blocks(ln)})["k"]
    assert row.head_ns / row.base_ns == pytest.approx(math.exp(row.interval.estimate))
    assert row.p90 - row.p10 == pytest.approx(math.log(2), abs=0.01)


def test_an_interval_has_its_share_of_the_error():
    widths = [judged({f"k{i}": blocks(seed=i) for i in range(n)})["k0"].interval for n in (1, 20)]
    t = [float(quads.special.stdtrit(15, 1 - quads.ERROR / (2 * n * 5 * 2))) for n in (1, 20)]
    assert (widths[1].high - widths[1].low) / (widths[0].high - widths[0].low) == pytest.approx(t[1] / t[0])


def test_a_busy_block_takes_no_part():
    quiet = np.ones(2 * LAYOUTS, bool)
    quiet[LAYOUTS:] = False
    one, other = blocks(0, seed=1), blocks(0.5, seed=2)
    both = Blocks(*(np.concatenate([getattr(one, key), getattr(other, key)]) for key in (
        "layouts", "ln_ratio", "ln_mean", "base_ns", "head_ns")), quiet, 1.0, 0, 50000.0, 8, 500)
    found, alone = judged({"k": both})["k"], judged({"k": one})["k"]
    assert (found.interval, found.head_ns) == (alone.interval, alone.head_ns)


def test_what_is_bound_by_memory_is_told_from_its_floor_on():
    """The base against itself shows 1 %: then 0.5 % of the head is nothing, 3 % is something."""
    bound = {"memory_b": 64 << 20}
    for ln, want in ((0.005, "same"), (0.03, "slower")):
        row = judged({"k": blocks(ln, **bound), "k/floor": blocks(0.01, **bound)})["k"]
        assert row.is_memory_bound and 0.0095 < row.floor < 0.015 and row.verdict.name == want
    assert judged({"k": blocks(0.03, **bound)})["k"].verdict.name == "undecided"  # before the floor is measured
    assert not judged({"k": blocks(0, memory_b=1000)})["k"].is_memory_bound


def test_rare_slow_calls_show_in_the_mean():
    row = judged({"k": blocks(0, ln_mean=0.05)}, 0.02)["k"]
    assert row.verdict.name == "slower" and row.verdict.fails and row.rare.estimate == pytest.approx(0.05, abs=0.001)
    assert judged({"k": blocks(0)})["k"].rare is None


def mean_of(estimate, reach):
    """Blocks whose interval of the mean beyond the median is that."""
    quad = np.repeat(np.where(np.arange(LAYOUTS // 4) % 2, 1.0, -1.0), 4)
    t = float(quads.special.stdtrit(15, 1 - quads.ERROR / (2 * 5 * 2)))
    made = blocks(0)
    ln_mean = made.ln_ratio + estimate + quad * reach / t * 4 / (quad.std() * math.sqrt(16 / 15))
    return Blocks(made.layouts, made.ln_ratio, ln_mean, *list(vars(made).values())[3:])


@pytest.mark.parametrize("estimate, reach, told, again", [
    (0.02, 0.01, True, False), (0.02, 0.03, False, True), (0.02, 0.07, False, False), (-0.02, 0.03, False, True),
    (0.001, 0.0015, False, False), (0.0, 0.03, False, False)])
def test_a_hint_of_rare_slow_calls_is_looked_at_again(estimate, reach, told, again):
    run = run_of({"k": mean_of(estimate, reach)})
    found = judge.judge(run, None)
    assert found["k"].rare_most == pytest.approx(math.expm1(abs(estimate) + reach), rel=0.01)
    assert (found["k"].rare is not None) == told
    assert judge.wanting(run, found, (1, 3), 1, 60) == ["k"] * again
    assert judge.wanting(run, found, (1, 3), 1, 0) == []


@pytest.mark.parametrize("rows, want, without_time", [
    ({"k": blocks(0)}, [], []), ({"k": blocks(0, sd=0.1)}, ["k"], []),
    ({"k": blocks(0, memory_b=64 << 20)}, ["k", "k/floor"], ["k/floor"]),
    ({"k": blocks(0, sd=0.1, memory_b=64 << 20), "k/floor": blocks(0)}, ["k", "k/floor"], [])])
def test_which_rows_get_more_visits(rows, want, without_time):
    run = run_of(rows)
    assert judge.wanting(run, judge.judge(run, None), (1, 3), 1, 60) == want
    assert judge.wanting(run, judge.judge(run, None), (1, 3), 1, 0) == without_time


def report(rows, allowed=None, **more):
    settings = Settings(Side("base", "a", "cc", "-O2"), Side("head", "b", "cc", "-O2"), None, fail_on=allowed)
    facts = {"kernels": [*rows, "other"], "same": ["other"], "functions": 3, "changed": ["f"], "only_base": [],
             "only_head": [], "text_sha256": {"base": "a" * 64, "head": "b" * 64}}
    found = judged(rows, allowed, **more)
    linked = SimpleNamespace(programs=False, layouts=LAYOUTS, why=None)
    return text.Report(settings, {"base": "A", "head": "B"}, linked, facts, found.values(), {}, {}, None, {})


@pytest.mark.parametrize("rows, allowed, want", [
    ({"k": blocks(0)}, 0.02, "nothing slower: 1 without a change beyond 0.2 %, 1 with the same code"),
    ({"k": blocks(0.03)}, 0.02, "1 slower by more than 2 %, 1 with the same"),
    ({"k": blocks(0.01)}, 0.02, "1 slower, 1 with the same"),
    ({"k": blocks(-0.01)}, 0.02, "nothing slower: 1 faster, 1 with"),
    ({"k": blocks(0, sd=0.1)}, None, "1 undecided, 1 with"),
    ({"k": blocks(0.03), "l": blocks(0.01)}, 0.02, "1 slower by more than 2 %, 1 slower, 1 with the same")])
def test_the_one_line(rows, allowed, want):
    assert report(rows, allowed).summary().startswith(want)


def test_a_pull_request_gets_one_green_line_or_a_table():
    assert report({"k": blocks(0)}).markdown().startswith(":green_circle: **ampersand ab**: nothing slower")
    found = report({"bad|k": blocks(0.03), "good": blocks(0)}, 0.02).markdown()
    assert found.startswith("### :red_circle: ampersand ab: 1 slower by more than 2 %")
    shown, folded = found.split("<details>")
    assert "| bad\\|k | 100.0 | 103.0 | +3.0 % |" in shown and "good" not in shown and "| good |" in folded
    assert "| :red_circle: slower by more than 2 % |" in shown


def test_code_scanning_gets_what_is_slower():
    found = json.loads(report({"k": blocks(0.03), "l": blocks(0.01), "m": blocks(-0.1)}, 0.02).sarif(
        {"k": ("bench/k.c", 7), "l": ("bench/k.c", 9)}))
    results = found["runs"][0]["results"]
    assert [one["level"] for one in results] == ["error", "warning"]
    assert [one["message"]["text"].split(":")[0] for one in results] == ["k", "l"]
    place = results[0]["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "bench/k.c"}, "region": {"startLine": 7}}


def document(rows, **more):
    made = json.loads(report(rows, 0.02, **more).json())
    strict_json.check_version(made, "ab", "ab.json")
    return made


FAILED = {"failures": {"k": {"reason": "disagreement", "detail": "the results differ"}}}
DOCUMENTS = {
    "slower": ({"k": blocks(0.03)}, {}), "faster": ({"k": blocks(-0.03)}, {}), "same": ({"k": blocks(0)}, {}),
    "undecided": ({"k": blocks(0, sd=0.1)}, {}), "failed": ({"k": None}, FAILED), "not measured": ({"k": None}, {}),
    "rare": ({"k": blocks(0, ln_mean=0.05)}, {}), "no floor": ({"k": blocks(0, memory_b=64 << 20)}, {}),
    "no time": ({"k": blocks(math.nan)}, {})}


@pytest.mark.parametrize("rows, more", DOCUMENTS.values(), ids=DOCUMENTS.keys())
def test_what_is_printed_as_json_is_what_its_schema_says(rows, more):
    assert strict_json.faults(document(rows, **more), "ab") == []


@pytest.mark.parametrize("change", [
    {"verdict": "slow"}, {"fails": None}, {"base_ns": 0}, {"difference": {"low": 0, "high": 0}}, {"more": 1},
    {"quiet": 1.5}, {"failure": {"reason": "exit", "detail": ""}}, {"verdict": "faster"}, {"no_change_beyond": 0.01},
    {"base": {}}, {"head": {"allocs": 1}, "base": {}}, {"difference": {"estimate": -2, "low": 0, "high": 0}}], ids=str)
def test_a_schema_that_lets_nothing_through(change):
    """Each of these contradicts a row that is slower by more than it may."""
    made = document({"k": blocks(0.03)})
    made["rows"][0] |= change
    assert strict_json.faults(made, "ab")


def test_a_launch_as_it_was_written():
    """Epochs of two blocks: the clock's cost comes off, head is divided by base, long ones stand behind short ones.
    What a long one takes beyond ten short ones counts up to half the time of one."""
    launch = {"blocks": {"layout": [5, 2], "sensor_ns": [100, 200], "attempts": [1, 3]},
              "short_rounds": 2, "long_rounds": 2, "long_times": 10,
              "clock": {"cost_ns": 10}, "ops": 9, "quiet_ns": 100, "same": 4, "memory_b": 0,
              "base_ns": [910, 910, 9010, 9010] + [1810, 0, 18010, 18010],
              "head_ns": [1810, 1810, 27010, 27010] + [910, 910, 9235, 0]}
    found = ab_run.reduced(launch)
    assert np.exp(found["ln_ratio"]).tolist() == pytest.approx([2, 0.5])
    assert np.exp(found["ln_mean"]).tolist() == pytest.approx([2 * 23 / 22, 0.5 * 12.25 / 12])
    assert found["base_ns"].tolist() == [100, 200] and found["head_ns"].tolist() == [200, 100]
    assert (found["layouts"].tolist(), found["quiet"].tolist(), found["same"].tolist()) == ([5, 2], [True, False],
                                                                                            [4, 4])
