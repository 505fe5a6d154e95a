# SPDX-License-Identifier: MIT
"""Text that is too long for its place."""


def cut(text, fits, middle=False):
    """`text`, or as much of it as `fits` (a function, or characters) with an ellipsis. `middle`: both ends of it
    stay, as those of names should, which differ at their ends."""
    fits = fits if callable(fits) else lambda shown, most=fits: len(shown) <= most
    shown, n = text, len(text)
    while n > 1 and not fits(shown):
        n -= 1
        last = n // 3 if middle else 0
        shown = f"{text[:n - last]}…{text[len(text) - last:]}"
    return shown
