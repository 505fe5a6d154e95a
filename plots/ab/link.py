# SPDX-License-Identifier: MIT
"""Both sides' layouts: as modules or, where their code cannot be loaded into another process, as programs."""

import importlib.util
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from plots.ab import kept
from plots.ab.build import ROOT
from plots.files import cache
from plots.program.errors import Refused

LINKER = ROOT / "harness/ab/link_sides.py"
NOT_LOADED = "not for modules: "


@dataclass(frozen=True)
class Linked:
    folder: Path
    facts: dict  # as link_sides.py prints them
    programs: bool
    why: str | None  # why they are programs


def harness(name):
    return Path(os.environ.get("AMPERSAND_BUILD", ROOT / "build")) / "harness" / name


def examine(settings, built, folder, anew):
    """(what both sides' code has, why it must be linked into programs or None); nothing is kept of what is linked.
    `anew`: also where that was found out before."""
    scripts = [cache.digest(path) for room in ("ab", "copies", "lesson") for path in sorted(LINKER.parents[1].glob(
        f"{room}/*.py"))]
    able = [cache.stamp(harness("libampersand_ab_side.a")), bool(importlib.util.find_spec("capstone"))]
    decides = [scripts, able, [side.cc for side in settings.sides]]
    found = kept.value_of("facts", built, decides, lambda: _examine(settings, built, folder), anew)
    return found["facts"], found["why"]


def _examine(settings, built, folder):
    try:
        found = _link(settings, built, folder, 4, 1, False, ("--facts",))
    except Refused as error:
        why = str(error).partition(NOT_LOADED)
        if not why[1]:
            raise
        return {"facts": _link(settings, built, folder, 4, 1, True, ("--facts",)),
                "why": f"it is not position-independent: {why[2]}"}
    own = found["own_allocator"]
    return {"facts": found, "why": f"the code has an allocator of its own ({', '.join(own)})" if own else None}


def link(settings, built, folder, layouts, seed, why):
    """As modules, unless there is a reason why not, or they cannot be loaded."""
    if why is None:
        found = _link(settings, built, folder, layouts, seed, False)
        why = not_loading(folder)
        if why is None:
            return Linked(folder, found, False, None)
        for file in folder.iterdir():
            file.unlink()
    return Linked(folder, _link(settings, built, folder, layouts, seed, True), True, why)


def not_loading(folder):
    """Why the first module cannot be loaded, or None."""
    for side in ("base", "head"):
        done = subprocess.run([sys.executable, "-c", "import ctypes, sys; ctypes.CDLL(sys.argv[1])",
                               folder / f"{side}.000.so"], capture_output=True, text=True, errors="replace")
        if done.returncode:
            said = done.stderr.splitlines() or [f"loading it ends with status {done.returncode}"]
            return said[-1].removeprefix("OSError: ").replace(f"{folder}/", "")
    return None


def _link(settings, built, folder, layouts, seed, programs, more=()):
    folder.mkdir(parents=True, exist_ok=True)
    words = dict.fromkeys(word for side in built.values() for word in side.words)
    command = [sys.executable, LINKER, "--out", folder, "--count", str(layouts), "--seed", str(seed),
               *(f"--arg={word}" for word in words), *more]
    if programs:
        command += ["--programs", "--program-library", harness("libampersand_ab_side.a"),
                    "--count-library", harness("libampersand_ab_count.a")]
    for side in settings.sides:
        command += [f"--{side.name}", built[side.name].object, f"--{side.name}-cc", side.cc]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, errors="replace")
    if done.returncode:
        said = done.stderr.splitlines() or ["the linking failed without a word"]
        raise Refused(said[-1].removeprefix("ampersand: ab: ").removeprefix("ampersand: "))
    return json.loads(done.stdout)
