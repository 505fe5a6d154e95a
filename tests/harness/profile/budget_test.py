# SPDX-License-Identifier: MIT
"""Budgets of pairs and of unit tests fail at one allocation more, and say where it was made. AMPERSAND_BUILD names the
build folder."""
import os
import subprocess
from pathlib import Path

import pytest

from places import ROOT

BUILD = os.environ.get("AMPERSAND_BUILD")
if not BUILD:
    pytest.skip("AMPERSAND_BUILD does not name a build folder", allow_module_level=True)
BUILD = Path(BUILD).resolve()
PROFILE = BUILD / "harness" / "profile"
BENCH = BUILD / "harness" / "ampersand-bench"
SANITIZED = b"__asan_report" in BENCH.read_bytes()
HERE = Path(__file__).parent
CC = os.environ.get("CC", "cc").split()


def check(lessons, *flags):
    return subprocess.run([BENCH, "check-budgets", *flags], capture_output=True, text=True,
                          env=os.environ | {"AMPERSAND_LESSONS": str(lessons)})


@pytest.mark.skipif(SANITIZED, reason="AddressSanitizer's malloc is not jemalloc's: nothing is counted")
def test_budgets_of_pairs():
    done = check(BUILD / "tests/lessons/budgets")
    assert done.returncode == 3 and done.stderr == ""
    lines = done.stdout.splitlines()
    assert len(lines) == 7
    for line in lines:
        kept = line.startswith("kept_")
        assert (": kept: " in line, ": broken: " in line) == (kept, not kept), line
    assert lines[3].endswith("broken: 2 allocations, 128 B an operation; budget 1 allocation")
    assert check(BUILD / "tests/lessons/budgets", "--filter", "^kept").returncode == 0


def test_rows_without_budgets():
    done = check(BUILD / "tests/lessons", "--filter", "good")
    assert (done.returncode, done.stdout) == (2, "") and "no row has a budget" in done.stderr


@pytest.fixture(scope="module", params=["linked", "preloaded"])
def budget(request, tmp_path_factory):
    """Runs the unit test, linked with the library or under `profile`."""
    program = tmp_path_factory.mktemp("budget") / "budget"
    link = ["-L", PROFILE, "-lampersand_profile", f"-Wl,-rpath,{PROFILE}"] if request.param == "linked" else []
    done = subprocess.run([*CC, "-g", "-O1", "-fno-builtin", "-I", ROOT, HERE / "budget.c", "-o", program, *link,
                           "-lpthread"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    before = [] if link else [PROFILE / "ampersand-profile", "--"]
    return lambda *words: subprocess.run([*before, program, *words], capture_output=True, text=True)


def test_a_budget_that_is_kept(budget):
    done = budget("3")
    assert (done.returncode, done.stdout) == (0, "kept\nkept\n")


def test_one_allocation_more(budget):
    done = budget("4")
    assert done.returncode == 1
    first, second = done.stdout.split("4 allocations, 400 B; ")[1:]
    for text in (first, second):
        assert text.startswith("the budget is 3, 1000 B\n  4 allocations, 400 B\n    in take_some")
        assert "budget.c:16\n    by main" in text
    assert "elsewhere" not in done.stdout


def test_lines_are_named_without_standard_streams(budget):
    assert budget("4", "closed").stderr.count("budget.c:") >= 4


def test_too_many_bytes(budget):
    assert "B; the budget is 3, 1000 B" in budget("11").stdout


def test_where_nothing_counts(tmp_path):
    program = tmp_path / "budget"
    subprocess.run([*CC, "-O1", "-I", ROOT, HERE / "budget.c", "-o", program, "-lpthread"], check=True)
    done = subprocess.run([program, "0"], capture_output=True, text=True)
    assert done.returncode == 1 and done.stdout.startswith("nothing counts here: ")
