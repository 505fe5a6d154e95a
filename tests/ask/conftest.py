# SPDX-License-Identifier: MIT
"""A header with types to ask about, and the compilers that are asked."""
from functools import lru_cache

import pytest

from ask.types import compiler as compilers
from asking import CC, HEADER


@pytest.fixture
def header(tmp_path):
    path = tmp_path / "types.h"
    path.write_text(HEADER)
    return path


@pytest.fixture(scope="module")
def compiler(tmp_path_factory):
    """A function of a compiler and flags. What it finds out once, and what it compiles once, serves all tests."""
    made = lru_cache(maxsize=None)(lambda cc, flags, include, language: compilers.make(
        cc, include, flags, tmp_path_factory.mktemp("made"), language))
    return lambda cc=CC, flags="", include=(), language="c": made(cc, flags, include, language)
