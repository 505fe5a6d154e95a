# SPDX-License-Identifier: MIT
"""What is found now and was not found before. Lines move as code is written, so they do not count: a finding is the
same if file, function, rule and words are; of several equal ones the number counts."""

import json
import sys
from collections import Counter
from pathlib import Path

from plots.escape.told import explain, sarif
from plots.program.errors import Refused


def findings(found):
    """[(what it is known by, the finding, its sentence)] of those that somebody may want to act on."""
    for one in found["locals"]:
        yield (("local-outlives-frame", Path(one["file"]).name, one["function"], one["name"]), one,
               f"{'bug' if one['returned'] else 'left behind'}: {explain.local(one)}")
    for one in found["allocations"]:
        if one["obstacle"] is None:
            yield ((sarif.rule_of(one), Path(one["file"]).name, one["function"], one["by"], one["bytes"]), one,
                   f"{explain.allocation(one)}: {explain.why(one)}")


def read(path):
    try:
        found = json.loads(Path(path).read_text())
        return Counter(key for key, _, _ in findings(found))
    except OSError as error:
        raise Refused(path, error.strerror or error) from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refused(path, "is not what `escape --format json` prints: "
                            f"{type(error).__name__}: {error}") from None


def report(found, known):
    """Name each finding that is new on stderr. How many there are."""
    left, new = Counter(known), 0
    for key, one, sentence in findings(found):
        if left[key] > 0:
            left[key] -= 1
            continue
        new += 1
        print(f"ampersand: new: {explain.place(one)}: {sentence}", file=sys.stderr)
    return new
