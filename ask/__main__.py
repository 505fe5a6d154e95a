# SPDX-License-Identifier: MIT
"""python3 -m ask HEADER TYPE: value or pointer, for a type of your own.

  header       --> functions.py: with --functions
  header, class of C++ --> types/cpp_class.py, class_lessons.py, class_answer.py: the same path for classes
  header, type --> types/:      size, padding, how it is passed     (the user's compiler and flags)
                   profiles.py: what the functions do to which it is passed
                   lessons.py:  the lessons about it, 16 layouts each, measured by ampersand-bench
                   plots:       intervals and verdicts, as in any run
                   advice.py:   the recommendation                  answer.py: what is printed

Exit status: 0 answered, 1 some row failed, 2 a type or header that cannot be asked about, 130 interrupted."""

from plots.program import guard

guard.enter("ask")  # first: what comes behind it may be interrupted, or fail to load

import json
import secrets
import sys
import time

from ask import (allocator, answer, arguments as words, class_answer, class_lessons, functions, functions_text, lessons,
                 profiles as kinds)
from ask.types import children, compiler as compilers, cpp_class, prototypes, subject as subjects
from plots.files import pair_run, strict_json
from plots.judge import pair_summary
from plots.words import screen
from plots.words.pair_sentences import summarize


def main(arguments):
    args = words.parse(arguments)
    begin = time.monotonic()
    seed = secrets.randbits(53) if args.seed is None else args.seed
    with children.folder() as folder:
        include = [word for path in args.folders for word in ("-I", path)] + [f"-D{macro}" for macro in args.macros]
        compiler = compilers.make(args.cc, include, args.cflags, folder, args.language)
        if compiler.is_cpp:
            return of_class(compiler, args, seed, begin)
        if args.functions:
            return of_functions(compiler, args, seed, begin)
        subject = subjects.study(compiler, args.header, args.type)
        profiles = kinds.of(subject, args)
        if args.facts:
            return show(answer.of_type(subject, compiler, compiler.facts), args)
        parts = lessons.parts(subject, profiles)
        tell(subject)
        lessons.build(compiler, subject, profiles, parts, seed)
        status = lessons.measure(compiler, parts, args.launches, seed)
        rows, floors, rule, of_run = judge(folder, parts)
    found = answer.document(subject, compiler, profiles, rows, floors, rule, since(begin),
                            settings(compiler, args, seed, of_run))
    return show(found, args) or status


def of_class(compiler, args, seed, begin):
    found = cpp_class.study(compiler, args.header, args.type)
    if args.facts:
        return show(class_answer.of_class(found, compiler, compiler.facts, args.make), args)
    class_lessons.hold_make(found, args.make)
    part = class_lessons.part_of(found)
    tell(found)
    class_lessons.build(compiler, found, args.make, part, args.link, seed)
    status = lessons.measure(compiler, [part], args.launches, seed)
    rows, floors, rule, of_run = judge(compiler.folder, [part])
    answer_ = class_answer.document(found, compiler, args.make, rows, floors, rule, since(begin),
                                    settings(compiler, args, seed, of_run), class_lessons.notes(compiler, part))
    return show(answer_, args) or status


def tell(found):
    """What is being measured, to who waits for it."""
    if sys.stderr.isatty():
        print(f"ampersand: {found.type}: {found.size_b} B; measuring, half a minute at most", file=sys.stderr)


def settings(compiler, args, seed, of_run):
    return {"allocator": allocator.facts(of_run), "seed": seed, "launches": args.launches,
            "layouts": lessons.LAYOUTS, "flags": [*subjects.LESSON_FLAGS, *compiler.facts]}


def since(begin):
    """Seconds, to a tenth."""
    return round(time.monotonic() - begin, 1)


def of_functions(compiler, args, seed, begin):
    header, total, found = prototypes.find(compiler, args.header)
    kinds = functions.study(compiler, args.header, found)
    if args.facts or not any(kind.subject for kind in kinds.values()):
        return show(functions.document(header, compiler, total, found, kinds), args, "ask-functions", functions_text)
    some, _ = functions.chosen(kinds)
    if sys.stderr.isatty():
        print(f"ampersand: {len(found)} functions, {len(some)} kinds of types; measuring, some seconds for each",
              file=sys.stderr)
    rows, rule, of_run, status = functions.measure(compiler, some, args.launches, seed)
    more = {"rule": rule, "allocator": allocator.facts(of_run),
            "settings": {"seed": seed, "launches": args.launches, "layouts": lessons.LAYOUTS},
            "seconds": since(begin)}
    return show(functions.document(header, compiler, total, found, kinds, rows, more), args, "ask-functions",
                functions_text) or status


def show(found, args, schema="ask", words=answer):
    found = strict_json.printable(found)  # names need not be UTF-8
    strict_json.validate(found, schema, "the answer")
    sys.stdout.write(json.dumps(found, indent=1, allow_nan=False) + "\n" if args.json
                     else words.text(found, screen.of(sys.stdout)))
    return 0


def judge(folder, parts):
    """(rows, floors, rule, the allocator) over all parts, whose intervals hold together."""
    runs = [pair_run.load(folder / part.name / "run") for part in parts]
    among = sum(len(run.rows) for run in runs)
    judged = [pair_summary.document(summarize(run, among)[0]) for run in runs]
    rows = {row["pair"]: row for one in judged for row in one["rows"]}
    order = sorted((pair for part in parts for pair in part.pairs if pair in rows), key=lessons.place)
    return [rows[pair] for pair in order], judged[0]["floors"], judged[0]["rule"], runs[0].manifest["allocator"]


if __name__ == "__main__":
    sys.exit(guard.guarded(sys.argv[1:], main, "ask"))
