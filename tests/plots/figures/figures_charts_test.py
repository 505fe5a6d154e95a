# SPDX-License-Identifier: MIT
"""`charts`: the files that it writes, and what it refuses."""
import argparse
import copy
import errno
import io
import itertools
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest

from drawn import CASES, MANIFEST, texts
from places import ROOT
from plots import __main__ as plots_main
from plots.figures import pictures
from plots.judge import pair_summary
from plots.verbs import charts


def run_folder(path, document, manifest=MANIFEST):
    path.mkdir(exist_ok=True)
    for name, content in (("summary.json", document), ("manifest.json", manifest)):
        (path / name).write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def draw_charts(*arguments):
    return plots_main.guarded(["charts", *map(str, arguments)])


def test_charts_writes_prints_and_repeats_itself(tmp_path, capsys):
    run = run_folder(tmp_path / "run", CASES["a failed size"])
    assert draw_charts(run) == 0
    printed = capsys.readouterr().out.split()
    names = [f"{name}.{kind}" for name in ("verdicts", "ratios", "crossover_pass", "allocations")
             for kind in ("svg", "png")]
    assert printed == [str(run / "figures" / name) for name in names]
    assert sorted(path.name for path in (run / "figures").iterdir()) == sorted(names)
    again = subprocess.run([sys.executable, "-m", "plots", "charts", run, "--out", tmp_path / "again"], cwd=ROOT,
                           env=os.environ | {"SOURCE_DATE_EPOCH": "1", "PYTHONHASHSEED": "7"}, capture_output=True)
    assert again.returncode == 0, again.stderr
    for name in names:
        first, second = (run / "figures" / name).read_bytes(), (tmp_path / "again" / name).read_bytes()
        assert first == second, f"{name} differs from one drawing to the next"
    svg = (run / "figures" / "verdicts.svg").read_text()
    assert "<dc:date>" not in svg and not re.search(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}T", svg)


def test_png_is_twice_a_readme_wide_and_not_blank(figures):
    png = pictures.encode({"verdicts": figures["two sizes"]["verdicts"]})["verdicts.png"]
    pixels = matplotlib.image.imread(io.BytesIO(png))
    assert pixels.shape[1] == 1660
    edge = np.concatenate([pixels[0, :, :3], pixels[-1, :, :3], pixels[:, 0, :3], pixels[:, -1, :3]])
    assert (edge == 1).all(), "ink at the very edge"
    assert 0.005 < (pixels[..., :3].min(axis=2) < 0.5).mean() < 0.3


def drawn(document, manifest, name):
    return pictures.made(pictures.plans(pair_summary.read(document), manifest), ("svg",))[name]


def test_a_users_matplotlibrc_changes_nothing(figures):
    want = pictures.encode({"verdicts": figures["one row"]["verdicts"]})["verdicts.svg"]
    with matplotlib.rc_context({"svg.fonttype": "path", "font.size": 30, "savefig.bbox": "tight", "text.color": "red"}):
        assert drawn(CASES["one row"], MANIFEST, "verdicts.svg") == want


def test_no_pyplot_and_no_display():
    code = "import sys, plots.figures.pictures; sys.exit('matplotlib.pyplot' in sys.modules)"
    environment = {key: value for key, value in os.environ.items() if key not in ("DISPLAY", "MPLBACKEND")}
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment).returncode == 0


def test_old_crossover_goes_and_other_files_stay(tmp_path):
    run = run_folder(tmp_path / "run", CASES["one row"])
    (run / "figures").mkdir()
    for name in ("crossover_gone.svg", "crossover_gone.png", "dots_gone.svg", "crossover_notes.txt", "mine.svg"):
        (run / "figures" / name).write_text("old")
    assert draw_charts(run) == 0
    left = {path.name for path in (run / "figures").iterdir()}
    assert left == {"verdicts.svg", "verdicts.png", "ratios.svg", "ratios.png", "allocations.svg", "allocations.png",
                    "crossover_notes.txt",
                    "mine.svg"}


def test_a_full_disk_leaves_what_was_there(tmp_path, monkeypatch, capsys):
    run = run_folder(tmp_path / "run", CASES["one row"])
    (run / "figures").mkdir()
    (run / "figures" / "verdicts.svg").write_text("old")
    calls = itertools.count()

    def full(_):
        if next(calls) == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    assert draw_charts(run) == 2
    assert [path.name for path in (run / "figures").iterdir()] == ["verdicts.svg"]
    assert (run / "figures" / "verdicts.svg").read_text() == "old"
    assert capsys.readouterr().err == f"ampersand: {run / 'figures'}: cannot be written: No space left on device\n"


def changed(change):
    document = copy.deepcopy(CASES["two sizes"])
    change(document)
    return document


def without_floor(document):
    document["rows"][1]["ratio"]["low"] = 0


@pytest.mark.parametrize("name, document, words", [
    ("not JSON", "{", ["summary.json", "not JSON"]),
    ("another schema", changed(lambda d: d.update(schema="ampersand/summary/9")), ["summary.json", "summary/9"]),
    ("no schema", "[]", ["summary.json"]),
    ("no rows", changed(lambda d: d.update(rows=[])), ["summary.json", "rows", "empty"]),
    ("no key", changed(lambda d: d["rows"][1].pop("ratio")), ["summary.json", "rows[1]", "ratio"]),
    ("a text for a number", changed(lambda d: d["rows"][0]["ratio"].update(estimate="1")), ["rows[0].ratio.estimate"]),
    ("unknown verdict", changed(lambda d: d["rows"][0].update(verdict="maybe")), ["rows[0].verdict", "maybe"]),
    ("a ratio of 0", changed(without_floor), ["pass/size=65", "ratio.low", "0 has no place"]),
    ("not a number", json.dumps(CASES["one row"]).replace("1.5", "NaN"), ["summary.json", "NaN"]),
])
def test_bad_summary_is_named_in_one_line(tmp_path, capsys, name, document, words):
    run = run_folder(tmp_path / "run", document)
    assert draw_charts(run) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("ampersand: ") and err.count("\n") == 1, err
    for word in words:
        assert word in err
    assert not (run / "figures").exists()


@pytest.mark.parametrize("name, prepare, words", [
    ("no folder", lambda run: None, ["no such run folder"]),
    ("no summary", lambda run: run.mkdir(), ["no manifest.json: not a run folder"]),
    ("not judged", lambda run: (run_folder(run, CASES["one row"]) / "summary.json").unlink(),
     ["no summary yet: ./ampersand bench --resume", "writes it"]),
    ("no manifest", lambda run: (run_folder(run, CASES["one row"]) / "manifest.json").unlink(), ["manifest.json"]),
    ("another manifest", lambda run: run_folder(run, CASES["one row"], {"schema": "ampersand/counts/1"}),
     ["manifest.json", "ampersand/counts/1"]),
    ("figures is a file", lambda run: (run_folder(run, CASES["one row"]) / "figures").write_text(""),
     ["figures", "cannot be written: File exists"]),
])
def test_bad_folder_is_named_in_one_line(tmp_path, capsys, name, prepare, words):
    prepare(tmp_path / "run")
    assert draw_charts(tmp_path / "run") == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("ampersand: ") and err.count("\n") == 1, err
    for word in words:
        assert word in err


def test_machine_that_told_little_is_drawn(figures):
    manifest = copy.deepcopy(MANIFEST)
    manifest.update(machine={"cpu": None}, build={}, allocator=None)
    fig = pictures.draw(pictures.plans(pair_summary.read(CASES["one row"]), manifest))["verdicts"]
    assert any("unknown processor" in text and "unknown compiler" in text for text, _ in texts(fig))


def test_arguments_are_documented():
    parser = argparse.ArgumentParser()
    charts.add_arguments(parser)
    assert parser.parse_args(["run"]).out is None
    assert parser.parse_args(["run", "--out", "there"]).out == Path("there")
