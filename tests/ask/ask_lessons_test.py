# SPDX-License-Identifier: MIT
"""ask: the lessons about a type compile with the user's flags, and do what they say."""
import shutil
from functools import lru_cache

import pytest

import disassembly
from ask import arguments, lessons, profiles
from ask.types import subject as subjects
from asking import compiler_in, study, x86_64
from places import ROOT
from plots.program.errors import Refused


def compile_all(compiler, found):
    made = profiles.of(found, arguments.parse(["a.h", "struct a"]))
    lessons.write_calls(compiler, found, made)
    for part in lessons.parts(found, made):
        for lesson in part.lessons:
            lessons.compile_lesson(compiler, found, lesson, compiler.folder / "made.o")


@pytest.mark.parametrize("cc, flags, name", [
    ("gcc", "", "struct padded"), ("gcc", "-O3 -march=native", "struct padded"), ("gcc", "-Os", "struct padded"),
    ("gcc", "-std=c89 -Wall -Werror", "struct padded"), ("gcc", "-std=c99 -flto -g3", "struct padded"),
    ("clang", "", "struct padded"), ("clang", "-O0", "struct padded"), ("gcc", "", "struct bits"),
    ("gcc", "", "struct blank")])
def test_every_lesson_compiles_with_the_users_flags(tmp_path, header, cc, flags, name):
    if not shutil.which(cc):
        pytest.skip(f"{cc} is not here: apt-get install {cc}")
    compiler = compiler_in(tmp_path, cc=cc, flags=flags)
    found = subjects.study(compiler, str(header), name)
    assert bool(found.reordered) == (name == "struct padded")
    compile_all(compiler, found)


def test_names_of_the_users_header_do_not_collide(tmp_path):
    header = tmp_path / "names.h"
    header.write_text("struct subject { int subject; };\nint change, run_value, run_pointer, take_value(void);\n"
                      "struct shelf { int x; }; struct queue { int y; }; int set_up_value, tear_down, store_value;\n"
                      "int walk_pointer(void); int ends_of; enum { VALUE, POINTER, PLACES, ELEMENTS };\n")
    compiler = compiler_in(tmp_path)
    found = subjects.study(compiler, str(header), "struct subject")
    compile_all(compiler, found)


def test_include_folders_and_macros_reach_the_compiler(tmp_path, header):
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "deep.h").write_text("#ifdef N\nstruct deep { char b[N]; };\n#endif\n")
    with pytest.raises(Refused):
        study(tmp_path, "deep.h", "struct deep")
    assert study(tmp_path, "deep.h", "struct deep", include=("-I", str(tmp_path / "more"), "-DN=24")).size_b == 24


# What the receiver of ask_send does: its kernel is the sender (ask_kernels_test.py holds kernels).
COPIED_B = 64
CODE = [
    # lesson, function, bytes that it stores at least and at most, what it calls
    ("ask_send", "ask_receive_value", (COPIED_B, 2 * COPIED_B), []),
    ("ask_send", "ask_receive_pointer", (0, 32), ["free"]),
]
MUTANTS = [
    # function, what is taken out of the lesson
    ("ask_receive_value", "        object = queue->values[at % PLACES];\n", "        memset(&object, 1, 1);\n"),
    ("ask_receive_pointer", "        free(object);\n", ""),
]


@pytest.fixture(scope="module")
def code_of(tmp_path_factory):
    """A function of a compiler, a lesson's function, and what is changed in the lesson: (bytes that it stores, what it
    calls), about a struct of 64 bytes, compiled as ask does it. The type is studied once, and each text compiled once."""
    @lru_cache(maxsize=None)
    def studied(cc):
        compiler = compiler_in(tmp_path_factory.mktemp("code"), cc=cc)
        header = compiler.folder / "copied.h"
        header.write_text(f"struct copied {{ char b[{COPIED_B}]; }};\n")
        return compiler, subjects.study(compiler, str(header), "struct copied")

    @lru_cache(maxsize=None)
    def functions(cc, lesson, changes):
        compiler, found = studied(cc)
        folder = compiler.folder / "changed" / "benchmarks" / "ask"
        folder.mkdir(parents=True, exist_ok=True)
        text = (ROOT / f"benchmarks/ask/{lesson}.c").read_text()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        (folder / "lesson.c").write_text(text)
        made = compiler.folder / "lesson.o"
        status, said = compiler.run(*subjects.flags_of(compiler), *lessons.subject_flags(found), *subjects.CODE_FLAGS,
                                    *lessons.PLACING, "-iquote", ROOT, "-c", folder / "lesson.c", "-o", made)
        assert status == 0, said
        return disassembly.read_functions(made)

    def of(cc, lesson, function, *changes):
        body = functions(cc, lesson, changes)[function]
        calls = [i.symbol.split("@")[0].removesuffix("-0x4") or "table" for i in body if i.verb == "call"]
        return sum(i.stored_b for i in body), [name for name in calls if name not in ("_exit", "sched_yield")]
    return of


def holds(found, bounds, calls):
    return bounds[0] <= found[0] <= bounds[1] and sorted(found[1]) == sorted(calls)


@x86_64
@pytest.mark.parametrize("cc", ["gcc", "clang"])
@pytest.mark.parametrize("lesson, function, bounds, calls", CODE, ids=[one[1] for one in CODE])
def test_the_lessons_copy_call_and_allocate_as_they_say(code_of, cc, lesson, function, bounds, calls):
    if not shutil.which(cc) or not shutil.which("objdump"):
        pytest.skip(f"{cc} or objdump is not here: apt-get install {cc} binutils")
    found = code_of(cc, lesson, function)
    assert holds(found, bounds, calls), found


@x86_64
@pytest.mark.parametrize("function, old, new", MUTANTS, ids=[one[0] for one in MUTANTS])
def test_a_lesson_that_no_longer_does_is_noticed(code_of, function, old, new):
    if not shutil.which("gcc") or not shutil.which("objdump"):
        pytest.skip("gcc or objdump is not here: apt-get install gcc binutils")
    lesson, _, bounds, calls = next(one for one in CODE if one[1] == function)
    assert not holds(code_of("gcc", lesson, function, (old, new)), bounds, calls)
