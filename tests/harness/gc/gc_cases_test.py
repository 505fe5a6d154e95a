# SPDX-License-Identifier: MIT
"""What a collector refuses or cannot do is an error with a name, and the objects are as they were."""
import re

import pytest

from gc_cases import CASES, PROGRAMS, program_of
from gc_parts import build, needs, run


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    needs("gcc", "gcc")
    place = tmp_path_factory.mktemp("cases")
    return {name: build(place / name, "gcc", f"{name}.c", "-O2") for name in ("gc_cases", *PROGRAMS)}


@pytest.mark.parametrize("case", CASES)
def test_case(programs, case):
    done = run(programs[program_of(case)], case)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(CASES[case], done.stdout), done.stdout
