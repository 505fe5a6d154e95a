# SPDX-License-Identifier: MIT
"""--precision: blocks of further launches, kills, budgets, refusals. AMPERSAND_BUILD names the build folder; the rule
by which a row wants more is for stopping_test.py."""
import json
import os
import subprocess
from pathlib import Path

import pytest

from holding import Held
from plots.files.pair_run import load
from plots.stats import stopping
from plots.verbs.check import check
from plots.words.pair_sentences import summarize
from waiting import HANGS_S

BUILD = os.environ.get("AMPERSAND_BUILD")
if not BUILD:
    pytest.skip("AMPERSAND_BUILD does not name a build folder", allow_module_level=True)
BENCH = Path(BUILD).resolve() / "harness" / "ampersand-bench"
ENVIRONMENT = {**os.environ, "AMPERSAND_LESSONS": str(Path(BUILD).resolve() / "tests" / "lessons")}
FAST = "--epoch-us 5 --rounds 2 --solo-launches 0 --counts-launches 0 --filter ^good/ --no-wait --seed 7".split()
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


def numbers(run, size, pair="good"):
    return sorted(int(path.stem) for path in (run / f"launches/default/{pair}/size={size}").glob("*.json"))


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


def test_a_launch_is_the_same_whoever_asks_for_it(tmp_path):
    run, rows = begun(tmp_path)
    assert bench("--resume", run, "--rows", rows).returncode == 0
    assert bench("--out", tmp_path / "at once", *FAST, "--launches", 4).returncode == 0
    at_once = draws(tmp_path / "at once")
    assert draws(run) == {path: at_once[path] for path in draws(run)} and len(draws(run)) == 6


def test_kill_9_in_a_block_and_resume(tmp_path):
    """Within the n-th launch of it, and of what is then left."""
    run, rows = begun(tmp_path, "--launches", "8", "--filter", "^held/")
    rows.write_text("held/size=8\n")
    words, there = ["--resume", run, "--rows", rows], 8
    for n in (1, 3, 2):
        held = Held(tmp_path / f"held{n}", n)
        parent = subprocess.Popen([BENCH, "paired", *map(str, words)], env=ENVIRONMENT | held.environment,
                                  stderr=subprocess.DEVNULL)
        held.wait(parent)
        parent.kill()
        parent.wait()
        there += n - 1
        assert len(numbers(run, 8, "held")) == there and started(run, "extend")
        words = ["--resume", run]
    kept = {path: path.stat().st_ino for path in run.rglob("*.json")}
    assert bench(*words).returncode == 0
    assert (numbers(run, 8, "held"), numbers(run, 16, "held")) == (list(range(16)), list(range(8)))
    assert {path: path.stat().st_ino for path in kept} == kept
    assert len(events(run, "extend")) == 1 and not list(run.rglob("*.tmp")) and check(run)[1] == []


def test_the_budget_ends_a_block(tmp_path):
    # A launch measures for 64 ms, 4 layouts x 2 rounds x 2 sides x 4 ms: however fast, thirty take longer than a
    # second.
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


@pytest.mark.parametrize("case", REFUSED)
def test_rows_are_refused(tmp_path, case):
    run, rows = begun(tmp_path)
    text, said = REFUSED[case]
    rows.unlink() if text is None else rows.write_text(text)
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    done = bench("--resume", run, "--rows", rows)
    assert done.returncode == 2 and said in done.stderr and len(done.stderr.splitlines()) == 1
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


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


@pytest.mark.parametrize("words, said", WRONG, ids=[row[0] for row in WRONG])
def test_wrong_use(tmp_path, words, said):
    done = bench("--out", tmp_path / "run", *words.split())
    assert done.returncode == 2 and said in done.stderr and len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "run").exists()


RIGHT = [("0.5%", "90s", 0.005, 90), ("0.01%", "10m", 0.0001, 600), ("50%", "168h", 0.5, 604800),
         ("0.1234%", "1s", 0.001234, 1), ("1%", None, 0.01, 600)]


@pytest.mark.parametrize("precision, budget, want, seconds", RIGHT)
def test_right_use(tmp_path, precision, budget, want, seconds):
    words = ["--precision", precision] + (["--budget", budget] if budget else [])
    assert bench("--out", tmp_path / "run", *FAST, "--launches", 1, *words).returncode == 0
    settings = json.loads((tmp_path / "run/manifest.json").read_text())["settings"]
    assert (settings["precision"], settings["budget_s"]) == (pytest.approx(want, rel=1e-12), seconds)
