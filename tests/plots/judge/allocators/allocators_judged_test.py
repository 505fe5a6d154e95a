# SPDX-License-Identifier: MIT
"""Allocators judged: what comes out is what was put in, and a cell without numbers has a reason."""
import dataclasses
import json
import math
import shutil
from types import SimpleNamespace

import pytest

from columns import PLAN, WORKS, cell, decision, truths, write
from plots.files import strict_json
from plots.files.allocator_run import load
from plots.judge.allocators import judging
from plots.judge.allocators.summary import document, read
from plots.words import allocator_sentences, allocator_text
from synthetic_allocators import Truth, jemalloc


@pytest.mark.parametrize("configuration, work, metric, want", [
    ("jemalloc-tcache-false", "small_churn", "ns_per_op", "slower"),
    ("jemalloc-tcache-false", "small_churn", "p99_ns", "slower"),
    ("jemalloc-tcache-false", "burst_idle", "ns_per_op", "equal"),
    ("jemalloc-decay-zero", "burst_idle", "ns_per_op", "slower"),
    ("jemalloc-decay-zero", "burst_idle", "faults_per_op", "more"),
    ("jemalloc-decay-zero", "burst_idle", "retained_rss_b", "less"),
    ("jemalloc-decay-zero", "timeline", "retained_rss_b", "less"),
    ("jemalloc-decay-forever", "burst_idle", "retained_rss_b", "more"),
    ("jemalloc-decay-forever", "timeline", "retained_rss_b", "more"),
    ("jemalloc-narenas-4", "small_churn", "ns_per_op", "equal"),
    ("jemalloc-narenas-4", "small_churn", "faults_per_op", "equal"),
    ("glibc", "pair_factory", "ns_per_op", "slower"),
    ("mimalloc", "small_churn", "ns_per_op", "faster"),
    ("mimalloc", "burst_idle", "mapped_per_asked", "more"),
    ("jemalloc", "small_churn", "ns_per_op", "baseline"),
])
def test_known_effects_are_decided(summary, configuration, work, metric, want):
    assert decision(summary, configuration, work, metric) == want


def test_ratios_are_the_truth(summary):
    for truth in truths():
        for work in WORKS if truth.in_force and truth.state == "ready" and truth.name != "jemalloc" else ():
            ratio = cell(summary, truth.name, work.name).metrics["ns_per_op"].ratio
            assert ratio.low <= ratio.estimate <= ratio.high
            assert ratio.estimate == pytest.approx(math.exp(truth.effect("ns", work.name)), rel=0.03)


def test_the_second_name_of_the_baseline_is_not_another(summary):
    found = [one.decision for work in summary.workloads
             for one in cell(summary, "jemalloc-again", work.workload).metrics.values()]
    assert sum(one not in ("equal", "undecided") for one in found) <= len(found) / 20
    time = next(one for one in summary.metrics if one.name == "ns_per_op")
    assert time.again_cells == len(WORKS) and time.again_different == 0


def test_summary_follows_its_schema(summary):
    found = document(summary)
    assert strict_json.faults(found, "allocators-summary") == []
    assert read(json.loads(json.dumps(found))) == summary


def test_a_second_name_that_reads_otherwise_is_told(tmp_path):
    """Should a run favour its baseline, its own floor must not hide that."""
    run = write(tmp_path / "run", dataclasses.replace(PLAN, bias=0.05), works=WORKS[:2])
    made = allocator_sentences.summarize(load(run))
    time = next(one for one in made.metrics if one.name == "ns_per_op")
    assert (time.again_cells, time.again_different) == (2, 2)
    assert decision(made, "jemalloc-narenas-4", "small_churn") != "slower", "the floor of all others has it in it"
    floor = made.workloads[0].floors["ns_per_op"]  # as far as the second name's interval reaches
    assert 0.05 < floor < 0.08


@pytest.mark.parametrize("configuration, state, words", [
    ("jemalloc-narenas-minus-5", "not in force", "asked for -5, in force is 8"),
    ("tbbmalloc", "absent", "apt-get install libtbbmalloc2"),
    ("typo", "wrong", "did you mean allocator?"),
    ("glibc", "in force", None),
])
def test_columns(summary, configuration, state, words):
    column = next(one for one in summary.columns if one.configuration == configuration)
    assert column.state == state and (words is None or words in column.reason)
    if state != "in force":
        assert all(one.configuration != configuration for one in summary.cells)
        assert all(configuration not in [one.configuration for one in work.ranking] for work in summary.workloads)


def test_ranking(summary):
    churn = next(work for work in summary.workloads if work.workload == "small_churn")
    names = [one.configuration for one in churn.ranking]
    assert names[0] == "mimalloc" and names[-1] == "jemalloc-tcache-false" and "jemalloc-again" not in names
    assert [one.configuration for one in churn.ranking if one.tied] == ["mimalloc"]
    assert churn.pick == "mimalloc" and churn.sentence == (
        "in the top group, which holds the fastest with 95 %: mimalloc (1 of 7)")
    timeline = summary.workloads[-1]
    assert timeline.workload == "timeline" and timeline.ranking[0].configuration == "jemalloc-decay-zero"
    assert timeline.sentence.startswith("in the top group, which holds the one that keeps least with 95 %: "
                                        "jemalloc-decay-zero")


def test_what_reads_best_may_be_undecided_where_others_are_not(tmp_path):
    truths = (Truth("jemalloc"), jemalloc("knobs", "narenas:4,thp:always", ns={"*": -0.21}),
              jemalloc("knob", "narenas:4", ns={"*": -0.2}), Truth("plain", "mimalloc", ns={"*": -0.19}))
    run = load(write(tmp_path / "run", dataclasses.replace(PLAN, again=None), truths, WORKS[:1]))
    table, key = judging.Table(run), ("knobs", WORKS[0].name, "ns_per_op")
    table.decisions[key] = dataclasses.replace(table.decisions[key], name="undecided")
    found = judging._workload(table, run.workloads[0])
    assert found.ranking[0].configuration == "knobs"
    cells = [judging._cell(table, column, run.workloads[0]) for column in run.in_force]
    assert allocator_sentences._of_workload(SimpleNamespace(quick=False, baseline=run.baseline, cells=cells),
                                            found) == (
        "in the top group, which holds the fastest with 95 %: knobs, knob (2 of 4)")


def test_of_those_that_tie_the_plainest_is_picked(tmp_path):
    twins = (Truth("jemalloc"), jemalloc("knobs", "narenas:4,thp:always", ns={"*": -0.203}),
             jemalloc("knob", "narenas:4", ns={"*": -0.2}), Truth("plain", "mimalloc", ns={"*": -0.198}))
    made = allocator_sentences.summarize(load(write(tmp_path / "run", dataclasses.replace(PLAN, again=None), twins)))
    assert made.workloads[0].pick == "plain"
    assert allocator_sentences.summarize(load(write(tmp_path / "same", dataclasses.replace(PLAN, again=None), (
        Truth("knob", environment={"MALLOC_CONF": "narenas:4"}), Truth("jemalloc"))))).workloads[0].pick == "jemalloc"


def test_a_quick_run_gives_no_verdict(tmp_path):
    made = allocator_sentences.summarize(load(write(tmp_path / "run", dataclasses.replace(PLAN, quick=True))))
    found = {one.decision for part in made.cells for one in part.metrics.values()}
    assert found == {"no verdict", "baseline"}
    assert all("no verdict" in work.sentence for work in made.workloads)
    assert "quick" in allocator_text.table(made)


def test_crossovers_move_with_the_allocator(summary):
    found = {one.configuration: one.sizes[0] for one in summary.crossovers}
    assert found["jemalloc-tcache-false"].low >= found["jemalloc"].high and found["jemalloc"].faster_below == "value"
    assert found["mimalloc"].estimate < found["jemalloc"].estimate


def test_a_crossover_calls_the_sides_by_their_names(pristine):
    run = load(pristine)
    run = dataclasses.replace(run, workloads=tuple(work | {"value_label": "frame", "pointer_label": "heap"}
                                                   for work in run.workloads))
    said = [one.sentence for one in allocator_sentences.summarize(run).crossovers]
    assert said and all("from frame to heap between" in one for one in said)


# ---- Cells without numbers

@pytest.mark.parametrize("name, plan, configuration, work, state, words", [
    ("a child that crashed", {"fail": {("glibc", "small_churn"): ("signal", "SIGSEGV")}}, "glibc", "small_churn",
     "failed", "signal: SIGSEGV"),
    ("a child that said so itself", {"fail": {("glibc", "small_churn"): ("not in force", "malloc is not glibc's")}},
     "glibc",
     "small_churn", "not in force", "malloc is not glibc's"),
    ("a wrong sum", {"disagree": (("mimalloc", "burst_idle"),)}, "mimalloc", "burst_idle", "failed",
     "disagreement: the checksum of launch 0 is badbad"),
    ("a baseline that is wrong", {"disagree": (("jemalloc", "burst_idle"),)}, "jemalloc", "burst_idle", "failed",
     "disagreement"),
    ("other settings than the probe's", {"switched": (("mimalloc", "pair_factory"),)}, "mimalloc", "pair_factory",
     "not in force", "launch 2: its settings are not those of the probe"),
    ("another library than the probe's", {"replaced": (("glibc", "burst_idle"),)}, "glibc", "burst_idle",
     "not in force",
     "launch 1: its malloc is of /lib/libother.so, the probe's of /usr/lib/x86_64-linux-gnu/libc.so.6"),
    ("a timeline that hung", {"fail": {("glibc", "timeline"): ("timeout", "no end within 20 s")}}, "glibc", "timeline",
     "failed", "timeout: no end"),
])
def test_a_bad_cell_has_a_reason_and_no_numbers(tmp_path, name, plan, configuration, work, state, words):
    made = allocator_sentences.summarize(load(write(tmp_path / "run",
                                                    dataclasses.replace(PLAN, launches=7, timelines=7, **plan))))
    one = cell(made, configuration, work)
    assert one.state == state and words in one.reason and one.metrics == {} and one.launches == 0
    assert strict_json.faults(document(made), "allocators-summary") == []
    others = [part for part in made.cells if (part.configuration, part.workload) != (configuration, work)]
    assert all(part.state == "measured" and part.metrics for part in others)
    table = allocator_text.table(made)
    assert words in " ".join(table.split())
    if configuration == "jemalloc":  # nothing to compare with
        mine = [part.metrics["ns_per_op"] for part in others if part.workload == work]
        assert all(part.ratio is None and part.decision == "no verdict" for part in mine)


@pytest.mark.parametrize("reason, state", [("timeout", "failed"), ("not in force", "not in force")])
def test_a_failed_probe_is_a_column_without_numbers(tmp_path, reason, state):
    plan = dataclasses.replace(PLAN, launches=2, timelines=0, fail={("glibc", None): (reason, "it said nothing")})
    made = allocator_sentences.summarize(load(write(tmp_path / "run", plan)))
    column = next(one for one in made.columns if one.configuration == "glibc")
    assert column.state == state and "it said nothing" in column.reason
    assert all(one.configuration != "glibc" for one in made.cells)


def test_a_column_that_was_not_probed_shows_nothing(unsummed, tmp_path):
    run = shutil.copytree(unsummed, tmp_path / "run")
    (run / "provenance/glibc.json").unlink()
    journal = [line for line in (run / "journal.jsonl").read_text().splitlines()
               if not ('"probe"' in line and '"glibc"' in line)]
    (run / "journal.jsonl").write_text("\n".join(journal) + "\n")
    made = allocator_sentences.summarize(load(run))
    assert next(one for one in made.columns if one.configuration == "glibc").state == "not probed"


def test_a_file_that_the_journal_does_not_know_counts(unsummed, tmp_path):
    """Its run was killed between the two: the file is whole, and a resumed run does not measure it again."""
    run = shutil.copytree(unsummed, tmp_path / "run")
    lines = (run / "journal.jsonl").read_text().splitlines(keepends=True)
    told = ('"done"', '"glibc"', '"small_churn"', '"launch": 1,')
    (run / "journal.jsonl").write_text("".join(line for line in lines if not all(part in line for part in told)))
    cells = load(run).cells
    assert set(cells["glibc", "small_churn"].launches) == {0, 1, 2}
    assert set(cells["glibc", "burst_idle"].launches) == {0, 1, 2}
