# SPDX-License-Identifier: MIT
"""Print the rows of a run that want more launches, one a line.

stopping.py says which rows these are; with --alone, alone.py. `ampersand-bench paired --resume RUN --rows FILE`
launches them, with --solo-rows each side alone."""

from pathlib import Path

from plots.judge import alone, tidy
from plots.judge.summary import summary_of
from plots.program import at_once
from plots.stats import statistics


def add_arguments(parser):
    parser.add_argument("run", metavar="RUN", type=Path, help="a run folder")
    parser.add_argument("--alone", action="store_true",
                        help="the rows whose sides are timed alone again, to tell whether they disturb each other")


def main(args):
    run = tidy.load(args.run)
    if args.alone:
        found = at_once.each(run.rows, lambda row: statistics.measure(tidy.launches(row)))
        names = alone.wanting(run, {row.name: one for row, one in zip(run.rows, found)})
    else:
        names = [row.row for row in summary_of(run).rows if row.stopped.why == "open"]
    print("".join(f"{name}\n" for name in names), end="")
    return 0
