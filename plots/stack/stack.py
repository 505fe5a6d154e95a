# SPDX-License-Identifier: MIT
"""Measure stacks side by side: ampersand's growable one, the thread's own, gcc's segments, Go's goroutines.

What was measured goes into DIR/stack.json, the figures into DIR/figures."""

import contextlib
import datetime
import json
import os
import sys
import tempfile
from pathlib import Path

from plots.doctor import doctor_measure
from plots.figures import pictures, stack_figures, style
from plots.files import strict_json
from plots.judge import stack_summary
from plots.program import scratch
from plots.program.errors import Refused
from plots.stack import stack_measure
from plots.words import screen, stack_text


def add_arguments(parser):
    parser.add_argument("--build", type=Path, default=Path(os.environ.get("AMPERSAND_BUILD", "build")),
                        help="the build folder (default: AMPERSAND_BUILD, else build)")
    parser.add_argument("--launches", type=int, default=15, help="fresh processes of each program (default 15)")
    parser.add_argument("--rounds", type=int, default=100, help="rounds of 50 us in each (default 100)")
    parser.add_argument("--out", type=Path, help="where the results go: the door names a new folder")
    parser.add_argument("--from", dest="source", metavar="DIR", type=Path,
                        help="measure nothing: judge and draw again what is there, into DIR or --out")
    parser.add_argument("--format", choices=["table", "json"], default="table")


def say(what):
    print(f"ampersand: stack: {what}", file=sys.stderr)


def measured(args):
    if args.launches < 1 or not 2 <= args.rounds <= 1024:
        raise Refused("stack: --launches wants at least 1, and --rounds from 2 to 1024")
    with scratch.folder("stack") as folder:
        programs = stack_measure.Programs(args.build, folder, say)
        document = {"schema": "ampersand/stack/1",
                    "created": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
                    "rounds": args.rounds, "go": programs.go_version, **doctor_measure.Bench(args.build).machine()}
        document["prologues"] = stack_measure.prologues(programs)
        document.update(stack_measure.measure(programs, args.launches, args.rounds, say))
        say("the check, over its layouts")
        document["check_ns"] = stack_measure.check_ns(programs, max(args.launches, 6))
    return document


def read(folder):
    return strict_json.printable(strict_json.load(folder / "stack.json", "stack"))


@contextlib.contextmanager
def claimed(folder):
    """The folder of a new run: made and tried before anything is measured, and gone again if nothing comes of it."""
    new = [path for path in (folder, *folder.parents) if not os.path.lexists(path)]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / "stack.json").exists():
            raise Refused(folder, f"holds a run already: --from {folder} draws it again; name another folder by --out")
        if next(folder.iterdir(), None):
            raise Refused(folder, "holds other files: name a folder by --out that is empty, or not there")
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        _unmake(new)
        raise Refused(f"--out {folder}", f"cannot be written: {error.strerror}") from None
    try:
        yield
    except BaseException:
        _unmake(new)
        raise


def _unmake(folders):
    with contextlib.suppress(OSError):  # one that is not empty stays
        for path in folders:
            path.rmdir()


def new_document(args, out):
    """Measured, and written into `out`."""
    with claimed(out):
        try:
            document = measured(args)
        except KeyboardInterrupt:
            say(f"nothing is kept of a run that is not whole: {out} is as it was")
            raise
        strict_json.validate(document, "stack", "stack.json")
        strict_json.write_whole(out / "stack.json", json.dumps(document) + "\n")
    return document


def judged(document, form):
    """(text, figures)."""
    result = stack_summary.Result(document)
    text = stack_text.as_json(result) if form == "json" else stack_text.tables(result, screen.of(sys.stdout))
    with style.applied():
        return text, stack_figures.figures(result)


def main(args):
    out = args.out or args.source
    if not out:
        raise Refused("stack: --out or --from is needed")
    if args.source:
        document = read(args.source)
        if out.resolve() != args.source.resolve():
            with claimed(out):
                strict_json.write_whole(out / "stack.json", json.dumps(document) + "\n")
    else:
        document = new_document(args, out)
    try:
        text, figures = judged(document, args.format)
    except (LookupError, ValueError, TypeError, ArithmeticError) as error:
        if not args.source:
            raise
        why = f"its parts do not fit together: {type(error).__name__}: {error}"
        raise Refused(args.source / "stack.json", why) from None
    pictures.write(pictures.encode(figures), out / "figures")
    sys.stdout.write(text)
    say(f"everything is in {out}: stack.json, figures/")
    return 0
