# SPDX-License-Identifier: MIT
"""A module or a program of a side whose functions can be moved without a linker.

If functions move, then only fields that hold an address, or a distance, change. The linker tells where these are (-q),
and two of its layouts tell where each leads to, since between them no two functions move equally far:

    in the first one     call f:  distance 0x0400       f has moved by 192, the caller by 128:
    in the second one    call f:  distance 0x0440       only f explains a difference of 64

What is made so is compared with a third layout that the linker makes, byte for byte (makes()). There each function
stands elsewhere than in the second one, so a field that nobody told shows. Where bytes differ, or something is in the
way, there is no template, and every layout is linked. All layouts have the same order of functions, so tables that are
sorted by address (of unwinding) stay so."""

import io
import json
import struct
import sys
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
from elftools.elf.elffile import ELFFile

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lesson"))
from lesson_object import Refused

TELLING = ("-Wl,-q",)
CODE = ".text.amp"
NOP = 0x90  # between functions
# Relocations of x86-64: bytes of the field, and whether it holds the distance from itself.
FIELDS = {kind: (4, True) for kind in (2, 4, 9, 19, 20, 22, 26, 34, 41, 42)}
FIELDS |= {kind: (4, False) for kind in (3, 10, 11, 21, 23, 32)}
FIELDS |= {kind: (8, True) for kind in (24, 28, 29)}
FIELDS |= {kind: (8, False) for kind in (1, 17, 18, 25, 27, 30, 31, 33)}
NOTHING = 0, 35  # those that change no byte
RELOCATION = np.dtype([("at", "<u8"), ("kind", "<u4"), ("symbol", "<u4"), ("addend", "<i8")])
WIDTHS = {4: np.dtype("<i4"), 8: np.dtype("<i8")}
SORTED_TABLE = 0x3B  # of .eh_frame_hdr: entries of two distances from its beginning, 4 bytes each


@dataclass(frozen=True)
class Template:
    names: list  # of the functions
    sizes: np.ndarray
    at: np.ndarray  # where they stand in `data`, counted from the beginning of the code
    code: np.ndarray  # in `data`, the first byte of the code and its length
    data: np.ndarray  # all that is loaded
    fields: np.ndarray  # rows: where in `data`, bytes, whether a distance, which function it is in, which it leads to


class Linked:
    """What the linker made, as far as it is loaded."""

    def __init__(self, path):
        with open(path, "rb") as file:
            elf = ELFFile(file)
            if elf["e_machine"] != "EM_X86_64":
                raise Refused(f"its layouts are linked one by one: {elf['e_machine']}")
            self.sections = [(section.name, section.header, section.data()) for section in elf.iter_sections()]
            end = max(part["p_offset"] + part["p_filesz"] for part in elf.iter_segments()
                      if part["p_type"] == "PT_LOAD")
            file.seek(0)
            self.data = np.frombuffer(file.read(end), np.uint8).copy()
        self.data[0x28:0x30] = self.data[0x3C:0x40] = 0  # there is no table of sections behind it any more
        header = next(header for name, header, _ in self.sections if name == CODE)
        self.code = header["sh_offset"], header["sh_size"]

    def fields(self):
        """(where, bytes, whether it is a distance) of all that may hold an address: as relocations name them; what the
        loader adds addresses to; the table of functions for unwinding."""
        for name, header, data in self.sections:
            if header["sh_type"] == "SHT_RELR":
                raise Refused("its relative relocations are packed")
            if header["sh_type"] == "SHT_RELA" and header["sh_flags"] & 2:  # the loader's: in each the last 8 bytes
                yield from ((at + 16, 8, False)
                            for at in range(header["sh_offset"], header["sh_offset"] + len(data), 24))
            elif header["sh_type"] == "SHT_RELA":
                yield from self._told(self.sections[header["sh_info"]][1], np.frombuffer(data, RELOCATION))
            elif name == ".eh_frame_hdr":
                if data[3] != SORTED_TABLE:
                    raise Refused("its table for unwinding is of another kind")
                count, = struct.unpack_from("<I", data, 8)
                yield from ((header["sh_offset"] + at, 4, False) for at in range(12, 12 + 8 * count, 8))
            elif name == ".eh_frame":
                yield from ((header["sh_offset"] + at, 4, True) for at in begins(data))

    def _told(self, section, relocations):
        if not section["sh_flags"] & 2:
            return
        for at, kind in zip(relocations["at"].tolist(), relocations["kind"].tolist()):
            if kind in NOTHING:
                continue
            if kind not in FIELDS:
                raise Refused(f"it has a relocation of type {kind}")
            yield at - section["sh_addr"] + section["sh_offset"], *FIELDS[kind]


def begins(data):
    """Where the descriptions of functions in an .eh_frame say at which distance their function is."""
    at = 0
    while at + 8 <= len(data):
        length, back = struct.unpack_from("<II", data, at)
        if length == 0xFFFFFFFF:
            raise Refused("its .eh_frame has lengths of 8 bytes")
        if length and back:
            yield at + 8
        at += 4 + length


def values(data, where, width):
    return data[where[:, None] + np.arange(width)].view(WIDTHS[width])[:, 0].astype(np.int64)


def of(sizes, at, path, at_other, path_other):
    """From two layouts of the linker, of which the first was linked with TELLING, which numbers sections otherwise: the
    bytes are those of the second. `sizes`, `at`: name -> bytes; no two functions have moved equally far."""
    one, other = Linked(path), Linked(path_other)
    if one.code != other.code or len(one.data) != len(other.data):
        raise Refused("its parts do not stand still while functions move")
    names = sorted(sizes, key=at.get)
    sizes, was, now = (np.array([one[name] for name in names], np.int64) for one in (sizes, at, at_other))
    moved = np.append(now - was, 0)
    found = sorted(set(one.fields()))
    where, width, distance = (np.array(found, np.int64) if found else np.zeros((0, 3), np.int64)).T
    inside = function_at(was, sizes, where - one.code[0])
    leads = np.empty_like(inside)
    for bytes_ in WIDTHS:
        some = width == bytes_
        change = values(other.data, where[some] + moved[inside[some]], bytes_) - values(one.data, where[some], bytes_)
        change += distance[some] * moved[inside[some]]
        order = np.argsort(moved)
        place = np.minimum(np.searchsorted(moved[order], change), len(order) - 1)
        leads[some] = order[place]
        if not np.array_equal(moved[leads[some]], change):
            raise Refused("a field changes as no function moves")
    changes = (leads < len(names)) | (distance == 1) & (inside < len(names))
    return Template(names, sizes, now, np.array(other.code), other.data, np.stack(
        (where + moved[inside], width, distance, inside, leads), axis=1)[changes])


def function_at(at, sizes, offset):
    """Which function each offset in the code is in; their number if in none."""
    found = np.searchsorted(at, offset, side="right") - 1
    return np.where((found >= 0) & (offset < (at + sizes)[found]), found, len(at))


def place(template, at):
    """The bytes of the layout in which the functions stand there."""
    begin, length = template.code.tolist()
    out, text = template.data.copy(), template.data[begin:begin + length]
    new = np.array([at[name] for name in template.names], np.int64)
    moved = np.append(new - template.at, 0)
    code = out[begin:begin + length]
    code[:] = NOP
    for was, now, size in zip(template.at.tolist(), new.tolist(), template.sizes.tolist()):
        code[now:now + size] = text[was:was + size]
    for width, kind in WIDTHS.items():
        where, _, distance, inside, leads = template.fields[template.fields[:, 1] == width].T
        value = values(template.data, where, width) + moved[leads] - distance * moved[inside]
        out[(where + moved[inside])[:, None] + np.arange(width)] = value.astype(kind)[:, None].view(np.uint8)
    return out


def makes(template, at, path):
    """Whether place() makes what the linker made; what is between functions counts as the same."""
    linked = Linked(path)
    begin, length = linked.code
    between = np.ones(length, bool)
    for name, size in zip(template.names, template.sizes.tolist()):
        between[at[name]:at[name] + size] = False
    linked.data[begin:begin + length][between] = NOP
    return np.array_equal(linked.data, place(template, at))


# ---- As a file

def save(path, sides, order, slots, more):
    """`sides`: name -> Template; `order`, `slots`: as slots.py takes them; `more`: name -> bytes of other files."""
    arrays = {f"{side}.{key}": value for side, one in sides.items() for key, value in asdict(one).items()
              if key != "names"}
    arrays |= {f"more.{name}": np.frombuffer(data, np.uint8) for name, data in more.items()}
    known = {"names": {side: one.names for side, one in sides.items()}, "order": order, "slots": slots}
    arrays["known"] = np.frombuffer(json.dumps(known).encode(), np.uint8)
    held = io.BytesIO()
    np.savez(held, **arrays)
    path.write_bytes(held.getvalue())


def load(path):
    """(sides, order, slots, more), as save() takes them."""
    with np.load(path, allow_pickle=False) as held:
        known = json.loads(held["known"].tobytes())
        sides = {side: Template(names, *(held[f"{side}.{field.name}"] for field in fields(Template)[1:]))
                 for side, names in known["names"].items()}
        more = {key.removeprefix("more."): held[key].tobytes() for key in held.files if key.startswith("more.")}
    return sides, known["order"], {name: tuple(one) for name, one in known["slots"].items()}, more
