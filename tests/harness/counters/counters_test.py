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


FEW = ("pass/size=64", "known_half/size=1000")  # of two lessons


@pytest.fixture(scope="module")
def few(run, counted, tmp_path_factory):
    """A run of two rows, their counts, and a folder of lessons that keeps nothing yet."""
    folder = copy(run, tmp_path_factory.mktemp("few") / "run")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["rows"] = [row for row in manifest["rows"] if f"{row['pair']}/size={row['size']}" in FEW]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    lessons = folder.parent / "lessons"
    lessons.mkdir()
    names = sorted({row["lesson"] for row in manifest["rows"]})
    for name in names:
        for file in (BENCH.parents[1] / "benchmarks").glob(f"{name}.*"):
            if file.suffix == ".so" or file.name.endswith(".layouts.json"):
                shutil.copy2(file, lessons)
    (lessons / "lessons.txt").write_text("".join(f"{name}\n" for name in names))
    return folder, [row for row in counted["rows"] if row["row"] in FEW], lessons


def count(few, lessons, folder, **environment):
    """Hold what is counted to what was counted first, in a run folder and by lessons that lie elsewhere."""
    shutil.copytree(few[0], folder)
    done = bench("counters", folder, AMPERSAND_LESSONS=str(lessons), **environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads((folder / "counters.json").read_text())["rows"] == few[1]


@has_valgrind
def test_counts_are_the_same_each_time(few, tmp_path):
    lessons = shutil.copytree(few[2], tmp_path / "lessons")
    count(few, lessons, tmp_path / "a folder with another and longer name", ANOTHER="environment")


def reporting(folder, log):
    """PATH with a valgrind in front that writes a line for each process that it counts."""
    wrapper = f"case $1 in --version) ;; *) echo counts >>'{log}' ;; esac\nexec {shutil.which('valgrind')} \"$@\""
    return f"{program(folder, wrapper)}:{os.environ['PATH']}"


def append(file, text):
    with open(file, "a", encoding="utf-8") as out:
        out.write(text)


def elsewhere(folder):
    """VALGRIND_LIB: the same tools in another folder."""
    lib = next((path for path in map(Path, ("/usr/libexec/valgrind", "/usr/lib/x86_64-linux-gnu/valgrind",
                                            "/usr/lib/valgrind")) if path.is_dir()), None)
    if lib is None:
        pytest.skip("nobody knows where valgrind's tools are")
    (folder / "tools").symlink_to(lib)
    return {"VALGRIND_LIB": str(folder / "tools")}


def edit(file, result):
    kept = json.loads(file.read_text())
    kept["results"] = dict.fromkeys(kept["results"], result)
    file.write_text(json.dumps(kept))


KEPT = [  # what changes before the second time; how many processes count then
    ("nothing", lambda lessons, bin_: None, 0),
    ("a lesson's table", lambda lessons, bin_: append(lessons / "pass.layouts.json", "\n"), 1),
    ("valgrind", lambda lessons, bin_: append(bin_ / "valgrind", "# another\n"), 2),
    ("what was kept is damaged", lambda lessons, bin_: (lessons / "pass.counters.json").write_text("{"), 1),
    ("a row that was kept is none", lambda lessons, bin_: edit(lessons / "pass.counters.json", 5), 1),
    ("a row is kept as another", lambda lessons, bin_: edit(lessons / "pass.counters.json", {"row": "pass/size=8"}), 1),
    ("nothing is kept of one", lambda lessons, bin_: (lessons / "known.counters.json").unlink(), 1),
    ("the folder of valgrind's tools", lambda lessons, bin_: elsewhere(lessons), 2),
]


@pytest.fixture(scope="module")
def kept(few, tmp_path_factory):
    folder = tmp_path_factory.mktemp("kept")
    lessons = shutil.copytree(few[2], folder / "lessons")
    path = reporting(folder / "bin", folder / "log")
    count(few, lessons, folder / "run", PATH=path)
    assert len((folder / "log").read_text().splitlines()) == 2
    return folder


@has_valgrind
@pytest.mark.parametrize("change, processes", [one[1:] for one in KEPT], ids=[one[0] for one in KEPT])
def test_counts_are_kept_until_something_changes(few, kept, tmp_path, change, processes):
    lessons, bin_, log = shutil.copytree(kept / "lessons", tmp_path / "lessons"), kept / "bin", kept / "log"
    as_it_was = (bin_ / "valgrind").read_text()
    log.write_text("")
    environment = change(lessons, bin_)
    try:
        count(few, lessons, tmp_path / "run", PATH=f"{bin_}:{os.environ['PATH']}",
              **environment if isinstance(environment, dict) else {})
    finally:
        (bin_ / "valgrind").write_text(as_it_was)
    assert len(log.read_text().splitlines()) == processes


@has_valgrind
def test_a_folder_that_cannot_be_written_keeps_nothing(few, tmp_path):
    lessons = shutil.copytree(few[2], tmp_path / "lessons")
    (lessons / "pass.counters.json").mkdir()  # there even root cannot write
    count(few, lessons, tmp_path / "run")


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
