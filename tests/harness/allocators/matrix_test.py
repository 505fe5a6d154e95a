# SPDX-License-Identifier: MIT
"""Allocator configurations x workloads, end to end: the plan, what is kept when it is killed, and columns that are bad,
each in its own way, beside good ones that must be measured.

AMPERSAND_BUILD names the build folder. Oracles: the plan counted by hand, /proc, allocators that this file makes."""
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from places import ROOT
from waiting import HANGS_S, wait_for

BUILD = Path(os.environ.get("AMPERSAND_BUILD", "build")).resolve()
BENCH, PROGRAM = BUILD / "harness" / "ampersand-bench", BUILD / "harness" / "ampersand-workload"
CC = os.environ.get("CC", "cc").split()
FAST = ["--quick", "--seed", "5", "--launches", "2", "--timelines", "1", "--timeout", str(HANGS_S), "--no-wait"]
ONE = ["--baseline", "glibc", "--workload", "^(threads_2|small_churn)$"]
WORKLOADS = ["small_churn", "threads_2"]

pytestmark = pytest.mark.skipif(PROGRAM.exists() and b"__asan_report_load8" in PROGRAM.read_bytes(),
                                reason="no allocator can be preloaded beside AddressSanitizer")


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """A folder of configurations of this test's own: glibc, and whatever is written into it."""
    folder = tmp_path / "allocators"
    folder.mkdir()
    conf(folder, "glibc", allocator="glibc")
    monkeypatch.setenv("AMPERSAND_ALLOCATORS", str(folder))
    return folder


def conf(folder, name, **keys):
    keys = {"for": "A test."} | keys
    (folder / f"{name}.conf").write_text("".join(f"{key} = {value}\n" for key, value in keys.items()))


def library(folder, name, source):
    path = folder / f"lib{name}.so"
    (folder / f"{name}.c").write_text(source)
    subprocess.run([*CC, "-O1", "-shared", "-fPIC", "-o", path, folder / f"{name}.c", "-ldl"], check=True)
    return path


def allocators(*words, **environment):
    return subprocess.run([BENCH, "allocators", *map(str, words)], capture_output=True, text=True, timeout=HANGS_S,
                          env={**os.environ, **environment})


def journal(run, event=None):
    lines = [json.loads(line) for line in (run / "journal.jsonl").read_text().splitlines()]
    return [line for line in lines if event in (None, line["event"])]


def whole_lines(run):
    """The journal of a run that goes on: not the line that is being written."""
    text = (run / "journal.jsonl").read_text() if (run / "journal.jsonl").exists() else ""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def cell(line):
    return line["kind"], line["configuration"], line["workload"], line["launch"]


def files(run):
    return sorted(str(path.relative_to(run)) for path in run.rglob("*.json") if path.name != "manifest.json")


def planned(configurations, workloads=WORKLOADS, launches=2):
    found = [f"provenance/{c}.json" for c in configurations] + [f"timelines/{c}/000.json" for c in configurations]
    found += [f"launches/{c}/{w}/{i:03d}.json" for c in configurations for w in workloads for i in range(launches)]
    return sorted(found)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A finished run of a configuration with a setting beside the C library's own, where the user's environment says
    otherwise to an allocator."""
    folder, run = tmp_path_factory.mktemp("allocators"), tmp_path_factory.mktemp("whole") / "run"
    conf(folder, "glibc", allocator="glibc")
    conf(folder, "other", allocator="glibc", set="GLIBC_TUNABLES=glibc.malloc.arena_max=3")
    done = allocators("--out", run, *FAST, *ONE, AMPERSAND_ALLOCATORS=str(folder), MALLOC_CONF="junk:x",
                      GLIBC_TUNABLES="glibc.malloc.arena_max=7", MALLOC_ARENA_MAX="5")
    assert done.returncode == 0, done.stderr
    return run


def test_a_run_holds_every_cell(whole):
    assert files(whole) == planned(["glibc", "glibc-again", "other"])
    manifest = json.loads((whole / "manifest.json").read_text())
    assert (manifest["baseline"], manifest["again"]) == ("glibc", "glibc-again")
    assert [workload["name"] for workload in manifest["workloads"]] == WORKLOADS
    assert journal(whole)[-1]["status"] == "complete"
    checked = subprocess.run([sys.executable, "-m", "plots", "check", whole], capture_output=True, text=True, cwd=ROOT)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_launch_has_the_same_draws_in_every_configuration(whole):
    seeds, checksums = {}, {}
    for path in whole.glob("launches/*/*/*.json"):
        found = json.loads(path.read_text())
        seeds.setdefault((found["workload"], found["launch"]), set()).add(found["seed"])
        checksums.setdefault((found["workload"], found["launch"]), set()).add(found["checksum"])
    assert all(len(one) == 1 for one in (*seeds.values(), *checksums.values()))
    assert len({seed for one in seeds.values() for seed in one}) == len(seeds) == 4, "other launches, other draws"


def test_the_environment_is_the_configurations_and_no_other(whole):
    """What the user's own environment says to an allocator does not reach a column that says otherwise."""
    shown = {name: json.loads((whole / "provenance" / f"{name}.json").read_text())["read_back"]["glibc.malloc.arena_max"]
             for name in ("glibc", "other")}
    assert (shown["glibc"], shown["other"]) == (0, 3)


def test_a_lesson_that_is_built_anew_stops_the_run(shipped, tmp_path):
    """The manifest names the tables of the pairs' lessons; launches of another build do not come into the run."""
    lessons, run = tmp_path / "lessons", tmp_path / "run"
    lessons.mkdir()
    (lessons / "lessons.txt").write_text("good\n")
    for path in (BUILD / "tests/lessons").glob("good.*"):
        shutil.copy(path, lessons)
    environment = {**os.environ, "AMPERSAND_LESSONS": str(lessons)}
    with subprocess.Popen([BENCH, "allocators", "--out", run, *FAST, "--baseline", "glibc", "--workload", "^pair_good$",
                           "--launches", "1000"], env=environment, stderr=subprocess.PIPE, text=True) as done:
        wait_for(lambda: (run / "journal.jsonl").exists()
                 and '"kind": "workload"' in (run / "journal.jsonl").read_text())
        (lessons / "new").write_text((lessons / "good.layouts.json").read_text() + " ")
        (lessons / "new").rename(lessons / "good.layouts.json")
        said = done.communicate(timeout=HANGS_S)[1]
    assert done.returncode == 2 and "stopped: ampersand or a lesson was built anew" in said, said
    assert list(json.loads((run / "manifest.json").read_text())["build"]["tables_crc32"]) == ["good"]
    assert not journal(run, "end") and not journal(run, "failed")
    again = allocators("--resume", run, AMPERSAND_LESSONS=str(lessons))
    assert again.returncode == 2 and "the build: not the same as when the run began" in again.stderr


def test_the_order_is_blocks_of_workloads_of_configurations(shipped, tmp_path):
    for name in ("a", "b"):
        conf(shipped, name, allocator="glibc")
    run = tmp_path / "run"
    allocators("--out", run, *FAST, "--launches", "4", *ONE)
    order = [cell(line) for line in journal(run, "start")]
    assert [kind for kind, _ in itertools.groupby(order, lambda one: one[0])] == ["probe", "workload", "timeline"]
    launches = [one for one in order if one[0] == "workload"]
    blocks = [(launch, workload) for (launch, workload), _ in itertools.groupby(launches, lambda one: (one[3], one[2]))]
    assert len(blocks) == len(set(blocks)) == 4 * len(WORKLOADS), "each workload once a block, all configurations in it"
    assert [launch for launch, _ in blocks] == sorted(launch for launch, _ in blocks)
    orders = [tuple(one[1] for one in group) for _, group in itertools.groupby(launches, lambda one: (one[3], one[2]))]
    assert len(set(orders)) > len(orders) // 2, "configurations are not shuffled"


@pytest.mark.parametrize("results", [0, 1, 4, 12] if os.environ.get("AMPERSAND_HEAVY") else [0, 4])
def test_killed_and_resumed_nothing_is_lost(shipped, tmp_path, results):
    """The kill waits for so many results of workloads; for the manifest only: it comes within the probes."""
    run = tmp_path / "run"
    words = ["--out", run, *FAST, *ONE, "--launches", "5"]
    child = subprocess.Popen([BENCH, "allocators", *map(str, words)], stderr=subprocess.DEVNULL)
    wait_for(lambda: (run / "manifest.json").exists() and len(list(run.glob("launches/*/*/*.json"))) >= results, child)
    child.send_signal(signal.SIGKILL)
    child.wait()
    before = {name: (run / name).stat().st_mtime_ns for name in files(run) if not name.startswith("provenance")}
    done = allocators("--resume", run)
    assert done.returncode == 0, done.stderr
    assert files(run) == planned(["glibc", "glibc-again"], launches=5)
    assert {name: (run / name).stat().st_mtime_ns for name in before} == before, "what was finished was measured again"
    assert not list(run.rglob("*.tmp"))


def command_of(pid):
    try:
        return (pid / "cmdline").read_bytes().decode("utf-8", "replace")
    except OSError:
        return ""


CRASHES = '__attribute__((constructor)) static void begin(void) { __builtin_trap(); }'
# A malloc that waits for itself: a lock taken twice.
DEADLOCKS = """
    #include <stddef.h>
    #include <unistd.h>
    void *malloc(size_t size) { (void) size; for (;;) pause(); }
    """
ENDS = '#include <unistd.h>\n__attribute__((constructor)) static void begin(void) { _exit(3); }'
# Good for the probe, and not any more when more than MOST are asked for.
RUNS_OUT = """
    #include <stddef.h>
    #ifndef MOST
    #define MOST 500000
    #endif
    extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
    extern void *__libc_memalign(size_t, size_t), __libc_free(void *);
    static unsigned n;
    void *malloc(size_t size) { return ++n > MOST ? NULL : __libc_malloc(size); }
    void *calloc(size_t count, size_t size) { return __libc_calloc(count, size); }
    void *realloc(void *p, size_t size) { return __libc_realloc(p, size); }
    void *aligned_alloc(size_t to, size_t size) { return __libc_memalign(to, size); }
    int posix_memalign(void **p, size_t to, size_t size) { return (*p = __libc_memalign(to, size)) ? 0 : 12; }
    void *memalign(size_t to, size_t size) { return __libc_memalign(to, size); }
    void *valloc(size_t size) { return __libc_memalign(4096, size); }
    void *pvalloc(size_t size) { return __libc_memalign(4096, size); }
    void free(void *p) { __libc_free(p); }
    """


# A process of that kind waits where it begins for as long as the file is there.
HOLDS = """
    #include <string.h>
    #include <time.h>
    #include <unistd.h>
    __attribute__((constructor)) static void begin(int argc, char **argv)
    {
        while (argc > 1 && strcmp(argv[1], KIND) == 0 && access(HELD, F_OK) == 0)
            nanosleep(&(struct timespec) { 0, 2000000 }, NULL);
    }
    """


@pytest.mark.parametrize("kind", ["workload", "timeline"])
def test_interrupted(shipped, tmp_path, kind):
    run, held = tmp_path / "run", tmp_path / "held"
    held.touch()
    holds = library(tmp_path, "holds", f'#define MOST -1u\n#define KIND "{kind}"\n#define HELD "{held}"\n'
                                       f"{HOLDS}{RUNS_OUT}")
    conf(shipped, "holds", allocator=holds)
    child = subprocess.Popen([BENCH, "allocators", "--out", run, *FAST, *ONE], stderr=subprocess.PIPE, text=True)
    wait_for(lambda: any((line["event"], line.get("kind"), line.get("configuration")) == ("start", kind, "holds")
                         for line in whole_lines(run)), child)
    child.send_signal(signal.SIGTERM)
    _, said = child.communicate(timeout=HANGS_S)
    assert child.returncode == 130 and f"--resume {run}" in said
    assert journal(run)[-1]["status"] == "interrupted"
    wait_for(lambda: not [pid for pid in Path("/proc").glob("[0-9]*") if str(run) in command_of(pid)])  # none lives on
    held.unlink()
    assert allocators("--resume", run).returncode == 0
    assert files(run) == planned(["glibc", "glibc-again", "holds"])


@pytest.mark.parametrize("name, source, reason, detail", [
    ("crashes", CRASHES, "signal", "SIG"),
    ("deadlocks", DEADLOCKS, "timeout", "killed after 20 s"),
    ("ends", ENDS, "exit", "status 3"),
])
def test_a_library_that_is_bad_from_the_start(shipped, tmp_path, name, source, reason, detail):
    bad, run = library(tmp_path, name, source), tmp_path / "run"
    short = ["--timeout", "20"] if reason == "timeout" else []  # else nothing comes near its limit
    done = allocators("--out", run, *FAST, *ONE, *short, "--config", bad)
    assert done.returncode == 1, done.stderr
    tries = 1 if reason == "exit" else 2
    failures = journal(run, "failed")
    failed = failures[-1]
    assert len(failures) == tries and [line.get("goes_on") for line in failures] == [True] * (tries - 1) + [None]
    assert all((line["kind"], line["reason"]) == ("probe", reason) and detail in line["detail"] for line in failures)
    lines = [line for line in done.stderr.splitlines() if failed["configuration"] in line]
    assert len(lines) == tries and all(detail in line for line in lines), done.stderr
    assert [line.endswith("it is tried once more") for line in lines] == [True] * (tries - 1) + [False]
    assert [name for name in files(run) if failed["configuration"] not in name] == planned(["glibc", "glibc-again"])
    assert not (run / "launches" / failed["configuration"]).exists(), "a column that failed has no numbers"


def test_a_cell_that_fails_is_one_cell(shipped, tmp_path):
    bad, run = library(tmp_path, "runsout", RUNS_OUT), tmp_path / "run"
    done = allocators("--out", run, *FAST, *ONE, "--config", bad)
    assert done.returncode == 1, done.stderr
    failures = journal(run, "failed")
    assert {line["reason"] for line in failures} == {"memory"}, failures
    assert not {"glibc", "glibc-again"} & {line["configuration"] for line in failures}
    assert set(planned(["glibc", "glibc-again"])) <= set(files(run))
    assert journal(run)[-1]["status"] == "failed"


def test_a_configuration_with_a_typo_is_one_column(shipped, tmp_path):
    conf(shipped, "typo", allocater="glibc")
    run = tmp_path / "run"
    done = allocators("--out", run, *FAST, *ONE)
    assert done.returncode == 1
    lines = [line for line in done.stderr.splitlines() if "typo" in line]
    assert len(lines) == 1 and "allocater" in lines[0] and "allocator" in lines[0], done.stderr
    assert files(run) == planned(["glibc", "glibc-again"])
    checked = subprocess.run([sys.executable, "-m", "plots", "check", run], capture_output=True, text=True, cwd=ROOT)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("words, message", [
    (["--config", "glibx"], "--config: 'glibx'"),
    (["--workload", "("], "--workload: "),
    (["--workload", "chrun"], "--workload: 'chrun' matches no workload; the nearest is"),
    (["--baseline", "nothing"], "--baseline: 'nothing'"),
])
def test_wrong_use(shipped, tmp_path, words, message):
    done = allocators("--out", tmp_path / "run", "--quick", "--seed", "1", "--baseline", "glibc", *words)
    assert done.returncode == 2 and message in done.stderr and done.stderr.count("\n") == 1, done.stderr
    assert not (tmp_path / "run").exists()


def test_resume_refuses_what_is_not_the_same_any_more(shipped, tmp_path):
    run = tmp_path / "run"
    assert allocators("--out", run, *FAST, *ONE).returncode == 0
    conf(shipped, "glibc", allocator="glibc", set="GLIBC_TUNABLES=glibc.malloc.arena_max=1")
    done = allocators("--resume", run)
    assert done.returncode == 2 and "the configurations: not the same" in done.stderr, done.stderr
    assert allocators("--out", run, *FAST).returncode == 2, "it holds a run already"


def test_a_disk_that_fails_where_a_probe_is_judged_again(shipped, tmp_path):
    """It ends the run, and is no failure of the column: with a good disk the run goes on."""
    run = tmp_path / "run"
    assert allocators("--out", run, *FAST, *ONE).returncode == 0
    probe, blocks = run / "provenance" / "glibc.json", run / "provenance" / "glibc.json.tmp"
    facts = json.loads(probe.read_text())
    del facts["schema"]  # as if the run was killed before it judged them
    probe.write_text(json.dumps(facts))
    blocks.mkdir()
    done = allocators("--resume", run)
    assert done.returncode == 2 and f"{run}: stopped: Is a directory; " in done.stderr, done.stderr
    assert "(null)" not in done.stderr and not journal(run, "failed")
    blocks.rmdir()
    assert allocators("--resume", run).returncode == 0
    assert json.loads(probe.read_text())["schema"] == "ampersand/provenance/1"


def test_resume_refuses_a_library_that_was_replaced(shipped, tmp_path):
    """In one line and before it writes anything, so that with the old library the run can be gone on with."""
    fine = library(tmp_path, "fine", "#define MOST -1u\n" + RUNS_OUT)
    conf(shipped, "mine", allocator=fine)
    run, old = tmp_path / "run", fine.read_bytes()
    done = allocators("--out", run, *FAST, *ONE)
    assert done.returncode == 0, done.stderr
    missing = run / "launches" / "mine" / "small_churn" / "001.json"
    missing.unlink()
    library(tmp_path, "fine", "#define MOST -2u\n" + RUNS_OUT)
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    done = allocators("--resume", run)
    assert done.returncode == 2 and done.stderr.count("\n") == 1, done.stderr
    assert f"{run}: mine: {fine} was replaced" in done.stderr
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before
    fine.write_bytes(old)
    done = allocators("--resume", run)
    assert done.returncode == 0 and missing.exists(), done.stderr


@pytest.mark.parametrize("waits", [True, False])
def test_a_run_waits_for_a_quiet_core_unless_told_not_to(waits, never_quiet, shipped, tmp_path):
    run = tmp_path / "run"
    words = [word for word in FAST if word != "--no-wait" or not waits]
    assert allocators("--out", run, *words, *ONE).returncode == 0
    assert never_quiet(run)["settings"].get("no_wait") == (None if waits else True)
    done = allocators("--resume", run)
    assert done.returncode == 0, done.stderr
    assert ("s went by waiting for a quiet core" in done.stderr) == waits, done.stderr
    assert files(run) == planned(["glibc", "glibc-again"])
