# SPDX-License-Identifier: MIT
"""Which bytes of a type are filled by its members, and after which member each hole comes.

A member's bytes are filled if a value of the type sets them; what is left is padding: holes between members, and the
tail behind the last. Arrays are laid out once for all their elements, so that a million holes take hardly longer than
one."""

import re
from functools import cached_property

from ask.types import members

LISTED = 64  # holes that are told one by one


class Layout:
    def __init__(self, use, size):
        self.use, self.size_b = use, size
        self._masks, self._befores = {}, {}
        self.mask = self._mask(use.type)  # for each byte, the bits that are filled

    @property
    def kind(self):
        return self.use.type.kind if self.use.type.kind in ("struct", "union") else "scalar"

    @property
    def bit_fields(self):
        """(name, bits) of each, in any element of an array alike."""
        return [(members.shown(path), member.bits) for path, _, member, _ in members.walk(self.use)
                if member.bits is not None]

    @property
    def unions(self):
        """Names of members that are unions; "" for the whole."""
        found = [("", self.use), *((path, member.use) for path, _, member, _ in members.walk(self.use))]
        return [members.shown(path) + "[]" * len(dimensions) for path, use in found
                for kind, dimensions in [members.innermost(use.type)] if kind.kind == "union"]

    def _mask(self, kind):
        """Shared by all places of the type."""
        if id(kind) in self._masks:
            return self._masks[id(kind)]
        if kind.kind in ("struct", "union"):
            mask = bytearray(kind.size)
            for member in kind.members:
                if member.bits is None:  # those of a union overlap, and in C++ a class without members may lie anywhere
                    part = self._mask(member.use.type)
                    there = slice(member.offset, member.offset + len(part))
                    mask[there] = (int.from_bytes(mask[there], "little")
                                   | int.from_bytes(part, "little")).to_bytes(len(part), "little")
                else:
                    for bit in range(member.bit, member.bit + member.bits):
                        mask[member.offset + bit // 8] |= 1 << bit % 8
        elif kind.kind in ("array", "vector") and kind.count:
            mask = self._mask(kind.element.type) * kind.count
            mask += bytes(max(0, kind.size - len(mask)))
        else:
            half = kind.size // kind.halves
            one = kind.filled or half
            mask = (b"\xff" * one + bytes(half - one)) * kind.halves
        self._masks[id(kind)] = mask = bytes(mask)
        return mask

    def fills(self, union, member):
        """Whether this member sets all that any member does."""
        return self._mask(member.use.type).ljust(union.size, b"\0") == self._mask(union)

    @property
    def filled(self):
        """For each of the first bytes whether all of its bits are filled."""
        return [one == 0xFF for one in self.mask[:LISTED]]

    @cached_property
    def ends(self):
        """The first and the last byte in which there is something, or None."""
        last = len(self.mask.rstrip(b"\0")) - 1
        return None if last < 0 else (len(self.mask) - len(self.mask.lstrip(b"\0")), last)

    @cached_property
    def holes(self):
        """Stretches of whole bytes in which there is nothing: (offset, bytes)."""
        return [(found.start(), found.end() - found.start()) for found in re.finditer(rb"\0+", self.mask)]

    @property
    def padding(self):
        """The first of them, each with the member before it."""
        return [(at, n, self.before(at)) for at, n in self.holes[:LISTED]]

    @cached_property
    def patterns(self):
        """Those that are alike: (bytes, the member before it in any element, how many, offset of the first)."""
        found = {}
        for at, n in self.holes:
            key = (n, re.sub(r"\[\d+\]", "[]", self.before(at)))
            found.setdefault(key, [0, at])[0] += 1
        return [(n, name, times, first) for (n, name), (times, first) in found.items()]

    def before(self, at):
        """The name of the member that ends last before this byte; "" where there is none."""
        found = self._before(self.use.type, at)
        return found[1].removeprefix(".") if found else ""

    def _before(self, kind, at):
        """(where it ends, its name) in an object of the type, or None."""
        key = (id(kind), min(at, kind.size))
        if key not in self._befores:
            self._befores[key] = self._look_before(kind, *key[1:])
        return self._befores[key]

    def _look_before(self, kind, at):
        if kind.kind in ("struct", "union"):
            return self._last_member(kind, at)
        if kind.kind == "array" and kind.count and kind.element.type.kind in ("struct", "union", "array"):
            size = kind.element.type.size
            if not size:
                return None
            for i in range(min((at - 1) // size, kind.count - 1), -1, -1):
                found = self._before(kind.element.type, at - i * size)
                if found:
                    return i * size + found[0], "".join(f"[{n}]" for n in members.indices(kind, i)) + found[1]
                if i * size + size <= at:  # an element without members
                    return None
            return None
        half = kind.size // kind.halves
        end = kind.size - (half - kind.filled if kind.filled else 0)
        if end > at and kind.filled:
            end = kind.filled
        return (end, "") if 0 < end <= at else None

    def _last_member(self, kind, at):
        best = None
        for member in kind.members:
            if member.bits is not None:
                end = member.offset + (member.bit + member.bits + 7) // 8
                found = (end, "") if end <= at else None
            else:
                found = self._before(member.use.type, at - member.offset) if at > member.offset else None
                found = found and (member.offset + found[0], found[1])
            if found and (best is None or found[0] >= best[0]):
                best = found[0], ("." + member.name if member.name else "") + found[1]
        return best
