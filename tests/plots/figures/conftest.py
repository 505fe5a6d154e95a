# SPDX-License-Identifier: MIT
"""The figures of every case, drawn once."""
import pytest

from drawn import CASES, MANIFEST, Once, texts
from plots.figures import pictures
from plots.judge import pair_summary


@pytest.fixture(scope="session")
def figures():
    return Once(lambda case: pictures.draw(pictures.plans(pair_summary.read(CASES[case]), MANIFEST)))


@pytest.fixture(scope="session")
def words(figures):
    """{case: {figure: (fig, its texts with their boxes)}}"""
    return Once(lambda case: {name: (fig, texts(fig)) for name, fig in figures[case].items()})
