# SPDX-License-Identifier: MIT
"""The tree holds to the drawing of its rooms in docs/contributing.md, and its files and functions stay short."""
import subprocess
from collections import Counter

import pytest

import house

ROOMS = house.read_rooms((house.ROOT / "docs/contributing.md").read_text())
MOST_FILES, MOST_LINES, MOST_LINES_OF_A_FUNCTION, MOST_COLUMNS = 18, 450, 45, 120
LONGER = {}  # files that may be longer, and why
WIDER = {  # files with lines that are wider, and at most how many: take away what no longer has any
    "benchmarks/gc/backend.h": 1,
    "examples/ab/accuracy/accuracy.py": 1,
    "harness/collectors/jobs.c": 1,
    "harness/collectors/main.c": 1,
    "harness/collectors/options.c": 1,
    "harness/counters/count.c": 2,
    "harness/counters/count.h": 1,
    "harness/counters/count_child.c": 1,
    "harness/gc/cycle.c": 1,
    "harness/gc/gc.h": 2,
    "harness/gc/state.h": 1,
    "harness/kernel.h": 1,
    "harness/lesson/make_layouts.py": 3,
    "harness/profile/meson.build": 1,
    "harness/profile/preload/calls_cxx.c": 2,
    "harness/profile/preload/sampling.c": 1,
    "harness/profile/preload/sampling.h": 1,
    "harness/profile/record/record.h": 2,
    "harness/profile/record/region.h": 1,
    "harness/profile/recorded.c": 2,
    "harness/profile/rows.c": 1,
    "harness/profile/run.c": 1,
    "harness/profile/samples/difference.h": 1,
    "harness/profile/samples/profile.h": 1,
    "harness/profile/samples/proto.c": 1,
    "harness/profile/show.c": 6,
    "install/meson.build": 4,
    "plots/gc/runs.py": 2,
    "plots/gc/text.py": 3,
    "plots/words/sentences.py": 1,
    "tests/ask/ask_lessons_test.py": 1,
    "tests/ask/ask_types_test.py": 2,
    "tests/disassembly.py": 1,
    "tests/harness/ab/templates_test.py": 1,
    "tests/harness/allocators/matrix_test.py": 1,
    "tests/harness/collectors/collectors_test.py": 2,
    "tests/harness/counters/counters_test.py": 1,
    "tests/harness/escape/cases.c": 11,
    "tests/harness/escape/cases_members.c": 2,
    "tests/harness/escape/cases_order.c": 6,
    "tests/harness/escape/mutants.py": 1,
    "tests/harness/escape/programs.py": 4,
    "tests/harness/gc/gc_pace_test.py": 1,
    "tests/harness/lesson/layouts/layouts_table_test.py": 4,
    "tests/harness/profile/names_test.py": 2,
    "tests/harness/profile/profile_test.py": 7,
    "tests/harness/profile/rows_test.py": 1,
    "tests/harness/profile/sample_test.py": 3,
    "tests/harness/profile/snapshot_test.py": 1,
    "tests/harness/stack/stack_ways_test.py": 1,
    "tests/harness/timeline/timeline_page_test.py": 2,
    "tests/harness/timeline/timeline_test.py": 2,
    "tests/harness/timeline/timeline_window_test.py": 2,
    "tests/meson.build": 2,
    "tests/oracle/oracle_test.py": 1,
    "tests/plots/ab/checkout_test.py": 1,
    "tests/plots/gc/gc_page_test.py": 4,
    "tests/synthetic_gc.py": 1,
}
# Includes that make no circle although a source and its header count as one file here, and why.
TYPES_ONLY = {
    ("harness/stack/state.h",
     "harness/stack/stack.h"): "the struct holds types of the public header, and calls nothing",
}
SOURCES = (".c", ".h", ".cc", ".hh", ".S", ".py", ".sh", ".go")


def tracked(*folders, kinds=SOURCES):
    listed = subprocess.run(["git", "ls-files", "-z", *folders], cwd=house.ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("this is no checkout of git's")
    paths = [house.ROOT / name for name in listed.stdout.split("\0") if name]
    return [path for path in paths if path.suffix in kinds and path.exists()]


DRAWING = {"top": ["left", "right"], "left": ["bottom"], "right": [], "bottom": []}
GRAPHS = [
    ("down", [("top/a.c", "left/b.h"), ("left/b.c", "bottom/c.h")], []),
    ("down, over a room between", [("top/a.c", "bottom/c.h")], []),
    ("within a room", [("left/a.c", "left/b.h"), ("left/a.c", "left/a.h")], []),
    ("public headers", [("bottom/a.c", "harness/kernel.h"), ("harness/threads.h", "harness/kernel.h")], []),
    ("up", [("bottom/c.c", "left/b.h")], ["bottom/c.c uses left/b.h: left is not below bottom"]),
    ("aside", [("left/b.c", "right/d.h")], ["left/b.c uses right/d.h: right is not below left"]),
    ("out of a public header", [("harness/kernel.h", "top/a.h")],
     ["harness/kernel.h uses top/a.h: top is not below harness"]),
    ("no room", [("attic/a.c", "bottom/c.h")], ["attic/a.c lies in no room"]),
    ("into no room", [("left/b.c", "attic/a.h")], ["left/b.c uses attic/a.h: attic is not below left"]),
    ("a circle of files", [("left/a.c", "left/b.h"), ("left/b.c", "left/a.h")],
     ["a circle of files: left/a left/b"]),
    ("a longer circle", [("left/a.py", "left/b.py"), ("left/b.py", "left/c.py"), ("left/c.py", "left/a.py")],
     ["a circle of files: left/a left/b left/c"]),
    ("files of one name in two rooms", [("top/a.c", "left/a.h"), ("left/a.c", "bottom/a.h")], []),
]


@pytest.mark.parametrize("edges, want", [row[1:] for row in GRAPHS], ids=[row[0] for row in GRAPHS])
def test_complaints(edges, want):
    assert house.complaints(edges, DRAWING) == want


@pytest.mark.parametrize("drawing, want", [
    ({"a": ["b"], "b": ["c"], "c": ["a"]}, ["a circle of rooms: a b c"]),
    ({"a": ["b"]}, ["b, which a may use, is not drawn"]),
])
def test_complaints_about_the_drawing(drawing, want):
    assert house.complaints([], drawing) == want


def test_what_a_file_includes_and_imports(tmp_path, monkeypatch):
    monkeypatch.setattr(house, "ROOT", tmp_path)
    for name, text in {
        "harness/a/one.c": '#include "harness/a/one.h"\n# include "harness/b/two.h"\n#include "harness/made.h"\n',
        "harness/a/one.h": "#include <stdio.h>\n", "harness/b/two.h": "",
        "plots/__init__.py": "", "plots/a/__init__.py": "", "plots/a/one.py": "import os\nimport plots.a.two\n",
        "plots/a/two.py": "def f():\n    from plots.b import three, four\n    from plots.b.three import five\n",
        "plots/b/__init__.py": "four = 4", "plots/b/three.py": "",
        "harness/a/six.py": "import os, seven\n", "harness/b/seven.py": "def f():\n    from six import eight\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert set(house.includes("harness")) == {("harness/a/one.c", "harness/a/one.h"),
                                              ("harness/a/one.c", "harness/b/two.h")}
    assert set(house.imports("plots")) == {("plots/a/one.py", "plots/a/two.py"), ("plots/a/two.py", "plots/b/three.py"),
                                           ("plots/a/two.py", "plots/b/__init__.py")}
    assert set(house.scripts("harness")) == {("harness/a/six.py", "harness/b/seven.py"),
                                             ("harness/b/seven.py", "harness/a/six.py")}


def test_the_harness_is_as_drawn():
    edges = set(house.includes("harness")) | set(house.scripts("harness"))
    assert len(edges) > 200 and edges >= set(TYPES_ONLY)
    assert ("harness/lesson/make_layouts.py", "harness/stack/check_growable.py") in edges
    edges -= set(TYPES_ONLY)
    assert house.complaints(edges, ROOMS) == []


def test_every_room_of_the_harness_is_drawn_and_there():
    folders = {house.room(path.relative_to(house.ROOT)) for path in tracked("harness")} - {house.PUBLIC}
    assert folders == {room for room in ROOMS if room.startswith("harness/")}


def test_python_is_as_drawn():
    edges = list(house.imports("plots", "ask"))
    assert len(edges) > 200
    assert house.complaints(edges, ROOMS) == []


def test_every_room_of_python_is_drawn_and_there():
    folders = {house.room(path.relative_to(house.ROOT)) for path in tracked("plots", "ask")}
    assert folders == {room for room in ROOMS if not room.startswith("harness/")}


def test_no_folder_is_crowded():
    folders = Counter(path.parent.relative_to(house.ROOT).as_posix() for path in tracked())
    assert {folder: n for folder, n in folders.items() if n > MOST_FILES} == {}


def test_no_file_is_long():
    lengths = {path.relative_to(house.ROOT).as_posix(): len(path.read_text().splitlines()) for path in tracked()}
    assert {path: n for path, n in lengths.items() if n > MOST_LINES and path not in LONGER} == {}


def test_no_line_is_wide():
    found = {path.relative_to(house.ROOT).as_posix(): sum(len(line) > MOST_COLUMNS for line in
                                                          path.read_text().splitlines())
             for path in tracked(kinds=(*SOURCES, ".build"))}
    assert {path: n for path, n in found.items() if n > WIDER.get(path, 0)} == {}


def test_no_function_of_c_is_long():
    found = {path.relative_to(house.ROOT).as_posix():
             list(house.long_functions(path.read_text(), MOST_LINES_OF_A_FUNCTION))
             for path in tracked("harness", "benchmarks", "examples") if path.suffix in (".c", ".h")}
    assert {path: functions for path, functions in found.items() if functions} == {}


def test_the_length_of_a_function():
    text = ("int a(void)\n{\n    return 1;\n}\n\n/* Two\n * lines */\nstatic int b(int x,\n             int y)\n{\n"
            "    if (x) {\n    }\n    return y;\n}\n")
    assert list(house.long_functions(text, 0)) == [("a", 4), ("b", 7)]
    assert list(house.long_functions(text, 4)) == [("b", 7)]
