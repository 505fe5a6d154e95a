# SPDX-License-Identifier: MIT
"""Every lesson's compiled code calls and copies what its pair declares, by gcc and by clang; a lesson that is changed
so that it no longer does so is found out, by name."""
import shutil
import subprocess
import sys
from functools import lru_cache

import pytest

import built
import collected_test
import disassembly_test
import passing_test
import teaches_test
from disassembly import KERNEL_ARGS, WARNINGS, no_specialisation
from places import LESSONS, ROOT
from tables import TABLES

sys.path[:0] = [str(ROOT / "harness/lesson"), str(ROOT / "harness/copies")]
pytest.importorskip("capstone", reason="python3-capstone is not installed")
import make_layouts
import registers

BOTH = ("gcc", "clang")


def compiled(compiler, folder, source, name):
    if not shutil.which(compiler):
        pytest.skip(f"{compiler} is not here: apt-get install {compiler}")
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(source)
    made = folder / f"{name}.o"
    subprocess.run([compiler, *WARNINGS, *KERNEL_ARGS, *no_specialisation(compiler), "-fPIC", "-I", folder, "-I", ROOT,
                    "-c", folder / name, "-o", made], check=True)
    return str(made)


@lru_cache(maxsize=None)
def contract(folder):
    source = (ROOT / "harness/lesson/lesson.c").read_text()
    return make_layouts.read_contract(compiled("gcc", folder, source, "harness/lesson/lesson.c"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("contract")


def code(compiler, tmp_path, folder, lesson, changes=()):
    """(what make_layouts writes of the lesson's code, its pairs); as the build has it, if that is of this compiler."""
    table = None if changes else built.table(compiler, lesson)
    if table and "breaches" in table:
        made = make_layouts.Object(str(built.object_of(compiler, lesson)))
        return table, make_layouts.read_pairs(made, contract(folder))
    source = (ROOT / LESSONS[lesson]).read_text()
    for old, new in changes:
        assert old in source, f"{lesson}.c has no {old!r} to change"
        source = source.replace(old, new)
    if lesson == "lto":
        teaches_test.optimised_when_linked(compiler, tmp_path, "-flto", "-fvisibility=hidden")
        made = make_layouts.Object(str(tmp_path / "made.o"))
    else:
        made = make_layouts.Object(compiled(compiler, tmp_path, source, LESSONS[lesson]))
    pairs = make_layouts.read_pairs(made, contract(folder))
    return make_layouts.read_code(made, pairs), pairs


# Lessons of which some side's copies are not told of either compiler's code, and why.
NOT_TOLD = {
    "pass_depth": "how often a function calls itself comes from the fixture",
    "stack_check": "as above, and through the check, which is not the lesson's",
    "stack_copy_growable": "the loop runs on another stack, behind a call of the stack's library",
    **dict.fromkeys(("write_barrier_marking", "allocate", "gogc"), "the loop runs on another stack"),
    "collection_insert": "memmove() of as many elements as there are",
    "collection_sort": "the numbers decide what is moved",
    "thread_send": "another thread has its part of an operation",
    "false_sharing": "as above",
    "pass_made": "clang counts in a vector register",
    "loop_check": "clang unrolls the loop",
    "trace_mark": "what a mark that is on calls is not known",
    "known_work": "steps are not counted by one",
}
UNDECLARED = {"stack_copy_growable", "stack_copy_fresh", "thread_send", "false_sharing", "write_barrier_marking",
              "allocate",
              "gogc"}


@pytest.mark.parametrize("compiler", BOTH)
@pytest.mark.parametrize("lesson", sorted(set(LESSONS) & set(TABLES)))
def test_a_lesson_does_what_it_declares(tmp_path, folder, compiler, lesson):
    """And no lesson gets away with saying nothing, or with code that is not read."""
    found, pairs = code(compiler, tmp_path, folder, lesson)
    assert found["breaches"] == {}
    declares = {pair[f"{side}_declares"] is not None for pair in pairs for side in ("value", "pointer")}
    assert declares == {lesson not in UNDECLARED}
    not_told = {one["why"] for row in found["copies"].values() for side in row.values() for one in side
                if one["how"] == "not told"}
    assert not not_told or lesson in NOT_TOLD, not_told


@pytest.mark.parametrize("compiler", BOTH)
def test_small_objects_of_words_go_in_registers(tmp_path, folder, compiler):
    made = make_layouts.Object(compiled(compiler, tmp_path, (ROOT / LESSONS["pass"]).read_text(), LESSONS["pass"]))
    found = make_layouts.read_sides(made, make_layouts.read_pairs(made, contract(folder)), registers.handed)
    assert {row: [(one["bytes"], one["moves"]) for one in sides["value"]] for row, sides in found.items()} == {
        "pass/size=8": [(8, 1)], "pass/size=16": [(16, 2)]}
    assert not any(sides["pointer"] for sides in found.values())


INLINED = [lesson for lesson in LESSONS if lesson in (
           "pass", "factory", "mutate", "return_out", "pass_read", "pass_write", "pass_made", "pass_alias", "latency",
           "construct_shared", "container_store", "indirect_assignment", "cold",
           "zero_value", "too_large", "copy_limit", "unknown_size", "null")]


@pytest.mark.parametrize("lesson", INLINED)
def test_inlined_calls_are_found_out(tmp_path, folder, lesson):
    found, _ = code("gcc", tmp_path, folder, lesson, (("AMP_NOINLINE", "AMP_ALWAYS_INLINE"),))
    assert found["breaches"] and all("calls of" in text for text in found["breaches"].values())


# What an existing mutant of these lessons changes, and what is said of it.
CAUGHT = {
    ("pass", "a second copy"): "copied", ("pass", "no copy"): "copied", ("pass", "sides swapped"): "calls",
    ("factory", "never freed"): "calls", ("factory", "no allocation"): "calls", ("mutate", "in place"): "copied",
    ("stack_copy", "no copy"): "copied", ("stack_copy", "no recursion"): "calls",
    ("pass_write", "changed in place"): "copied",
    ("pass_made", "copied by pointer, too"): "copied", ("pass_registers", "a register is left"): "copied",
    ("frame_reuse", "never freed"): "calls", ("frame_reuse", "no recursion"): "calls",
    ("construct_shared", "a copy of the value is shared"): "copied", ("construct_shared", "on the heap"): "calls",
    ("function_value", "the pointer is seen through"): "calls", ("container_store", "no copy"): "copied",
    ("container_store", "no allocation"): "calls", ("interface", "the address is boxed, not a copy"): "copied",
    ("interface", "never freed"): "calls", ("interface", "no table"): "calls",
    ("interface", "two calls on one side"): "calls",
    ("buffer", "the size is known"): "calls", ("return_out", "returned on both sides"): "calls",
    ("return_out", "no temporary"): "copied", ("too_large", "on the heap on both sides"): "calls",
    ("copy_limit", "no copy"): "copied", ("collection_insert", "no allocation"): "calls",
    ("lifetime", "an arena that allocates"): "calls", ("lifetime", "never freed"): "calls",
    ("mark", "collected twice"): "calls", ("loop_check", "sides swapped"): "calls",
    ("arena_mixed", "not copied out"): "copied", ("factory_aged", "no copy into the ring"): "copied",
    ("factory_aged", "never freed"): "calls", ("cold", "no copy"): "copied", ("thread_start", "no thread"): "calls",
}
MUTANTS = {(lesson, name): changes for several in (collected_test, disassembly_test, passing_test, teaches_test)
           for lesson, name, _, changes in several.MUTANTS}


@pytest.mark.parametrize("compiler, lesson, name", [(BOTH[k % 2], *one) for k, one in enumerate(CAUGHT)])
def test_mutants_are_found_out(tmp_path, folder, compiler, lesson, name):
    found, _ = code(compiler, tmp_path, folder, lesson, MUTANTS[lesson, name])
    assert any(CAUGHT[lesson, name] in text for text in found["breaches"].values()), found["breaches"]
