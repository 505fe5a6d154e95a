# SPDX-License-Identifier: MIT
"""Random programs (stack_programs.py) give on a stack that moves what they give on one that stands still, with gcc and
clang at -O0, -O2 and -O3; and the compilers agree.

Compiling takes nearly all of the time, so each batch of programs is compiled by both compilers, each at one level; the
next batch takes the next levels. Frames are declared as -fstack-usage counts them, to the byte.
AMPERSAND_STACK_PROGRAMS=10000 runs so many; 180 otherwise."""
import os
import platform
import re
import subprocess
import sys

import pytest

import stack_programs
from stack_parts import ROOT, call, needs, parts
from waiting import HANGS_S

PROGRAMS = int(os.environ.get("AMPERSAND_STACK_PROGRAMS", "180"))
BATCH = 60
WAYS = [(("gcc", "-O0"), ("clang", "-O2")), (("gcc", "-O2"), ("clang", "-O3")), (("gcc", "-O3"), ("clang", "-O0"))]
pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="declares frames as x86-64 counts them")


def build(folder, source, compiler, level):
    """Compile once: the frames are symbols that the assembler is told when the compiler has counted them."""
    stem = f"{source.stem}.{compiler}{level}"
    assembly = folder / f"{stem}.s"
    flags = ["-maccumulate-outgoing-args"] if compiler == "gcc" else ["-fno-integrated-as"]
    call(compiler, "-std=gnu11", "-w", level, *flags, "-fstack-usage", "-I", ROOT, "-S", "-o", assembly,
         source, cwd=folder)
    returns = 8 if compiler == "gcc" else 0  # gcc counts the return address into a frame
    usage = {name: int(size) for name, size in
             re.findall(r":(\w+)_body\t(\d+)\t", assembly.with_suffix(".su").read_text())}
    assembly.write_text("".join(f".set FRAME_{name}, {size - returns}\n" for name, size in usage.items()) +
                        assembly.read_text())
    program, made = folder / stem, assembly.with_suffix(".o")
    call("gcc", "-c", "-o", made, assembly)
    call("gcc", "-Wl,-z,now", "-o", program, made, *parts("gcc", "-O2"), "-pthread")
    return program, made


@pytest.mark.parametrize("first", range(0, PROGRAMS, BATCH))
def test_programs_agree(tmp_path, first):
    numbers = range(first, min(first + BATCH, PROGRAMS))
    source = tmp_path / "programs.c"
    source.write_text(stack_programs.batch(numbers))
    sums = {}
    for compiler, level in WAYS[first // BATCH % len(WAYS)]:
        needs(compiler, compiler)
        program, made = build(tmp_path, source, compiler, level)
        done = subprocess.run([program], capture_output=True, text=True, timeout=HANGS_S)
        assert done.returncode == 0, f"{compiler} {level}: {done.returncode} {done.stdout[-2000:]}"
        total, moves = done.stdout.split()
        assert int(moves) > 20 * len(numbers)
        sums[compiler, level] = total
        if first < BATCH * len(WAYS):
            call(sys.executable, ROOT / "harness/stack/check_growable.py", made)
    assert len(set(sums.values())) == 1, sums


def test_programs_are_of_all_kinds():
    """What the generator is to make is made: none of its branches is dead."""
    text = "".join(stack_programs.program(number)[0] for number in range(100))
    for part in (r"amp_stack_call\(on_host", r"t\[\d\] = [ab]", r"m\[\d\] = &", r"struct s40 o = ", r"double d",
                 r"for \(unsigned i1",
                 r"\} else \{", r"p3 = &l", r"struct s40 s"):
        assert re.search(part, text), part
