# SPDX-License-Identifier: MIT
"""Where a function has its loops and jumps, in bytes from its beginning: what may lie across a cache line or a window
of the decoder at some of the places that the linker gives the function."""

from functions import Function, NotTold
from instructions import MACHINES

LEAVES = ("jump", "call", "return")


def stretches(lesson, section):
    """{size_b, loops, jumps}: loops are the innermost, [begin, end); jumps also calls and returns, with the comparison
    that processors execute together with a conditional jump. None: the code cannot be read."""
    try:
        function = Function(lesson, MACHINES[lesson.machine](), section)
    except (NotTold, KeyError):
        return None
    inner = [blocks for blocks in function.loops.values()
             if not any(other < blocks for other in function.loops.values())]
    jumps, before = [], None
    for at, size, effects in function.code:
        if effects and effects[-1][0] in LEAVES:
            fused = effects[-1][0] == "jump" and effects[-1][2] and before is not None
            jumps.append([before if fused else at, at + size])
        sets_flags = any(effect[0] in ("compare", "flags") for effect in effects)
        before = at if sets_flags else None
    return {"size_b": len(lesson.data[section]), "jumps": jumps, "loops": sorted(
        [min(blocks), max(_end(function, block) for block in blocks)] for blocks in inner)}


def places(lesson, names):
    """{name: stretches()} of the functions of these names whose code can be read."""
    found = {symbol.name: stretches(lesson, symbol.section) for symbol in lesson.symbols
             if symbol.kind == 2 and symbol.section is not None and symbol.name in names}
    return {name: place for name, place in found.items() if place}


def _end(function, block):
    at, size, _ = function.blocks[block][-1]
    return at + size
