# SPDX-License-Identifier: MIT
"""Common slots: where functions stand in a layout, and that quads are balanced."""
import sys

import pytest

from places import ROOT

sys.path.insert(0, str(ROOT / "harness/ab"))
import slots


@pytest.mark.parametrize("one, other, want", [
    ("abc", "abc", "abc"), ("abc", "axbc", "axbc"), ("abc", "ac", "abc"), ("abc", "cab", "cab"), ("", "ab", "ab"),
    ("ab", "cd", "abcd")])
def test_merged_keeps_each_name_once(one, other, want):
    found = slots.merged(list(one), list(other))
    assert sorted(found) == sorted(set(one + other)) and "".join(found) == want


NAMES = [f"f{k}" for k in range(40)]
SLOTS = {name: (17 + 13 * k % 400, (1, 16, 16, 64)[k % 4]) for k, name in enumerate(NAMES)}


def all_layouts(seed=3):
    return slots.layouts(NAMES[:30], NAMES[30:], SLOTS, 16, seed)


def test_slots_do_not_overlap():
    for at, end in all_layouts():
        order = sorted(NAMES, key=at.get)
        assert all(at[one] + SLOTS[one][0] <= at[other] for one, other in zip(order, order[1:]))
        assert end == max(at[name] + SLOTS[name][0] for name in NAMES)


def test_alignment_is_kept():
    for at, _ in all_layouts():
        assert all(at[name] % SLOTS[name][1] == 0 for name in NAMES)


def test_of_every_quad_each_function_has_each_offset_once():
    found = all_layouts()
    for first in range(0, 16, 4):
        for name in NAMES:
            offsets = {at[name] % 64 for at, _ in found[first:first + 4]}
            assert offsets == ({0, 16, 32, 48} if SLOTS[name][1] <= 16 else {0})


def test_rare_code_stands_behind():
    for at, _ in all_layouts():
        assert max(at[name] for name in NAMES[:30]) < min(at[name] for name in NAMES[30:])
        assert min(at[name] for name in NAMES[30:]) // 4096 > max(at[name] + SLOTS[name][0] - 1
                                                                  for name in NAMES[:30]) // 4096


def test_a_seed_draws_the_same_again():
    assert all_layouts(3) == all_layouts(3) != all_layouts(4)


@pytest.mark.parametrize("names", [NAMES[:n] for n in (0, 1, 2, 3, 40)], ids=len)
@pytest.mark.parametrize("align", [1, 16, 64, 256])
def test_an_unlike_layout_moves_each_function(names, align):
    """Else an address of one that has not moved would be right by chance."""
    sizes = {name: (SLOTS[name][0], align) for name in names}
    for n in {0, 1, len(names) // 2, len(names)}:
        order = names[:n], names[n:]
        at, other = slots.unlike(*order, sizes), slots.spread(*order, sizes)[1]
        assert sorted(at) == sorted(names) and all(at[name] != other[name] for name in names)
        assert all(at[name] % align == 0 for name in names)
        assert max((at[name] + sizes[name][0] for name in names), default=0) <= slots.room(*order, sizes)
