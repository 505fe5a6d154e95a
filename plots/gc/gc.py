# SPDX-License-Identifier: MIT
"""Judge a run of collectors: gctrace.txt, trace.json, summary.json, report.html, and a table.

Exit status 1 if some process of the run failed, as the table says."""

import json
from pathlib import Path

from plots.files.strict_json import write_whole
from plots.gc import gctrace, judge, page, runs, text
from plots.program.errors import Refused


def add_arguments(parser):
    parser.add_argument("run", metavar="RUN", type=Path, help="a run folder")
    parser.add_argument("--format", choices=text.FORMATS, default="table", help="of what is printed")


def main(args):
    run = runs.load(args.run)
    points, pauses, shapes = judge.points(run), judge.pauses(run), judge.shapes(run)
    failed_write = None
    try:
        write(args.run, run, points, pauses, shapes)
    except Refused as refused:  # a read-only folder can still be judged
        failed_write = refused
    text.show(run, points, pauses, shapes, args.format)
    if failed_write:
        raise failed_write
    return 1 if run.failures else 0


def write(folder, run, points, pauses, shapes):
    launches = [launch for many in run.points.values() for launch in many]
    every = launches + [*run.pauses.values(), *run.shapes.values()]
    write_whole(folder / "gctrace.txt", gctrace.text(every))
    write_whole(folder / "trace.json", gctrace.time_line([one for one in launches if one.launch == 0]))
    summary = {"points": json.loads(text.table(points).json()), "pauses": json.loads(text.pauses_table(pauses).json()),
               "shapes": json.loads(text.shapes_table(shapes).json())}
    write_whole(folder / "summary.json", json.dumps(summary, indent=1) + "\n")
    write_whole(folder / "report.html", page.page(run, points, pauses, shapes))
