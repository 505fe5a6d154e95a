# SPDX-License-Identifier: MIT
"""The claims of the lessons hold on the published run: advice that its own numbers contradict is a failure here. And
docs/lessons.md prints just these claims, and what no run can check."""
import json
import textwrap

import pytest

from lessons_page_test import PARTS
from loaded import LESSONS
from places import ROOT
from plots.judge import claims, pair_summary
from plots.words import quantity
from tables import TABLES

PUBLISHED = pair_summary.read(json.loads((ROOT / "results/reference/summary.json").read_text()))


def declared(pair):
    """Those about the ABI of the published run."""
    return [{"faster": claim.faster.decode(), "from": claim.from_, "to": claim.to, "text": claim.text.decode()}
            for claim in pair.claims[:pair.n_claims] if claim.abi in (None, b"x86-64 System V")]


@pytest.mark.parametrize("compiler", ["gcc"])  # that of the published run
@pytest.mark.parametrize("lesson", LESSONS)
def test_claims_hold_on_the_published_run(pairs_of, compiler, lesson):
    for pair in pairs_of(compiler, lesson):
        rows = PUBLISHED.pairs.get(pair.name.decode(), [])
        for claim in claims.judge({"pair": declared(pair)}, {"pair": rows}):
            assert claim.holds is not False, f"{pair.name.decode()}: {claim.text} Against it: {claim.against}"


def test_the_published_run_says_so_itself():
    wrong = [f"{claim.pair}: {claim.text}" for claim in PUBLISHED.claims or () if claim.holds is False]
    assert wrong == []


# ---- docs/lessons.md

def sizes(claim, unit):
    """up to 64 B; 24 B to 1 KiB; from 128 B"""
    low, high = (quantity.size(size, unit) for size in (claim.from_, claim.to))
    if claim.from_ == claim.to > 0:
        return low
    return f"{low} to {high}" if claim.from_ and claim.to else f"up to {high}" if claim.to else (
        f"from {low}" if claim.from_ else "all sizes")


def line(pair, claim, alone):
    """**pass, up to 64 B, neither side:** Pass objects ..."""
    labels = {"value": pair.value.label, "pointer": pair.pointer.label}
    faster = claim.faster.decode()
    name = (labels[faster] or claim.faster).decode() if faster in labels else "neither side"
    unit = (pair.size_unit or b"B").decode()
    head = [pair.name.decode()] * (not alone) + [sizes(claim, unit), name] + ([claim.abi.decode()] if claim.abi else [])
    return wrapped(head, claim.text)


def wrapped(head, text):
    return "\n".join(textwrap.wrap(f"- **{', '.join(head)}:** {text.decode()}", 118, subsequent_indent="  ",
                                   break_on_hyphens=False))


def besides(pair, alone):
    """**hash_map, besides:** Hold pointers if ...: what no run can check."""
    return [wrapped([pair.name.decode()] * (not alone) + ["besides"], pair.prefer)] if pair.prefer else []


def claimed(pairs):
    """What the page has to say: a line a claim, and one for what no run can check. A template declares both again for
    each of its types."""
    alone = len({pair.name for pair in pairs}) == 1
    said = {}
    for pair in pairs:
        lines = said.setdefault(pair.name, ({}, {}))
        lines[0].update((line(pair, claim, alone), 0) for claim in pair.claims[:pair.n_claims])
        lines[1].update((one, 0) for one in besides(pair, alone))
    return [one for lines in said.values() for several in lines for one in several]


@pytest.mark.parametrize("lesson", TABLES)
def test_the_page_prints_what_the_lesson_claims(pairs_of, lesson):
    want = claimed(pairs_of("gcc", lesson))
    said = [part for part in PARTS[lesson].split("\n\n") if part.startswith("- **")]
    assert said == (["\n".join(want)] if want else [])
