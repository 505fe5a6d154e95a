# SPDX-License-Identifier: MIT
"""check_growable.py finds kernels that break the rules of stack.h, by name and reason, whatever compiled them; and a
lesson that does is not linked."""
import platform
import re
import subprocess
import sys

import pytest

from stack_parts import FLAGS, ROOT, call, needs

CHECK = ROOT / "harness/stack/check_growable.py"
sys.path.insert(0, str(CHECK.parent))
import check_growable  # noqa: E402  # pylint: disable=wrong-import-position

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="reads x86-64 code")

HEAD = """#include "harness/stack/stack.h"
#include <alloca.h>
#include <stdio.h>
#include <string.h>
#define KEEP(p) __asm__ volatile("" : : "r"(p) : "memory")
struct big { char c[4000]; };
"""
HELPER = "static __attribute__((noinline)) uint64_t helper(int n) { char p[%d]; KEEP(p); return (uint64_t) p[n]; }\n"

BROKEN = {  # what it says -> the kernel
    "alloca": ("kernel: moves its stack pointer by what only the run knows", "",
               "{ char *p = alloca((size_t) n); KEEP(p); return (uint64_t) p[0]; }"),
    "array of variable length": ("kernel: moves its stack pointer by what only the run knows", "",
                                 "{ char p[n]; KEEP(p); return (uint64_t) p[0]; }"),
    "libc": ("kernel: calls printf, which is not growable: amp_stack_call", "", '{ printf("%d\\n", n); return 1; }'),
    "a jump at the end": ("kernel: calls other, which is not growable", "uint64_t other(int n);\n",
                          "{ return other(n); }"),
    "frame too small": (r"kernel: its frame is declared as 256 B, but takes 3\d\d", "",
                        "{ char p[300]; KEEP(p); return (uint64_t) p[n]; }"),
    "by-value argument not counted": (r"kernel: its frame is declared as 256 B, but takes \d{4}",
                                      "uint64_t take(struct big b);\nAMP_GROWS(uint64_t, take, 64, struct big b) { "
                                      "KEEP(&b); return (uint64_t) b.c[0]; }\nstatic struct big much;\n",
                                      "{ uint64_t s = take(much); KEEP(&s); return s + (uint64_t) n; }"),
    "large helper": (r"kernel: calls helper, which has no check and takes \d+ B beyond the frame: 408 are in reserve",
                     HELPER % 900, "{ uint64_t s = helper(n); KEEP(&n); return s; }"),
    "recursion without a check": ("kernel: calls again, which has no check and calls itself",
                                  "static __attribute__((noinline)) uint64_t again(int n) { uint64_t s = n ? again(n - "
                                  "1) : 1; KEEP(&s); return s; }\n", "{ uint64_t s = again(n); KEEP(&n); return s; }"),
    "helper that calls libc": ("kernel: calls puts, which is not growable",
                               '__attribute__((noinline)) static void say(void) { puts("x"); puts("y"); }\n',
                               "{ say(); KEEP(&n); return 1; }"),
}
FINE = {
    "small helper": (HELPER % 70, "{ uint64_t s = helper(n); KEEP(&n); return s; }"),
    "aligned": ("", "{ _Alignas(64) char p[64]; KEEP(p); return (uint64_t) p[n]; }"),
    "copies": ("static struct big much;\n",
               "{ char p[128]; memcpy(p, much.c + n, 128); KEEP(p); return (uint64_t) p[1]; }"),
    "host": ("", "{ uint64_t x = (uint64_t) n; return amp_stack_call(0, &x); }"),
    "itself": ("", "{ uint64_t s = n ? kernel(n - 1) : 1; KEEP(&s); return s; }"),
}
WAYS = [(compiler, level) for compiler in ("gcc", "clang") for level in ("-O0", "-O2", "-O3")]


def check(folder, compiler, flags, head, body, frame=256):
    needs(compiler, compiler)
    source = folder / "kernel.c"
    source.write_text(f"{HEAD}{head}AMP_GROWS(uint64_t, kernel, {frame}, int n)\n{body}\n")
    call(compiler, "-std=gnu11", "-w", *flags, "-I", ROOT, "-c", "-o", folder / "kernel.o", source)
    return check_growable.check([folder / "kernel.o"])


@pytest.mark.parametrize("compiler,level", WAYS)
@pytest.mark.parametrize("name", BROKEN)
def test_broken_rules_are_found(tmp_path, name, compiler, level):
    wanted, head, body = BROKEN[name]
    said = check(tmp_path, compiler, [level], head, body)
    assert re.search(wanted, "\n".join(said)), said


@pytest.mark.parametrize("flags",
                         [(), ("-fstack-clash-protection",), ("-fstack-protector-all",), ("-fno-omit-frame-pointer",)],
                         ids=lambda flags: " ".join(flags) or "plain")
@pytest.mark.parametrize("compiler,level", WAYS)
@pytest.mark.parametrize("name", FINE)
def test_what_keeps_the_rules_passes(tmp_path, name, compiler, level, flags):
    assert check(tmp_path, compiler, [level, *flags], *FINE[name]) == []


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("size", [5000, 40000])
def test_large_frames_that_are_probed_page_by_page(tmp_path, compiler, size):
    body = "{ char p[%d]; KEEP(p); return (uint64_t) p[n]; }" % size
    for frame, status in ((size + 100, 0), (size - 1, 1)):
        said = check(tmp_path, compiler, ["-O2", "-fstack-clash-protection"], "", body, frame)
        assert bool(said) == status, said


def test_the_command_says_what_is_found(tmp_path):
    for row, status in ((BROKEN["libc"][1:], 1), (FINE["host"], 0)):
        found = check(tmp_path, "gcc", ["-O2"], *row)
        done = subprocess.run([sys.executable, CHECK, tmp_path / "kernel.o"], capture_output=True, text=True)
        assert (done.returncode, len(found)) == (status, status)
        assert done.stderr.splitlines() == [f"ampersand: stack: {one}" for one in found]


def test_no_object_file(tmp_path):
    (tmp_path / "text.o").write_text("no object file\n")
    for path, why in ((tmp_path / "text.o", "not an object file"), (tmp_path / "none.o", "No such file")):
        done = subprocess.run([sys.executable, CHECK, path], capture_output=True, text=True)
        assert done.returncode == 1 and why in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr


def test_a_lesson_that_breaks_the_rules_is_not_linked(tmp_path):
    needs("gcc", "gcc")
    lesson = (ROOT / "benchmarks/frames/stack_check.c").read_text()
    (tmp_path / "lesson.c").write_text(lesson.replace("walk_checked, 128,", "walk_checked, 8,"))
    flags = [*FLAGS, "-O2", "-fPIC", "-ffunction-sections", "-fdata-sections", "-falign-functions=16", "-I", ROOT, "-c"]
    call("gcc", *flags, "-o", tmp_path / "lesson.o", tmp_path / "lesson.c")
    call("gcc", *flags, "-o", tmp_path / "extra.o", ROOT / "harness/lesson/lesson.c")
    done = subprocess.run([sys.executable, ROOT / "harness/lesson/make_layouts.py", "--lesson", "lesson", "--object",
                           tmp_path / "lesson.o",
                           "--extra", tmp_path / "extra.o", "--count", "4", "--out", tmp_path / "out"],
                          capture_output=True, text=True)
    assert done.returncode == 1
    assert "walk_checked: its frame is declared as 8 B, but takes" in done.stderr
    assert not list((tmp_path / "out").glob("*.so"))


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("source", ["growable", "live", "grow", "crowd"])
def test_own_functions_have_room_for_a_frame_pointer(tmp_path, compiler, source):
    """As distributions build with, whose flags come by CFLAGS."""
    needs(compiler, compiler)
    call(compiler, "-std=gnu11", "-O2", "-fno-omit-frame-pointer", "-I", ROOT, "-c",
         ROOT / f"benchmarks/stack/{source}.c",
         "-o", tmp_path / "own.o")
    done = subprocess.run([sys.executable, CHECK, tmp_path / "own.o"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
