# SPDX-License-Identifier: MIT
"""The same members in the order that leaves the least padding: those with the widest alignment first.

    struct { char a; double b; char c; }  24 B  -->  { double b; char a; char c; }  16 B

Sorted so, no member needs a hole before it, as long as sizes are multiples of alignments; what is left stands at the
end. Structs within it are members like others: their own padding stays."""

from dataclasses import dataclass, replace

from ask.types import clean, members


@dataclass(frozen=True, eq=False)
class Order:
    use: members.Use       # the reordered type
    as_declared: members.Type  # the same in the order of the user's type, for code that fills and reads both alike
    names: tuple           # of the members as reordered; "" for one without
    size_b: int


def best(use, size, alignment, quad):
    """(an Order that is smaller, "") or (None, why none is tried; "" where none is smaller)."""
    kind = use.type
    filled = sum(member.use.type.size for member in kind.members if member.bits is None)
    if kind.kind != "struct" or not kind.members or filled == size:
        return None, ""
    why = _hindrance(kind)
    if why:
        return None, why
    writer = clean.Writer(quad)
    for member in kind.members:
        writer.spell(member.use)
    aligned = [max(writer.alignment(member.use), member.alignment, member.declared) for member in kind.members]
    order = sorted(range(len(kind.members)), key=lambda i: -aligned[i])
    made, at = {}, 0
    for i in order:
        at = clean.up(at, aligned[i])
        made[i] = replace(kind.members[i], name=f"m{i}", offset=at)
        at += kind.members[i].use.type.size
    smaller = clean.up(at, alignment)
    if smaller >= size:
        return None, ""
    return Order(members.Use(_with(kind, [made[i] for i in order], smaller)),
                 _with(kind, [made[i] for i in range(len(order))], smaller),
                 tuple(kind.members[i].name for i in order), smaller), ""


def _with(kind, some, size):
    return replace(kind, members=some, size=size, place=0)


def _hindrance(kind):
    if any(member.bits is not None for member in kind.members):
        return "it has bit-fields, which share bytes by their order"
    if any(member.alignment and member.offset % member.alignment for member in kind.members):
        return "it is packed"
    last = kind.members[-1].use.type
    if last.kind == "array" and last.count <= 1:
        return "its last member is an array that may go on behind it"
    return ""
