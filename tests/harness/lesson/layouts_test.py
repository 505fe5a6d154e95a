# SPDX-License-Identifier: MIT
"""make_layouts: where functions stand in the modules that it links, as nm and objdump see it."""
import itertools
import json
import re
import shlex
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from places import LESSONS, ROOT

sys.path.insert(0, str(ROOT / "harness/lesson"))
import lesson_object

PLACES = {16: (0, 16, 32, 48), 32: (0, 32), 64: (0,)}  # by alignment
FLAGS = "-std=c11 -D_GNU_SOURCE -O2 -g -fPIC -ffunction-sections -fdata-sections -falign-functions=16".split()
PAIR = 'AMP_PAIR({0}, .question = "?", .value = {{ {1} }}, .pointer = {{ {2} }}, .sizes = AMP_SIZES({3}));\n'
FOREIGN = {"stdlib.h": "void *malloc(size_t); void *calloc(size_t, size_t); void free(void *);", "string.h": "",
           "unistd.h": "_Noreturn void _exit(int);"}


def leaf(name, factor=3, attributes=""):
    return (f"static AMP_NOINLINE {attributes} uint64_t {name}(uint64_t i)\n"
            f"{{ amp_keep(&i); return i * {factor}u + {len(name)}u; }}\n")


def kernel(name, callees):
    calls = "".join(f" sum += {callee}(i);" for callee in callees)
    return (f"static uint64_t {name}(void *fixture, uint64_t ops)\n"
            "{ uint64_t sum = 0; (void) fixture;\n"
            f"  for (uint64_t i = ops; i > 0; i--) {{ amp_keep(&i); sum += i;{calls} }} return sum; }}\n")


def sides(n_value, n_pointer):
    """A lesson with so many functions on each side, the runs included; and their names."""
    value = [f"value_{k}" for k in range(1, n_value)]
    pointer = [f"pointer_{k}" for k in range(1, n_pointer)]
    text = "".join(map(leaf, value + pointer)) + kernel("run_value", value) + kernel("run_pointer", pointer)
    text += PAIR.format("small", "run_value", "run_pointer", "8")
    return text, ["run_value", *value], ["run_pointer", *pointer]


# Reached through a constant table, by recursion, and through what is expected never to run; set_up is not reached.
ROUNDABOUT = (
    leaf("by_table_0") + leaf("by_table_1", 5) + leaf("down") + leaf("last")
    + "static uint64_t (*const table[])(uint64_t) = { by_table_0, by_table_1 };\n"
    + "static AMP_NOINLINE uint64_t deep(uint64_t i)\n"
    + "{ uint64_t sum = i == 0 ? down(i) : deep(i / 2); amp_keep(&sum); return sum + 1; }\n"
    + "static AMP_NOINLINE __attribute__((cold)) uint64_t rare(uint64_t i) { amp_keep(&i); return last(i); }\n"
    + "static __attribute__((noinline)) void *set_up(size_t size) { return calloc(1, size); }\n"
    + "static void tear_down(void *fixture) { free(fixture); }\n"
    + "static uint64_t run_table(void *fixture, uint64_t ops)\n"
    + "{ uint64_t sum = 0; (void) fixture;\n"
    + "  for (uint64_t i = ops; i > 0; i--) { uint64_t k = i; amp_keep(&k); sum += table[k & 1](i); } return sum; }\n"
    + "static uint64_t run_deep(void *fixture, uint64_t ops)\n"
    + "{ uint64_t sum = 0; (void) fixture;\n"
    + "  for (uint64_t i = ops; i > 0; i--) { amp_keep(&i); sum += i == 77 ? rare(i) : deep(i); } return sum; }\n"
    + 'AMP_PAIR(roundabout, .question = "?", .value = { run_table, 0, 0, set_up, tear_down }, '
    + ".pointer = { run_deep, 0, 0, set_up, tear_down }, .sizes = AMP_SIZES(8, 64, 4096));\n"
)


def compile_c(folder, source, compiler=("gcc",), flags=(), foreign=(), name="small"):
    (folder / f"{name}.c").write_text('#include "harness/kernel.h"\n' + source)
    command = [*compiler, *FLAGS, "-I", ROOT, "-c"]
    subprocess.run([*command, *flags, folder / f"{name}.c", "-o", folder / f"{name}.o"], check=True)
    subprocess.run([*command, *foreign, ROOT / "harness/lesson/lesson.c", "-o", folder / "lesson.o"], check=True)


def run_tool(folder, *more, lesson="small", out="out", **options):
    files = {"object": folder / f"{lesson}.o", "extra": folder / "lesson.o"}
    options = files | {"count": 64, "seed": 1, "cc": "gcc"} | options
    command = [sys.executable, ROOT / "harness/lesson/make_layouts.py", "--lesson", lesson, "--out", folder / out, *more]
    for key, option in options.items():
        command.append(f"--{key}={option}")
    return subprocess.run(command, text=True, capture_output=True, check=False)


def make(folder, *more, **options):
    done = run_tool(folder, *more, **options)
    assert done.returncode == 0, done.stderr
    return folder / options.get("out", "out")


def symbols(out, lesson="small"):
    """function -> its address in each module, by nm."""
    modules = sorted(out.glob(f"{lesson}.*.so"))
    text = subprocess.run(["nm", "--print-file-name", *modules], text=True, capture_output=True, check=True).stdout
    found = defaultdict(dict)
    for module, address, name in re.findall(r"^(\S+):(\w+) [tT] (\S+)$", text, re.M):
        found[name][module] = int(address, 16)
    return {name: [addresses[str(module)] for module in modules] for name, addresses in found.items()}


def columns(out, lesson="small"):
    """function -> its offset within a line in each module."""
    return {name: [address % 64 for address in addresses] for name, addresses in symbols(out, lesson).items()}


def assert_balanced(found, functions, count, strength=2, aligned=None):
    """Every combination of places of so many functions equally often. `aligned`: function -> B, where not 16."""
    places = {name: PLACES[min(64, (aligned or {}).get(name, 16))] for name in functions}
    for size in range(1, min(strength, len(functions)) + 1):
        for group in itertools.combinations(functions, size):
            seen = Counter(zip(*(found[name] for name in group)))
            want = list(itertools.product(*(places[name] for name in group)))
            assert seen == {place: count // len(want) for place in want}, group


def aligned_in(made):
    """function -> the alignment of its section in an object file, where it is more than 16; by objdump."""
    text = subprocess.run(["objdump", "-h", "-w", made], text=True, capture_output=True, check=True).stdout
    found = re.findall(r" \.text\.(\S+) .* 2\*\*(\d+) .*CODE", text)
    return {name: 2**int(power) for name, power in found if int(power) > 4}


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            pytest.skip(f"{program} is not here")


def table_of(out, lesson="small"):
    return json.loads((out / f"{lesson}.layouts.json").read_text())


@pytest.mark.parametrize("linker", ["bfd", "lld"])
@pytest.mark.parametrize("sanitizer", ["", "-fsanitize=address,undefined"])
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_tool_chains(tmp_path, compiler, sanitizer, linker):
    need(compiler, f"ld.{linker}")
    flags = shlex.split(sanitizer)
    if subprocess.run([compiler, *flags, "-shared", "-x", "c", "/dev/null", "-o", tmp_path / "empty.so"], check=False,
                      capture_output=True).returncode:
        pytest.skip(f"{compiler} has no runtime of its sanitizers here")
    compile_c(tmp_path, ROUNDABOUT, [compiler], flags)
    out = make(tmp_path, f"--link-arg=-fuse-ld={linker}", cc=shlex.join([compiler, *flags]), count=16)
    found = columns(out)
    value, pointer = ["run_table", "by_table_0", "by_table_1"], ["run_deep", "deep", "down", "last"]
    assert_balanced(found, value, 16)
    assert_balanced(found, pointer, 16)
    for name in ("set_up", "rare"):
        assert len(set(symbols(out)[name])) == 1, f"{name}: what no side reaches, or hardly ever, stays in its place"
    unit, = table_of(out)["units"]
    assert unit["rows"] == [f"roundabout/size={size}" for size in (8, 64, 4096)]
    assert (sorted(unit["value"]), sorted(unit["pointer"])) == (sorted(value), sorted(pointer))
    assert unit["design"] == "orthogonal array"
    assert unit["offsets"] == {name: found[name] for name in value + pointer}


def test_another_architecture(tmp_path):
    """AArch64: its relocations and its calls; nothing of the host's headers or libraries."""
    need("clang", "ld.lld", "nm")
    for header, text in FOREIGN.items():
        (tmp_path / header).write_text(f"#include <stddef.h>\n{text}\n")
    target = ["clang", "--target=aarch64-linux-gnu"]
    flags = ["-ffreestanding", "-nostdlibinc", "-isystem", tmp_path]
    compile_c(tmp_path, ROUNDABOUT, target, flags, flags)
    out = make(tmp_path, "--link-arg=-fuse-ld=lld", "--link-arg=-nostdlib", cc=shlex.join(target), count=16)
    found = columns(out)
    assert_balanced(found, ["run_table", "by_table_0", "by_table_1"], 16)
    assert_balanced(found, ["run_deep", "deep", "down", "last"], 16)


@pytest.mark.parametrize("n_value, n_pointer, count, design, strength", [
    (1, 1, 4, "full factorial", 1),
    (1, 1, 64, "full factorial", 1),
    (2, 1, 16, "full factorial", 2),
    (2, 3, 64, "full factorial", 3),
    (5, 2, 16, "orthogonal array", 2),
    (5, 3, 64, "orthogonal array", 3),  # up to six of a side also in threes
    (21, 6, 64, "orthogonal array", 2),
])
def test_numbers_of_functions(tmp_path, n_value, n_pointer, count, design, strength):
    source, value, pointer = sides(n_value, n_pointer)
    compile_c(tmp_path, source)
    out = make(tmp_path, count=count)
    found = columns(out)
    assert {len(column) for column in found.values()} == {count}
    assert_balanced(found, value, count, strength)
    assert_balanced(found, pointer, count, strength)
    unit, = table_of(out)["units"]
    assert (unit["value"], unit["pointer"], unit["design"]) == (value, pointer, design)


@pytest.mark.parametrize("aligned", [{}, {"f1": 32, "f3": 64, "f70": 32}])
def test_largest_design(aligned):
    """256 layouts, 85 functions; tried without linking."""
    import make_layouts  # pylint: disable=import-outside-toplevel
    names = [f"f{k}" for k in range(85)]
    alignments = {name: aligned.get(name, 16) for name in names}
    found = make_layouts.balanced(alignments, 256, make_layouts.random.Random(1))
    assert_balanced(found, names, 256, aligned=aligned)
    assert_balanced(found, names[:4], 256, strength=4, aligned=aligned)


def aligned_leaf(align):
    return leaf("wide", 3, f"__attribute__((aligned({align})))")


RUNS = ("run_value", "run_pointer")
# A loop short enough for gcc 14 to align it; asked for by a flag, so that every compiler does.
LOOPING = ("static AMP_NOINLINE uint64_t looping(const char *text)\n"
           "{ uint64_t sum = 0; for (; *text; text++) { amp_keep(&sum); sum += (uint64_t) *text; } return sum; }\n"
           "static AMP_NOINLINE uint64_t wide(uint64_t i) { amp_keep(&i); return looping(\"text\") + i; }\n")


@pytest.mark.parametrize("callees, flags, count, aligned, design", [
    pytest.param(aligned_leaf(32), (), 64, {"wide": 32}, "orthogonal array", id="attribute of 32"),
    pytest.param(aligned_leaf(64), (), 64, {"wide": 64}, "full factorial", id="attribute of 64"),
    pytest.param(aligned_leaf(4096), (), 16, {"wide": 4096}, "orthogonal array", id="attribute of a page"),
    pytest.param(leaf("wide"), ("-falign-functions=32",), 16, dict.fromkeys(["wide", "one", *RUNS], 32),
                 "orthogonal array", id="every function 32"),
    pytest.param(leaf("wide"), ("-falign-functions=64",), 4, dict.fromkeys(["wide", "one", *RUNS], 64),
                 "full factorial", id="every function 64"),
    pytest.param(LOOPING, ("-falign-loops=32",), 16, dict.fromkeys(["looping", *RUNS], 32),
                 "orthogonal array", id="loops 32"),
])
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_functions_that_ask_for_more(tmp_path, compiler, callees, flags, count, aligned, design):
    """Fewer places for these, all balanced, and the table says why."""
    need(compiler)
    source = callees + leaf("one") + kernel("run_value", ["one", "wide"]) + kernel("run_pointer", ["wide"])
    compile_c(tmp_path, source + PAIR.format("small", "run_value", "run_pointer", "8"), [compiler], flags)
    assert aligned_in(tmp_path / "small.o") == aligned
    out = make(tmp_path, count=count, cc=compiler)
    unit, = table_of(out)["units"]
    found, placed = columns(out), list(dict.fromkeys(unit["value"] + unit["pointer"]))
    assert set(placed) == {*RUNS, "one", "wide"} | ({"looping"} if callees is LOOPING else set())
    assert_balanced(found, placed, count, aligned=aligned)
    assert unit["aligned"] == aligned and unit["design"] == design
    assert all(address % aligned[name] == 0 for name in aligned for address in symbols(out)[name])


def test_functions_with_one_place_need_no_column(tmp_path):
    source, value, pointer = sides(9, 2)
    compile_c(tmp_path, source, flags=["-falign-functions=64"])
    out = make(tmp_path, count=4)
    assert_balanced(columns(out), value + pointer, 4, aligned=dict.fromkeys(value + pointer, 64))


def test_sides_are_independent(tmp_path):
    """Rows are shuffled apart: no function of one side follows one of the other, nor is exactly balanced with it."""
    source, value, pointer = sides(3, 3)
    compile_c(tmp_path, source)
    found = columns(make(tmp_path))
    for one, other in itertools.product(value, pointer):
        cells = Counter(zip(found[one], found[other]))
        assert set(cells.values()) != {4} and max(cells.values()) < 16, (one, other)


def test_shared_function(tmp_path):
    """One array over both sides, and one unit of the pairs that meet in a function; others stay apart."""
    source = "".join(map(leaf, ["common", "left", "alone"]))
    for name, callees in (("run_value", ["common", "left"]), ("run_pointer", ["common"]), ("run_third", ["left"]),
                          ("run_apart", ["alone"]), ("run_apart_too", [])):
        source += kernel(name, callees)
    source += PAIR.format("first", "run_value", "run_pointer", "8")
    source += PAIR.format("apart", "run_apart", "run_apart_too", "8")
    source += PAIR.format("second", "run_third", "run_third", "8, 16")
    compile_c(tmp_path, source)
    out = make(tmp_path)
    found = columns(out)
    assert_balanced(found, ["run_value", "common", "left", "run_pointer", "run_third"], 64, strength=3)
    units = {tuple(sorted(unit["rows"])): unit for unit in table_of(out)["units"]}
    assert set(units) == {("first/size=8", "second/size=16", "second/size=8"), ("apart/size=8",)}
    joint = units["first/size=8", "second/size=16", "second/size=8"]
    assert set(joint["value"]) == {"run_value", "common", "left", "run_third"}
    assert set(joint["pointer"]) == {"run_pointer", "common", "run_third", "left"}
    assert joint["design"] == "orthogonal array" and units["apart/size=8",]["design"] == "full factorial"


@pytest.mark.parametrize("lesson, compiler", [*((lesson, "gcc") for lesson in LESSONS if lesson != "lto"), ("pass", "clang")])
def test_lessons(tmp_path, lesson, compiler):
    """Each lesson of the project: what nm finds is what its table says, and it is balanced."""
    need(compiler)
    compile_c(tmp_path, "", [compiler])
    subprocess.run([compiler, *FLAGS, "-fno-builtin-malloc", "-I", ROOT, "-c", ROOT / LESSONS[lesson], "-o",
                    tmp_path / f"{lesson}.o"], check=True)
    out = make(tmp_path, lesson=lesson, cc=compiler)
    found, rows, aligned = columns(out, lesson), [], aligned_in(tmp_path / f"{lesson}.o")
    for unit in table_of(out, lesson)["units"]:
        rows += unit["rows"]
        assert unit["offsets"] == {name: found[name] for name in unit["offsets"]}
        assert set(unit["offsets"]) == set(unit["value"] + unit["pointer"])
        assert unit.get("aligned", {}) == {name: aligned[name] for name in unit["offsets"] if name in aligned}
        assert_balanced(found, unit["value"], 64, aligned=aligned)
        assert_balanced(found, unit["pointer"], 64, aligned=aligned)
    assert len(rows) == len(set(rows)) and rows
    if lesson == "pass":
        sizes = [name.removeprefix("run_value_") for name in found if name.startswith("run_value_")]
        assert sorted(rows) == sorted(f"pass/size={size}" for size in sizes) and len(sizes) > 20
        for size in sizes:
            assert_balanced(found, [f"run_value_{size}", f"take_value_{size}"], 64, aligned=aligned)
            assert_balanced(found, [f"run_pointer_{size}", f"take_pointer_{size}"], 64, aligned=aligned)


def test_order_and_padding(tmp_path):
    source, value, pointer = sides(4, 4)
    compile_c(tmp_path, source)
    found = symbols(make(tmp_path))
    orders, distances = set(), set()
    for k in range(64):
        placed = sorted((found[name][k], name) for name in value + pointer)
        orders.add(tuple(name for _, name in placed))
        distances.add((placed[-1][0] - placed[0][0]) // 64)
    assert len(orders) > 60 and len(distances) > 5


def codes(module):
    """function -> its bytes in a module, of those that are placed; by objdump, objcopy and nm."""
    headers = subprocess.run(["objdump", "-h", module], text=True, capture_output=True, check=True).stdout
    start = int(re.search(r" \.text\.amp +\w+ +(\w+)", headers).group(1), 16)
    binary = module.with_suffix(".bin")
    subprocess.run(["objcopy", "-O", "binary", "--only-section=.text.amp", module, binary], check=True)
    placed = binary.read_bytes()
    text = subprocess.run(["nm", "-S", module], text=True, capture_output=True, check=True).stdout
    found = {}
    for address, size, name in re.findall(r"^(\w+) (\w+) t (\S+)$", text, re.M):
        at = int(address, 16) - start
        found[name] = bytearray(placed[at : at + int(size, 16)])
    return found


def test_same_code(tmp_path):
    """A function has the same bytes in every module, but for the distances that the linker fills in."""
    need("objdump", "objcopy")
    compile_c(tmp_path, ROUNDABOUT)
    command = ["objdump", "-r", tmp_path / "small.o"]
    relocations = subprocess.run(command, text=True, capture_output=True, check=True).stdout
    out = make(tmp_path, count=16)
    modules = [codes(module) for module in sorted(out.glob("*.so"))]
    for function in ("run_table", "by_table_0", "run_deep", "deep", "down"):
        part = re.search(rf"RECORDS FOR \[\.text\.{function}\]:\n(.*?)\n\n", relocations, re.S)
        holes = [int(at, 16) for at in re.findall(r"^(\w{16}) ", part.group(1), re.M)] if part else []
        for module in modules:
            assert len(module[function]) > 4 * (len(holes) + 1), function
            for hole in holes:
                module[function][hole : hole + 4] = b"    "
        assert len({bytes(module[function]) for module in modules}) == 1, function


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_seed(tmp_path):
    source, *_ = sides(3, 3)
    compile_c(tmp_path, source)
    first, again, other = (contents(make(tmp_path, out=out, count=16, seed=seed))
                           for out, seed in (("first", 7), ("again", 7), ("other", 8)))
    assert len(first) == 17 and first == again
    assert all(first[name] != other[name] for name in first)


REFUSALS = {
    "too many functions": (sides(22, 2)[0], {}, [], ["small/size=8", "22 functions", "21", "value_1"]),
    "too many for few layouts": (sides(2, 6)[0], {"count": 16}, [], ["6 functions", "16 layouts can balance 5", "link 64 layouts"]),
    "no function sections": (sides(2, 2)[0], {}, ["-fno-function-sections"], ["-ffunction-sections", "run_value"]),
    "no data sections": (ROUNDABOUT, {}, ["-fno-data-sections"], ["-fdata-sections", "run_table"]),
    "no pair": (leaf("unused"), {}, ["-Wno-unused-function"], ["AMP_PAIR"]),
    "link-time optimisation": (sides(2, 2)[0], {}, ["-flto", "-fno-fat-lto-objects"], ["AMP_PAIR"]),
    "not an object": ("", {"object": Path(__file__)}, [], ["layouts_test.py", "not an object"]),
    "no object": ("", {"object": "/nonexistent.o"}, [], ["/nonexistent.o"]),
    "extra is not lesson.c": (sides(1, 1)[0], {"extra": "SELF"}, [], ["amp_lesson", "lesson.c"]),
    "linker fails": (sides(1, 1)[0], {"link-arg": "-lnonexistent"}, [], ["nonexistent"]),
    "stripped": (sides(1, 1)[0], {"link-arg": "-s"}, [], ["run_value", "stripped"]),
    **{f"count {count}": (sides(1, 1)[0], {"count": count}, [], [f"--count {count}", "power of 4"])
       for count in (-4, 0, 1, 2, 8, 32, 63, 65, 128)},
}


@pytest.mark.parametrize("name", REFUSALS)
def test_refused(tmp_path, name):
    """One message that names what is wrong, and the modules of an earlier build untouched."""
    source, options, flags, words = REFUSALS[name]
    compile_c(tmp_path, sides(1, 1)[0])
    before = contents(make(tmp_path, count=4))
    compile_c(tmp_path, source, flags=flags)
    if "SELF" in options.values():
        options = {"extra": tmp_path / "small.o"}
    done = run_tool(tmp_path, **options)
    assert done.returncode == 1 and done.stderr.startswith("ampersand: layouts: ") and "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr
    assert contents(tmp_path / "out") == before


def test_linker_that_does_not_obey(tmp_path):
    """Where the functions stand is read back: a linker that puts one elsewhere is found out."""
    compile_c(tmp_path, sides(1, 1)[0])
    driver = tmp_path / "driver"
    driver.write_text("#!/bin/sh\nfor a; do\n  case $a in -Wl,-T,*) sed -i 's/+= /+= 16 + /' \"${a#-Wl,-T,}\";; esac\n"
                      'done\nexec gcc "$@"\n')
    driver.chmod(0o755)
    done = run_tool(tmp_path, cc=driver)
    assert done.returncode == 1 and re.search(r"small\.\d\d\.so: run_\w+: the linker put it at 0x", done.stderr)
    assert not list((tmp_path / "out").iterdir())


def test_smaller_design_leaves_no_old_modules(tmp_path):
    compile_c(tmp_path, sides(1, 1)[0])
    make(tmp_path, count=16)
    out = make(tmp_path, count=4)
    assert sorted(contents(out)) == ["small.00.so", "small.01.so", "small.02.so", "small.03.so", "small.layouts.json"]
    assert table_of(out)["n"] == 4


# ---- how it was compiled ----------------------------------------------------------------------------------------------

RECORD = "-frecord-gcc-switches"
COMPILED = {  # what is compiled with, beside FLAGS, and what the table then has of -O and -m; None: no flags at all
    "as ours": ([RECORD], ["-O2"]),
    "not optimised": ([RECORD, "-O0"], ["-O0"]),
    "the last of several": ([RECORD, "-O3", "-O1"], ["-O1"]),
    "for a processor": ([RECORD, "-mavx2", "-march=haswell"], ["-O2", "-march=haswell", "-mavx2"]),
    "no debugging information": ([RECORD, "-g0", "-O3"], ["-O3"]),
    "compressed": ([RECORD, "-gz", "-O3"], ["-O3"]),
    "DWARF 5": ([RECORD, "-gdwarf-5", "-O3"], ["-O3"]),
    "as a user's own build": (["-O1"], ["-O1"]),
    "nothing to go by": (["-g0", "-O3"], None),
}


def version_of(compiler):
    return subprocess.run([compiler, "-dumpfullversion"] if "gcc" in compiler else [compiler, "-dumpversion"], text=True,
                          capture_output=True, check=True).stdout.strip()


def told(out, lesson="small"):
    """compiler -> its flags of code generation, as the table has them."""
    found = {}
    for unit in table_of(out, lesson)["compiled"]:
        assert not any(re.match("-[gWIo]|-D_GNU", flag) for flag in unit["flags"] or ()), "what is no matter of code, or a path"
        found[unit["compiler"]] = unit["flags"] and sorted(
            flag for flag in unit["flags"] if re.match("-[Om]", flag) and flag not in ("-mtune=generic", "-march=x86-64"))
    return found


@pytest.mark.parametrize("name", COMPILED)
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_table_says_how_the_object_was_compiled(tmp_path, compiler, name):
    need(compiler)
    flags, want = COMPILED[name]
    if compiler == "clang" and RECORD not in flags:
        want = None  # clang records no flags unasked
    compile_c(tmp_path, sides(1, 1)[0], [compiler], flags)
    assert told(make(tmp_path, count=4)) == {f"{compiler} {version_of(compiler)}": want}


WORDS = {  # what a compiler leaves of itself -> how we call it, and its flags
    "GNU C17 12.2.0 -mtune=generic -g -O1 -O2 -fPIC": ("gcc 12.2.0", "-mtune=generic -O2 -fPIC"),
    "GNU C11 13.2.0": ("gcc 13.2.0", ""),
    "GCC: (Ubuntu 13.2.0-23ubuntu4) 13.2.0": ("gcc 13.2.0", ""),
    "Debian clang version 14.0.6": ("clang 14.0.6", ""),
    "Debian clang version 19.1.7 (3+b1)": ("clang 19.1.7", ""),
    "Ubuntu clang version 18.1.3 (1ubuntu1)": ("clang 18.1.3", ""),
    "clang version 16.0.6 (git://there/llvm 7cbf1a259152)": ("clang 16.0.6", ""),
    "clang version 17.0.1 (git://there/llvm 7cbf1a259152) (based on LLVM 17)": ("clang 17.0.1", ""),
    "Debian clang version 19.1.7 (3+b1) /usr/bin/clang -O3 -D X=3 -D _GNU_SOURCE -U Y -I a -include b.h -c d.c -o d.o": (
        "clang 19.1.7", "-O3 -DX=3 -UY -include b.h"),
    "Debian clang version 14.0.6 /usr/bin/clang -O0 -D _FORTIFY_SOURCE=2 -D _GNU_SOURCE_ -D _FILE_OFFSET_BITS=64": (
        "clang 14.0.6", "-O0 -D_FORTIFY_SOURCE=2 -D_GNU_SOURCE_"),
}


@pytest.mark.parametrize("words", WORDS)
def test_what_compilers_leave_is_read(words):
    compiler, rest = lesson_object.producer(words)
    assert (compiler, " ".join(lesson_object.flags(rest)) if rest else "") == WORDS[words]


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_macros_are_told_once(tmp_path, compiler):
    """clang leaves them in the object; for gcc it has to be said which there were."""
    need(compiler)
    compile_c(tmp_path, sides(1, 1)[0], [compiler], [RECORD, "-DTHIS=1", "-UTHAT"])
    unit, = table_of(make(tmp_path, "--flag=-O2", "--flag=-DTHIS=1", count=4))["compiled"]
    assert [flag for flag in unit["flags"] if flag.startswith(("-D", "-U"))] == ["-DTHIS=1"] + ["-UTHAT"] * (compiler == "clang")
    assert unit["flags"].count("-O2") <= 1


def test_an_object_that_says_nothing(tmp_path):
    need("objcopy")
    compile_c(tmp_path, sides(1, 1)[0], flags=["-g0"])
    subprocess.run(["objcopy", "--remove-section=.comment", tmp_path / "small.o"], check=True)
    assert table_of(make(tmp_path, count=4))["compiled"] == [{"compiler": "unknown", "flags": None}]


def test_build_ids_are_those_of_the_modules(tmp_path):
    need("readelf")
    compile_c(tmp_path, sides(1, 1)[0])
    out = make(tmp_path, "--link-arg=-Wl,--build-id=none", count=4)
    for k, build_id in enumerate(table_of(out)["build_ids"]):
        notes = subprocess.run(["readelf", "-n", out / f"small.{k:02d}.so"], text=True, capture_output=True, check=True)
        assert re.search(r"Build ID: (\w+)", notes.stdout)[1] == build_id
    assert len(set(table_of(out)["build_ids"])) == 4


# ---- what a lesson calls elsewhere ------------------------------------------------------------------------------------

DECLARED = "uint64_t helped(uint64_t i);\n"
CALLER = DECLARED + kernel("run_value", ["helped"]) + kernel("run_pointer", []) + PAIR.format("small", "run_value",
                                                                                             "run_pointer", "8")
LIBRARY = {
    "helped": "#include <stdint.h>\nuint64_t inner(uint64_t i);\nuint64_t helped(uint64_t i) { return inner(i) + 1; }\n",
    "inner": "#include <stdint.h>\nstatic __attribute__((noipa)) uint64_t hidden(uint64_t i) { return 3 * i; }\n"
             "uint64_t inner(uint64_t i) { return hidden(i) + 2; }\n",
    "unused": "#include <stdint.h>\nuint64_t unused(uint64_t i) { return i; }\n",
}


def make_library(folder, flags=(), members=LIBRARY):
    """A static library of one's own, its members compiled like a lesson but for `flags`."""
    (folder / "lib").mkdir()
    for name, text in members.items():
        (folder / "lib" / f"{name}.c").write_text(text)
        subprocess.run(["gcc", *FLAGS, *flags, "-c", folder / "lib" / f"{name}.c", "-o", folder / "lib" / f"{name}.o"],
                       check=True)
    subprocess.run(["ar", "rcs", folder / "libown.a", *(folder / "lib" / f"{name}.o" for name in members)], check=True)
    return folder / "libown.a"


@pytest.mark.parametrize("linker", ["bfd", "lld"])
def test_what_a_lesson_calls_of_a_static_library_is_placed(tmp_path, linker):
    """All that is reached, through other members and static functions; and not what is not."""
    need("ar", f"ld.{linker}")
    compile_c(tmp_path, CALLER)
    out = make(tmp_path, f"--link-arg=-fuse-ld={linker}", library=make_library(tmp_path), count=16)
    found, (unit,) = columns(out), table_of(out)["units"]
    assert unit["value"] == ["run_value", "helped", "inner", "hidden"] and unit["pointer"] == ["run_pointer"]
    assert unit["offsets"] == {name: found[name] for name in unit["value"] + unit["pointer"]}
    assert_balanced(found, unit["value"], 16)
    assert (unit["value_calls"], unit["pointer_calls"]) == ([], [])
    assert "unused" not in found


RESERVED = {"helped": LIBRARY["helped"].replace("inner", "__inner"), "inner": LIBRARY["inner"].replace(" inner", " __inner")}


def test_reserved_names_are_placed_like_others(tmp_path):
    compile_c(tmp_path, CALLER)
    out = make(tmp_path, library=make_library(tmp_path, members=RESERVED), count=16)
    assert_balanced(columns(out), ["run_value", "helped", "__inner", "hidden"], 16)


@pytest.mark.parametrize("name, body, refused", [
    ("__helped", CALLER.replace("helped", "__helped"), True),  # a user's, for all that the name is reserved
    ("__udivti3", CALLER.replace("helped(i)", "(uint64_t) (((unsigned __int128) i << 70) / (i | 1))"), False),  # libgcc's
])
def test_only_the_compilers_own_helpers_are_left_unplaced(tmp_path, name, body, refused):
    compile_c(tmp_path, body)
    library = make_library(tmp_path, members={"helped": LIBRARY["inner"].replace(" inner", " __helped")})
    done = run_tool(tmp_path, f"--link-arg={library}", count=16)
    assert (done.returncode == 1) == refused and (f"{name}: comes from a static library" in done.stderr) == refused, done.stderr
    if not refused:
        assert name in table_of(tmp_path / "out")["units"][0]["value_calls"]


def test_an_object_of_ones_own_is_placed(tmp_path):
    make_library(tmp_path)
    compile_c(tmp_path, CALLER)
    out = make(tmp_path, f"--library={tmp_path / 'lib/helped.o'}", library=tmp_path / "lib/inner.o", count=16)
    assert_balanced(columns(out), ["run_value", "helped", "inner", "hidden"], 16)


def test_both_compilers_of_a_lesson_are_told(tmp_path):
    compile_c(tmp_path, CALLER)
    out = make(tmp_path, library=make_library(tmp_path, ["-O1"]), count=16)
    assert [unit["flags"][[flag[:2] for flag in unit["flags"]].index("-O")] for unit in table_of(out)["compiled"]] == [
        "-O2", "-O1"]


def test_calls_of_shared_libraries_are_told(tmp_path):
    source = (kernel("run_value", ["getenv_of", "random_of"]).replace("static uint64_t run_value", (
        "static AMP_NOINLINE uint64_t getenv_of(uint64_t i) { amp_keep(&i); return i + (getenv(\"x\") != 0); }\n"
        "static AMP_NOINLINE uint64_t random_of(uint64_t i) { free(malloc(i & 7)); return i; }\nstatic uint64_t run_value"))
        + kernel("run_pointer", []) + PAIR.format("small", "run_value", "run_pointer", "8"))
    compile_c(tmp_path, source, flags=["-fno-builtin"])
    unit, = table_of(make(tmp_path, count=16))["units"]
    assert unit["value_calls"] == ["getenv", "malloc", "free"] and unit["pointer_calls"] == []


UNPLACED = {  # what is linked in: flags of the library, how it is given, what is said
    "behind our back": ([], "link-arg", ["helped", "--library"]),
    "without sections": (["-fno-function-sections"], "library", ["inner", "-ffunction-sections"]),
    "not there": (None, "library", ["nonesuch.a"]),
}


@pytest.mark.parametrize("name", UNPLACED)
def test_what_cannot_be_placed_is_refused_by_name(tmp_path, name):
    flags, how, words = UNPLACED[name]
    compile_c(tmp_path, CALLER)
    library = tmp_path / "nonesuch.a" if flags is None else make_library(tmp_path, flags)
    done = run_tool(tmp_path, **{how: library}, count=16)
    assert done.returncode == 1 and done.stderr.startswith("ampersand: layouts: ") and "Traceback" not in done.stderr
    assert all(word in done.stderr for word in words), done.stderr
    assert not (tmp_path / "out/small.layouts.json").exists()


def test_two_static_functions_of_one_name(tmp_path):
    twins = {name: LIBRARY["inner"].replace("inner", name) for name in ("inner", "other")}
    twins["helped"] = LIBRARY["helped"].replace("inner(i) +", "inner(i) + other(i) +").replace(
        "uint64_t helped", "uint64_t other(uint64_t i);\nuint64_t helped", 1)
    compile_c(tmp_path, CALLER)
    done = run_tool(tmp_path, library=make_library(tmp_path, members=twins), count=16)
    assert done.returncode == 1 and "hidden: two files have a static function of this name" in done.stderr
