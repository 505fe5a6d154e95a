# SPDX-License-Identifier: MIT
"""What `profile --copies` counts is what the machine stores, one instruction after the other, and what the lessons
declare that they copy. AMPERSAND_BUILD names the build folder."""
import os
import re
import shutil
from collections import Counter

import pytest

from named_copies_test import HERE, compiled, profile, run
from places import LESSONS, ROOT

OPERATIONS = 1000
SPARE_B, SPARE_SHARE = 15, 16  # as harness/copies/declared.py has it


# ---- Lessons

@pytest.mark.parametrize("lesson", ["pass", "mutate", "pass_write", "latency"])
def test_lessons_copy_what_they_declare(tmp_path, lesson):
    program = tmp_path / lesson
    compiled(program, "-I", ROOT, "-D_GNU_SOURCE", "-fno-builtin-malloc", HERE / "lesson.c",
             source=ROOT / LESSONS[lesson])
    rows = [line.split() for line in run(program).stdout.splitlines()]
    assert rows
    for pair, size, *declared_b in [row for row in rows if int(row[1]) >= 64][:3]:
        for side, copied_b in zip(("value", "pointer"), map(int, declared_b)):
            report = profile(program, pair, size, side, OPERATIONS)[1]
            in_kernel = sum(place["bytes"] for place in report["places"] if place["bytes"] >= OPERATIONS)
            assert abs(in_kernel / OPERATIONS - copied_b) <= max(SPARE_B, copied_b / SPARE_SHARE), (pair, size, side)


# ---- Every store

WIDTHS = {"movups": 16, "movaps": 16, "movdqu": 16, "movdqa": 16, "movupd": 16, "movapd": 16, "movsd": 8, "movss": 4,
          "movlps": 8, "movhps": 8, "movlpd": 8, "movhpd": 8, "movb": 1, "movw": 2, "movl": 4, "movq": 8, "pushq": 8,
          "push": 8}
REGISTERS = [(8, r"%r(?:[abcd]x|[sd]i|[sb]p|\d+)"), (4, r"%(?:e(?:[abcd]x|[sd]i|[sb]p)|r\d+d)"),
             (2, r"%(?:[abcd]x|[sd]i|r\d+w)"), (1, r"%(?:[abcd][lh]|[sd]il|r\d+b)")]


def stored_b(text, times, third):
    """What an instruction stored, that ran so many times."""
    operation, _, operands = text.partition(" ")
    if operation == "rep":  # a step for each turn, and one more where none is left
        return {"movsq": 8, "movsl": 4, "movsb": 1}[operands.split()[0]] * times
    if operation.startswith(("call", "jmp")):
        return third if re.search("<mem(cpy|move)@plt>", text) else 0
    if not re.match(r"(mov|push)", operation) or not re.search(r"\)$|^push.*\(", text):
        return 0
    if operation == "mov":
        return next(size for size, name in REGISTERS if re.match(name + ",", operands.strip())) * times
    return WIDTHS[operation] * times


def instructions(program):
    """{address: text} of the program's own code."""
    found = {}
    for line in run("objdump", "-d", "--no-show-raw-insn", "-j", ".text", program, check=True).stdout.splitlines():
        if at := re.match(r"\s*([0-9a-f]+):\s+(.*)", line):
            found[int(at[1], 16)] = at[2]
    return found


def copies_at(program, addresses):
    """{address: (name of the copy, line)} of the instructions that belong to one, as addr2line reads them."""
    text = run("addr2line", "-f", "-i", "-a", "-e", program, input="".join(f"{at:#x}\n" for at in addresses),
               check=True).stdout.splitlines()
    found = {}
    for at, name, place in zip(text, text[1:], text[2:]):
        if at.startswith("0x") and name.startswith("copy: "):
            line = re.search(r":(\d+)", place)  # none where the compiler names no line
            found[int(at, 16)] = name, int(line[1]) if line else 0
    return found


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="reads the instructions of x86-64")
@pytest.mark.skipif(not shutil.which("objdump"), reason="binutils is not here: apt-get install binutils")
@pytest.mark.parametrize("level", ["-O2", "-O3"])
def test_counters_say_what_the_machine_stores(tmp_path, level):
    turns = 4
    run("cc", "-O2", HERE / "step.c", "-o", tmp_path / "step", check=True)
    named = compiled(tmp_path / "named", level, "-gdwarf-4", "-no-pie", count=None)
    code = instructions(named)
    names = copies_at(named, code)
    stepped = run(tmp_path / "step", f"{min(code):x}", f"{max(code) + 1:x}", named, turns)
    assert stepped.returncode == 0
    found = Counter()
    for line in stepped.stdout.splitlines():
        at, times, third = line.split()
        if int(at, 16) in names:
            found[names[int(at, 16)]] += stored_b(code[int(at, 16)], int(times), int(third))
    report = profile(compiled(tmp_path / "counted", level), turns)[1]
    counted = Counter()
    for place in report["places"]:
        counted[f"copy: {place['type']}, {place['size_b']} B, {place['kind']}", place["line"]] += place["bytes"]
    assert sum(counted.values()) > 10 * 144 and {key: n for key, n in found.items() if n} == counted
