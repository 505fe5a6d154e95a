# SPDX-License-Identifier: MIT
"""Which wrappers of malloc() the analysis finds of those that a person found by reading: wrappers.txt.

python3 tests/harness/escape/by_hand/wrappers.py PROGRAM FILE.json, where FILE.json is what `escape --format json`
printed of the program and PROGRAM is a name in the list, as lua. What is found and not in the list is printed, too: to
be read."""
import json
import re
import sys
from pathlib import Path

BY_HAND = Path(__file__).with_suffix(".txt")


def by_hand(program):
    """{name: "file:line"}."""
    parts = re.split(r"^\[(.*)\]$", BY_HAND.read_text(), flags=re.M)
    for head, body in zip(parts[1::2], parts[2::2]):
        if head.split()[0] == program:
            return {name: place for place, name in (line.split() for line in body.split("\n") if line)}
    sys.exit(f"{program} is not in {BY_HAND.name}")


def main(program, file):
    known = by_hand(program)
    found = {one["function"]: f"{Path(one['file']).name}:{one['line']}"
             for one in json.loads(Path(file).read_text())["wrappers"]}
    print(f"{program}: {len(known.keys() & found.keys())} of {len(known)} are found")
    for name in sorted(known.keys() - found.keys()):
        print(f"    not found: {known[name]} {name}")
    for name in sorted(found.keys() - known.keys()):
        print(f"    found, not in the list: {found[name]} {name}")


if __name__ == "__main__":
    main(*sys.argv[1:])
