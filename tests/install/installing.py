# SPDX-License-Identifier: MIT
"""What was installed, and how it is called."""
import os
import subprocess

from waiting import HANGS_S


def call(*command, status=0, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=HANGS_S,
                          stdin=subprocess.DEVNULL, **options)
    assert done.returncode == status, f"{command}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


class Installed:
    def __init__(self, prefix, libdir):
        self.prefix, self.home = prefix, prefix / libdir / "ampersand"
        self.command = prefix / "bin" / "ampersand"
        unset = ("AMPERSAND_BUILD", "AMPERSAND_LESSONS", "AMPERSAND_CONFIGURED", "AMPERSAND_HELD", "AMPERSAND_COMMAND")
        self.environment = {key: text for key, text in os.environ.items() if key not in unset} | {
            "PATH": f"{prefix / 'bin'}:{os.environ['PATH']}", "PKG_CONFIG_PATH": str(prefix / libdir / "pkgconfig"),
            "PYTHONDONTWRITEBYTECODE": "1"}

    def __call__(self, *words, cwd, status=0):
        return call(self.command, *words, cwd=cwd, status=status, env=self.environment)

    def package(self, *words):
        return call("pkg-config", *words, "ampersand", env=self.environment).strip()
