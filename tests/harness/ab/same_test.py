# SPDX-License-Identifier: MIT
"""Which kernels reach the same code and data in both versions: these are not timed, so no difference may be missed."""
import os
import subprocess
import sys

import pytest

from places import ROOT

sys.path.insert(0, str(ROOT / "harness/ab"))
import side_object

CC = os.environ.get("CC", "cc").split()
BASE = """
static const int table[] = { 1, 2, 3, 4 };
int level;
int puts(const char *), abs(int), getpid(void);
static int deep(int x) { return table[x & 3] + level; }
int (*calls[])(int) = { abs, 0 };
int helper(int x) { return deep(x) * 3 + calls[0](x) + puts("said"); }
unsigned long run(void *fixture, unsigned long ops) { return (unsigned long) helper((int) ops); }
struct kernel { const char *name; void *set_up; unsigned long (*run)(void *, unsigned long); };
const struct kernel amp_ab_kernel_k = { "k", 0, run };
int elsewhere(void) { return 1; }
"""


def side(folder, name, text):
    (folder / f"{name}.c").write_text(text)
    flags = "-w", "-O1", "-fPIC", "-fno-inline", "-ffunction-sections", "-fdata-sections"
    subprocess.run([*CC, *flags, "-c", f"{name}.c", "-o", f"{name}.o"], cwd=folder, check=True)
    join = "-r", "-nostdlib", "-Wl,--unique", "-o", f"{name}.side.o"
    subprocess.run([*CC, *join, f"{name}.o"], cwd=folder, check=True)
    return side_object.Side(folder / f"{name}.side.o")


@pytest.mark.parametrize("old, new, want", [
    ("return 1;", "return 2;", True),                       # not reached
    ("elsewhere", "nowhere", True),
    ("* 3 +", "* 5 +", False),                              # code
    ("1, 2, 3, 4", "1, 2, 3, 5", False),                    # data, two steps away
    ('"said"', '"Said"', False),                            # a constant among others
    ("{ abs, 0 }", "{ (int (*)(int)) getpid, 0 }", False),  # another function, by a pointer in data
    ("{ abs, 0 }", "{ abs, abs }", False),                  # the bytes in the file are all 0
    ("calls[0](x)", "getpid()", False),
    ("int level;", "int level = 3;", False),  # no bytes in the file, then some
    ("int level;", "int level __attribute__((aligned(64)));", False),
    ("int level;", "int level, level2[9];", True),
], ids=str)
def test_same(old, new, want, tmp_path):
    assert BASE.count(old) == 1
    base, head = side(tmp_path, "base", BASE), side(tmp_path, "head", BASE.replace(old, new))
    assert side_object.same(base, base, "k") and side_object.same(base, head, "k") is want
