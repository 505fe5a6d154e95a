# SPDX-License-Identifier: MIT
"""The analysis, called as the verb calls it, without the door."""
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from places import ROOT

TOOL = Path(os.environ.get("AMPERSAND_BUILD", ROOT / "build")) / "harness/escape/ampersand-escape"
if not TOOL.exists():
    pytest.skip("ampersand-escape is not built: apt-get install llvm-dev clang", allow_module_level=True)
MAJOR = subprocess.run([TOOL, "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
CLANG = shutil.which(f"clang-{MAJOR}") or shutil.which("clang")
if not CLANG:
    pytest.skip(f"clang is not here: apt-get install clang-{MAJOR}", allow_module_level=True)
CASES = ("cases.c", "cases_members.c", "cases_order.c", "cases_whole.c")
STAGE = "-O2 -Xclang -disable-llvm-passes -fno-discard-value-names -g -w -emit-llvm -c".split()


KEPT = """#include <stdlib.h>
int *make(void)
{
    return malloc(128);
}
int use(void)
{
    int *p = malloc(16), r = p[3];
    free(p);
    return r;
}
int *wrong(void)
{
    int x = 3, *volatile p = &x;
    return p;
}
"""


def bitcode(source, out, *flags):
    subprocess.run([CLANG, *STAGE, "-I", ROOT / "tests/harness/escape", *flags, "-o", out, source], check=True)
    return out


def analyse(*files, tool=TOOL, timeout=None):
    done = subprocess.run([tool, *files], capture_output=True, text=True, timeout=timeout)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def run_escape(folder, *arguments, **environment):
    """The verb, in a folder and with a cache below it."""
    return subprocess.run([sys.executable, "-m", "plots", "escape", *map(str, arguments)], cwd=folder, text=True,
                          capture_output=True, env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200",
                                                    "AMPERSAND_BUILD": str(TOOL.parents[2]),
                                                    "XDG_CACHE_HOME": str(folder / ".cache"), **environment})


def wanted(source):
    """{line: what a comment there wants: "frame", or an obstacle, and words that the reason must have}."""
    found = {}
    for number, line in enumerate(source.read_text().splitlines(), 1):
        comment = re.search(r"/\* want (\w+)(?:: (.*?))? \*/", line)
        if comment:
            found[number] = (comment[1], comment[2] or "")
    return found
