# SPDX-License-Identifier: MIT
"""`cc` with gcc lists the struct copies of the source and of the code, and changes no code; `profile --copies` puts
time to them by line and column. The oracle is copying.c, whose copies are known by hand, and the disassembler."""
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

import built
from waiting import HANGS_S

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from profiled import LOOKS_OFTEN  # noqa: E402

BUILD = os.environ.get("AMPERSAND_BUILD")
if not BUILD:
    pytest.skip("AMPERSAND_BUILD does not name a build folder", allow_module_level=True)
PROFILE = Path(BUILD).resolve() / "harness" / "profile"
CC = PROFILE / "copies" / "ampersand-cc"
GCC = shutil.which("gcc")
MAJOR = subprocess.run([GCC, "-dumpversion"], capture_output=True,
                       text=True).stdout.strip().split(".")[0] if GCC else ""
if not (PROFILE / "copies" / f"libampersand_gcc_copies-{MAJOR}.so").exists():
    pytest.skip(f"no plugin for gcc {MAJOR}: apt-get install gcc-{MAJOR}-plugin-dev", allow_module_level=True)
SOURCE = HERE / "copying.c"
ENVIRONMENT = os.environ | {"AMPERSAND_CLANG": GCC, "LC_ALL": "C"}

# By function: (type, bytes, kind) of each copy of the source. What stands on several lines counts for each.
ASKED = {
    "assign": {("struct order", 144, "assignment"): 1},
    "pass": {("struct order", 144, "argument"): 1},
    "make": {("struct order", 144, "assignment"): 1, ("struct order", 144, "return"): 1},
    "by_memcpy": {("struct order", 144, "assignment"): 1},
    "removed": {("struct order", 144, "assignment"): 1},
    "index_of": {("struct order", 144, "assignment"): 1},
    "multiply": {("Matrix", 64, "return"): 1},
    "twice": {("Matrix", 64, "argument"): 2},
    "swap": {("struct item", 24, "assignment"): 3},
    "unbox": {("struct order", 144, "assignment"): 1},
    "part": {("struct order", 72, "part"): 1},
    "pass_inlined": {("struct order", 144, "argument"): 1},
    "pass_once": {("struct order", 144, "argument"): 1},
}
LEFT = ("assign", "pass", "by_memcpy", "index_of", "twice", "unbox", "part")  # whole, also where it is optimised


def run(*words, **more):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=HANGS_S,
                          env=ENVIRONMENT, **more)


def compiled(out, *words, source=SOURCE):
    done = run(CC, "-O2", *words, source, "-o", out)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return out


def listed(path):
    """{function: {(type, bytes, kind): [asked, left]}}, read with a reader of our own."""
    with open(path, "rb") as file:
        section = ELFFile(file).get_section_by_name("copy_list")
        text, flags = section.data().decode(), section["sh_flags"]
    assert flags == 0, "nothing of it is loaded"
    found = {}
    for line in text.splitlines():
        asked, left, size_b, number, column, file_, kind, type_, function = line.split("\t")
        assert int(number) > 0 and int(column) > 0 and file_.endswith(".c")
        counts = found.setdefault(function, {}).setdefault((type_, int(size_b), kind), [0, 0])
        counts[0] += int(asked)
        counts[1] += int(left)
    return found


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    return compiled(tmp_path_factory.mktemp("gcc") / "copying")


def profile(*command, flags=()):
    done = run(PROFILE / "ampersand-profile", "--copies", "--format", "json", *flags, "--", *command)
    return done, json.loads(done.stderr[done.stderr.index("{"):])


@pytest.mark.parametrize("level", ["-O0", "-O2", "-O3"])
def test_every_copy_of_the_source_is_listed(tmp_path, level):
    found = listed(compiled(tmp_path / "made.o", level, "-c"))
    for function, wanted in ASKED.items():
        assert {key: counts[0] for key, counts in found[function].items() if counts[0]} == wanted, function
    for function in LEFT:
        for key, (asked, left) in found[function].items():
            assert left >= asked, (function, key)
    if level != "-O0":
        assert all(left == 0 for _, left in found["removed"].values())
        assert found["swap"]["struct item", 24, "assignment"][1] < 3, "the one in the middle is taken apart"


@pytest.mark.skipif(not shutil.which("objdump"), reason="binutils is not here: apt-get install binutils")
@pytest.mark.skipif(os.uname().machine != "x86_64", reason="reads the instructions of x86-64")
def test_what_is_left_is_in_the_code(program):
    """Each function whose copy is left stores as many bytes at least, by moves or a call of memcpy; one whose copy was
    removed does not."""
    text = run("objdump", "-d", "--no-show-raw-insn", program).stdout
    bodies = dict(re.findall(r"<(\w+)>:\n(.*?)\n\n", text + "\n\n", re.S))
    for function in LEFT:
        sizes = [key[1] * counts[1] for key, counts in listed(program)[function].items()]
        stores = len(re.findall(r"\t(?:movups|movaps|movdqu|movdqa|mov[lq]?) +%\w+,[^%\n]*\(%", bodies[function]))
        assert 16 * stores >= sum(sizes) or "rep movs" in bodies[function] or "memcpy" in bodies[function], function
    assert len(re.findall(r"\t(?:movups|movaps) +%\w+,", bodies["removed"])) * 16 < 144


@pytest.mark.parametrize("flags", [("-O0",), ("-O2",), ("-O3", "-g")])
def test_the_list_changes_no_byte_of_code(tmp_path, flags):
    compiled(tmp_path / "named.o", *flags, "-c")
    assert run(GCC, "-g", "-O2", *flags, "-c", SOURCE, "-o", tmp_path / "plain.o").returncode == 0
    assert code(tmp_path / "named.o") == code(tmp_path / "plain.o")


def code(path):
    with path.open("rb") as file:
        return {section.name: section.data() for section in ELFFile(file).iter_sections() if section["sh_flags"] & 2}


def test_unions_and_small_structs(tmp_path):
    source = tmp_path / "u.c"
    source.write_text("union value { double d; long w[5]; };\nstruct small { long a, b; };\n"
                      "void give(union value *a, const union value *b) { *a = *b; }\n"
                      "void two(struct small *a, const struct small *b) { *a = *b; }\n")
    assert listed(compiled(tmp_path / "u.o", "-c", source=source)) == {
        "give": {("union value", 40, "assignment"): [1, 1]}}


@pytest.mark.parametrize("flags", [(), ("-ffat-lto-objects",)], ids=["slim", "fat"])
def test_where_the_linker_compiles(tmp_path, flags):
    """The lists of the compiler and of the linker's compiler are one; the code is that without a list."""
    done = run(CC, "-O2", "-flto", *flags, "-c", SOURCE, "-o", "named.o", cwd=tmp_path)
    assert done.returncode == 0 and not done.stderr, done.stderr
    assert run(CC, "-O2", "-flto", "named.o", "-o", "named", cwd=tmp_path).returncode == 0
    asked = {function: {key: counts[0] for key, counts in copies.items() if counts[0]}
             for function, copies in listed(tmp_path / "named").items()}
    assert {function: asked[function] for function in ASKED} == ASKED
    for words in (["-c", SOURCE, "-o", "plain.o"], ["plain.o", "-o", "plain"]):
        assert run(GCC, "-g", "-O2", "-flto", *flags, *words, cwd=tmp_path).returncode == 0
    assert code_of(tmp_path / "named") == code_of(tmp_path / "plain")
    places = {(one["caller"], one["type"], one["kind"]): (one["asked"], one["left"])
              for one in profile(tmp_path / "named")[1]["places"]}
    assert places["by_memcpy", "struct order", "assignment"] == (1, 1)
    assert places["twice", "Matrix", "argument"] == (2, 2) and places["removed", "struct order", "assignment"] == (1, 0)
    assert all(asked > 0 for asked, _ in places.values())


def code_of(path):
    with path.open("rb") as file:
        return ELFFile(file).get_section_by_name(".text").data()


def test_constants_and_bytes(tmp_path):
    """A constant is an initialiser, zeros are stored and not copied; of memcpy's pointers, either tells the type."""
    source = tmp_path / "c.c"
    source.write_text("struct s { long w[9]; };\nstruct t { long w[10]; };\nstruct u { char name[200]; };\n"
                      "void use(struct u *one);\n"
                      f"void begin(void) {{ struct u one = {{ \"{'text' * 45}\" }}; use(&one); }}\n"
                      "void clear(struct s *a) { *a = (struct s){ { 0 } }; }\n"
                      "void give(void *to, const struct s *from) { __builtin_memcpy(to, from, sizeof *from); }\n"
                      "void take(struct t *to, const void *from) { __builtin_memcpy(to, from, sizeof *to); }\n")
    assert listed(compiled(tmp_path / "c.o", "-c", source=source)) == {
        "begin": {("struct u", 200, "initialiser"): [1, 1]}, "give": {("struct s", 72, "assignment"): [1, 1]},
        "take": {("struct t", 80, "assignment"): [1, 1]}}


KINDS = """typedef struct { long w[6]; } Pose;
struct s { long w[3]; };
struct row { int n; struct { long w[5]; } nameless; struct s list[4]; };
void two(struct s *a, const struct s *b) { __builtin_memcpy(a, b, 2 * sizeof *a); }
void list(struct row *a, const struct row *b) { __builtin_memcpy(a->list, b->list, sizeof a->list); }
void first(struct row *a, const void *b) { __builtin_memcpy(a, b, 24); }
void nameless(struct row *a, const struct row *b) { a->nameless = b->nameless; }
void alias(Pose *a, const Pose *b) { *a = *b; }
"""


@pytest.mark.parametrize("name", ["kinds.c", "it\"s \\ ü.c"])
def test_several_parts_and_types_without_a_tag(tmp_path, name):
    (tmp_path / name).write_text(KINDS)
    done = run(CC, "-O2", "-c", name, "-o", "made.o", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert listed(tmp_path / "made.o") == {
        "two": {("struct s", 48, "several"): [1, 1]}, "list": {("struct s", 96, "several"): [1, 1]},
        "first": {("struct row", 24, "part"): [1, 1]}, "nameless": {("?", 40, "assignment"): [1, 1]},
        "alias": {("Pose", 48, "assignment"): [1, 1]}}


def test_lists_of_several_files_are_one(tmp_path):
    names = []
    for name in ("a", "b"):
        source = tmp_path / f"{name}.c"
        source.write_text(f"struct s {{ long w[9]; }};\nvoid f_{name}(struct s *a, const struct s *b) {{ *a = *b; }}\n"
                          + "int main(void) { return 0; }\n" * (name == "a"))
        names.append(compiled(tmp_path / f"{name}.o", "-c", source=source))
    assert run(GCC, *names, "-o", tmp_path / "both").returncode == 0
    assert set(listed(tmp_path / "both")) == {"f_a", "f_b"}
    report = profile(tmp_path / "both")[1]
    assert Counter((one["caller"], one["asked"], one["left"]) for one in report["places"]) == Counter(
        [("f_a", 1, 1), ("f_b", 1, 1)])


@built.with_names(PROFILE / "copies" / "ampersand-copies")  # without, no samples have a place
def test_time_is_where_the_copies_are(tmp_path):
    """Two copies on one line: the column tells which is the one in the loop."""
    source = tmp_path / "busy.c"
    source.write_text("struct big { long w[64]; };\nstruct other { long w[40]; };\nstatic struct other c, d;\n"
                      "__attribute__((noinline)) static void give(struct big *a, const struct big *b, int n)\n{\n"
                      "    if (n < 0) c = d; else *a = *b;\n    a->w[0]++;\n}\n"
                      + LOOKS_OFTEN.format("give(&a, &b, 1)"))
    done, report = profile(compiled(tmp_path / "busy", "-D_GNU_SOURCE", "-I", HERE, source=source))
    assert done.returncode == 0 and not report["counted"] and report["samples"] > 0
    assert report["samples_in_copies"] > report["samples"] / 2
    of_type = {place["type"]: place for place in report["places"]}
    assert of_type["struct big"]["samples"] == report["samples_in_copies"] and of_type["struct other"]["samples"] == 0
    assert (of_type["struct big"]["line"], of_type["struct big"]["caller"]) == (6, "give")


def test_the_table_says_what_gcc_left(program):
    done = run(PROFILE / "ampersand-profile", "--copies", "--", program, 2)
    places = profile(program, 2)[1]["places"]
    first = done.stderr.splitlines()[0]
    asked, left = (sum(place[key] for place in places) for key in ("asked", "left"))
    assert f"gcc: {asked} copies of structs above 16 B in the source, {left} in the code; " in done.stderr
    assert ("too short to be sampled" in first or " of the time" in first) and left < asked


@pytest.mark.parametrize("flags, said", [
    (("--count",), "--count: gcc's copies are listed, and not counted"),
    (("-flto", "-c"), ""), (("-flto=auto", "-fno-lto", "-c"), "")])
def test_what_gcc_cannot_do_is_said(tmp_path, flags, said):
    done = run(CC, *flags, SOURCE, "-o", tmp_path / "made.o")
    assert done.returncode == (2 if flags[0] == "--count" else 0)
    assert said in done.stderr and done.stderr.count("\n") == bool(said), done.stderr


@pytest.mark.parametrize("name, package", [
    ("gcc-7", "gcc-7-plugin-dev"), ("x86_64-linux-gnu-gcc-7", "gcc-7-plugin-dev"), ("c++", "gcc-7-plugin-dev"),
    ("aarch64-linux-gnu-g++", "gcc-7-plugin-dev"), ("clang++-7", "llvm-7-dev")])
def test_a_compiler_without_a_plugin_names_the_package(tmp_path, name, package):
    other = tmp_path / name
    other.write_text("#!/bin/sh\necho 7\n")
    other.chmod(0o755)
    done = subprocess.run(
        [CC, "-c", SOURCE], capture_output=True, text=True, env=ENVIRONMENT | {"AMPERSAND_CLANG": str(other)})
    assert done.returncode == 2 and package in done.stderr and done.stderr.count("\n") == 1
