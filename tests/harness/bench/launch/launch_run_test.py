# SPDX-License-Identifier: MIT
"""What a run of launches holds, its plan, its bad rows, and what it says meanwhile."""
import json
import os
import pty
import re
import shutil
import subprocess
import sys

import pytest

from launching import (BENCH, ENVIRONMENT, FAST, GOOD, KINDS, LAUNCHES, PLAN, bench, check_whole, child_of, children_of,
                       is_jemalloc, journal, planned, without_notice)
from places import ROOT
from plots.files.pair_run import load
from plots.verbs.check import check
from plots.words.pair_sentences import summarize
from waiting import HANGS_S


def test_a_run_holds_every_launch(whole):
    run, _ = whole
    check_whole(run)
    assert [line["children"] for line in journal(run, "plan")] == [16]
    assert journal(run)[-1] | {"time": ""} == {"time": "", "event": "end", "status": "complete"}
    checked = subprocess.run([sys.executable, "-m", "plots", "check", run], capture_output=True, text=True,
                             cwd=ROOT)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_time_goes_forwards_and_one_child_runs_at_a_time(whole):
    lines = journal(whole[0])
    assert [line["time"] for line in lines] == sorted(line["time"] for line in lines)
    events = [line["event"] for line in lines]
    assert events == ["plan", *["start", "done"] * 16, "end"]


# The plan

def plan_of(tmp_path, name, *words):
    run = tmp_path / name
    done = bench("--out", run, *FAST, *words)
    assert done.returncode == 0, done.stderr
    order = [child_of(line) for line in journal(run, "start")]
    draws = {}
    for kind, row, launch in order:
        document = json.loads((run / KINDS[kind] / "default" / row / f"{launch:03d}.json").read_text())
        keys = ("seed", "stack_offset_b", "environment_padding_b")
        draws[kind, row, launch] = (document["context"]["layout"] if kind == "solo"
                                    else tuple(document[key] for key in keys))
    return order, draws


def test_the_seed_decides_the_plan(tmp_path):
    one = plan_of(tmp_path, "one", "--filter", "good", "--seed", 1, "--launches", 4, "--solo-launches", 4)
    again = plan_of(tmp_path, "again", "--filter", "good", "--seed", 1, "--launches", 4, "--solo-launches", 4)
    other = plan_of(tmp_path, "other", "--filter", "good", "--seed", 2, "--launches", 4, "--solo-launches", 4)
    assert again == one
    assert sorted(other[0]) == sorted(one[0]) and other[0] != one[0]
    paired = [child for child in one[0] if child[0] == "paired"]
    assert not any(other[1][child] == one[1][child] for child in paired)
    assert one[0] != sorted(one[0]), "the plan is not shuffled"


def test_a_draw_hangs_on_what_is_drawn_for_and_not_on_the_rest_of_the_plan(tmp_path):
    _, few = plan_of(tmp_path, "few", "--filter", "good/size=8", "--seed", 1, "--launches", 2)
    _, many = plan_of(tmp_path, "many", "--filter", "good", "--seed", 1, "--launches", 6)
    assert {child: many[child] for child in few} == few
    paired = [draw for child, draw in many.items() if child[0] == "paired"]
    for i, least in enumerate((12, 10, 10)):  # of 12 launches: seeds differ, the others nearly all
        assert len({draw[i] for draw in paired}) >= least
    assert all(offset % 16 == 0 and 0 <= offset < 65536 and 0 <= padding < 4096 for _, offset, padding in paired)


def test_one_layout_for_all(tmp_path):
    _, draws = plan_of(tmp_path, "run", "--filter", "good/size=8", "--launches", 1, "--solo-launches", 3, "--layout", 2)
    assert [draw for child, draw in draws.items() if child[0] == "solo"] == ["2"] * 3
    launch = json.loads((tmp_path / "run/launches/default/good/size=8/000.json").read_text())
    assert set(launch["blocks"]["value_layout"]) == {2}
    assert json.loads((tmp_path / "run/manifest.json").read_text())["settings"]["layout"] == 2


# Solo launches

def test_solo_launches_go_through_the_layouts(tmp_path):
    """And reach the judgement. What carry_over.c shows on a machine is a timing, and no test's business."""
    run = tmp_path / "run"
    done = bench("--out", run, *FAST, "--filter", "^(carry_over|good)/", "--launches", 2, "--solo-launches", 8,
                 "--counts-launches", 0, "--epoch-us", 20, "--seed", 4)
    assert done.returncode == 0, done.stderr
    orders = []
    for row in ("carry_over/size=8", *GOOD):
        files = sorted((run / "solo/default" / row).glob("*.json"))
        layouts = [int(json.loads(path.read_text())["context"]["layout"]) for path in files]
        assert sorted(layouts[:4]) == sorted(layouts[4:]) == [0, 1, 2, 3], "each once before one comes again"
        orders.append(tuple(layouts))
    assert len(set(orders)) > 1, "every row has the same order"
    rows = {row.row: row.solo for row in summarize(load(run))[0].rows}
    assert {name: one.launches for name, one in rows.items()} == dict.fromkeys(rows, 8) and len(rows) == 3
    assert check(run)[1] == []


# Bad rows

BAD = {  # reason, detail, how often it is tried: a child that says itself what is wrong will say so again
    "crash/size=8": ("signal", "SIGSEGV", 2),
    "hang/size=8": ("timeout", "killed after 2 s", 2),
    "hang_threads/size=8": ("timeout", "killed after 2 s", 2),
    "no_memory/size=16777216": ("memory", "a kernel or a fixture found no memory", 2),
    "disagree/size=8": ("disagreement", "the sides disagree after 1 operations", 1),
}
HANG = ["hang/size=8", "hang_threads/size=8"] if len(os.sched_getaffinity(0)) > 1 else ["hang/size=8"]


def of_rows(rows):
    return f"^({'|'.join(sorted({row.split('/')[0] for row in rows}))})/"


@pytest.fixture(scope="module")
def bad_run(tmp_path_factory):
    if not is_jemalloc():
        pytest.skip("a build with a sanitizer: crashes are its reports there, and memory has no limit")
    run = tmp_path_factory.mktemp("bad") / "run"
    rows = [row for row in [*BAD, *GOOD] if not row.startswith("hang")]
    done = bench("--out", run, *FAST, "--filter", of_rows(rows), "--launches", 5, "--timeout", HANGS_S, "--seed", 3)
    return run, done


@pytest.fixture(scope="module")
def hanging_run(tmp_path_factory):
    """By itself: in two seconds a machine that stalls may not start a good row either."""
    run = tmp_path_factory.mktemp("hanging") / "run"
    return run, bench("--out", run, *FAST, "--filter", of_rows(HANG), "--launches", 5, "--timeout", 2, "--seed", 3)


@pytest.mark.parametrize("row", [row for row in BAD if row in HANG or not row.startswith("hang")])
def test_a_bad_row_is_failed_for_its_reason(row, request):
    run, done = request.getfixturevalue("hanging_run" if row in HANG else "bad_run")
    failures = [line for line in journal(run, "failed") if child_of(line)[1] == row]
    reason, detail, tries = BAD[row]
    assert len(failures) == tries and len({child_of(line) for line in failures}) == 1, "one launch, and no other"
    assert {failure["reason"] for failure in failures} == {reason}
    assert all(failure["detail"].startswith(detail) for failure in failures)
    assert [failure.get("goes_on") for failure in failures] == [True] * (tries - 1) + [None]
    assert done.stderr.count(f"{row}: failed: {reason}") == 1
    assert done.stderr.count(f"{row}: {reason}: ") == tries - 1 == done.stderr.count(row) - 1
    ran = {child_of(line) for line in journal(run, "start") if child_of(line)[1] == row}
    assert len(ran) + failures[-1]["skipped"] == sum(LAUNCHES.values())


def failed_rows(run):
    return {row.name for row in load(run).rows if row.failed}


def test_a_run_goes_on_behind_a_row_that_hangs(hanging_run):
    run, done = hanging_run
    assert done.returncode == 1 and journal(run)[-1]["status"] == "failed"
    assert failed_rows(run) == set(HANG) and not list(run.rglob("*.tmp"))


def test_the_other_rows_of_a_bad_run_are_measured(bad_run):
    run, done = bad_run
    assert done.returncode == 1
    assert journal(run)[-1]["status"] == "failed"
    assert [child for child in planned() if child not in children_of(run)] == []
    assert failed_rows(run) == {row for row in BAD if not row.startswith("hang")}
    assert not list(run.rglob("*.tmp"))


def test_a_failed_row_is_tried_again_by_resume(bad_run, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(bad_run[0], run)
    before = {path: path.stat().st_ino for path in run.rglob("*.json")}
    again = bench("--resume", run)
    assert again.returncode == 1
    assert len(journal(run, "failed")) == 2 * len(journal(bad_run[0], "failed"))
    assert {path: path.stat().st_ino for path in before} == before


# What a pair declares of its allocations

DECLARED = {  # a pair: what is said of it
    "too_many_declared": "pointer: 2 allocations (24 B) an operation declared, 1 (24 B) counted",
    "none_declared": "pointer: 0 allocations (0 B) an operation declared, 1 (24 B) counted",
    "other_bytes_declared": "pointer: 1 allocations (25 B) an operation declared, 1 (24 B) counted",
    "half_made": "pointer: 1 allocations (24 B) an operation declared, 0.5 (12 B) counted",
    "none_made": "pointer: 1 allocations (24 B) an operation declared, 0 (0 B) counted",
    "any_bytes_declared": "pointer: 2 allocations (any B) an operation declared, 1 (24 B) counted",
    "any_allocations_declared": "pointer: any allocations (25 B) an operation declared, 1 (24 B) counted",
    "both_wrong": "value: 0 allocations (0 B) an operation declared, 1 (24 B) counted; pointer: 0 ",
}


@pytest.fixture(scope="module")
def declared_run(tmp_path_factory):
    if not is_jemalloc():
        pytest.skip("a build with a sanitizer: nothing is counted there")
    run = tmp_path_factory.mktemp("declared") / "run"
    return run, bench("--out", run, *FAST, "--filter", f"^(good|{'|'.join(DECLARED)})/", "--launches", 1,
                      "--counts-launches", 1, "--seed", 3)


@pytest.mark.parametrize("pair", DECLARED)
def test_a_pair_is_held_to_the_allocations_that_it_declares(declared_run, pair):
    run, done = declared_run
    failure, = (line for line in journal(run, "failed") if line["pair"] == pair)
    assert (failure["kind"], failure["reason"]) == ("counts", "declaration")
    assert failure["detail"].startswith(DECLARED[pair])
    assert f"{pair}/size=24: failed: declaration: {DECLARED[pair]}" in done.stderr
    assert not list((run / "counts").rglob(f"{pair}/*/*.json"))


def test_wrong_declarations_are_failed_rows(declared_run):
    run, done = declared_run
    assert done.returncode == 1
    assert {row.name for row in load(run).rows if not row.failed} == set(GOOD)


def test_check_tells_of_wrong_declarations(declared_run):
    checked = subprocess.run([sys.executable, "-m", "plots", "check", declared_run[0]], capture_output=True, text=True,
                             cwd=ROOT)
    assert checked.returncode == 1 and len(checked.stderr.splitlines()) == len(DECLARED)
    for pair, said in DECLARED.items():
        assert f"{pair}/size=24: declaration: {said}" in checked.stderr


def test_where_nothing_is_counted_no_declaration_is_held(tmp_path):
    done = bench("--out", tmp_path / "run", *FAST, "--filter", "^none_declared/", "--launches", 1, "--counts-launches",
                 0)
    assert done.returncode == 0, done.stderr


# What a pair declares of its code

CODE = {  # a pair: what is said of it
    "no_copy_declared": "pointer: 0 B copied an operation declared, 96 B in the code",
    "two_copies_declared": "pointer: 192 B copied an operation declared, 96 B in the code",
    "no_call_declared": "pointer: calls of nothing declared, of free in the code",
    "two_calls_declared": "pointer: calls of free*2 declared, of free in the code",
    "not_readable": "pointer: declares calls of 'free()'",
}


def test_a_pair_is_held_to_the_calls_and_copies_that_it_declares(tmp_path):
    if not is_jemalloc():
        pytest.skip("a build with a sanitizer: its code is not read")
    pytest.importorskip("capstone", reason="python3-capstone is not installed")
    run = tmp_path / "run"
    done = bench("--out", run, *FAST, "--filter", f"^(as_declared|nothing_declared|{'|'.join(CODE)})/", "--launches", 1,
                 "--counts-launches", 1)
    assert done.returncode == 1
    failed = {line["pair"]: line for line in journal(run, "failed")}
    assert set(failed) == set(CODE)
    for pair, said in CODE.items():
        assert (failed[pair]["kind"], failed[pair]["reason"]) == ("counts", "declaration")
        assert failed[pair]["detail"].startswith(said), failed[pair]["detail"]
        assert f"{pair}/size=96: failed: declaration: {said}" in done.stderr


# Waiting for a quiet core

@pytest.mark.parametrize("words, waits", [((), True), (("--no-wait",), False)], ids=["waits", "no wait"])
def test_a_run_waits_for_a_quiet_core_unless_told_not_to(words, waits, never_quiet, tmp_path):
    """It waits the three seconds that are there from the beginning, and goes on."""
    run = tmp_path / "run"
    plan = [word for word in PLAN if word != "--no-wait"]
    assert bench("--out", run, *plan, *words).returncode == 0
    assert never_quiet(run)["settings"].get("no_wait") == (None if waits else True)
    again = bench("--resume", run)
    assert again.returncode == 0, again.stderr
    said = re.search(r"(\d+) s went by waiting for a quiet core", again.stderr)
    assert bool(said) == waits and (not said or 3 <= int(said[1])), again.stderr
    assert len(children_of(run)) == 16


# What it says meanwhile

def test_progress_in_a_pipe_is_a_few_plain_lines(tmp_path):
    done = bench("--out", tmp_path / "run", *PLAN, "--launches", "20")
    lines = without_notice(done.stderr).splitlines()
    assert done.stdout == "" and "\r" not in done.stderr and "\033" not in done.stderr
    assert 5 <= len(lines) <= 10 and all(line.startswith("ampersand: ") for line in lines)
    assert lines[-1].startswith("ampersand: 46 of 46 launches")
    assert any("left" in line for line in lines[:-1])


def test_progress_on_a_terminal_is_one_line(tmp_path):
    try:
        here, there = pty.openpty()
    except OSError as error:
        pytest.skip(f"no terminal can be made here: {error}")
    parent = subprocess.Popen([BENCH, "paired", "--out", tmp_path / "run", *PLAN], stderr=there,
                              env={**ENVIRONMENT, "TERM": "xterm"})
    os.close(there)
    said = b""
    while True:
        try:
            said += os.read(here, 4096)
        except OSError:  # the other end is closed
            break
    os.close(here)
    assert parent.wait(timeout=HANGS_S) == 0
    said = without_notice(said.decode())
    assert "\n" not in said and said.endswith("\r\033[K")
    shown = said.split("\r")
    assert len(shown) > 16 and any("15/16" in line and "left" in line for line in shown)
