# SPDX-License-Identifier: MIT
"""Adding a pair is one file and one line: done in a copy of the tree, as docs/contributing.md says, then measured."""
import json
import os
import sys

from installing import call
from places import ROOT


def test_it_is_listed_where_its_line_stands(moved):
    rows = call(moved / "build/harness/ampersand-bench", "list").split()
    assert rows.index("point_factory/size=24") == rows.index("pass/size=65536") + 1


def test_it_is_measured_and_counted(moved, tmp_path):
    call(moved / "build/harness/ampersand-bench", "paired", "--quick", "--filter", "^point_factory/", "--out",
         tmp_path / "run")
    call(sys.executable, "-m", "plots", "summary", tmp_path / "run", cwd=ROOT)
    rows = {row["row"]: row for row in json.loads((tmp_path / "run/summary.json").read_text())["rows"]}
    row = rows["point_factory/size=24"]
    assert row["launches"] == 2 and row["layouts"] == 16 and row["ratio"]["estimate"] > 0
    if row["counts"]["status"] != "refused":  # under a sanitizer
        assert row["counts"]["pointer"]["allocs_per_op"] == 1 and row["counts"]["pointer"]["asked_b_per_op"] == 24
        assert row["counts"]["value"]["allocs_per_op"] == 0


def test_the_tests_of_all_lessons_hold_it_too(moved):
    environment = dict(os.environ, AMPERSAND_BUILD=str(moved / "build"), PYTHONDONTWRITEBYTECODE="1")
    text = call(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/benchmarks/lessons_test.py",
                "tests/benchmarks/disassembly_test.py", "-k", "point_factory", cwd=moved, env=environment)
    assert "passed" in text and "failed" not in text
