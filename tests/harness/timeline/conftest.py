# SPDX-License-Identifier: MIT
"""The program with marks that tests of `trace` run."""
import pytest


@pytest.fixture(scope="session")
def program(tmp_path_factory):
    from traced import HERE, compiled  # which skip all where there is no build folder
    return compiled(tmp_path_factory.mktemp("timeline") / "marked", HERE / "marked.c")
