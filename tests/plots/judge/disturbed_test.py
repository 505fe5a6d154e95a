# SPDX-License-Identifier: MIT
"""Launches with something else on the core: what takes part, what a row says of it, and who leaves out the same."""
import gzip
import json
import math
import shutil

import pytest
import synthetic

from plots.__main__ import guarded
from plots.files import bench_format
from plots.files.pair_run import load
from plots.judge.compare_runs import compare
from plots.stats import statistics
from plots.words import pair_text
from plots.words.pair_sentences import summarize

LAUNCHES, LAYOUTS, SLOWER = 12, 8, 1.5
ROW = synthetic.Truth("pass", 64, 0.3, layout_sd=0.01, outliers=0)


def run_of(folder, disturbed):
    """A run of one row; `disturbed`: in how many of its layouts each launch had a neighbour, which slows the pointer
    side down."""
    run = synthetic.write_run(folder, [ROW],
                              synthetic.Plan(launches=LAUNCHES, layouts=LAYOUTS, rounds=4, checksums=False))
    for number, layouts in enumerate(disturbed):
        path = run / f"launches/default/{ROW.name}/{number:03d}.json"
        document = json.loads(path.read_text())
        for block, layout in enumerate(document["blocks"]["value_layout"]):
            if (layout + number) % LAYOUTS < layouts:
                document["blocks"]["sensor_ns"][block] = 2000
                for i in range(4 * block, 4 * block + 4):
                    document["pointer_ns"][i] = int(document["pointer_ns"][i] * SLOWER)
        path.write_text(json.dumps(document))
    return run


N = statistics.launches_needed(statistics.of_verdicts(1, 1))  # of the only row, which is looked at once
CASES = [
    # name, disturbed layouts of each launch, launches that take part, share of all blocks, of those that take part
    ("none", [0] * 12, 12, 0, 0),
    ("a block in each launch", [1] * 12, 12, 1 / 8, 1 / 8),
    ("four launches throughout", [8] * 4 + [0] * 8, 8, 4 / 12, 0),
    ("as many quiet ones as are needed", [8] * (12 - N) + [0] * N, N, (12 - N) / 12, 0),
    ("one too few: the quietest of the others takes part", [8] * (11 - N) + [5, 7] + [0] * (N - 1), N,
     (8 * (11 - N) + 12) / 96, 5 / 8 / N),
    ("none is quiet", [8] * 12, N, 1, 1),
]


@pytest.mark.parametrize("name, disturbed, kept, share, of_kept", CASES, ids=[row[0] for row in CASES])
def test_a_row_says_what_it_leaves_out(tmp_path, capsys, name, disturbed, kept, share, of_kept):
    run = run_of(tmp_path / "run", disturbed)
    assert guarded(["summary", str(run)]) == 0
    out = " ".join(capsys.readouterr().out.split())
    row, = json.loads((run / "summary.json").read_text())["rows"]
    assert (row["launches"], row["left_out"]) == (kept, LAUNCHES - kept)
    assert (row["disturbed"]["share"], row["disturbed"]["kept"]) == pytest.approx((share, of_kept), abs=1e-5)
    truth = math.exp(0.3)
    if of_kept <= 1 / 4:
        assert row["ratio"]["low"] * 0.99 <= truth <= row["ratio"]["high"] * 1.01, "on a quiet core"
    if share >= 1 / 2:
        assert row["disturbed"]["ratio_with"]["estimate"] > truth * 1.1
    assert ("Most of it in pass/size=64" in out) == (share >= 0.1)
    assert ("Not on a quiet core, for lack of quiet launches: pass/size=64" in out) == (of_kept > 0.5)
    lines, _ = bench_format.read((run / "bench.txt").read_text())
    marked = [line for line in lines if line.configuration.get("launch") == "left out, disturbed"]
    assert (len(lines), len(marked)) == (2 * LAUNCHES, 2 * (LAUNCHES - kept))
    table = (run / "launches.csv").read_text().splitlines()[1:]
    assert sum(line.endswith(",0") for line in table) == sum(disturbed)


def test_a_comparison_leaves_out_what_the_summaries_do(tmp_path):
    """An idle run and one with a neighbour in every third launch show no change; and so does what was published of
    it."""
    idle, busy = (run_of(tmp_path / name, disturbed) for name, disturbed in
                  (("idle", [0] * 12), ("busy", [8, 0, 0] * 4)))
    published = tmp_path / "published"
    published.mkdir()
    assert guarded(["summary", str(busy)]) == 0
    for name in ("manifest.json", "summary.json"):
        shutil.copy(busy / name, published)
    (published / "launches.csv.gz").write_bytes(gzip.compress((busy / "launches.csv").read_bytes()))
    found = {}
    for other in (busy, published):
        (row,) = compare(load(idle), load(other)).rows
        assert row.pointer_ns_per_op.call != "slower" and row.ratio.call == "not shown"
        assert row.ratio.b == pytest.approx(math.exp(0.3), rel=0.01)
        found[other.name] = row.ratio, row.pointer_ns_per_op
    assert found["busy"] == found["published"]


def test_the_number_says_that_it_is_on_a_quiet_core(tmp_path):
    summary, _ = summarize(load(run_of(tmp_path / "run", [0] * 12)))
    assert "on a quiet core" in dict(pair_text.key(summary))["ratio"] and "on a quiet core" in dict(
        pair_text.legend(summary))["ratio"]
