# SPDX-License-Identifier: MIT
"""What an instruction does with registers and memory, the same for x86-64 and AArch64: a list of effects.

    ("load", register, place, width)     the register becomes what stands there, of `width` bytes
    ("store", register, place, width)    register None: not a register's value
    ("copy", from, to, width)            memory to memory: push or pop of a memory operand, movs
    ("move", register, register)         ("address", register, place)    ("constant", register, number)
    ("add", register, register, number)  ("set", register): another value
    ("rep movs", width)                  rcx elements from [rsi] to [rdi]
    ("compare", register, register or number, width)    number None: later jumps depend on the register, their result
    ("flags",): later jumps depend on something else    ("less", register): another register is taken off
    ("call", target or None, register or None, place or None)    ("jump", target or None, condition or None)
    ("return",)

A place is (base, index, displacement, what the index counts); "ip" as the base: what the relocation says. Registers
have the name of the whole one: rax for eax, v0 for xmm0, ymm0, q0 and d0. Decoded by capstone; no text is read."""

import capstone
from capstone import arm64_const, x86_const

X86_ARGUMENTS = ("rdi", "rsi", "rdx", "rcx", "r8", "r9")
X86_SAVED = ("rbx", "rbp", "rsp", "r12", "r13", "r14", "r15")
ARM_ARGUMENTS = tuple(f"x{k}" for k in range(8))
ARM_SAVED = tuple(f"x{k}" for k in range(19, 30)) + ("sp",)


class X86:
    arguments, saved, stack, result = X86_ARGUMENTS, X86_SAVED, "rsp", "rax"
    registers = (*X86_ARGUMENTS, *X86_SAVED, "rax", "r10", "r11")
    call_pushes_b = 8

    def __init__(self):
        self.decoder = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
        self.decoder.detail = True

    def name(self, insn, register):
        text = insn.reg_name(register)
        if text[:3] in ("xmm", "ymm", "zmm"):
            return f"v{text[3:]}"
        if text[0] == "r" and text[1:2].isdigit():
            return text.rstrip("dwb")
        if text in ("rip", "eip"):
            return "ip"
        stem = text[1:] if text[0] in "re" and len(text) == 3 else text
        stem = {"al": "ax", "ah": "ax", "bl": "bx", "bh": "bx", "cl": "cx", "ch": "cx", "dl": "dx", "dh": "dx",
                "sil": "si", "dil": "di", "bpl": "bp", "spl": "sp"}.get(stem, stem)
        return f"r{stem}"

    def place(self, insn, operand):
        memory = operand.mem
        return (self.name(insn, memory.base) if memory.base else None,
                self.name(insn, memory.index) if memory.index else None, memory.disp, memory.scale)

    def effects(self, insn):
        groups = insn.groups
        operands = insn.operands
        kinds = [operand.type for operand in operands]
        if capstone.CS_GRP_CALL in groups:
            return [call(self, insn, operands[0])]
        if capstone.CS_GRP_RET in groups or insn.id in (x86_const.X86_INS_UD2, x86_const.X86_INS_HLT):
            return [("return",)]
        if capstone.CS_GRP_JUMP in groups:
            target = operands[0].imm if kinds[0] == x86_const.X86_OP_IMM else None
            always = insn.id == x86_const.X86_INS_JMP
            return [("jump", target, None if always else X86_CONDITIONS.get(insn.id, "other"))]
        if insn.id in MOVS:
            if insn.prefix[0]:
                return [("rep movs", MOVS[insn.id])]
            return [("copy", ("rsi", None, 0, 1), ("rdi", None, 0, 1), MOVS[insn.id]),
                    ("add", "rsi", "rsi", MOVS[insn.id]), ("add", "rdi", "rdi", MOVS[insn.id])]
        if insn.id in (x86_const.X86_INS_PUSH, x86_const.X86_INS_POP):
            return self.stack_effects(insn, operands[0])
        if len(operands) >= 2 and insn.id in MOVES:
            return self.move(insn, operands[0], operands[-1])
        if insn.id == x86_const.X86_INS_LEA:
            return [("address", self.name(insn, operands[0].reg), self.place(insn, operands[1]))]
        if insn.id in (x86_const.X86_INS_ADD, x86_const.X86_INS_SUB) and kinds == [x86_const.X86_OP_REG,
                                                                                     x86_const.X86_OP_IMM]:
            register, number = self.name(insn, operands[0].reg), operands[1].imm
            if insn.id == x86_const.X86_INS_ADD:
                return [("add", register, register, number), ("compare", register, None, operands[0].size)]
            return [("compare", register, number, operands[0].size), ("add", register, register, -number)]
        if insn.id == x86_const.X86_INS_SUB and kinds == [x86_const.X86_OP_REG] * 2:
            register = self.name(insn, operands[0].reg)
            return [("less", register), ("set", register), ("flags",)]
        if insn.id in (x86_const.X86_INS_INC, x86_const.X86_INS_DEC) and kinds == [x86_const.X86_OP_REG]:
            register = self.name(insn, operands[0].reg)
            return [("add", register, register, 1 if insn.id == x86_const.X86_INS_INC else -1),
                    ("compare", register, None, operands[0].size)]
        if insn.id == x86_const.X86_INS_XOR and kinds == [x86_const.X86_OP_REG] * 2 and (
                operands[0].reg == operands[1].reg):
            return [("constant", self.name(insn, operands[0].reg), 0), ("flags",)]
        if insn.id in (x86_const.X86_INS_CMP, x86_const.X86_INS_TEST):
            return [self.compare(insn, *operands)]
        stored = [("store", None, self.place(insn, operand), operand.size) for operand in operands
                  if operand.type == x86_const.X86_OP_MEM and operand.access & capstone.CS_AC_WRITE]
        return stored + [("flags",) if register == x86_const.X86_REG_EFLAGS else ("set", self.name(insn, register))
                         for register in insn.regs_access()[1]]

    def compare(self, insn, left, right):
        if left.type != x86_const.X86_OP_REG or right.type == x86_const.X86_OP_MEM:
            return ("flags",)
        name = self.name(insn, left.reg)
        other = right.imm if right.type == x86_const.X86_OP_IMM else self.name(insn, right.reg)
        if insn.id == x86_const.X86_INS_TEST:
            return ("compare", name, 0, left.size) if other == name else ("flags",)
        return ("compare", name, other, left.size)

    def stack_effects(self, insn, operand):
        width = 8
        top = ("rsp", None, 0, 1)
        if insn.id == x86_const.X86_INS_PUSH:
            down = ("add", "rsp", "rsp", -width)
            if operand.type == x86_const.X86_OP_MEM:
                return [("copy", self.place(insn, operand), ("rsp", None, -width, 1), width), down]
            register = self.name(insn, operand.reg) if operand.type == x86_const.X86_OP_REG else None
            return [down, ("store", register, top, width)]
        up = ("add", "rsp", "rsp", width)
        if operand.type == x86_const.X86_OP_MEM:
            return [("copy", top, self.place(insn, operand), width), up]
        return [("load", self.name(insn, operand.reg), top, width), up]

    def move(self, insn, to, source):
        if to.type == x86_const.X86_OP_MEM:
            register = self.name(insn, source.reg) if source.type == x86_const.X86_OP_REG else None
            return [("store", register, self.place(insn, to), to.size)]
        register = self.name(insn, to.reg)
        if source.type == x86_const.X86_OP_MEM:
            return [("load", register, self.place(insn, source), source.size)]
        if source.type == x86_const.X86_OP_IMM:
            return [("constant", register, source.imm)]
        return [("move", register, self.name(insn, source.reg))]


MOVS = {x86_const.X86_INS_MOVSB: 1, x86_const.X86_INS_MOVSW: 2, x86_const.X86_INS_MOVSQ: 8}
MOVES = {getattr(x86_const, f"X86_INS_{name}") for name in (
    "MOV MOVABS MOVZX MOVD MOVQ MOVSS MOVAPS MOVAPD MOVUPS MOVUPD MOVDQA MOVDQU VMOVD VMOVQ VMOVSS VMOVSD VMOVAPS "
    "VMOVAPD VMOVUPS VMOVUPD VMOVDQA VMOVDQU VMOVDQU8 VMOVDQU64 VMOVDQA64 VMOVDQA32 VMOVDQU32").split()}


X86_CONDITIONS = {getattr(x86_const, f"X86_INS_J{name.upper()}"): name for name in (
    "e", "ne", "b", "ae", "be", "a", "l", "ge", "le", "g", "s", "ns")}
ARM_CONDITIONS = {"eq": "e", "ne": "ne", "lo": "b", "cc": "b", "hs": "ae", "cs": "ae", "ls": "be", "hi": "a", "lt": "l",
                  "ge": "ge", "le": "le", "gt": "g", "mi": "s", "pl": "ns"}


def call(machine, insn, operand):
    if operand.type == capstone.CS_OP_IMM:
        return ("call", operand.imm, None, None)
    if operand.type == capstone.CS_OP_REG:
        return ("call", None, machine.name(insn, operand.reg), None)
    return ("call", None, None, machine.place(insn, operand))


def _is_string(insn):
    return insn.id == x86_const.X86_INS_MOVSD and all(operand.type == x86_const.X86_OP_MEM for operand in insn.operands)


class Arm64:
    arguments, saved, stack, result = ARM_ARGUMENTS, ARM_SAVED, "sp", "x0"
    registers = (*(f"x{k}" for k in range(31)), "sp")
    call_pushes_b = 0

    def __init__(self):
        self.decoder = capstone.Cs(capstone.CS_ARCH_ARM64, capstone.CS_MODE_ARM)
        self.decoder.detail = True

    def name(self, insn, register):
        text = insn.reg_name(register)
        text = {"fp": "x29", "lr": "x30", "wsp": "sp"}.get(text, text)
        if text[0] == "w" and text[1:].isdigit():
            return f"x{text[1:]}"
        return f"v{text[1:]}" if text[0] in "qdshb" and text[1:].isdigit() else text

    def width(self, insn, register):
        mnemonic = insn.mnemonic
        if mnemonic[:3] in ("ldr", "ldu", "str", "stu") and mnemonic[-1] in "bh":
            return {"b": 1, "h": 2}[mnemonic[-1]]
        return {"x": 8, "w": 4, "q": 16, "d": 8, "s": 4, "h": 2, "b": 1, "f": 8, "l": 8}[insn.reg_name(register)[0]]

    def effects(self, insn):
        groups, operands = insn.groups, insn.operands
        code = insn.mnemonic
        if code in ("bl", "blr"):
            return [call(self, insn, operands[0])]
        if code in ("ret", "brk"):
            return [("return",)]
        if code == "br":
            return [("jump", None, None)]
        if code in ("cbz", "cbnz"):
            name = self.name(insn, operands[0].reg)
            return [("compare", name, 0, 4 if insn.reg_name(operands[0].reg)[0] == "w" else 8),
                    ("jump", operands[-1].imm, "e" if code == "cbz" else "ne")]
        if code == "b" or capstone.CS_GRP_JUMP in groups:
            condition = None if code == "b" else ARM_CONDITIONS.get(code.removeprefix("b."), "other")
            return [("jump", operands[-1].imm, condition)]
        memory = [operand for operand in operands if operand.type == arm64_const.ARM64_OP_MEM]
        registers = [operand for operand in operands if operand.type == arm64_const.ARM64_OP_REG]
        if memory and code in ARM_LOADS + ARM_STORES:
            return self.memory(insn, memory[0], registers, operands)
        if code == "mov" and len(registers) == 2 and not registers[1].shift.type:
            zero = insn.reg_name(registers[1].reg) in ("xzr", "wzr")
            to = self.name(insn, registers[0].reg)
            return [("constant", to, 0) if zero else ("move", to, self.name(insn, registers[1].reg))]
        if code in ("mov", "movz") and operands[1].type == arm64_const.ARM64_OP_IMM:
            return [("constant", self.name(insn, operands[0].reg), operands[1].imm << operands[1].shift.value)]
        if code in ("add", "sub", "adds", "subs") and len(registers) == 2 and (
                operands[2].type == arm64_const.ARM64_OP_IMM):
            number = operands[2].imm << operands[2].shift.value
            to, source = (self.name(insn, one.reg) for one in registers)
            added = ("add", to, source, number if code[:3] == "add" else -number)
            width = 4 if insn.reg_name(registers[0].reg)[0] == "w" else 8
            if code == "subs":
                return [("compare", source, number, width), added]
            return [added, ("compare", to, None, width)] if code == "adds" else [added]
        if code in ("sub", "subs") and len(registers) == 3:
            register = self.name(insn, registers[0].reg)
            return [("less", register), ("set", register), ("flags",)]
        if code == "cmp":
            return [self.compare(insn, *operands)]
        stored = [("store", None, self.place(insn, operand), None) for operand in memory if code.startswith("st")]
        return stored + [("flags",) if insn.reg_name(register) == "nzcv" else ("set", self.name(insn, register))
                         for register in insn.regs_access()[1]]

    def compare(self, insn, left, right):
        if right.shift.type or right.ext:
            return ("flags",)
        other = right.imm if right.type == arm64_const.ARM64_OP_IMM else self.name(insn, right.reg)
        return ("compare", self.name(insn, left.reg), other, 4 if insn.reg_name(left.reg)[0] == "w" else 8)

    def place(self, insn, operand):
        memory = operand.mem
        return (self.name(insn, memory.base), self.name(insn, memory.index) if memory.index else None, memory.disp,
                1 << operand.shift.value)

    def memory(self, insn, operand, registers, operands):
        base, index, disp, scale = self.place(insn, operand)
        after = operands[-1].imm if operands[-1].type == arm64_const.ARM64_OP_IMM else None
        before = insn.writeback and after is None
        found, at = [], disp if after is None else 0
        if before:  # the base moves first, so what is reached stands at it
            found.append(("add", base, base, disp))
            at = 0
        kind = "load" if insn.mnemonic in ARM_LOADS else "store"
        for one in registers:
            width = self.width(insn, one.reg)
            zero = insn.reg_name(one.reg) in ("xzr", "wzr")
            found.append((kind, None if zero else self.name(insn, one.reg), (base, index, at, scale), width))
            at += width
        if kind == "load":  # the one that replaces the base comes last
            found.sort(key=lambda effect: effect[0] == "load" and effect[1] == base)
        if after is not None:
            found.append(("add", base, base, after))
        return found


ARM_LOADS = ("ldr", "ldur", "ldp", "ldrb", "ldrh", "ldurb", "ldurh")
ARM_STORES = ("str", "stur", "stp", "strb", "strh", "sturb", "sturh")
MACHINES = {"EM_X86_64": X86, "EM_AARCH64": Arm64}


def decode(machine, data):
    """[(offset, size, effects)] of a function's code, and how far it could be read."""
    found = []
    for insn in machine.decoder.disasm(data, 0):
        if isinstance(machine, X86) and insn.id == x86_const.X86_INS_MOVSD:
            found.append((insn.address, insn.size, _movsd(machine, insn)))
        else:
            found.append((insn.address, insn.size, machine.effects(insn)))
    return found


def _movsd(machine, insn):
    """Two instructions have this name: the string's, of 4 bytes, and the move of a double."""
    if not _is_string(insn):
        return machine.move(insn, *insn.operands)
    if insn.prefix[0]:
        return [("rep movs", 4)]
    return [("copy", ("rsi", None, 0, 1), ("rdi", None, 0, 1), 4), ("add", "rsi", "rsi", 4), ("add", "rdi", "rdi", 4)]
