# SPDX-License-Identifier: MIT
"""The rules by which ampersand judges, as texts that the report, the tables' legends and `help` show."""

import re
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


def text(name, **values):
    """A rule; `{key}` in it stands for the value of that name."""
    found = (FOLDER / f"{name}.txt").read_text(encoding="utf-8")
    for key, value in values.items():
        found = found.replace("{" + key + "}", value)
    return found


def entries(name, **values):
    """[(word, meaning)] of a rule that is a list, a line each."""
    return [tuple(re.split(r"  +", line, maxsplit=1)) for line in text(name, **values).splitlines()]
