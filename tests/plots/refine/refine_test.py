# SPDX-License-Identifier: MIT
"""bench --refine: which sizes, from which lessons, and that what is built has them as rows."""
import json
import os
import re
import subprocess
from pathlib import Path

import pytest

import synthetic
from places import ROOT
from plots.__main__ import guarded
from plots.files.pair_run import load
from plots.refine import refine
from plots.verbs import check
from plots.words.pair_sentences import summarize

REFERENCE = ROOT / "results/reference"
BUILD = Path(os.environ.get("AMPERSAND_BUILD", ROOT / "build"))


@pytest.mark.parametrize("low, high, sizes", [
    (16, 24, []), (256, 512, []), (256, 1024, [512]), (264, 1024, [512]), (64, 4096, [128, 256, 512, 1024, 2048]),
    (256, 65536, [512, 2048, 8192, 32768]), (1, 3, [2]), (3, 5, [4])])
def test_powers_of_two_between(low, high, sizes):
    assert refine.between(low, high) == sizes


def test_narrow_brackets_are_left_alone():
    wanted = refine.wanted(load(REFERENCE).published and refine.summarize(load(REFERENCE))[0])
    published = json.loads((REFERENCE / "summary.json").read_text())
    wide = {(one["pair"], found["low"], found["high"]) for one in published["crossovers"] for found in one["sizes"]
            if found["high"] > 2 * found["low"]}
    assert {pair for want in wanted.values() for pair in want.pairs} == {pair for pair, _, _ in wide} != set()
    for pair, low, high in wide:
        want, = (want for want in wanted.values() if pair in want.pairs)
        assert low in want.sizes and high in want.sizes and any(low < size < high for size in want.sizes)


def test_a_full_run_takes_a_few_sizes_within_its_widest_brackets():
    run = load(REFERENCE)
    summary = refine.summarize(run)[0]
    found = refine.widest(run, summary)
    assert len(found) == refine.BRIEF_LESSONS and list(found) == sorted(
        refine.wanted(summary), key=lambda lesson: -refine.wanted(summary)[lesson].wide)[:refine.BRIEF_LESSONS]
    assert refine.between(256, 65536, refine.BRIEF_MOST) == [512, 4096, 32768]
    for want in found.values():
        brackets = [(one.low, one.high) for crossover in summary.crossovers if crossover.pair in want.pairs
                    for one in crossover.sizes]
        assert want.wide == max(high / low for low, high in brackets)
        for low, high in brackets:
            assert sum(low < size < high for size in want.sizes) <= refine.BRIEF_MOST


def test_where_nothing_is_wide_nothing_is_said(tmp_path, capsys):
    run = run_with(tmp_path, 16, ("mutate",), [("mutate", 16, 24)])
    assert guarded(["refine", str(run), "--brief", "--into", str(tmp_path / "modules")]) == 0
    assert capsys.readouterr() == ("", "") and not (tmp_path / "modules").exists()


@pytest.mark.parametrize("lesson, why", [
    ("return_out", ""), ("cold", ""), ("collection_insert", ""), ("stack_copy", "compiled for the sizes that it names"),
    ("nonesuch", "not in this checkout"), ("pass_o3", "flags of its own")])
def test_which_lessons_can_have_other_sizes(lesson, why):
    found = refine.source(refine.Wanted(lesson, (), ()), {"source": "pass.c"} if lesson == "pass_o3" else {})[1]
    assert why in found and bool(why) == bool(found)


def sweep(folder, ratios):
    rows = [synthetic.Truth("pass", size, ln_ratio) for size, ln_ratio in ratios.items()]
    synthetic.write_run(folder, rows, synthetic.Plan(launches=16, layouts=16, rounds=4))
    return folder


def test_a_crossover_says_what_was_measured_between_its_sizes(tmp_path):
    run = sweep(tmp_path / "run", {8: 0.3, 64: 0.3, 4096: -0.3})
    before = summarize(load(run))[0].crossovers[0].sentence
    assert before.startswith("from value to pointer between 64 B and 4 KiB")
    sweep(run / "between", {64: 0.3, 256: 0.3, 1024: -0.3, 4096: -0.3})
    found = summarize(load(run))[0].crossovers[0].sentence
    assert found.startswith(f"{before}; measured between them, from value to pointer between 256 B and 1 KiB")
    assert check.check(run)[1] == []


@pytest.mark.parametrize("file", ["journal.jsonl", "manifest.json"])
def test_a_run_is_judged_without_sizes_between_that_cannot_be_read(file, tmp_path, capsys):
    run = sweep(tmp_path / "run", {8: 0.3, 64: 0.3, 4096: -0.3})
    before = summarize(load(run))[0].crossovers
    sweep(run / "between", {64: 0.3, 256: 0.3, 1024: -0.3, 4096: -0.3})
    (run / "between" / file).write_text("")
    assert summarize(load(run))[0].crossovers == before
    assert capsys.readouterr().err.count("sizes between are left out: ") == 1


def test_sizes_between_that_tell_nothing_are_left_out(tmp_path):
    run = sweep(tmp_path / "run", {8: 0.3, 64: 0.3, 4096: -0.3})
    before = summarize(load(run))[0].crossovers
    sweep(run / "between", {64: 0.3, 256: 0.0, 4096: 0.3})
    assert summarize(load(run))[0].crossovers == before


def run_with(tmp_path, layouts, lessons, brackets):
    """The published run, of so many layouts, with crossovers in these lessons only."""
    run = tmp_path / "run"
    run.mkdir()
    manifest, summary = (json.loads((REFERENCE / f"{name}.json").read_text()) for name in ("manifest", "summary"))
    kept = [row for row in manifest["rows"] if row["lesson"] in lessons]
    manifest["rows"] = kept
    manifest["layouts"] = {lesson: table for lesson, table in manifest["layouts"].items() if lesson in lessons}
    for table in manifest["layouts"].values():
        table["n"] = layouts
        for unit in table["units"]:
            unit["offsets"] = {name: found[:layouts] for name, found in unit["offsets"].items()}
    names = {f"{row['pair']}/size={row['size']}" for row in kept}
    summary["rows"] = [row for row in summary["rows"] if row["row"] in names]
    summary["crossovers"] = [{"pair": pair, "sentence": "", "sizes": [
        {"estimate": low * 1.5, "low": low, "high": high, "faster_below": "value"}]} for pair, low, high in brackets]
    for name, document in (("manifest", manifest), ("summary", summary)):
        (run / f"{name}.json").write_text(json.dumps(document))
    return run


def rows_of(modules):
    done = subprocess.run([BUILD / "harness/ampersand-bench", "list"], capture_output=True, text=True, check=True,
                          env={**os.environ, "AMPERSAND_LESSONS": str(modules)})
    return re.findall(r"^\S+/size=\d+", done.stdout, re.M)


def test_a_lesson_is_built_for_the_sizes_between(tmp_path, capsys):
    """One whose kernels are compiled for a size, and one whose kernels are given theirs."""
    run = run_with(tmp_path, 16, ("return_out", "collection_insert"),
                   [("return_out", 264, 1024), ("collection_insert", 256, 2048)])
    assert guarded(["refine", str(run), "--into", str(tmp_path / "modules")]) == 0
    out, err = capsys.readouterr()
    assert out == "^(return_out|collection_insert)/\n"
    assert "return_out: sizes 264, 512, 1024" in err and "collection_insert: sizes 256, 512, 1024, 2048" in err
    rows = rows_of(tmp_path / "modules")
    assert [row for row in rows if re.match(out.strip(), row)] == [
        *(f"return_out/size={n}" for n in (264, 512, 1024)),
        *(f"collection_insert/size={n}" for n in (256, 512, 1024, 2048))]
    assert "null/size=16" in rows, "the floors come along"


@pytest.mark.parametrize("brackets, lessons, words", [
    ([], ("return_out",), "nothing to refine"), ([("return_out", 24, 48)], ("return_out",), "nothing to refine"),
    ([("stack_copy", 1, 16)], ("stack_copy",), "none of its lessons can be built")])
def test_what_cannot_be_refined_is_one_line(tmp_path, capsys, brackets, lessons, words):
    run = run_with(tmp_path, 64, lessons, brackets)
    assert guarded(["refine", str(run), "--into", str(tmp_path / "modules")]) == 2
    out, err = capsys.readouterr()
    assert out == "" and words in err.splitlines()[-1] and err.splitlines()[-1].startswith("ampersand: ")


def test_headers_that_look_otherwise_are_refused(tmp_path, monkeypatch):
    """Else other sizes than asked for would be measured."""
    (tmp_path / "harness").mkdir()
    for name in (refine.SUBJECTS, refine.KERNEL):
        (tmp_path / name).write_text((ROOT / name).read_text())
    monkeypatch.setattr(refine, "ROOT", tmp_path)
    refine.write_headers((64, 128), tmp_path / "made")
    (tmp_path / refine.SUBJECTS).write_text("#define AMP_SUBJECT_B 8\n")
    with pytest.raises(refine.Refused, match="not as refine.py knows it"):
        refine.write_headers((64, 128), tmp_path / "made")
