#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write a whole run folder from known truths, as results/SCHEMA.md describes it.

    python3 tests/synthetic.py OUT [--rows REGEX] [--launches N] [--layouts K] [--seed N] [--quick]
                               [--fail ROW ...] [--differ ROW ...] [--refuse-counts]

What an epoch reads is built from parts that a test knows:

    ns = clock cost + ops * base_ns * exp(layout effect + launch effect + stack shift + noise of the round)

The layout effects are centred, so that the headline's truth is exactly the row's `ln_ratio`."""

import argparse
import json
import math
import re
import sys
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

CLOCK_COST_NS = 45.0
SWEEP = (8, 16, 17, 24, 32, 40, 48, 64, 80, 96, 128, 192, 256, 257, 320, 384, 512, 768, 1024, 1536, 2048, 3072, 4096,
         4112, 6144, 8192, 16384, 32768, 65536)
TIME = "2026-01-31T12:00:00.000Z"


@dataclass(frozen=True)
class Truth:
    """What is true of a row; effects are in ln units, so 0.01 is one percent."""

    pair: str
    size: int
    ln_ratio: float = 0.0  # pointer/value
    value_ns: float = 2.0
    lesson: str = ""
    question: str = "Which side is the faster one?"
    layout_sd: float = 0.03  # of the difference between the sides, over layouts
    bimodal: bool = False  # layout effects are either -layout_sd or +layout_sd
    launch_sd: float = 0.005  # of the difference between the sides, over launches
    both_sd: float = 0.02  # of what a launch does to both sides alike
    round_sd: float = 0.01
    drift: float = 0.0  # of the ratio, from the first launch to the last
    outliers: float = 0.01  # share of epochs that take up to five times as long
    zero_rounds: float = 0.0  # share of rounds that the clock did not see
    ln_carry_over: float = 0.0  # what ln pointer/value is more alone than by turns
    allocs: tuple = (0, 0)  # per op, of value and pointer
    bytes: tuple = (0, 0)
    threads: int = 0
    labels: tuple = ()  # of value and pointer, where they have any

    @property
    def name(self):
        return f"{self.pair}/size={self.size}"


@dataclass(frozen=True)
class Plan:
    launches: int = 20
    counts_launches: int = 2
    layouts: int = 64
    rounds: int = 16
    seed: int = 1
    quick: bool = False
    solo: int = 1  # solo launches a row
    solo_sd: float = 0.02
    solo_looks: tuple = ()  # after how many of them a row may be judged
    solo_blocks: tuple = ()  # as `blocks`
    looks: tuple = ()  # a run with --precision: its settings, and the blocks that its journal tells of
    precision: float = 0.005
    budget_s: int = 600
    blocks: tuple = ()  # of (launches, rows); their launches must be among `launches`
    fail: dict = field(default_factory=dict)  # row -> (reason, detail)
    differ: tuple = ()  # rows whose last launch counts one allocation more on the pointer side
    refuse_counts: bool = False
    checksums: bool = True


def lessons():
    """Every row of a plausible run, with the crossovers and cliffs that a figure has to show."""
    rows = []
    for n in SWEEP:
        cliff = 0.5 * (n > 256) + 0.4 * (n > 4096)
        copy_ns = 1.2 + n / 24 * (1 + cliff)
        rows.append(Truth("pass", n, math.log(1.9 / copy_ns) if n > 16 else 0.06, copy_ns, "pass",
                          "Should a function take its argument by value or by pointer?", layout_sd=0.12, bimodal=True))
    for n in SWEEP:
        copy_ns = 1.5 + n / 20
        rows.append(Truth("factory", n, math.log((11 + n / 40) / copy_ns), copy_ns, "factory",
                          "What does returning an object through a pointer cost?", layout_sd=0.05, launch_sd=0.02,
                          allocs=(0, 1), bytes=(0, n)))
    for n in SWEEP:
        copy_ns = 1.1 + n / 18
        rows.append(Truth("mutate", n, math.log(1.6 / copy_ns) if n > 24 else 0.03, copy_ns, "mutate",
                          "Should a function return a changed copy, or change its argument?", layout_sd=0.08))
    for n in (1024, 8192, 65536, 524288, 4194304, 33554432):
        rows.append(Truth("collection", n, 0.2 + 0.12 * math.log2(n / 1024), n / 48, "collection",
                          "What does an array of pointers cost?", layout_sd=0.02, launch_sd=0.03))
    for n in (1, 16, 64, 256, 1024):
        rows.append(Truth("stack_copy", n, math.log(22 / (22 + 2.4 * n)), 22 + 2.4 * n, "stack_copy",
                          "What does carrying an array down a recursion cost?", layout_sd=0.04))
    for percent, word in ((0.5, "half"), (1, "one"), (5, "five")):
        name = f"known_{word}"
        rows.append(Truth(name, 1000, math.log(1 + percent / 100), 900, "known",
                          "Is a known difference read as what it is?", layout_sd=0.0003, launch_sd=0.0004))
    rows.append(Truth("null", 16, 0.0, 2.0, "null", "How far apart is one function from itself?", layout_sd=0,
                      launch_sd=0.0006, round_sd=0.004))
    rows.append(Truth("null_placed", 16, 0.0, 2.0, "null", "How far apart are two identical functions?",
                      layout_sd=0.12, bimodal=True, launch_sd=0.004))
    rows.append(Truth("empty", 1, 0.0, 0.5, "null", "What does a loop cost that does nothing?", layout_sd=0,
                      launch_sd=0.0002, round_sd=0.004))
    return rows


def layout_effects(truth, layouts, random):
    if layouts == 1 or truth.layout_sd == 0:
        return np.zeros(layouts)
    if truth.bimodal:
        effects = np.where(np.arange(layouts) % 2 == 0, 1.0, -1.0) * truth.layout_sd
    else:
        effects = random.normal(0, truth.layout_sd, layouts)
    return random.permutation(effects - effects.mean())


def epochs(truth, plan, effects, launch, random):
    """Raw epochs of both sides, [block][round], and the operations in each."""
    blocks = len(effects)
    shape = (blocks, plan.rounds)
    progress = launch / max(plan.launches - 1, 1) - 0.5
    both = random.normal(0, truth.both_sd)
    apart = truth.ln_ratio + effects + random.normal(0, truth.launch_sd) + truth.drift * progress
    ops = max(1, int(50000 / (truth.value_ns * (1 + math.exp(truth.ln_ratio)) / 2)))
    sides = []
    for share in (-0.5, 0.5):
        ln_ns = both + share * apart[:, None] + math.log(truth.value_ns) + truth.ln_ratio / 2
        ns = ops * np.exp(ln_ns + random.normal(0, truth.round_sd, shape))
        slow = random.random(shape) < truth.outliers
        ns = np.where(slow, ns * random.uniform(1, 5, shape), ns)
        sides.append(np.rint(ns + CLOCK_COST_NS).astype(np.int64))
    zero = random.random(shape) < truth.zero_rounds
    sides[1][zero] = 0
    return sides[0], sides[1], ops


def launch_file(truth, plan, effects, launch, random):
    order = random.permutation(plan.layouts)
    value_ns, pointer_ns, ops = epochs(truth, plan, effects[order], launch, random)
    return {
        "schema": "ampersand/launch/1", "pair": truth.pair, "size": truth.size, "launch": launch,
        "configuration": "default", "seed": int(random.integers(1 << 62)), "cpu": 1,
        "stack_offset_b": int(random.integers(256)) * 16, "environment_padding_b": int(random.integers(4096)),
        "clock": {"cost_ns": CLOCK_COST_NS, "resolution_ns": 1}, "epoch_ns": 50000, "quiet_ns": 990, "ops": ops,
        "warmup_ops": ops // 8 + 1, "rounds_per_block": plan.rounds,
        "blocks": {"value_layout": order.tolist(), "pointer_layout": order.tolist(),
                   "stack_shift_b": (random.integers(0, 256, plan.layouts) * 16).tolist(),
                   "sensor_ns": [990] * plan.layouts, "attempts": [1] * plan.layouts},
        "value_ns": value_ns.ravel().tolist(), "pointer_ns": pointer_ns.ravel().tolist(),
        "zero_rounds": int(((value_ns == 0) | (pointer_ns == 0)).sum()),
        "seconds": 0.21, "page_faults": 12, "involuntary_switches": 3}


def counts_file(truth, plan, launch):
    document = {"schema": "ampersand/counts/1", "pair": truth.pair, "size": truth.size, "launch": launch,
                "configuration": "default", "ops": 1000, "value": None, "pointer": None}
    if plan.refuse_counts:
        return document | {"refused": "malloc is not jemalloc's"}
    extra = 1 if truth.name in plan.differ and launch == plan.counts_launches - 1 else 0
    for side, allocs, size in zip(("value", "pointer"), truth.allocs, truth.bytes):
        n = allocs * 1000 + (extra if side == "pointer" else 0)
        granted = 0 if allocs == 0 else size_class(size // allocs) * allocs
        document[side] = {"allocs": n, "frees": allocs * 1000, "asked_b": size * 1000, "granted_b": granted * 1000,
                          "peak_b": granted,
                          "classes": [{"class_b": granted // allocs, "allocs": n}] if allocs else []}
    return document


def size_class(size):
    """jemalloc's: multiples of 16 up to 128, then four classes to a doubling."""
    if size <= 128:
        return max(8, (size + 15) // 16 * 16) if size > 8 else 8
    step = 1 << ((size - 1).bit_length() - 3)
    return (size + step - 1) // step * step


def solo_file(truth, plan, effects, random):
    runs, layout = [], int(random.integers(plan.layouts))
    apart = truth.ln_ratio + truth.ln_carry_over + effects[layout]
    for side, ns in (("value", truth.value_ns), ("pointer", truth.value_ns * math.exp(apart))):
        ns *= math.exp(random.normal(0, plan.solo_sd))
        name = f"{truth.name}/side={side}"
        runs.append({"name": name, "run_name": name, "run_type": "iteration", "repetitions": 1, "threads": 1,
                     "iterations": int(1e8 / ns), "real_time": ns, "cpu_time": ns, "time_unit": "ns"})
    return {"context": {"date": TIME, "num_cpus": 2, "library_build_type": "release", "layout": str(layout)},
            "benchmarks": runs}


def manifest(rows, plan):
    layouts = {}
    for lesson in dict.fromkeys(row.lesson or row.pair for row in rows):
        mine = [row for row in rows if (row.lesson or row.pair) == lesson]
        units = [{"rows": [row.name], "design": "full factorial",
                  "value": [f"take_value_{row.size}", f"run_value_{row.size}"],
                  "pointer": [f"take_pointer_{row.size}", f"run_pointer_{row.size}"],
                  "offsets": {f"{f}_{row.size}": [16 * (k // 4 ** i % 4) for k in range(plan.layouts)] for i, f in
                              enumerate(("take_value", "run_value", "take_pointer", "run_pointer"))}} for row in mine]
        layouts[lesson] = {"schema": "ampersand/layouts/1", "lesson": lesson, "seed": 1, "n": plan.layouts,
                           "units": units}
    return {
        "schema": "ampersand/run/1", "version": "0.1.0", "created": "2026-01-31T12:00:00Z",
        "command": ["ampersand-bench", "paired"], "quick": plan.quick, "seed": plan.seed,
        "settings": {"launches": plan.looks[0] if plan.looks else plan.launches,
                     "counts_launches": plan.counts_launches,
                     "solo_launches": plan.solo_looks[0] if plan.solo_looks else int(plan.solo), "epoch_ns": 50000,
                     "quiet_ns": 990, "rounds_per_block": plan.rounds, "layouts": plan.layouts, "timeout_s": 60,
                     "memory_limit_b": 8 << 30, "threshold": 0.002} | (
                         {"looks": list(plan.looks), "precision": plan.precision, "budget_s": plan.budget_s}
                         if plan.looks else {}) | ({"solo_looks": list(plan.solo_looks)} if plan.solo_looks else {}),
        "machine": {"host": "synthetic", "kernel": "6.1.0", "arch": "x86_64", "cpu": "Synthetic CPU", "cpus": 2,
                    "memory_b": 8 << 30, "virtual": None, "governor": "performance", "turbo": False, "thp": "madvise",
                    "aslr": 2, "load_1min": 0.3, "hardware_counters": False, "clock_source": "tsc", "page_b": 4096,
                    "caches": [{"level": 1, "type": "Data", "size_b": 32768, "line_b": 64},
                               {"level": 2, "type": "Unified", "size_b": 524288, "line_b": 64},
                               {"level": 3, "type": "Unified", "size_b": 16 << 20, "line_b": 64}]},
        "build": {"compiler": "gcc 12.2.0", "build_type": "release", "c_args": ["-O2"], "kernel_args": ["-O2"],
                  "linker": "ld.bfd", "libraries": {"jemalloc": "5.3.0", "benchmark": "1.7.1", "jansson": "2.14",
                                                    "libc": "glibc 2.36"}},
        "allocator": {"name": "jemalloc", "version": "5.3.0", "file": "/usr/lib/x86_64-linux-gnu/libjemalloc.so.2",
                      "options": {"opt.tcache": True}},
        "configurations": [{"name": "default"}],
        "rows": [{"pair": row.pair, "size": row.size, "lesson": row.lesson or row.pair, "question": row.question,
                  "threads": row.threads,
                  **{side: {"allocs_per_op": row.allocs[k], "bytes_per_op": row.bytes[k]}
                     | ({"label": row.labels[k]} if row.labels else {}) for k, side in enumerate(("value", "pointer"))}}
                 for row in rows],
        "layouts": layouts}


class Writer:
    """Files of a run, with the lines of the journal that tell of each."""

    def __init__(self, out, checksums):
        self.out = Path(out)
        self.checksums = checksums
        self.lines = []

    def write(self, path, document):
        text = json.dumps(document, separators=(",", ":")).encode()
        (self.out / path).parent.mkdir(parents=True, exist_ok=True)
        (self.out / path).write_bytes(text)
        return zlib.crc32(text)

    def child(self, kind, truth, launch, document):
        line = {"time": TIME, "kind": kind, "configuration": "default", "pair": truth.pair, "size": truth.size,
                "launch": launch}
        folder = {"paired": "launches"}.get(kind, kind)
        crc32 = self.write(f"{folder}/default/{truth.pair}/size={truth.size}/{launch:03d}.json", document)
        self.lines.append(line | {"event": "start"})
        self.lines.append(line | {"event": "done", "seconds": 0.21} | ({"crc32": crc32} if self.checksums else {}))

    def fail(self, truth, reason, detail):
        line = {"time": TIME, "kind": "paired", "configuration": "default", "pair": truth.pair, "size": truth.size,
                "launch": 0}
        self.lines.append(line | {"event": "start"})
        self.lines.append(line | {"event": "failed", "reason": reason, "detail": detail})

    def journal(self, first, status):
        lines = [first] + self.lines + [{"time": TIME, "event": "end", "status": status}]
        (self.out / "journal.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def write_run(out, rows, plan=Plan()):
    """Write the run folder `out` and return its path."""
    random = np.random.default_rng(plan.seed)
    writer = Writer(out, plan.checksums)
    manifest_crc32 = writer.write("manifest.json", manifest(rows, plan))
    for truth in rows:
        if truth.name in plan.fail:
            writer.fail(truth, *plan.fail[truth.name])
            continue
        effects = layout_effects(truth, plan.layouts, random)
        for launch in range(plan.launches):
            writer.child("paired", truth, launch, launch_file(truth, plan, effects, launch, random))
        for launch in range(plan.counts_launches):
            writer.child("counts", truth, launch, counts_file(truth, plan, launch))
        for launch in range(plan.solo):
            writer.child("solo", truth, launch, solo_file(truth, plan, effects, random))
    for launches, names in plan.blocks:
        writer.lines.append({"time": TIME, "event": "extend", "launches": launches, "rows": list(names)})
    for launches, names in plan.solo_blocks:
        writer.lines.append({"time": TIME, "event": "extend", "kind": "solo", "launches": launches,
                             "rows": list(names)})
    children = len(rows) * (plan.launches + plan.counts_launches + plan.solo)
    first = {"schema": "ampersand/journal/1", "time": TIME, "event": "plan", "children": children}
    if plan.checksums:
        first["manifest_crc32"] = manifest_crc32
    writer.journal(first, "failed" if plan.fail else "complete")
    return Path(out)


def write_allocations(run, rows, function="make_pointer", refuse=()):
    """allocations.json of a run: each side that allocates does so at one line, by two functions."""
    found = []
    for row in rows:
        sides = {side: [{"allocs": 100 * row.allocs[k], "bytes": 100 * row.bytes[k], "stack": [k, 2]}]
                 if row.allocs[k] else [] for k, side in enumerate(("value", "pointer"))}
        if row.name in refuse:
            found.append({"row": row.name, "refused": "SIGSEGV"})
        elif any(row.allocs):
            found.append({"row": row.name, "ops": 100, **sides})
    document = {"schema": "ampersand/allocations/1", "refused": None, "rows": found,
                "frames": [["make_value", "lesson.c", 30], [function, "lesson.c", 31], ["run", "lesson.c", 40]]}
    (Path(run) / "allocations.json").write_text(json.dumps(document))
    return run


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--rows", metavar="REGEX", default="", help="only rows whose name matches")
    parser.add_argument("--launches", type=int, default=20)
    parser.add_argument("--layouts", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=16)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--fail", metavar="ROW", action="append", default=[])
    parser.add_argument("--differ", metavar="ROW", action="append", default=[])
    parser.add_argument("--refuse-counts", action="store_true")
    args = parser.parse_args(arguments)
    rows = [row for row in lessons() if re.search(args.rows, row.name)]
    if not rows:
        parser.error(f"--rows {args.rows} matches nothing")
    plan = Plan(launches=args.launches, layouts=args.layouts, rounds=args.rounds, seed=args.seed, quick=args.quick,
                fail={name: ("signal", "SIGSEGV") for name in args.fail}, differ=tuple(args.differ),
                refuse_counts=args.refuse_counts)
    write_run(args.out, rows, plan)
    return 0


if __name__ == "__main__":
    sys.exit(main())
