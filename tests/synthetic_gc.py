# SPDX-License-Identifier: MIT
"""Runs of collectors that were not measured: cycles that follow the model, unless told otherwise."""
import dataclasses
import json
import zlib
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


def whole(few=False):
    """A run with everything in it; few: points at one setting only, and few cycles."""
    points, pauses, settings = {}, {}, MANIFEST["settings"]
    for collector in settings["collectors"]:
        kind = {"collector": collector, "concurrent": collector != "boehm"}
        for workload in settings["workloads"]:
            for live_b in settings["live_b"][:1 if few else None]:
                for gogc in settings["gogc"][:1 if few else None]:
                    points[collector, workload, live_b, gogc] = [modelled(live_b, gogc, workload=workload, **kind)]
        pauses[collector] = modelled(64 * MIB, 50, 20 if few else 300, workload="server", **kind)
    return runs.Run(Path("run"), MANIFEST, (), points, pauses, {"tree": GRAPH})


GRAPH = {"schema": "ampersand/gc-graph/1", "collector": "ours", "workload": "tree", "live_b": 1 << 20, "objects": 1000,
         "reached_b": 64000, "dropped_objects": 0, "dropped_b": 0, "marked_b": 64000, "walk_seconds": 0.01,
         "seconds": 0.02,
         "types": [{"name": "node", "parent": -1, "objects": 1000, "own_b": 64000, "retained_b": 64000}],
         "paths": [{"name": "top", "parent": -1, "objects": 0, "own_b": 0, "retained_b": 64000},
                   {"name": "node", "parent": 0, "objects": 1000, "own_b": 64000, "retained_b": 64000}],
         "largest": [{"type": "node", "size_b": 64, "retained_b": 64000, "length": 40,
                      "steps": ["top", *["node"] * 11]}]}


def write_run(folder):
    """Few of whole(), on the disk; with a child that failed."""
    run, done = whole(few=True), []
    folder.mkdir(parents=True)
    manifest = json.dumps(MANIFEST).encode()
    (folder / "manifest.json").write_bytes(manifest)
    for (collector, workload, live_b, gogc), launches in run.points.items():
        for one in launches:
            done.append(_write(folder / f"launches/{collector}/{workload}-{live_b}-{gogc}/{one.launch:03d}.json", one,
                               "point"))
    done += [_write(folder / f"pauses/{name}.json", one, "pauses") for name, one in run.pauses.items()]
    done.append(_write(folder / "graphs/tree.json", None, "graph"))
    done.append({"event": "failed", "kind": "shape", "configuration": "go", "workload": "list", "live_b": 64 * MIB,
                 "gogc": 100, "launch": 0, "reason": "signal", "detail": "SIGSEGV", "seconds": 0.1, "skipped": 0})
    events = [{"schema": "ampersand/journal/1", "event": "plan", "children": len(done),
               "manifest_crc32": zlib.crc32(manifest)}, *done, {"event": "end", "status": "failed"}]
    (folder / "journal.jsonl").write_text("".join(json.dumps({"time": "2026-11-30T12:00:00Z"} | event) + "\n"
                                                  for event in events))
    return folder


def _write(path, launch, kind):
    """The file, and its event."""
    document = GRAPH if launch is None else {"schema": "ampersand/gc-launch/1", **dataclasses.asdict(launch),
                                             "seed": 14}
    raw = json.dumps(document).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(raw)
    return {"event": "done", "kind": kind, "configuration": document["collector"], "workload": document["workload"],
            "live_b": document.get("live_b") if launch else 64 * MIB, "gogc": document.get("gogc", 50), "launch": 0,
            "seconds": 1.0, "crc32": zlib.crc32(raw)}
