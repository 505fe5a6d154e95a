# SPDX-License-Identifier: MIT
"""What an operation hands to functions in registers, read from its compiled code: copies of small objects, which no
store shows.

    mov rdi, [rbx]          8 B of an object
    call take_value         which reads rdi: handed over in a register

An argument counts where the callee reads the register before it writes it, and where the register holds, unchanged,
what was loaded from memory; and with it the register that holds what lies beside that in memory, which is a part of the
object that the callee does not read. A register whose value is used as an address, by the callee or by a function
outside the object, holds a pointer and is no copy. What is shifted together from parts, as 3 bytes are, is not told."""

from copies import Reader
from functions import NotTold

ZEROES = ("xor", "pxor", "vpxor", "xorps", "xorpd", "vxorps", "vxorpd", "eor")  # of itself: reads by name
WORD_B = 8  # of a part of an object; what is wider is in a vector register to be stored


class Handed(Reader):
    """Collects what is handed over, and which values turn out to be addresses."""

    def __init__(self, lesson):
        super().__init__(lesson)
        self.handed, self.addresses = [], set()  # (which load, B); which loads
        self.reaches = True  # whether the instruction reaches memory
        self.taken_by = {}  # section -> the registers in which its function takes arguments
        self.passed = (*self.machine.arguments, *(f"v{k}" for k in range(8)))

    def step(self, function, at, size, effect, state, counted, depth):
        self.reaches = effect[0] != "address"  # lea adds up numbers, too
        super().step(function, at, size, effect, state, counted, depth)

    def address(self, function, at, size, place, state):
        if self.reaches:
            self.is_address(state.get(place[0]))
        return super().address(function, at, size, place, state)

    def is_address(self, value):
        if value and value[0] == "data":
            self.addresses.add(value[4])

    def call_outside(self, name, state, counted):
        for register in self.machine.arguments:
            self.is_address(state.get(register))
        return super().call_outside(name, state, counted)

    def follow(self, section, name, state, counted, depth):
        if counted == 1:
            values = {register: state[register] for register in self.passed
                      if state.get(register) and state[register][0] == "data"}
            taken = [value for register, value in values.items() if register in self.arguments_of(section)]
            self.handed += [(value[4], value[3]) for value in values.values()
                            if value in taken or any(are_neighbours(value, one) for one in taken)]
        return super().follow(section, name, state, counted, depth)

    def arguments_of(self, section):
        if section not in self.taken_by:
            self.taken_by[section] = frozenset()  # of a function that calls itself
            self.taken_by[section] = self._read_first(self.function(section))
        return self.taken_by[section]

    def _read_first(self, function):
        """The registers of arguments that some path reads before it writes them."""
        accesses = _accesses(self.machine, self.lesson.data[function.section])
        live, changed = {block: frozenset() for block in function.order}, True
        while changed:
            changed = False
            for block in reversed(function.order):
                now = frozenset().union(*(live[to] for to in function.next[block] if to in live))
                for at, size, effects in reversed(function.blocks[block]):
                    now = self._before(function, at, size, effects, accesses[at], now)
                changed |= now != live[block]
                live[block] = now
        return live[0] & frozenset(self.passed)

    def _before(self, function, at, size, effects, access, now):
        read, written = access
        kind = effects[-1][0] if effects else None
        symbol = function.symbol_of(at, size)
        if kind == "call" or kind == "jump" and function.leaves_for(at, size, effects[-1]):
            own = kind == "call" and symbol is None and effects[-1][1] is not None
            callee = function.section if own else symbol.section if symbol else None
            now = self.arguments_of(callee) if callee is not None and self.lesson.is_code(callee) else frozenset()
        return now - written | read


def are_neighbours(one, other):
    """Whether two registers hold what lies side by side in memory."""
    if one[1] != other[1] or None in (one[2], other[2]) or max(one[3], other[3]) > WORD_B:
        return False
    return one[2] + one[3] == other[2] or other[2] + other[3] == one[2]


def _accesses(machine, data):
    """{offset: (registers that the instruction reads, those that it writes)}"""
    found = {}
    for insn in machine.decoder.disasm(data, 0):
        read, written = ({machine.name(insn, one) for one in ones} for ones in insn.regs_access())
        names = [insn.reg_name(one.reg) for one in insn.operands if one.type == 1]
        if insn.mnemonic in ZEROES and len(names) > 1 and len(set(names[-2:])) == 1:
            read = set()
        found[insn.address] = frozenset(read), frozenset(written)
    return found


def handed(lesson, section):
    """[{bytes, moves, per}] of the kernel in a section: all that it hands over in registers together; [] where that is
    nothing, or cannot be told. `lesson`: a lesson_object.Object."""
    try:
        reader = Handed(lesson)
        reader.operation(section)
    except NotTold:
        return []
    found = [size_b for load, size_b in reader.handed if load is not None and load not in reader.addresses]
    return [{"bytes": sum(found), "moves": len(found), "per": "operation"}] if found else []
