# SPDX-License-Identifier: MIT
"""Numbers as every summary has them: six significant digits, more than any clock gives, the same on every machine."""

import math
from fractions import Fraction


def short(x):
    return None if x is None else float(f"{x:.6g}")


def exponentials(**ln):
    """Numbers in ln units as plain ones."""
    return {key: None if x is None else short(math.exp(x)) for key, x in ln.items()}


def per_op(total, ops):
    """Of one operation, exact where that is whole; None: nobody can tell."""
    if total is None:
        return None
    exact = Fraction(total, ops)
    return int(exact) if exact.denominator == 1 else round(float(exact), 4)


def of_rows(n):
    return f"{n} row{'s' * (n != 1)}"
