# SPDX-License-Identifier: MIT
"""The object file of a lesson: its sections, symbols and relocations, and how it was compiled."""

import itertools
import re
import struct

from elftools.common.exceptions import ELFError
from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile

STEP_B = 16  # as compilers align functions
NAMED = 3  # of several functions
FUNCTION = 2  # a symbol type of ELF
THUNK = ("_ZTh", "_ZTv", "_ZTc")  # of C++: leads to a virtual function, in whose section gcc puts it
ABSOLUTE_64 = {"EM_X86_64": 1, "EM_AARCH64": 257}  # relocation types: a pointer in data


class Refused(Exception):
    """The lesson cannot be linked; the text says why."""


class Object:
    """The sections, symbols and relocations of a relocatable 64-bit little-endian ELF file."""

    def __init__(self, path):
        self.path = path
        try:
            with open(path, "rb") as file:
                elf = ELFFile(file)
                self.machine = elf["e_machine"]
                if elf["e_type"] != "ET_REL" or elf.elfclass != 64 or not elf.little_endian:
                    raise Refused(f"{path}: not a 64-bit little-endian object file")
                if self.machine not in ABSOLUTE_64:
                    raise Refused(f"{path}: {self.machine} is not supported, only {' and '.join(ABSOLUTE_64)}")
                sections = list(elf.iter_sections())
                self.names = [section.name for section in sections]
                self.headers = [section.header for section in sections]
                self.data = [section.data() for section in sections]
        except ELFError as error:
            raise Refused(f"{path}: not an object file (compiled with -flto?): {error}") from error
        self.symbols = read_symbols(self.headers, self.data)
        self.alignments = {}  # function that can be placed -> B
        self.relocations = {}  # section -> [(offset, type, symbol, addend)]
        for header, data in zip(self.headers, self.data):
            if header["sh_type"] == "SHT_RELA":
                self.relocations[header["sh_info"]] = [
                    (offset, info & 0xFFFFFFFF, self.symbols[info >> 32], addend)
                    for offset, info, addend in struct.iter_unpack("<QQq", data)
                ]

    def is_code(self, section):
        return bool(self.headers[section]["sh_flags"] & SH_FLAGS.SHF_EXECINSTR)

    def pointer_at(self, section, offset):
        """Where the pointer stored there points to, as (section, offset); None for a null pointer."""
        for at, kind, symbol, addend in self.relocations.get(section, ()):
            if at == offset:
                if kind != ABSOLUTE_64[self.machine] or symbol.section is None:
                    raise Refused(f"{self.path}: {self.names[section]}+{offset} is no pointer into the lesson itself")
                return symbol.section, symbol.value + addend
        return None

    def has_growable(self):
        return ".amp_growable" in self.names

    def string_at(self, section, offset):
        return self.data[section][offset:].split(b"\0", 1)[0].decode(errors="replace")

    def sizes_at(self, section, offset):
        """An array of size_t, up to the 0 that ends it."""
        end = len(self.data[section])
        numbers = (struct.unpack_from("<Q", self.data[section], at)[0] for at in range(offset, end - 7, 8))
        return list(itertools.takewhile(lambda number: number != 0, numbers))

    def function_of(self, section):
        """The name of the one function in a code section; with thunks beside it, that of what stands first."""
        starts = sorted((s.value, s.name) for s in self.symbols if s.kind == FUNCTION and s.section == section)
        if not starts:
            raise Refused(f"{self.path}: {self.names[section]} holds code but no function")
        if len(starts) > len({name for _, name in starts}):
            raise Refused(f"{self.path}: {starts[0][1]}: two files have a static function of this name: rename one")
        alone = {value for value, name in starts if not name.startswith(THUNK)}
        if self.names[section] == ".text" or len(alone) > 1:
            more = f" and {len(starts) - NAMED} more" if len(starts) > NAMED else ""
            names = ", ".join(name for _, name in starts[:NAMED]) + more
            raise Refused(f"{self.path}: {names}: compile with -ffunction-sections, so that each can be placed alone")
        value, name = starts[0]
        if value != 0:
            raise Refused(f"{self.path}: {name}: begins {value} B into its section")
        self.alignments[name] = max(STEP_B, self.headers[section]["sh_addralign"])
        return name


class Symbol:
    def __init__(self, name, kind, section, value, is_undefined):
        self.name, self.kind, self.section, self.value, self.is_undefined = name, kind, section, value, is_undefined


def read_symbols(headers, data):
    symbols = []
    for header, table in zip(headers, data):
        if header["sh_type"] == "SHT_SYMTAB":
            strings = data[header["sh_link"]]
            for name, info, _, section, value, _ in struct.iter_unpack("<IBBHQQ", table):
                text = strings[name : strings.index(b"\0", name)].decode()
                defined = section if 0 < section < 0xFF00 else None
                symbols.append(Symbol(text, info & 15, defined, value, section == 0 and text != ""))
    return symbols


# --- how it was compiled ---------------------------------------------------------------------------------------------

# What a compiler writes of itself into debugging information, .GCC.command.line and .comment, and what we call it.
PRODUCERS = (
    (re.compile(r"^GNU (?:C|Objective)\S* (\d\S*)( .*)?$"), "gcc"),
    (re.compile(r"^GCC: \(.*\) (\d\S*)()$"), "gcc"),
    (re.compile(r"^(?:\S+ )?clang version (\d\S*)(?: \([^)]*\))*( .*)?$"), "clang"),
)
COMMAND_LINE = re.compile(r"^\S*/(?:[\w-]*)clang[\w.+-]* ")  # clang's in .GCC.command.line: it says no version
# What says nothing about the code, or where a file is; of macros those that only open the C library's headers.
NO_CODE = re.compile(r"-(?:[gIWcoM]|i(?:system|quote|dirafter)|resource-dir|f(?:record|diagnostics|color|debug|file|"
                     r"macro|ltrans|linker-output)|x|###|v|D_(?:(?:GNU|DEFAULT|BSD|SVID|XOPEN|POSIX_C|ISOC\d+)_SOURCE|"
                     r"(?:FILE_OFFSET|TIME)_BITS)(?:=|$))")
TAKE_A_WORD = ("-target", "--param", "-mllvm", "-Xclang", "-include", "-imacros")
NAMES_A_MACRO = ("-D", "-U")
LAST_WINS = re.compile(r"-(?:O|std=|march=|mtune=|mcpu=|fcf-protection|mbranch-protection|"
                       r"f(?:no-)?stack-(?:protector|clash-protection))")


def compiled(lesson):
    """[{compiler, flags}]: which compilers made the object's code, and with which flags, null where they did not leave
    them. What does not change code (-g, -W, -I) is left out; of flags that rule each other out the last. gcc leaves no
    macro (-D): see record_macros()."""
    told, comments = [], []
    for name, data in zip(lesson.names, lesson.data):
        if name in (".debug_str", ".debug_line_str", ".GCC.command.line", ".comment"):
            texts = [text.decode("utf-8", "replace").strip() for text in data.split(b"\0")]
            (comments if name == ".comment" else told).extend(filter(None, texts))
    versions = [found for found in map(producer, comments) if found]
    units = [found for found in map(producer, told) if found] + versions
    units += [(compiler, text.split(" ", 1)[1]) for text in told if COMMAND_LINE.match(text)
              for compiler in dict.fromkeys(one for one, _ in versions) if compiler.startswith("clang ")]
    known = {compiler for compiler, words in units if words}
    found = []
    for compiler, words in units:
        unit = {"compiler": compiler, "flags": flags(words) if words else None}
        if unit not in found and (words or compiler not in known):
            found.append(unit)
    return found or [{"compiler": "unknown", "flags": None}]


def record_macros(units, given):
    """Add the macros among the flags that somebody says the object was compiled with, where it does not say them
    itself."""
    for unit in units:
        if unit["flags"] is not None:
            unit["flags"] += [flag for flag in given if flag.startswith(NAMES_A_MACRO) and flag not in unit["flags"]]
    return units


def producer(text):
    """(compiler, the words behind it) or None."""
    for pattern, name in PRODUCERS:
        match = pattern.match(text)
        if match:
            words = re.sub(r"^\s*/\S+(?= -)", "", match[2] or "")  # clang's own path comes first
            return f"{name} {match[1]}", words.strip()
    return None


def flags(words):
    joined = []
    for word in re.split(r"(?<!\\) +", words):
        if word.startswith("-"):
            joined.append(word)
        elif joined and joined[-1] in TAKE_A_WORD:
            joined[-1] += f" {word}"
        elif joined and joined[-1] in NAMES_A_MACRO:
            joined[-1] += word
    last = {}
    for word in joined:
        family = LAST_WINS.match(word)
        last[family[0].replace("-fno-", "-f") if family else word] = word
    kept = [word for word in last.values() if word.startswith("-") and not NO_CODE.match(word)]
    return kept if any(word.startswith("-O") for word in kept) else ["-O0", *kept]
