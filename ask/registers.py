# SPDX-License-Identifier: MIT
"""How the arguments of one function are passed on x86-64 (System V ABI): in registers as long as there are enough.

    six integer registers, eight of vectors; an object takes all that it needs, or goes into memory as a whole
    a result in memory takes the first integer register, for its address

What an object needs by itself is found by an experiment (harness/ask/abi.c); here it is only counted."""

from ask.types import members

INTEGERS, VECTORS = 6, 8
MEMORY = None


def needs(use):
    """(integer registers, vector registers) of a scalar, a pointer or a vector; MEMORY: none will do."""
    kind = use.type
    if kind.kind == "pointer" or kind.kind == "array":
        return 1, 0
    if kind.kind == "vector":
        return (0, 1) if kind.size in (8, 16) else MEMORY
    if kind.encoding in (members.FLOAT, members.COMPLEX):
        if kind.wide and (kind.halves == 2 or "long double" in kind.name):
            return MEMORY
        return (0, 2) if kind.size == 16 and kind.halves == 2 else (0, 1)
    return (2, 0) if kind.size > 8 else (1, 0)


def of_object(abi):
    return (abi["integers"], abi["vectors"]) if abi["passed"] in ("registers", "nothing") else MEMORY


def ways(wanted, hidden):
    """registers or memory for each of the needs; `hidden`: the result's address takes a register."""
    integers, vectors = INTEGERS - bool(hidden), VECTORS
    found = []
    for need in wanted:
        fits = need is not MEMORY and need[0] <= integers and need[1] <= vectors
        if fits:
            integers, vectors = integers - need[0], vectors - need[1]
        found.append("registers" if fits else "memory")
    return found
