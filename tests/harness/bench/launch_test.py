# SPDX-License-Identifier: MIT
"""The launch loop, end to end: what is killed, full, locked or bad, and what a run folder holds after it.

AMPERSAND_BUILD names the build folder; the lessons are those of tests/lessons, one good and the others bad, each in
its own way. Oracles: the plan counted by hand, plots.files.pair_run (which reads strictly and knows nothing of C), /proc."""
import collections
import json
import os
import pty
import re
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from places import ROOT
from plots.files.pair_run import load
from waiting import HANGS_S, wait_for

BUILD = os.environ.get("AMPERSAND_BUILD")
if not BUILD:
    pytest.skip("AMPERSAND_BUILD does not name a build folder", allow_module_level=True)
BENCH = Path(BUILD).resolve() / "harness" / "ampersand-bench"
LESSONS = Path(BUILD).resolve() / "tests" / "lessons"
ENVIRONMENT = {**os.environ, "AMPERSAND_LESSONS": str(LESSONS)}
FAST = "--epoch-us 5 --rounds 2 --solo-launches 1 --no-wait".split()
KINDS = {"paired": "launches", "counts": "counts", "solo": "solo"}
GOOD = ["good/size=8", "good/size=16"]
LAUNCHES = {"paired": 5, "counts": 2, "solo": 1}
PLAN = [*FAST, "--filter", "^good/", "--seed", "7", "--launches", "5"]


def without_notice(said):
    """What is said but for the line that nothing is counted, as in a build with a sanitizer."""
    return re.sub(r"ampersand: allocations: they are not counted: [^\r\n]*\r?\n", "", said)


def bench(*words, **how):
    return subprocess.run([BENCH, "paired", *map(str, words)], env=ENVIRONMENT, capture_output=True, text=True,
                          timeout=HANGS_S, **how)


def start(*words, **how):
    return subprocess.Popen([BENCH, "paired", *map(str, words)], env=ENVIRONMENT, stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE, text=True, **how)


def journal(run, event=None):
    lines = [json.loads(line) for line in (run / "journal.jsonl").read_text().splitlines()]
    return [line for line in lines if event in (None, line["event"])]


def child_of(line):
    return line["kind"], f"{line['pair']}/size={line['size']}", line["launch"]


def results(run):
    return [path for folder in KINDS.values() for path in (run / folder).rglob("*.json")]


def children_of(run):
    """The files that are there, as the journal names children; each is read, and knows its own place."""
    found = []
    for kind, folder in KINDS.items():
        for path in sorted((run / folder).glob("default/*/size=*/*.json")):
            row = f"{path.parent.parent.name}/{path.parent.name}"
            document = json.loads(path.read_text())
            if kind != "solo":
                assert (document["pair"], document["size"]) == (row.split("/")[0], int(row.split("=")[1])), path
                assert document["launch"] == int(path.stem), path
            else:
                assert [b["name"] for b in document["benchmarks"]] == [f"{row}/side={s}" for s in ("value", "pointer")]
            found.append((kind, row, int(path.stem)))
    return found


def planned(rows=GOOD, launches=LAUNCHES):
    return sorted((kind, row, i) for kind, n in launches.items() for row in rows for i in range(n))


def check_whole(run, launches=LAUNCHES):
    """Every row, none twice, none half, and a reader that trusts nothing reads all of it."""
    assert sorted(children_of(run)) == planned(launches=launches)
    done = collections.Counter(child_of(line) for line in journal(run, "done"))
    assert not {child: n for child, n in done.items() if n > 1}
    assert not list(run.rglob("*.tmp"))
    rows = {row.name: row for row in load(run).rows}
    assert list(rows) == GOOD
    for row in rows.values():
        assert (len(row.launches), len(row.counts), len(row.solo)) == tuple(launches.values())
        assert row.failed is None


def started(run, event="start", n=1):
    """That many lines of this event are in the journal; its last line may be cut while it is written."""
    try:
        return (run / "journal.jsonl").read_text().count(f'"event": "{event}"') >= n
    except FileNotFoundError:
        return False


PARENT, GROUP = 1, 2  # fields of /proc/PID/stat behind the name


def processes(field, wanted):
    """The processes, not dead, in whose /proc/PID/stat the field is the wanted one."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):  # glob() would look at what has ended meanwhile
        try:
            pid, _, rest = Path("/proc", name, "stat").read_text().partition(" (")
        except (FileNotFoundError, ProcessLookupError):
            continue
        fields = rest.rpartition(") ")[2].split()
        if int(fields[field]) == wanted and fields[0] not in "ZX":
            found.append(int(pid))
    return found


def is_jemalloc():
    facts = json.loads(subprocess.run([BENCH, "machine"], capture_output=True, text=True, check=True).stdout)
    return facts["allocator"]["name"] == "jemalloc"


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


# What a run holds

def test_a_run_holds_every_launch(tmp_path):
    run = tmp_path / "run"
    done = bench("--out", run, *PLAN)
    assert done.returncode == 0, done.stderr
    check_whole(run)
    assert [line["children"] for line in journal(run, "plan")] == [16]
    assert journal(run)[-1] | {"time": ""} == {"time": "", "event": "end", "status": "complete"}
    checked = subprocess.run([sys.executable, "-m", "plots", "check", run], capture_output=True, text=True,
                             cwd=ROOT)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_time_goes_forwards_and_one_child_runs_at_a_time(tmp_path):
    bench("--out", tmp_path / "run", *PLAN)
    lines = journal(tmp_path / "run")
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


# Bad rows

BAD = {  # reason, detail, how often it is tried: a child that says itself what is wrong will say so again
    "crash/size=8": ("signal", "SIGSEGV", 2),  # five seconds: the others end in time on a machine that is twenty times as slow
    "hang/size=8": ("timeout", "killed after 5 s", 2),
    "hang_threads/size=8": ("timeout", "killed after 5 s", 2),
    "no_memory/size=16777216": ("memory", "a kernel or a fixture found no memory", 2),
    "disagree/size=8": ("disagreement", "the sides disagree after 1 operations", 1),
}


BAD_OR_GOOD = f"^({'|'.join(sorted({row.split('/')[0] for row in [*BAD, *GOOD]}))})/"


@pytest.fixture(scope="module")
def bad_run(tmp_path_factory):
    if not is_jemalloc():
        pytest.skip("a build with a sanitizer: crashes are its reports there, and memory has no limit")
    run = tmp_path_factory.mktemp("bad") / "run"
    done = bench("--out", run, *FAST, "--filter", BAD_OR_GOOD, "--launches", 5, "--timeout", 5, "--seed", 3)
    return run, done


@pytest.mark.parametrize("row", BAD)
def test_a_bad_row_is_failed_for_its_reason(bad_run, row):
    run, done = bad_run
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


def test_the_other_rows_of_a_bad_run_are_measured(bad_run):
    run, done = bad_run
    assert done.returncode == 1
    assert journal(run)[-1]["status"] == "failed"
    assert [child for child in planned() if child not in children_of(run)] == []
    failed = {row.name: row.failed for row in load(run).rows}
    assert {name for name, why in failed.items() if why} == set(BAD)
    assert not list(run.rglob("*.tmp"))


def test_a_failed_row_is_tried_again_by_resume(bad_run, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(bad_run[0], run)
    before = {path: path.stat().st_ino for path in run.rglob("*.json")}
    again = bench("--resume", run)
    assert again.returncode == 1
    assert len(journal(run, "failed")) == 2 * sum(tries for _, _, tries in BAD.values())
    assert {path: path.stat().st_ino for path in before} == before


# What a pair declares of its allocations

DECLARED = {  # a pair: what is said of it
    "too_many_declared": "pointer: 2 allocations (24 B) an operation declared, 1 (24 B) counted",
    "none_declared": "pointer: 0 allocations (0 B) an operation declared, 1 (24 B) counted",
    "other_bytes_declared": "pointer: 1 allocations (25 B) an operation declared, 1 (24 B) counted",
    "half_made": "pointer: 1 allocations (24 B) an operation declared, 0.5 (12 B) counted",
    "none_made": "pointer: 1 allocations (24 B) an operation declared, 0 (0 B) counted",
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
    done = bench("--out", tmp_path / "run", *FAST, "--filter", "^none_declared/", "--launches", 1, "--counts-launches", 0)
    assert done.returncode == 0, done.stderr


# One build a run

@pytest.fixture
def own_lessons(tmp_path):
    """A copy of the lessons, which a test may spoil."""
    folder = tmp_path / "lessons"
    folder.mkdir()
    (folder / "lessons.txt").write_text("good\ncarry_over\n")
    for lesson in "good", "carry_over":
        for path in LESSONS.glob(f"{lesson}.*"):
            shutil.copy(path, folder)
    return folder


def bench_own(lessons, out, *words):
    return subprocess.run([BENCH, "paired", "--out", out, *FAST, "--filter", "^good/size=8$", "--seed", "7", *words],
                          env={**ENVIRONMENT, "AMPERSAND_LESSONS": str(lessons)}, capture_output=True, text=True, timeout=HANGS_S)


@pytest.mark.parametrize("name, file, kinds", [
    ("the second module", "good.01.so", {"paired"}), ("the last module", "good.03.so", {"paired"}),
    ("the first module", "good.00.so", {"paired", "counts", "solo"})])
def test_a_module_of_another_lesson_is_refused(own_lessons, tmp_path, name, file, kinds):
    other = own_lessons / file.replace("good", "carry_over")
    if file == "good.00.so":  # where the pairs are read from, so it must have them: of another placement, then
        other = own_lessons / "good.02.so"
    shutil.copy(other, own_lessons / file)
    done = bench_own(own_lessons, tmp_path / "run", "--launches", "1")
    assert done.returncode == 1
    failure, = journal(tmp_path / "run", "failed")
    assert failure["kind"] in kinds and f"{file} is not the module that good.layouts.json tells of" in failure["detail"]
    assert not any(kind in kinds for kind, *_ in children_of(tmp_path / "run"))


def test_a_lone_side_of_another_module_is_refused(own_lessons):
    shutil.copy(own_lessons / "good.02.so", own_lessons / "good.00.so")
    done = subprocess.run([BENCH, "--benchmark_filter=^good/", "--benchmark_format=json"], capture_output=True, text=True,
                          env={**ENVIRONMENT, "AMPERSAND_LESSONS": str(own_lessons)})
    rows = json.loads(done.stdout)["benchmarks"]
    assert done.returncode == 1 and len(rows) == 4
    assert all("good.00.so is not the module" in row["error_message"] for row in rows)


def test_a_table_without_build_ids_holds_no_module(own_lessons, tmp_path):
    table = json.loads((own_lessons / "good.layouts.json").read_text())
    del table["build_ids"]
    (own_lessons / "good.layouts.json").write_text(json.dumps(table))
    shutil.copy(own_lessons / "good.02.so", own_lessons / "good.01.so")
    assert bench_own(own_lessons, tmp_path / "run", "--launches", "1").returncode == 0


@pytest.mark.parametrize("what", ["another table", "no table"])
def test_a_lesson_that_is_built_anew_stops_the_run(own_lessons, tmp_path, what):
    """What was finished stays, and is sound; nothing of the other build comes into it."""
    table, out = own_lessons / "good.layouts.json", tmp_path / "run"
    run = subprocess.Popen([BENCH, "paired", "--out", out, *FAST, "--filter", "^good/size=8$", "--seed", "7", "--launches",
                            "1000"], env={**ENVIRONMENT, "AMPERSAND_LESSONS": str(own_lessons)}, text=True,
                           stderr=subprocess.PIPE)
    wait_for(lambda: started(out, "done", 3), run)
    if what == "no table":
        table.unlink()
    else:
        table.with_suffix(".new").write_text(table.read_text().replace('"seed": 1', '"seed": 2'))
        table.with_suffix(".new").rename(table)
    said = run.communicate(timeout=HANGS_S)[1]
    assert run.returncode == 2
    assert "stopped: good was built anew while the run measured it" in said and "Traceback" not in said
    assert sorted(children_of(out)) == sorted(child_of(line) for line in journal(out, "done"))
    assert not journal(out, "failed") and not journal(out, "end")
    assert len(load(out).rows) == 1


# A child's process

def limits_of(pid):
    lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
    return {line[:25].strip(): line[26:46].strip() for line in lines}


def status_of(pid, key):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(line.split(":", 1)[1].strip() for line in lines if line.startswith(f"{key}:"))


def environment_of(pid):
    raw = Path(f"/proc/{pid}/environ").read_bytes().decode()
    return dict(variable.split("=", 1) for variable in raw.split("\0") if "=" in variable)


def allow_core_files():
    """So that it is the launch loop that forbids them."""
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))


def command_of(pid):
    return [word.decode() for word in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")]


def hanging_child(tmp_path, row, before=(), solo=()):
    """A run whose child is in the kernel that never ends: the run's process, the child's pid, and its task unless it is
    a solo child."""
    parent = subprocess.Popen([*before, BENCH, "paired", "--out", tmp_path / "run", *FAST, "--filter", f"^{row}/",
                               "--launches", "1", "--counts-launches", "0", "--solo-launches", *(solo or "0"),
                               "--timeout", str(HANGS_S), "--memory-limit", "7G"],
                              env={**ENVIRONMENT, "AMPERSAND_PADDING": "outer"}, stderr=subprocess.PIPE,
                              stdout=subprocess.DEVNULL, stdin=subprocess.PIPE, text=True, preexec_fn=allow_core_files)
    child = wait_for(lambda: processes(PARENT, parent.pid), parent)[0]
    wait_for(lambda: processes(PARENT, child), parent)  # it has started one of its own: it hangs
    return parent, child, None if solo else json.loads(command_of(child)[2])


def stop(parent):
    parent.send_signal(signal.SIGINT)
    _, err = parent.communicate(timeout=HANGS_S)
    return err


def test_a_child_is_a_fresh_process_of_its_own(tmp_path):
    parent, child, task = hanging_child(tmp_path, "hang")
    try:
        environment = environment_of(child)
        assert environment["AMPERSAND_PADDING"] == "x" * task["environment_padding_b"]
        assert environment["PATH"] == os.environ["PATH"]
        assert os.readlink(f"/proc/{child}/fd/0") == "/dev/null"
        assert os.readlink(f"/proc/{child}/fd/1") == os.readlink(f"/proc/{child}/fd/2")
        assert os.getpgid(child) == child
        assert int(Path(f"/proc/{child}/personality").read_text(), 16) & 0x0040000 == 0
        assert status_of(child, "SigBlk") == status_of("self", "SigBlk")
        limits = limits_of(child)
        assert limits["Max core file size"] == "0"
        if is_jemalloc():
            assert limits["Max address space"] == str(7 << 30)
        cpus = os.sched_getaffinity(0)
        if len(cpus) > 1:
            assert os.sched_getaffinity(child) == {task["cpu"]} == {max(cpus)}
            assert os.sched_getaffinity(parent.pid) == {min(cpus)}
        else:
            assert task["cpu"] == -1
    finally:
        stop(parent)
    wait_for(lambda: not processes(GROUP, child))


def test_a_pair_with_threads_may_use_every_cpu(tmp_path):
    parent, child, task = hanging_child(tmp_path, "hang_threads")
    try:
        assert task["cpu"] == -1
        assert os.sched_getaffinity(child) == os.sched_getaffinity(0)
    finally:
        stop(parent)


def test_aslr_is_on_for_children_where_it_was_off_for_us(tmp_path):
    if not shutil.which("setarch"):
        pytest.skip("there is no setarch")
    parent, child, _ = hanging_child(tmp_path, "hang", before=["setarch", "-R"])
    try:
        assert int(Path(f"/proc/{parent.pid}/personality").read_text(), 16) & 0x0040000
        assert int(Path(f"/proc/{child}/personality").read_text(), 16) & 0x0040000 == 0
    finally:
        err = stop(parent)
    assert err.count("ASLR") == 1


def test_solo_children_are_pinned_too(tmp_path):
    cpus = os.sched_getaffinity(0)
    if len(cpus) < 2:
        pytest.skip("there is only one CPU")
    parent, child, _ = hanging_child(tmp_path, "hang", solo=["20", "--seed", "1"])  # which begins with one of these
    try:
        assert any(word.startswith("--benchmark_out=") for word in command_of(child)), "a solo child"
        assert os.sched_getaffinity(child) == {max(cpus)}
    finally:
        stop(parent)


# Killed

def test_kill_9_of_the_parent_at_20_moments(tmp_path):
    assert bench("--out", tmp_path / "whole", *PLAN).returncode == 0
    interrupted = 0
    for i in range(20):
        run = tmp_path / f"run{i}"
        parent = start("--out", run, *PLAN)
        if i > 1:  # the first before it is a run, then within each of its children, or as the next is started
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
        interrupted += 0 < len(before) < 16
        a, b = (json.loads((r / "manifest.json").read_text()) for r in (run, tmp_path / "whole"))
        for manifest in a, b:  # all but what each has measured
            assert manifest["settings"].pop("quiet_ns") > 0
        assert (a["seed"], a["settings"], a["rows"]) == (b["seed"], b["settings"], b["rows"])
    assert interrupted >= 5, "too few were killed in the middle"


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
    assert [(line["reason"], line["detail"]) for line in journal(tmp_path / "run", "failed")] == [("signal", "SIGKILL")] * 2
    assert not processes(GROUP, first) and not processes(GROUP, second)


def test_kill_9_of_a_child_once_costs_nothing(tmp_path):
    run = tmp_path / "run"
    parent = start("--out", run, *PLAN, "--launches", "60")
    killed = None
    while killed is None and parent.poll() is None:
        for child in processes(PARENT, parent.pid):
            try:
                os.kill(child, signal.SIGKILL)
                killed = child
                break
            except ProcessLookupError:
                continue
    parent.communicate(timeout=HANGS_S)
    assert killed and parent.returncode == 0
    check_whole(run, LAUNCHES | {"paired": 60})
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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_interrupted_keeps_what_was_finished(tmp_path, number):
    run = tmp_path / "run"
    parent = start("--out", run, *PLAN, "--launches", "40")
    wait_for(lambda: started(run, "done", 3))
    parent.send_signal(number)
    _, err = parent.communicate(timeout=HANGS_S)
    assert parent.returncode == 130
    assert f"--resume {run}" in err
    assert journal(run)[-1] | {"time": ""} == {"time": "", "event": "end", "status": "interrupted"}
    kept = children_of(run)
    assert 3 <= len(kept) < 86 and not list(run.rglob("*.tmp"))
    assert sorted(kept) == sorted(child_of(line) for line in journal(run, "done"))
    assert load(run).journal
    assert bench("--resume", run).returncode == 0
    assert sorted(children_of(run)) == planned(launches=LAUNCHES | {"paired": 40})
    assert journal(run, "resume")[0]["children"] == 86 - len(kept)


def test_the_launches_of_a_failed_row_are_not_told_as_finished(tmp_path):
    run = tmp_path / "run"
    parent = start("--out", run, *FAST, "--filter", "^(crash|good)/", "--launches", "400", "--seed", "7")
    wait_for(lambda: started(run, "failed", 1) and started(run, "done", 3))
    parent.send_signal(signal.SIGINT)
    _, err = parent.communicate(timeout=HANGS_S)
    assert f"interrupted: the {len(children_of(run))} of 1209 launches that were finished are kept" in err


def test_a_cut_last_line_of_the_journal_is_taken_off(tmp_path):
    run = tmp_path / "run"
    assert bench("--out", run, *PLAN).returncode == 0
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


# Disks

def test_too_little_room_is_said_before_measuring(disk):
    run = disk("64k") / "run"
    done = bench("--out", run, *PLAN)
    assert done.returncode == 2
    assert "MB are free" in done.stderr and len(done.stderr.splitlines()) == 1
    assert not run.exists()


def test_a_disk_that_fills_up(disk):
    point = disk("24m")
    run = point / "run"
    parent = start("--out", run, *PLAN, "--launches", "60")
    wait_for(lambda: started(run, "done", 3))
    with open(point / "ballast", "wb") as ballast:  # until not a page is left
        while True:
            try:
                os.write(ballast.fileno(), bytes(4096))
            except OSError:
                break
    _, err = parent.communicate(timeout=HANGS_S)
    assert parent.returncode == 2, err
    assert "No space left on device" in err and f"--resume {run}" in err
    kept = children_of(run)
    assert 3 <= len(kept) < 126 and not list(run.rglob("*.tmp"))
    assert (run / "journal.jsonl").read_text().endswith("\n") and load(run).journal
    assert not journal(run, "failed"), "a full disk is no row's fault"

    again = bench("--resume", run)
    assert again.returncode == 2 and "No space left on device" in again.stderr
    (point / "ballast").unlink()
    again = bench("--resume", run)
    assert again.returncode == 0, again.stderr
    assert sorted(children_of(run)) == planned(launches=LAUNCHES | {"paired": 60})


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

def finished(tmp_path):
    run = tmp_path / "run"
    assert bench("--out", run, *PLAN).returncode == 0
    (run / "launches/default/good/size=8/001.json").unlink()
    return run


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
    "a pipe for a manifest": (lambda run: ((run / "manifest.json").unlink(), os.mkfifo(run / "manifest.json")), "not a file"),
    "a pipe for a journal": (lambda run: ((run / "journal.jsonl").unlink(), os.mkfifo(run / "journal.jsonl")), "not a file"),
    "another seed": (lambda run: edit_manifest(run, lambda m: m.update(seed=m["seed"] + 1)), "changed since the run began"),
    "another threshold": (lambda run: edit_manifest(run, lambda m: m["settings"].update(threshold=0.5)),
                          "changed since the run began"),
    "other code": (lambda run: edit_manifest(run, lambda m: m["build"]["modules_crc32"].update(good=1)), "the build"),
    "another machine": (lambda run: edit_manifest(run, lambda m: m["machine"].update(cpu="Z80")), "the CPU"),
    "other allocator options": (lambda run: edit_manifest(run, lambda m: m["allocator"]["options"].clear()
                                                          or m["allocator"].update(version="1")), "the allocator"),
    "other layouts": (lambda run: edit_manifest(run, lambda m: m["layouts"]["good"].update(seed=99)), "modules"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_resume_refuses(tmp_path, case):
    run = finished(tmp_path)
    change, words = REFUSED[case]
    change(run)
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    done = bench("--resume", run)
    assert done.returncode == 2, done.stderr
    assert words in done.stderr and str(run) in done.stderr and len(done.stderr.splitlines()) == 1
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


def test_out_refuses_what_is_there(tmp_path):
    run = finished(tmp_path)
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


def test_resume_of_a_finished_run_does_nothing(tmp_path):
    run = tmp_path / "run"
    assert bench("--out", run, *PLAN).returncode == 0
    before = {path: path.stat().st_ino for path in run.rglob("*.json")}
    assert bench("--resume", run).returncode == 0
    assert [line["event"] for line in journal(run)[-2:]] == ["resume", "end"]
    assert {path: path.stat().st_ino for path in run.rglob("*.json")} == before
    check_whole(run)


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
