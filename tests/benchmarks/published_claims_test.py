# SPDX-License-Identifier: MIT
"""The claims of the lessons hold on the published run: advice that its own numbers contradict is a failure here."""
import json

import pytest

from lessons_test import LESSONS, pairs_of  # noqa: F401, a fixture
from places import ROOT
from plots.judge import claims, pair_summary

PUBLISHED = pair_summary.read(json.loads((ROOT / "results/reference/summary.json").read_text()))


def declared(pair):
    return [{"faster": claim.faster.decode(), "from": claim.from_, "to": claim.to, "text": claim.text.decode()}
            for claim in pair.claims[:pair.n_claims]]


@pytest.mark.parametrize("compiler", ["gcc"])  # that of the published run
@pytest.mark.parametrize("lesson", LESSONS)
def test_claims_hold_on_the_published_run(pairs_of, compiler, lesson):  # noqa: F811
    for pair in pairs_of(compiler, lesson):
        rows = PUBLISHED.pairs.get(pair.name.decode(), [])
        for claim in claims.judge({"pair": declared(pair)}, {"pair": rows}):
            assert claim.holds is not False, f"{pair.name.decode()}: {claim.text} Against it: {claim.against}"


def test_the_published_run_says_so_itself():
    wrong = [f"{claim.pair}: {claim.text}" for claim in PUBLISHED.claims or () if claim.holds is False]
    assert wrong == []
