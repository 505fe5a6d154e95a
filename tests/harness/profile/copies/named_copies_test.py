# SPDX-License-Identifier: MIT
"""`cc` changes no code, and `profile --copies` attributes what is copied to the right type and line: held against what
the source says, against each store that valgrind sees, and against what lessons declare. AMPERSAND_BUILD names the
build folder."""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import built
from places import ROOT
from waiting import HANGS_S

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
import pprof  # noqa: E402
from profiled import LOOKS_OFTEN  # noqa: E402

BUILD = os.environ.get("AMPERSAND_BUILD")
if not BUILD:
    pytest.skip("AMPERSAND_BUILD does not name a build folder", allow_module_level=True)
PROFILE = Path(BUILD).resolve() / "harness" / "profile"
COPIES = PROFILE / "copies"
CC = COPIES / "ampersand-cc"
PLUGINS = {plugin.stem.rpartition("-")[2]: plugin for plugin in COPIES.glob("libampersand_copies-*.so")}
CLANG = shutil.which("clang")
if not PLUGINS or not CLANG:
    pytest.skip("no plugin for clang: apt-get install clang llvm-dev", allow_module_level=True)
MAJOR = subprocess.run([CLANG, "-dumpversion"], capture_output=True, text=True).stdout.split(".")[0]
if MAJOR not in PLUGINS:
    pytest.skip(f"clang {MAJOR}, but no plugin for it: apt-get install llvm-{MAJOR}-dev", allow_module_level=True)
with_names = built.with_names(COPIES / "ampersand-copies")  # without, no samples have a place
SOURCE = HERE / "copying.c"
TURNS = 64  # even: each side of a choice is taken as often
SIZES = {"struct order": 144, "struct item": 24, "Matrix": 64, "Matrix+": 128}


def run(*words, **more):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=HANGS_S, **more)


def compiled(out, *words, count="--count", source=SOURCE):
    done = run(CC, *filter(None, [count]), "-O2", *words, source, "-o", out)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return out


@pytest.fixture(scope="module")
def counted(tmp_path_factory):
    return compiled(tmp_path_factory.mktemp("copies") / "counted")


def profile(*command, flags=(), **environment):
    """(how it ended, the report) of `profile --copies`."""
    done = run(PROFILE / "ampersand-profile", "--copies", "--format", "json", *flags, "--", *command,
               env=os.environ | environment)
    text, brace, rest = done.stderr.partition("{\n")
    return done, json.loads(brace + rest) if brace else None


def declared(source):
    """{(line, type, kind): bytes a turn} of what the source says of itself."""
    found = {}
    for number, line in enumerate(source.read_text().splitlines(), 1):
        said = re.search(r"/\* copies: (.*) \*/", line)
        for one in said[1].split("; ") if said else []:
            type_name, kind, times = re.fullmatch(r"(.*), (\w+)(?: x(\d))?", one).groups()
            if part := re.fullmatch(r"(\d+) B of (.*)", type_name):
                found[number, part[2], kind] = int(part[1])
            else:
                found[number, type_name, kind] = SIZES[type_name] * int(times or 1)
    assert len(found) > 10
    return found


# ---- What is counted

def test_every_copy_has_the_type_the_kind_and_the_line_that_the_source_says(counted):
    done, report = profile(counted, TURNS)
    assert done.returncode == 0 and report["counted"] and not report["source"]
    found = Counter()
    for place in report["places"]:
        assert place["file"] == str(SOURCE)
        assert place["bytes"] == place["copies"] * place["size_b"] or place["type"] == "struct triple"
        # The initialiser of main() is copied by some compilers only. Where the argument of an inlined function is
        # copied, clang 19 calls that function's first line.
        if place["kind"] != "initialiser" and (MAJOR == "14" or "inlined" not in place["caller"]):
            found[place["line"], place["type"], place["kind"]] += place["bytes"]
    wanted = Counter({key: size_b * TURNS for key, size_b in declared(SOURCE).items()})
    if MAJOR == "14":  # what it makes of this program is known; others may remove more
        assert found == wanted
    assert not found - wanted and found.total() >= 0.8 * wanted.total()


def test_what_the_source_asks_for(tmp_path):
    report = profile(compiled(tmp_path / "program", count="--count=source"), TURNS)[1]
    assert report["source"]
    removed, = [place for place in report["places"] if place["caller"] == "removed"]
    assert removed["source_b"] == 144 * TURNS and removed["bytes"] == 0
    assert report["source_b"] > report["bytes"] > 0


# ---- The code is the same

@pytest.mark.parametrize("level", ["-O0", "-O1", "-O2", "-O3", "-Os"])
@pytest.mark.parametrize("lesson", [None, "benchmarks/frames/pass.c", "benchmarks/frames/factory.c"])
def test_names_change_no_byte_of_code(tmp_path, level, lesson):
    source = ROOT / lesson if lesson else SOURCE
    words = [level, "-c", "-I", ROOT, "-D_GNU_SOURCE", source, "-o"]
    run(CLANG, "-g", *words, tmp_path / "plain.o", check=True)
    run(CC, *words, tmp_path / "named.o", check=True)
    code = [sections(tmp_path / name) for name in ("plain.o", "named.o")]
    assert code[0] == code[1] and code[0]
    assert b"copy: " in (tmp_path / "named.o").read_bytes() and b"copy: " not in (tmp_path / "plain.o").read_bytes()


def sections(path):
    """{name: content} of what becomes part of a program's memory, but its unwind tables."""
    from elftools.elf.elffile import ELFFile
    with path.open("rb") as file:
        return {section.name: section.data() for section in ELFFile(file).iter_sections()
                if section["sh_flags"] & 2 and not section.name.startswith(".note")}


# ---- However it ends

@pytest.mark.parametrize("how, status", [("exit", 0), ("_exit", 7), ("abort", 128 + signal.SIGABRT),
                                         ("kill", 128 + signal.SIGKILL), ("fork", 0)])
def test_counts_are_there_however_it_ends(counted, how, status):
    done, report = profile(counted, TURNS, how)
    assert done.returncode == status
    wanted = profile(counted, TURNS)[1]
    assert report["bytes"] == wanted["bytes"] > 0 and report["copies"] == wanted["copies"]


def test_a_library_is_counted_too(tmp_path):
    (tmp_path / "library.c").write_text("struct big { long w[20]; };\nvoid give(struct big *, const struct big *);\n"
                                        "void give(struct big *a, const struct big *b) { *a = *b; }\n")
    (tmp_path / "main.c").write_text("struct big { long w[20]; };\nvoid give(struct big *, const struct big *);\n"
                                     "int main(void)\n{\n    struct big a, b = { { 0 } };\n    give(&a, &b);\n"
                                     "    return (int) a.w[3];\n}\n")
    compiled(tmp_path / "libgive.so", "-shared", "-fPIC", source=tmp_path / "library.c")
    compiled(tmp_path / "main", "-L", tmp_path, "-lgive", f"-Wl,-rpath,{tmp_path}", source=tmp_path / "main.c")
    places = profile(tmp_path / "main")[1]["places"]
    assert [(place["type"], place["bytes"]) for place in places if place["caller"] == "give"] == [("struct big", 160)]


# ---- Time

@with_names
def test_time_is_where_the_copies_are(tmp_path):
    """The program does nothing but copy until the kernel has looked often, so nearly all that it finds is there; of
    how much time there was, nothing is said."""
    source = tmp_path / "busy.c"
    source.write_text("struct big { long w[64]; };\n"
                      "__attribute__((noinline)) static void give(struct big *a, const struct big *b)\n{\n"
                      "    *a = *b; /* here */\n    a->w[0]++;\n}\n" + LOOKS_OFTEN.format("give(&a, &b)"))
    out = tmp_path / "out.pb.gz"
    busy = compiled(tmp_path / "busy", "-D_GNU_SOURCE", "-I", HERE, count=None, source=source)
    done, report = profile(busy, flags=["-o", out])
    assert done.returncode == 0 and not report["counted"] and report["samples"] > 0
    assert report["samples_in_copies"] > report["samples"] / 2
    place = report["places"][0]
    assert (place["type"], place["kind"], place["line"], place["caller"], place["size_b"]) == (
        "struct big", "assignment", 4, "give", 512)
    written = pprof.read(out)
    assert written.total("samples") == report["samples"] and written.default_type == "samples"
    named = [sample for sample in written.samples
             if any(function.startswith("copy: struct big, 512 B, assignment") for function, *_ in sample.stack)]
    assert sum(sample.values[written.types.index("samples")] for sample in named) >= report["samples_in_copies"]


def test_the_written_profile_has_the_counts(counted, tmp_path):
    out = tmp_path / "out.pb.gz"
    report = profile(counted, TURNS, flags=["-o", out])[1]
    written = pprof.read(out)
    assert written.total("bytes") == report["bytes"] and written.total("copies") == report["copies"]
    assert written.default_type == "bytes"
    found = Counter()
    for sample in written.samples:
        if sample.values[written.types.index("bytes")]:
            function, file, line = sample.stack[0]
            found[function, line] += sample.values[written.types.index("bytes")]
            assert file == str(SOURCE)
    assert found == Counter({(f"copy: {place['type']}, {place['size_b']} B, {place['kind']}", place["line"]):
                             place["bytes"] for place in report["places"]})


# ---- The table

def test_the_first_line_says_what_matters(counted):
    done = run(PROFILE / "ampersand-profile", "--copies", "--", counted, TURNS)
    first, header, *rows = done.stderr.splitlines()
    report = profile(counted, TURNS)[1]
    assert re.match(rf"{counted}: [\d.]+ kB in {report['copies'] if report['copies'] < 1000 else '[0-9.]+ k'} ?copies",
                    first), first
    assert header.split() == ["bytes", "copies", "time", "type", "size", "kind", "place", "caller"]
    assert any(row.split()[-1] == "assign" and "struct order" in row and "copying.c:" in row for row in rows)


# ---- Bad input

def test_what_cc_says_of_a_compiler_that_it_cannot_use(tmp_path):
    for clang, said in [(tmp_path / "none", "cannot be started"), ("true", "does not say its version")]:
        done = run(CC, "-c", SOURCE, env=os.environ | {"AMPERSAND_CLANG": str(clang)})
        assert done.returncode == 2 and said in done.stderr and done.stderr.count("\n") == 1, done.stderr
    old = tmp_path / "clang"
    old.write_text("#!/bin/sh\necho 13.0.1\n")
    old.chmod(0o755)
    done = run(CC, "-c", SOURCE, env=os.environ | {"AMPERSAND_CLANG": str(old)})
    assert done.returncode == 2 and "llvm-13-dev" in done.stderr and done.stderr.count("\n") == 1
    done = run(CC, env=os.environ | {"PATH": str(tmp_path / "empty")})
    assert done.returncode == 2 and "names nothing to compile" in done.stderr
    done = run(CC, "-c", SOURCE, env=os.environ | {"PATH": str(tmp_path / "empty")})
    assert done.returncode == 2 and "the package is called clang" in done.stderr and done.stderr.count("\n") == 1
    assert run(CC, "--count=all", "-c", SOURCE).returncode == 2


def test_clangs_own_errors_and_statuses_pass_through(tmp_path):
    (tmp_path / "bad.c").write_text("int main(void) { return x; }\n")
    done, plain = run(CC, "-c", tmp_path / "bad.c"), run(CLANG, "-c", tmp_path / "bad.c")
    assert done.returncode == plain.returncode != 0 and done.stderr == plain.stderr
    assert run(CC, "-Werror", "-E", SOURCE).stdout == run(CLANG, "-E", SOURCE).stdout


@pytest.mark.parametrize("command, said", [
    (["/nothing/there"], "there is no such program"), ([HERE / "copying.c"], "is not executable"),
])
def test_programs_that_cannot_run(command, said):
    done, report = profile(*command)
    assert done.returncode == 2 and report is None and said in done.stderr and done.stderr.count("\n") == 1, done.stderr


def test_a_program_without_names_is_said_so(tmp_path):
    run(CLANG, "-O2", SOURCE, "-o", tmp_path / "plain", check=True)
    done, report = profile(tmp_path / "plain", "1")
    assert done.returncode == 0 and "compile it with 'ampersand cc'" in done.stderr
    assert not report["counted"] and report["places"] == []
    done = run(PROFILE / "ampersand-profile", "--copies", "--", tmp_path / "plain", "1")
    assert "look elsewhere" not in done.stderr and f"{tmp_path}/plain: no copies are named\n" in done.stderr


def test_time_without_debug_information_is_not_said_to_be_none(tmp_path):
    (tmp_path / "k.c").write_text(
        "struct big { long w[64]; };\n"
        "__attribute__((noinline)) static void give(struct big *a, const struct big *b) { *a = *b; a->w[0]++; }\n"
        "int main(void)\n{\n    static struct big a, b;\n    for (long i = 0; i < 2000000; i++)\n"
        "        give(&a, &b);\n    return a.w[0] != 1;\n}\n")
    compiled(tmp_path / "k", "-s", source=tmp_path / "k.c")
    first = run(PROFILE / "ampersand-profile", "--copies", "--", tmp_path / "k").stderr.splitlines()[0]
    assert first.endswith("in 2.00 M copies; how much of the time is not known: its debug information was removed")


def test_wrong_use():
    for words, said in [([], "takes a program"), (["pass/size=64"], "takes a program"),
                        (["--every", "1s"], "no such flag")]:
        done = run(PROFILE / "ampersand-profile", "--copies", *words)
        assert done.returncode == 2 and said in done.stderr and done.stderr.count("\n") == 1
