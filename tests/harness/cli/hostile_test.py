# SPDX-License-Identifier: MIT
"""ampersand-bench under a hostile hand: a folder that others can write, files that are none, an environment that nobody
thought of, a door that is killed, and any command line at all.

AMPERSAND_BUILD names the build folder; the lessons are those of tests/lessons."""
import json
import os
import random
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from waiting import HANGS_S, wait_for

BUILD = os.environ.get("AMPERSAND_BUILD")
if not BUILD:
    pytest.skip("AMPERSAND_BUILD does not name a build folder", allow_module_level=True)
BUILD = Path(BUILD).resolve()
BENCH = BUILD / "harness" / "ampersand-bench"
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("AMPERSAND_DOOR")}
ENVIRONMENT |= {"AMPERSAND_LESSONS": str(BUILD / "tests" / "lessons")}
FAST = "--epoch-us 5 --rounds 2 --solo-launches 1 --counts-launches 1 --launches 1 --no-wait --seed 7".split()
ROW = ["--filter", "^good/size=8$"]


def bench(*words, **how):
    return subprocess.run([BENCH, *words], capture_output=True, text=True, timeout=HANGS_S, errors="replace",
                          stdin=subprocess.DEVNULL, **{"env": ENVIRONMENT} | how)


def events(run):
    return [json.loads(line) for line in (run / "journal.jsonl").read_text().splitlines()]


# ---- A folder that others can write

@pytest.mark.parametrize("name", ["manifest.json.tmp", "probe.tmp"])
def test_a_link_in_the_folder_is_not_followed(tmp_path, name):
    precious, run = tmp_path / "precious", tmp_path / "run"
    precious.write_text("keep me")
    run.mkdir()
    (run / name).symlink_to(precious)
    done = bench("paired", "--out", run, *FAST, *ROW)
    assert (done.returncode, precious.read_text()) == (0, "keep me"), done.stderr


def test_links_at_every_result_are_not_followed(tmp_path):
    precious, run = tmp_path / "precious", tmp_path / "run"
    precious.write_text("keep me")
    assert bench("paired", "--out", run, *FAST, *ROW).returncode == 0
    for result in list(run.rglob("000.json")):
        result.unlink()
        result.with_name("000.json.tmp").symlink_to(precious)
    done = bench("paired", "--resume", run)
    assert (done.returncode, precious.read_text()) == (0, "keep me"), done.stderr
    assert len(list(run.rglob("000.json"))) == 3 and not any(path.is_symlink() for path in run.rglob("*"))


def test_a_journal_that_is_a_link_is_refused(tmp_path):
    precious, run = tmp_path / "precious", tmp_path / "run"
    precious.write_text("no line")
    assert bench("paired", "--out", run, *FAST, *ROW).returncode == 0
    (run / "journal.jsonl").unlink()
    (run / "journal.jsonl").symlink_to(precious)
    done = bench("paired", "--resume", run)
    assert (done.returncode, precious.read_text()) == (2, "no line")


# ---- Files that are none

@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir], ids=["fifo", "folder"])
@pytest.mark.parametrize("words", [
    ["paired", "--resume", "{run}"], ["allocators", "--resume", "{run}"],
    ["allocators", "--out", "{out}", "--config", "{run}/manifest.conf", "--workload", "^small_churn$", "--quick",
     "--timelines", "0", "--launches", "1", "--seed", "1"]], ids=["paired", "allocators", "configuration"])
def test_what_is_no_file_is_told(tmp_path, words, make):
    if "--config" in words and b"__asan_report_load8" in BENCH.read_bytes():
        pytest.skip("built with a sanitizer: no other malloc goes before its own, so the run ends at its baseline")
    run = tmp_path / "run"
    run.mkdir()
    make(run / "manifest.json")
    make(run / "manifest.conf")
    done = bench(*(word.format(run=run, out=tmp_path / "out") for word in words))
    assert done.returncode in (1, 2), done.stderr
    assert re.search("it is no ordinary file|Is a directory|not a file that can be read", done.stderr)


def test_a_fifo_as_the_journal(tmp_path):
    run = tmp_path / "run"
    assert bench("paired", "--out", run, *FAST, *ROW).returncode == 0
    (run / "journal.jsonl").unlink()
    os.mkfifo(run / "journal.jsonl")
    assert bench("paired", "--resume", run).returncode == 2


@pytest.mark.parametrize("flag", ["--out", "--resume", "--filter", "--rows"])
def test_bytes_that_are_no_text(tmp_path, flag):
    done = bench(b"paired", flag.encode(), os.fsencode(tmp_path) + b"/\xff\xfe",
                 *([] if flag == "--out" else [b"--resume", b"x"]))
    assert done.returncode == 2 and not list(tmp_path.iterdir())
    assert done.stderr.startswith(f"ampersand: {flag}: '{tmp_path}/") and "is not in UTF-8" in done.stderr


# ---- An environment that nobody thought of

@pytest.mark.parametrize("name, value", [
    ("BENCHMARK_MIN_TIME", "5"), ("BENCHMARK_MIN_TIME", "soon"), ("BENCHMARK_REPETITIONS", "3"),
    ("BENCHMARK_FORMAT", "csv"),
    ("BENCHMARK_FILTER", "nothing"), ("BENCHMARK_OUT_FORMAT", "csv"), ("BENCHMARK_LIST_TESTS", "true"),
    ("BENCHMARK_REPORT_AGGREGATES_ONLY", "true")])
def test_flags_of_libbenchmark_in_the_environment_are_not_for_launches(tmp_path, name, value):
    done = bench("paired", "--out", tmp_path / "run", *FAST, *ROW, env=ENVIRONMENT | {name: value})
    assert done.returncode == 0, done.stderr
    solo, = (tmp_path / "run").glob("solo/default/*/*/000.json")
    assert [each["name"] for each in json.loads(solo.read_text())["benchmarks"]] == [
        "good/size=8/side=value", "good/size=8/side=pointer"]


def test_counts_that_are_refused_are_told(tmp_path):
    """Once, before anything is measured: a library has taken over one call of malloc's family."""
    if b"__asan_report_load8" in BENCH.read_bytes():
        pytest.skip("no malloc can be put before a sanitizer's")
    library = tmp_path / "wrapper.so"
    subprocess.run([*os.environ.get("CC", "cc").split(), "-shared", "-fPIC", "-fno-builtin", "-x", "c", "-", "-o",
                    library],
                   input="void *valloc(unsigned long n) { (void) n; return 0; }", text=True, check=True)
    done = bench("paired", "--out", tmp_path / "run", *FAST, *ROW, env=ENVIRONMENT | {"LD_PRELOAD": str(library)})
    assert done.returncode == 0
    assert done.stderr.count(f"ampersand: allocations: they are not counted: valloc is that of {library}, not of "
                             f"jemalloc") == 1


ONE_CPU = {min(os.sched_getaffinity(0))}
BUILT = {**ENVIRONMENT, "AMPERSAND_LESSONS": str(BUILD / "benchmarks")}


def on_one_cpu(*words):
    return bench(*words, env=BUILT, preexec_fn=lambda: os.sched_setaffinity(0, ONE_CPU))


def test_one_cpu_is_told(tmp_path):
    """In the facts; rows with threads are left out of a run, or refused where nothing else was asked for."""
    assert json.loads(on_one_cpu("machine").stdout)["machine"]["cpus_allowed"] == 1
    done = on_one_cpu("paired", "--out", tmp_path / "run", *FAST, "--solo-launches", "0", "--filter",
                      "^(pass|thread_start)/size=64$")
    assert done.returncode == 0 and "thread_start/size=64: left out: threads want two CPUs" in done.stderr
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert manifest["machine"]["cpus_allowed"] == 1
    assert {row["threads"] for row in manifest["rows"]} == {0} and "pass" in {row["pair"] for row in manifest["rows"]}
    done = on_one_cpu("paired", "--out", tmp_path / "other", *FAST, "--filter", "^thread_start/")
    assert (done.returncode, (tmp_path / "other").exists()) == (2, False)
    done = on_one_cpu("--benchmark_filter=^thread_start/size=64/", "--benchmark_format=json")
    assert done.returncode == 1
    assert all(each["error_occurred"] for each in json.loads(done.stdout)["benchmarks"])


def test_a_run_is_gone_on_with_on_as_many_cpus(tmp_path):
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("there is one CPU only")
    words = ["paired", "--out", tmp_path / "run", *FAST, "--solo-launches", "0", "--filter", "^pass/size=64$"]
    assert bench(*words, env=BUILT).returncode == 0
    done = on_one_cpu("paired", "--resume", tmp_path / "run")
    assert done.returncode == 2 and "how many CPUs this process may use: not the same" in done.stderr


def test_a_memory_limit_that_nothing_starts_in(tmp_path):
    if b"__asan_report_load8" in BENCH.read_bytes():
        pytest.skip("a sanitizer wants terabytes: there is no limit")
    done = bench("paired", "--out", tmp_path / "run", *FAST, *ROW, "--memory-limit", "1M")
    assert done.returncode == 1
    assert "it did not start, or not get far, within --memory-limit 1M" in events(tmp_path / "run")[-2]["detail"]


# ---- A door that is killed

DOOR = """import os, subprocess, sys
os.environ["AMPERSAND_DOOR"] = str(os.getpid())
subprocess.run(sys.argv[1:])
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGQUIT])
@pytest.mark.parametrize("between", [[], ["sh", "-c", '"$@"; :', "sh"]], ids=["its child", "its child's child"])
def test_it_does_not_measure_on_without_its_door(tmp_path, number, between):
    """All launches would take a minute."""
    run = tmp_path / "run"
    door = subprocess.Popen([sys.executable, "-c", DOOR, *between, BENCH, "paired", "--out", run, *FAST, "--launches",
                             "1000", "--epoch-us", "4000", *ROW], env=ENVIRONMENT, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: (run / "journal.jsonl").exists() and '"done"' in (run / "journal.jsonl").read_text(), door)
    door.send_signal(number)
    door.wait()  # until then its number is still its own
    wait_for(lambda: '"status": "interrupted"' in (run / "journal.jsonl").read_text())
    assert "go on with --resume" in door.stderr.read()  # to its end: nobody holds it open any more


def test_without_a_door_it_is_on_its_own(tmp_path):
    """Started by a shell that ends, it measures on."""
    run = tmp_path / "run"
    subprocess.run(["sh", "-c", '"$@" 2>/dev/null & :', "sh", BENCH, "paired", "--out", run, *FAST, *ROW],
                   env=ENVIRONMENT,
                   check=True)
    wait_for(lambda: (run / "journal.jsonl").exists() and '"end"' in (run / "journal.jsonl").read_text())
    assert events(run)[-1]["status"] == "complete"


# ---- Any command line at all

VERBS = ["paired", "allocators", "list", "machine", "help", "version", "child", "--help", "--version", "", "Paired",
         "-"]
FLAGS = ["--out", "--resume", "--rows", "--solo-rows", "--filter", "--quick", "--launches", "--counts-launches",
         "--solo-launches",
         "--precision", "--budget", "--seed", "--layout", "--lesson", "--epoch-us", "--rounds", "--no-wait",
         "--timeout",
         "--memory-limit", "--questions", "--iterations", "--config", "--workload", "--baseline", "--timelines",
         "--benchmark_filter", "--benchmark_min_time", "--benchmark_repetitions", "--benchmark_format",
         "--benchmark_out",
         "--benchmark_list_tests", "--v", "--", "-q", "--qick", "-"]
VALUES = ["", "0", "1", "2", "-1", "99999999999999999999", "1e3", "0x10", "nan", "5%", "0.5%", "10s", "8G", "1T", "x",
          "=", "%s%n",
          "^good/", "^$", "[", "(", "*", "a\nb", "\x1b[31m", "\udcff\udcfe", "ü" * 9, "../..", "/dev/null", "/dev/full",
          "/proc/self",
          ".", "good", "/", "jemalloc:narenas:1,", "jemalloc::", "glibc:", "y" * 5000, "{}", "[1]",
          '{"kind": "paired"}', "csv"]
CASES = 120


def command_line(rng):
    words = [rng.choice(VERBS)] if rng.random() < 0.9 else []
    for _ in range(rng.randrange(5)):
        flag, value = rng.choice(FLAGS), rng.choice(VALUES)
        words += rng.choice([[flag], [value], [f"{flag}={value}"], [flag, value]])
    if rng.random() < 0.2 and words:
        words[rng.randrange(len(words))] += rng.choice(VALUES)
    return [word.replace("\0", "") for word in words]


def measures(words):
    """Those that may run for long though nothing is wrong with them: whatever makes a folder, or is no verb. What is
    wrong with the words of a run is seen first, so an unknown flag keeps it from running."""
    return not words or words[0] not in VERBS[:9] or words[0] in ("", "-")


def test_any_command_line_is_answered(tmp_path):
    """Right or in one line, never by a signal; what is refused leaves nothing. Each works in an empty folder."""
    rng = random.Random(int(os.environ.get("AMPERSAND_FUZZ_SEED", 1)))
    for case in range(int(os.environ.get("AMPERSAND_FUZZ_CASES", CASES))):
        words = command_line(rng)
        if measures(words):
            words = ["list", *words]
        elif words[0] in ("paired", "allocators"):
            words.insert(1, "--wrong")
        folder = tmp_path / str(case)
        folder.mkdir()
        done = bench(*(os.fsencode(word) for word in words), cwd=folder, env=ENVIRONMENT | {"TMPDIR": str(folder)})
        assert done.returncode in (0, 1, 2), (words, done)
        if done.returncode == 2:
            lines = done.stderr.splitlines()
            assert lines and all(line.startswith("ampersand: ") for line in lines), (words, done.stderr)
            assert not list(folder.iterdir()), words
