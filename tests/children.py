# SPDX-License-Identifier: MIT
"""A process of `ampersand-bench child`, which measures or counts one row. AMPERSAND_BUILD names the build folder."""
import json
import os
import subprocess
from functools import lru_cache
from pathlib import Path

import pytest

from places import ROOT
from waiting import HANGS_S

BUILD = Path(os.environ.get("AMPERSAND_BUILD", ROOT / "build")).resolve()
BENCH = BUILD / "harness" / "ampersand-bench"
# A row's first launch also steps through an operation to see how much stack it takes: that takes a second, at times.
NOT_FIRST = 1
TASK = {"launch": NOT_FIRST, "configuration": "default", "seed": 1, "cpu": -1, "stack_offset_b": 0,
        "environment_padding_b": 0, "epoch_ns": 5000, "quiet_ns": 10**9, "rounds_per_block": 4, "layout": -1}


@lru_cache(maxsize=None)
def lessons_of_rows():
    """{row: its lesson}, as the tables beside the modules say."""
    tables = [json.loads(file.read_text()) for file in (BUILD / "benchmarks").glob("*.layouts.json")]
    return {row: table["lesson"] for table in tables for unit in table["units"] for row in unit["rows"]}


def child(kind, row, file, environment=None, **settings):
    """What it writes into the file."""
    task = {"kind": kind, "lesson": lessons_of_rows()[row], "row": row, "file": str(file)} | TASK | settings
    done = subprocess.run([BENCH, "child", json.dumps(task)], capture_output=True, text=True, timeout=HANGS_S, cwd=ROOT,
                          env={**os.environ, **(environment or {})})
    if done.returncode:
        pytest.fail(f"{row}: {kind}: exit status {done.returncode}: {done.stderr.strip()}")
    return json.loads(file.read_text())
