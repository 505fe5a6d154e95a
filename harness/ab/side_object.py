# SPDX-License-Identifier: MIT
"""A side: everything that its kernels are linked from, as one relocatable file in which each section stands for itself.

Functions are known by their names here, which are the same in both versions; a second one of a name is `name#1`."""

import re
import struct
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lesson"))
from elftools.elf.constants import SH_FLAGS
from lesson_object import FUNCTION, Object

KERNEL = re.compile(r"amp_ab_kernel_(\w+)$")  # C++ has letters and a length before it
RUN_BY_ITSELF = (".init_array", ".fini_array", ".preinit_array", ".ctors", ".dtors", ".init", ".fini")
ALLOCATES = ("malloc", "calloc", "realloc", "free")


class Side(Object):
    def __init__(self, path):
        super().__init__(path)
        self.bytes = bytearray(Path(path).read_bytes())
        self.starts = {}  # code section -> its first function
        for symbol in self.symbols:
            if symbol.kind == FUNCTION and symbol.section is not None and symbol.name:
                first = self.starts.get(symbol.section)
                if first is None or (symbol.value, symbol.name) < first:
                    self.starts[symbol.section] = symbol.value, symbol.name
        self.kernels, self.kernel_at = {}, {}  # name -> its section, and where it stands in it
        for symbol in self.symbols:
            found = KERNEL.search(symbol.name)
            if found and symbol.section is not None:
                self.kernels[found[1]], self.kernel_at[found[1]] = symbol.section, symbol.value

    def is_allocated(self, section):
        return bool(self.headers[section]["sh_flags"] & SH_FLAGS.SHF_ALLOC)

    def is_placed(self, section):
        return self.is_code(section) and self.is_allocated(section) and self.headers[section]["sh_size"] > 0

    def own_allocator(self):
        """The functions of malloc's that the side defines itself."""
        return sorted({symbol.name for symbol in self.symbols if symbol.section is not None and symbol.name in ALLOCATES
                       and symbol.kind == FUNCTION})

    def started(self):
        """Sections that run, or are read, without anybody naming them."""
        return [section for section, name in enumerate(self.names) if self.is_allocated(section)
                and (name.startswith(RUN_BY_ITSELF) or name.isidentifier())]

    def reach(self, starts):
        """The sections that these lead to, and the names outside that they use, in the order of finding them."""
        found, queue, outside = set(starts), list(starts), {}
        for section in queue:
            for _, _, symbol, _ in self.relocations.get(section, ()):
                if symbol.section is not None and symbol.section not in found:
                    found.add(symbol.section)
                    queue.append(symbol.section)
                elif symbol.is_undefined:
                    outside[symbol.name] = True
        return queue, list(outside)

    def of_kernel(self, kernel):
        """As reach(), of all that runs for this kernel."""
        return self.reach([self.kernels[kernel], *self.started_for_all()])

    def started_for_all(self):
        """started(), without the lists of kernels, of which each file has one."""
        return [section for section in self.started() if self.names[section] != "amp_kernels"]

    def places(self):
        """{code section: (its name in both versions, whether it is expected to run rarely)} of what anything reaches,
        and a list of the rest."""
        live = set(self.reach([*self.started(), *(symbol.section for symbol in self.symbols
                                                  if symbol.name == "amp_ab_side" and symbol.section is not None)])[0])
        found, used, dead = {}, Counter(), []
        for section in range(len(self.names)):
            if not self.is_placed(section):
                continue
            if section not in live:
                dead.append(section)
                continue
            cold = self.names[section].startswith(".text.unlikely")
            name = self.starts.get(section, (0, self.names[section]))[1]
            name = f"cold:{name}" if cold else name
            found[section] = (f"{name}#{used[name]}" if used[name] else name), cold
            used[name] += 1
        return found, dead

    def renamed(self, names):
        """The file with other names of sections, {section: name}: its table of names is written anew, at the end."""
        at_b, entry_b, count, table = struct.unpack_from("<Q10xHHH", self.bytes, 0x28)
        count, table = count or len(self.names), table if table != 0xFFFF else struct.unpack_from(
            "<I", self.bytes, at_b + 40)[0]
        text, places, made = bytearray(b"\0"), {}, bytearray(self.bytes)
        made += b"\0" * (-len(made) % 8)
        for section in range(count):
            name = names.get(section, self.names[section])
            if name not in places:
                places[name] = len(text)
                text += name.encode() + b"\0"
            struct.pack_into("<I", made, at_b + section * entry_b, places[name])
        struct.pack_into("<QQ", made, at_b + table * entry_b + 24, len(made), len(text))
        return bytes(made + text)


def bytes_of(side, section):
    """What it holds; None where the file has no bytes for it."""
    return side.data[section] if side.headers[section]["sh_type"] != "SHT_NOBITS" else None


def shape(side, section):
    header = side.headers[section]
    return header["sh_type"], header["sh_flags"], header["sh_size"], header["sh_addralign"]


# ---- Is what a kernel reaches the same on both sides?

PC_RELATIVE = {2, 4, 9, 41, 42}  # of x86-64: the addend counts from the end of the field


def target(side, kind, symbol, addend):
    """Where a relocation leads: a name outside; a constant by its bytes; (section, offset)."""
    if symbol.section is None:
        return symbol.name, addend
    flags, offset = side.headers[symbol.section]["sh_flags"], symbol.value + addend
    if flags & SH_FLAGS.SHF_MERGE:  # where it lies among others depends on these
        at = offset + (4 if side.machine == "EM_X86_64" and kind in PC_RELATIVE else 0)
        data, size = side.data[symbol.section], side.headers[symbol.section]["sh_entsize"] or 1
        if 0 <= at < len(data):
            end = data.find(b"\0", at) if flags & SH_FLAGS.SHF_STRINGS else at + size
            return data[at:end], at % size
    return symbol.section, offset


def same(base, head, kernel):
    """Whether all code and data that the kernel reaches are the same, byte for byte, and lead to the same: then no time
    can differ but by placement. Constants are compared by what they hold."""
    pairs, queue = {}, []

    def meet(one, other):
        if pairs.setdefault(one, other) != other:
            return False
        queue.append((one, other))
        return True

    starts = [[side.kernels[kernel], *side.started_for_all()] for side in (base, head)]
    if len(starts[0]) != len(starts[1]) or not all(meet(one, other) for one, other in zip(*starts)):
        return False
    seen = set()
    for one, other in queue:  # grows
        if one in seen:
            continue
        seen.add(one)
        if shape(base, one) != shape(head, other) or bytes_of(base, one) != bytes_of(head, other):
            return False
        left, right = base.relocations.get(one, ()), head.relocations.get(other, ())
        if len(left) != len(right):
            return False
        for (at, kind, symbol, addend), (at2, kind2, symbol2, addend2) in zip(left, right):
            first, second = target(base, kind, symbol, addend), target(head, kind2, symbol2, addend2)
            inside = isinstance(first[0], int), isinstance(second[0], int)
            if (at, kind) != (at2, kind2) or inside[0] != inside[1] or first[1] != second[1]:
                return False
            if not (meet(first[0], second[0]) if inside[0] else first[0] == second[0]):
                return False
    return True


def differences(base, head):
    """(functions of both sides, of these changed, only in base, only in head), by name, of all placed code."""
    of_base, of_head = ({name: section for section, (name, _) in side.places()[0].items()} for side in (base, head))
    both = [name for name in of_base if name in of_head]
    changed = [name for name in both if not alike(base, of_base[name], head, of_head[name])]
    gone, new = [name for name in of_base if name not in of_head], [name for name in of_head if name not in of_base]
    return both, changed, gone, new


def alike(base, one, head, other):
    """Whether two functions have the same code, and name the same things."""
    return (one is not None and other is not None and base.data[one] == head.data[other]
            and named(base, one) == named(head, other))


def named(side, section):
    """What a function's relocations name: functions and objects; constants by what they hold."""
    found = []
    for at, kind, symbol, addend in side.relocations.get(section, ()):
        where, offset = target(side, kind, symbol, addend)
        if isinstance(where, int):
            where = side.starts[where][1] if where in side.starts else side.names[where]
        found.append((at, kind, where, offset))
    return found
