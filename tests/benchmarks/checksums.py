# SPDX-License-Identifier: MIT
"""What the lessons' checksums have to be, computed in another way than in C: CHECKSUMS[lesson](pair, size, ops).

OF_BYTES has those of a type of one's own, of which the first and the last byte are written and read instead of
words."""

PAGE_B, LINE_B = 4096, 64
LCG, ODD = 6364136223846793005, 1442695040888963407
U64 = (1 << 64) - 1
ONES = 0x0101010101010101  # a word whose bytes are all 1


def each(ops, what):
    return sum(what(i) for i in range(1, ops + 1))


class Words:
    """Objects whose first word was set to a number, and the last to the next; of one word, the last is the first."""

    @staticmethod
    def ends(number, size):
        return 2 * number + 1 if size > 8 else 2 * number + 2

    @staticmethod
    def untouched(size):
        """The k-th word is k + 1."""
        return 1 + size // 8


class Bytes:
    """Objects whose first byte was set to the number's lowest, and the last to the next."""

    @staticmethod
    def ends(number, _size):
        return number & 0xffff

    @staticmethod
    def untouched(_size):
        """All bytes are 1."""
        return 0x101


def mutate(of):
    def checksum(_pair, size, ops):
        read, total = of.untouched(size), 0
        for _ in range(ops):
            read = of.ends(read + 1, size) & U64
            total += read
        return total
    return checksum


def collection(_pair, size, ops):
    """Element i holds i, and the walk wraps round."""
    n = size // 64
    laps, rest = divmod(ops, n)
    return laps * (n * (n - 1) // 2) + rest * (rest - 1) // 2


def collection_insert(_pair, n, ops):
    """The new element, and the one that was in the middle before."""
    return each(ops, lambda i: i + n // 2)


def collection_sort(of):
    def checksum(_pair, size, ops):
        elements, total = [(k, k) for k in range(256)], 0
        for _ in range(ops):
            elements = sorted(((key * LCG + ODD) & U64, number) for key, number in elements)
            total += elements[0][0] + of.ends(elements[-1][1], size)
        return total
    return checksum


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


def cold(pair, size, ops):
    """Of objects of ones, a word of each line; or two words, if no more is looked at."""
    lines = {"pass_cold": size // LINE_B, "pass_cold_part": 2, "factory_cold": 2}[pair]
    objects = (64 << 20) // (2 * LINE_B if pair == "pass_cold_part" else size)
    read, at, total = lines * ONES & U64, 0, 0
    for _ in range(ops):
        total += read + at
        at = (at * LCG + (read | 1)) % objects
    return total


def thread_send(_pair, size, ops):
    """The ends, and all words: of one byte over and over, but for the first word and the last."""
    return each(ops, lambda i: 2 * Words.ends(i, size) + (size // 8 - 2) * (i & 0x7f) * ONES)


def store_forward(_pair, width, ops):
    return each(ops, lambda i: i & ((1 << 8 * width) - 1))


def ends_of_new(of, each_op=lambda i: (i,), more=0):
    """The ends of objects that are set to numbers, `each_op` of an operation's."""
    return lambda _pair, size, ops: each(ops, lambda i: sum(of.ends(number, size) + more for number in each_op(i)))


def untouched(of, more=0):
    return lambda _pair, size, ops: ops * (of.untouched(size) + more)


def array_ends(_pair, _size, ops):
    """An array of bytes whose first was set to the number's lowest, and the last to the next."""
    return each(ops, lambda i: i & 0xffff)


def stack_check(_pair, size, ops):
    return ops * sum(depth + ord("H") + len("HELLO") + size for depth in range(10))


def write_barrier(_pair, size, ops):
    """64 fields that point to one of two numbers, weighted; who stores last counts down, so the first 63 by their
    number, and field 0 by that of operation 64."""
    ends = [size + (field % 2 if 0 < field <= ops else field == 0 and ops >= 64) for field in range(64)]
    return sum(end * (field + 1) for field, end in enumerate(ends)) + ops


def write_barrier_marking(_pair, size, ops):
    """Field k is stored 16 times an operation, last by use 960 + k of the last one, i = 1; object n holds size + n."""
    ends = [size + (64 if (1 + 960 + k + 15) % 2 else 65) for k in range(64)]
    return sum(end * (k + 1) for k, end in enumerate(ends)) + ops


def random_words(seed):
    while True:
        seed = (seed + 0x9e3779b97f4a7c15) & (1 << 64) - 1
        z = seed
        for shift, factor in ((30, 0xbf58476d1ce4e5b9), (27, 0x94d049bb133111eb)):
            z = (z ^ z >> shift) * factor & (1 << 64) - 1
        yield z ^ z >> 31


def loop_check(_pair, size, ops):
    draw, hashed = random_words(size), ops
    words = [next(draw) for _ in range(1024)]
    for i in range(ops, 0, -1):
        hashed = (hashed ^ words[i % 1024]) * 0x100000001b3 & (1 << 64) - 1
    return hashed


def trace_mark(_pair, size, ops):
    """`size` steps of a congruential generator from each number, in closed form."""
    factor = pow(LCG, size, 1 << 64)
    more = ODD * sum(pow(LCG, k, 1 << 64) for k in range(size))
    return each(ops, lambda i: (i * factor + more) & U64)


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


def of_templates(of):
    """The lessons that are about any type."""
    return {
        **dict.fromkeys(("pass", "pass_inlined", "factory", "factory_inlined", "return_out", "copy_limit", "lto"),
                        untouched(of)),
        "mutate": mutate(of),
        **dict.fromkeys(("zero_value", "container_store", "buffer", "thread_start"), ends_of_new(of)),
        "frame_reuse": ends_of_new(of, lambda i: range(i, i + 10)),
        "construct_shared": ends_of_new(of, more=1),
        "interface": lambda pair, size, ops: ops * (of.untouched(size) + (pair == "interface")),
        "lifetime": lambda pair, size, ops: each(
            ops, lambda i: sum(of.ends(i + k, size) for k in range(64 if pair == "lifetime" else 1))),
        "collection_sort": collection_sort(of),
    }


OF_BYTES = of_templates(Bytes)
CHECKSUMS = {
    "pass_read": pass_read, "pass_read_double": pass_read, "pass_write": pass_write, "latency": latency,
    "pass_made": lambda _pair, size, ops: each(ops, lambda i: 2 * i + size // 8 - 1),
    "pass_depth": lambda _pair, _size, ops: ops * (1 + 8),
    "pass_registers": lambda pair, _size, ops: each(ops, lambda i: 3 + (5 * i if pair == "pass_pressure" else 0)),
    "pass_alias": lambda _pair, size, ops: ops * (14 + size // 8),
    "zeroed": lambda _pair, _size, ops: ops, "factory_aged": factory_aged,
    "arena_mixed": lambda _pair, _size, ops: each(ops, lambda i: sum(2 * (i + k) + 1 for k in range(64))),
    "known_work": lambda _pair, _size, ops: ops,
    **of_templates(Words),
    "pass_bytes": untouched(Bytes), "store_forward": store_forward,
    "known": known, "null": null, "stack_copy": stack_copy, "stack_copy_growable": stack_copy,
    "stack_copy_fresh": stack_copy,
    "stack_check": stack_check,
    "trace_mark": trace_mark,
    "write_barrier": write_barrier, "write_barrier_marking": write_barrier_marking, "loop_check": loop_check,
    "mark": lambda _pair, size, ops: ops + size,  # each collection has found all bytes alive
    "allocate": lambda _pair, _size, ops: each(ops, lambda i: 4096 * (2 * i + 9 + 4095)),
    "gogc": lambda _pair, size, ops: each(ops, lambda i: i) * (size // 16),
    "unknown_size": array_ends, "indirect_assignment": lambda _pair, _size, ops: each(ops, lambda i: i),
    "function_value": function_value, "decode": decode, "too_large": too_large,
    "collection": collection, "collection_list": collection, "collection_insert": collection_insert,
    "hash_map": hash_map, "cold": cold, "thread_send": thread_send,
    "false_sharing": lambda _pair, _size, ops: 2 * ops,
}
