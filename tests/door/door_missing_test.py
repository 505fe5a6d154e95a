# SPDX-License-Identifier: MIT
"""The door: what is missing is named, installed where it may be, and nothing else is."""
import os

import pytest

from places import ROOT
from stubs import MODULES, PACKAGES
from waiting import HANGS_S


def test_nothing_missing_installs_nothing(door):
    door.have("apt-get", "sudo")
    for verb in ("bench", "list", "test", "doctor"):
        assert door(verb, STUB_ID="0") == 0, door.err
        assert not door.logged("apt-get") and "installing" not in door.err


@pytest.mark.parametrize("package", [p for p in PACKAGES if p not in ("clang", "gcc", "python3", "pkg-config")])
def test_one_thing_missing_without_root_or_sudo(door, package):
    door.have("apt-get")
    door.remove(package)
    assert door("test") == 2
    last = door.err.splitlines()[-1]
    assert last.startswith("ampersand: missing: ")
    assert last.endswith(f": as root, run: apt-get update && apt-get install -y --no-install-recommends {package}")
    assert door.log == [] and not door.build.exists()


@pytest.mark.parametrize("gone, wanted", [
    ("gcc", "gcc libc6-dev uthash-dev zlib1g-dev"),
    ("python3", "python3 python3-matplotlib python3-numpy python3-scipy python3-jinja2 python3-jsonschema "
                "python3-pytest python3-pyelftools"),
    ("pkg-config", "pkg-config libbenchmark-dev libjemalloc-dev libjansson-dev libcmocka-dev"),
])
def test_what_hides_other_things_brings_them(door, gone, wanted):
    door.have("apt-get")
    door.remove(gone)
    if gone == "gcc":
        door.remove("libc6-dev")
    assert door("test") == 2
    assert door.err.splitlines()[-1].endswith(f" {wanted}")


def test_charts_need_no_compiler(door):
    door.remove("gcc", "ninja-build", "libjansson-dev")
    assert door("charts", "RUN") == 0
    assert door.log == ["plots charts RUN"]


def test_root_installs_just_that(door):
    door.have("apt-get", "sudo")
    door.remove("ninja-build", "python3-scipy")
    assert door("list", STUB_ID="0") == 0, door.err
    assert door.log[:2] == ["apt-get -q update",
                            "apt-get -q install -oDPkg::Lock::Timeout=600 -y --no-install-recommends python3-scipy "
                            "ninja-build"]
    assert not door.logged("sudo")


def test_sudo_is_used_after_saying_what(door):
    door.have("apt-get", "sudo")
    door.remove("libbenchmark-dev")
    assert door("list") == 0, door.err
    line = "sudo apt-get update && sudo apt-get install -y --no-install-recommends libbenchmark-dev"
    assert door.err.splitlines()[:2] == ["ampersand: missing: libbenchmark", f"ampersand: installing: {line}"]
    assert [line.split()[0] for line in door.log[:4]] == ["sudo", "apt-get", "sudo", "apt-get"]
    assert door.log[2].endswith(" -y --no-install-recommends libbenchmark-dev")


@pytest.mark.parametrize("terminal", [True, False], ids=["terminal", "none"])
def test_sudo_asks_where_somebody_can_answer(door, terminal):
    door.have("apt-get", "sudo")
    door.remove("libbenchmark-dev")
    main = side = None
    if terminal:
        try:
            main, side = os.openpty()
        except OSError as e:
            pytest.skip(f"no pseudo-terminal here: {e}")
    started = door.start("list", terminal=side)
    started.communicate(timeout=HANGS_S)
    for opened in (main, side):
        if opened is not None:
            os.close(opened)
    asks = "sudo apt-get" if terminal else "sudo -n apt-get"
    assert [line for line in door.log if line.startswith("sudo")] == [
        f"{asks} -q update", f"{asks} -q install -oDPkg::Lock::Timeout=600 -y --no-install-recommends libbenchmark-dev"]


def test_sudo_that_wants_a_password_nobody_can_give(door):
    door.have("apt-get", "sudo")
    door.remove("libbenchmark-dev")
    (door.stubs / "no-password").touch()
    assert door("list") == 2
    assert "a password is required" in door.err and not door.build.exists()
    assert "apt-get install -y --no-install-recommends libbenchmark-dev" in door.err.splitlines()[-1]


def test_another_distribution(door):
    door.remove("meson")
    assert door("list", STUB_ID="0") == 2
    assert door.err.endswith("install them as this distribution calls them; Debian's packages are: meson\n")


MANAGERS = {"dnf": ("dnf install", "google-benchmark-devel"), "apk": ("apk add", "benchmark-dev"),
            "pacman": ("pacman -S --needed", "benchmark"), "zypper": ("zypper install", "benchmark-devel")}


@pytest.mark.parametrize("manager", MANAGERS)
def test_other_package_managers_names(door, manager):
    door.write(door.bin / manager, 'say "called"')
    door.remove("libbenchmark-dev", "python3-jinja2", "meson")
    assert door("list", STUB_ID="0") == 2 and door.err.count("\n") == 1 and door.log == []
    add, benchmark = MANAGERS[manager]
    jinja = {"dnf": "python3-jinja2", "apk": "py3-jinja2", "pacman": "python-jinja",
             "zypper": "python3-Jinja2"}[manager]
    assert door.err.endswith(f": as root, run: {add} {jinja} meson {benchmark}\n")


@pytest.mark.parametrize("manager", MANAGERS)
def test_every_package_has_a_name_there(door, manager):
    door.write(door.bin / manager, "")
    names = [line.split() for line in (ROOT / "door/names.txt").read_text().splitlines() if not line.startswith("#")]
    assert {line[0] for line in names[1:]} >= set(PACKAGES)
    assert all(len(line) == 5 for line in names), "a line a package, a column a manager"
    door.remove(*[package for package in PACKAGES if package != "clang"])
    assert door("list", CC="clang", CXX="clang++") == 2
    column = names[0].index(manager)
    listed = door.err.split("run: ")[1].split()
    assert "libbenchmark-dev" not in door.err and {line[column] for line in names[1:]} - {"-"} >= {
        word for word in listed if not word.startswith("-")} - set(MANAGERS[manager][0].split())


@pytest.mark.parametrize("variable, value, says", [
    ("CC", "nocc", "no such command"), ("CC", "g cc", "no such command"), ("CXX", "g+++", "no such command"),
    ("CXX", "clang-++", "no such command"), ("CC", "false", "is no compiler"), ("CXX", "false", "is no compiler"),
    ("CC", "{folder}", "is no compiler"), ("CXX", "{folder}", "is no compiler"), ("CC", "ls", "is no compiler"),
    ("CC", "./nothing", "no such command"),
])
@pytest.mark.parametrize("verb", ["list", "ask"])
def test_a_mistyped_compiler_is_refused_before_anything_is_installed(door, tmp_path, variable, value, says, verb):
    door.have("apt-get")
    door.write(door.bin / "false", "exit 1")
    door.remove("meson", "libc6-dev")
    value = value.format(folder=tmp_path)
    status = door(verb, "a.h", "struct a", STUB_ID="0", **{variable: value})
    if verb == "ask" and variable == "CXX":  # it asks in C
        assert status == 0
        return
    assert status == 2 and door.log == [] and not door.build.exists()
    assert door.err.startswith(f"ampersand: {variable}={value}: {says}") and door.err.count("\n") == 1


@pytest.mark.parametrize("environment, package", [
    ({"CC": "clang"}, "clang"), ({"CC": "gcc-99"}, "gcc-99"), ({"CXX": "clang++"}, "clang"),
    ({"CXX": "clang++-19"}, "clang-19"),
    ({"CXX": "g++-99"}, "g++-99"),
])
def test_a_compiler_that_is_not_here_is_installed_by_its_name(door, environment, package):
    assert door("list", **environment) == 2
    assert package in door.err.split("Debian's packages are: ")[1].split()


@pytest.mark.parametrize("cc", ["cc -m64", "  cc   -m64 ", "env cc"])
def test_a_compiler_of_several_words(door, cc):
    assert door("list", CC=cc) == 0, door.err


def test_a_package_that_is_not_to_be_had(door):
    door.have("apt-get")
    door.remove("meson")
    (door.stubs / "depot" / "meson").unlink()
    assert door("list", STUB_ID="0") == 2
    assert "Unable to locate package meson" in door.err


def test_setup_leaves_out_what_the_distribution_has_not(door):
    door.have("apt-get")
    assert door("setup", STUB_ID="0") == 0
    assert "ampersand: left out: valgrind" in door.err
    assert (door.bin / "clang").exists(), "the one extra package that there is"


@pytest.mark.parametrize("first, second, chosen", [
    (MODULES, None, "first"),
    (MODULES[1:], None, "usr"),
    ([], MODULES, "second"),
    (MODULES[:-1], MODULES, "second"),
    (MODULES, MODULES, "first"),
    ([], [], "usr"),
])
def test_the_python_that_has_the_modules(door, first, second, chosen):
    path = [door.python("first", first)]
    if second is not None:
        path.append(door.python("second", second))
    assert door("list", path=path) == 0, door.err
    assert f"-Dpython={door.stubs / chosen / 'python3'}" in door.log[0].split()
