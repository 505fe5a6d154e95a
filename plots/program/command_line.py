# SPDX-License-Identifier: MIT
"""A parser of arguments that complains in one line, as all of ampersand does, and names the nearest flag."""

import argparse
import difflib
import sys

from plots.program.guard import COMMAND

OF_THE_DOOR = ("ab", "ask", "charts", "check", "compare", "doctor", "escape", "report", "stack")  # verbs that `help` knows


class Parser(argparse.ArgumentParser):
    """`prog` ends in the verb."""

    def error(self, message):
        verb = self.prog.rpartition(" ")[2]
        more = f"; {COMMAND} help {verb}" if verb in OF_THE_DOOR else ""
        print(f"ampersand: {verb}: {message}{more}", file=sys.stderr)
        sys.exit(2)

    def parse_args(self, args=None, namespace=None):
        found, more = self.parse_known_args(args, namespace)
        if more:
            flags = [flag for action in self._actions for flag in action.option_strings]
            self.error(no_such_flag(more[0], flags) if more[0].startswith("-") else f"{more[0]}: one word too many")
        return found


def no_such_flag(word, flags, show=str):
    """`show`: how the word is printed."""
    near = difflib.get_close_matches(word.split("=")[0], [flag for flag in flags if flag.startswith("--")], 1, 0.7)
    return f"{show(word)}: no such flag" + (f"; the nearest is {near[0]}" if near else "")
