# SPDX-License-Identifier: MIT
"""`./ampersand stack --bench`: the judgement of numbers that are known, what is said where a peer is missing, files
that are refused, and one short run of everything."""
import json
import os
import re
from pathlib import Path

import pytest

from plots.__main__ import guarded
from places import ROOT
from plots.figures import stack_figures, style
from plots.files.strict_json import validate
from plots.judge import stack_summary
from plots.program.errors import Refused
from plots.stack import stack
from plots.words import stack_text
from synthetic_stack import LAUNCHES, make_document

BUILD = Path(os.environ.get("AMPERSAND_BUILD", ROOT / "build"))


@pytest.fixture(name="document")
def made():
    return make_document()


def goal(document, begin):
    (found,) = [one for one in stack_summary.goals(stack_summary.Result(document))
                if stack_text.what(one).startswith(begin)]
    return found


@pytest.mark.parametrize("begin,ratio,reached", [
    ("growth to 64 KiB, within", 0.25, True), ("growth to 128 KiB, within", 0.25, True),
    ("growth to 64 KiB, of a full", 1 / 3, True), ("growth to 128 KiB, of a full", 1 / 3, True),
    ("B copied a ns, growth to 64 KiB", 0.8, True), ("fresh stack_copy 1024", 0.25, True),
])
def test_ratios(document, begin, ratio, reached):
    validate(document, "stack", "stack.json")
    found = goal(document, begin)
    assert found.ratio.estimate == pytest.approx(ratio) and found.reached is reached
    assert found.ratio.low == pytest.approx(ratio) and found.ratio.high == pytest.approx(ratio)


def test_growth_within_the_walk(document):
    """What the call adds on a fresh stack, less what it adds on a warm one: 400 and 800 ns."""
    result = stack_summary.Result(document)
    assert list(result.growth_within_walk("fresh", "growable", 2)) == pytest.approx([400] * LAUNCHES)
    assert list(result.growth_within_walk("fresh", "growable", 6)) == pytest.approx([800] * LAUNCHES)


@pytest.mark.parametrize("change,begin", [
    (lambda d: [launch["go"]["growths"][4].update(ns=1000.0) for launch in d["launches"]],
     "growth to 64 KiB, of a full"),
    (lambda d: [launch["c"]["growths"][5].update(memcpy_ns=100.0) for launch in d["launches"]],
     "B copied a ns, growth to 128"),
    (lambda d: d.update(check_ns=[1.2] * LAUNCHES), "entry check, a call"),
    (lambda d: d["prologues"]["ampersand"].update(small=4), "entry check, instructions, frame to 128"),
    (lambda d: d["prologues"]["ampersand"].update(large=5), "entry check, instructions, larger"),
    (lambda d: [row.update(resident_b=3000 * row["n"]) for crowd in d["crowds"] for row in crowd], "memory of 10,000"),
    (lambda d: [row.update(ns=row["ns"] / 3) for launch in d["launches"] for row in launch["go"]["walks"]],
     "fresh stack_copy 1024"),
])
def test_what_is_missed_is_called_so(document, change, begin):
    assert goal(document, begin).reached is True
    change(document)
    assert goal(document, begin).reached is False
    assert "MISSED" in stack_text.tables(stack_summary.Result(document))


def test_what_is_wanted_in_words(document):
    found = stack_summary.goals(stack_summary.Result(document))
    assert [stack_text.wanted(one) for one in found] == ["<= 0.5"] * 4 + [">= 0.7"] * 2 + [
        "<= 1 ns", "no more", "no more", "<= 0.667", "<= 2.5 KiB"]
    assert re.fullmatch(r"memory of 10,000 idle coroutines, each, without \d+ B of bookkeeping, against Go",
                        stack_text.what(found[-1]))


def test_a_prologue_of_no_instructions_is_a_number(document):
    document["prologues"]["ampersand"].update(small=0)
    result = stack_summary.Result(document)
    found = goal(document, "entry check, instructions, frame to 128")
    assert found.ours.estimate == 0 and found.reached is True
    assert stack_text.as_json(result) and stack_text.tables(result)


def test_the_interval_is_of_the_launches(document):
    found = goal(document, "entry check, a call")
    assert stack_text.measured(found.ours, found.unit) == "0.4000 ns"
    assert stack_summary.number(document["check_ns"]).low == pytest.approx(0.1)
    for n, launch in enumerate(document["launches"]):
        launch["go"]["growths"][4]["ns"] *= 1 + n
    ratio = goal(document, "growth to 64 KiB, of a full").ratio
    assert (ratio.low, ratio.estimate, ratio.high) == pytest.approx((1 / 21, 1 / 12, 1 / 3))


@pytest.mark.parametrize("missing", [("go",), ("split",), ("go", "split")], ids="+".join)
def test_without_a_peer(document, missing):
    for launch in document["launches"]:
        for name in missing:
            del launch[name]
    if "go" in missing:
        document.update(go=None, crowds=[[row for row in crowd if row["kind"] != "go"] for crowd in document["crowds"]])
        document["prologues"]["go"] = {"small": None, "large": None}
    validate(document, "stack", "stack.json")
    result = stack_summary.Result(document)
    text = stack_text.tables(result)
    assert ("goroutine" in text, "segments" in text, "not compared" in text) == (
        "go" not in missing, "split" not in missing, "go" in missing)
    with style.applied():
        assert len(stack_figures.figures(result)) == 4


def test_figures_say_what_they_show(document, tmp_path, capsys):
    (tmp_path / "stack.json").write_text(json.dumps(document))
    assert guarded(["stack", "--from", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert re.search(r"1024 elements: native: none; growable, fresh: 2, 6; segments \(gcc\): none; goroutine: 2, 6",
                     out)
    texts = {path.stem: path.read_text() for path in (tmp_path / "figures").glob("*.svg")}
    assert set(texts) == {"stack_staircase", "stack_cost", "stack_growth", "stack_coroutines"}
    for name, words in (("stack_staircase", ["growable", "goroutine", hex(3 << 40), "call"]),
                        ("stack_cost", ["by value", "by pointer", "elements", "calls"]),
                        ("stack_growth", ["memcpy", "to 64 KiB", "µs"]),
                        ("stack_coroutines", ["2.26 KiB", "8.2 KiB", "50.00 ns"])):
        for word in words:
            assert word in texts[name], f"{name} lacks {word}"


@pytest.mark.parametrize("change,why", [
    (lambda d: d.pop("crowds"), "crowds"), (lambda d: d.update(schema="ampersand/stack/9"), "newer"),
    (lambda d: d["launches"].clear(), "launches"), (lambda d: d["launches"][0].pop("c"), "'c' is a required property"),
    (lambda d: d["launches"][0]["c"]["walks"][0].update(ns=-1), "ns"), (lambda d: d.update(check_ns=[]), "check_ns"),
])
def test_files_that_are_refused(document, tmp_path, capsys, change, why):
    change(document)
    (tmp_path / "stack.json").write_text(json.dumps(document))
    assert guarded(["stack", "--from", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert why in error and len(error.splitlines()) == 1


def test_flags_that_are_refused(tmp_path, capsys):
    for flags in (["--launches", "0"], ["--rounds", "1"], ["--rounds", "2000"], ["--build", str(tmp_path)],
                  ["--from", str(tmp_path)]):
        assert guarded(["stack", *flags, "--out", str(tmp_path / "out")]) == 2
        assert capsys.readouterr().err.startswith("ampersand: ")
    assert not (tmp_path / "out").exists()


FOLDERS = [  # what is at --out, what is said
    ("a file", lambda out: out.write_text("x"), "cannot be written: File exists"),
    ("below a file", lambda out: out.parent.joinpath("file").write_text("x"), "cannot be written: Not a directory"),
    ("a run", lambda out: (out.mkdir(), (out / "stack.json").write_text("{}")), "holds a run already"),
    ("other files", lambda out: (out.mkdir(), (out / "notes.txt").write_text("x")), "holds other files"),
    ("a link to nothing", lambda out: out.symlink_to("gone/there"), "cannot be written: File exists"),
]


@pytest.mark.parametrize("name, make, said", FOLDERS, ids=[row[0] for row in FOLDERS])
def test_a_folder_that_cannot_be_used_is_told_before_anything_is_measured(tmp_path, capsys, monkeypatch, name, make,
                                                                          said):
    monkeypatch.setattr(stack, "measured", lambda args: pytest.fail("measured"))
    out = tmp_path / "out"
    make(out)
    before = sorted(tmp_path.rglob("*"))
    assert guarded(["stack", "--out", str(tmp_path / "file" / "out" if name == "below a file" else out)]) == 2
    err = capsys.readouterr().err
    assert said in err and err.startswith("ampersand: ") and err.count("\n") == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_the_folder_of_a_run_that_comes_to_nothing_is_gone(tmp_path, capsys, monkeypatch):
    def interrupted(args):
        assert out.is_dir()
        raise KeyboardInterrupt
    out = tmp_path / "new" / "out"
    monkeypatch.setattr(stack, "measured", interrupted)
    assert guarded(["stack", "--out", str(out)]) == 130
    assert capsys.readouterr().err == (f"ampersand: stack: nothing is kept of a run that is not whole: {out} is as it "
                                       "was\nampersand: interrupted\n")
    assert list(tmp_path.iterdir()) == []


def test_from_one_folder_into_another(document, tmp_path):
    for name in ("d", "e"):
        (tmp_path / name).mkdir()
    (tmp_path / "d/stack.json").write_text(json.dumps(document))
    assert guarded(["stack", "--from", str(tmp_path / "d"), "--out", str(tmp_path / "e")]) == 0
    assert [path.name for path in (tmp_path / "d").iterdir()] == ["stack.json"]
    assert sorted(path.name for path in (tmp_path / "e").iterdir()) == ["figures", "stack.json"]


def test_one_short_run(tmp_path, capsys):
    text = (BUILD / "build.ninja").read_text() if (BUILD / "build.ninja").exists() else ""
    if "-fsanitize=address" in text:
        pytest.skip("built with AddressSanitizer: nothing moves")
    status = guarded(["stack", "--build", str(BUILD), "--launches", "1", "--rounds", "2", "--out", str(tmp_path)])
    said = capsys.readouterr()
    assert status == 0, said.err
    document = stack.read(tmp_path)
    assert len(list((tmp_path / "figures").glob("*.svg"))) == 4
    trail = {(row["kind"], row["elements"]): row["addresses"] for row in document["launches"][0]["c"]["trails"]}
    assert stack_summary.moves(trail["fresh", 1024]) == [2, 6] and stack_summary.moves(trail["native", 1024]) == []
    assert document["prologues"]["ampersand"] in ({"small": 3, "large": 4}, {"small": None, "large": None})
    assert "reached" in said.out
    with pytest.raises(Refused):
        stack.read(tmp_path / "figures")
