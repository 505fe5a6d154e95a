# SPDX-License-Identifier: MIT
"""The user's type, declared once more: alike in size, alignment and members, and nothing else of the header with it.

The lessons are compiled against this, so that no macro, name, pragma or flag of the header meets their code. Whether
it is alike, the compiler says: subject.py compares all places and how both are passed."""

import re

from ask.types import members

BYTE = 8
SIGNED_OR_NOT = {1: "unsigned char", 2: "unsigned short", 4: "unsigned", 8: "unsigned long", 16: "unsigned __int128"}
FLOATS = {2: "_Float16", 4: "float", 8: "double"}
DECIMALS = {4: "_Decimal32", 8: "_Decimal64", 16: "_Decimal128"}
BOOLEAN, ADDRESS = 2, 1
MOST_FILLER_B = 4096


class CannotDeclare(Exception):
    """There is something in the type for which we know no words of C."""


def declare(use, alignment, quad, name="amp_asked"):
    """The lines that make a type of this name; `quad` is what the compiler calls a float of 128 bits."""
    writer = Writer(quad, name)
    spelled = writer.spell(use)
    if alignment != writer.alignment(use):
        spelled = writer.typedef(spelled, attributes=[f"__aligned__({alignment})"])
    return "".join(writer.lines) + f"typedef {spelled} {name};\n"


def field(member, i):
    """What the i-th member is called here."""
    return f"amp_{member.name}" if re.fullmatch(r"\w+", member.name, re.ASCII) else f"amp_member_{i}"


def up(at, step):
    return -(-at // step) * step


class Writer:
    def __init__(self, quad, of="amp_asked"):
        self.quad, self.of, self.lines, self.names, self.alignments = quad, of, [], {}, {}

    def typedef(self, name, dimensions="", attributes=()):
        made = f"{self.of}_{len(self.lines)}"
        words = f" __attribute__(({', '.join(attributes)}))" if attributes else ""
        self.lines.append(f"typedef {name} {made}{dimensions}{words};\n")
        return made

    def alignment(self, use):
        """As what spell() gives is aligned."""
        return use.alignment or self.alignments[id(use.type)]

    def spell(self, use):
        """One name for a type, beside which nothing has to stand."""
        if id(use.type) not in self.names:
            self.names[id(use.type)], self.alignments[id(use.type)] = self._spell(use.type)
        name, natural = self.names[id(use.type)], self.alignments[id(use.type)]
        if use.alignment and use.alignment != natural:
            name = self.typedef(name, attributes=[f"__aligned__({use.alignment})"])
        return name

    def _spell(self, kind):
        """(name, alignment)"""
        if kind.kind == "pointer":
            return "void *", kind.size
        if kind.kind == "scalar":
            return self._scalar(kind)
        if kind.kind in ("struct", "union"):
            return self._record(kind)
        element = self.spell(kind.element)
        if kind.kind == "vector":
            size = kind.count * kind.element.type.size
            if size != kind.size:  # clang's of three elements
                return self.typedef(element, attributes=[f"__ext_vector_type__({kind.count})"]), kind.size
            name = self.typedef(element, attributes=[f"__vector_size__({size})"])
            aligned = kind.alignment or size
            return (name if aligned == size else self.typedef(name, attributes=[f"__aligned__({aligned})"])), aligned
        dimensions = "".join(f"[{n or 0}]" for n in kind.counts)
        return self.typedef(element, dimensions), self.alignment(kind.element)

    def _scalar(self, kind):
        half = kind.size // kind.halves
        of = "_Complex " if kind.halves == 2 else ""
        if kind.wide and kind.mantissa:
            return of + ("long double" if kind.mantissa == "x87" else self.quad), half
        if kind.encoding in (members.FLOAT, members.COMPLEX) and half in FLOATS:
            return of + ("__bf16" if "bf16" in kind.name else FLOATS[half]), half
        if kind.encoding == members.DECIMAL and half in DECIMALS:
            return DECIMALS[half], half
        if kind.encoding in (members.FLOAT, members.COMPLEX, members.DECIMAL) or not kind.size:
            raise CannotDeclare(kind.name or "something without a name")
        if kind.encoding == BOOLEAN and half == 1:
            return "_Bool", 1
        if "_BitInt" in kind.name and half > 8:
            return self.typedef("unsigned long", f"[{half // 8}]"), 8
        if half not in SIGNED_OR_NOT:
            raise CannotDeclare(kind.name or f"an integer of {half} B")
        return of + SIGNED_OR_NOT[half], half

    # ---- structs and unions

    def _record(self, kind):
        for member in kind.members:  # what they need is declared before
            self.spell(member.use)
        natural = max([self._aligned(member) for member in kind.members], default=1)
        whole = kind.alignment or self._fitting(kind, natural)
        loose = self._fields(kind, whole, packed=False) if natural <= whole else None
        lines = self._fields(kind, whole, packed=True) if loose is None else loose
        if lines is None:
            raise CannotDeclare(f"{kind.kind} {kind.name or '{...}'}")
        attributes = [*(["__packed__"] if loose is None else []),
                      *([f"__aligned__({whole})"] if whole != natural or loose is None else [])]
        words = f" __attribute__(({', '.join(attributes)}))" if attributes else ""
        name = f"{kind.kind} {self.of}_{len(self.lines)}"
        self.lines.append(f"{name} {{\n{''.join(lines)}}}{words};\n")
        return name, whole

    @staticmethod
    def _fitting(kind, natural):
        """Of an anonymous struct, whose alignment cannot be asked for: what its size and its members' places allow."""
        while natural > 1 and kind.size % natural:
            natural //= 2
        return natural

    def _aligned(self, member):
        return self.alignment(member.use)

    def _fields(self, kind, whole, packed):
        """A line for each member, or None where they would not lie as they have to."""
        lines, end, widest = [], 0, 1
        for i, member in enumerate(kind.members):
            at = BYTE * member.offset + member.bit
            before = end if kind.kind == "struct" else 0
            step = 1 if packed else self._aligned(member)
            found = (self._bits(before, at, member, packed) if member.bits is not None
                     else self._plain(before, at, step, whole))
            if found is None:
                return None
            filler, attribute = found
            lines += filler
            lines.append(self._line(member, i, attribute))
            end = max(end, at + (BYTE * member.use.type.size if member.bits is None else member.bits))
            widest = max(widest, step)
        rest = BYTE * kind.size - up(end, BYTE * whole)
        if rest < 0 or rest > BYTE * MOST_FILLER_B or rest and kind.kind == "union":
            return None
        return lines + (_filler(end, end + rest) if rest else [])

    def _line(self, member, i, attribute):
        bits = "" if member.bits is None else f" : {member.bits}"
        words = f" __attribute__(({attribute}))" if attribute else ""
        return f"    {self.spell(member.use)} {field(member, i)}{bits}{words};\n"

    @staticmethod
    def _plain(before, at, natural, whole):
        """(lines of filler, attribute)"""
        if up(before, BYTE * natural) == at:
            return [], ""
        step = natural
        while step <= whole:  # the least alignment that brings it there
            if up(before, BYTE * step) == at:
                return [], f"__aligned__({step})"
            step *= 2
        there = before < at <= before + BYTE * MOST_FILLER_B and at % (BYTE * natural) == 0
        return (_filler(before, at), "") if there else None

    def _bits(self, before, at, member, packed):
        unit = BYTE * member.use.type.size
        there = before
        if not packed and before // unit != (before + member.bits - 1) // unit:
            there = up(before, unit)
        if there == at:
            return [], ""
        if before > at or not packed and at // unit != (at + member.bits - 1) // unit:
            return None
        return _filler(before, at), ""


def _filler(before, at):
    """Bits without a name, a byte at a time."""
    lines = []
    while before < at:
        n = min(at, before // BYTE * BYTE + BYTE) - before
        lines.append(f"    unsigned char : {n};\n")
        before += n
    return lines
