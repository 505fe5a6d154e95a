# SPDX-License-Identifier: MIT
"""The workloads of allocator comparisons, one process at a time, under the C library's malloc and under bad ones.

AMPERSAND_BUILD names the build folder. Oracles: a workload worked out again in Python, draw by draw; /proc as the
parent sees it; an allocator that hands out memory twice, which must not go unnoticed."""
import json
import math
import os
import re
import subprocess
from pathlib import Path

import pytest

from places import ROOT
from waiting import HANGS_S

BUILD = Path(os.environ.get("AMPERSAND_BUILD", "build")).resolve()
PROGRAM = BUILD / "harness" / "ampersand-workload"
CC = os.environ.get("CC", "cc").split()
THREADS = {"small_churn": 1, "mixed_churn": 1, "large_blocks": 1, "growing_realloc": 1, "burst_idle": 1,
           "fragmentation": 1, "cross_thread_free": 2, "producer_pool": 2, "threads_1": 1, "threads_2": 2,
           "threads_4": 4}
ASAN = b"__asan_report_load8" in PROGRAM.read_bytes() if PROGRAM.exists() else False
MASK = (1 << 64) - 1


def task(file, **keys):
    return {"file": str(file), "configuration": "test", "workload": "",
            "launch": 0, "seed": 7, "cpu": -1, "environment_padding_b": 0, "quiet_ns": 1000,
            "timeline_s": 1, "quick": True,
            "classes": False, "sizes": []} | keys


def start(kind, words, **environment):
    return subprocess.run([PROGRAM, kind, words], capture_output=True, text=True, timeout=HANGS_S,
                          env={**os.environ, **environment})


def run(tmp_path, environment=None, kind="workload", **keys):
    file = tmp_path / f"{keys.get('workload') or kind}.json"
    done = start(kind, json.dumps(task(file, **keys)), **(environment or {}))
    assert done.returncode == 0, done.stderr
    return json.loads(file.read_text())


def preload(tmp_path, name, source):
    """A library made of C source, to be preloaded."""
    library = tmp_path / f"lib{name}.so"
    (tmp_path / f"{name}.c").write_text(source)
    subprocess.run([*CC, "-O1", "-shared", "-fPIC", "-o", library, tmp_path / f"{name}.c", "-ldl"], check=True)
    return {"LD_PRELOAD": str(library)}


@pytest.mark.parametrize("workload", THREADS)
def test_what_a_workload_writes(workload, tmp_path):
    found = run(tmp_path, workload=workload)
    assert (found["schema"], found["workload"], found["threads"]) == ("ampersand/workload/1", workload,
                                                                      THREADS[workload])
    assert found["chunk_ops"] % found["threads"] == 0
    assert 5 <= len(found["chunks_ns"]) <= 8 and min(found["chunks_ns"]) > 0
    assert len(found["sensor_ns"]) == len(found["chunks_ns"]) and min(found["sensor_ns"]) > 100
    trips = found["round_trip_ns"]  # null where one thread, or a busy machine, gave none
    assert trips is None if found["threads"] == 1 else len(trips) == 2
    assert all(ns is None or 1 <= ns < 1_000_000 for ns in trips or ())
    latency, memory = found["latency"], found["memory"]
    quantiles = [latency[key] for key in ("p50_ns", "p90_ns", "p99_ns", "p999_ns", "max_ns")]
    assert quantiles == sorted(quantiles) and quantiles[0] > 0
    assert memory["start_rss_b"] <= memory["peak_rss_b"] and memory["start_mapped_b"] <= memory["peak_mapped_b"]
    assert 0 < memory["asked_peak_b"] <= memory["peak_rss_b"]
    assert found["classes"] is None  # this is no jemalloc
    if not ASAN:
        assert "libc.so" in found["in_force"]["library"]


@pytest.mark.parametrize("workload", THREADS)
def test_the_checksum_follows_from_the_seed(workload, tmp_path):
    one, again = run(tmp_path, workload=workload), run(tmp_path, workload=workload, quick=False)
    assert one["checksum"] == again["checksum"]
    other = run(tmp_path, workload=workload, seed=8)
    assert (other["checksum"] == one["checksum"]) == (workload == "producer_pool"), "which draws nothing"


class Draws:
    """SplitMix64, as published, and the draw below n by the upper half."""

    def __init__(self, seed):
        self.state = seed

    def below(self, n):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return (((z ^ (z >> 31)) >> 32) * n) >> 32


def small_churn(seed, chunks, chunk_ops, warm_up):
    """The checksum of the chunks and the peak of live bytes over all, from what churn.c says it does."""
    draws, slots, live, peak, total, stamp = Draws(seed), [None] * 8192, 0, 0, 0, 0

    def put(at):
        nonlocal live, peak, stamp
        size = 16 + draws.below(113)
        slots[at] = (stamp, size)
        stamp += 1
        live += size
        peak = max(peak, live)

    for at in range(len(slots)):
        put(at)
    for op in range((warm_up + chunks) * chunk_ops):
        at = draws.below(len(slots))
        old, size = slots[at]
        live -= size
        if op >= warm_up * chunk_ops:
            total = (total + old + ((old & 255) << 32) + size) & MASK
        put(at)
    return f"{total:016x}", peak


def test_small_churn_against_python(tmp_path):
    found = run(tmp_path, workload="small_churn", seed=3)
    checksum, _ = small_churn(3, 5, found["chunk_ops"], 1)
    assert found["checksum"] == checksum


def test_memory_handed_out_twice_is_found_out(tmp_path):
    """One block of 100 bytes in a thousand is the one that was handed out before."""
    twice = preload(tmp_path, "twice", """
        #define _GNU_SOURCE
        #include <dlfcn.h>
        #include <stddef.h>
        extern void *__libc_malloc(size_t); extern void __libc_free(void *);
        static void *kept; static unsigned n;
        void *malloc(size_t size) {
            if (size != 100) return __libc_malloc(size);
            if (++n % 1000 == 501) return kept;
            void *p = __libc_malloc(size);
            if (n % 1000 == 500) kept = p;
            return p;
        }
        void free(void *p) { if (p != kept) __libc_free(p); }
        """)
    if ASAN:
        pytest.skip("another malloc cannot be preloaded beside AddressSanitizer")
    honest = run(tmp_path, workload="small_churn")
    assert run(tmp_path, twice, workload="small_churn")["checksum"] != honest["checksum"]


def test_sizes_are_those_of_the_source(tmp_path):
    """98 % of the objects have up to 1 KiB and hold 28 % of the bytes; 50 % of the bytes are above 8 KiB, 22 % above
    256 KiB."""
    (tmp_path / "draw.c").write_text("""
        #include "benchmarks/workloads/sizes.h"
        #include <stdio.h>
        int main(void) {
            uint64_t random = 1, objects = 0, bytes[4] = { 0 };
            for (int i = 0; i < 20000000; i++) {
                size_t size = size_of_fleet(&random);
                if (size < 8 || size > 1 << 20) return 1;
                objects += size <= 1024;
                bytes[0] += size;
                bytes[1] += size <= 1024 ? size : 0;
                bytes[2] += size > 8192 ? size : 0;
                bytes[3] += size > 262144 ? size : 0;
            }
            printf("%f %f %f %f %f\\n", objects / 2e7, (double) bytes[1] / bytes[0], (double) bytes[2] / bytes[0],
                   (double) bytes[3] / bytes[0], bytes[0] / 2e7);
        }
        """)
    subprocess.run([*CC, "-O2", "-D_GNU_SOURCE", f"-I{ROOT}", "-o", tmp_path / "draw", tmp_path / "draw.c"], check=True)
    shares = [float(x) for x in subprocess.run([tmp_path / "draw"], capture_output=True, text=True, check=True)
              .stdout.split()]
    assert shares[:4] == pytest.approx([0.98, 0.28, 0.50, 0.22], abs=0.03), shares


@pytest.mark.parametrize("name, quiet_ns, ms", [
    ("always quiet: chunks for 30 ms", 10**9, 30),
    ("never quiet: it has patience, and then goes on", 1, 120),
])
def test_chunks_while_the_core_is_quiet(name, quiet_ns, ms, tmp_path):
    found = run(tmp_path, workload="small_churn", quick=False, quiet_ns=quiet_ns)
    chunks_ns = found["chunks_ns"]
    assert len(chunks_ns) == 64 or sum(chunks_ns) >= ms * 1_000_000
    assert len(chunks_ns) == 5 or sum(chunks_ns[:-1]) < ms * 1_000_000, "and no more"
    assert found["quiet_ns"] == quiet_ns


def test_a_timeline_rises_and_falls(tmp_path):
    found = run(tmp_path, kind="timeline")
    times, rss = found["t_ms"], found["rss_b"]
    assert times == sorted(times) and len(times) == len(rss) >= 10
    assert times[-1] >= found["burst_end_ms"] + 1000 and 0 < found["burst_end_ms"] < times[-1]
    assert max(rss) - rss[0] > 0.9 * found["asked_b"], "the burst is memory"
    assert found["peak_rss_b"] == pytest.approx(max(rss), rel=0.02)  # the kernel counts pages in batches
    assert found["retained_rss_b"] == pytest.approx(rss[-1], rel=0.05)
    if not ASAN:  # which keeps what is freed for a while, to find its use
        assert found["retained_rss_b"] < 0.7 * found["peak_rss_b"]


def test_a_pair_under_another_allocator(tmp_path):
    found = run(tmp_path, kind="pair", workload="pair_factory", lesson="factory", sizes=[8, 64, 4096])
    assert [row["size"] for row in found["rows"]] == [8, 64, 4096]
    for row in found["rows"]:
        assert len(row["sensor_ns"]) == len(row["layouts"])
        assert 0 < min(row["sensor_ns"]) <= max(row["sensor_ns"]) < 10**8
        assert len(row["value_ns"]) == len(row["pointer_ns"]) == len(row["layouts"]) * row["rounds_per_block"]
        value, pointer = (math.fsum(row[side]) / row["ops"] for side in ("value_ns", "pointer_ns"))
        assert value > 0 and pointer > 0


@pytest.mark.skipif(ASAN, reason="the sanitizer's loader tells nothing of LD_DEBUG")
def test_a_pair_opens_its_own_lesson_only(tmp_path):
    """As the dynamic loader tells it (LD_DEBUG=files, ld.so(8))."""
    words = json.dumps(task(tmp_path / "x.json", workload="pair_factory", lesson="factory", sizes=[64]))
    done = start("pair", words, LD_DEBUG="files")
    assert done.returncode == 0
    opened = set(re.findall(r"/(\w+)\.\d+\.so", done.stderr))
    assert opened == {"factory"}, opened


@pytest.mark.parametrize("kind, words, message", [
    ("workload", "", "task: "),
    ("workload", "{", "task: "),
    ("workload", "{}", "task: "),
    ("probe", "{}", "task: "),
    ("dance", "{}", "dance: there is no such kind of task"),
    ("workload", json.dumps(task("/nowhere/x.json", workload="no_such")), "no_such: there is no such workload"),
    ("workload", json.dumps(task("/dev/null/x.json", workload="threads_1")), "/dev/null/x.json: "),
    ("pair", json.dumps(task("/nowhere/x.json", workload="pair_nothing", lesson="factory", sizes=[8])),
     "pair_nothing: there is no such pair"),
    ("pair", json.dumps(task("/nowhere/x.json", workload="pair_factory", lesson="factory", sizes=[7])),
     "factory: it has no row"),
    ("pair", json.dumps(task("/nowhere/x.json", workload="pair_factory", lesson="no_such", sizes=[8])),
     "pair_factory: "),
    ("pair", json.dumps(task("/nowhere/x.json", workload="pair_factory", sizes=[8])),
     "pair_factory: its task names no lesson"),
])
def test_bad_tasks(kind, words, message):
    done = start(kind, words)
    assert done.returncode == 2
    assert done.stderr.startswith(f"ampersand: {message}"), done.stderr
    assert done.stderr.count("\n") == 1
