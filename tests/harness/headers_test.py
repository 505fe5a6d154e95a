# SPDX-License-Identifier: MIT
"""Every header compiles alone, with each compiler that is here: it includes what it uses."""
import shutil
import subprocess

import pytest

from places import ROOT

LLVM = shutil.which("llvm-config")  # what these include is optional
HEADERS = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "harness").rglob("*.h"))


def test_there_are_headers():
    assert "harness/kernel.h" in HEADERS


def has(compiler, header):
    return subprocess.run([compiler, *"-x c -fsyntax-only -".split()], input=f"#include <{header}>\n", text=True,
                          capture_output=True).returncode == 0


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("header", HEADERS)
def test_header_alone(compiler, header):
    if not shutil.which(compiler):
        pytest.skip(f"{compiler} is not here: apt-get install {compiler}")
    more = []
    if header.startswith(("harness/escape/", "harness/profile/copies/plugin/")):
        if not LLVM:
            pytest.skip("LLVM is not here: apt-get install llvm-dev")
        more = ["-isystem", subprocess.run([LLVM, "--includedir"], text=True, capture_output=True).stdout.strip()]
    if "<elfutils/" in (ROOT / header).read_text() and not has(compiler, "elfutils/libdwfl.h"):
        pytest.skip("libdw is not here: apt-get install libdw-dev")
    done = subprocess.run(
        [compiler, *more,
         *"-std=c11 -D_GNU_SOURCE -Wall -Wextra -Wno-unused-function -Werror -x c -fsyntax-only -".split(),
         "-I", ROOT],
        input=f'#include "{header}"\n', text=True, capture_output=True)
    assert done.returncode == 0, done.stderr


# Words of which somebody's header makes macros; C's own headers use none of them either.
MACROS = ("object", "size", "byte", "used", "noinline", "noclone", "noipa", "section", "always_inline", "no_reorder",
          "disable_tail_calls", "data", "first", "last", "number", "p", "n", "i", "z", "fixture", "ops", "helper",
          "pages",
          "seed", "memory", "spins", "cpu", "others", "placed", "token", "whole", "unused", "packed", "aligned")


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("header", ["kernel", "subjects", "threads", "workload"])
def test_headers_of_lessons_behind_macros_of_others(compiler, header):
    if not shutil.which(compiler):
        pytest.skip(f"{compiler} is not here: apt-get install {compiler}")
    pair = ('static AMP_NOINLINE uint64_t kernel(void *a, uint64_t b) { amp_keep(a); free(amp_alloc(1)); return b; }\n'
            'AMP_PAIR(mine, .question = "?", .value = { kernel }, .pointer = { kernel }, .sizes = AMP_SIZES(1));\n')
    header = f"harness/{header}.h"
    # Some C libraries' headers include the kernel's, whose words are not ours to mend.
    theirs = "".join(f"{line}\n" for line in (ROOT / header).read_text().splitlines() if line.startswith("#include <"))
    text = theirs + "".join(f"#define {word} @\n" for word in MACROS) + f'#include "{header}"\n'
    done = subprocess.run(
        [compiler, *"-std=c11 -D_GNU_SOURCE -Wall -Werror -Wno-unused-function -x c -fsyntax-only -".split(), "-I",
         ROOT],
        input=text + ("" if "workload" in header else pair), text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
