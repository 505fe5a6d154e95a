# SPDX-License-Identifier: MIT
"""What was compiled and found before, so that a file is read again only if it, or what it includes, has changed.

An entry is NAME.bc with NAME.json beside it, where NAME is the hash of all that decides what comes out but the files'
contents; of those, size and time are kept. A file that changes while it is compiled is not kept. Nobody needs what is
here: the folder may be removed at any time, and what nobody used for a month is."""

import contextlib
import hashlib
import json
import os
import time
from pathlib import Path

MONTH_S = 30 * 24 * 3600


def folder():
    """None if there is none that can be written."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.environ.get("HOME") or "/", ".cache")
    path = Path(home) / "ampersand" / "escape"
    try:
        path.mkdir(parents=True, exist_ok=True)
        return path if os.access(path, os.W_OK) else None
    except OSError:
        return None


def name_of(*parts):
    return hashlib.sha256("\0".join(map(str, parts)).encode("utf-8", "surrogateescape")).hexdigest()[:40]


def stamp(path):
    """What changes when a file does; None if it is not there."""
    with contextlib.suppress(OSError):
        found = os.stat(path)
        return [found.st_size, found.st_mtime_ns, found.st_ino]
    return None


def dependencies(text):
    """The files that a rule of make names behind its colon, as clang writes it."""
    names = text.partition(":")[2].replace("\\\n", " ").replace("\\ ", "\0").split()
    return [name.replace("\0", " ").replace("$$", "$").replace("\\#", "#") for name in names]


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
        write(place / f"{name}.json", json.dumps({"files": files, "bitcode": bitcode, "value": value}))


def write(path, text):
    partial = path.with_suffix(f".{os.getpid()}.tmp")
    partial.write_text(text)
    partial.replace(path)


def tidy(place):
    """Remove what nobody used for a month."""
    if place is None:
        return
    for path in place.iterdir():
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > MONTH_S:
                path.unlink()
