# SPDX-License-Identifier: MIT
"""Every header compiles alone, with each compiler that is here: it includes what it uses."""
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HEADERS = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "harness").rglob("*.h"))


def test_there_are_headers():
    assert "harness/kernel.h" in HEADERS


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("header", HEADERS)
def test_header_alone(compiler, header):
    if not shutil.which(compiler):
        pytest.skip(f"{compiler} is not here: apt-get install {compiler}")
    done = subprocess.run(
        [compiler, *"-std=c11 -D_GNU_SOURCE -Wall -Wextra -Wno-unused-function -Werror -x c -fsyntax-only -".split(),
         "-I", ROOT],
        input=f'#include "{header}"\n', text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
