# SPDX-License-Identifier: MIT
"""What a register is known to hold, and what follows from it. A value is one of

    ("at", region, offset)               an address; the offset None if it is not the same on all paths
    ("data", region, offset, width, n)   what was loaded from there, unchanged; n sets it apart from other loads
    ("is", number)                       a constant
    None                                 anything else

A region is a name, or a tuple that begins with one: of one of several of that name of which nobody knows more.

A state is {register: value}, with "flags" for what the last comparison compared: (number, number, width), the second
None where it is only known that the first is the result."""


def holds(condition, left, right, width):
    """Whether a condition holds after a comparison; None: not known."""
    bits = 8 * width
    if right is None:  # of a result only whether it is zero and its sign is known
        left, right = left & (1 << bits) - 1, 0
        if condition not in ("e", "ne", "s", "ns"):
            return None
    a, b = left & (1 << bits) - 1, right & (1 << bits) - 1
    signed_a, signed_b = (x - (1 << bits) if x >> bits - 1 else x for x in (a, b))
    difference = a - b & (1 << bits) - 1
    return {"e": a == b, "ne": a != b, "b": a < b, "ae": a >= b, "be": a <= b, "a": a > b, "l": signed_a < signed_b,
            "ge": signed_a >= signed_b, "le": signed_a <= signed_b, "g": signed_a > signed_b,
            "s": bool(difference >> bits - 1), "ns": not difference >> bits - 1}[condition]


def compared(effect, state):
    """(number, number or None, width) of a comparison of constants; None: not known."""
    _, name, other, width = effect
    values = [state.get(one) if isinstance(one, str) else ("is", one) for one in (name, other)]
    if all(value and value[0] == "at" and value[2] is not None for value in values) and values[0][1] == values[1][1]:
        return values[0][2], values[1][2], width
    if any(value is None or value[0] != "is" for value in values):
        return None
    return values[0][1], values[1][1], width


def computed(place, state):
    """The number that an address instruction makes of constants; None: not known."""
    base, index, disp, scale = place
    parts = [state.get(one) for one in (base, index) if one]
    if any(part is None or part[0] != "is" for part in parts):
        return None
    return ("is", disp + sum(part[1] * (scale if k else 1) for k, part in enumerate(parts))) if base else None


def plain(region):
    return region if isinstance(region, str) else region[0]


def region(value):
    return value[1] if value and value[0] == "at" else "memory"


def added(value, number):
    if value and value[0] == "at":
        return ("at", value[1], value[2] + number if value[2] is not None else None)
    return ("is", value[1] + number) if value and value[0] == "is" else None


def merge(states):
    """What holds on all paths."""
    if len(states) == 1:
        return states[0]
    merged = {}
    for name in set.intersection(*(set(state) for state in states)) if states else ():
        values = {state[name] for state in states}
        if len(values) == 1:
            merged[name] = values.pop()
        elif all(value and value[0] == "at" for value in values) and len({value[1] for value in values}) == 1:
            merged[name] = ("at", next(iter(values))[1], None)
    return merged
