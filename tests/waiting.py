# SPDX-License-Identifier: MIT
"""Waiting for what must happen: the file, the line, the process. Never for a time: a busy machine keeps none."""
import time

HANGS_S = 600  # what takes longer hangs, however busy the machine; nothing that is right comes near it


def is_gone(pid):
    """Whether a process has ended; one that nobody has buried yet has, too."""
    try:
        with open(f"/proc/{int(pid)}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(") ")[2][0] in "ZX"
    except OSError:
        return True


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
