# SPDX-License-Identifier: MIT
"""Which loads wait for a store, as waits.py reads it from the code that gcc and clang make of loops whose loads and
stores are known by construction."""
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "harness/copies"), str(ROOT / "harness/lesson")]
pytest.importorskip("capstone", reason="python3-capstone is not installed")
import lesson_object
import waits

KERNEL = """
typedef unsigned long word;
typedef long pair __attribute__((vector_size(16), may_alias));
#define KEEP __asm__ volatile("" : : "r"(o) : "memory")
#ifdef __aarch64__
#define VECTOR(v) __asm__ volatile("" : "+w"(v))
#else
#define VECTOR(v) __asm__ volatile("" : "+x"(v))
#endif
#define NARROW (*(volatile unsigned char *) o)
#define WHOLE (*(volatile word *) o)
word elsewhere(void);
#ifdef __clang__
#define noipa noinline
#endif
static __attribute__((noinline, noipa)) void change(word *o, word n)
{ NARROW = (unsigned char) n; KEEP; }
word run_x(word *o, word n, word **p)
{
    word t = 0;
    (void) p, (void) change;
    for (; n; n--) { %s }
    return t;
}
"""
ADDITIONS = '__asm__ volatile(".rept 300\\nadd $1, %%ecx\\n.endr" : : : "ecx", "memory");'
BODIES = [
    ("a part", "NARROW = n; KEEP; t += 2 * WHOLE;", [(8, 1)]),
    ("all", "WHOLE = n; KEEP; t += 2 * WHOLE;", []),
    ("less than was stored", "WHOLE = n; KEEP; t += 2 * NARROW;", []),
    ("two words", "WHOLE = n; ((volatile word *) o)[1] = n; KEEP; pair v = *(pair *) o; VECTOR(v);",
     [(16, 8)]),
    ("another place", "((volatile unsigned char *) o)[8] = n; KEEP; t += 2 * WHOLE;", []),
    ("a part, then all", "NARROW = n; WHOLE = n; KEEP; t += 2 * WHOLE;", []),
    ("what the operation before stored", "t += 2 * WHOLE; NARROW = n; KEEP;", [(8, 1)]),
    ("in a function that is called", "change(o, n); t += 2 * WHOLE;", [(8, 1)]),
    ("by somebody else", "NARROW = n; t += elsewhere(); KEEP; t += 2 * WHOLE;", []),
    ("where perhaps all was stored since", "NARROW = n; **(word *volatile *) p = 1; KEEP; t += 2 * WHOLE;", []),
    ("on some paths only", "if (n & 4) { NARROW = n; KEEP; } t += 2 * WHOLE;", []),
]
TARGETS = {"gcc": [], "clang": [], "clang for AArch64": ["--target=aarch64-linux-gnu", "-ffreestanding"]}


def objects(tmp_path, target, source, *flags):
    compiler = target.split()[0]
    if not shutil.which(compiler):
        pytest.skip(f"{compiler} is not installed")
    made = tmp_path / "kernel.o"
    subprocess.run([compiler, "-O2", "-fPIC", "-ffunction-sections", "-fdata-sections", "-fno-stack-protector",
                    "-D_GNU_SOURCE", *TARGETS[target], *flags, "-c", source, "-o", made], check=True)
    return lesson_object.Object(str(made))


def read(lesson, name):
    section = next(s.section for s in lesson.symbols if s.name == name and s.section is not None)
    return sorted((one["load_b"], one["store_b"]) for one in waits.waits(lesson, section))


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name, body, want", BODIES, ids=[row[0] for row in BODIES])
def test_a_load_waits_for_what_no_single_store_holds(tmp_path, target, name, body, want):
    (tmp_path / "kernel.c").write_text(KERNEL % body)
    assert read(objects(tmp_path, target, tmp_path / "kernel.c"), "run_x") == want


@pytest.mark.parametrize("between, want", [(ADDITIONS, []), (ADDITIONS.replace("300", "30"), [(8, 1)])])
def test_a_store_that_is_done_by_then(tmp_path, between, want):
    (tmp_path / "kernel.c").write_text(KERNEL % f"NARROW = n; {between} t += 2 * WHOLE; {ADDITIONS}")
    assert read(objects(tmp_path, "gcc", tmp_path / "kernel.c"), "run_x") == want


FORWARDED = {"1": [], "2": [], "4": []}
LESSONS = [
    *((compiler, "frames/store_forward", FORWARDED, {"1": [(8, 1)], "2": [(8, 2)], "4": [(8, 4)]})
      for compiler in ("gcc", "clang")),
    *((compiler, "frames/pass", {"24": [], "256": []}, {"24": [], "256": []}) for compiler in ("gcc", "clang")),
    ("gcc", "passing/pass_made", {"24": [(16, 8)], "64": [(16, 8)]}, {"24": [], "64": []}),
    ("clang", "passing/pass_made", {"24": [(16, 16)]}, {"24": []}),  # across two stores
    ("gcc", "frames/mutate", {"8": [], "16": [], "24": [(16, 8)]}, {"8": [], "16": [], "24": []}),
]


@pytest.mark.parametrize("target, lesson, value, pointer", LESSONS, ids=[f"{row[1]}-{row[0]}" for row in LESSONS])
def test_lessons(tmp_path, target, lesson, value, pointer):
    made = objects(tmp_path, target, ROOT / f"benchmarks/{lesson}.c", "-std=c11", "-I", str(ROOT))
    for side, sizes in (("value", value), ("pointer", pointer)):
        assert {size: read(made, f"run_{side}_{size}") for size in sizes} == sizes


def test_what_cannot_be_read_tells_nothing(tmp_path):
    (tmp_path / "kernel.c").write_text("unsigned long run_x(void) { return 1; }")
    assert read(objects(tmp_path, "gcc", tmp_path / "kernel.c"), "run_x") == []
