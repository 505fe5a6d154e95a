# SPDX-License-Identifier: MIT
"""Damage to the folder of a run over configurations: as in loader_fuzz_test.py, refused in one line or never a
traceback."""

import json
import os

import pytest

import synthetic_allocators as synthetic
from fuzz.loader_fuzz_test import damaged
from plots.files.allocator_run import load
from plots.program.errors import Refused
from plots.words import allocator_sentences, allocator_text
from synthetic_allocators import Plan, Truth

CASES = 1000 if os.environ.get("AMPERSAND_HEAVY") else 400
TRUTHS = (Truth("jemalloc"), Truth("glibc", "glibc"), Truth("off", in_force=False, reason="it is not"))
WORKS = (synthetic.WORKS[0], synthetic.WORKS[-1])
FAILED = {("glibc", "pair_factory"): ("signal", "SIGSEGV")}


def make(folder, checksums):
    plan = Plan(launches=2, timelines=1, again=None, fail=FAILED, checksums=checksums)
    return synthetic.write_run(folder, TRUTHS, WORKS, plan)


def means_the_same(run, want):
    """Whether all that a figure could come from is as it was. A journal that is cut reads as that of a run that was
    killed there: what it had not told yet is missing, the failure of a cell too, and nothing else may be."""
    columns = {column.name: column.provenance for column in want.columns}
    return run.manifest == want.manifest and all(
        column.provenance == columns[column.name] for column in run.columns) and all(
        cell.launches[number] == want.cells[key].launches[number] for key, cell in run.cells.items()
        for number in cell.launches if want.cells[key].state != "failed")


def test_with_checksums_a_run_is_refused_or_means_the_same(tmp_path):
    folder = make(tmp_path / "run", checksums=True)
    want = load(folder)
    refused = 0
    for what in damaged(folder, CASES, seed=1):
        try:
            assert means_the_same(load(folder), want), what
        except Refused as refusal:
            refused += 1
            assert "\n" not in str(refusal), what
    assert refused > CASES * 0.8


def test_without_checksums_there_is_never_a_traceback(tmp_path):
    folder = make(tmp_path / "run", checksums=False)
    refused = 0
    for what in damaged(folder, CASES, seed=2):
        try:
            allocator_text.table(allocator_sentences.summarize(load(folder)))
        except Refused:
            refused += 1
        except Exception as error:
            pytest.fail(f"{what}: {error!r}")
    assert CASES * 0.5 < refused < CASES


@pytest.mark.parametrize("key, at", [("rss_b", 2), ("t_ms", -1), ("burst_end_ms", None)])
def test_a_number_that_no_curve_can_hold_is_refused(tmp_path, key, at):
    folder = make(tmp_path / "run", checksums=False)
    path = next((folder / "timelines").rglob("000.json"))
    document = json.loads(path.read_text())
    if at is None:
        document[key] = 1 << 200
    else:
        document[key][at] = 1 << 200
    path.write_text(json.dumps(document))
    with pytest.raises(Refused, match=key):
        load(folder)
