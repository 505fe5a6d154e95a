# SPDX-License-Identifier: MIT
"""Draw the figures of a run: python3 -m plots charts RUN

Reads RUN/summary.json and RUN/manifest.json, writes RUN/figures/*.svg and *.png and prints their paths."""

from pathlib import Path

from plots.figures import allocator_charts, pictures
from plots.files import allocator_run, strict_json
from plots.files.allocator_run import is_of_allocators
from plots.gc import runs
from plots.go import go
from plots.judge import pair_summary
from plots.judge.allocators.judging import judgement
from plots.program.errors import Refused
from plots.program.guard import COMMAND


def add_arguments(parser):
    parser.add_argument("run", metavar="RUN", type=Path, help="a run folder")
    parser.add_argument("--out", metavar="DIR", type=Path, help="where the figures go (default: RUN/figures)")


def main(args):
    out = args.out or args.run / "figures"
    if runs.is_of_collectors(args.run):
        raise Refused(args.run, f"a run of collectors: {COMMAND} report draws it")
    if is_of_allocators(args.run):
        run = allocator_run.load(args.run)
        plans = allocator_charts.plans(run, judgement(run)[0])
    else:
        manifest = read(args.run / "manifest.json", "run")
        plans = pictures.plans(read_summary(args.run / "summary.json"), manifest, in_go=go.made(args.run))
    for path in pictures.write(pictures.made(plans), out):
        print(path)
    return 0


def read(path, kind):
    """A document of the run that follows its schema, else Refused: file, key, why."""
    if not path.parent.is_dir():
        raise Refused(path.parent, "no such run folder")
    if not path.exists():
        raise Refused(path.parent, f"no summary yet: {COMMAND} bench --resume {path.parent} writes it"
                      if path.name == "summary.json" else f"no {path.name}: not a run folder")
    return strict_json.load(path, kind)


def read_summary(path):
    return drawable(pair_summary.read(read(path, "summary")), path)


def drawable(summary, path):
    """The Summary, which stands in the file `path`; Refused where it has nothing that can be drawn."""
    if not summary.rows:
        raise Refused(path, "rows", "empty, there is nothing to draw")
    for row in summary.rows:
        for key in ("value_ns_per_op", "pointer_ns_per_op", "ratio", "spread"):
            numbers = getattr(row, key)
            for part, number in vars(numbers).items() if numbers else ():
                if number == 0:
                    raise Refused(path, row.row, f"{key}.{part}", "0 has no place on a log axis")
    return summary
