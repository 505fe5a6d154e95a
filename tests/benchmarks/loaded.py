# SPDX-License-Identifier: MIT
"""The lessons as modules that are loaded here: those of the build folder, and what another compiler makes of them."""
import ctypes
import subprocess
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_size_t, c_uint, c_uint64, c_void_p
from pathlib import Path

import built
from places import LESSONS as FILES, ROOT

FLAGS = "-std=c11 -D_GNU_SOURCE -O1 -fPIC -Wall -Wextra -Werror".split()
LIBRARIES = ["-Wl,--as-needed", "-ljansson"]  # what a lesson may measure beside the C library
PARTS = {"lto": [ROOT / "benchmarks/build/lto_callees.c"],
         "trace_mark": [Path(__file__).parent / "marks_here.c"]}
OF_THE_PROGRAM = {*PARTS, "decode"}  # their modules take functions from the program that loads them
COLLECTED = [lesson for lesson, file in FILES.items() if file.startswith("benchmarks/collected/")]
LESSONS = sorted(FILES)
STACK = [*(ROOT / "harness/stack").glob("*.c"), *(ROOT / "harness/stack").glob("*.S")]
COLLECTOR = sorted((ROOT / "harness/gc").glob("*.c"))


class Side(Structure):
    _fields_ = [("run", CFUNCTYPE(c_uint64, c_void_p, c_uint64)),
                ("allocs_per_op", c_uint64), ("bytes_per_op", c_uint64), ("calls", c_char_p),
                ("copied_b_per_op", c_uint64),
                ("set_up", CFUNCTYPE(c_void_p, c_size_t)), ("tear_down", CFUNCTYPE(None, c_void_p)),
                ("label", c_char_p), ("budget", c_void_p), ("collected", CFUNCTYPE(None, c_void_p, c_void_p))]


class Claim(Structure):
    _fields_ = [("faster", c_char_p), ("from_", c_size_t), ("to", c_size_t), ("text", c_char_p), ("abi", c_char_p)]


class Pair(Structure):
    _fields_ = [("name", c_char_p), ("question", c_char_p), ("value", Side), ("pointer", Side),
                ("sizes", POINTER(c_size_t)), ("threads", c_uint), ("size_unit", c_char_p), ("floor", c_uint),
                ("observed_by", c_char_p), ("claims", POINTER(Claim)), ("n_claims", c_size_t), ("truth", c_char_p),
                ("prefer", c_char_p)]


class Lesson(Structure):
    """harness/lesson/layout.h: the table that each module has."""
    _fields_ = [("abi", c_uint), ("offsets", c_uint * 6), ("begin", POINTER(POINTER(Pair))),
                ("end", POINTER(POINTER(Pair)))]


# Holds the classes above against the header.
HELD = f"""#include "harness/lesson/layout.h"
_Static_assert(offsetof(struct amp_pair, value) == {Pair.value.offset}, "value");
_Static_assert(offsetof(struct amp_pair, pointer) == {Pair.pointer.offset}, "pointer");
_Static_assert(offsetof(struct amp_pair, sizes) == {Pair.sizes.offset}, "sizes");
_Static_assert(offsetof(struct amp_pair, threads) == {Pair.threads.offset}, "threads");
_Static_assert(offsetof(struct amp_pair, prefer) == {Pair.prefer.offset}, "prefer");
_Static_assert(offsetof(struct amp_side, set_up) == {Side.set_up.offset}, "set_up");
_Static_assert(sizeof(struct amp_side) == {ctypes.sizeof(Side)}, "side");
_Static_assert(offsetof(struct amp_claim, abi) == {Claim.abi.offset}, "abi");
_Static_assert(sizeof(struct amp_claim) == {ctypes.sizeof(Claim)}, "claim");
_Static_assert(offsetof(struct amp_lesson, begin) == {Lesson.begin.offset}, "begin");
"""


class Fixture:
    """One side of a row, set up; run(ops) returns its checksum."""

    def __init__(self, side, size):
        self.side, self.memory = side, side.set_up(size) if side.set_up else None

    def __enter__(self):
        return self

    def run(self, ops):
        return self.side.run(self.memory, ops)

    def __exit__(self, *_):
        if self.side.tear_down:
            self.side.tear_down(self.memory)


def sizes_of(pair):
    sizes = []
    while pair.sizes[len(sizes)]:
        sizes.append(pair.sizes[len(sizes)])
    return sizes


def library(folder, name, sources, *others):
    made = folder / f"lib{name}.so"
    if not made.exists():
        subprocess.run(["cc", *FLAGS, "-O2", "-I", ROOT, "-shared", "-o", made, *sources, *others, "-pthread"],
                       check=True)
    return made


def libraries(folder, lesson):
    """One for all modules that are loaded here, as in the program: what a thread runs on is known once a process."""
    build = built.plain()
    stack = build / "harness/stack/libampstack.so" if build else library(folder, "ampstack", STACK)
    if lesson in COLLECTED:
        return [build / "harness/gc/libampgc.so" if build else library(folder, "ampgc", COLLECTOR, stack), stack]
    return [stack] if lesson.startswith("stack_") else []


def pairs_in(module):
    table = Lesson.in_dll(ctypes.CDLL(str(module)), "amp_lesson")
    begin, end = (ctypes.cast(edge, c_void_p).value for edge in (table.begin, table.end))
    return [table.begin[k].contents for k in range((end - begin) // ctypes.sizeof(c_void_p))]


def link(folder, compiler, lesson, *flags):
    """The pairs of a lesson, compiled and loaded."""
    module, held, source = folder / f"{lesson}.{compiler}.so", folder / "held.c", ROOT / FILES[lesson]
    held.write_text(HELD)
    parts = [*PARTS.get(lesson, ()), *libraries(folder, lesson)]
    parts += [f"-Wl,-rpath,{part.parent}" for part in parts if part.suffix == ".so"]
    subprocess.run([compiler, *FLAGS, *flags, "-I", ROOT, "-shared", "-Wl,-z,now", "-o", module, source, *parts, held,
                    ROOT / "harness/lesson/lesson.c", *LIBRARIES], check=True)
    return pairs_in(module)


def rows_of(pairs):
    return [(pair, size) for pair in pairs for size in sizes_of(pair)]
