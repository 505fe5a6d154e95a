# SPDX-License-Identifier: MIT
"""Hold a run folder against its schema: a line for each fault, exit status 2 if there is one. In a sound folder, a line
for each row whose counts are not those that its pair declares: exit status 1.

Each file by itself is held against its JSON Schema, with every fault told; a folder whose files are sound is then
loaded, under each of its configurations, for what only shows between files."""

import sys
from pathlib import Path

from plots.files import allocator_run, bench_format, declared, launches_csv, strict_json
from plots.files.allocator_run import is_of_allocators
from plots.files.pair_run import load, read_manifest
from plots.files.published import is_published
from plots.gc import runs
from plots.judge.tidy import disagreements
from plots.program.errors import Refused, one_line

KINDS = {"launches": "launch", "counts": "counts", "solo": "solo"}


def check(folder):
    """(how many files were looked at, the faults as lines)."""
    folder = Path(folder)
    files, faults = 0, []
    of_allocators, of_collectors = is_of_allocators(folder), runs.is_of_collectors(folder)
    for path, kind in (runs.files if of_collectors else _files_of_allocators if of_allocators else _files)(folder):
        files += 1
        try:
            faults += [f"{path}: {key + ': ' if key else ''}{why}" for key, why in _file(path, kind)]
        except Refused as refused:
            faults.append(str(refused))
    if not faults and of_collectors:
        faults = _loaded(runs.load, folder)
    elif not faults and is_published(folder):
        faults = [] if of_allocators else _published(folder)
    elif not faults:
        faults = _loaded(allocator_run.load, folder) if of_allocators else _whole(folder)
    return files, faults


def _files(folder):
    if (folder / "manifest.json").exists():
        yield folder / "manifest.json", "run"
    for name, kind in (("journal.jsonl", "journal"), ("counters.json", "counters"), ("allocations.json", "allocations"),
                       ("summary.json", "summary"),
                       ("bench.txt", "bench"), ("launches.csv", "launches"), ("launches.csv.gz", "launches"),
                       ("go/go.json", "go"), ("go/bench.txt", "bench")):
        if (folder / name).exists():
            yield folder / name, kind
    for name, kind in KINDS.items():
        for path in sorted((folder / name).glob("*/*/*/*.json")):
            yield path, kind


def _files_of_allocators(folder):
    yield folder / "manifest.json", "allocators"
    for name, kind in (("journal.jsonl", "journal"), ("summary.json", "allocators-summary")):
        if (folder / name).exists():
            yield folder / name, kind
    for pattern, kind in (("provenance/*.json", "provenance"), ("launches/*/*/*.json", "workload"),
                          ("timelines/*/*.json", "timeline")):
        for path in sorted(folder.glob(pattern)):
            name = path.parent.name
            yield path, ("workload-pair" if kind == "workload" and name.startswith("pair_") else
                         "program" if kind == "workload" and name.startswith("program_") else kind)


def _file(path, kind):
    if kind == "launches":
        manifest, _ = read_manifest(path.parent)
        launches_csv.read(path, [f"{row['pair']}/size={row['size']}" for row in manifest["rows"]])
        return []
    raw = strict_json.read_bytes(path)
    if kind == "bench":
        try:
            bench_format.read(raw.decode("utf-8"))
        except (bench_format.Malformed, UnicodeDecodeError) as error:
            return [("", str(error))]
        return []
    if kind == "journal":  # its lines and what they must add up to are the loader's business
        return list(_journal(raw, path))
    document = strict_json.parse(raw, path)
    if kind != "solo":
        strict_json.check_version(document, kind, path)
    faults = strict_json.faults(document, kind)
    return faults or ([*_outside(document)] if kind == "summary" else [])


def _outside(summary):
    """Rows whose ratio lies outside of its spread without a reason. Older runs give none, and are let be."""
    for number, row in enumerate(summary["rows"]):
        spread = row.get("spread")
        if spread and row.get("outside_spread", "older") is None and "paired" not in row:
            if not spread["p10"] <= row["ratio"]["estimate"] <= spread["p90"]:
                yield f"rows[{number}].ratio", "lies outside of its spread, and no reason is given"


def _journal(raw, path):
    for number, line in enumerate(raw.split(b"\n"), start=1):
        try:
            event = strict_json.parse(line, path, number) if line.strip() else None
        except Refused:
            continue  # a cut line; the loader knows where one is allowed
        if event is not None:
            yield from ((f"line {number}" + (f": {key}" if key else ""), why)
                        for key, why in strict_json.faults(event, "journal"))


def _loaded(load_run, folder):
    try:
        load_run(folder)
    except Refused as refused:
        return [str(refused)]
    return []


def _published(folder):
    """The judgements of a published run, held to its launches."""
    try:
        return [f"{folder / 'summary.json'}: {why}" for why in disagreements(load(folder))]
    except Refused as refused:
        return [str(refused)]


def _whole(folder):
    try:
        manifest, _ = read_manifest(folder)
        for configuration in manifest["configurations"]:
            load(folder, configuration["name"])
    except Refused as refused:
        return [str(refused)]
    return []


def broken(folder):
    """A line for each row that allocates otherwise than its pair declares."""
    manifest, _ = read_manifest(folder)
    return [f"{folder}: {row.name}: {row.failed['reason']}: {row.failed['detail']}"
            for configuration in manifest["configurations"] for row in load(folder, configuration["name"]).rows
            if row.failed and row.failed["reason"] == declared.REASON]


def add_arguments(parser):
    parser.add_argument("run", metavar="RUN", type=Path, help="a run folder")


def main(args):
    files, faults = check(args.run)
    for fault in faults:
        print(f"ampersand: {one_line(fault)}", file=sys.stderr)
    if faults:
        return 2
    published = is_published(args.run)
    more = "; a published run, whose raw rounds are not here to be held to it" if published else ""
    print(f"{args.run}: {files} files follow their schemas{more}")
    of_pairs = not is_of_allocators(args.run) and not runs.is_of_collectors(args.run)
    breaches = broken(args.run) if of_pairs and not published else []
    for breach in breaches:
        print(f"ampersand: {one_line(breach)}", file=sys.stderr)
    return 1 if breaches else 0
