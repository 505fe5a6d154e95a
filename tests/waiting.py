# SPDX-License-Identifier: MIT
"""Waiting for what must happen: the file, the line, the process. Never for a time, which a busy machine does not keep."""
import time

HANGS_S = 600  # what takes longer hangs, however busy the machine; nothing that is right comes near it


def wait_for(condition, process=None):
    """What condition() gives as soon as that is true; `process` is what brings it about, and must not end without."""
    begin = time.monotonic()
    while not (found := condition()):
        ended = process is not None and process.poll() is not None
        if ended and (found := condition()):
            break
        assert not ended, f"it ended with {process.returncode}, and what was waited for did not come"
        assert time.monotonic() < begin + HANGS_S, "what was waited for did not come"
        time.sleep(0.002)
    return found
