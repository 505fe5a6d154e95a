#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Check that compiled growable functions keep the rules of stack.h, as far as their code shows it.

For each function that AMP_GROWS declares, follow the instructions of its body, branch by branch, and the stack pointer
with them. These are refused, by name:

  a frame that is larger than declared, with by-value arguments and red zone
  alloca() and variable-length arrays, which move the stack pointer by an unknown number of bytes
  a call of a function that is neither growable nor in these objects, such as libc's: use amp_stack_call()
  functions without a check that take more than the reserve, alone or one calling the other

Calls through pointers are not followed. x86-64 only: this program cannot read other code."""

import argparse
import re
import struct
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

# Of the reserve of 928 B (stack.h): a frame may use 128 unasked, and a check that fails puts 264 of registers there.
UNCHECKED_B = 928 - 128 - 264 - 128
# Compilers call these for copies; none takes more than its return address and a few words. The rest is the library's.
SMALL = {"memcpy", "memmove", "memset", "memcmp", "amp_stack_call", "amp_stack_yield", "amp_stack_more",
         "amp_gc_alloc", "amp_gc_alloc_array", "amp_gc_answer", "amp_gc_call", "amp_gc_collect", "amp_gc_step",
         "amp_gc_store_marking", "amp_gc_walk", "__stack_chk_fail"}
KEPT = {"rbx", "rbp", "r12", "r13", "r14", "r15"}
WORD_B = 8
MOST_B = 1 << 30


class Refused(Exception):
    """A rule broken, or an object that cannot be read."""


@dataclass
class Instruction:
    address: int
    name: str
    operands: str
    target: str = None  # where it leaves the function to, else of no meaning


@dataclass
class Function:
    name: str
    code: list = field(default_factory=list)
    depth_b: int = 0  # most that the stack pointer lies below the return address
    calls: dict = field(default_factory=dict)  # name -> depth, the return address pushed included
    fault: str = None


# --- reading an object -----------------------------------------------------------------------------------------------


def read_frames(path):
    """Name -> declared bytes."""
    try:
        with open(path, "rb") as file:
            elf = ELFFile(file)
            if elf["e_machine"] != "EM_X86_64":
                raise Refused(f"{path}: {elf['e_machine']}: only x86-64 code can be followed")
            section = elf.get_section_by_name(".amp_growable")
            data = section.data() if section else b""
    except ELFError as error:
        raise Refused(f"{path}: not an object file: {error}") from error
    frames = {}
    while data:
        (frame,) = struct.unpack_from("<Q", data)
        name, _, data = data[8:].partition(b"\0")
        frames[name.decode()] = frame
    return frames


SECTION = re.compile(r"^Disassembly of section (.+):$")
HEAD = re.compile(r"^([0-9a-f]+) <(.+)>:$")
CODE = re.compile(r"^ *([0-9a-f]+):\t(?:(?:rep[nz]*|lock|notrack|bnd|data16|[cdefgs]s) )*(\S+) *([^#<]*)(?:<([^>+]+))?")
RELOCATION = re.compile(r"^\s+[0-9a-f]+: R_X86_64_\S+\t([^\s+-]+)(?:@\S+)?([+-]0x[0-9a-f]+)?$")


def disassemble(path):
    """Name -> function. Of calls and jumps that leave a function, the target's name."""
    done = subprocess.run(["objdump", "-dr", "--no-show-raw-insn", path], stdout=subprocess.PIPE, text=True,
                          check=False)
    if done.returncode != 0:
        raise Refused(f"{path}: objdump cannot read it")
    functions, starts, section, function = {}, {}, None, None
    for line in done.stdout.splitlines():
        if found := SECTION.match(line):
            section = found[1]
        elif head := HEAD.match(line):
            function = functions.setdefault(head[2], Function(head[2]))
            starts[section, int(head[1], 16)] = head[2]
        elif (relocation := RELOCATION.match(line)) and function and function.code:
            function.code[-1].target = relocation[1], int(relocation[2] or "0", 16)
        elif (code := CODE.match(line)) and function:
            target = (code[4], None) if code[4] and code[4] != function.name else None
            function.code.append(Instruction(int(code[1], 16), code[2], code[3].strip(), target))
    for instruction in (instruction for function in functions.values() for instruction in function.code):
        if instruction.target:
            name, addend = instruction.target
            # A local function is named by its section and its place there; a branch counts from its own end.
            instruction.target = starts.get((name, (addend or 0) + 4), name)
    return functions


# --- following the stack pointer -------------------------------------------------------------------------------------

IMMEDIATE = re.compile(r"^\$(-?0x[0-9a-f]+|-?\d+),%rsp$")
CONSTANT = re.compile(r"^\$(-?0x[0-9a-f]+|-?\d+),%r\w+$")
FROM_REGISTER = re.compile(r"^(-?0x[0-9a-f]+)?\(%(\w+)\),%(\w+)$")
BELOW = re.compile(r"(-0x[0-9a-f]+)\(%(r\w+)[,)]")
PROBED = re.compile(r"^(?:%(r\w+),%rsp|%rsp,%(r\w+))$")
BRANCH = re.compile(r"^(j[a-z]+|call)$")


def signed(text):
    number = int(text, 0)
    return number - (1 << 64) if number >= 1 << 63 else number


def step(instruction, depth, held):
    """Depth after an instruction; `held` says at which depth registers point, and is changed. None: unknowable."""
    name, operands = instruction.name, instruction.operands
    if name.startswith("push"):
        return depth + WORD_B
    if name.startswith("pop"):
        held.pop(operands.lstrip("%"), None)
        return depth - WORD_B if operands != "%rsp" else None
    if name == "leave":
        return held.pop("rbp") - WORD_B if "rbp" in held else None
    if name.startswith("call"):
        for register in [register for register in held if register not in KEPT]:
            del held[register]
        return depth
    if operands.endswith(",%rsp") and not name.startswith(("cmp", "test")):
        constant, register = IMMEDIATE.match(operands), FROM_REGISTER.match(operands)
        if constant and name in ("sub", "add"):
            return depth + signed(constant[1]) * (1 if name == "sub" else -1)
        if constant and name == "and":  # the stack pointer was a multiple of 8
            return depth - signed(constant[1]) - WORD_B
        if name == "lea" and register:
            base = depth if register[2] == "rsp" else held.get(register[2])
            return None if base is None else base - signed(register[1] or "0")
        if name == "mov" and operands[1:-5] in held:
            return held[operands[1:-5]]
        return None
    destination = operands.rpartition(",%")[2].lstrip("%")
    before = held.pop(destination, None)
    constant = CONSTANT.match(operands)
    if before is not None and constant and name in ("sub", "add"):
        held[destination] = before + signed(constant[1]) * (1 if name == "sub" else -1)
        return depth
    register = FROM_REGISTER.match(operands)
    if name == "mov" and operands.startswith("%rsp,%"):
        held[destination] = depth
    elif name == "lea" and register and register[2] == "rsp":
        held[destination] = depth - signed(register[1] or "0")
    return depth


def follow(function):
    """Fill in how deep the function goes, and what it calls where."""
    at = {instruction.address: n for n, instruction in enumerate(function.code)}
    deepest, paths = {}, [(0, 0, {})]
    while paths:
        n, depth, held = paths.pop()
        while n < len(function.code) and deepest.get(n, -1) < depth:
            instruction = function.code[n]
            deepest[n] = depth
            if depth > MOST_B:
                function.fault = "moves its stack pointer in a loop"
                return
            probed = PROBED.match(instruction.operands) if instruction.name == "cmp" else None
            probed = probed and (probed[1] or probed[2])
            if probed in held:  # -fstack-clash-protection goes down to there by pages
                depth = held[probed]
                n += 2
                continue
            if BRANCH.match(instruction.name):
                inside = branch(function, instruction, depth, at)
                if inside is not None:
                    paths.append((inside, depth, dict(held)))
            note_touched(function, instruction, depth, held)
            if instruction.name in ("jmp", "ret", "ud2", "hlt"):
                break
            depth = step(instruction, depth, held)
            if depth is None:
                function.fault = ("moves its stack pointer by what only the run knows, as alloca() and arrays of "
                                  "variable length do")
                return
            function.depth_b = max(function.depth_b, depth)
            n += 1


def branch(function, instruction, depth, at):
    """Where a branch goes on within the function, None if it leaves; then it is noted as a call."""
    if instruction.operands.startswith("*"):
        return None
    if instruction.target is None:
        inside = at.get(int(instruction.operands, 16))
        if inside is not None and instruction.name != "call":
            return inside
    name = instruction.target or function.name
    depth += WORD_B if instruction.name == "call" else 0
    function.calls[name] = max(function.calls.get(name, 0), depth)
    return None


def note_touched(function, instruction, depth, held):
    """The red zone, and other places below a register that points into the frame."""
    below = BELOW.search(instruction.operands)
    base = below and (depth if below[2] == "rsp" else held.get(below[2]))
    if base is not None and not instruction.operands.endswith(",%rsp"):
        function.depth_b = max(function.depth_b, base - signed(below[1]))


# --- the rules -------------------------------------------------------------------------------------------------------


def unchecked_b(name, functions, frames, above=()):
    """What a function without a check takes, with all that it calls; what is growable checks for itself."""
    if name in frames or name in SMALL:
        return 2 * WORD_B
    function = functions.get(name)
    if function is None:
        raise Refused(f"calls {name}, which is not growable: amp_stack_call() runs it on the host stack")
    if name in above:
        raise Refused(f"calls {name}, which has no check and calls itself: write it with AMP_GROWS")
    if function.fault:
        raise Refused(f"calls {name}, which {function.fault}")
    below = [depth + unchecked_b(called, functions, frames, (*above, name)) for called, depth in function.calls.items()]
    return max([function.depth_b, *below])


def complaints(functions, frames):
    for name, frame in frames.items():
        body = functions.get(f"{name}_body")
        if body is None:
            yield f"{name}: has no body (compiled with -flto?)"
            continue
        if body.fault:
            yield f"{name}: {body.fault}"
            continue
        if body.depth_b > frame:
            yield f"{name}: its frame is declared as {frame} B, but takes {body.depth_b}"
        for called, depth in body.calls.items():
            if called in frames:
                continue
            try:
                beyond = depth + unchecked_b(called, functions, frames) - frame
            except Refused as refused:
                yield f"{name}: {refused}"
                continue
            if beyond > UNCHECKED_B:
                yield (f"{name}: calls {called}, which has no check and takes {beyond} B beyond the frame: "
                       f"{UNCHECKED_B} are in reserve")


def check(paths):
    """All complaints about these object files, which may call each other."""
    functions, frames = {}, {}
    for path in paths:
        frames.update(read_frames(path))
    for path in paths if frames else ():
        functions.update(disassemble(path))
    for function in functions.values():
        follow(function)
    return list(complaints(functions, frames))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("objects", nargs="+", type=Path)
    parser.add_argument("--stamp", type=Path, help="an empty file to write if nothing is wrong")
    parser.add_argument("--frames", action="store_true",
                        help="print the declared and the real frame of each growable function")
    args = parser.parse_args()
    try:
        found = check(args.objects)
        if args.frames:
            for path in args.objects:
                functions = disassemble(path)
                for name, frame in read_frames(path).items():
                    follow(functions[f"{name}_body"])
                    print(f"{name} {frame} {functions[f'{name}_body'].depth_b}")
    except (Refused, OSError) as error:
        sys.exit(f"ampersand: stack: {error}")
    for complaint in found:
        print(f"ampersand: stack: {complaint}", file=sys.stderr)
    if found:
        sys.exit(1)
    if args.stamp:
        args.stamp.write_text("")


if __name__ == "__main__":
    main()
