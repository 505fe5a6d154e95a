# SPDX-License-Identifier: MIT
"""Every file of tests is run by `meson test`, by one test; no file of pytest has another's name; and what a file takes
from another is there."""
import json
import os
from collections import Counter
from pathlib import Path

import pytest

import taken
from places import ROOT

BUILD = os.environ.get("AMPERSAND_BUILD")


@pytest.mark.skipif(not BUILD, reason="AMPERSAND_BUILD does not name a build folder")
@pytest.mark.parametrize("pattern", ["*_test.py", "*_test.c"])
def test_every_file_of_tests_is_run_once(pattern):
    info = Path(BUILD) / "meson-info"
    tests = json.loads((info / "intro-tests.json").read_text())
    if pattern.endswith(".py"):
        run = [os.path.normpath(word) for test in tests for word in test["cmd"] if word.endswith("_test.py")]
    else:
        targets = {target["filename"][0]: target for target in json.loads((info / "intro-targets.json").read_text())}
        made = [targets[test["cmd"][0]] for test in tests if test["cmd"][0] in targets]
        run = [source for target in made for part in target["target_sources"] for source in part["sources"]
               if source.endswith("_test.c")]
    assert Counter(run) == Counter(str(path) for path in (ROOT / "tests").rglob(pattern))


def test_names_of_modules_are_told_apart():
    """pytest imports each file by its name alone."""
    names = Counter(path.name for path in (ROOT / "tests").rglob("*.py") if path.name != "conftest.py")
    assert [name for name, times in names.items() if times > 1] == []


def test_what_a_file_takes_from_another_is_there():
    assert [line for path in sorted((ROOT / "tests").rglob("*.py")) for line in taken.missing(path)] == []


TAKEN = [
    ("from other_test import kept", []),
    ("from other_test import gone", ["here.py:1: other_test has no gone"]),
    ("def f():\n    from other_test import gone", ["here.py:2: other_test has no gone"]),
    ("import other_test\nother_test.kept(other_test.LIST, other_test.json)", []),
    ("import other_test as one\none.kept()\none.gone()", ["here.py:3: one has no gone"]),
    ("import other_test\nother_test.kept.gone", []),  # of what it gives nothing is known
    ("import other_test\ndef f(other_test):\n    other_test.gone()", []),  # another thing by the name
    ("from room import inner\ninner.there\ninner.gone", ["here.py:3: inner has no gone"]),
    ("from room import gone", ["here.py:1: room has no gone"]),
    ("from room.inner import there, gone as one", ["here.py:1: room.inner has no gone"]),
    ("import json\nfrom os import gone\njson.gone", []),  # not ours
    ("from any_test import gone", []),  # it takes all of something
]


@pytest.mark.parametrize("text, want", TAKEN, ids=range(len(TAKEN)))
def test_a_name_that_is_not_there_is_found_out(tmp_path, monkeypatch, text, want):
    monkeypatch.setattr(taken, "ROOT", tmp_path)
    for function in (taken.tree_of, taken.by_name, taken.names_in):
        function.cache_clear()
    other = "import json\ntry:\n    LIST = 1\nexcept OSError:\n    LIST = 2\ndef kept():\n    gone = 3\n"
    for name, content in {"tests/here.py": text, "tests/deep/other_test.py": other,
                          "tests/any_test.py": "from os.path import *\n", "room/__init__.py": "",
                          "room/inner.py": "there = 1\n"}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    assert list(taken.missing(tmp_path / "tests/here.py")) == want
    for function in (taken.tree_of, taken.by_name, taken.names_in):
        function.cache_clear()
