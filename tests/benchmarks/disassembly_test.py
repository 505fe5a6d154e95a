# SPDX-License-Identifier: MIT
"""What gcc and clang make of the lessons at -O2: copies that copy, calls that call, recursion that recurses.

Each lesson has one check that reads the disassembly of its object file. The checks are checked, too: a lesson that is
changed so that it no longer does what it says must fail the check of its name (MUTANTS)."""
import platform
import re

import pytest

from disassembly import KERNEL_ARGS, WIDTHS_B, compiled, compiled_text, counter, loops
from places import LESSONS

WORDS = [8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 264, 384, 512, 1024, 1536, 2048, 4096, 4112, 8192, 16384, 32768,
         65536]  # sizes in bytes, of whole words
BYTES = [8, 16, 17, 24, 32, 256, 257]
ELEMENTS = [1, 16, 64, 256, 1024]
REGISTERS_B = 16  # the System V ABI passes and returns up to this in registers

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="reads x86-64 instructions")


def side(made, pair, which):
    """The instructions and the name of the function that runs a side, as the pair's table says."""
    name = made.runs[pair, which]
    return made.functions[name], name


def loop_of(body, callee=None):
    """The instructions of the only loop; it calls `callee`, once."""
    found = loops(body)
    assert len(found) == 1, f"{len(found)} loops"
    assert callee is None or [i.symbol for i in found[0] if i.verb == "call" and i.symbol == callee] == [callee], callee
    return found[0]


def copied_b(body, stack=None):
    """Bytes that these instructions copy into memory; by plain moves only to the stack, or only elsewhere, if said."""
    total = 0
    for at, i in enumerate(body):
        if i.verb == "rep movs":
            total += counter(body, at)
        elif i.verb == "call" and i.symbol in ("memcpy", "memmove"):
            total += next(int(j.operands[4:], 16) for j in reversed(body[:at]) if j.operands.startswith("edx,0x"))
        elif stack is None or stack == ("[rsp" in i.operands):
            total += i.stored_b
    return total


def assert_copies(body, size_b, times=1, stack=None):
    """Exactly so many copies: moves of one may overlap a little, but there is no room for another one."""
    excess = copied_b(body, stack) - times * size_b
    assert 0 <= excess < min(size_b, 32), f"{times} copies of {size_b} B and {excess} B more"


def reads(body, *places):
    """By itself, or with its neighbours by a load of a vector, as gcc 14 does it."""
    vectors = [(WIDTHS_B[width], base, int(offset or "0", 16)) for i in body for width, base, offset in re.findall(
        r"([XYZ]MMWORD) PTR \[(\w+)(?:\+(0x[0-9a-f]+))?\]", i.operands)]
    for place in places:
        register, _, offset = place.partition("+")
        at = int(offset or "0", 16)
        found = any(f"[{place}]" in i.operands for i in body) or any(
            base == register and begin <= at < begin + width_b for width_b, base, begin in vectors)
        assert found, f"does not read {place}"


def place(register, offset):
    return f"{register}+{offset:#x}" if offset else register


def check_pass(made, sizes=tuple(WORDS), member_b=8):
    for n in sizes:
        loop = loop_of(side(made, f"pass_{n}", "value")[0], f"take_value_{n}")
        callee = made.functions[f"take_value_{n}"]
        if n <= REGISTERS_B:
            assert copied_b(loop) == 0 and sum(i.loads for i in loop) == n // 8
            assert not any("[" in i.operands and i.verb not in ("lea", "nop") for i in callee)
        else:
            assert_copies(loop, n)
            reads(callee, place("rsp", 8), place("rsp", 8 + n - member_b))
        loop = loop_of(side(made, f"pass_{n}", "pointer")[0], f"take_pointer_{n}")
        assert copied_b(loop) == 0 and not any(i.loads for i in loop)
        reads(made.functions[f"take_pointer_{n}"], "rdi", place("rdi", n - member_b))
        assert copied_b(made.functions[f"take_pointer_{n}"]) == 0


def calls(body):
    return [i.symbol for i in body if i.verb in ("call", "jmp") and i.symbol]


def check_pass_bytes(made):
    """As `pass`; a byte of a register is shifted down, one in memory is loaded as it is."""
    check_pass(made, BYTES, member_b=1)
    for n in (8, 16):
        shifts = [i.verb for i in made.functions[f"take_value_{n}"] if i.verb in ("shr", "sar", "shrd", "rol")]
        assert shifts, "no byte is dug out of a register"
        verbs = [i.verb for i in made.functions[f"take_pointer_{n}"] if i.loads]
        assert verbs == ["movzx", "movzx"], verbs


def check_factory(made):
    for n in WORDS:
        loop = loop_of(side(made, f"factory_{n}", "value")[0], f"make_value_{n}")
        callee = made.functions[f"make_value_{n}"]
        assert set(calls(loop) + calls(callee)) <= {f"make_value_{n}", "memcpy"}
        if n <= REGISTERS_B:
            assert copied_b(callee) == 0 and sum(i.loads for i in callee) == n // 8
        else:
            assert_copies(callee, n)
            assert copied_b(loop) == 0
        loop = loop_of(side(made, f"factory_{n}", "pointer")[0], f"make_pointer_{n}")
        callee = made.functions[f"make_pointer_{n}"]
        assert calls(loop) == [f"make_pointer_{n}", "free"]
        assert calls(callee)[0] == "malloc" and set(calls(callee)) <= {"malloc", "memcpy", "_exit"}
        assert any(i.verb == "mov" and i.operands == f"edi,{n:#x}" for i in callee), "another size is allocated"
        assert_copies(callee, n)


def check_mutate(made):
    """The change loads and stores whole words, on both sides."""
    for n in WORDS:
        loop = loop_of(side(made, f"mutate_{n}", "value")[0], f"change_value_{n}")
        callee = made.functions[f"change_value_{n}"]
        if n <= REGISTERS_B:
            assert copied_b(loop, stack=False) == n and copied_b(loop, stack=True) == 0
            assert copied_b(callee) == 0
            assert sum(i.loads for i in loop) == 2 * n // 8, "read once for the sum and the call"
        else:
            assert_copies(loop, n, times=2)
            assert_copies(callee, n, stack=False)
        loop = loop_of(side(made, f"mutate_{n}", "pointer")[0], f"change_pointer_{n}")
        assert copied_b(loop) == 0
        words = [i for i in made.functions[f"change_pointer_{n}"] if i.stored_b]
        stored = [i.stored_b for i in words]
        assert stored == [8] * min(n // 8, 2) or n == 16 and stored == [16], f"no whole words are changed: {stored}"
        narrow = [i for i in callee + made.functions[f"change_pointer_{n}"] + loop
                  if re.search(r"\b(BYTE|WORD|DWORD) PTR", i.operands)]
        assert not narrow, f"narrower than a word: {narrow[0]}"


def check_store_forward(made):
    """A store and a load of a word; the sides differ in the width of the store, and in nothing else."""
    for n in (1, 2, 4):
        loops_of = {which: loop_of(side(made, f"store_forward_{n}", which)[0]) for which in ("value", "pointer")}
        for which, width in (("value", 8), ("pointer", n)):
            loop = loops_of[which]
            stores = [i.stored_b for i in loop if i.stored_b]
            assert stores == [width], f"{which} stores {stores}"
            assert [i.operands.split(",")[1].split()[0] for i in loop
                    if i.loads] == ["QWORD"], f"{which} loads otherwise"
        shapes = [[i.verb for i in loop if i.verb != "mov" and "nop" not in i.verb] for loop in loops_of.values()]
        assert sorted(shapes[0]) == sorted(shapes[1]), shapes


def check_collection(made):
    for which, loads in (("value", 1), ("pointer", 2)):
        body, _ = side(made, "collection", which)
        inner = min(loops(body), key=len)
        assert sum("PTR [" in i.operands and i.stored_b == 0 for i in inner) == loads, f"{which} reads otherwise"
        assert sum(i.verb == "add" and "QWORD PTR [" in i.operands for i in inner) == 1, f"{which} sums otherwise"
        assert len(inner) <= 5 and not calls(body)


def check_stack_copy(made):
    for n in ELEMENTS:
        for which in ("value", "pointer"):
            walk = f"walk_{which}_{n}"
            loop, callee = loop_of(side(made, f"stack_copy_{n}", which)[0], walk), made.functions[walk]
            inner = [i for i in callee if i.verb == "call"]
            assert len(inner) == 1 and (inner[0].target == 0 or inner[0].symbol == walk), f"{walk} does not call itself"
            assert not loops(callee) and "jmp" not in {i.verb for i in callee if i.target == 0 or i.symbol == walk}
            if which == "pointer" or 8 * n <= REGISTERS_B:
                assert copied_b(loop, stack=True) == 0 and copied_b(callee, stack=True) == 0
                continue
            assert_copies(loop, 8 * n, stack=True)
            assert_copies(callee, 8 * n, stack=True)
            frame_b = sum(8 for i in callee if i.verb == "push")
            frame_b += sum(int(i.operands[4:], 16) for i in callee if i.verb == "sub" and i.operands.startswith("rsp,"))
            assert frame_b >= 8 * n, f"{walk} has a frame of {frame_b} B"


def check_stack_copy_growable(made):
    for n in ELEMENTS:
        for which in ("value", "pointer"):
            walk = f"walk_{which}_{n}"
            check, body = made.functions[walk], made.functions[f"{walk}_body"]
            large = which == "value" and 8 * n + 120 > 128
            want = ["lea"] * large + ["cmp", "jbe", "jmp"]
            assert [i.verb for i in check[:3 + large]] == want, f"{walk} checks otherwise"
            called = [i.symbol for i in body if i.verb == "call"]
            assert called == [walk], f"{walk} does not call itself, with its check"
            assert not loops(body)
            if which == "value" and 8 * n > REGISTERS_B:
                assert_copies(body, 8 * n, stack=True)
            else:
                assert copied_b(body, stack=True) == 0


def check_stack_check(made):
    """But for the check the two walks are the same instructions."""
    bodies = [[(i.verb, "" if i.verb[0] == "j" or i.verb in ("call", "nop", "cs") else i.operands)
               for i in made.functions[name]] for name in ("walk", "walk_checked_body")]
    assert bodies[0] == bodies[1]
    assert [i.verb for i in made.functions["walk_checked"][:3]] == ["cmp", "jbe", "jmp"]
    assert [i.symbol for i in made.functions["walk_checked_body"] if i.verb == "call"] == ["walk_checked"]
    inner = [i for i in made.functions["walk"] if i.verb == "call"]
    assert len(inner) == 1 and (inner[0].target == 0 or inner[0].symbol == "walk")


def called(body):
    return [re.split("[-@]", i.symbol)[0] for i in body if i.verb == "call" and i.symbol]


def check_trace_mark(made):
    """A mark is a load, a test and a branch to a call; with none, nothing is in the way of the arithmetic."""
    for pair, which, marks in (("trace_mark", "value", 0), ("trace_mark", "pointer", 1),
                               ("trace_mark_recorded", "pointer", 1)):
        body, _ = side(made, pair, which)
        hooks = [i for i in body if (i.symbol or "").startswith(("amp_marks", "amp_mark_hook"))]
        assert bool(hooks) == bool(marks) and sum(i.verb == "call" for i in body) == marks
        assert (sum(i.stored_b for i in hooks) > 0) == (pair == "trace_mark_recorded")
        assert any(i.verb == "imul" for i in body)


def check_known(made):
    runs = {side(made, f"known_{part}", which)[1] for part in ("half", "one", "five") for which in ("value", "pointer")}
    assert len(runs) == 1, "more than one function"
    body = made.functions[runs.pop()]
    loop = loop_of(body)
    assert len(loop) == 7 and sorted(i.verb for i in loop if i.verb in ("shl", "shr")) == ["shl", "shr"]
    assert not calls(body)


def check_known_work(made):
    """One function for both sides of a pair, whose loop is the step: so many loads, stores, branches, calls."""
    loops_of = {}
    for work in ("loads", "stores", "branches", "misses", "malloc"):
        runs = {side(made, f"known_{work}", which)[1] for which in ("value", "pointer")}
        assert len(runs) == 1, "more than one function"
        body = made.functions[runs.pop()]
        if work == "branches":
            assert sum(i.verb[0] == "j" and i.verb != "jmp" for i in max(loops(body), key=len)) == 2, "no branch"
        loops_of[work] = max(loops(body), key=len)
    reads = [i for i in loops_of["loads"] if re.search(r"QWORD PTR \[", i.operands) and i.verb != "lea"]
    rounds = sum(i.verb == "and" for i in loops_of["loads"])
    assert rounds > 0 and len(reads) == rounds * 8 and not any(i.stored_b for i in loops_of["loads"])
    rounds = sum(i.verb == "and" for i in loops_of["stores"])  # clang unrolls the loop
    assert rounds > 0 and sum(i.stored_b for i in loops_of["stores"]) == rounds * 4 * 8
    rounds = sum(i.verb == "imul" for i in loops_of["misses"])
    assert len([i for i in loops_of["misses"] if re.search(r"QWORD PTR \[", i.operands) and i.verb != "lea"]) == rounds
    assert sorted(called(loops_of["malloc"])) == ["free", "malloc"]


def check_null(made):
    assert made.runs["null", "value"] == made.runs["null", "pointer"]
    assert made.runs["empty", "value"] == made.runs["empty", "pointer"]
    value, pointer = made.runs["null_placed", "value"], made.runs["null_placed", "pointer"]
    assert value != pointer, "one function, not two"
    loop_of(made.functions[value], "take_value")
    loop_of(made.functions[pointer], "take_pointer")
    assert made.sections[value] == made.sections[pointer], "the two functions differ"
    assert made.sections["take_value"] == made.sections["take_pointer"], "the two callees differ"
    assert len(loop_of(side(made, "empty", "value")[0])) == 2, "more than a count and a jump"


CHECKS = {"pass": check_pass, "pass_bytes": check_pass_bytes, "factory": check_factory, "mutate": check_mutate,
          "store_forward": check_store_forward, "collection": check_collection,
          "stack_copy": check_stack_copy,
          "stack_copy_growable": check_stack_copy_growable,
          "stack_copy_fresh": check_stack_copy_growable, "stack_check": check_stack_check,
          "trace_mark": check_trace_mark, "known": check_known,
          "known_work": check_known_work, "null": check_null}


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("lesson", CHECKS)
def test_lesson(compiler, lesson):
    CHECKS[lesson](compiled(compiler, lesson))


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("call", ["malloc(8)", "calloc(1, 8)", "realloc(NULL, 8)", "aligned_alloc(16, 16)"])
def test_an_allocation_is_kept_by_the_kernels_flags_only(compiler, call):
    source = f"""#include <stdlib.h>
        int kept(void);
        int kept(void) {{ char *p = {call}; int x; *p = 1; x = *p; free(p); return x; }}"""
    name = call.split("(")[0]
    assert calls(compiled_text(compiler, source).functions["kept"]) == [name, "free"]
    others = tuple(flag for flag in KERNEL_ARGS if flag not in (f"-fno-builtin-{name}", "-fno-builtin-free"))
    assert name not in calls(compiled_text(compiler, source, flags=others).functions["kept"])


CONSTANTS = """#include "harness/kernel.h"
    {attributes}
    struct methods {{ long (*say)(const long *, long); long factor; }};
    static AMP_NOINLINE long one(const long *p, long n) {{ return *p * n; }}
    static AMP_NOINLINE long other(const long *p, long n) {{ return *p + n; }}
    static AMP_NOINLINE long by_table(const struct methods *m, const long *p)
    {{ return m->say(p, m->factor) + m->say(p, 3); }}
    static AMP_NOINLINE long by_pointer(long (*say)(const long *, long), const long *p, long times)
    {{ long sum = 0; for (long i = 0; i < times; i++) sum += say(p, i); return sum; }}
    static AMP_NOINLINE long by_number(long which, const long *p)
    {{ switch (which) {{
       case 1: return *p * 3; case 2: return *p / 7; case 3: return p[1] ^ p[2]; default: return p[which]; }} }}
    static AMP_NOINLINE long deep(long depth, const long *p)
    {{ long x = depth > 0 ? deep(depth - 1, p + 1) : *p; amp_keep(&x); return x; }}
    static const struct methods ones = {{ one, 5 }}, others = {{ other, 6 }};
    long all(const long *p);
    long all(const long *p)
    {{ return by_table(&ones, p) + by_table(&others, p) + by_pointer(one, p, 9) + by_pointer(other, p, 9) +
             by_number(1, p) + by_number(2, p) + deep(3, p); }}"""


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("level", ["-O2", "-O3"])
def test_a_function_is_not_copied_for_a_constant(compiler, level):
    """AMP_NOINLINE: as many functions as were written, each called as often, by any version of a compiler."""
    made = compiled_text(compiler, CONSTANTS.format(attributes=""), flags=(*KERNEL_ARGS, level))
    assert set(made.functions) == {"one", "other", "by_table", "by_pointer", "by_number", "deep", "all"}
    assert sorted(calls(made.functions["all"])) == sorted(["by_table", "by_pointer", "by_number"] * 2 + ["deep"])
    assert any(i.verb == "call" for i in made.functions["deep"])


def test_a_weaker_attribute_is_found_out():
    made = compiled_text("gcc",
                         CONSTANTS.format(attributes="#undef AMP_NOINLINE\n#define AMP_NOINLINE "
                                                     "__attribute__((noinline))"),
                         flags=(*KERNEL_ARGS, "-O3"))
    assert "." in "".join(made.functions), "the compiler has made no copies of its own: this test shows nothing"


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("lesson", sorted(LESSONS))
def test_functions_can_be_placed(compiler, lesson):
    """A linker script moves each function by itself within a line: one a section, aligned to no more than that."""
    made = compiled(compiler, lesson)
    for name, (_, alignment, _) in made.sections.items():
        if name.startswith("unlikely."):
            continue  # followed, and not placed
        assert name in made.functions, f"{name} is not a section of one function"
        assert alignment <= 64, f"{name} is aligned to {alignment}"
        assert name.isidentifier(), f"{name} is a copy for a constant"
    assert len(made.sections) == len(made.functions)


ALL, GCC, CLANG = ("gcc", "clang"), ("gcc",), ("clang",)
SWAPPED = ((".value = { run_value", ".value = { run_pointer"), (".pointer = { run_pointer", ".pointer = { run_value"))
MUTANTS = [
    ("pass", "sides swapped", ALL, SWAPPED),
    ("pass", "no copy", ALL, (("take_value(subject object)", "take_value(const subject *object)"),
                              ("amp_ends(&object)", "amp_ends(object)"),
                              ("take_value(*object)", "take_value(object)"))),
    ("pass", "a second copy", ALL, (("sum += take_value(*object)",
                                     "subject twin = *object; amp_keep(&twin); sum += take_value(twin)"),)),
    ("pass", "no call", ALL, (("static AMP_NOINLINE uint64_t take_value", "static inline uint64_t take_value"),)),
    ("pass", "hoisted out of the loop", CLANG, (("amp_keep(object);", ""),)),
    ("factory", "sides swapped", ALL, SWAPPED),
    ("factory", "never freed", ALL, (("free(object);", ""),)),
    ("factory", "no allocation", ALL, (("amp_alloc(sizeof *object)", "(subject *) (uintptr_t) model"),
                                       ("*object = *model;", ""), ("free(object);", "amp_keep(object);"))),
    ("factory", "more is allocated", ALL, (("amp_alloc(sizeof *object)", "amp_alloc(sizeof *object + 1)"),)),
    ("mutate", "sides swapped", ALL, SWAPPED),
    ("mutate", "in place", ALL, (("subject change_value(subject object)", "void change_value(subject *object)"),
                                 ("change(&object);\n    return object;", "change(object);"),
                                 ("*object = change_value(*object)", "change_value(object)"))),
    ("mutate", "kept in registers", CLANG, (("amp_keep(object);", ""),)),
    ("mutate", "not read again for the call", CLANG, (("        amp_keep(object); /* what", "        /* what"),)),
    ("mutate", "bytes are changed", ALL, (("#include \"harness/kernel.h\"",
                                           "#include \"harness/kernel.h\"\n#define AMP_SUBJECT_OF AMP_BYTES"),)),
    ("pass", "members are bytes", ALL, (("#include \"harness/kernel.h\"",
                                         "#include \"harness/kernel.h\"\n#define AMP_SUBJECT_OF AMP_BYTES"),)),
    ("pass_bytes", "members are words", ALL, (("#define AMP_SUBJECT_OF AMP_BYTES", ""),)),
    ("pass_bytes", "alignment not told", CLANG, (("#define AMP_VARIANT", "#define __builtin_assume_aligned(p, n) (p)\n"
                                                                         "#define AMP_VARIANT"),)),
    ("store_forward", "sides swapped", ALL, SWAPPED),
    ("store_forward", "a whole store on both sides", ALL, (("memcpy(word, &number, WIDTH_B);",
                                                            "memcpy(word, &number, sizeof number);"),)),
    ("store_forward", "not loaded again", ALL, (("    amp_keep(word);", "    (void) word;"),)),
    ("store_forward", "more work on one side", ALL, (("        memcpy(word, &number, WIDTH_B);",
                                                      "        number *= 3; memcpy(word, &number, WIDTH_B);"),)),
    ("collection", "sides swapped", ALL, SWAPPED),
    ("collection", "pointers not followed", ALL, (("(*element)->number", "(uintptr_t) *element"),)),
    ("stack_copy", "sides swapped", ALL, SWAPPED),
    ("stack_copy", "no copy", ALL, (("depth, struct array a)", "depth, const struct array *a)"),
                                    ("a.element", "a->element"), ("0, f->array)", "0, &f->array)"))),
    ("stack_copy_growable", "no copy", ALL, (("struct array a)", "const struct array *a)"),
                                             ("(a.element[0] + a.element[ELEMENTS - 1])", "(a->element[0] + 1)"),
                                             ("0, j->f->array", "0, &j->f->array"))),
    ("stack_copy_growable", "no check within", ALL, (("sum += walk_value(", "sum += AMP_NAME_(walk_value, _body)("),)),
    ("stack_check", "no check within", ALL, (("WALK(walk_checked)", "WALK(walk_checked_body)"),)),
    ("stack_check", "another body", ALL, (("    WALK(walk)", "    { element++; WALK(walk) }"),)),
    ("trace_mark", "no mark", ALL, (('AMP_TRACE("operation")', ""),)),
    ("trace_mark", "two marks", ALL, (('AMP_TRACE("operation")', 'AMP_TRACE("operation"); AMP_TRACE("again")'),)),
    ("stack_copy", "a loop by hand", ALL, (
        ("if (depth + 1 < DEPTH)\n        sum += walk_pointer(s, trail, depth + 1, a)",
         "while (++depth < DEPTH)\n        sum += visit(trail, depth, s)"),)),
    ("stack_copy", "a loop by the compiler", GCC, (("amp_keep(s);", ""),)),
    ("stack_copy", "no recursion", ALL, (("depth + 1 < DEPTH", "depth > DEPTH && ops_are_never_so_many"),
                                         ("#define DEPTH 10", "#define DEPTH 10\n#define ops_are_never_so_many 0"))),
    ("known_work", "half the loads", ALL, ((" + (words[4] | words[5] | words[6] | words[7])", ""),)),
    ("known_work", "one store", ALL, (("words[0] = words[1] = words[2] = words[3] = 0", "words[0] = 0"),)),
    ("known_work", "no branch", ALL, (("if (amp_random_next(&state) >> 63)", "if ((amp_random_next(&state), 1))"),)),
    ("known_work", "a line read twice", ALL, (("*read + 1)", "*read + *read + 1)"),)),
    ("known_work", "freed at once", ALL, (("        amp_keep(p);\n        free(p);", "        amp_keep(p);"),)),
    ("known", "steps joined", CLANG, (('__asm__ volatile("" : "+r"(word));', ""),)),
    ("known", "a loop in a loop", ALL, (("for (uint64_t i = ops * chain->steps; i > 0; i--)",
                                         "while (ops-- > 0) for (uint64_t i = chain->steps; i > 0; i--)"),)),
    ("null", "callees differ", ALL, (("KERNEL(run_value, take_value)",
                                      "#define second first\nKERNEL(run_value, take_value)\n#undef second"),)),
    ("null", "one function", ALL, ((".pointer = { run_pointer", ".pointer = { run_value"),
                                   ("KERNEL(run_pointer, take_pointer)", ""))),
    ("null", "merged", GCC, (("static AMP_NOINLINE", "static __attribute__((noinline))"),)),
    ("null", "two functions at one address", ALL, ((".value = { run,", ".value = { run_value,"),)),
    ("null", "empty is removed", ALL, (('__asm__ volatile("");', ";"),)),
]


@pytest.mark.parametrize("compiler,lesson,changes", [
    pytest.param(compiler, lesson, changes, id=f"{compiler}-{lesson}-{name}".replace(" ", "_"))
    for lesson, name, compilers, changes in MUTANTS for compiler in compilers])
def test_mutant_is_caught(compiler, lesson, changes):
    made = compiled(compiler, lesson, changes)
    with pytest.raises(AssertionError):
        CHECKS[lesson](made)
