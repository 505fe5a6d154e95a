# SPDX-License-Identifier: MIT
"""A folder below XDG_CACHE_HOME for what was made before and can be made again. Nobody needs what is there: the folder
may be removed at any time, and what nobody used for a month is."""

import contextlib
import hashlib
import os
import tempfile
import time
from pathlib import Path

MONTH_S = 30 * 24 * 3600


def folder(kind):
    """None if there is none that can be written."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.environ.get("HOME") or "/", ".cache")
    path = Path(home) / "ampersand" / kind
    try:
        path.mkdir(parents=True, exist_ok=True)
        return path if os.access(path, os.W_OK) else None
    except OSError:
        return None


def name_of(*parts):
    """Of all that decides what is made."""
    return hashlib.sha256("\0".join(map(str, parts)).encode("utf-8", "surrogateescape")).hexdigest()[:40]


def stamp(path):
    """What changes when a file does; None if it is not there."""
    with contextlib.suppress(OSError):
        found = os.stat(path)
        return [found.st_size, found.st_mtime_ns, found.st_ino]
    return None


def digest(path):
    """The SHA-256 of a file; None if it is not there."""
    with contextlib.suppress(OSError), open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
    return None


def dependencies(text):
    """The files that a rule of make names behind its colon, as compilers write it."""
    names = text.partition(":")[2].replace("\\\n", " ").replace("\\ ", "\0").split()
    return [name.replace("\0", " ").replace("$$", "$").replace("\\#", "#") for name in names]


def write(path, data):
    """Whole or not at all, also where two write the same file at once."""
    number, partial = tempfile.mkstemp(prefix=path.name, suffix=".tmp", dir=path.parent)
    try:
        with open(number, "wb") as file:
            file.write(data)
        os.replace(partial, path)
    except BaseException:
        os.unlink(partial)
        raise


def tidy(place, most_b=None):
    """Remove what nobody used for a month, and of the rest what was not used for longest, until `most_b` are left."""
    if place is None:
        return
    found = []
    for path in place.iterdir():
        with contextlib.suppress(OSError):
            found.append((path.stat().st_mtime, path.stat().st_size, path))
    left_b = sum(size for _, size, _ in found)
    for used, size, path in sorted(found):
        if time.time() - used > MONTH_S or (most_b is not None and left_b > most_b):
            left_b -= size
            with contextlib.suppress(OSError):
                path.unlink()
