# SPDX-License-Identifier: MIT
"""Which of several configurations may be the best: the top group, which holds the true best with a known confidence.

To compare everything with whatever reads best, as if that had been chosen beforehand, finds too many differences: the
least of 27 numbers is least by luck, too. Multiple comparisons with the best (Hsu 1981; Edwards and Hsu 1983 build them
from simultaneous intervals) ask of each configuration instead whether it may be the best:

    i is out of the group if some j is shown to be better than i by more than the floor,
    by the sign test over the launches that both ran in, one-sided, at (1 - confidence) / (k - 1) of k configurations

The true best is left out only if one of its k - 1 tests errs, each with at most that probability, whatever the
distribution and however the launches of j and j' depend on each other. So it is in the group with at least
`confidence`. The floor covers what does not average out over launches. It is that of the workload's cells
(multiplicity.py), so that who is called slower than another beyond it is not in the group beside that one."""

import numpy as np
from scipy import special


CONFIDENCE = 0.95  # for each workload


def top_group(names, differences, floor, confidence=CONFIDENCE):
    """The names that may be the best, in their order. `differences(i, j)`: of each launch ln x_i - ln x_j; less is
    better."""
    least = (1 - confidence) / max(1, len(names) - 1)
    return [one for one in names
            if not any(is_worse(differences(one, other), floor, least) for other in names if other != one)]


def is_worse(values, floor, error):
    """Whether the median of the values is shown to lie above the floor, with at most this probability of error."""
    values = np.asarray(values)
    return len(values) > 0 and float(special.bdtr((values <= floor).sum(), len(values), 0.5)) <= error
