# SPDX-License-Identifier: MIT
"""What copies.py reads from compiled code: structs that are drawn, passed by value and by pointer, compiled by gcc and
clang at -O1 to -O3 and for AArch64. Oracle: the bytes that valgrind's lackey sees stored, of three operations without
those of two. AMPERSAND_COPIES=300 draws as many structs and holds all of them to lackey; the suite draws a few."""

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "harness/copies"), str(ROOT / "harness/lesson")]
pytest.importorskip("capstone", reason="python3-capstone is not installed")
import copies
import lesson_object

DRAWN = int(os.environ.get("AMPERSAND_COPIES", "4"))
KERNEL = """
typedef struct {{ {members} }} S;
__attribute__((noinline)) unsigned long take_value(S s)
{{ __asm__ volatile("" : : "r"(&s) : "memory"); return 1; }}
__attribute__((noinline)) unsigned long take_pointer(const S *s)
{{ __asm__ volatile("" : : "r"(s) : "memory"); return 1; }}
unsigned long run_value(S *o, unsigned long n)
{{
    unsigned long t = 0;
    for (; n; n--) {{ __asm__ volatile("" : : "r"(o) : "memory"); {more} t += take_value(*o); }}
    return t;
}}
unsigned long run_pointer(S *o, unsigned long n)
{{
    unsigned long t = 0;
    for (; n; n--) {{ __asm__ volatile("" : : "r"(o) : "memory"); t += take_pointer(o); }}
    return t;
}}
#ifdef ALONE
static S object;
int main(int n, char **argument)
{{ (void) argument; return run_value(&object, n) == 0; }}
#else
const unsigned long size_b = sizeof(S);
#endif
"""
X86 = [(compiler, level, []) for compiler in ("gcc", "clang") for level in ("-O1", "-O2", "-O3")]
ARM = [(compiler, level, target) for level in ("-O1", "-O2", "-O3") for compiler, target in (
    ("clang", ["--target=aarch64-linux-gnu", "-ffreestanding"]), ("aarch64-linux-gnu-gcc", []))]


def members(seed):
    draw = random.Random(seed)
    kinds = draw.choices(("char", "short", "int", "long", "double", "float"), k=draw.randint(1, 6))
    return " ".join(f"{kind} m{k}[{draw.randint(1, draw.choice((2, 8, 40)))}];" for k, kind in enumerate(kinds))


def compiled(tmp_path, source, compiler, *flags):
    if not shutil.which(compiler):
        pytest.skip(f"{compiler} is not installed")
    file, made = tmp_path / "kernel.c", tmp_path / "kernel.o"
    file.write_text(source)
    subprocess.run([compiler, "-fPIC", "-ffunction-sections", "-fdata-sections", "-fno-stack-protector", *flags, "-c",
                    file, "-o", made], check=True)
    return lesson_object.Object(str(made))


def read(lesson, name):
    return copies.read(lesson, next(s.section for s in lesson.symbols if s.name == name and s.section))[0]


def size_of(lesson):
    symbol = next(s for s in lesson.symbols if s.name == "size_b")
    return int.from_bytes(lesson.data[symbol.section][symbol.value:symbol.value + 8], "little")


def stored_b(entries):
    """What the moves store: where two overlap, more than the bytes that are copied."""
    return sum(one["bytes"] if one["width_b"] is None or one["how"] == "rep movs" else one["moves"] * one["width_b"]
               for one in entries)


@pytest.mark.parametrize("compiler, level, target", X86 + ARM, ids=lambda x: "-".join(x) if isinstance(x, list) else x)
@pytest.mark.parametrize("seed", range(DRAWN))
def test_a_struct_by_value_is_copied_whole_and_by_pointer_not(tmp_path, seed, compiler, level, target):
    lesson = compiled(tmp_path, KERNEL.format(members=members(seed), more=""), compiler, level, *target)
    size_b, by_value = size_of(lesson), read(lesson, "run_value")
    assert read(lesson, "run_pointer") == []
    assert all(one["how"] != "not told" for one in by_value), by_value
    if size_b > 16:
        assert sum(one["bytes"] for one in by_value) == size_b, by_value
    assert {one["to"] for one in by_value} <= {"stack"} and {one["from"] for one in by_value} <= {"argument 1"}


@pytest.mark.skipif(not shutil.which("valgrind"), reason="valgrind is not installed")
@pytest.mark.parametrize("compiler, level", [(c, o) for c, o, _ in X86 if DRAWN > 4 or o == "-O2"])
@pytest.mark.parametrize("seed", range(DRAWN if DRAWN > 4 else 2))
def test_lackey_sees_as_many_bytes_stored(tmp_path, seed, compiler, level):
    source = KERNEL.format(members=members(seed), more="")
    lesson = compiled(tmp_path, source, compiler, level)
    entries = read(lesson, "run_value")
    if size_of(lesson) <= 16 or any(one["width_b"] is None for one in entries):
        pytest.skip("in registers, where only what is kept is stored, or by the C library")
    program = tmp_path / "kernel"
    subprocess.run([compiler, level, "-fno-stack-protector", "-fno-inline", "-DALONE", "-static", tmp_path / "kernel.c",
                    "-o", program], check=True)
    assert traced(program, 3) - traced(program, 2) == stored_b(entries) + 8  # a call's return address


def traced(program, ops):
    """Bytes that the program stores in all. Of our environment it gets PATH only: what a C library does with
    LD_LIBRARY_PATH as it starts hangs on where the arguments put it."""
    done = subprocess.run(["valgrind", "--tool=lackey", "--trace-mem=yes", "--log-fd=1", program, *["x"] * (ops - 1)],
                          stdout=subprocess.PIPE, text=True, check=False, env={"PATH": os.environ["PATH"]})
    lines = (line.split(",") for line in done.stdout.splitlines() if line.startswith((" S", " M")))
    return sum(int(size) for _, size in lines)


MORE = {  # what a mutant of the kernel does besides, and the bytes that it adds
    "one more copy": ("static S other; __builtin_memcpy(&other, o, 40);"
                      "__asm__ volatile(\"\" : : \"r\"(&other) : \"memory\");", 40),
    "a copy of a word": ("static volatile long word; word = *(volatile long *) o;", 8),
    "no copy": ("static volatile long word; word = *(volatile long *) o + 1;", 0),
}


@pytest.mark.parametrize("compiler", ("gcc", "clang"))
@pytest.mark.parametrize("name", MORE)
def test_mutants(tmp_path, name, compiler):
    more, added_b = MORE[name]
    lesson = compiled(tmp_path, KERNEL.format(members="long m[8];", more=more), compiler, "-O2")
    assert sum(one["bytes"] for one in read(lesson, "run_value")) == 64 + added_b


SAME = """typedef struct { %s } S;
__attribute__((noinline)) unsigned long take(S s) { __asm__ volatile("" : : "r"(&s) : "memory"); return 1; }
unsigned long run_x(S *a, unsigned long n) { unsigned long t = 0; for (; n; n--) { %s; } return t; }
"""


@pytest.mark.parametrize("compiler, level, target", X86 + ARM, ids=lambda x: "-".join(x) if isinstance(x, list) else x)
@pytest.mark.parametrize("members, body, size_b", [
    ("char m[39]", "t += take(*a)", 39),  # 16, 16 and 8 B: the last two overlap
    ("char m[23]", "t += take(*a)", 23),
    ("long m[8]", "t += take(*a); t += take(*a)", 128),  # twice to the same place
    ("char m[39]", "t += take(*a); t += take(*a)", 78),
], ids=["overlap", "a small overlap", "twice", "twice with an overlap"])
def test_a_byte_that_two_moves_copy_counts_once_and_each_call_for_itself(tmp_path, members, body, size_b, compiler,
                                                                         level, target):
    lesson = compiled(tmp_path, SAME % (members + ";", body), compiler, level, *target)
    also = 2 * size_b if (compiler, target) == ("clang", []) else size_b  # through a place of its own, some versions
    assert sum(one["bytes"] for one in read(lesson, "run_x")) in (size_b, also)


@pytest.mark.parametrize("name, body, why", [
    ("no loop", "unsigned long run_x(void) { return 1; }", "its kernel has no loop"),
    ("through a pointer", "unsigned long run_x(unsigned long (*f)(void), unsigned long n)"
     "{ unsigned long t = 0; for (; n; n--) t += f(); return t; }", "calls through a pointer"),
    ("a length that varies", "#include <string.h>\nvoid run_x(char *a, char *b, unsigned long m, unsigned long n)"
     "{ for (; n; n--) { memcpy(a, b, m); __asm__ volatile(\"\" : : : \"memory\"); } }",
     "call of memcpy: of a length that is not known"),
])
def test_what_cannot_be_told_is_said(tmp_path, name, body, why):
    assert read(compiled(tmp_path, body, "gcc", "-O2"), "run_x") == [
        {"how": "not told", "why": why, "per": "operation"}]


def test_another_machine_is_said():
    class Riscv:
        machine = "EM_RISCV"
    assert copies.read(Riscv, 1)[0][0]["why"] == "EM_RISCV is not read"
