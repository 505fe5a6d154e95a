# SPDX-License-Identifier: MIT
"""Load a run over allocator configurations, or refuse it in one line.

A configuration that was not in force, failed or is not there has no numbers here, whatever lies in its folder: it has a
state and a reason. The same holds for a cell (configuration x workload) whose child failed, whose own account of the
allocator differs from the probe's, or whose checksums differ from what the other configurations found."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from plots.files import strict_json
from plots.files.journal import Form
from plots.files.published import refuse_published
from plots.files.run_folder import checked, entries, is_of, journal_of, manifest_of, must_have, numbered
from plots.program.errors import Refused, one_line

TIMELINE = "timeline"  # stands where a workload's name does
FORM = Form({"kind": str, "configuration": str, "workload": (str, type(None)), "launch": (int, type(None))},
            {"probe": "provenance", "workload": "launches", "timeline": "timelines"},
            lambda event: event.get("workload") if event["kind"] == "workload" else TIMELINE)
PROGRAM = "program"  # the kind of a program of the user's
KINDS = {"workload": "workload", "pair": "workload-pair", PROGRAM: "program", TIMELINE: "timeline"}
IN_FORCE = "in force"


@dataclass(frozen=True)
class Column:
    """One configuration. `state`: in force, not in force, failed, absent, wrong or not probed; all but the first with
    a reason, and without numbers."""

    name: str
    declared: dict  # the manifest's entry
    provenance: dict | None
    state: str
    reason: str | None

    @property
    def in_force(self):
        return self.state == IN_FORCE


@dataclass(frozen=True)
class Cell:
    """One configuration in one workload. `state`: measured, failed, not in force, missing (no launch is there)."""

    configuration: str
    workload: str
    launches: dict  # number -> the file's document; none unless it is measured
    state: str
    reason: str | None
    lost: int = 0  # launches whose child ended badly twice, and that the cell goes on without


@dataclass(frozen=True)
class Run:
    folder: Path
    manifest: dict
    journal: tuple
    columns: tuple
    workloads: tuple  # the manifest's entries, and one of kind "timeline" where there are timelines
    cells: dict  # (configuration, workload) -> Cell, of the columns that are in force

    @property
    def quick(self):
        return self.manifest["quick"]

    @property
    def program(self):
        """What was asked about a program of the user's; None: workloads were measured."""
        return self.manifest.get("program")

    @property
    def baseline(self):
        return self.manifest["baseline"]

    @property
    def in_force(self):
        return [column for column in self.columns if column.in_force]


def is_of_allocators(folder):
    """Whether the run compares configurations, and not the sides of pairs."""
    return is_of("allocators", folder)


def load(folder):
    folder = Path(folder)
    manifest, manifest_crc32 = read_manifest(folder)
    names = [entry["name"] for entry in manifest["configurations"]]
    works = {entry["name"]: entry for entry in manifest["workloads"]}
    refuse_published(folder)
    journal = journal_of(folder, manifest_crc32, {*works, TIMELINE}, set(names), FORM)
    timelines = _walk_timelines(folder, names)
    if timelines:
        works[TIMELINE] = {"name": TIMELINE, "kind": TIMELINE, "threads": 1, "pair": None, "sizes": None,
                           "purpose": "After a burst all is freed, and the process idles: what does it keep?",
                           "operation": "a burst, then light work"}
    files = _walk_launches(folder, names, works) | timelines
    columns = tuple(_column(folder, entry, journal) for entry in manifest["configurations"])
    cells = {}
    for column in columns:
        for work in works.values():
            # Read even where it has no say: a damaged file is told, not skipped.
            cell = _cell(folder, column, work, files.get((column.name, work["name"]), {}), journal)
            if column.in_force:
                cells[column.name, work["name"]] = cell
    cells = _one_allocator(cells, columns)
    for name in works:
        cells |= _agreeing([cell for (_, work), cell in cells.items() if work == name], manifest["baseline"])
    return Run(folder, manifest, journal.events, columns, tuple(works.values()), cells)


def read_manifest(folder):
    """manifest.json and its CRC-32."""
    name, manifest, crc32 = manifest_of(folder, "allocators")
    names = [entry["name"] for entry in manifest["configurations"]]
    works = [entry["name"] for entry in manifest["workloads"]]
    for key, found in (("configurations", names), ("workloads", works)):
        if len(set(found)) != len(found):
            raise Refused(name, key, f"{next(one for one in found if found.count(one) > 1)} is there twice")
    if TIMELINE in works:
        raise Refused(name, "workloads", f"{TIMELINE} is no name for one")
    for key in ("baseline", "again"):
        if manifest[key] is not None and manifest[key] not in names:
            raise Refused(name, key, f"{manifest[key]} is not one of the configurations")
    return strict_json.printable(manifest), crc32


# ---- What is in the folder

def _walk_launches(folder, names, works):
    found = {}
    for path in _of_configurations(folder / "launches", names):
        for work in entries(path):
            if work.name not in works:
                raise Refused(work, "a workload that manifest.json does not name")
            found[path.name, work.name] = numbered(work)
    return found


def _walk_timelines(folder, names):
    return {(path.name, TIMELINE): numbered(path) for path in _of_configurations(folder / "timelines", names)}


def _of_configurations(folder, names):
    found = entries(folder)
    for path in found:
        if path.name not in names:
            raise Refused(path, "a configuration that manifest.json does not name")
    return found


def _column(folder, entry, journal):
    name, path = entry["name"], folder / "provenance" / f"{entry['name']}.json"
    provenance = None
    if path.exists():
        crc32 = journal.finished("provenance", name, TIMELINE)
        provenance = strict_json.printable(
            checked(path, "provenance", {"configuration": name}, next(iter(crc32.values()), None)))
    elif journal.finished("provenance", name, TIMELINE):
        raise Refused(path, "missing, though the journal says that it was finished")
    probe = journal.failure_in("provenance", name, TIMELINE)
    if entry["state"] != "ready":
        state, reason = entry["state"], entry["why"] or "no reason is given"
    elif probe and probe["reason"] != "not in force":
        state, reason = "failed", f"{probe['reason']}: {probe['detail']}"
    elif probe or (provenance and not provenance["in_force"]):
        state = "not in force"
        reason = (provenance or {}).get("reason") or (probe or {}).get("detail") or "no reason is given"
    elif provenance is None:
        state, reason = "not probed", "nothing shows what was in force"
    else:
        state, reason = IN_FORCE, None
    return Column(name, entry, provenance, state, reason and one_line(reason))


def _cell(folder, column, work, files, journal):
    place = "timelines" if work["kind"] == TIMELINE else "launches"
    directory = folder / place / column.name / ("" if work["kind"] == TIMELINE else work["name"])
    finished = journal.finished(place, column.name, work["name"])
    must_have(finished, files, directory)
    launches = {number: _launch(path, column.name, work, number, finished.get(number))
                for number, path in sorted(files.items())}
    failure = journal.failure_in(place, column.name, work["name"])
    if failure:
        state = "not in force" if failure["reason"] == "not in force" else "failed"
        return Cell(column.name, work["name"], {}, state, _words(failure))
    if not launches:
        return Cell(column.name, work["name"], {}, "missing", "no launch is finished")
    return Cell(column.name, work["name"], launches, "measured", None, journal.lost_launches(column.name, work["name"]))


def _words(failure):
    detail = one_line(failure["detail"])
    return detail if failure["reason"] == "not in force" else f"{failure['reason']}: {detail}"


def _launch(path, configuration, work, number, crc32):
    kind = KINDS[work["kind"]]
    identity = {"configuration": configuration, "launch": number}
    document = checked(path, kind, identity | ({} if kind == "timeline" else {"workload": work["name"]}), crc32)
    {"workload": _check_workload, "workload-pair": _check_pair, "program": _check_program,
     "timeline": _check_timeline}[kind](document, work, path)
    return document


def _check_workload(document, work, path):
    if min(document["chunks_ns"]) < 1:
        raise Refused(path, "chunks_ns", "a chunk that took no time")
    _check_readings(document, "chunks_ns", "", path)
    memory = document["memory"]
    for least, most in (("start_rss_b", "peak_rss_b"), ("start_mapped_b", "peak_mapped_b")):
        if memory[least] > memory[most]:
            raise Refused(path, f"memory.{most}", f"{memory[most]} is less than {least}, {memory[least]}")
    latency = document["latency"]
    order = ("p50_ns", "p90_ns", "p99_ns", "p999_ns", "max_ns")
    for low, high in zip(order, order[1:]):
        if latency[low] > latency[high]:
            raise Refused(path, f"latency.{high}", f"{latency[high]} is less than {low}, {latency[low]}")


def _check_readings(owner, measured, where, path):
    if len(owner["sensor_ns"]) != len(owner[measured]):
        raise Refused(path, f"{where}sensor_ns",
                      f"{len(owner['sensor_ns'])} long, where {measured} is {len(owner[measured])}")


def _check_pair(document, work, path):
    sizes = [row["size"] for row in document["rows"]]
    if work["sizes"] is not None and sizes != work["sizes"]:
        raise Refused(path, "rows", f"sizes {sizes}, where manifest.json has {work['sizes']}")
    for i, row in enumerate(document["rows"]):
        _check_readings(row, "layouts", f"rows[{i}].", path)
        for side in ("value_ns", "pointer_ns"):
            want = len(row["layouts"]) * row["rounds_per_block"]
            if len(row[side]) != want:
                raise Refused(path, f"rows[{i}].{side}", f"{len(row[side])} long, where the blocks have {want} rounds")


def _check_program(document, work, path):
    if document["memory"]["retained_rss_b"] > document["memory"]["peak_rss_b"]:
        raise Refused(path, "memory.retained_rss_b", "more than the peak")


def _check_timeline(document, work, path):
    times = document["t_ms"]
    if len(document["rss_b"]) != len(times):
        raise Refused(path, "rss_b", f"{len(document['rss_b'])} long, where t_ms is {len(times)}")
    if any(b < a for a, b in zip(times, times[1:])):
        raise Refused(path, "t_ms", "time runs backwards")


# ---- What only shows between files

def _identity(found):
    """Which allocator a process says it had: its file, and a CRC-32 over what it says of its settings."""
    return found["library"], found["settings"]


def _one_allocator(cells, columns):
    """The cells, without those where a child had another allocator, or other settings, than its probe."""
    checked = dict(cells)
    for column in columns:
        mine = [cell for (name, _), cell in cells.items() if name == column.name and cell.launches]
        if not mine:
            continue
        library, probed = _identity(column.provenance["identity"])
        for cell in mine:
            for number, document in cell.launches.items():
                file, settings = _identity(document["in_force"])
                why = (f"its malloc is of {file}, the probe's of {library}" if file != library else
                       "its settings are not those of the probe" if settings != probed else None)
                if why:
                    checked[column.name, cell.workload] = Cell(column.name, cell.workload, {}, "not in force",
                                                               one_line(f"launch {number}: {why}"))
                    break
    return checked


def _agreeing(cells, baseline):
    """The cells of a workload, without those whose checksum of a launch is not what most others found."""
    wrong = {}
    for number in sorted({number for cell in cells for number in cell.launches}):
        sums = {cell.configuration: cell.launches[number].get("checksum") for cell in cells if number in cell.launches}
        votes = Counter(sums.values())
        most = max(votes.values())
        right = {text for text, n in votes.items() if n == most}
        if len(right) > 1:  # a draw: the baseline is right, by definition
            right = {sums[baseline]} if sums.get(baseline) in right else set()
        for name, text in sums.items():
            if text not in right:
                wrong.setdefault(name, f"disagreement: the checksum of launch {number} is {text}, most others have "
                                       f"{next(iter(right), 'no common one')}")
    return {(cell.configuration, cell.workload): Cell(cell.configuration, cell.workload, {}, "failed",
                                                      one_line(wrong[cell.configuration]))
            if cell.configuration in wrong else cell for cell in cells}
