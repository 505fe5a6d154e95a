# SPDX-License-Identifier: MIT
"""What the build folder that AMPERSAND_BUILD names has made of the lessons, so that tests need not compile them again,
and what its programs can do."""
import json
import os
from functools import lru_cache
from pathlib import Path

import pytest

SPECIAL = {"lto"}  # compiled in another way than by one call of the compiler


def with_names(program):
    """A mark for tests of what functions and lines are called: left out where nobody can tell."""
    return pytest.mark.skipif(not tells_names(program), reason="built without libdw-dev: no names")


def tells_names(program):
    """Whether it was built with libdw."""
    return b"dwfl_begin" in Path(program).read_bytes()


@lru_cache(maxsize=None)
def plain():
    """The build folder; None if there is none, or if it was built with a sanitizer: then the code is another."""
    build = Path(os.environ.get("AMPERSAND_BUILD", "nowhere"))
    stack = build / "harness/stack/libampstack.so"
    return build.resolve() if stack.exists() and b"__asan_" not in stack.read_bytes() else None


@lru_cache(maxsize=None)
def table(compiler, lesson):
    """The lesson's table, if the build used this compiler, gcc or clang; else None."""
    path = plain() / "benchmarks" / f"{lesson}.layouts.json" if plain() and lesson not in SPECIAL else None
    found = json.loads(path.read_text()) if path and path.exists() else {"compiled": []}
    return found if {unit["compiler"].split()[0] for unit in found["compiled"]} == {compiler} else None


def module(compiler, lesson):
    """The first of its modules, or None."""
    return plain() / "benchmarks" / f"{lesson}.00.so" if table(compiler, lesson) else None


def object_of(compiler, lesson):
    """Its object file, compiled with kernel_args and -fPIC; or None."""
    if not table(compiler, lesson):
        return None
    made, = (plain() / "benchmarks" / f"lib{lesson}.a.p").glob("*.o")
    return made
