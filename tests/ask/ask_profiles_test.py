# SPDX-License-Identifier: MIT
"""ask: what is measured of a type, by what the callee does with it; how its members are read; in which order they leave
less padding. Nothing is measured here."""

import subprocess

import pytest

from ask import advice, arguments, lessons, profiles
from ask.profiles import Profile
from ask.types import leaves
from asking import row, study as studied
from plots.program.errors import Refused


def study(folder, text, **how):
    header = folder / "t.h"
    header.write_text("#include <stdint.h>\n" + text + "\n")
    return studied(folder, header, "struct t", **how)


def profiles_of(subject, *words):
    return profiles.of(subject, arguments.parse(["a.h", "struct a", *words]))


def parts_of(subject, *words):
    return lessons.parts(subject, profiles_of(subject, *words))


def test_objects_that_cannot_be_assigned_are_passed_returned_walked_and_boxed(tmp_path):
    pairs = [pair for part in parts_of(study(tmp_path, "struct t { const int a; };")) for pair in part.pairs]
    assert pairs == ["ask_reads_all", "ask_changes", "ask_alias", "ask_depth", "ask_made", "factory", "return_out",
                     "ask_walk", "ask_dispatch", "ask_box"]


COPIES = {"ask_reads_one", "ask_reads_quarter", "ask_reads_half", "ask_reads_all", "ask_changes", "ask_alias",
          "ask_depth", "mutate"}


@pytest.mark.parametrize("size, rounds", [((1 << 16) - 1, 8), (1 << 16, 2), (1 << 19, 2)])
def test_copies_of_a_large_object_get_few_rounds(tmp_path, size, rounds):
    """Else half a MiB takes minutes: each epoch of the side that copies it lasts milliseconds."""
    found = parts_of(study(tmp_path, f"struct t {{ char b[{size}]; }};"))
    pairs = {pair: part.rounds for part in found for pair in part.pairs}
    twice = {one for one in COPIES if one in pairs} if rounds == 2 else set()
    assert {pair for pair in pairs if pairs[pair] == 2} == twice
    assert sum(len(part.pairs) for part in found) == len(pairs), "each once"
    assert ("ask_depth" in pairs) == (4 * size <= 1 << 20), "four copies fit the stack"


# ---- The members that are read, against what a program sees that knows the header

READS = [
    # a type, how its members are called in order, how many of them are read, which
    ("struct t { int a; long b; short c; char d; };", "a b c d", 1, "a"),
    ("struct t { int a; long b; short c; char d; };", "a b c d", 2, "a c"),
    ("struct t { int a; long b; short c; char d; };", "a b c d", 3, "a c d"),
    ("struct t { int a; long b; short c; char d; };", "a b c d", 4, "a b c d"),
    ("struct t { float x; double y; int n[3]; };", "x y n[0] n[1] n[2]", 5, "x y n[0] n[1] n[2]"),
    ("struct t { struct { int x, y; } in; unsigned b : 3, c : 5; };", "in.x in.y b c", 4, "in.x in.y b c"),
    ("struct t { union { char c; long n; } u; int *p; };", "u.n p", 2, "u.n p"),
    ("struct t { int n[64]; };", None, 64, " ".join(f"n[{i}]" for i in range(64))),
    ("struct t { int n[64]; };", None, 16, " ".join(f"n[{i}]" for i in range(0, 64, 4))),
    ("struct t { int n[3][20]; char c; };", None, 61, " ".join(
        [f"n[{i}][{k}]" for i in range(3) for k in range(20)] + ["c"])),
    ("struct t { struct { short a, b; } e[40]; };", None, 40, " ".join(f"e[{i}].a" for i in range(40))),
]


@pytest.mark.parametrize("text, members, wanted, read", READS, ids=range(len(READS)))
def test_a_callee_reads_the_members_that_it_says(tmp_path, text, members, wanted, read):
    """Bytes beside each other are other numbers, none with a sign; amp_read() has to return the sum of the members by
    name."""
    found = study(tmp_path, text)
    kind = found.layout.use.type
    code, n = leaves.reader("amp_read", kind, wanted)
    assert n == len(read.split()) and (members is None or leaves.count(kind) == len(members.split()))
    named = " + ".join(f"(uint64_t) (long) o.{name}" for name in read.split())
    (tmp_path / "sum.c").write_text(
        f'#include <stdio.h>\n#include <string.h>\n#include "t.h"\n#include "subject.h"\n{code}'
        "int main(void) { struct t o; amp_asked p; unsigned char *b = (unsigned char *) &o;\n"
        "for (size_t i = 0; i < sizeof o; i++) b[i] = (unsigned char) (i % 97 + 3);\n"
        + "".join(f"o.{name} = {i + 2};\n" for i, name in enumerate(read.split()) if name in ("x", "y"))
        + f'memcpy(&p, &o, sizeof p); printf("%d\\n", amp_read(&p) == {named}); return sizeof o != sizeof p; }}\n')
    subprocess.run(["gcc", "-w", "-I", tmp_path, tmp_path / "sum.c", "-o", tmp_path / "sum"], check=True)
    assert subprocess.run([tmp_path / "sum"], text=True, capture_output=True, check=True).stdout == "1\n"


# ---- Profiles

PROFILES = [
    # a type, words on the command line, the questions
    ("struct t { int a, b, c, d, e, f, g, h; };", "", ["reads 1 of 8", "reads 2 of 8", "reads 4 of 8", "reads all 8",
                                                       "changes a copy", "writes elsewhere", "4 calls"]),
    ("struct t { int a; };", "", ["reads its only member", "changes a copy", "writes elsewhere", "4 calls"]),
    ("struct t { int a, b; };", "", ["reads 1 of 2", "reads all 2", "changes a copy", "writes elsewhere", "4 calls"]),
    ("struct t { char c[100]; };", "", ["reads 1 of 100", "reads 25 of 100", "reads 50 of 100", "reads all 100",
                                        "changes a copy", "writes elsewhere", "4 calls"]),
    ("struct t { int a, b, c; };", "--reads 3", ["yours: reads all 3"]),
    ("struct t { int a, b, c; };", "--reads all", ["yours: reads all 3"]),
    ("struct t { int a, b, c; };", "--reads 1 --depth 3", ["yours: reads 1 of 3, 3 calls"]),
    ("struct t { int a, b, c; };", "--writes --alias", ["yours: reads 2 of 3, changes a copy, writes elsewhere"]),
]


@pytest.mark.parametrize("text, words, questions", PROFILES, ids=range(len(PROFILES)))
def test_the_profiles_of_a_type(tmp_path, text, words, questions):
    subject = study(tmp_path, text)
    found = profiles_of(subject, *words.split())
    assert [one.question for one in found] == questions
    if words:
        assert [pair for part in parts_of(subject, *words.split()) for pair in part.pairs] == ["ask_yours"]


def test_no_more_members_are_read_than_there_are(tmp_path):
    subject = study(tmp_path, "struct t { int a, b, c; };")
    with pytest.raises(Refused, match="--reads 4: struct t has 3 members that can be read: 1 to 3, or all"):
        profiles_of(subject, "--reads", "4")


# ---- The advice about passing

def passing(sides, value_ns=10.0, others=()):
    """The advice for a type of 8 members, of which 1, 2, 4 and 8 are read: v, p or ? for each."""
    ratios = {"v": (2.0, 1.9, 2.1), "p": (0.5, 0.4, 0.6), "?": (1.0, 0.5, 2.0)}
    found = [Profile(f"ask_reads_{name}", n, 8, read=n)
             for name, n in zip(("one", "quarter", "half", "all"), (1, 2, 4, 8))]
    found += [Profile("ask_changes", 2, 8, changes=True, read=2), Profile("ask_alias", 2, 8, writes=True, read=2)]
    rows = [row(one.pair, *ratios[side], value_ns=value_ns) for one, side in zip(found, [*sides, *others])]
    return advice.recommend(rows, found)[1]


@pytest.mark.parametrize("sides, others, says", [
    ("vvvv", "vv", "pass it by value, whatever the callee reads"),
    ("pppp", "pp", "pass it by const pointer, whatever the callee reads"),
    ("ppvv", "", "pass it by value if the callee reads at least 4 of its 8 members, by const pointer if at most 2"),
    ("vvvp", "", "pass it by const pointer if the callee reads all of its 8 members, by value if at most 4"),
    ("p?vv", "", "pass it by value if the callee reads at least 4 of its 8 members, by const pointer if at most 1; no "
     "answer yet: reads 2 of 8"),
    ("vpvp", "",
     "pass it by value if the callee reads 1 or 4 of its 8 members, by const pointer if the callee reads 2 or "
     "8 of its 8 members"),
    ("vvvv", "vp",
     "pass it by value, whatever the callee reads; by const pointer where it writes elsewhere between its "
     "reads"),
    ("ppvv", "vp",
     "pass it by value if the callee reads at least 4 of its 8 members, by const pointer if at most 2; by "
     "value where it changes its copy; by const pointer where it writes elsewhere between its reads"),
])
def test_the_advice_about_passing(sides, others, says):
    assert passing(sides, others=others) == says


def test_a_difference_that_is_small_is_said():
    assert passing("vvvv",
                   value_ns=0.3) == ("pass it by value, whatever the callee reads (0.30 ns at most between them)")


# ---- The same members with less padding

ORDERS = [
    # a type, its size in the other order, the order, why there is none
    ("struct t { char a; double b; char c; };", 16, "b a c", ""),
    ("struct t { char a; int b; char c; long d; short e; };", 16, "d b e a c", ""),
    ("struct t { char a; struct { int x; char y; } in; short s; char z; };", 12, "in s a z", ""),
    ("struct t { int a; double b; };", None, None, ""),
    ("struct t { int a, b; };", None, None, ""),
    ("struct t { char a; long b; int c : 3; };", None, None, "it has bit-fields, which share bytes by their order"),
    ("struct __attribute__((packed, aligned(8))) t { char a; long b; };", None, None, "it is packed"),
    ("struct t { char a; long b; char c[1]; };", None, None, "its last member is an array that may go on behind it"),
    ("struct t { char a; _Alignas(16) char b; char c; };", 16, "b a c", ""),
    ("struct t { char a; _Alignas(8) char b; char c; _Alignas(8) char d; };", 16, "b d a c", ""),
    ("struct t { union { char c; long n; } u; char a; double b; char d; struct { char x[3]; } e; char g; };", 24,
     "u b a d e g", ""),
]


@pytest.mark.parametrize("text, size, order, why", ORDERS, ids=range(len(ORDERS)))
def test_the_order_with_the_least_padding(tmp_path, text, size, order, why):
    found = study(tmp_path, text)
    assert (found.reordered and found.reordered.size_b) == size and found.not_reordered == why
    assert order is None or " ".join(found.reordered.names) == order


def test_a_reordered_type_may_fit_into_registers(tmp_path):
    found = study(tmp_path, "struct t { char a; double b; char c; };")
    assert found.abi["passed"] == "memory" and found.reordered.abi["passed"] in ("registers", "unknown")
