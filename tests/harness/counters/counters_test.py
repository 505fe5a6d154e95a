# SPDX-License-Identifier: MIT
"""What both sides execute: exact, the same each time, as construction and single stepping say; and every way in which
nobody can count ends in one line. AMPERSAND_BUILD names the build folder."""
import json
import os
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import pytest

from plots.files import counters, pair_run
from waiting import HANGS_S

BUILD = os.environ.get("AMPERSAND_BUILD")
if not BUILD:
    pytest.skip("AMPERSAND_BUILD does not name a build folder", allow_module_level=True)
BENCH = Path(BUILD).resolve() / "harness" / "ampersand-bench"
EVENTS = ["instructions", "loads", "stores", "branches", "branch_misses", "cache_misses"]
ROWS = "^(known_(loads|stores|misses|half)|factory/size=(24|4096)|pass/size=64|thread_start)"
SANITIZED = b"__asan_report_load8" in BENCH.read_bytes()
has_valgrind = pytest.mark.skipif(not shutil.which("valgrind") or SANITIZED, reason="no valgrind, or a build with "
                                  "AddressSanitizer, which cannot run under it")


def bench(*args, **environment):
    return subprocess.run([BENCH, *args], env=os.environ | environment, capture_output=True, text=True, timeout=HANGS_S,
                          check=False)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("counters") / "run"
    done = bench("paired", "--out", folder, "--filter", ROWS, "--launches", "1", "--counts-launches", "0",
                 "--solo-launches", "0", "--rounds", "2", "--layout", "0", "--no-wait")
    assert done.returncode == 0, done.stderr
    return folder


def copy(run, folder):
    shutil.copytree(run, folder, ignore=shutil.ignore_patterns("counters.json"))
    return folder


@pytest.fixture(scope="module")
def counted(run):
    done = bench("counters", run)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return json.loads((run / "counters.json").read_text())


def totals(document, row, side, event):
    [found] = [each for each in document["rows"] if each["row"] == row]
    return Fraction(found[side][event], found["ops"])


@has_valgrind
def test_counts_are_the_same_each_time(run, counted, tmp_path):
    again = copy(run, tmp_path / "a folder with another and longer name")
    assert bench("counters", again, ANOTHER="environment").returncode == 0
    assert json.loads((again / "counters.json").read_text()) == counted


@has_valgrind
@pytest.mark.parametrize("pair, event, value", [  # benchmarks/controls: one of 100 or 1000 steps is this event
    ("known_loads/size=100", "loads", 800), ("known_stores/size=100", "stores", 400),
    ("known_misses/size=100", "loads", 100), ("known_misses/size=100", "cache_misses", 100),
    ("known_half/size=1000", "branches", 1000)])
def test_known_pairs(run, counted, pair, event, value):
    [truth] = [row["truth"] for row in json.loads((run / "manifest.json").read_text())["rows"]
               if pair == f"{row['pair']}/size={row['size']}"]
    assert totals(counted, pair, "value", event) == value
    assert totals(counted, pair, "pointer", event) == value * Fraction(truth)


@has_valgrind
def test_sides(counted):
    copied = totals(counted, "pass/size=64", "value", "stores") - totals(counted, "pass/size=64", "pointer", "stores")
    assert copied == 4  # 64 B in four moves of 16: x86-64's and AArch64's baseline has no wider one
    assert totals(counted, "factory/size=24", "pointer", "instructions") > 60 > totals(
        counted, "factory/size=24", "value", "instructions")


@has_valgrind
def test_rows_that_are_not_counted(run, counted):
    refused = {row["row"]: row["refused"] for row in counted["rows"] if "refused" in row}
    assert set(refused.values()) == {"it starts threads, whose turns differ each time"}
    assert all(name.startswith("thread_start/") for name in refused)


@has_valgrind
def test_read_by_plots(run, counted):
    assert counters.load(run).source == "valgrind"
    assert pair_run.load(run).counters.rows.keys() == {row["row"] for row in counted["rows"]}


@has_valgrind
def test_counted_once(run, counted):
    before = (run / "counters.json").stat().st_mtime_ns
    assert bench("counters", run).returncode == 0
    assert (run / "counters.json").stat().st_mtime_ns == before


def program(folder, text):
    folder.mkdir()
    (folder / "valgrind").write_text(f"#!/bin/sh\n{text}\n")
    (folder / "valgrind").chmod(0o755)
    return folder


@has_valgrind
@pytest.mark.parametrize("valgrind, why", [
    ("echo 'no such tool' >&2; exit 3", "status 3: no such tool"), ("kill -SEGV $$", "SIGSEGV"),
    ("echo '{\"row\": 1'; exit 0", '{"row": 1'), ("echo garbage >0; exit 0", "its process ended before it")])
def test_valgrinds_that_fail(run, tmp_path, valgrind, why):
    folder = copy(run, tmp_path / "run")
    done = bench("counters", folder, PATH=f"{program(tmp_path / 'bin', valgrind)}:{os.environ['PATH']}")
    assert done.returncode == 0
    [line] = done.stderr.splitlines()
    assert line == f"ampersand: counters: instructions, loads, stores, branches and misses of the sides are missing: {why}"
    assert {row["refused"] for row in json.loads((folder / "counters.json").read_text())["rows"]} == {why}
    assert pair_run.load(folder).counters


def test_no_valgrind(run, tmp_path):
    folder = copy(run, tmp_path / "run")
    (tmp_path / "empty").mkdir()
    done = bench("counters", folder, PATH=str(tmp_path / "empty"))
    document = json.loads((folder / "counters.json").read_text())
    if document["source"] == "processor":
        pytest.skip("the processor's counters can be read here")
    [line] = done.stderr.splitlines()
    assert done.returncode == 0 and line.endswith(document["refused"]) and "missing: " in line
    assert document["rows"] == []
    assert bench("counters", folder).returncode == 0  # once more, now that it is there
    assert json.loads((folder / "counters.json").read_text())["rows"] or not shutil.which("valgrind")


@pytest.mark.parametrize("where, why", [("nowhere", "No such file or directory"), (".", "manifest.json: missing")])
def test_no_run(tmp_path, where, why):
    done = bench("counters", tmp_path / where)
    assert done.returncode == 2 and why in done.stderr
