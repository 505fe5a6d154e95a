# SPDX-License-Identifier: MIT
"""The door, installed: nothing is built, and nothing installed but by setup."""
import shutil

import pytest


@pytest.fixture
def installed(door, tmp_path):
    (door.root / "installed").write_text("version=1.2.3\n")
    (door.root / "meson.build").unlink()
    (door.root / "harness/profile").mkdir(parents=True)
    shutil.copy(door.stubs / "ampersand-bench", door.root / "harness")
    shutil.copy(door.stubs / "ampersand-profile", door.root / "harness/profile")
    (tmp_path / "work").mkdir()
    return door


def test_installed_needs_no_build_tools(installed, tmp_path):
    installed.remove("gcc", "g++", "ninja-build", "meson", "pkg-config", "libbenchmark-dev", "libcmocka-dev",
                     "python3-pytest")
    assert installed("bench", "--quick", cwd=tmp_path / "work") == 0, installed.err
    run, = (tmp_path / "work" / "ampersand-runs").iterdir()
    assert installed.log[0] == f"ampersand-bench paired --out {run} --quick"
    assert installed("charts", cwd=tmp_path / "work") == 0 and installed.log == [f"plots charts {run}"]
    assert installed("list") == 0 and installed.log == ["ampersand-bench list --questions"]
    assert not installed.build.exists()


@pytest.mark.parametrize("verb, gone, package",
                         [("bench", "python3-scipy", "python3-scipy"), ("ask", "gcc", "gcc libc6-dev"),
                                                 ("list", "python3-numpy", "python3-numpy")])
def test_installed_names_what_is_missing_and_leaves_it(installed, verb, gone, package):
    installed.have("apt-get", "sudo")
    installed.remove(gone)
    if gone == "gcc":
        installed.remove("libc6-dev")
    assert installed(verb, "a.h", "struct order", STUB_ID="0") == 2
    assert installed.log == [] and installed.err.count("\n") == 1
    assert installed.err.endswith(f": ampersand setup installs it, or as root: apt-get install {package}\n")
    assert installed("setup", STUB_ID="0") == 0, installed.err
    assert installed.log == ["apt-get -q update",
                             f"apt-get -q install -oDPkg::Lock::Timeout=600 -y --no-install-recommends {package}"]


def test_installed_help_speaks_of_what_is_installed(installed):
    for args in (["help"], ["help", "bench"], ["ask", "--help"]):
        assert installed(*args) == 0 and "./ampersand" not in installed.out and "results/runs" not in installed.out
    assert installed("test") == 2 and "test: no such verb" in installed.err
    assert installed("--version") == 0 and installed.out == "ampersand 1.2.3\n"
