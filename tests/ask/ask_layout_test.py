# SPDX-License-Identifier: MIT
"""ask: what is refused; size, padding and members; how a type is passed and returned."""
import os
import random
import re
import shutil
import subprocess

import pytest

from ask import lessons
from ask.types import subject as subjects
from asking import ask, study, x86_64
from plots.program.errors import Refused

HEAVY = bool(os.environ.get("AMPERSAND_HEAVY"))  # more of the same

REFUSED = [
    ("struct declared", "struct declared: incomplete: {} declares it and does not say what is in it, so it is only "
     "handed over by pointers", None),
    ("struct nowhere", "struct nowhere: {} does not have such a type", "error: "),
    ("struct oder", "the nearest is 'struct order': error: ", None),
    ("order", "order: {} does not have such a type, the nearest is 'struct order': error: ", "order"),
    ("3", "3: {} does not have such a type: error: ", None),
    ("void", "void: is void: there are no objects of it, only pointers", None),
    ("opaque", "opaque: incomplete: {} declares it and does not say what is in it, so it is only handed over by "
     "pointers", None),
    ("numbers", "numbers: is an array, which C never copies: a call gets its address", None),
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
def test_what_cannot_be_asked_about_is_one_line(compiler, header, cc, name, says, of_compiler):
    if not shutil.which(cc):
        pytest.skip(f"{cc} is not here: apt-get install {cc}")
    with pytest.raises(Refused) as refused:
        subjects.study(compiler(cc), str(header), name)
    line = str(refused.value)
    if cc == "gcc" or of_compiler is None:
        assert says.format(header) in line and (of_compiler or "") in line
    else:
        assert "error: " in line
        assert line.startswith(says.format(header).split(": error: ")[0].split(", the nearest")[0])
    assert "\n" not in line and str(compiler(cc).folder) not in line


HEADERS = [
    ("int f( { ;", "{}: does not compile: {}:1:", "error: "),
    ("#error needs FEATURE\n", "{}: does not compile: {}:1:", "needs FEATURE"),
    ("namespace a { template <class T> struct order { T t; }; }", "{}: is C++, so ask with --c++",
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
def test_size_and_padding(compiler, header, cc, name, size, alignment, padding, bits, unions):
    if not shutil.which(cc):
        pytest.skip(f"{cc} is not here: apt-get install {cc}")
    found = subjects.study(compiler(cc), str(header), name)
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
    return fixed + small[:8 if HEAVY else 4] + [one for one in drawn if one not in small][:3 if HEAVY else 1]


@x86_64
@pytest.mark.parametrize("cc, flags", [("gcc", ""), ("gcc", "-O0"), ("clang", "-O3 -march=native")])
def test_the_abi_is_that_of_the_rules(tmp_path, compiler, cc, flags):
    if not shutil.which(cc):
        pytest.skip(f"{cc} is not here: apt-get install {cc}")
    header = tmp_path / "structs.h"
    header.write_text("".join(f"typedef {in_c(one)} s{i};\n" for i, one in enumerate(structs())))
    kinds = set()
    for i, one in enumerate(structs()):
        found = subjects.study(compiler(cc, flags), str(header), f"s{i}")
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
def test_the_abi_of_odd_types(compiler, header, name, passed, integers, vectors, returned):
    found = subjects.study(compiler(), str(header), name)
    assert found.abi == {"passed": passed, "integers": integers, "vectors": vectors, "returned": returned}


@x86_64
@pytest.mark.parametrize("cc", ["gcc", "clang"])
@pytest.mark.parametrize("file, name", [
    ("sys/stat.h", "struct stat"), ("time.h", "struct timespec"), ("netdb.h", "struct addrinfo"),
    ("types", "struct page"), ("types", "struct order")])
def test_what_is_measured_passes_as_it_is_said(tmp_path, compiler, header, cc, file, name):
    """Of pass, compiled as ask does: a callee whose argument is in memory reads it behind its return address."""
    if not shutil.which(cc) or not shutil.which("objdump"):
        pytest.skip(f"{cc} or objdump is not here: apt-get install {cc} binutils")
    found = subjects.study(compiler(cc), str(header) if file == "types" else file, name)
    made = tmp_path / "pass.o"
    lessons.compile_lesson(compiler(cc), found, "frames/pass", made)
    text = subprocess.run(["objdump", "-d", "--no-show-raw-insn", "-M", "intel", made], text=True, capture_output=True,
                          check=True).stdout
    body = re.search(r"<take_value\S*>:\n(.*?)\n\n", text + "\n\n", re.S)[1]
    begins = {"rsp": 8, "rbp": 16}  # behind the return address, and behind what the frame's pointer was
    reads = [int(at, 16) - begins[base] for base, at in re.findall(r"\[(rsp|rbp)\+0x([0-9a-f]+)\]", body)]
    in_memory = any(0 <= at < found.size_b for at in reads)
    assert in_memory == (found.abi["passed"] == "memory"), body
