# SPDX-License-Identifier: MIT
"""What registers.py reads: small objects that calls get in registers, by gcc and clang, for x86-64 and AArch64. Oracle:
the ABIs' own rules, which say how many registers an object takes."""
import pytest

pytest.importorskip("capstone", reason="python3-capstone is not installed")
from copies_test import compiled
import registers

KERNEL = """
#ifdef __clang__
#define KEPT used
#else
#define KEPT noipa
#endif
typedef {type} S;
struct fixture {{ S object; S *place; long number; }};
__attribute__((noinline, KEPT)) unsigned long take_value(S s)
{{ __asm__ volatile("" : : "r"(&s) : "memory"); return 1; }}
__attribute__((noinline, KEPT)) unsigned long take_pointer(const S *s)
{{ return *(const unsigned char *) s; }}
__attribute__((noinline, KEPT)) unsigned long take_first(S s)
{{ return *(const unsigned char *) &s; }}
__attribute__((noinline, KEPT)) unsigned long add_up(long a, long b)
{{ return (unsigned long) (a + b); }}
__attribute__((noinline, KEPT)) unsigned long take_nothing(void)
{{ return 1; }}
__attribute__((noinline, KEPT)) unsigned long hand_on(S s)
{{ unsigned long n = take_value(s); __asm__ volatile("" : "+r"(n)); return n; }}
unsigned long run(struct fixture *o, unsigned long n)
{{
    unsigned long t = 0;
    for (; n; n--) {{ __asm__ volatile("" : : "r"(o) : "memory"); t += {call}; }}
    return t;
}}
"""
TYPES = [  # type; (bytes, moves) on x86-64, and on AArch64: None where they are put together from parts, or in memory
    ("long", (8, 1), (8, 1)),
    ("struct { long a, b; }", (16, 2), (16, 2)),
    ("struct { int a, b; }", (8, 1), (8, 1)),
    ("struct { double a; }", (8, 1), (8, 1)),
    ("struct { double a, b; }", (16, 2), (16, 2)),
    ("struct { long a; double b; }", (16, 2), (16, 2)),
    ("struct { float a[4]; }", (16, 2), (16, 4)),
    ("struct { double a[4]; }", None, (32, 4)),
    ("struct { long a[3]; }", None, None),
]
GCC_AND_CLANG = [(compiler, level, []) for compiler in ("gcc", "clang") for level in ("-O1", "-O2")]
ARM = [("clang", "-O2", ["--target=aarch64-linux-gnu", "-ffreestanding"]), ("aarch64-linux-gnu-gcc", "-O2", [])]

def handed(tmp_path, kind, call, compiler, level, target):
    lesson = compiled(tmp_path, KERNEL.format(type=kind, call=call), compiler, level, *target)
    section = next(s.section for s in lesson.symbols if s.name == "run" and s.section)
    return [(one["bytes"], one["moves"]) for one in registers.handed(lesson, section)]


@pytest.mark.parametrize("compiler, level, target", GCC_AND_CLANG + ARM)
def test_objects_go_as_the_abi_says(tmp_path, compiler, level, target):
    for kind, x86, arm in TYPES:
        wanted = arm if target or "aarch64" in compiler else x86
        got = handed(tmp_path, kind, "take_value(o->object)", compiler, level, target)
        assert got == ([wanted] if wanted else []), kind


CALLS = [  # what an operation calls with two longs; what it hands over in registers
    ("take_pointer(&o->object)", []), ("take_nothing()", []),
    ("take_pointer(o->place)", []),  # 8 B are loaded: an address
    ("take_value(*o->place)", [(16, 2)]),
    ("take_first(o->object)", [(16, 2)]),  # all of it goes, though only a byte is read
    ("add_up(o->number, o->number)", [(16, 2)]),  # by lea, which reaches no memory
    ("take_value(o->object) + take_value(o->object)", [(32, 4)]),
    ("hand_on(o->object)", [(32, 4)]),
    ("take_value((S){ o->number, 5 })", [(8, 1)]),  # a constant is loaded from nowhere
    ("take_value((S){ o->number + 1, 5 })", []),    # a new object
]


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("call, wanted", CALLS, ids=[one[0] for one in CALLS])
def test_what_is_handed_over(tmp_path, compiler, call, wanted):
    if compiler == "clang" and "first" in call:
        wanted = [(8, 1)]  # it leaves out what it sees that the callee does not read
    assert handed(tmp_path, "struct { long a, b; }", call, compiler, "-O2", []) == wanted
