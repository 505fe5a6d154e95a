# SPDX-License-Identifier: MIT
"""What was compiled and found before, so that a file is read again only if it, or what it includes, has changed.

An entry is NAME.bc with NAME.json beside it, where NAME is the hash of all that decides what comes out but the files'
contents; of those, size and time are kept. A file that changes while it is compiled is not kept. Nobody needs what is
here: the folder may be removed at any time, and what nobody used for a month is."""

import contextlib
import json
import os

from plots.files import cache
from plots.files.cache import dependencies, name_of, stamp, tidy


def folder():
    """None if there is none that can be written."""
    return cache.folder("escape")


def recall(place, name):
    """What was kept under a name, if the files that it was made of are as they were; else None."""
    if place is None:
        return None
    path = place / f"{name}.json"
    try:
        kept = json.loads(path.read_text())
        if any(stamp(file) != was for file, was in kept["files"]):
            return None
        os.utime(path)
        if kept["bitcode"]:
            os.utime(place / f"{name}.bc")
        return kept["value"]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def keep(place, name, value, files=(), began_ns=None, bitcode=False):
    """Keep a value of JSON with the state of the files that it comes from, unless they changed since `began_ns`."""
    if place is None:
        return
    files = [(str(file), stamp(file)) for file in files]
    if any(was is None or was[1] >= began_ns for _, was in files):
        return
    with contextlib.suppress(OSError):
        cache.write(place / f"{name}.json", json.dumps({"files": files, "bitcode": bitcode, "value": value}).encode())

