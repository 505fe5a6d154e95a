# SPDX-License-Identifier: MIT
"""Without python3-capstone the lessons are linked all the same; their tables and the summary say in one line what is
missing, and why."""
import json
import os
import subprocess
import sys
from types import SimpleNamespace as Facts

import pytest
from disassembly import KERNEL_ARGS
from places import ROOT

from plots.words import counters_text

WHY = "python3-capstone was not installed when the lessons were built"
KEYS = {"copies", "calls", "breaches", "places", "handed", "waits"}


@pytest.fixture(scope="module")
def objects(tmp_path_factory):
    folder = tmp_path_factory.mktemp("objects")
    made = [folder / "null.o", folder / "lesson.o"]
    for source, one in zip(("benchmarks/controls/null.c", "harness/lesson/lesson.c"), made):
        subprocess.run(["cc", "-std=c11", "-D_GNU_SOURCE", *KERNEL_ARGS, "-fPIC", "-I", ROOT, "-c", ROOT / source, "-o",
                        one], check=True)
    return made


@pytest.mark.parametrize("has_capstone", [False, True])
def test_the_table_says_why_the_code_was_not_read(objects, tmp_path, has_capstone):
    if has_capstone:
        pytest.importorskip("capstone", reason="python3-capstone is not installed")
    else:
        (tmp_path / "capstone.py").write_text("raise ImportError('hidden by a test')\n")
    done = subprocess.run([sys.executable, ROOT / "harness/lesson/make_layouts.py", "--lesson", "null",
                           "--object", objects[0], "--extra", objects[1], "--count", "16", "--out", tmp_path / "out"],
                          text=True, check=False, capture_output=True, env=os.environ | {"PYTHONPATH": str(tmp_path)})
    assert (done.returncode, done.stderr) == (0, "")
    table = json.loads((tmp_path / "out/null.layouts.json").read_text())
    assert len(list((tmp_path / "out").glob("*.so"))) == 16
    if has_capstone:
        assert KEYS <= set(table) and "code_not_read" not in table
    else:
        assert table["code_not_read"] == WHY and not KEYS & set(table)


def row(**why):
    return Facts(why=Facts(**({"not_counted": None, "code_not_read": None} | why)) if why else None)


@pytest.mark.parametrize("rows, said", [
    ([row(code_not_read=WHY)] * 2, [f"No copies and causes of placement of 2 rows: {WHY} (2 rows)."]),
    ([row(code_not_read=WHY), row()], [f"No copies and causes of placement of 1 row: {WHY} (1 row)."]),
    ([row(not_counted="it starts threads")],
     ["No instructions, loads, stores, branches and misses of 1 row: it starts threads (1 row)."]),
    ([row()], []),
], ids=["all", "one", "not counted", "all is there"])
def test_one_line_says_so(rows, said):
    assert counters_text.missing(rows) == said
