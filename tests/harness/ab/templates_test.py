# SPDX-License-Identifier: MIT
"""Layouts that are made without a linker: the linker makes the same, and what was made runs."""
import ctypes
import json
import os
import subprocess
import sys
from argparse import Namespace
from dataclasses import replace

import numpy as np
import pytest

from places import ROOT

sys.path.insert(0, str(ROOT / "harness/ab"))
import link_sides
import slots
import templates

CC = os.environ.get("CC", "cc").split()
CXX = os.environ.get("CXX", "c++").split()
FLAGS = "-w", "-fPIC", "-fno-inline", "-ffunction-sections", "-fdata-sections", "-I", str(ROOT), "-D_GNU_SOURCE"
KERNEL = """
static uint64_t run(void *fixture, uint64_t ops)
{
    uint64_t sum = 0;
    for (uint64_t i = 0; i < ops; i++)
        sum += work((int) i);
    return sum;
}
AMP_KERNEL(k, .run = run);
"""
# Jump tables, calls near and through pointers in data, thread-local storage, long and rare functions.
PLAIN = """#include "harness/ab.h"
#include <stdlib.h>
static _Thread_local unsigned depth;
__attribute__((cold)) int never(const char *why) { abort(); return why[0]; }
int twice(int x) { return 2 * x; }
int thrice(int x) { return x * 3 + strtol("4", 0, 10); }
static int (*const some[])(int) = { twice, thrice, abs };
int chosen(int x)
{
    switch (x % 9) {
    case 0: return twice(x) + 5;
    case 1: return thrice(x) ^ 9;
    case 2: return x / 3;
    case 3: return abs(-x);
    case 4: return some[x % 3](x);
    case 5: return x << 4;
    case 6: return x * x;
    case 7: return ~x;
    default: return x < 0 ? never("below") : 1;
    }
}
__attribute__((aligned(256))) int aligned(int x) { return chosen(x) + (int) ++depth; }
int work(int x) { return aligned(x) + EXTRA; }
""" + KERNEL
CPLUSPLUS = """#include "harness/ab.h"
#include <stdexcept>
#include <string>
struct shape { virtual int corners(int x) const { return x; } virtual ~shape() {} };
struct square : shape { int corners(int x) const override { if (x % 3 == 0) throw std::runtime_error("3"); return 4; } };
int inner(const shape &one, int x) { std::string kept(x % 7 + 20, 'a'); return one.corners(x) + (int) kept.size(); }
int work(int x)
{
    try {
        return inner(square(), x) + EXTRA;
    } catch (const std::exception &error) {
        return error.what()[0];
    }
}
""" + KERNEL.replace("AMP_KERNEL(k, .run", "AMP_KERNEL(k, .set_up = nullptr, .run")


def compiled(folder, name, text, compiler, optimised="-O2"):
    """A side's relocatable file."""
    source = folder / f"{name}.{'cc' if compiler is CXX else 'c'}"
    source.write_text(text)
    table = ROOT / "harness/ab/launch/kernels.c"
    for cc, file, out in ((compiler, source, f"{name}.o"), (CC, table, "table.o")):
        subprocess.run([*cc, *FLAGS, optimised, "-c", str(file), "-o", out], cwd=folder, check=True)
    subprocess.run([*CC, "-r", "-nostdlib", "-Wl,--unique", "-o", f"{name}.side.o", f"{name}.o", "table.o"], cwd=folder,
                   check=True)
    return folder / f"{name}.side.o"


class Sides:
    def __init__(self, folder, text, compiler):
        self.folder = folder
        self.objects = [compiled(folder, name, text.replace("EXTRA", extra), compiler)
                        for name, extra in (("base", "0"), ("head", "(x & 1 ? abs(x) : twice(x))" if compiler is CC
                                                           else "(int) std::to_string(x).size()"))]
        self.words = ["--arg=-lstdc++"] * (compiler is CXX)

    def linker(self, name, **more):
        """A Linker, as main() of link_sides.py would make it."""
        out = self.folder / name
        out.mkdir()
        args = Namespace(base=self.objects[0], head=self.objects[1], base_cc=None, head_cc=None, out=out, count=8,
                         seed=3,
                         cc=" ".join(CC), arg=[word.removeprefix("--arg=") for word in self.words], programs=False,
                         program_library=None, count_library=None, facts=False, template=out / "template")
        vars(args).update(more)
        return link_sides.Linker(args)

    def call(self, script, name, *words):
        out = self.folder / name
        out.mkdir(exist_ok=True)
        done = subprocess.run([sys.executable, str(ROOT / "harness/ab" / script), "--out", str(out), *map(str, words)],
                              check=True, capture_output=True, text=True)
        return out, done.stdout and json.loads(done.stdout)

    def of_sides(self):
        return ["--base", self.objects[0], "--head", self.objects[1], "--cc", " ".join(CC), *self.words]


@pytest.fixture(scope="module", params=["C", "C++"])
def sides(request, tmp_path_factory):
    text, compiler = (PLAIN, CC) if request.param == "C" else (CPLUSPLUS, CXX)
    found = Sides(tmp_path_factory.mktemp(request.param), text, compiler)
    if link_sides.side_object.Side(found.objects[0]).machine != "EM_X86_64":
        pytest.skip("elsewhere than on x86-64 every layout is linked")
    return found


@pytest.fixture(scope="module")
def made(sides):
    """(the folder of layouts that were made, what was found, the folder of those that were linked)"""
    few, found = sides.call("link_sides.py", "few", "--template", sides.folder / "template", *sides.of_sides())
    placed, _ = sides.call("place_sides.py", "placed", "--template", sides.folder / "template", "--count", 8, "--seed",
                           3)
    linked, _ = sides.call("link_sides.py", "linked", "--count", 8, "--seed", 3, *sides.of_sides())
    return placed, found, linked


class Kernel(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("set_up", ctypes.c_void_p),
                ("run", ctypes.CFUNCTYPE(ctypes.c_uint64, ctypes.c_void_p, ctypes.c_uint64))]


class Table(ctypes.Structure):
    _fields_ = [("abi", ctypes.c_uint32), ("begin", ctypes.POINTER(ctypes.POINTER(Kernel)))]


def result_of(path):
    kernel = Table.in_dll(ctypes.CDLL(str(path)), "amp_ab_side").begin[0].contents
    return kernel.run(None, 1000)


def test_the_linker_makes_the_same(sides, made):
    placed, found, linked = made
    assert found == {"not_counted": None, "not_placed": None}
    assert sorted(path.name for path in placed.iterdir()) == sorted(
        f"{side}.{k:03d}.so" for side in ("base", "head") for k in range(8))
    held, order, slots_of, _ = templates.load(sides.folder / "template")
    for k, (at, _) in enumerate(slots.layouts(*order, slots_of, 8, 3)):
        for side, template in held.items():
            assert templates.makes(template, at, linked / f"{side}.{k:03d}.so")
            assert (placed / f"{side}.{k:03d}.so").read_bytes() == templates.place(template, at).tobytes()


def test_what_was_made_runs(made):
    """In a process of its own, since a wrong address would end it."""
    placed, _, linked = made
    for side in ("base", "head"):
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            found = {result_of(folder / f"{side}.{k:03d}.so") for folder in (placed, linked) for k in range(8)}
            os.write(writer, json.dumps(sorted(found)).encode())
            os._exit(0)
        os.close(writer)
        with open(reader, "rb") as file:
            said = file.read()
        assert os.waitpid(child, 0)[1] == 0 and len(json.loads(said)) == 1


@pytest.mark.parametrize("column", [0, 2, 3, 4], ids=["where", "distance", "inside", "leads"])
def test_a_wrong_template_is_found_out(sides, made, column):
    held, order, slots_of, _ = templates.load(sides.folder / "template")
    template, plan = held["base"], slots.layouts(*order, slots_of, 8, 3)

    def makes_all(template):
        return all(templates.makes(template, at, made[2] / f"base.{k:03d}.so") for k, (at, _) in enumerate(plan))

    assert makes_all(template)
    n, fields = len(template.names), template.fields.copy()
    row = np.flatnonzero((fields[:, 3] < n) & (fields[:, 4] == n))[0]  # from a function to something that stands still
    fields[row, column] = {0: fields[row, 0] + 1, 2: 0, 3: (fields[row, 3] + 1) % n, 4: 0}[column]
    assert not makes_all(replace(template, fields=fields))


REFUSED = {
    "an unknown relocation": (lambda patch: patch.setattr(templates, "FIELDS", {}), "it has a relocation of type"),
    "another table": (lambda patch: patch.setattr(templates, "SORTED_TABLE", 0), "its table for unwinding"),
    "fields that are not told": (lambda patch: patch.setattr(templates.Linked, "fields", lambda self: iter(())),
                                 "moving its functions does not lead to what the linker makes"),
}


@pytest.mark.parametrize("change, why", REFUSED.values(), ids=REFUSED)
def test_where_there_is_no_template(sides, change, why, monkeypatch, request):
    change(monkeypatch)
    linker = sides.linker(f"refused {request.node.callspec.id}")
    linker.find_absent()
    assert why in linker.link_template() and not linker.args.template.exists()
