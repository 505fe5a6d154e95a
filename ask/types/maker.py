# SPDX-License-Identifier: MIT
"""amp_make(), amp_fill(): fill an object of the rebuilt type member by member, as code does that has just made one.

Each member is stored by itself, from a register: narrow stores, behind which a copy of the whole is a wide load. A
long array is cleared, as programs clear a buffer; so is a union of which no member fills what others do."""

from ask.types import members
from ask.types.clean import field

ELEMENTS = 16     # of an array that are set one by one
STATEMENTS = 512  # beyond so many, the whole is cleared

WORDS = 4

PARTS = """struct amp_parts {
    unsigned long amp_word[3];
    double amp_real[2];
    float amp_single[2];
};
#define AMP_PARTS { { 1, 2, 3 }, { 4, 5 }, { 6, 7 } }
"""
HEAD = """static inline __attribute__((__always_inline__)) void NAME(TYPE *amp_to, unsigned long amp_number,
                                                             const struct amp_parts *amp_from)
{
    (void) amp_number;
    (void) amp_from;
"""


def make(layout, name="amp_make", of="amp_asked"):
    """The lines of C."""
    writer = Writer(layout)
    writer.fill("(*amp_to)", layout.use.type)
    start = HEAD.replace("NAME", name).replace("TYPE", of)
    if len(writer.lines) > STATEMENTS:
        return start + _clear("(*amp_to)") + "}\n"
    words = ["amp_number", *(f"amp_from->amp_word[{i}]" for i in range(WORDS - 1))]
    head = "".join(f"    unsigned long amp_w{i} = {words[i]};\n    __asm__(\"\" : \"+r\"(amp_w{i}));\n"
                   for i in sorted(writer.words))
    # What the callee reads has to be set in all of its bits, which bit-fields alone do not.
    whole = all(layout.mask[at] == 0xFF for at in layout.ends or ())
    return start + head + ("" if whole else _clear("(*amp_to)")) + "".join(writer.lines) + "}\n"


def _clear(place):
    return f"    __builtin_memset(&{place}, 0, sizeof {place});\n"


class Writer:
    def __init__(self, layout):
        self.layout, self.lines, self.words, self.reals = layout, [], set(), 0

    def fill(self, place, kind):
        if len(self.lines) > STATEMENTS or not kind.size:
            return
        if kind.kind == "struct":
            for i, member in enumerate(kind.members):
                self.fill(f"{place}.{field(member, i)}", member.use.type)
        elif kind.kind == "union":
            whole = [(i, member) for i, member in enumerate(kind.members)
                     if member.bits is None and self.layout.fills(kind, member)]
            if whole:
                self.fill(f"{place}.{field(whole[0][1], whole[0][0])}", whole[0][1].use.type)
            else:
                self.lines.append(_clear(place))
        elif kind.kind == "array" and kind.count <= ELEMENTS:
            for i in range(kind.count):
                at = "".join(f"[{n}]" for n in members.indices(kind, i))
                self.fill(place + at, kind.element.type)
        elif kind.kind in ("array", "vector") or kind.encoding == members.DECIMAL or "_BitInt" in kind.name:
            self.lines.append(_clear(place))
        elif kind.encoding in (members.FLOAT, members.COMPLEX):
            of = "single" if kind.size // kind.halves <= 4 else "real"
            self.lines.append(f"    {place} = amp_from->amp_{of}[{self.reals % 2}];\n")
            self.reals += 1
        else:
            word = len(self.lines) % WORDS
            self.words.add(word)
            cast = "(void *) " if kind.kind == "pointer" else ""
            self.lines.append(f"    {place} = {cast}amp_w{word};\n")
