# SPDX-License-Identifier: MIT
"""Crossovers from verdicts: the bracket is of measured sizes, the guess lies in it, and nothing is called across a size
that is undecided."""
import itertools

import pytest

from plots.stats import crossover
from plots.stats.crossover import NEITHER
from plots.words import sentences

V, P, N, U = "value", "pointer", NEITHER, None
TABLE = [
    # name, sizes, ln ratios, winners, state, (low, high, near, who below) of each, sentence
    ("in the middle of a doubling", [8, 16, 32, 64], [0.3, 0.1, -0.1, -0.4], [V, V, P, P], "crossing",
     [(16, 32, 22.627, V)], "from value to pointer between 16 and 32 B, probably near 23 B"),
    ("the other way", [8, 16, 32], [-0.3, 0.1, 0.5], [P, V, V], "crossing", [(8, 16, 13.454, P)],
     "from pointer to value between 8 and 16 B, probably near 13 B"),
    ("two", [8, 16, 32, 64], [0.2, -0.2, -0.2, 0.2], [V, P, P, V], "crossing",
     [(8, 16, 11.314, V), (32, 64, 45.255, P)],
     "from value to pointer between 8 and 16 B, probably near 11 B; then from pointer to value between 32 and 64 B, "
     "probably near 45 B"),
    ("a cliff", [8, 16, 17, 64], [0.3, 0.2, -0.4, -0.4], [V, V, P, P], "crossing", [(16, 17, 16.327, V)],
     "value up to 16 B, pointer from 17 B"),
    ("neither in between", [8, 16, 32, 64], [0.2, 0.01, -0.01, -0.2], [V, N, N, P], "crossing", [(8, 64, 22.627, V)],
     "from value to pointer between 8 and 64 B, probably near 23 B (neither at 16 B, 32 B)"),
    ("undecided in between", [8, 16, 32, 64], [0.2, 0.01, -0.01, -0.2], [V, U, N, P], "open", [],
     "value up to 8 B, pointer from 64 B; undecided between them: 16 B"),
    ("one called, one not", [8, 16, 32, 64], [0.2, -0.2, 0.0, 0.2], [V, P, U, V], "crossing", [(8, 16, 11.314, V)],
     "from value to pointer between 8 and 16 B, probably near 11 B; then pointer up to 16 B, value from 64 B; "
     "undecided between them: 32 B"),
    ("undecided at the end", [8, 16, 32], [0.2, -0.2, 0.1], [V, P, U], "crossing", [(8, 16, 11.314, V)],
     "from value to pointer between 8 and 16 B, probably near 11 B"),
    ("none", [8, 16, 65536], [0.2, 0.1, 0.3], [V, V, V], "none", [],
     "none between 8 B and 64 KiB: value wins at every size"),
    ("noise around 1", [8, 16, 32], [0.2, -0.001, 0.2], [V, U, V], "none", [],
     "none shown between 8 B and 32 B: value wins at 2 of 3 sizes"),
    ("nobody wins", [8, 16, 4112], [0.0, 0.1, -0.1], [U, N, U], "unclear", [],
     "no size between 8 B and 4112 B has a winner for certain"),
    ("a verdict against the line", [8, 16, 32], [0.2, 0.1, 0.1], [V, V, P], "crossing", [(16, 32, 22.627, V)],
     "from value to pointer between 16 and 32 B, probably near 23 B"),
]


@pytest.mark.parametrize("name, sizes, curve, winners, state, want, said", TABLE, ids=[row[0] for row in TABLE])
def test_crossovers(name, sizes, curve, winners, state, want, said):
    result = crossover.crossovers("pass", sizes, curve, winners)
    assert result.state == state
    assert [(one.low, one.high, round(one.size, 3), one.faster_below) for one in result.found] == want
    assert sentences.crossover(result) == said


def test_too_few_launches():
    result = crossover.crossovers("pass", [8, 16], [0.2, -0.2], [U, U], enough=False)
    assert result.state == "few" and sentences.crossover(result) == "unknown between 8 B and 16 B: too few launches"


def test_whatever_the_verdicts_a_bracket_is_of_neighbouring_winners():
    """All verdicts of four sizes, over curves that agree with them or do not."""
    sizes = [8, 16, 17, 300]
    for winners in itertools.product((V, P, N, U), repeat=4):
        for curve in ([0.3, 0.1, -0.1, -0.3], [-0.3, 0.2, 0.0, 0.3], [0.0] * 4):
            result = crossover.crossovers("pass", sizes, curve, winners)
            of = dict(zip(sizes, winners))
            changes = [(a, b) for a, b in itertools.combinations([s for s in sizes if of[s] in (V, P)], 2)
                       if of[a] != of[b] and not any(of[s] in (V, P) for s in sizes if a < s < b)]
            assert sorted((one.low, one.high) for one in result.found + result.across) == changes
            for one in result.found:
                assert one.low < one.size < one.high or one.size in (one.low, one.high)
                assert of[one.low] == one.faster_below != of[one.high] == one.faster_above
                assert U not in [of[s] for s in sizes if one.low < s < one.high]
            assert all(one.size is None for one in result.across)


@pytest.mark.parametrize("low, high, estimate, unit, want", [
    (256, 65536, 8617.3, "elements", "between 256 and 65,536 elements, probably near 8600 elements"),
    (1, 16, 1.08, "elements", "between 1 element and 16 elements, probably near 1.1 elements"),
    (4096, 4112, 4100, "B", "between 4 KiB and 4112 B"),
    (512, 1024, 799, "B", "between 512 B and 1 KiB, probably near 800 B"),
    (4096, 8192, 6447, "B", "between 4 and 8 KiB, probably near 6.3 KiB"), (None, None, 16.2, "B", "near 16 B"),
])
def test_bracket(low, high, estimate, unit, want):
    assert sentences.bracket(low, high, estimate, unit) == want
