# SPDX-License-Identifier: MIT
"""Lessons to lay out, and what make_layouts.py made of them, by nm and objdump."""
import io
import itertools
import json
import re
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from contextlib import redirect_stderr
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

import pytest

import make_layouts
from places import ROOT

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
    + 'AMP_PAIR(roundabout, .question = "?", .value = { run_table, .set_up = set_up, .tear_down = tear_down }, '
    + ".pointer = { run_deep, .set_up = set_up, .tear_down = tear_down }, .sizes = AMP_SIZES(8, 64, 4096));\n"
)


def compile_c(folder, source, compiler=("gcc",), flags=(), foreign=(), name="small"):
    (folder / f"{name}.c").write_text('#include "harness/kernel.h"\n' + source)
    subprocess.run([*compiler, *FLAGS, "-I", ROOT, "-c", *flags, folder / f"{name}.c", "-o", folder / f"{name}.o"],
                   check=True)
    (folder / "lesson.o").write_bytes(lesson_object(tuple(compiler), tuple(foreign)))


@lru_cache(maxsize=None)
def lesson_object(compiler, flags):
    """What is in each module, compiled."""
    with TemporaryDirectory() as folder:
        made = Path(folder) / "lesson.o"
        subprocess.run([*compiler, *FLAGS, "-I", ROOT, "-c", *flags, ROOT / "harness/lesson/lesson.c", "-o", made],
                       check=True)
        return made.read_bytes()


def run_tool(folder, *more, lesson="small", out="out", **options):
    files = {"object": folder / f"{lesson}.o", "extra": folder / "lesson.o"}
    options = files | {"count": 16, "seed": 1, "cc": "gcc"} | options  # linking 64 takes four times as long
    words = ["--lesson", lesson, "--out", str(folder / out), *more]
    words += [f"--{key}={option}" for key, option in options.items()]
    said, status = io.StringIO(), 0
    with redirect_stderr(said), mock.patch.object(sys, "argv", ["make_layouts.py", *map(str, words)]):
        try:  # here, since each start of Python would take longer than most of what is asked
            make_layouts.main()
        except SystemExit as end:  # a text is what Python would print
            status = 1 if isinstance(end.code, str) else end.code
            said.write(f"{end.code}\n" if isinstance(end.code, str) else "")
    return subprocess.CompletedProcess(words, status, "", said.getvalue())


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
