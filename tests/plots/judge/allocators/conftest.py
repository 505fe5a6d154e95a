# SPDX-License-Identifier: MIT
"""A run of allocators with known numbers: as it is, its summary, and copies to damage."""
import dataclasses
import shutil

import pytest

from columns import PLAN, write
from plots.files.allocator_run import load
from plots.words import allocator_sentences


@pytest.fixture(scope="session")
def pristine(tmp_path_factory):
    return write(tmp_path_factory.mktemp("allocators") / "run")


@pytest.fixture(scope="session")
def summary(pristine):
    return allocator_sentences.summarize(load(pristine))


@pytest.fixture
def copy(pristine, tmp_path):
    return shutil.copytree(pristine, tmp_path / "run")


@pytest.fixture(scope="session")
def unsummed(tmp_path_factory):
    """As pristine, but its journal keeps no CRC-32: what a file says must be enough to refuse it."""
    return write(tmp_path_factory.mktemp("allocators") / "run", dataclasses.replace(PLAN, launches=3, checksums=False))
