# SPDX-License-Identifier: MIT
"""What tests of `trace` share: the program of the build folder, programs that are compiled for it, what it records."""
import json
import os
import subprocess
from pathlib import Path

import pytest

import built
from events import Events
from waiting import HANGS_S

BUILD = os.environ.get("AMPERSAND_BUILD")
if not BUILD:
    pytest.skip("AMPERSAND_BUILD does not name a build folder", allow_module_level=True)
TRACE = Path(BUILD).resolve() / "harness" / "timeline" / "ampersand-trace"
SANITIZED = b"__asan_report" in TRACE.read_bytes()
with_names = built.with_names(TRACE)
HERE = Path(__file__).parent
ROOT = HERE.parents[2]
CC = os.environ.get("CC", "cc").split()


def compiled(out, *words):
    done = subprocess.run([*CC, "-O2", "-D_GNU_SOURCE", f"-I{ROOT}", *map(str, words), "-o", out, "-lpthread", "-ldl"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return out


def trace(folder, *command, flags=(), **more):
    """(the ended process, its events, its report)."""
    out = folder / "out.json"
    done = subprocess.run([TRACE, "--format", "json", "-o", out, *flags, "--", *command], stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=HANGS_S, **more)
    before, brace, report = done.stderr.decode().partition("{\n")
    done.said = before
    return done, Events(out.read_text()) if out.exists() else None, json.loads(brace + report) if brace else None
