# SPDX-License-Identifier: MIT
"""The user's files changed: each whole or not at all, and none that cannot be, or that somebody changed meanwhile."""

import os
import shutil
import stat
from pathlib import Path

from plots.escape import fix
from plots.program.errors import Refused


def check(file, text):
    try:
        if fix.read(file) != text:
            raise Refused("--write", file, "was changed meanwhile: nothing is written")
        if not os.stat(file).st_mode & stat.S_IWUSR or not os.access(file, os.W_OK):
            raise Refused("--write", file, "is read-only: nothing is written")
    except OSError as error:
        raise Refused("--write", file, f"{error.strerror}: nothing is written") from None


def write(made, texts):
    """All are looked at before the first is written. A link stays one: what it names is changed."""
    for file in made:
        check(file, texts[file])
    for file in made:
        target = Path(os.path.realpath(file))
        partial = target.with_name(f".{target.name}.{os.getpid()}.tmp")
        try:
            with open(partial, "xb") as out:
                out.write(made[file].encode("latin-1"))
                out.flush()
                os.fsync(out.fileno())
            shutil.copymode(target, partial)
            partial.replace(target)
        except OSError as error:
            raise Refused("--write", file, error.strerror) from None
        finally:
            partial.unlink(missing_ok=True)
