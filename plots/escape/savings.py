# SPDX-License-Identifier: MIT
"""What an allocation costs on this machine, from the lesson `factory` of a run: a new object on the heap against one in
the frame, at sizes around the object's."""

import json
import math
from pathlib import Path

from plots.program.errors import Refused


def costs(run):
    """[(bytes, low, high)]: what the heap costs more, in ns, at each measured size."""
    path = Path(run) / "summary.json" if Path(run).is_dir() else Path(run)
    try:
        rows = [row for row in json.loads(path.read_text())["rows"]
                if row["pair"] == "factory" and not row.get("failed")]
        found = sorted((row["size"], row["pointer_ns_per_op"]["low"] - row["value_ns_per_op"]["high"],
                        row["pointer_ns_per_op"]["high"] - row["value_ns_per_op"]["low"]) for row in rows)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Refused(path, f"is no summary of a run: {type(error).__name__}: {error}") from None
    if not found:
        raise Refused(path, "the run has no row of the lesson factory")
    return found


def saving(measured, size):
    """(low, high) in ns an object, between the sizes beside it, never beyond them; None where that is not certain."""
    below = [one for one in measured if one[0] <= size]
    above = [one for one in measured if one[0] >= size]
    if not below or not above:
        return None
    (a, *at_a), (b, *at_b) = below[-1], above[0]
    share = 0 if a == b else math.log(size / a) / math.log(b / a)
    low, high = (x + share * (y - x) for x, y in zip(at_a, at_b))
    return (low, high) if low > 0 else None


def add(found, run):
    """Set "saving_ns" of each allocation that could live in the frame."""
    measured = costs(run)
    for site in found["allocations"]:
        if site["obstacle"] is None:
            site["saving_ns"] = saving(measured, site["bytes"]) if site["bytes"] else None
