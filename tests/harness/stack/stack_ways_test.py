# SPDX-License-Identifier: MIT
"""The growable stack's unit tests in other ways: compilers and levels of optimisation, AArch64 in an emulator, under
valgrind and AddressSanitizer on the host stack; unwinding by gdb across the switch; frames as the compiler counts them."""
import os
import platform
import re
import sys

import pytest

from stack_parts import ROOT, UNITS, build_unit, call, compile_object, environment, link, needs, parts

pytestmark = pytest.mark.skipif(platform.machine() not in ("x86_64", "aarch64"), reason="no growable stack here")
LEVELS = ("-O0", "-O2", "-O3")


@pytest.mark.parametrize("level", ["-O0", "-O3"])  # the build has them at -O2
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("unit", UNITS)
def test_compilers_and_levels(tmp_path, unit, compiler, level):
    needs(compiler, compiler)
    call(build_unit(tmp_path, compiler, unit, level))


@pytest.mark.skipif(platform.machine() != "x86_64", reason="elsewhere it always is one")
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("unit", UNITS)
def test_limit_in_a_variable(tmp_path, unit, compiler):
    """As with a C library that keeps no word for it."""
    needs(compiler, compiler)
    call(build_unit(tmp_path, compiler, unit, "-O2", "-DAMP_STACK_LIMIT_IS_VARIABLE"))


@pytest.mark.parametrize("level", LEVELS if os.environ.get("AMPERSAND_HEAVY") else ("-O2",))  # an emulator is slow
@pytest.mark.parametrize("unit", UNITS)
def test_aarch64(tmp_path, unit, level):
    needs("aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu libc6-dev-arm64-cross")
    needs("qemu-aarch64", "qemu-user")
    program = build_unit(tmp_path, "aarch64-linux-gnu-gcc", unit, level)
    call("qemu-aarch64", "-L", "/usr/aarch64-linux-gnu", program)


@pytest.mark.parametrize("unit", [unit for unit in UNITS if unit != "stack_use"])  # it knows no trap flag
def test_under_valgrind(tmp_path, unit):
    needs("valgrind", "valgrind")
    program = build_unit(tmp_path, "gcc", unit, "-O1")
    call("valgrind", "-q", "--error-exitcode=9", "--leak-check=full", program, env=environment(AMPERSAND_STACK="host"))


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("unit", UNITS)
def test_under_sanitizers(tmp_path, unit, compiler):
    needs(compiler, compiler)
    (tmp_path / "try.c").write_text("int main(void) { return 0; }\n")
    flags = ("-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
    try:
        link(compiler, [tmp_path / "try.c"], tmp_path / "try", *flags)
    except AssertionError:
        pytest.skip(f"{compiler} has no sanitizers here: apt-get install libclang-rt-14-dev")
    assert "nothing moves" in call(build_unit(tmp_path, compiler, unit, *flags)) or unit != "stack"


# ---- Unwinding

COMMANDS = """set pagination off
set confirm off
break {where}
run
{more}
bt
"""


@pytest.mark.parametrize("unit,where,more,growable", [
    ("stack_around", "take_trace", "continue", {"deep_body"}),  # on the host stack, called from the growable one
    ("stack", "amp_stack_relocate", "ignore 1 30\ncontinue", {"chain_body", "run_chain_body", "run_chain"}),
], ids=["host_call", "growth"])
def test_gdb_unwinds_across(tmp_path, unit, where, more, growable):
    """Frames of the growable stack between frames of the host stack, down to main(), by what the assembly tells."""
    needs("gdb", "gdb")
    program = build_unit(tmp_path, "gcc", unit, "-O1")
    script = tmp_path / "script"
    script.write_text(COMMANDS.format(where=where, more=more))
    text = call("gdb", "-batch", "-nx", "-x", script, program)
    names = re.findall(r"^#\d+ +(?:0x[0-9a-f]+ in )?(<signal handler called>|\w+)", text, re.M)
    assert "corrupt" not in text and "previous frame" not in text, text
    assert names[-1] == "main" and "amp_stack_boot" in names, names
    assert growable & set(names[:names.index("amp_stack_boot")]), names
    assert "amp_stack_resume" in names[names.index("amp_stack_boot"):], names


# ---- Frames

FRAMES = """#include "harness/stack/stack.h"
#include <stdio.h>
#define KEEP(p) __asm__ volatile("" : : "r"(p) : "memory")
struct array {{ long element[{n}]; }};
AMP_GROWS(uint64_t, inner, FRAME_inner, int depth, struct array a)
{{
    uint64_t sum = (uint64_t) a.element[depth];
    if (depth > 0)
        sum += inner(depth - 1, a);
    KEEP(&a);
    return sum;
}}
AMP_GROWS(uint64_t, outer, FRAME_outer, void *arg)
{{
    struct array a = {{ {{ 3 }} }};
    char room[100];
    KEEP(room);
    KEEP(&a);
    uint64_t sum = inner({depth}, a);
    KEEP(arg);
    return sum;
}}
int main(void)
{{
    struct amp_stack_policy policy = AMP_STACK_GO;
    struct amp_stack_stats stats;
    struct amp_stack *stack;
    const char *why;
    policy.modes = AMP_STACK_PROBE;
    policy.limit_b = 1 << 24;
    if (amp_stack_create(&policy, &stack, &why) || amp_stack_run(stack, outer, NULL, NULL))
        return 1;
    amp_stack_stats(stack, &stats);
    printf("%zu\\n", stats.reserved_b);
    return amp_stack_destroy(stack) != 0;
}}
"""


@pytest.mark.skipif(platform.machine() != "x86_64", reason="counts the return address as x86-64 does")
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("n,depth", [(1, 7), (16, 40), (1024, 9)])
def test_reserved_is_the_sum_of_stack_usage(tmp_path, compiler, level, n, depth):
    """The frames of -fstack-usage, declared to the byte. gcc counts the return address into a frame, clang does not."""
    needs(compiler, compiler)
    source = tmp_path / "frames.c"
    source.write_text(FRAMES.format(n=n, depth=depth))
    flags = [level, "-fstack-usage"] + ["-maccumulate-outgoing-args"] * (compiler == "gcc")
    usage = {}
    for frames in (["-DFRAME_inner=70000", "-DFRAME_outer=70000"], None):
        frames = frames or [f"-DFRAME_{name}={usage[name] - 8}" for name in ("inner", "outer")]
        compile_object(compiler, source, tmp_path / "frames.o", *flags, *frames)
        report = (tmp_path / "frames.su").read_text()
        usage = {name: int(size) + 8 * (compiler == "clang")
                 for name, size in re.findall(r":(\w+)_body\t(\d+)\t", report)}
    reserved = int(call(link(compiler, [tmp_path / "frames.o", *parts(compiler, "-O2")], tmp_path / "frames")))
    assert reserved == usage["outer"] + (depth + 1) * usage["inner"], usage
    assert call(sys.executable, ROOT / "harness/stack/check_growable.py", tmp_path / "frames.o") == ""
