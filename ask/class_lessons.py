# SPDX-License-Identifier: MIT
"""The pairs about a class of C++: which there are for it, compiled, linked and measured as those about a type of C.

A pair is a lesson of its own (benchmarks/ask/ask_class.cpp, compiled once for each), and sees the header as it is: a
class cannot be declared once more without it. Functions of the class that an operation reaches are placed with it, so a
pair of many functions needs more layouts. What its header only declares comes from --link."""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from ask import lessons
from ask.types import children, facts
from ask.types.compiler import AS_TYPED, because, first_error
from ask.types.subject import CODE_FLAGS, LESSON_FLAGS, ROOT
from plots.program.errors import Refused

LESSON = "ask/ask_class"
PAIRS = {  # what of the class a pair needs
    "class_read": ("copy_constructible",),
    "class_keep": ("copy_constructible", "copy_assignable", "move_assignable"),
    "class_hand_over": ("move_constructible",),
    "class_move": ("copy_constructible", "move_constructible"),
    "class_return": ("move_constructible", "default_constructible"),
    "class_return_stored": ("move_constructible",),
}
ASSIGNED = ("class_return", "class_return_stored")  # to: a new object, which is a copy where there can be one
MOVES = ("class_hand_over", "class_move")  # of a class whose move is its copy they ask nothing
MOST_LAYOUTS = 256
SOURCES = (".c", ".cc", ".cpp", ".cxx", ".c++", ".C")
LIBRARIES = (".o", ".a")


@dataclass(frozen=True)
class Linked:
    """Of --link."""
    placed: tuple   # objects and static libraries, whose functions are placed
    words: tuple    # for the linker


def pairs_of(found):
    assigns = found.can("copy_assignable" if found.can("copy_constructible") else "move_assignable")
    return [pair for pair, needs in PAIRS.items() if all(found.can(trait) for trait in needs)
            and not (pair in MOVES and found.can("trivially_copyable")) and (assigns or pair not in ASSIGNED)]


def part_of(found):
    pairs = pairs_of(found)
    return lessons.Part("one_thread", (*pairs, *lessons.PLAIN), tuple(pairs), *lessons.HOW["one_thread"])


def hold_make(found, make):
    """Refused where no object can be made. `make`: an expression of the user's; None: a default object."""
    if make is None and not found.can("default_constructible"):
        raise Refused(found.type, "has no default constructor: an expression that makes one is needed, as in "
                      f"--make '{found.type}{{...}}'")


def build(compiler, found, make, part, link, seed):
    """Fill folder/<part>/lessons with modules."""
    linked = _compile_linked(compiler, link)
    write_prefix(compiler, found, make)
    lesson_object = lessons.lesson_object(compiler.of_c)
    _check_make(compiler, found, make)
    out = compiler.folder / part.name / "lessons"
    with children.pool() as threads:
        jobs = [threads.submit(_build_pair, compiler, found, pair, linked, lesson_object, seed, out)
                for pair in part.pairs]
        jobs += [threads.submit(_build_plain, compiler, found, lesson, lesson_object, seed, out)
                 for lesson in lessons.PLAIN]
        for job in jobs:
            job.result()
    names = [*part.pairs, *(lesson.rpartition("/")[2] for lesson in lessons.PLAIN)]
    (out / "lessons.txt").write_text("".join(f"{name}\n" for name in names))


# Symbols that tell what libstdc++ does to count references, and what a reader should know then.
COUNTING = {
    # without threads it counts by plain instructions
    "__libc_single_threaded":
        "its code asks whether the process has threads, as std::shared_ptr does to count references: this was measured "
        "without any; in a program with threads the counting is atomic, and a copy takes longer",
    # std::_Sp_counted_base<...>::_M_release_last_use_cold()
    "_ZNSt16_Sp_counted_baseILN9__gnu_cxx12_Lock_policyE2EE24_M_release_last_use_coldEv":
        "who gives up a std::shared_ptr loads both of its counts at once: if one of them was just stored, that waits "
        "for the store, as in the lesson store_forward; what is in time differs by processor and placement, so a row "
        "may take twice as long in another run",
}


def notes(compiler, part):
    """What the compiled pairs show of how far their times hold."""
    symbols = [facts.Made(compiler.folder / f"{pair}.o").symbols for pair in part.pairs]
    return [said for name, said in COUNTING.items() if any(one and one.get_symbol_by_name(name) for one in symbols)]


def write_prefix(compiler, found, make):
    """The header that ask_class.cpp has before all else."""
    made = f"({make})" if make else ""
    new = "(model)" if found.can("copy_constructible") else made or "(amp_asked())"
    (compiler.folder / "class.hpp").write_text(
        f"{found.line}\n#include <new>\n#include <type_traits>\n"
        f"typedef ::std::remove_cv<{found.type} >::type amp_asked;\n"
        f"#define AMP_ASKED_MADE {made}\n#define AMP_ASKED_NEW(model) {new}\n", **AS_TYPED)


def flags_of(compiler):
    """As the user's own code is compiled, with the header's macros and folders."""
    return [*LESSON_FLAGS, *compiler.plain, *compiler.facts]


def _check_make(compiler, found, make):
    """An expression that makes no object of the class, in the compiler's own words."""
    text = (compiler.folder / "class.hpp").read_text(**AS_TYPED)
    source = compiler.folder / "make.cpp"
    source.write_text(f"{text}\n# 1 \"--make\"\nvoid amp_make(void *at) {{ ::new (at) amp_asked(AMP_ASKED_MADE); }}\n",
                      **AS_TYPED)
    status, said = compiler.run(*flags_of(compiler), "-w", "-fsyntax-only", source)
    if status:
        raise Refused(f"--make {make}" if make else found.type, f"makes no object of it: {because(said)}" if make
                      else f"no default object can be made: {because(said)}: --make gives an expression that makes one")


def _build_pair(compiler, found, pair, linked, lesson_object, seed, out):
    made = compiler.folder / f"{pair}.o"
    compile_pair(compiler, found, pair, made)
    _hold_defined(compiler, found, made, linked, lesson_object)
    _link(compiler, pair, made, linked, lesson_object, seed, out)


def compile_pair(compiler, found, pair, made, source=ROOT / f"benchmarks/{LESSON}.cpp"):
    compiler.compile(f"benchmarks/{LESSON}.cpp about {found.type}", source, made,
                     lambda one: [*flags_of(one), "-include", compiler.folder / "class.hpp",
                                  f"-DASK_{pair.upper()}", "-D_GNU_SOURCE", *CODE_FLAGS, *lessons.PLACING,
                                  "-iquote", ROOT])


def _build_plain(compiler, found, lesson, lesson_object, seed, out):
    made = compiler.folder / "plain.o"
    lessons.compile_lesson(compiler.of_c, found, lesson, made)
    lessons.link(compiler, lesson, lesson.rpartition("/")[2], made, lesson_object, seed, out)


def _hold_defined(compiler, found, made, linked, lesson_object):
    """Refuse what no object and no library defines, before layouts are linked."""
    status, said = compiler.run("-shared", "-Wl,-z,defs", made, lesson_object, *linked.placed, *linked.words, "-o",
                                made.with_suffix(".try"))
    missing = list(dict.fromkeys(re.findall(r"undefined (?:reference to|symbol:) [`']?([^\n']+)'?", said)))
    if status and missing:
        more = f" and {len(missing) - 1} more" if missing[1:] else ""
        raise Refused(found.type, f"{missing[0]}{more}: declared, and defined in another file: --link FILE, a source, "
                      "an object or a library")
    if status:
        raise Refused(found.type, f"linking: {first_error(said)}")


def _link(compiler, pair, made, linked, lesson_object, seed, out):
    """With as many layouts as the functions of both sides need."""
    layouts = lessons.LAYOUTS
    while True:
        done = children.run([sys.executable, ROOT / "harness/lesson/make_layouts.py", "--lesson", pair, "--object",
                             made, "--extra", lesson_object, "--source", ROOT / f"benchmarks/{LESSON}.cpp",
                             "--count", layouts, "--seed", seed, "--cc", compiler.name, "--out", out,
                             *(f"--library={path}" for path in linked.placed),
                             *(f"--link-arg={word}" for word in ("-pthread", *linked.words))], stderr=subprocess.PIPE)
        if not done.returncode:
            return
        more = re.search(r"link (\d+) layouts", done.stderr)
        if not more or int(more[1]) > MOST_LAYOUTS:
            why = done.stderr.strip().removeprefix("ampersand: ")
            raise Refused(why or "linking the layouts failed")
        layouts = int(more[1])


def _compile_linked(compiler, link):
    """Sources are compiled as the lessons are; each of their functions gets a section of its own."""
    placed, words = [], []
    for i, word in enumerate(link):
        path = Path(word)
        if path.suffix in SOURCES:
            if not path.is_file():
                raise Refused(f"--link {word}", "no such file")
            made = compiler.folder / f"linked{i}.o"
            of = compiler.of_c if path.suffix == ".c" else compiler
            of.compile(f"--link {word}", path.resolve(), made,
                       lambda one: [*LESSON_FLAGS, *one.plain, *one.facts, *CODE_FLAGS, *lessons.PLACING])
            placed.append(made)
        elif path.suffix in LIBRARIES:
            if not path.is_file():
                raise Refused(f"--link {word}", "no such file")
            placed.append(path.resolve())
        else:
            words.append(str(path.resolve()) if path.is_file() else word)
    return Linked(tuple(placed), tuple(words))
