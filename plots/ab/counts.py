# SPDX-License-Identifier: MIT
"""What the kernels of both sides allocate and execute for an operation: exact, and the same each time."""

import json
import os
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction

from plots.ab import kept
from plots.ab.link import harness
from plots.files import cache

VALGRIND = ("-q", "--tool=callgrind", "--collect-atstart=no", "--cache-sim=yes", "--branch-sim=yes", "--dump-line=no",
            "--vgdb=no", "--callgrind-out-file=ab.callgrind")
KEPT = ("PATH", "LD_LIBRARY_PATH", "VALGRIND_LIB")
CALM = "dirty_decay_ms:-1,muzzy_decay_ms:-1"  # memory is never given back at some time or other
HEAP = "allocs", "asked_b", "granted_b"
EVENTS = "instructions", "loads", "stores", "branches"  # misses are simulated, and depend on addresses
EXACT = "allocs", "asked_b", "instructions"


@dataclass(frozen=True)
class Counted:
    """Of one kernel on one side, for one operation; None where nobody can tell."""

    values: dict
    refused: str | None = None

    def __getitem__(self, key):
        return self.values.get(key)


def count(linked, built, kernels, anew=False):
    """{kernel: {"base": Counted, "head": Counted}}, and why something is missing in all of them, or None. `anew`: also
    where they were counted before."""
    if not kernels:
        return {}, None
    if linked.not_counted:
        return {}, f"not counted: {linked.not_counted}"
    own, valgrind = linked.own_allocator, shutil.which("valgrind")
    counter = harness("libampersand_ab_count.a" if linked.programs else "ampersand-ab")
    around = {key: os.environ.get(key) for key in KEPT if key != "PATH"}  # of that, all that counts is which valgrind
    decides = kernels, linked.programs, cache.stamp(counter), valgrind and cache.stamp(valgrind), VALGRIND, CALM, around
    found = kept.value_of("counts", built, decides, lambda: _count(linked, kernels, valgrind, not own), anew,
                          lambda made: not any("refused" in one for both in made.values() for one in both.values()))
    made = {kernel: {side: _per_operation(one) for side, one in sides.items()} for kernel, sides in found.items()}
    why = ["allocations are not counted: the code has an allocator of its own"] * bool(own)
    why += ["instructions are not counted: apt-get install valgrind"] * (not valgrind)
    return made, "; ".join(why) or None


def _count(linked, kernels, valgrind, heap):
    found = {kernel: {"base": {}, "head": {}} for kernel in kernels}
    ops = dict.fromkeys(kernels, 0)
    if valgrind:
        _take(found, "base", _run(linked, "base", ops, [valgrind, *VALGRIND]))
        ops = {kernel: found[kernel]["base"].get("ops", 0) for kernel in kernels}
    jobs = [("base", []), ("head", [])] * heap + [("head", [valgrind, *VALGRIND])] * bool(valgrind)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for (side, _), lines in zip(jobs, pool.map(lambda job: _run(linked, job[0], ops, job[1]), jobs)):
            _take(found, side, lines)
    return found


def _run(linked, side, ops, under):
    """The lines that it prints, in a folder of its own with an environment that is always the same."""
    with tempfile.TemporaryDirectory(prefix="ampersand-") as folder:
        with open(os.path.join(folder, "kernels"), "w", encoding="utf-8") as file:
            file.writelines(f"{kernel} {n}\n" for kernel, n in ops.items())
        module = os.path.join(folder, "side.so")  # the same name for both: its length changes what is executed
        shutil.copy(linked.folder / (f"{side}.count" if linked.programs else f"{side}.000.so"), module)
        command = ["./side.so"] if linked.programs else [harness("ampersand-ab"), "count", "./side.so"]
        env = {key: os.environ[key] for key in KEPT if key in os.environ} | {"MALLOC_CONF": CALM}
        done = subprocess.run([*under, *command, "./kernels"], cwd=folder, env=env, capture_output=True, text=True,
                              errors="replace", stdin=subprocess.DEVNULL)
    if done.returncode:
        said = done.stderr.splitlines() or [f"counting ended with status {done.returncode}"]
        return [{"kernel": kernel, "refused": said[-1]} for kernel in ops]
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def _take(found, side, lines):
    for line in lines:
        found[line.pop("kernel")][side].update(line)


def _per_operation(found):
    ops = found.get("ops")
    values = {key: Fraction(found[key], ops) for key in (*HEAP, *EVENTS) if ops and found.get(key) is not None}
    if "peak_b" in found:
        values["peak_b"] = Fraction(found["peak_b"])
    return Counted(values, found.get("refused"))
