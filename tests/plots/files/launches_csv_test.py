# SPDX-License-Identifier: MIT
"""launches.csv: what is written is read again digit for digit, damage is told in one line, and a published run gives
the page and the comparison that the raw run gave."""
import csv
import gzip
import json
import math
import shutil

import numpy as np
import pytest
import synthetic

from plots.__main__ import guarded
from plots.files import launches_csv
from plots.files.pair_run import load
from plots.judge import tidy
from plots.stats import statistics
from plots.verbs.check import check

ROWS = [synthetic.Truth("pass", 8, 0.3, layout_sd=0.1), synthetic.Truth("pass", 64, -0.2, outliers=0.1),
        synthetic.Truth("pass", 4096, -1.5, 9e6), synthetic.Truth("collection", 65536, 0.3, ln_carry_over=0.7),
        synthetic.Truth("blind", 8, zero_rounds=1.0), synthetic.Truth("null", 16, 0.0, layout_sd=0)]
PLAN = synthetic.Plan(launches=12, layouts=6, rounds=4, solo=13)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A judged run with its page."""
    run = synthetic.write_run(tmp_path_factory.mktemp("whole") / "run", ROWS, PLAN)
    for verb in ("summary", "report"):
        assert guarded([verb, str(run)]) == 0
    return run


@pytest.fixture
def published(whole, tmp_path):
    folder = tmp_path / "published"
    folder.mkdir()
    for name in ("manifest.json", "summary.json", "bench.txt"):
        shutil.copy(whole / name, folder)
    (folder / "launches.csv.gz").write_bytes(gzip.compress((whole / "launches.csv").read_bytes(), mtime=0))
    return folder


def test_every_number_comes_back(whole):
    run = load(whole)
    found = launches_csv.read(whole / "launches.csv", [row.name for row in run.rows])
    for row in run.rows:
        mine, raw = (statistics.measure(launches) for launches in (found[row.name].paired, row.launches))
        assert mine.layouts == raw.layouts
        for key in ("ln_ratio", "ln_value_ns", "ln_pointer_ns", "quiet"):
            assert np.array_equal(getattr(mine, key), getattr(raw, key)), (row.name, key)
        assert list(found[row.name].solo) == list(tidy.alone(row)) and len(found[row.name].solo) == 13


def test_the_table_is_what_it_says(whole):
    """By hand, from the raw rounds: medians over rounds of what the clock's cost is taken off."""
    lines = list(csv.DictReader((whole / "launches.csv").open()))
    assert len(lines) == len(ROWS) * (PLAN.launches * PLAN.layouts + PLAN.solo)
    for line in lines[7:6 * 12:11]:
        raw = json.loads((whole / f"launches/default/{line['row']}/{int(line['launch']):03d}.json").read_text())
        block = raw["blocks"]["value_layout"].index(int(line["layout"]))
        value, pointer = ([ns - synthetic.CLOCK_COST_NS for ns in raw[key][4 * block:4 * block + 4]]
                          for key in ("value_ns", "pointer_ns"))
        ratios = sorted(math.log(p / v) for v, p in zip(value, pointer))
        assert float(line["ln_ratio"]) == pytest.approx((ratios[1] + ratios[2]) / 2, abs=6e-7)
        times = sorted(value)
        assert float(line["value_ns"]) == pytest.approx(math.sqrt(times[1] * times[2]) / raw["ops"], rel=6e-6)
        assert line["quiet"] == "1" and line["kind"] == "paired"
    blind = [line for line in lines if line["row"] == "blind/size=8" and line["kind"] == "paired"]
    assert {(line["ln_ratio"], line["value_ns"], line["pointer_ns"]) for line in blind} == {("", "", "")}


def test_sides_at_layouts_of_their_own_and_disturbed_blocks():
    medians = np.log([[2.0, 3.0], [5.0, 1e7], [10.0, 3e7]])
    one = launches_csv.Tidy(4, np.array([(0, 1), (2, 2)]), medians, np.array([True, False]))
    assert launches_csv.text([("p/size=8", [one], [])]).splitlines()[1:] == [
        "p/size=8,paired,4,0+1,0.693147,5,10,1", "p/size=8,paired,4,2,1.098612,1e+07,3e+07,0"]


DAMAGE = [
    # name, line, what is put in its place, what is said
    ("another heading", 0, "a,b,c", "line 1: not row,kind,launch"),
    ("a field missing", 3, "pass/size=8,paired,0,2,0.1,2,3", "line 4: 7 fields, where there are 8"),
    ("an unknown row", 3, "pass/size=9,paired,0,2,0.1,2,3,1", "line 4: no row pass/size=9"),
    ("a word", 3, "pass/size=8,paired,0,2,fast,2,3,1", "line 4: could not convert"),
    ("infinity", 3, "pass/size=8,paired,0,2,inf,2,3,1", "line 4: inf is not a number"),
    ("no time", 3, "pass/size=8,paired,0,2,0.1,0,3,1", "line 4: 0 is not a time"),
    ("a number missing", 3, "pass/size=8,paired,0,2,,2,3,1", "line 4: not the line of a launch"),
    ("no launch", 3, "pass/size=8,paired,-1,2,0.1,2,3,1", "line 4: '-1' is not the number of a launch"),
    ("no layout", 3, "pass/size=8,paired,0,x,0.1,2,3,1", "line 4: 'x' is not a layout"),
    ("no kind", 3, "pass/size=8,other,0,2,0.1,2,3,1", "line 4: not the line of a launch"),
    ("quiet in words", 3, "pass/size=8,paired,0,2,0.1,2,3,yes", "line 4: not the line of a launch"),
    ("a line twice", 3, None, "is there twice"),
    ("another layout", 3, "pass/size=8,paired,0,99,0.1,2,3,1", "pass/size=8: other layouts in one launch"),
    ("not a table", 3, "\u00e9", "not a table"),
]


@pytest.mark.parametrize("name, at, line, said", DAMAGE, ids=[row[0] for row in DAMAGE])
def test_damage_is_told_in_one_line(published, capsys, name, at, line, said):
    lines = gzip.decompress((published / "launches.csv.gz").read_bytes()).decode().split("\n")
    lines[at] = lines[at - 1] if line is None else line
    (published / "launches.csv.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    for verb in ("check", "report"):
        assert guarded([verb, str(published)]) == 2
        err = capsys.readouterr().err
        assert f"launches.csv.gz: {said}" in err or f"launches.csv.gz: line {at + 1}: {said}" in err or said in err
        assert err.startswith("ampersand: ") and err.count("\n") == 1


@pytest.mark.parametrize("change", [lambda raw: raw[:len(raw) // 2], lambda raw: b"row,kind\n", lambda raw: b"",
                                    lambda raw: raw[:40] + bytes([raw[40] ^ 255]) + raw[41:]],
                         ids=["cut off", "not compressed", "empty", "a changed byte"])
def test_what_gzip_did_not_write(published, capsys, change):
    path = published / "launches.csv.gz"
    path.write_bytes(change(path.read_bytes()))
    assert guarded(["report", str(published)]) == 2
    err = capsys.readouterr().err
    assert "launches.csv.gz" in err and err.startswith("ampersand: ") and err.count("\n") == 1


def test_a_published_run_gives_the_same_page_and_comparison(whole, published, tmp_path, capsys):
    other = synthetic.write_run(tmp_path / "other", ROWS, synthetic.Plan(**{**vars(PLAN), "seed": 2}))
    assert guarded(["check", str(published)]) == 0
    assert "a published run" in capsys.readouterr().out
    assert guarded(["report", str(published)]) == 0
    by_number = (whole / "report.html").read_text().replace("in the order in which they were measured",
                                                            "in the order of their numbers")
    assert (published / "report.html").read_text() == by_number, "of a published run nobody knows the order"
    capsys.readouterr()
    told = {}
    for run in (whole, published):
        assert guarded(["compare", str(run), str(other), "--format", "csv"]) == 0
        told[run] = capsys.readouterr().out
    assert told[whole] == told[published] and "collection/size=65536" in told[whole]
    assert guarded(["compare", str(published), str(whole)]) == 0
    assert "No change shown" in capsys.readouterr().out
    before = {path: path.read_bytes() for path in published.iterdir()}
    assert guarded(["summary", str(published)]) == 0 and guarded(["undecided", str(published)]) == 0
    assert {path: path.read_bytes() for path in published.iterdir()} == before
    assert guarded(["charts", str(published), "--out", str(tmp_path / "figures")]) == 0


WRONG = [
    ("another ratio", lambda rows: (rows[0]["ratio"].update(estimate=4.0), rows[0].update(
        outside_spread="few layouts")), "pass/size=8: a ratio of 4, where its launches"),
    ("another number of launches", lambda rows: rows[1].update(launches=99),
     "pass/size=64: 99 launches and 0 left out"),
    ("another row", lambda rows: rows[1].update(row="pass/size=65"), "no row pass/size=64, which manifest.json has"),
]


@pytest.mark.parametrize("name, change, said", WRONG, ids=[row[0] for row in WRONG])
def test_check_holds_the_summary_to_the_launches(published, name, change, said):
    document = json.loads((published / "summary.json").read_text())
    change(document["rows"])
    (published / "summary.json").write_text(json.dumps(document))
    (fault,) = check(published)[1]
    assert said in fault


def test_a_damaged_run_is_none_that_was_published(whole, published, tmp_path, capsys):
    """What is left of a run that lost files is refused, though it has launches.csv; without the table, no
    comparison."""
    for lost, said in (("journal.jsonl", "journal.jsonl: No such file"),
                       ("launches", "missing, though the journal says that it was finished")):
        damaged = shutil.copytree(whole, tmp_path / lost)
        shutil.rmtree(damaged / lost) if (damaged / lost).is_dir() else (damaged / lost).unlink()
        for verb in (["report"], ["check"], ["compare", str(whole)]):
            assert guarded([*verb, str(damaged)]) == 2
            assert said in capsys.readouterr().err
    (published / "launches.csv.gz").unlink()
    assert guarded(["compare", str(published), str(whole)]) == 2
    assert "a published run without launches.csv.gz" in capsys.readouterr().err
    assert guarded(["report", str(published)]) == 0 and guarded(["check", str(published)]) == 0
    assert guarded(["report", str(published), "--config", "other"]) == 2
