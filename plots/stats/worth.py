# SPDX-License-Identifier: MIT
"""When a difference between the sides is worth a choice: from a tenth, and from half a nanosecond an operation."""

WORTH = 1.1     # a ratio worth an alias or an owner,
WORTH_NS = 0.5  # if it also saves so much an operation: a cycle or two


def difference_ns(value_ns, ratio):
    """What the pointer side takes more."""
    return value_ns * (ratio - 1)


def saved_ns(value_ns, ratio):
    """What the faster side saves; `ratio` is pointer/value."""
    return abs(difference_ns(value_ns, ratio))


def is_small(value_ns, ratio):
    return max(ratio, 1 / ratio) < WORTH or saved_ns(value_ns, ratio) < WORTH_NS
