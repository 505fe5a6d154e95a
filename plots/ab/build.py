# SPDX-License-Identifier: MIT
"""From a side's sources to one relocatable file: build its library, compile the kernels against it, join all."""

import concurrent.futures
import glob
import os
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from plots.program.errors import Refused, one_line

ROOT = Path(__file__).resolve().parents[2]
PLACED = ("-ffunction-sections", "-fdata-sections")
CPLUSPLUS = (".cc", ".cpp", ".cxx", ".c++", ".C")
LAST = 8  # lines of a build that failed


@dataclass(frozen=True)
class Built:
    object: Path
    left_out: dict  # file of kernels -> why it does not compile here
    words: tuple  # for the linker
    cplusplus: bool
    compiler: str


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


def flags_of(side, pic=True):
    return [*shlex.split(side.cflags), *(["-fPIC"] if pic else []), *PLACED]


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


def objects(settings, side, checkout):
    """What the user's build makes, or the sources compiled."""
    if settings.build:
        flags = shlex.join(flags_of(side))
        env = os.environ | {"CC": side.cc, "CXX": shlex.join(cxx_of(side.cc)), "CFLAGS": flags, "CXXFLAGS": flags}
        status, said = run(settings.build, checkout.folder, env, shell=True)
        if status:
            failed(side, f"the build failed with status {status}", said)
    found = linked(settings, side, checkout)
    if settings.build and not found:
        raise Refused("--link", "name what the build makes: an object or a static library")
    return found + compiled(settings, side, checkout) if settings.sources or not found else found


def linked(settings, side, checkout):
    found = []
    for pattern in settings.link:
        if pattern.startswith("-"):
            continue
        matches = sorted(glob.glob(str(checkout.folder / pattern), recursive=True))
        if not matches:
            raise Refused(side.name, f"there is no {pattern} after the build")
        found += matches
    return found


def compiled(settings, side, checkout):
    patterns = settings.sources or ("*.c",)
    own = {os.path.realpath(file) for file in settings.kernels}
    files = [file for pattern in patterns for file in sorted(glob.glob(str(checkout.folder / pattern), recursive=True))]
    files = [file for file in dict.fromkeys(files) if os.path.realpath(file) not in own
             and not any(Path(file).name == Path(kernel).name for kernel in settings.kernels)]
    if not files:
        raise Refused(side.name, f"there is no {' or '.join(patterns)} in it: say how to build: --build, --link")
    made = checkout.folder.parent / "objects"
    made.mkdir(exist_ok=True)

    def one(number_and_file):
        number, file = number_and_file
        out = made / f"{number:04d}.o"
        words = [*compiler_of(side, file), *flags_of(side), *includes(settings, checkout), "-c", file, "-o", out]
        return file, out, run(words, checkout.folder)

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        done = list(pool.map(one, enumerate(files)))
    for file, _, (status, said) in done:
        if status:
            failed(side, f"{os.path.relpath(file, checkout.folder)} does not compile", said)
    return [str(out) for _, out, _ in done]


def includes(settings, checkout):
    return [f"-I{checkout.folder / folder}" for folder in settings.include or (".",)]


def compile_kernels(settings, side, checkout, made):
    """({file: object}, {file: why not})"""
    found, left_out = {}, {}
    for number, file in enumerate(settings.kernels):
        out = made / f"kernels{number}.o"
        standard = [] if Path(file).suffix in CPLUSPLUS else ["-std=gnu11"]
        status, said = run([*compiler_of(side, file), *standard, *flags_of(side), *includes(settings, checkout),
                            "-I", str(ROOT), "-I", str(Path(file).parent), "-D_GNU_SOURCE", "-c", file, "-o", str(out)],
                           checkout.folder)
        if status:
            errors = [line for line in said.splitlines() if "error" in line] or said.splitlines() or ["it says nothing"]
            left_out[file] = one_line(errors[0], 160)
        else:
            found[file] = out
    return found, left_out


def build(settings, side, checkout):
    made = checkout_folder(side, checkout)
    parts = objects(settings, side, checkout)
    kernels, left_out = compile_kernels(settings, side, checkout, made)
    table = made / "table.o"
    status, said = run([*shlex.split(side.cc), "-O2", "-std=gnu11", "-fPIC", *PLACED, "-I", str(ROOT), "-c",
                        str(ROOT / "harness/ab/launch/kernels.c"), "-o", str(table)], made)
    if status:
        failed(side, "its compiler does not compile ampersand's own code", said)
    if not kernels:
        failed(side, f"{Path(next(iter(left_out))).name} does not compile", next(iter(left_out.values())))
    joined = made / f"{side.name}.side.o"
    # A library first once and again at the end would hide nothing: -r takes members only where something needs them.
    status, said = run([*shlex.split(side.cc), "-r", "-nostdlib", "-Wl,--unique", "-o", str(joined),
                        *map(str, kernels.values()), str(table), *parts], made)
    if status:
        failed(side, "its objects cannot be joined", said)
    words = tuple(word for word in settings.link if word.startswith("-"))
    files = [*settings.kernels, *parts]
    cplusplus = any(Path(file).suffix in CPLUSPLUS for file in files)
    return Built(joined, left_out, words + (("-lstdc++",) if cplusplus else ()), cplusplus, version_of(side))


def checkout_folder(side, checkout):
    """Where the side's own files go: beside its sources."""
    folder = next(parent for parent in (checkout.folder, *checkout.folder.parents) if parent.name == "source").parent
    made = folder / "made"
    made.mkdir(exist_ok=True)
    return made


def version_of(side):
    said = run([*shlex.split(side.cc), "--version"], "/")[1].splitlines()
    return said[0] if said else side.cc
