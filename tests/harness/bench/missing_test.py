# SPDX-License-Identifier: MIT
"""A lesson that cannot be loaded is named with its reason, and its rows fail; all others are listed and measured.

AMPERSAND_BUILD names the build folder. The good lesson is that of tests/lessons, under its own name, and the bad one
beside it is made of it, or of nothing."""
import json
import os
import re
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from plots.__main__ import guarded
from waiting import HANGS_S

BUILD = os.environ.get("AMPERSAND_BUILD")
if not BUILD:
    pytest.skip("AMPERSAND_BUILD does not name a build folder", allow_module_level=True)
BENCH = Path(BUILD).resolve() / "harness" / "ampersand-bench"
LESSONS = Path(BUILD).resolve() / "tests" / "lessons"
GOOD = ["good/size=8", "good/size=16"]
TABLE = {"schema": "ampersand/layouts/1", "n": 1, "units": [{"rows": ["bad/size=8"]}]}
MACHINE_AT, AARCH64, X86_64 = 18, 183, 62  # of an ELF header


def compiled(path, text):
    subprocess.run([*os.environ.get("CC", "cc").split(), "-shared", "-fPIC", "-x", "c", "-", "-o", path], input=text,
                   text=True, check=True)


def other_machine(path):
    module = bytearray((LESSONS / "good.00.so").read_bytes())
    [own] = struct.unpack_from("<H", module, MACHINE_AT)
    struct.pack_into("<H", module, MACHINE_AT, X86_64 if own == AARCH64 else AARCH64)
    path.write_bytes(module)


def cut(path):
    path.write_bytes((LESSONS / "good.00.so").read_bytes()[:-4096])


def same_rows(path):
    shutil.copy(LESSONS / "good.00.so", path)
    (path.parent / "lessons.txt").write_text("good\nbad\n")


BAD = {
    "not there": (lambda path: None, "bad.00.so: No such file or directory"),
    "a folder": (lambda path: path.mkdir(), "bad.00.so"),
    "empty": (lambda path: path.write_bytes(b""), "not a whole module"),
    "a text": (lambda path: path.write_text("int main(void) { return 0; }\n" * 99), "bad.00.so"),
    "cut": (cut, "not a whole module"),
    "of another machine": (other_machine, "bad.00.so"),
    "a missing symbol": (lambda path: compiled(path, "int gone(void);\nint (*amp_lesson)(void) = gone;\n"), "gone"),
    "no lesson": (lambda path: compiled(path, "int number;\n"), "not a lesson"),
    "another ABI": (lambda path: compiled(path, "const unsigned amp_lesson[99] = { 42 };\n"), "its ABI is 42"),
    "rows of another": (same_rows, "another lesson has one of its rows"),
}


@pytest.fixture
def lessons(tmp_path):
    """A folder of lessons: bad before good. The bad one has a table and no module yet."""
    folder = tmp_path / "lessons"
    folder.mkdir()
    for file in LESSONS.glob("good.*"):
        (folder / file.name).symlink_to(file)
    (folder / "lessons.txt").write_text("bad\ngood\n")
    (folder / "bad.layouts.json").write_text(json.dumps(TABLE))
    return folder


def bench(lessons, *words):
    return subprocess.run([BENCH, *map(str, words)], env={**os.environ, "AMPERSAND_LESSONS": str(lessons)},
                          capture_output=True, text=True, timeout=HANGS_S)


def named(done):
    return [line for line in done.stderr.splitlines()
            if line.startswith("ampersand: lesson bad: it cannot be loaded: ")]


@pytest.mark.parametrize("case", BAD)
def test_a_bad_module_is_one_lesson(lessons, case):
    make, word = BAD[case]
    make(lessons / "bad.00.so")
    done = bench(lessons, "list")
    assert (done.returncode, done.stdout.split()) == (1, GOOD)
    assert [line.endswith("; the others go on") and word in line for line in named(done)] == [True], done.stderr
    done = bench(lessons, "list", "--filter", "^good/")  # a row of the bad one was not asked for
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, GOOD, "")


@pytest.mark.parametrize("table", [None, "", "{", '{"n": 0}', "[]"])
def test_a_bad_table_is_one_lesson(lessons, tmp_path, table):
    """Only a run wants the tables. What rows the lesson has is not known then, so they count as asked for."""
    (lessons / "lessons.txt").write_text("good\nbad\n")
    (lessons / "bad.layouts.json").unlink()
    if table is not None:
        (lessons / "bad.layouts.json").write_text(table)
    done = bench(lessons, "paired", "--out", tmp_path / "run", "--seed", 1, "--quick", "--no-wait", "--epoch-us", 5,
                 "--rounds", 2, "--filter", "^good/size=8$", "--launches", 1)
    assert done.returncode == 1 and "bad.layouts.json" in named(done)[0]
    assert sorted(str(path.relative_to(tmp_path / "run")) for path in (tmp_path / "run").rglob("000.json")) == [
        f"{kind}/default/good/size=8/000.json" for kind in ("counts", "launches", "solo")]


def test_the_others_are_measured(lessons, tmp_path):
    """Each kind of launch, also alone under libbenchmark: none of them fails for a lesson that is not its own."""
    cut(lessons / "bad.00.so")
    done = bench(lessons, "paired", "--out", tmp_path / "run", "--seed", 1, "--quick", "--no-wait", "--epoch-us", 5,
                 "--rounds", 2, "--launches", 1)
    assert done.returncode == 1 and len(named(done)) == 1
    events = [json.loads(line) for line in (tmp_path / "run" / "journal.jsonl").read_text().splitlines()]
    assert [one["event"] for one in events].count("done") == 6
    assert [one["pair"] for one in events if one["event"] == "failed"] == ["bad"]
    assert bench(lessons, "--benchmark_list_tests").returncode == 1


def test_its_rows_fail_with_the_reason(lessons, tmp_path, capsys):
    """In the table, the summary and the report; and whoever goes on with the run learns it again."""
    run, why = tmp_path / "run", "bad.00.so: not a whole module; build it again"
    table = json.loads((LESSONS / "crash.layouts.json").read_text().replace("crash", "bad"))
    table["units"][0]["rows"] = ["bad/size=8", "bad/size=16", "odd"]
    (lessons / "bad.layouts.json").write_text(json.dumps(table))
    cut(lessons / "bad.00.so")
    quick = ("paired", "--out", run, "--seed", 1, "--quick", "--no-wait", "--epoch-us", 5, "--rounds", 2, "--launches",
             1)
    assert bench(lessons, *quick, "--filter", "size=8$").returncode == 1
    assert guarded(["summary", str(run)]) == 1
    out = capsys.readouterr().out
    assert re.search(r"^bad +8  failed ", out, re.M) and why in " ".join(out.split()) and "bad/size=16" not in out
    assert guarded(["check", str(run)]) == 0 and guarded(["report", str(run)]) == 0
    rows = {row["row"]: row for row in json.loads((run / "summary.json").read_text())["rows"]}
    assert rows["bad/size=8"]["verdict"] == "failed" and why in rows["bad/size=8"]["sentence"]
    assert rows["good/size=8"]["verdict"] != "failed"
    assert re.search(rf"bad/size=8</strong>: failed [^<]*{why}", " ".join((run / "report.html").read_text().split()))
    again = bench(lessons, "paired", "--resume", run)
    assert again.returncode == 1 and len(named(again)) == 1
    shutil.copy(LESSONS / "crash.00.so", lessons / "bad.00.so")  # it loads now, and is another lesson's
    assert bench(lessons, "paired", "--resume", run).returncode == 2


def test_none_that_loads(lessons):
    (lessons / "lessons.txt").write_text("bad\n")
    done = bench(lessons, "list")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1] == f"ampersand: lessons: '{lessons}' has none that loads"
