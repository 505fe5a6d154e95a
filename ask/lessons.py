# SPDX-License-Identifier: MIT
"""Compile the lessons that are templates over a type for the user's own, link their layouts, and measure them.

Lessons about one thread get short epochs. Sending to a thread is measured apart, by few and long epochs, since a queue
takes a while to run evenly. Where one side copies a large object and the other an address, the
epochs of the copies last milliseconds, since the other side needs many operations for one: there a few say enough."""

import os
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from ask.profiles import OWN, declarations
from ask.types import children
from ask.types.subject import CODE_FLAGS, ROOT, flags_of
from plots.program.errors import Refused, one_line

BUILD = Path(os.environ.get("AMPERSAND_BUILD", ROOT / "build"))
LAYOUTS = 16       # a quarter of a bench's: all placements of two functions, and a balanced part of more
PLACING = ("-ffunction-sections", "-fdata-sections", "-falign-functions=16", "-fno-builtin-malloc",
           "-fno-builtin-calloc", "-fno-builtin-realloc", "-fno-builtin-aligned_alloc", "-fno-builtin-free")
PLAIN = ("controls/null",)  # lessons that have no subject: compiled with the same flags


@dataclass(frozen=True)
class Part:
    name: str
    lessons: tuple  # files in benchmarks/, without .c
    pairs: tuple    # of bench's --filter
    rounds: int
    epochs: tuple  # flags of bench


HOW = {"one_thread": (8, ()), "two_threads": (4, ("--epoch-us", "1000")), "copies": (2, ())}
LARGE_B = 1 << 16
LESSON_OF = {"ask_made": "ask/ask_made", "factory": "frames/factory", "return_out": "frames/return_out",
             "return_out_stored": "frames/return_out", "mutate": "frames/mutate", "ask_store": "ask/ask_store",
             "ask_walk": "ask/ask_store", "ask_dispatch": "ask/ask_box", "ask_box": "ask/ask_box",
             "ask_send": "ask/ask_send", "ask_order_pass": "ask/ask_order", "ask_order_walk": "ask/ask_order"}
CALLS = "ask/ask_call"  # of all other pairs: one for each profile
THREADS = ("ask_send",)
REORDERED = ("ask_order_pass", "ask_order_walk")
COPIES = ("mutate",)  # and all calls: one side copies an object, the other an address
ASSIGNING = ("mutate", "return_out_stored", "ask_store", "ask_send")  # they put one object in the place of another


def pairs_of(subject, profiles):
    """What is measured, in order: without what C does not allow of the type. A profile of the user's own is all."""
    called = [one.pair for one in profiles]
    if OWN in called:
        return called
    rest = [pair for pair in LESSON_OF if subject.reordered or pair not in REORDERED]
    return [*called, *(pair for pair in rest if not (subject.fixed and pair in ASSIGNING))]


def parts(subject, profiles):
    """The pairs with the lessons in which they are, by how they are measured."""
    found = {"one_thread": [], "two_threads": [], "copies": []}
    for pair in pairs_of(subject, profiles):
        large = subject.size_b >= LARGE_B and (pair in COPIES or pair not in LESSON_OF)
        found["two_threads" if pair in THREADS else "copies" if large else "one_thread"].append(pair)
    made = [Part(name, tuple(dict.fromkeys(LESSON_OF.get(pair, CALLS) for pair in pairs)), tuple(pairs), *HOW[name])
            for name, pairs in found.items() if pairs]
    return [replace(made[0], lessons=(*made[0].lessons, *PLAIN)), *made[1:]]


def place(pair):
    """For sorting: profiles first, as they come, then the others in order."""
    return 1 + list(LESSON_OF).index(pair) if pair in LESSON_OF else 0


def build(compiler, subject, profiles, parts_, seed):
    """Fill folder/<part>/lessons with modules."""
    object_of_lesson = lesson_object(compiler)
    write_calls(compiler, subject, profiles)
    with children.pool() as threads:
        jobs = [threads.submit(_build_one, compiler, subject, part, lesson, object_of_lesson, seed)
                for part in parts_ for lesson in part.lessons]
        for job in jobs:
            job.result()
    for part in parts_:
        names = "".join(f"{_name(lesson)}\n" for lesson in part.lessons)
        (compiler.folder / part.name / "lessons" / "lessons.txt").write_text(names)


def _name(lesson):
    return lesson.rpartition("/")[2]


def lesson_object(compiler):
    made = compiler.folder / "lesson.o"
    compiler.compile("harness/lesson/lesson.c", ROOT / "harness/lesson/lesson.c", made,
                     lambda _: ("-std=gnu11", *LESSON_OBJECT_FLAGS))
    return made


LESSON_OBJECT_FLAGS = ("-O2", "-D_GNU_SOURCE", *CODE_FLAGS, "-iquote", ROOT)


def subject_flags(subject):
    """What tells a lesson about its type."""
    ends = subject.layout.ends
    return ["-include", subject.prefix, "-DAMP_SUBJECT=amp_asked", "-DAMP_SUFFIX=_amp_asked",
            f"-DAMP_SUBJECT_EMPTY={0 if ends else 1}", f"-DAMP_SUBJECT_FIRST={ends[0] if ends else 0}",
            f"-DAMP_SUBJECT_LAST={ends[1] if ends else 0}"]


def write_calls(compiler, subject, profiles):
    """The header that ask_call.c has before all others."""
    (compiler.folder / "calls.h").write_text(declarations(profiles, subject))


def compile_lesson(compiler, subject, lesson, made, flags=()):
    more = [*flags] if lesson in PLAIN else [*subject_flags(subject), *flags]
    if lesson == CALLS:
        more += ["-include", compiler.folder / "calls.h"]
    compiler.compile(f"benchmarks/{lesson}.c about {subject.type}", ROOT / f"benchmarks/{lesson}.c", made,
                     lambda one: [*flags_of(one), *more, *CODE_FLAGS, *PLACING, "-iquote", ROOT])


def _build_one(compiler, subject, part, lesson, object_of_lesson, seed):
    made = compiler.folder / f"{part.name}.{_name(lesson)}.o"  # two parts may have one lesson, built beside each other
    compile_lesson(compiler, subject, lesson, made)
    link(compiler, lesson, _name(lesson), made, object_of_lesson, seed, compiler.folder / part.name / "lessons")


def link(compiler, lesson, name, made, object_of_lesson, seed, out):
    """The layouts of a compiled lesson, under this name."""
    command = [sys.executable, ROOT / "harness/lesson/make_layouts.py", "--lesson", name, "--object", made, "--extra",
               object_of_lesson, "--source", ROOT / f"benchmarks/{lesson}.c", "--count", LAYOUTS, "--seed", seed,
               "--cc", compiler.name, "--link-arg=-pthread", "--out", out]
    done = children.run(command, stderr=subprocess.PIPE)
    if done.returncode:
        raise Refused(done.stderr.strip().removeprefix("ampersand: ") or "linking the layouts failed")


def measure(compiler, parts_, launches, seed):
    """Run every part into folder/<part>/run; the worst status of bench, 0 or 1."""
    worst = 0
    for part in parts_:
        folder = compiler.folder / part.name
        command = [BUILD / "harness/ampersand-bench", "paired", "--out", folder / "run", "--filter",
                   f"^({'|'.join(part.pairs)})/",
                   "--launches", launches, "--counts-launches", 2, "--solo-launches", 0, "--seed", seed,
                   "--rounds", part.rounds, *part.epochs]
        done = children.run_politely(command, env={**os.environ, "AMPERSAND_LESSONS": str(folder / "lessons")})
        if done.returncode == 130:
            raise KeyboardInterrupt
        if done.returncode not in (0, 1):
            lines = [line for line in done.stderr.splitlines() if line.startswith("ampersand: ")]
            raise Refused("measuring", one_line((lines or [f"ampersand-bench ended with status {done.returncode}"])[-1]
                                                .removeprefix("ampersand: ")))
        worst = max(worst, done.returncode)
    return worst
