# SPDX-License-Identifier: MIT
import pytest


@pytest.fixture
def run(tmp_path):
    """The verb, in a folder of its own and with a cache of its own: (status, stdout, stderr)."""
    import escaping

    def run(*arguments, **environment):
        done = escaping.run_escape(tmp_path, *arguments, **environment)
        return done.returncode, done.stdout, done.stderr
    return run


@pytest.fixture
def file(tmp_path):
    import escaping

    (tmp_path / "k.c").write_text(escaping.KEPT)
    return tmp_path / "k.c"
