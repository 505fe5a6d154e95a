# SPDX-License-Identifier: MIT
"""Build the growable stack and what runs on it, for the tests that do so in many ways."""
import atexit
import functools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from places import ROOT
from waiting import HANGS_S

STACK = ROOT / "harness/stack"
PARTS = sorted([*STACK.glob("*.c"), *STACK.glob("*.S")])
FLAGS = "-std=gnu11 -D_GNU_SOURCE -g -Wall -Wextra -Werror".split()
UNITS = ("relocate", "stack", "stack_around", "stack_kernels", "stack_use")


def needs(program, package):
    if not shutil.which(program):
        pytest.skip(f"{program} is not here: apt-get install {package}")


def call(*command, **options):
    """Run to the end; a failure shows what was printed."""
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=HANGS_S, **options)
    assert done.returncode == 0, f"{' '.join(map(str, command))}: {done.returncode}\n{done.stdout[-3000:]}"
    return done.stdout


def compile_object(compiler, source, out, *flags):
    call(*compiler.split(), *FLAGS, *flags, "-I", ROOT / "tests/harness/stack/plain", "-I", ROOT, "-c", "-o", out,
         source)
    return out


def link(compiler, objects, out, *flags):
    call(*compiler.split(), *flags, "-rdynamic", "-Wl,-z,now", "-o", out, *objects, "-pthread")
    return out


@functools.lru_cache(maxsize=None)
def parts(compiler, *flags):
    """The objects of harness/stack, compiled once a way."""
    folder = Path(tempfile.mkdtemp(prefix="ampersand-stack-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return [compile_object(compiler, part, folder / f"{part.name}.o", *flags) for part in PARTS]


def build_unit(folder, compiler, unit, *flags):
    """tests/harness/stack/<unit>_test.c with the parts linked in, without cmocka."""
    test = compile_object(compiler, ROOT / f"tests/harness/stack/{unit}_test.c", folder / f"{unit}.o", *flags)
    return link(compiler, [test, *parts(compiler, *flags)], folder / unit, *flags)


def environment(**more):
    return dict(os.environ, **more)
