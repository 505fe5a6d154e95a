# SPDX-License-Identifier: MIT
"""Sides that are kept: what is built again, and what is not. The compiler writes down that it was called."""
import os
import platform
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from plots.ab import kept, link
from plots.ab.checkout import Checkouts
from plots.ab.settings import Settings, Side
from plots.files import cache

LIBRARY = "int twice(int x) { return 2 * x; }\n"
KERNELS = """#include "harness/ab.h"
#include "lib.h"
#include "beside.h"
static uint64_t run(void *fixture, uint64_t ops) { return fixture ? 0 : (uint64_t) twice((int) ops) * BESIDE; }
AMP_KERNEL(twice, .run = run);
"""
COMPILER = """#!/bin/sh
[ "$1" = --version ] || echo "$*" >>"{log}"
exec {cc} "$@"
"""


class Place:
    """A library, its kernels, a compiler, and how often that was called."""

    def __init__(self, top):
        self.top, self.log = top, top / "log"
        for folder in ("lib", "bench", "cache"):
            (top / folder).mkdir(parents=True)
        (top / "lib/lib.c").write_text(LIBRARY)
        (top / "lib/lib.h").write_text("int twice(int x);\n")
        (top / "bench/kernels.c").write_text(KERNELS)
        (top / "bench/beside.h").write_text("#define BESIDE 3\n")
        (top / "cc").write_text(COMPILER.format(log=self.log, cc=os.environ.get("CC", "cc")))
        (top / "cc").chmod(0o755)
        self.numbers = iter(range(1000))
        self.folder, self.place, self.cflags, self.build, self.link = top / "lib", "./lib", "-O1", None, ()
        self.kernels = "kernels.c"

    def build_side(self, anew=False):
        """(the object's bytes, whether the compiler was called)"""
        side = Side("head", self.place, str(self.top / "cc"), self.cflags)
        settings = Settings(side, side, self.folder, (str(self.top / "bench" / self.kernels),), self.build, self.link)
        before = self.log.read_text() if self.log.exists() else ""
        scratch = self.top / "scratch" / str(next(self.numbers))
        checkouts = Checkouts(self.folder, scratch, lambda words: None)
        built = kept.side_of(settings, side, checkouts, checkouts.find(side), scratch, anew)
        return built.object.read_bytes(), (self.log.read_text() if self.log.exists() else "") != before

    def entries(self):
        return sorted((self.top / "cache/ampersand/ab").iterdir())


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    made = Place(tmp_path)
    monkeypatch.setattr(made, "folder", tmp_path)
    return made


def write(name, text):
    return lambda place, monkeypatch: (place.top / name).write_text(text)


def variable(name, value):
    return lambda place, monkeypatch: monkeypatch.setenv(name, value)


def member(name, value):
    return lambda place, monkeypatch: setattr(place, name, value)


CHANGES = {
    "nothing": (lambda *_: None, False),
    "another time": (lambda place, _: os.utime(place.top / "lib/lib.c", (1, 1)), False),
    "a variable that says nothing": (variable("TERM", "vt100"), False),
    "a file beside that nothing includes": (write("bench/other.h", ""), False),
    "what a comment says": (write("lib/lib.c", LIBRARY + "/**/\n"), True),
    "as many bytes, at the same time": (lambda place, _: same_time(place.top / "lib/lib.c", LIBRARY.replace("2", "3")),
                                        True),
    "a new file": (write("lib/more.c", "int more;\n"), True),
    "a header that only the kernels include": (write("bench/beside.h", "#define BESIDE 4\n"), True),
    "a header in front of another": (write("bench/lib.h", "int twice(int x);\n#define NEAR\n"), True),
    "the kernels": (write("bench/kernels.c", KERNELS + "\n"), True),
    "another file of kernels": (lambda place, _: other_kernels(place), True),
    "flags": (member("cflags", "-O2"), True),
    "the compiler": (lambda place, _: (place.top / "cc").write_text((place.top / "cc").read_text() + "\n"), True),
    "a variable of compilers": (variable("CPATH", "/nowhere"), True),
    "a variable of one's own": (variable("WITH_CHECKS", "1"), True),
    "the build": (lambda place, _: vars(place).update(build="$CC $CFLAGS -c lib.c -o lib.o", link=("lib.o",)), True),
}


def other_kernels(place):
    (place.top / "bench/more.c").write_text(KERNELS)
    place.kernels = "more.c"


def same_time(path, text):
    was = path.stat()
    assert len(text) == was.st_size
    path.write_text(text)
    os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))


@pytest.mark.parametrize("change, again", CHANGES.values(), ids=CHANGES.keys())
def test_what_is_built_again(change, again, place, monkeypatch):
    first, called = place.build_side()
    assert called
    change(place, monkeypatch)
    second, called = place.build_side()
    assert called == again
    if not again:
        assert second == first


def test_another_build_of_the_same(place):
    place.build, place.link = "$CC $CFLAGS -c lib.c -o lib.o", ("lib.o",)
    assert place.build_side()[1] and not place.build_side()[1]
    place.build = "$CC $CFLAGS -O0 -c lib.c -o lib.o"
    assert place.build_side()[1]


def test_what_is_kept_is_what_would_be_built(place):
    first = place.build_side()[0]
    assert place.build_side() == (first, False) and place.build_side(anew=True) == (first, True)
    for entry in place.entries():
        entry.unlink()
    assert place.build_side() == (first, True)


def cut(data):
    return data[:-1]


def flip(data):
    return data[:-100] + bytes([data[-100] ^ 1]) + data[-99:]


def other_words(data):
    return data.replace(b'"words": []', b'"words": ["-lz"]')


@pytest.mark.parametrize("damage", [
    cut, flip, other_words, lambda data: b"", lambda data: b"[]\n", lambda data: b"[" * 100000,
    lambda data: b"\xff" * 50, lambda data: data.partition(b"\n")[2], lambda data: b'{"value": 3, "sha256": ""}\n'])
def test_a_damaged_entry_is_not_used(damage, place):
    first = place.build_side()[0]
    entry, = place.entries()
    was = entry.read_bytes()
    entry.write_bytes(damage(was))
    assert entry.read_bytes() != was and place.build_side() == (first, True)
    assert entry.read_bytes() == was and place.build_side() == (first, False)


def test_two_at_once(place):
    with ThreadPoolExecutor(4) as pool:
        found = {one[0] for one in pool.map(lambda _: place.build_side(), range(4))}
    assert len(found) == 1 and len(place.entries()) == 1
    assert place.build_side() == (found.pop(), False)


def layouts_of(place, seed, anew=False):
    """({name: bytes} of four layouts, whether the compiler was called to link)"""
    scratch = place.top / "scratch" / str(next(place.numbers))
    sides = [Side(name, "./lib", str(place.top / "cc"), flags) for name, flags in (("base", "-O1"), ("head", "-O0"))]
    settings = Settings(*sides, place.top, (str(place.top / "bench/kernels.c"),))
    checkouts = Checkouts(place.top, scratch, print)
    built = {side.name: kept.side_of(settings, side, checkouts, checkouts.find(side), scratch, False) for side in sides}
    facts, why = link.examine(settings, built, scratch / "facts", False)
    before = place.log.read_text()
    linked = link.link(settings, built, scratch / "modules", 4, seed, facts, why, anew)
    assert not linked.programs and not linked.not_counted
    return ({path.name: path.read_bytes() for path in linked.folder.glob("*.so")}, place.log.read_text() != before)


def test_layouts_of_the_same_sides_are_not_linked_again(place):
    if platform.machine() != "x86_64":
        pytest.skip("elsewhere than on x86-64 every layout is linked")
    first, called = layouts_of(place, 1)
    assert called and sorted(first) == [f"{side}.{k:03d}.so" for side in ("base", "head") for k in range(4)]
    assert layouts_of(place, 1) == (first, False)
    other, called = layouts_of(place, 2)
    assert not called and other.keys() == first.keys() and other != first  # drawn anew
    assert layouts_of(place, 1, anew=True) == (first, True)
    (place.top / "lib/lib.c").write_text(LIBRARY.replace("2", "3"))
    changed, called = layouts_of(place, 1)
    assert called and changed != first


def test_a_file_that_changes_while_it_is_built(place):
    """The kernels are written anew by the build itself: what was read then is not what is there now."""
    place.build, place.link = f"$CC $CFLAGS -c lib.c -o lib.o && echo >>{place.top}/bench/kernels.c", ("lib.o",)
    place.build_side()
    assert place.entries() == []


def test_a_header_that_was_missing(place):
    """A file of kernels that does not compile is left out, and taken in when its header is there."""
    (place.top / "bench/kernels.c").write_text(KERNELS.replace("beside.h", "later.h"))
    (place.top / "bench/more.c").write_text(KERNELS)
    side = Side("head", "./lib", str(place.top / "cc"), "-O1")
    files = tuple(str(place.top / "bench" / name) for name in ("kernels.c", "more.c"))
    settings = Settings(side, side, place.top, files)

    def left_out(name):
        checkouts = Checkouts(place.top, place.top / name, print)
        return [Path(file).name for file in kept.side_of(
            settings, side, checkouts, checkouts.find(side), place.top / name, False).left_out]

    assert left_out("s1") == ["kernels.c"]
    calls = place.log.read_text()
    assert left_out("s2") == ["kernels.c"] and place.log.read_text() == calls
    (place.top / "bench/later.h").write_text("#define BESIDE 5\n")
    assert left_out("s3") == []


def test_without_a_place_it_is_built(place, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null")
    first, called = place.build_side()
    assert called and place.build_side() == (first, True)


def test_the_place_is_bounded(tmp_path):
    for k in range(10):
        (tmp_path / str(k)).write_bytes(b"x" * 100)
        os.utime(tmp_path / str(k), (2_000_000_000 + k, 2_000_000_000 + k))
    os.utime(tmp_path / "9", (1, 1))
    cache.tidy(tmp_path, 450)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["5", "6", "7", "8"]


def git(folder, *words):
    who = {f"GIT_{role}_{what}": "t" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    subprocess.run(["git", "-C", str(folder), "-c", "init.defaultBranch=main", *words], check=True, capture_output=True,
                   env={**os.environ, **who, "GIT_CONFIG_GLOBAL": "/dev/null"})


@pytest.mark.skipif(not shutil.which("git"), reason="git is not here: apt-get install git")
def test_commits_and_what_is_not_committed(place):
    place.folder = place.top / "lib"
    git(place.folder, "init", "-q"), git(place.folder, "add", "."), git(place.folder, "commit", "-qm", "One")
    place.place = "HEAD"
    first = place.build_side()
    assert place.build_side() == (first[0], False)
    place.place = None
    assert place.build_side() == (first[0], False)  # the checkout as it is: the same
    (place.folder / "lib.c").write_text(LIBRARY.replace("2", "4"))
    dirty = place.build_side()
    assert dirty[1] and dirty[0] != first[0] and place.build_side() == (dirty[0], False)
    (place.folder / "lib.c").write_text(LIBRARY.replace("2", "5"))
    assert place.build_side()[1]
    git(place.folder, "checkout", "-q", "lib.c")
    assert place.build_side() == (first[0], False)
    place.place = "HEAD"
    git(place.folder, "commit", "-q", "--allow-empty", "-m", "Two")
    assert place.build_side() == (first[0], True)  # a build may ask which commit it is
