# SPDX-License-Identifier: MIT
"""Failures that are told in one line. Imports nothing that could itself fail to load."""


class Refused(Exception):
    """A file that cannot be trusted: the message is one line, `<file>: <line or key>: <why>`."""

    def __init__(self, *parts):
        super().__init__(one_line(": ".join(str(part) for part in parts if str(part))))


def one_line(text, width=300):
    """Printable, without control characters that a damaged file could send to a terminal, and not endless."""
    text = "".join(c if c.isprintable() else " " for c in " ".join(text.split()))
    return text if len(text) <= width else text[: width - 3] + "..."
