# SPDX-License-Identifier: MIT
"""What copies.py reads of structs that are drawn, held to what single steps show (stepping.py): how many bytes one
operation copies, and in which way; by gcc and clang, at -O1 to -O3. AMPERSAND_COPIES=300 draws as many structs; the
suite draws a few."""
import os
import platform
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import stepping

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "harness/copies"), str(ROOT / "harness/lesson")]
pytest.importorskip("capstone", reason="python3-capstone is not installed")
import copies
import lesson_object

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="steps through x86-64 programs")
DRAWN = int(os.environ.get("AMPERSAND_COPIES", "6"))
TOGETHER = 20  # structs of one program
HEAD = """
#define KEEP(p) __asm__ volatile("" : : "r"(p) : "memory")
#define OUT __attribute__((noinline))
"""
# By value as an argument; as a result; into an object; twice.
BODY = """
typedef struct {{ {members} }} S{k};
struct two{k} {{ S{k} a, b; }} __attribute__((aligned(16)));
static struct two{k} two{k};
OUT unsigned long take{k}(S{k} s) {{ KEEP(&s); return 1; }}
OUT S{k} make{k}(const S{k} *s) {{ return *s; }}
#define LOOP{k}(body) unsigned long t = 0; for (; n; n--) {{ KEEP(f); body; }} return t;
OUT unsigned long run_argument{k}(struct two{k} *f, unsigned long n) {{ LOOP{k}(t += take{k}(f->a)) }}
OUT unsigned long run_result{k}(struct two{k} *f, unsigned long n) {{ LOOP{k}(S{k} s = make{k}(&f->a); KEEP(&s)) }}
OUT unsigned long run_stored{k}(struct two{k} *f, unsigned long n) {{ LOOP{k}(f->b = f->a; KEEP(f)) }}
OUT unsigned long run_twice{k}(struct two{k} *f, unsigned long n)
{{ LOOP{k}(S{k} s = f->a; KEEP(&s); t += take{k}(s)) }}
"""
# Through registers a small struct may be put together by shifts: bytes that are copied, but by no move that the reader
# can take for a copy. It tells less there, and is not held to the steps.
IN_REGISTERS_B = 16
# gcc copies structs aligned to less than 8 B by `rep movs` from the next multiple of 8 on: the length depends on
# the address, which the reader says.
ALIGNED_FIRST = "rep movs: of a length that is not known"
KERNELS = ("argument", "result", "stored", "twice")
STOP = """
    for (unsigned long b = 0; b < sizeof two{k}.a; b++) ((unsigned char *) &two{k}.a)[b] = 3 + 7 * b;
    run_{kernel}{k}(&two{k}, 1);
    __asm__ volatile("int3" : : "D"(&two{k}.a), "S"(sizeof two{k}.a), "d"(&two{k}.b) : "memory");
    run_{kernel}{k}(&two{k}, 1);
    __asm__ volatile("int3" : : : "memory");
"""
COMPILERS = [(compiler, level) for compiler in ("gcc", "clang") for level in ("-O1", "-O2", "-O3")]


def members(seed):
    draw = random.Random(seed)
    kinds = draw.choices(("char", "short", "int", "long", "double", "float"), k=draw.randint(1, 6))
    most = draw.choice((1, 2, 8, 40))
    return " ".join(f"{kind} m{k}[{draw.randint(1, most)}];" for k, kind in enumerate(kinds))


def source(seeds):
    body = "".join(BODY.format(k=seed, members=members(seed)) for seed in seeds)
    stops = "".join(STOP.format(k=seed, kernel=kernel) for seed in seeds for kernel in KERNELS)
    return f"{HEAD}{body}\n#ifdef MAIN\nint main(void)\n{{{stops}    return 0;\n}}\n#endif\n"


def built(folder, seeds, compiler, level):
    if not shutil.which(compiler):
        pytest.skip(f"{compiler} is not installed")
    (folder / "kernels.c").write_text(source(seeds))
    common = [compiler, level, "-w", "-fno-stack-protector", "-ffunction-sections", "-fcf-protection=none",
              "-fno-builtin-memset"]
    subprocess.run([*common, "-fPIC", "-c", folder / "kernels.c", "-o", folder / "kernels.o"], check=True)
    subprocess.run([*common, "-fPIC", "-DMAIN", "-fno-inline", folder / "kernels.c", "-static", "-Wl,-u,memcpy", "-o",
                    folder / "kernels"], check=True)
    return lesson_object.Object(str(folder / "kernels.o"))


def own_code(program):
    """Whether an address is of the program's own functions, and not of the C library."""
    listed = subprocess.run(["nm", "-S", program], capture_output=True, text=True, check=True).stdout
    ranges = []
    for line in listed.splitlines():
        at, size, _, name = (*line.split(), "")[:4] if len(line.split()) == 4 else ("0", "0", "", "")
        if name.startswith(("run_", "take", "make", "main")):
            ranges.append(range(int(at, 16), int(at, 16) + int(size, 16)))
    return lambda address: any(address in one for one in ranges)


def drawn():
    return [range(first, min(first + TOGETHER, DRAWN)) for first in range(0, DRAWN, TOGETHER)]


@pytest.mark.parametrize("compiler, level", COMPILERS)
@pytest.mark.parametrize("seeds", drawn(), ids=str)
def test_single_steps_see_the_same_copies(tmp_path, seeds, compiler, level):
    lesson = built(tmp_path, seeds, compiler, level)
    sections = {symbol.name: symbol.section for symbol in lesson.symbols if symbol.section is not None}
    try:
        seen = stepping.watch(str(tmp_path / "kernels"), own_code(tmp_path / "kernels"))
    except stepping.NotAllowed as why:
        pytest.skip(f"ptrace: {why}")
    assert len(seen) == len(KERNELS) * len(seeds)
    wrong = []
    for (seed, kernel), stepped in zip(((seed, kernel) for seed in seeds for kernel in KERNELS), seen):
        found, _ = copies.read(lesson, sections[f"run_{kernel}{seed}"])
        if stepped.size_b <= IN_REGISTERS_B and kernel != "stored":
            continue
        complaint = compare(found, stepped)
        if complaint:
            wrong.append(f"{kernel} of {{{members(seed)}}} ({stepped.size_b} B): {complaint}")
    assert not wrong, "\n".join(wrong)


def compare(found, stepped):
    """What differs; None: nothing."""
    whys = {one["why"] for one in found if one["how"] == "not told"}
    if whys == {ALIGNED_FIRST} and "rep movs" in stepped.ways:
        return None
    if whys:
        return f"not told: {found}"
    ways, n = {one["how"] for one in found}, sum(one["bytes"] for one in found)
    if n != stepped.bytes:
        return f"{n} B read ({', '.join(ways)}), {stepped.bytes} B stepped ({', '.join(stepped.ways)})"
    # Of moves that overlap, only what is new can be seen: the last may seem narrower than it is.
    if ways - {"moves"} != stepped.ways - {"moves"}:
        return f"{ways} read, {stepped.ways} stepped"
    return None
