# SPDX-License-Identifier: MIT
"""The lessons, run: both sides give one checksum, for whatever count of operations, and it is the right one.

A lesson is called through the table of pairs of its module."""
import ctypes
import shutil
from ctypes import Structure, c_uint64, c_void_p
from fractions import Fraction
from pathlib import Path

import pytest

from checksums import CHECKSUMS, OF_BYTES
from loaded import COLLECTED, LESSONS, Fixture, link, rows_of, sizes_of
from tables import ALLOCATIONS, MIB, NOTHING_TO_PREFER, TABLES, WHOLE_COLLECTIONS, WITH_THREADS

U64 = (1 << 64) - 1

both_compilers = pytest.mark.parametrize("compiler", ["gcc", "clang"])


@both_compilers
@pytest.mark.parametrize("lesson", LESSONS)
@pytest.mark.parametrize("counts", [(2,), (1000,), (1, 2, 3, 1000), (400, 0, 600)], ids=str)
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
@pytest.mark.parametrize("lesson",
                         [lesson for lesson in COLLECTED if any(pair in ALLOCATIONS for pair, _ in TABLES[lesson])])
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
                         ["pass", "factory", "return_out", "mutate", "container_store", "interface", "thread_send",
                          "zero_value",
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
