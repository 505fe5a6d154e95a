# SPDX-License-Identifier: MIT
"""What tests of `profile` share: the program of the build folder, and programs that are compiled for it to run."""
import json
import os
import subprocess
from pathlib import Path

import pytest

import built
from waiting import HANGS_S

BUILD = os.environ.get("AMPERSAND_BUILD")
if not BUILD:
    pytest.skip("AMPERSAND_BUILD does not name a build folder", allow_module_level=True)
PROFILE = Path(BUILD).resolve() / "harness" / "profile" / "ampersand-profile"
SANITIZED = b"__asan_report" in PROFILE.read_bytes()
with_names = built.with_names(PROFILE)
HERE = Path(__file__).parent
CC = os.environ.get("CC", "cc").split()
# A main() that makes a call of two structs, a and b, until the kernel has looked at its CPU time often.
LOOKS_OFTEN = """#include "looks.h"
int main(void)
{{
    static struct big a, b;
    struct looks looks;
    looks_begin(&looks, 0);
    for (int n = 0; n < 60; looks_expect(&looks, 0), n++)
        while (!looks_came(&looks))
            for (int i = 0; i < 2000; i++)
                {};
    return a.w[0] != 1;
}}
"""


def compiled(out, *words):
    done = subprocess.run([*CC, "-g", "-O2", "-fno-builtin", "-fno-unroll-loops", *map(str, words), "-o", out, "-ldl",
                           "-lpthread"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return out


def profile(*command, flags=(), stdin=subprocess.DEVNULL, **environment):
    done = subprocess.run([PROFILE, "--format", "json", *flags, "--", *command], stdin=stdin, capture_output=True,
                          env=os.environ | environment, timeout=HANGS_S)
    text = done.stderr.decode(errors="replace")
    before, brace, rest = text.partition("{\n")
    return done, json.loads(brace + rest) if brace else None, before
