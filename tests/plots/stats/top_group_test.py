# SPDX-License-Identifier: MIT
"""The top group holds the true best as often as it says, by simulation; and leaves out what is clearly worse."""
import numpy as np
import pytest
from scipy import stats

from plots.stats import multiplicity, top_group
from plots.stats.multiplicity import LEAST


def group_of(matrix, floor=LEAST):
    """`matrix`: [launch][configuration], in ln units."""
    names = list(range(matrix.shape[1]))
    return top_group.top_group(names, lambda i, j: matrix[:, i] - matrix[:, j], floor)


def test_the_only_best_stands_alone():
    random = np.random.default_rng(1)
    matrix = random.normal(0, 0.005, (13, 27)) + 0.1 * np.arange(27)
    assert group_of(matrix) == [0]
    assert group_of(np.zeros((13, 5))) == [0, 1, 2, 3, 4], "ties stay together"
    assert group_of(matrix[:3]) == list(range(27)), "three launches tell nothing"
    assert group_of(matrix[:, :1]) == [0]


@pytest.mark.parametrize("name, truths, noise, floor", [
    ("all are equal", [0.0] * 27, "normal", LEAST),
    ("two are best", [0.0, 0.0] + [0.02] * 25, "normal", LEAST),
    ("one, by the floor", [-0.005] + [0.0] * 26, "heavy", LEAST),
    ("far apart", list(np.linspace(0, 1, 27)), "heavy", LEAST),
    ("no floor", [0.0] * 10, "heavy", 0.0)])
def test_the_true_best_is_in_it(name, truths, noise, floor):
    """95 %, though the launches share what the moment did, and the configurations a baseline of one launch."""
    random, n, missed = np.random.default_rng(2), 400, 0
    for _ in range(n):
        shape = (13, len(truths))
        own = random.normal(0, 0.01, shape) if noise == "normal" else 0.01 * random.standard_t(1.5, shape)
        matrix = np.array(truths) + random.normal(0, 0.05, (13, 1)) + own
        missed += int(np.argmin(truths)) not in group_of(matrix, floor)
    assert missed <= stats.binom.ppf(0.999, n, 0.05), f"{missed} of {n}"


def test_what_reads_best_is_not_taken_for_the_best():
    """Of equal configurations, holding each against the one that reads best as if it had been named before would leave
    many out: that is what the group is for."""
    random, naive, ours = np.random.default_rng(3), 0, 0
    for _ in range(100):
        matrix = random.normal(0, 0.05, (13, 27))
        best = int(np.median(matrix, axis=0).argmin())
        naive += sum(multiplicity.estimate(matrix[:, i] - matrix[:, best], 0.95).low > 0 for i in range(27)
                     if i != best)
        ours += 27 - len(group_of(matrix, 0.0))
    assert naive > 150 and ours <= 0.05 * 27 * 100, (naive, ours)


@pytest.mark.parametrize("values, error, want", [
    ([1] * 13, 2.0 ** -13, True), ([1] * 12, 2.0 ** -13, False), ([1] * 12 + [-1], 2.0 ** -13, False),
    ([1] * 12 + [-1], 14 * 2.0 ** -13, True), ([LEAST] * 13, 0.5, False), ([], 0.5, False)])
def test_a_sign_test(values, error, want):
    assert top_group.is_worse(values, LEAST, error) == want
