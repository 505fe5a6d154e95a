# SPDX-License-Identifier: MIT
"""Disks that fill up, and what --out and --resume refuse."""
import json
import os
import shutil
import subprocess

import pytest

from holding import Held
from launching import (HELD, HELD_PLAN, PLAN, bench, check_whole, children_of, each_begins, journal, planned, start,
                       without_notice)
from plots.files.pair_run import load
from waiting import HANGS_S


@pytest.fixture
def disk(tmp_path):
    """A small file system of its own, as a function of its size."""
    mounted = []

    def mount(size, *options):
        point = tmp_path / "disk"
        point.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", point]
        made = subprocess.run(command, capture_output=True, text=True)
        if made.returncode:
            pytest.skip(f"a small file system cannot be mounted: {made.stderr.strip()}")
        mounted.append(point)
        return point
    yield mount
    for point in mounted:
        subprocess.run(["umount", point], check=True)


# Disks

def test_too_little_room_is_said_before_measuring(disk):
    run = disk("64k") / "run"
    done = bench("--out", run, *PLAN)
    assert done.returncode == 2
    assert "MB are free" in done.stderr and len(done.stderr.splitlines()) == 1
    assert not run.exists()


@each_begins
def test_a_disk_that_fills_up(disk, tmp_path):
    point, held = disk("24m"), Held(tmp_path / "held", 4)
    run = point / "run"
    parent = start("--out", run, *HELD_PLAN, held=held)
    held.wait(parent)
    with open(point / "ballast", "wb") as ballast:  # until not a page is left
        while True:
            try:
                os.write(ballast.fileno(), bytes(4096))
            except OSError:
                break
    held.let_go()
    _, err = parent.communicate(timeout=HANGS_S)
    assert parent.returncode == 2, err
    assert "No space left on device" in err and f"--resume {run}" in err
    kept = children_of(run)
    assert len(kept) == 3 and not list(run.rglob("*.tmp"))
    assert (run / "journal.jsonl").read_text().endswith("\n") and load(run).journal
    assert not journal(run, "failed"), "a full disk is no row's fault"

    again = bench("--resume", run)
    assert again.returncode == 2 and "No space left on device" in again.stderr
    (point / "ballast").unlink()
    again = bench("--resume", run)
    assert again.returncode == 0, again.stderr
    assert sorted(children_of(run)) == planned(HELD)


def test_a_read_only_disk(disk):
    point = disk("24m")
    assert bench("--out", point / "old", *PLAN).returncode == 0
    (point / "old/launches/default/good/size=8/001.json").unlink()
    subprocess.run(["mount", "-o", "remount,ro", point], check=True)
    for words in (["--out", point / "new", *PLAN], ["--resume", point / "old"]):
        done = bench(*words)
        assert done.returncode == 2
        said = without_notice(done.stderr)
        assert "Read-only file system" in said and len(said.splitlines()) == 1
        assert not (point / "new").exists()


# What is refused

def edit_manifest(run, change):
    manifest = json.loads((run / "manifest.json").read_text())
    change(manifest)
    (run / "manifest.json").write_text(json.dumps(manifest))


REFUSED = {  # what is done to a run, and a part of what is then said to --resume
    "no manifest": (lambda run: (run / "manifest.json").unlink(), "no run to go on with"),
    "a cut manifest": (lambda run: os.truncate(run / "manifest.json", 500), "manifest.json: line 1"),
    "an empty manifest": (lambda run: os.truncate(run / "manifest.json", 0), "manifest.json: line 1"),
    "a newer schema": (lambda run: edit_manifest(run, lambda m: m.update(schema="ampersand/run/9")),
                       "schema 'ampersand/run/9'"),
    "another kind of file": (lambda run: edit_manifest(run, lambda m: m.pop("schema")), "schema 'none'"),
    "no settings": (lambda run: edit_manifest(run, lambda m: m.pop("settings")), "settings"),
    "a setting that makes no sense": (lambda run: edit_manifest(run, lambda m: m["settings"].update(launches=-1)),
                                      "out of its range"),
    "no rows": (lambda run: edit_manifest(run, lambda m: m.update(rows=[])), "no rows"),
    "a row that is not built": (lambda run: edit_manifest(run, lambda m: m["rows"][0].update(pair="gone")),
                                "no row gone/size=8"),
    "another compiler": (lambda run: edit_manifest(run, lambda m: m["build"].update(compiler="tcc 1")), "the build"),
    "a pipe for a manifest": (lambda run: ((run / "manifest.json").unlink(), os.mkfifo(run / "manifest.json")),
                              "not a file"),
    "a pipe for a journal": (lambda run: ((run / "journal.jsonl").unlink(), os.mkfifo(run / "journal.jsonl")),
                             "not a file"),
    "another seed": (lambda run: edit_manifest(run, lambda m: m.update(seed=m["seed"] + 1)),
                     "changed since the run began"),
    "another threshold": (lambda run: edit_manifest(run, lambda m: m["settings"].update(threshold=0.5)),
                          "changed since the run began"),
    "other code": (lambda run: edit_manifest(run, lambda m: m["build"]["modules_crc32"].update(good=1)), "the build"),
    "another machine": (lambda run: edit_manifest(run, lambda m: m["machine"].update(cpu="Z80")), "the CPU"),
    "other allocator options": (lambda run: edit_manifest(run, lambda m: m["allocator"]["options"].clear()
                                                          or m["allocator"].update(version="1")), "the allocator"),
    "other layouts": (lambda run: edit_manifest(run, lambda m: m["layouts"]["good"].update(seed=99)), "modules"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_resume_refuses(finished, case):
    run = finished
    change, words = REFUSED[case]
    change(run)
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    done = bench("--resume", run)
    assert done.returncode == 2, done.stderr
    assert words in done.stderr and str(run) in done.stderr and len(done.stderr.splitlines()) == 1
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


def test_out_refuses_what_is_there(finished, tmp_path):
    run = finished
    (tmp_path / "file").write_text("mine")
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis/thesis.tex").write_text("mine")
    for where, words in ((run, f"--resume {run}"), (tmp_path / "file", "file is in the way"),
                         (tmp_path / "file/run", "file is in the way"), (tmp_path / "thesis", "not a run")):
        before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
        done = bench("--out", where, *PLAN)
        assert done.returncode == 2
        assert words in done.stderr and len(done.stderr.splitlines()) == 1
        assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_resume_of_a_finished_run_does_nothing(whole, tmp_path):
    run = shutil.copytree(whole[0], tmp_path / "run")
    before = {path: path.stat().st_ino for path in run.rglob("*.json")}
    assert bench("--resume", run).returncode == 0
    assert [line["event"] for line in journal(run)[-2:]] == ["resume", "end"]
    assert {path: path.stat().st_ino for path in run.rglob("*.json")} == before
    check_whole(run)
