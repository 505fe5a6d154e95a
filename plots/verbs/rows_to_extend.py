# SPDX-License-Identifier: MIT
"""Print the rows of a run that want more launches, one a line.

stopping.py says which rows these are. `ampersand-bench paired --resume RUN --rows FILE` launches them."""

from pathlib import Path

from plots.judge import tidy
from plots.judge.summary import summary_of


def add_arguments(parser):
    parser.add_argument("run", metavar="RUN", type=Path, help="a run folder")


def main(args):
    for row in summary_of(tidy.load(args.run)).rows:
        if row.stopped.why == "open":
            print(row.row)
    return 0
