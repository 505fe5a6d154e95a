# SPDX-License-Identifier: MIT
"""What a compiler knows of a type: found by compiling three lines about it, and read from the object file.

A type is refused, in one line, where the lessons cannot ask about it; the reason is the compiler's own wherever the
compiler has one."""

import difflib
import json
import os
import re
import shlex
import struct
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from elftools.elf.elffile import ELFFile

from ask import children, members
from ask.compiler import because, ending, first_error
from plots.documents import Refused

ROOT = Path(__file__).resolve().parent.parent
ALIGNMENT_B = 16       # of malloc() and of the lessons' fixtures
LARGEST_B = 1 << 20    # by value it also has to fit a stack, more than once
LESSON_FLAGS = ("-O2",)  # before the user's, which thus win
CODE_FLAGS = ("-fPIC", "-fno-lto", "-g", "-gdwarf-5", "-w")


@dataclass(frozen=True)
class Subject:
    type: str
    header: str         # as it is included
    prefix: Path        # declares amp_asked: to be included before everything else
    size_b: int
    alignment_b: int
    layout: members.Layout
    abi: dict           # what harness/ask/abi.c prints


def include_line(header):
    """A file that is there, else one that the compiler shall find."""
    if header.startswith("<") and header.endswith(">"):
        return f"#include {header}"
    path = Path(header)
    if path.is_file():
        return f'#include "{path.resolve()}"'
    if '"' in header or "\n" in header or not header:
        raise Refused(f"header {header!r}", "not the name of a file")
    return f"#include <{header}>"


def study(compiler, header, name):
    """The Subject, or Refused."""
    name = " ".join(name.split())
    if not name or re.search(r"[;{}#\"\\]|//|/\*", name):
        raise Refused(f"type {name!r}", "not the name of a type, such as 'struct order'")
    line = include_line(header)
    shown = line.split(" ", 1)[1] if line.endswith(">") else header
    _check_header(compiler, line, shown)
    _check_type(compiler, line, shown, name)
    prefix = compiler.folder / "subject.h"
    prefix.write_text(f"{line}\ntypedef __typeof__({name}) amp_asked;\n")
    size, alignment, layout = _describe(compiler, prefix, name)
    _refuse_what_lessons_cannot(name, size, alignment, layout)
    return Subject(name, shown, prefix, size, alignment, layout, _experiment(compiler, prefix, layout))


def flags_of(compiler):
    return ["-std=gnu11", "-D_GNU_SOURCE", *LESSON_FLAGS, *compiler.lesson, *compiler.include]


def _syntax(compiler, text, language="c", own=False):
    file = compiler.folder / "check.c"
    file.write_text(text)
    flags = compiler.facts if own else flags_of(compiler)
    if language == "c++":
        flags = [flag for flag in flags if not flag.startswith("-std=")]
    return compiler.run(*flags, "-fsyntax-only", "-ferror-limit=20" if "clang" in compiler.name else "-fmax-errors=20",
                        file, language=language)


def _check_header(compiler, line, shown):
    status, said = _syntax(compiler, line + "\n", own=True)
    if not status:
        return
    error = _without_folder(compiler, first_error(said)) or f"{compiler.name} ended with status {status}"
    empty, said = _syntax(compiler, "typedef int amp_nothing;\n", own=True)
    if empty:
        raise Refused("--cflags", f"with these not even an empty file compiles: {because(said)}")
    # A header in C++ is no C with a mistake: if it compiles as C++, that is what it is.
    if "No such file" not in error and _syntax(compiler, line + "\n", language="c++")[0] == 0:
        raise Refused(shown, f"is C++, and ampersand asks about C: as C it does not compile: {error}")
    raise Refused(shown, f"does not compile: {error}")


def _check_type(compiler, line, shown, name):
    known = f"{line}\ntypedef __typeof__({name}) amp_asked;\n"
    status, said = _syntax(compiler, f"{known}enum {{ amp_type = __builtin_types_compatible_p({name}, int) }};\n"
                                     "const unsigned long amp_size = sizeof(amp_asked);\n")
    if status:
        _refuse_unknown(compiler, name, shown, said)
    status, said = _syntax(compiler, f"{known}amp_asked amp_value(amp_asked *from) {{ return *from; }}\n")
    if status:
        raise Refused(name, f"cannot be handed over as a value, only by its address: {because(said)}")
    status, said = _syntax(compiler, f"{known}typedef amp_asked amp_values[2];\n")
    if status:
        raise Refused(name, f"has no objects: {because(said)}")


def _refuse_unknown(compiler, name, shown, said):
    text = compiler.run(*flags_of(compiler), "-E", "-P", compiler.folder / "check.c")[1].rpartition("typedef")[0]
    tag = re.fullmatch(r"(?:const |volatile )*(struct|union|enum) (\w+)", name)
    if tag and re.search(rf"\b{tag[1]}\s+{tag[2]}\b", text):
        raise Refused(name, f"incomplete: {shown} declares it and does not say what is in it: {because(said)}")
    raise Refused(name, f"{shown} does not have such a type{_nearest(name, text)}: {because(said)}")


def _without_folder(compiler, error):
    """The file in which we ask is of no interest to anybody."""
    return re.sub(rf"^{re.escape(str(compiler.folder))}/check\.c:\S+ ", "", error)


def _nearest(name, text):
    """The type that was probably meant: a tag or a name that is spelled so, or nearly so."""
    tags = {(kind, word) for kind, word in re.findall(r"\b(struct|union|enum)\s+(\w+)\s*\{", text)}
    known = sorted({f"{kind} {word}" for kind, word in tags} | set(re.findall(r"\b([A-Za-z_]\w*)\s*;", text)))
    near = difflib.get_close_matches(name.split()[-1], [one.split()[-1] for one in known], 1)
    meant = [one for one in known if near and one.split()[-1] == near[0] and one != name]
    return f", the nearest is '{meant[-1]}'" if meant else ""


def _describe(compiler, prefix, name):
    """(size, alignment, layout): what the compiler computes, beside what it writes for debuggers."""
    source, made = compiler.folder / "facts.c", compiler.folder / "facts.o"
    source.write_text("extern amp_asked amp_object;\namp_asked amp_object;\n"
                      "extern const unsigned long long amp_facts[2];\n"
                      "const unsigned long long amp_facts[2] = { sizeof(amp_asked), _Alignof(amp_asked) };\n")
    status, said = compiler.run(*flags_of(compiler), "-include", prefix, *CODE_FLAGS, "-fno-common", "-c", source,
                                "-o", made)
    if status:
        raise Refused(name, first_error(said))
    with open(made, "rb") as file:
        elf = ELFFile(file)
        if elf.elfclass != 64 or elf["e_machine"] != _machine():
            raise Refused("--cflags", f"makes code for {elf.get_machine_arch()}, {elf.elfclass} bits, which this "
                          "ampersand cannot run")
        symbol = elf.get_section_by_name(".symtab").get_symbol_by_name("amp_facts")[0]
        data = elf.get_section(symbol["st_shndx"]).data()
        size, alignment = struct.unpack_from("<QQ", data, symbol["st_value"])
        layout = members.read(elf.get_dwarf_info(), "amp_object", size)
    return size, alignment, layout


def _machine():
    with open("/proc/self/exe", "rb") as file:
        return ELFFile(file)["e_machine"]


def _refuse_what_lessons_cannot(name, size, alignment, layout):
    for kind, where in layout.qualified:
        what = f"its member {where} is {kind}" if where else f"it is {kind}"
        why = {"const": "no object of it can be assigned or changed as a whole, which is what the value side does",
               "volatile": "each access to it is to stay as it is written, so copies cannot be compared fairly",
               "atomic": "it is not copied as plain bytes"}[kind]
        raise Refused(name, f"{what}: {why}")
    if layout.flexible:
        raise Refused(name, f"ends in the flexible array member {layout.flexible}: a copy leaves its elements behind, "
                      "so it has no value to pass; ask about what it holds, or give the array a length")
    if alignment > ALIGNMENT_B:
        raise Refused(name, f"is over-aligned, to {alignment} B: malloc() aligns to {ALIGNMENT_B} B, so the pointer "
                      "side would have no objects of it; ask about the type without that alignment")
    if size > LARGEST_B:
        raise Refused(name, f"has {size} B: more than {LARGEST_B} B do not fit a stack several times over; use a "
                      "pointer")


def _experiment(compiler, prefix, layout):
    """Call functions of the type, compiled with the user's flags, and see where the object goes: abi.c."""
    found, why = _call(compiler, prefix, layout)
    if why:
        raise Refused("how it is passed", "cannot be found out: " + why
                      + compiler.blame(lambda other: not _call(other, prefix, layout)[1]))
    return found


def _call(compiler, prefix, layout):
    """(what abi.c found, ""), or (None, why it found nothing)."""
    objects, program = [], compiler.folder / "abi"
    for source, words in (("abi_subject", [*flags_of(compiler), "-include", prefix]), ("abi", ["-std=gnu11", "-O1"])):
        objects.append(compiler.folder / f"{source}.o")
        why = compiler.without_object(ROOT / f"harness/ask/{source}.c", objects[-1],
                                      lambda _: [*words, *CODE_FLAGS, "-iquote", ROOT])
        if why:
            return None, why
    status, said = compiler.run(*compiler.link, *objects, "-o", program)
    if status:
        return None, f"linking: {because(said)}"
    filled = "".join("1" if one else "0" for one in layout.filled[:64])
    try:
        done = children.run([program, filled], 20, stderr=subprocess.PIPE)
    except PermissionError:
        raise Refused(tempfile.gettempdir(), "programs made there cannot be run (mounted noexec?): let TMPDIR name "
                      "another folder") from None
    except OSError as error:
        return None, f"the linker made no program: {error.strerror}"
    except subprocess.TimeoutExpired:
        return None, "the experiment did not end"
    if done.returncode:
        return None, f"the experiment ended {ending(done.returncode)}"
    return json.loads(done.stdout), ""
