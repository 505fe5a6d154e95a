# SPDX-License-Identifier: MIT
"""The lessons, run: both sides give one checksum, for whatever count of operations, and it is the right one.

A lesson is linked into a module and called through its table of pairs."""
import ctypes
import shutil
import subprocess
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_size_t, c_uint64, c_uint, c_void_p
from fractions import Fraction
from pathlib import Path

import pytest

from checksums import CHECKSUMS, OF_BYTES
from places import LESSONS as FILES, ROOT

FLAGS = "-std=c11 -D_GNU_SOURCE -O1 -fPIC -Wall -Wextra -Werror".split()
LIBRARIES = ["-Wl,--as-needed", "-ljansson"]  # what a lesson may measure beside the C library
PARTS = {"lto": [ROOT / "benchmarks/build/lto_callees.c"],
         "trace_mark": [Path(__file__).parent / "marks_here.c"]}
COLLECTED = [lesson for lesson, file in FILES.items() if file.startswith("benchmarks/collected/")]
KIB, MIB = 1 << 10, 1 << 20
LESSONS = sorted(FILES)
STACK = [*(ROOT / "harness/stack").glob("*.c"), *(ROOT / "harness/stack").glob("*.S")]
COLLECTOR = sorted((ROOT / "harness/gc").glob("*.c"))
U64 = (1 << 64) - 1


class Side(Structure):
    _fields_ = [("run", CFUNCTYPE(c_uint64, c_void_p, c_uint64)),
                ("allocs_per_op", c_uint64), ("bytes_per_op", c_uint64), ("calls", c_char_p), ("copied_b_per_op", c_uint64),
                ("set_up", CFUNCTYPE(c_void_p, c_size_t)), ("tear_down", CFUNCTYPE(None, c_void_p)),
                ("label", c_char_p), ("budget", c_void_p), ("collected", CFUNCTYPE(None, c_void_p, c_void_p))]


class Claim(Structure):
    _fields_ = [("faster", c_char_p), ("from_", c_size_t), ("to", c_size_t), ("text", c_char_p), ("abi", c_char_p)]


class Pair(Structure):
    _fields_ = [("name", c_char_p), ("question", c_char_p), ("value", Side), ("pointer", Side),
                ("sizes", POINTER(c_size_t)), ("threads", c_uint), ("size_unit", c_char_p), ("floor", c_uint),
                ("observed_by", c_char_p), ("claims", POINTER(Claim)), ("n_claims", c_size_t), ("truth", c_char_p),
                ("prefer", c_char_p)]


# Opens the table that the harness reads, and holds the classes above against the header.
TABLE = f"""#include "harness/kernel.h"
_Static_assert(offsetof(struct amp_pair, value) == {Pair.value.offset}, "value");
_Static_assert(offsetof(struct amp_pair, pointer) == {Pair.pointer.offset}, "pointer");
_Static_assert(offsetof(struct amp_pair, sizes) == {Pair.sizes.offset}, "sizes");
_Static_assert(offsetof(struct amp_pair, threads) == {Pair.threads.offset}, "threads");
_Static_assert(offsetof(struct amp_pair, prefer) == {Pair.prefer.offset}, "prefer");
_Static_assert(offsetof(struct amp_side, set_up) == {Side.set_up.offset}, "set_up");
_Static_assert(sizeof(struct amp_side) == {ctypes.sizeof(Side)}, "side");
_Static_assert(offsetof(struct amp_claim, abi) == {Claim.abi.offset}, "abi");
_Static_assert(sizeof(struct amp_claim) == {ctypes.sizeof(Claim)}, "claim");
extern const struct amp_pair *const __start_amp_pairs[] __attribute__((visibility("hidden")));
extern const struct amp_pair *const __stop_amp_pairs[] __attribute__((visibility("hidden")));
const struct amp_pair *pair_at(size_t k);
const struct amp_pair *pair_at(size_t k)
{{
    return k < (size_t) (__stop_amp_pairs - __start_amp_pairs) ? __start_amp_pairs[k] : NULL;
}}
"""


class Fixture:
    """One side of a row, set up; run(ops) returns its checksum."""

    def __init__(self, side, size):
        self.side, self.memory = side, side.set_up(size) if side.set_up else None

    def __enter__(self):
        return self

    def run(self, ops):
        return self.side.run(self.memory, ops)

    def __exit__(self, *_):
        if self.side.tear_down:
            self.side.tear_down(self.memory)


def sizes_of(pair):
    sizes = []
    while pair.sizes[len(sizes)]:
        sizes.append(pair.sizes[len(sizes)])
    return sizes


def library(folder, name, sources, *others):
    """One for all modules that are loaded here, as in the program: what a thread runs on is known once a process."""
    made = folder / f"lib{name}.so"
    if not made.exists():
        subprocess.run(["cc", *FLAGS, "-O2", "-I", ROOT, "-shared", "-o", made, *sources, *others, "-pthread"], check=True)
    return made


def libraries(folder, lesson):
    if lesson in COLLECTED:
        stack = library(folder, "ampstack", STACK)
        return [library(folder, "ampgc", COLLECTOR, stack), stack]
    return [library(folder, "ampstack", STACK)] if lesson.startswith("stack_") else []


def link(folder, compiler, lesson, *flags):
    module, table, source = folder / f"{lesson}.{compiler}.so", folder / "table.c", ROOT / FILES[lesson]
    table.write_text(TABLE)
    parts = [*PARTS.get(lesson, ()), *libraries(folder, lesson)]
    subprocess.run([compiler, *FLAGS, *flags, "-I", ROOT, "-shared", "-Wl,-z,now", "-o", module, source, *parts, table,
                    *LIBRARIES], check=True)
    pair_at, pairs = ctypes.CDLL(str(module)).pair_at, []
    pair_at.argtypes, pair_at.restype = [c_size_t], POINTER(Pair)
    while found := pair_at(len(pairs)):
        pairs.append(found.contents)
    return pairs


@pytest.fixture(scope="module")
def pairs_of(tmp_path_factory):
    folder, made = tmp_path_factory.mktemp("lessons"), {}

    def get(compiler, lesson):
        if not shutil.which(compiler):
            pytest.skip(f"{compiler} is not here: apt-get install {compiler}")
        if (compiler, lesson) not in made:
            made[compiler, lesson] = link(folder, compiler, lesson)
        return made[compiler, lesson]
    return get


def rows_of(pairs):
    return [(pair, size) for pair in pairs for size in sizes_of(pair)]


both_compilers = pytest.mark.parametrize("compiler", ["gcc", "clang"])


@both_compilers
@pytest.mark.parametrize("lesson", LESSONS)
@pytest.mark.parametrize("counts", [(1,), (2,), (3,), (1000,), (1, 2, 3, 1000), (400, 0, 600)], ids=str)
def test_sides_agree(pairs_of, compiler, lesson, counts):
    """From fresh fixtures, in one run or in several, one after the other."""
    for pair, size in rows_of(pairs_of(compiler, lesson)):
        if (size > 2 * MIB or lesson == "cold") and counts != (1000,):
            continue  # the fixtures take long to make
        counts = tuple(min(ops, 30) for ops in counts) if lesson in WHOLE_COLLECTIONS else counts
        with Fixture(pair.value, size) as value, Fixture(pair.pointer, size) as pointer:
            for ops in counts:
                sums = value.run(ops), pointer.run(ops)
                assert sums[0] == sums[1], f"{pair.name.decode()}/size={size} after {ops} of {counts}: {sums}"


@both_compilers
@pytest.mark.parametrize("lesson", CHECKSUMS)
@pytest.mark.parametrize("ops", [1, 7, 1000])
def test_checksum_is_right(pairs_of, compiler, lesson, ops):
    for pair, size in rows_of(pairs_of(compiler, lesson)):
        if size > 2 * MIB:
            continue
        for side in (pair.value, pair.pointer):
            with Fixture(side, size) as fixture:
                ops = min(ops, 30) if lesson in WHOLE_COLLECTIONS else ops
                assert fixture.run(ops) == CHECKSUMS[lesson](pair.name.decode(), size, ops) & U64, (pair.name, size)


@both_compilers
def test_collection_wraps_round(pairs_of, compiler):
    """A walk in strides that do not divide the set meets the same elements as one long walk."""
    pair = pairs_of(compiler, "collection")[0]
    size = sizes_of(pair)[0]
    for side in (pair.value, pair.pointer):
        with Fixture(side, size) as strides:
            total = sum(strides.run(ops) for ops in [255, 1, 1, 100, 256, 513, 2000])
        assert total == CHECKSUMS["collection"]("collection", size, 255 + 1 + 1 + 100 + 256 + 513 + 2000)


@both_compilers
def test_stack_copy_notes_the_address_at_each_depth(pairs_of, compiler):
    """A C stack stands still: ten notes, all the same, of an address on it."""
    for pair, size in rows_of(pairs_of(compiler, "stack_copy")):
        for side in (pair.value, pair.pointer):
            with Fixture(side, size) as fixture:
                notes = (c_void_p * 10).from_address(fixture.memory)
                assert list(notes) == [None] * 10
                fixture.run(1)
                assert len(set(notes)) == 1 and notes[0] is not None
                stack = next(line for line in Path("/proc/self/maps").read_text().splitlines() if "[stack]" in line)
                low, high = (int(edge, 16) for edge in stack.split()[0].split("-"))
                assert low <= notes[0] < high


@both_compilers
def test_a_growing_stack_moves_the_string(pairs_of, compiler):
    """Where it moves follows from Go's rule and the frames, see also stack_moves_test.py: at 1024 before the third and
    the seventh call; at 1 nowhere. Once grown it stands still, unless each operation has a new stack."""
    for pair, size in rows_of(pairs_of(compiler, "stack_copy_growable") + pairs_of(compiler, "stack_copy_fresh")):
        for name, side in (("value", pair.value), ("pointer", pair.pointer)):
            with Fixture(side, size) as fixture:
                fixture.run(1)
                first = list((c_void_p * 10).from_address(fixture.memory))
                fixture.run(1)
                again = list((c_void_p * 10).from_address(fixture.memory))
            moves = [depth for depth in range(1, 10) if first[depth] != first[depth - 1]]
            if name == "pointer" or size == 1:
                assert moves == []
            if name == "value" and size == 1024:
                assert moves == [2, 6]
            if pair.name == b"stack_copy_growable":
                assert again == [first[-1]] * 10
            else:
                assert [depth for depth in range(1, 10) if again[depth] != again[depth - 1]] == moves


@both_compilers
@pytest.mark.parametrize("lesson,name,size,steps", [
    ("known", "known_half", 1000, 1005), ("known", "known_one", 1000, 1010), ("known", "known_five", 1000, 1050),
    *(("known_work", f"known_{work}", 100, 102) for work in ("loads", "stores", "branches", "misses", "malloc"))])
def test_known_has_the_steps_that_it_says(pairs_of, compiler, lesson, name, size, steps):
    pair = next(pair for pair in pairs_of(compiler, lesson) if pair.name.decode() == name)
    assert sizes_of(pair) == [size] and Fraction(pair.truth.decode()) == Fraction(steps, size)
    for side, want in ((pair.value, size), (pair.pointer, steps)):
        with Fixture(side, size) as fixture:
            assert c_uint64.from_address(fixture.memory).value == want
    assert address(pair.value.run) == address(pair.pointer.run)


def address(function):
    return ctypes.cast(function, c_void_p).value


@both_compilers
@pytest.mark.parametrize("name,one", [("null", True), ("null_placed", False), ("empty", True)])
def test_null_pairs_have_one_address_or_two(pairs_of, compiler, name, one):
    pair = next(pair for pair in pairs_of(compiler, "null") if pair.name.decode() == name)
    assert (address(pair.value.run) == address(pair.pointer.run)) is one


WORDS = [8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 264, 384, 512, 1024, 1536, 2048, 4096, 4112, 8192, 16384, 32768,
         65536]  # sizes in bytes, of whole words
RETURNED = [8, 16, 24, 32, 48, 64, 256, 264, 1024, 4096]
STACK_OBJECT_B = 216  # AMP_STACK_OBJECT_B
TABLES = {  # pairs and their sizes, in the order of the file, whatever the compiler
    "pass": [("pass", [n]) for n in WORDS],
    "pass_bytes": [("pass_bytes", [n]) for n in (8, 16, 17, 24, 32, 256, 257)],
    "pass_inlined": [("pass_inlined", [64]), ("pass_inlined", [4096])],
    "pass_read": [(f"pass_read_{share}", [n]) for n in (8, 16, 24, 32, 64, 128, 256, 264, 1024, 4096)
                  for share, least in (("one", 8), ("quarter", 64), ("half", 32), ("all", 16)) if n >= least],
    "pass_read_double": [(f"pass_read_{share}_double", [n]) for n in (8, 16, 24, 32, 64, 256, 1024)
                         for share, least in (("one", 8), ("quarter", 64), ("half", 32), ("all", 16)) if n >= least],
    "pass_write": [("pass_write", [n]) for n in (8, 16, 32, 64, 256, 1024)],
    "pass_made": [("pass_made", [n]) for n in (16, 24, 64, 256)],
    "pass_depth": [("pass_depth", [1, 2, 4, 8])],
    "pass_registers": [("pass_mixed", [16]), ("pass_pressure", [16])],
    "pass_alias": [(name, [n]) for n in (16, 64) for name in ("pass_alias", "pass_alias_restrict")],
    "latency": [("latency", [n]) for n in (16, 64, 256, 1024)],
    "factory": [("factory", [n]) for n in WORDS],
    "return_out": [(name, [n]) for n in RETURNED for name in ("return_out", "return_out_stored")],
    "factory_inlined": [("factory_inlined", [64]), ("factory_inlined", [4096])],
    "mutate": [("mutate", [n]) for n in WORDS],
    "store_forward": [("store_forward", [n]) for n in (1, 2, 4)],
    "zero_value": [("zero_value", [n]) for n in (64, 4096, 65536)],
    "frame_reuse": [("frame_reuse", [64]), ("frame_reuse", [4096])],
    "stack_copy": [("stack_copy", [n]) for n in (1, 16, 64, 256, 1024)],
    "stack_copy_growable": [("stack_copy_growable", [n]) for n in (1, 16, 64, 256, 1024)],
    "stack_copy_fresh": [("stack_copy_fresh", [n]) for n in (1, 16, 64, 256, 1024)],
    "stack_check": [("stack_check", [1])],
    "indirect_assignment": [("indirect_assignment", [1]), ("indirect_assignment", [4])],
    "construct_shared": [("construct_shared", [64]), ("construct_shared", [1024])],
    "function_value": [("function_value", [16, 1024]), ("function_value_inlined", [16, 1024])],
    "container_store": [("container_store", [32]), ("container_store", [1024])],
    "interface": [(name, [n]) for n in (16, 1024) for name in ("interface", "interface_dispatch")],
    "buffer": [(name, [n]) for n in (64, 16384) for name in ("buffer_reserve", "buffer_frame")],
    "decode": [("decode", [4]), ("decode", [16]), ("decode", [64])],
    "unknown_size": [(name, [n]) for n in (64, 4096) for name in ("unknown_size", "unknown_size_constant")],
    "too_large": [("too_large", [KIB]), ("too_large_first_touch", [KIB]), ("too_large", [64 * KIB]),
                  ("too_large_first_touch", [64 * KIB]), ("too_large", [4 * MIB])],
    "copy_limit": [("copy_limit", [1024]), ("copy_limit", [4096]), ("copy_limit", [65536])],
    "collection": [("collection", [k * KIB for k in (16, 128, 512, 2048, 8192, 24576, 65536, 131072)]),
                   ("collection_shuffled", [128 * KIB, 64 * MIB])],
    "collection_list": [("collection_list", [16 * KIB, 64 * KIB, 8 * MIB])],
    "collection_insert": [("collection_insert", [16, 256, 65536])],
    "collection_sort": [("collection_sort", [n]) for n in (8, 64, 1024)],
    "hash_map": [("hash_map", [64, 65536]), ("map_handle", [64, 256, 65536])],
    "lifetime": [(name, [n]) for n in (64, 4096) for name in ("lifetime", "lifetime_reuse")],
    "arena_mixed": [("arena_mixed", [64])],
    "factory_aged": [("factory_aged", [64]), ("factory_aged", [1024])],
    "zeroed": [("zeroed", [64]), ("zeroed", [4096]), ("zeroed", [65536])],
    "cold": [("pass_cold", [64]), ("factory_cold", [64]), ("pass_cold_part", [512]),
             *((name, [n]) for n in (4096, 8192) for name in ("pass_cold", "factory_cold"))],
    "lto": [(name, [n]) for n in (64, 4096) for name in ("pass_lto", "factory_lto")],
    "thread_send": [(name, [n]) for n in (16, 1024, 16384) for name in ("thread_send", "thread_send_pool")],
    "false_sharing": [("false_sharing", [8, 128]), ("false_sharing_visible", [128])],
    "thread_start": [("thread_start", [64]), ("thread_start", [16384])],
    "trace_mark": [("trace_mark", [8]), ("trace_mark_recorded", [1000])],
    "write_barrier": [("write_barrier", [8])],
    "write_barrier_marking": [("write_barrier_marking", [1024])],
    "loop_check": [("loop_check", [8 * KIB])],
    "mark": [(f"mark_{shape}", [256 * KIB, 4 * MIB]) for shape in ("values", "layout", "pointers", "order", "list", "tree")],
    "allocate": [(name, [64]) for name in ("call_collected", "reuse_collected", "arena_collected")],
    "gogc": [(name, [n * KIB]) for n in (64, 512) for name in ("gogc", "gogc_values")],
    "known": [(name, [1000]) for name in ("known_half", "known_one", "known_five")],
    "known_work": [(f"known_{name}", [100]) for name in ("loads", "stores", "branches", "misses", "malloc")],
    "null": [("null", [16]), ("null_placed", [16]), ("empty", [1])],
}
DECODING = {4: (58, 2529), 16: (191, 8441), 64: (721, 32345)}  # items: what jansson 2.14 allocates, and how many bytes
# Of the pairs that allocate: size -> allocations and bytes an operation, of the value side and the pointer's.
ALLOCATIONS = {
    "factory": lambda n: ((0, 0), (1, n)), "factory_inlined": lambda n: ((0, 0), (1, n)),
    "factory_lto": lambda n: ((0, 0), (1, n)), "factory_cold": lambda n: ((0, 0), (1, n)),
    "frame_reuse": lambda n: ((0, 0), (10, 10 * n)),
    "container_store": lambda n: ((0, 0), (1, n)), "interface": lambda n: ((1, n), (0, 0)),
    "buffer_reserve": lambda n: ((1, n), {64: (1, 64), 16384: (9, 32704)}[n]),
    "buffer_frame": lambda n: ((0, 0), (1, n)), "unknown_size": lambda n: ((0, 0), (1, n)),
    "decode": lambda n: (DECODING[n], (DECODING[n][0] + 1, DECODING[n][1] + 32 + 24 * n)),
    "too_large": lambda n: ((0, 0), (1, n)), "collection_insert": lambda n: ((0, 0), (1, 72)),
    "lifetime": lambda n: ((0, 0), (64, 64 * n)), "lifetime_reuse": lambda n: ((0, 0), (1, n)),
    "thread_send": lambda n: ((0, 0), (1, n)),
    "zeroed": lambda n: ((1, n), (1, n)), "factory_aged": lambda n: ((0, 0), (256, 256 * n)),
    "arena_mixed": lambda n: ((1, n), (64, 64 * n)),
    "known_malloc": lambda _: ((100, 6400), (102, 6528)),
    # Of a collector: as many objects as it has counted.
    "call_collected": lambda n: ((0, 0), (4096, 4096 * n)), "reuse_collected": lambda n: ((0, 0), (4096, 4096 * n)),
    "arena_collected": lambda n: ((16, 4096 * n), (4096, 4096 * n)),
    "gogc": lambda n: ((n // 16, 4 * n),) * 2, "gogc_values": lambda n: ((n // 16, 4 * n),) * 2,
    "stack_copy_fresh": lambda _: ((1, STACK_OBJECT_B), (1, STACK_OBJECT_B)),
}
WHOLE_COLLECTIONS = ("mark", "allocate", "gogc")  # an operation takes tens of microseconds at least
WITH_THREADS = ("thread_send", "false_sharing", "thread_start")
NOTHING_TO_PREFER = ("known", "known_work", "null", "false_sharing_visible")


def test_tables_are_of_the_same_lessons():
    """A lesson that is in no table yet is held by the tests that ask nothing of it but that its sides agree."""
    assert set(TABLES) == set(CHECKSUMS) and set(TABLES) <= set(LESSONS)


@both_compilers
@pytest.mark.parametrize("lesson", TABLES)
def test_table_of_pairs(pairs_of, compiler, lesson):
    pairs = pairs_of(compiler, lesson)
    assert [(pair.name.decode(), sizes_of(pair)) for pair in pairs] == TABLES[lesson]
    for pair, size in rows_of(pairs):
        name = pair.name.decode()
        assert pair.question.decode().endswith("?") and pair.threads == (lesson in WITH_THREADS)
        allocates = ALLOCATIONS.get(name, lambda _: ((0, 0), (0, 0)))(size)
        assert tuple((side.allocs_per_op, side.bytes_per_op) for side in (pair.value, pair.pointer)) == allocates, name
        for side in (pair.value, pair.pointer):
            assert bool(side.set_up) == bool(side.tear_down)
        if lesson not in NOTHING_TO_PREFER and name not in NOTHING_TO_PREFER:
            claims = pair.claims[:pair.n_claims]
            assert claims, name
            for claim in claims:
                assert claim.text.decode().endswith(".") and claim.faster in (b"value", b"pointer", b"neither"), name
                assert claim.to == 0 or claim.from_ <= claim.to, name
            if pair.prefer:
                assert pair.prefer.decode().endswith("."), name
        if pair.observed_by:
            assert pair.observed_by in [other.name for other in pairs], name


class Collected(Structure):
    _fields_ = [(name, c_uint64) for name in ("allocs", "frees", "bytes", "live_b", "peak_b")]


@both_compilers
@pytest.mark.parametrize("lesson", [lesson for lesson in COLLECTED if any(pair in ALLOCATIONS for pair, _ in TABLES[lesson])])
def test_a_collector_counts_what_is_declared(pairs_of, compiler, lesson):
    """And frees all of it, but for what the stack still shows; a heap that may grow more grows more."""
    for pair, size in rows_of(pairs_of(compiler, lesson)):
        for side in (pair.value, pair.pointer):
            with Fixture(side, size) as fixture:
                before, after = Collected(), Collected()
                fixture.run(1)
                side.collected(fixture.memory, ctypes.byref(before))
                fixture.run(3)
                side.collected(fixture.memory, ctypes.byref(after))
            assert after.allocs - before.allocs == 3 * side.allocs_per_op
            assert after.bytes - before.bytes == 3 * side.bytes_per_op
            assert abs((after.frees - before.frees) - 3 * side.allocs_per_op) <= 3
            grown_b = after.peak_b - before.live_b
            assert grown_b >= side.bytes_per_op // (4 if side.label == b"GOGC 100" else 1)
            if side.label == b"GOGC 100":
                assert grown_b < side.bytes_per_op // 2


@both_compilers
@pytest.mark.parametrize("lesson",
                         ["pass", "factory", "return_out", "mutate", "container_store", "interface", "thread_send", "zero_value",
                                    "frame_reuse", "construct_shared", "collection_sort", "copy_limit", "lifetime"])
def test_template_over_a_type_of_ones_own(tmp_path, compiler, lesson):
    """With AMP_SUBJECT given, the lesson is about that type alone; padding at its end is not looked at."""
    if not shutil.which(compiler):
        pytest.skip(f"{compiler} is not here: apt-get install {compiler}")
    (tmp_path / "order.h").write_text("struct order { double price; long id; char side; };\n")
    pairs = link(tmp_path, compiler, lesson, "-O2", "-include", tmp_path / "order.h", "-DAMP_SUBJECT=struct order",
                 "-DAMP_SUBJECT_LAST=16")
    assert pairs[0].name.decode() == lesson and all(sizes_of(pair) == [24] for pair in pairs)
    for pair in pairs:
        sums = []
        for side in (pair.value, pair.pointer):
            with Fixture(side, 24) as fixture:
                sums.append(fixture.run(1000))
        # The words that thread_send adds up are those of a type without padding.
        assert sums[0] == sums[1] == (sums[0] if lesson == "thread_send" else
                                      OF_BYTES[lesson](pair.name.decode(), 24, 1000) & U64)
