# SPDX-License-Identifier: MIT
"""A parser of arguments that complains in one line, as all of ampersand does, and names the nearest flag."""

import argparse
import difflib
import sys

from plots.program.guard import COMMAND

# Verbs that `help` knows.
OF_THE_DOOR = ("ab", "ask", "charts", "check", "compare", "doctor", "escape", "report", "stack")


class Parser(argparse.ArgumentParser):
    """`prog` ends in the verb."""

    def error(self, message):
        verb = self.prog.rpartition(" ")[2]
        more = f"; {COMMAND} help {verb}" if verb in OF_THE_DOOR else ""
        print(f"ampersand: {verb}: {message}{more}", file=sys.stderr)
        sys.exit(2)

    def parse_args(self, args=None, namespace=None):
        for_compiler = [flag for flag in self._option_string_actions if flag.endswith("cflags")]
        found, more = self.parse_known_args(joined(sys.argv[1:] if args is None else args, for_compiler), namespace)
        if more:
            flags = [flag for action in self._actions for flag in action.option_strings]
            self.error(no_such_flag(more[0], flags) if more[0].startswith("-") else f"{more[0]}: one word too many")
        return found


def joined(words, flags):
    """Each of these flags and what is behind it as one word, --cflags=-O3 or -DX: argparse takes a value that begins
    with a dash for a flag."""
    words, out = iter(words), []
    for word in words:
        behind = next(words, None) if word in flags else None
        out.append(word if behind is None else f"{word}={behind}" if word.startswith("--") else word + behind)
    return out


def no_such_flag(word, flags, show=str):
    """`show`: how the word is printed."""
    near = difflib.get_close_matches(word.split("=")[0], [flag for flag in flags if flag.startswith("--")], 1, 0.7)
    return f"{show(word)}: no such flag" + (f"; the nearest is {near[0]}" if near else "")
