# SPDX-License-Identifier: MIT
"""Judge by exact counts alone: does the head allocate more, or execute more? The same each time, on any machine."""

from plots.ab.judge import Row
from plots.stats.quads import Verdict

NEVER_MORE = "allocs", "asked_b"
ITS_OWN = 1  # instructions: what an allocator does once in a while falls into one count or another


def judge(kernels, counts, allowed):
    """{kernel: Row}, whose verdict is `more`, `fewer`, `same` or `failed`. `allowed`: by how much the instructions may
    rise, as a fraction; None: nothing fails."""
    return {kernel: _row(kernel, counts.get(kernel), allowed) for kernel in kernels}


def _row(kernel, both, allowed):
    refused = next((one.refused for one in both.values() if one.refused), None) if both else "it was not counted"
    if refused:
        return Row(kernel, Verdict("failed"), failure={"reason": "counts", "detail": refused})
    base, head = both["base"], both["head"]
    known = [key for key in (*NEVER_MORE, "instructions") if base[key] is not None and head[key] is not None]
    least = {"instructions": ITS_OWN}
    more = [key for key in known if head[key] > base[key] and head[key] - base[key] >= least.get(key, 0)]
    fewer = [key for key in known if head[key] < base[key] and base[key] - head[key] >= least.get(key, 0)]
    fails = allowed is not None and any(key in NEVER_MORE or head[key] > base[key] * (1 + allowed) for key in more)
    if more:
        return Row(kernel, Verdict("more", fails=fails))
    return Row(kernel, Verdict("fewer" if fewer else "same"))
