# SPDX-License-Identifier: MIT
"""What `ampersand-ab count` counts does not depend on which side chose the number of operations."""
import os
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from places import ROOT
from plots.ab import counts

BUILD = Path(os.environ.get("AMPERSAND_BUILD", ROOT / "build")).absolute()
if not (BUILD / "harness/ampersand-ab").exists():
    pytest.skip("this build has no ampersand-ab", allow_module_level=True)
if b"-fsanitize" in (BUILD / "build.ninja").read_bytes() or not shutil.which("valgrind"):
    pytest.skip("counts want valgrind, and no sanitizer", allow_module_level=True)

# Each operation executes more than the one before: as a collector's do, whose heap fills.
AGEING = """#include "harness/ab.h"
static unsigned age;
static uint64_t run(void *fixture, uint64_t ops)
{
    (void) fixture;
    for (; ops > 0; ops--) {
        age++;
        for (volatile unsigned i = 0; i < 5000 + 50 * age; i++)
            ;
    }
    return 1;
}
AMP_KERNEL(ageing, .run = run);
"""


@pytest.fixture
def linked(tmp_path):
    (tmp_path / "ageing.c").write_text(AGEING)
    subprocess.run([*os.environ.get("CC", "cc").split(), "-O2", "-fPIC", "-shared", "-D_GNU_SOURCE", "-I", ROOT,
                    tmp_path / "ageing.c", ROOT / "harness/ab/launch/kernels.c", "-o", tmp_path / "base.000.so"],
                   check=True)
    shutil.copy(tmp_path / "base.000.so", tmp_path / "head.000.so")
    return SimpleNamespace(folder=tmp_path, programs=False)


def test_the_same_code_executes_the_same(linked, monkeypatch):
    monkeypatch.setenv("AMPERSAND_BUILD", str(BUILD))
    found = counts._count(linked, ["ageing"], shutil.which("valgrind"), False)["ageing"]
    base, head = ({key: found[side][key] for key in ("ops", "instructions", "loads", "stores", "branches")}
                  for side in ("base", "head"))
    assert base == head  # misses are those of a predictor, which has also seen how the number is chosen
    assert 2 < base["ops"] < 50 and base["instructions"] > 10000 * base["ops"]
