# SPDX-License-Identifier: MIT
"""A run that was finished, for the tests that only look at one, or copy it to change it."""
import shutil

import pytest

from launching import PLAN, bench


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The folder of a finished run, and the process that made it."""
    run = tmp_path_factory.mktemp("whole") / "run"
    done = bench("--out", run, *PLAN)
    assert done.returncode == 0, done.stderr
    return run, done


@pytest.fixture
def finished(whole, tmp_path):
    """A copy, in which one launch is missing."""
    run = shutil.copytree(whole[0], tmp_path / "run")
    (run / "launches/default/good/size=8/001.json").unlink()
    return run
