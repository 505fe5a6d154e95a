# SPDX-License-Identifier: MIT
"""The same rows on several machines: what each says, whether they agree, and if not, which fact differs.

    same      every machine that decides a row decides it in the same way
    flips     value is faster on one machine, pointer on another
    differs   neither: one decides what another calls equal or leaves undecided
    alone     only one machine has the row

A fact is no proof of a cause: it is what differs between the two machines that disagree, the most telling first. That
is the ABI (another architecture passes other sizes in registers), the class of a copy (how the compiled code copies the
object: registers, moves, rep movs, a call), the cache that an object of this size fits into, the compiler."""

from dataclasses import dataclass

from plots.files import compiled
from plots.files.allocator_run import is_of_allocators
from plots.files.pair_run import load
from plots.judge import compare_facts
from plots.judge.comparison import Fact
from plots.judge.pair_summary import Estimate
from plots.judge.summary import summary_of
from plots.program.errors import Refused
from plots.words.overview_text import unit_of

DECIDED = ("value faster", "pointer faster")
# Settings that all shards of one run share.
ASKED = "launches", "epoch_ns", "rounds_per_block", "layouts", "precision", "threshold"


@dataclass(frozen=True)
class Part:
    """A run, judged; perhaps a shard of a larger one."""
    folder: object
    run: object
    summary: object

    @property
    def shard(self):
        return self.run.manifest.get("shard")

    @property
    def machine(self):
        return self.run.manifest["machine"]


@dataclass(frozen=True, kw_only=True)
class Machine:
    host: str | None
    cpu: str | None


@dataclass(frozen=True, kw_only=True)
class Cache:
    level: int
    size_b: int


@dataclass(frozen=True, kw_only=True)
class Column:
    """A run, or the shards of one."""
    name: str  # A, B, ...
    runs: tuple[str, ...]
    shards: int | None  # that the run was divided into
    missing: tuple[int, ...]  # of them
    machines: tuple[Machine, ...]
    arch: str | None
    compiled: str
    caches: tuple[Cache, ...]  # of data
    quick: bool


@dataclass(frozen=True, kw_only=True)
class Cell:
    verdict: str
    equal_within: float | None
    ratio: Estimate | None
    launches: int
    host: str | None


@dataclass(frozen=True, kw_only=True)
class Row:
    row: str
    state: str
    because: tuple[Fact, ...]  # what differs between the two that disagree most
    cells: tuple[Cell | None, ...]  # one a column


@dataclass(frozen=True, kw_only=True)
class Merged:
    """records.write() makes the JSON of it."""
    schema: str = "ampersand/merge/1"
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]


def merged(folders):
    parts = [_part(folder) for folder in folders]
    groups = _groups(parts)
    rows = {}
    for i, group in enumerate(groups):
        for part in group:
            for row in part.summary.rows:
                rows.setdefault(row.row, [None] * len(groups))
                rows[row.row][i] = rows[row.row][i] or (part, row)  # a floor is measured by every shard: the first
    return Merged(columns=tuple(_column(i, group) for i, group in enumerate(groups)),
                  rows=tuple(_row(name, cells) for name, cells in rows.items()))


def _part(folder):
    if is_of_allocators(folder):
        raise Refused(folder, "a run over allocator configurations: merge takes runs of bench")
    run = load(folder)
    return Part(folder, run, summary_of(run))


# ---- Columns

def _groups(parts):
    """Lists of parts, in the order in which they were given: shards of one run stand together."""
    groups = {}
    for number, part in enumerate(parts):
        key = ("run", number) if not part.shard else ("shards", part.run.manifest["seed"], part.shard["n"])
        groups.setdefault(key, []).append(part)
    for group in groups.values():
        _check(group)
    return list(groups.values())


def _check(group):
    """Refuse shards that cannot be of one run."""
    first = group[0]
    for i, part in enumerate(group[1:], 1):
        again = next((other for other in group[:i] if other.shard["k"] == part.shard["k"]), None)
        if again:
            raise Refused(part.folder, f"shard {part.shard['k']}/{part.shard['n']}, as {again.folder}: each only once")
        differing = [fact for fact, one, other in _build_facts(first, part) if one != other]
        if differing:
            raise Refused(part.folder, f"a shard of another build than {first.folder}: they differ in "
                          f"{', '.join(differing)}")
        differing = [key for key in ("quick", *ASKED) if _asked(first)[key] != _asked(part)[key]]
        if differing:
            raise Refused(part.folder, f"a shard with other flags than {first.folder}: they differ in "
                          f"{', '.join(differing)}")


def _asked(part):
    settings = part.run.manifest["settings"]
    return {"quick": part.run.manifest["quick"]} | {key: settings.get(key) for key in ASKED}


def _build_facts(a, b):
    """[(what, a's, b's)] of all that shards of one run must have in common."""
    found = [("the program ampersand-bench", a.shard["bench_crc32"], b.shard["bench_crc32"]),
             ("version", a.run.manifest["version"], b.run.manifest["version"]),
             ("architecture", a.machine.get("arch"), b.machine.get("arch"))]
    builds = [{key: value for key, value in part.run.manifest["build"].items() if key != "modules_crc32"}
              for part in (a, b)]
    found += [(f"build.{key}", builds[0].get(key), builds[1].get(key))
              for key in dict.fromkeys([*builds[0], *builds[1]])]
    code = compare_facts.code(a.run, b.run)
    return found + [(f"the code of {lesson}", "same", state) for lesson, state in code.items() if state != "unknown"]


def _column(number, group):
    first = group[0]
    shards = first.shard["n"] if first.shard else None
    machines = list(dict.fromkeys((part.machine.get("host"), part.machine.get("cpu")) for part in group))
    missing = set(range(1, shards + 1)) - {part.shard["k"] for part in group} if shards else ()
    return Column(name=chr(ord("A") + number % 26) + (str(number // 26) if number >= 26 else ""),
                  runs=tuple(str(part.folder) for part in group), shards=shards, missing=tuple(sorted(missing)),
                  machines=tuple(Machine(host=host, cpu=cpu) for host, cpu in machines),
                  arch=first.machine.get("arch"), compiled=compiled.brief(first.run.manifest),
                  caches=tuple(_data_caches(first)), quick=first.run.manifest["quick"])


def _data_caches(part):
    return [Cache(level=one["level"], size_b=one["size_b"]) for one in part.machine.get("caches") or ()
            if one.get("type") in ("Data", "Unified")]


# ---- Rows

def _row(name, cells):
    found = [cell for cell in cells if cell]
    state = _state([row.verdict for _, row in found])
    return Row(row=name, state=state, because=tuple(_because(found)) if state in ("flips", "differs") else (),
               cells=tuple(cell and _cell(*cell) for cell in cells))


def _cell(part, row):
    return Cell(verdict=row.verdict, equal_within=row.equal_within, ratio=row.ratio, launches=row.launches,
                host=part.machine.get("host"))


def _state(verdicts):
    if len(verdicts) == 1:
        return "alone"
    if set(DECIDED) <= set(verdicts):
        return "flips"
    known = {verdict for verdict in verdicts if verdict not in ("undecided", "no verdict", "failed")}
    return "same" if len(known) <= 1 and (not known & set(DECIDED) or len(set(verdicts)) == 1) else "differs"


def _because(cells):
    """What differs between the two that disagree most, in the order of their columns: of a row that flips, one for
    each side."""
    sides = [next((cell for cell in cells if cell[1].verdict == verdict), None) for verdict in DECIDED]
    (one, row), (other, other_row) = sorted(sides, key=cells.index) if all(sides) else _unlike(cells)
    copies, caches = (_copy_class(row), _copy_class(other_row)), (_cache(one, row), _cache(other, other_row))
    facts = [Fact(fact="ABI", a=one.machine.get("arch"), b=other.machine.get("arch"))]
    if None not in copies:
        facts += [Fact(fact="copy class", a=copies[0], b=copies[1])]
    if None not in caches and caches[0].level != caches[1].level:
        facts += [Fact(fact="cache sizes", a=_fits(caches[0]), b=_fits(caches[1]))]
    how = [(part.run.manifest, each.lesson) for part, each in ((one, row), (other, other_row))]
    short = [compiled.caption(*each) for each in how]
    a, b = short if short[0] != short[1] else [compiled.of_lesson(*each) for each in how]
    facts += [Fact(fact="compiler", a=a, b=b)]
    cpu = Fact(fact="CPU", a=one.machine.get("cpu"), b=other.machine.get("cpu"))
    return [fact for fact in facts if fact.a != fact.b] or [cpu] * (cpu.a != cpu.b)


def _unlike(cells):
    first = cells[0]
    return first, next(cell for cell in cells if cell[1].verdict != first[1].verdict)


def _copy_class(row):
    """How both sides copy, in words; None: the code was not read."""
    copies = row.why and row.why.copies
    if not copies:
        return None
    return "; ".join(f"{row.name_of(side)}: {' and '.join(dict.fromkeys(copy.how for copy in found)) or 'none'}"
                     for side, found in (("value", copies.value), ("pointer", copies.pointer)))


def _cache(part, row):
    """The cache that an object of this size fits into, of level 0 if none is large enough; None: the caches, or the
    unit of the size, are not known."""
    caches = _data_caches(part)
    if unit_of(part.run.manifest, row.pair) != "B" or not caches:
        return None
    return next((one for one in caches if row.size <= one.size_b), Cache(level=0, size_b=0))


def _fits(cache):
    return f"fits L{cache.level}, {cache.size_b >> 10} KiB" if cache.level else "fits none"
