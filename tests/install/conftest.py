# SPDX-License-Identifier: MIT
"""A copy of the checkout with a pair of its own, built once and installed; then it is moved away, so that nothing that
is installed can use it."""
import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from installing import Installed, call
from places import ROOT, keep_few_lessons

LESSON = """/* Return a small struct: as itself, or as a fresh heap object. */
#include "harness/kernel.h"

struct point {
    int64_t x, y, z;
};

static AMP_NOINLINE struct point make_value(int64_t i)
{
    return (struct point){ i, i + 1, i + 2 };
}

static AMP_NOINLINE struct point *make_pointer(int64_t i)
{
    struct point *point = amp_alloc(sizeof *point);

    *point = (struct point){ i, i + 1, i + 2 };
    return point;
}

static uint64_t run_value(void *fixture, uint64_t ops)
{
    uint64_t sum = 0;

    (void) fixture;
    for (uint64_t i = ops; i > 0; i--) {
        struct point point = make_value((int64_t) i);

        sum += (uint64_t) (point.x + point.y + point.z);
    }
    return sum;
}

static uint64_t run_pointer(void *fixture, uint64_t ops)
{
    uint64_t sum = 0;

    (void) fixture;
    for (uint64_t i = ops; i > 0; i--) {
        struct point *point = make_pointer((int64_t) i);

        sum += (uint64_t) (point->x + point->y + point->z);
        free(point);
    }
    return sum;
}

"""


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """(what is installed, where the copy is now)"""
    folder = tmp_path_factory.mktemp("install")
    tree, prefix = folder / "checkout", folder / "prefix"
    tree.mkdir()
    for name in ("ampersand", "meson.build", "meson_options.txt", "pytest.ini"):
        shutil.copy2(ROOT / name, tree / name)
    for name in ("ask", "benchmarks", "docs", "door", "examples", "harness", "install", "plots", "results", "tests"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__", "runs", "reference"))
    sample = re.search(r"```c\n(AMP_PAIR\(point_factory,.*?)```", (ROOT / "docs/contributing.md").read_text(), re.S)[1]
    (tree / "benchmarks" / "frames" / "point_factory.c").write_text(LESSON + sample)
    lines, first = tree / "benchmarks" / "meson.build", "  'frames/pass',\n"
    keep_few_lessons(lines)
    lines.write_text(lines.read_text().replace(first, f"{first}  'frames/point_factory',\n", 1))
    # By hand, where another python3, which knows none of the distribution's modules, comes first.
    other = folder / "other"
    other.mkdir()
    (other / "python3").write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    (other / "python3").chmod(0o755)
    path = f"{other}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    said = call("meson", "setup", "build", "-Dlayouts=16", f"--prefix={prefix}", "--libdir=lib", cwd=tree,
                env={**os.environ, "PATH": path})
    assert re.search(rf"python +: {Path(sys.executable).parent}/python3", said), said
    call("ninja", "-C", "build", "install", cwd=tree)
    return Installed(prefix, "lib"), tree.rename(folder / "moved")


@pytest.fixture
def installed(made):
    return made[0]


@pytest.fixture
def moved(made):
    return made[1]
