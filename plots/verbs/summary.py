# SPDX-License-Identifier: MIT
"""Judge a run: write summary.json, bench.txt and launches.csv into its folder, and print the table. With --pages also
figures/ and report.html, from what is loaded and judged already, each figure drawn once for both; and what Go measured
beside it.

A published run is judged already: only its table is printed, and what --pages makes is made."""

import json
import sys
from pathlib import Path

from plots.files import launches_csv
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
    parser.add_argument("--pages", action="store_true", help="also figures/, report.html and the table of Go")


def main(args):
    run = tidy.load(args.run, args.config)
    summary, bench = summarize(run)
    failed_writes = []
    _try(failed_writes, _write, run, summary, bench)
    pair_text.show(summary, args.format, why=args.why, wide=args.wide, manifest=run.manifest)
    if args.pages and not failed_writes:
        _try(failed_writes, _pages, run, summary, args.format)
    if failed_writes:
        raise failed_writes[0]
    return 1 if summary.unsound else 0


def _try(failed, do, *about):
    try:
        do(*about)
    except Refused as refused:  # a read-only folder can still be judged
        failed.append(refused)


def _write(run, summary, bench):
    if not run.published:
        write_whole(run.folder / "summary.json",
                    json.dumps(pair_summary.document(summary), indent=1, allow_nan=False) + "\n")
        write_whole(run.folder / "bench.txt", bench)
        write_whole(run.folder / "launches.csv", launches_csv.text(tidy.rows(run)))


def _pages(run, summary, form):
    from plots.figures import pictures  # here: whoever wants the table only does not wait for matplotlib
    from plots.go import go
    from plots.pages import report
    from plots.verbs.charts import drawable
    in_go = go.made(run.folder)
    if in_go and form == "table":
        print(go.table(in_go, summary, screen.of(sys.stdout)), end="")
    sys.stdout.flush()  # the answers are there before the pictures are
    shown, manifest = report.shown(run, drawable(summary, run.folder / "summary.json"))
    images = pictures.made(pictures.plans(shown, manifest, in_go=in_go))
    failed = []
    _try(failed, pictures.write, images, run.folder / "figures")
    write_whole(run.folder / "report.html", report.page(run, in_go, summary, images))
    if failed:
        raise failed[0]
