# SPDX-License-Identifier: MIT
"""What the programs of single cases print: gc_cases.c, gc_kept.c, gc_away.c, gc_outside.c and gc_coroutines.c."""

STRANGER = "Bad address: mutator one runs on a stack that is not registered by amp_gc_stack_add\\(\\)\n"
NO_MUTATOR = "Invalid argument: only mutators register stacks, and this thread is none\n"
GOGC = "Invalid argument: GOGC is from 1 to 10000\n"
CASES = {
    "gogc": 4 * GOGC,
    "sizes": "Invalid argument: a memory limit is 1 MiB at least\n"
             "Invalid argument: the memory limit is beyond the addresses that are reserved\n"
             "Invalid argument: the heap has 16 TiB of addresses at most\n"
             "Invalid argument: no such mode\n",
    "limit": r"the memory limit of 2097152 B cannot be kept: \d+ B are live, and 24 B more are wanted" "\n"
             "the list is whole\n1000 more\n",
    "descriptor": "Invalid argument: type without a name: a type has a name and a size\n"
                  "Invalid argument: type empty: a type has a name and a size\n"
                  "Invalid argument: type odd: the size of a type with pointers is a multiple of 8\n"
                  "Invalid argument: type short: a pointer lies beyond the end of its type\n"
                  "Invalid argument: type twice: the pointers of a type are in ascending order\n"
                  "Invalid argument: root crooked: roots are aligned to 8, and not empty\n"
                  "an object without a descriptor: no type has the number 0\n"
                  "an object without a descriptor: no type has the number 77\n"
                  "no array of type node has 0 elements\n"
                  "no array of type node has 2305843009213693951 elements\n"
                  "only mutators allocate, and this thread is none\n",
    "kinds": "No space left on device: type word: there are 255 types at most\n"
             "types and sizes of their arrays make more than 1024 kinds of objects\n",
    "another": "Invalid cross-device link: an object of type node holds a pointer to another collector's heap\n",
    "ends": "Operation canceled: mutator leaver ended in the middle of its function\n2000\n",
    "never_stops": "Device or resource busy: mutators have not been joined yet\n"
                   "Connection timed out: mutator spinner has reached no safe point in 50 ms; it is in spins_for_ever\n"
                   "joined\n2000\n",
    "polled": "20 cycles, 0\n",
    "called": "20 cycles, 0\n",
    "away": "20 cycles, 77\n",
    "host": "78\n",
    "register": "79\n",
    "owed": "1 1\n1 0\n",
    "bursts": "whole\n",
    "middle": "1225\n",
    "reused": "used again\n",
    "here": "".join(f"{n} linked, {2 * n} allocated, {n} freed\n" for n in (1000, 2000, 3000)) + "0\n",
    "worker_killed": "Owner died: the worker has ended in the middle of its work\n2000\n",
    "queue": "Cannot allocate memory: no memory for the mark queue: 24576 B are in it\n20000\n"
             "Cannot allocate memory: no memory for a collector\n",
    "step": "Invalid argument: with STEP, there is one mutator at a time\n"
            "Invalid argument: marking goes on in steps in a collector with STEP only\n",
    "joins": "0 200000, 0\n0 0\n",
    "collects": "0 10, 0\n0 0\n",
    "nested": "0 10, 0\n0 0\n",
    "allocates": "what amp_gc_call calls may not allocate\n0 1, 0\n0 0\n",
    "ends_away": "-125 0, 0\n0 0\n",
    "grows": "0 1, 0\n0 0\n",
    "result": "2000\n",
    "waited": "1 waited\n",
    "short": "100 allocated, heap within spans\n",
    "large": "32000 B in 1 stops\n320000 B in 2 stops\n",
    "many": "Cannot allocate memory: there are 64 collectors at most\n",
    "killed_often": "2000 times\n",
    "coroutines": "0 180\n",
    "late": "78\n",
    "stranger": 2 * STRANGER,
    "within": "-22 this thread runs mutator one already\n"
              "1 allocated, 0\n",
    "registry": 2 * NO_MUTATOR + "Invalid argument: there is no stack to register\n"
                "No such file or directory: the stack is not registered with mutator one\n"
                "no error: the stack is not registered with mutator one\n"
                "File exists: the stack is registered with mutator one already\n"
                "Device or resource busy: the stack runs\nno error: the stack runs\n",
    "watched": "2 cycles, 2 decisions\n",
    "ended": "a mutator ends cycles\n",
    "elsewhere": "whole\n",
    "twice": "16 mutator one runs already\n1, 0\n",
    "spins_in_marking": "Connection timed out: mutator spinner has reached no safe point in 50 ms; it is in "
                        "spins_while_it_marks\njoined, whole\n",
    "stood_still": "no error: \n0\n",
    "forked": "20 20, 0 0\n",
    "keeps_errno": "1 ended, 0\n",
}


PROGRAMS = {
    "gc_kept": {"polled", "called", "away", "host", "bursts", "middle", "reused", "here", "within", "register", "owed"},
    "gc_away": {"joins", "collects", "nested", "allocates", "ends_away", "grows", "result", "waited", "short",
                "many", "ended", "large"},
    "gc_outside": {"elsewhere", "twice", "spins_in_marking", "stood_still", "forked", "keeps_errno"},
    "gc_coroutines": {"coroutines", "late", "stranger", "registry", "watched"},
}


def program_of(case):
    return next((name for name, cases in PROGRAMS.items() if case in cases), "gc_cases")
