# SPDX-License-Identifier: MIT
"""The C compiles for other C libraries and machines: what only some have is optional. Nothing is linked or run.

The compiler is zig's clang, which brings the headers of musl and of glibc for every machine: the package `ziglang` of
PyPI. jansson, jemalloc, uthash and zlib are the host's."""
import importlib.util
import os
import re
import subprocess
import sys

import pytest

from places import ROOT
from waiting import HANGS_S

if not importlib.util.find_spec("ziglang"):
    pytest.skip("ziglang is not here: python3 -m pip install --target DIR ziglang, then PYTHONPATH=DIR",
                allow_module_level=True)

TARGETS = ["x86_64-linux-musl", "aarch64-linux-gnu", "aarch64-linux-musl"]
LIBRARIES = ["jansson.h", "jansson_config.h", "jemalloc/jemalloc.h", "uthash.h", "zlib.h", "zconf.h"]
SOURCES = sorted(path.relative_to(ROOT) for room in ("harness", "benchmarks") for path in (ROOT / room).rglob("*.[cS]")
                 if path.name not in ("abi_subject.c", "boehm.c", "debug.c")  # a user's type; the host's
                 and not {"escape", "plugin"} & set(path.parts))  # they want LLVM, which is the host's
FLAGS = ["-std=c11", "-D_GNU_SOURCE", "-Werror=implicit-function-declaration", "-Werror=unsequenced",
         "-DAMP_LESSONS_DIR=\"\"", "-DAMP_ALLOCATORS_DIR=\"\"", "-DAMP_TRACES_DIR=\"\""]
BUILD_INFO = "".join(f'#define AMP_{name} ""\n' for name in (
    "VERSION", "BUILD_COMPILER", "BUILD_TYPE", "BUILD_C_ARGS", "BUILD_KERNEL_ARGS", "BUILD_LINKER"))


def zig(folder, *words, cwd=ROOT):
    return subprocess.run([sys.executable, "-m", "ziglang", *map(str, words)], capture_output=True, text=True,
                          timeout=HANGS_S, cwd=cwd,
                          env={**os.environ, "ZIG_GLOBAL_CACHE_DIR": str(folder / "cache"),
                               "ZIG_LOCAL_CACHE_DIR": str(folder / "cache")})


@pytest.fixture(scope="module")
def headers(tmp_path_factory):
    """A folder of the libraries' headers and nothing else of the host, and a build_info.h."""
    folder = tmp_path_factory.mktemp("headers")
    for header in LIBRARIES:
        found = subprocess.run(["cc", "-M", "-x", "c", "-"], input=f"#include <{header}>\n", text=True,
                               capture_output=True)
        paths = [word for word in found.stdout.split() if word.endswith(f"/{header}")]
        assert paths, found.stderr
        (folder / header).parent.mkdir(exist_ok=True)
        (folder / header).symlink_to(paths[0])
    for place in ("build_info.h", "harness/build_info.h"):
        (folder / place).parent.mkdir(exist_ok=True)
        (folder / place).write_text(BUILD_INFO)
    return folder


@pytest.fixture(scope="module", params=TARGETS)
def flags(request, headers):
    """How zig's compiler driver calls the compiler proper for a target: its headers and what they have to know."""
    told = zig(headers, "cc", "-target", request.param, "-###", "-c", "harness/text/suggest.c")
    words = re.findall(r'"([^"]*)"', told.stderr)
    system = [word for flag, value in zip(words, words[1:]) if flag in ("-isystem", "-D") for word in (flag, value)]
    assert "-isystem" in system, told.stderr
    return ["-target", request.param, "-nostdinc", *system, *FLAGS, "-I", ROOT, "-isystem", headers]


def test_sources_compile(flags, headers, tmp_path):
    assert len(SOURCES) > 80
    assembled = [source for source in SOURCES if source.suffix == ".S" or "stack" in str(source)]  # asm in them
    for words, sources in ((["-fsyntax-only"], set(SOURCES) - set(assembled)), (["-c"], assembled)):
        done = zig(headers, "clang", *flags, *words, *(ROOT / source for source in sources), cwd=tmp_path)
        assert done.returncode == 0, done.stderr


def test_what_a_c_library_lacks_is_noticed(flags, headers, tmp_path):
    """The check can fail: this compiles with glibc only."""
    (tmp_path / "glibc.c").write_text("#include <gnu/libc-version.h>\nconst char *version(void);\n"
                                      "const char *version(void) { return gnu_get_libc_version(); }\n")
    done = zig(headers, "clang", *flags, "-c", "-o", "/dev/null", tmp_path / "glibc.c")
    assert (done.returncode == 0) == flags[1].endswith("gnu"), done.stderr
