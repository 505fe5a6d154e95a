# SPDX-License-Identifier: MIT
"""make_layouts.py: where functions are placed, for every tool chain and number of functions."""
import itertools
import random
import re
import shlex
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

import built
import make_layouts
from making import (FLAGS, FOREIGN, PAIR, ROUNDABOUT, aligned_in, assert_balanced, columns, compile_c, kernel, leaf,
                    make, need, run_tool, sides, symbols, table_of)
from lesson_object import Object
from places import LESSONS, ROOT


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
    out = make(tmp_path, f"--link-arg=-fuse-ld={linker}", cc=shlex.join([compiler, *flags]))
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
    out = make(tmp_path, "--link-arg=-fuse-ld=lld", "--link-arg=-nostdlib", cc=shlex.join(target))
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
    pytest.param(aligned_leaf(32), (), 16, {"wide": 32}, "orthogonal array", id="attribute of 32"),
    pytest.param(aligned_leaf(64), (), 16, {"wide": 64}, "orthogonal array", id="attribute of 64"),
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


def test_sides_are_independent():
    """Rows are shuffled apart: no function of one side follows one of the other, nor is exactly balanced with it. Of 64
    layouts, tried without linking."""
    _, value, pointer = sides(3, 3)
    unit = {"rows": ["small/size=8"], "value": value, "pointer": pointer}
    make_layouts.design(unit, dict.fromkeys(value + pointer, 16), 64, random.Random(1))
    found = unit["offsets"]
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
    assert_balanced(found, ["run_value", "common", "left", "run_pointer", "run_third"], 16)
    units = {tuple(sorted(unit["rows"])): unit for unit in table_of(out)["units"]}
    assert set(units) == {("first/size=8", "second/size=16", "second/size=8"), ("apart/size=8",)}
    joint = units["first/size=8", "second/size=16", "second/size=8"]
    assert set(joint["value"]) == {"run_value", "common", "left", "run_third"}
    assert set(joint["pointer"]) == {"run_pointer", "common", "run_third", "left"}
    assert joint["design"] == "orthogonal array" and units["apart/size=8",]["design"] == "full factorial"


def assert_as_told(out, lesson, made):
    """What nm finds in the modules is what the lesson's table says, and it is balanced."""
    table, found, rows, aligned = table_of(out, lesson), columns(out, lesson), [], aligned_in(made)
    for unit in table["units"]:
        rows += unit["rows"]
        assert unit["offsets"] == {name: found[name] for name in unit["offsets"]}
        assert set(unit["offsets"]) == set(unit["value"] + unit["pointer"])
        assert unit.get("aligned", {}) == {name: aligned[name] for name in unit["offsets"] if name in aligned}
        assert_balanced(found, unit["value"], table["n"], aligned=aligned)
        assert_balanced(found, unit["pointer"], table["n"], aligned=aligned)
    assert len(rows) == len(set(rows)) and rows
    return found, rows


@pytest.mark.skipif(not built.plain(), reason="AMPERSAND_BUILD does not name a build folder, or one with a sanitizer")
@pytest.mark.parametrize("lesson", [lesson for lesson in LESSONS if lesson != "lto"])
def test_lessons(lesson):
    """Each lesson of the project, as it was built."""
    out = built.plain() / "benchmarks"
    made, = (out / f"lib{lesson}.a.p").glob("*.o")
    found, rows = assert_as_told(out, lesson, made)
    if lesson == "pass":
        sizes = [name.removeprefix("run_value_") for name in found if name.startswith("run_value_")]
        assert sorted(rows) == sorted(f"pass/size={size}" for size in sizes) and len(sizes) > 20
        n, aligned = table_of(out, lesson)["n"], aligned_in(made)
        for size, side in itertools.product(sizes, ("value", "pointer")):
            assert_balanced(found, [f"run_{side}_{size}", f"take_{side}_{size}"], n, aligned=aligned)


def test_a_lesson_by_clang(tmp_path):
    need("clang")
    compile_c(tmp_path, "", ["clang"])
    made = tmp_path / "pass.o"
    subprocess.run(["clang", *FLAGS, "-fno-builtin-malloc", "-I", ROOT, "-c", ROOT / LESSONS["pass"], "-o", made],
                   check=True)
    _, rows = assert_as_told(make(tmp_path, lesson="pass", cc="clang"), "pass", made)
    assert len(rows) > 20


def test_order_and_padding(tmp_path):
    source, value, pointer = sides(4, 4)
    compile_c(tmp_path, source)
    found = symbols(make(tmp_path))
    orders, distances = set(), set()
    for k in range(16):
        placed = sorted((found[name][k], name) for name in value + pointer)
        orders.add(tuple(name for _, name in placed))
        distances.add((placed[-1][0] - placed[0][0]) // 64)
    assert len(orders) > 14 and len(distances) > 5


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
    out = make(tmp_path)
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
    "too many functions": (sides(22, 2)[0], {"count": 64}, [], ["small/size=8", "22 functions", "21", "value_1"]),
    "too many for few layouts": (sides(2, 6)[0], {}, [],
                                 ["6 functions", "16 layouts can balance 5", "link 64 layouts"]),
    "no function sections": (sides(2, 2)[0], {}, ["-fno-function-sections"],
                             ["value_", " more: compile with -ffunction-sections"]),
    "no data sections": (ROUNDABOUT, {}, ["-fno-data-sections"], ["-fdata-sections", "run_table"]),
    "no pair": (leaf("unused"), {}, ["-Wno-unused-function"], ["AMP_PAIR"]),
    "link-time optimisation": (sides(2, 2)[0], {}, ["-flto", "-fno-fat-lto-objects"], ["AMP_PAIR"]),
    "not an object": ("", {"object": Path(__file__)}, [], [Path(__file__).name, "not an object"]),
    "no object": ("", {"object": "/nonexistent.o"}, [], ["/nonexistent.o"]),
    "extra is not lesson.c": (sides(1, 1)[0], {"extra": "SELF"}, [], ["amp_lesson", "lesson.c"]),
    "linker fails": (sides(1, 1)[0], {"link-arg": "-lnonexistent"}, [], ["nonexistent"]),
    "stripped": (sides(1, 1)[0], {"link-arg": "-s"}, [], ["run_value", "stripped"]),
    **{f"count {count}": (sides(1, 1)[0], {"count": count}, [], [f"--count {count}", "power of 4"])
       for count in (-4, 0, 1, 2, 8, 32, 63, 65, 128)},
}


@pytest.fixture(scope="module")
def earlier(tmp_path_factory):
    """The folder of an earlier build."""
    folder = tmp_path_factory.mktemp("earlier")
    compile_c(folder, sides(1, 1)[0])
    assert len(contents(make(folder, count=4))) == 5
    return folder


@pytest.mark.parametrize("name", REFUSALS)
def test_refused(earlier, tmp_path, name):
    """One message that names what is wrong, and the modules of an earlier build untouched."""
    source, options, flags, words = REFUSALS[name]
    shutil.copytree(earlier, tmp_path, dirs_exist_ok=True)
    before = contents(tmp_path / "out")
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
    make(tmp_path)
    out = make(tmp_path, count=4)
    assert sorted(contents(out)) == ["small.00.so", "small.01.so", "small.02.so", "small.03.so", "small.layouts.json"]
    assert table_of(out)["n"] == 4


THUNKS = """struct one { virtual ~one() {} virtual int a() { return 1; } };
struct two { virtual ~two() {} virtual int b() { return 2; } };
struct both : one, two { ~both() override; int b() override; };
both::~both() {}
int both::b() { return 3; }
"""


@pytest.mark.parametrize("compiler", ["g++", "clang++"])
def test_thunks_of_a_class_are_placed_with_its_functions(tmp_path, compiler):
    """gcc puts them into the sections of these."""
    need(compiler)
    (tmp_path / "both.cc").write_text(THUNKS)
    flags = ["-O2", "-fPIC", "-ffunction-sections", "-falign-functions=16"]
    subprocess.run([compiler, *flags, "-c", "both.cc", "-o", "both.o"], cwd=tmp_path, check=True)
    found = Object(tmp_path / "both.o")
    code = [n for n in range(len(found.names)) if found.is_code(n) and found.data[n]]
    assert {"_ZN4both1bEv" in found.function_of(n) for n in code} == {True, False}
    assert any(symbol.name.startswith("_ZThn") for symbol in found.symbols)
