# SPDX-License-Identifier: MIT
"""Build the lessons whose winner changes somewhere in a wide bracket for sizes within it: bench --refine RUN.

A full run does that by itself for its widest brackets (--brief), into a folder of its own within the run's.

    RUN       o ------------------------ o      value wins at 64, pointer at 4096
    built     o   o    o    o    o    o  o      the powers of two between, and both ends again

The sizes of a lesson are part of its code: most kernels are compiled for one size, and each is linked into its layouts.
So sizes between need a build, and are rows of a run of their own, in which they hold together. The lesson is compiled
as it is, with copies of two headers: of subjects.h with other sizes in its list, and of kernel.h with others in the
place of those that a lesson gives its kernels while they run. Compiler, flags and number of layouts are those of RUN.

Prints the filter of that run's rows, and writes the modules into --into."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from plots.judge import tidy
from plots.program.errors import Refused, one_line
from plots.words.pair_sentences import summarize

ROOT = Path(__file__).resolve().parents[2]
LESSONS = ROOT / "benchmarks"
WIDE = 2.0  # a bracket whose ends are at most this far apart is narrow
MOST = 6  # sizes within one
BRIEF_LESSONS, BRIEF_MOST = 3, 3  # with --brief: of the widest brackets, and sizes within one
FLOOR = "null"  # the lesson of the floors, built already
SUBJECTS, KERNEL = "harness/subjects.h", "harness/kernel.h"
LISTED = re.compile(r'(?:#define AMP_SUBJECT_B \d+\n#include "harness/subjects.h"\n)+')
CHOSEN = re.compile(r"AMP_SUBJECT_ONLY\(AMP_SUBJECT_B\)")  # which of the list a lesson wants
GIVEN = re.compile(r"#define AMP_SIZES\(\.\.\.\) .*\n")
LIST = re.compile(r"AMP_SIZES\([^()]*,[^()]*\)")  # in a lesson whose kernels take their size while they run


@dataclass(frozen=True)
class Wanted:
    lesson: str
    pairs: tuple
    sizes: tuple
    wide: float = 0.0  # how many times as large the upper end of its widest bracket is as the lower one


def between(low, high, most=MOST):
    """The powers of two between two sizes, at most so many of them, evenly."""
    found = [1 << n for n in range(low.bit_length(), high.bit_length() + 1) if low < 1 << n < high]
    return found[::-(-len(found) // most)] if found else []


def wanted(summary, most=MOST):
    """{lesson: Wanted} of the wide brackets of a summary."""
    lessons = {row.pair: row.lesson for row in summary.rows}
    found = {}
    for crossover in summary.crossovers:
        for one in crossover.sizes:
            sizes = between(one.low, one.high, most) if one.low and one.high > WIDE * one.low else []
            if sizes:
                old = found.get(lessons[crossover.pair], Wanted(lessons[crossover.pair], (), ()))
                found[old.lesson] = Wanted(old.lesson, tuple(dict.fromkeys((*old.pairs, crossover.pair))),
                                           tuple(sorted({*old.sizes, one.low, *sizes, one.high})),
                                           max(old.wide, one.high / one.low))
    return found


def source(want, table):
    """(the lesson's file, why it cannot have other sizes)"""
    file = table.get("source", f"{want.lesson}.c")
    path = next(LESSONS.glob(f"*/{file}"), None)
    if path is None:
        return None, "its source is not in this checkout"
    if path.stem != want.lesson:
        return path, "it is compiled with flags of its own"
    text = path.read_text(encoding="utf-8")
    fits = f'#include "{SUBJECTS}"' in text or LIST.search(text)
    return path, "" if fits else "its kernels are compiled for the sizes that it names itself"


def write_headers(sizes, folder):
    """The two headers with these sizes, to be found before their originals."""
    (folder / "harness").mkdir(parents=True, exist_ok=True)
    listed = "".join(f'#define AMP_SUBJECT_B {size}\n#include "{SUBJECTS}"\n' for size in sizes)
    given = f"#define AMP_SIZES(...) ((const size_t[]){{ {', '.join(map(str, sizes))}, 0 }})\n"
    for name, changes in ((SUBJECTS, ((LISTED, listed), (CHOSEN, "1"))), (KERNEL, ((GIVEN, given),))):
        text = (ROOT / name).read_text(encoding="utf-8")
        for pattern, other in changes:
            text, times = pattern.subn(lambda _, other=other: other, text)
            if times != 1:
                raise Refused(ROOT / name, f"not as {Path(__file__).name} knows it: {pattern.pattern!r} is there "
                              f"{times} times")
        (folder / name).write_text(text, encoding="utf-8")


def widest(run, summary):
    """The wanted() of --brief: of lessons that can be built."""
    found = [want for want in wanted(summary, BRIEF_MOST).values()
             if not source(want, run.manifest["layouts"][want.lesson])[1]]
    return {want.lesson: want for want in sorted(found, key=lambda want: -want.wide)[:BRIEF_LESSONS]}


def build(run, wants, into, compiler):
    """Fill `into` with the modules of these lessons and with those of the floors. The lessons that could be built."""
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(parents=True)
    built = []
    for want in wants:
        path, why = source(want, run.manifest["layouts"][want.lesson])
        if why:
            print(f"ampersand: refine: {want.lesson}: {why}: left out", file=sys.stderr)
            continue
        _build_one(run, want, path, into, compiler)
        built.append(want)
    for module in (Path(os.environ.get("AMPERSAND_BUILD", ROOT / "build")) / "benchmarks").glob(f"{FLOOR}.*"):
        shutil.copy(module, into)
    (into / "lessons.txt").write_text("".join(f"{name}\n" for name in [*(want.lesson for want in built), FLOOR]))
    return built


def _build_one(run, want, path, into, compiler):
    table, parts = run.manifest["layouts"][want.lesson], into / "parts"
    made, lesson = parts / f"{want.lesson}.o", parts / "lesson.o"
    write_headers(want.sizes, parts)
    if SUBJECTS in path.read_text(encoding="utf-8"):  # whose pairs have one size each: that of their subject
        (parts / KERNEL).unlink()
    own = [compiler, "-std=c11", "-D_GNU_SOURCE", "-iquote", ROOT]
    _call(f"{path.name}: sizes {', '.join(map(str, want.sizes))}", [
        compiler, "-iquote", parts, *own[1:], *run.manifest["build"]["kernel_args"], "-c", path, "-o", made])
    _call("harness/lesson/lesson.c", [*own, "-O2", "-fPIC", "-c", ROOT / "harness/lesson/lesson.c", "-o", lesson])
    _call(f"{want.lesson}: its layouts", [
        sys.executable, ROOT / "harness/lesson/make_layouts.py", "--lesson", want.lesson, "--object", made, "--extra",
        lesson, "--source", path, "--count", table["n"], "--seed", table["seed"], "--cc", compiler,
        "--link-arg=-pthread", "--out", into])
    shutil.rmtree(parts)


def _call(what, command):
    done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", check=False)
    if done.returncode:
        lines = [line for line in done.stdout.splitlines() if "error" in line] or done.stdout.splitlines() or ["failed"]
        raise Refused(what, one_line(lines[0].removeprefix("ampersand: ")))


def add_arguments(parser):
    parser.add_argument("run", metavar="RUN", type=Path, help="a run folder")
    parser.add_argument("--into", metavar="DIR", type=Path, required=True, help="where the modules go")
    parser.add_argument("--brief", action="store_true",
                        help=f"only {BRIEF_MOST} sizes within each, of the {BRIEF_LESSONS} lessons with the widest; "
                        "print nothing where there are none")
    parser.add_argument("--cc", metavar="COMMAND", help="the compiler (default: the run's)")


def main(args):
    run = tidy.load(args.run)
    summary = summarize(run)[0]
    wants = widest(run, summary) if args.brief else wanted(summary)
    if not wants and args.brief:
        return 0
    if not wants:
        raise Refused(args.run, f"no bracket of a crossover is wider than {WIDE:g} times: nothing to refine")
    built = build(run, wants.values(), args.into, args.cc or run.manifest["build"]["compiler"].split()[0])
    if not built:
        raise Refused(args.run, "none of its lessons can be built for other sizes")
    for want in built:
        print(f"ampersand: refine: {', '.join(want.pairs)}: sizes {', '.join(map(str, want.sizes))}", file=sys.stderr)
    print(f"^({'|'.join(pair for want in built for pair in want.pairs)})/")
    return 0
