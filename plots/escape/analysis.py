# SPDX-License-Identifier: MIT
"""From what the user names to what was found in it: compile, link as the build does, analyse each program."""

import concurrent.futures
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from plots.escape import cache, chains, linking, recorded, sources
from plots.program import scratch
from plots.program.errors import Refused, one_line
from plots.words import quantity

LEFT_OUT = ": left out: "


def say(text):
    print(f"ampersand: {text}", file=sys.stderr)


def tool():
    path = Path(os.environ.get("AMPERSAND_BUILD", "build")) / "harness/escape/ampersand-escape"
    if not path.exists():
        raise Refused("escape", "was left out of this build, which found no LLVM: apt-get install llvm-dev clang, then "
                                "build anew")
    return path


def run(program, arguments, names=()):
    """(its stdout, what it said of files that it left out; these are called by their `names`)."""
    done = subprocess.run([program, *arguments], capture_output=True, text=True, errors="replace")
    if done.returncode:
        said = done.stderr.splitlines() or [f"ampersand-escape: ended with status {done.returncode}"]
        raise Refused(one_line(said[-1]).removeprefix("ampersand: "))
    lines = []
    for line in done.stderr.splitlines():
        for file, name in dict(names).items():
            line = line.replace(f" {file}: ", f" {name}: ")
        lines.append(line)
    return done.stdout, lines


def gather(arguments, folder):
    """The inputs: of a recorded build, or of what is named."""
    if arguments.make:
        inputs = recorded.build(arguments.make, folder)
        for source in inputs.sources:
            source.flags += arguments.cflags.split()
    else:
        inputs = sources.find(arguments.what, arguments.cflags.split())
    if inputs.cplusplus:
        say(f"{quantity.counted(inputs.cplusplus, 'file')} of C++ or Objective-C left out: only C is analysed")
    if not inputs.sources and not inputs.bitcode:
        raise Refused(arguments.what, "there is no C file")
    return inputs


def symbols_of(program, units, place):
    """{bitcode: what it defines and needs}."""
    names = {unit.bitcode: cache.name_of("symbols", cache.stamp(program), unit.bitcode, cache.stamp(unit.bitcode))
             for unit in units}
    known = {bitcode: cache.recall(place, name) for bitcode, name in names.items()}
    missing = [bitcode for bitcode, found in known.items() if found is None]
    if missing:
        for bitcode, found in zip(missing, json.loads(run(program, ["--symbols", *missing])[0])):
            known[bitcode] = found
            cache.keep(place, names[bitcode], found)
    return known


def solve(program, options, files, names, place):
    """What was found in one program, and what was said of files that it leaves out."""
    name = cache.name_of("result", cache.stamp(program), options, [(file, cache.stamp(file)) for file in files])
    known = cache.recall(place, name)
    if known is None:
        out, lines = run(program, [*options, *files], names)
        known = [json.loads(out), lines]
        if "calls" in known[0]:
            known[0]["chains"] = chains.of(known[0], known[0].pop("calls"))
        cache.keep(place, name, known)
    return known


@dataclass
class Analysis:
    found: dict
    units: list  # what was compiled
    clang: str
    failed: int  # files that were left out


def mark_surviving(copies, after):
    """Set "survives" of each copy: whether its place still copies when the compiler is done."""
    place = lambda one: (one["file"], one["line"], one["column"])
    there = {place(one) for found in after for one in found}
    for copy in copies:
        copy["survives"] = place(copy) in there


def analyse(arguments, all_copies):
    """Nothing is compiled again that has not changed. `all_copies`: say which ones optimisation leaves, too."""
    program = tool()
    major = int(run(program, ["--version"])[0].split()[1])
    place = cache.folder()
    with scratch.folder("escape") as folder:
        inputs = gather(arguments, folder)
        clang = sources.find_clang(major) if inputs.sources else None
        units = sources.compile_all(inputs, clang, place or Path(folder), place is not None, say)
        if not units and not inputs.bitcode:
            raise Refused(arguments.what or "--make", "no file of it compiles, for the reason above")
        failed = len(inputs.sources) - len(units)
        names = {str(unit.bitcode): unit.source.file for unit in units}
        files = [str(unit.bitcode) for unit in units]
        groups = linking.programs(files, {str(bitcode): found for bitcode, found in
                                          symbols_of(program, units, place).items()}) if len(files) > 1 else [files]
        whole = ["--closed"] if arguments.closed else ["--open"] if failed or inputs.cplusplus else []
        jobs = [(option, [*group, *map(str, inputs.bitcode)]) for group in groups
                for option in [whole] + [["--surviving"]] * all_copies]
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            solved = list(pool.map(lambda job: solve(program, *job, names, place), jobs))
    cache.tidy(place)
    lines = dict.fromkeys(line for _, said in solved for line in said)
    for line in lines:
        print(line, file=sys.stderr)
    left_out = sum(LEFT_OUT in line for line in lines)
    found = linking.merge([found for (option, _), (found, _) in zip(jobs, solved) if option != ["--surviving"]])
    if all_copies:
        mark_surviving(found["copies"], [found["copies"] for (option, _), (found, _) in zip(jobs, solved)
                                         if option == ["--surviving"]])
    found["files"] = len(files) + len(inputs.bitcode) - left_out
    found["programs"] = len(groups)
    return Analysis(found, units, clang, failed + left_out)
