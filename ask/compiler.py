# SPDX-License-Identifier: MIT
"""The user's compiler with the user's flags, and what it says."""

import os
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from plots.documents import Refused, one_line

STANDARD = "-std=gnu11"
OLD = re.compile(r"-ansi|-std=(c|gnu|iso9899:)(89|90|9x|99|1990|199409|1999)")  # too old for the lessons


@dataclass(frozen=True)
class Compiler:
    command: tuple  # --cc, in words
    include: tuple  # -I and -D, as given
    flags: tuple    # --cflags, in words
    folder: Path    # for what is made

    @property
    def name(self):
        return shlex.join(self.command)

    @property
    def wanted(self):
        """What of the flags bears on code: not the debugging format, nor what would leave no object files."""
        return tuple(flag for flag in self.flags if not re.match(r"-g|-flto|-W(?!a,|p,)|-pedantic|-fdiagnostics", flag)
                     and not OLD.fullmatch(flag))

    @property
    def standard_replaced(self):
        return next((flag for flag in self.flags if OLD.fullmatch(flag)), None)

    def run(self, *words, language=None, timeout_s=60):
        """(status, messages) of one call."""
        words = [*self.command, *(("-x", language) if language else ()), *words]
        try:
            done = subprocess.run([str(word) for word in words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, errors="replace", timeout=timeout_s, check=False,
                                  env={**os.environ, "LC_ALL": "C"})
        except OSError as error:
            raise Refused(f"--cc {self.name}", error.strerror) from None
        except subprocess.TimeoutExpired:
            raise Refused(f"--cc {self.name}", f"no answer after {timeout_s} s") from None
        return done.returncode, done.stdout

    def version(self):
        """gcc 12.2.0, clang 14.0.6."""
        status, text = self.run("--version")
        if status:
            raise Refused(f"--cc {self.name}", "does not know --version: neither gcc nor clang")
        number = re.search(r"\b(\d+\.\d+(\.\d+)?)\b", text)
        kind = "clang" if "clang" in text.split("\n")[0] else "gcc" if "Free Software" in text else self.command[0]
        return f"{kind} {number[1]}" if number else kind


def make(command, include, flags, folder):
    """A Compiler, or Refused where the words cannot be taken as they are."""
    try:
        words, given = shlex.split(command), shlex.split(flags)
    except ValueError as error:
        raise Refused("--cflags" if command else "--cc", f"{one_line(flags)}: {error}") from None
    if not words:
        raise Refused("--cc", "its value is empty")
    if not shutil.which(words[0]):
        raise Refused(f"--cc {words[0]}", "no such command")
    for flag in given:
        if flag.startswith("-fsanitize"):
            raise Refused("--cflags", f"{flag}: what a sanitizer adds would be measured, too; leave it out")
        if flag in ("-c", "-S", "-E", "-o", "-shared", "-static", "-fsyntax-only", "-x", "-M", "-MM"):
            raise Refused("--cflags", f"{flag}: says what is to be made, which is ask's to say; leave it out")
    return Compiler(tuple(words), tuple(include), tuple(given), folder)


def first_error(text):
    """The compiler's first error, without the folders before the file's name; "" where it names none."""
    lines = [line for line in text.splitlines() if re.search(r"\b(fatal )?error\b", line)]
    found = lines[0] if lines else next((line for line in text.splitlines() if line.strip()), "")
    more = len(lines) - 1
    return one_line(found, 260) + (f" (and {more} more)" if more > 0 else "")
