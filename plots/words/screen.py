# SPDX-License-Identifier: MIT
"""What text is printed on: how wide it is, whether it has colours, and words wrapped to it."""

import os
import shutil
import sys
import textwrap
from dataclasses import dataclass

NARROWEST = 60
FORMATS = ("table", "json", "csv", "markdown")
BOLD, RED, GREEN, YELLOW, BLUE, DIM, ALARM = "1", "31", "32", "33", "34", "2", "1;31"


@dataclass(frozen=True)
class Screen:
    """By default a pipe or a file, which has any width: words are wrapped, tables keep their columns."""

    width: int = 120
    colour: bool = False
    narrow: bool = False  # breaks what is wider

    def paint(self, text, code):
        return f"\033[{code}m{text}\033[0m" if self.colour and code and text else text

    def wrapped(self, text, first="", rest=""):
        """Lines; `first` and `rest` are how the first and the others begin. Names are not broken at their hyphens."""
        return textwrap.wrap(printable(text), self.width, initial_indent=first, subsequent_indent=rest,
                             break_on_hyphens=False)

    def definitions(self, entries, indent=2):
        """Lines: a name, and beside it what it means; entries are (name, meaning)."""
        wide = max((len(name) for name, _ in entries), default=0) + 2
        margin = " " * indent
        return [line for name, meaning in entries
                for line in self.wrapped(meaning, f"{margin}{name:<{wide}}", margin + " " * wide)]


PIPE = Screen()


def of(out):
    """No colours where the user does not want them (no-color.org: any value that is not empty)."""
    if not out.isatty():
        return PIPE
    return Screen(max(NARROWEST, shutil.get_terminal_size((PIPE.width, 0)).columns),
                  not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb", True)


def show(form, makers, out=None):
    """Write a text in this form. `makers` has a function for each form that returns the text; the table's takes the
    Screen that it is for."""
    out = out or sys.stdout
    out.write(makers[form](of(out)) if form == "table" else makers[form]())
    out.flush()


def printable(text):
    """On one line, and without what a terminal takes for a command."""
    return "".join(c if c.isprintable() else " " for c in text)
