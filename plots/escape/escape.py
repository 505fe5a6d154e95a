# SPDX-License-Identifier: MIT
"""Where each object of a C program lives, and why: what `go build -gcflags -m` says, for C.

Clang compiles every file to bitcode, all are analysed as one program, and what was found is said: which allocations
could live in the frame, which must be on the heap and through which steps, and which locals' addresses outlive it."""

import json
import re
import sys
from pathlib import Path

from plots.escape import counted, fix, outward, proof, savings
from plots.escape.analysis import analyse
from plots.escape.told import baseline, listing, lsp, sarif
from plots.program import scratch
from plots.program.errors import Refused

KINDS = ("allocations", "locals", "given_up", "copies", "parameters", "frames", "wrappers", "passed")


def add_arguments(parser):
    parser.add_argument("what", nargs="?", help="a C file, a folder, a compile_commands.json, or bitcode")
    parser.add_argument("--cflags", default="", help="flags for clang, in one word")
    parser.add_argument("--make", metavar="COMMAND", help="run this build, and analyse what it compiles")
    parser.add_argument("-m", dest="lines", action="store_true", help="a line for every allocation")
    parser.add_argument("-m=2", dest="whole", action="store_true", help="every step of every reason")
    parser.add_argument("--function", metavar="REGEX", help="only what these functions make")
    parser.add_argument("--closed", action="store_true", help="pointers to functions point at this program's only")
    parser.add_argument("--lessons", metavar="RUN", help="a run of bench on this machine: what each object would save")
    parser.add_argument("--profile", metavar="FILE", help="of ./ampersand profile: how often each line allocated")
    parser.add_argument("--run", metavar="COMMAND", help="run this, and count how often each line allocates")
    parser.add_argument("--fail-on", choices=("new",), help="exit status 3 if something is not in the baseline")
    parser.add_argument("--baseline", metavar="FILE", help="what --format json printed earlier")
    parser.add_argument("--fix", action="store_true", help="print a patch that puts objects into the frame")
    parser.add_argument("--check", metavar="COMMAND", help="with --fix: keep what passes this test, under sanitizers")
    parser.add_argument("--write", action="store_true", help="with --fix: change the files")
    parser.add_argument("--out", metavar="DIR", help="write escape.html, escape.json and the patch there")
    parser.add_argument("--format", choices=("table", "json", "sarif", "lsp"), default="table")


def check(arguments):
    """The pattern of --function."""
    if (arguments.what is None) == (arguments.make is None):
        raise Refused("escape", "name a file, a folder or a compile_commands.json, or a build with --make; not both")
    if (arguments.fail_on is None) != (arguments.baseline is None):
        raise Refused("escape", "--fail-on new and --baseline FILE go together")
    if (arguments.check or arguments.write) and not arguments.fix:
        raise Refused("escape", "--check and --write want --fix")
    if arguments.profile and arguments.run:
        raise Refused("escape", "--profile and --run are two ways to say the same")
    try:
        return re.compile(arguments.function or "")
    except re.error as error:
        raise Refused("--function", f"{arguments.function}: is no regular expression: {error}") from None


def show(found, arguments):
    if arguments.format == "json":
        print(json.dumps(found, indent=1))
    elif arguments.format == "sarif":
        print(json.dumps(sarif.of(found), indent=1))
    elif arguments.format == "lsp":
        print(json.dumps(lsp.of(found), indent=1))
    else:
        whole = arguments.lines or arguments.whole
        print("\n".join(listing.lines(found, arguments.whole) if whole else listing.first_screen(found)))


def mend(arguments, analysis, out):
    """Print or write the patch, and change the files if that was asked for. True if some of it was taken back."""
    fixes, texts = proof.plan(analysis.found, analysis.units, analysis.clang)
    kept = [one for one in fixes if not one.why_not]
    if arguments.check and kept:
        with scratch.folder("check") as folder:
            check = proof.Check(arguments.check, folder, texts)
            check.begin()
            kept = check.passing(kept)
    made = proof.changed_texts(kept, texts)
    text = proof.patch(made, texts).encode("latin-1")
    if out:
        (out / "escape.patch").write_bytes(text)
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(text)
    if arguments.write:
        fix.write(made, texts)
    proof.report(fixes)
    return any(one.why_not.startswith("taken back") for one in fixes)


def count(found, arguments):
    with scratch.folder("escape") as folder:
        profile = arguments.profile or counted.record(arguments.run, folder)
        if why := counted.add(found, profile):
            print(f"ampersand: {arguments.profile or '--run'}: {why}", file=sys.stderr)


def main(arguments):
    wanted = check(arguments)
    known = baseline.read(arguments.baseline) if arguments.baseline else None
    analysis = analyse(arguments, all_copies=bool(arguments.lines or arguments.whole or arguments.out
                                                  or arguments.format == "json"))
    found, out = analysis.found, arguments.out and Path(arguments.out)
    outward.add(found)
    for kind in KINDS:
        found[kind] = [one for one in found[kind] if wanted.search(one["function"])]
    found["chains"] = [chain for chain in found["chains"] if any(wanted.search(one) for step in chain["steps"]
                                                                 for one in step["functions"])]
    if arguments.lessons:
        savings.add(found, arguments.lessons)
    if arguments.profile or arguments.run:
        count(found, arguments)
    if out:
        from plots.escape.told import page  # only here: its template engine takes time to load

        out.mkdir(parents=True, exist_ok=True)
        (out / "escape.json").write_text(json.dumps(found, indent=1))
        (out / "escape.html").write_text(page.of(found))
    taken_back = mend(arguments, analysis, out) if arguments.fix else False
    if not arguments.fix or out:
        show(found, arguments)
    if known is not None and baseline.report(found, known):
        return 3
    return 1 if analysis.failed or taken_back else 0
