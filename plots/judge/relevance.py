# SPDX-License-Identifier: MIT
"""Does a difference matter? What a row's difference is in ns, and whether its winner's advantage is small."""

from dataclasses import replace

from plots.judge import claims
from plots.judge.numbers import short
from plots.judge.pair_summary import Estimate
from plots.stats import worth


def told(row):
    """The row with its difference: the value side's time by ratio - 1, over the interval of the ratio."""
    if not row.ratio or not row.value_ns_per_op:
        return replace(row, difference_ns=None, small=None)
    value_ns = row.value_ns_per_op.estimate
    ends = {key: x if x is None else short(worth.difference_ns(value_ns, x)) for key, x in vars(row.ratio).items()}
    winner = claims.winner(row) in ("value", "pointer")
    return replace(row, difference_ns=Estimate(**ends),
                   small=worth.is_small(value_ns, row.ratio.estimate) if winner else None)
