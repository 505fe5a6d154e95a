# SPDX-License-Identifier: MIT
"""The pairs of every lesson, by gcc and by clang."""
import shutil

import pytest

import built
from loaded import OF_THE_PROGRAM, link, pairs_in


@pytest.fixture(scope="module")
def pairs_of(tmp_path_factory):
    """A function of a compiler and a lesson."""
    folder, made = tmp_path_factory.mktemp("lessons"), {}

    def get(compiler, lesson):
        if not shutil.which(compiler):
            pytest.skip(f"{compiler} is not here: apt-get install {compiler}")
        if (compiler, lesson) not in made:
            module = None if lesson in OF_THE_PROGRAM else built.module(compiler, lesson)
            made[compiler, lesson] = pairs_in(module) if module else link(folder, compiler, lesson)
        return made[compiler, lesson]
    return get
