# SPDX-License-Identifier: MIT
"""One build a run: modules and tables that do not belong together are refused."""
import json
import shutil
import subprocess

import pytest

from launching import BENCH, ENVIRONMENT, FAST, LESSONS, child_of, children_of, journal, started
from plots.files.pair_run import load
from waiting import HANGS_S, wait_for


@pytest.fixture
def own_lessons(tmp_path):
    """A copy of the lessons, which a test may spoil."""
    folder = tmp_path / "lessons"
    folder.mkdir()
    (folder / "lessons.txt").write_text("good\ncarry_over\n")
    for lesson in "good", "carry_over":
        for path in LESSONS.glob(f"{lesson}.*"):
            shutil.copy(path, folder)
    return folder


def bench_own(lessons, out, *words):
    return subprocess.run([BENCH, "paired", "--out", out, *FAST, "--filter", "^good/size=8$", "--seed", "7", *words],
                          env={**ENVIRONMENT, "AMPERSAND_LESSONS": str(lessons)}, capture_output=True, text=True,
                          timeout=HANGS_S)


@pytest.mark.parametrize("name, file, kinds", [
    ("the second module", "good.01.so", {"paired"}), ("the last module", "good.03.so", {"paired"}),
    ("the first module", "good.00.so", {"paired", "counts", "solo"})])
def test_a_module_of_another_lesson_is_refused(own_lessons, tmp_path, name, file, kinds):
    other = own_lessons / file.replace("good", "carry_over")
    if file == "good.00.so":  # where the pairs are read from, so it must have them: of another placement, then
        other = own_lessons / "good.02.so"
    shutil.copy(other, own_lessons / file)
    done = bench_own(own_lessons, tmp_path / "run", "--launches", "1")
    assert done.returncode == 1
    failure, = journal(tmp_path / "run", "failed")
    assert failure["kind"] in kinds and f"{file} is not the module that good.layouts.json tells of" in failure["detail"]
    assert not any(kind in kinds for kind, *_ in children_of(tmp_path / "run"))


def test_a_lone_side_of_another_module_is_refused(own_lessons):
    shutil.copy(own_lessons / "good.02.so", own_lessons / "good.00.so")
    done = subprocess.run([BENCH, "--benchmark_filter=^good/", "--benchmark_format=json"], capture_output=True,
                          text=True,
                          env={**ENVIRONMENT, "AMPERSAND_LESSONS": str(own_lessons)})
    rows = json.loads(done.stdout)["benchmarks"]
    assert done.returncode == 1 and len(rows) == 4
    assert all("good.00.so is not the module" in row["error_message"] for row in rows)


def test_a_table_without_build_ids_holds_no_module(own_lessons, tmp_path):
    table = json.loads((own_lessons / "good.layouts.json").read_text())
    del table["build_ids"]
    (own_lessons / "good.layouts.json").write_text(json.dumps(table))
    shutil.copy(own_lessons / "good.02.so", own_lessons / "good.01.so")
    assert bench_own(own_lessons, tmp_path / "run", "--launches", "1").returncode == 0


@pytest.mark.parametrize("what", ["another table", "no table"])
def test_a_lesson_that_is_built_anew_stops_the_run(own_lessons, tmp_path, what):
    """What was finished stays, and is sound; nothing of the other build comes into it. All launches would take a
    minute."""
    table, out = own_lessons / "good.layouts.json", tmp_path / "run"
    run = subprocess.Popen([BENCH, "paired", "--out", out, *FAST, "--filter", "^good/size=8$", "--seed", "7",
                            "--launches", "1000", "--epoch-us", "4000"],
                           env={**ENVIRONMENT, "AMPERSAND_LESSONS": str(own_lessons)}, text=True,
                           stderr=subprocess.PIPE)
    wait_for(lambda: started(out, "done", 3), run)
    if what == "no table":
        table.unlink()
    else:
        table.with_suffix(".new").write_text(table.read_text().replace('"seed": 1', '"seed": 2'))
        table.with_suffix(".new").rename(table)
    said = run.communicate(timeout=HANGS_S)[1]
    assert run.returncode == 2
    assert "stopped: good was built anew while the run measured it" in said and "Traceback" not in said
    assert sorted(children_of(out)) == sorted(child_of(line) for line in journal(out, "done"))
    assert not journal(out, "failed") and not journal(out, "end")
    assert len(load(out).rows) == 1
