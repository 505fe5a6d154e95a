# SPDX-License-Identifier: MIT
"""The ratio of a row lies in its spread, or the row says why not: in a run, in its words, and for `check`."""
import json
from dataclasses import replace

import numpy as np
import pytest
import synthetic

from plots.__main__ import guarded
from plots.files.pair_run import load
from plots.stats import statistics, two_way
from plots.verbs.check import check
from plots.words.pair_sentences import summarize

ROWS = [synthetic.Truth("pass", 8 << i, 0.1 * i, layout_sd=sd, bimodal=i % 2 == 1, launch_sd=0.02, outliers=0.2)
        for i, sd in enumerate((0, 0.001, 0.01, 0.1))]


@pytest.fixture
def run(tmp_path):
    return synthetic.write_run(tmp_path / "run", ROWS, synthetic.Plan(launches=12, layouts=16, rounds=4, solo=0))


def test_in_every_row_of_a_run(run):
    for row in summarize(load(run))[0].rows:
        assert row.spread.p10 <= row.ratio.estimate <= row.spread.p90 and row.outside_spread is None
        assert row.ratio.low <= row.ratio.estimate <= row.ratio.high
        assert row.spread.p10_low <= row.spread.p10 <= row.spread.p10_high


@pytest.mark.parametrize("seed", range(40))
def test_whatever_is_measured(seed):
    """Layouts, launches and blocks of every scale and shape."""
    random = np.random.default_rng(seed)
    table = sum(scale * random.standard_t(1.2, shape) for scale, shape in zip(
        10.0 ** random.uniform(-5, 0, 3), ((1, 16), (9, 1), (9, 16))))
    told = statistics.tell(two_way.fit(table), 0.9)
    assert told.outside or told.spread.p10 - 1e-12 <= told.ratio.estimate <= told.spread.p90 + 1e-12
    assert told.ratio.low <= told.ratio.estimate <= told.ratio.high


def test_a_row_says_why_it_does_not(run, monkeypatch):
    tell = statistics.tell
    monkeypatch.setattr(statistics, "tell", lambda *told: replace(tell(*told), outside=True))
    row = summarize(load(run))[0].rows[1]
    assert row.outside_spread == "few layouts"
    assert row.sentence.endswith("fewer than one layout in ten differ so much that they move it")


def test_check_finds_a_ratio_outside_without_a_reason(run, capsys):
    assert guarded(["summary", str(run)]) == 0 and check(run)[1] == []
    capsys.readouterr()
    path = run / "summary.json"
    document = json.loads(path.read_text())
    document["rows"][2]["spread"]["p90"] = document["rows"][2]["ratio"]["estimate"] - 0.001
    for reason, faults in ((None, 1), ("few layouts", 0)):
        document["rows"][2]["outside_spread"] = reason
        path.write_text(json.dumps(document))
        found = check(run)[1]
        assert len(found) == faults and all("rows[2].ratio: lies outside of its spread" in one for one in found)
    del document["rows"][2]["outside_spread"]  # a run of an older version
    path.write_text(json.dumps(document))
    assert check(run)[1] == []
