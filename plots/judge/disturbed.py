# SPDX-License-Identifier: MIT
"""What else ran on the core while a row was measured, and what the ratio is with that."""

from dataclasses import replace

import numpy as np

from plots.judge.numbers import short
from plots.judge.pair_summary import Disturbed, estimate_of
from plots.stats import statistics


def of(launches, measured, ratio_of):
    """The Disturbed of a row from its Tidy launches and those that take part; None where nothing was measured.
    `ratio_of`: from a Measured to its ratio's Estimate, in ln units."""
    if not measured.launches:
        return None
    calm = measured.quiet.all() and not measured.left_out
    everything = measured if calm else replace(statistics.measure(launches), quiet=None)
    return Disturbed(share=_share(np.concatenate([one.quiet for one in launches])), kept=_share(measured.quiet),
                     ratio_with=estimate_of(ratio_of(everything)))


def _share(quiet):
    return short(float(1 - quiet.mean()))
