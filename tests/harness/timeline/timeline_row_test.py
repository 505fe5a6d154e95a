# SPDX-License-Identifier: MIT
"""`trace` of a row: its run has launches, blocks and sides, and its results go. AMPERSAND_BUILD names the build
folder."""
import fcntl
import json
import os
import subprocess
import tempfile
from pathlib import Path

import pytest

from events import Events
from traced import SANITIZED, TRACE
from waiting import HANGS_S


def scratch():
    """Of rows that were traced, what their runs left behind."""
    return {path for place in ("/dev/shm", tempfile.gettempdir())
            for path in Path(place).glob("ampersand-profile.*/run")}


def is_in_use(folder):
    """By another tracer: it holds a lock until it ends, and removes the folder before."""
    try:
        opened = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:
        return True
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        return True
    finally:
        os.close(opened)


@pytest.mark.skipif(SANITIZED, reason="nothing can be preloaded before AddressSanitizer")
def test_a_row(tmp_path):
    """Sides lie within blocks, blocks within the row or a control, these within a launch; no result stays."""
    before, out = scratch(), tmp_path / "out.json"
    done = subprocess.run([TRACE, "--format", "json", "-o", out, "factory/size=64"], capture_output=True, text=True,
                          timeout=HANGS_S)
    assert done.returncode == 0 and json.loads(done.stdout)["program"] == "factory/size=64", done.stderr
    events = Events(out.read_text())

    def are_within(inner, outer, same=("pid", "tid")):
        return all(any(all(one[key] == other[key] for key in same) and other["ts"] <= one["ts"]
                       and one["ts"] + one["dur"] <= other["ts"] + other["dur"] for other in outer) for one in inner)
    sides = events.of("X", "value"), events.of("X", "pointer")
    rows = [one for one in events.of("X") if "/size=" in one["name"]]
    assert {one["name"].partition("/")[0] for one in rows} == {"factory", "null", "null_placed"}
    assert len(sides[0]) == len(sides[1]) > 0 and are_within(sum(sides, []), events.of("X", "block"))
    assert are_within(events.of("X", "block"), rows) and are_within(rows, events.of("X", "launch"), same=())
    assert not {path for path in scratch() - before if not is_in_use(path.parent)}


@pytest.mark.skipif(SANITIZED, reason="nothing can be preloaded before AddressSanitizer")
def test_a_row_that_cannot_run(tmp_path):
    """The one who could not run it says why, in one line; no table and no file of nothing follow."""
    out = tmp_path / "out.json"
    for row, more, why in (("factory/size=65", {}, "the nearest is 'factory/size=64'"),
                           ("factory/size=64", {"AMPERSAND_LESSONS": "/proc/none"}, "No such file or directory")):
        done = subprocess.run([TRACE, "-o", out, row], capture_output=True, text=True, env=os.environ | more,
                              timeout=HANGS_S)
        assert (done.returncode, done.stdout) == (2, "") and not out.exists()
        assert why in done.stderr and done.stderr.count("\n") == 1, done.stderr
