# SPDX-License-Identifier: MIT
"""ask: a header that does not compile as C is told what would help it, and is called C++ only where it is."""

import shutil

import pytest

from ask.types import compiler as compilers, language, subject as subjects
from plots.program.errors import Refused

needs_clang = pytest.mark.skipif(not shutil.which("clang"), reason="clang is not here: apt-get install clang")
COMPILERS = ["gcc", pytest.param("clang", marks=needs_clang)]

HELPED = [
    # name, the header, flags, the end of the line
    ("gnu", "#include <sys/socket.h>\nstruct s { struct ucred of; };", "", "; with -D _GNU_SOURCE it does"),
    ("bsd", "#include <sys/types.h>\nstruct s { u_char a; };", "-std=c11", "; with -D _DEFAULT_SOURCE it does"),
    ("stdint", "struct s { uint32_t a; };", "", "; with --cflags '-include stdint.h' it does"),
    ("bool", "struct s { bool a; };", "", "; with --cflags '-include stdbool.h' it does"),
    ("wide", "struct s { wchar_t a; };", "", "; with --cflags '-include stddef.h' it does"),
    ("typeof", "struct s { typeof(int) a; };", "-std=c99", "; with --cflags -std=gnu11 it does"),
    ("two", "struct s { uint32_t a; bool b; };", "", "; with --cflags '-include stdint.h -include stdbool.h' it does"),
]


def refusal(folder, cc, text, flags=""):
    header = folder / "asked.h"
    header.write_text(text + "\n")
    with pytest.raises(Refused) as refused:
        subjects.study(compilers.make(cc, (), flags, folder), str(header), "struct s")
    return str(refused.value).replace(f"{header}: ", "", 1)


@pytest.mark.parametrize("cc", COMPILERS)
@pytest.mark.parametrize("name, text, flags, says", HELPED, ids=[one[0] for one in HELPED])
def test_what_would_help_is_said(tmp_path, cc, name, text, flags, says):
    line = refusal(tmp_path, cc, text, flags)
    assert line.startswith("does not compile: ") and line.endswith(says), line


@pytest.mark.parametrize("header, name, flags, says", [
    ("sys/socket.h", "struct ucred", "", "; with -D _GNU_SOURCE it does"),
    ("sys/types.h", "u_char", "-std=c11", "; with -D _DEFAULT_SOURCE it does"),
    ("signal.h", "siginfo_t", "-std=c11", "; with -D _DEFAULT_SOURCE it does"),
    ("sys/socket.h", "struct nowhere", "", "'struct nowhere'}")])
def test_a_type_that_a_macro_brings_is_told(tmp_path, header, name, flags, says):
    with pytest.raises(Refused) as refused:
        subjects.study(compilers.make("gcc", (), flags, tmp_path), header, name)
    assert str(refused.value).endswith(says)


@pytest.mark.parametrize("cc", COMPILERS)
@pytest.mark.parametrize("text, needs, says", [
    ("#include <part/inner.h>\nstruct s { inner of; };", "", True),
    ("#include <part/inner.h>\nstruct s { inner of; };", "#include <part/nowhere.h>\n", False),
    ("#include <part/inner.h>\nstruct s { nothing of; };", "", False)], ids=["all", "needs another", "wrong itself"])
def test_the_folder_of_a_header_that_is_missing_is_told(tmp_path_factory, monkeypatch, cc, text, needs, says):
    """If the header compiles with it; of a package that has a folder of its own."""
    folder = tmp_path_factory.mktemp("m")  # a short name: the line has an end
    inner = folder / "include/package/part/inner.h"
    inner.parent.mkdir(parents=True)
    inner.write_text(f"{needs}typedef int inner;\n")
    monkeypatch.setattr(language, "INCLUDED_BELOW", (str(folder / "include/*"),))
    assert refusal(folder, cc, text).endswith(f"; with -I {folder}/include/package it does") == says


CPP = [
    ("class", "class s { int a; };"), ("template", "template <class T> struct s { T t; };"),
    ("namespace", "namespace a { struct s { int a; }; }"), ("reference", "struct s { int a; };\nint of(const s &one);"),
    ("number", "int of(int &one);"), ("access", "struct s { public: int a; };"),
    ("base", "struct b { int a; };\nstruct s : b { int c; };"),
    ("operator", "struct s { int a; bool operator==(const s &); };"),
    ("using", "using s = int;"), ("scope", "struct s { struct t { int a; }; };\ns::t one;"),
    ("linkage", 'extern "C++" { struct s { int a; }; }'), ("unguarded", 'extern "C" { struct s { int a; }; }'),
    ("vector", "#include <vector>\nstruct s { std::vector<int> all; };"),
]
NOT_CPP = [
    # C with a fault; the words stand in comments, in strings, in what is there for C++ only, or as names
    ("syntax", "int f( { ;", ""), ("error", "#error needs FEATURE", ""), ("missing", '#include "not_there.h"', ""),
    ("comment", "/* class template namespace */ struct s { nothing a; }; // a::b", ""),
    ("guarded", '#ifdef __cplusplus\nextern "C" {\n#endif\nstruct s { nothing a; };\n#ifdef __cplusplus\n}\n#endif',
     ""),
    ("names", "struct s { int class; int template; nothing a; };", ""),
    ("bits", "struct s { nothing a; };\nstatic inline int of(int mask, int bit) { return (mask & bit); }", ""),
    ("tag", "struct t { int a; };\nstruct s { t of; };", "; as C++ it does: ask with --c++"),
]


@pytest.mark.skipif(not shutil.which("g++"), reason="g++ is not here")
@pytest.mark.parametrize("name, text", CPP, ids=[one[0] for one in CPP])
def test_what_is_cpp_is_called_so(tmp_path, name, text):
    assert refusal(tmp_path, "gcc", text).startswith("is C++, so ask with --c++; as C it does not compile: ")


@pytest.mark.parametrize("name, text, end", NOT_CPP, ids=[one[0] for one in NOT_CPP])
def test_c_with_a_fault_is_not_called_cpp(tmp_path, name, text, end):
    line = refusal(tmp_path, "gcc", text)
    assert line.startswith("does not compile: ") and "is C++" not in line and line.endswith(end), line


def test_lines_of_the_systems_headers_are_not_the_headers():
    text = '# 1 "a.h"\nclass one;\n# 1 "/usr/include/b.h" 1 3 4\nclass two;\n# 2 "a.h" 2\nclass three;\n'
    assert language.of_the_header(text) == "class one;\nclass three;"


def test_no_more_is_tried_where_all_together_do_not_help():
    tried = []
    assert language.because("error: x", lambda *how: tried.append(how), lambda: "") == ("", False)
    assert len(tried) == 2
