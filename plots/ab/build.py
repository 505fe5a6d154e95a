# SPDX-License-Identifier: MIT
"""From a side's sources to one relocatable file: build its library, compile the kernels against it, join all."""

import concurrent.futures
import glob
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from plots.files import cache
from plots.program.errors import Refused, one_line

ROOT = Path(__file__).resolve().parents[2]
PLACED = ("-ffunction-sections", "-fdata-sections")
CPLUSPLUS = (".cc", ".cpp", ".cxx", ".c++", ".C")
LAST = 8  # lines of a build that failed
# Names of the C++ library: of its code, new and delete, exceptions, and the types of classes with virtual functions.
OF_CPLUSPLUS = re.compile(rb"\0(?:_ZN?K?S[ts]\w+|_Zn[wa]\w+|_Zd[la]Pv\w*|__cxa_\w+|__gxx_\w+|_ZTVN10__cxxabiv1\w+)\0")


@dataclass(frozen=True)
class Built:
    object: Path
    left_out: dict  # file of kernels -> why it does not compile here
    words: tuple  # for the linker
    compiler: str
    read: dict  # what was compiled besides the side's sources: file -> SHA-256, None where there must be none


def run(command, folder, env=None, shell=False):
    """(status, what it said, with paths from the folder on)"""
    try:
        done = subprocess.run(command, cwd=folder, env=env, shell=shell, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace", stdin=subprocess.DEVNULL)
    except FileNotFoundError as error:
        return 127, f"{error.filename}: no such command"
    return done.returncode, done.stdout.replace(f"{folder}/", "")


def failed(side, what, said):
    """Show the last lines, and end."""
    lines = [line for line in said.splitlines() if line.strip()]
    for line in lines[-LAST:]:
        print(f"    {line}", file=sys.stderr)
    errors = [line for line in lines if "error" in line.lower()] or lines or ["it says nothing"]
    raise Refused(side.name, what, one_line(errors[0], 160))


def flags_of(side, folder):
    """Where a side is built depends on nothing but luck, and must not show in its constants (__FILE__)."""
    return [*shlex.split(side.cflags), "-fPIC", *PLACED, f"-fmacro-prefix-map={folder}=."]


def cxx_of(cc):
    """The C++ compiler beside a C compiler."""
    words = shlex.split(cc)
    folder, _, name = words[0].rpartition("/")
    for old, new in (("clang", "clang++"), ("gcc", "g++"), ("cc", "c++")):
        if old in name:
            return [f"{folder}/" * bool(folder) + name.replace(old, new, 1), *words[1:]]
    return ["c++"]


def compiler_of(side, file):
    return cxx_of(side.cc) if Path(file).suffix in CPLUSPLUS else shlex.split(side.cc)


def objects(settings, side, places):
    """What the user's build makes, or the sources compiled."""
    if settings.build:
        flags = shlex.join(flags_of(side, places.top))
        env = os.environ | {"CC": side.cc, "CXX": shlex.join(cxx_of(side.cc)), "CFLAGS": flags, "CXXFLAGS": flags}
        status, said = run(settings.build, places.sources, env, shell=True)
        if status:
            failed(side, f"the build failed with status {status}", said)
    found = linked(settings, side, places)
    if settings.build and not found:
        raise Refused("--link", "name what the build makes: an object or a static library")
    return found + compiled(settings, side, places) if settings.sources or not found else found


def linked(settings, side, places):
    found = []
    for pattern in settings.link:
        if pattern.startswith("-"):
            continue
        matches = sorted(glob.glob(str(places.sources / pattern), recursive=True))
        if not matches:
            raise Refused(side.name, f"there is no {pattern} after the build")
        found += matches
    return found


def compiled(settings, side, places):
    patterns = settings.sources or ("*.c",)
    own = {os.path.realpath(file) for file in settings.kernels}
    files = [file for pattern in patterns for file in sorted(glob.glob(str(places.sources / pattern), recursive=True))]
    files = [file for file in dict.fromkeys(files) if os.path.realpath(file) not in own
             and not any(Path(file).name == Path(kernel).name for kernel in settings.kernels)]
    if not files:
        raise Refused(side.name, f"there is no {' or '.join(patterns)} in it: say how to build: --build, --link")

    def one(number_and_file):
        number, file = number_and_file
        out = places.made / f"{number:04d}.o"
        return file, out, compile_one(settings, side, places, file, out)

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        done = list(pool.map(one, enumerate(files)))
    for file, _, (status, said) in done:
        if status:
            failed(side, f"{os.path.relpath(file, places.sources)} does not compile", said)
    return [str(out) for _, out, _ in done]


def compile_one(settings, side, places, file, out, first=(), last=()):
    """(status, what the compiler said). What was read besides the sources is added to `places`."""
    rule = out.with_suffix(".d")
    words = [*compiler_of(side, file), *first, *flags_of(side, places.top), *includes(settings, places), *last]
    status, said = run([*words, "-MD", "-MF", str(rule), "-c", file, "-o", str(out)], places.sources)
    if status:  # how far it came says little: what does it include?
        run([*words, "-M", "-MG", "-MF", str(rule), file], places.sources)
    places.have_read(rule)
    return status, said


def includes(settings, places):
    return [f"-I{places.sources / folder}" for folder in settings.include or (".",)]


def compile_kernels(settings, side, places):
    """({file: object}, {file: why not})"""
    found, left_out = {}, {}
    for number, file in enumerate(settings.kernels):
        out = places.made / f"kernels{number}.o"
        standard = [] if Path(file).suffix in CPLUSPLUS else ["-std=gnu11"]
        status, said = compile_one(settings, side, places, file, out, standard,
                                   ("-I", str(ROOT), "-I", str(Path(file).parent), "-D_GNU_SOURCE"))
        if status:
            errors = [line for line in said.splitlines() if "error" in line] or said.splitlines() or ["it says nothing"]
            left_out[file] = one_line(errors[0], 160)
        else:
            found[file] = out
    return found, left_out


class Places:
    """Where a side is built: its sources, the top of what was checked out, and a folder for what is made."""

    def __init__(self, sources, top, made, kernels):
        self.sources, self.top, self.made, self.read = sources, top, made, {}
        self.beside = {Path(file).parent for file in kernels}  # where a new header would be found before others
        made.mkdir(parents=True)

    def have_read(self, rule):
        """Note the files that a compiler's rule names, but not the side's own sources."""
        names = cache.dependencies(rule.read_text(errors="surrogateescape")) if rule.exists() else ()
        for path in (self.sources / name for name in names):
            own = Path(os.path.normpath(path)).is_relative_to(self.top)
            for one in [folder / path.name for folder in self.beside] if own else [path]:
                self.read[str(one)] = cache.digest(one)


def build(settings, side, sources, top, made):
    """Built. `made`: a folder that is not there yet."""
    places = Places(sources, top, made, settings.kernels)
    parts = objects(settings, side, places)
    kernels, left_out = compile_kernels(settings, side, places)
    table, rule = made / "table.o", made / "table.d"
    status, said = run([*shlex.split(side.cc), "-O2", "-std=gnu11", "-fPIC", *PLACED, "-I", str(ROOT), "-MD", "-MF",
                        str(rule), "-c", str(ROOT / "harness/ab/launch/kernels.c"), "-o", str(table)], made)
    if status:
        failed(side, "its compiler does not compile ampersand's own code", said)
    places.have_read(rule)
    if not kernels:
        failed(side, f"{Path(next(iter(left_out))).name} does not compile", next(iter(left_out.values())))
    joined = made / f"{side.name}.side.o"
    # A library first once and again at the end would hide nothing: -r takes members only where something needs them.
    status, said = run([*shlex.split(side.cc), "-r", "-nostdlib", "-Wl,--unique", "-o", str(joined),
                        *map(str, kernels.values()), str(table), *parts], made)
    if status:
        failed(side, "its objects cannot be joined", said)
    words = tuple(word for word in settings.link if word.startswith("-"))
    cplusplus = any(Path(file).suffix in CPLUSPLUS for file in settings.kernels) or \
        OF_CPLUSPLUS.search(joined.read_bytes())
    return Built(joined, left_out, words + ("-lstdc++",) * bool(cplusplus), version_of(side), places.read)


def version_of(side):
    said = run([*shlex.split(side.cc), "--version"], "/")[1].splitlines()
    return said[0] if said else side.cc
