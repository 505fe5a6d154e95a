# SPDX-License-Identifier: MIT
"""Stacks that the profiler takes for one that it knows are that one: drawn calls through frames of any size, signal
handlers, coroutines and longjmp(), held against what each function noted. AMPERSAND_BUILD names the build folder."""
from collections import Counter

import pytest

from profiled import HERE, SANITIZED, compiled, profile, with_names

LETTERS = {"alpha": "a", "beta": "b", "gamma_": "c", "delta": "d", "epsilon": "e", "jumped_to": "j", "on_signal": "s",
           "coroutine": "o", "by_turns": "m"}


@with_names
@pytest.mark.skipif(SANITIZED, reason="nothing can be preloaded before AddressSanitizer")
@pytest.mark.parametrize("flags", [["-O0"], ["-O2"], ["-O2", "-fno-omit-frame-pointer"]],
                         ids=["O0", "O2", "frame_pointers"])
def test_drawn_calls(flags, tmp_path):
    program = compiled(tmp_path / "drawn", HERE / "drawn.c", "-D_GNU_SOURCE", "-U_FORTIFY_SOURCE", *flags)
    for seed in range(1, 3):
        done, report, _ = profile(program, "4000", str(seed))
        assert done.returncode == 0
        noted = Counter()
        for line in done.stdout.decode().splitlines():
            path, _, n = line.partition(" ")
            noted[path] += int(n)
        found = Counter()
        for sample in report["samples"]:
            names = [frame["function"] for frame in sample["stack"]]
            if names[0] == "leaf":
                assert sample["ending"] == "whole", names
                found["".join(LETTERS.get(name, "") for name in reversed(names))] += sample["allocs"]
        assert len(noted) > 500 and sum(noted.values()) > 10_000
        assert found == noted, seed
