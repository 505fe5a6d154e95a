# SPDX-License-Identifier: MIT
"""Sentences about counts that differ, and text that is cut to its place."""
from fractions import Fraction

import pytest

from plots.stats.statistics import Difference
from plots.words import sentences
from plots.words.fitting import cut
from plots.words.pair_sentences import of_counts

COUNTS = [
    ("allocs", 1, Fraction(1001, 1000), "allocated 1 time per operation in launch 0, 1.001 times in launch 3"),
    ("allocs", 0, Fraction(1, 1000), "allocated 0 times per operation in launch 0, 0.001 times in launch 3"),
    ("frees", 2, 1, "freed 2 times per operation in launch 0, 1 time in launch 3"),
    ("asked_b", 65536, 65537, "asked for 65,536 B per operation in launch 0, 65,537 B in launch 3"),
    ("granted_b", 4096, Fraction(4096001, 1000),
     "was granted 4096 B per operation in launch 0, 4096.001 B in launch 3"),
    ("allocs", 20, Fraction(20001, 1000), "allocated 20 times per operation in launch 0, 20.001 times in launch 3"),
    ("peak_b", 8, 9, "held at most 8 B in launch 0, 9 B in launch 3"),
]


@pytest.mark.parametrize("key, one, other, want", COUNTS)
def test_counts_that_differ(key, one, other, want):
    difference = Difference("pointer", key, (0, Fraction(one)), (3, Fraction(other)))
    assert of_counts(difference, {"value": "pool", "pointer": "malloc"}) == f"the malloc side {want}"


@pytest.mark.parametrize("text, fits, middle, want", [
    ("short", 5, False, "short"), ("short", 5, True, "short"), ("a longer text", 6, False, "a lon…"),
    ("a longer text", 7, True, "a lo…xt"), ("a longer text", 1, True, "a…"), ("", 0, False, ""),
    ("a longer text", lambda shown: shown.count("t") < 2, False, "a longer tex…"),
])
def test_cut(text, fits, middle, want):
    assert cut(text, fits, middle) == want


@pytest.mark.parametrize("low, high, estimate, said", [
    (256, 65536, 8600, "between 256 B and 64 KiB, probably near 8.4 KiB"),
    (4096, 8192, 6600, "between 4 and 8 KiB, probably near 6.4 KiB"),
        (16, 24, 20, "between 16 and 24 B, probably near 20 B"),
    (16, 24, 16.2, "between 16 and 24 B"), (16, 24, None, "between 16 and 24 B"), (None, None, 20, "near 20 B")])
def test_where_the_winner_changes(low, high, estimate, said):
    assert sentences.bracket(low, high, estimate, "B") == said
