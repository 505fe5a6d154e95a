# SPDX-License-Identifier: MIT
"""What a compiler makes of a lesson, read from the disassembly of its object file, and its loops."""
import ctypes
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from elftools.elf.elffile import ELFFile

import built
from places import LESSONS, ROOT

WARNINGS = "-std=c11 -D_GNU_SOURCE -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Werror".split()
MESON_LIST = re.search(r"^kernel_args = \[(.*?)\]", (ROOT / "meson.build").read_text(), re.M | re.S)[1]
KERNEL_ARGS = [flag for flag in re.findall("'(.*?)'", MESON_LIST) if flag != "-g"]  # no code comes of it
WIDTHS_B = {"BYTE": 1, "WORD": 2, "DWORD": 4, "QWORD": 8, "XMMWORD": 16, "YMMWORD": 32, "ZMMWORD": 64}


@dataclass
class Instruction:
    at: int
    verb: str
    operands: str
    symbol: str = ""  # what a relocation names, without ".text."

    @property
    def target(self):
        """Of a jump or call within the function; None of others."""
        found = re.match(r"([0-9a-f]+) <", self.operands) if self.verb[0] == "j" or self.verb == "call" else None
        return int(found[1], 16) if found and not self.symbol else None

    @property
    def stored_b(self):
        """How many bytes it moves into memory."""
        found = re.match(r"(\w+) PTR \[", self.operands)
        return WIDTHS_B[found[1]] if found and self.verb.startswith(("mov", "vmov")) else 0

    @property
    def loads(self):
        return bool(re.search(r",\w+ PTR \[", self.operands)) and self.verb != "lea"


@dataclass
class Object:
    """A compiled lesson: its functions' instructions, and which function runs each side of each pair."""
    functions: dict
    sections: dict = field(default_factory=dict)  # name of a function -> (bytes, alignment, relocations)
    runs: dict = field(default_factory=dict)      # (pair with its suffix, side) -> name of a function


def read_functions(path):
    text = subprocess.run(["objdump", "-dr", "--no-show-raw-insn", "-M", "intel", path], text=True, check=True,
                          capture_output=True).stdout
    functions = {}
    for line in text.splitlines():
        if found := re.match(r"[0-9a-f]+ <(\S+)>:", line):
            body = functions.setdefault(found[1], [])
        elif found := re.match(r"\s+[0-9a-f]+: R_X86_64_\w+\s+(\S+?)([-+]0x[0-9a-f]+)?$", line):
            body[-1].symbol = found[1].removeprefix(".text.")
        elif found := re.match(r"\s+([0-9a-f]+):\t(\S+)\s*(.*)", line):
            verb, operands = found[2], found[3]
            if verb == "rep":
                verb, operands = "rep " + operands.split()[0], operands.split(maxsplit=1)[1]
            body.append(Instruction(int(found[1], 16), verb, operands))
    return functions


@lru_cache(maxsize=None)
def run_offsets():
    """Where struct amp_pair has each side's function."""
    source = """#include "harness/kernel.h"
        extern const size_t value, pointer;
        const size_t value = offsetof(struct amp_pair, value.run), pointer = offsetof(struct amp_pair, pointer.run);"""
    with TemporaryDirectory() as folder:
        module = Path(folder) / "offsets.so"
        subprocess.run(["cc", "-D_GNU_SOURCE", "-shared", "-fPIC", "-I", ROOT, "-x", "c", "-", "-o", module],
                       input=source, text=True, check=True)
        offsets = ctypes.CDLL(str(module))
        return {side: ctypes.c_size_t.in_dll(offsets, side).value for side in ("value", "pointer")}


def read_object(path):
    made = Object(read_functions(path))
    with open(path, "rb") as file:
        elf = ELFFile(file)
        symbols = elf.get_section_by_name(".symtab")
        pairs = {}
        for symbol in symbols.iter_symbols():
            if symbol.name.startswith("amp_pair_"):
                pairs[symbol["st_shndx"], symbol["st_value"]] = symbol.name.removeprefix("amp_pair_")
        for section in elf.iter_sections():
            if section.name.startswith(".text.") and section["sh_size"]:
                relocations = elf.get_section_by_name(".rela" + section.name)
                where = relocations.iter_relocations() if relocations else ()
                where = [(r["r_offset"], r["r_info_type"]) for r in where]
                made.sections[section.name.removeprefix(".text.")] = (section.data(), section["sh_addralign"], where)
            if section["sh_type"] != "SHT_RELA":
                continue
            targets = {r["r_offset"]: symbols.get_symbol(r["r_info_sym"]) for r in section.iter_relocations()}
            for (index, at), pair in pairs.items():
                for side, offset in run_offsets().items():
                    if index == section["sh_info"] and at + offset in targets:
                        function = elf.get_section(targets[at + offset]["st_shndx"]).name
                        made.runs[pair, side] = function.removeprefix(".text.")
    return made


@lru_cache(maxsize=None)
def no_specialisation(compiler):
    """What meson.build adds where the compiler knows it."""
    flags = ("-mllvm", "-funcspec-max-clones=0")
    tried = subprocess.run([compiler, *flags, "-fsyntax-only", "-x", "c", "/dev/null"], capture_output=True,
                           check=False)
    return () if tried.returncode else flags


@lru_cache(maxsize=None)
def compiled(compiler, lesson, changes=()):
    """A lesson; the build's own where that is of this compiler."""
    made = None if changes else built.object_of(compiler, lesson)
    if made:
        return read_object(made)
    source = (ROOT / LESSONS[lesson]).read_text()
    for old, new in changes:
        if old not in source:
            raise LookupError(f"{lesson}.c has no {old!r} to change")
        source = source.replace(old, new)
    return compiled_text(compiler, source, LESSONS[lesson], (*KERNEL_ARGS, "-fPIC"))


def compiled_text(compiler, source, name="text.c", flags=tuple(KERNEL_ARGS)):
    if not shutil.which(compiler):
        pytest.skip(f"{compiler} is not here: apt-get install {compiler}")
    with TemporaryDirectory() as folder:
        file, made = Path(folder) / name, Path(folder) / "made.o"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(source)
        subprocess.run([compiler, *WARNINGS, *flags, *no_specialisation(compiler), "-I", folder, "-I", ROOT,
                        "-c", file, "-o", made], check=True)
        return read_object(made)


def leads_out(body, at):
    """Whether what stands there is an epilogue: a return before any other jump."""
    return next(i.verb for i in body if i.at >= at and (i.verb == "ret" or i.verb[0] == "j")) == "ret"


def loops(body):
    """The stretches that a jump back closes; a jump back to an epilogue closes none."""
    back = [i for i in body if i.verb[0] == "j" and i.target is not None and i.target <= i.at]
    return [[i for i in body if jump.target <= i.at <= jump.at] for jump in back if not leads_out(body, jump.target)]


def counter(body, at):
    """How many bytes a `rep movs` or `rep stos` moves: what was last put into ecx, times the width of its operand; or
    in bytes, where the compiler first aligned the target and then divided."""
    width = re.match(r"(\w+) PTR", body[at].operands)[1]
    for i in reversed(body[:at]):
        if found := re.match(r"ecx,0x([0-9a-f]+)$", i.operands):
            if i.verb == "mov":
                return WIDTHS_B[width] * int(found[1], 16)
            if i.verb == "add":
                return int(found[1], 16)
    raise AssertionError("rep movs without a count")


def stored_b(body):
    """Bytes that the instructions put into memory, each once. A memcpy or memset of a computed length counts none."""
    total = 0
    for at, i in enumerate(body):
        if i.verb in ("rep movs", "rep stos"):
            total += counter(body, at)
        elif i.verb == "call" and i.symbol in ("memcpy", "memset"):
            lengths = [j.operands for j in body[:at] if re.match(r"[er]dx,|dl,", j.operands) and j.verb in ("mov", "lea")]
            found = re.match(r"edx,0x([0-9a-f]+)$", lengths[-1]) if lengths else None
            total += int(found[1], 16) if found else 0
        else:
            total += i.stored_b
    return total
