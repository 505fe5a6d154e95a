# SPDX-License-Identifier: MIT
"""What a compiler knows of a class of C++: its size and traits, its layout, and how it is passed.

  header, TYPE --> traits of <type_traits>, as constants of an object file      is it copyable, movable, abstract ...
               --> the operations that they promise, compiled                    some are declared and do not compile
               --> debugging information                                         where its members and bases lie
               --> compiled functions, called                                    by hidden reference, in registers

Nothing of the header is linked or run. A type is refused, in one line, where no object of it can be passed at all."""

import os
import platform
import re
from dataclasses import dataclass, replace

from elftools.common.exceptions import DWARFError, ELFError

from ask.types import experiment, facts, members, notes, subject
from ask.types.compiler import ROOT, because, first_error
from ask.types.layout import Layout
from plots.program.errors import Refused

SUFFIXES = (".hpp", ".hh", ".hxx", ".h++", ".H", ".ipp", ".tpp", ".cc", ".cpp", ".cxx", ".c++", ".C")
TRAITS = ("object", "array", "class", "abstract", "polymorphic", "destructible", "default_constructible",
          "copy_constructible", "move_constructible", "copy_assignable", "move_assignable", "trivially_copyable",
          "trivially_destructible", "trivially_copy_constructible", "trivially_move_constructible",
          "nothrow_move_constructible")
# What is done with an object: the trait that promises it, and code that does it.
OPERATIONS = (
    ("copy_constructible", "void amp_try(const amp_asked &a, void *b) { ::new (b) amp_asked(a); }"),
    ("move_constructible",
     "void amp_try(amp_asked &a, void *b) { ::new (b) amp_asked(static_cast<amp_asked &&>(a)); }"),
    ("copy_assignable", "void amp_try(const amp_asked &a, amp_asked &b) { b = a; }"),
    ("move_assignable", "void amp_try(amp_asked &a, amp_asked &b) { b = static_cast<amp_asked &&>(a); }"),
    ("default_constructible", "void amp_try(void *b) { ::new (b) amp_asked(); }"),
)
DEBUGGING = {True: ("-fstandalone-debug",), False: ("-femit-class-debug-always",)}  # by clang, by gcc
CLASSES = re.compile(r"\b(?:class|struct|union|using)\s+([A-Za-z_]\w*)\s*(?:final\b)?\s*[:{=]"
                     r"|\btypedef\b[^;{}]*\b([A-Za-z_]\w*)\s*;")  # names that a header declares
X87_B = 10  # of a long double's 16


@dataclass(frozen=True)
class Class:
    type: str
    header: str             # as it is shown
    line: str               # that includes it
    size_b: int
    alignment_b: int
    traits: dict            # {name: bool}
    layout: Layout | None   # None: not found out
    abi: dict               # as of C; `passed` may be "reference"
    notes: tuple
    not_copied: tuple       # what in it no copy of bytes can copy

    @property
    def kind(self):
        return self.layout.kind if self.layout else "struct" if self.traits["class"] else "scalar"

    def can(self, trait):
        return self.traits[trait]

    @property
    def move_only(self):
        return self.can("move_constructible") and not self.can("copy_constructible")


def is_cpp(header):
    """By its name: a suffix of C++, or a header of the standard library's, which have none."""
    name = header.strip("<>")
    return name.endswith(SUFFIXES) or "." not in os.path.basename(name) and not os.path.isfile(header) and bool(name)


def study(compiler, header, name):
    """The Class, or Refused."""
    name = " ".join(name.split())
    if not name or re.search(r"[;{}#\"\\]|//|/\*", name):
        raise Refused(f"type {name!r}", "not the name of a type, such as 'std::string'")
    line = subject.include_line(header)
    shown = line.split(" ", 1)[1] if line.endswith(">") else header
    unit, header_alone = _unit(compiler, line, shown, name)
    size, alignment, traits = _traits(unit, header_alone, shown, name)
    _refuse(name, traits)
    traits, missing = _hold(unit, traits)
    layout = _layout(unit, size)
    abi = _abi(compiler, unit, size, layout)
    of_bytes = layout.use if layout and traits["trivially_copyable"] else None  # copied as a struct of C is
    return Class(name, shown, line, size, alignment, traits, layout, abi,
                 tuple([*missing, *(notes.about(of_bytes) if of_bytes else ())]),
                 tuple(notes.not_copied(of_bytes) if of_bytes else ()))


def _unit(compiler, line, shown, name):
    """(a Unit of the header and amp_asked, one of the header alone), behind the preprocessor."""
    text = f"{line}\n#include <type_traits>\n#include <new>\n{subject.MARK} {name} {subject.MARK}\n"
    unit, said = facts.preprocess(compiler, "subject", text, compiler.facts, compiler.facts_behind_preprocessor)
    if not unit:
        raise Refused(shown, f"does not compile: {_of_the_user(compiler, said)}")
    before, spelled, after = unit.text.rsplit(subject.MARK, 2)
    asked = (f"# 1 \"ask\"\nusing amp_written ={spelled};\n"
             f"using amp_asked = ::std::remove_cv<amp_written>::type;{after}")
    return replace(unit, text=f"{before}\n{asked}"), replace(unit, text=before)


def _of_the_user(compiler, said):
    """Without the place of a file of ours that includes theirs."""
    return re.sub(rf"^{re.escape(str(compiler.folder))}/subject\S+ ", "", first_error(said))


def _traits(unit, header, shown, name):
    """(size, alignment, {trait: bool}); Refused, with the reason, where the compiler does not know them."""
    words = [f"::std::is_{one}<amp_asked>::value" for one in TRAITS]
    status, said, made = unit.compile(
        "template <bool, class T> struct amp_of { enum { size = 1, aligned = 1 }; };\n"
        "template <class T> struct amp_of<true, T> "
        "{ static const unsigned long long size = sizeof(T), aligned = alignof(T); };\n"
        "typedef amp_of<::std::is_object<amp_asked>::value, amp_asked> amp_sizes;\n"
        + _constants("amp_facts", ["amp_sizes::size", "amp_sizes::aligned", *words]), *facts.DEBUGGING)
    if status:
        _say_why(unit, header, shown, name, said)
    numbers = facts.Made(made).numbers("amp_facts", 2 + len(TRAITS))
    if numbers is None:
        raise Refused(f"--cc {unit.compiler.name}", "makes no constants that can be read")
    return *numbers[:2], {one: bool(number) for one, number in zip(TRAITS, numbers[2:])}


def _say_why(unit, header, shown, name, said):
    """Refused: the header, the name, or what is in the type; `said` by the compiler."""
    status, of_header = header.check("")
    if status:
        raise Refused(shown, f"does not compile: {_of_the_user(unit.compiler, of_header)}")
    status, of_name = unit.check("")
    if status:
        meant = subject.nearest_of(name.rpartition("::")[2], sorted({a or b for a, b in CLASSES.findall(header.text)}))
        raise Refused(name, f"{shown} does not have such a type{meant}: {because(of_name)}")
    if "incomplete" in said:
        raise Refused(name, f"incomplete: {shown} declares it and does not say what is in it: {because(said)}")
    raise Refused(name, because(said))


def _constants(name, words):
    return f'extern "C" const unsigned long long {name}[] = {{ {", ".join(words)} }};\n'


def _refuse(name, traits):
    if not traits["object"] or traits["array"]:
        raise Refused(name, "is no type of objects that can be passed by value")
    for trait, wanted, why in (
            ("abstract", False, "is abstract: no object of it exists, so it is passed by reference or by pointer only"),
            ("destructible", True, "its destructor is private or deleted, so that no call can end a parameter: it is "
                                   "passed by reference only")):
        if traits[trait] is not wanted:
            raise Refused(name, why)
    if not traits["move_constructible"] and not traits["copy_constructible"]:
        raise Refused(name, "can neither be copied nor moved: it is passed by reference only")


def _hold(unit, traits):
    """(the traits that hold, notes): a template promises to be copyable whatever it holds, and may not compile then."""
    promised = [(trait, code) for trait, code in OPERATIONS if traits[trait]]
    if not unit.check("".join(code.replace("amp_try", f"amp_try_{trait}") + "\n" for trait, code in promised))[0]:
        return traits, []
    found, said = dict(traits), []
    for trait, code in promised:
        status, text = unit.check(code + "\n")
        if status:
            found[trait] = False
            said.append(f"its {trait.replace('_', ' ').replace('copy', 'being copy').replace('move', 'being move')} "
                        f"is declared and does not compile: {because(text)}")
    return found, said


def _layout(unit, size):
    """None where the debugging information does not tell."""
    status, _, made = unit.compile('extern "C" { extern amp_asked *amp_object; amp_asked *amp_object; }\n'
                                   "static_assert(sizeof(amp_asked) > 0, \"\");\n", *facts.DEBUGGING,
                                   *DEBUGGING[unit.compiler.is_clang])
    if status:
        return None
    try:
        use = members.read(facts.Made(made).elf.get_dwarf_info(), "amp_object", behind=True)
    except (ELFError, DWARFError, Refused):
        return None
    if use.type.size != size:
        return None
    for kind, _ in members.scalars(use):
        if kind.wide and "long double" in kind.name and platform.machine() == "x86_64":
            kind.filled = X87_B
    return Layout(use, size)


def _abi(compiler, unit, size, layout):
    hidden = experiment.printed(compiler, unit, "hidden", (ROOT / "harness/ask/hidden_subject.cc").read_text(),
                                lambda one: one.facts_behind_preprocessor)
    if hidden["hidden"]:
        return {"passed": "reference", "integers": 1, "vectors": 0, "returned": "memory"}
    if not layout or not hidden["known"]:
        return {"passed": "unknown", "integers": -1, "vectors": -1, "returned": "unknown"}
    text = (ROOT / "harness/ask/abi_subject.c").read_text()
    filled = "".join("1" if one else "0" for one in layout.filled)
    return experiment.printed(compiler, unit, "abi", f'extern "C" {{\n{text}}}\n',
                              lambda one: one.facts_behind_preprocessor, [size, filled])
