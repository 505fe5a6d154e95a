# SPDX-License-Identifier: MIT
"""Allocations on a time line: those from a size on, and which lines made them. AMPERSAND_BUILD names the build
folder."""
import re

import pytest

from traced import HERE, SANITIZED, compiled, trace, with_names

pytestmark = pytest.mark.skipif(SANITIZED, reason="nothing can be preloaded before AddressSanitizer")


def test_allocations_from_a_size_on(tmp_path):
    program = compiled(tmp_path / "marked", HERE / "marked.c", "-fno-builtin")
    done, events, _ = trace(tmp_path, program, "allocations", flags=["--alloc-above", "64k"])
    assert done.returncode == 0
    have = [(one["name"], one["args"]["value"]) for one in events.of("i") if one.get("args")]
    assert [one for one in have if one[0] != "free"] == [("malloc", 100000), ("calloc", 200000), ("malloc", 65536),
                                                         ("realloc", 300000)]
    freed = [value for name, value in have if name == "free"]
    assert len(freed) == 3 and all(want <= have < want + 4096 for have, want in zip(freed, (100000, 200000, 300000)))
    live = [one["args"]["value"] for one in events.of("C", "heap, bytes")]
    assert len(live) >= 6 and 500_000 <= max(live) < 520_000 and live[-1] < 65536


ALLOCATING = """#include <stdio.h>
#include <stdlib.h>
#define SAID(call) (printf("%s %d\\n", __func__, __LINE__), (call))
void *volatile kept;
__attribute__((noinline)) void inner(size_t n) { kept = SAID(malloc(n)); free(kept); }
__attribute__((noinline)) void outer(size_t n)
{
    kept = SAID(calloc(1, n));
    free(kept);
    inner(n);
    inner(n + 1);
}
int main(void)
{
    outer(70000);
    kept = SAID(malloc(70000));
    return 0;
}
"""


@with_names
@pytest.mark.parametrize("flags", [(), ("-fomit-frame-pointer", "-no-pie"), ("-O0",)], ids=["plain", "no_pie", "O0"])
def test_which_line_allocates(flags, tmp_path):
    (tmp_path / "a.c").write_text(ALLOCATING)
    program = compiled(tmp_path / "a", tmp_path / "a.c", "-g", "-fno-builtin", "-fno-optimize-sibling-calls", *flags)
    done, events, report = trace(tmp_path, program, flags=["--alloc-above", "64k"])
    said = ["{} (a.c:{})".format(*line.split()) for line in done.stdout.decode().splitlines()]
    made = [one["args"]["from"].split("\n") for one in events.of("i") if one["name"] in ("malloc", "calloc")]
    assert len(said) == 4 and [stack[0] for stack in made] == said
    outer, main = made[0]  # which calls inner() twice, in the two lines before its end
    assert outer.startswith("outer (") and main.startswith("main (") and made[3] == [said[3]]
    line = int(outer.rpartition(":")[2].rstrip(")"))
    assert [stack[1] for stack in made[1:3]] == [f"outer (a.c:{line + 2})", f"outer (a.c:{line + 3})"]
    assert [stack[2] for stack in made[1:3]] == [main, main]
    assert {f"malloc, from {said[1]}": 2, f"calloc, from {said[0]}": 1}.items() <= {
        one["name"]: one["n"] for one in report["names"]}.items()


def test_without_symbols_the_file_is_told(tmp_path):
    (tmp_path / "a.c").write_text(ALLOCATING)
    program = compiled(tmp_path / "a", tmp_path / "a.c", "-s", "-fno-builtin")
    _, events, _ = trace(tmp_path, program, flags=["--alloc-above", "64k"])
    assert all(re.match(r"a\+0x[0-9a-f]+(\n|$)", one["args"]["from"]) for one in events.of("i", "malloc"))


@with_names
def test_lines_of_children_and_of_a_library(tmp_path):
    """Each process has its own addresses; a forked child knows none of its parent's."""
    (tmp_path / "lib.c").write_text("#include <stdlib.h>\nvoid *volatile p; void fill(void) { p = malloc(70000); }\n")
    (tmp_path / "a.c").write_text("#include <sys/wait.h>\n#include <unistd.h>\nvoid fill(void);\nint main(void)\n{\n"
                                  "    fill();\n    if (fork() == 0) {\n        fill();\n        _exit(0);\n    }\n"
                                  "    wait(0);\n    return 0;\n}\n")
    compiled(tmp_path / "liba.so", tmp_path / "lib.c", "-shared", "-fPIC", "-g", "-fno-builtin")
    program = compiled(tmp_path / "a", tmp_path / "a.c", "-g", f"-L{tmp_path}", "-la", f"-Wl,-rpath,{tmp_path}")
    _, events, _ = trace(tmp_path, program, flags=["--alloc-above", "64k"])
    assert [one["args"]["from"] for one in events.of("i", "malloc")] == [
        "fill (lib.c:2)\nmain (a.c:6)", "fill (lib.c:2)\nmain (a.c:8)"]
