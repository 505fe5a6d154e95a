# SPDX-License-Identifier: MIT
"""Measure stacks side by side: ampersand's growable one, the thread's own, gcc's segments, Go's goroutines.

What was measured goes into DIR/stack.json, the figures into DIR/figures."""

import datetime
import json
import os
import sys
import tempfile
from pathlib import Path

from plots import charts, doctor_measure, documents, stack_figures, stack_judge, stack_measure, style
from plots.documents import Refused

ROOT = Path(__file__).resolve().parent.parent


def add_arguments(parser):
    parser.add_argument("--build", type=Path, default=Path(os.environ.get("AMPERSAND_BUILD", "build")),
                        help="the build folder (default: AMPERSAND_BUILD, else build)")
    parser.add_argument("--launches", type=int, default=15, help="fresh processes of each program (default 15)")
    parser.add_argument("--rounds", type=int, default=100, help="rounds of 50 us in each (default 100)")
    parser.add_argument("--out", type=Path,
                        help="where the results go (default: results/runs/stack-<date and time, UTC>)")
    parser.add_argument("--from", dest="source", metavar="DIR", type=Path, help="measure nothing: judge and draw again")
    parser.add_argument("--format", choices=["table", "json"], default="table")


def say(what):
    print(f"ampersand: stack: {what}", file=sys.stderr)


def measured(args):
    if args.launches < 1 or not 2 <= args.rounds <= 1024:
        raise Refused("stack: --launches wants at least 1, and --rounds from 2 to 1024")
    with tempfile.TemporaryDirectory(prefix="ampersand-stack-") as scratch:
        programs = stack_measure.Programs(args.build, scratch, say)
        document = {"schema": "ampersand/stack/1",
                    "created": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
                    "rounds": args.rounds, "go": programs.go_version, **doctor_measure.Bench(args.build).machine()}
        document["prologues"] = stack_measure.prologues(programs)
        document.update(stack_measure.measure(programs, args.launches, args.rounds, say))
        say("the check, over its layouts")
        document["check_ns"] = stack_measure.check_ns(programs, max(args.launches, 6))
    return document


def read(folder):
    path = folder / "stack.json"
    document = documents.parse(documents.read_bytes(path), path)
    documents.check_version(document, "stack", path)
    documents.validate(document, "stack", path)
    return document


def main(args):
    out = args.source or args.out or ROOT / "results/runs" / datetime.datetime.now(datetime.timezone.utc).strftime(
        "stack-%Y-%m-%dT%H-%M-%SZ")
    if args.source:
        document = read(args.source)
    else:
        document = measured(args)
        documents.validate(document, "stack", "stack.json")
        out.mkdir(parents=True, exist_ok=True)
        documents.write_whole(out / "stack.json", json.dumps(document) + "\n")
    result = stack_judge.Result(document)
    with style.applied():
        figures = stack_figures.figures(result)
    charts.write(charts.encode(figures), out / "figures")
    if args.format == "json":
        goals = [{**vars(goal), "ratio": goal.ratio and vars(goal.ratio)} for goal in stack_judge.goals(result)]
        print(json.dumps(goals, indent=2))
    else:
        print("\n".join(stack_judge.tables(result)))
    say(f"everything is in {out}: stack.json, figures/")
    return 0
