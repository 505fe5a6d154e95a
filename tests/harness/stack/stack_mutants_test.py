# SPDX-License-Identifier: MIT
"""Mutants of the growable stack: of its assembly, of the relocation, of the growth, of the memory below. Each must be
killed by a unit test; one that lives is something that no test would notice."""
import os
import platform
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from stack_parts import PARTS, ROOT, STACK, compile_object, link, needs, parts
from waiting import HANGS_S

TESTS = ("relocate", "stack", "stack_around", "stack_kernels")
only_x86_64 = pytest.mark.skipif(platform.machine() != "x86_64", reason="mutates the assembly of x86-64")
ASSEMBLY, RELOCATE, GROW, SLAB = "stack_x86_64.S", "relocate.c", "stack.c", "slab.c"


def not_restored(block, register):
    """In a macro or function of the assembly: leave the register as it is, and what was saved of it."""
    return (ASSEMBLY, f"{block}: {register} not restored", block, f"RESTORE {register}",
            "addq $8, %rsp\n        .cfi_adjust_cfa_offset -8")


MUTANTS = [
    *(not_restored("RESTORE_MORE", register)
      for register in "rbx rbp rcx rdx rsi rdi r8 r9 r12 r13 r14 r15".split()),
    *(not_restored("RESTORE_SWITCH", register) for register in "rbx rbp r12 r13 r14 r15".split()),
    *((ASSEMBLY, f"xmm{n} not restored", "RESTORE_MORE", f"movaps  {16 * n or ''}(%rsp), %xmm{n}", "")
      for n in range(8)),
    *((ASSEMBLY, f"xmm{n} not saved", "FUNCTION amp_stack_more", f"movaps  %xmm{n}, {16 * n or ''}(%rsp)", "")
      for n in range(8)),
    (ASSEMBLY, "rax holds no count of vectors", "RESTORE_MORE", "RESTORE rax", "RESTORE rax\n        xorl %eax, %eax"),
    (ASSEMBLY, "grow() on the old stack", "FUNCTION amp_stack_more",
     "movq    HOST_SP(%rbx), %rsp\n        movq    HOST_LIMIT",
     "movq    HOST_LIMIT"),
    (ASSEMBLY, "limit of the host not set for grow()", "FUNCTION amp_stack_more",
     "SET_LIMIT(%rcx, %rdi)\n        movq    %rbx, %rdi", "movq    %rbx, %rdi"),
    (ASSEMBLY, "limit of the new stack not set", "FUNCTION amp_stack_more",
     "SET_LIMIT(%rcx, %rdx)\n        .cfi_remember_state", ".cfi_remember_state"),
    (ASSEMBLY, "the old stack goes on", "FUNCTION amp_stack_more",
     "movq    %rax, %rsp\n        .cfi_def_cfa_register rsp",
     "movq    %rbp, %rsp\n        .cfi_def_cfa_register rsp"),
    (ASSEMBLY, "failure not noticed", "FUNCTION amp_stack_more", "testq   %rax, %rax\n        jz      1f", ""),
    (ASSEMBLY, "abandon says that all is well", "FUNCTION amp_stack_more", "movl    $-1, %eax", "movl    $0, %eax"),
    (ASSEMBLY, "abandon leaves the stack current", "FUNCTION amp_stack_more", "TO_HOST", ""),
    (ASSEMBLY, "host_sp not on top for unwinders", "FUNCTION amp_stack_enter", "movq    %rsp, -TOP_B(%rax)", ""),
    (ASSEMBLY, "limit not set by enter", "FUNCTION amp_stack_enter", "SET_LIMIT(%rax, %rcx)", ""),
    (ASSEMBLY, "current not set by enter", "FUNCTION amp_stack_enter", "movq    %rdi, %fs:(%rcx)", ""),
    (ASSEMBLY, "previous not kept", "FUNCTION amp_stack_enter", "movq    %rax, PREVIOUS(%rdi)", ""),
    (ASSEMBLY, "no way back from boot for unwinders", "FUNCTION amp_stack_boot",
     ".cfi_escape 0x0f, 5, 0x77, 0, 0x06, 0x23",
     ".cfi_escape 0x0f, 5, 0x77, 8, 0x06, 0x23"),
    (ASSEMBLY, "result lost", "FUNCTION amp_stack_boot", "movq    %rax, VALUE(%rbx)", ""),
    (ASSEMBLY, "boot leaves the limit", "FUNCTION amp_stack_boot", "TO_HOST", ""),
    (ASSEMBLY, "argument lost", "FUNCTION amp_stack_boot", "movq    ARG(%rbx), %rdi", ""),
    (ASSEMBLY, "yield without its value", "FUNCTION amp_stack_yield", "movq    %rdi, VALUE(%rbx)", ""),
    (ASSEMBLY, "yield leaves the limit", "FUNCTION amp_stack_yield", "TO_HOST", ""),
    (ASSEMBLY, "yield on the host stack", "FUNCTION amp_stack_yield", "jz      1f", ""),
    (ASSEMBLY, "yield looks like a return", "FUNCTION amp_stack_yield", "movl    $1, %eax", "movl    $0, %eax"),
    (ASSEMBLY, "call leaves the host's limit", "FUNCTION amp_stack_call", "SET_LIMIT(%rcx, %rdx)", ""),
    (ASSEMBLY, "call leaves the host current", "FUNCTION amp_stack_call", "movq    %rbx, %fs:(%rcx)", ""),
    (ASSEMBLY, "call on the growable stack", "FUNCTION amp_stack_call", "movq    HOST_SP(%rbx), %rsp\n        call",
     "call"),
    (ASSEMBLY, "call keeps no rbx", "FUNCTION amp_stack_call", "movq    -8(%rbp), %rbx", ""),
    (ASSEMBLY, "call with the stack's limit", "FUNCTION amp_stack_call", "TO_HOST", ""),
    (RELOCATE, "the byte beyond the stack is in it", "adjust(", "word[i] - low < size", "word[i] - low <= size"),
    (RELOCATE, "the lowest byte is not", "adjust(", "word[i] - low < size", "word[i] - low - 1 < size - 1"),
    (RELOCATE, "the highest byte is not", "adjust(", "word[i] - low < size", "word[i] - low < size - 1"),
    (RELOCATE, "the first word not adjusted", "adjust(", "size_t i = 0", "size_t i = 1"),
    (RELOCATE, "the last word not adjusted", "adjust(", "i < n", "i + 1 < n"),
    (RELOCATE, "the wrong way", "adjust(", "word[i] += distance", "word[i] -= distance"),
    (RELOCATE, "not counted", "adjust(", "adjusted++", "adjusted += 2"),
    (RELOCATE, "the rest not adjusted", "size_t amp_stack_relocate", "return adjusted + adjust(out",
     "return adjusted + 0 * adjust(out - blocks_b / 8"),
    (RELOCATE, "the rest not copied", "size_t amp_stack_relocate", "i < (n - blocks_b) / 8",
     "i + 1 < (n - blocks_b) / 8"),
    (RELOCATE, "half of a wide block not looked at", "copy_block_wide", "_mm256_shuffle_ps(c, d, UPPER)",
     "_mm256_shuffle_ps(c, c, UPPER)"),
    (RELOCATE, "other halves of a wide block", "copy_block_wide", "_mm256_shuffle_ps(a, b, UPPER)",
     "_mm256_shuffle_ps(a, b, _MM_SHUFFLE(2, 0, 2, 0))"),
    (RELOCATE, "half of a block not looked at", "copy_half", "_mm_shuffle_ps(c, d, UPPER)",
     "_mm_shuffle_ps(c, c, UPPER)"),
    (RELOCATE, "a wide vector not copied", "copy_block_wide", "_mm256_storeu_ps((float *) (to + 96), d);", ""),
    (RELOCATE, "a vector not copied", "copy_half", "_mm_store_ps((float *) (to + 48), d);", ""),
    (GROW, "sixteen bytes not copied", "static int move", "n = old_hi - sp;", "n = old_hi - sp - 16;"),
    (GROW, "range begins above the registers", "static int move", "n, old, old_b,", "n, old_hi - 64, 64,"),
    (GROW, "distance of the bottoms", "static int move", "s->hi - old_hi)", "s->lo - old)"),
    (GROW, "nothing poisoned", "static int move", "s->policy.modes & AMP_STACK_POISON", "s->policy.modes == 0x1000"),
    (GROW, "the new stack given back", "static int move", "return amp_slab_give(old, old_b);",
     "return amp_slab_give(low, size_b);"),
    (GROW, "half the reserve", "static size_t size_for", "frame_b + AMP_STACK_RESERVE_B",
     "frame_b + AMP_STACK_RESERVE_B / 2"),
    (GROW, "doubled whatever the factor", "static size_t size_for", "size_b *= s->policy.factor", "size_b *= 2"),
    (GROW, "beyond the limit", "static size_t size_for", "size_b > s->policy.limit_b / s->policy.factor",
     "size_b == 0"),
    (GROW, "no reserve below the limit", "static uintptr_t limit_of", "s->lo + AMP_STACK_RESERVE_B", "s->lo"),
    (GROW, "sp in the old stack", "uintptr_t amp_stack_grow", "return sp + (s->hi - hi);", "return sp;"),
    (GROW, "frame not reserved", "uintptr_t amp_stack_grow", "used_b + frame_b - AMP_STACK_TOP_B > s->stats.reserved_b",
     "used_b > s->stats.reserved_b + 1000000"),
    (GROW, "depth never falls", "static unsigned note_depth", "s->depth--", "break"),
    (GROW, "run while in use", "int amp_stack_start", "s->state != AMP_STACK_IDLE", "0"),
    (GROW, "destroyed while it runs", "int amp_stack_destroy", "s->state == AMP_STACK_RUNNING", "0"),
    (GROW, "resumed while it runs", "int amp_stack_resume", "s->state == AMP_STACK_RUNNING", "0"),
    (GROW, "resumed with nothing to do", "int amp_stack_resume", "s->state == AMP_STACK_IDLE)", "0)"),
    (GROW, "canary not looked at after a run", "int amp_stack_resume", "!amp_slab_intact(s->lo)", "0"),
    (GROW, "broken memory used again", "int amp_stack_start", "!amp_slab_intact(s->lo)", "0"),
    (GROW, "an odd size taken", "static const char *refuse", "!is_power_of_two(p->limit_b)", "0"),
    (GROW, "an odd start taken", "static const char *refuse", "!is_power_of_two(p->start_b)", "0"),
    (GROW, "a factor of three taken", "static const char *refuse", "|| !is_power_of_two(p->factor)", ""),
    (SLAB, "half a canary", "bool amp_slab_intact", "&& word[1] == ~(CANARY ^ low)", ""),
    (SLAB, "broken canaries forgiven", "int amp_slab_give", "!amp_slab_intact(low)", "0"),
    (SLAB, "never used again", "int amp_slab_give", "push(link_of(low, size_b), class_of(size_b));", ""),
    (SLAB, "stacks of a slab overlap", "static int more_of", "step = size_b + (gaps ? page : 0)",
     "step = size_b / 2 + (gaps ? page : 0)"),
    (SLAB, "4 GiB not thought of", "static bool crosses_4g", "return at >> 32 !=", "return at >> 32 == 0 &&"),
    (SLAB, "the wrong side of 4 GiB", "static char *map_within_4g", "before >= n", "before >= 2 * n"),
    (SLAB, "what is too much stays", "static char *map_within_4g", "munmap(at, before);", ""),
    (SLAB, "no gaps", "static int more_of", "gaps = size_b >= AMP_SLAB_GAP_FROM_B", "gaps = size_b >= 1 << 24"),
    (SLAB, "nothing given back to the system", "static size_t unmap_all", "total += size_b", "total += 0"),
]


ARM = "stack_aarch64.S"
KILLS_MOST = {ASSEMBLY: "stack_kernels", ARM: "stack_kernels", GROW: "stack"}  # the unit test that comes first
ARM_MUTANTS = [
    *((ARM, f"RESTORE_SWITCH: {pair} not restored", "RESTORE_SWITCH", f"ldp     {pair}, [sp, #{at}]", "")
      for pair,
      at in (("x19, x20", 16), ("x21, x22", 32), ("x23, x24", 48), ("x25, x26", 64), ("x27, x28", 80), ("d8, d9", 96),
             ("d10, d11", 112), ("d12, d13", 128), ("d14, d15", 144))),
    *((ARM, f"more: {pair} not restored", "RESTORE_MORE", f"ldp     {pair}, [sp{at}]", "")
      for pair,
      at in (("q0, q1", ""), ("q2, q3", ", #32"), ("q4, q5", ", #64"), ("q6, q7", ", #96"), ("x0, x1", ", #128"),
             ("x2, x3", ", #144"), ("x4, x5", ", #160"), ("x6, x7", ", #176"))),
    *((ARM, f"more: {pair} not saved", "FUNCTION amp_stack_more", f"stp     {pair}, [sp{at}]", "")
      for pair,
      at in (("q0, q1", ""), ("q6, q7", ", #96"), ("x0, x1", ", #128"), ("x6, x7", ", #176"), ("x8, x10", ", #192"))),
    (ARM, "the old stack goes on", "FUNCTION amp_stack_more", "mov     sp, x0", "mov     sp, x29"),
    (ARM, "limit of the new stack not set", "FUNCTION amp_stack_more", "ldr     x10, [x19, #LIMIT]",
     "ldr     x10, [x9]"),
    (ARM, "failure not noticed", "FUNCTION amp_stack_more", "cbz     x0, 2f", ""),
    (ARM, "abandon leaves the stack current", "FUNCTION amp_stack_more", "TO_HOST", ""),
    (ARM, "host_sp not on top for unwinders", "FUNCTION amp_stack_enter", "stur    x9, [x10, #-TOP_B]", ""),
    (ARM, "result lost", "FUNCTION amp_stack_boot", "str     x0, [x19, #VALUE]", ""),
    (ARM, "yield leaves the stack current", "FUNCTION amp_stack_yield", "TO_HOST", ""),
    (ARM, "call leaves the host current", "FUNCTION amp_stack_call", "str     x19, [x9]", ""),
    (ARM, "call keeps no x19", "FUNCTION amp_stack_call", "ldr     x19, [sp, #16]", ""),
    (RELOCATE, "a vector of NEON not copied", "static inline uint32x4_t copy_half", "vst1q_u32(out + 12, d);", ""),
    (RELOCATE, "lower halves of NEON", "static inline uint32x4_t copy_half", "vuzp2q_u32(a, b)", "vuzp1q_u32(a, b)"),
]


@pytest.fixture(scope="module")
def tests_objects(tmp_path_factory):
    needs("gcc", "gcc")
    folder = tmp_path_factory.mktemp("units")
    return {unit: compile_object("gcc", ROOT / f"tests/harness/stack/{unit}_test.c", folder / f"{unit}.o", "-O2")
            for unit in TESTS}


def mutate(text, block, old, new):
    """Change what stands first after `block`, in the lines up to the end of that macro or function."""
    begin = re.search(rf"^[^\n]*{re.escape(block)}", text, re.M)
    assert begin, f"{block}: is not there"
    end = re.search(r"^(\.endm|END |\})", text[begin.start():], re.M)
    body = text[begin.start():begin.start() + end.start()]
    pattern = re.compile(r"\s+".join(re.escape(word) for word in old.split()) + r"(?![0-9a-z])")
    assert pattern.search(body), f"{old!r} is not in {block}"
    return text[:begin.start()] + pattern.sub(lambda _: new, body, count=1) + text[begin.start() + end.start():]


def lives(folder, mutant, units, compiler="gcc", runner=()):
    """Whether every unit test passes with this mutant."""
    file, _, block, old, new = mutant
    source = folder / file
    source.write_text(mutate((STACK / file).read_text(), block, old, new))
    mutated = compile_object(compiler, source, folder / "mutant.o", "-O2", "-w")
    rest = [made for part, made in zip(PARTS, parts(compiler, "-O2")) if part.name != file]
    for unit in sorted(units, key=lambda unit: unit != KILLS_MOST.get(file, "relocate")):
        program = link(compiler, [units[unit], mutated, *rest], folder / unit)
        try:
            if subprocess.run([*runner, program], capture_output=True, timeout=HANGS_S).returncode:
                return False
        except subprocess.TimeoutExpired:
            return False
    return True


def alive(folder, mutants, units, compiler="gcc", runner=()):
    assert len({mutant[:2] for mutant in mutants}) == len(mutants)
    parts(compiler, "-O2")

    def judge(numbered):
        n, mutant = numbered
        place = folder / str(n)
        place.mkdir()
        return f"{mutant[0]}: {mutant[1]}" if lives(place, mutant, units, compiler, runner) else None

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return "; ".join(name for name in pool.map(judge, enumerate(mutants)) if name)


@only_x86_64
def test_every_mutant_is_killed(tmp_path, tests_objects):
    assert not (names := alive(tmp_path, MUTANTS, tests_objects)), f"alive: {names}"


def test_every_mutant_is_killed_on_aarch64(tmp_path):
    needs("aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu libc6-dev-arm64-cross")
    needs("qemu-aarch64", "qemu-user")
    compiler, runner = "aarch64-linux-gnu-gcc", ("qemu-aarch64", "-L", "/usr/aarch64-linux-gnu")
    units = {unit: compile_object(compiler, ROOT / f"tests/harness/stack/{unit}_test.c", tmp_path / f"{unit}.o", "-O2")
             for unit in TESTS}
    assert not (names := alive(tmp_path, ARM_MUTANTS, units, compiler, runner)), f"alive: {names}"


@only_x86_64
def test_what_is_not_mutated_lives(tmp_path, tests_objects):
    assert lives(tmp_path, (GROW, "", "static int move", "n = old_hi - sp;", "n = old_hi - sp;"), tests_objects)
