# SPDX-License-Identifier: MIT
"""Whether a lesson teaches what it says, in what gcc and clang make of it at -O2: a row for each side of each pair.

disassembly_test.py reads the first lessons instruction by instruction. Here a side is held to what sets it apart from
the other one: whom it calls, whether it allocates, whether it calls through a pointer, how often it copies the object,
and whether its frame is large enough to hold it. A lesson that is changed so that it no longer does so must fail."""
import re
import shutil
import subprocess
from dataclasses import dataclass

import pytest
from collected_test import CHECKS as COLLECTED
from disassembly import KERNEL_ARGS, WARNINGS, compiled, compiled_text, loops, read_object, stored_b
from disassembly_test import CHECKS, pytestmark  # noqa: F401
from passing_test import CHECKS as PASSING
from places import LESSONS as FILES, ROOT
from tables import TABLES

# Called by either side where the compiler or the waiting wants it: what they copy is counted, not that they are called.
UNTOLD = {"memcpy", "memset", "_exit", "sched_yield", "sem_post"}
SLACK_B = 160    # what else a side may store beside its copies: a struct of the lesson's own, two bytes that are set
RED_ZONE_B = 128  # what of a frame of a function without calls needs no room made


@dataclass(frozen=True)
class Side:
    """Names may hold {n}, the size. None: not looked at."""
    calls: str = ""         # all functions called by name, of the lesson or not; with a * those that call themselves
    through: int = 0        # how many calls go through a pointer
    copies: int | tuple | None = 0  # how many times n bytes are moved into memory; any of a tuple
    frame: bool | None = None  # whether a frame holds n bytes


BOTH = (64, 4096)
RETURNED = (24, 64, 264, 4096)  # too large for registers
JANSSON = (" json_array_get json_delete json_integer_value json_loads json_object_get json_real_value"
           " json_string_value strncpy")
ROWS = [  # lesson, pair, sizes that its functions end in, value side, pointer side
    ("pass_inlined", "pass", BOTH, Side(), Side()),
    ("factory_inlined", "factory", BOTH, Side(), Side("malloc free", copies=1)),
    ("zero_value", "zero_value", (64, 4096, 65536), Side("frame_value_{n}", copies=1), Side("frame_pointer_{n}")),
    ("frame_reuse", "frame_reuse", BOTH, Side("walk_value_{n} walk_value_{n}*", copies=1, frame=True),
     Side("walk_pointer_{n} walk_pointer_{n}* malloc free", copies=1, frame=False)),
    ("indirect_assignment", "indirect_assignment", (1, 4), Side("make_{n}", copies=None),
     Side("assign_{n}", copies=None)),
    ("construct_shared", "construct_shared", (64, 1024),
     Side("construct_value_{n} share_value_{n}", copies=2, frame=True),
     Side("construct_pointer_{n} share_pointer_{n}", copies=2, frame=True)),
    ("function_value", "function_value", ("",), Side("step_value"), Side(through=1)),
    ("function_value", "function_value_inlined", ("",), Side(), Side(through=1)),
    ("container_store", "container_store", (32, 1024), Side("store_value_{n}", copies=1),
     Side("store_pointer_{n} malloc free", copies=1)),
    ("interface", "interface", (16, 1024), Side("say_copy_{n} malloc free", through=1, copies=1),
     Side("say_address_{n}", through=1)),
    ("interface", "interface_dispatch", (16, 1024), Side("speak_concrete_{n}", copies=None),
     Side(through=1, copies=None)),
    ("buffer", "buffer_reserve", (64, 16384), Side("write_reserved_{n} malloc free", copies=None, frame=False),
     Side("write_growing_{n} realloc free", copies=None, frame=False)),
    ("buffer", "buffer_frame", (64, 16384), Side("write_frame_{n}", copies=None, frame=True),
     Side("write_heap_{n} malloc free", copies=None, frame=False)),
    ("return_out", "return_out", RETURNED, Side("make_value_{n}", copies=1), Side("make_out_{n}", copies=1)),
    ("return_out", "return_out_stored", RETURNED, Side("store_value_{n}", copies=2), Side("store_out_{n}", copies=1)),
    ("decode", "decode", (4, 16, 64), Side("decode_value_{n}" + JANSSON, copies=None),
     Side("decode_pointer_{n} malloc free" + JANSSON, copies=None)),
    ("unknown_size", "unknown_size", BOTH, Side("use_vla_{n}", frame=False),
     Side("use_heap_{n} malloc free", frame=False)),
    ("unknown_size", "unknown_size_constant", BOTH, Side("use_constant_{n}", frame=True),
     Side("use_exact_{n}", frame=False)),
    ("too_large", "too_large", (1024, 65536, 4194304), Side("use_value_{n}", frame=True),
     Side("use_pointer_{n} malloc free", frame=False)),
    ("too_large", "too_large_first_touch", (1024, 65536), Side("use_new_{n} give_back_{n} madvise", frame=True),
     Side("touch_through_{n} give_nothing_{n} madvise", frame=True)),
    ("copy_limit", "copy_limit", (1024, 4096, 65536), Side("take_value_{n}", copies=1, frame=None),
     Side("take_pointer_{n}", copies=None, frame=True)),
    ("collection_list", "collection_list", ("",), Side(copies=None), Side(copies=None)),
    ("collection_insert", "collection_insert", ("",), Side("insert_value remove_value memmove", copies=None),
     Side("insert_pointer remove_pointer malloc free", copies=None)),
    ("collection_sort", "collection_sort", (1024,), Side("sort_value_{n}", copies=(3, 4)), Side("sort_pointer_{n}")),
    ("hash_map", "hash_map", ("",), Side("find_value", copies=None), Side("find_pointer", copies=None)),
    ("hash_map", "map_handle", ("",), Side("find_value", copies=None), Side("find_handle", copies=None)),
    ("lifetime", "lifetime", BOTH, Side("take_arena_{n}"), Side("take_heap_{n} malloc free")),
    ("lifetime", "lifetime_reuse", BOTH, Side("take_pool_{n} give_pool_{n} malloc free"),
     Side("take_single_{n} malloc free")),
    ("arena_mixed", "arena_mixed", (64,), Side("take_arena malloc free", copies=None),
     Side("take_heap malloc free", copies=None)),
    ("factory_aged", "factory_aged", (64, 1024), Side("make_value_{n}", copies=2),
     Side("make_pointer_{n} malloc free", copies=(1, 2))),  # gcc has much else to store at 64 B
    ("zeroed", "zeroed", (64, 4096, 65536), Side("calloc free"), Side("malloc free", copies=1)),
    ("cold", "pass_cold", (*BOTH, 8192), Side("take_value_{n}", copies=1), Side("take_pointer_{n}")),
    ("cold", "pass_cold_part", (512,), Side("take_value_{n}", copies=1), Side("take_pointer_{n}")),
    ("cold", "factory_cold", (*BOTH, 8192), Side("make_value_{n}", copies=1),
     Side("make_pointer_{n} malloc free", copies=1)),
    ("thread_send", "thread_send", (1024, 16384), Side(copies=2, frame=True),
     Side("malloc free", copies=1, frame=False)),
    ("thread_send", "thread_send_pool", (1024, 16384), Side(copies=2, frame=True), Side(copies=1, frame=False)),
    ("false_sharing", "false_sharing", ("",), Side(copies=None), Side(copies=None)),
    ("false_sharing", "false_sharing_visible", ("",), Side(copies=None), Side(copies=None)),
    ("thread_start", "thread_start", (64, 16384), Side("makecontext swapcontext", copies=None),
     Side("pthread_create pthread_join", copies=None)),
]
TOLD_APART_BY_MORE = {"collection_list", "hash_map", "false_sharing", "construct_shared", "pass_inlined", "copy_limit"}


def reach(made, run):
    """The functions of the lesson that run, called by name or handed over by address; those of tables in data not."""
    seen = [run]
    for name in seen:
        seen += [found for found in dict.fromkeys(i.symbol for i in made.functions[name])
                 if found in made.functions and found not in seen]
    return seen


def frame_b(body):
    room = [int(i.operands[4:], 16) for i in body if i.verb == "sub" and re.match(r"rsp,0x[0-9a-f]+$", i.operands)]
    room += [128 for i in body if (i.verb, i.operands) == ("add", "rsp,0xffffffffffffff80")]
    return sum(room) + RED_ZONE_B


def told(made, side, run, n):
    """Hold one side to its row."""
    names = reach(made, run)
    bodies = [made.functions[name] for name in names]
    called = {i.symbol or f"{name}*" for name, body in zip(names, bodies) for i in body
              if i.verb in ("call", "jmp") and (i.symbol or (i.verb == "call" and i.target == 0))} - UNTOLD
    assert called == set(side.calls.format(n=n).split()), f"{run} calls {sorted(called)}"
    through = sum(i.verb == "call" and not i.symbol and i.target is None for body in bodies for i in body)
    assert through == side.through, f"{run}: {through} calls through a pointer"
    if side.copies is not None:
        size = n or 64
        wanted = side.copies if isinstance(side.copies, tuple) else (side.copies,)
        excess = [sum(map(stored_b, bodies)) - copies * size for copies in wanted]
        assert any(0 <= more < min(size,
                                   SLACK_B)
                   for more in excess), f"{run}: {wanted} copies of {size} B and {excess} B more"
    if side.frame is not None:
        largest = max(map(frame_b, bodies))
        fits = largest >= n + (0 if n > RED_ZONE_B else RED_ZONE_B - n)
        if n > 2 * RED_ZONE_B or side.frame:
            assert fits == side.frame, f"{run}: its largest frame is {largest} B"


def code(made, name):
    """A function's bytes, and where the linker puts in what."""
    return made.sections[name]


def same_code(made, value, pointer):
    assert code(made, value) == code(made, pointer), f"{value} and {pointer} differ"


def loads(body):
    return sum("PTR [" in i.operands and i.verb != "lea" and not i.stored_b for i in body)


def same_instructions(made, value, pointer):
    """In whatever order the words are loaded."""
    def shape(name):
        body = made.functions[name]
        return sorted(i.verb for i in body), sorted(re.findall(r"\[.*?\]", " ".join(i.operands for i in body)))
    assert shape(value) == shape(pointer), f"{value} and {pointer} differ"


def one_loop(made, name):
    found = loops(made.functions[name])
    assert len(found) == 1, f"{name}: {len(found)} loops"
    return found[0]


def in_loops(body, pattern):
    return sum(bool(re.search(pattern, f"{i.verb} {i.operands}")) for i in min(loops(body), key=len))


def told_apart(made, lesson):
    """What a row cannot say."""
    if lesson == "pass_inlined":
        for n in BOTH:
            same_instructions(made, f"run_value_{n}", f"run_pointer_{n}")
    if lesson == "interface":
        for n in (16, 1024):
            for side, memory in (("value", 1), ("pointer", 2)):  # the object's address; the table's, and the method's
                loop = one_loop(made, made.runs[f"interface_dispatch_{n}", side])
                assert sum(i.verb == "call" for i in loop) == 1, f"{side}: more than one call an operation"
                assert loads(i for i in loop if i.verb != "call") == memory, f"{side}: other loads"
    if lesson == "construct_shared":
        for n in (64, 1024):
            for part in ("construct", "share"):
                same_code(made, f"{part}_value_{n}", f"{part}_pointer_{n}")
    if lesson == "collection_list":
        value, pointer = (made.functions[made.runs["collection_list", side]] for side in ("value", "pointer"))
        assert in_loops(value, r"mov e\w+,DWORD PTR \[") == 1, "the link is no index"
        assert in_loops(pointer, r"mov r\w+,QWORD PTR \[") == 1, "the link is no pointer"
    if lesson == "hash_map":
        for name in ("find_pointer", "find_handle"):
            more = loads(made.functions[name]) - loads(made.functions["find_value"])
            assert more in (1, 2), f"{name} loads as much"  # one, which gcc 14 has on each of two ways out
    if lesson == "arena_mixed":
        copied = [sum(i.stored_b for i in made.functions[made.runs["arena_mixed_64", side]] if "XMMWORD" in i.operands)
                  for side in ("value", "pointer")]
        assert copied == [64, 0], "the survivor is not copied out"
        assert not any(i.verb == "call" for i in made.functions["take_arena"]), "the arena allocates"
    if lesson == "copy_limit":
        for n in (1024, 4096, 65536):
            assert any(i.symbol == "memcpy" for i in made.functions[f"run_pointer_{n}"]), "no memcpy"
    if lesson == "false_sharing":
        own = r"(add|inc|mov) QWORD PTR \[rsp"  # gcc's way and clang's
        for (pair, side), run in made.runs.items():
            counting = [f"{i.verb} {i.operands}" for name in reach(made, run) for loop in loops(made.functions[name])
                        for i in loop]
            in_frame = any(re.match(own, text) for text in counting)
            assert in_frame == ((pair, side) == ("false_sharing", "value")), f"{run}: counts in its frame or not"
            atomic = any(re.match(r"lock (add|inc|xadd) QWORD PTR", text) for text in counting)
            assert atomic == (pair == "false_sharing_visible"), f"{run}: atomic or not"


def check(made, lesson):
    for row_lesson, pair, sizes, value, pointer in ROWS:
        if row_lesson == lesson:
            for n in sizes:
                name = f"{pair}_{n}" if n else pair
                told(made, value, made.runs[name, "value"], n)
                told(made, pointer, made.runs[name, "pointer"], n)
    told_apart(made, lesson)


LESSONS = list(dict.fromkeys(row[0] for row in ROWS))


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("lesson", LESSONS)
def test_lesson_teaches_what_it_says(compiler, lesson):
    check(compiled(compiler, lesson), lesson)


LTO = {"gcc": ["-flinker-output=nolto-rel"], "clang": ["-fuse-ld=lld"]}


def optimised_when_linked(compiler, folder, *flags):
    """The lesson of two files, as the build makes it."""
    if not shutil.which(compiler) or (compiler == "clang" and not shutil.which("ld.lld")):
        pytest.skip(f"{compiler} or its linker is not here: apt-get install {compiler} lld")
    objects = [folder / "lto.o", folder / "callees.o"]
    for made, name in zip(objects, ("lto.c", "lto_callees.c")):
        subprocess.run([compiler, *WARNINGS, *KERNEL_ARGS, *flags, "-fPIC", "-I", ROOT, "-c",
                        ROOT / "benchmarks/build" / name,
                        "-o", made], check=True)
    subprocess.run([compiler, *KERNEL_ARGS, *flags, "-fPIC", "-r", "-nostdlib",
                    *(LTO[compiler] if "-flto" in flags else ()), *objects,
                    "-o", folder / "made.o"], check=True)
    return read_object(folder / "made.o")


def check_lto(made):
    for n in BOTH:
        told(made, Side(), made.runs[f"pass_lto_{n}", "value"], n)
        told(made, Side(), made.runs[f"pass_lto_{n}", "pointer"], n)
        told(made, Side(), made.runs[f"factory_lto_{n}", "value"], n)
        told(made, Side("malloc free", copies=1), made.runs[f"factory_lto_{n}", "pointer"], n)
        same_instructions(made, f"run_value_{n}", f"run_pointer_{n}")


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_lto_inlines_across_files(compiler, tmp_path):
    check_lto(optimised_when_linked(compiler, tmp_path, "-flto", "-fvisibility=hidden"))
    with pytest.raises(AssertionError):
        check_lto(optimised_when_linked(compiler, tmp_path, "-fvisibility=hidden"))


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("flag", ["-O3", "-march=native"])
@pytest.mark.parametrize("lesson", ["pass", "factory"])
def test_other_flags_keep_the_calls(compiler, flag, lesson):
    """What a lesson compiled once more measures is still that lesson: the call, the copy and the allocation."""
    if not shutil.which(compiler):
        pytest.skip(f"{compiler} is not here: apt-get install {compiler}")
    text = (ROOT / FILES[lesson]).read_text()
    made = compiled_text(compiler, text, FILES[lesson], (*KERNEL_ARGS, flag))
    calls = {"pass": ("take_value_{n}", "take_pointer_{n}"),
             "factory": ("make_value_{n}", "make_pointer_{n} malloc free")}[lesson]
    for n in BOTH:
        told(made, Side(calls[0], copies=1), made.runs[f"{lesson}_{n}", "value"], n)
        told(made, Side(calls[1], copies=int(lesson == "factory")), made.runs[f"{lesson}_{n}", "pointer"], n)


def test_every_lesson_of_the_catalogue_is_held():
    assert set(LESSONS) | set(CHECKS) | set(PASSING) | set(COLLECTED) | {"lto"} == set(TABLES)
    assert not set(LESSONS) & (set(CHECKS) | set(PASSING) | set(COLLECTED))


def test_sides_are_told_apart():
    """A row whose two sides read the same would tell nothing; then what it cannot say must."""
    for lesson, pair, _, value, pointer in ROWS:
        assert value != pointer or lesson in TOLD_APART_BY_MORE, pair


def swapped(lesson):
    """The change that exchanges the run functions of every pair."""
    text = (ROOT / FILES[lesson]).read_text()
    sides = r"(\.value = \{ (?:\.run = )?)(\w+)(.*?\.pointer = \{ (?:\.run = )?)(\w+)"
    return ((text, re.sub(sides, r"\1\4\3\2", text, flags=re.S)),)


ALL, GCC, CLANG = ("gcc", "clang"), ("gcc",), ("clang",)
MUTANTS = [
    ("pass_inlined", "calls kept", ALL, (("#define AMP_INLINE\n", ""),)),
    ("factory_inlined", "calls kept", ALL, (("#define AMP_INLINE\n", ""),)),
    ("zero_value", "not zeroed", ALL, (("memset(&object, 0, sizeof object);", ""),)),
    ("zero_value", "both zeroed", ALL, (("subject object;\n\n    amp_keep(&object);\n    amp_set_ends",
                                         "subject object = { 0 };\n\n    amp_keep(&object);\n    amp_set_ends"),)),
    ("frame_reuse", "not cleaned on the way down", ALL, (("memset(&scratch, 0, sizeof scratch);", ""),)),
    ("frame_reuse", "never freed", ALL, (("    free(scratch);\n", ""),)),
    ("frame_reuse", "no recursion", ALL, (("if (depth + 1 < DEPTH)\n        sum = walk_value(number, depth + 1);",
                                           "sum = depth;"),)),
    ("indirect_assignment", "assigned twice", ALL,
     (("return (struct owner){ .number = { EACH(INITIALISE, numbers) } };",
                                                     "struct owner o; assign(&o, numbers); return o;"),
                                                    ("static AMP_NOINLINE struct owner make",
                                                     "static void assign(struct owner *, const uint64_t *);\n"
                                                     "static AMP_NOINLINE struct owner make"))),
    ("construct_shared", "a copy of the value is shared", ALL, (
        ("return share_value(&object) + 1;", "subject twin = object; amp_keep(&twin); return share_value(&twin) + 1;"),
        )),
    ("construct_shared", "on the heap", ALL, (("subject memory, *object = &memory;",
                                               "subject *object = amp_alloc(sizeof *object);"),)),
    ("function_value", "the pointer is seen through", ALL, (('__asm__("" : "+r"(step));', ""),)),
    ("function_value", "inlined where it should not be", ALL, (("static AMP_NOINLINE uint64_t step_value",
                                                                "static inline uint64_t step_value"),)),
    ("container_store", "no allocation", ALL, (("amp_alloc(sizeof *object)", "c->pointers[number % SLOTS]"),
                                               ("free(c->pointers[number % SLOTS]);\n    c", "c"))),
    ("container_store", "no copy", ALL, (("subject *object = &c->values[number % SLOTS];\n\n    *object = *c->model;",
                                          "subject *object = &c->values[number % SLOTS];\n"),)),
    ("interface", "the address is boxed, not a copy", ALL, (("*copy = *object;", ""),)),
    ("interface", "never freed", ALL, (("free(copy);", ""),)),
    ("interface", "no table", ALL, (("static AMP_NOINLINE uint64_t say_address(struct box b)\n{\n"
                                     "    return b.methods_of->speak(b.object)",
                                     "static AMP_NOINLINE uint64_t say_address(struct box b)\n{\n"
                                     "    return speak_address(b.object)"),)),
    ("buffer", "the size is known", ALL, (("        grow(b);", "        _exit(1);"),)),
    ("buffer", "the buffer of the frame on the heap", ALL,
     (("struct buffer b = { (unsigned char *) &memory, 0, sizeof memory };",
                                                      "struct buffer b = { amp_alloc(sizeof memory), 0, sizeof memory "
                                                      "};"),)),
    ("buffer", "the buffer of known size in the frame", ALL,
     (("        struct buffer b = { amp_alloc(sizeof(subject)), 0, sizeof(subject) };",
       "        subject memory; struct buffer b = { (unsigned char *) &memory, 0, sizeof memory };"),
      ("        free(b.bytes);\n", "        amp_keep(&memory);\n"),
      ("struct buffer b = { NULL, 0, 0 };", "subject memory; struct buffer b = { NULL, 0, 0 };"))),
    ("return_out", "returned on both sides", ALL, (("    *out = *model;", "    *out = make_value(model);"),)),
    ("return_out", "no temporary", ALL, (("*object = store_value(model);", "store_out(object, model);"),
                                         ("static AMP_NOINLINE subject store_value", "extern subject store_value"),
                                         ("(const subject *model)\n{\n    return *model;\n}\n\nstatic AMP_NOINLINE "
                                          "void store_out",
                                          "(const subject *model);\n\nstatic AMP_NOINLINE void store_out"))),
    ("interface", "two calls on one side", ALL, (("sum += b.methods_of->speak(b.object);", "sum += say_address(b);"),)),
    ("decode", "a heap struct on both sides", ALL,
     (("    struct order o;\n\n    read_order(tree, &o);\n    json_decref(tree);\n"
                                                     "    return o;",
                                                     "    struct order *o = amp_alloc(sizeof *o);\n\n    "
                                                     "read_order(tree, o);\n    json_decref(tree);\n    return *o;"),)),
    ("unknown_size", "a constant size", ALL, (("unsigned char b[n];", "unsigned char b[MOST_B];"),)),
    ("unknown_size", "no heap", ALL,
     (("unsigned char *b = amp_alloc(n);", "unsigned char b[MOST_B];"), ("free(b);", ""))),
    ("too_large", "on the heap on both sides", ALL,
     (("    unsigned char bytes[OBJECT_B];\n\n    return touch(bytes, sizeof bytes, "
                                                      "number);", "    return use_pointer(number);"),
                                                     ("static AMP_NOINLINE uint64_t use_value",
                                                      "static uint64_t use_pointer(uint64_t);\n"
                                                      "static AMP_NOINLINE uint64_t use_value"))),
    ("too_large", "nothing given back", ALL,
     (("        give_back();\n", ""), ("(void) madvise(", "(void) sizeof madvise("),
                                              ("static AMP_NOINLINE void give_back",
                                               "static __attribute__((unused)) void give_back"))),
    ("copy_limit", "no copy", ALL, (("take_value(subject object)", "take_value(const subject *object)"),
                                    ("amp_ends(&object)", "amp_ends(object)"),
                                    ("take_value(*object)", "take_value(object)"))),
    ("copy_limit", "the compiler's own copy", GCC, (('__asm__ volatile("" : "+r"(n));', ""),)),
    ("collection_list", "pointers in the array, too", ALL, (("at = entries[at].next;", "at++;"),)),
    ("collection_insert", "nothing moved", ALL,
     (("memmove(s->values + at + 1, s->values + at, (s->n - at) * sizeof *s->values);",
                                                  "(void) at;"),
                                                 ("memmove(s->values + at, s->values + at + 1, (s->n - at) * "
                                                  "sizeof *s->values);", "(void) at;"))),
    ("collection_insert", "no allocation", ALL, (("*node = amp_alloc(sizeof *node);", "*node = s->first.next;"),)),
    ("collection_sort", "pointers on both sides", ALL,
     (("SORT(struct element, a, .)", "sort_pointer((struct element **) a);"),
                                                        ("static AMP_NOINLINE void sort_value",
                                                         "static void sort_pointer(struct element **a);\n"
                                                         "static AMP_NOINLINE void sort_value"))),
    ("hash_map", "values on both sides", ALL, (("return find(map.entries, key)->elsewhere;",
                                                "return here(find(map.entries, key));"),)),
    ("lifetime", "an arena that allocates", ALL,
     (("return &a->objects[a->used++];", "return a->used < 99 ? amp_alloc(sizeof(subject)) : NULL;"),)),
    ("lifetime", "never freed", ALL, (("            free(batch[k]);\n", ""),)),
    ("arena_mixed", "not copied out", ALL, (("*a->survivor = *batch[SURVIVOR];", "amp_set_ends(a->survivor, i);"),)),
    ("arena_mixed", "an arena that allocates", ALL, (("return &a->objects[a->used++];",
                                                      "return a ? amp_alloc(sizeof(subject)) : NULL;"),)),
    ("arena_mixed", "never freed", ALL,
     (("                free(batch[k]);", "                amp_keep(batch[k]);"),
      ("        free(a->survivor);\n        a->survivor = batch", "        a->survivor = batch"))),
    ("factory_aged", "no copy into the ring", ALL, (("oldest[k] = make_value(&a->model);",
                                                     "(void) make_value(&a->model);"),)),
    ("factory_aged", "never freed", ALL, (("            free(oldest[k]);\n", ""),)),
    ("zeroed", "not cleared", ALL, (("        memset(object, 0, sizeof *object);\n", ""),)),
    ("zeroed", "cleared twice", ALL, (("            _exit(AMP_EXIT_NO_MEMORY);\n        amp_keep(object);",
                                       "            _exit(AMP_EXIT_NO_MEMORY);\n        amp_keep(object);\n"
                                       "        memset(object, 0, sizeof *object);\n        amp_keep(object);"),)),
    ("cold", "no copy", ALL, (("take_value(subject object)", "take_value(const subject *object)"),
                              ("return read_lines(&object);", "return read_lines(object);"),
                              ("take_value(*amp_object(&s->objects[at]))", "take_value(amp_object(&s->objects[at]))"))),
    ("cold", "no allocation", ALL,
     (("amp_alloc(sizeof *object)", "(subject *) (uintptr_t) model"), ("free(object);", ""))),
    ("thread_send", "not copied into the queue", ALL, (("        q->values[sent % SLOTS] = object;\n", ""),)),
    ("thread_send", "never freed", ALL, (("        free(object);\n", ""),)),
    ("thread_send", "written in the queue", ALL, (("        subject object;\n\n        fill(&object, i);\n"
                                                   "        amp_keep(&object);\n", ""),
                                                  ("q->values[sent % SLOTS] = object;",
                                                   "fill(&q->values[sent % SLOTS], i);"))),
    ("false_sharing", "own counters on both sides", ALL, (
        ("uint64_t *n = (uint64_t *) counter(c, 0);\n\n    c->ops = ops;",
         "uint64_t own, *n = &own;\n\n    c->ops = ops;"),)),
    ("false_sharing", "not atomic", ALL, (("atomic_fetch_add_explicit(n, 1, memory_order_relaxed);",
                                           "atomic_store_explicit(n, i, memory_order_relaxed);"),)),
    ("thread_start", "no thread", ALL, (("if (pthread_create(&id, NULL, thread, s) || pthread_join(id, NULL))",
                                         "(void) id; if (thread(s))"),)),
    ("thread_start", "no switch", ALL, (("if (swapcontext(&s->caller, &s->callee))", "coroutine(0, 0); if (!s)"),)),
]
# Where the sides are the same instructions, exchanging them changes nothing.
SWAPS = [lesson for lesson in LESSONS if lesson not in ("pass_inlined", "factory_inlined")]


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("lesson", SWAPS)
def test_sides_swapped_are_caught(compiler, lesson):
    made = compiled(compiler, lesson, swapped(lesson))
    with pytest.raises(AssertionError):
        check(made, lesson)


@pytest.mark.parametrize("compiler,lesson,changes", [
    pytest.param(compiler, lesson, changes, id=f"{compiler}-{lesson}-{name}".replace(" ", "_"))
    for lesson, name, compilers, changes in MUTANTS for compiler in compilers])
def test_mutant_is_caught(compiler, lesson, changes):
    made = compiled(compiler, lesson, changes)
    with pytest.raises(AssertionError):
        check(made, lesson)


def test_every_lesson_has_a_mutant():
    assert {lesson for lesson, *_ in MUTANTS} == set(LESSONS)
