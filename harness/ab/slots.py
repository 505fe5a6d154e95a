# SPDX-License-Identifier: MIT
"""Where the functions of two versions stand in a layout: each at the same address in both.

    slot            |0        16        32        48   ... one for each function, as long as the longer version
    layout 0 base   |........[parse......].......[next..]
             head   |........[parse.........]....[next..]
    layout 1        |[parse.........]........[next..]           of every four layouts (a quad)
    layout 2        |.............[parse.........]...           each function has each of the offsets
    layout 3        |....................[parse...              0, 16, 32 and 48 of a line once

Of an address only the offset within a 64-byte line matters for speed, so a quad is balanced in every function. An
unrelated function that is inserted or grows does not move the others from one side to the other."""

import difflib
import itertools
import random

LINE_B, STEP_B, QUAD, PAGE_B = 64, 16, 4, 4096


def merged(one, other):
    """One order for both lists, which keeps that of each as far as they agree."""
    found = {}
    for _, a, b, c, d in difflib.SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        for name in [*one[a:b], *other[c:d]]:
            found[name] = True
    return list(found)


def place(names, slots, levels, draw):
    """{name: address} from 0 on, and the end. `slots`: name -> (bytes, alignment); `levels`: name -> 0 to 3."""
    at, end = {}, 0
    for name in names:
        size, align = slots[name]
        if align <= STEP_B:
            end += (levels[name] * STEP_B - end) % LINE_B
        else:
            end += -end % align
        end += max(LINE_B, align) * draw.randint(0, 1)
        at[name] = end
        end += size
    return at, end


def layouts(hot, cold, slots, count, seed):
    """A list of `count` (addresses, end): of each layout. `hot` and `cold`: names in order; cold code stands behind."""
    found = []
    for k in range(count):
        of_quad = random.Random(f"{seed} quad {k // QUAD}")
        levels = {}
        for name in [*hot, *cold]:
            four = list(range(QUAD))
            of_quad.shuffle(four)
            levels[name] = four[k % QUAD]
        draw = random.Random(f"{seed} {k // QUAD}")  # the same lines between functions in a quad: only offsets differ
        at, end = place(hot, slots, levels, draw)
        end += -end % PAGE_B
        behind, length = place(cold, slots, levels, draw)
        at.update((name, end + address) for name, address in behind.items())
        found.append((at, end + length))
    return found


def spread(hot, cold, slots):
    """Two layouts: in the second one each function has moved, by a distance that no other has moved by."""
    one, other, end, moved = {}, {}, 0, 0
    for name in [*hot, *cold]:
        size, align = slots[name]
        align = max(LINE_B, align)
        one[name] = end + -end % align
        moved += align + -(moved + align) % align
        other[name] = one[name] + moved
        end = one[name] + size
    return one, other


def unlike(hot, cold, slots):
    """A layout in which no function stands where it does in the second one of spread()."""
    at, _ = layouts(hot, cold, slots, 1, 1)[0]
    other = spread(hot, cold, slots)[1]
    taken = {other[name] - at[name] for name in at}
    step = max([LINE_B, *(slots[name][1] for name in at)])
    shift = next(shift for shift in itertools.count(0, step) if shift not in taken)
    return {name: address + shift for name, address in at.items()}


def room(hot, cold, slots):
    """As many bytes as any layout takes, also the second one of spread() and unlike(), in whole pages."""
    names = [*hot, *cold]
    drawn = sum(size + 2 * max(LINE_B, align) for size, align in map(slots.get, names)) + PAGE_B
    last = max((at + slots[name][0] for layout in (spread(hot, cold, slots)[1], unlike(hot, cold, slots))
                for name, at in layout.items()), default=0)
    return -(-max(drawn, last) // PAGE_B) * PAGE_B
