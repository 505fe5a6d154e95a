# SPDX-License-Identifier: MIT
"""The members of a type, read from what a compiler writes for debuggers (DWARF): where they lie, what is not filled.

A member's bytes are filled if a value of the type sets them; what is left is padding: holes between members, and the
tail behind the last."""

from dataclasses import dataclass, field

from plots.documents import Refused

NAMED = 64  # elements of an array whose padding is told with its place
FLOAT = 4   # DW_ATE_float
COMPLEX_FLOAT = 3
X87_B = 10  # of a long double's 16 bytes
NAMELESS = ("DW_TAG_const_type", "DW_TAG_volatile_type", "DW_TAG_restrict_type", "DW_TAG_typedef", "DW_TAG_atomic_type")
QUALIFIERS = {"DW_TAG_const_type": "const", "DW_TAG_volatile_type": "volatile", "DW_TAG_atomic_type": "atomic"}


@dataclass
class Layout:
    size_b: int
    bits: bytearray                              # one a bit: whether a member fills it
    kind: str = "scalar"                         # struct, union, scalar
    bit_fields: list = field(default_factory=list)   # (name, bits)
    unions: list = field(default_factory=list)       # names of members that are unions
    qualified: list = field(default_factory=list)    # (const, volatile or atomic; name of the member, "" for the whole)
    flexible: str = ""                           # a flexible array member
    ends: list = field(default_factory=list)     # (first bit behind a member, its name)

    @property
    def filled(self):
        """For each byte whether all of its bits are filled."""
        return [all(self.bits[8 * i:8 * i + 8]) for i in range(self.size_b)]

    @property
    def touched(self):
        """For each byte whether any of its bits is."""
        return [any(self.bits[8 * i:8 * i + 8]) for i in range(self.size_b)]

    @property
    def padding(self):
        """Stretches of whole bytes in which there is nothing: (offset, bytes, the member before)."""
        found, touched = [], self.touched
        for i, one in enumerate(touched):
            if one:
                continue
            if found and sum(found[-1][:2]) == i:
                found[-1][1] += 1
            else:
                before = [name for end, name in sorted(self.ends) if end <= 8 * i]
                found.append([i, 1, before[-1] if before else ""])
        return [tuple(one) for one in found]


def read(dwarf, variable, size_b):
    """The Layout of a global variable's type."""
    die = next((die for unit in dwarf.iter_CUs() for die in unit.get_top_DIE().iter_children()
                if die.tag == "DW_TAG_variable" and name_of(die) == variable and "DW_AT_type" in die.attributes), None)
    if die is None:
        raise Refused("debugging information", "the compiler writes none about the type")
    layout = Layout(size_b, bytearray(8 * size_b))
    fill(layout, type_of(die), 0, "")
    whole = bare(type_of(die))
    layout.kind = {"DW_TAG_structure_type": "struct", "DW_TAG_union_type": "union"}.get(whole.tag, "scalar")
    return layout


def name_of(die):
    name = die.attributes.get("DW_AT_name")
    return name.value.decode() if name else ""


def type_of(die):
    return die.get_DIE_from_attribute("DW_AT_type")


def number(die, attribute, otherwise=None):
    found = die.attributes.get(attribute)
    return found.value if found else otherwise


def bare(die):
    while die.tag in NAMELESS and "DW_AT_type" in die.attributes:
        die = type_of(die)
    return die


def size_of(die):
    """Bytes; 0 for an array without a length."""
    die = bare(die)
    if die.tag == "DW_TAG_array_type":
        return elements_of(die) * size_of(type_of(die))
    if "DW_AT_byte_size" in die.attributes:
        return number(die, "DW_AT_byte_size")
    return 8 if die.tag == "DW_TAG_pointer_type" else 0


def elements_of(die):
    """Of an array of any dimensions; 0 where one has no length."""
    n = 1
    for child in die.iter_children():
        if child.tag == "DW_TAG_subrange_type":
            n *= number(child, "DW_AT_count", number(child, "DW_AT_upper_bound", -1) + 1)
    return n


def fill(layout, die, at, path):
    """Mark the bits of a type that lies at bit `at`; `path` is the name of the member, as in point.x."""
    while die.tag in NAMELESS:
        if die.tag in QUALIFIERS:
            layout.qualified.append((QUALIFIERS[die.tag], path))
        if "DW_AT_type" not in die.attributes:
            return
        die = type_of(die)
    if die.tag in ("DW_TAG_structure_type", "DW_TAG_union_type"):
        if die.tag == "DW_TAG_union_type":
            layout.unions.append(path)
        fill_members(layout, die, at, path)
    elif die.tag == "DW_TAG_array_type":
        fill_array(layout, die, at, path)
    else:
        bits = 8 * size_of(die)
        if bits == 128 and number(die, "DW_AT_encoding") == FLOAT and "long" in name_of(die):
            bits = 8 * X87_B
        if bits == 256 and number(die, "DW_AT_encoding") == COMPLEX_FLOAT and "128" not in name_of(die):
            # two long doubles; clang calls them just complex
            mark(layout, at + bits // 2, 8 * X87_B, path)
            bits = 8 * X87_B
        mark(layout, at, bits, path)


def fill_members(layout, die, at, path):
    members = [child for child in die.iter_children() if child.tag == "DW_TAG_member"]
    for i, member in enumerate(members):
        name = ".".join(part for part in (path, name_of(member)) if part)
        bits = number(member, "DW_AT_bit_size")
        where = at + 8 * number(member, "DW_AT_data_member_location", 0)
        if bits is None:
            last = die.tag == "DW_TAG_structure_type" and i == len(members) - 1
            kind = bare(type_of(member))
            if last and kind.tag == "DW_TAG_array_type" and elements_of(kind) == 0:
                layout.flexible = layout.flexible or f"{name}[]"
            fill(layout, type_of(member), where, name)
            continue
        # Its qualifier counts as any member's; its place is said in one of two ways, by the version of DWARF.
        qualifier = type_of(member)
        while qualifier.tag in NAMELESS and "DW_AT_type" in qualifier.attributes:
            if qualifier.tag in QUALIFIERS:
                layout.qualified.append((QUALIFIERS[qualifier.tag], name))
            qualifier = type_of(qualifier)
        if "DW_AT_data_bit_offset" in member.attributes:
            where = at + number(member, "DW_AT_data_bit_offset")
        elif "DW_AT_bit_offset" in member.attributes:  # counted from the other end of the unit that holds it
            unit = 8 * number(member, "DW_AT_byte_size", size_of(type_of(member)))
            where += unit - number(member, "DW_AT_bit_offset") - bits
        layout.bit_fields.append((name, bits))
        mark(layout, where, bits, name)


def fill_array(layout, die, at, path):
    n, element = elements_of(die), type_of(die)
    size = size_of(element)
    if n == 0 or size == 0:
        return
    if bare(element).tag in ("DW_TAG_structure_type", "DW_TAG_union_type", "DW_TAG_array_type") or size == 16:
        one = Layout(size, bytearray(8 * size))
        fill(one, element, 0, f"{path}[]")
        for i in range(n):  # the first element's pattern, n times over
            layout.bits[at + 8 * size * i:at + 8 * size * (i + 1)] = one.bits
        layout.bit_fields += one.bit_fields
        layout.unions += one.unions
        layout.qualified += one.qualified
        layout.ends += [(at + 8 * size * i + end, f"{path}[{i}]{name[len(path) + 2:]}")
                        for i in range(min(n, NAMED)) for end, name in one.ends]
    else:
        fill(Layout(size, bytearray(8 * size), qualified=layout.qualified), element, 0, path)
        mark(layout, at, 8 * size * n, path)


def mark(layout, at, bits, path):
    layout.bits[at:at + bits] = b"\1" * len(layout.bits[at:at + bits])
    layout.ends.append((at + bits, path))
