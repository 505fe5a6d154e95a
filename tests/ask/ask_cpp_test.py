# SPDX-License-Identifier: MIT
"""ask about classes of C++: what the compiler knows of them, what is refused, and whole answers."""
import json
import os
import shutil
import subprocess

import pytest

from ask import answer, arguments, class_answer, class_lessons
from ask.types import compiler as compilers, cpp_class
from asking import ask, row, x86_64
from cpp_header import HEADER
from plots.files.strict_json import validate
from plots.program.errors import Refused

CXX = os.environ.get("CXX") or "c++"
pytestmark = pytest.mark.skipif(not shutil.which(CXX.split()[0]), reason=f"{CXX} is not here: apt-get install g++")


@pytest.fixture
def header(tmp_path):
    path = tmp_path / "types.hpp"
    path.write_text(HEADER)
    return path


def standard(name):
    """The standard library's headers take long to compile: only where they are asked about."""
    return "#define STANDARD" if "std::" in name and "pair" not in name else ""


@pytest.fixture
def study(compiler, header):
    def of(name, cc=CXX, header=header):
        include = ("-DSTANDARD",) if standard(name) else ()
        return cpp_class.study(compiler(cc, include=include, language="c++"), str(header), name)
    return of


# ---- Facts

FACTS = [
    # name, trivially copyable, how it is passed, padding in bytes; the sizes are held to a program's
    ("app::point", True, "registers", 0),
    ("app::big", True, "memory", 0),
    ("app::derived", True, "memory", None),
    ("app::holds_empty", True, "registers", 0),
    ("app::guarded", False, "reference", 0),
    ("app::square", False, "reference", 0),
    ("app::virtually", False, "reference", None),
    ("app::couple<app::buffer>", False, "reference", 0),
    ("std::pair<int, int>", False, "registers", 0),
    ("const app::padded", True, "memory", 14),
]
STANDARD = [  # they take long to compile
    ("std::string", False, "reference", None),
    ("std::vector<int>", False, "reference", 0),
    ("std::shared_ptr<app::big>", False, "reference", 0),
]
HEAVY = bool(os.environ.get("AMPERSAND_HEAVY"))  # more of the same
CASES = [*(("g++", *one) for one in FACTS + STANDARD[:3 if HEAVY else 1]), ("clang++", *FACTS[2]),
         *(("clang++", *one) for one in [FACTS[6], STANDARD[0]] if HEAVY)]


@x86_64
@pytest.mark.parametrize("cc, name, trivial, passed, padding", CASES, ids=[f"{one[0]} {one[1]}" for one in CASES])
def test_what_a_compiler_knows_of_a_class(study, sizes_of, cc, name, trivial, passed, padding):
    if not shutil.which(cc):
        pytest.skip(f"{cc} is not here: apt-get install {cc.removesuffix('++')}")
    found = study(name, cc)
    assert found.abi["passed"] == passed and found.traits["trivially_copyable"] is trivial
    if padding is not None:
        assert sum(n for _, n in found.layout.holes) == padding
    assert (found.size_b, found.alignment_b) == sizes_of[name]


@pytest.fixture(scope="module")
def sizes_of(tmp_path_factory):
    """{class: (size, alignment)} by another way than ours: a program that prints them."""
    folder, names = tmp_path_factory.mktemp("sizes"), sorted({one[1] for one in CASES})
    (folder / "types.hpp").write_text(HEADER)
    lines = "".join(f"std::printf(\"%zu %zu\\n\", sizeof({name}), alignof({name}));\n" for name in names)
    (folder / "size.cpp").write_text('#define STANDARD\n#include "types.hpp"\n#include <cstdio>\n'
                                     f"int main() {{ {lines} }}\n")
    subprocess.run([*CXX.split(), folder / "size.cpp", "-c", "-o", folder / "size.o"], check=True)
    subprocess.run([*CXX.split(), folder / "size.o", "-o", folder / "size"], check=True)
    done = subprocess.run([folder / "size"], capture_output=True, text=True, check=True)
    return {name: tuple(map(int, line.split())) for name, line in zip(names, done.stdout.splitlines(), strict=True)}


def test_a_tail_that_a_derived_class_fills_is_no_padding(study, sizes_of):
    """app::padded is 24 B, 7 of them at its end; app::derived puts its own member there."""
    found = study("app::derived")
    program_says = sizes_of["app::derived"]
    assert found.size_b == program_says[0] and found.layout.mask[17 if found.size_b == 24 else 24] == 0xFF


REFUSED = [
    ("app::shape", "is abstract: "), ("app::hidden_end", "its destructor is private or deleted"),
    ("app::no_end", "its destructor is private or deleted"), ("app::pinned", "can neither be copied nor moved"),
    ("app::declared", "incomplete: "), ("app::nothing", "{} does not have such a type"),
    ("app::buffre", "the nearest is 'buffer'"), ("void", "is no type of objects"), ("int &", "is no type of objects"),
    ("app::couple<app::declared>", "incomplete"), ("x; int y", "not the name"),
]


@pytest.mark.parametrize("name, said", REFUSED, ids=[one[0] for one in REFUSED])
def test_a_class_without_values_is_refused_in_a_line(study, header, name, said):
    with pytest.raises(Refused) as refused:
        study(name)
    assert said.format(header) in str(refused.value) and "\n" not in str(refused.value)
    assert str(refused.value).startswith((name, f"type {name!r}"))


def test_a_header_that_does_not_compile(tmp_path, study):
    path = tmp_path / "its" / "wrong.hpp"
    path.parent.mkdir()
    path.write_text("class wrong {\n    nothing member;\n};\n")
    with pytest.raises(Refused, match=r"does not compile: .*wrong\.hpp:2:.*'nothing'"):
        study("wrong", header=path)


def test_what_a_template_promises_and_cannot_do_is_not_measured(study):
    """std::vector<std::unique_ptr<int>> says that it is copyable, and copying one does not compile."""
    found = study("std::vector<std::unique_ptr<int>>")
    assert not found.can("copy_constructible") and found.can("move_constructible") and found.move_only
    assert any("declared and does not compile" in note for note in found.notes)
    assert class_lessons.pairs_of(found) == ["class_hand_over", "class_return", "class_return_stored"]


PAIRS = [
    ("app::point", ["class_read", "class_keep", "class_return", "class_return_stored"]),
    ("app::buffer", list(class_lessons.PAIRS)),
    ("app::named", [one for one in class_lessons.PAIRS if one != "class_return"]),
    ("std::unique_ptr<int>", ["class_hand_over", "class_return", "class_return_stored"]),
]


@pytest.mark.parametrize("name, pairs", PAIRS, ids=[one[0] for one in PAIRS])
def test_what_is_asked_follows_from_the_class(study, name, pairs):
    assert class_lessons.pairs_of(study(name)) == pairs


@pytest.mark.parametrize("name, language", [
    ("a.hpp", "c++"), ("a.hh", "c++"), ("a.hxx", "c++"), ("a.cc", "c++"), ("<vector>", "c++"), ("vector", "c++"),
    ("a.h", "c"), ("<a.h>", "c"), ("sys/stat.h", "c"), ("a.c", "c")])
def test_the_language_is_told_by_the_headers_name(name, language):
    assert arguments.parse([name, "x"]).language == language
    assert arguments.parse([name, "x", "--c++"]).language == "c++"
    assert arguments.parse([name, "x", "-x", "c"]).language == "c"


def test_a_template_is_no_header():
    args = arguments.parse(["map", "std::map<int, int>", "--make", "std::map<int, int>{{1, 2}}"])
    assert (args.header, args.type, args.language) == ("map", "std::map<int, int>", "c++")


@pytest.mark.parametrize("words, said", [
    (["a.h", "x", "--make", "x()"], "--make is about classes of C++"),
    (["a.h", "x", "--link", "x.cpp"], "--link is about classes of C++"),
    (["a.hpp", "x", "--reads", "3"], "--reads is about C"), (["a.hpp", "--functions"], "--functions is about C")])
def test_flags_of_the_other_language_are_refused(words, said):
    done = ask(*words)
    assert done.returncode == 2 and said in done.stderr and done.stderr.count("\n") <= 2


def test_a_compiler_of_c_is_taken_for_its_partner(tmp_path):
    assert compilers.make("gcc", (), "", tmp_path, "c++").command == ("g++",)
    with pytest.raises(Refused, match="no such command"):
        compilers.make("no-such-gcc-9", (), "", tmp_path, "c++")


# ---- Words

def test_the_advice_says_what_for():
    each = [{"pair": "class_read", "question": "read", "side": "pointer", "sentence": "pass it by const &"},
            {"pair": "class_return", "question": "return", "side": None, "sentence": "no answer yet"}]
    assert class_answer.whole(each, ()) == "to read it, pass it by const &; no answer yet: return"
    assert class_answer.whole(each, ("a lock",)) == "pass its address and never copy it: a lock"
    assert class_answer.whole([], ()) == "no answer yet: measure more with --launches"


def test_every_pair_has_its_words():
    tables = (class_answer.QUESTIONS, class_answer.RUNS, class_answer.PURPOSE)
    assert all(set(class_lessons.PAIRS) == set(table) for table in tables)


# ---- Whole answers

WHOLE = [
    # name, how it is made, (allocations, bytes) of each row's sides
    ("app::buffer", None, {"class_read": ((1, 100), (0, 0)), "class_keep": ((1, 100), (0, 0)),
                           "class_hand_over": ((0, 0), (0, 0)), "class_move": ((1, 100), (0, 0)),
                           "class_return": ((1, 100), (1, 100)), "class_return_stored": ((1, 100), (0, 0))}),
]
ONLY_MOVED = ("std::unique_ptr<app::big>", "std::unique_ptr<app::big>(new app::big())",
              {"class_hand_over": ((0, 0), (0, 0)), "class_return": ((1, 320), (1, 320)),
               "class_return_stored": ((1, 320), (1, 320))})
if HEAVY:
    WHOLE.append(ONLY_MOVED)


@pytest.mark.parametrize("name, make, counts", WHOLE, ids=[one[0] for one in WHOLE])
def test_a_whole_answer_has_exact_counts(header, name, make, counts):
    done = ask(header, name, "--launches", "1", "--seed", "7", "--json", "-DSTANDARD",
               *(("--make", make) if make else ()))
    assert done.returncode == 0 and done.stderr == "", done.stderr
    found = json.loads(done.stdout)
    validate(found, "ask", "answer")
    assert [one["row"]["pair"] for one in found["answers"]] == list(counts)
    for one in found["answers"]:
        row_ = one["row"]
        assert not row_["failed"] and row_["layouts"] >= 16 and row_["ratio"]["estimate"] > 0
        if row_["counts"]["status"] == "refused":  # under a sanitizer
            continue
        assert row_["counts"]["status"] == "exact", row_["counts"]["detail"]
        got = tuple((row_["counts"][side]["allocs_per_op"], row_["counts"][side]["asked_b_per_op"])
                    for side in ("value", "pointer"))
        assert got == counts[row_["pair"]], row_["pair"]
    text = answer.text(found)
    assert text.startswith(f"{name} of {header}") and "by a hidden reference" in text and "Advice: " in text


def test_facts_alone(header):
    done = ask(header, "app::shape", "--facts")
    assert done.returncode == 2 and "is abstract" in done.stderr
    done = ask(header, "app::named", "--facts", "--json")
    found = json.loads(done.stdout)
    validate(found, "ask", "answer")
    assert "answers" not in found and found["class"]["copy"] is None and not found["class"]["default_constructible"]


@pytest.mark.parametrize("name, make, said", [
    ("app::named", None, "has no default constructor: an expression that makes one is needed, as in --make"),
    ("app::named", "app::named(1)", "makes no object of it: error: "),
    ("app::guarded", None, "app::guarded::~guarded()"),
])
def test_an_object_that_cannot_be_made_is_told(header, name, make, said):
    done = ask(header, name, *(("--make", make) if make else ()))
    assert done.returncode == 2 and said in done.stderr, done.stderr
    assert done.stdout == "" and done.stderr.count("\n") == 1, done.stderr


def test_what_the_header_only_declares_is_linked(header, tmp_path):
    (tmp_path / "types.cpp").write_text(f'#include "{header}"\napp::guarded::~guarded() {{ held = 0; }}\n')
    done = ask(header, "app::guarded", "--launches", "1", "--json", "--link", tmp_path / "types.cpp")
    assert done.returncode == 0, done.stderr
    assert {one["row"]["pair"] for one in json.loads(done.stdout)["answers"]} >= {"class_read", "class_return"}
