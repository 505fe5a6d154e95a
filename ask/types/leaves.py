# SPDX-License-Identifier: MIT
"""The scalar members of a type, in order, and C that reads some of them or sets the first and the last.

    struct { int a; double b[2]; union { long u; char c; } }     four leaves: a, b[0], b[1], u

A long array is read by a loop. Of a union its largest member counts. Numbers of which nothing but a library's functions
can read the value (_Decimal64, __float128) are no leaves."""

from ask.types import members
from ask.types.clean import field

FEW = 16  # elements of an array that are named one by one
INTEGERS = (1, 2, 4, 8, 16)
REALS = (4, 8)
WHOLE = "(*amp_from)"


def is_leaf(kind):
    if kind.kind == "pointer":
        return True
    if kind.kind != "scalar" or not kind.size or kind.encoding == members.DECIMAL:
        return False
    half = kind.size // kind.halves
    if kind.encoding in (members.FLOAT, members.COMPLEX):
        return half in REALS or kind.mantissa == "x87"
    return half in INTEGERS or "_BitInt" in kind.name


def parts(kind, place):
    """[(type, place)] of what a struct, a union or a short array is made of."""
    if kind.kind == "union":
        largest = max((member for member in kind.members if member.bits is None),
                      key=lambda member: count(member.use.type) and member.use.type.size, default=None)
        chosen = [largest] if largest else kind.members[:1]
        return [(member.use.type, f"{place}.{field(member, kind.members.index(member))}") for member in chosen]
    if kind.kind == "struct":
        return [(member.use.type, f"{place}.{field(member, i)}") for i, member in enumerate(kind.members)]
    return [(_element(kind), f"{place}[{i}]") for i in range(_length(kind))]


def _length(array):
    return array.counts[0] or 0


def _element(array):
    """Of an array of arrays, the inner array."""
    if len(array.counts) < 2:
        return array.element.type
    inner = members.Type("array", 0, element=array.element, counts=array.counts[1:])
    inner.size = inner.count * array.element.type.size
    return inner


def count(kind):
    """How many leaves it has."""
    if is_leaf(kind):
        return 1
    if kind.kind in ("array", "vector"):
        return _length(kind) * count(_element(kind))
    return sum(count(part) for part, _ in parts(kind, "")) if kind.kind in ("struct", "union") else 0


def end(kind, place, last):
    """(type, place) of the first or the last leaf; None where there is none."""
    if is_leaf(kind):
        return kind, place
    if kind.kind in ("array", "vector"):
        n = _length(kind)
        return end(_element(kind), f"{place}[{n - 1 if last else 0}]", last) if n else None
    if kind.kind not in ("struct", "union"):
        return None
    some = parts(kind, place)
    return next((found for part in (reversed(some) if last else some) if (found := end(*part, last))), None)


def as_number(kind, place):
    """(whether it is a real number, an expression of its value)."""
    if "_BitInt" in kind.name and kind.size > 8:
        return False, f"{place}[0]"
    if kind.halves == 2:
        place = f"__real__ {place}"
    if kind.encoding in (members.FLOAT, members.COMPLEX):
        return True, f"(double) {place}"
    if kind.size // kind.halves > 8:
        return False, f"(unsigned long) ({place} ^ ({place} >> 64))"
    return False, f"(unsigned long) {place}"


def set_to(kind, place, number):
    """A statement."""
    if "_BitInt" in kind.name and kind.size > 8:
        return f"{place}[0] = {number};"
    place = f"__real__ {place}" if kind.halves == 2 else place
    if kind.encoding in (members.FLOAT, members.COMPLEX):  # small numbers stay exact, whatever they are added to
        return f"{place} = (int) (({number}) & 0xff);"
    return f"{place} = {'(void *) ' if kind.kind == 'pointer' else ''}({number});"


class Reading:
    """Statements that add up `wanted` of all leaves, at even distances. `read`: how many they are; fewer or more than
    was wanted where a long array cannot be divided so."""

    def __init__(self, kind, wanted):
        self.total = count(kind)
        self.wanted = min(wanted, self.total)
        self.lines, self.read, self.at, self.loops = [], 0, 0, 0
        self._walk(kind, WHOLE, 4, 1)

    def _add(self, kind, place, indent, times):
        real, value = as_number(kind, place)
        self.lines.append(f"{' ' * indent}{'amp_real' if real else 'amp_sum'} += {value};\n")
        self.read += times

    def _walk(self, kind, place, indent, times):
        if is_leaf(kind):
            if self.at * self.wanted % self.total < self.wanted:
                self._add(kind, place, indent, times)
            self.at += 1
        elif kind.kind in ("array", "vector") and _length(kind) > FEW:
            self._loop(kind, place, indent, times)
        elif kind.kind in ("struct", "union", "array", "vector"):
            for part, where in parts(kind, place):
                self._walk(part, where, indent, times)

    def _loop(self, kind, place, indent, times):
        """Of each element a share, or the first leaf of some elements."""
        n, inner = _length(kind), _element(kind)
        each = count(inner)
        if not each:
            return
        share, index = self.wanted / self.total, f"amp_i{self.loops}"
        self.loops += 1
        step = max(1, round(1 / (share * each)))
        self.lines.append(f"{' ' * indent}for (unsigned long {index} = 0; {index} < {n}; {index} += {step})\n"
                          f"{' ' * indent}{{\n")
        at, total, wanted = self.at, self.total, self.wanted
        self.at, self.total, self.wanted = 0, each, max(1, round(share * each))
        self._walk(inner, f"{place}[{index}]", indent + 4, times * -(-n // step))
        self.at, self.total, self.wanted = at + n * each, total, wanted
        self.lines.append(f"{' ' * indent}}}\n")


HEAD = "static inline __attribute__((__always_inline__)) "


def _reads(name, lines, of):
    """A function `unsigned long name(const of *)` that returns what the lines add up."""
    real = "amp_real" in lines
    return (f"{HEAD}unsigned long {name}(const {of} *amp_from)\n{{\n    unsigned long amp_sum = 0;\n"
            f"{'    double amp_real = 0;' * real}\n    (void) amp_from;\n{lines}"
            f"    return amp_sum{' + (unsigned long) (long) amp_real' * real};\n}}\n")


def reader(name, kind, wanted):
    """(a function that reads so many leaves of an amp_asked, how many it reads)."""
    found = Reading(kind, wanted)
    return _reads(name, "".join(found.lines), "amp_asked"), found.read


def changer(name, kind):
    """A function that adds 1 to the first leaf."""
    first = end(kind, WHOLE, False)
    if not first:
        line = "(void) amp_from;"
    else:
        real, value = as_number(*first)
        line = set_to(*first, f"{'(unsigned long) (long) ' * real}({value}) + 1")
    return f"{HEAD}void {name}(amp_asked *amp_from)\n{{\n    {line}\n}}\n"


def ends(first, last, of="amp_asked"):
    """Functions <of>_ends() and <of>_set_ends(), which read and set two leaves: (type, place) each."""
    added = "".join(f"    {'amp_real' if real else 'amp_sum'} += {value};\n"
                    for real, value in (as_number(*one) for one in (first, last)))
    return (_reads(f"{of}_ends", added, of)
            + f"{HEAD}void {of}_set_ends({of} *amp_from, unsigned long amp_number)\n{{\n"
            f"    {set_to(*first, 'amp_number')}\n    {set_to(*last, 'amp_number + 1')}\n}}\n")
