# SPDX-License-Identifier: MIT
"""ampersand-bench as a Google Benchmark program: names, flags, reporters, counters, and what it does to a side.

AMPERSAND_BUILD names the build folder. Oracles: jemalloc's own nallocx() for granted bytes, a lesson that tells what is
done with it (peers/probe.c), callgrind's instruction counts against programs without our harness (peers/)."""
import csv
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from places import ROOT
from waiting import HANGS_S

BUILD = Path(os.environ.get("AMPERSAND_BUILD", "build")).resolve()
BENCH = BUILD / "harness" / "ampersand-bench"
COMPARE = Path("/usr/share/benchmark/compare.py")
COUNTERS = ["B/op", "allocs/op", "granted B/op", "peak B"]
KERNEL_FLAGS = "-std=c11 -D_GNU_SOURCE -O2 -fPIC -fno-builtin-malloc -fno-builtin-free".split()
CC = shlex.split(os.environ.get("CC", "cc"))
CXX = shlex.split(os.environ.get("CXX", "c++"))


def run(*command, status=0, **environment):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=HANGS_S,
                          env={**os.environ, **environment})
    assert done.returncode == status, f"{command}: exit status {done.returncode}, not {status}: {done.stderr}"
    return done


def bench(*flags, status=0, **environment):
    return run(BENCH, *flags, status=status, **environment)


def rows_of(*flags, **environment):
    """The results of a run of a few iterations, by name."""
    results = json.loads(bench("--benchmark_format=json", *flags, **environment).stdout)
    return {row["name"].replace("/iterations:100", ""): row for row in results["benchmarks"]}


counted = pytest.mark.skipif(BENCH.exists() and b"__asan_report_load8" in BENCH.read_bytes(),
                             reason="AddressSanitizer has its own malloc, which is not counted")
needs_valgrind = pytest.mark.skipif(not shutil.which("valgrind"), reason="valgrind is not installed")


@pytest.fixture(scope="session")
def lessons(tmp_path_factory):
    """Folders of lessons for AMPERSAND_LESSONS, made from sources: one module each."""
    def make(*sources):
        folder = tmp_path_factory.mktemp("lessons")
        for source in sources:
            run(*CC, *KERNEL_FLAGS, "-shared", "-I", ROOT, source, ROOT / "harness/lesson/lesson.c",
                "-o", folder / f"{source.stem}.00.so")
            (folder / f"{source.stem}.layouts.json").write_text('{"n": 1}')
        (folder / "lessons.txt").write_text("".join(f"{source.stem}\n" for source in sources))
        return str(folder)
    return make


@pytest.fixture(scope="session")
def probe(lessons):
    return lessons(ROOT / "tests/harness/bench/peers/probe.c")


@pytest.fixture(scope="session")
def granted(tmp_path_factory):
    """How many bytes jemalloc grants to a request, as it says itself."""
    folder = tmp_path_factory.mktemp("granted")
    (folder / "granted.c").write_text("#include <jemalloc/jemalloc.h>\n#include <stdio.h>\n#include <stdlib.h>\n"
                                      "int main(int argc, char **argv)\n"
                                      "{\n"
                                      "  return argc == 2 && printf(\"%zu\", nallocx(strtoul(argv[1], 0, 10), 0)) < "
                                      "0;\n}\n")
    run(*CC, folder / "granted.c", "-ljemalloc", "-o", folder / "granted")
    return lambda size: int(run(folder / "granted", size).stdout)


# ---- names, filters, formats ----------------------------------------------------------------------------------------


def test_every_side_of_every_row_has_its_name():
    rows = bench("list").stdout.split()
    assert len(rows) > 50 and len(set(rows)) == len(rows)
    assert all(re.fullmatch(r"[a-z_0-9]+/size=[0-9]+", row) for row in rows)
    want = [f"{row}/side={side}" for row in rows for side in ("value", "pointer")]
    assert bench("--benchmark_list_tests").stdout.split() == want


FILTERS = [
    ("^factory/size=64/", ["factory/size=64/side=value", "factory/size=64/side=pointer"]),
    ("factory/size=(8|64)/side=pointer$", ["factory/size=8/side=pointer", "factory/size=64/side=pointer"]),
]


@pytest.mark.parametrize("regex, want", FILTERS)
def test_filter(regex, want):
    assert bench(f"--benchmark_filter={regex}", "--benchmark_list_tests").stdout.split() == want
    assert list(rows_of(f"--benchmark_filter={regex}", "--benchmark_min_time=0.001")) == want


def test_filter_that_excludes():
    everything = bench("--benchmark_list_tests").stdout.split()
    rest = bench("--benchmark_filter=-^factory/", "--benchmark_list_tests").stdout.split()
    assert rest == [name for name in everything if not name.startswith("factory/")]
    assert len(rest) < len(everything)


def test_json_has_the_context_and_the_fields_of_google_benchmark(tmp_path):
    out = tmp_path / "out.json"
    done = bench("--benchmark_filter=^null/", "--benchmark_min_time=0.001", f"--benchmark_out={out}",
                 "--benchmark_format=json", "--layout", "1")
    results = json.loads(done.stdout)
    assert json.loads(out.read_text())["benchmarks"] == results["benchmarks"]
    context = results["context"]
    assert context["layout"] == "1"
    assert {"date", "executable", "num_cpus", "compiler", "kernel_args", "jemalloc", "timed_loop"} <= set(context)
    names = [row["name"] for row in results["benchmarks"]]
    assert names == ["null/size=16/side=value", "null/size=16/side=pointer"]
    for row in results["benchmarks"]:
        assert row["run_type"] == "iteration" and row["time_unit"] == "ns"
        assert row["real_time"] > 0 and row["cpu_time"] > 0
        assert row["iterations"] * row["cpu_time"] >= 0.99 * 1_000_000, "as long as was asked for"


def test_a_debug_library_is_explained_once_and_does_not_alarm():
    done = bench("--benchmark_filter=^null/", "--iterations=100", "--benchmark_format=json")
    debug = json.loads(done.stdout)["context"]["library_build_type"] == "debug"
    console = bench("--benchmark_filter=^null/", "--iterations=100").stderr
    assert "WARNING" not in console
    assert console.count("built as debug") == debug
    assert "Run on (" in console and "timed_loop:" in console, "the rest of the context is still there"


@counted
def test_counters_show_on_the_console_and_in_csv():
    flags = ("--benchmark_filter=^factory/size=24/", "--iterations=100")
    console = bench(*flags).stdout
    assert re.search(r"side=pointer\S* .*B/op=24 allocs/op=1 granted B/op=32 peak B=32$", console, re.M)
    table = list(csv.DictReader(io.StringIO(bench(*flags, "--benchmark_format=csv").stdout)))
    assert [{name: float(row[name]) for name in COUNTERS} for row in table] == [
        {"B/op": 0, "allocs/op": 0, "granted B/op": 0, "peak B": 0},
        {"B/op": 24, "allocs/op": 1, "granted B/op": 32, "peak B": 32},
    ]


def read_strictly(text):
    """JSON, in which NaN has no place."""
    def refuse(constant):
        raise AssertionError(f"{constant} in JSON")
    return json.loads(text, parse_constant=refuse)["benchmarks"]


INTERLEAVED = "--benchmark_enable_random_interleaving=true"
REPETITIONS = {
    "two": (2, ()),
    "so many that a vector has moved often": (9, ()),
    "by turns": (3, (INTERLEAVED,)),
    "shorter where they are shown": (3, ("--benchmark_display_aggregates_only=true",)),
    "shorter in the file as well": (3, ("--benchmark_report_aggregates_only=true",)),
}


@counted
@pytest.mark.parametrize("name", REPETITIONS)
def test_repetitions(tmp_path, granted, name):
    """Every number of every row, as the file has it: each repetition counts the same, which varies by 0."""
    repetitions, flags = REPETITIONS[name]
    flags = ("--benchmark_filter=^factory/size=24/", f"--benchmark_repetitions={repetitions}", "--iterations=100",
             *flags)
    shown = read_strictly(bench(*flags, "--benchmark_format=json", f"--benchmark_out={tmp_path / 'out'}").stdout)
    rows = read_strictly((tmp_path / "out").read_text())
    assert "aggregates_only" in str(flags) or shown == rows
    whole = range(0 if "--benchmark_report_aggregates_only=true" in flags else repetitions)
    for side, want in ("value", [0, 0, 0, 0]), ("pointer", [24, 1, granted(24), granted(24)]):
        mine = [row for row in rows if f"/side={side}/" in row["run_name"]]
        each = [row for row in mine if row["run_type"] == "iteration"]
        aggregates = {row["aggregate_name"]: row for row in mine if row["run_type"] == "aggregate"}
        assert [row["repetition_index"] for row in each] == list(whole)
        assert set(aggregates) == {"mean", "median", "stddev", "cv"}
        for row in [*each, aggregates["mean"], aggregates["median"]]:
            assert [row[key] for key in COUNTERS] == want
        for row in aggregates["stddev"], aggregates["cv"]:
            assert [row[key] for key in COUNTERS] == [0, 0, 0, 0]
        for row in each:
            assert [row[key] for key in ("allocs_per_iter", "max_bytes_used", "total_allocated_bytes")] == [
                want[1], want[3], 16 * want[2]]
        assert not any("net_heap_growth" in row for row in mine), "heap.h does not give it"


@counted
@pytest.mark.parametrize("where", ["shown", "in a file", "in a file that the environment names"])
@pytest.mark.parametrize("form", ["csv", "console"])
def test_repetitions_in_other_forms(tmp_path, form, where):
    flags = ["--benchmark_filter=^factory/size=24/", "--benchmark_repetitions=3", "--iterations=100"]
    out, environment = tmp_path / "out", {}
    if where == "shown":
        flags.append(f"--benchmark_format={form}")
    elif where == "in a file":
        flags += [f"--benchmark_out={out}", f"--benchmark_out_format={form}"]
    else:
        environment = {"BENCHMARK_OUT": str(out), "BENCHMARK_OUT_FORMAT": form}
    text = bench(*flags, **environment).stdout
    text = text if where == "shown" else out.read_text()
    assert "nan" not in text.lower()
    if form == "console":
        assert re.search(r"side=value\S*_cv .* B/op=0\.00% allocs/op=0\.00%", text)
        return
    rows = {row["name"]: row for row in csv.DictReader(io.StringIO(text[text.index("name,"):]))}
    for side in "value", "pointer":
        mean, stddev, cv = (float(rows[f"factory/size=24/side={side}/iterations:100_{of}"]["real_time"])
                            for of in ("mean", "stddev", "cv"))
        assert cv == pytest.approx(stddev / mean, rel=1e-3), "a share, as in JSON"


# ---- counts ---------------------------------------------------------------------------------------------------------


@counted
def test_counters_of_every_size_of_factory(granted):
    rows = rows_of("--benchmark_filter=^factory/", "--iterations=100")
    sizes = sorted({int(re.search(r"size=(\d+)", name)[1]) for name in rows})
    assert len(sizes) > 20
    for size in sizes:
        value, pointer = (rows[f"factory/size={size}/side={side}"] for side in ("value", "pointer"))
        assert [value[name] for name in COUNTERS] == [0, 0, 0, 0], size
        assert [pointer[name] for name in COUNTERS] == [size, 1, granted(size), granted(size)], size


@counted
@pytest.mark.parametrize("iterations, ops", [(100, 16), (5, 5)])
def test_memory_pass_counts_the_kernel_and_not_its_fixture(probe, granted, iterations, ops):
    rows = rows_of(f"--iterations={iterations}", AMPERSAND_LESSONS=probe)
    value, pointer = rows.values()
    block = granted(1000)
    assert [pointer[name] for name in COUNTERS] == [3000, 3, 3 * block, 3 * block]
    assert pointer["allocs_per_iter"] == 3
    assert pointer["max_bytes_used"] == 3 * block
    assert pointer["total_allocated_bytes"] == ops * 3 * block
    assert [value[name] for name in COUNTERS] == [0, 0, 0, 0]
    assert [value[name] for name in ("allocs_per_iter", "max_bytes_used", "total_allocated_bytes")] == [0, 0, 0]
    assert "net_heap_growth" not in pointer, "heap.h does not give it"


@counted
def test_what_is_done_with_a_side(probe):
    """The gate, once for a row; one own count; then for each repetition a timed run and a memory pass. Each on a
    fixture of its own. The gate does as many of its operations as a fixed time allows: all of them by the clock of
    pair_test.c, here at least the first."""
    done = bench("--iterations=5", "--benchmark_repetitions=3", "--benchmark_format=json", AMPERSAND_LESSONS=probe)
    told = [tuple(line.split()[1:]) for line in done.stderr.splitlines() if line.startswith("probe ")]
    runs = [(what, int(n)) for what, n in told if what in ("value", "pointer")]
    first = len(runs) - 2 * (1 + 3 * 2)
    ops = [n for side, n in runs[:first] if side == "value"]
    assert runs[:first] == [(side, n) for n in ops for side in ("value", "pointer")]
    assert 1 <= len(ops) <= 4 and all(0 < n <= most for n, most in zip(ops, (1, 2, 3, 1000)))
    side_of = lambda side: [(side, 16)] + 3 * [(side, 5), (side, 5)]
    assert runs[first:] == side_of("value") + side_of("pointer")
    life = [what for what, _ in told]
    lives = [life[i:i + 3] for i in range(len(life) - 3 * len(runs[first:]), len(life), 3)]
    assert lives == [["set_up", side, "tear_down"] for side, _ in runs[first:]]
    assert {n for what, n in told if what == "set_up"} == {"7"}


# An allocator that never gives back. Not glibc's by its inner names: jemalloc takes some of these over, too.
OTHER_MALLOC = """
#include <stddef.h>
#include <string.h>
static _Alignas(4096) unsigned char arena[1 << 28];
static size_t used;
void *aligned_alloc(size_t align, size_t n)
{
    size_t start = (__atomic_fetch_add(&used, n + align + 16, __ATOMIC_RELAXED) + 16 + align - 1) / align * align;
    memcpy(arena + start - sizeof n, &n, sizeof n);
    return start + n <= sizeof arena ? arena + start : NULL;
}
void *memalign(size_t align, size_t n) { return aligned_alloc(align, n); }
int posix_memalign(void **p, size_t align, size_t n) { *p = aligned_alloc(align, n); return *p ? 0 : 12; }
void *malloc(size_t n) { return aligned_alloc(16, n); }
void *calloc(size_t n, size_t m) { return malloc(n * m); } /* fresh, so zero */
void free(void *p) { (void) p; }
void *realloc(void *p, size_t n)
{
    void *moved = malloc(n);
    size_t old = 0;
    if (p)
        memcpy(&old, (unsigned char *) p - sizeof old, sizeof old);
    return moved && p ? memcpy(moved, p, old < n ? old : n) : moved;
}
"""


def test_another_malloc_is_not_counted_and_that_is_said_once(tmp_path):
    source = tmp_path / "other.c"
    source.write_text(OTHER_MALLOC)
    if b"__asan_report_load8" not in BENCH.read_bytes():
        run(*CC, "-O1", "-shared", "-fPIC", "-fno-builtin", source, "-o", tmp_path / "other.so")
        preload = {"LD_PRELOAD": str(tmp_path / "other.so")}
    else:
        preload = {}
    done = bench("--benchmark_filter=^factory/size=(8|24)/", "--iterations=100", "--benchmark_format=json", **preload)
    rows = json.loads(done.stdout)["benchmarks"]
    assert len(rows) == 4
    assert not any(set(row) & {*COUNTERS, "allocs_per_iter", "max_bytes_used"} for row in rows)
    assert len([line for line in done.stderr.splitlines() if "allocation counts" in line]) == 1, done.stderr
    assert bench("--benchmark_list_tests", **preload).stderr == ""


# ---- the gate -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def disagreeing(lessons):
    """The side that is refused comes first: the harder case for a reporter."""
    return lessons(ROOT / "tests/lessons/disagree.c", ROOT / "tests/lessons/good.c")


def test_sides_that_disagree_are_refused_and_the_others_measured(disagreeing):
    done = bench("--iterations=100", "--benchmark_format=json", status=1, AMPERSAND_LESSONS=disagreeing)
    rows = json.loads(done.stdout)["benchmarks"]
    refused = [row for row in rows if row["name"].startswith("disagree/")]
    good = [row for row in rows if row["name"].startswith("good/")]
    assert len(refused) == 2 and len(good) == 4
    for row in refused:
        assert row["error_occurred"] is True and row["real_time"] == 0
        ops, value, pointer = re.fullmatch(r"the sides disagree after (\d+) operations: value (0x[0-9a-f]{16}), "
                                           r"pointer (0x[0-9a-f]{16})", row["error_message"]).groups()
        assert (int(value, 16), int(pointer, 16)) == (int(ops), int(ops) + 1)
    assert all("error_occurred" not in row and row["real_time"] > 0 for row in good)


@pytest.mark.parametrize("where", ["shown", "in a file"])
def test_a_refused_row_is_an_error_in_csv_and_on_the_console(tmp_path, disagreeing, where):
    out = tmp_path / "out"
    flags = ["--benchmark_format=csv"] if where == "shown" else [f"--benchmark_out={out}", "--benchmark_out_format=csv"]
    table = bench("--iterations=100", *flags, status=1, AMPERSAND_LESSONS=disagreeing).stdout
    table = table if where == "shown" else out.read_text()[out.read_text().index("name,"):]
    rows = {row["name"]: row for row in csv.DictReader(io.StringIO(table))}
    assert len(rows) == 6
    assert {name for name, row in rows.items() if row["error_occurred"] == "true"} == {
        "disagree/size=8/side=value/iterations:100", "disagree/size=8/side=pointer/iterations:100"}
    console = bench("--iterations=100", status=1, AMPERSAND_LESSONS=disagreeing).stdout
    assert console.count("ERROR OCCURRED: 'the sides disagree after") == 2


def test_only_refused_rows(lessons):
    folder = lessons(ROOT / "tests/lessons/disagree.c")
    rows = json.loads(bench("--benchmark_format=json", status=1, AMPERSAND_LESSONS=folder).stdout)["benchmarks"]
    assert [row["error_occurred"] for row in rows] == [True, True]


# ---- others' tools --------------------------------------------------------------------------------------------------


def test_compare_py_reads_our_files(tmp_path):
    if not COMPARE.exists():
        pytest.skip(f"{COMPARE} is not there: install libbenchmark-tools")
    for name in "before.json", "after.json":
        bench("--benchmark_filter=^factory/size=(8|24)/", "--benchmark_min_time=0.001", "--benchmark_repetitions=2",
              f"--benchmark_out={tmp_path / name}")
    done = run(sys.executable, COMPARE, "--no-color", "benchmarks", tmp_path / "before.json", tmp_path / "after.json")
    for size in 8, 24:
        for side in "value", "pointer":
            name = f"factory/size={size}/side={side}"
            found = re.search(rf"^{name}(?:_mean)? +[+-]\d+\.\d+ +[+-]\d+\.\d+", done.stdout, re.M)
            assert found, done.stdout


# ---- instructions ---------------------------------------------------------------------------------------------------


def instructions(*command, **environment):
    done = run("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *command, **environment)
    return int(re.search(r"Collected : (\d+)", done.stderr)[1])


def per_iteration(*command, few=100000, many=900000, **environment):
    """Instructions of one iteration; the last word of the command takes the count. All that happens once cancels, but
    for the gate's thousand operations, which are fewer on a machine that stalls: so the counts are large beside them.
    They have equally many digits, since they are part of names that a regular expression is held against."""
    *words, last = command
    counts = [instructions(*words, f"{last}{n}", **environment) for n in (few, many)]
    return (counts[1] - counts[0]) / (many - few)


@pytest.fixture(scope="session")
def stripped(tmp_path_factory):
    """The program, and its lessons in their first layout, without debug info: valgrind 3.19 gives up on clang's."""
    folder = tmp_path_factory.mktemp("stripped")
    lessons = BUILD / "benchmarks"
    for path in [BENCH, *lessons.glob("*.00.so")]:
        run("strip", "--strip-debug", "-o", folder / path.name, path)
    for path in [lessons / "lessons.txt", *lessons.glob("*.layouts.json")]:
        shutil.copy(path, folder)
    return folder


@pytest.mark.skipif(BENCH.exists() and b"__asan_report_load8" in BENCH.read_bytes(),
                    reason="instrumented by AddressSanitizer")
@needs_valgrind
@pytest.mark.parametrize("side", ["value", "pointer"])
def test_an_empty_kernel_costs_no_more_than_googles_loop(tmp_path, stripped, side):
    run(*CXX, "-O2", ROOT / "tests/harness/bench/peers/range_for.cc", "-lbenchmark", "-o", tmp_path / "range_for")
    google = per_iteration(tmp_path / "range_for", "")
    ours = per_iteration(stripped / BENCH.name, f"--benchmark_filter=^empty/size=1/side={side}", "--iterations=",
                         AMPERSAND_LESSONS=str(stripped))
    assert 1.4 < google < 6, "2 with gcc 12, 1.5 with gcc 14, 4 with clang 14, or this test measures something else"
    assert 0.9 < ours < max(google, 2) + 0.05  # a count and a jump, of two rounds at once with gcc 14; printing a time
    # takes some more or less


@counted
@needs_valgrind
def test_malloc_is_as_fast_in_timed_runs_as_without_any_harness(tmp_path, stripped, lessons):
    """Two repetitions: one follows the own count, the other a memory pass."""
    good = ROOT / "tests/lessons/good.c"
    run(*CC, *KERNEL_FLAGS, "-I", ROOT, ROOT / "tests/harness/bench/peers/plain.c", good, "-ljemalloc", "-o",
        tmp_path / "plain")
    plain = per_iteration(tmp_path / "plain", "")
    ours = per_iteration(stripped / BENCH.name, "--benchmark_filter=^good/size=8/side=pointer/",
                         "--benchmark_repetitions=2", "--iterations=", AMPERSAND_LESSONS=lessons(good))
    assert 20 < plain
    assert abs(ours / 2 - plain) < 0.5
