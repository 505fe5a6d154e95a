# SPDX-License-Identifier: MIT
"""A row's launches as the statistics see them: the matrices of launches.csv, made from raw rounds or read."""

import math
from dataclasses import replace

import numpy as np

from plots.files import pair_run
from plots.files.launches_csv import Alone, Tidy
from plots.judge import pair_summary
from plots.stats import carry_over, statistics


def load(folder, configuration=None):
    """A run (pair_run.py) whose launches are Tidy."""
    return pair_run.load(folder, configuration, shrink=lambda row: replace(row, launches=tuple(launches(row))))


def rows(run):
    """(name, Tidy launches, Alone launches) of each row, as launches_csv.text() takes them."""
    for row in run.rows:
        yield row.name, launches(row), list(alone(row))


def launches(row):
    """The Tidy launches of a row."""
    return [launch if isinstance(launch, Tidy) else _tidy(launch) for launch in row.launches]


def _tidy(launch):
    medians, quiet = statistics.reduced(launch)
    return Tidy(launch.number, np.unique(launch.layouts, axis=0), medians, quiet, launch.ops * launch.value_ns.size)


def alone(row):
    """The Alone launches of a row that timed both sides."""
    for number, one in enumerate(row.solo):
        times = one if isinstance(one, Alone) else carry_over.solo_times(one, carry_over.clock_of(row.threads))
        if isinstance(times, Alone):
            yield times
        elif times:
            value, pointer, layout = times
            yield Alone(number, layout, *(statistics.six_digits(np.exp(x)).item() for x in (value, pointer)))


# ---- Of a published run

def disagreements(run):
    """A line for each row whose published numbers cannot come from its launches. Whatever the estimator was: a median
    or a mean lies among what it was made from, and whoever takes part was launched."""
    summary = pair_summary.read(run.published)
    if not any(row.launches for row in run.rows):
        return
    for row in summary.rows:
        found = statistics.measure(run.row(row.row).launches)
        if found.launches != row.launches + row.left_out:
            yield (f"{row.row}: {row.launches} launches and {row.left_out} left out, where {found.launches} were "
                   "published")
        elif row.by_turns.ratio:
            low, high = (math.exp(end(found.ln_ratio)) for end in (lambda x: x.min(), lambda x: x.max()))
            if not low * (1 - 1e-5) <= row.by_turns.ratio.estimate <= high * (1 + 1e-5):
                yield (f"{row.row}: a ratio of {row.by_turns.ratio.estimate:g}, where its launches read {low:g} to "
                       f"{high:g}")
