# SPDX-License-Identifier: MIT
"""The door: the build folder, damaged ones too, and the build."""
import json
import os
import shutil
import subprocess

import pytest

from stubs import CONFIGURED, MODULES


def test_configured_once(door):
    assert door("list") == 0
    assert door.log == [f"CC= meson setup -Dpython={door.stubs}/usr/python3 {door.build} {door.root}",
                        "ampersand-bench list --questions"]
    assert door("list") == 0
    assert door.log == ["ampersand-bench list --questions"] and door.err == ""


def test_compiler_honoured(door):
    assert door("list") == 0
    assert door("list", CC="cc -m64") == 0
    assert door.log[0].startswith("CC=cc -m64 meson setup --wipe ")
    assert door("list", CC="cc -m64") == 0 and not door.logged("setup")
    assert door("list", CC="nocc") == 2 and door.err == "ampersand: CC=nocc: no such command\n"
    assert door("list", CC="clang") == 2 and "clang" in door.err.split()


def test_another_python_reconfigures(door):
    assert door("list") == 0
    first = door.python("first", MODULES)
    assert door("list", path=[first]) == 0
    assert door.log[0].startswith(f"CC= meson setup --reconfigure -Dpython={first}/python3 ")


def test_another_build_folder(door, tmp_path):
    assert door("list", AMPERSAND_BUILD="there", cwd=tmp_path) == 0, door.err
    assert (tmp_path / "there" / "build.ninja").exists() and not door.build.exists()


def test_a_target_takes_the_folder_as_it_was_configured(door):
    """`ninja bench` in a folder for another compiler, and without what configuring takes."""
    assert door("list", CC="cc -m64") == 0
    door.remove("meson", "gcc")
    run = door.root / "run"
    assert door("bench", "--out", run, **CONFIGURED, AMPERSAND_BUILD=str(door.build)) == 0, door.err
    assert door.log[0] == f"ampersand-bench paired --out {run}"


def test_a_target_builds_what_is_not_up_to_date(door):
    assert door("list") == 0
    assert door("bench", STUB_WORK="[1/1] cc", **CONFIGURED) == 0, door.err
    assert [line.split()[0] for line in door.log[:2]] == ["ninja", "ampersand-bench"]


@pytest.mark.parametrize("verb, targets", [(["ab", "--base", "main"], " for-ab"), (["list"], "")],
                         ids=["ab", "another"])
def test_what_a_verb_needs_is_built(verb, targets, door):
    """A gate in CI has no use for lessons."""
    assert door("list") == 0
    assert door(*verb, STUB_WORK="[1/1] cc") == 0, door.err
    assert door.log[0] == f"ninja -C {door.build}{targets}"


@pytest.mark.parametrize("name", ["letter.txt", "tests/letter.txt", "harness/letter.txt"])
def test_foreign_folder_is_left_alone(door, tmp_path, name):
    letter = tmp_path / "mine" / name
    letter.parent.mkdir(parents=True)
    letter.write_text("dear")
    assert door("list", AMPERSAND_BUILD=str(tmp_path / "mine")) == 2
    assert door.err.startswith(f"ampersand: {tmp_path / 'mine'}: holds files and is no build folder")
    assert letter.read_text() == "dear" and door.log == []


def test_moved_checkout_and_other_checkouts_folder(door):
    assert door("list") == 0
    facts = door.build / "meson-info" / "meson-info.json"
    facts.write_text(facts.read_text().replace(str(door.root), "/elsewhere"))
    assert door("list", AMPERSAND_BUILD=str(door.build)) == 2
    assert "is the build folder of /elsewhere" in door.err and door.log == []
    assert door("list") == 0 and "--wipe" in door.log[0].split()


@pytest.mark.parametrize("path", ["file/build", "/proc/build"])
def test_build_folder_that_cannot_be_made(door, tmp_path, path):
    (tmp_path / "file").touch()
    assert door("list", AMPERSAND_BUILD=str(tmp_path / path)) == 2
    assert "cannot be made" in door.err and door.err.count("\n") == 1 and door.log == []


BUILDS_DEFAULTS = "CC= CXX= CFLAGS= CXXFLAGS= LDFLAGS="
ENVIRONMENTS = [{"CC": "clang"}, {"CFLAGS": "-m32"}, {"CXX": "g++-99"},
                {"CFLAGS": "-O1", "LDFLAGS": "-s", "CC": "cc -m32"}]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("made_by", ["list", "ask", "hand"])
def test_ask_builds_nothing_for_the_compiler_of_the_type(door, made_by, environment):
    door.have("clang")
    if made_by == "hand":
        door("list")
        (door.build / "ampersand.configured").unlink()
    else:
        assert door(made_by, "a.h", "struct a", **(environment if made_by == "ask" else {})) == 0, door.err
    assert "CC= meson setup" in " ".join(door.log) and "wipe" not in " ".join(door.log)
    assert door("ask", "a.h", "struct a", **environment) == 0, door.err
    assert not any("--wipe" in line for line in door.log) and door.logged("ask") == ["ask a.h struct a"]
    assert (door.build / "ampersand.configured").read_text().splitlines()[0] == BUILDS_DEFAULTS


UNHEEDED = {  # what a folder was given by -D, the environment, what is said
    "other flags": ("c_args = -O1", {"CFLAGS": "-mavx2"}, ["CFLAGS=-mavx2 has no effect", "-Dc_args=-O1"]),
    "other flags of the linker": ("c_link_args = -s", {"LDFLAGS": "-g"},
                                  ["LDFLAGS=-g has no effect", "-Dc_link_args=-s"]),
    "the same flags": ("c_args = -O1", {"CFLAGS": "-O1"}, []),
    "flags of another language": ("c_args = -O1", {"CXXFLAGS": "-O2"}, []),
    "none in the environment": ("c_args = -O1", {}, []),
    "none by -D": ("layouts = 16", {"CFLAGS": "-mavx2"}, []),
}


@pytest.mark.parametrize("name", UNHEEDED)
def test_flags_that_a_folder_configured_by_hand_does_not_heed_are_told(door, name):
    given, environment, words = UNHEEDED[name]
    door("list")
    (door.build / "meson-private/cmd_line.txt").write_text(f"[options]\n{given}\n")
    (door.build / "ampersand.configured").unlink()
    assert door("list", **environment) == 0
    told = [line for line in door.err.splitlines() if "no effect" in line]
    assert len(told) == bool(words) and all(word in told[0] for word in words)


def test_ask_keeps_the_compiler_that_was_chosen(door):
    door.have("clang")
    assert door("list", CC="clang") == 0
    assert door("ask", "a.h", "struct a") == 0 and door.log == ["ask a.h struct a"]
    assert door("list", CC="clang") == 0 and not door.logged("setup")


# How a folder was damaged, and what Meson is asked for.
DAMAGES = {
    "no build.ninja": (lambda build: (build / "build.ninja").unlink(), ""),
    "empty build.ninja": (lambda build: (build / "build.ninja").write_text(""), ""),
    "no coredata": (lambda build: (build / "meson-private/coredata.dat").unlink(), ""),
    "no meson-private": (lambda build: shutil.rmtree(build / "meson-private"), ""),
    "no meson-info": (lambda build: shutil.rmtree(build / "meson-info"), ""),
    "one folder left": (lambda build: [shutil.rmtree(build / "meson-private"), shutil.rmtree(build / "meson-info"),
                                       (build / "build.ninja").unlink(), (build / "ampersand.configured").unlink()],
                                       ""),
    "nothing but the lock": (lambda build: [shutil.rmtree(build), build.mkdir(), (build / "ampersand.lock").touch()],
                             ""),
    "empty": (lambda build: [shutil.rmtree(build), build.mkdir()], ""),
    "another place": (lambda build: (build / "meson-info/meson-info.json").write_text(
        '{"directories": {"source": "/elsewhere"}}'), "--wipe "),
    "unreadable facts": (lambda build: (build / "meson-info/meson-info.json").write_text("{"), "--wipe "),
    "no note": (lambda build: (build / "ampersand.configured").unlink(), "--reconfigure "),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_folder_heals(door, damage):
    assert door("list") == 0
    act, option = DAMAGES[damage]
    act(door.build)
    assert door("list") == 0, door.err
    assert door.log[0] == f"CC= meson setup {option}-Dpython={door.stubs}/usr/python3 {door.build} {door.root}"
    assert door("list") == 0 and door.log == ["ampersand-bench list --questions"]


def test_a_damaged_folder_with_something_of_the_users_is_left_alone(door):
    assert door("list") == 0
    (door.build / "build.ninja").unlink()
    (door.build / "letter.txt").write_text("dear")
    assert door("list") == 2 and "holds files and is no build folder" in door.err and door.log == []
    assert (door.build / "letter.txt").exists() and (door.build / "meson-private").exists()


def test_another_meson_reconfigures_before_it_tests(door):
    assert door("list") == 0
    facts = door.build / "meson-info/meson-info.json"
    facts.write_text(facts.read_text().replace('"1.0.1"', '"0.63.0"'))
    assert door("test") == 0
    assert "meson setup --reconfigure " in door.log[0] and "meson test" in door.log[1]


def test_a_path_beyond_ascii(door, tmp_path):
    """Meson's own JSON has it in escapes: it is the same folder all the same."""
    moved = tmp_path / "größe ü"
    door.root.rename(moved)
    door.root, door.build = moved, moved / "build"
    assert door("list") == 0, door.err
    facts = door.build / "meson-info/meson-info.json"
    facts.write_text(json.dumps(json.loads(facts.read_text())))
    assert "\\u00f6" in facts.read_text()
    assert door("list", AMPERSAND_BUILD=str(door.build)) == 0, door.err
    assert door.log == ["ampersand-bench list --questions"]


def test_a_build_that_cannot_be_written_is_used_while_it_is_up_to_date(door, tmp_path):
    under = [shutil.which("setpriv") or "true", "--bounding-set=-dac_override"] if os.geteuid() == 0 else []
    if under and subprocess.run([*under, "true"], capture_output=True).returncode:
        pytest.skip("root can write everywhere, and setpriv cannot keep it from that")
    assert door("list") == 0
    folders = [door.root, door.build, *door.build.glob("**/")]
    for folder in folders:
        folder.chmod(0o555)
    for path in (door.build / "ampersand.lock", door.build / "ampersand.configured"):
        path.chmod(0o444)
    try:
        assert door("list", under=under) == 0, door.err
        assert door("bench", "--out", tmp_path / "run", under=under) == 0, door.err
        assert door("bench",
                    under=under) == 2 and "name another folder by --out" in door.err and door.err.count("\n") == 1
        assert door("list", under=under, CC="cc -m64") == 2
        assert door.err == (f"ampersand: {door.build} cannot be written, and is to be configured: set AMPERSAND_BUILD "
                            "to a folder of yours\n")
    finally:
        for folder in folders:
            folder.chmod(0o755)


# ---- The build

def test_build_failure_shows_the_compilers_words_only(door):
    assert door("list") == 0
    (door.stubs / "broken").touch()
    assert door("list") == 2
    lines = door.err.splitlines()
    assert lines[1:3] == ["FAILED: a.o", "a.c:1: error: no"] and "building failed" in lines[-1]
    assert not door.logged("ampersand-bench")


def test_build_says_so_and_is_quiet(door):
    assert door("list", STUB_WORK="[1/1] cc") == 0
    assert door.err.splitlines()[1:] == [f"ampersand: building in {door.build}"]
