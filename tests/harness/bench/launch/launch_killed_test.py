# SPDX-License-Identifier: MIT
"""Runs, parents and children that are killed or interrupted: nothing that was finished is lost."""
import json
import os
import shutil
import signal

import pytest

from holding import Held
from launching import (FAST, GROUP, HELD, HELD_PLAN, LAUNCHES, PARENT, PLAN, bench, check_whole, child_of,
                       children_of, each_begins, hanging_child, journal, planned, processes, results, start, started,
                       stop)
from plots.files.pair_run import load
from waiting import HANGS_S, wait_for


# The first before it is a run, then within each of its children, or as the next is started.
MOMENTS = range(20) if os.environ.get("AMPERSAND_HEAVY") else (0, 1, 2, 5, 8, 11, 14, 17, 19)


def test_kill_9_of_the_parent_at_many_moments(whole, tmp_path):
    """Or some time later: where the machine is slow, when it has ended."""
    for i in MOMENTS:
        run = tmp_path / f"run{i}"
        parent = start("--out", run, *PLAN)
        if i > 1:
            wait_for(lambda: started(run, "start" if i % 2 else "done", (i + 1) // 2), parent)
        elif i > 0:
            wait_for(lambda: started(run, "plan"), parent)
        parent.kill()
        parent.communicate()
        before = {path: path.stat().st_ino for path in results(run)}
        if (run / "manifest.json").exists():
            manifest = (run / "manifest.json").read_bytes()
            again = bench("--resume", run)
            assert (run / "manifest.json").read_bytes() == manifest
        else:  # killed before it was a run
            again = bench("--out", run, *PLAN)
        assert again.returncode == 0, (i, again.stderr)
        check_whole(run)
        assert {path: path.stat().st_ino for path in before} == before, "what was finished was measured again"
        a, b = (json.loads((r / "manifest.json").read_text()) for r in (run, whole[0]))
        for manifest in a, b:  # all but what each has measured
            assert manifest["settings"].pop("quiet_ns") > 0
        assert (a["seed"], a["settings"], a["rows"]) == (b["seed"], b["settings"], b["rows"])


@each_begins
@pytest.mark.parametrize("n", [1, 2, 9, 16])
def test_kill_9_of_the_parent_within_a_child(tmp_path, n):
    run, held = tmp_path / "run", Held(tmp_path / "held", n)
    parent = start("--out", run, *HELD_PLAN, held=held)
    held.wait(parent)
    parent.kill()
    parent.communicate()
    before = {path: path.stat().st_ino for path in results(run)}
    assert len(before) == n - 1
    again = bench("--resume", run)
    assert again.returncode == 0, again.stderr
    check_whole(run, names=HELD)
    assert {path: path.stat().st_ino for path in before} == before, "what was finished was measured again"


def test_kill_9_of_one_run_again_and_again(tmp_path):
    run = tmp_path / "run"
    words = ["--out", run, *PLAN]
    for more in (None, 0, 1, 2, 0, 3, 1, 1):  # children that end before the kill; None: it may come before it is a run
        parent = start(*words)
        if more is not None:
            there = len(results(run))
            wait_for(lambda: len(results(run)) >= min(there + more, 16), parent)
        parent.kill()
        parent.communicate()
        if (run / "manifest.json").exists():
            words = ["--resume", run]
    assert bench(*words).returncode == 0
    check_whole(run)


def test_kill_9_of_a_child_twice_fails_its_row(tmp_path):
    parent, first, _ = hanging_child(tmp_path, "hang")
    os.kill(first, signal.SIGKILL)
    second, = wait_for(lambda: [pid for pid in processes(PARENT, parent.pid) if pid != first], parent)
    assert child_of(journal(tmp_path / "run", "start")[0]) == child_of(journal(tmp_path / "run", "start")[1])
    os.kill(second, signal.SIGKILL)
    parent.communicate(timeout=HANGS_S)
    assert parent.returncode == 1
    assert [(line["reason"], line["detail"])
            for line in journal(tmp_path / "run", "failed")] == [("signal", "SIGKILL")] * 2
    wait_for(lambda: not processes(GROUP, first) and not processes(GROUP, second))


def test_kill_9_of_a_child_once_costs_nothing(tmp_path):
    run, held = tmp_path / "run", Held(tmp_path / "held", 3)
    parent = start("--out", run, *HELD_PLAN, held=held)
    held.wait(parent)
    child, = processes(PARENT, parent.pid)
    os.kill(child, signal.SIGKILL)
    _, err = parent.communicate(timeout=HANGS_S)
    assert parent.returncode == 0, err
    check_whole(run, names=HELD)
    assert [line["goes_on"] for line in journal(run, "failed")] == [True]


def test_no_child_survives_its_parent(tmp_path):
    parent, child, _ = hanging_child(tmp_path, "hang")
    rest = processes(GROUP, child)
    parent.kill()
    parent.communicate()
    try:
        wait_for(lambda: child not in processes(GROUP, child))
    finally:
        for pid in set(rest) & set(processes(GROUP, child)):  # what the child itself has started nobody but it can end
            os.kill(pid, signal.SIGKILL)


@each_begins
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_interrupted_keeps_what_was_finished(tmp_path, number):
    run, held = tmp_path / "run", Held(tmp_path / "held", 4)
    parent = start("--out", run, *HELD_PLAN, held=held)
    held.wait(parent)
    parent.send_signal(number)
    _, err = parent.communicate(timeout=HANGS_S)
    assert parent.returncode == 130
    assert f"--resume {run}" in err
    assert journal(run)[-1] | {"time": ""} == {"time": "", "event": "end", "status": "interrupted"}
    kept = children_of(run)
    assert len(kept) == 3 and not list(run.rglob("*.tmp"))
    assert sorted(kept) == sorted(child_of(line) for line in journal(run, "done"))
    assert load(run).journal
    assert bench("--resume", run).returncode == 0
    assert sorted(children_of(run)) == planned(HELD)
    assert journal(run, "resume")[0]["children"] == 13


def test_the_launches_of_a_failed_row_are_not_told_as_finished(tmp_path):
    run = tmp_path / "run"
    parent = start("--out", run, *FAST, "--filter", "^(crash|good)/", "--launches", "1000", "--seed", "7")
    wait_for(lambda: started(run, "failed", 1) and started(run, "done", 3), parent)
    parent.send_signal(signal.SIGINT)
    _, err = parent.communicate(timeout=HANGS_S)
    assert f"interrupted: the {len(children_of(run))} of 3009 launches that were finished are kept" in err


def test_a_cut_last_line_of_the_journal_is_taken_off(whole, tmp_path):
    run = shutil.copytree(whole[0], tmp_path / "run")
    gone = run / "launches/default/good/size=8/002.json"
    gone.unlink()
    for stale in (gone, run / "counts/default/good/size=8/000.json", run / "manifest.json"):
        stale.with_name(stale.name + ".tmp").write_text('{"schema"')
    whole = (run / "journal.jsonl").read_text()
    (run / "journal.jsonl").write_text(whole + '{"time": "2026-01-31T12:00:00.000Z", "event": "sta')
    assert bench("--resume", run).returncode == 0
    assert [line["event"] for line in journal(run)[len(whole.splitlines()):]] == ["resume", "start", "done", "end"]
    assert gone.exists() and not list(run.rglob("*.tmp"))


def test_two_runs_do_not_write_one_folder(tmp_path):
    parent, _, _ = hanging_child(tmp_path, "hang")
    try:
        second = bench("--resume", tmp_path / "run")
    finally:
        stop(parent)
    assert second.returncode == 2
    assert second.stderr.splitlines() == [f"ampersand: {tmp_path / 'run'}: another ampersand is writing this run"]
