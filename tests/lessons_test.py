# SPDX-License-Identifier: MIT
"""The lessons, run: both sides give one checksum, for whatever count of operations, and it is the right one.

A lesson is linked into a module and called through its table of pairs."""
import ctypes
import shutil
import subprocess
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_size_t, c_uint64, c_uint, c_void_p
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FLAGS = "-std=c11 -D_GNU_SOURCE -O1 -fPIC -Wall -Wextra -Werror".split()
LESSONS = sorted(path.stem for path in (ROOT / "benchmarks").glob("*.c"))
STACK = [*(ROOT / "harness/stack").glob("*.c"), *(ROOT / "harness/stack").glob("*.S")]
U64 = (1 << 64) - 1
MIB = 1 << 20


class Side(Structure):
    _fields_ = [("run", CFUNCTYPE(c_uint64, c_void_p, c_uint64)),
                ("allocs_per_op", c_uint64), ("bytes_per_op", c_uint64),
                ("set_up", CFUNCTYPE(c_void_p, c_size_t)), ("tear_down", CFUNCTYPE(None, c_void_p))]


class Pair(Structure):
    _fields_ = [("name", c_char_p), ("question", c_char_p), ("value", Side), ("pointer", Side),
                ("sizes", POINTER(c_size_t)), ("threads", c_uint)]


# Opens the table that the harness reads, and holds the classes above against the header.
TABLE = f"""#include "harness/kernel.h"
_Static_assert(offsetof(struct amp_pair, value) == {Pair.value.offset}, "value");
_Static_assert(offsetof(struct amp_pair, pointer) == {Pair.pointer.offset}, "pointer");
_Static_assert(offsetof(struct amp_pair, sizes) == {Pair.sizes.offset}, "sizes");
_Static_assert(offsetof(struct amp_pair, threads) == {Pair.threads.offset}, "threads");
_Static_assert(offsetof(struct amp_side, set_up) == {Side.set_up.offset}, "set_up");
_Static_assert(sizeof(struct amp_side) == {ctypes.sizeof(Side)}, "side");
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


def stack_library(folder):
    """One for all modules that are loaded here, as in the program: what a thread runs on is known once a process."""
    library = folder / "libampstack.so"
    if not library.exists():
        subprocess.run(["cc", *FLAGS, "-I", ROOT, "-shared", "-o", library, *STACK, "-pthread"], check=True)
    return library


def link(folder, compiler, lesson, *flags):
    module, table, source = folder / f"{lesson}.{compiler}.so", folder / "table.c", ROOT / f"benchmarks/{lesson}.c"
    table.write_text(TABLE)
    parts = [stack_library(folder)] if lesson.startswith("stack_") else []
    subprocess.run([compiler, *FLAGS, *flags, "-I", ROOT, "-shared", "-Wl,-z,now", "-o", module, source, table, *parts],
                   check=True)
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
        if size > 2 * MIB and counts != (1000,):
            continue
        with Fixture(pair.value, size) as value, Fixture(pair.pointer, size) as pointer:
            for ops in counts:
                sums = value.run(ops), pointer.run(ops)
                assert sums[0] == sums[1], f"{pair.name.decode()}/size={size} after {ops} of {counts}: {sums}"


def checksum_pass(_size, ops):
    """All bytes of the object are 1, and the first and the last are read."""
    return ops * 0x101


def checksum_mutate(_size, ops):
    first, last, total = 1, 1, 0
    for _ in range(ops):
        first = (first + last) & 0xff
        last ^= first
        total += first + (last << 8)
    return total


def checksum_collection(size, ops):
    """Element i holds i, and the walk wraps round."""
    n = size // 64
    laps, rest = divmod(ops, n)
    return laps * (n * (n - 1) // 2) + rest * (rest - 1) // 2


def checksum_stack_copy(elements, ops):
    """Ten depths, each with a letter, a length, and the first and the last element: 1 and `elements`."""
    return ops * sum(depth + ord("H") + len("HELLO") + 1 + elements for depth in range(10))


def checksum_stack_check(size, ops):
    return ops * sum(depth + ord("H") + len("HELLO") + size for depth in range(10))


def checksum_known(_size, ops):
    """The word is home again, whatever the number of steps."""
    return ops * 0x123456789abcdef


def checksum_null(size, ops):
    return ops * (3 if size == 16 else 1)


CHECKSUMS = {"pass": checksum_pass, "factory": checksum_pass, "mutate": checksum_mutate, "known": checksum_known,
             "collection": checksum_collection, "stack_copy": checksum_stack_copy,
             "stack_copy_growable": checksum_stack_copy, "stack_copy_fresh": checksum_stack_copy, "stack_check": checksum_stack_check, "null": checksum_null}


@both_compilers
@pytest.mark.parametrize("lesson", CHECKSUMS)
@pytest.mark.parametrize("ops", [1, 7, 1000])
def test_checksum_is_right(pairs_of, compiler, lesson, ops):
    for pair, size in rows_of(pairs_of(compiler, lesson)):
        if size > 2 * MIB:
            continue
        for side in (pair.value, pair.pointer):
            with Fixture(side, size) as fixture:
                assert fixture.run(ops) == CHECKSUMS[lesson](size, ops) & U64, (pair.name, size)


@both_compilers
def test_collection_wraps_round(pairs_of, compiler):
    """A walk in strides that do not divide the set meets the same elements as one long walk."""
    (pair,) = pairs_of(compiler, "collection")
    size = sizes_of(pair)[0]
    for side in (pair.value, pair.pointer):
        with Fixture(side, size) as strides:
            total = sum(strides.run(ops) for ops in [255, 1, 1, 100, 256, 513, 2000])
        assert total == checksum_collection(size, 255 + 1 + 1 + 100 + 256 + 513 + 2000)


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
@pytest.mark.parametrize("name,steps", [("known_half", 1005), ("known_one", 1010), ("known_five", 1050)])
def test_known_has_the_steps_that_it_says(pairs_of, compiler, name, steps):
    pair = next(pair for pair in pairs_of(compiler, "known") if pair.name.decode() == name)
    assert sizes_of(pair) == [1000]
    for side, want in ((pair.value, 1000), (pair.pointer, steps)):
        with Fixture(side, 1000) as fixture:
            assert c_uint64.from_address(fixture.memory).value == want
    assert address(pair.value.run) == address(pair.pointer.run)


def address(function):
    return ctypes.cast(function, c_void_p).value


@both_compilers
@pytest.mark.parametrize("name,one", [("null", True), ("null_placed", False), ("empty", True)])
def test_null_pairs_have_one_address_or_two(pairs_of, compiler, name, one):
    pair = next(pair for pair in pairs_of(compiler, "null") if pair.name.decode() == name)
    assert (address(pair.value.run) == address(pair.pointer.run)) is one


BYTES = [8, 16, 17, 24, 32, 40, 48, 64, 80, 96, 128, 192, 256, 257, 320, 384, 512, 768, 1024, 1536, 2048, 3072, 4096,
         4112, 6144, 8192, 16384, 32768, 65536]
STACK_OBJECT_B = 216  # AMP_STACK_OBJECT_B
TABLES = {  # in the order of the file, whatever the compiler
    "pass": [("pass", [n]) for n in BYTES],
    "factory": [("factory", [n]) for n in BYTES],
    "mutate": [("mutate", [n]) for n in BYTES],
    "collection": [("collection", [k << 10 for k in (16, 128, 512, 2048, 8192, 24576, 65536, 131072)])],
    "stack_copy": [("stack_copy", [n]) for n in (1, 16, 64, 256, 1024)],
    "stack_copy_growable": [("stack_copy_growable", [n]) for n in (1, 16, 64, 256, 1024)],
    "stack_copy_fresh": [("stack_copy_fresh", [n]) for n in (1, 16, 64, 256, 1024)],
    "stack_check": [("stack_check", [1])],
    "known": [(name, [1000]) for name in ("known_half", "known_one", "known_five")],
    "null": [("null", [16]), ("null_placed", [16]), ("empty", [1])],
}


@both_compilers
@pytest.mark.parametrize("lesson", TABLES)
def test_table_of_pairs(pairs_of, compiler, lesson):
    pairs = pairs_of(compiler, lesson)
    assert [(pair.name.decode(), sizes_of(pair)) for pair in pairs] == TABLES[lesson]
    for pair, size in rows_of(pairs):
        assert pair.question.decode().endswith("?") and pair.threads == 0
        allocates = (1, size) if lesson == "factory" else (0, 0)
        both = (1, STACK_OBJECT_B) if pair.name == b"stack_copy_fresh" else (0, 0)
        assert (pair.pointer.allocs_per_op, pair.pointer.bytes_per_op) == max(allocates, both)
        assert (pair.value.allocs_per_op, pair.value.bytes_per_op) == both
        for side in (pair.value, pair.pointer):
            assert bool(side.set_up) == bool(side.tear_down)


@both_compilers
@pytest.mark.parametrize("lesson", ["pass", "factory", "mutate"])
def test_template_over_a_type_of_ones_own(tmp_path, compiler, lesson):
    """With AMP_SUBJECT given, the lesson is about that type alone; padding at its end is not looked at."""
    if not shutil.which(compiler):
        pytest.skip(f"{compiler} is not here: apt-get install {compiler}")
    (tmp_path / "order.h").write_text("struct order { double price; long id; char side; };\n")
    (pair,) = link(tmp_path, compiler, lesson, "-O2", "-include", tmp_path / "order.h", "-DAMP_SUBJECT=struct order",
                   "-DAMP_SUBJECT_LAST=16")
    assert (pair.name.decode(), sizes_of(pair)) == (lesson, [24])
    for side in (pair.value, pair.pointer):
        with Fixture(side, 24) as fixture:
            assert fixture.run(1000) == CHECKSUMS[lesson](24, 1000)
