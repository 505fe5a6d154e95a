# SPDX-License-Identifier: MIT
"""From the program to the figures, in a temporary folder, and every lesson's promise of what it allocates.

AMPERSAND_BUILD names the build folder."""
import json
import subprocess
import sys

import pytest

from children import BENCH, child
from places import ROOT
from waiting import HANGS_S


def call(*command, status=0):
    done = subprocess.run([str(word) for word in command], cwd=ROOT, capture_output=True, text=True, timeout=HANGS_S)
    assert done.returncode == status, f"{command}: exit status {done.returncode}: {done.stderr}"
    return done


def plots(*arguments, status=0):
    return call(sys.executable, "-m", "plots", *arguments, status=status)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Every row, as briefly as it goes: one launch of two rounds a layout."""
    out = tmp_path_factory.mktemp("end") / "run"
    call(BENCH, "paired", "--out", out, "--launches", 1, "--rounds", 2, "--epoch-us", 5, "--counts-launches", 0,
         "--solo-launches", 0, "--no-wait", "--seed", 1)
    return out


def test_the_folder_is_as_its_schema_says(run):
    plots("check", run)


def test_every_row_is_there(run):
    rows = call(BENCH, "list").stdout.split()
    assert len(rows) > 100
    files = {path.parent.relative_to(run / "launches/default").as_posix()
             for path in (run / "launches").rglob("*.json")}
    assert files == set(rows)


def test_counts_are_what_the_lessons_promise(run, tmp_path):
    manifest = json.loads((run / "manifest.json").read_text())
    wrong = []
    for row in manifest["rows"]:
        counts = child("counts", f"{row['pair']}/size={row['size']}", tmp_path / "counts.json")
        if counts.get("refused"):
            pytest.skip("counts are refused here: malloc is not jemalloc's")
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
    written = child("paired", "null/size=16", tmp_path / "launch.json", quiet_ns=quiet_ns)
    blocks = written["blocks"]
    assert sorted(blocks["value_layout"]) == list(range(len(blocks["value_layout"])))
    assert len(blocks["sensor_ns"]) == len(blocks["value_layout"]) and min(blocks["sensor_ns"]) > 100
    assert min(blocks["attempts"]) >= 1 and (max(blocks["attempts"]) > 1) == again
    assert len(written["value_ns"]) == len(written["pointer_ns"]) == 4 * len(blocks["sensor_ns"])
    assert all(min(written[side]) > 0 for side in ("value_ns", "pointer_ns")), "no block is left empty"


@pytest.mark.parametrize("row, rounds", [("null/size=16", 6), ("factory/size=64", 4)])
def test_rows_far_apart_have_shorter_blocks(row, rounds, tmp_path):
    """Sooner or later: a launch that was disturbed while it looked may take one for the other."""
    found = set()
    for _ in range(20):
        written = child("paired", row, tmp_path / "launch.json", epoch_ns=20000, rounds_per_block=6)
        found.add(written["rounds_per_block"])
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
         "--epoch-us", 5, "--counts-launches", 1, "--solo-launches", 0, "--no-wait")
    plots("check", run)
    assert len(list((run / "counts").rglob("000.json"))) == len(list((run / "launches").rglob("000.json"))) > 5
    plots("summary", run)
    plots("charts", run)
    figures = {path.name for path in (run / "figures").iterdir()}
    assert {"verdicts.svg", "verdicts.png", "allocations.svg", "allocations.png"} <= figures
    assert any(name.startswith("crossover") for name in figures)


def test_one_layout_only(tmp_path):
    call(BENCH, "paired", "--out", tmp_path / "run", "--filter", "^pass/size=64$", "--launches", 2, "--layout", 7,
         "--counts-launches", 0, "--solo-launches", 1, "--no-wait")
    launches = list((tmp_path / "run/launches").rglob("*.json"))
    for path in launches:
        assert json.loads(path.read_text())["blocks"]["value_layout"] == [7]
    # The floors of noise belong to every run.
    assert sorted({path.parent.parent.name for path in launches}) == ["null", "null_placed", "pass"]
    plots("check", tmp_path / "run")
    table = plots("summary", tmp_path / "run").stdout
    assert "no verdict" in table and "one layout gives none" in table and "faster" not in table.split("How to read")[0]
