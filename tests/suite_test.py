# SPDX-License-Identifier: MIT
"""Every file of tests is run by `meson test`, by one test, and no file of pytest has another's name."""
import json
import os
from collections import Counter
from pathlib import Path

import pytest

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
