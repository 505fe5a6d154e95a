# SPDX-License-Identifier: MIT
"""The collector under the sanitizers and valgrind. All run on the threads' own stacks, since none of them can follow
another; the safe points are the same, in the checks of growable functions.

AddressSanitizer knows which slots are free: the collector tells it. ThreadSanitizer takes stores through
amp_gc_store() and the marker's loads for the atomic ones that they are. valgrind looks for wrong addresses and leaks,
not for values that were never written: a conservative scan looks at such words of stacks, and marks what they point
to."""
import os
import platform

import pytest

from gc_cases import CASES, PROGRAMS, program_of
from gc_parts import build, needs, run

def on_host(**more):
    return {**os.environ, "AMPERSAND_STACK": "host", **more}


def sanitized(place, program, sanitizer):
    needs("gcc", "gcc")
    try:
        return build(place / program, "gcc", f"{program}.c", "-O1", f"-fsanitize={sanitizer}")
    except AssertionError as error:
        if "cannot find" in str(error) or "No such file" in str(error):
            pytest.skip(f"gcc has no -fsanitize={sanitizer} here")
        raise


def test_address_sanitizer(tmp_path):
    programs = {name: sanitized(tmp_path, name, "address") for name in ("gc_cases", *PROGRAMS, "gc_random")}
    for case in CASES:
        done = run(programs[program_of(case)], case)
        assert done.returncode == 0, f"{case}: {done.stderr[:3000]}"
    done = run(programs["gc_random"], 0, 3, "pv", 2, 80, 100)
    assert done.returncode == 0, done.stderr[:3000]


@pytest.mark.skipif(platform.machine() != "x86_64", reason="ThreadSanitizer was tried on x86-64")
def test_thread_sanitizer(tmp_path):
    program = sanitized(tmp_path, "gc_random", "thread")
    for arguments in ((0, 3, "-", 2, 80, 50), (0, 2, "pv", 3, 50, 25)):
        done = run(program, *arguments, env=on_host())
        if "unexpected memory mapping" in done.stderr:
            pytest.skip("this kernel places memory where ThreadSanitizer cannot have it")
        assert done.returncode == 0, done.stderr[:3000]
    program = sanitized(tmp_path, "gc_away", "thread")
    for case in sorted(PROGRAMS["gc_away"]):
        done = run(program, case, env=on_host())
        assert done.returncode == 0, f"{case}: {done.stderr[:3000]}"


def test_valgrind(tmp_path):
    needs("gcc", "gcc")
    needs("valgrind", "valgrind")
    program = build(tmp_path / "gc_random", "gcc", "gc_random.c", "-O1")
    done = run("valgrind", "-q", "--error-exitcode=9", "--undef-value-errors=no", "--leak-check=full",
               "--errors-for-leak-kinds=definite", program, 0, 1, "pvs", 1, 25, 100, env=on_host())
    assert done.returncode == 0, done.stderr[:3000]
