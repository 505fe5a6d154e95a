# SPDX-License-Identifier: MIT
"""Judge a run over allocator configurations: summary.json, the table, and with it figures/ and report.html.

Exit status 1 if a configuration or a cell failed or was not in force, as the table says; 0 if all that is here was
measured. An allocator that is not installed is no failure."""

import json
from pathlib import Path

from plots import allocators_charts, allocators_judge, allocators_report, allocators_text, charts
from plots.allocators_load import load
from plots.documents import Refused, write_whole

FAILURES = ("not in force", "failed", "wrong")


def unsound(summary):
    return any(one["state"] in FAILURES for one in (*summary["columns"], *summary["cells"]))


def add_arguments(parser):
    parser.add_argument("run", metavar="RUN", type=Path, help="a run folder")
    parser.add_argument("--format", choices=allocators_text.FORMATS, default="table", help="of what is printed")


def main(args):
    run = load(args.run)
    summary = allocators_judge.summarize(run)
    failed_write = None
    try:
        write_whole(args.run / "summary.json", json.dumps(summary, indent=1, allow_nan=False) + "\n")
        pictures = charts.encode(allocators_charts.draw(run, summary))
        charts.write(pictures, args.run / "figures")
        write_whole(args.run / "report.html", allocators_report.page(run, summary, pictures))
    except Refused as refused:  # a read-only folder can still be judged
        failed_write = refused
    allocators_text.show(summary, args.format)
    if failed_write:
        raise failed_write
    return 1 if unsound(summary) else 0
