# SPDX-License-Identifier: MIT
"""Rows whose sides disturb each other: their answer is what each side takes alone.

Where carry-over is found (stats/carry_over.py), a program that uses only one of the sides has the solo ratio, and a
program that uses both by turns is the exception. So times, ratio, spread and verdict of the row are those of its solo
launches; what it read by turns stands beside it. The verdict follows by the same rule. The spread is that of the solo
launches, p10 to p90, each at a layout of its own: it has the noise of a launch in it, too."""

from dataclasses import fields, replace

import numpy as np

from plots.judge.numbers import exponentials, short
from plots.judge.pair_summary import ByTurns, Solo, Spread, estimate_of
from plots.stats import carry_over, statistics, stopping


def answers(run, rows, measured, threshold):
    """The rows with their solo parts, and with solo answers where the sides carry over."""
    return [answered(row, result, threshold, run.quick) for row, result in zip(rows, judged(run, measured))]


def judged(run, measured):
    """The CarryOver of each row, or None. `measured`: statistics.Measured by the row's name."""
    cells = [carry_over.cell(one.solo, measured[one.name], one.threads) for one in run.rows]
    looks, had = len(stopping.solo_looks(run.manifest)), stopping.looks_had(run, stopping.SOLO)
    confidences = carry_over.levels(cells, [stopping.share(looks, had.get(one.name, 1)) for one in run.rows])
    return [carry_over.judge(cell, confidence) for cell, confidence in zip(cells, confidences)]


def wanting(run, measured):
    """The names of rows that want another look, as long as there may be one: all but those whose sides certainly do not
    disturb each other. Where they do, the row's answer comes from its solo launches. Once the last rows were named, no
    other wants anything: what they found changes the level of all."""
    had = stopping.looks_had(run, stopping.SOLO)
    if max(had.values(), default=1) >= len(stopping.solo_looks(run.manifest)):
        return []
    return [one.name for one, result in zip(run.rows, judged(run, measured))
            if result and result.found is not False and not one.failed]


def answered(row, result, threshold, quick):
    """The row with its solo part, and with the solo answer if there is one; `result` is a CarryOver or None."""
    if result is None:
        return row
    told = None if quick else result.found
    row = replace(row, solo=Solo(
        launches=result.launches, ratio=estimate_of(result.solo), paired_ratio=short(np.exp(result.paired).item()),
        difference=estimate_of(result.difference), carry_over=told))
    decides = told and row.ratio and row.verdict not in ("no verdict", "failed")
    return _switched(row, result, threshold) if decides else row


def _switched(row, result, threshold):
    p10, p90 = result.spread
    verdict = statistics.classify(result.solo.low, result.solo.high, p10, p90, threshold)
    value, pointer = (estimate_of(statistics.estimate(side, statistics.CONFIDENCE)) for side in result.ln_sides)
    paired = ByTurns(**{field.name: getattr(row, field.name) for field in fields(ByTurns)})
    return replace(
        row, value_ns_per_op=value, pointer_ns_per_op=pointer, ratio=row.solo.ratio, paired=paired, outside_spread=None,
        spread=Spread(**exponentials(p10=p10, p90=p90)), verdict=verdict.name, equal_within=verdict.equal_within)
