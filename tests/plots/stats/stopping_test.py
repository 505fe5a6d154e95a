# SPDX-License-Identifier: MIT
"""The stopping rule of --precision: what looking again and again does to errors, by simulation; which rows of a run
want more. How the program measures these is for precision_test.py."""
import json
import math

import numpy as np
import pytest
import synthetic

from plots.__main__ import guarded
from plots.files.pair_run import load
from plots.stats import statistics, stopping, two_way
from plots.stats.statistics import Estimate, Spread
from plots.verbs.check import check

LOOKS = (20, 40, 80, 160, 320)
RULE = stopping.Rule(LOOKS, 0.005, 600)


# Errors

def left_out(headlines, confidences):
    """Whether somebody who stops as soon as the interval leaves out 1 ever does; the truth is 1."""
    for n, confidence in zip(LOOKS, confidences):
        one = statistics.estimate(headlines[:n], confidence)
        if one.has_interval and (one.low > 0 or one.high < 0):
            return True
    return False


def test_looking_again_keeps_the_error_rate_of_a_table_of_nulls():
    draw = np.random.default_rng(5)
    rows, tables = 4, 250
    wrong = {"corrected": 0, "for rows only": 0}
    for _ in range(tables):
        headlines = [draw.standard_t(3, LOOKS[-1]) * 0.01 for _ in range(rows)]
        shares = [stopping.share(len(LOOKS), look) for look in range(1, len(LOOKS) + 1)]
        assert sum(shares) == 1
        for name, each in (("corrected", shares), ("for rows only", [1] * len(LOOKS))):
            confidences = [1 - 0.05 * share / rows for share in each]
            wrong[name] += any(left_out(row, confidences) for row in headlines)
    assert wrong["corrected"] <= 0.05 * tables
    assert wrong["for rows only"] > 0.05 * tables, "the simulation would not find out"


def stop(matrix, rows):
    """(verdict, width, look, why) of a row of a table, launched as the rule says without a budget."""
    for look, n in enumerate(LOOKS, start=1):
        told = statistics.tell(two_way.fit(matrix[:n]), statistics.of_verdicts(rows, stopping.share(len(LOOKS), look)))
        verdict, width = statistics.verdict(told.ratio, told.spread, 0.002), stopping.half_width(told.ratio,
                                                                                                 told.spread)
        why = stopping.state(RULE, look, verdict.name, width, 0)
        if why != "open":
            return verdict.name, width, look, why
    raise AssertionError("a row wants more after the last look")


def test_rows_stop_decided_precise_or_at_the_last_look_and_never_on_the_wrong_side():
    draw = np.random.default_rng(6)
    ended = []
    for truth, apart in ((-0.02, 0.001), (0.0, 0.001), (0.002, 0.02), (0.004, 0.001), (0.02, 0.022)) * 8:
        effects = np.resize([-apart, apart], 8)  # the last: half of the layouts are 0.2 % below 1, and so is p10
        launches = draw.normal(0, draw.choice([0.001, 0.01, 0.08]), LOOKS[-1])
        matrix = truth + effects[None, :] + launches[:, None]
        matrix = matrix + draw.normal(0, 0.001, matrix.shape)
        verdict, width, look, why = stop(matrix, 40)
        ended.append(why)
        assert (why == "decided") == (verdict != "undecided")
        assert why != "precise" or width <= RULE.precision
        assert why != "looks" or (look == len(LOOKS) and width > RULE.precision)
        assert verdict != ("pointer faster" if truth >= 0 else "value faster"), truth
    assert {"decided", "precise", "looks"} == set(ended)


# The rule

STATES = [
    # name, rule, look, verdict, half-width, seconds spent, why
    ("fixed", stopping.Rule((20,), None, None), 1, "undecided", math.inf, 0, "fixed"),
    ("failed", RULE, 1, "failed", math.inf, 0, "failed"),
    ("decided", RULE, 1, "leans value", 0.3, 0, "decided"),
    ("decided, and all else is over", RULE, 5, "equal", 0.3, 900, "decided"),
    ("known well enough", RULE, 2, "undecided", 0.005, 0, "precise"),
    ("not quite", RULE, 2, "undecided", 0.0051, 0, "open"),
    ("no interval", RULE, 1, "undecided", math.inf, 0, "open"),
    ("the last look", RULE, 5, "undecided", 0.02, 0, "looks"),
    ("one before", RULE, 4, "undecided", 0.02, 0, "open"),
    ("the budget", RULE, 2, "undecided", 0.02, 600, "budget"),
    ("a second before", RULE, 2, "undecided", 0.02, 599, "open"),
]


@pytest.mark.parametrize("name, rule, look, verdict, width, spent, want", STATES, ids=[row[0] for row in STATES])
def test_state(name, rule, look, verdict, width, spent, want):
    assert stopping.state(rule, look, verdict, width, spent) == want


WIDTHS = [  # in ln units: headline, p10's bounds, p90's bounds
    ("headline", (-0.02, 0.02), (0, 0.01), (0, 0.01), 0.02),
    ("p10", (-0.01, 0.01), (-0.06, 0.0), (0, 0.01), 0.03),
    ("p90", (-0.01, 0.01), (-0.01, 0.0), (0, 0.08), 0.04),
    ("no interval", (None, None), (-0.01, 0.0), (0, 0.08), math.inf),
    ("no bounds", (0, 0.1), (None, None), (None, None), math.inf),
]


@pytest.mark.parametrize("name, ratio, p10, p90, want", WIDTHS, ids=[row[0] for row in WIDTHS])
def test_half_width(name, ratio, p10, p90, want):
    got = stopping.half_width(Estimate(0, *ratio), Spread(0, 0, *p10, *p90))
    assert got == pytest.approx(math.exp(want) - 1)


# A run that has it

DECIDED, WIDE = synthetic.Truth("pass", 8, 0.3), synthetic.Truth("pass", 64, 0.003, layout_sd=0.001, launch_sd=0.05)
PRECISE = synthetic.Truth("pass", 512, 0.02, layout_sd=0.022, bimodal=True, launch_sd=0.0005, round_sd=0.001,
                          outliers=0)

RUNS = [
    # name, looks, launches there are, blocks, budget, why each row stopped, the wide row's look
    ("first look", (20, 40), 20, [], 600, ["decided", "open", "precise"], 1),
    ("second", (20, 40, 80), 40, [(40, ["pass/size=64"])], 600, ["decided", "open", "precise"], 2),
    ("last", (20, 40), 40, [(40, ["pass/size=64"])], 600, ["decided", "looks", "precise"], 2),
    ("budget", (20, 40, 80), 40, [(40, ["pass/size=64"])], 12, ["decided", "budget", "precise"], 2),
    ("just within it", (20, 40, 80), 40, [(40, ["pass/size=64"])], 13, ["decided", "open", "precise"], 2),
    ("fixed", (), 20, [], 600, ["fixed"] * 3, 1),
]


@pytest.mark.parametrize("name, looks, launches, blocks, budget, want, look", RUNS, ids=[row[0] for row in RUNS])
def test_run(tmp_path, capsys, name, looks, launches, blocks, budget, want, look):
    run = synthetic.write_run(tmp_path / "run", [DECIDED, WIDE, PRECISE], synthetic.Plan(
        launches=launches, layouts=4, rounds=4, looks=looks, blocks=tuple(blocks), budget_s=budget))
    assert guarded(["undecided", str(run)]) == 0
    open_rows = ["pass/size=64"] if "open" in want else []
    assert capsys.readouterr().out.split() == open_rows
    assert guarded(["summary", str(run)]) == 0
    out = capsys.readouterr().out
    summary = json.loads((run / "summary.json").read_text())
    assert [row["stopped"]["why"] for row in summary["rows"]] == want
    assert summary["rows"][1]["stopped"] == {"look": look, "of": len(looks) or 1, "why": want[1]}
    assert check(run)[1] == []
    correction = summary["rule"]["correction"]
    assert correction == "Bonferroni over 3 rows" + (f" and {len(looks)} looks" if looks else "")
    assert max(map(len, out.splitlines())) <= 120
    assert ("Stopped, " in out) == bool(looks)
    first, mine = ((0.5, 0.5 ** min(look, len(looks) - 1)) if looks else (1, 1))  # of three rows, two errors each
    assert summary["rule"]["launches_needed"] == statistics.launches_needed(1 - 0.05 * first / 6)
    ratio = statistics.tell(statistics.measure(load(run).rows[1].launches).fit, 1 - 0.05 * mine / 6).ratio
    assert summary["rows"][1]["ratio"]["low"] == pytest.approx(math.exp(ratio.low), rel=1e-5)
    decides = {"open": "a larger --budget or a finer --precision", "budget": "a larger --budget or a finer --precision",
               "looks": "a finer --precision or more --launches", "fixed": "more --launches"}[want[1]]
    assert f"undecided; {decides} decides more" in " ".join(out.split())
    said = {"budget": "the budget is spent", "looks": "after the last look", "open": "wants more",
            "fixed": "measure more launches"}[want[1]]
    assert said in summary["rows"][1]["sentence"]


def test_rows_with_different_numbers_of_launches(tmp_path, capsys):
    """Only the wide row had the block: everything that reads a run copes."""
    run = synthetic.write_run(tmp_path / "run", [DECIDED, WIDE, PRECISE], synthetic.Plan(
        launches=40, layouts=4, rounds=4, looks=(20, 40, 80), blocks=((40, ("pass/size=64",)),), checksums=False))
    lines = (run / "journal.jsonl").read_text().splitlines(keepends=True)
    kept = [line for line in lines if (event := json.loads(line)).get("kind") != "paired" or event["launch"] < 20
            or event["size"] == 64]
    (run / "journal.jsonl").write_text("".join(kept))
    for path in (run / "launches").rglob("*.json"):
        if int(path.stem) >= 20 and path.parent.name != "size=64":
            path.unlink()
    for words in (["summary"], ["charts"], ["report"], ["check"]):
        assert guarded([words[0], str(run), *words[1:]]) == 0, (words, capsys.readouterr())
    summary = json.loads((run / "summary.json").read_text())
    assert [row["launches"] for row in summary["rows"]] == [20, 40, 20]
    bench = (run / "bench.txt").read_text()
    assert [bench.count(f"size={size}/side=value") for size in (8, 64, 512)] == [20, 40, 20]


BAD_JOURNALS = [
    ({"event": "extend", "rows": ["pass/size=8"]}, "launches"),
    ({"event": "extend", "launches": 40}, "rows"),
    ({"event": "extend", "launches": 40, "rows": [8]}, "rows"),
    ({"event": "extend", "launches": 40, "rows": ["gone/size=8"]}, "gone/size=8 is not in manifest.json"),
]


@pytest.mark.parametrize("line, said", BAD_JOURNALS)
def test_a_damaged_extension_is_refused(tmp_path, capsys, line, said):
    run = synthetic.write_run(tmp_path / "run", [DECIDED],
                              synthetic.Plan(launches=2, layouts=4, rounds=4, looks=(2, 4)))
    with open(run / "journal.jsonl", "a") as journal:
        journal.write(json.dumps({"time": synthetic.TIME} | line) + "\n")
    assert guarded(["undecided", str(run)]) == 2
    assert said in capsys.readouterr().err
