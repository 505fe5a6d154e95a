# SPDX-License-Identifier: MIT
"""Where a side's sources come from: submodules, shallow clones, files that git does not know."""
import os
import shutil
import subprocess

import pytest

from plots.ab.checkout import Checkouts
from plots.ab.settings import Side
from plots.program.errors import Refused

if not shutil.which("git"):
    pytest.skip("git is not here: apt-get install git", allow_module_level=True)


def git(folder, *words):
    who = {f"GIT_{role}_{what}": "t" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    subprocess.run(["git", "-C", str(folder), "-c", "init.defaultBranch=main", "-c", "protocol.file.allow=always", *words],
                   check=True, capture_output=True, env={**os.environ, **who, "GIT_CONFIG_GLOBAL": "/dev/null"})


def repository(folder, **files):
    folder.mkdir()
    git(folder, "init", "-q")
    for name, text in files.items():
        (folder / f"{name}.c").write_text(text)
    git(folder, "add", "."), git(folder, "commit", "-q", "--allow-empty", "-m", "One")
    return folder


def side(place):
    return Side("base", place, "cc", "-O1")


def test_submodules_come_from_the_users_checkout(tmp_path):
    """Where they were cloned from is gone; of each commit there is the commit that it names."""
    sub, top = repository(tmp_path / "sub", lib="1\n"), repository(tmp_path / "top of all")
    git(top, "submodule", "add", "-q", str(sub), "deps/a sub"), git(top, "commit", "-qm", "Two")
    (top / "deps/a sub/lib.c").write_text("2\n")
    git(top / "deps/a sub", "commit", "-qam", "Sub"), git(top, "commit", "-qam", "Three")
    shutil.rmtree(sub)
    for place, want in (("HEAD~1", "1\n"), ("HEAD", "2\n")):
        checkouts = Checkouts(top, tmp_path / "scratch", print)
        with checkouts.made(checkouts.find(side(place))) as (sources, whole):
            assert whole and (sources / "deps/a sub/lib.c").read_text() == want


@pytest.mark.parametrize("place, hint", [("HEAD~1", "git fetch --unshallow"), ("main^", "git fetch --unshallow"),
                                         ("v1.0", "git fetch origin v1.0")])
def test_what_a_shallow_clone_lacks_can_be_fetched(place, hint, tmp_path):
    there = repository(tmp_path / "there", lib="1\n")
    git(there, "commit", "-q", "--allow-empty", "-m", "Two")
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{there}", "clone")
    with pytest.raises(Refused, match=f"shallow one: .*{hint};"):
        Checkouts(tmp_path / "clone", tmp_path / "scratch", print).find(side(place))


@pytest.mark.parametrize("kernels, told", [((), ["not in git, so no part of the head: new.c (git add takes them in)"]),
                                           (("new.c",), [])])
def test_kernels_need_not_be_in_git(kernels, told, tmp_path):
    top, said = repository(tmp_path / "top", lib="1\n"), []
    (top / "new.c").write_text("2\n")
    Checkouts(top, tmp_path / "scratch", said.append, [str(top / name) for name in kernels]).find(side(None))
    assert said == told
