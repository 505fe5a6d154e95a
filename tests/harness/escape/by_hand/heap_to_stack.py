# SPDX-License-Identifier: MIT
"""How many allocations LLVM's own attributor (HeapToStack) would move to the stack, beside what is found here.

python3 tests/harness/escape/by_hand/heap_to_stack.py FILE.bc..., with AMPERSAND_BUILD set, prints both for the files
linked."""
import collections
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[n]) for n in (1, 3, 4)]

import escaping

CALL = re.compile(r"(?:call|invoke)\b[^@]*@(malloc|calloc|aligned_alloc)\(.*!dbg !(\d+)")


def tool(name):
    found = shutil.which(f"{name}-{escaping.MAJOR}") or shutil.which(name)
    if not found:
        sys.exit(f"{name} is not here: apt-get install llvm-{escaping.MAJOR}")
    return found


def calls(bitcode):
    """How many calls of the C library's allocators, by the line of the debug information that each bears."""
    text = subprocess.run([tool("llvm-dis"), "-o", "-", bitcode], capture_output=True, text=True, check=True,
                          errors="replace").stdout
    places = dict(re.findall(r"^!(\d+) = (?:distinct )?!DILocation\((line: \d+, column: \d+)", text, re.M))
    return collections.Counter((found[1], places.get(found[2])) for found in map(CALL.search, text.splitlines())
                               if found)


def moved(files):
    """By the attributor: calls that are there before it and not behind it."""
    with tempfile.TemporaryDirectory() as folder:
        before, after = Path(folder, "before.bc"), Path(folder, "after.bc")
        linked = Path(folder, "linked.bc")
        subprocess.run([tool("llvm-link"), "-o", linked, *files], check=True, stderr=subprocess.DEVNULL)
        passes = "function(sroa,instsimplify),inferattrs"
        subprocess.run([tool("opt"), f"-passes={passes}", "-o", before, linked], check=True)
        subprocess.run([tool("opt"), f"-passes={passes},attributor,function(sroa,instsimplify)",
                        "-max-heap-to-stack-size=65536", "-o", after, linked], check=True)
        left = calls(after)
        return sum(max(0, n - left[place]) for place, n in calls(before).items())


def main(files):
    sites = escaping.analyse(*files)["allocations"]
    here = sum(site["obstacle"] is None for site in sites)
    print(f"{len(sites)} allocations: {here} could live in the frame; the attributor moves {moved(files)}")


if __name__ == "__main__":
    main(sys.argv[1:])
