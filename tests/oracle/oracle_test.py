# SPDX-License-Identifier: MIT
"""Allocation counts against oracles that know nothing of harness/measure/heap.c: an interposer and valgrind.

AMPERSAND_BUILD names the build folder. What is compared:

    every row of oracle/calls.c   heap.c = interposer = valgrind (where valgrind counts the same things)
    two sizes of every pair       the counts file of `ampersand-bench child` = interposer
    some in every .conf           of jemalloc in benchmarks/allocators
    malloc after counting         as many instructions as in a process that never counted (callgrind)
    another allocator             refused, with the reason
"""

import json
import os
import re
import shutil
import subprocess
from functools import lru_cache

import pytest

from children import BENCH, BUILD, child, lessons_of_rows
from places import ROOT
from waiting import HANGS_S

COUNT_CALLS = BUILD / "tests" / "count_calls"
INTERPOSER = BUILD / "tests" / "count_malloc.so"
TOOL = BUILD / "tests" / "judge_configuration"
ALLOCATORS = ROOT / "benchmarks" / "allocators"
TIMES = 10
REFUSED = 2


def run(*command, check=True, **environment):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=HANGS_S,
                          env={**os.environ, **environment})
    if check and done.returncode != 0:
        pytest.fail(f"{command}: exit status {done.returncode}: {done.stderr.strip()}")
    return done


def has_asan(program):
    """Whether AddressSanitizer is in the program, as a library or linked in."""
    return b"__asan_report_load8" in program.read_bytes()


@pytest.fixture(scope="module", autouse=True)
def built():
    for file in (COUNT_CALLS, INTERPOSER):
        if not file.exists():
            pytest.fail(f"{file} is not there: set AMPERSAND_BUILD to the build folder")
    if has_asan(COUNT_CALLS):
        pytest.skip("built with AddressSanitizer: its malloc is no jemalloc, nothing can be counted")


def rows():
    """The rows of calls.c with why valgrind counts them otherwise; none where nothing is built, see built()."""
    if not COUNT_CALLS.exists():
        return []
    return [line.split("\t") for line in run(COUNT_CALLS, "list").stdout.splitlines()]


def lesson_rows():
    """The first and the middle size of each pair: what an operation calls does not hang on more of them."""
    if not BENCH.exists():
        return []
    pairs = {}
    for row in run(BENCH, "list").stdout.split():
        pairs.setdefault(row.split("/")[0], []).append(row)
    return [row for sizes in pairs.values() for row in dict.fromkeys((sizes[0], sizes[len(sizes) // 2]))]


def windows(file):
    """What the interposer counted, window by window. The first is heap.c's own look at malloc."""
    return [json.loads(line) for line in file.read_text().splitlines()]


def needs(tool):
    return pytest.mark.skipif(shutil.which(tool) is None, reason=f"{tool} is not installed")


@lru_cache(maxsize=None)
def counted(row):
    return run(COUNT_CALLS, "heap", row, TIMES).stdout


ROWS = rows()
LESSON_ROWS = lesson_rows()


@pytest.mark.parametrize("row", [name for name, _ in ROWS])
def test_call_against_interposer(row, tmp_path):
    oracle = tmp_path / "oracle"
    alone = json.loads(counted(row))
    watched = json.loads(run(COUNT_CALLS, "heap", row, TIMES, LD_PRELOAD=str(INTERPOSER),
                             AMPERSAND_ORACLE=str(oracle)).stdout)
    window = windows(oracle)[-1]
    window.pop("one_thread")  # the rows that start threads make them wait for each other: one peak there too
    assert alone == watched == window


@needs("valgrind")
@pytest.mark.parametrize("row", [name for name, differs in ROWS if not differs])
def test_call_against_valgrind(row):
    found = json.loads(counted(row))
    # The first run is not compared: it may do what only ever happens once.
    assert valgrind_totals(1 + TIMES)[row] - valgrind_totals(1)[row] == Totals(
        found["allocs"], found["frees"], found["asked_b"])


class Totals(tuple):
    def __new__(cls, *numbers):
        return super().__new__(cls, numbers)

    def __sub__(self, other):
        return Totals(*(mine - theirs for mine, theirs in zip(self, other)))


@lru_cache(maxsize=None)
def valgrind_totals(times):
    """row -> what valgrind counted in the process that ran it so often, and before that in the one that started it."""
    done = run("valgrind", COUNT_CALLS, "each", times)
    said = re.findall(r"^==(\d+)== +total heap usage: ([\d,]+) allocs, ([\d,]+) frees, ([\d,]+) bytes", done.stderr,
                      re.M)
    totals = {process: Totals(*(int(number.replace(",", "")) for number in numbers)) for process, *numbers in said}
    return {row: totals[process] for process, row in (line.split("\t") for line in done.stdout.splitlines())}


@needs("valgrind")
def test_malloc_is_as_fast_after_counting(tmp_path):
    """Instructions of further calls, after 0 and after 3 times of begin and end: a hook that stayed behind makes them
    several times as many. They are not the same to the last, as jemalloc's cache looks after more classes by then."""
    def instructions(times, cycles):
        said = run("valgrind", "--tool=callgrind", f"--callgrind-out-file={tmp_path}/out",
                   COUNT_CALLS, "plain", "malloc a thousand times", times, cycles).stderr
        return int(re.search(r"Collected : (\d+)", said)[1])

    never = instructions(60, 0) - instructions(10, 0)
    after = instructions(60, 3) - instructions(10, 3)
    assert never > 50 * 1000 * 10  # it is malloc and free that are counted
    assert after == pytest.approx(never, rel=0.01)


def refusal(**environment):
    done = run(COUNT_CALLS, "heap", "malloc", 1, check=False, **environment)
    assert (done.returncode, done.stdout) == (REFUSED, "")
    return done.stderr


def test_other_allocator_is_refused():
    assert re.fullmatch(r"ampersand: counts: malloc is that of \S*libc\.so\.6, not of jemalloc\n",
                        refusal(LD_PRELOAD="libc.so.6"))


def test_profiler_is_refused():
    assert "prof:true" in refusal(MALLOC_CONF="prof:true")


@needs("valgrind")
def test_replaced_malloc_is_refused():
    done = run("valgrind", "-q", COUNT_CALLS, "heap", "malloc", 1, check=False)
    assert done.returncode == REFUSED
    assert "replaced at run time" in done.stderr


def configurations():
    """The shipped configurations of jemalloc: (name, MALLOC_CONF)."""
    if not TOOL.exists():
        return []
    listed = json.loads(run(TOOL, "list", ALLOCATORS).stdout)
    return [(each["name"], each["environment"]["MALLOC_CONF"]) for each in listed if each["allocator"] == "jemalloc"]


def test_configurations_are_there():
    assert len(CONFIGURATIONS) == len(list(ALLOCATORS.glob("jemalloc*.conf"))) > 10
    assert any("tcache:false" in conf for _, conf in CONFIGURATIONS)


CONFIGURATIONS = configurations()
BY_CONFIGURATION = pytest.mark.parametrize("conf", [conf for _, conf in CONFIGURATIONS],
                                           ids=[name for name, _ in CONFIGURATIONS])


@BY_CONFIGURATION
def test_configurations_do_not_change_counts(conf):
    """Of a quarter of the rows, another one for the next configuration."""
    first = [one for _, one in CONFIGURATIONS].index(conf) % 4
    for row, _ in ROWS if os.environ.get("AMPERSAND_HEAVY") else ROWS[first::4]:
        assert run(COUNT_CALLS, "heap", row, TIMES, MALLOC_CONF=conf).stdout == counted(row), row


@BY_CONFIGURATION
def test_configurations_against_interposer(conf, tmp_path):
    for row in ("malloc", "realloc to a larger class", "4 threads"):
        oracle = tmp_path / row
        counted = json.loads(run(COUNT_CALLS, "heap", row, TIMES, LD_PRELOAD=str(INTERPOSER), MALLOC_CONF=conf,
                                 AMPERSAND_ORACLE=str(oracle)).stdout)
        window = windows(oracle)[-1]
        window.pop("one_thread")
        assert counted == window, row


def counts_child(row, file, **environment):
    return child("counts", row, file, environment)


def side_as_window(side):
    classes = {str(each["class_b"]): each["allocs"] for each in side["classes"]}
    return {**{key: side[key] for key in ("allocs", "frees", "asked_b", "granted_b", "peak_b")}, "classes": classes}


def scaled(window, times, divided_by):
    """The counts of other operations than were counted; exact, or they are not the same for each operation."""
    if isinstance(window, dict):
        return {key: scaled(part, times, divided_by) for key, part in window.items()}
    assert window * times % divided_by == 0, f"{window} in {divided_by} operations"
    return window * times // divided_by


# Pairs that allocate on a heap that is collected count its objects, of which malloc() knows nothing: collected_test.py.
COLLECTED = {"call_collected", "reuse_collected", "arena_collected", "gogc", "gogc_values"}


def test_lessons_are_there():
    assert BENCH.exists(), f"{BENCH} is not built"
    assert LESSON_ROWS, "`ampersand-bench list` names no row"


@pytest.mark.parametrize("row", LESSON_ROWS)
def test_lesson_against_interposer(row, tmp_path):
    oracle = tmp_path / "oracle"
    alone = counts_child(row, tmp_path / "alone.json")
    watched = counts_child(row, tmp_path / "watched.json", LD_PRELOAD=str(INTERPOSER), AMPERSAND_ORACLE=str(oracle))
    seen = windows(oracle)[-2:]  # the child counts value, then pointer, and nothing after
    for side, window in zip(("value", "pointer"), seen, strict=True):
        counted = [side_as_window(alone[side]), side_as_window(watched[side]), window]
        if alone["ops"] != watched["ops"]:  # where an operation took long, fewer were counted
            for each in counted:
                each.pop("peak_b")
            counted[0] = scaled(counted[0], watched["ops"], alone["ops"])
        if not window.pop("one_thread"):  # how much lives at once is then the scheduler's affair
            for each in counted:
                each.pop("peak_b", None)
        if row.split("/")[0] in COLLECTED:
            counted.pop()
        assert all(each == counted[0] for each in counted), side


WRAPPERS = {  # each hands on to jemalloc what it does not keep for itself, so jemalloc sees some of it
    "malloc": """static void *kept; void *malloc(size_t n) { void *p = kept; if (n == 24 && p) { kept = NULL; return p; }
        void *(*next)(size_t) = (void *(*)(size_t)) dlsym(RTLD_NEXT, "malloc"); return next(n); }""",
    "free": """void free(void *p) { void (*next)(void *) = (void (*)(void *)) dlsym(RTLD_NEXT, "free"); next(p); }""",
    "valloc": "void *valloc(size_t n) { (void) n; return NULL; }",
    "memalign": "void *memalign(size_t a, size_t n) { (void) a; (void) n; return NULL; }",
}


def check_refused(tmp_path, library, call):
    """By the child that counts and by libbenchmark's memory manager, each in words; the times stay."""
    row = LESSON_ROWS[0]
    preload = {"LD_PRELOAD": str(library)}
    document = counts_child(row, tmp_path / "counts.json", **preload)
    assert document["value"] is None and document["pointer"] is None
    assert document["refused"] == f"{call} is that of {library}, not of jemalloc"
    done = run(BENCH, "--lesson", lessons_of_rows()[row], "--iterations=10", f"--benchmark_filter=^{row}/side=value",
               "--benchmark_format=json", **preload)
    [side] = json.loads(done.stdout)["benchmarks"]
    assert not {"allocs_per_iter", "allocs/op", "B/op"} & side.keys()
    assert f"ampersand: allocation counts: {document['refused']}" in done.stderr.splitlines()


@pytest.mark.parametrize("call", WRAPPERS)
def test_a_wrapper_is_refused(call, tmp_path):
    library = tmp_path / "wrapper.so"
    source = f"#define _GNU_SOURCE\n#include <dlfcn.h>\n#include <stddef.h>\n{WRAPPERS[call]}\n"
    subprocess.run([*os.environ.get("CC", "cc").split(), "-shared", "-fPIC", "-fno-builtin", "-x", "c", "-", "-o",
                    library],
                   input=source, text=True, check=True)
    check_refused(tmp_path, library, call)


@pytest.mark.parametrize("allocator", ["tcmalloc", "mimalloc"])
def test_another_allocator_is_refused(allocator, tmp_path):
    [configuration] = json.loads(run(TOOL, "list", ALLOCATORS, allocator).stdout)
    if configuration["state"] == "absent":
        pytest.skip(configuration["why"])
    check_refused(tmp_path, configuration["library"], "malloc")
