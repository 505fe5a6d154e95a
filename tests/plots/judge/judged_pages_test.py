# SPDX-License-Identifier: MIT
"""summary --pages makes in one go what summary, charts and report make one after the other."""
import shutil

import pytest
import synthetic
import synthetic_go

from plots.__main__ import guarded

ROWS = [row for row in synthetic.lessons() if row.pair in ("pass", "factory", "null") and row.size in (8, 16, 64, 4096)]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    made = synthetic.write_run(tmp_path_factory.mktemp("pages") / "run", ROWS,
                               synthetic.Plan(launches=13, layouts=4, rounds=4))
    synthetic_go.write(made / "go")
    assert guarded(["go", str(made), "--quiet"]) == 0
    return made


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_the_same_files_in_one_go(run, tmp_path, capsys):
    apart, together = (shutil.copytree(run, tmp_path / name / "run") for name in ("apart", "together"))
    for verb in ("summary", "go", "charts", "report"):
        assert guarded([verb, str(apart)]) == 0
        if verb == "go":
            printed = capsys.readouterr().out
    capsys.readouterr()
    assert guarded(["summary", str(together), "--pages"]) == 0
    assert capsys.readouterr().out == printed, "the table, and what Go measured"
    assert files(apart) == files(together)
    assert {"figures/go.svg", "figures/crossover_pass.png", "report.html", "launches.csv"} <= set(files(together))


def test_figures_that_cannot_be_written_leave_the_report(run, tmp_path, capsys):
    mine = shutil.copytree(run, tmp_path / "run")
    (mine / "figures").write_text("")
    assert guarded(["summary", str(mine), "--pages", "--format", "csv"]) == 2
    err = capsys.readouterr().err
    assert err == f"ampersand: {mine / 'figures'}: cannot be written: File exists\n"
    assert (mine / "report.html").exists() and (mine / "summary.json").exists()


def test_what_cannot_be_judged_is_not_drawn(run, tmp_path, capsys):
    mine = shutil.copytree(run, tmp_path / "run")
    (mine / "summary.json").mkdir()
    assert guarded(["summary", str(mine), "--pages"]) == 2
    assert capsys.readouterr().err.count("\n") == 1 and not (mine / "figures").exists()
