# SPDX-License-Identifier: MIT
"""From what the user names to bitcode: a C file, a folder of them, a compile_commands.json, or bitcode itself."""

import concurrent.futures
import json
import os
import re
import shlex
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from plots.escape import cache
from plots.program.errors import Refused, one_line

CPLUSPLUS = (".cc", ".cpp", ".cxx", ".c++", ".C", ".mm", ".m")
# What the analysis wants to see: see harness/escape/main.c.
STAGE = ["-O2", "-Xclang", "-disable-llvm-passes", "-fno-discard-value-names", "-g", "-w", "-emit-llvm", "-c"]
DROPPED = re.compile(r"-(c|S|E|O.*|g.*|M[DGMP]*|W.*|flto.*|fsanitize.*|fprofile.*|ftest-coverage|coverage|-coverage|"
                     r"pipe|save-temps.*|fdiagnostics.*|pedantic.*|fstack-usage|fcallgraph-info.*|fdump.*|"
                     r"frecord-gcc-switches)$")
DROPPED_WITH_VALUE = ("-o", "-MF", "-MT", "-MQ", "-MJ")
UNKNOWN = re.compile(r"error: (?:unknown argument|unsupported option|unsupported argument)[^']*'([^']+)'")
RETRIES = 4


@dataclass
class Source:
    """A C file, the words that compile it, and where they are run."""
    file: Path
    flags: list
    folder: Path


@dataclass
class Inputs:
    sources: list = field(default_factory=list)
    bitcode: list = field(default_factory=list)
    cplusplus: int = 0


def of_interest(flags):
    """The flags of a compile command that say what the code means, not what comes out or with which warnings."""
    kept, words = [], iter(flags)
    for word in words:
        if word in DROPPED_WITH_VALUE:
            next(words, None)
        elif not DROPPED.match(word) and not re.match(r"-o.", word):
            kept.append(word)
    return kept


def of_database(path):
    """Of a compile_commands.json: of each C file its first command."""
    try:
        entries = json.loads(path.read_text())
        inputs, seen = Inputs(), set()
        for entry in entries:
            folder, words = Path(entry["directory"]), entry.get("arguments") or shlex.split(entry["command"])
            folder = path.parent / folder
            file = folder / entry["file"]
            if file.suffix in CPLUSPLUS:
                inputs.cplusplus += 1
            elif file.suffix == ".c" and file.resolve() not in seen:
                seen.add(file.resolve())
                flags = [word for word in words[1:] if word == "--" or (folder / word).resolve() != file.resolve()]
                inputs.sources.append(Source(file, of_interest(word for word in flags if word != "--"), folder))
        return inputs
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refused(path, f"is no compile_commands.json: {type(error).__name__}: {error}") from None


def find(what, cflags):
    path = Path(what)
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file() and not any(
            part.startswith(".") for part in file.relative_to(path).parts))
        return Inputs([Source(file.absolute(), [*cflags, "-I", str(path.absolute())], Path.cwd()) for file in files if
                       file.suffix == ".c"], [], sum(file.suffix in CPLUSPLUS for file in files))
    if not path.exists():
        raise Refused(what, "No such file or directory")
    if path.suffix == ".json":
        inputs = of_database(path)
        for source in inputs.sources:
            source.flags += cflags
        return inputs
    if path.suffix in (".bc", ".ll"):
        return Inputs(bitcode=[path.absolute()])
    if path.suffix in CPLUSPLUS:
        return Inputs(cplusplus=1)
    return Inputs([Source(path.absolute(), cflags, Path.cwd())])


def find_clang(major):
    """A clang whose bitcode LLVM `major` reads: the same version or an older one."""
    older = []
    for name in (f"clang-{major}", "clang", *(f"clang-{n}" for n in range(major - 1, 13, -1))):
        found = shutil.which(name)
        if not found:
            continue
        said = subprocess.run([found, "--version"], capture_output=True, text=True).stdout
        version = re.search(r"clang version (\d+)", said)
        if version and int(version[1]) <= major:
            return found
        older.append(name)
    why = f"{older[0]} is newer than LLVM {major}, with which ampersand was built" if older else "is not here"
    raise Refused("clang", f"{why}: apt-get install clang-{major}")


@dataclass
class Unit:
    """A source and its bitcode; without, why there is none."""
    source: Source
    bitcode: Path = None
    why: str = ""
    dropped: list = field(default_factory=list)  # flags that clang does not know


def name_of(clang, source):
    """All that decides what comes out, but the contents of files."""
    around = [os.environ.get(name, "") for name in ("CPATH", "C_INCLUDE_PATH")]
    return cache.name_of(clang, cache.stamp(clang), STAGE, source.folder, source.file, source.flags, around)


def compile_one(clang, source, place, kept):
    """A file's unit, in the folder `place`; where `kept`, an earlier one serves if nothing changed since."""
    name = name_of(clang, source)
    out = place / f"{name}.bc"
    known = cache.recall(place, name) if kept and out.exists() else None
    if known is not None:
        return Unit(source, out, dropped=known)
    began = time.time_ns()
    unit = call(clang, source, place / f"{name}.{os.getpid()}")
    if unit.bitcode:
        rule = unit.bitcode.with_suffix(".d")
        files = [source.folder / file for file in cache.dependencies(rule.read_text(errors="surrogateescape"))]
        rule.unlink()
        unit.bitcode = unit.bitcode.replace(out)
        cache.keep(place if kept else None, name, unit.dropped, files, began, bitcode=True)
    return unit


def call(clang, source, out):
    """Compile it, without the flags that clang does not know."""
    flags, unit = list(source.flags), Unit(source)
    bitcode, rule = out.with_suffix(out.suffix + ".bc"), out.with_suffix(out.suffix + ".d")
    if not source.folder.is_dir():
        unit.why = f"the folder of its command is not there: {source.folder}"
        return unit
    for _ in range(RETRIES):
        done = subprocess.run([clang, *flags, *STAGE, "-MD", "-MF", rule, "-o", bitcode, "-x", "c", str(source.file)],
                              cwd=source.folder, text=True, capture_output=True, stdin=subprocess.DEVNULL,
                              errors="replace")
        if done.returncode == 0:
            unit.bitcode = bitcode if bitcode.exists() and rule.exists() else None
            unit.why = "" if unit.bitcode else "its flags make clang write nothing"
            return unit
        unknown = set(UNKNOWN.findall(done.stderr))
        if not unknown & set(flags):
            break
        unit.dropped += sorted(unknown & set(flags))
        flags = [flag for flag in flags if flag not in unknown]
    said = [line for line in done.stderr.splitlines() if "error" in line] or done.stderr.splitlines() or ["no word"]
    unit.why = one_line(said[0])
    return unit


def compile_all(inputs, clang, place, kept, say):
    """[Unit] of the files that compile. Each file that does not is named, with the compiler's words."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        units = list(pool.map(lambda source: compile_one(clang, source, place, kept), inputs.sources))
    dropped = {}
    for unit in units:
        for flag in unit.dropped:
            dropped[flag] = dropped.get(flag, 0) + 1
        if not unit.bitcode:
            say(f"{unit.source.file}: left out: {unit.why}")
    for flag, files in dropped.items():
        say(f"{flag}: clang does not know it: left out of {files} commands")
    return [unit for unit in units if unit.bitcode]
