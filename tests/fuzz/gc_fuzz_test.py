# SPDX-License-Identifier: MIT
"""Damage to the folder of a run of collectors: as in loader_fuzz_test.py, refused in one line or never a traceback."""

import json

import pytest
import synthetic_gc as synthetic
from fuzz.loader_fuzz_test import damaged
from plots.gc import gctrace, judge, page, runs, text
from plots.program.errors import Refused

CASES = 120


def meaning(run):
    """What is there, each as it is: a journal that is cut reads as that of a run that was killed there."""
    return {**{key: launch for key, launches in run.points.items() for launch in launches}, **run.pauses, **run.graphs}


def test_with_checksums_a_run_is_refused_or_means_the_same(tmp_path):
    folder = synthetic.write_run(tmp_path / "run")
    want, refused = meaning(runs.load(folder)), 0
    for what in damaged(folder, CASES, seed=1):
        try:
            found = meaning(runs.load(folder))
        except Refused as error:
            assert "\n" not in str(error)
            refused += 1
            continue
        assert all(want[key] == found[key] for key in found), what
    assert refused > CASES / 3


@pytest.mark.parametrize("key, value, why", [
    ("cycles", [], "cycles: there is none"), ("seconds", 0, "seconds: 0"), ("cpu_seconds", 0, "cpu_seconds: 0"),
    ("allocated_b", 0, "allocated_b: 0"), ("collector", "go", "collector: 'go' in a file that stands for 'ours'"),
])
def test_what_cannot_be_judged_is_refused(tmp_path, key, value, why):
    folder = synthetic.write_run(tmp_path / "run")
    path = next((folder / "launches/ours").rglob("*.json"))
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))
    lines = [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]
    (folder / "journal.jsonl").write_text("".join(json.dumps(
        {name: part for name, part in line.items() if name != "crc32"}) + "\n" for line in lines))
    with pytest.raises(Refused, match=why):
        runs.load(folder)


def test_without_checksums_what_is_loaded_can_be_shown(tmp_path):
    folder = synthetic.write_run(tmp_path / "run")
    journal = folder / "journal.jsonl"
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    journal.write_text("".join(json.dumps({key: value for key, value in line.items() if "crc32" not in key}) + "\n"
                               for line in lines))
    shown = 0
    for _ in damaged(folder, CASES, seed=2):
        try:
            run = runs.load(folder)
            points, pauses, shapes = judge.points(run), judge.pauses(run), judge.shapes(run)
            text.table(points).json()
            gctrace.text([launch for many in run.points.values() for launch in many])
            if shown % 20 == 0:
                page.page(run, points, pauses, shapes)
            shown += 1
        except Refused as error:
            assert "\n" not in str(error)
    assert shown > 5
