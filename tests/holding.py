# SPDX-License-Identifier: MIT
"""Processes of the lesson `held` (tests/lessons/held.c) that wait where a test wants them to."""
from waiting import wait_for


class Held:
    """The folder that these processes look into: of those that are started with .environment, the n-th waits."""

    def __init__(self, folder, n):
        folder.mkdir()
        self.begun, self.hold = folder / "begun", folder / f"hold-{n}"
        self.n, self.environment = n, {"AMPERSAND_HELD": str(folder)}
        self.hold.touch()

    def wait(self, process):
        """Until it does; `process` is what starts them."""
        wait_for(lambda: self.begun.exists() and self.begun.stat().st_size >= self.n, process)

    def let_go(self):
        self.hold.unlink()
