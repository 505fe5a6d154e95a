# SPDX-License-Identifier: MIT
"""Runs of collectors that were not measured: cycles that follow the model, unless told otherwise."""
from pathlib import Path

from plots.gc import runs

MIB = 1 << 20
MANIFEST = {"schema": "ampersand/gc/1", "version": "0.1.0", "created": "2026-11-30T12:00:00Z",
            "command": ["ampersand-gc", "--quick", "--out", "x"], "quick": True, "seed": 14, "programs": {},
            "settings": {"collectors": ["ours", "boehm", "go"], "workloads": ["tree", "server"], "gogc": [50, 100, 400],
                         "live_b": [16 * MIB, 64 * MIB], "launches": 1, "turnover": 16, "pauses": 200, "timeout_s": 600,
                         "memory_limit_b": 0, "quiet_ns": 1000},
            "machine": {"host": "here", "cpu": "a processor", "cpus": 2, "arch": "x86_64"},
            "build": {"compiler": "gcc 12.2.0", "kernel_args": ["-O2"], "libraries": {}}}


def cycle(**more):
    return runs.Cycle(**(dict.fromkeys(runs.Cycle.__dataclass_fields__, 0) | more))


def launch(cycles, **more):
    fields = dict(collector="go", version="go1.99", concurrent=True, workload="tree", live_b=64 * MIB, gogc=100,
                  turnover=32, launch=0, mutators=1, cpus=2, checksum="0" * 16, asked_live_b=64 * MIB,
                  allocated_b=2 << 30, heap_b=0, peak_rss_b=0, seconds=2.0, cpu_seconds=2.5, cycles=tuple(cycles))
    return runs.Launch(**(fields | more))


def modelled(live_b, gogc, n=10, **more):
    """A launch whose cycles follow the model: what a cycle costs is 0.2 ms and a quarter of a nanosecond a live byte."""
    room_b, step_ns = live_b * gogc // 100, 20_000_000
    cycles = [cycle(begin_ns=i * step_ns, first_stop_ns=30_000 + i, mark_ns=9_000_000, second_stop_ns=50_000 + 2 * i,
                    longest_stop_ns=50_000 + 2 * i, worker_ns=200_000 + live_b // 4, live_b=live_b,
                    trigger_b=live_b + room_b * 9 // 10, end_b=live_b + room_b, goal_b=live_b + room_b)
              for i in range(n)]
    return launch(cycles, live_b=live_b, asked_live_b=live_b, gogc=gogc, allocated_b=n * room_b, **more)


def whole():
    """A run with everything in it."""
    points, pauses, settings = {}, {}, MANIFEST["settings"]
    for collector in settings["collectors"]:
        kind = {"collector": collector, "concurrent": collector != "boehm"}
        for workload in settings["workloads"]:
            for live_b in settings["live_b"]:
                for gogc in settings["gogc"]:
                    points[collector, workload, live_b, gogc] = [modelled(live_b, gogc, workload=workload, **kind)]
        pauses[collector] = modelled(64 * MIB, 50, 300, workload="server", **kind)
    return runs.Run(Path("run"), MANIFEST, (), points, pauses, {"tree": GRAPH})


GRAPH = {"schema": "ampersand/gc-graph/1", "collector": "ours", "workload": "tree", "live_b": 1 << 20, "objects": 1000,
         "reached_b": 64000, "dropped_objects": 0, "dropped_b": 0, "marked_b": 64000, "walk_seconds": 0.01, "seconds": 0.02,
         "types": [{"name": "node", "parent": -1, "objects": 1000, "own_b": 64000, "retained_b": 64000}],
         "paths": [{"name": "top", "parent": -1, "objects": 0, "own_b": 0, "retained_b": 64000},
                   {"name": "node", "parent": 0, "objects": 1000, "own_b": 64000, "retained_b": 64000}],
         "largest": [{"type": "node", "size_b": 64, "retained_b": 64000, "length": 40,
                      "steps": ["top", *["node"] * 11]}]}
