# SPDX-License-Identifier: MIT
"""The verb: what it takes, what it prints, and what it refuses in one line."""
import json

import pytest

from escaping import KEPT
from plots.escape import savings

def test_a_line_for_each_allocation(run, file):
    status, out, err = run("k.c", "-m")
    assert (status, err) == (0, "")
    assert out.splitlines() == [
        "k.c:14:26: address of local `x` outlives wrong(): stored in local `p` at line 14, loaded from local `p` at "
        "line 15, returned at line 15",
        "k.c:4:12: malloc of 128 B in make(): returned at line 4",
        "k.c:8:14: malloc of 16 B in use(): could live in the frame"]


def test_a_single_flag_for_the_compiler(run, file):
    file.write_text(file.read_text() + "#ifndef MORE\n#error more is wanted\n#endif\n")
    assert run("k.c", "--cflags", "-DMORE") == run("k.c", "--cflags=-DMORE")
    assert run("--cflags", "-DMORE", "k.c")[0] == 0 and run("k.c")[0] == 2
    assert run("k.c", "--cflags")[2].startswith("ampersand: escape: argument --cflags: expected one argument")


def test_every_step(run, file):
    out = run("k.c", "-m=2")[1].splitlines()
    assert out[:4] == ["k.c:14:26: address of local `x` outlives wrong(): stored in local `p` at line 14, loaded from "
                       "local `p` at line 15, returned at line 15",
                       "    k.c:14:26: stored in local `p`", "    k.c:15:12: loaded from local `p`",
                       "    k.c:15:5: returned"]


def test_first_screen(run, file):
    many = KEPT + "".join(f"int f{n}(void) {{ char *p = malloc(8); int r = *p; free(p); return r; }}\n"
                          for n in range(40))
    file.write_text(many)
    out = run("k.c")[1].splitlines()
    assert out[0] == ("1 file, 43 functions, 42 allocations: 41 could live in the frame, 1 outlive it (0 of these as "
                      "far as is known: a body or a pointer is not seen)")
    assert out[1].startswith("k.c:14:26: bug: address of local `x`") and "16 B" in out[2]
    assert len(out) <= 20 and out[-1] == "25 more: -m prints all"


def test_function(run, file):
    out = run("k.c", "-m", "--function", "^us")[1].splitlines()
    assert out == ["k.c:8:14: malloc of 16 B in use(): could live in the frame"]


def test_sarif(run, file):
    found = json.loads(run("k.c", "--format", "sarif")[1])
    results = found["runs"][0]["results"]
    assert found["version"] == "2.1.0" and [result["ruleId"] for result in results] == [
        "local-outlives-frame", "must-be-on-heap", "could-live-in-frame"]
    assert results[0]["level"] == "error"
    place = results[1]["locations"][0]["physicalLocation"]
    assert place["region"] == {"startLine": 4, "startColumn": 12} and place["artifactLocation"]["uri"] == file.as_uri()
    steps = results[0]["codeFlows"][0]["threadFlows"][0]["locations"]
    assert [step["location"]["physicalLocation"]["region"]["startLine"] for step in steps] == [14, 15, 15]
    assert {result["ruleId"] for result in results} <= {rule["id"]
                                                        for rule in found["runs"][0]["tool"]["driver"]["rules"]}


def test_several_files_are_one_program(run, tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src/a.c").write_text("#include <stdlib.h>\n#include \"b.h\"\n"
                                      "int f(void) { int *p = malloc(8), r = look(p); free(p); return r; }\n")
    (tmp_path / "src/b.h").write_text("int look(const int *p);\n")
    (tmp_path / "src/b.c").write_text('#include "b.h"\nint look(const int *p) { return p[1]; }\n')
    (tmp_path / "src/c.cpp").write_text("class c {};\n")
    assert "passed to look(), which has no body here" in run("src/a.c", "-m", "--cflags=-Isrc")[1]
    status, out, err = run("src", "-m")
    assert status == 0 and out == "src/a.c:3:24: malloc of 8 B in f(): could live in the frame\n"
    assert err == "ampersand: 1 file of C++ or Objective-C left out: only C is analysed\n"


def test_a_command_that_cannot_run_or_writes_nothing_is_left_out(run, file, tmp_path):
    commands = [{"directory": "gone", "file": str(file), "command": "gcc k.c"},
                {"directory": ".", "file": "l.c", "command": "gcc -fsyntax-only l.c"},
                {"directory": ".", "file": "m.c", "command": "gcc m.c"}]
    for name in ("l.c", "m.c"):
        (tmp_path / name).write_text("int number;\n")
    (tmp_path / "compile_commands.json").write_text(json.dumps(commands))
    status, out, err = run("compile_commands.json")
    assert status == 1 and out.startswith("1 file, ")
    assert [line.split(": left out: ")[1].split(":")[0] for line in err.splitlines()] == [
        "the folder of its command is not there", "its flags make clang write nothing"]


def test_names_that_are_no_utf8(run, tmp_path):
    odd = 'int *odd(void) __asm__("\\xfe");\nint *odd(void) { return malloc(8); }\n'
    (tmp_path / "\udcff.c").write_text(KEPT + odd)
    status, out, err = run(".", "-m")
    assert (status, err) == (0, "") and "\ufffd.c:8:14: malloc of 16 B in use(): could live in the frame" in out
    assert "malloc of 8 B in \ufffd(): returned" in out


def test_the_name_does_not_say_the_language(run, file, tmp_path):
    (tmp_path / "k").write_text(KEPT)
    (tmp_path / "k.h").write_text(KEPT)
    assert run("k")[1] == run("k.h")[1].replace("k.h:", "k:") == run("k.c")[1].replace("k.c:", "k:")


def test_compile_commands(run, file, tmp_path):
    (tmp_path / "build").mkdir()
    (tmp_path / "d.c").write_text("#ifndef D\n#error no D\n#endif\nint d;\n")
    commands = [{"directory": str(tmp_path / "build"), "file": "../k.c",
                 "command": "gcc -O3 -fipa-pta -MD -MF k.d -Wall "
                 "-Werror -g3 -c ../k.c -o k.o"},
                {"directory": str(tmp_path / "build"), "file": "../d.c", "arguments": ["cc", "-DD=1", "-c", "../d.c"]},
                {"directory": str(tmp_path), "file": "x.cc", "command": "g++ -c x.cc"}]
    (tmp_path / "build/compile_commands.json").write_text(json.dumps(commands))
    status, out, err = run("build/compile_commands.json", "--format", "json")
    found = json.loads(out)
    assert status == 0 and found["files"] == 2 and len(found["allocations"]) == 2
    assert "1 file of C++" in err


def test_a_file_that_does_not_compile_is_named_and_left_out(run, file, tmp_path):
    (tmp_path / "bad.c").write_text("int f(void) { return nowhere; }\n")
    status, out, err = run(".", "-m")
    assert status == 1 and "malloc of 128 B" in out
    assert len(err.splitlines()) == 1 and "bad.c: left out: " in err and "use of undeclared identifier 'nowhere'" in err


@pytest.mark.parametrize("name, text, says", [
    ("bad.c", "int f(void) { return nowhere; }\n", "bad.c: no file of it compiles"),
    ("bad.bc", "no bitcode", "is no bitcode that LLVM"),
    ("compile_commands.json", "[{}]", "is no compile_commands.json"),
    ("compile_commands.json", "{", "is no compile_commands.json"),
    ("only.cpp", "class c {};", "there is no C file"),
    (None, None, "No such file or directory"),
])
def test_refused(run, tmp_path, name, text, says):
    if name:
        (tmp_path / name).write_text(text)
    status, out, err = run(name or "nothing.c")
    assert status == 2 and out == "" and says in err.splitlines()[-1]
    assert all(line.startswith("ampersand: ") for line in err.splitlines())


def test_without_clang(run, file, tmp_path):
    status, _, err = run("k.c", PATH=str(tmp_path))
    assert status == 2 and err.startswith("ampersand: clang: is not here: apt-get install clang-")
    assert err.count("\n") == 1


def test_without_llvm(run, file, tmp_path):
    status, _, err = run("k.c", AMPERSAND_BUILD=str(tmp_path))
    assert status == 2 and "apt-get install llvm-dev clang" in err and err.count("\n") == 1


def test_a_function_too_large_is_named_and_counted_as_escaping(run, tmp_path):
    blocks = "".join(f"    if (n == {n}) p[{n % 8}]++;\n" for n in range(5200))
    (tmp_path / "large.c").write_text("#include <stdlib.h>\nint large(int n, int *p)\n{\n" + blocks + "    return "
                                      "*p;\n}\n"
                                      "int f(int n) { int *p = malloc(32), r = large(n, p); free(p); return r; }\n"
                                      "void *loop(void *p) { return loop(p); }\n")
    status, out, err = run("large.c", "-m")
    assert status == 0, err
    assert "passed to large(), which is not followed" in out
    assert "large(): not followed: it has more than 10000 blocks; all that it gets or makes is taken to escape" in out


COPIES = """#include <alloca.h>
struct big { long word[8]; };
long sum(struct big b) { return b.word[0] + b.word[7]; }
long change(struct big b) { b.word[0] = 3; return sum(b); }
void move(struct big *to, const struct big *from, int n)
{
    for (int i = 0; i < n; i++)
        to[i] = from[i];
}
int varies(int n)
{
    int list[n], *other = alloca(8 * n);
    return list[0] + other[0];
}
"""


def test_copies_parameters_and_frames(run, tmp_path):
    (tmp_path / "copies.c").write_text(COPIES)
    assert run("copies.c", "-m")[1].splitlines() == [
        "copies.c:8:17: 64 B in move(): an object is copied in a loop",
        "copies.c:4:51: 64 B in change(): an argument is copied into the frame of the call; -O2 removes it",
        "sum(): parameter `b` is passed by value in memory, 64 B; it is only read: "
        "a `const` pointer would copy nothing",
        "change(): parameter `b` is passed by value in memory, 64 B; it is changed or handed on",
        "copies.c:12:5: VLA in varies(), of a size that only the run knows",
        "copies.c:12:27: alloca in varies(), of a size that only the run knows"]
    frames = json.loads(run("copies.c", "--format", "json")[1])["frames"]
    assert [frame["function"] for frame in frames] == ["sum", "change", "move", "varies"]
    assert frames[2]["bytes"] == 8 + 8 + 4 + 4


CHAIN = """static void use(char *p) { __asm__ volatile("" : : "r"(p) : "memory"); }
static int even(int n);
static int odd(int n) { char a[300]; use(a); return n ? even(n - 1) : 0; }
static int even(int n) { char b[500]; use(b); return n ? odd(n - 1) : 1; }
static int small(void) { char c[2000]; use(c); return 1; }
static int (*hook)(int) = even;
int top(int n) { char d[5000]; use(d); return n ? hook(n) : small(); }
int main(int n, char **v) { (void) v; char e[n]; use(e); return top(n); }
"""


def test_the_largest_chain_of_calls(run, tmp_path):
    (tmp_path / "k.c").write_text(CHAIN)
    (chain,) = json.loads(run("k.c", "--format", "json")[1])["chains"]
    steps = [(step["functions"], step["recursive"], step["varies"]) for step in chain["steps"]]
    assert steps == [(["main"], False, ["main"]), (["top"], False, []), (["small"], False, []), (["use"], False, [])]
    assert chain["bytes"] == sum(step["bytes"] for step in chain["steps"]) and 7000 <= chain["bytes"] < 7100
    (tmp_path / "k.c").write_text(CHAIN.replace("c[2000]", "c[200]"))
    lines = run("k.c", "-m=2")[1].splitlines()
    first = next(n for n, line in enumerate(lines) if line.startswith("a chain of calls needs "))
    assert (" of locals in 5 frames or more, since some call themselves: main(), top(), even() and 1 around it, use()"
            in lines[first])
    assert lines[first + 3].strip().startswith("even(), odd() ")
    assert lines[first + 3].endswith("call each other, each counted once")
    assert "of a size that only the run knows" in lines[first + 1]


def summary(rows):
    return json.dumps({"rows": [{"pair": pair, "size": size, "failed": None, "value_ns_per_op": {"low": value[0],
                       "high": value[1]}, "pointer_ns_per_op": {"low": pointer[0], "high": pointer[1]}}
                       for pair, size, value, pointer in rows]})


FACTORY = [("factory", 8, (1, 1.5), (9.5, 10)), ("factory", 32, (2, 2.5), (22.5, 23)), ("pass", 16, (1, 1), (90, 91)),
           ("factory", 64, (9, 10), (9.5, 30))]


@pytest.mark.parametrize("size, want", [
    (8, (8, 9)), (32, (20, 21)), (16, (14, 15)), (4, None), (65, None), (64, None),
])
def test_savings_lie_between_what_was_measured(tmp_path, size, want):
    (tmp_path / "summary.json").write_text(summary(FACTORY))
    found = savings.saving(savings.costs(tmp_path), size)
    assert found == (want and pytest.approx(want))


def test_savings_are_said(run, file, tmp_path):
    (tmp_path / "summary.json").write_text(summary(FACTORY))
    assert run("k.c", "-m", "--function", "use", "--lessons", tmp_path)[1] == (
        "k.c:8:14: malloc of 16 B in use(): could live in the frame; saves 14.0..15.0 ns and an allocation each time\n")
    (tmp_path / "summary.json").write_text("{}")
    status, _, err = run("k.c", "--lessons", tmp_path)
    assert status == 2 and "is no summary of a run" in err


def test_a_stored_address_is_left_behind(run, tmp_path):
    (tmp_path / "k.c").write_text("int *kept;\nvoid leave(void) { int x = 3; kept = &x; }\n"
                                  "void tidy(int n) { int x = n, *before = kept; kept = &x; if (n) x++; kept = before; "
                                  "}\n"
                                  "void some(int n) { int x = n, *before = kept; kept = &x; if (n) kept = before; }\n")
    assert [line.split(": address")[0] for line in run("k.c")[1].splitlines()[1:-1]] == [
        "k.c:2:36: left behind", "k.c:4:52: left behind"]
    results = json.loads(run("k.c", "--format", "sarif")[1])["runs"][0]["results"]
    assert [result["level"] for result in results] == ["warning", "warning"]
