#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write a whole run over allocator configurations from known truths, as results/SCHEMA.md describes it.

    python3 tests/synthetic_allocators.py OUT [--launches N] [--timelines N] [--seed N] [--quick]

A number of a launch is its baseline's truth, times the truth of the configuration's effect, times what the moment did
to all that ran in it, times the launch's own noise; one launch in thirty is an outlier."""

import argparse
import json
import math
import sys
import zlib
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

import synthetic

TIME = "2026-01-31T12:00:00.000Z"
CLOCK_NS = 42.0
QUIET_NS = 990
MIB = 1 << 20


@dataclass(frozen=True)
class Work:
    """A workload, and what is true of it under the baseline."""

    name: str
    ns: float  # per operation
    asked_b: int
    operation: str
    purpose: str = "What programs do."
    threads: int = 1
    chunk_ops: int = 50000
    peak: float = 1.2  # resident, over asked
    retained: float = 0.4
    faults: float = 0.0  # per operation
    sizes: tuple = ()  # of a pair


@dataclass(frozen=True)
class Truth:
    """A configuration; effects in ln units by workload, "*" for all others."""

    name: str
    allocator: str = "jemalloc"
    environment: dict = field(default_factory=dict)
    purpose: str = "Another way to set it."
    ns: dict = field(default_factory=dict)
    memory: dict = field(default_factory=dict)  # of the peak; twice that of what is retained
    faults: dict = field(default_factory=dict)  # per operation, what is added
    state: str = "ready"
    why: str | None = None
    in_force: bool = True
    reason: str | None = None

    def effect(self, what, work):
        effects = getattr(self, what)
        return effects.get(work, effects.get("*", 0.0))


@dataclass(frozen=True)
class Plan:
    launches: int = 12
    timelines: int = 6
    seed: int = 1
    quick: bool = False
    sd: tuple = (0.014, 0.035)  # of a launch, in ln units; a ratio's is 1.4 times that: 2 to 5 %
    outliers: float = 1 / 30
    bias: float = 0.0  # of every configuration but the baseline, in every workload
    baseline: str = "jemalloc"
    again: str | None = "jemalloc-again"
    fail: dict = field(default_factory=dict)  # (configuration, workload) -> (reason, detail); workload None: the probe
    disagree: tuple = ()  # (configuration, workload): a wrong checksum
    switched: tuple = ()  # (configuration, workload): a child that had other settings than its probe
    replaced: tuple = ()  # (configuration, workload): a child whose malloc was of another library
    checksums: bool = True
    config: tuple = ()  # what was asked for by name; nothing: all that is shipped


WORKS = (
    Work("burst_idle", 90, 24 * MIB, "half a malloc of 64 B to 4 KiB and its free", peak=1.1, retained=0.9,
         faults=0.002,
         purpose="A burst of blocks is allocated, then freed: what is kept?"),
    Work("cross_thread_free", 120, 256 * 256, "a malloc, the way through a ring, and a free on the other side",
         "One thread allocates messages of 16 to 256 B, another reads and frees them.", threads=2, chunk_ops=20000),
    Work("fragmentation", 60, 9 * MIB, "a free and a malloc of the next generation's size", peak=1.4,
         purpose="Generations of blocks replace each other, but one in eight lives on."),
    Work("growing_realloc", 2000, 2 * MIB, "a realloc to one and a half times the size", chunk_ops=500, faults=0.4,
         purpose="Buffers grow by a half at a time from 64 B to 1 MiB, as vectors and strings do."),
    Work("large_blocks", 90000, 64 * MIB, "a free and a malloc of 64 KiB to 4 MiB, each page touched", chunk_ops=64,
         faults=12, purpose="Buffers come and go and are written to, as those of images and files are."),
    Work("mixed_churn", 70, 16 * MIB, "a free and a malloc of 8 B to 1 MiB", chunk_ops=20000, faults=0.0001,
         purpose="Blocks of all sizes come and go in one thread, in the shares that a large fleet was found to have."),
    Work("producer_pool", 95, 256 * 256, "a message there and back, malloc only where none has come back", threads=2,
         purpose="One thread sends messages of 256 B, another hands them back to be used again.", chunk_ops=20000),
    Work("small_churn", 22, 300 * 1024, "a free and a malloc of 16 to 128 B", peak=2.0,
         purpose="Small blocks come and go in one thread, as nodes, strings and closures do."),
    Work("threads_1", 25, MIB, "a free and a malloc of 16 to 512 B, of each thread", purpose="One thread."),
    Work("threads_2", 28, 2 * MIB, "a free and a malloc of 16 to 512 B, of each thread", purpose="Two threads at once.",
         threads=2),
    Work("threads_4", 60, 4 * MIB, "a free and a malloc of 16 to 512 B, of each thread",
         purpose="Four threads at once.",
         threads=4),
    Work("pair_factory", 14, 64 * 1024, "an object returned, made by malloc", sizes=(16, 64, 256, 1024, 4096, 16384),
         purpose="What does returning an object through a pointer cost?"),
)


def jemalloc(name, setting, **kwargs):
    return Truth(name, "jemalloc", {"MALLOC_CONF": setting}, **kwargs)


def configurations():
    """A plausible matrix: most knobs do nothing in most workloads, some a lot in a few, other allocators all over."""
    glibc = {"*": 0.25, "growing_realloc": math.log(0.05), "burst_idle": math.log(3), "small_churn": -0.05}
    mi = {"*": -0.2, "growing_realloc": math.log(4.5), "burst_idle": math.log(0.16), "large_blocks": -1.0}
    tc = {"*": -0.12, "growing_realloc": math.log(9), "burst_idle": math.log(0.16), "cross_thread_free": 0.3}
    slow = {"small_churn": math.log(7), "threads_1": math.log(6), "threads_2": math.log(6), "mixed_churn": 1.2,
            "cross_thread_free": 0.8, "fragmentation": 0.9, "pair_factory": 1.4, "threads_4": 1.9}
    return (
        Truth("jemalloc", purpose="As it comes."),
        jemalloc("jemalloc-background-thread", "background_thread:true", purpose="A thread gives pages back.",
                 memory={"burst_idle": -0.22, "timeline": -0.25}),
        jemalloc("jemalloc-decay-forever", "dirty_decay_ms:-1,muzzy_decay_ms:-1", purpose="Keeps what it has.",
                 ns={"large_blocks": math.log(0.05), "burst_idle": -0.7},
                 memory={"burst_idle": 0.9, "large_blocks": 0.6, "timeline": 1.4}, faults={"large_blocks": -11.9}),
        jemalloc("jemalloc-decay-zero", "dirty_decay_ms:0,muzzy_decay_ms:0", purpose="Gives pages back at once.",
                 ns={"large_blocks": 0.5, "burst_idle": math.log(6), "cross_thread_free": math.log(2), "mixed_churn": 2,
                     "growing_realloc": 1.1},
                 memory={"burst_idle": -1.3, "timeline": -1.1, "mixed_churn": -0.2},
                 faults={"burst_idle": 0.5, "large_blocks": 230, "mixed_churn": 0.8}),
        jemalloc("jemalloc-lg-tcache-max-12", "lg_tcache_max:12", ns={"mixed_churn": 0.3}),
        jemalloc("jemalloc-lg-tcache-max-16", "lg_tcache_max:16", ns={"mixed_churn": -0.15, "growing_realloc": -0.3}),
        jemalloc("jemalloc-low-memory", "narenas:1,tcache:false,dirty_decay_ms:0", purpose="Least memory.",
                 ns={**slow, "burst_idle": 2, "threads_2": math.log(11), "threads_4": math.log(14)},
                 memory={"*": -0.25, "timeline": -1.1}, faults={"burst_idle": 0.5, "large_blocks": 230}),
        jemalloc("jemalloc-metadata-thp", "metadata_thp:always", memory={"*": 0.012}),
        jemalloc("jemalloc-narenas-1", "narenas:1", ns={"threads_4": 0.12}),
        jemalloc("jemalloc-narenas-4", "narenas:4"),
        jemalloc("jemalloc-oversize-0", "oversize_threshold:0", ns={"large_blocks": -0.4}),
        jemalloc("jemalloc-percpu-arena", "percpu_arena:percpu"),
        jemalloc("jemalloc-retain-false", "retain:false", ns={"large_blocks": 0.25}),
        jemalloc("jemalloc-tcache-false", "tcache:false", purpose="No thread caches.", ns=slow, memory={"*": -0.04}),
        jemalloc("jemalloc-thp-always", "thp:always", ns={"large_blocks": math.log(0.3), "burst_idle": -0.3},
                 memory={"*": 0.35}, faults={"large_blocks": -11}),
        jemalloc("jemalloc-throughput", "background_thread:true,dirty_decay_ms:30000", ns={"large_blocks": -0.9},
                 memory={"burst_idle": 0.2, "timeline": 0.5}, purpose="For long-running services."),
        jemalloc("jemalloc-tcache-max-typo", "lg_tcache_max:40", in_force=False,
                 reason="opt.tcache_max: asked for 2^40, in force is 8388608"),
        jemalloc("jemalloc-narenas-minus-5", "narenas:-5", in_force=False,
                 reason="opt.narenas: asked for -5, in force is 8"),
        jemalloc("jemalloc-again", "", purpose="The baseline under a second name."),
        Truth("glibc", "glibc", purpose="As it comes.", ns=glibc, memory={"*": -0.1, "timeline": 0.2}),
        Truth("glibc-arena-max-1", "glibc", {"GLIBC_TUNABLES": "glibc.malloc.arena_max=1"},
              ns=glibc | {"threads_2": 1.0, "threads_4": 1.4}, memory={"*": -0.12}),
        Truth("glibc-mmap-threshold", "glibc", {"GLIBC_TUNABLES": "glibc.malloc.mmap_threshold=65536"},
              ns=glibc | {"large_blocks": 0.8}, memory={"*": -0.1, "timeline": -0.3}, faults={"large_blocks": 200}),
        Truth("glibc-tcache-0", "glibc", {"GLIBC_TUNABLES": "glibc.malloc.tcache_count=0"},
              ns=glibc | {"small_churn": 0.6, "threads_1": 0.6}, memory={"*": -0.1}),
        Truth("mimalloc", "mimalloc", purpose="As it comes.", ns=mi, memory={"*": 0.1, "timeline": 0.6}),
        Truth("mimalloc-eager-commit-0", "mimalloc", {"MIMALLOC_EAGER_COMMIT": "0"}, ns=mi, memory={"*": 0.05}),
        Truth("mimalloc-large-os-pages", "mimalloc", {"MIMALLOC_LARGE_OS_PAGES": "1"}, ns=mi, memory={"*": 0.3}),
        Truth("tcmalloc", "tcmalloc", purpose="As it comes.", ns=tc, memory={"*": 0.5, "timeline": 1.2}),
        Truth("tcmalloc-release-rate-10", "tcmalloc", {"TCMALLOC_RELEASE_RATE": "10"}, ns=tc, memory={"*": 0.4}),
        Truth("tbbmalloc", "/usr/lib/libtbbmalloc_proxy.so.2", state="absent",
              why="libtbbmalloc_proxy.so.2 is not here: apt-get install libtbbmalloc2"),
        Truth("typo", "jemalloc", state="wrong", why="typo.conf: line 3: \"alocator\": did you mean allocator?"),
    )


# ---- Files

def of_work(truth, work, launch, plan, sd, moment, random):
    noise = moment + random.normal(0, sd)
    if random.random() < plan.outliers:
        noise += abs(random.standard_cauchy()) * 0.1
    bias = 0.0 if truth.name == plan.baseline else plan.bias
    ns = work.ns * math.exp(truth.effect("ns", work.name) + bias + noise)
    memory = work.asked_b * math.exp(truth.effect("memory", work.name) + random.normal(0, 0.004))
    start = 2 * MIB + int(random.integers(64)) * 4096
    faults = max(0.0, work.faults + truth.effect("faults", work.name)) * math.exp(random.normal(0, 0.01))
    document = {
        "configuration": truth.name, "launch": launch, "seed": 77 + launch, "cpu": 1, "environment_padding_b": 567,
        "quiet_ns": QUIET_NS, "in_force": identity(truth),
        "memory": {"start_rss_b": start, "peak_rss_b": start + int(memory * work.peak),
                   "retained_rss_b": start + int(memory * work.retained * math.exp(truth.effect("memory", work.name))),
                   "asked_peak_b": work.asked_b, "start_mapped_b": 8 * MIB,
                   "peak_mapped_b": 8 * MIB + int(memory * work.peak * 1.6)},
        "involuntary_switches": 1, "seconds": 0.2}
    return (of_pair if work.sizes else of_one)(document, truth, work, launch, ns, faults, random)


def of_one(document, truth, work, launch, ns, faults, random):
    ops = work.chunk_ops * work.threads
    chunks = ns * ops * np.exp(random.normal(0, 0.01, 20) + (random.random(20) < 0.05) * random.exponential(0.5, 20))
    single = ns * work.threads * math.exp(random.normal(0, 0.02))
    latency = [CLOCK_NS + single * factor for factor in (0.9, 1.4, 3, 30 * math.exp(random.normal(0, 0.2)),
                                                         900 * math.exp(random.normal(0, 0.5)))]
    return document | {
        "schema": "ampersand/workload/1", "workload": work.name, "threads": work.threads, "chunk_ops": ops,
        "chunks_ns": np.rint(chunks).astype(int).tolist(), "sensor_ns": [QUIET_NS] * len(chunks),
        "latency": {"ops": 10000, "clock_cost_ns": CLOCK_NS, "sensor_ns": QUIET_NS} | dict(zip(
            ("p50_ns", "p90_ns", "p99_ns", "p999_ns", "max_ns"), np.rint(latency).astype(int).tolist())),
        "faults": {"minor": int(faults * ops * 20), "major": 0},
        "checksum": f"{zlib.crc32(work.name.encode()) + launch:016x}",
        "classes": classes(work) if launch == 0 and truth.allocator == "jemalloc" else None}


def classes(work):
    centre = math.log2(max(work.asked_b / 4096, 24))
    sizes = [synthetic.size_class(n) for n in [16, 24, 40, 60, 80, 100, 120,
                                               *(round(2 ** (k / 4)) for k in range(29, 80))]]
    weights = {size: int(1e6 * math.exp(-(math.log2(size) - centre) ** 2 / 6)) for size in map(int, sizes)}
    return [{"class_b": size, "allocs": n} for size, n in sorted(weights.items()) if n > 10]


def of_pair(document, truth, work, launch, ns, faults, random):
    memory = {key: document["memory"][key] for key in ("start_rss_b", "peak_rss_b", "retained_rss_b")}
    rows = []
    for size in work.sizes:
        value = 1.5 + size / 20
        pointer = ns * (1 + size / 16384)
        ops = max(1, int(50000 / value))
        rows.append({"size": size, "ops": ops, "rounds_per_block": 4, "layouts": [3, 17, 40],
                     "sensor_ns": [QUIET_NS] * 3} | {
            f"{side}_ns": np.rint(45 + ops * ns_op * np.exp(random.normal(0, 0.01, 12))).astype(int).tolist()
            for side, ns_op in (("value", value), ("pointer", pointer))})
    return document | {"schema": "ampersand/workload-pair/1", "workload": work.name, "heap_side": "pointer",
                        "memory": memory,
                       "clock": {"cost_ns": 45.0, "resolution_ns": 1}, "faults": {"minor": 3, "major": 0}, "rows": rows}


def timeline(truth, launch, seconds, random):
    """A burst of a second, then light work: what is kept goes down to what the configuration retains."""
    asked, end_ms = 64 * MIB, 1000
    t = np.arange(0, seconds * 1000 + 1, 50)
    retained = 10 * MIB * math.exp(truth.effect("memory", "timeline") + random.normal(0, 0.01))
    peak = asked * 1.1
    rising = 3 * MIB + peak * np.minimum(t / end_ms, 1)
    falling = retained + (peak - retained) * np.exp(-np.maximum(t - end_ms, 0) / (200 if retained < 9 * MIB else 3000))
    rss = np.rint(np.where(t <= end_ms, rising, falling)).astype(int)
    return {"schema": "ampersand/timeline/1", "configuration": truth.name, "launch": launch, "seed": 1, "cpu": -1,
            "environment_padding_b": 0, "asked_b": asked, "burst_end_ms": end_ms, "t_ms": t.tolist(),
            "rss_b": rss.tolist(), "peak_rss_b": int(rss.max()), "retained_rss_b": int(rss[-1]), "seconds": seconds,
            "in_force": identity(truth)}


# Enough of both for most tests.
SOME = tuple(work for work in WORKS if work.name in ("small_churn", "large_blocks", "pair_factory"))
FEW = tuple(truth for truth in configurations() if truth.name in (
    "jemalloc", "jemalloc-again", "jemalloc-tcache-false", "jemalloc-decay-forever", "jemalloc-narenas-minus-5",
    "glibc",
    "mimalloc", "tbbmalloc"))


def library(truth):
    known = {"jemalloc": "/usr/lib/x86_64-linux-gnu/libjemalloc.so.2", "glibc": "/usr/lib/x86_64-linux-gnu/libc.so.6",
             "mimalloc": "/usr/lib/x86_64-linux-gnu/libmimalloc.so.2.0",
             "tcmalloc": "/usr/lib/x86_64-linux-gnu/libtcmalloc_minimal.so.4.5.9"}
    return known.get(truth.allocator, truth.allocator)


def identity(truth):
    told = truth.allocator != "glibc"
    return {"library": library(truth), "settings": zlib.crc32(repr(truth.environment).encode()) if told else None}


def provenance(truth):
    read_back = {f"opt.{name}": value for name, _, value in
                 (part.partition(":") for part in truth.environment.get("MALLOC_CONF", "").split(",")) if name}
    versions = {"jemalloc": "5.3.0-0-g54eaed1d", "glibc": "2.36", "mimalloc": "2.0.9", "tcmalloc": "2.10"}
    return {"schema": "ampersand/provenance/1", "configuration": truth.name,
            "library": {"file": library(truth), "version": versions.get(truth.allocator), "sha256": "5e" * 32},
            "source": {"jemalloc": "mallctl opt.*", "glibc": "ld.so --list-tunables"}.get(truth.allocator, "verbose"),
            "asked": truth.environment, "read_back": {"opt.lg_quantum": 4} | read_back,
            "effects": {"tcached_max_b": 32768, "arenas": 4}, "identity": identity(truth), "in_force": truth.in_force,
            "reason": truth.reason}


def manifest(truths, works, plan):
    like = synthetic.manifest([synthetic.Truth("pass", 64)], synthetic.Plan())
    return {"schema": "ampersand/allocators/1", "version": "0.1.0", "created": "2026-01-31T12:00:00Z",
            "command": ["ampersand-bench", "allocators"], "quick": plan.quick, "seed": plan.seed,
            "settings": {"launches": plan.launches, "timeline_launches": plan.timelines, "timeline_s": 12,
                         "timeout_s": 20,
                         "memory_limit_b": 4 << 30, "quiet_ns": QUIET_NS, "config": list(plan.config), "workload": None,
                         "baseline": plan.baseline},
            "machine": like["machine"], "build": like["build"], "baseline": plan.baseline, "again": plan.again,
            "configurations": [{
                "name": truth.name, "purpose": truth.purpose, "allocator": truth.allocator,
                "library": None if truth.allocator == "glibc" or truth.state != "ready" else library(truth),
                "environment": truth.environment, "expect": [], "state": truth.state, "why": truth.why,
                "paste": " ".join(([f"LD_PRELOAD={library(truth)}"] if truth.allocator != "glibc" else [])
                                  + [f"{key}={value}" for key, value in truth.environment.items() if value])}
                for truth in truths],
            "workloads": [{"name": work.name, "purpose": work.purpose, "operation": work.operation,
                           "threads": work.threads, "chunk_ops": work.chunk_ops,
                           "kind": "pair" if work.sizes else "workload",
                           "pair": work.name.removeprefix("pair_") if work.sizes else None,
                           "sizes": list(work.sizes) or None} | ({"size_unit": "B"} if work.sizes else {})
                          for work in works]}


def write_run(out, truths=None, works=WORKS, plan=Plan()):
    """Write the run folder `out` and return its path."""
    truths = configurations() if truths is None else truths
    random = np.random.default_rng(plan.seed)
    writer = Writer(out, plan)
    manifest_crc32 = writer.write("manifest.json", manifest(truths, works, plan))
    ready = [truth for truth in truths if truth.state == "ready"]
    for truth in ready:
        writer.child("probe", truth.name, None, 0, f"provenance/{truth.name}.json", provenance(truth))
    ready = [truth for truth in ready if truth.in_force and (truth.name, None) not in plan.fail]
    sds = {work.name: random.uniform(*plan.sd) for work in works}
    for launch in range(plan.launches):
        for work in works:
            moment = random.normal(0, 0.05)
            for truth in ready:
                document = of_work(truth, work, launch, plan, sds[work.name], moment, random)
                if (truth.name, work.name) in plan.disagree:
                    document["checksum"] = "badbad"
                if (truth.name, work.name) in plan.switched and launch == 2:
                    document["in_force"] = identity(truth) | {"settings": 1}
                if (truth.name, work.name) in plan.replaced and launch == 1:
                    document["in_force"] = identity(truth) | {"library": "/lib/libother.so"}
                writer.child("workload", truth.name, work.name, launch,
                             f"launches/{truth.name}/{work.name}/{launch:03d}.json", document)
    for launch in range(plan.timelines):
        for truth in ready:
            writer.child("timeline", truth.name, None, launch, f"timelines/{truth.name}/{launch:03d}.json",
                         timeline(truth, launch, 12, random))
    writer.journal(manifest_crc32, "failed" if plan.fail else "complete")
    return Path(out)


class Writer:
    def __init__(self, out, plan):
        self.out, self.plan, self.lines = Path(out), plan, []

    def write(self, path, document):
        text = json.dumps(document, separators=(",", ":")).encode()
        (self.out / path).parent.mkdir(parents=True, exist_ok=True)
        (self.out / path).write_bytes(text)
        return zlib.crc32(text)

    def child(self, kind, configuration, work, launch, path, document):
        line = {"time": TIME, "kind": kind, "configuration": configuration, "workload": work, "launch": launch}
        self.lines.append(line | {"event": "start"})
        failure = self.plan.fail.get((configuration, "timeline" if kind == "timeline" else work))
        if failure and launch == 0:
            self.lines.append(line | {"event": "failed", "reason": failure[0], "detail": failure[1]})
            return
        crc32 = self.write(path, document)
        self.lines.append(line | {"event": "done", "seconds": 0.2} | ({"crc32": crc32} if self.plan.checksums else {}))

    def journal(self, manifest_crc32, status):
        first = {"schema": "ampersand/journal/1", "time": TIME, "event": "plan", "children": len(self.lines) // 2}
        lines = [first | ({"manifest_crc32": manifest_crc32} if self.plan.checksums else {}), *self.lines,
                 {"time": TIME, "event": "end", "status": status}]
        (self.out / "journal.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--launches", type=int, default=12)
    parser.add_argument("--timelines", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true")
    args = parser.parse_args(arguments)
    write_run(args.out, plan=replace(Plan(), launches=args.launches, timelines=args.timelines, seed=args.seed,
                                     quick=args.quick))
    return 0


if __name__ == "__main__":
    sys.exit(main())
