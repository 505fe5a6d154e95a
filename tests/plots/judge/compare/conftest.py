# SPDX-License-Identifier: MIT
"""A run to compare, and the same rows measured again."""
import pytest

from comparing import run_of


@pytest.fixture
def a(tmp_path):
    return run_of(tmp_path / "a")


@pytest.fixture
def b(tmp_path):
    return run_of(tmp_path / "b", seed=2)
