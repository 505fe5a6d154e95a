# SPDX-License-Identifier: MIT
"""What a compiler knows of a type: found by compiling three lines about it, and read from the object file.

A type is refused, in one line, where the lessons cannot ask about it; the reason is the compiler's own wherever the
compiler has one."""

import difflib
import os
import re
from dataclasses import dataclass, replace
from pathlib import Path

from ask.types import clean, experiment, facts, language, leaves, maker, members, notes, reorder
from ask.types.compiler import AS_TYPED, ROOT, because, first_error
from ask.types.layout import Layout
from plots.program.errors import Refused

MARK = "amp_the_type"  # around its name, which may be a macro's, unlike our words around it
ALIGNMENT_B = 16       # of malloc() and of the lessons' fixtures
LARGEST_B = 1 << 20    # by value it also has to fit a stack, more than once
LESSON_FLAGS = ("-O2",)  # before the user's, which thus win
CODE_FLAGS = ("-fPIC", *facts.DEBUGGING)


HANDED_OVER = "static amp_asked amp_value(amp_asked *amp_from) { return *amp_from; }\n"


@dataclass(frozen=True)
class Reordered:
    """The same members with less padding."""
    names: tuple        # of the members, in the other order; "" for one without
    size_b: int
    abi: dict


@dataclass(frozen=True)
class Subject:
    type: str
    header: str         # as it is included
    prefix: Path        # declares amp_asked and what fills and reads it: to be included before everything else
    size_b: int
    alignment_b: int
    layout: Layout
    abi: dict           # what harness/ask/abi.c prints
    notes: tuple        # what a reader should know of the type
    not_copied: tuple   # what in it no assignment can copy
    fixed: str          # why no object of it can be assigned, or ""
    reordered: Reordered | None
    not_reordered: str  # why not, where there is padding


def include_line(header):
    """A file that is there, else one that the compiler shall find."""
    if header.startswith("<") and header.endswith(">"):
        return f"#include {header}"
    if '"' in header or "\n" in header or not header:
        raise Refused(f"header {header!r}", "not the name of a header")
    if os.path.isdir(header):
        raise Refused(header, "is a folder: name a header in it")
    if os.path.isfile(header):  # a link stays one: what it includes is looked for beside it
        return f'#include "{os.path.join(os.getcwd(), header)}"'
    return f"#include <{header}>"


def study(compiler, header, name):
    """The Subject, or Refused."""
    name = " ".join(name.split())
    if not name or re.search(r"[;{}#\"\\]|//|/\*", name):
        raise Refused(f"type {name!r}", "not the name of a type, such as 'struct order'")
    line = include_line(header)
    shown = line.split(" ", 1)[1] if line.endswith(">") else header
    try:
        unit = _unit(compiler, line, name)
        size, alignment, use = facts.describe(unit, name, HANDED_OVER)
    except Refused as refused:  # a better reason may be found
        check_header(compiler, line, shown)
        _check_type(_unit(compiler, line, name), shown, name)
        raise Refused(str(refused) + compiler.blame(
            lambda other: facts.describe(_unit(other, line, name), name, HANDED_OVER))) from None
    facts.ask(unit, name, use, alignment)
    layout = Layout(use, size)
    fixed = _refuse_what_lessons_cannot(name, size, alignment, use)
    prefix, abi = _rebuild(compiler, unit, name, size, alignment, layout)
    reordered, why = _reorder(compiler, prefix, name, layout, alignment) if layout.holes else (None, "")
    return Subject(name, shown, prefix, size, alignment, layout, abi, tuple(notes.about(use)),
                   tuple(notes.not_copied(use)), fixed, reordered, why)


def flags_of(compiler):
    return ["-std=gnu11", "-D_GNU_SOURCE", *LESSON_FLAGS, *compiler.plain, *compiler.lesson]


def _unit(compiler, line, name):
    """The header and amp_asked, behind the preprocessor."""
    unit, said = facts.preprocess(compiler, "subject", f"{line}\n{MARK} {name} {MARK}\n", compiler.facts,
                                  compiler.facts_behind_preprocessor)
    if not unit:
        raise Refused(name, first_error(said))
    return replace(unit, text=_with_type(unit.text))


def _with_type(text):
    before, name, after = text.rsplit(MARK, 2)
    return (f"{before}typedef __typeof__({name}) amp_asked;\n"
            f"enum {{ amp_type = __builtin_types_compatible_p({name}, int) }};{after}")


def _syntax(compiler, text, *more, kind="c"):
    file = compiler.folder / "check.c"
    file.write_text(text, **AS_TYPED)
    flags = [flag for flag in compiler.facts if kind == "c" or not flag.startswith("-std=")]
    return compiler.run(*flags, "-w", *(more or ("-fsyntax-only",)),
                        "-ferror-limit=20" if compiler.is_clang else "-fmax-errors=20", file, language=kind)


def check_header(compiler, line, shown):
    status, said = _syntax(compiler, line + "\n")
    if not status:
        return
    error = _without_folder(compiler, first_error(said)) or f"{compiler.name} ended with status {status}"
    empty, said = _syntax(compiler, "typedef int amp_nothing;\n")
    if empty:
        raise Refused("--cflags", f"with these not even an empty file compiles: {because(said)}")
    more, is_cpp = language.because(
        error, lambda flags, kind: _syntax(compiler, line + "\n", "-fsyntax-only", *flags, kind=kind)[0] == 0,
        lambda: _text_of(compiler, line))
    if is_cpp:
        raise Refused(shown, f"is C++, so ask with --c++; as C it does not compile: {error}")
    raise Refused(shown, f"does not compile: {error}{more}")


def _text_of(compiler, line):
    """What a header says itself, behind the preprocessor; as it is written where that fails."""
    status, text = _syntax(compiler, line + "\n", "-E")
    path = Path(line.split('"')[1]) if '"' in line else None
    return path.read_text(errors="replace") if status and path else language.of_the_header(text)


def _check_type(unit, shown, name):
    status, said = unit.check("const unsigned long amp_size = sizeof(amp_asked);\n")
    if status:
        _refuse_unknown(unit, name, shown, said)
    status, said = unit.check(HANDED_OVER)
    if status and not unit.check("enum { amp_one = sizeof((*(amp_asked *) 0)[0]) };\n")[0]:
        raise Refused(name, "is an array, which C never copies: a call gets its address; ask about a struct that holds "
                      "it")
    if status:
        raise Refused(name, f"cannot be handed over as a value, only by its address: {because(said)}")
    if not unit.check("_Static_assert(__builtin_types_compatible_p(amp_asked, void), \"\");\n")[0]:
        raise Refused(name, "is void: there are no objects of it, only pointers")
    status, said = unit.check("typedef amp_asked amp_values[2];\n")
    if status:
        raise Refused(name, f"has no objects: {because(said)}")


def _refuse_unknown(unit, name, shown, said):
    text = re.sub(r"^#.*$", "", unit.text, flags=re.M).rpartition("typedef")[0]
    tag = re.fullmatch(r"(?:const |volatile )*(struct|union|enum) (\w+)", name)
    declared = tag and re.search(rf"\b{tag[1]}\s+{tag[2]}\b", text)
    if declared or not tag and not unit.check("extern amp_asked *amp_pointer;\n")[0]:
        raise Refused(name, f"incomplete: {shown} declares it and does not say what is in it, so it is only handed "
                      "over by pointers" + _with_macro(unit))
    raise Refused(name, f"{shown} does not have such a type{nearest(name, text)}: {because(said)}" + _with_macro(unit))


def _with_macro(unit):
    text = _with_type((unit.compiler.folder / f"{unit.name}.c").read_text(**AS_TYPED))
    text += "const unsigned long amp_size = sizeof(amp_asked);\n"
    return language.for_a_type(lambda flags: _syntax(unit.compiler, text, "-fsyntax-only", *flags)[0] == 0)


def _without_folder(compiler, error):
    """The file in which we ask is of no interest to anybody."""
    return re.sub(rf"^{re.escape(str(compiler.folder))}/check\.c:\S+ ", "", error)


def nearest(name, text):
    """The type that was probably meant: a tag or a name that is spelled so, or nearly so."""
    tags = {(kind, word) for kind, word in re.findall(r"\b(struct|union|enum)\s+(\w+)\s*\{", text)}
    known = {f"{kind} {word}" for kind, word in tags} | set(re.findall(r"\b([A-Za-z_]\w*)\s*;", text))
    return nearest_of(name, sorted(known))


def nearest_of(name, known):
    near = difflib.get_close_matches(name.split()[-1], [one.split()[-1] for one in known], 1)
    meant = [one for one in known if near and one.split()[-1] == near[0] and one != name]
    return f", the nearest is '{meant[-1]}'" if meant else ""


def _refuse_what_lessons_cannot(name, size, alignment, use):
    """Why no object of it can be assigned, or ""."""
    fixed = ""
    for kind, path in _qualified(use):
        where = members.shown(path)
        what = f"its member {where} is {kind}" if where else f"it is {kind}"
        if kind == "const":
            fixed = fixed or f"{what}: no object of it can be assigned as a whole"
            continue
        why = {"volatile": "each access to it is to stay as it is written, so copies cannot be compared fairly",
               "atomic": "it is not copied as plain bytes"}[kind]
        raise Refused(name, f"{what}: {why}")
    flexible = next((path for path, _, member, _ in members.walk(use) if None in member.use.type.counts), None)
    if flexible:
        raise Refused(name, f"ends in the flexible array member {members.shown(flexible)}[]: a copy leaves its "
                      "elements behind, so it has no value to pass; ask about what it holds, or give the array a "
                      "length")
    if alignment > ALIGNMENT_B:
        raise Refused(name, f"is over-aligned, to {alignment} B: malloc() aligns to {ALIGNMENT_B} B, so the pointer "
                      "side would have no objects of it; ask about the type without that alignment")
    if size > LARGEST_B:
        raise Refused(name, f"has {size} B: more than {LARGEST_B} B do not fit a stack several times over; use a "
                      "pointer")
    return fixed


def _qualified(use):
    """(const, volatile or atomic; the member's path, "" for the whole)"""
    for path, one in [("", use), *((path, member.use) for path, _, member, _ in members.walk(use))]:
        while one:
            for kind in one.qualifiers:
                yield kind, path
            one = one.type.element


# ---- The same type once more, without the header

def _rebuild(compiler, unit, name, size, alignment, layout):
    """(the file that declares it, how it is passed), where both declarations agree in everything."""
    try:
        text = clean.declare(layout.use, alignment, _quad(compiler))
    except clean.CannotDeclare as error:
        raise Refused(name, f"it holds {error}, which ampersand cannot declare once more for its lessons") from None
    prefix = compiler.folder / "subject.h"
    prefix.write_text(text + maker.PARTS + maker.make(layout) + _touching(layout), **AS_TYPED)
    again = facts.Unit(compiler, "clean", text, ("-std=gnu11", *compiler.lesson))
    found_size, found_alignment, found = facts.describe(again, name)
    there, here = _places(layout.use), _places(found)
    for what, wanted, got in [("its size", size, found_size), ("its alignment", alignment, found_alignment),
                              *((path, one, other) for (path, one), (_, other) in zip(there, here)),
                              ("the number of members", len(there), len(here))]:
        if wanted != got:
            raise Refused(name, f"declared once more for the lessons, {what} differs: {got} instead of {wanted}")
    wanted = experiment.run(compiler, unit, layout, lambda one: one.facts_behind_preprocessor)
    got = experiment.run(compiler, again, layout, lambda one: ("-std=gnu11", *one.lesson))
    if wanted != got:
        raise Refused(name, "declared once more for the lessons, it is passed in another way: "
                      f"{_differences(wanted, got)}")
    return prefix, wanted


def _quad(compiler):
    return "__float128" if compiler.is_clang else "_Float128"


def _touching(layout):
    """How lessons fill and read an object: harness/subjects.h."""
    found = ("#define amp_fill(object) amp_make((object), 1, &(const struct amp_parts) AMP_PARTS)\n"
             if layout.size_b else "")
    first, last = (leaves.end(layout.use.type, leaves.WHOLE, at_end) for at_end in (False, True))
    if not first:
        return found
    return (found + leaves.ends(first, last) + "#define amp_ends(object) amp_asked_ends(object)\n"
            "#define amp_set_ends(object, number) amp_asked_set_ends((object), (number))\n")


def _reorder(compiler, prefix, name, layout, alignment):
    """(a Reordered, ""), added to the prefix; or (None, why there is none)."""
    try:
        order, why = reorder.best(layout.use, layout.size_b, alignment, _quad(compiler))
        if not order:
            return None, why
        text = clean.declare(order.use, alignment, _quad(compiler))
        again = clean.declare(order.use, alignment, _quad(compiler), "amp_reordered")
    except clean.CannotDeclare as error:
        return None, f"it holds {error}"
    unit = facts.Unit(compiler, "reordered", text, ("-std=gnu11", *compiler.lesson))
    *found, use = facts.describe(unit, name)
    first, last = (leaves.end(order.as_declared, leaves.WHOLE, at_end) for at_end in (False, True))
    if found != [order.size_b, alignment] or [place for _, place in _places(use)] != [
            place for _, place in _places(order.use)]:
        return None, "the compiler gives the members other places"
    if not first:
        return None, "nothing in it can be read by its name"
    as_declared = Layout(members.Use(order.as_declared), order.size_b)
    with open(prefix, "a", **AS_TYPED) as file:
        file.write(again + maker.make(as_declared, name="amp_make_reordered", of="amp_reordered")
                   + leaves.ends(first, last, "amp_reordered")
                   + "#define AMP_REORDERED amp_reordered\n#define amp_fill_declared(object) amp_fill(object)\n"
                   "#define amp_fill_reordered(object) "
                   "amp_make_reordered((object), 1, &(const struct amp_parts) AMP_PARTS)\n")
    abi = experiment.run(compiler, unit, as_declared, lambda one: ("-std=gnu11", *one.lesson))
    return Reordered(order.names, order.size_b, abi), ""


def _places(use):
    """(path, what is compared) of each member: where it is, its bytes or bits."""
    return [(members.shown(path), (at, member.bit, member.bits, member.use.type.size))
            for path, at, member, _ in members.walk(use)]


def _differences(wanted, got):
    return ", ".join(f"{key} {got[key]} instead of {wanted[key]}" for key in wanted if wanted[key] != got[key])
