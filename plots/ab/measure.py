# SPDX-License-Identifier: MIT
"""Time the kernels that differ, look by look, until each is decided, or has had its time."""

import json
import subprocess
import sys

from plots.ab import judge
from plots.ab.link import harness
from plots.files import ab_run
from plots.program.errors import Refused

LOOKS = (1, 3, 6, 12, 24)  # visits
HOW = {"epoch_ns": 50000, "rounds_per_block": 16, "long_rounds": 2, "long_times": 10, "timeout_s": 120}
PASSED_ON = "failed: ", "left out", "went by waiting"


def settings_of(linked, kernels, asked, sides, allowed):
    return {"command": sys.argv, "sides": sides, "allowed": allowed,
            "rows": [*kernels, *(f"{kernel}{ab_run.FLOOR}" for kernel in kernels)],
            "settings": HOW | {"seed": asked.seed, "layouts": linked.layouts, "no_wait": asked.no_wait,
                               "programs": linked.programs, "results_differ": asked.results_differ,
                               "modules": str(linked.folder), "looks": list(LOOKS)}}


def measure(linked, kernels, asked, sides, scratch, out, allowed):
    """({kernel: judge.Row}, 1 if some row failed)."""
    given = scratch / "settings.json"
    given.write_text(json.dumps(settings_of(linked, kernels, asked, sides, allowed)))
    status = _start("run", given, out)
    for look in range(1, len(LOOKS) + 1):
        run = ab_run.load(out)
        judged = judge.judge(run, allowed)
        wanted = judge.wanting(run, judged, LOOKS, look, asked.budget) if status <= 1 and look < len(LOOKS) else []
        if not wanted:
            return judged, status
        listed = scratch / "rows"
        listed.write_text("".join(f"{name}\n" for name in wanted))
        status = max(status, _start("more", out, listed))
    return judged, status


def _start(*words):
    """The status of ampersand-ab, 0 or 1; what it says of failures is passed on."""
    done = subprocess.run([harness("ampersand-ab"), *map(str, words)], stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True, errors="replace")
    lines = done.stderr.splitlines()
    for line in lines:
        if any(part in line for part in PASSED_ON):
            print(line, file=sys.stderr)
    if done.returncode == 130:
        raise KeyboardInterrupt
    if done.returncode not in (0, 1):
        raise Refused(lines[-1].removeprefix("ampersand: ") if lines else f"ampersand-ab ended with {done.returncode}")
    return done.returncode
