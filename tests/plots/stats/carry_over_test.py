# SPDX-License-Identifier: MIT
"""Solo against paired: simulation where the truth is known, and damaged solo files. How solo launches are made and
reach the judgement is for launch_run_test.py."""
import json
import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import synthetic

from plots.__main__ import guarded
from plots.files.pair_run import load
from plots.stats import carry_over, statistics
from plots.verbs.check import check
from plots.words import pair_text
from plots.words.pair_sentences import summarize

CONFIDENCE = statistics.corrected(100)  # of a table of 100 rows
TABLES = 8  # that are drawn


def solo(layout, ratio, scale=1.0, **more):
    return {"context": {"layout": str(layout)}, "benchmarks": [
        {"name": f"p/size=8/side={side}", "run_type": "iteration", "real_time": 7 * ns, "cpu_time": ns,
         "time_unit": "ns"} | more for side, ns in (("value", scale), ("pointer", scale * ratio))]}


def measured(ln_ratio):
    zeros = np.zeros_like(ln_ratio)
    return statistics.Measured(ln_ratio, zeros, zeros, tuple((k, k) for k in range(ln_ratio.shape[1])))


def judge(documents, paired, confidence=CONFIDENCE, threads=0):
    return carry_over.judge(carry_over.cell(documents, paired, threads), confidence)


def simulated(draw, truth, noise, launches=15, paired_sd=0.02, layouts=64):
    effects = draw.normal(0, 0.1, layouts)
    matrix = effects[None, :] + draw.normal(0, paired_sd, (20, 1)) + draw.normal(0, 0.01, (20, layouts))
    at = draw.permutation(layouts)[:launches]
    documents = [solo(k, math.exp(truth + effects[k] + noise * draw.standard_t(3))) for k in at]
    return judge(documents, measured(matrix))


def test_no_false_alarm_where_there_is_none():
    draw = np.random.default_rng(1)
    found = Counter(simulated(draw, truth, noise).found for truth in (0.0, 0.05, -0.05) for noise in (0.02, 0.1, 0.5)
                    for _ in range(60))
    assert set(found) <= {False, None} and found[False] >= 20, "ruled out where the noise is small"


def table_of(draw, truths):
    """Cells of a table whose true carry-over is known; solo launches are as noisy as on a busy machine."""
    cells = []
    for truth in truths:
        effects = draw.normal(0, 0.1, 64)
        matrix = effects + draw.normal(0, 0.01, (16, 1)) + draw.normal(0, 0.01, (16, 64))
        at, noise = draw.permutation(64)[:15], draw.choice([0.01, 0.05, 0.2])
        documents = [solo(k, math.exp(truth + effects[k] + noise * draw.standard_t(3))) for k in at]
        cells.append(carry_over.cell(documents, measured(matrix)))
    return cells


def first(cell, launches):
    return replace(cell, ln_value_ns=cell.ln_value_ns[:launches], ln_pointer_ns=cell.ln_pointer_ns[:launches],
                   paired=cell.paired[:, :launches])


def looked_at_twice(cells, share=0.5):
    """The answers of a table whose rows have six launches, and fifteen where these do not say none."""
    early = [first(cell, 6) for cell in cells]
    told = [carry_over.judge(*one).found for one in zip(early, carry_over.levels(early, [share] * len(cells)))]
    last = [one if found is False else cell for one, cell, found in zip(early, cells, told)]
    assert sum(found is False for found in told) > 0 and sum(found is not False for found in told) > 0
    return [carry_over.judge(*one).found for one in zip(last, carry_over.levels(last, [share] * len(cells)))]


def looked_at_once(cells):
    cells = [first(cell, 13) for cell in cells]
    return [carry_over.judge(*one).found for one in zip(cells, carry_over.levels(cells, [1] * len(cells)))]


@pytest.mark.parametrize("looks", [looked_at_once, looked_at_twice])
@pytest.mark.parametrize("truths", [[0.0] * 100, [0.0] * 80 + [0.8] * 20, [0.0] * 40 + [0.094, -0.104] * 10])
def test_few_of_what_is_told_is_wrong(truths, looks):
    """The false coverage rate, over the whole table; and a table of ordinary size is told of mostly."""
    draw, x = np.random.default_rng(3), math.log1p(carry_over.THRESHOLD)
    told, wrong, right = 0, [], 0
    for _ in range(TABLES):
        answers = looks(table_of(draw, truths))
        mine = [(answer, abs(truth) > x) for answer, truth in zip(answers, truths) if answer is not None]
        told += len(mine)
        wrong.append(sum(answer != truth for answer, truth in mine) / max(1, len(mine)))
        right += sum(answer is True for answer, truth in mine if truth > 0.5)
    assert np.mean(wrong) <= 0.05
    assert told / TABLES >= 0.25 * len(truths)
    assert right >= 0.9 * TABLES * sum(truth > 0.5 for truth in truths), "a factor of two is found"


def test_the_level_is_that_of_as_many_as_are_told():
    draw = np.random.default_rng(4)
    cells = table_of(draw, [0.0] * 30 + [1.0] * 5) + [None] * 4
    shares = [1.0, 0.5] * 17 + [0.5] * 5
    confidences = carry_over.levels(cells, shares)
    answers = [carry_over.judge(*one) for one in zip(cells, confidences)]
    told = sum(one is not None and one.found is not None for one in answers)
    assert [1 - confidence
            for confidence in confidences] == pytest.approx([0.05 * share * told / 35 for share in shares])
    assert told >= 10
    assert carry_over.levels([], []) == [] and carry_over.levels([None], [1.0]) == [0.95]


def test_an_answer_has_an_interval():
    """Six launches may tell of the difference, but they have no ratio at a confidence that is this high."""
    documents, paired = [solo(k, math.exp(0.5)) for k in range(6)], measured(np.zeros((20, 15)))
    assert judge(documents, paired, 0.9999).found is None and judge(documents, paired, 0.96).found is True


@pytest.mark.parametrize("truth", [0.5, -0.5])
def test_a_factor_is_found_in_noise_of_several_percent(truth):
    draw = np.random.default_rng(2)
    results = [simulated(draw, truth, 0.05) for _ in range(60)]
    assert sum(one.found is True for one in results) >= 57
    for one in results:
        assert one.difference.low <= truth <= one.difference.high
        assert one.difference.estimate == pytest.approx(truth, abs=0.1)


THRESHOLDS = [(0.14, True), (0.1, True), (0.09, False), (0.0, False), (-0.09, False), (-0.1, True)]


@pytest.mark.parametrize("truth, found", THRESHOLDS)
def test_the_threshold(truth, found):
    """Without any noise, the interval is a point."""
    result = judge([solo(k, math.exp(truth)) for k in range(15)], measured(np.zeros((20, 15))))
    assert result.found == found
    assert (result.difference.low, result.difference.high) == pytest.approx((truth, truth))


def test_layouts_are_held_against_themselves():
    """A side effect of the layout of half of e is no carry-over where paired rounds at the layout have it too."""
    matrix = np.tile(np.linspace(-0.5, 0.5, 30), (20, 1))
    at = range(15)  # all of the layouts where pointers win
    result = judge([solo(k, math.exp(matrix[0, k])) for k in at], measured(matrix))
    assert result.found is False and result.paired == pytest.approx(np.median(matrix[0, :15]))
    assert result.difference.estimate == pytest.approx(0)


def test_paired_uncertainty_counts():
    """Launches that disagree on a layout by more than the difference leave it open."""
    matrix = np.where(np.arange(20) % 2, 0.6, -0.6)[:, None] * np.ones((20, 15))
    result = judge([solo(k, math.exp(0.4)) for k in range(15)], measured(matrix))
    assert result.found is None, "not told, and not none"
    assert result.difference.low < 0 and result.difference.high > 0.8


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
    assert judge(documents, measured(np.zeros((20, 15)))) is None
    rest = [solo(k, 2.0) for k in range(15)]
    assert judge(documents + rest, measured(np.zeros((20, 15)))).launches == 15


def test_too_few_give_numbers_and_no_answer():
    result = judge([solo(k, 2.0) for k in range(5)], measured(np.zeros((20, 15))))
    assert result.found is None and result.difference.low is None
    assert result.difference.estimate == pytest.approx(math.log(2))
    few_paired = judge([solo(k, 2.0) for k in range(15)], measured(np.zeros((3, 15))))
    assert few_paired.found is None
    assert judge([solo(1, 2.0)], statistics.measure([])) is None


def test_cpu_time_but_with_threads_the_clocks():
    document = solo(3, 2.0)
    document["benchmarks"][1] |= {"real_time": 700, "time_unit": "us"}
    value, pointer, layout = carry_over.solo_times(document)
    assert (math.exp(value), math.exp(pointer), layout) == pytest.approx((1, 2000, 3))
    threads = judge([document], measured(np.zeros((20, 15))), threads=2)
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
    assert rows[1]["ratio"] == rows[1]["solo"]["ratio"] and rows[1]["paired"]["ratio"]["estimate"] < 1.5
    assert rows[1]["pointer_ns_per_op"]["estimate"] / rows[1]["value_ns_per_op"]["estimate"] == pytest.approx(
        rows[1]["ratio"]["estimate"], rel=0.05)
    assert rows[1]["sentence"].startswith("alone, value is 2.")
    assert "; by turns pointer/value is 1.3" in rows[1]["sentence"]
    assert "paired" not in rows[0] and "paired" not in rows[2]
    assert rows[1]["solo"]["paired_ratio"] == pytest.approx(math.exp(0.3), rel=0.1)
    assert rows[1]["solo"]["difference"]["low"] < math.exp(0.7) < rows[1]["solo"]["difference"]["high"]
    table, _, closing = out.partition("\n\n")
    assert [line.split()[0] for line in table.splitlines() if line.endswith(" *")] == ["collection"]
    assert "* Alone: " in closing and "\n  collection/size=65536  by turns 1.3" in closing and ", alone 2." in closing
    assert "beyond 10 % in 1 row, within it for certain in 2, not told in 0" in " ".join(closing.split())
    assert "; *: " in closing and max(map(len, out.splitlines())) <= 120
    assert check(run)[1] == []
    assert guarded(["report", str(run)]) == 0
    quick = synthetic.write_run(tmp_path / "quick", ROWS, synthetic.Plan(layouts=16, rounds=4, solo=15, quick=True))
    summary, _ = summarize(load(quick))
    assert [row.solo.carry_over for row in summary.rows] == [None] * 3
    assert "Carry-over" not in pair_text.table(summary) and not any(row.paired for row in summary.rows)


def test_rows_that_want_another_look(tmp_path, capsys):
    """All but those whose sides certainly leave each other alone; nobody after the last look, or where there is one."""
    plan = synthetic.Plan(launches=12, layouts=16, rounds=4, solo=6, solo_sd=0.005, solo_looks=(6, 15))
    second = replace(plan, solo=15, solo_blocks=((15, (ROWS[1].name,)),))
    late = replace(plan, solo_blocks=((15, (ROWS[0].name,)),))  # ROWS[1] has come to want one since
    for name, each, want in (("first", plan, [ROWS[1].name]), ("second", second, []), ("late", late, []),
                             ("fixed", replace(plan, solo_looks=()), [])):
        run = synthetic.write_run(tmp_path / name, ROWS, each)
        assert guarded(["undecided", str(run), "--alone"]) == 0
        assert capsys.readouterr().out.split() == want, name
        assert check(run)[1] == []
    told = {row.row: row.solo for row in summarize(load(tmp_path / "second"))[0].rows}
    assert [told[row.name].carry_over for row in ROWS] == [False, True, False]
