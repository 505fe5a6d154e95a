# SPDX-License-Identifier: MIT
"""ask --functions: which functions of a header take or return structs by value, and in what. Nothing is measured."""

import json
import shutil

import pytest

from ask import functions, functions_text, registers
from ask.types import prototypes
from asking import ask, compiler_in, x86_64
from plots.files.strict_json import validate
from plots.program.errors import Refused

HEADER = """
#include <stdlib.h>
#include "more.h"
struct point { double x, y; };
typedef struct { float x, y, z; } vector_t;
typedef vector_t other_t;
struct big { long n[9]; };
union either { int i; double d; };
#define called(x) taken(x)
typedef struct point (*callback)(struct point);
extern callback hook;
double taken(struct point p);
extern struct point made(int x, const struct big *by_address);
vector_t add(vector_t a, other_t b, union either how);
struct big grow(struct big from);
static inline int in_line(struct big b) { return (int) b.n[0] + abs(3); }
void call_back(callback f, void (*g)(struct big));
void plain(int a, struct point *p);
int printed(const char *format, struct point first, ...);
__attribute__((noreturn)) void ends(struct point p);
_Noreturn void aborts(void);
int old();
"""
MORE = "struct small { char c[3]; };\nstruct small of_more(void);\n"
FOUND = [
    # a function, what it takes, what it returns
    ("add", ["vector_t", "other_t", "union either"], "vector_t"), ("ends", ["struct point"], None),
    ("grow", ["struct big"], "struct big"), ("in_line", ["struct big"], None), ("made", [], "struct point"),
    ("of_more", [], "struct small"), ("printed", ["struct point"], None), ("taken", ["struct point"], None),
]


@pytest.fixture
def header(tmp_path):
    (tmp_path / "more.h").write_text(MORE)
    made = tmp_path / "all.h"
    made.write_text(HEADER)
    return made


@pytest.mark.parametrize("cc", ["gcc", "clang"])
def test_the_functions_that_take_or_return_by_value(tmp_path, header, cc):
    """Of the header and of what it includes of its own, not of the system's: no div()."""
    if not shutil.which(cc):
        pytest.skip(f"{cc} is not here: apt-get install {cc}")
    _, total, found = prototypes.find(compiler_in(tmp_path, cc=cc), str(header))
    assert [(one.name, [of.name for of in one.takes if of.name], one.returns and one.returns.name or None)
            for one in found] == FOUND
    assert total == len(FOUND) + len(["call_back", "plain", "aborts", "old"])


def test_the_functions_of_the_systems_headers(tmp_path):
    _, total, found = prototypes.find(compiler_in(tmp_path), "stdlib.h")
    assert [(one.name, one.returns.name) for one in found] == [
        ("div", "div_t"), ("ldiv", "ldiv_t"), ("lldiv", "lldiv_t")] and total > 50


@pytest.mark.parametrize("text, says", [("int f(;\n", "does not compile: "), ("struct s { int x; }\n", None)])
def test_a_header_that_does_not_compile(tmp_path, text, says):
    header = tmp_path / "broken.h"
    header.write_text(text)
    try:
        _, total, found = prototypes.find(compiler_in(tmp_path), str(header))
        assert says is None and total == 0 and found == []
    except Refused as refused:
        assert (says or "error") in str(refused)


# By hand from the System V ABI for x86-64: six integer registers, eight of vectors, none shared between objects.
WAYS = [
    # what each argument needs, whether the result has a hidden address, where they are
    ([(1, 0)] * 7, False, "rrrrrrm"), ([(1, 0)] * 6, True, "rrrrrm"),
    ([(2, 0)] * 4, False, "rrrm"), ([(1, 0), (2, 0), (2, 0), (2, 0), (1, 0)], False, "rrrmr"),
    ([(0, 2)] * 5, False, "rrrrm"), ([(0, 1)] * 9, True, "rrrrrrrrm"),
    ([registers.MEMORY, (1, 1), registers.MEMORY], False, "mrm"), ([(0, 0), (1, 0)], False, "rr"), ([], True, ""),
]


@pytest.mark.parametrize("needs, hidden, ways", WAYS, ids=range(len(WAYS)))
def test_what_goes_in_registers(needs, hidden, ways):
    assert [way[0] for way in registers.ways(needs, hidden)] == list(ways)


@x86_64
def test_the_list_alone(header):
    done = ask(header, "--functions", "--facts", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    validate(found, "ask-functions", "answer")
    of = {one["function"]: one for one in found["functions"]}
    assert of["add"] == {"function": "add", "bytes": 44, "costs_ns": None,
                         "takes": [{"type": "vector_t", "size_b": 12, "in": "registers"},
                                   {"type": "other_t", "size_b": 12, "in": "registers"},
                                   {"type": "union either", "size_b": 8, "in": "registers"}],
                         "returns": {"type": "vector_t", "size_b": 12, "in": "registers"}}
    assert of["grow"]["takes"][0]["in"] == "memory" and of["grow"]["returns"]["in"] == "memory"
    text = ask(header, "--functions", "--facts").stdout  # wrapped
    assert "8 of 12 functions take or return a struct or union by value" in " ".join(text.split())
    assert [line.split() for line in text.splitlines() if line.startswith("  add ")] == [
        "add vector_t, other_t, union either; returns vector_t 44 registers; returns: registers".split()]


@pytest.mark.parametrize("ns, says", [(None, "-"), (0.36, "+0.36 ns"), (-4.24, "-4.2 ns"), (-1.6e-05, "<0.01 ns"),
                                      (0.0, "<0.01 ns"), (0.0096, "+0.0096 ns")])
def test_what_by_value_costs(ns, says):
    assert functions_text.costs(ns) == says


def test_types_with_the_same_members_are_measured_once(tmp_path, header):
    compiler = compiler_in(tmp_path)
    found = prototypes.find(compiler, str(header))[2]
    kinds = functions.study(compiler, str(header), found)
    assert kinds["other_t"].alike == kinds["vector_t"].alike == "vector_t" and kinds["vector_t"].returned
    some, left = functions.chosen(kinds)
    assert {kind.name for kind in some} == set(kinds) - {"other_t"} and left == []


@pytest.mark.parametrize("words, says", [
    ("all.h --functions 'struct big'", "--functions is about all functions of a header"),
    ("--functions", "which header? As in: ask order.h --functions"),
    ("all.h --functions --reads 2", "--functions is about all functions of a header, without --reads"),
    ("all.h --functions more", "--functions is about all functions of a header, without more"),
])
def test_words_that_do_not_go_together(words, says):
    done = ask(*words.replace("'", "").split())
    assert done.returncode == 2 and says in done.stderr and done.stderr.count("\n") == 1
