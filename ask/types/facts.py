# SPDX-License-Identifier: MIT
"""What a compiler says of a type: the header, then a few lines of ours, compiled, and read from the object file.

The header is preprocessed first and our lines come behind that, so that no macro of the header meets them. Nothing of
it is linked or run. Names and the tree of members come from what the compiler writes for debuggers; size, alignment,
the place of each member and the format of wide floating-point types are constants that the compiler computes."""

import io
import struct
from dataclasses import dataclass
from pathlib import Path

from elftools.common.exceptions import DWARFError, ELFError
from elftools.elf.elffile import ELFFile

from ask.types import members
from ask.types.compiler import AS_TYPED, because, ending, unusable
from plots.program.errors import Refused

DEBUGGING = ("-fno-lto", "-g", "-gdwarf-5", "-w")
BIT_FIELDS = 64    # are looked at one by one,
BIT_FIELDS_B = 4096  # in types of at most so many bytes
# The relocations that pyelftools applies; of a thread's own variable it knows none, and we need none.
APPLIED = {"EM_X86_64": {0, 1, 2, 10, 11}, "EM_AARCH64": {256, 257, 258, 261}}
NONE = {"EM_X86_64": 0, "EM_AARCH64": 256}


@dataclass(frozen=True)
class Unit:
    """C or C++ behind its preprocessor, that declares amp_asked, and the flags with which it is compiled."""
    compiler: object
    name: str        # of its files
    text: str
    flags: tuple

    def compile(self, more, *words):
        """(status, messages, object) of the text and some lines more."""
        source = self.compiler.folder / f"{self.name}{'.ii' if self.compiler.is_cpp else '.i'}"
        made = source.with_suffix(".o")
        made.unlink(missing_ok=True)
        source.write_text(f'{self.text}\n# 1 "ask"\n{more}', **AS_TYPED)
        status, said = self.compiler.run(*self.flags, *words, "-c", source, "-o", made)
        return status, said, made

    def check(self, more):
        """(status, messages) of a look at it."""
        status, said, _ = self.compile(more, "-fsyntax-only", "-ferror-limit=20" if self.compiler.is_clang
                                       else "-fmax-errors=20")
        return status, said


def preprocess(compiler, name, text, flags, behind):
    """(a Unit or None, the compiler's messages)."""
    source = compiler.folder / f"{name}{'.cpp' if compiler.is_cpp else '.c'}"
    source.write_text(text, **AS_TYPED)
    made = source.with_suffix(".pre")
    status, said = compiler.run(*flags, "-w", "-E", source, "-o", made)
    if status or not made.is_file():
        return None, said
    return Unit(compiler, name, made.read_text(**AS_TYPED), tuple(behind)), said


class Made:
    """An object file, of which we read constants and debugging information."""

    def __init__(self, path: Path):
        raw = bytearray(path.read_bytes())
        self.elf = ELFFile(io.BytesIO(bytes(raw)))
        self.machine = self.elf["e_machine"]
        if self.elf.elfclass == 64:
            self._leave_out_foreign_relocations(raw)
            self.elf = ELFFile(io.BytesIO(bytes(raw)))
        self.symbols = self.elf.get_section_by_name(".symtab")

    @property
    def sections(self):
        return [section.name for section in self.elf.iter_sections()]

    def _leave_out_foreign_relocations(self, raw):
        for section in self.elf.iter_sections():
            if section["sh_type"] == "SHT_RELA" and section.name.startswith(".rela.debug"):
                for at in range(section["sh_offset"], section["sh_offset"] + section["sh_size"], 24):
                    kind = struct.unpack_from("<I", raw, at + 8)[0]
                    if self.machine in APPLIED and kind not in APPLIED[self.machine]:
                        struct.pack_into("<I", raw, at + 8, NONE[self.machine])

    def constant(self, name, size):
        """The bytes of a constant object, or None."""
        found = self.symbols and self.symbols.get_symbol_by_name(name)
        if not found or not isinstance(found[0]["st_shndx"], int):
            return None
        section = self.elf.get_section(found[0]["st_shndx"])
        at = found[0]["st_value"]
        if section["sh_type"] == "SHT_NOBITS":
            return bytes(size)
        return section.data()[at:at + size]

    def numbers(self, name, n):
        data = self.constant(name, 8 * n)
        return struct.unpack(f"<{n}Q", data) if data is not None and len(data) == 8 * n else None


def array(name, words):
    return (f"extern const unsigned long long {name}[{len(words)}];\n"
            f"const unsigned long long {name}[{len(words)}] = {{ {', '.join(words)} }};\n")


def describe(unit, name, more=""):
    """(size, alignment, Use) of amp_asked; Refused where the compiler makes nothing that we can read."""
    status, said, made = unit.compile("extern amp_asked amp_object;\namp_asked amp_object;\n"
                                      f"typedef amp_asked amp_values[2];\n{more}"
                                      + array("amp_facts", ["sizeof(amp_asked)", "_Alignof(amp_asked)"]),
                                      *DEBUGGING, "-fno-common")
    if status:
        raise Refused(name, because(said) or f"{unit.compiler.name} ended {ending(status)}")
    why = unusable(made, "amp_facts")
    if why:
        raise Refused(f"--cc {unit.compiler.name}", why)
    try:
        found = Made(made)
        numbers = found.numbers("amp_facts", 2)
        use = members.read(found.elf.get_dwarf_info(), "amp_object")
    except (ELFError, DWARFError) as error:
        raise Refused("debugging information", f"cannot be read: {error}") from None
    return *numbers, use


def ask(unit, name, use, alignment):
    """Complete what debugging information leaves open, and hold it against the compiler's own constants."""
    _ask_formats(unit, use)
    _ask_places(unit, name, use, alignment)


def _ask_formats(unit, use):
    """Which wide types are the x87's: told by the bytes of the number 1."""
    wide = [(kind, words) for kind, words in members.scalars(use) if kind.wide]
    if not wide:
        return
    lines = [f"extern const __typeof__({words}) amp_one_{i};\nconst __typeof__({words}) amp_one_{i} = 1;\n"
             for i, (_, words) in enumerate(wide)]
    status, _, made = unit.compile("".join(lines), "-w")
    found = None if status else Made(made)
    for i, (kind, _) in enumerate(wide):
        one = found.constant(f"amp_one_{i}", kind.size) if found else None
        if one and one[7:10] == b"\x80\xff\x3f":
            kind.mantissa, kind.filled = "x87", 10
        elif one and one[14:16] == b"\xff\x3f":
            kind.mantissa = "quad"


def _ask_places(unit, name, use, alignment):
    """Hold each member's place against the debugging information's, and note how its type is aligned there."""
    _set_alignment(use, alignment)
    asked = [(path, at, member) for path, at, member, _ in members.walk(use) if member.name]
    plain = [(path, at, member) for path, at, member in asked
             if member.bits is None and None not in member.use.type.counts]
    status, made = 0, None
    if plain:
        status, _, made = unit.compile(array("amp_places", [
            words.format(f"(*(amp_asked *) 0).{path}", path) for path, _, _ in plain
            for words in ("__builtin_offsetof(amp_asked, {1})", "sizeof({0})", "_Alignof(__typeof__({0}))")]), "-w")
    numbers = Made(made).numbers("amp_places", 3 * len(plain)) if made and not status else None
    for i, (path, at, member) in enumerate(plain if numbers else []):
        offset, size, aligned = numbers[3 * i:3 * i + 3]
        if (offset, size) != (at, member.use.type.size):
            raise Refused(name, f"its member {members.shown(path)} has {size} B at offset {offset} for the compiler, "
                          f"{member.use.type.size} B at offset {at} in its debugging information")
        member.alignment = aligned
        _set_alignment(member.use, aligned)
    bits = [one for one in asked if one[2].bits is not None]
    if bits and use.type.size <= BIT_FIELDS_B:
        _ask_bits(unit, name, use.type.size, bits[:BIT_FIELDS])


def _ask_bits(unit, name, size, asked):
    """The same of bit-fields, which have no offset: by the bytes of an object in which all of its bits are set."""
    lines = [f"extern const amp_asked amp_bits_{i};\nconst amp_asked amp_bits_{i} = {{ .{path} = -1 }};\n"
             for i, (path, _, _) in enumerate(asked)]
    status, _, made = unit.compile("".join(lines), "-w")
    found = None if status else Made(made)
    for i, (path, at, member) in enumerate(asked if found else []):
        data = found.constant(f"amp_bits_{i}", size)
        wanted = ((1 << member.bits) - 1) << (8 * at + member.bit)
        if data is not None and int.from_bytes(data, "little") != wanted:
            raise Refused(name, f"its bit-field {members.shown(path)} is not where the debugging information has it")


def _set_alignment(use, alignment):
    """Of the type itself, where no typedef's attribute stands between."""
    while use.type.kind == "array" and not use.alignment:
        use = use.type.element
    if not use.alignment:
        use.type.alignment = alignment
