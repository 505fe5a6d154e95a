# SPDX-License-Identifier: MIT
"""Compile the lessons that are templates over a type for the user's own, link their layouts, and measure them.

Lessons about one thread get short epochs. Sending to a thread wakes one, which costs some microseconds an epoch, so it
is measured apart, by few and long epochs. Where one side copies a large object and the other an address, the
epochs of the copies last milliseconds, since the other side needs many operations for one: there a few say enough."""

import os
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from ask import children
from ask.subject import CODE_FLAGS, ROOT, flags_of
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
    epochs: tuple = ()  # flags of bench


PARTS = (
    Part("one_thread", ("frames/pass", "frames/factory", "frames/mutate", "ask/ask_store", "ask/ask_box",
                        "ask/ask_made", "controls/null"),
         ("pass", "ask_made", "factory", "mutate", "ask_store", "ask_walk", "ask_box", "ask_box_here"), 12),
    Part("two_threads", ("ask/ask_send",), ("ask_send",), 4, ("--epoch-us", "1000")),
)
LARGE_B = 1 << 16
COPIES = Part("copies", ("frames/pass", "frames/mutate", "ask/ask_box"), ("pass", "mutate", "ask_box_here"), 2)
ASSIGNING = ("mutate", "ask_store", "ask_send")  # pairs that put one object in the place of another


def parts(subject):
    """What is measured: without what C does not allow of the type, and the copies of a large one by themselves."""
    found = PARTS
    if subject.size_b >= LARGE_B:
        found = [*(_without(part, COPIES.pairs) for part in PARTS), COPIES]
    if subject.fixed:
        found = [_without(part, ASSIGNING) for part in found]
    return [part for part in found if part.pairs]


def _without(part, pairs):
    """The part without these pairs, and without the lessons that have no other."""
    left = tuple(pair for pair in part.pairs if pair not in pairs)
    gone = set(map(_lesson_of, part.pairs)) - set(map(_lesson_of, left))
    return replace(part, pairs=left, lessons=tuple(lesson for lesson in part.lessons if _name(lesson) not in gone))


def _lesson_of(pair):
    return {"ask_walk": "ask_store", "ask_box_here": "ask_box"}.get(pair, pair)


def _name(lesson):
    return lesson.rpartition("/")[2]


def build(compiler, subject, seed):
    """Fill folder/<part>/lessons with modules."""
    object_of_lesson = _lesson_object(compiler)
    with children.pool() as threads:
        jobs = [threads.submit(_build_one, compiler, subject, part, lesson, object_of_lesson, seed)
                for part in parts(subject) for lesson in part.lessons]
        for job in jobs:
            job.result()
    for part in parts(subject):
        names = "".join(f"{_name(lesson)}\n" for lesson in part.lessons)
        (compiler.folder / part.name / "lessons" / "lessons.txt").write_text(names)


def _lesson_object(compiler):
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


def compile_lesson(compiler, subject, lesson, made):
    more = [] if lesson in PLAIN else subject_flags(subject)
    compiler.compile(f"benchmarks/{lesson}.c about {subject.type}", ROOT / f"benchmarks/{lesson}.c", made,
                     lambda one: [*flags_of(one), *more, *CODE_FLAGS, *PLACING, "-iquote", ROOT])


def _build_one(compiler, subject, part, lesson, object_of_lesson, seed):
    name = _name(lesson)
    made = compiler.folder / f"{part.name}.{name}.o"  # two parts may have one lesson, and are built beside each other
    compile_lesson(compiler, subject, lesson, made)
    command = [sys.executable, ROOT / "harness/lesson/make_layouts.py", "--lesson", name, "--object", made, "--extra",
               object_of_lesson, "--source", ROOT / f"benchmarks/{lesson}.c", "--count", LAYOUTS, "--seed", seed,
               "--cc", compiler.name, "--link-arg=-pthread", "--out", compiler.folder / part.name / "lessons"]
    done = children.run(command, stderr=subprocess.PIPE)
    if done.returncode:
        raise Refused(done.stderr.strip().removeprefix("ampersand: ") or "linking the layouts failed")


def measure(compiler, subject, launches, seed):
    """Run every part into folder/<part>/run; the worst status of bench, 0 or 1."""
    worst = 0
    for part in parts(subject):
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
