# SPDX-License-Identifier: MIT
"""The door in a checkout of its own, under the shells that small systems have."""
import os
import shutil
import zlib

import pytest

from stubs import SHELLS, Door


@pytest.fixture(params=SHELLS if os.environ.get("AMPERSAND_HEAVY") else ["one of them"])
def door(request, tmp_path):
    """Each test takes one of the shells, by its name; or both, if asked for more."""
    there = [name for name, command in SHELLS.items() if shutil.which(command[0])]
    name = request.param if request.param in SHELLS else there[zlib.crc32(request.node.name.encode()) % len(there)]
    if name not in there:
        pytest.skip(f"{name} is not here: apt-get install {name}")
    return Door(tmp_path, SHELLS[name])
