# SPDX-License-Identifier: MIT
import os
import subprocess
import sys

import pytest

from places import ROOT


@pytest.fixture
def run(tmp_path):
    """The verb, in a folder of its own and with a cache of its own: (status, stdout, stderr)."""
    import escaping

    def run(*arguments, **environment):
        done = subprocess.run([sys.executable, "-m", "plots", "escape", *map(str, arguments)], cwd=tmp_path, text=True,
                              capture_output=True, env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200",
                                                        "AMPERSAND_BUILD": str(escaping.TOOL.parents[2]),
                                                        "XDG_CACHE_HOME": str(tmp_path / ".cache"), **environment})
        return done.returncode, done.stdout, done.stderr
    return run


@pytest.fixture
def file(tmp_path):
    import escaping

    (tmp_path / "k.c").write_text(escaping.KEPT)
    return tmp_path / "k.c"
