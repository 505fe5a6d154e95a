# SPDX-License-Identifier: MIT
"""From what the user names to bitcode: a C file, a folder of them, a compile_commands.json, or bitcode itself."""

import concurrent.futures
import json
import os
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

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


def compile_one(clang, source, out):
    """(None, flags that clang does not know) once `out` is there, or (why not, flags)."""
    flags, dropped = list(source.flags), []
    if not source.folder.is_dir():
        return f"the folder of its command is not there: {source.folder}", dropped
    for _ in range(RETRIES):
        done = subprocess.run([clang, *flags, *STAGE, "-o", out, "-x", "c", str(source.file)], cwd=source.folder,
                              text=True, capture_output=True, stdin=subprocess.DEVNULL, errors="replace")
        if done.returncode == 0:
            return None if os.path.exists(out) else "its flags make clang write nothing", dropped
        unknown = set(UNKNOWN.findall(done.stderr))
        if not unknown & set(flags):
            break
        dropped += sorted(unknown & set(flags))
        flags = [flag for flag in flags if flag not in unknown]
    said = [line for line in done.stderr.splitlines() if "error" in line] or done.stderr.splitlines() or ["no word"]
    return one_line(said[0]), dropped


def compile_all(inputs, clang, folder, say):
    """({bitcode file: source}, how many failed). Each file that fails is named, with the compiler's words."""
    outs = [os.path.join(folder, f"{n}.bc") for n in range(len(inputs.sources))]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        done = list(pool.map(lambda pair: compile_one(clang, *pair), zip(inputs.sources, outs)))
    made, dropped = {}, {}
    for source, out, (why, flags) in zip(inputs.sources, outs, done):
        for flag in flags:
            dropped[flag] = dropped.get(flag, 0) + 1
        if why is None:
            made[out] = source.file
        else:
            say(f"{source.file}: left out: {why}")
    for flag, files in dropped.items():
        say(f"{flag}: clang does not know it: left out of {files} commands")
    return made, len(inputs.sources) - len(made)
