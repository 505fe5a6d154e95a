# SPDX-License-Identifier: MIT
"""Judge a run: write summary.json, bench.txt and launches.csv into its folder, and print the table.

A published run is judged already: only its table is printed."""

import json
from pathlib import Path

from plots.files import launches_csv
from plots.files.pair_run import load
from plots.files.strict_json import write_whole
from plots.judge import pair_summary, tidy
from plots.program.errors import Refused
from plots.words import pair_text, screen
from plots.words.pair_sentences import summarize


def add_arguments(parser):
    parser.add_argument("run", metavar="RUN", type=Path, help="a run folder")
    parser.add_argument("--config", metavar="NAME", help="one of the run's configurations (default: its first)")
    parser.add_argument("--format", choices=screen.FORMATS, default="table", help="of what is printed")
    parser.add_argument("--why", action="store_true", help="also what both sides execute an operation")
    parser.add_argument("--wide", action="store_true", help="all columns of the table, however wide that is")


def main(args):
    run = load(args.run, args.config)
    summary, bench = summarize(run)
    failed_write = None
    try:
        if not run.published:
            write_whole(args.run / "summary.json",
                        json.dumps(pair_summary.document(summary), indent=1, allow_nan=False) + "\n")
            write_whole(args.run / "bench.txt", bench)
            write_whole(args.run / "launches.csv", launches_csv.text(tidy.rows(run)))
    except Refused as refused:  # a read-only folder can still be judged
        failed_write = refused
    pair_text.show(summary, args.format, why=args.why, wide=args.wide, manifest=run.manifest)
    if failed_write:
        raise failed_write
    return 1 if summary.unsound else 0
