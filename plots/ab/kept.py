# SPDX-License-Identifier: MIT
"""Sides that were built before, and what was found about them. A side is built again if anything differs that decides
what comes out: its sources, the build, the kernels, flags, the environment, the compilers, the installed packages.

An entry is a file: a line of JSON, then the object, or what layouts are made from, or nothing. What no longer is as it
was kept is not used."""

import contextlib
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess

from plots.ab import build
from plots.files import cache

MOST_B = 1 << 30
VERSION = 1  # of an entry
# Other versions of headers, libraries and tools: any of these files is then another.
PACKAGES = "/var/lib/dpkg/status", "/var/lib/rpm/rpmdb.sqlite", "/lib/apk/db/installed", "/var/lib/pacman/local"
# What of the environment says nothing about a build.
AROUND = re.compile(
    r"(?:_|PWD|OLDPWD|SHLVL|TERM|COLUMNS|LINES|COLORTERM|DISPLAY|WAYLAND_DISPLAY|WINDOWID|LS_COLORS|INVOCATION_ID|"
    r"JOURNAL_STREAM|TMPDIR|CC|CXX|CFLAGS|CXXFLAGS|"  # those for compilers are the side's
    r"(?:AMPERSAND|TERM|XDG|SSH|DBUS|TMUX|GPG|VTE|GITHUB|RUNNER|CI|GITLAB|PYTEST)_.*)$")


def folder():
    return cache.folder("ab")


def name_of(settings, side, source):
    """Of a side's entry; None if its content is not known."""
    if source.identity is None:
        return None
    around = sorted(item for item in os.environ.items() if not AROUND.match(item[0]))
    kernels = [(file, cache.digest(file)) for file in settings.kernels]
    compilers = [compiler(words) for words in (shlex.split(side.cc), build.cxx_of(side.cc))]
    return cache.name_of(
        VERSION, cache.digest(build.__file__), build.ROOT, source.identity, settings.build, settings.link,
        settings.include, settings.sources, kernels, side.cc, side.cflags, around, compilers,
        [cache.stamp(path) for path in PACKAGES])


def compiler(words):
    """What is another if the compiler is: the file that is started, and what it says of itself."""
    found = shutil.which(words[0])
    with contextlib.suppress(OSError):
        said = subprocess.run([*words, "--version"], capture_output=True, stdin=subprocess.DEVNULL).stdout
        return found, cache.digest(found) if found else None, hashlib.sha256(said).hexdigest()
    return found


def side_of(settings, side, checkouts, source, scratch, anew):
    """Built: what was kept of this side, or else it is built, and kept. `anew`: it is built in any case."""
    place, made = folder(), scratch / side.name
    name = name_of(settings, side, source) if place else None
    found = recall(place, name) if name and not anew else None
    if found:
        value, data = found
        made.mkdir(parents=True)
        (made / "kept.o").write_bytes(data)
        return build.Built(made / "kept.o", value["left_out"], tuple(value["words"]), value["compiler"], value["read"])
    with checkouts.made(source) as (sources, whole):
        built = build.build(settings, side, sources, checkouts.place, made)
    if name and whole and name == name_of(settings, side, source):  # nothing changed meanwhile
        keep(place, name, {"left_out": built.left_out, "words": built.words, "compiler": built.compiler,
                           "read": built.read}, built.object.read_bytes())
    return built


def recall(place, name):
    """(the value, the bytes) that were kept; None where there are none, they are damaged, or a file that was read for
    them is another now."""
    path = place / name
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        line, _, data = path.read_bytes().partition(b"\n")
        head = json.loads(line)
        value = head["value"]
        told = hashlib.sha256(json.dumps(value).encode() + data).hexdigest()
        if told == head["sha256"] and all(cache.digest(file) == was for file, was in value["read"].items()):
            os.utime(path)
            return value, data
    return None


def keep(place, name, value, data=b""):
    value = json.loads(json.dumps(value))
    head = {"sha256": hashlib.sha256(json.dumps(value).encode() + data).hexdigest(), "value": value}
    with contextlib.suppress(OSError):  # a full disk: it is built again
        cache.write(place / name, json.dumps(head).encode() + b"\n" + data)
        cache.tidy(place, MOST_B)


def value_of(what, built, decides, make, anew=False, lasts=lambda made: True):
    """What `make` returns, a dictionary of JSON; kept, if it `lasts`, with all that decides it: both sides as they were
    built, and `decides`."""
    return entry_of(what, built, decides, lambda: (make(), b""), anew, lasts)[0]


def entry_of(what, built, decides, make, anew=False, lasts=lambda made: True):
    """As value_of(), of a dictionary and bytes."""
    place = folder()
    sides = [(cache.digest(side.object), side.words, side.compiler) for side in built.values()]
    name = cache.name_of(VERSION, what, sides, decides, [cache.stamp(path) for path in PACKAGES])
    found = recall(place, name) if place and not anew else None
    if found:
        return found[0]["found"], found[1]
    made, data = make()
    if place and lasts(made):
        keep(place, name, {"read": {}, "found": made}, data)
    return made, data
