# SPDX-License-Identifier: MIT
"""The door in a checkout of its own, under both shells that a small system has."""
import shutil

import pytest

from stubs import SHELLS, Door


@pytest.fixture(params=SHELLS)
def door(request, tmp_path):
    if not shutil.which(SHELLS[request.param][0]):
        pytest.skip(f"{request.param} is not here: apt-get install {request.param}")
    return Door(tmp_path, SHELLS[request.param])
