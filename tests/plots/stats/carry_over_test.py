# SPDX-License-Identifier: MIT
"""Solo against paired: simulation where the truth is known, damaged solo files, and the program's solo launches.

What tests/lessons/carry_over.c shows on a machine is a timing, and no test's business; that its solo launches reach the
judgement is."""
import json
import math
import re
import os
import subprocess
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import synthetic

from plots.__main__ import guarded
from plots.files.pair_run import load
from plots.stats import carry_over, statistics
from plots.verbs.check import check
from plots.words import pair_text
from plots.words.pair_sentences import summarize
from waiting import HANGS_S

CONFIDENCE = statistics.corrected(100)  # of a table of 100 rows


def solo(layout, ratio, scale=1.0, **more):
    return {"context": {"layout": str(layout)}, "benchmarks": [
        {"name": f"p/size=8/side={side}", "run_type": "iteration", "real_time": 7 * ns, "cpu_time": ns,
         "time_unit": "ns"} | more for side, ns in (("value", scale), ("pointer", scale * ratio))]}


def measured(ln_ratio):
    zeros = np.zeros_like(ln_ratio)
    return statistics.Measured(ln_ratio, zeros, zeros, tuple((k, k) for k in range(ln_ratio.shape[1])))


def simulated(draw, truth, noise, launches=15, paired_sd=0.02, layouts=64):
    effects = draw.normal(0, 0.1, layouts)
    matrix = effects[None, :] + draw.normal(0, paired_sd, (20, 1)) + draw.normal(0, 0.01, (20, layouts))
    at = draw.permutation(layouts)[:launches]
    documents = [solo(k, math.exp(truth + effects[k] + noise * draw.standard_t(3))) for k in at]
    return carry_over.judge(documents, measured(matrix), CONFIDENCE)


def test_no_false_alarm_where_there_is_none():
    draw = np.random.default_rng(1)
    found = Counter(simulated(draw, truth, noise).found for truth in (0.0, 0.05, -0.05) for noise in (0.02, 0.1, 0.5)
                    for _ in range(60))
    assert found == {False: 540}


@pytest.mark.parametrize("truth", [0.5, -0.5])
def test_a_factor_is_found_in_noise_of_several_percent(truth):
    draw = np.random.default_rng(2)
    results = [simulated(draw, truth, 0.05) for _ in range(60)]
    assert sum(one.found for one in results) >= 57
    for one in results:
        assert one.difference.low <= truth <= one.difference.high
        assert one.difference.estimate == pytest.approx(truth, abs=0.1)


THRESHOLDS = [(0.14, True), (0.1, True), (0.09, False), (0.0, False), (-0.09, False), (-0.1, True)]


@pytest.mark.parametrize("truth, found", THRESHOLDS)
def test_the_threshold(truth, found):
    """Without any noise, the interval is a point."""
    result = carry_over.judge([solo(k, math.exp(truth)) for k in range(15)], measured(np.zeros((20, 15))), CONFIDENCE)
    assert result.found == found
    assert (result.difference.low, result.difference.high) == pytest.approx((truth, truth))


def test_layouts_are_held_against_themselves():
    """A side effect of the layout of half of e is no carry-over where paired rounds at the layout have it too."""
    matrix = np.tile(np.linspace(-0.5, 0.5, 30), (20, 1))
    at = range(15)  # all of the layouts where pointers win
    result = carry_over.judge([solo(k, math.exp(matrix[0, k])) for k in at], measured(matrix), CONFIDENCE)
    assert result.found is False and result.paired == pytest.approx(np.median(matrix[0, :15]))
    assert result.difference.estimate == pytest.approx(0)


def test_paired_uncertainty_counts():
    """Launches that disagree on a layout by more than the difference leave it open."""
    matrix = np.where(np.arange(20) % 2, 0.6, -0.6)[:, None] * np.ones((20, 15))
    result = carry_over.judge([solo(k, math.exp(0.4)) for k in range(15)], measured(matrix), CONFIDENCE)
    assert result.found is False
    assert result.difference.low == pytest.approx(0.4 - 0.6) and result.difference.high == pytest.approx(0.4 + 0.6)


NONE = [
    ("no solo launch", []),
    ("one side only", [solo(1, 2.0) | {"benchmarks": solo(1, 2.0)["benchmarks"][:1]}]),
    ("no layout", [solo(1, 2.0) | {"context": {}}]),
    ("a layout that was not measured", [solo(99, 2.0)]),
    ("a layout in words", [solo("-1", 2.0)]),
    ("an error", [solo(1, 2.0, error_occurred=True)]),
    ("no time", [solo(1, 2.0, cpu_time=0)]),
    ("an aggregate", [solo(1, 2.0, run_type="aggregate")]),
]


@pytest.mark.parametrize("name, documents", NONE, ids=[row[0] for row in NONE])
def test_nothing_usable(name, documents):
    assert carry_over.judge(documents, measured(np.zeros((20, 15))), CONFIDENCE) is None
    rest = [solo(k, 2.0) for k in range(15)]
    assert carry_over.judge(documents + rest, measured(np.zeros((20, 15))), CONFIDENCE).launches == 15


def test_too_few_give_numbers_and_no_answer():
    result = carry_over.judge([solo(k, 2.0) for k in range(6)], measured(np.zeros((20, 15))), CONFIDENCE)
    assert result.found is None and result.difference.low is None
    assert result.difference.estimate == pytest.approx(math.log(2))
    few_paired = carry_over.judge([solo(k, 2.0) for k in range(15)], measured(np.zeros((3, 15))), CONFIDENCE)
    assert few_paired.found is None
    assert carry_over.judge([solo(1, 2.0)], statistics.measure([]), CONFIDENCE) is None


def test_cpu_time_but_with_threads_the_clocks():
    document = solo(3, 2.0)
    document["benchmarks"][1] |= {"real_time": 700, "time_unit": "us"}
    value, pointer, layout = carry_over.solo_times(document)
    assert (math.exp(value), math.exp(pointer), layout) == pytest.approx((1, 2000, 3))
    threads = carry_over.judge([document], measured(np.zeros((20, 15))), CONFIDENCE, threads=2)
    assert math.exp(threads.solo.estimate) == pytest.approx(100000)


# A run that has it

ROWS = [synthetic.Truth("pass", 8, 0.3, layout_sd=0.1), synthetic.Truth("collection", 65536, 0.3, ln_carry_over=0.7),
        synthetic.Truth("null", 16, 0.0, layout_sd=0)]


def test_the_row_says_so_and_shows_both(tmp_path, capsys):
    run = synthetic.write_run(tmp_path / "run", ROWS, synthetic.Plan(layouts=16, rounds=4, solo=15))
    assert guarded(["summary", str(run)]) == 0
    out = capsys.readouterr().out
    rows = json.loads((run / "summary.json").read_text())["rows"]
    assert [row["solo"]["carry_over"] for row in rows] == [False, True, False]
    assert rows[1]["solo"]["ratio"]["estimate"] == pytest.approx(math.exp(1.0), rel=0.1)
    assert rows[1]["solo"]["paired_ratio"] == pytest.approx(math.exp(0.3), rel=0.1)
    assert rows[1]["solo"]["difference"]["low"] < math.exp(0.7) < rows[1]["solo"]["difference"]["high"]
    table, _, closing = out.partition("\n\n")
    assert [line.split()[0] for line in table.splitlines() if line.endswith(" *")] == ["collection"]
    assert "* Carry-over: " in closing and "\n  collection/size=65536  paired 1.3" in closing and ", solo 2." in closing
    assert "; *: carry-over, see above" in closing and max(map(len, out.splitlines())) <= 120
    assert check(run)[1] == []
    assert guarded(["report", str(run)]) == 0
    quick = synthetic.write_run(tmp_path / "quick", ROWS, synthetic.Plan(layouts=16, rounds=4, solo=15, quick=True))
    summary, _ = summarize(load(quick))
    assert [row.solo.carry_over for row in summary.rows] == [None] * 3
    assert "carry-over" not in pair_text.table(summary)


# The program

BUILD = os.environ.get("AMPERSAND_BUILD")


@pytest.mark.skipif(not BUILD, reason="AMPERSAND_BUILD does not name a build folder")
def test_solo_launches_go_through_the_layouts(tmp_path):
    build = Path(BUILD).resolve()
    run = tmp_path / "run"
    done = subprocess.run([build / "harness/ampersand-bench", "paired", "--out", run, "--filter", "^(carry_over|good)/",
                           "--launches", "2", "--solo-launches", "8", "--counts-launches", "0", "--epoch-us", "20",
                           "--rounds", "2", "--seed", "4"],
                          env={**os.environ, "AMPERSAND_LESSONS": str(build / "tests/lessons")}, capture_output=True,
                          text=True, timeout=HANGS_S)
    assert done.returncode == 0, done.stderr
    orders = []
    for row in ("carry_over/size=8", "good/size=8", "good/size=16"):
        files = sorted((run / "solo/default" / row).glob("*.json"))
        layouts = [int(json.loads(path.read_text())["context"]["layout"]) for path in files]
        assert sorted(layouts[:4]) == sorted(layouts[4:]) == [0, 1, 2, 3], "each once before one comes again"
        orders.append(tuple(layouts))
    assert len(set(orders)) > 1, "every row has the same order"
    rows = {row.row: row.solo for row in summarize(load(run))[0].rows}
    assert {name: one.launches for name, one in rows.items()} == dict.fromkeys(rows, 8) and len(rows) == 3
    assert check(run)[1] == []
