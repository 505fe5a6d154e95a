# SPDX-License-Identifier: MIT
"""`profile --rows`: the lines that allocate, of rows whose allocations jemalloc's hooks counted as well; and what ends a
side ends no other. AMPERSAND_BUILD names the build folder."""
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from plots.files import allocated, pair_run
from plots.judge import counters
from plots.program.errors import Refused
from profiled import BUILD, PROFILE, SANITIZED, with_names
from waiting import HANGS_S, is_gone, wait_for

BENCH = Path(BUILD).resolve() / "harness" / "ampersand-bench"
ROWS = ("^(factory/size=(64|4096)|decode/size=4|arena_mixed/size=64|lifetime/size=64|interface/size=16|pass/size=64|"
        "thread_send/size=16)$")
ROOT = Path(__file__).resolve().parents[3]
needs_preload = pytest.mark.skipif(SANITIZED, reason="nothing can be preloaded before AddressSanitizer")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rows") / "run"
    done = subprocess.run([BENCH, "paired", "--out", folder, "--filter", ROWS, "--launches", "1", "--counts-launches",
                           "1", "--solo-launches", "0", "--rounds", "2", "--layout", "0", "--no-wait"],
                          capture_output=True, text=True, timeout=HANGS_S)
    assert done.returncode == 0, done.stderr
    return folder


def record(folder, **environment):
    return subprocess.run([PROFILE, "--rows", folder], capture_output=True, text=True, timeout=HANGS_S,
                          env=os.environ | environment)


@pytest.fixture(scope="module")
def recorded(run):
    done = record(run)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return allocated.load(run)


@needs_preload
@with_names
def test_sums_are_those_that_the_hooks_counted(run, recorded):
    loaded = pair_run.load(run)
    allocating = {row.name: row for row in loaded.rows
                  if any(row.declared[side]["allocs_per_op"] for side in allocated.SIDES)}
    assert recorded.rows.keys() == allocating.keys() and "pass/size=64" not in recorded.rows
    for name, row in allocating.items():
        [counts] = row.counts
        for side in allocated.SIDES:
            samples, counted = recorded.rows[name].sides[side], getattr(counts, side)
            ops = recorded.rows[name].ops
            assert sum(sample.values[1] for sample in samples) * counts.ops == counted["allocs"] * ops, (name, side)
            assert sum(sample.values[0] for sample in samples) * counts.ops == counted["asked_b"] * ops, (name, side)


@needs_preload
@with_names
def test_lines_are_those_that_call_malloc(recorded):
    """In the lessons' sources, the line of a place calls what allocates."""
    calls = re.compile(r"malloc|calloc|realloc|amp_alloc|json_|aligned_alloc|append|reserve|grow")
    seen = 0
    for name in ("factory/size=64", "lifetime/size=64", "arena_mixed/size=64", "interface/size=16"):
        for samples in recorded.rows[name].sides.values():
            for sample in samples:
                place = sample.stack[-1]
                [path] = ROOT.glob(f"benchmarks/*/{place.file}")
                assert calls.search(path.read_text().splitlines()[place.line - 1]), (name, place)
                assert sample.stack[0].function.startswith("run_"), "the kernel is the outermost"
                seen += 1
    assert seen >= 4


@needs_preload
@with_names
def test_summary_names_them(run, recorded):
    found = counters.allocating("factory/size=64", recorded)
    assert found.value == () and [(line.function, line.file, line.bytes_per_op, line.allocs_per_op)
                                  for line in found.pointer] == [("make_pointer_64", "factory.c", 64, 1)]
    assert pair_run.load(run).allocated == recorded


@needs_preload
@with_names
def test_recorded_once(run, recorded):
    before = (run / "allocations.json").stat().st_mtime_ns
    assert record(run).returncode == 0
    assert (run / "allocations.json").stat().st_mtime_ns == before


@needs_preload
@with_names
def test_a_row_that_is_no_more_says_so(run, recorded, tmp_path):
    folder = shutil.copytree(run, tmp_path / "run", ignore=shutil.ignore_patterns("allocations.json"))
    manifest = json.loads((folder / "manifest.json").read_text())
    [row] = [row for row in manifest["rows"] if (row["pair"], row["size"]) == ("factory", 64)]
    row["pair"] = "no_more"
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert record(folder).returncode == 0
    found = allocated.load(folder)
    assert found.rows["no_more/size=64"].refused == "this build has no such row"
    assert {name: row for name, row in found.rows.items() if not row.refused} == {
        name: row for name, row in recorded.rows.items() if name != "factory/size=64"}
    assert counters.allocating("no_more/size=64", found).not_recorded == "this build has no such row"


@needs_preload
@with_names
def test_lessons_that_are_not_there(run, recorded, tmp_path):
    folder = shutil.copytree(run, tmp_path / "run", ignore=shutil.ignore_patterns("allocations.json"))
    done = record(folder, AMPERSAND_LESSONS=str(tmp_path))
    assert done.returncode == 0
    why = "the process that runs the sides ended early"
    assert done.stderr.splitlines()[-1] == f"ampersand: profile: which lines of the sides allocate is missing: {why}"
    found = allocated.load(folder)
    assert found.refused == why and found.rows == {}
    assert record(folder).returncode == 0 and allocated.load(folder).rows == recorded.rows  # once more


@needs_preload
@with_names
def test_names_that_are_not_utf8(run, recorded, tmp_path):
    folder = shutil.copytree(run, tmp_path / "run", ignore=shutil.ignore_patterns("allocations.json"))
    lessons = tmp_path / "lessons"
    lessons.mkdir()
    for file in (BENCH.parents[1] / "benchmarks").iterdir():
        if file.suffix in (".so", ".json", ".txt"):
            (lessons / file.name).symlink_to(file)
    for library in lessons.glob("factory.*.so"):
        data = library.read_bytes()
        assert b"make_pointer_64\0" in data
        library.unlink()
        library.write_bytes(data.replace(b"make_pointer_64\0", b"make_p\xf6inter_64\0"))
    assert record(folder, AMPERSAND_LESSONS=str(lessons)).returncode == 0
    found = allocated.load(folder)

    def places(rows):
        return {name: [(place.function.replace("make_p\ufffdinter", "make_pointer"), place.file, place.line)
                       for samples in row.sides.values() for sample in samples for place in sample.stack]
                for name, row in rows.items()}

    assert "make_p\ufffdinter_64" in {place.function for sample in found.rows["factory/size=64"].sides["pointer"]
                                     for place in sample.stack}
    assert places(found.rows) == places(recorded.rows)


def below(pid):
    """The processes that a process has started."""
    with contextlib.suppress(OSError):  # it has ended
        return [int(found) for found in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


@needs_preload
def test_an_interruption(run, tmp_path):
    """While a side runs, which never ends by itself: no file, so that the next time does it; and no process stays."""
    folder = shutil.copytree(run, tmp_path / "run", ignore=shutil.ignore_patterns("allocations.json"))
    manifest = json.loads((folder / "manifest.json").read_text())
    [row] = [row for row in manifest["rows"] if (row["pair"], row["size"]) == ("factory", 64)]
    row |= {"pair": "hang", "size": 8, "lesson": "hang"}
    (folder / "manifest.json").write_text(json.dumps(manifest | {"rows": [row]}))
    lessons = str(Path(BUILD).resolve() / "tests/lessons")
    with open(tmp_path / "err", "wb") as err:
        started = subprocess.Popen([PROFILE, "--rows", folder], stderr=err, start_new_session=True,
                                   env=os.environ | {"AMPERSAND_LESSONS": lessons})
    try:
        [parent] = wait_for(lambda: below(started.pid), started)
        side = wait_for(lambda: [side for side in below(parent) if below(side)], started)[0]  # the one that hangs forks
        forked = below(side)
        started.terminate()
        assert started.wait(timeout=HANGS_S) == 130
        assert forked
        wait_for(lambda: all(is_gone(pid) for pid in [side, *forked]))
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(started.pid, signal.SIGKILL)
    told = (tmp_path / "err").read_text()
    assert told == "ampersand: profile: which lines of the sides allocate is missing: interrupted\n"
    assert not (folder / "allocations.json").exists()


@pytest.mark.skipif(not SANITIZED, reason="only with AddressSanitizer")
def test_a_build_that_nothing_can_be_preloaded_into(run):
    assert record(run).returncode == 0
    assert allocated.load(run).refused and pair_run.load(run).allocated.rows == {}


@pytest.mark.parametrize("where, why", [("nowhere", "No such file or directory"), (".", "manifest.json: missing")])
def test_no_run(tmp_path, where, why):
    done = record(tmp_path / where)
    assert done.returncode == 2 and why in done.stderr and done.stderr.count("\n") == 1


def test_wrong_use(tmp_path):
    done = subprocess.run([PROFILE, "--rows", tmp_path, "row"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (2, "ampersand: row: --rows takes a run and nothing else\n")


GOOD = {"schema": "ampersand/allocations/1", "refused": None, "frames": [["f", "f.c", 1]],
        "rows": [{"row": "a/size=1", "ops": 2, "value": [], "pointer": [{"allocs": 3, "bytes": 6, "stack": [0]}]}]}
BAD = [("a frame that is not there", lambda one: one["rows"][0]["pointer"][0]["stack"].append(1), "frame 1 of 1"),
       ("no stack", lambda one: one["rows"][0]["pointer"][0]["stack"].clear(), "stack"),
       ("a row twice refused", lambda one: one["rows"][0].update(refused="why"), "rows"),
       ("another version", lambda one: one.update(schema="ampersand/allocations/2"), "schema")]


@pytest.mark.parametrize("change, says", [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_files_that_are_wrong(change, says, tmp_path):
    document = json.loads(json.dumps(GOOD))
    (tmp_path / "allocations.json").write_text(json.dumps(document))
    [sample] = allocated.load(tmp_path).rows["a/size=1"].sides["pointer"]
    assert sample.values == (6, 3) and sample.stack[-1].function == "f"
    change(document)
    (tmp_path / "allocations.json").write_text(json.dumps(document))
    with pytest.raises(Refused, match=says):
        allocated.load(tmp_path)
