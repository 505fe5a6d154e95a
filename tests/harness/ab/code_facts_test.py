# SPDX-License-Identifier: MIT
"""In what the code of two versions differs: what an operation copies, as far as it can be followed in time."""
import os
import subprocess
import sys

import pytest

from places import ROOT

sys.path.insert(0, str(ROOT / "harness/ab"))
import code_facts
import side_object

pytest.importorskip("capstone", reason="python3-capstone is not here")
CC = os.environ.get("CC", "cc").split()
SIDE = """
#include <stdint.h>
struct s {{ uint64_t x[{words}]; }};
__attribute__((noinline)) uint64_t last(struct s s) {{ __asm__ volatile("" : : "r"(&s) : "memory"); return s.x[0]; }}
{functions}
static uint64_t run(void *fixture, uint64_t ops)
{{
    uint64_t sum = 0;
    for (; ops > 0; ops--)
        sum += {first}(*(struct s *) fixture);
    return sum;
}}
const struct kernel {{ const char *name; void *set_up; uint64_t (*run)(void *, uint64_t); }}
    amp_ab_kernel_k = {{ "k", 0, run }};
"""
CHAIN = ('__attribute__((noinline)) uint64_t f{k}(struct s s) '
         '{{ uint64_t sum = {next}(s); __asm__ volatile(""); return sum + 1; }}')


def side(folder, name, words, functions):
    chain = [CHAIN.format(k=k, next=f"f{k - 1}" if k else "last") for k in range(functions)]
    (folder / f"{name}.c").write_text(SIDE.format(words=words, functions="\n".join(chain),
                                                  first=f"f{functions - 1}" if functions else "last"))
    subprocess.run([*CC, "-O1", "-fPIC", "-ffunction-sections", "-fdata-sections", "-c", f"{name}.c"], cwd=folder,
                   check=True)
    return side_object.Side(folder / f"{name}.o")


@pytest.mark.parametrize("functions, want", [(0, {"base": 48, "head": 64}), (code_facts.MOST_REACHED, {})])
def test_copies_of_both_sides(functions, want, tmp_path):
    base, head = side(tmp_path, "base", 6, functions), side(tmp_path, "head", 8, functions)
    if base.machine != "EM_X86_64":
        pytest.skip("only code of x86-64 is read")
    assert code_facts.copied(base, head, "k") == want
    assert code_facts.of_kernel(base, base, "k")["changed"] == []
