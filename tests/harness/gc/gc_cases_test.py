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


@pytest.mark.parametrize("flag", ["-pie", "-no-pie"])
def test_who_is_late_is_named_wherever_the_program_is(tmp_path, flag):
    """Called by its name alone, as from PATH, with another file of that name where it is called."""
    needs("gcc", "gcc")
    program = build(tmp_path / "gc_cases", "gcc", "gc_cases.c", "-O2", "-fPIE", flag)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/gc_cases").write_text("no program\n")
    done = run("gc_cases", "never_stops", executable=program, cwd=tmp_path / "elsewhere")
    assert re.fullmatch(CASES["never_stops"], done.stdout), done.stdout


def test_registers_on_aarch64(tmp_path):
    needs("aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu libc6-dev-arm64-cross")
    needs("qemu-aarch64", "qemu-user")
    program = build(tmp_path / "gc_kept", "aarch64-linux-gnu-gcc", "gc_kept.c", "-O2")
    done = run("qemu-aarch64", "-L", "/usr/aarch64-linux-gnu", program, "register")
    assert (done.returncode, done.stdout) == (0, CASES["register"]), done.stderr
