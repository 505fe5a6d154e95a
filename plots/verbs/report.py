# SPDX-License-Identifier: MIT
"""Write the page about a run that people read: python3 -m plots report RUN"""

from pathlib import Path

from plots.files import strict_json
from plots.files.allocator_run import is_of_allocators
from plots.gc import page, runs
from plots.go import go
from plots.judge import tidy
from plots.pages import allocator_report, report
from plots.program.errors import Refused


def add_arguments(parser):
    parser.add_argument("run", metavar="RUN", type=Path, help="a run folder")
    parser.add_argument("--config", metavar="NAME", help="one of the run's configurations (default: its first)")
    parser.add_argument("--out", metavar="FILE", type=Path, help="where the page goes (default: RUN/report.html)")


def main(args):
    out = args.out or args.run / "report.html"
    if args.config and (is_of_allocators(args.run) or runs.is_of_collectors(args.run)):
        raise Refused("--config", "a run over configurations has all of them on its page")
    if is_of_allocators(args.run):
        strict_json.write_whole(out, allocator_report.page_of(args.run))
    elif runs.is_of_collectors(args.run):
        strict_json.write_whole(out, page.page_of(args.run))
    else:
        strict_json.write_whole(out, report.page(tidy.load(args.run, args.config), go.made(args.run)))
    print(out)
    return 0
