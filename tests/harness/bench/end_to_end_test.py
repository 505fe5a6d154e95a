# SPDX-License-Identifier: MIT
"""From the program to the figures, in a temporary folder, and every lesson's promise of what it allocates.

AMPERSAND_BUILD names the build folder."""
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from places import ROOT
from waiting import HANGS_S

BENCH = Path(os.environ.get("AMPERSAND_BUILD", ROOT / "build")).resolve() / "harness" / "ampersand-bench"


def call(*command, status=0):
    done = subprocess.run([str(word) for word in command], cwd=ROOT, capture_output=True, text=True, timeout=HANGS_S)
    assert done.returncode == status, f"{command}: exit status {done.returncode}: {done.stderr}"
    return done


def plots(*arguments, status=0):
    return call(sys.executable, "-m", "plots", *arguments, status=status)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Every row, as briefly as it goes: one launch of two rounds a layout, and one that counts."""
    out = tmp_path_factory.mktemp("end") / "run"
    call(BENCH, "paired", "--out", out, "--launches", 1, "--rounds", 2, "--epoch-us", 5, "--counts-launches", 1,
         "--solo-launches", 0, "--seed", 1)
    return out


def test_the_folder_is_as_its_schema_says(run):
    plots("check", run)


def test_every_row_is_there(run):
    rows = call(BENCH, "list").stdout.split()
    assert len(rows) > 100
    for kind in ("launches", "counts"):
        files = {path.parent.relative_to(run / kind / "default").as_posix() for path in (run / kind).rglob("*.json")}
        assert files == set(rows)


def test_counts_are_what_the_lessons_promise(run):
    if any(json.loads(path.read_text()).get("refused") for path in (run / "counts").rglob("*.json")):
        pytest.skip("counts are refused here: malloc is not jemalloc's")
    manifest = json.loads((run / "manifest.json").read_text())
    wrong = []
    for row in manifest["rows"]:
        counts = json.loads((run / f"counts/default/{row['pair']}/size={row['size']}/000.json").read_text())
        for side in ("value", "pointer"):
            want = [counts["ops"] * row[side][key] for key in ("allocs_per_op", "bytes_per_op")]
            got = [counts[side][key] for key in ("allocs", "asked_b")]
            if want != got or counts[side]["frees"] != counts[side]["allocs"]:
                wrong.append((row["pair"], row["size"], side, want, got))
    assert not wrong


def test_every_layout_is_measured_once_in_a_launch(run):
    manifest = json.loads((run / "manifest.json").read_text())
    lesson_of = {row["pair"]: row["lesson"] for row in manifest["rows"]}
    for path in (run / "launches").rglob("*.json"):
        launch = json.loads(path.read_text())
        blocks, layouts = launch["blocks"], manifest["layouts"][lesson_of[launch["pair"]]]["n"]
        assert sorted(blocks["value_layout"]) == list(range(layouts)), path
        assert blocks["pointer_layout"] == blocks["value_layout"], path
        assert all(shift % 16 == 0 and 0 <= shift < 4096 for shift in blocks["stack_shift_b"]), path
        assert len(set(blocks["stack_shift_b"])) > layouts // 4, path


@pytest.mark.parametrize("name, quiet_ns, again", [
    ("always quiet: once", 10**9, False), ("never quiet: again, and then it goes on", 1, True)])
def test_a_launch_on_a_quiet_or_busy_core(name, quiet_ns, again, tmp_path):
    file = tmp_path / "launch.json"
    task = {"kind": "paired", "lesson": "null", "row": "null/size=16", "file": str(file), "launch": 0,
            "configuration": "default", "seed": 1,
            "cpu": -1, "stack_offset_b": 0, "environment_padding_b": 0, "epoch_ns": 5000, "quiet_ns": quiet_ns,
            "rounds_per_block": 4, "layout": -1}
    call(BENCH, "child", json.dumps(task))
    written = json.loads(file.read_text())
    blocks = written["blocks"]
    assert sorted(blocks["value_layout"]) == list(range(len(blocks["value_layout"])))
    assert len(blocks["sensor_ns"]) == len(blocks["value_layout"]) and min(blocks["sensor_ns"]) > 100
    assert min(blocks["attempts"]) >= 1 and (max(blocks["attempts"]) > 1) == again
    assert len(written["value_ns"]) == len(written["pointer_ns"]) == 4 * len(blocks["sensor_ns"])
    assert all(min(written[side]) > 0 for side in ("value_ns", "pointer_ns")), "no block is left empty"


@pytest.mark.parametrize("lesson, row, rounds", [("null", "null/size=16", 6), ("factory", "factory/size=64", 4)])
def test_rows_far_apart_have_shorter_blocks(lesson, row, rounds, tmp_path):
    """Sooner or later: a launch that was disturbed while it looked may take one for the other."""
    file = tmp_path / "launch.json"
    task = {"kind": "paired", "lesson": lesson, "row": row, "file": str(file), "launch": 0, "configuration": "default",
            "seed": 1, "cpu": -1, "stack_offset_b": 0, "environment_padding_b": 0, "epoch_ns": 20000,
            "quiet_ns": 10**9, "rounds_per_block": 6, "layout": -1}
    found = set()
    for _ in range(20):
        call(BENCH, "child", json.dumps(task))
        found.add(json.loads(file.read_text())["rounds_per_block"])
        if rounds in found:
            break
    assert rounds in found


def test_the_summary(run):
    table = plots("summary", run).stdout
    for pair in ("pass", "factory", "mutate", "collection", "stack_copy", "known_half", "null_placed"):
        assert f"\n{pair} " in table
    summary = json.loads((run / "summary.json").read_text())
    assert [row["verdict"] for row in summary["rows"] if row["pair"] == "factory"] == ["undecided"] * 22
    plots("check", run)


def test_the_charts(tmp_path):
    run = tmp_path / "run"
    call(BENCH, "paired", "--out", run, "--filter", "^(mutate|factory_cold)/", "--launches", 1, "--rounds", 2,
         "--epoch-us", 5, "--counts-launches", 1, "--solo-launches", 0)
    plots("summary", run)
    plots("charts", run)
    figures = {path.name for path in (run / "figures").iterdir()}
    assert {"verdicts.svg", "verdicts.png", "allocations.svg", "allocations.png"} <= figures
    assert any(name.startswith("crossover") for name in figures)


def test_one_layout_only(tmp_path):
    call(BENCH, "paired", "--out", tmp_path / "run", "--filter", "^pass/size=64$", "--launches", 2, "--layout", 7,
         "--counts-launches", 0, "--solo-launches", 1)
    launches = list((tmp_path / "run/launches").rglob("*.json"))
    for path in launches:
        assert json.loads(path.read_text())["blocks"]["value_layout"] == [7]
    # The floors of noise belong to every run.
    assert sorted({path.parent.parent.name for path in launches}) == ["null", "null_placed", "pass"]
    plots("check", tmp_path / "run")
    table = plots("summary", tmp_path / "run").stdout
    assert "no verdict" in table and "one layout gives none" in table and "faster" not in table.split("How to read")[0]
