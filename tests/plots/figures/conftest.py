# SPDX-License-Identifier: MIT
"""The figures of every case, drawn once."""
import copy

import pytest

from drawn import CASES, MANIFEST, Once, texts
from plots.figures import pictures


@pytest.fixture(scope="session")
def figures():
    return Once(lambda case: pictures.draw(copy.deepcopy(CASES[case]), MANIFEST))


@pytest.fixture(scope="session")
def words(figures):
    """{case: {figure: (fig, its texts with their boxes)}}"""
    return Once(lambda case: {name: (fig, texts(fig)) for name, fig in figures[case].items()})
