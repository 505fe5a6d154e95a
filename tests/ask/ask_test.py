# SPDX-License-Identifier: MIT
"""ask: a type of the user's own.

Size and padding are held against offsetof() in a compiled program, the ABI against the classification of the System V
ABI for x86-64 (3.2.3) worked out here from the members, and against the disassembly of what was measured; the advice
against the rule; every refusal against its line. Whole answers are for the types that the README names."""
import json
import os
import platform
import random
import re
import shutil
import signal
import subprocess
import sys

import pytest

import disassembly
from ask import advice, answer, compiler as compilers, lessons, subject as subjects
from places import ROOT
from plots.files.strict_json import validate
from plots.program.errors import Refused
from waiting import HANGS_S, wait_for

CC = os.environ.get("CC") or "cc"
x86_64 = pytest.mark.skipif(platform.machine() != "x86_64", reason="the experiment knows the System V ABI for x86-64")

HEADER = """
#include <stdint.h>
struct declared;
struct order { int id; double price; };
typedef struct order order_t;
typedef const struct order const_order;
typedef int numbers[4];
typedef int function(int);
struct flexible { int n; char text[]; };
struct holds_flexible { int a; struct flexible last; };
struct has_const { const int a; int b; };
struct has_volatile { int a; struct { volatile int x; } in; };
struct has_atomic { _Atomic int x; };
struct over { _Alignas(64) int a; };
struct huge { char b[2000000]; };
struct bits { unsigned a : 3, b : 13; int c; unsigned : 4; unsigned d : 9; };
union either { int i; double d; char c[12]; };
struct padded { char a; int b; char c; double d; char e; };
struct nest { struct padded p[2]; short s; };
struct page { char b[4096]; };
struct empty { };
struct blank { int : 32; };
"""


def compiler_in(folder, cc=CC, flags="", include=()):
    return compilers.make(cc, include, flags, folder)


@pytest.fixture
def header(tmp_path):
    path = tmp_path / "types.h"
    path.write_text(HEADER)
    return path


def study(folder, header, name, **how):
    return subjects.study(compiler_in(folder, **how), str(header), name)


# ---- What is refused: a line each, with the compiler's own words where it has any

REFUSED = [
    ("struct declared", "struct declared: incomplete: {} declares it and does not say what is in it: error: ",
     "incomplete type"),
    ("struct nowhere", "struct nowhere: {} does not have such a type", "error: "),
    ("struct oder", "the nearest is 'struct order': error: ", None),
    ("order", "order: {} does not have such a type, the nearest is 'struct order': error: ", "order"),
    ("3", "3: {} does not have such a type: error: ", None),
    ("void", "void: has no objects: error: ", None),
    ("numbers", "numbers: cannot be handed over as a value, only by its address: error: ", "array"),
    ("function", "function: cannot be handed over as a value, only by its address: error: ", "function"),
    ("struct flexible", "struct flexible: ends in the flexible array member text[]", None),
    ("struct holds_flexible", "ends in the flexible array member last.text[]", None),
    ("struct has_volatile", "its member in.x is volatile", None),
    ("struct has_atomic", "its member x is atomic", None),
    ("struct over", "struct over: is over-aligned, to 64 B: malloc() aligns to 16 B", None),
    ("struct huge", "struct huge: has 2000000 B: more than 1048576 B", None),
    ("struct order { int x; }", "not the name of a type, such as 'struct order'", None),
    ("int;", "not the name of a type", None),
    ("", "not the name of a type", None),
]


@pytest.mark.parametrize("cc", ["gcc", "clang"])
@pytest.mark.parametrize("name, says, of_compiler", REFUSED, ids=[name or "nothing" for name, _, _ in REFUSED])
def test_what_cannot_be_asked_about_is_one_line(tmp_path, header, cc, name, says, of_compiler):
    if not shutil.which(cc):
        pytest.skip(f"{cc} is not here: apt-get install {cc}")
    with pytest.raises(Refused) as refused:
        study(tmp_path, header, name, cc=cc)
    line = str(refused.value)
    if cc == "gcc" or of_compiler is None:
        assert says.format(header) in line and (of_compiler or "") in line
    else:
        assert "error: " in line
        assert line.startswith(says.format(header).split(": error: ")[0].split(", the nearest")[0])
    assert "\n" not in line and str(tmp_path / "check.c") not in line


HEADERS = [
    ("int f( { ;", "{}: does not compile: {}:1:", "error: "),
    ("#error needs FEATURE\n", "{}: does not compile: {}:1:", "needs FEATURE"),
    ("namespace a { template <class T> struct order { T t; }; }", "{}: is C++, and ampersand asks about C",
     "namespace"),
    ("#include \"not_there.h\"", "{}: does not compile: ", "not_there.h"),
]


@pytest.mark.parametrize("text, says, more", HEADERS, ids=["syntax", "error", "c++", "missing"])
def test_header_that_does_not_compile_is_told_in_the_compilers_words(tmp_path, text, says, more):
    header = tmp_path / "wrong.h"
    header.write_text(text)
    with pytest.raises(Refused) as refused:
        study(tmp_path, header, "struct order")
    assert str(refused.value).startswith(says.format(header, header)) and more in str(refused.value)


def ask(*words, **how):
    return subprocess.run([sys.executable, "-m", "ask", *map(str, words)], cwd=ROOT, text=True, capture_output=True,
                          stdin=subprocess.DEVNULL, timeout=HANGS_S, **how)


@pytest.mark.parametrize("words, says", [
    ((), "ampersand: ask: which header, which type?"),
    (("{}",), "ampersand: ask: which type?"),
    (("{}", "struct order", "--launches", "0"), "0 is not a whole number from 1 to 1000"),
    (("{}", "struct order", "--frob"), "--frob: no such flag"),
    (("{}", "struct order", "--cflags"), "--cflags: expected one argument"),
    (("{}", "struct order", "--cc", "no-such-cc"), "ampersand: --cc no-such-cc: no such command"),
    (("{}", "struct order", "--cflags", "'"), "ampersand: --cflags: ': No closing quotation"),
    (("{}", "struct order", "--cflags", "-fsanitize=address"), "what a sanitizer adds would be measured"),
    (("{}", "struct order", "--cflags", "-c"), "ampersand: --cflags: -c: says what is to be made"),
    (("{}", "struct order", "--cflags", "-fno-such-flag"), "ampersand: --cflags: error: "),
    (("no_such_header.h", "struct order"), "ampersand: <no_such_header.h>: does not compile: fatal error: "),
    (("", "struct order"), "ampersand: header '': not the name of a header"),
])
def test_wrong_use_is_one_line_and_status_2(header, words, says):
    done = ask(*[word.format(header) for word in words])
    assert done.returncode == 2 and done.stdout == "" and done.stderr.count("\n") == 1
    assert says in done.stderr


def test_code_for_another_machine_is_refused(tmp_path, header):
    with pytest.raises(Refused, match="makes code for x86, 32 bits|cannot be found out|does not compile"):
        study(tmp_path, header, "struct order", flags="-m32")


# ---- Size, padding and members

LAYOUTS = [
    # type, size, alignment, padding as (offset, bytes, after), bit-fields, unions
    ("struct order", 16, 8, [(4, 4, "id")], [], []),
    ("order_t", 16, 8, [(4, 4, "id")], [], []),
    ("struct padded", 32, 8, [(1, 3, "a"), (9, 7, "c"), (25, 7, "e")], [], []),
    ("struct nest", 72, 8, [(1, 3, "p[0].a"), (9, 7, "p[0].c"), (25, 7, "p[0].e"), (33, 3, "p[1].a"), (41, 7, "p[1].c"),
                            (57, 7, "p[1].e"), (66, 6, "s")], [], []),
    ("struct bits", 12, 4, [(2, 2, "b"), (10, 2, "d")], [("a", 3), ("b", 13), ("d", 9)], []),
    ("union either", 16, 8, [(12, 4, "c")], [], [""]),
    ("struct page", 4096, 1, [], [], []),
    ("struct empty", 0, 1, [], [], []),
    ("struct blank", 4, 1, [(0, 4, "")], [], []),
    ("int", 4, 4, [], [], []),
    ("long double", 16, 16, [(10, 6, "")], [], []),
    ("void *", 8, 8, [], [], []),
]


@x86_64
@pytest.mark.parametrize("cc", ["gcc", "clang"])
@pytest.mark.parametrize("name, size, alignment, padding, bits, unions", LAYOUTS, ids=[one[0] for one in LAYOUTS])
def test_size_and_padding(tmp_path, header, cc, name, size, alignment, padding, bits, unions):
    if not shutil.which(cc):
        pytest.skip(f"{cc} is not here: apt-get install {cc}")
    found = study(tmp_path, header, name, cc=cc)
    assert (found.size_b, found.alignment_b) == (size, alignment)
    # Where a bit-field ends within a byte, that byte counts as filled.
    assert [(at, n) for at, n, _ in found.layout.padding] == [(at, n) for at, n, _ in padding]
    if name != "long double":
        assert [after for _, _, after in found.layout.padding] == [after for _, _, after in padding]
    assert found.layout.bit_fields == bits and found.layout.unions == unions


# ---- How it is passed and returned

SCALARS = {"char": 1, "short": 2, "int": 4, "long": 8, "float": 4, "double": 8, "long double": 16, "void *": 8}
KINDS = {"float": "SSE", "double": "SSE", "long double": "X87"}


def random_struct(draw, deep=0):
    """Members, each (type, its name in C, how many, members of its own)."""
    members = []
    for i in range(draw.randint(1, 4)):
        count = draw.choice((1, 1, 1, 2, 3))
        if deep < 2 and draw.random() < 0.2:
            members.append((None, f"m{i}", count, random_struct(draw, deep + 1)))
        else:
            members.append((draw.choice(list(SCALARS)), f"m{i}", count, None))
    return members


def in_c(members):
    return "struct { " + " ".join(f"{in_c(inner) if kind is None else kind} {name}[{count}];"
                                  for kind, name, count, inner in members) + " }"


def lay_out(members):
    """(size, alignment, scalars as (offset, type))."""
    at, widest, scalars = 0, 1, []
    for kind, _, count, inner in members:
        size, alignment, parts = (SCALARS[kind], SCALARS[kind], [(0, kind)]) if inner is None else lay_out(inner)
        at = (at + alignment - 1) // alignment * alignment
        for i in range(count):
            scalars += [(at + size * i + offset, part) for offset, part in parts]
        at += size * count
        widest = max(widest, alignment)
    return (at + widest - 1) // widest * widest, widest, scalars


def classify(members):
    """System V ABI for x86-64, 3.2.3: (passed, integer registers, vector registers, returned)."""
    size, _, scalars = lay_out(members)
    if size > 16:
        return "memory", 0, 0, "memory"
    words = [None] * (-(-size // 8))
    for offset, kind in scalars:
        of = KINDS.get(kind, "INTEGER")
        if of == "X87":
            return "memory", 0, 0, "x87"
        words[offset // 8] = "INTEGER" if "INTEGER" in (of, words[offset // 8]) else of
    return "registers", words.count("INTEGER"), words.count("SSE"), "registers"


def structs():
    draw = random.Random(20261124)
    fixed = [[("char", "a", 1, None), ("double", "b", 1, None)], [("float", "a", 3, None)], [("char", "a", 16, None)],
             [("char", "a", 17, None)], [("long double", "a", 1, None)],
             [("float", "a", 1, None), ("int", "b", 1, None)],
             [("double", "a", 1, None), ("char", "b", 1, None)], [("char", "a", 3, None)]]
    drawn = [random_struct(draw) for _ in range(60)]
    small = [one for one in drawn if lay_out(one)[0] <= 16]
    return fixed + small[:8] + [one for one in drawn if one not in small][:3]


@x86_64
@pytest.mark.parametrize("cc, flags", [("gcc", ""), ("gcc", "-O0"), ("clang", "-O3 -march=native")])
def test_the_abi_is_that_of_the_rules(tmp_path, cc, flags):
    if not shutil.which(cc):
        pytest.skip(f"{cc} is not here: apt-get install {cc}")
    header = tmp_path / "structs.h"
    header.write_text("".join(f"typedef {in_c(one)} s{i};\n" for i, one in enumerate(structs())))
    kinds = set()
    for i, one in enumerate(structs()):
        found = study(tmp_path, header, f"s{i}", cc=cc, flags=flags)
        assert found.size_b == lay_out(one)[0], in_c(one)
        abi = found.abi
        assert (abi["passed"], abi["integers"], abi["vectors"], abi["returned"]) == classify(one), in_c(one)
        kinds.add(classify(one))
    assert len(kinds) >= 6, "the table is too plain to tell anything"


@x86_64
@pytest.mark.parametrize("name, passed, integers, vectors, returned", [
    ("struct empty", "nothing", 0, 0, "nothing"), ("union either", "registers", 2, 0, "registers"),
    ("struct bits", "registers", 2, 0, "registers"), ("long double", "memory", 0, 0, "x87"),
    ("_Complex long double", "memory", 0, 0, "x87"), ("_Complex float", "registers", 0, 1, "registers"),
    ("__int128", "registers", 2, 0, "registers"), ("struct page", "memory", 0, 0, "memory"),
    ("_Bool", "registers", 1, 0, "registers"),
])
def test_the_abi_of_odd_types(tmp_path, header, name, passed, integers, vectors, returned):
    assert study(tmp_path, header, name).abi == {"passed": passed, "integers": integers, "vectors": vectors,
                                                 "returned": returned}


@x86_64
@pytest.mark.parametrize("cc", ["gcc", "clang"])
@pytest.mark.parametrize("file, name", [
    ("sys/stat.h", "struct stat"), ("time.h", "struct timespec"), ("netdb.h", "struct addrinfo"),
    ("types", "struct page"), ("types", "struct order")])
def test_what_is_measured_passes_as_it_is_said(tmp_path, header, cc, file, name):
    """Of pass, compiled as ask does: a callee whose argument is in memory reads it behind its return address."""
    if not shutil.which(cc) or not shutil.which("objdump"):
        pytest.skip(f"{cc} or objdump is not here: apt-get install {cc} binutils")
    compiler = compiler_in(tmp_path, cc=cc)
    found = subjects.study(compiler, str(header) if file == "types" else file, name)
    made = tmp_path / "pass.o"
    lessons.compile_lesson(compiler, found, "frames/pass", made)
    text = subprocess.run(["objdump", "-d", "--no-show-raw-insn", "-M", "intel", made], text=True, capture_output=True,
                          check=True).stdout
    body = re.search(r"<take_value\S*>:\n(.*?)\n\n", text + "\n\n", re.S)[1]
    last = 8 + found.layout.ends[1]
    in_memory = f"[rsp+{last:#x}]" in body or re.search(rf"\[rbp\+{last + 8:#x}\]", body) is not None
    assert in_memory == (found.abi["passed"] == "memory"), body


# ---- The lessons about a type

@pytest.mark.parametrize("cc, flags", [
    ("gcc", ""), ("gcc", "-O3 -march=native"), ("gcc", "-Os"), ("gcc", "-std=c89 -Wall -Werror"),
    ("gcc", "-std=c99 -flto -g3"), ("clang", ""), ("clang", "-O0")])
def test_every_lesson_compiles_with_the_users_flags(tmp_path, header, cc, flags):
    if not shutil.which(cc):
        pytest.skip(f"{cc} is not here: apt-get install {cc}")
    compiler = compiler_in(tmp_path, cc=cc, flags=flags)
    found = subjects.study(compiler, str(header), "struct padded")
    for part in lessons.PARTS:
        for lesson in part.lessons:
            lessons.compile_lesson(compiler, found, lesson, tmp_path / "made.o")


def test_names_of_the_users_header_do_not_collide(tmp_path):
    header = tmp_path / "names.h"
    header.write_text("struct subject { int subject; };\nint change, run_value, run_pointer, take_value(void);\n"
                      "struct shelf { int x; }; struct queue { int y; }; int set_up_value, tear_down, store_value;\n"
                      "int walk_pointer(void); int ends_of; enum { VALUE, POINTER, PLACES, ELEMENTS };\n")
    compiler = compiler_in(tmp_path)
    found = subjects.study(compiler, str(header), "struct subject")
    for part in lessons.PARTS:
        for lesson in part.lessons:
            lessons.compile_lesson(compiler, found, lesson, tmp_path / "made.o")


def test_include_folders_and_macros_reach_the_compiler(tmp_path, header):
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "deep.h").write_text("#ifdef N\nstruct deep { char b[N]; };\n#endif\n")
    with pytest.raises(Refused):
        study(tmp_path, "deep.h", "struct deep")
    assert study(tmp_path, "deep.h", "struct deep", include=("-I", str(tmp_path / "more"), "-DN=24")).size_b == 24


COPIED_B = 64
CODE = [
    # lesson, function, bytes that it stores at least and at most, what it calls
    ("ask_made", "ask_made_value", (2 * COPIED_B, 3 * COPIED_B), ["ask_take_new"]),
    ("ask_made", "ask_made_pointer", (COPIED_B, 2 * COPIED_B), ["ask_take_new_at"]),
    ("ask_store", "ask_store_value", (COPIED_B, 2 * COPIED_B), []),
    ("ask_store", "ask_store_pointer", (COPIED_B, 2 * COPIED_B), ["malloc", "free"]),
    ("ask_store", "ask_walk_value", (0, 16), []),
    ("ask_store", "ask_walk_pointer", (0, 16), []),
    ("ask_box", "ask_run_direct", (COPIED_B, 2 * COPIED_B), ["ask_ends_of"]),
    ("ask_box", "ask_run_boxed", (COPIED_B + 16, 2 * COPIED_B), ["malloc", "table", "free"]),
    ("ask_box", "ask_run_lent", (16, 32), ["table"]),
    ("ask_send", "ask_receive_value", (COPIED_B, 2 * COPIED_B), []),
    ("ask_send", "ask_receive_pointer", (0, 32), ["free"]),
]
MUTANTS = [
    # function, what is taken out of the lesson
    ("ask_made_value", "ask_take_new(object)", "ask_take_new_at(&object)"),
    ("ask_store_value", "        *place = *model;\n", ""),
    ("ask_store_pointer", "        free(*place);\n", ""),
    ("ask_run_boxed", "        *copy = *object;\n", ""),
    ("ask_run_lent", "box->table->ends(box->data)", "ask_ends_of_any(box->data)"),
    ("ask_receive_value", "        object = queue->values[at % PLACES];\n", "        memset(&object, 1, 1);\n"),
    ("ask_receive_pointer", "        free(object);\n", ""),
]


def code_of(compiler, lesson, function, changes=()):
    """(bytes that it stores, what it calls) of a lesson about a struct of 64 bytes, as ask compiles it."""
    folder = compiler.folder / "changed" / "benchmarks" / "ask"
    folder.mkdir(parents=True, exist_ok=True)
    text = (ROOT / f"benchmarks/ask/{lesson}.c").read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / "lesson.c").write_text(text)
    header = compiler.folder / "copied.h"
    header.write_text(f"struct copied {{ char b[{COPIED_B}]; }};\n")
    found = subjects.study(compiler, str(header), "struct copied")
    made = compiler.folder / "lesson.o"
    status, said = compiler.run(*subjects.flags_of(compiler), *lessons.subject_flags(found), *subjects.CODE_FLAGS,
                                *lessons.PLACING, "-iquote", ROOT, "-c", folder / "lesson.c", "-o", made)
    assert status == 0, said
    body = disassembly.read_functions(made)[function]
    calls = [i.symbol.split("@")[0].removesuffix("-0x4") or "table" for i in body if i.verb == "call"]
    return sum(i.stored_b for i in body), [name for name in calls if name not in ("_exit", "sched_yield")]


def holds(found, bounds, calls):
    return bounds[0] <= found[0] <= bounds[1] and sorted(found[1]) == sorted(calls)


@x86_64
@pytest.mark.parametrize("cc", ["gcc", "clang"])
@pytest.mark.parametrize("lesson, function, bounds, calls", CODE, ids=[one[1] for one in CODE])
def test_the_lessons_copy_call_and_allocate_as_they_say(tmp_path, cc, lesson, function, bounds, calls):
    if not shutil.which(cc) or not shutil.which("objdump"):
        pytest.skip(f"{cc} or objdump is not here: apt-get install {cc} binutils")
    found = code_of(compiler_in(tmp_path, cc=cc), lesson, function)
    assert holds(found, bounds, calls), found


@x86_64
@pytest.mark.parametrize("function, old, new", MUTANTS, ids=[one[0] for one in MUTANTS])
def test_a_lesson_that_no_longer_does_is_noticed(tmp_path, function, old, new):
    if not shutil.which("gcc") or not shutil.which("objdump"):
        pytest.skip("gcc or objdump is not here: apt-get install gcc binutils")
    lesson, _, bounds, calls = next(one for one in CODE if one[1] == function)
    assert not holds(code_of(compiler_in(tmp_path, cc="gcc"), lesson, function, [(old, new)]), bounds, calls)


# ---- The advice

def row(pair="pass", estimate=1.0, low=None, high=None, verdict="undecided", failed=None, within=None, value_ns=10.0):
    times = None if estimate is None else {"estimate": estimate, "low": low, "high": high}
    return {"pair": pair, "ratio": times, "value_ns_per_op": {"estimate": value_ns}, "verdict": verdict,
            "failed": failed, "equal_within": within}


RULES = [
    # ratio, low, high, verdict, side, words of why; the value side takes 10 ns
    (0.5, 0.45, 0.55, "pointer faster", "pointer", "2 times as fast"),
    (0.5, 0.45, 0.55, "leans pointer", "pointer", "2 times as fast on average"),
    (0.5, 0.45, 0.999, "pointer faster", "pointer", "2 times as fast"),
    (0.5, 0.45, 1.001, "undecided", None, "the interval leaves both open"),
    (1 / 1.1, 0.85, 0.95, "pointer faster", "pointer", "1.1 times as fast"),
    (0.92, 0.92, 0.93, "pointer faster", "value", "pointer only 8.7 % faster, 0.8 ns"),
    (0.92, 0.90, 0.94, "pointer faster", None, "the interval leaves both open"),
    (1.0, 0.999, 1.001, "equal", "value", "equal within 0.2 %"),
    (1.0, 0.95, 1.2, "placement decides", "value", "no difference that is certain and matters"),
    (2.0, 1.9, 2.1, "value faster", "value", "2 times as fast"),
    (2.0, 1.9, 2.1, "undecided", "value", "2 times as fast on average"),
    (1.05, 1.04, 1.06, "leans value", "value", "5 % faster on average"),
    (1.5, 0.8, 2.5, "undecided", None, "the interval leaves both open"),
    (1.5, None, None, "undecided", None, "too few launches for an interval"),
    (None, None, None, "undecided", None, "too few launches for an interval"),
]


@pytest.mark.parametrize("estimate, low, high, verdict, side, words", RULES)
def test_advice_follows_the_rule(estimate, low, high, verdict, side, words):
    one = row(estimate=estimate, low=low, high=high, verdict=verdict, within=0.002 if verdict == "equal" else None)
    assert advice.side(one) == side and advice.why(one) == words


@pytest.mark.parametrize("value_ns, side, words", [
    (10.0, "pointer", "1.25 times as fast"), (2.6, "pointer", "1.25 times as fast"),
    (2.0, "value", "pointer only 1.25 times as fast, 0.4 ns"),
    (0.5, "value", "pointer only 1.25 times as fast, 0.1 ns"),
    (2.4, None, "the interval leaves both open"),
])
def test_what_saves_less_than_half_a_nanosecond_is_not_worth_a_pointer(value_ns, side, words):
    one = row(estimate=0.8, low=0.78, high=0.85, verdict="pointer faster", value_ns=value_ns)
    assert advice.side(one) == side and advice.why(one) == words


def test_a_failed_row_gets_no_advice():
    one = row(estimate=0.5, low=0.4, high=0.6, verdict="failed", failed={"reason": "signal", "detail": "SIGSEGV"})
    assert advice.side(one) is None and advice.why(one) == "failed: SIGSEGV"


@pytest.mark.parametrize("pointers, values, open_, whole", [
    ((), ("pass", "factory", "mutate"), (), "treat it as a value"),
    (("mutate",), ("pass", "factory"), (), "treat it as a value, but change it through a pointer"),
    (("pass", "mutate"), ("factory",), (), "handle it through pointers, but return it by value"),
    (("pass", "mutate"), (), ("factory",), "handle it through pointers; no answer yet: return"),
    ((), ("factory",), ("pass", "mutate"), "treat it as a value; no answer yet: pass, change"),
    (("pass", "mutate"), ("factory", "ask_store"), (), "by value: return, store; by pointer: pass, change"),
    (("pass",), ("factory",), (), "by value: return; by pointer: pass"),
    ((), (), ("pass",), "no answer yet: measure more with --launches"),
])
def test_the_whole(pointers, values, open_, whole):
    rows = [row(pair, 0.5, 0.4, 0.6) for pair in pointers] + [row(pair, 2, 1.9, 2.1) for pair in values]
    rows += [row(pair, 1, 0.5, 2) for pair in open_]
    rows.sort(key=lambda one: list(advice.QUESTIONS).index(one["pair"]))
    assert advice.recommend(rows)[1] == whole


def test_every_measured_pair_has_a_question():
    pairs = set()
    for part in lessons.PARTS:
        for lesson in part.lessons:
            if lesson not in lessons.PLAIN:
                pairs |= set(re.findall(r"^AMP_PAIR\((\w+)", (ROOT / f"benchmarks/{lesson}.c").read_text(), re.M))
    assert pairs == set(advice.QUESTIONS)


# ---- Whole answers, from the command to the numbers

COUNTS = {"pass": (0, 0), "ask_made": (0, 0), "factory": (0, 1), "mutate": (0, 0), "ask_store": (0, 1), "ask_walk": (0, 0),
          "ask_send": (0, 1), "ask_box": (0, 1), "ask_box_here": (0, 0)}


def whole_answer(file, name, *more):
    done = ask(file, name, "--launches", "2", "--seed", "7", "--json", *more)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("file, name, size", [("sys/stat.h", "struct stat", None), ("types", "struct empty", 0),
                                              ("types", "struct bits", 12), ("types", "struct blank", 4)])
def test_a_whole_answer_has_exact_counts(header, file, name, size):
    found = whole_answer(header if file == "types" else file, name)
    validate(found, "ask", "answer")
    if size is None:
        size = os_size_of(header.parent)
    assert found["size_b"] == size and found["settings"] == {"seed": 7, "launches": 2, "layouts": 16}
    assert [one["row"]["pair"] for one in found["answers"]] == list(advice.QUESTIONS)
    for one in found["answers"]:
        row_, counts = one["row"], one["row"]["counts"]
        assert row_["launches"] == 2 and row_["layouts"] == 16 and row_["ratio"]["estimate"] > 0 and not row_["failed"]
        if counts["status"] == "refused":  # under a sanitizer
            continue
        assert counts["status"] == "exact", (row_["pair"], counts["detail"])
        expected = COUNTS[row_["pair"]]
        assert (counts["value"]["allocs_per_op"], counts["pointer"]["allocs_per_op"]) == expected, row_["pair"]
        assert counts["value"]["asked_b_per_op"] == 0 and counts["pointer"]["asked_b_per_op"] == expected[1] * size
    assert found["rule"]["correction"] == "Bonferroni over 11 rows", "of both parts: the intervals hold together"
    assert found["floors"]["clockwork"] and found["floors"]["placement"]
    text = answer.text(found)
    for rule in advice.RULE:
        assert rule in " ".join(text.split())
    assert all(len(line) <= 120 for line in text.splitlines() if not line.startswith("Noise floor"))


def os_size_of(folder):
    """sizeof(struct stat), by another way than ours: a program that prints it."""
    (folder / "size.c").write_text("#include <sys/stat.h>\n#include <stdio.h>\n"
                                   "int main(void) { printf(\"%zu\", sizeof(struct stat)); }\n")
    subprocess.run([*CC.split(), folder / "size.c", "-o", folder / "size"], check=True)
    return int(subprocess.run([folder / "size"], capture_output=True, text=True, check=True).stdout)


def test_an_interrupted_ask_leaves_nothing(header, tmp_path):
    place = tmp_path / "tmp"
    place.mkdir()
    started = subprocess.Popen([sys.executable, "-m", "ask", header, "struct order"], cwd=ROOT, text=True,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               start_new_session=True,
                               env={**os.environ, "TMPDIR": str(place)})
    wait_for(lambda: list(place.glob("*/one_thread/run")), started)
    os.killpg(started.pid, signal.SIGINT)
    out, err = started.communicate(timeout=HANGS_S)
    assert started.returncode == 130 and out == "" and err == "ampersand: interrupted\n"
    assert list(place.iterdir()) == []
