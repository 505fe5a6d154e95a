# SPDX-License-Identifier: MIT
"""Command lines of ask, drawn from headers, types, flags and nonsense: each is answered or refused in one line.

Nothing is measured. AMPERSAND_FUZZ: how many command lines; AMPERSAND_FUZZ_SEED: the first seed. A failure names its
seed and its words."""

import os
import random
import shutil

import pytest

from ask import __main__ as ask
from plots.program import guard

CASES = int(os.environ.get("AMPERSAND_FUZZ", "16"))
SEED = int(os.environ.get("AMPERSAND_FUZZ_SEED", "1"))

FILES = {
    "plain.h": "struct plain { int id; double price; };\ntypedef struct plain plain_t;\ntypedef int numbers[4];\n",
    "odd.h": "struct bits { unsigned a : 3, : 0; long b : 40; };\nunion either { int i; char c[12]; };\n"
             "struct flexible { int n; char text[]; };\nenum colour { RED, GREEN };\nstruct none;\nstruct empty { };\n"
             "struct tight { char c; long double x; } __attribute__((packed));\nstruct over { _Alignas(64) int a; };\n"
             "struct fixed { const int a; volatile int b; _Atomic int c; };\n"
             "struct deep { struct { union { int x; }; } y[3]; };\n",
    "hostile.h": "#define int long\n#define struct struct\n#define size_t nope\nstruct plain { int id; };\n"
                 "#pragma pack(1)\n",
    "cpp.h": "template <class T> class order { T t; };\n", "broken.h": "struct plain { int id; \n", "nothing.h": "",
    "needs.h": "#include <sys/socket.h>\nstruct plain { struct ucred of; u_char b; };\n", "main.c":
        "#include <stdio.h>\nstruct plain { int id; double price; };\nint main(void) { return puts(\"\"); }\n",
    "a b.h": "struct plain { int id; };\n", os.fsdecode(b"\xff.h"): "struct plain { int id; };\n",
}
HEADERS = [*FILES, "<sys/stat.h>", "sys/stat.h", "complex.h", "<", ">", "<>", "missing.h", "", ".", "/dev/null",
           "x" * 300, "-", "--"]
TYPES = ["struct plain", "plain_t", "struct stat", "int", "void", "numbers", "struct bits", "union either",
         "enum colour", "struct flexible", "struct none", "struct empty", "struct tight", "struct over",
         "struct fixed", "struct deep", "struct plain *", "struct plain[3]", "double complex", "long double",
         "_Float128", "__int128", "struct", "", " ", "3", "struct plain;", "struct plain { int x; }", "int(*)(void)",
         "typeof(1)", "struct plán", "\\", "const", "*", "int int", "struct plain /* */",
         "__attribute__((aligned(32))) int", "_Atomic int", "amp_asked", "struct amp_side", "%s%n"]
FLAGS = ["-O0", "-O3", "-Os", "-Ofast", "-g3", "-gdwarf-4", "-gsplit-dwarf", "-Wall -Werror", "-std=c89", "-std=c99",
         "-std=gnu2x", "-std=c++17", "-pedantic-errors", "-fpack-struct=1", "-fshort-enums", "-mno-sse", "-m32",
         "-mabi=ms", "-march=native", "-march=nonesuch", "-mavx512f", "-flto", "-fwhole-program",
         "-fsanitize=address", "-pg", "--coverage", "-MMD -MF keep.d", "-Wp,-MMD,keep.d", "-save-temps",
         "-fdump-tree-all", "-fstack-usage", "-ftime-trace", "-c", "-S", "-E", "-o keep.d", "-###", "--version",
         "--help", "-dumpmachine", "-r", "-shared", "-Wl,-Map=keep.d", "-lm", "-I.", "-I", "-D", "-Dint=long",
         "-include plain.h", "-include", "-x c++", "-finstrument-functions", "-fplugin=x", "-specs=x", "@x", "-",
         "--", "-fno-such", "-Xclang -ast-dump", "-Xpreprocessor -MD", "-undef", "-nostdinc", "-ffreestanding",
         "-fno-builtin", "-mcmodel=large", "-fsplit-stack", "-fopenmp", "-funsigned-char", "-mlong-double-64",
         "-mlong-double-128", "-masm=intel", "-femit-struct-debug-baseonly", "-fno-eliminate-unused-debug-types",
         "-fvisibility=hidden", "-D_GNU_SOURCE", "\"", "'"]
OWN = [["--json"], ["--launches", "1"], ["--launches", "0"], ["--launches", "x"], ["--seed", "7"], ["--seed", "-1"],
       ["--seed"], ["-I", "."], ["-I"], ["-Inope"], ["-D", "X"], ["-DX=1"], ["-D", "int"], ["--cc", "gcc"],
       ["--cc", "clang"], ["--cc", "gcc -O3"], ["--cc", "true"], ["--cc", "cat"], ["--cc", "g++"], ["--cc", "nope"],
       ["--cc", ""], ["--cc"], ["--frob"], ["-O3"], ["--cflags"], ["--json=1"], ["more"], ["struct"], ["--facts"],
       ["--help"]]


def words_of(draw):
    words = [draw.choice(HEADERS if draw.random() < 0.4 else list(FILES)), draw.choice(TYPES)]
    if draw.random() < 0.1:
        words.reverse()
    if draw.random() < 0.05:
        words.pop()
    if draw.random() < 0.7:
        words += ["--cflags", " ".join(draw.choice(FLAGS) for _ in range(draw.choice((1, 1, 2, 3))))]
    for _ in range(draw.choice((0, 0, 1, 1, 2))):
        at = draw.randrange(len(words) + 1)
        words[at:at] = draw.choice(OWN)
    return ["--facts", *words]


@pytest.mark.parametrize("seed", range(SEED, SEED + CASES))
def test_a_command_line_is_answered_or_refused_in_one_line(tmp_path, monkeypatch, capfd, seed):
    here = tmp_path / "here"
    here.mkdir()
    for name, text in FILES.items():
        (here / name).write_text(text)
    (here / "keep.d").write_text("mine\n")
    before = sorted(os.listdir(here))
    (tmp_path / "made").mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "made"))
    words = words_of(random.Random(seed))
    if "clang" in words and not shutil.which("clang"):
        pytest.skip("clang is not here: apt-get install clang")
    try:
        status = guard.guarded(words, ask.main, "ask")
    except SystemExit as end:
        status = end.code
    out, err = capfd.readouterr()
    assert status in (0, 2), words
    assert "Traceback" not in out + err and "this is a defect" not in err, (words, err)
    assert (out == "") == (status == 2) and err.count("\n") == (status == 2), (words, out, err)
    assert status == 0 or err.startswith("ampersand: ") and len(err) < 400, (words, err)
    assert sorted(os.listdir(here)) == before and (here / "keep.d").read_text() == "mine\n", words
    assert list((tmp_path / "made").iterdir()) == [], words
