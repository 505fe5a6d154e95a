# SPDX-License-Identifier: MIT
"""What the lessons' checksums have to be, computed in another way than in C: CHECKSUMS[lesson](pair, size, ops)."""

PAGE_B = 4096
LCG, ODD = 6364136223846793005, 1442695040888963407
U64 = (1 << 64) - 1


def ends(number):
    """Of an object whose first byte was set to the number's lowest, and the last to the next."""
    return number & 0xffff


def each(ops, what):
    return sum(what(i) for i in range(1, ops + 1))


def new_objects(_pair, _size, ops):
    return each(ops, ends)


def all_ones(_pair, _size, ops):
    """All bytes of the object are 1, and the first and the last are read."""
    return ops * 0x101


def mutate(_pair, _size, ops):
    first, last, total = 1, 1, 0
    for _ in range(ops):
        first = (first + last) & 0xff
        last ^= first
        total += first + (last << 8)
    return total


def collection(_pair, size, ops):
    """Element i holds i, and the walk wraps round."""
    n = size // 64
    laps, rest = divmod(ops, n)
    return laps * (n * (n - 1) // 2) + rest * (rest - 1) // 2


def collection_insert(_pair, n, ops):
    """The new element, and the one that was in the middle before."""
    return each(ops, lambda i: i + n // 2)


def collection_sort(_pair, _size, ops):
    elements, total = [(k, k) for k in range(256)], 0
    for _ in range(ops):
        elements = sorted(((key * LCG + ODD) & U64, number) for key, number in elements)
        total += elements[0][0] + elements[-1][1]
    return total


def stack_copy(_pair, elements, ops):
    """Ten depths, each with a letter, a length, and the first and the last element: 1 and `elements`."""
    return ops * sum(depth + ord("H") + len("HELLO") + 1 + elements for depth in range(10))


def known(_pair, _size, ops):
    """The word is home again, whatever the number of steps."""
    return ops * 0x123456789abcdef


def null(pair, _size, ops):
    return ops * (1 if pair == "empty" else 3)


def function_value(_pair, n, ops):
    return ops * sum(3 * k + 1 for k in range(n))


def decode(_pair, items, ops):
    return ops * (4711 + ord("A") + sum(1000 + k + int((1 + k % 9) * (10 + k + 0.5)) for k in range(items)))


def too_large(_pair, size, ops):
    """A byte a page, then the last byte of all."""
    return each(ops, lambda i: sum((i + page) & 0xff for page in range(-(-size // PAGE_B))) + (i >> 8 & 0xff))


def hash_map(_pair, n, ops):
    state, total = 1, 0
    for _ in range(ops):
        state = (state * LCG + ODD) & U64
        total += 3 * ((state >> 33) % n)
    return total


def cold(_pair, size, ops):
    at, total = 0, 0
    for _ in range(ops):
        total += 0x101 + at
        at = (at * LCG + 0x101) % ((64 << 20) // size)
    return total


def thread_send(_pair, size, ops):
    """The ends, and all words: of one byte over and over, but for the first byte and the last."""
    def words(i):
        body = i & 0x7f
        return size // 8 * body * 0x0101010101010101 + ((i & 0xff) - body) + (((i >> 8 & 0xff) - body) << 56)
    return each(ops, lambda i: ends(i) + words(i))


def stack_check(_pair, size, ops):
    return ops * sum(depth + ord("H") + len("HELLO") + size for depth in range(10))


def pass_read(pair, size, ops):
    """Member k holds k + 1; so many are read, at even distances."""
    members = size // 8
    read = {"one": 1, "quarter": members // 4, "half": members // 2, "all": members}[pair.split("_")[2]]
    return ops * sum(k * (members // read) + 1 for k in range(read))


def pass_write(_pair, size, ops):
    """The first member is one more; of one word, it is the last, too."""
    return ops * (2 + (2 if size == 8 else size // 8))


def latency(_pair, size, ops):
    k, members = 0, size // 8
    for _ in range(ops):
        k = k % members + 1
    return k + ops


def factory_aged(_pair, _size, ops):
    """What was put into the ring of 4 batches 4 operations before."""
    put = [sum(2 * (i + k) + 1 for k in range(256)) for i in range(ops, 0, -1)]
    return sum(put[:max(0, ops - 4)])


CHECKSUMS = {
    "pass_read": pass_read, "pass_read_double": pass_read, "pass_write": pass_write, "latency": latency,
    "pass_made": lambda _pair, size, ops: each(ops, lambda i: 2 * i + size // 8 - 1),
    "pass_depth": lambda _pair, _size, ops: ops * (1 + 8),
    "pass_registers": lambda pair, _size, ops: each(ops, lambda i: 3 + (5 * i if pair == "pass_pressure" else 0)),
    "pass_alias": lambda _pair, size, ops: ops * (14 + size // 8),
    "zeroed": lambda _pair, _size, ops: ops, "factory_aged": factory_aged,
    "arena_mixed": lambda _pair, _size, ops: each(ops, lambda i: sum(2 * (i + k) + 1 for k in range(64))),
    "known_work": lambda _pair, _size, ops: ops,
    "pass": all_ones, "pass_inlined": all_ones, "factory": all_ones, "factory_inlined": all_ones,
    "copy_limit": all_ones,
    "lto": all_ones,
    "mutate": mutate, "known": known, "null": null, "stack_copy": stack_copy, "stack_copy_growable": stack_copy,
    "stack_copy_fresh": stack_copy,
    "stack_check": stack_check,
    "zero_value": new_objects, "container_store": new_objects, "buffer": new_objects, "unknown_size": new_objects,
    "thread_start": new_objects, "indirect_assignment": new_objects,
    "frame_reuse": lambda _pair, _size, ops: each(ops, lambda i: sum(ends(i + depth) for depth in range(10))),
    "construct_shared": lambda _pair, _size, ops: each(ops, lambda i: ends(i) + 1),
    "interface": lambda _pair, _size, ops: ops * 0x102,
    "function_value": function_value, "decode": decode, "too_large": too_large,
    "collection": collection, "collection_list": collection, "collection_insert": collection_insert,
    "collection_sort": collection_sort, "hash_map": hash_map, "cold": cold, "thread_send": thread_send,
    "lifetime": lambda pair, _size, ops: each(
        ops, lambda i: sum(ends(i + k) for k in range(64 if pair == "lifetime" else 1))),
    "false_sharing": lambda _pair, _size, ops: 2 * ops,
}
