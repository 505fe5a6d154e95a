# SPDX-License-Identifier: MIT
"""In what the code differs that a kernel reaches: changed functions, their frames and calls; what is copied."""

import re
import sys
from pathlib import Path

import side_object
from lesson_object import Refused

sys.path.insert(1, str(Path(__file__).resolve().parents[1] / "copies"))
try:
    import capstone
    import copies
    from functions import NotTold
except ImportError:  # python3-capstone is optional: the reasons then name changed functions only
    capstone = None

RUN_B = 16  # of `run` in struct amp_ab_kernel
MOST = 40   # changed functions whose frames are read
MOST_REACHED = 24  # functions: to follow an operation through an interpreter takes minutes
CALL_B = 8  # what a call pushes


def of_kernel(base, head, kernel):
    """{"changed": [names], "frames": {name: {side: bytes}}, "calls": {name: {side: n}}, "copies": {side: bytes}}"""
    reached = {}
    for name, side in (("base", base), ("head", head)):
        places = side.places()[0]
        reached[name] = {places[section][0]: section for section in side.of_kernel(kernel)[0] if section in places}
    changed = [name for name, section in reached["head"].items()
               if not side_object.alike(base, reached["base"].get(name), head, section)]
    changed += [name for name in reached["base"] if name not in reached["head"]]
    found = {"changed": changed, "frames": {}, "calls": {}, "copies": copied(base, head, kernel)}
    for name in changed[:MOST]:
        if name not in reached["base"] or name not in reached["head"]:
            continue
        for key, read in (("frames", frame_b), ("calls", calls)):
            both = {side: read(one, reached[side][name]) for side, one in (("base", base), ("head", head))}
            if None not in both.values() and both["base"] != both["head"]:
                found[key][name] = both
    return found


def decoder(side):
    if capstone is None or side.machine != "EM_X86_64":
        return None
    return capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)


def frame_b(side, section):
    """What a function takes of the stack at its beginning, with its saved registers; None where that cannot be read."""
    machine, size = decoder(side), 0
    if machine is None:
        return None
    for _, _, name, words in machine.disasm_lite(side.data[section], 0):
        if name == "push":
            size += CALL_B
        found = re.match(r"rsp, (0x[0-9a-f]+|\d+)$", words) if name == "sub" else None
        if found:
            return size + int(found[1], 0)
        if name.startswith("j") or name in ("call", "ret"):
            break
    return size


def calls(side, section):
    """How many calls stand in a function's code."""
    machine = decoder(side)
    if machine is None:
        return None
    return sum(name == "call" for _, _, name, _ in machine.disasm_lite(side.data[section], 0))


def copied(base, head, kernel):
    """How many bytes an operation copies, of each side, where that can be told of both; else nothing."""
    found = {}
    for name, side in (("base", base), ("head", head)):
        try:
            run = side.pointer_at(side.kernels[kernel], side.kernel_at[kernel] + RUN_B) if capstone else None
            reached = sum(map(side.is_code, side.reach([run[0]])[0])) if run else 0
            told = copies.read(side, run[0])[0] if 0 < reached <= MOST_REACHED else None
        except (NotTold, Refused):
            told = None
        if told is None or any(one.get("bytes") is None for one in told):
            return {}
        found[name] = sum(one["bytes"] for one in told)
    return found
