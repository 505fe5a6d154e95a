# SPDX-License-Identifier: MIT
"""Load a run folder into numpy arrays, or refuse it in one line.

    run = load("runs/today")
    for row in run.rows:
        for launch in row.launches:
            launch.value_ns          # raw epochs, [block][round], the clock's cost still in; 0 = leave the round out

Everything is checked before anything is computed: a figure from a damaged file looks like any other figure.
Small files are held against their JSON Schema; launches, of which there are thousands, by hand and by numpy.
Where the journal keeps a file's CRC-32, a single changed digit is found too."""

from array import array
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from plots.files import allocated, counters, declared, launches_csv, published, strict_json
from plots.files.quiet import is_quiet
from plots.files.run_folder import (check_identity, entries, journal_of, manifest_of, must_have, numbered,
                                    read_unchanged)
from plots.program import at_once
from plots.program.errors import Refused

LARGEST_NS = 1 << 53  # 104 days: beyond it, a double is no longer exact


@dataclass(frozen=True)
class Launch:
    """One paired launch. Arrays are in the order of measurement."""

    number: int
    ops: int  # in each epoch, of either side
    clock_cost_ns: float
    layouts: np.ndarray  # [block][value, pointer]
    stack_shift_b: np.ndarray  # [block]
    value_ns: np.ndarray  # [block][round]
    pointer_ns: np.ndarray
    quiet: np.ndarray  # [block], whether nothing else was on the core, by harness/measure/sensor.h
    zero_rounds: int
    facts: dict = field(repr=False)  # the file's other keys


@dataclass(frozen=True)
class Counts:
    """One counting launch; totals over `ops` operations, or why there are none."""

    number: int
    ops: int
    value: dict | None
    pointer: dict | None
    refused: str | None


@dataclass(frozen=True)
class Row:
    pair: str
    size: int
    lesson: str
    question: str
    threads: int
    declared: dict  # the manifest's entry
    launches: tuple  # of Launch; of a published run, or if only that was to be kept, launches_csv.Tidy
    counts: tuple[Counts, ...]
    solo: tuple  # Google Benchmark's own JSON; of a published run launches_csv.Alone
    failed: dict | None  # {"kind", "reason", "detail"} of the journal
    lost: int  # launches whose child ended badly twice, and that the row goes on without

    @property
    def name(self):
        return f"{self.pair}/size={self.size}"


@dataclass(frozen=True)
class Run:
    folder: Path
    manifest: dict
    journal: tuple[dict, ...]  # empty: published
    configuration: str
    rows: tuple[Row, ...]
    counters: counters.Counted | None
    allocated: allocated.Allocated | None
    published: dict | None = None  # its summary.json, where that is all that says what was judged

    def row(self, name):
        return next((row for row in self.rows if row.name == name), None)

    @property
    def quick(self):
        return self.manifest["quick"]


def load(folder, configuration=None, shrink=None):
    """The run in `folder` under one of its configurations, the first unless named. Raises Refused.

    `shrink`: from a Row to the Row that is kept, where the caller does not need all: then the rows are read by several
    processes at once, each of which sends back only that."""
    folder = Path(folder)
    manifest, manifest_crc32 = read_manifest(folder)
    names = [entry["name"] for entry in manifest["configurations"]]
    configuration = configuration or names[0]
    if configuration not in names:
        raise Refused(configuration, f"no configuration of this run; there are: {', '.join(names)}")
    if published.is_published(folder):
        return _load_published(folder, manifest, configuration)
    entries_of = {f"{row['pair']}/size={row['size']}": row for row in manifest["rows"]}
    journal = journal_of(folder, manifest_crc32, set(entries_of), set(names))
    found = {kind: _walk(folder, kind, names, entries_of) for kind in ("launches", "counts", "solo")}

    def row_of(entry):
        row = _load_row(folder, entry, manifest, configuration, journal, found)
        return shrink(row) if shrink else row
    rows = tuple(at_once.each(manifest["rows"], row_of, processes=None if shrink else 1))
    return Run(folder, manifest, journal.events, configuration, rows, counters.load(folder),
               allocated.load(folder))


def _load_published(folder, manifest, configuration):
    """A run of which only the judgements and a number for each launch and layout are here."""
    summary = published.summary(folder, configuration)
    judged = {row["row"]: row for row in summary["rows"]}
    names, table = [f"{row['pair']}/size={row['size']}" for row in manifest["rows"]], published.table(folder)
    tables = launches_csv.read(table, names) if table else dict.fromkeys(names, launches_csv.Of())
    rows = []
    for entry, name in zip(manifest["rows"], names):
        if name not in judged:
            raise Refused(folder / "summary.json", f"no row {name}, which manifest.json has")
        rows.append(Row(entry["pair"], entry["size"], entry["lesson"], entry["question"], entry["threads"], entry,
                        tables[name].paired, (), tables[name].solo, judged[name]["failed"],
                        judged[name].get("lost", 0)))
    return Run(folder, manifest, (), configuration, tuple(rows), None, allocated.load(folder), summary)


def read_manifest(folder):
    """manifest.json of a run folder, and its CRC-32."""
    name, manifest, crc32 = manifest_of(folder, "run")
    _check_manifest(manifest, name)
    return manifest, crc32


def _check_manifest(manifest, name):
    """What a schema cannot say."""
    seen = set()
    for i, row in enumerate(manifest["rows"]):
        if (row["pair"], row["size"]) in seen:
            raise Refused(name, f"rows[{i}]", f"{row['pair']}/size={row['size']} is there twice")
        seen.add((row["pair"], row["size"]))
        if row["lesson"] not in manifest["layouts"]:
            raise Refused(name, f"rows[{i}].lesson", f"{row['lesson']} has no table under layouts")
    names = [entry["name"] for entry in manifest["configurations"]]
    if len(set(names)) != len(names):
        raise Refused(name, "configurations", "two of the same name")
    for lesson, table in manifest["layouts"].items():
        for i, unit in enumerate(table["units"]):
            for function, offsets in unit["offsets"].items():
                if len(offsets) != table["n"]:
                    raise Refused(name, f"layouts.{lesson}.units[{i}].offsets.{function}",
                                  f"{len(offsets)} offsets for {table['n']} layouts")


def unit_of(table, row):
    """The unit of a lesson's table of layouts that holds the row `pair/size=n`, complete."""
    where = f"manifest.json: layouts.{table['lesson']}"
    unit = next((unit for unit in table["units"] if row in unit["rows"]), None)
    if unit is None:
        raise Refused(f"{where}: no unit holds the row {row}")
    for function in unit["value"] + unit["pointer"]:
        if len(unit["offsets"].get(function, ())) != table["n"]:
            raise Refused(f"{where}: {function} has no {table['n']} offsets")
    return unit


def _walk(folder, kind, configurations, declared):
    """{(configuration, row): {launch: path}} of launches/, counts/ or solo/; a file out of place is refused."""
    found = {}
    for path in entries(folder / kind):
        if path.name not in configurations:
            raise Refused(path, "a configuration that manifest.json does not name")
        for pair in entries(path):
            for size in entries(pair):
                row = f"{pair.name}/{size.name}"
                if row not in declared:
                    raise Refused(size, "a row that manifest.json does not have")
                found[path.name, row] = numbered(size)
    return found


def _load_row(folder, entry, manifest, configuration, journal, found):
    name = f"{entry['pair']}/size={entry['size']}"
    n_layouts = manifest["layouts"][entry["lesson"]]["n"]
    identity = {"pair": entry["pair"], "size": entry["size"], "configuration": configuration}
    read = {"launches": lambda doc, path: _launch(doc, path, n_layouts), "counts": _counts,
            "solo": lambda doc, path: _solo(doc, path, name)}
    loaded = {}
    for kind, files in found.items():
        mine = files.get((configuration, name), {})
        journalled = journal.finished(kind, configuration, name)
        must_have(journalled, mine, folder / kind / configuration / name)
        loaded[kind] = tuple(read[kind](_document(path, kind, identity | {"launch": number}, journalled.get(number)),
                                        path) for number, path in sorted(mine.items()))
    _same_layouts(loaded["launches"], folder / "launches" / configuration / name)
    return Row(entry["pair"], entry["size"], entry["lesson"], entry["question"], entry["threads"], entry,
               loaded["launches"], loaded["counts"], loaded["solo"],
               journal.failure(configuration, name) or declared.failure(loaded["counts"], entry),
               journal.lost_launches(configuration, name))


def _document(path, kind, identity, crc32):
    raw, document = read_unchanged(path, crc32)
    if kind == "solo":  # Google Benchmark's own file knows nothing of ours
        return document
    strict_json.check_version(document, {"launches": "launch"}.get(kind, kind), path)
    check_identity(document, identity, path)
    if kind == "launches" and (b"true" in raw or b"false" in raw):
        _no_booleans(document, path)
    return document


_LAUNCH_INTEGERS = {"seed": None, "cpu": -1, "stack_offset_b": 0, "environment_padding_b": 0, "epoch_ns": 1,
                    "quiet_ns": 1, "ops": 1,
                    "warmup_ops": 0, "rounds_per_block": 1, "zero_rounds": 0, "page_faults": 0,
                    "involuntary_switches": 0}


def _launch(document, path, n_layouts):
    _check_launch_scalars(document, path)
    blocks = document.get("blocks")
    if not isinstance(blocks, dict):
        raise Refused(path, "blocks", "missing")
    layouts = [integers(blocks, key, path, "blocks.") for key in ("value_layout", "pointer_layout")]
    shifts, readings = (integers(blocks, key, path, "blocks.") for key in ("stack_shift_b", "sensor_ns"))
    n, rounds = len(layouts[0]), document["rounds_per_block"]
    if n == 0:
        raise Refused(path, "blocks.value_layout", "empty")
    for key, numbers in (("pointer_layout", layouts[1]), ("stack_shift_b", shifts), ("sensor_ns", readings)):
        if len(numbers) != n:
            raise Refused(path, f"blocks.{key}", f"{len(numbers)} long, where value_layout is {n}")
    for key, numbers in zip(("value_layout", "pointer_layout"), layouts):
        if numbers.max() >= n_layouts:
            raise Refused(path, f"blocks.{key}", f"layout {numbers.max()}, where the lesson has {n_layouts}")
    sides = []
    for key in ("value_ns", "pointer_ns"):
        ns = integers(document, key, path)
        if len(ns) != n * rounds:
            raise Refused(path, key, f"{len(ns)} long, where {n} blocks of {rounds} rounds are {n * rounds}")
        sides.append(ns.reshape(n, rounds))
    zero_rounds = 0
    if not (sides[0].all() and sides[1].all()):
        zero_rounds = int(((sides[0] == 0) | (sides[1] == 0)).sum())
    if zero_rounds != document["zero_rounds"]:
        raise Refused(path, "zero_rounds", f"{document['zero_rounds']}, where {zero_rounds} rounds have a 0")
    facts = {key: value for key, value in document.items() if key not in ("value_ns", "pointer_ns", "blocks")}
    return Launch(document["launch"], document["ops"], float(document["clock"]["cost_ns"]), np.stack(layouts, axis=1),
                  shifts, sides[0], sides[1], is_quiet(readings, document["quiet_ns"]), zero_rounds, facts)


def _check_launch_scalars(document, path):
    for key, least in _LAUNCH_INTEGERS.items():
        value = document.get(key)
        if type(value) is not int or (least is not None and value < least):
            raise Refused(path, key, wrong_scalar(document, key, "an integer", least))
    clock = document.get("clock")
    for key in ("cost_ns", "resolution_ns"):
        value = clock.get(key) if isinstance(clock, dict) else None
        if type(value) not in (int, float) or not 0 <= value < LARGEST_NS:
            raise Refused(path, f"clock.{key}", wrong_scalar(clock, key, "a number", 0))
    if type(document.get("seconds")) not in (int, float) or document["seconds"] < 0:
        raise Refused(path, "seconds", wrong_scalar(document, "seconds", "a number", 0))


def wrong_scalar(holder, key, kind, least):
    if not isinstance(holder, dict) or key not in holder:
        return "missing"
    return f"{holder[key]!r} is not {kind}" + ("" if least is None else f" of at least {least}")


def integers(holder, key, path, prefix=""):
    """A list of integers of at least 0, as an array."""
    values = holder.get(key)
    if not isinstance(values, list):
        raise Refused(path, prefix + key, "missing" if key not in holder else "not a list")
    if not values:
        return np.zeros(0, np.int64)
    try:
        numbers = np.frombuffer(array("q", values), np.int64)  # refuses 1.5, "1", null and what is too large, fast
    except (TypeError, OverflowError):
        i = next(i for i, value in enumerate(values) if type(value) is not int or abs(value) >= 1 << 63)
        raise Refused(path, f"{prefix}{key}[{i}]", f"{values[i]!r} is not an integer that a clock can give") from None
    if numbers.min() < 0 or numbers.max() >= LARGEST_NS:
        i = int(((numbers < 0) | (numbers >= LARGEST_NS)).argmax())
        why = "negative" if values[i] < 0 else "beyond any epoch"
        raise Refused(path, f"{prefix}{key}[{i}]", f"{values[i]} is {why}")
    return numbers


def _no_booleans(document, path):
    """What array() takes for 1 and 0. Looked for only where the text has the words at all."""
    for holder in (document, document.get("blocks"), document.get("clock")):
        for key, value in holder.items() if isinstance(holder, dict) else ():
            if value is True or value is False or (isinstance(value, list) and bool in set(map(type, value))):
                raise Refused(path, key, "true or false, where a number belongs")


_COUNTED = ("allocs", "frees", "asked_b", "granted_b", "peak_b")


def _counts(document, path):
    if type(document.get("ops")) is not int or document["ops"] < 1:
        raise Refused(path, "ops", wrong_scalar(document, "ops", "an integer", 1))
    refused = document.get("refused")
    if refused is not None and not isinstance(refused, str):
        raise Refused(path, "refused", "not a reason in words")
    for side in ("value", "pointer"):
        counted = document.get(side)
        if counted is None and refused is None:
            raise Refused(path, side, "no counts, and no reason under \"refused\"")
        if counted is not None:
            _check_side(counted, side, path)
    return Counts(document["launch"], document["ops"], document.get("value"), document.get("pointer"), refused)


def _check_side(counted, side, path):
    if not isinstance(counted, dict):
        raise Refused(path, side, "not an object")
    for key in _COUNTED:
        if type(counted.get(key)) is not int or counted[key] < 0:
            raise Refused(path, f"{side}.{key}", wrong_scalar(counted, key, "an integer", 0))
    for key in ("stack_reserved_b", "stack_touched_b"):  # of newer runs, where they can be had
        if counted.get(key) is not None and (type(counted[key]) is not int or counted[key] < 0):
            raise Refused(path, f"{side}.{key}", wrong_scalar(counted, key, "an integer", 0))
    classes = counted.get("classes")
    if not isinstance(classes, list) or not all(
            isinstance(one, dict) and type(one.get("class_b")) is int and type(one.get("allocs")) is int
            and one["class_b"] > 0 and one["allocs"] >= 0 for one in classes):
        raise Refused(path, f"{side}.classes", "not a list of { class_b, allocs }")


def _solo(document, path, row):
    """Google Benchmark's own JSON: only what is needed to take it for this row's."""
    if not isinstance(document, dict) or not isinstance(document.get("context"), dict):
        raise Refused(path, "context", "missing: not Google Benchmark's JSON")
    runs = document.get("benchmarks")
    if not isinstance(runs, list) or not all(isinstance(run, dict) for run in runs):
        raise Refused(path, "benchmarks", "not a list of runs")
    for i, run in enumerate(runs):
        if not str(run.get("name")).startswith(f"{row}/side="):
            raise Refused(path, f"benchmarks[{i}].name", f"{run.get('name')!r} in the file of {row}")
        time = run.get("real_time")
        if time is not None and (type(time) not in (int, float) or time < 0):
            raise Refused(path, f"benchmarks[{i}].real_time", f"{time!r} is not a time")
    return document


def _same_layouts(launches, folder):
    """Every launch measures the same layouts, each as often: else medians over launches compare unlike things."""
    reference = None
    for launch in launches:
        name = folder / f"{launch.number:03d}.json"
        if reference is None:
            times = np.unique(launch.layouts, axis=0, return_counts=True)[1]
            if (times != times[0]).any():
                raise Refused(name, "blocks", "some layouts were measured more often")
        identities = np.sort(launch.layouts[:, 0] << 32 | launch.layouts[:, 1])
        if reference is None:
            reference = identities
        elif not np.array_equal(identities, reference):
            raise Refused(name, "blocks", f"other layouts than in launch {launches[0].number}")
