# SPDX-License-Identifier: MIT
"""Put the verdicts of runs on several machines into one table: python3 -m plots merge RUN...

Shards of one run (bench --shard K/N) make one column together, every other run a column of its own. Prints, and writes
nothing."""

import sys
from pathlib import Path

from plots.merge import columns, text
from plots.words import screen


def add_arguments(parser):
    parser.add_argument("runs", metavar="RUN", nargs="+", type=Path,
                        help="run folders; shards of one run belong together")
    parser.add_argument("--all", action="store_true", help="every row, not only those whose verdicts differ")
    parser.add_argument("--format", choices=screen.FORMATS, default="table", help="of what is printed")


def main(args):
    merged = columns.merged(args.runs)
    text.show(merged, args.format, args.all)
    for column in merged.columns:
        if column.missing:
            shards = ", ".join(f"{k}/{column.shards}" for k in column.missing)
            print(f"ampersand: merge: {column.name}: missing: shard {shards}", file=sys.stderr)
    failed = any(cell and cell.verdict == "failed" for row in merged.rows for cell in row.cells)
    return 1 if failed or any(column.missing for column in merged.columns) else 0
