# SPDX-License-Identifier: MIT
"""What gcc and clang make of the lessons of passing at -O2: both sides read, write and hand on the same.

As in disassembly_test.py, a lesson that is changed so that it no longer does what it says must fail its check."""
import re

import pytest
from disassembly import WIDTHS_B, compiled, loops
from disassembly_test import (REGISTERS_B, SWAPPED, assert_copies, calls, copied_b, loop_of, place,
                              pytestmark, reads, side)  # noqa: F401
from tables import TABLES

WORD_B = 8
WORDS = 16  # that pass_alias writes
READ = {"one": lambda members: 1, "quarter": lambda members: members // 4, "half": lambda members: members // 2,
        "all": lambda members: members}


def sizes(lesson, pair):
    return [n for name, several in TABLES[lesson] if name == pair for n in several]


def loaded_b(body):
    """The widths of all loads, also of those that add to a register or change memory."""
    found = [re.search(r"(\w+) PTR \[", i.operands) for i in body
             if i.verb not in ("lea", "nop", "cs", "data16", "push", "call", "rep movs") and not i.stored_b]
    return [WIDTHS_B[i[1]] for i in found if i]


def assert_passed(made, pair, n, suffix=""):
    """By value: copied once, in registers or on the stack. By pointer: nothing is copied for the call."""
    loop = loop_of(side(made, f"{pair}_{n}", "value")[0], f"take_value{suffix}_{n}")
    if n <= REGISTERS_B:
        assert copied_b(loop) == 0 and sum(loaded_b(loop)) == n
    else:
        assert_copies(loop, n)
    loop = loop_of(side(made, f"{pair}_{n}", "pointer")[0], f"take_pointer{suffix}_{n}")
    assert copied_b(loop) == 0 and not loaded_b(loop)


def check_pass_read(made, lesson="pass_read", variant=""):
    for share, read in READ.items():
        for n in sizes(lesson, f"pass_read_{share}{variant}"):
            assert_passed(made, f"pass_read_{share}", n, f"_{share}")
            value, pointer = made.functions[f"take_value_{share}_{n}"], made.functions[f"take_pointer_{share}_{n}"]
            assert copied_b(value) == copied_b(pointer) == 0
            members_b = WORD_B * read(n // WORD_B)
            if n <= REGISTERS_B:
                assert not loaded_b(value) and sum(loaded_b(pointer)) == members_b
                continue
            by_value, by_pointer = loaded_b(value), loaded_b(pointer)
            if (share, n) == ("all", 24):  # gcc 14: a vector and a word of the object, three words of the copy
                assert sum(by_value) == sum(by_pointer) == n
            else:
                assert sorted(by_value) == sorted(by_pointer), f"{share} of {n} B: other loads"
            assert [len(loop) for loop in loops(value)] == [len(loop) for loop in loops(pointer)]
            assert loops(value) or sum(loaded_b(value)) == members_b, f"{share} of {n} B: reads another share"


def check_pass_read_double(made):
    check_pass_read(made, "pass_read_double", "_double")
    assert any(i.verb.endswith("addsd") for i in made.functions["take_pointer_all_64"]), "no doubles"


def check_pass_write(made):
    for n in sizes("pass_write", "pass_write"):
        loop = loop_of(side(made, f"pass_write_{n}", "value")[0], f"change_value_{n}")
        callee = made.functions[f"change_value_{n}"]
        if n <= REGISTERS_B:
            assert copied_b(loop) == 0 and copied_b(callee) == n
        else:
            assert_copies(loop, n)
            assert copied_b(callee) == 0
        loop = loop_of(side(made, f"pass_write_{n}", "pointer")[0], f"change_pointer_{n}")
        assert copied_b(loop) == 0
        assert_copies(made.functions[f"change_pointer_{n}"], n)


def check_pass_made(made):
    for n in sizes("pass_made", "pass_made"):
        made_b = copied_b(loop_of(side(made, f"pass_made_{n}", "pointer")[0], f"take_pointer_{n}"))
        assert 0 <= made_b - n <= REGISTERS_B, f"{made_b} B written for {n} B"
        loop = loop_of(side(made, f"pass_made_{n}", "value")[0], f"take_value_{n}")
        if n <= REGISTERS_B:
            assert copied_b(loop) == 0 and not loaded_b(loop)
        else:
            assert made_b < copied_b(loop) <= 2 * n + REGISTERS_B  # gcc makes some members where they are passed
        callee = made.functions[f"take_pointer_{n}"]
        reads(callee, "rdi", place("rdi", n - WORD_B))
        assert copied_b(callee) == 0


def check_pass_depth(made):
    for which in ("value", "pointer"):
        hand = f"hand_{which}"
        loop, body = loop_of(side(made, "pass_depth", which)[0], hand), made.functions[hand]
        assert len([i for i in body if i.verb == "call" and (i.target == 0 or i.symbol == hand)]) == 1, "no recursion"
        assert not loops(body) and len(calls(body)) <= 1
        if which == "value":
            assert_copies(loop, 64)
            assert_copies(body, 64)
        else:
            assert copied_b(loop) == copied_b(body) == 0
    assert loaded_b(made.functions["hand_pointer"]) == [8, 8]


def check_pass_registers(made):
    for which in ("value", "pointer"):
        loop_of(side(made, "pass_mixed", which)[0], f"take_mixed_{which}")
        loop_of(side(made, "pass_pressure", which)[0], f"take_last_{which}")
    assert not loaded_b(made.functions["take_mixed_value"])
    assert any("xmm0" in i.operands for i in made.functions["take_mixed_value"]), "no vector register"
    reads(made.functions["take_mixed_pointer"], "rdi", "rdi+0x8")
    reads(made.functions["take_last_value"], "rsp+0x8", "rsp+0x10")
    reads(made.functions["take_last_pointer"], "r9", "r9+0x8")
    assert sum(loaded_b(made.functions["take_last_value"])) == sum(loaded_b(made.functions["take_last_pointer"])) == 16


def check_pass_alias(made):
    """Of the two members each is loaded once; only behind the pointer that others may reach, once for each word."""
    for n in sizes("pass_alias", "pass_alias"):
        for pair, which, fill in (("pass_alias", "value", "fill_value"), ("pass_alias", "pointer", "fill_pointer"),
                                  ("pass_alias_restrict", "value", "fill_value"),
                                  ("pass_alias_restrict", "pointer", "fill_restrict")):
            loop, body = loop_of(side(made, f"{pair}_{n}", which)[0], f"{fill}_{n}"), made.functions[f"{fill}_{n}"]
            if which == "value" and n > REGISTERS_B:
                assert_copies(loop, n)
            else:
                assert copied_b(loop) == 0
            again = (loops(body) or [body])[0]  # gcc keeps the loop over the words, clang does not
            stores = [i.stored_b for i in again if i.stored_b]
            assert set(stores) == {WORD_B} and len(stores) == (2 if loops(body) else WORDS), f"{fill}: joined writes"
            if fill == "fill_pointer":
                assert len(loaded_b(again)) == len(stores), f"{fill}: not loaded again"
            else:
                assert len(loaded_b(body)) == (0 if fill == "fill_value" and n <= REGISTERS_B else 2)
                assert not loops(body) or not loaded_b(again), f"{fill}: loaded again"
            assert not any("mul" in i.verb for i in body)


def check_latency(made):
    for n in sizes("latency", "latency"):
        for which in ("value", "pointer"):
            loop = loop_of(side(made, f"latency_{n}", which)[0], f"take_{which}_{n}")
            number = "rsi" if which == "pointer" else "rdi" if n > REGISTERS_B else "rdx"
            assert any((i.verb, i.operands) == ("mov", f"{number},rax") for i in loop), "calls do not wait"
            callee = made.functions[f"take_{which}_{n}"]
            assert any(i.verb == "and" for i in callee) and loaded_b(callee) == [8]
            if which == "pointer":
                assert copied_b(loop) == copied_b(callee) == 0
            elif n <= REGISTERS_B:
                assert copied_b(loop) == 0 and copied_b(callee) == n
            else:
                assert_copies(loop, n)
                assert copied_b(callee) == 0


CHECKS = {"pass_read": check_pass_read, "pass_read_double": check_pass_read_double, "pass_write": check_pass_write,
          "pass_made": check_pass_made, "pass_depth": check_pass_depth, "pass_registers": check_pass_registers,
          "pass_alias": check_pass_alias, "latency": check_latency}


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("lesson", CHECKS)
def test_lesson(compiler, lesson):
    CHECKS[lesson](compiled(compiler, lesson))


ALL, GCC, CLANG = ("gcc", "clang"), ("gcc",), ("clang",)
MUTANTS = [
    ("pass_read", "sides swapped", ALL, ((".value = { AMP_NAME(run_value_", ".value = { AMP_NAME(run_pointer_"),
                                         (".pointer = { AMP_NAME(run_pointer_", ".pointer = { AMP_NAME(run_value_"))),
    ("pass_read", "half reads a quarter", ALL, (("PASS_READ(half, AMP_SUBJECT_MEMBERS / 2)",
                                                 "PASS_READ(half, AMP_SUBJECT_MEMBERS / 4)"),)),
    ("pass_read", "the value side reads one more", ALL, (("read_of(&object, (read));",
                                                          "read_of(&object, (read)) + amp_ends(&object);"),)),
    ("pass_read", "no call", ALL, (("static AMP_NOINLINE uint64_t AMP_NAME(take_value",
                                    "static inline uint64_t AMP_NAME(take_value"),)),
    ("pass_read_double", "words", ALL, (("AMP_SUBJECT_OF AMP_DOUBLES", "AMP_SUBJECT_OF AMP_WORDS"),)),
    ("pass_write", "sides swapped", ALL, SWAPPED),
    ("pass_write", "changed in place", ALL, (("subject object = *original;",
                                              "subject *object = (subject *) (uintptr_t) original;"),
                                             ("    amp_set_member(&object, 0, amp_member(&object, 0) + 1);\n"
                                              "    amp_keep(&object);\n    return amp_ends(&object);\n}\n\n"
                                              "static uint64_t run_value",
                                              "    amp_set_member(object, 0, amp_member(object, 0) + 1);\n"
                                              "    return amp_ends(object);\n}\n\nstatic uint64_t run_value"))),
    ("pass_write", "only some members copied", ALL, (("    amp_keep(&object);\n", ""),)),
    ("pass_made", "sides swapped", ALL, ((".value = { .run = run_value", ".value = { .run = run_pointer"),
                                         (".pointer = { .run = run_pointer", ".pointer = { .run = run_value"))),
    ("pass_made", "copied by pointer, too", ALL,
     (("take_pointer(&object);", "take_pointer(&twin);"),
      ("make(&object, i);", "make(&object, i);\n        subject twin = object;\n        amp_keep(&twin);"))),
    ("pass_made", "one member made", ALL, (("k < AMP_SUBJECT_MEMBERS; k++", "k < 1; k++"),
                                           ("return amp_ends(&object);", "return amp_member(&object, 0);"),
                                           ("return amp_ends(object);", "return amp_member(object, 0);"))),
    ("pass_depth", "sides swapped", ALL, SWAPPED),
    ("pass_depth", "a loop by the compiler", GCC,
     (('    __asm__ volatile("" : "+r"(read));\n    return read;\n}\n\nstatic uint64_t run_value',
       "    return read;\n}\n\nstatic uint64_t run_value"),)),
    ("pass_registers", "mixed by pointer on both sides", ALL,
     (("take_mixed_value(*object)", "take_mixed_pointer(object)"),
      ("static AMP_NOINLINE uint64_t take_mixed_value", "static __attribute__((unused)) uint64_t take_mixed_value"))),
    ("pass_registers", "a register is left", ALL,
     (("uint64_t d, uint64_t e,\n                                             struct couple object",
       "uint64_t d, struct couple object"),
      ("a + b + c + d + e + object.first", "a + b + c + d + object.first"),
      ("take_last_value(i, i, i, i, i, *object)", "take_last_value(i, i, i, i, *object)"))),
    ("pass_alias", "sides swapped", ALL, SWAPPED),
    ("pass_alias", "not restrict", ALL, (("const subject *restrict object, volatile uint64_t *restrict",
                                          "const subject *object, volatile uint64_t *"),)),
    ("pass_alias", "restrict on both", ALL,
     (("fill_pointer(const subject *object, volatile uint64_t *words)",
       "fill_pointer(const subject *restrict object, volatile uint64_t *restrict words)"),)),
    ("pass_alias", "multiplied", GCC, ((" + k;", " * k;"),)),
    ("latency", "sides swapped", ALL, SWAPPED),
    ("latency", "calls that overlap", ALL, (("k = take_value(*object, k)", "k += take_value(*object, i)"),)),
]


@pytest.mark.parametrize("compiler,lesson,changes", [
    pytest.param(compiler, lesson, changes, id=f"{compiler}-{lesson}-{name}".replace(" ", "_"))
    for lesson, name, compilers, changes in MUTANTS for compiler in compilers])
def test_mutant_is_caught(compiler, lesson, changes):
    made = compiled(compiler, lesson, changes)
    with pytest.raises(AssertionError):
        CHECKS[lesson](made)


def test_every_lesson_has_a_mutant():
    assert {lesson for lesson, *_ in MUTANTS} == set(CHECKS)
