# SPDX-License-Identifier: MIT
"""How often each allocation ran, from a profile of the program: its line stands in the stack of what it made."""

import os
import subprocess
from collections import Counter
from pathlib import Path

from plots.files import pprof
from plots.program.errors import Refused, one_line


def record(command, folder):
    """The profile of a run of the user's command."""
    program = Path(os.environ.get("AMPERSAND_BUILD", "build")) / "harness/profile/ampersand-profile"
    if not program.exists():
        raise Refused("--run", "ampersand-profile is not built here")
    out = Path(folder) / "run.pb.gz"
    done = subprocess.run([program, "-o", out, "--", "sh", "-c", command], stdout=2, stderr=subprocess.PIPE, text=True,
                          errors="replace")
    if not out.exists():
        said = [line for line in done.stderr.splitlines() if line.startswith("ampersand: ")]
        why = one_line(said[-1]).removeprefix("ampersand: ") if said else f"status {done.returncode}"
        raise Refused("--run", command, why)
    return out


def calls(path):
    """{(file's name, function, line): how many objects came from there}."""
    profile, found = pprof.read(path), Counter()
    kinds = [name for name, _ in profile.types]
    if "alloc_objects" not in kinds:
        raise Refused(path, "does not say how many objects were allocated: profile -o without --cpu and --copies does")
    for sample in profile.samples:
        for frame in set(sample.stack):
            found[os.path.basename(frame.file), frame.function,
                  frame.line] += sample.values[kinds.index("alloc_objects")]
    return found


def add(found, path):
    """Set "calls" of each allocation, if any of them is in the profile; else why none is: in one line."""
    ran = calls(path)
    of = [ran[os.path.basename(site["file"]), site["function"], site["line"]] for site in found["allocations"]]
    if not any(of):
        named = not ran or any(function and not function.startswith("0x") for _, function, _ in ran)
        return "no allocation of this program is in it: " + (
            "was the program compiled with -g?" if named else "nothing is named in it, for which libdw-dev is needed")
    for site, n in zip(found["allocations"], of):
        site["calls"] = n
    return None
