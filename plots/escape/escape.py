# SPDX-License-Identifier: MIT
"""Where each object of a C program lives, and why: what `go build -gcflags -m` says, for C.

Clang compiles every file to bitcode, all are analysed as one program, and what was found is said: which allocations
could live in the frame, which must be on the heap and through which steps, and which locals' addresses outlive it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from plots.escape import explain, sarif, savings, sources
from plots.program import scratch
from plots.program.errors import Refused, one_line
from plots.words import quantity

SCREEN = 20  # lines of the first screen


def add_arguments(parser):
    parser.add_argument("what", help="a C file, a folder, a compile_commands.json, or bitcode")
    parser.add_argument("--cflags", default="", help="flags for clang, in one word")
    parser.add_argument("-m", dest="lines", action="store_true", help="a line for every allocation")
    parser.add_argument("-m=2", dest="whole", action="store_true", help="every step of every reason")
    parser.add_argument("--function", metavar="REGEX", help="only what these functions make")
    parser.add_argument("--lessons", metavar="RUN", help="a run of bench on this machine: what each object would save")
    parser.add_argument("--format", choices=("table", "json", "sarif"), default="table")


def say(text):
    print(f"ampersand: {text}", file=sys.stderr)


def tool():
    path = Path(os.environ.get("AMPERSAND_BUILD", "build")) / "harness/escape/ampersand-escape"
    if not path.exists():
        raise Refused("escape", "was left out of this build, which found no LLVM: apt-get install llvm-dev clang, then "
                                "build anew")
    return path


def run(program, arguments, sources=()):
    """(its stdout, how many files it left out, which are named by their `sources`)."""
    done = subprocess.run([program, *arguments], capture_output=True, text=True, errors="replace")
    if done.returncode:
        said = done.stderr.splitlines() or [f"ampersand-escape: ended with status {done.returncode}"]
        raise Refused(one_line(said[-1]).removeprefix("ampersand: "))
    for line in done.stderr.splitlines():
        for file, source in dict(sources).items():
            line = line.replace(f" {file}: ", f" {source}: ")
        print(line, file=sys.stderr)
    return done.stdout, done.stderr.count(": left out: ")


def analyse(what, cflags):
    """(what was found, how many files failed)."""
    program = tool()
    major = int(run(program, ["--version"])[0].split()[1])
    inputs = sources.find(what, cflags)
    if inputs.cplusplus:
        say(f"{quantity.counted(inputs.cplusplus, 'file')} of C++ or Objective-C left out: only C is analysed")
    if not inputs.sources and not inputs.bitcode:
        raise Refused(what, "there is no C file")
    with scratch.folder("escape") as folder:
        made, failed = {}, 0
        if inputs.sources:
            made, failed = sources.compile_all(inputs, sources.find_clang(major), folder, say)
        if not made and not inputs.bitcode:
            raise Refused(what, "no file of it compiles, for the reason above")
        said, left_out = run(program, [*made, *map(str, inputs.bitcode)], made)
    found = json.loads(said)
    found["files"] = len(made) + len(inputs.bitcode) - left_out
    return found, failed + left_out


def order(finding):
    """What may gain most first: objects in loops, then the large ones; the rest by place."""
    return not finding["loop"], -(finding["bytes"] or 0), finding["file"], finding["line"], finding["column"]


def by_place(finding):
    return finding["file"], finding["line"], finding["column"]


def lines(found, whole):
    """A line for each local and each allocation, as Go's compiler prints them."""
    for finding in sorted(found["locals"], key=by_place):
        yield f"{explain.place(finding)}: {explain.local(finding)}"
        if whole:
            yield from explain.whole(finding["path"])
    for finding in sorted(found["allocations"], key=by_place):
        yield f"{explain.place(finding)}: {explain.allocation(finding)}: {explain.why(finding)}"
        if whole:
            yield from explain.whole(finding.get("path", []))
    for copy in sorted(found["copies"], key=lambda copy: (not copy["loop"], -copy["bytes"], *by_place(copy))):
        yield f"{explain.place(copy)}: {explain.copied(copy)}"
    for one in found["parameters"]:
        yield f"{one['function']}(): {explain.parameter(one)}"
    for frame in found["frames"]:
        for taken in frame["taken"]:
            yield f"{explain.place(taken)}: {explain.taken(frame, taken)}"
    for one in found["given_up"]:
        yield f"{one['function']}(): not followed: it {one['why']}; all that it gets or makes is taken to escape"


def counts(found):
    sites = found["allocations"]
    frame = sum(site["obstacle"] is None for site in sites)
    assumed = sum(site.get("assumed", False) for site in sites)
    yield (f"{quantity.counted(found['files'], 'file')}, {quantity.counted(found['functions'], 'function')}, "
           f"{quantity.counted(len(sites), 'allocation')}: {frame} could live in the frame, "
           f"{sum(site['obstacle'] == 'outlives' for site in sites)} outlive it "
           f"({assumed} of these as far as is known: a body or a pointer is not seen)")


def first_screen(found):
    yield from counts(found)
    shown = [f"{explain.place(one)}: {'bug' if one['returned'] else 'left behind'}: {explain.local(one)}"
             for one in sorted(found["locals"], key=by_place)]
    shown += [f"{explain.place(one)}: {explain.allocation(one)}: {explain.why(one)}"
              for one in sorted(found["allocations"], key=order) if one["obstacle"] is None]
    room = SCREEN - 3
    yield from shown[:room]
    if len(shown) > room:
        yield f"{len(shown) - room} more: -m prints all"
    else:
        yield "-m prints why each other allocation must be on the heap; -m=2 every step of it"


def main(arguments):
    try:
        wanted = re.compile(arguments.function or "")
    except re.error as error:
        raise Refused("--function", f"{arguments.function}: is no regular expression: {error}") from None
    found, failed = analyse(arguments.what, arguments.cflags.split())
    for kind in ("allocations", "locals", "given_up", "copies", "parameters", "frames"):
        found[kind] = [one for one in found[kind] if wanted.search(one["function"])]
    if arguments.lessons:
        savings.add(found, arguments.lessons)
    if arguments.format == "json":
        print(json.dumps(found, indent=1))
    elif arguments.format == "sarif":
        print(json.dumps(sarif.of(found), indent=1))
    else:
        text = lines(found, arguments.whole) if arguments.lines or arguments.whole else first_screen(found)
        print("\n".join(text))
    return 1 if failed else 0
