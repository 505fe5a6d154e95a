# SPDX-License-Identifier: MIT
"""Judge a run over allocator configurations: summary.json, the table, and with it figures/ and report.html.

Exit status 1 if a configuration or a cell failed, as the table says; 0 if all that is here was measured. An allocator
that is not installed is no failure, nor is a setting that is not in force where nobody asked for it by name: with all
that is shipped come some that not every machine can have."""

import json
from pathlib import Path

from plots.figures import allocator_charts, pictures
from plots.files.allocator_run import load
from plots.files.strict_json import write_whole
from plots.judge.allocators.summary import document
from plots.pages import allocator_report
from plots.program.errors import Refused
from plots.words import allocator_text, screen
from plots.words.allocator_sentences import summarize


def unsound(summary, manifest):
    failures = {"failed", "wrong"}
    columns = failures | ({"not in force"} if manifest["settings"]["config"] else set())
    return (any(column.state in columns for column in summary.columns)
            or any(cell.state in failures | {"not in force"} for cell in summary.cells))


def add_arguments(parser):
    parser.add_argument("run", metavar="RUN", type=Path, help="a run folder")
    parser.add_argument("--format", choices=screen.FORMATS, default="table", help="of what is printed")


def main(args):
    run = load(args.run)
    summary = summarize(run)
    failed_write = None
    try:
        write_whole(args.run / "summary.json", json.dumps(document(summary), indent=1, allow_nan=False) + "\n")
        images = pictures.made(allocator_charts.plans(run, summary))
        pictures.write(images, args.run / "figures")
        write_whole(args.run / "report.html", allocator_report.page(run, summary, images))
    except Refused as refused:  # a read-only folder can still be judged
        failed_write = refused
    allocator_text.show(summary, args.format)
    if failed_write:
        raise failed_write
    return 1 if unsound(summary, run.manifest) else 0
