# SPDX-License-Identifier: MIT
"""python3 -m ask HEADER TYPE: value or pointer, for a type of your own.

  header, type --> subject.py: size, padding, how it is passed     (the user's compiler and flags)
                   lessons.py: the lessons about it, 16 layouts each, measured by ampersand-bench
                   plots:      intervals and verdicts, as in any run
                   advice.py:  the recommendation                  answer.py: what is printed

Exit status: 0 answered, 1 some row failed, 2 a type or header that cannot be asked about, 130 interrupted."""

import argparse
import json
import os
import secrets
import sys
import tempfile
import time
from pathlib import Path

from ask import answer, compiler as compilers, lessons, subject as subjects
from plots import documents, load, summary as summaries, terminal
from plots.__main__ import guarded

LAUNCHES = 20


class Parser(argparse.ArgumentParser):
    """Complains as every other part of ampersand does."""

    def error(self, message):
        print(f"ampersand: ask: {message}; ./ampersand help ask", file=sys.stderr)
        sys.exit(2)


def whole_number(low, high):
    def read(word):
        if not word.isascii() or not word.isdigit() or not low <= int(word) <= high:
            raise argparse.ArgumentTypeError(f"{word!r} is not a whole number from {low} to {high}")
        return int(word)
    return read


def parse(arguments):
    parser = Parser(prog="ask", allow_abbrev=False, add_help=False)
    parser.add_argument("header")
    parser.add_argument("type")
    parser.add_argument("-I", action="append", default=[], dest="folders")
    parser.add_argument("-D", action="append", default=[], dest="macros")
    parser.add_argument("--cc", default=os.environ.get("CC") or "cc")
    parser.add_argument("--cflags", default="")
    parser.add_argument("--launches", type=whole_number(1, 1000), default=LAUNCHES)
    parser.add_argument("--seed", type=whole_number(0, (1 << 53) - 1))
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(_joined(arguments))


def _joined(arguments):
    """--cflags '-O3' as one word: argparse takes a value that begins with a dash for a flag."""
    words, out = iter(arguments), []
    for word in words:
        if word in ("--cflags", "--cc", "-D", "-I"):
            value = next(words, None)
            out.append(word if value is None else f"{word}={value}" if word.startswith("--") else word + value)
        else:
            out.append(word)
    return out


def main(arguments):
    args = parse(arguments)
    begin = time.monotonic()
    seed = secrets.randbits(53) if args.seed is None else args.seed
    with tempfile.TemporaryDirectory(prefix="ampersand-ask-") as folder:
        include = [word for path in args.folders for word in ("-I", path)] + [f"-D{macro}" for macro in args.macros]
        compiler = compilers.make(args.cc, include, args.cflags, Path(folder))
        subject = subjects.study(compiler, args.header, args.type)
        if sys.stderr.isatty():
            print(f"ampersand: {subject.type}: {subject.size_b} B; measuring, about 20 s", file=sys.stderr)
        lessons.build(compiler, subject, seed)
        status = lessons.measure(compiler, args.launches, seed)
        rows, floors, rule = judge(Path(folder))
    settings = {"seed": seed, "launches": args.launches, "layouts": lessons.LAYOUTS,
                "flags": [*subjects.LESSON_FLAGS, *compiler.facts]}
    found = answer.document(subject, compiler, rows, floors, rule, round(time.monotonic() - begin, 1), settings)
    documents.validate(found, "ask", "the answer")
    sys.stdout.write(json.dumps(found, indent=1, allow_nan=False) + "\n" if args.json
                     else answer.text(found, terminal.wants_colour(sys.stdout)))
    return status


def judge(folder):
    """(rows, floors, rule) over all parts, whose intervals hold together."""
    runs = [load.load(folder / part.name / "run") for part in lessons.PARTS]
    among = sum(len(run.rows) for run in runs)
    judged = [summaries.summarize(run, among)[0] for run in runs]
    rows = {row["pair"]: row for one in judged for row in one["rows"]}
    order = [pair for pair in answer.advice.QUESTIONS if pair in rows]
    return [rows[pair] for pair in order], judged[0]["floors"], judged[0]["rule"]


if __name__ == "__main__":
    sys.exit(guarded(sys.argv[1:], main))
