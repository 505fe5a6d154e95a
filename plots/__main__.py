# SPDX-License-Identifier: MIT
"""python3 -m plots <verb>: everything that a run's folder is read for.

Exit status: 0 done; 1 some row failed; 2 wrong use, or it cannot be done, or a defect of ampersand (the message says
which); 3 a change found; 130 interrupted."""

from plots.program import guard

guard.enter("plots")  # first: what comes behind it may be interrupted, or fail to load

import difflib
import importlib
import sys

from plots.program.command_line import Parser

VERBS = {  # verb: the module that does it, what it does
    "summary": ("verbs.summary", "judge a run: summary.json, bench.txt and the table"),
    "undecided": ("verbs.rows_to_extend", "print the rows of a run that want more launches"),
    "check": ("verbs.check", "hold a run folder against its schema"),
    "charts": ("verbs.charts", "draw a run's figures"),
    "report": ("verbs.report", "write a run's report.html"),
    "allocators": ("verbs.allocators", "judge a run over allocator configurations: summary, table, figures, report"),
    "refine": ("refine.refine", "build lessons for sizes between those of a run"),
    "compare": ("verbs.compare", "say what changed between two runs"),
    "merge": ("merge.merge", "put the verdicts of runs on several machines into one table"),
    "go": ("go.go", "set what Go measured beside C's"),
    "doctor": ("doctor.doctor", "say what the machine does to measurements"),
    "escape": ("escape.escape", "say where each object of a C program lives, and why"),
    "flame": ("profile.flame", "draw a profile's flame graphs"),
    "ab": ("ab.ab", "say whether a change to the user's code made it slower"),
    "stack": ("stack.stack", "measure stacks side by side"),
    "gc": ("gc.gc", "judge a run of collectors: trace, summary, report, table"),
}


def usage():
    lines = ["usage: python3 -m plots <verb> [options]", ""]
    lines += [f"  {verb:<12}{what}" for verb, (_, what) in VERBS.items()]
    return "\n".join(lines + ["", "python3 -m plots <verb> --help says more.", ""])


def main(arguments):
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        (sys.stdout if arguments else sys.stderr).write(usage())
        return 0 if arguments else 2
    verb = arguments[0]
    if verb not in VERBS:
        near = difflib.get_close_matches(verb, VERBS, 1)
        why = f"did you mean {near[0]}?" if near else f"there are {', '.join(VERBS)}"
        print(f"ampersand: {verb}: no such verb; {why}", file=sys.stderr)
        return 2
    module = importlib.import_module(f"plots.{VERBS[verb][0]}")
    parser = Parser(prog=f"plots {verb}", description=(module.__doc__ or "").split("\n\n")[0], allow_abbrev=False)
    module.add_arguments(parser)
    return module.main(parser.parse_args(arguments[1:]))


def guarded(arguments, run=main, name=None):
    """The status of run(arguments), with every failure told in one line (guard.py)."""
    return guard.guarded(arguments, run, name or (arguments[0] if arguments and arguments[0] in VERBS else "plots"))


if __name__ == "__main__":
    sys.exit(guarded(sys.argv[1:]))
