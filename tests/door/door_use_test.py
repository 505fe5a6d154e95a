# SPDX-License-Identifier: MIT
"""The door: verbs that there are not, help, and what of both stands elsewhere, too."""
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from places import ROOT
from stubs import PACKAGES


def test_shellcheck():
    if not shutil.which("shellcheck"):
        pytest.skip("shellcheck is not here: apt-get install shellcheck")
    done = subprocess.run(["shellcheck", "-x", ROOT / "ampersand"], text=True, capture_output=True)
    assert done.returncode == 0, done.stdout


# ---- Use

@pytest.mark.parametrize("verb, nearest", [
    ("bnech", "bench"), ("tests", "test"), ("chart", "charts"), ("doktor", "doctor"), ("set", "setup"),
    ("checks", "check"), ("lis", "list"), ("hlp", "help"), ("", None), ("-x", None), ("bench test", None),
    ("nope", None), ("frobnicate", None), ("*", None), ("alocatrs", "allocators"),
])
def test_unknown_verb_is_one_line_with_what_is_near(door, verb, nearest):
    """Near in spelling, or nothing: a guess would send people elsewhere."""
    for words, what in ((verb,), verb), (("help", verb), f"help: {verb}"):
        assert door(*words) == 2
        said = f"the nearest is '{nearest}'; " if nearest else ""
        assert door.err == f"ampersand: {what}: no such verb: {said}./ampersand help lists all\n"
        assert door.log == []


@pytest.mark.parametrize("args, status, says", [
    ([], 2, None), (["help"], 0, "Usage: ./ampersand VERB"), (["--help"], 0, "Usage: ./ampersand VERB"),
    (["help", "bench"], 0, "--filter"), (["bench", "--help"], 0, "--filter"), (["test", "-h"], 0, "--suite"),
    (["--version"], 0, "ampersand 0."),
])
def test_help_needs_nothing(door, args, status, says):
    door.remove(*[p for p in PACKAGES if p != "clang"])
    assert door(*args) == status
    assert "Usage" in door.err if says is None else says in door.out
    assert door.log == [] and not door.build.exists()


def test_verbs_of_modules_that_are_not_there_are_unknown(door):
    assert door("report") == 2
    (door.root / "plots" / "report.py").touch()
    assert door("report", "RUN") == 0
    assert door.log == ["plots report RUN"]


@pytest.mark.parametrize("args, verb", [
    (["bench", "--quick", "--help"], "bench"), (["bench", "--filter", "pass", "-h"], "bench"),
    (["list", "--questions", "-h"], "list"),
    (["ask", "a.h", "struct a", "--json", "--help"], "ask"), (["allocators", "--quick", "--help"], "allocators"),
])
def test_help_is_found_behind_other_flags(door, args, verb):
    assert door(*args) == 0 and door.out.startswith(f"Usage: ./ampersand {verb}") and door.log == []
    rule = "\n  placement decides  the layouts disagree"  # that of the tables
    assert (rule in door.out) == (verb == "ask")


def test_help_that_is_a_value_is_none(door):
    assert door("ask", "a.h", "struct a", "--cflags", "--help") == 0
    assert door.log[-1] == "ask a.h struct a --cflags --help"


@pytest.mark.parametrize("args", [["help"], ["help", "ask"], ["--version"], ["bench", "--help"]])
@pytest.mark.parametrize("stdout", ["/dev/full", None], ids=["full", "closed"])
def test_what_cannot_be_printed_is_told(door, args, stdout):
    redirect = ">&-" if stdout is None else f">{stdout}"
    done = subprocess.run(["sh", "-c", f'exec "$@" {redirect}', "sh", shutil.which(door.shell[0]), *door.shell[1:],
                           door.root / "ampersand", *args], text=True, stderr=subprocess.PIPE,
                           env={"PATH": str(door.bin)})
    assert done.returncode == 2 and done.stderr == "ampersand: stdout: cannot be written\n"


# ---- What stands behind it

@pytest.mark.parametrize("verb, name", [("bench", "_PAIRED"), ("allocators", "_ALLOCATORS")])
def test_help_knows_the_flags_of_the_program(verb, name):
    source = (ROOT / "harness" / "cli" / "flags.c").read_text()
    flags = set(re.findall(rf'= \{{ "(--[a-z-]+)", .*(?:{name}|BOTH)', source))
    assert "--quick" in flags
    flags -= {"--rows", "--solo-rows"}  # the door's own, with which it starts further launches
    said = subprocess.run([ROOT / "ampersand", "help", verb], text=True, capture_output=True).stdout
    flags |= {"--format", "--go", "--hardened", "--no-profile", "--no-refine", "--refine",
              "--why", "--wide"} if verb == "bench" else {"--format"}
    assert flags == {line.split()[0] for line in said.splitlines() if line.startswith("  --")}


def test_plots_of_the_checkout_is_run(tmp_path):
    """A folder called plots in the user's own folder is not taken for ours."""
    python = next((p for p in ("/usr/bin/python3", shutil.which("python3")) if p and Path(p).exists()), None)
    (tmp_path / "checkout" / "plots").mkdir(parents=True)
    (tmp_path / "checkout" / "plots" / "__main__.py").write_text("import sys; print('ours', sys.argv[1:])")
    (tmp_path / "plots").mkdir()
    (tmp_path / "plots" / "__main__.py").write_text("print('theirs')")
    (tmp_path / "checkout" / "door").mkdir()
    module = shutil.copy(ROOT / "door/module.py", tmp_path / "checkout" / "door")
    done = subprocess.run([python, module, "plots", "check", "RUN"], cwd=tmp_path, text=True,
                          capture_output=True)
    assert done.stdout == "ours ['check', 'RUN']\n", done.stderr
