# SPDX-License-Identifier: MIT
"""The same lessons in Go: read what `go test` printed into RUN/go, write go.json, print it beside C's.

    go/version.txt    go version
    go/bench.txt      go test -bench . -benchmem
    go/escapes.txt    go test -c -gcflags=-m: what the compiler says of every variable
    go/go.json        made here

Go's times are each side alone, one binary, no layouts: to be read roughly. Its allocations are exact."""

import json
import re
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path

from plots.files import bench_format, records, strict_json
from plots.judge import tidy
from plots.judge.numbers import short
from plots.program.errors import Refused
from plots.words import quantity, screen
from plots.words.pair_sentences import summarize
from plots.words.table import Column, Table

FOLDER = "go"
TEACHING = "teaching"


@dataclass(frozen=True)
class Case:
    """What Go's first teachers of escape analysis measured, and why a newer compiler may do better."""
    published_b: int
    published_allocs: int
    better: str


@dataclass(frozen=True)
class Side:
    """Medians over the runs, of counts as well: they can differ, because Go's own runtime allocates."""
    runs: int
    ns_per_op: float | None
    b_per_op: int | None
    allocs_per_op: int | None


@dataclass(frozen=True)
class Row:
    row: str
    pair: str
    size: int
    value: Side | None
    pointer: Side | None


@dataclass(frozen=True)
class Taught:
    """A Case as it is measured here; what a Side has, too."""
    case: str
    runs: int
    ns_per_op: float | None
    b_per_op: int | None
    allocs_per_op: int | None
    published_b_per_op: int | None
    published_allocs_per_op: int | None
    holds: bool | None
    explanation: str | None
    compiler_says: tuple[str, ...]


@dataclass(frozen=True)
class Document:
    schema: str
    version: str
    rows: tuple[Row, ...]
    teaching: tuple[Taught, ...]


CASES = {
    "indirect_assignment": Case(8, 1, "the compiler follows the pointer through the struct's address, too"),
    "function_value": Case(16, 2, "a literal that is called where it stands, and a variable that is set once, are "
                                  "calls of known functions: they are inlined, and their pointers do not escape"),
    "function_value_unknown": Case(16, 2, "both variables still escape, but a compiler that allocates small variables "
                                          "that escape together in one piece asks for fewer"),
    "container_store": Case(16, 2, "the map or the slice is seen not to outlive the function, nor what it points to"),
    "interface": Case(64, 4, "the type in the interface is known where it is called, so the call is made directly "
                             "(devirtualized) and inlined, and nothing escapes"),
    "interface_unknown": Case(64, 4, "the callee's parameter is seen not to escape"),
    "buffer": Case(112, 1, "a bytes.Buffer held a first array of 64 B in itself then, and pointed to it, so all 112 B "
                           "of it escaped; now it stays in the frame, and only its first 64 B are allocated"),
}


def read(folder):
    """The Document from the three texts; Refused where one is missing or damaged."""
    folder = Path(folder)
    texts = {name: strict_json.read_bytes(folder / f"{name}.txt").decode("utf-8", "replace")
             for name in ("version", "bench", "escapes")}
    try:
        lines, _ = bench_format.read(texts["bench"])
    except bench_format.Malformed as error:
        raise Refused(folder / "bench.txt", error) from None
    version = re.search(r"\bgo\d\S*.*", texts["version"])
    if not version:
        raise Refused(folder / "version.txt", "not what `go version` prints")
    measured = {}
    for line in lines:
        name = re.sub(r"-\d+$", "", line.name)  # the number of processors
        measured.setdefault(name[:1].lower() + name[1:], []).append(line)
    rows, teaching = {}, []
    for name, runs in measured.items():
        found = re.fullmatch(r"(\w+)/size=(\d+)/side=(value|pointer)", name)
        if found:
            rows.setdefault((found[1], int(found[2])), {})[found[3]] = Side(*_medians(runs))
        elif name.startswith(f"{TEACHING}_"):
            says = said_of(len(teaching), texts["escapes"])  # the benchmarks stand in the order of their file
            teaching.append(_taught(name.removeprefix(f"{TEACHING}_"), _medians(runs), says))
    if not rows and not teaching:
        raise Refused(folder / "bench.txt", "holds no benchmark of ours")
    return Document("ampersand/go/1", version[0].strip(), tuple(
        Row(f"{pair}/size={size}", pair, size, both.get("value"), both.get("pointer"))
        for (pair, size), both in rows.items()), tuple(teaching))


def _medians(runs):
    """Of a Side."""
    def median(unit):
        numbers = [run.values[unit] for run in runs if unit in run.values]
        return short(statistics.median(numbers)) if numbers else None
    whole = [None if median(unit) is None else round(median(unit)) for unit in ("B/op", "allocs/op")]
    return len(runs), median("ns/op"), *whole


def _taught(name, side, says):
    case = CASES.get(name)
    if not case:
        return Taught(name, *side, None, None, None, None, tuple(says))
    holds = side[2:] == (case.published_b, case.published_allocs)
    return Taught(name, *side, case.published_b, case.published_allocs, holds,
                  "as published" if holds else case.better, tuple(says))


def said_of(index, escapes):
    """What `-gcflags=-m` says of the lines of the index-th case: of what moves, escapes, is inlined or devirtualized.
    Where a case begins the compiler notes that its b does not escape; another function's note ends it."""
    notes = sorted({(int(found[1]), found[2]) for found in
                    re.finditer(r"^\S*teaching_test\.go:(\d+):\d+: (.*)$", escapes, re.M)})
    begins = [line for line, text in notes if text == "b does not escape"]
    if index >= len(begins):
        return []
    others = [line for line, text in notes if line not in begins and
              re.match(r"can(not)? inline (?!Benchmark)|leaking param", text)]
    begin = begins[index]
    end = min((line for line in begins + others if line > begin and line not in _literals(notes)), default=1 << 30)
    return list(dict.fromkeys(text for line, text in notes if begin <= line < end and re.match(
        r"moved to heap|inlining call|devirtualizing|.* escapes to heap|.*\{.*\} does not escape", text)))


def _literals(notes):
    """Lines of function literals and variables within a case, whose notes end nothing."""
    return {line for line, text in notes if re.match(r"can inline Benchmark\w+\.func\d", text)} | {
        line for line, text in notes if re.match(r"inlining call to|devirtualizing", text)}


def made(run):
    """The document of a run, or None where it has none."""
    path = Path(run) / FOLDER / "go.json"
    if not path.exists():
        return None
    return records.read(Document, strict_json.printable(strict_json.load(path, "go")))


# ---- Beside C

SIDES = ("value", "pointer")


def beside(document, summary):
    """The Table of every row that either side of Go has, "-" where C or Go has none."""
    mine = {row.row: row for row in summary.rows}

    def time_in_c(row, side):
        time = row.row in mine and mine[row.row].ns_per_op(side)
        return time.estimate if time else None

    def count_in_c(row, side):
        counts = row.row in mine and mine[row.row].counted(side)
        return counts.allocs_per_op if counts else None

    def in_go(key):
        return lambda row, side: getattr(getattr(row, side), key, None)
    columns = [Column("pair", lambda row: row.pair, "pair", words=True), Column("size", lambda row: row.size, "size")]
    for unit, show, in_c, of_go in (("ns/op", quantity.time_ns, time_in_c, in_go("ns_per_op")),
                                    ("allocs/op", quantity.count, count_in_c, in_go("allocs_per_op"))):
        columns += [_column(f"{language} {side}", side, unit, show, get)
                    for language, get in (("C", in_c), ("Go", of_go)) for side in SIDES]
    return Table(tuple(columns), document.rows, title=f"The same lessons in Go ({document.version})",
                 note="Each side alone, in one binary.")


def _column(name, side, unit, show, get):
    return Column(f"{name} {unit}", lambda row: get(row, side), f"{name} {unit}", lambda row: show(get(row, side)),
                  short=name, group=unit)


def teaching(document, says=False):
    """The Table of the cases; `says`: with the words of Go's compiler."""
    def counts(prefix):
        return lambda case: " / ".join(quantity.count(getattr(case, f"{prefix}{key}_per_op"))
                                       for key in ("b", "allocs"))

    def why(case):
        said = f". The compiler: {'; '.join(case.compiler_says)}" if says and case.compiler_says else ""
        return (case.explanation or quantity.NONE) + said
    return Table((Column("case", lambda case: case.case, "case", words=True),
                  Column(title="measured B/op / allocs/op", text=counts("")),
                  Column(title="published", text=counts("published_")),
                  Column("why", lambda case: case.explanation, "why", why, words=True)),
                 document.teaching, title="What escapes to the heap in Go")


def table(document, summary, on=screen.PIPE):
    tables = [beside(document, summary)] + ([teaching(document)] if document.teaching else [])
    return "".join("\n" + "\n".join(one.terminal(on)) + "\n" for one in tables)


def add_arguments(parser):
    parser.add_argument("run", metavar="RUN", type=Path, help="a run folder with what `go test` printed in its go/")
    parser.add_argument("--quiet", action="store_true", help="write go.json and print nothing")


def main(args):
    document = read(args.run / FOLDER)
    text = json.dumps(records.write(document), indent=1, allow_nan=False)
    strict_json.write_whole(args.run / FOLDER / "go.json", f"{text}\n")
    if not args.quiet:
        print(table(document, summarize(tidy.load(args.run))[0], screen.of(sys.stdout)), end="")
    return 0
