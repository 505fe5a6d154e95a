# SPDX-License-Identifier: MIT
"""Adding a pair is one file and one line: done in a copy of the tree, as docs/contributing.md says, then measured."""
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from places import ROOT, keep_few_lessons
from waiting import HANGS_S

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


def call(*command, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=HANGS_S, **options)
    assert done.returncode == 0, f"{command}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    tree = tmp_path_factory.mktemp("copy") / "ampersand"
    tree.mkdir()
    for name in ("ampersand", "meson.build", "meson_options.txt", "pytest.ini"):
        shutil.copy2(ROOT / name, tree / name)
    for name in ("benchmarks", "docs", "door", "examples", "harness", "install", "plots", "results", "tests"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__", "runs", "reference"))
    sample = re.search(r"```c\n(AMP_PAIR\(point_factory,.*?)```", (ROOT / "docs/contributing.md").read_text(),
                       re.S).group(1)
    (tree / "benchmarks" / "frames" / "point_factory.c").write_text(LESSON + sample)
    lines = tree / "benchmarks" / "meson.build"
    keep_few_lessons(lines)
    first = "  'frames/pass',\n"
    lines.write_text(lines.read_text().replace(first, f"{first}  'frames/point_factory',\n", 1))
    # By hand, where another python3, which knows none of the distribution's modules, comes first.
    other = tree.parent / "other"
    other.mkdir()
    (other / "python3").write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    (other / "python3").chmod(0o755)
    path = f"{other}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    said = call("meson", "setup", "build", "-Dlayouts=16", cwd=tree, env={**os.environ, "PATH": path})
    assert re.search(rf"python +: {Path(sys.executable).parent}/python3", said), said
    lessons = (tree / "build/benchmarks/lessons.txt").read_text().split()
    call("ninja", "-C", "build", "harness/ampersand-bench",
         *(f"benchmarks/{lesson}.layouts.json" for lesson in lessons),
         cwd=tree)
    return tree


def test_it_is_listed_where_its_line_stands(tree):
    rows = call(tree / "build/harness/ampersand-bench", "list").split()
    assert rows.index("point_factory/size=24") == rows.index("pass/size=65536") + 1


def test_it_is_measured_and_counted(tree, tmp_path):
    call(tree / "build/harness/ampersand-bench", "paired", "--quick", "--filter", "^point_factory/", "--out",
         tmp_path / "run")
    call(sys.executable, "-m", "plots", "summary", tmp_path / "run", cwd=ROOT)
    rows = {row["row"]: row for row in json.loads((tmp_path / "run/summary.json").read_text())["rows"]}
    row = rows["point_factory/size=24"]
    assert row["launches"] == 2 and row["layouts"] == 16 and row["ratio"]["estimate"] > 0
    if row["counts"]["status"] != "refused":  # under a sanitizer
        assert row["counts"]["pointer"]["allocs_per_op"] == 1 and row["counts"]["pointer"]["asked_b_per_op"] == 24
        assert row["counts"]["value"]["allocs_per_op"] == 0


def test_the_tests_of_all_lessons_hold_it_too(tree):
    environment = dict(os.environ, AMPERSAND_BUILD=str(tree / "build"), PYTHONDONTWRITEBYTECODE="1")
    text = call(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/benchmarks/lessons_test.py",
                "tests/benchmarks/disassembly_test.py", "-k", "point_factory", cwd=tree, env=environment)
    assert "passed" in text and "failed" not in text
