# SPDX-License-Identifier: MIT
"""The stopping rule of --precision: what looking again and again does to errors, by simulation; which rows want more;
and the program's part of it, which AMPERSAND_BUILD names: blocks, kills, refusals."""
import json
import math
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
import synthetic

from plots.__main__ import guarded
from plots.files.pair_run import load
from plots.stats import statistics, stopping, two_way
from plots.stats.statistics import Estimate, Spread
from plots.verbs.check import check
from plots.words.pair_sentences import summarize
from waiting import HANGS_S, wait_for

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
        verdict, width = statistics.verdict(told.ratio, told.spread, 0.002), stopping.half_width(told.ratio, told.spread)
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
PRECISE = synthetic.Truth("pass", 512, 0.02, layout_sd=0.022, bimodal=True, launch_sd=0.0005, round_sd=0.001, outliers=0)

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


# The program

BUILD = os.environ.get("AMPERSAND_BUILD")
program = pytest.mark.skipif(not BUILD, reason="AMPERSAND_BUILD does not name a build folder")
BENCH = Path(BUILD or ".").resolve() / "harness" / "ampersand-bench"
ENVIRONMENT = {**os.environ, "AMPERSAND_LESSONS": str(Path(BUILD or ".").resolve() / "tests" / "lessons")}
FAST = "--epoch-us 5 --rounds 2 --solo-launches 0 --counts-launches 0 --filter ^good/ --seed 7".split()
PRECISION = ["--launches", "2", "--precision", "0.5%"]


def bench(*words):
    return subprocess.run([BENCH, "paired", *map(str, words)], env=ENVIRONMENT, capture_output=True, text=True,
                          timeout=HANGS_S)


def begun(tmp_path, *words):
    run = tmp_path / "run"
    done = bench("--out", run, *FAST, *PRECISION, *words)
    assert done.returncode == 0, done.stderr
    (tmp_path / "rows").write_text("good/size=8\n")
    return run, tmp_path / "rows"


def numbers(run, size):
    return sorted(int(path.stem) for path in (run / f"launches/default/good/size={size}").glob("*.json"))


def draws(run):
    keys = ("seed", "stack_offset_b", "environment_padding_b")
    return {path.relative_to(run): [json.loads(path.read_text())[key] for key in keys]
            for path in (run / "launches").rglob("*.json")}


def started(run, name):
    """Whether the event is in the journal, whose last line may be cut."""
    return f'"event": "{name}"' in (run / "journal.jsonl").read_text().rpartition("\n")[0]


def events(run, name):
    lines = (run / "journal.jsonl").read_text().splitlines()
    return [event for event in map(json.loads, lines) if event["event"] == name]


@program
def test_a_block_doubles_the_launches_of_the_rows_that_are_named(tmp_path):
    run, rows = begun(tmp_path, "--budget", "1h")
    settings = json.loads((run / "manifest.json").read_text())["settings"]
    assert (settings["looks"], settings["precision"], settings["budget_s"]) == ([2, 4, 8, 16], 0.005, 3600)
    for block, n in enumerate((4, 8, 16), start=1):
        done = bench("--resume", run, "--rows", rows)
        assert done.returncode == 0, done.stderr
        assert (numbers(run, 8), numbers(run, 16)) == (list(range(n)), [0, 1])
        begun_blocks = [(event["launches"], event["rows"]) for event in events(run, "extend")]
        assert begun_blocks[block - 1:] == [(n, ["good/size=8"])]
    assert check(run)[1] == []
    assert stopping.looks_had(load(run)) == {"good/size=8": 4}
    done = bench("--resume", run, "--rows", rows)
    assert done.returncode == 2
    assert done.stderr == "ampersand: --rows: the run has had all of its 3 blocks of launches\n"


@program
def test_a_block_of_solo_launches(tmp_path):
    """One, of the rows that are named; killed and resumed like any other, and no part of what the budget is for."""
    words = [word for word in FAST if word not in ("--solo-launches", "0", "--counts-launches")]
    run, rows = tmp_path / "run", tmp_path / "rows"
    rows.write_text("good/size=8\n")
    done = bench("--out", run, *words, "--counts-launches", 0, "--launches", 2)
    assert done.returncode == 0, done.stderr
    settings = json.loads((run / "manifest.json").read_text())["settings"]
    assert (settings["solo_launches"], settings["solo_looks"], settings["looks"]) == (6, [6, 15], [])

    def solo(size):
        return sorted(int(path.stem) for path in (run / f"solo/default/good/size={size}").glob("*.json"))
    assert bench("--resume", run, "--rows", rows).returncode == 2
    assert bench("--resume", run, "--solo-rows", rows).returncode == 0
    assert (solo(8), solo(16)) == (list(range(15)), list(range(6)))
    assert [(event["kind"], event["launches"], event["rows"]) for event in events(run, "extend")] == [
        ("solo", 15, ["good/size=8"])]
    loaded = load(run)
    assert check(run)[1] == [] and stopping.looks_had(loaded) == {} and stopping.spent_s(loaded) == 0
    assert stopping.looks_had(loaded, stopping.SOLO) == {"good/size=8": 2}
    (run / "solo/default/good/size=8/014.json").unlink()
    assert bench("--resume", run).returncode == 0 and solo(8) == list(range(15))
    done = bench("--resume", run, "--solo-rows", rows)
    assert (done.returncode, done.stderr) == (
        2, "ampersand: --solo-rows: the run has had all of its 1 block of solo launches\n")


@program
def test_a_launch_is_the_same_whoever_asks_for_it(tmp_path):
    run, rows = begun(tmp_path)
    assert bench("--resume", run, "--rows", rows).returncode == 0
    assert bench("--out", tmp_path / "at once", *FAST, "--launches", 4).returncode == 0
    at_once = draws(tmp_path / "at once")
    assert draws(run) == {path: at_once[path] for path in draws(run)} and len(draws(run)) == 6


@program
def test_kill_9_in_a_block_and_resume(tmp_path):
    run, rows = begun(tmp_path, "--launches", "40")
    interrupted = 0
    words = ["--resume", run, "--rows", rows]
    for more in (0, 1, 2, 3, 4, 5):  # results that the kill waits for: without one it may come before the block begins
        parent = subprocess.Popen([BENCH, "paired", *map(str, words)], env=ENVIRONMENT, stderr=subprocess.DEVNULL)
        there = len(numbers(run, 8))
        wait_for(lambda: len(numbers(run, 8)) >= min(there + more, 80), parent)
        parent.kill()
        parent.wait()
        interrupted += 40 < len(numbers(run, 8)) < 80
        if started(run, "extend"):
            words = ["--resume", run]
    kept = {path: path.stat().st_ino for path in run.rglob("*.json")}
    assert bench(*words).returncode == 0
    assert (numbers(run, 8), numbers(run, 16)) == (list(range(80)), list(range(40)))
    assert {path: path.stat().st_ino for path in kept} == kept
    assert interrupted, "none was killed in the middle"
    assert len(events(run, "extend")) == 1 and not list(run.rglob("*.tmp")) and check(run)[1] == []


@program
def test_the_budget_ends_a_block(tmp_path):
    # A launch measures for 64 ms, 4 layouts x 2 rounds x 2 sides x 4 ms: however fast, thirty take longer than a second.
    run, rows = begun(tmp_path, "--launches", "30", "--filter", "^good/size=8", "--budget", "1s", "--epoch-us", "4000")
    before = len(numbers(run, 8))
    done = bench("--resume", run, "--rows", rows)
    assert done.returncode == 0 and "the budget of 1 s for further launches is spent" in done.stderr
    assert before < len(numbers(run, 8)) < 2 * before
    loaded = load(run)
    assert stopping.spent_s(loaded) >= 1
    stopped = {row.row: row.stopped.why for row in summarize(loaded)[0].rows}
    assert stopped["good/size=8"] in ("decided", "precise", "budget")
    again = bench("--resume", run)
    assert again.returncode == 0 and len(events(run, "start")) == len(events(run, "done"))
    more = bench("--resume", run, "--rows", rows)
    assert more.returncode == 2 and "the budget of 1 s for further launches is spent" in more.stderr


REFUSED = {
    "an unknown row": ("good/size=8\nnone/size=8\n", "'none/size=8' is no row of this run"),
    "half a name": ("good\n", "'good' is no row of this run"),
    "an empty line": ("\n", "'' is no row of this run"),
    "an empty file": ("", "names no row"),
    "no file": (None, "No such file or directory"),
}


@program
@pytest.mark.parametrize("case", REFUSED)
def test_rows_are_refused(tmp_path, case):
    run, rows = begun(tmp_path)
    text, said = REFUSED[case]
    rows.unlink() if text is None else rows.write_text(text)
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    done = bench("--resume", run, "--rows", rows)
    assert done.returncode == 2 and said in done.stderr and len(done.stderr.splitlines()) == 1
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


@program
def test_a_run_of_a_fixed_number_has_no_block(tmp_path):
    assert bench("--out", tmp_path / "run", *FAST, "--launches", 2).returncode == 0
    (tmp_path / "rows").write_text("good/size=8\n")
    done = bench("--resume", tmp_path / "run", "--rows", tmp_path / "rows")
    assert done.returncode == 2 and "begun without --precision" in done.stderr


WRONG = [
    ("--precision 0.005", "'0.005' is not a percentage such as 0.5% or 1%, from 0.01% to 50%"),
    ("--precision 0%", "'0%' is not a percentage"), ("--precision 51%", "'51%' is not a percentage"),
    ("--precision 0.00001%", "'0.00001%' is not a percentage"), ("--precision .5%", "'.5%' is not a percentage"),
    ("--precision 1.%", "'1.%' is not a percentage"), ("--precision -1%", "'-1%' is not a percentage"),
    ("--precision 1%%", "'1%%' is not a percentage"), ("--precision 1% --budget 10", "'10' is not a time such as 90s"),
    ("--precision 1% --budget 0s", "'0s' is not a time"), ("--precision 1% --budget 1d", "'1d' is not a time"),
    ("--precision 1% --budget 1m30s", "'1m30s' is not a time"),
    ("--precision 1% --budget 169h", "'169h' is not a time"),
    ("--budget 10m", "--budget: only with --precision"), ("--quick --precision 1%", "--precision: not with --quick"),
    ("--rows x", "--rows: only with --resume"), ("--solo-rows x", "--solo-rows: only with --resume"),
]


@program
@pytest.mark.parametrize("words, said", WRONG, ids=[row[0] for row in WRONG])
def test_wrong_use(tmp_path, words, said):
    done = bench("--out", tmp_path / "run", *words.split())
    assert done.returncode == 2 and said in done.stderr and len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "run").exists()


RIGHT = [("0.5%", "90s", 0.005, 90), ("0.01%", "10m", 0.0001, 600), ("50%", "168h", 0.5, 604800),
         ("0.1234%", "1s", 0.001234, 1), ("1%", None, 0.01, 600)]


@program
@pytest.mark.parametrize("precision, budget, want, seconds", RIGHT)
def test_right_use(tmp_path, precision, budget, want, seconds):
    words = ["--precision", precision] + (["--budget", budget] if budget else [])
    assert bench("--out", tmp_path / "run", *FAST, "--launches", 1, *words).returncode == 0
    settings = json.loads((tmp_path / "run/manifest.json").read_text())["settings"]
    assert (settings["precision"], settings["budget_s"]) == (pytest.approx(want, rel=1e-12), seconds)
