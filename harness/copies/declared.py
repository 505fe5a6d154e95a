# SPDX-License-Identifier: MIT
"""Holds the compiled code of a side to what its pair declares: `.calls` and `.copied_b_per_op` of struct amp_side.

What the code does not tell (copies.py) is not held: how often a function is called in a loop that depends on data, or
copies of a side that calls through an unknown pointer."""

import re

# By so much the code may differ: words that the compiler puts aside on the stack, or changes on their way, 15 B an
# operation or a sixteenth of what is copied. A copy of a whole object of 16 B or more is always found.
SPARE_B, SPARE_SHARE = 15, 16
ANY = 2**64 - 1  # AMP_ANY of kernel.h
WORD = re.compile(r"(\(\*\)|\w+)(\*(\d*))?")


class Unreadable(ValueError):
    """A declaration that says nothing; the text says which."""


def words(calls):
    """{function: how often, None: any number} of "take_value free*64"."""
    found = {}
    for word in calls.split():
        match = WORD.fullmatch(word)
        if not match or match[1] in found:
            raise Unreadable(f"declares calls of {word!r}: must be names, each once, as \"make_value free*64\"")
        found[match[1]] = 1 if match[2] is None else int(match[3]) if match[3] else None
    return found


def plain(name):
    """A function's name without the suffix that subjects.h gives it for each size."""
    return re.sub(r"(_\d+)?(_body)?$", "", name)


def breaches(calls, copied_b, copies, called):
    """What a side does otherwise, a list of texts. `copies`, `called`: of copies.read()."""
    try:
        wanted = words(calls)
    except Unreadable as why:
        return [str(why)]
    broken = []
    if called is not None:
        found = {}
        for name, n in called.items():
            name = name if name in wanted else plain(name)
            old = found.get(name, 0)
            found[name] = None if None in (old, n) else old + n
        if set(found) != set(wanted) or any(None not in (n, wanted[name]) and n != wanted[name]
                                            for name, n in found.items()):
            broken.append(f"calls of {listed(wanted)} declared, of {listed(found)} in the code")
    if copied_b != ANY and all(one["how"] != "not told" for one in copies):
        copied = sum(one["bytes"] for one in copies)
        if abs(copied - copied_b) > max(SPARE_B, copied_b // SPARE_SHARE):
            broken.append(f"{copied_b} B copied an operation declared, {copied} B in the code")
    return broken


def listed(calls):
    said = [name if n == 1 else f"{name}*{'' if n is None else n}" for name, n in sorted(calls.items())]
    return " ".join(said) or "nothing"
