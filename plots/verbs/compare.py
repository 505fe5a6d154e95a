# SPDX-License-Identifier: MIT
"""Say what changed between two runs: python3 -m plots compare RUN_A RUN_B

Prints, and writes nothing. What a change is, and how it is told from the machine's other load, stands on top of
compare_runs.py. Runs of different machines, compilers, flags, libraries or configurations are refused, with what
differs, unless --across asks for them."""

import argparse
import math
import sys
from pathlib import Path

from plots.judge import compare_runs
from plots.judge.compare_runs import beyond, compare
from plots.judge.tidy import load
from plots.program.errors import Refused
from plots.words import comparison_text, quantity, screen
from plots.words.sentences import listed


def add_arguments(parser):
    parser.add_argument("a", metavar="RUN_A", type=Path, help="a run folder: before")
    parser.add_argument("b", metavar="RUN_B", type=Path, help="a run folder: after")
    parser.add_argument("--across", action="store_true",
                        help="compare although machine, compiler, flags, libraries or configuration differ")
    parser.add_argument("--config", metavar="NAME", help="one of the runs' configurations (default: the first of each)")
    parser.add_argument("--all", action="store_true", help="every row in the table, not only those that changed")
    parser.add_argument("--fail-on-change", metavar="PERCENT", nargs="?", const=0.0, type=_percent,
                        help="exit with 3 where a time or a ratio changed by more than this (default: by whatever is "
                        "called a change), or counts changed, a verdict flipped, a row failed; with 2 where none did "
                        "and some row could not be judged")
    parser.add_argument("--format", choices=screen.FORMATS, default="table", help="of what is printed")


def _percent(text):
    try:
        number = float(text.rstrip("% "))
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a percentage, as in 5 or 0.5%")
    return number


def main(args):
    a, b = (load(folder, args.config) for folder in (args.a, args.b))
    compared = compare(a, b, args.across)
    comparison_text.show(compared, args.format, sys.stdout, args.all)
    if compared.refused:
        facts = {one.fact: (one.a, one.b) for one in compared.differences}
        allowed = facts.pop("machine.cpus_allowed", None)  # and with it what follows the CPUs, as jemalloc's arenas do
        whys = [f"run B was allowed {quantity.counted(allowed[1], 'CPU')}, run A {allowed[0]}"] if allowed else []
        whys += [f"they differ in {listed(list(facts), 5)}"] if facts else []
        raise Refused(args.b, f"not comparable with {args.a}: {'; '.join(whys)}; --across compares all the same")
    if args.fail_on_change is None:
        return 0
    failing = [row.row for row in beyond(compared, args.fail_on_change)]
    if failing:
        by = f" by more than {quantity.level(args.fail_on_change / 100)}" if args.fail_on_change else ""
        print(f"ampersand: compare: changed{by}: {listed(failing, 5)}", file=sys.stderr)
        return 3
    unjudged = compare_runs.unjudged(compared)
    if unjudged:
        raise Refused("compare", f"--fail-on-change cannot be judged: {comparison_text.unjudged(unjudged)}")
    return 0
