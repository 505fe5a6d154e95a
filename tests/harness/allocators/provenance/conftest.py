# SPDX-License-Identifier: MIT
"""What the tests of provenance share: the programs, and liars built once."""
import os
import subprocess

import pytest

from probing import BENCH, LIARS, TOOL, WORKLOAD


@pytest.fixture(scope="module", autouse=True)
def built():
    for file in (BENCH, WORKLOAD, TOOL):
        if not file.exists():
            pytest.fail(f"{file} is not there: set AMPERSAND_BUILD to the build folder")
    if b"__asan_report_load8" in WORKLOAD.read_bytes() or b"__tsan_func_entry" in WORKLOAD.read_bytes():
        pytest.skip("built with a sanitizer: no other malloc can be put before its own")


@pytest.fixture(scope="session")
def liar(tmp_path_factory):
    """Build a liar, once, as a library of any name in a folder of its own."""
    done = {}

    def build(source, *flags, name="libliar.so", links=()):
        key = (source, flags, name)
        if key not in done:
            folder = tmp_path_factory.mktemp("liar")
            done[key] = folder / name
            subprocess.run([*os.environ.get("CC", "cc").split(), "-std=gnu11", "-O1", "-fno-builtin", "-fPIC",
                            "-shared",
                            "-o", str(done[key]), str(LIARS / source), *flags, *links], check=True)
        return done[key]

    return build
