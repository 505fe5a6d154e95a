# SPDX-License-Identifier: MIT
"""Hold a row's counts to what its pair declares. ampersand-bench does so too (harness/bench/child_counts.c); this is
for older runs and for folders that were edited."""

from fractions import Fraction

REASON = "declaration"


def failure(counts, entry):
    """As the journal tells it, where no launch has the counts of the manifest's row; None where any has (launches that
    differ are a fault of their own), and where there are no counts."""
    broken = [_broken(one, entry) for one in counts]
    if not broken or not all(broken):
        return None
    return {"kind": "counts", "reason": REASON, "detail": broken[0]}


def _broken(one, entry):
    sides = {side: getattr(one, side) for side in ("value", "pointer") if getattr(one, side) is not None}
    return "; ".join(_words(side, entry[side], counted, one.ops) for side, counted in sides.items()
                     if not _is_kept(entry[side], counted, one.ops))


def _is_kept(side, counted, ops):
    """What a side does not declare (AMP_ANY) is kept by any count."""
    return all(key not in side or counted[of_all] == side[key] * ops
               for key, of_all in (("allocs_per_op", "allocs"), ("bytes_per_op", "asked_b")))


def _words(name, side, counted, ops):
    allocs, asked_b = (float(Fraction(counted[key], ops)) for key in ("allocs", "asked_b"))
    declared = [f"{side[key]:.10g}" if key in side else "any" for key in ("allocs_per_op", "bytes_per_op")]
    return (f"{name}: {declared[0]} allocations ({declared[1]} B) an operation declared, "
            f"{allocs:.10g} ({asked_b:.10g} B) counted")
