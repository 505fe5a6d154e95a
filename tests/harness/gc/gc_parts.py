# SPDX-License-Identifier: MIT
"""Build the collector and what runs on it, for the tests that do so in many ways."""
import atexit
import functools
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from places import ROOT
from waiting import HANGS_S

sys.path.append(str(ROOT / "tests/harness/stack"))
from stack_parts import FLAGS, needs, parts  # noqa: E402,F401

GC = ROOT / "harness/gc"
SOURCES = sorted(GC.glob("*.c"))
HERE = ROOT / "tests/harness/gc"
SMALL = ("-fno-stack-protector",)  # its word would not fit the frames that are declared


def compile_object(compiler, source, out, *flags):
    done = subprocess.run([*compiler.split(), *FLAGS, *flags, "-I", str(ROOT), "-c", "-o", str(out), str(source)],
                          capture_output=True, text=True, timeout=HANGS_S)
    assert done.returncode == 0, done.stderr
    return out


@functools.lru_cache(maxsize=None)
def folder():
    made = Path(tempfile.mkdtemp(prefix="ampersand-gc-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


@functools.lru_cache(maxsize=None)
def collector(compiler, *flags):
    """The objects of harness/gc, compiled once a way."""
    place = folder() / "-".join([compiler, *flags]).replace("/", "_").replace(" ", "_")
    place.mkdir()
    return [compile_object(compiler, source, place / f"{source.name}.o", *flags) for source in SOURCES]


def build(out, compiler, source, *flags, objects=None):
    """A program of tests/harness/gc with the collector and the stack linked in."""
    made = compile_object(compiler, HERE / source, f"{out}.o", *SMALL, *flags)
    objects = collector(compiler, *flags) if objects is None else objects
    plain = [flag for flag in flags if not flag.startswith("-D")]
    done = subprocess.run([*compiler.split(), *plain, "-rdynamic", "-Wl,-z,now", "-o", str(out), str(made),
                           *map(str, objects), *map(str, parts(compiler, *plain)), "-pthread", "-ldl"],
                          capture_output=True, text=True, timeout=HANGS_S)
    assert done.returncode == 0, done.stderr
    return out


def run(*command, **options):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=HANGS_S, **options)
