# SPDX-License-Identifier: MIT
"""Random programs on the collector give the checksums that they give with malloc and no free.

AMPERSAND_GC_PROGRAMS asks for so many programs in each way, instead of a few; 10,000 take about an hour of CPU."""
import os
import subprocess
import sys

import pytest

from gc_parts import HERE, SMALL, build, compile_object, needs, run
from places import ROOT

PROGRAMS = int(os.environ.get("AMPERSAND_GC_PROGRAMS", "0"))

# The modes (collect, poison, verify, step), mutators, operations of each activation, GOGC, and how many programs.
WAYS = [
    ("collect at every allocation, stepped", "cpvs", 1, 25, 100, 6),
    ("marking step by step", "pvs", 1, 60, 100, 10),
    ("collect, with the worker", "cpv", 1, 30, 100, 6),
    ("collect, three mutators", "cpv", 3, 25, 100, 4),
    ("concurrent, checked", "pv", 3, 150, 100, 20),
    ("concurrent, small heap", "p", 2, 250, 25, 20),
    ("concurrent, as it is used", "-", 3, 250, 100, 20),
]


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    built = {}

    def give(compiler, *flags):
        needs(compiler, compiler)
        key = (compiler, *flags)
        if key not in built:
            place = tmp_path_factory.mktemp("programs")
            built[key] = (build(place / "collected", compiler, "gc_random.c", *flags),
                          build(place / "kept", compiler, "gc_random.c", "-DON_MALLOC", *flags, objects=[]))
        return built[key]
    return give


def agree(collected, kept, modes, mutators, operations, gogc, count, first=0):
    arguments = (first, count, modes, mutators, operations, gogc)
    want, got = run(kept, *arguments), run(collected, *arguments)
    assert want.returncode == 0 and len(want.stdout.splitlines()) == count
    assert (got.returncode, got.stdout) == (0, want.stdout), got.stderr


@pytest.mark.parametrize("way", WAYS, ids=[way[0] for way in WAYS])
def test_same_checksums(programs, way):
    _, modes, mutators, operations, gogc, count = way
    agree(*programs("gcc", "-O2"), modes, mutators, operations, gogc, PROGRAMS or count)


OTHERS = [("gcc", "-O0"), ("clang", "-O3"), ("gcc", "-O3"), ("clang", "-O0"), ("clang", "-O2")]


@pytest.mark.parametrize("compiler, optimisation", OTHERS if os.environ.get("AMPERSAND_HEAVY") else OTHERS[:2])
def test_same_checksums_with_each_compiler(programs, compiler, optimisation):
    agree(*programs(compiler, optimisation), "cpvs", 1, 20, 100, PROGRAMS or 3)
    agree(*programs(compiler, optimisation), "pv", 2, 100, 50, PROGRAMS or 3)


def test_what_it_calls_fits_the_reserve(tmp_path):
    needs("gcc", "gcc")
    made = compile_object("gcc", HERE / "gc_random.c", tmp_path / "gc_random.o", "-O2", "-maccumulate-outgoing-args",
                          *SMALL)
    checked = subprocess.run([sys.executable, ROOT / "harness/stack/check_growable.py", made], capture_output=True,
                             text=True)
    assert checked.returncode == 0, checked.stderr


def test_on_aarch64(tmp_path):
    needs("aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu libc6-dev-arm64-cross")
    needs("qemu-aarch64", "qemu-user")
    collected = build(tmp_path / "collected", "aarch64-linux-gnu-gcc", "gc_random.c", "-O2")
    kept = build(tmp_path / "kept", "aarch64-linux-gnu-gcc", "gc_random.c", "-DON_MALLOC", "-O2", objects=[])
    emulator = ("qemu-aarch64", "-L", "/usr/aarch64-linux-gnu")
    for modes, mutators, operations in (("pvs", 1, 25), ("pv", 2, 40)):
        arguments = (0, 2, modes, mutators, operations, 50)
        want, got = run(*emulator, kept, *arguments), run(*emulator, collected, *arguments)
        assert (got.returncode, got.stdout) == (0, want.stdout), got.stderr
