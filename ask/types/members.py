# SPDX-License-Identifier: MIT
"""The members of a type as a tree, read from what a compiler writes for debuggers (DWARF).

    Use     a type at one place: behind how many names, how qualified, how aligned
    Type    what is there: a scalar, a struct or union with its members, an array or a vector of its elements

Where each member lies is asked of the compiler once more, in facts.py; layout.py finds what is not filled."""

from dataclasses import dataclass, field

from plots.program.errors import Refused

NAMELESS = ("DW_TAG_const_type", "DW_TAG_volatile_type", "DW_TAG_restrict_type", "DW_TAG_typedef", "DW_TAG_atomic_type")
QUALIFIERS = {"DW_TAG_const_type": "const", "DW_TAG_volatile_type": "volatile", "DW_TAG_atomic_type": "atomic"}
POINTERS = ("DW_TAG_pointer_type", "DW_TAG_reference_type", "DW_TAG_rvalue_reference_type")
RECORDS = ("DW_TAG_structure_type", "DW_TAG_class_type", "DW_TAG_union_type")
FUNCTION_B, ADDRESS_B = 16, 8  # what C++ has in a pointer to a member function, and in one to other members
ALL_ONES = (-1, (1 << 32) - 1, (1 << 64) - 1)  # the last of no elements
# DW_ATE_*
COMPLEX, FLOAT, DECIMAL, COMPLEX_INTEGER = 3, 4, 15, 0x80


@dataclass(eq=False)
class Type:
    kind: str                # scalar, pointer, struct, union, array, vector
    size: int                # bytes; 0 for an array without a length
    name: str = ""           # of a base type, or a tag
    encoding: int = 0        # of a base type: DW_ATE_*
    alignment: int = 0       # as declared by an attribute, later as the compiler has it; 0: not known
    members: list = field(default_factory=list)
    element: "Use" = None    # of an array or vector
    counts: tuple = ()       # elements in each dimension; None: no length is given
    place: int = 0           # of this type in the debugging information
    pointee: int = 0         # of a pointer: the place of what it points to
    mantissa: str = ""       # of a wide floating-point type: x87, quad
    filled: int = 0          # bytes of it, or of each half, that hold a value; 0: all

    @property
    def halves(self):
        return 2 if self.kind == "scalar" and self.encoding in (COMPLEX, COMPLEX_INTEGER) else 1

    @property
    def wide(self):
        """Whether it is of floating point and may be one of several formats: its name does not tell which."""
        return self.kind == "scalar" and self.encoding in (COMPLEX, FLOAT) and self.size // self.halves > 8

    @property
    def count(self):
        n = 1
        for one in self.counts:
            n *= one or 0
        return n


@dataclass(frozen=True, eq=False)
class Use:
    type: Type
    qualifiers: tuple = ()
    names: tuple = ()        # of the typedefs, the outer first
    alignment: int = 0       # as declared by a typedef's attribute; 0: none


@dataclass(eq=False)
class Member:
    name: str                # "" for an anonymous struct or union
    use: Use
    offset: int              # bytes; of a bit-field: of the byte in which it begins
    bit: int = 0             # of a bit-field: the bit within that byte
    bits: int = None         # None: no bit-field
    alignment: int = 0       # of its type as the compiler has it here; 0: not asked
    declared: int = 0        # by an _Alignas of its own; 0: none


def read(dwarf, variable, behind=False):
    """The Use of a global variable's type; `behind`: of what it points to."""
    die = next((die for unit in dwarf.iter_CUs() for die in unit.get_top_DIE().iter_children()
                if die.tag == "DW_TAG_variable" and name_of(die) == variable and "DW_AT_type" in die.attributes), None)
    if die is None:
        raise Refused("debugging information", "the compiler writes none about the type")
    die = type_of(die)
    return Reader().use(type_of(die) if behind else die)


def name_of(die):
    name = die.attributes.get("DW_AT_name")
    return name.value.decode(errors="replace") if name else ""


def type_of(die):
    return die.get_DIE_from_attribute("DW_AT_type")


def number(die, attribute, otherwise=None):
    found = die.attributes.get(attribute)
    return found.value if found else otherwise


def _is_part(die):
    """Of each object: a base class of C++ is a part as an anonymous struct is, a static member is none."""
    return die.tag == "DW_TAG_inheritance" or die.tag == "DW_TAG_member" and "DW_AT_external" not in die.attributes


class Reader:
    """Each type is read once, by its place in the file."""

    def __init__(self):
        self.types = {}

    def use(self, die):
        qualifiers, names, alignment = [], [], 0
        while die.tag in NAMELESS:
            if die.tag in QUALIFIERS:
                qualifiers.append(QUALIFIERS[die.tag])
            if die.tag == "DW_TAG_typedef":
                names.append(name_of(die))
                alignment = alignment or number(die, "DW_AT_alignment", 0)
            if "DW_AT_type" not in die.attributes:
                return Use(Type("scalar", 0), tuple(qualifiers), tuple(names))
            die = type_of(die)
        return Use(self.type(die), tuple(qualifiers), tuple(names), alignment)

    def type(self, die):
        if die.offset not in self.types:
            self._read(die)
        return self.types[die.offset]

    def _read(self, die):
        size, name = number(die, "DW_AT_byte_size", 0), name_of(die)
        alignment = number(die, "DW_AT_alignment", 0)
        if die.tag in RECORDS:
            made = Type("union" if die.tag == "DW_TAG_union_type" else "struct", size, name, alignment=alignment,
                        place=die.offset)
            self.types[die.offset] = made
            made.members = [self._member(child) for child in die.iter_children() if _is_part(child)]
        elif die.tag == "DW_TAG_array_type":
            counts = tuple(self._count(child) for child in die.iter_children() if child.tag == "DW_TAG_subrange_type")
            vector = "DW_AT_GNU_vector" in die.attributes
            made = Type("vector" if vector else "array", size, name, alignment=alignment, counts=counts,
                        element=self.use(type_of(die)))
            made.size = size if vector and size else made.count * made.element.type.size
        elif die.tag in POINTERS:
            made = Type("pointer", size or 8, pointee=self._pointee(die))
        elif die.tag == "DW_TAG_ptr_to_member_type":
            made = Type("pointer", FUNCTION_B if type_of(die).tag == "DW_TAG_subroutine_type" else ADDRESS_B)
        elif die.tag == "DW_TAG_unspecified_type":  # nullptr_t
            made = Type("pointer", 8, name)
        else:
            made = Type("scalar", size, name, encoding=number(die, "DW_AT_encoding", 0), alignment=alignment)
        self.types[die.offset] = made

    @staticmethod
    def _pointee(die):
        """Only where it is: what it holds may be of no interest, and endless."""
        while die.tag in (*NAMELESS, *POINTERS) and "DW_AT_type" in die.attributes:
            die = type_of(die)
        return die.offset

    @staticmethod
    def _count(die):
        last = number(die, "DW_AT_upper_bound")
        return number(die, "DW_AT_count", None if last is None else 0 if last in ALL_ONES else last + 1)

    def _member(self, die):
        if isinstance(number(die, "DW_AT_data_member_location", 0), list):
            raise Refused("debugging information", "where a virtual base lies is found out as the program runs")
        use, bits = self.use(type_of(die)), number(die, "DW_AT_bit_size")
        at = 8 * number(die, "DW_AT_data_member_location", 0)
        if bits is None:
            return Member(name_of(die), use, at // 8, declared=number(die, "DW_AT_alignment", 0))
        # The place of a bit-field is said in one of two ways, by the version of DWARF.
        if "DW_AT_data_bit_offset" in die.attributes:
            at = number(die, "DW_AT_data_bit_offset")
        elif "DW_AT_bit_offset" in die.attributes:  # counted from the other end of the unit that holds it
            before = number(die, "DW_AT_bit_offset")  # below 0, read as a huge number, where it goes beyond its unit
            before -= (before >> 63) << 64
            at += 8 * number(die, "DW_AT_byte_size", use.type.size) - before - bits
        return Member(name_of(die), use, at // 8, at % 8, bits)


def walk(use, path="", at=0):
    """(path, offset, Member, the Type that holds it) of all members, each type's once; of arrays the first element's"""
    seen = set()

    def inside(kind, path, at):
        while kind.kind == "array":
            if not kind.count:
                return
            path += "[0]" * len(kind.counts)
            kind = kind.element.type
        if id(kind) in seen or kind.kind not in ("struct", "union"):
            return
        seen.add(id(kind))
        for member in kind.members:
            name = ".".join(part for part in (path, member.name) if part)
            yield name, at + member.offset, member, kind
            yield from inside(member.use.type, name, at + member.offset)

    yield from inside(use.type, path, at)


def scalars(use):
    """(Type, an expression of that type) of every scalar in it, each once."""
    seen = set()
    places = [(use, "(*(amp_asked *) 0)")]
    places += [(member.use, f"(*(amp_asked *) 0).{path}") for path, _, member, _ in walk(use) if member.name]
    for one, words in places:
        kind = one.type
        while kind.kind in ("array", "vector"):
            words += "[0]" * len(kind.counts)
            kind = kind.element.type
        if kind.kind == "scalar" and id(kind) not in seen:
            seen.add(id(kind))
            yield kind, words


def innermost(kind):
    """(what an array of any dimensions holds, all of its dimensions)"""
    dimensions = ()
    while kind.kind == "array":
        dimensions += kind.counts
        kind = kind.element.type
    return kind, dimensions


def indices(array, i):
    """Of the element that is the i-th in memory, in each dimension."""
    found = []
    for n in reversed(array.counts):
        found.append(i % n)
        i //= n
    return reversed(found)


def shown(path):
    """A path as people read it: each element alike."""
    return path.replace("[0]", "[]")
