# SPDX-License-Identifier: MIT
"""What a kernel copies, seen from outside: single steps by ptrace, and no decoder.

The program stops (int3) with the address of its object in rdi, the size in rsi and a second object's address in rdx.
It has run its kernel once before, and runs it once more. Before that, each byte of the object is given another value.
After each instruction, the bytes of the watched memory that have changed from what the object had at some distance to
what it has there now are bytes copied. An instruction that stands still while it copies is a repeated one; one outside
of the program's own code is the C library's."""

import ctypes
import os
import random
import signal
from dataclasses import dataclass, field

TRACEME, CONT, SINGLESTEP, GETREGS, KILL = 0, 7, 9, 12, 8
RIP, RSP, RDX, RSI, RDI = 16, 19, 12, 13, 14  # in struct user_regs_struct
INT3 = 0xCC
MOST_STEPS = 100000
WINDOW_B = 1024

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


class NotAllowed(Exception):
    """ptrace is forbidden here."""


@dataclass
class Seen:
    """Of one operation."""
    size_b: int
    bytes: int = 0
    ways: set = field(default_factory=set)  # "moves", "vector moves", "rep movs", "call of memcpy"


def ptrace(request, child, data=None):
    if libc.ptrace(request, child, None, data) < 0:
        raise NotAllowed(os.strerror(ctypes.get_errno()))


def registers(child):
    block = (ctypes.c_ulonglong * 27)()
    ptrace(GETREGS, child, ctypes.cast(block, ctypes.c_void_p))
    return block


def step(child):
    """False: the program has ended."""
    ptrace(SINGLESTEP, child)
    _, status = os.waitpid(child, 0)
    return os.WIFSTOPPED(status)


def watch(program, own):
    """[Seen] of each of the program's stops. `own`: whether an address within the program's file belongs to it and not
    to the C library; the program is linked to fixed addresses."""
    child = os.fork()
    if child == 0:
        libc.ptrace(TRACEME, 0, None, None)
        os.execv(program, [program])
    found, begins = [], True
    _, status = os.waitpid(child, 0)
    try:
        with open(f"/proc/{child}/mem", "r+b", buffering=0) as memory:
            while os.WIFSTOPPED(status):
                if os.WSTOPSIG(status) not in (signal.SIGTRAP, signal.SIGSTOP):
                    raise AssertionError(f"the program got {signal.Signals(os.WSTOPSIG(status)).name}")
                if is_stop(child, memory):
                    if begins:
                        found.append(operation(child, memory, own))
                    begins = not begins
                ptrace(CONT, child)
                _, status = os.waitpid(child, 0)
    finally:
        if os.WIFSTOPPED(status):
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    assert os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0, status
    return found


def read(memory, at, n):
    memory.seek(at)
    return memory.read(n)


def is_stop(child, memory):
    return read(memory, registers(child)[RIP] - 1, 1)[0] == INT3


def operation(child, memory, own):
    """Step until the next stop."""
    block = registers(child)
    at, size_b, second, top = block[RDI], block[RSI], block[RDX], block[RSP]
    found = {}  # (which watched memory, distance from the object) -> [(bytes, way)]
    draw = random.Random(size_b)
    old = read(memory, at, size_b)
    content = bytes(byte ^ draw.randint(1, 255) for byte in old)
    memory.seek(at)
    memory.write(content)
    watched = [(top - 3 * size_b - WINDOW_B, 3 * size_b + WINDOW_B + 64), (second, size_b)]
    before = [read(memory, *one) for one in watched]
    for _ in range(MOST_STEPS):
        here = registers(child)[RIP]
        if read(memory, here, 1)[0] == INT3:
            return summed(size_b, found)
        assert step(child), "the program has ended within an operation"
        for k, one in enumerate(watched):
            now = read(memory, *one)
            if now != before[k]:
                n, distance = copied(before[k], now, old, content)
                if n:
                    found.setdefault((k, distance), []).append((n, way(own(here), registers(child)[RIP] == here, n)))
                before[k] = now
    raise AssertionError("an operation without an end")


def summed(size_b, found):
    """What has been seen; a single byte at a distance of its own is an accident, unless the object is that small."""
    seen = Seen(size_b)
    for steps in found.values():
        if sum(n for n, _ in steps) >= min(size_b, 2):
            seen.bytes += sum(n for n, _ in steps)
            seen.ways |= {one for _, one in steps}
    return seen


def copied(before, now, old, new):
    """(how many bytes have changed, their distance), if all of them are the object's, at one distance; else (0, 0)."""
    changed = [k for k in range(len(now)) if now[k] != before[k]]
    for offset in range(len(new)):
        from_object = range(offset - changed[0], offset - changed[0] + len(now))
        if all(0 <= from_object[k] < len(new) and before[k] == old[from_object[k]] and now[k] == new[from_object[k]]
               for k in changed):
            return len(changed), changed[0] - offset
    return 0, 0


def way(is_own, stands_still, n):
    if not is_own:
        return "call of memcpy"
    if stands_still:
        return "rep movs"
    return "vector moves" if n > 8 else "moves"
