# SPDX-License-Identifier: MIT
"""allocations.json of a run: which lines of its sides allocate, or None where the run has none, as older ones."""

from dataclasses import dataclass

from plots.files import strict_json
from plots.files.pprof import Frame, Sample
from plots.program.errors import Refused

SIDES = ("value", "pointer")


@dataclass(frozen=True)
class Recorded:
    """Of one row."""

    ops: int  # operations of each side
    sides: dict  # {side: its samples, whose values are bytes and allocations}
    refused: str | None  # why nothing was recorded of it


@dataclass(frozen=True)
class Allocated:
    refused: str | None  # why nothing was recorded at all
    rows: dict  # by their names, of those that allocate


def load(folder):
    path = folder / "allocations.json"
    if not path.exists():
        return None
    document = strict_json.load(path, "allocations")
    frames = [Frame(function or "", file or "", line) for function, file, line in document["frames"]]
    return Allocated(document["refused"], {row["row"]: _row(row, frames, path) for row in document["rows"]})


def _row(row, frames, path):
    if "refused" in row:
        return Recorded(0, {side: () for side in SIDES}, row["refused"])
    return Recorded(row["ops"], {side: tuple(_sample(each, frames, path, row) for each in row[side]) for side in SIDES},
                    None)


def _sample(sample, frames, path, row):
    if max(sample["stack"]) >= len(frames):
        raise Refused(path, row["row"], f"a stack names frame {max(sample['stack'])} of {len(frames)}")
    return Sample((sample["bytes"], sample["allocs"]), tuple(frames[n] for n in reversed(sample["stack"])), False)
