# SPDX-License-Identifier: MIT
"""Temporary folders for what is built and measured."""

import contextlib
import os
import tempfile

from plots.program.errors import Refused


@contextlib.contextmanager
def folder(purpose):
    """One that programs can be run from; gone afterwards, whatever happens."""
    with tempfile.TemporaryDirectory(prefix=f"ampersand-{purpose}-") as path:
        refuse_noexec(path)
        yield path


def refuse_noexec(path):
    """Unless programs that are made in this temporary folder can be run."""
    if os.statvfs(path).f_flag & os.ST_NOEXEC:
        raise Refused(os.path.dirname(path), "programs that are made there cannot be run (mounted noexec): let TMPDIR "
                      "name another folder")
