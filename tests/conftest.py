# SPDX-License-Identifier: MIT
"""What several of the Python tests share."""

import json
import re
import shutil
import signal
import zlib

import pytest
import synthetic

# What is ignored where the tests were started (nohup, a shell's &) would be ignored in all that they start, too.
signal.signal(signal.SIGINT, signal.default_int_handler)
for number in (signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM):
    signal.signal(number, signal.SIG_DFL)

SMALL = synthetic.Plan(launches=6, layouts=4, rounds=4)


@pytest.fixture
def small_rows():
    return [synthetic.Truth("pass", 8, 0.3, 2.0, layout_sd=0.02),
            synthetic.Truth("factory", 4096, -0.5, 90.0, "factory", allocs=(0, 1), bytes=(0, 4096))]


@pytest.fixture
def small_run(tmp_path, small_rows):
    """A run folder of two rows, six launches each."""
    return synthetic.write_run(tmp_path / "run", small_rows, SMALL)


@pytest.fixture
def never_quiet():
    """A function of a run's folder: its launches are left to do again, on a core that was quiet at a nanosecond, which
    none is. The manifest as it then is."""
    def change(run):
        manifest = json.loads((run / "manifest.json").read_text())
        manifest["settings"]["quiet_ns"] = 1
        text = json.dumps(manifest).encode()
        (run / "manifest.json").write_bytes(text)
        journal = (run / "journal.jsonl").read_text()
        (run / "journal.jsonl").write_text(re.sub(r'"manifest_crc32": ?\d+', f'"manifest_crc32": {zlib.crc32(text)}',
                                                  journal))
        shutil.rmtree(run / "launches")
        return manifest
    return change


def pytest_sessionfinish(session, exitstatus):
    """A file that is skipped as a whole, since something optional is not here, is no failure."""
    skipped = session.config.pluginmanager.get_plugin("terminalreporter").stats.get("skipped")
    if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and skipped:
        session.exitstatus = pytest.ExitCode.OK
