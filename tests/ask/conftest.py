# SPDX-License-Identifier: MIT
"""A header with types to ask about."""
import pytest

from asking import HEADER


@pytest.fixture
def header(tmp_path):
    path = tmp_path / "types.h"
    path.write_text(HEADER)
    return path
