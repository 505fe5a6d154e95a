# SPDX-License-Identifier: MIT
"""Both sides' layouts: as modules or, where their code cannot be loaded into another process, as programs. A few are
linked, and kept; the others are made from these."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from plots.ab import kept
from plots.ab.build import ROOT
from plots.files import cache
from plots.program.errors import Refused

LINKER = ROOT / "harness/ab/link_sides.py"
PLACER = ROOT / "harness/ab/place_sides.py"
NOT_LOADED = "not for modules: "


@dataclass(frozen=True)
class Linked:
    folder: Path
    layouts: int
    programs: bool
    why: str | None  # why they are programs
    own_allocator: list  # the functions of malloc's that the code has itself
    not_counted: str | None  # why its kernels cannot be counted


def harness(name):
    return Path(os.environ.get("AMPERSAND_BUILD", ROOT / "build")) / "harness" / name


def examine(settings, built, folder, anew):
    """(what both sides' code has, why it must be linked into programs or None); nothing is kept of what is linked.
    `anew`: also where that was found out before."""
    found = kept.value_of("facts", built, _decides(settings), lambda: _examine(settings, built, folder), anew)
    return found["facts"], found["why"]


def _decides(settings):
    """Besides the sides, what decides what is found out, and linked."""
    scripts = [cache.digest(path) for room in ("ab", "copies", "lesson") for path in sorted(LINKER.parents[1].glob(
        f"{room}/*.py"))]
    libraries = [cache.stamp(harness(f"libampersand_ab_{name}.a")) for name in ("side", "count")]
    return [scripts, libraries, bool(importlib.util.find_spec("capstone")), [side.cc for side in settings.sides]]


def _examine(settings, built, folder):
    try:
        found = _link(settings, built, folder, False, "--facts")
    except Refused as error:
        why = str(error).partition(NOT_LOADED)
        if not why[1]:
            raise
        return {"facts": _link(settings, built, folder, True, "--facts"),
                "why": f"it is not position-independent: {why[2]}"}
    own = found["own_allocator"]
    return {"facts": found, "why": f"the code has an allocator of its own ({', '.join(own)})" if own else None}


def link(settings, built, folder, layouts, seed, facts, why, anew):
    """As modules, unless there is a reason why not, or they cannot be loaded. `facts`, `why`: of examine()."""
    few = folder.with_name(f"{folder.name}-few")
    found, data = kept.entry_of("layouts", built, [_decides(settings), why],
                                lambda: _few(settings, built, few, why), anew)
    folder.mkdir(parents=True)
    drawn, programs = ("--count", layouts, "--seed", seed), found["why"] is not None
    if found["not_placed"] is None:
        template = folder / "template"
        template.write_bytes(data)
        _run(PLACER, "--template", template, "--out", folder, *drawn, *["--programs"] * programs)
    else:
        _link(settings, built, folder, programs, *drawn)
    return Linked(folder, layouts, programs, found["why"], facts["own_allocator"], found["not_counted"])


def _few(settings, built, folder, why):
    """(what is known of them, what all layouts are made from, if these can be)"""
    template = folder / "template"
    found = _link(settings, built, folder, why is not None, "--template", template)
    if why is None:
        why = not_loading(folder)
        if why is not None:
            shutil.rmtree(folder)
            return _few(settings, built, folder, why)
    return found | {"why": why}, template.read_bytes() if found["not_placed"] is None else b""


def not_loading(folder):
    """Why the first module cannot be loaded, or None."""
    for side in ("base", "head"):
        done = subprocess.run([sys.executable, "-c", "import ctypes, sys; ctypes.CDLL(sys.argv[1])",
                               folder / f"{side}.000.so"], capture_output=True, text=True, errors="replace")
        if done.returncode:
            said = done.stderr.splitlines() or [f"loading it ends with status {done.returncode}"]
            return said[-1].removeprefix("OSError: ").replace(f"{folder}/", "")
    return None


def _link(settings, built, folder, programs, *more):
    folder.mkdir(parents=True, exist_ok=True)
    words = dict.fromkeys(word for side in built.values() for word in side.words)
    command = ["--out", folder, *(f"--arg={word}" for word in words), *more]
    if programs:
        command += ["--programs", "--program-library", harness("libampersand_ab_side.a"),
                    "--count-library", harness("libampersand_ab_count.a")]
    for side in settings.sides:
        command += [f"--{side.name}", built[side.name].object, f"--{side.name}-cc", side.cc]
    return json.loads(_run(LINKER, *command))


def _run(script, *words):
    done = subprocess.run([sys.executable, script, *map(str, words)], capture_output=True, text=True, errors="replace")
    if done.returncode:
        said = done.stderr.splitlines() or ["the linking failed without a word"]
        raise Refused(said[-1].removeprefix("ampersand: ab: ").removeprefix("ampersand: "))
    return done.stdout
