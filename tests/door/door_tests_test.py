# SPDX-License-Identifier: MIT
"""`./ampersand test`: names of tests and flags of Meson."""
import pytest


def test_failed_tests_are_status_1(door):
    assert door("test", "door", STUB_STATUS="3") == 1
    assert door.log[-1] == f"CC= meson test -C {door.build} --print-errorlogs door.py"


@pytest.mark.parametrize("given, passed", [
    ("door", "door.py"), ("door.py heap", "door.py heap"), ("--suite program", "--suite program"),
    ("-t 3 heap", "-t 3 heap"),
    ("--suite=source --verbose", "--suite=source --verbose"), ("ampersand:heap", "ampersand:heap"), ("", ""),
])
def test_names_of_tests(door, given, passed):
    assert door("test", *given.split()) == 0, door.err
    assert door.log[-1] == f"CC= meson test -C {door.build} --print-errorlogs {passed}".rstrip()


@pytest.mark.parametrize("given", ["--list", "--list --suite source", "--suite program --list"])
def test_the_names_without_ninjas_words(door, given):
    assert door("test", *given.split()) == 0, door.err
    assert door.out.splitlines()[-2:] == ["ampersand:source / door.py", "ampersand:program / heap"]
    assert "ninja" not in door.out


@pytest.mark.parametrize("given, wrong, nearest", [("nosuchtest", "nosuchtest", None), ("heap haep", "haep", "heap"),
                                                   ("--suite program dor.py", "dor.py", "door.py"),
                                                   ("hea*", "hea*", "heap")])
def test_a_test_that_there_is_not(door, given, wrong, nearest):
    assert door("test", *given.split()) == 2
    said = f"the nearest is '{nearest}'; " if nearest else ""
    said = f"ampersand: test: {wrong}: no such test: {said}./ampersand test --list lists all"
    assert door.err.splitlines()[-1] == said
    assert not any("meson test -C" in line for line in door.log)


@pytest.mark.parametrize("given, says", [
    ("--bogus -x", "test: --bogus: no such flag; the nearest is '--bonus', and meson test --help lists all"),
    ("heap --repeat many", "test: argument --repeat: invalid int"),
    ("--suite nosuch", "test: no test has all of this: --suite nosuch; ./ampersand test --list lists all"),
])
def test_flags_that_meson_does_not_know(door, given, says):
    assert door("list") == 0
    assert door("test", *given.split()) == 2
    assert door.err.splitlines() == [f"ampersand: {says}"] and door.log == []
