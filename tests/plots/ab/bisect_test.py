# SPDX-License-Identifier: MIT
"""--bisect: it finds the commit, in few steps, around commits that cannot be built."""
import math

import pytest

from plots.ab import bisect


@pytest.mark.parametrize("n", [1, 2, 3, 16, 100])
def test_it_finds_each(n):
    commits = list(range(n))
    for first in commits:
        found = bisect.bisect(commits, lambda commit: commit >= first)
        assert (found.first_bad, found.also) == (first, [])
        assert found.tried <= math.ceil(math.log2(max(n, 2)))


@pytest.mark.parametrize("broken, first, want, also", [
    ({3}, 5, 5, []), ({4}, 5, 5, [4]), ({0, 1, 2, 3, 4, 5, 6}, 3, 7, [0, 1, 2, 3, 4, 5, 6]), ({5}, 5, 6, [5])])
def test_what_cannot_be_built_is_left_out(broken, first, want, also):
    found = bisect.bisect(list(range(8)), lambda commit: None if commit in broken else commit >= first)
    assert (found.first_bad, found.also) == (want, also)
