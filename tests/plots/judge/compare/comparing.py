# SPDX-License-Identifier: MIT
"""Two runs to compare."""
import json
import math
from dataclasses import replace

import synthetic
from plots.files import records
from plots.files.pair_run import load
from plots.judge.compare_runs import compare

PLAN = {"launches": 20, "layouts": 4, "rounds": 4, "checksums": False}
CONTROLS = [synthetic.Truth("null", 16, 0.0, 2.0, "null", layout_sd=0, launch_sd=0.0006, round_sd=0.004),
            synthetic.Truth("known_five", 1000, math.log(1.05), 900, "known", layout_sd=0.0003, launch_sd=0.0004)]
ROWS = [synthetic.Truth("pass", 8, 0.3, 2.0, layout_sd=0.02), synthetic.Truth("pass", 64, -0.4, 5.0, layout_sd=0.02),
        synthetic.Truth("factory", 64, 1.2, 3.0, layout_sd=0.03, allocs=(0, 1), bytes=(0, 64))]
QUIET = [replace(row, both_sd=0.004) for row in CONTROLS + ROWS]


def run_of(folder, rows=QUIET, **plan):
    return synthetic.write_run(folder, rows, synthetic.Plan(**PLAN | plan))


def changed(name, **fields):
    """The quiet rows, one of them with other truths."""
    return [replace(row, **fields) if row.name == name else row for row in QUIET]


def slower_value(row, percent):
    """What is true of a row whose value side became slower, and its pointer side did not."""
    return {"value_ns": row.value_ns * (1 + percent / 100), "ln_ratio": row.ln_ratio - math.log1p(percent / 100)}


def comparison(a, b, across=False):
    return compare(load(a), load(b), across)


def compared(a, b, across=False):
    """As JSON has it."""
    return records.write(comparison(a, b, across))


def calls(document, name):
    row = next(row for row in document["rows"] if row["row"] == name)
    return tuple(row[key]["call"] for key in ("value_ns_per_op", "pointer_ns_per_op", "ratio"))


def edit(path, change):
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def contents(folder):
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*") if path.is_file()}


NS = "not shown"
P8, P64, F64 = ROWS


def put(*keys, value):
    def change(document):
        for key in keys[:-1]:
            document = document[key]
        document[keys[-1]] = value
    return change
