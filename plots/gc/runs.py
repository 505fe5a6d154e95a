# SPDX-License-Identifier: MIT
"""Load a run of collectors, or refuse it in one line."""

from dataclasses import dataclass, field
from pathlib import Path

from plots.files import records, strict_json
from plots.files.journal import Form
from plots.files.run_folder import checked, entries, is_of, journal_of, manifest_of, numbered
from plots.program.errors import Refused, one_line

PAUSES, GRAPH, SHAPE = "pauses", "graph", "shape"
KINDS = {"point": "launches", PAUSES: PAUSES, SHAPE: "shapes", GRAPH: "graphs"}
SHAPES = ("values", "ordered", "shuffled", "list", "balanced")
CLOCKED = ("marked", "fresh")  # beside collections, or between them: CPU time would be theirs, too
OPERATIONS = {"stores": 8, "marked": 8, "fresh": 4096, "churn": 64}  # what is done again and again, on how many bytes
LOOPS = ("loop", "checked")  # what stops have to wait for


@dataclass(frozen=True)
class Cycle:
    """One collection; times in ns, CPU times in *_ns of worker, assist, idle, sweep and stopped."""

    begin_ns: int
    first_stop_ns: int
    mark_ns: int
    second_stop_ns: int
    longest_stop_ns: int
    worker_ns: int
    assist_ns: int
    idle_ns: int
    sweep_ns: int
    stopped_ns: int
    trigger_b: int
    end_b: int
    live_b: int
    goal_b: int
    stacks_b: int
    globals_b: int
    first_stop_cpu_ns: int = 0  # of who owes it; in older runs of the process; 0: not known
    second_stop_cpu_ns: int = 0

    @property
    def cpu_ns(self):
        """What it takes from the program: idle CPUs and the sweep beside are not in it."""
        in_stops_ns = self.first_stop_cpu_ns + self.second_stop_cpu_ns
        return self.worker_ns + self.assist_ns + (min(self.stopped_ns, in_stops_ns) if in_stops_ns else self.stopped_ns)

    @property
    def end_ns(self):
        return self.begin_ns + self.first_stop_ns + self.mark_ns + self.second_stop_ns

    @property
    def whole_ns(self):
        """With the idle CPUs."""
        return self.cpu_ns + self.idle_ns


@dataclass(frozen=True)
class Launch:
    collector: str
    version: str
    concurrent: bool
    workload: str
    live_b: int
    gogc: int
    turnover: int
    launch: int
    mutators: int
    cpus: int
    checksum: str
    asked_live_b: int
    allocated_b: int
    heap_b: int
    peak_rss_b: int
    seconds: float
    cpu_seconds: float
    cycles: tuple[Cycle, ...]


@dataclass(frozen=True)
class Run:
    folder: Path
    manifest: dict
    journal: tuple
    points: dict  # (collector, workload, live_b, gogc) -> [Launch]
    pauses: dict  # collector -> Launch
    graphs: dict  # workload -> document
    shapes: dict = field(default_factory=dict)  # (collector, shape) -> Launch
    failures: list = field(default_factory=list)  # (what, why)


def is_of_collectors(folder):
    return is_of("gc", folder)


def files(folder):
    """(path, kind) of each file that a schema is there for."""
    yield folder / "manifest.json", "gc"
    if (folder / "journal.jsonl").exists():
        yield folder / "journal.jsonl", "journal"
    for pattern, kind in (("launches/*/*/*.json", "gc-launch"), ("pauses/*.json", "gc-launch"), ("shapes/*/*.json", "gc-launch"),
                          ("graphs/*.json", "gc-graph")):
        for path in sorted(folder.glob(pattern)):
            yield path, kind


def row(event):
    return f"{event['workload']}-{event['live_b']}-{event['gogc']}"


FORM = Form({"kind": str, "configuration": str, "workload": str, "live_b": int, "gogc": int, "launch": int}, KINDS, row)


def load(folder):
    folder = Path(folder)
    _, manifest, crc32 = manifest_of(folder, "gc")
    manifest = strict_json.printable(manifest)
    settings = manifest["settings"]
    rows = [f"{workload}-{live_b}-{gogc}" for workload in settings["workloads"] for live_b in settings["live_b"]
            for gogc in settings["gogc"]]
    known = rows + [f"{shape}-{live_b}-{gogc}" for shape in (*SHAPES, *OPERATIONS, *LOOPS) for live_b in settings["live_b"]
                    for gogc in settings["gogc"]]
    journal = journal_of(folder, crc32, known, set(settings["collectors"]), FORM)
    run = Run(folder, manifest, journal.events, {}, {}, {}, failures=_failures(journal))
    for collector in settings["collectors"]:
        found = {path.name: path for path in entries(folder / "launches" / collector)}
        for path in (found[name] for name in found.keys() - set(rows)):
            raise Refused(path, "a point that manifest.json does not name")
        for path in (found[name] for name in rows if name in found):
            workload, live_b, gogc = path.name.split("-")
            key = collector, workload, int(live_b), int(gogc)
            identity = dict(zip(("collector", "workload", "live_b", "gogc"), key))
            finished = journal.finished("launches", collector, path.name)
            run.points[key] = [_launch(one, identity | {"launch": number}, finished[number])
                               for number, one in sorted(numbered(path).items()) if number in finished]
    for path, kind, crc32 in _others(journal):
        if kind == PAUSES:
            run.pauses[path.stem] = _launch(folder / path, {"collector": path.stem}, crc32)
        elif kind == SHAPE:
            run.shapes[path.parent.name, path.stem] = _launch(
                folder / path, {"collector": path.parent.name, "workload": path.stem}, crc32)
        else:
            run.graphs[path.stem] = _document(folder / path, "gc-graph", {"workload": path.stem}, crc32)
    return run


def _others(journal):
    """(file, kind, CRC-32) of what finished beside the points."""
    for (place, collector, name), children in journal.by_row.items():
        for event in children.values():
            if place == PAUSES and event["event"] == "done":
                yield Path(place, f"{collector}.json"), PAUSES, event.get("crc32")
            elif place == KINDS[SHAPE] and event["event"] == "done":
                yield Path(place, collector, f"{name.partition('-')[0]}.json"), SHAPE, event.get("crc32")
            elif place == KINDS[GRAPH] and event["event"] == "done":
                yield Path(place, f"{name.partition('-')[0]}.json"), GRAPH, event.get("crc32")


def _failures(journal):
    """(what, why) of each child that failed at last."""
    found = []
    for (place, collector, name), children in journal.by_row.items():
        for event in children.values():
            if event["event"] == "failed" and not event.get("goes_on"):
                found.append((f"{collector}: {event['kind']} of {name}",
                              one_line(f"{event['reason']}: {event['detail']}")))
    return found


def _document(path, kind, identity, crc32):
    return strict_json.printable(checked(path, kind, identity, crc32))


def _launch(path, identity, crc32):
    launch = records.read(Launch, _document(path, "gc-launch", identity, crc32))
    if not launch.cycles and launch.workload not in (*OPERATIONS, *LOOPS):
        raise Refused(path, "cycles", "there is none, and so nothing to judge")
    for key in ("asked_live_b", "seconds", "cpu_seconds", *["allocated_b"] * (launch.workload not in SHAPES)):
        if not getattr(launch, key) > 0:
            raise Refused(path, key, "0, and so nothing was measured")
    return launch
