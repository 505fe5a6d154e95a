# SPDX-License-Identifier: MIT
"""Two runs compared: what is called a change, and what is not."""
import math
import os
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

import synthetic
from comparing import (CONTROLS, F64, NS, P64, P8, QUIET, calls, changed, compared, comparison, run_of,
                       slower_value)
from plots.__main__ import guarded
from plots.files import records
from plots.judge import compare_runs
from plots.judge.compare_runs import Change, call, half_width
from plots.judge.comparison import FIGURES, CountChange
from plots.judge.pair_summary import Counts, SideCounts
from plots.stats.statistics import Estimate
from plots.verbs import compare as plots_compare
from plots.words import comparison_text

SEEDS = 10 if os.environ.get("AMPERSAND_HEAVY") else 4

OUTCOMES = [
    # name, what is true in B, B's plan, row, what is called of value, pointer and ratio, what changed
    ("nothing", QUIET, {}, "pass/size=8", (NS, NS, NS), []),
    ("value 5 % slower", changed(P8.name, **slower_value(P8, 5)), {}, P8.name, ("slower", NS, "lower"),
     ["ratio", "value_ns_per_op"]),
    ("value 5 % faster", changed(P64.name, **slower_value(P64, -5)), {}, P64.name, ("faster", NS, "higher"),
     ["ratio", "value_ns_per_op"]),
    ("pointer 5 % slower", changed(P8.name, ln_ratio=P8.ln_ratio + math.log(1.05)), {}, P8.name,
     (NS, "slower", "higher"), ["ratio", "pointer_ns_per_op"]),
    ("both 10 % slower", changed(P8.name, value_ns=2.2), {}, P8.name, ("slower", "slower", NS),
     ["value_ns_per_op", "pointer_ns_per_op"]),
    ("the machine 10 % slower", [replace(row, value_ns=row.value_ns * 1.1) for row in QUIET], {}, P8.name,
     ("within drift", "within drift", NS), []),
    ("an allocation more", changed(F64.name, allocs=(0, 2), bytes=(0, 128)), {}, F64.name, (NS, NS, NS), ["counts"]),
    ("bytes only", changed(F64.name, bytes=(0, 80)), {}, F64.name, (NS, NS, NS), ["counts"]),
    ("counts differ in B", QUIET, {"differ": (F64.name,)}, F64.name, (NS, NS, NS), ["counts"]),
    ("no counts in B", QUIET, {"refuse_counts": True}, F64.name, (NS, NS, NS), []),
    ("the winner changed", changed(P8.name, ln_ratio=-0.3), {}, P8.name, (NS, "faster", "lower"),
     ["ratio", "pointer_ns_per_op", "verdict"]),
    ("a row failed", QUIET, {"fail": {P8.name: ("signal", "SIGSEGV")}}, P8.name, ("not measured",) * 3, ["failed"]),
    ("too few launches", changed(P8.name, ln_ratio=-0.3), {"launches": 5}, P8.name, ("too few launches",) * 3, []),
    ("as many as are needed", changed(P8.name, ln_ratio=-0.3), {"launches": 6}, P8.name, None, ["ratio"]),
    ("a quick run", changed(P8.name, ln_ratio=-0.3), {"quick": True}, P8.name, ("no verdict",) * 3, []),
    ("a quick run's counts", changed(F64.name, allocs=(0, 2)), {"quick": True}, F64.name, ("no verdict",) * 3,
     ["counts"]),
]

ALL = "pass/size=8, pass/size=64, factory/size=64"
UNJUDGED = {  # what says nothing of a change: no change there is no good news
    "no counts in B": f"allocations not counted: {ALL}",
    "too few launches": f"fewer than 6 launches: {ALL}",
    "a quick run": "in quick runs: null/size=16, known_five/size=1000, pass/size=8 and 2 more",
}


@pytest.mark.parametrize("name, rows, plan, row, want, what", OUTCOMES, ids=[row[0] for row in OUTCOMES])
def test_outcomes(tmp_path, a, capsys, monkeypatch, name, rows, plan, row, want, what):
    b = run_of(tmp_path / "b", rows, seed=2, **plan)
    found = comparison(a, b)
    document = records.write(found)
    if want:
        assert calls(document, row) == want
    whats = [one["what"] for one in next(one for one in document["rows"] if one["row"] == row)["changes"]]
    assert whats == what if want else set(what) <= set(whats)
    assert [one["row"] for one in document["rows"] if one["changes"]] == ([row] if what else [])
    unjudged = UNJUDGED.get(name)
    assert guarded(["compare", str(a), str(b), "--fail-on-change"]) == (3 if what else 2 if unjudged else 0)
    captured = capsys.readouterr()
    assert (row in captured.err and captured.err.count("\n") == 1) if what else captured.err == (
        f"ampersand: compare: --fail-on-change cannot be judged: {unjudged}\n" if unjudged else "")
    if name == "too few launches":
        assert "No change shown in 5 rows; 3 rows have too few launches to be judged" in captured.out
    monkeypatch.setattr(plots_compare, "load", lambda folder, _: folder)
    monkeypatch.setattr(plots_compare, "compare", lambda *_: found)  # what it is shown from was made above
    assert guarded(["compare", str(a), str(b)]) == 0
    for form in ("json", "csv", "markdown"):
        assert guarded(["compare", str(a), str(b), "--format", form]) == 0


def test_estimates_are_near_the_truth(tmp_path, a):
    document = compared(a, run_of(tmp_path / "b", changed(P8.name, **slower_value(P8, 5)), seed=3))
    row = document["rows"][2]
    for key, truth in (("value_ns_per_op", 1.05), ("pointer_ns_per_op", 1.0), ("ratio", 1 / 1.05)):
        change = row[key]["change"]
        assert change["low"] <= truth <= change["high"]
        assert change["estimate"] == pytest.approx(row[key]["b"] / row[key]["a"], rel=1e-4)
    assert row["value_ns_per_op"]["a"] == pytest.approx(2.0, rel=0.02)


def test_the_same_run_twice_has_no_changes(a, capsys):
    document = compared(a, a)
    assert document["same_run"] and all(row["changes"] == [] for row in document["rows"])
    assert all(row[key]["change"]["estimate"] == 1 for row in document["rows"] for key in
               ("value_ns_per_op", "pointer_ns_per_op", "ratio"))
    assert guarded(["compare", str(a), str(a), "--fail-on-change"]) == 0
    out = capsys.readouterr().out
    assert "No change shown in 5 rows" in out and "A and B are the same run." in out


def test_one_build_measured_twice_has_few_false_changes(tmp_path):
    """A busy machine: B is 4 % slower throughout, its launches scatter three times as much, its layouts are others."""
    rows = [synthetic.Truth("pass", 1 << i, 0.1 * i, 2.0 + i, layout_sd=0.05) for i in range(12)] + CONTROLS
    busy = [replace(row, value_ns=row.value_ns * 1.04, both_sd=0.06, launch_sd=3 * row.launch_sd, outliers=0.05)
            for row in rows]
    false = {"ratio": 0, "time": 0}
    for seed in range(SEEDS):
        first = run_of(tmp_path / f"a{seed}", rows, seed=2 * seed, solo=False)
        second = run_of(tmp_path / f"b{seed}", busy, seed=2 * seed + 1, solo=False)
        for row in compared(first, second)["rows"]:
            assert row["counts"]["changes"] == [] and row["verdict"]["change"] != "flipped"
            for one in row["changes"]:
                false["ratio" if one["what"] == "ratio" else "time"] += 1
    assert false["ratio"] <= 2 and false["time"] <= 2, false  # of 10 seeds' 120 ratios and 240 times; 0.5 may be


def test_five_percent_on_one_side_is_found_on_a_busy_machine(tmp_path):
    """By the ratio, whatever the machine does to both sides; the side's own time is drowned in the drift."""
    found = {"ratio": 0, "time": 0}
    busy = [replace(row, both_sd=0.05, value_ns=row.value_ns * 0.95) for row in changed(P8.name, **slower_value(P8, 5))]
    for seed in range(SEEDS):
        first = run_of(tmp_path / f"a{seed}", seed=2 * seed, solo=False)
        document = compared(first, run_of(tmp_path / f"b{seed}", busy, seed=2 * seed + 1, solo=False))
        value, pointer, ratio = calls(document, P8.name)
        found["ratio"] += ratio == "lower"
        found["time"] += value == "slower"
        assert pointer in (NS, "within drift")
    assert found == {"ratio": SEEDS, "time": 0}


def yuen(a, b, confidence):
    """Half the interval, by Yuen's formula (1974), written anew."""
    parts = []
    for x in (np.sort(a), np.sort(b)):
        cut = int(0.2 * len(x))
        winsorized = x.copy()
        winsorized[:cut], winsorized[len(x) - cut:] = x[cut], x[len(x) - cut - 1]
        kept = len(x) - 2 * cut
        parts.append(((len(x) - 1) * np.var(winsorized, ddof=1) / (kept * (kept - 1)), kept - 1))
    (d1, f1), (d2, f2) = parts
    freedom = (d1 + d2) ** 2 / (d1 ** 2 / f1 + d2 ** 2 / f2)
    return stats.t.ppf(0.5 + confidence / 2, freedom) * math.sqrt(d1 + d2)


@pytest.mark.parametrize("n, m, scale", [(20, 20, 1), (20, 20, 9), (6, 6, 1), (7, 23, 0.1), (40, 10, 5)])
@pytest.mark.parametrize("confidence", [0.95, 1 - 0.05 / 315])
def test_the_interval_is_yuens(n, m, scale, confidence):
    random = np.random.default_rng(n + m)
    a, b = random.standard_t(2, n), 5 + scale * random.normal(size=m)
    assert half_width(a, b, confidence) == pytest.approx(yuen(a, b, confidence), rel=1e-3)


def test_the_interval_covers_where_spreads_differ():
    """An idle and a busy run, equal in truth. Mann and Whitney's test, which assumes equal shapes, does not."""
    random = np.random.default_rng(7)
    n, ours, theirs = 600, 0, 0
    for _ in range(n):
        a, b = random.normal(0, 1, 20), random.normal(0, 6, 12)
        by = Change(a, b, 0.99).by
        ours += not by.low <= 0 <= by.high
        theirs += stats.mannwhitneyu(a, b).pvalue < 0.01
    assert ours / n <= 0.024 < theirs / n, (ours, theirs)  # 0.01 is nominal; 0.024 is three and a half errors above


DEGENERATE = [("constant", [1.0] * 8, [2.0] * 8, 1.0), ("all but an outlier", [1.0] * 8, [2.0] * 7 + [9], 1.0),
              ("none", [], [1.0], None), ("one", [1.0], [1.5], 0.5), ("five", [1, 2, 3, 4, 5], [1, 2, 3, 4, 5], 0)]


@pytest.mark.parametrize("name, a, b, middle", DEGENERATE, ids=[row[0] for row in DEGENERATE])
def test_launches_without_an_interval(name, a, b, middle):
    found = Change(np.array(a, float), np.array(b, float), 0.95)
    assert (found.by and found.by.estimate) == middle and (found.by is None or not found.by.has_interval)


CALLS = [
    # name, interval, drift, what is called of a time and of a ratio; in percent
    ("beyond", (3, 5), (-1, 1), "slower", "higher"), ("below", (-5, -3), (-1, 1), "faster", "lower"),
    ("around 0", (-1, 3), (-1, 1), NS, NS), ("inside x", (0.1, 3), (0, 0), NS, NS),
    ("just beyond x", (0.21, 3), (0, 0), "slower", "higher"),
    ("not beyond the drift", (2, 5), (-1, 3), "within drift", "within drift"),
    ("beyond the drift, not by x", (3.1, 5), (-1, 3), "within drift", "within drift"),
    ("beyond it by x", (3.3, 5), (-1, 3), "slower", "higher"),
    ("against the drift", (-5, -3), (0, 9), "faster", "lower"),
    ("not beyond a drift downwards", (-5, -3), (-4, 0), "within drift", "within drift"),
    ("no control", (3, 5), None, "no control", "higher"), ("no control, no change", (-3, 5), None, NS, NS),
]


@pytest.mark.parametrize("name, interval, drift, time, ratio", CALLS, ids=[row[0] for row in CALLS])
def test_calls(name, interval, drift, time, ratio):
    low, high = (math.log1p(x / 100) for x in interval)
    drift = drift and tuple(math.log1p(x / 100) for x in drift)
    one = Estimate((low + high) / 2, low, high)
    assert call(one, drift, 0.002, False, ("slower", "faster"), "no control") == time
    assert call(one, drift, 0.002, False, ("higher", "lower"), None) == ratio
    assert call(one, drift, 0.002, True, ("higher", "lower"), None) == "no verdict"


DRIFTS = [("up", [(2, 3, 1)], (0, 3), (0, 1)), ("down", [(-2, -3, -1)], (-3, 0), (-1, 0)),
          ("both", [(-2, 1, 0), (1, 4, 2)], (-2, 4), (0, 2)), ("none", [], None, None)]


@pytest.mark.parametrize("name, controls, times, ratios", DRIFTS, ids=[row[0] for row in DRIFTS])
def test_drift_reaches_from_the_least_to_the_greatest_and_holds_no_change(name, controls, times, ratios):
    moved = [{figure: Change(np.zeros(1), np.array([float(x)]), 0.95) for figure, x in
              zip(FIGURES, one)} for one in controls]
    assert vars(compare_runs._drift(moved)) == {"controls": len(controls), "times": times, "ratios": ratios}


VERDICTS = [("value faster", "pointer faster", "flipped"), ("leans pointer", "value faster", "flipped"),
            ("leans value", "leans pointer", "flipped"), ("value faster", "leans value", "class"),
            ("equal", "value faster", "class"), ("undecided", "pointer faster", "class"), ("equal", "equal", None),
            ("placement decides", "undecided", "class"), ("value faster", "failed", None), ("failed", "failed", None)]


@pytest.mark.parametrize("a, b, want", VERDICTS)
def test_verdict_changes(a, b, want):
    assert compare_runs._verdict_change(a, b) == want
    assert compare_runs._verdict_change(b, a) == want


def test_the_peak_of_racing_threads_is_no_change():
    side = SideCounts(allocs_per_op=1, asked_b_per_op=8, granted_b_per_op=8, peak_b=8)
    one = Counts(status="exact", detail=None, value=side, pointer=side)
    other = replace(one, value=replace(side, peak_b=16))
    assert compare_runs.count_changes(one, other, threads=2) == ()
    assert compare_runs.count_changes(one, other) == (CountChange(side="value", quantity="peak_b", a=8, b=16),)


def test_without_a_control_no_time_is_called(tmp_path):
    rows = [row for row in QUIET if row.lesson not in ("null", "known")]
    a = run_of(tmp_path / "a", rows)
    b = run_of(tmp_path / "b", [replace(row, **slower_value(row, 20)) for row in rows], seed=2)
    found = comparison(a, b)
    document = records.write(found)
    assert document["drift"] == {"controls": 0, "times": None, "ratios": None}
    assert calls(document, P8.name) == ("no control", NS, "lower")
    assert any("No control" in note for note in comparison_text.notes(found))
