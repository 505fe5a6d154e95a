# SPDX-License-Identifier: MIT
"""How a run's lessons were compiled is told of each lesson, wherever it is told."""
import dataclasses
import json
import re

import pytest
import synthetic

from plots.__main__ import guarded
from plots.figures import style
from places import ROOT
from plots.files import bench_format
from plots.files import compiled
from plots.files.pair_run import load
from plots.words import pair_text
from plots.words.pair_sentences import summarize

GCC = {"compiler": "gcc 12.2.0", "flags": ["-mtune=generic", "-march=x86-64", "-O2", "-fPIC"]}
GCC_O3 = GCC | {"flags": ["-O3", "-mavx2", "-fPIC"]}
CLANG = {"compiler": "clang 16.0.6", "flags": ["-O0", "-fPIC"]}
SILENT = {"compiler": "clang 16.0.6", "flags": None}
BUILD = {"compiler": "gcc 12.2.0", "kernel_args": ["-O2", "-g"]}


def manifest(*tables):
    """A manifest's parts, of a lesson a table: a, b, c, ..."""
    lessons = dict(zip("abcdefgh", tables))
    return {"build": BUILD, "layouts": lessons, "rows": [{"lesson": lesson} for lesson in lessons for _ in range(2)]}


def table(*units):
    return {"compiled": list(units)}


BRIEF = {
    "all alike": (manifest(table(GCC), table(GCC)), "gcc 12.2.0 -O2"),
    "all otherwise than ampersand": (manifest(table(CLANG), table(CLANG)), "clang 16.0.6 -O0"),
    "one by another": (manifest(table(CLANG), table(CLANG), table(GCC)), "clang 16.0.6 -O0 (c: gcc 12.2.0 -O2)"),
    "two by others": (manifest(table(GCC), table(GCC_O3), table(GCC), table(CLANG), table(GCC)),
                      "gcc 12.2.0 -O2 (b: gcc 12.2.0 -O3 -mavx2; d: clang 16.0.6 -O0)"),
    "more than can be named": (manifest(*[table(GCC)] * 3, *[table(GCC_O3)] * 2, table(CLANG)),
                               "gcc 12.2.0 -O2 (3 of 6 lessons otherwise)"),
    "a library by another": (manifest(table(GCC, CLANG)), "gcc 12.2.0 -O2 and clang 16.0.6 -O0"),
    "flags that are not recorded": (manifest(table(SILENT)), "clang 16.0.6, flags not recorded"),
    "an older run": (manifest({}, {}), "gcc 12.2.0 -O2"),
    "an older run with variants": (manifest({}, {"flags": ["-O3"]}), "gcc 12.2.0 -O2 (b: gcc 12.2.0 -O2 -O3)"),
    "no lessons": ({"build": BUILD}, "gcc 12.2.0 -O2"),
    "nothing known": ({"build": {}}, "unknown compiler"),
}


@pytest.mark.parametrize("name", BRIEF)
def test_brief(name):
    made, want = BRIEF[name]
    assert compiled.brief(made) == want


@pytest.fixture
def runs(tmp_path):
    """Two alike, of two lessons; what the tables of B say is for the test to change."""
    rows = [row for row in synthetic.lessons() if row.name in ("pass/size=64", "factory/size=64")]
    rows = [dataclasses.replace(row, lesson=row.pair) for row in rows]
    plan = synthetic.Plan(launches=6, layouts=4, rounds=4, checksums=False)
    made = [synthetic.write_run(tmp_path / name, rows, plan) for name in "ab"]
    for run in made:
        compile_by(run, {"pass": [GCC], "factory": [GCC]})
    return made


def compile_by(run, how):
    path = run / "manifest.json"
    document = json.loads(path.read_text())
    for lesson, units in how.items():
        document["layouts"][lesson].pop("compiled", None)
        if units:
            document["layouts"][lesson]["compiled"] = units
    path.write_text(json.dumps(document))


FULL = {name: compiled.words(unit, telling=False) for name, unit in (("gcc", GCC), ("clang", CLANG))}
COMPARED = {
    "the same": ({}, []),
    "all by another": ({"pass": [CLANG], "factory": [CLANG]}, [("compiled", FULL["gcc"], FULL["clang"])]),
    "one by another": ({"pass": [CLANG]}, [("compiled.pass", FULL["gcc"], FULL["clang"])]),
    "another flag that is seldom told": ({"pass": [GCC | {"flags": [*GCC["flags"], "-fno-plt"]}]},
                                         [("compiled.pass", FULL["gcc"], FULL["gcc"] + " -fno-plt")]),
    "not said": ({"pass": [], "factory": []}, [("compiled", FULL["gcc"], None)]),
}


@pytest.mark.parametrize("name", COMPARED)
def test_compare(runs, capsys, name):
    """What ampersand itself was built with is the same in both: that says nothing of the lessons."""
    change, want = COMPARED[name]
    compile_by(runs[1], change)
    assert guarded(["compare", *map(str, runs), "--format", "json"]) == (2 if want else 0)
    found = json.loads(capsys.readouterr().out)["differences"]
    assert [(one["fact"], one["a"], one["b"]) for one in found] == want


@pytest.mark.parametrize("features, want", [
    ((), "gcc 12.2.0 -march=znver3 -O2"), (("-mavx", "-mfma"), "gcc 12.2.0 -march=znver3 -mavx -mfma -O2"),
    (("-mavx", "-mfma", "-mno-amx-bf16", "-mbmi"), "gcc 12.2.0 -march=znver3 -mavx -mfma -O2 and 2 more -m flags"),
])
def test_a_caption_counts_a_processors_features(features, want):
    unit = {"compiler": "gcc 12.2.0", "flags": ["-mtune=generic", "-march=znver3", *features, "-O2", "-fPIC"]}
    assert compiled.caption({"layouts": {"pass": {"compiled": [unit]}}, "build": {}}, "pass") == want


def test_every_place_tells_each_lesson_for_itself(runs, capsys):
    run = runs[1]
    compile_by(run, {"pass": [CLANG]})
    summary, bench = summarize(load(run))
    assert summary.compiled == "gcc 12.2.0 -O2 (pass: clang 16.0.6 -O0)" or "factory: gcc" in summary.compiled
    assert f"Compiled by {summary.compiled}\n" in pair_text.table(summary)
    lines = {line.name.split("/")[0]: line.configuration for line in bench_format.read(bench)[0]}
    assert {name: line["compiler"] for name, line in lines.items()} == {"Pass": "clang 16.0.6", "Factory": "gcc 12.2.0"}
    assert lines["Pass"]["kernel-args"] == "-O0 -fPIC"
    document = json.loads((run / "manifest.json").read_text())
    assert "clang 16.0.6 -O0 " in style.small_print(document, "pass") + " "
    assert "clang" not in style.small_print(document, "factory") and "gcc 12.2.0 -O2" in style.small_print(document,
                                                                                                           "factory")
    assert guarded(["report", str(run)]) == 0
    page = re.sub(r"<[^>]+>", "", (run / "report.html").read_text())
    assert "compiled by clang 16.0.6 -O0 -fPIC." in page and f"compiled by {FULL['gcc']}." in page
    assert guarded(["check", str(run)]) == 0, capsys.readouterr()


def test_the_pages_tell_benchstat_to_ignore_the_lines_that_keep_two_compilers_apart(runs):
    """benchstat puts two lines of a benchmark beside each other only where all other lines above them are the same."""
    compile_by(runs[1], {"pass": [CLANG]})
    ours, theirs = ({line.name: line.configuration for line in bench_format.read(summarize(load(run))[1])[0]}
                    for run in runs)
    apart = [key for name in ours if name.startswith("Pass/") for key in ours[name]
             if ours[name][key] != theirs[name][key]]
    assert f"`-ignore {','.join(dict.fromkeys(apart))}`" in (ROOT / "docs/files.md").read_text()


def test_the_report_tells_what_is_called_of_shared_libraries(runs):
    path = runs[0] / "manifest.json"
    document = json.loads(path.read_text())
    for unit in document["layouts"]["factory"]["units"]:
        unit |= {"value_calls": [], "pointer_calls": ["malloc", "free"]}
    path.write_text(json.dumps(document))
    assert guarded(["report", str(runs[0])]) == 0
    page = re.sub(r"<[^>]+>", "", (runs[0] / "report.html").read_text())
    assert page.count("of shared libraries: where these stand, no layout changes") == 1
    assert "The pointer side calls malloc, free of shared libraries" in page
