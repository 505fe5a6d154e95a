# SPDX-License-Identifier: MIT
"""What gcc and clang make of the lessons about a heap that is collected: the sides differ in what the lesson names. As
in disassembly_test.py, a lesson that is changed so that it no longer does what it says must fail its check."""
import platform

import pytest

from disassembly import compiled, loops
from disassembly_test import ALL, SWAPPED, called, copied_b, loop_of, place, reads, side

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="reads x86-64 instructions")


def inner_loops(body):
    """Those that hold no other one."""
    found = loops(body)
    return [loop for loop in found if not any(other is not loop and other[0] in loop and other[-1] in loop
                                              for other in found)]


def check_write_barrier(made):
    """Both loops store once; only the barrier's compares, and leads to a call of the slow way and nothing else."""
    for which, marks in (("value", 0), ("pointer", 1)):
        body, _ = side(made, "write_barrier", which)
        loop = next(loop for loop in loops(body) if any(i.stored_b for i in loop))  # the slow way jumps back, too
        assert sum(i.stored_b for i in loop) == 8
        assert sum(i.verb[0] == "j" and i.verb != "jmp" for i in loop) == 1 + marks
        slow = [i for i in body if i.verb == "call" and i.symbol and i.symbol.startswith("amp_gc_store_marking")]
        assert len(slow) == marks


def check_write_barrier_marking(made):
    """The same calls and the same stores; only their order differs."""
    bodies = {name: made.functions[f"loop_{name}_body"] for name in ("off", "on")}
    assert sorted(called(bodies["off"])) == sorted(called(bodies["on"]))
    for name, want in (("off", ["step", "step", "store"]), ("on", ["step", "store", "step"])):
        stores = next(loop for loop in inner_loops(bodies[name]) if any(i.stored_b for i in loop))
        assert sum(i.stored_b for i in stores) == 8 and called(bodies[name]).count("amp_gc_store_marking") == 1
        steps = [(i.at, "step") for i in bodies[name] if i.verb == "call" and i.symbol.startswith("amp_gc_step")]
        assert [what for _, what in sorted([*steps, (stores[0].at, "store")])] == want, name


def check_loop_check(made):
    """But for the check, each iteration is the same; the check is a load and a branch."""
    steps = {}
    for which, checks in (("value", 0), ("pointer", 1)):
        body, _ = side(made, "loop_check", which)
        loop = next(loop for loop in loops(body) if any(i.verb == "imul" for i in loop))
        turns = sum(i.verb == "imul" for i in loop)  # clang unrolls the loop without a check
        assert sum(i.verb[0] == "j" and i.verb != "jmp" for i in loop) == 1 + checks * turns
        assert sum("fs:" in i.operands for i in loop) == checks * turns
        assert called(body) == ["amp_gc_answer"] * checks * turns
        steps[which] = [sum(i.verb == verb for i in loop) / turns for verb in ("imul", "xor")]
    assert steps["value"] == steps["pointer"]


def check_mark(made):
    """One kernel for all: what it times is a collection, and nothing else."""
    assert set(made.runs.values()) == {"run"}
    assert called(loop_of(made.functions["run"], None)) == ["amp_gc_collect"]


def check_allocate(made):
    """Each use is written whole and handed on; what is allocated, copied and collected differs, as the pairs say."""
    want = {  # calls within the loop of uses but for the callee; those outside; copies of 64 B
        "value": ([], [], 1), "pointer": (["amp_gc_alloc"], ["amp_gc_collect"], 0),
        "reused": ([], [], 0), "new": (["amp_gc_alloc"], ["amp_gc_collect"], 0),
        "arena": (["amp_gc_alloc"], ["amp_gc_collect"], 0), "single": (["amp_gc_alloc"], ["amp_gc_collect"], 0)}
    for name, (inner, outer, copies) in want.items():
        body = made.functions[f"loop_{name}_body"]
        uses = next(loop for loop in inner_loops(body) if f"take_{name}" in called(loop))
        assert sum(i.stored_b for i in uses) == 64 * (1 + copies), name
        assert [one for one in called(body) if one not in ("amp_stack_call", f"take_{name}")] == inner + outer, name
        assert called(body).count(f"take_{name}") == 1 and "amp_gc_collect" not in called(uses)
        reads(made.functions[f"take_{name}"], *([place("rsp", 8), place("rsp", 64)] if copies else ["rdi", "rdi+0x38"]))
        assert copied_b(made.functions[f"take_{name}"]) == 0


def check_gogc(made):
    assert set(made.runs.values()) == {"run"}
    body = made.functions["allocate_all_body"]
    assert [one for one in called(body) if one != "amp_stack_call"] == ["amp_gc_alloc", "amp_gc_collect"]
    assert "amp_gc_collect" not in called(next(loop for loop in inner_loops(body) if "amp_gc_alloc" in called(loop)))


CHECKS = {"write_barrier": check_write_barrier, "write_barrier_marking": check_write_barrier_marking,
          "loop_check": check_loop_check, "mark": check_mark, "allocate": check_allocate, "gogc": check_gogc}


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("lesson", CHECKS)
def test_lesson(compiler, lesson):
    CHECKS[lesson](compiled(compiler, lesson))


MUTANTS = [
    ("write_barrier", "sides swapped", ALL, SWAPPED),
    ("write_barrier", "no barrier", ALL, (("amp_gc_store(field, target)", "*field = target"),)),
    ("write_barrier", "two barriers", ALL, (("amp_gc_store(field, target)",
                                             "amp_gc_store(field, target); amp_gc_store(field, target)"),)),
    ("write_barrier_marking", "sides swapped", ALL,
     (("end(gc), store(table, i))\nLOOP(loop_on, store(table, i), end(gc)",
       "store(table, i), end(gc))\nLOOP(loop_on, end(gc), store(table, i)"),)),
    ("write_barrier_marking", "no barrier", ALL,
     (("amp_gc_store(&table[k % FIELDS], (from + k + k / FIELDS) % 2 ? one : other)",
       "table[k % FIELDS] = (from + k + k / FIELDS) % 2 ? one : other"),)),
    ("loop_check", "sides swapped", ALL, SWAPPED),
    ("loop_check", "checked outside the loop", ALL, (("            check;", ""),
                                                     ("uint64_t hash = ops;", "uint64_t hash = ops; check;"))),
    ("mark", "collected twice", ALL, (("        must(amp_gc_collect(f->heap.gc));",
                                       "        must(amp_gc_collect(f->heap.gc) + amp_gc_collect(f->heap.gc));"),)),
    ("allocate", "a collection without garbage", ALL,
     (("f->heap.shape.top, , )", "f->heap.shape.top, , must_here(amp_gc_collect(f->heap.gc)))"),)),
    ("allocate", "an object by value, too", ALL, (("struct thing *thing = &local, )",
                                                   "struct thing *thing = new_object(&f->thing); local = *thing, )"),)),
    ("allocate", "words left out", ALL, (("k < 8; k++", "k < 8; k += 7"),)),
    ("allocate", "the arena's objects are single", ALL, (("if (k % BLOCK == 0) block = new_object(&f->block);",
                                                          "block = new_object(&f->block); new_object(&f->thing);"),)),
    ("gogc", "collected at each object", ALL, (("                sum += object->words[0] - k;",
                                               "                sum += object->words[0] - k; "
                                               "amp_gc_collect(f->heap.gc);"),)),
]


@pytest.mark.parametrize("compiler,lesson,changes", [
    pytest.param(compiler, lesson, changes, id=f"{compiler}-{lesson}-{name}".replace(" ", "_"))
    for lesson, name, compilers, changes in MUTANTS for compiler in compilers])
def test_mutant_is_caught(compiler, lesson, changes):
    made = compiled(compiler, lesson, changes)
    with pytest.raises(AssertionError):
        CHECKS[lesson](made)
