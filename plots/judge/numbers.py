# SPDX-License-Identifier: MIT
"""Numbers as every summary has them: six significant digits, more than any clock gives, the same on every machine."""

import math


def short(x):
    return None if x is None else float(f"{x:.6g}")


def exponentials(**ln):
    """Numbers in ln units as plain ones."""
    return {key: None if x is None else short(math.exp(x)) for key, x in ln.items()}


def of_rows(n):
    return f"{n} row{'s' * (n != 1)}"
