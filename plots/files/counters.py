# SPDX-License-Identifier: MIT
"""counters.json of a run: what the sides execute, or None where the run has none, as older ones."""

from dataclasses import dataclass

from plots.files import strict_json


@dataclass(frozen=True)
class Counted:
    """Of all rows; `rows` by their names, as in the file."""

    source: str | None  # processor, valgrind
    refused: str | None  # why nothing was counted
    rows: dict


def load(folder):
    path = folder / "counters.json"
    if not path.exists():
        return None
    document = strict_json.load(path, "counters")
    return Counted(document["source"], document["refused"], {row["row"]: row for row in document["rows"]})
