# SPDX-License-Identifier: MIT
"""python3 -m ask HEADER --functions: what each function of a header copies by value, and what that costs here.

  header --> types/prototypes.py: its functions that take or return a struct or union by value
             types/subject.py:    each type of theirs, once
             registers.py:        what of a call goes in registers
             ask_call, return_out: passed by value or by const pointer, returned or filled through an out-parameter,
                                  once for all types that have the same members at the same places
             functions_text.py:   what is printed

A function's cost is the sum over what it takes and returns, each measured alone with a callee that reads half of it."""

from dataclasses import dataclass, replace
from pathlib import Path

from ask import lessons, registers
from ask.profiles import Profile, counted, declarations
from ask.types import children, leaves, members, prototypes, subject as subjects
from plots.files import pair_run
from plots.judge import pair_summary
from plots.program.errors import Refused
from plots.words.pair_sentences import summarize

MOST = 24  # kinds of types that are measured: more would take more than some minutes
PASSED, RETURNED = "passed", "return_out"
LESSONS = {PASSED: lessons.CALLS, RETURNED: lessons.LESSON_OF[RETURNED]}


@dataclass
class Kind:
    """A type by the name that the functions have for it."""
    name: str
    functions: int
    subject: subjects.Subject = None
    refused: str = ""     # why it cannot be asked about
    alike: str = ""       # the type that is measured for it: itself, or one with the same members at the same places
    number: int = 0       # of that type
    returned: bool = False  # it, or one alike, is returned by a function


def study(compiler, header, functions):
    """{name: Kind}, the types that most functions have first."""
    kinds = {}
    for function in functions:
        for name in dict.fromkeys(one.name for one in function.by_value):
            kind = kinds.setdefault(name, Kind(name, 0))
            kind.functions += 1
    kinds = dict(sorted(kinds.items(), key=lambda item: -item[1].functions))
    with children.pool() as threads:
        list(threads.map(lambda item: _study(compiler, header, *item), enumerate(kinds.values())))
    _pair_alike(kinds.values())
    for function in functions:
        kind = function.returns and kinds.get(function.returns.name)
        if kind and kind.subject:
            kinds[kind.alike].returned = True
    return kinds


def _study(compiler, header, number, kind):
    folder = compiler.folder / f"type{number}"
    folder.mkdir()
    try:
        kind.subject = subjects.study(replace(compiler, folder=folder), header, kind.name)
    except Refused as refused:
        kind.refused = str(refused).removeprefix(f"{kind.name}: ")


def _pair_alike(kinds):
    first = {}
    for number, kind in enumerate(kinds):
        if kind.subject:
            like, at = first.setdefault(_members(kind.subject), (kind.name, number))
            kind.alike, kind.number = like, at


def _members(subject):
    """What types have in common that cost the same: where which kinds of members are."""
    found = [("", 0, subject.size_b, subject.alignment_b, tuple(subject.abi.values()))]
    for _, at, member, _ in members.walk(subject.layout.use):
        kind, counts = members.innermost(member.use.type)
        found.append((at, member.bit, member.bits, kind.kind, kind.size, kind.encoding, counts,
                      kind.name if kind.kind in ("struct", "union") else ""))
    return tuple(found)


def chosen(kinds):
    """(those that are measured, those that are left out for time)."""
    able = [kind for kind in kinds.values() if kind.alike == kind.name]
    return able[:MOST], able[MOST:]


# ---- Measuring

def pairs_of(kinds):
    return [f"{pair}_{kind.number}" for kind in kinds for pair in (PASSED, RETURNED)
            if pair == PASSED or kind.returned and not kind.subject.fixed]


def measure(compiler, kinds, launches, seed):
    """({pair: a row of summary.json}, the rule, the allocator, the status of bench)."""
    part = lessons.Part("functions", (), tuple(pairs_of(kinds)), *lessons.HOW["one_thread"])
    object_of_lesson = lessons.lesson_object(compiler)
    out = compiler.folder / part.name / "lessons"
    out.mkdir(parents=True)
    with children.pool() as threads:
        for job in [threads.submit(_build, replace(compiler, folder=compiler.folder / f"type{kind.number}"), kind,
                                   object_of_lesson, seed, out) for kind in kinds]:
            job.result()
    (out / "lessons.txt").write_text("".join(f"{pair}\n" for pair in part.pairs))
    status = lessons.measure(compiler, [part], launches, seed)
    run = pair_run.load(Path(compiler.folder) / part.name / "run")
    summary = pair_summary.document(summarize(run)[0])
    return {row["pair"]: row for row in summary["rows"]}, summary["rule"], run.manifest["allocator"], status


def _build(compiler, kind, object_of_lesson, seed, out):
    total = leaves.count(kind.subject.layout.use.type)
    half = counted(Profile(PASSED, max(1, total // 2) if total else 0, total), kind.subject.layout.use.type)
    (compiler.folder / "calls.h").write_text(declarations([half], kind.subject))
    for name in pairs_of([kind]):
        lesson = LESSONS[name.rpartition("_")[0]]
        made = compiler.folder / f"{name}.o"
        lessons.compile_lesson(compiler, kind.subject, lesson, made, [f"-DAMP_VARIANT=_{kind.number}"])
        lessons.link(compiler, lesson, name, made, object_of_lesson, seed, out)


# ---- What is found

def document(header, compiler, total, functions, kinds, measured=None, more=()):
    """`ampersand/ask-functions/1`, as results/SCHEMA.md has it; without `measured` only what is known without it."""
    rows = measured or {}
    of_kind = {name: _of_kind(kind, rows) for name, kind in kinds.items()}
    left = [kind.name for kind in chosen(kinds)[1]] if measured is not None else []
    return {"schema": "ampersand/ask-functions/1", "header": header, "compiler": compiler.version(),
            "flags": [str(flag) for flag in compiler.facts], "functions_in_header": total,
            "types": list(of_kind.values()), "functions": [_of_function(one, kinds, of_kind) for one in functions],
            "left_out": left, **dict(more)}


def _of_kind(kind, rows):
    passed, returned = (rows.get(f"{pair}_{kind.number}") if kind.subject else None for pair in (PASSED, RETURNED))
    return {"type": kind.name, "functions": kind.functions, "size_b": kind.subject.size_b if kind.subject else None,
            "abi": dict(kind.subject.abi) if kind.subject else None,
            "refused": kind.refused or None, "not_copied": list(kind.subject.not_copied) if kind.subject else [],
            "measured_as": kind.alike if passed else None, "passed": passed, "returned": returned}


def _of_function(function, kinds, of_kind):
    ways = _ways(function, kinds)
    takes = [{"type": one.name, "size_b": one.use.type.size, "in": way}
             for one, way in zip(function.takes, ways) if one.name]
    returns = function.returns if function.returns and function.returns.name else None
    how = kinds[returns.name].subject.abi["returned"] if returns and kinds[returns.name].subject else "unknown"
    costs = [_cost(of_kind[one["type"]]["passed"]) for one in takes]
    if returns:
        costs.append(_cost(of_kind[returns.name]["returned"]))
    return {"function": function.name, "takes": takes,
            "returns": returns and {"type": returns.name, "size_b": returns.use.type.size, "in": how},
            "bytes": sum(one["size_b"] for one in takes) + (returns.use.type.size if returns else 0),
            "costs_ns": None if None in costs else sum(costs)}


def _ways(function, kinds):
    """registers, memory, nothing or unknown, for each parameter."""
    found = {name: kind.subject.abi if kind.subject else None for name, kind in kinds.items()}
    if any(one.name and (not found[one.name] or found[one.name]["passed"] == "unknown") for one in function.takes):
        return ["unknown"] * len(function.takes)
    hidden = function.returns and function.returns.name and (
        found[function.returns.name] or {}).get("returned") == "memory"
    return registers.ways([registers.of_object(found[one.name]) if one.name else registers.needs(one.use)
                           for one in function.takes], hidden)


def _cost(row):
    """ns that the value side takes longer than the pointer side; below 0: less."""
    if not row or row["failed"] or not row["ratio"]:
        return None
    return row["value_ns_per_op"]["estimate"] * (1 - row["ratio"]["estimate"])
