# SPDX-License-Identifier: MIT
"""Which pairs each lesson has, at which sizes, and what they allocate."""

KIB, MIB = 1 << 10, 1 << 20
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
    "mark": [(f"mark_{shape}", [256 * KIB, 4 * MIB])
             for shape in ("values", "layout", "pointers", "order", "list", "tree")],
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
