# SPDX-License-Identifier: MIT
"""make_layouts.py: what a table says of how the lesson was compiled and of what it calls elsewhere."""
import re
import subprocess

import pytest

import lesson_object
from making import FLAGS, PAIR, assert_balanced, columns, compile_c, kernel, make, need, run_tool, sides, table_of

RECORD = "-frecord-gcc-switches"
COMPILED = {  # what is compiled with, beside FLAGS, and what the table then has of -O and -m; None: no flags at all
    "as ours": ([RECORD], ["-O2"]),
    "not optimised": ([RECORD, "-O0"], ["-O0"]),
    "the last of several": ([RECORD, "-O3", "-O1"], ["-O1"]),
    "for a processor": ([RECORD, "-mavx2", "-march=haswell"], ["-O2", "-march=haswell", "-mavx2"]),
    "no debugging information": ([RECORD, "-g0", "-O3"], ["-O3"]),
    "compressed": ([RECORD, "-gz", "-O3"], ["-O3"]),
    "DWARF 5": ([RECORD, "-gdwarf-5", "-O3"], ["-O3"]),
    "as a user's own build": (["-O1"], ["-O1"]),
    "nothing to go by": (["-g0", "-O3"], None),
}


def version_of(compiler):
    return subprocess.run([compiler, "-dumpfullversion"] if "gcc" in compiler else [compiler, "-dumpversion"],
                          text=True,
                          capture_output=True, check=True).stdout.strip()


def told(out, lesson="small"):
    """compiler -> its flags of code generation, as the table has them."""
    found = {}
    for unit in table_of(out, lesson)["compiled"]:
        assert not any(re.match("-[gWIo]|-D_GNU",
                                flag) for flag in unit["flags"] or ()), "what is no matter of code, or a path"
        found[unit["compiler"]] = unit["flags"] and sorted(
            flag for flag in unit["flags"] if re.match("-[Om]", flag) and flag not in ("-mtune=generic",
                                                                                       "-march=x86-64"))
    return found


@pytest.mark.parametrize("name", COMPILED)
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_table_says_how_the_object_was_compiled(tmp_path, compiler, name):
    need(compiler)
    flags, want = COMPILED[name]
    if compiler == "clang" and RECORD not in flags:
        want = None  # clang records no flags unasked
    compile_c(tmp_path, sides(1, 1)[0], [compiler], flags)
    assert told(make(tmp_path, count=4)) == {f"{compiler} {version_of(compiler)}": want}


WORDS = {  # what a compiler leaves of itself -> how we call it, and its flags
    "GNU C17 12.2.0 -mtune=generic -g -O1 -O2 -fPIC": ("gcc 12.2.0", "-mtune=generic -O2 -fPIC"),
    "GNU C11 12.2.0 -O2 -fno-stack-protector -fcf-protection=none -fstack-protector-strong": (
        "gcc 12.2.0", "-O2 -fstack-protector-strong -fcf-protection=none"),
    "GNU C11 12.2.0 -O2 -fstack-clash-protection -fno-stack-clash-protection": (
        "gcc 12.2.0", "-O2 -fno-stack-clash-protection"),
    "GNU C11 13.2.0": ("gcc 13.2.0", ""),
    "GCC: (Ubuntu 13.2.0-23ubuntu4) 13.2.0": ("gcc 13.2.0", ""),
    "Debian clang version 14.0.6": ("clang 14.0.6", ""),
    "Debian clang version 19.1.7 (3+b1)": ("clang 19.1.7", ""),
    "Ubuntu clang version 18.1.3 (1ubuntu1)": ("clang 18.1.3", ""),
    "clang version 16.0.6 (git://there/llvm 7cbf1a259152)": ("clang 16.0.6", ""),
    "clang version 17.0.1 (git://there/llvm 7cbf1a259152) (based on LLVM 17)": ("clang 17.0.1", ""),
    "Debian clang version 19.1.7 (3+b1) /usr/bin/clang -O3 -D X=3 -D _GNU_SOURCE -U Y -I a -include b.h -c d.c -o d.o": (
        "clang 19.1.7", "-O3 -DX=3 -UY -include b.h"),
    "Debian clang version 14.0.6 /usr/bin/clang -O0 -D _FORTIFY_SOURCE=2 -D _GNU_SOURCE_ -D _FILE_OFFSET_BITS=64": (
        "clang 14.0.6", "-O0 -D_FORTIFY_SOURCE=2 -D_GNU_SOURCE_"),
}


@pytest.mark.parametrize("words", WORDS)
def test_what_compilers_leave_is_read(words):
    compiler, rest = lesson_object.producer(words)
    assert (compiler, " ".join(lesson_object.flags(rest)) if rest else "") == WORDS[words]


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_macros_are_told_once(tmp_path, compiler):
    """clang leaves them in the object; for gcc it has to be said which there were."""
    need(compiler)
    compile_c(tmp_path, sides(1, 1)[0], [compiler], [RECORD, "-DTHIS=1", "-UTHAT"])
    unit, = table_of(make(tmp_path, "--flag=-O2", "--flag=-DTHIS=1", count=4))["compiled"]
    assert [flag for flag in unit["flags"] if flag.startswith(("-D",
                                                               "-U"))] == ["-DTHIS=1"] + ["-UTHAT"] * (compiler == "clang")
    assert unit["flags"].count("-O2") <= 1


def test_an_object_that_says_nothing(tmp_path):
    need("objcopy")
    compile_c(tmp_path, sides(1, 1)[0], flags=["-g0"])
    subprocess.run(["objcopy", "--remove-section=.comment", tmp_path / "small.o"], check=True)
    assert table_of(make(tmp_path, count=4))["compiled"] == [{"compiler": "unknown", "flags": None}]


def test_build_ids_are_those_of_the_modules(tmp_path):
    need("readelf")
    compile_c(tmp_path, sides(1, 1)[0])
    out = make(tmp_path, "--link-arg=-Wl,--build-id=none", count=4)
    for k, build_id in enumerate(table_of(out)["build_ids"]):
        notes = subprocess.run(["readelf", "-n", out / f"small.{k:02d}.so"], text=True, capture_output=True, check=True)
        assert re.search(r"Build ID: (\w+)", notes.stdout)[1] == build_id
    assert len(set(table_of(out)["build_ids"])) == 4


# ---- What a lesson calls elsewhere

DECLARED = "uint64_t helped(uint64_t i);\n"
CALLER = DECLARED + kernel("run_value", ["helped"]) + kernel("run_pointer", []) + PAIR.format("small", "run_value",
                                                                                             "run_pointer", "8")
LIBRARY = {
    "helped": "#include <stdint.h>\nuint64_t inner(uint64_t i);\nuint64_t helped(uint64_t i) { return inner(i) + 1; }\n",
    "inner": "#include <stdint.h>\nstatic __attribute__((noipa)) uint64_t hidden(uint64_t i) { return 3 * i; }\n"
             "uint64_t inner(uint64_t i) { return hidden(i) + 2; }\n",
    "unused": "#include <stdint.h>\nuint64_t unused(uint64_t i) { return i; }\n",
}


def make_library(folder, flags=(), members=LIBRARY):
    """A static library of one's own, its members compiled like a lesson but for `flags`."""
    (folder / "lib").mkdir()
    for name, text in members.items():
        (folder / "lib" / f"{name}.c").write_text(text)
        subprocess.run(["gcc", *FLAGS, *flags, "-c", folder / "lib" / f"{name}.c", "-o", folder / "lib" / f"{name}.o"],
                       check=True)
    subprocess.run(["ar", "rcs", folder / "libown.a", *(folder / "lib" / f"{name}.o" for name in members)], check=True)
    return folder / "libown.a"


@pytest.mark.parametrize("linker", ["bfd", "lld"])
def test_what_a_lesson_calls_of_a_static_library_is_placed(tmp_path, linker):
    """All that is reached, through other members and static functions; and not what is not."""
    need("ar", f"ld.{linker}")
    compile_c(tmp_path, CALLER)
    out = make(tmp_path, f"--link-arg=-fuse-ld={linker}", library=make_library(tmp_path))
    found, (unit,) = columns(out), table_of(out)["units"]
    assert unit["value"] == ["run_value", "helped", "inner", "hidden"] and unit["pointer"] == ["run_pointer"]
    assert unit["offsets"] == {name: found[name] for name in unit["value"] + unit["pointer"]}
    assert_balanced(found, unit["value"], 16)
    assert (unit["value_calls"], unit["pointer_calls"]) == ([], [])
    assert "unused" not in found


RESERVED = {"helped": LIBRARY["helped"].replace("inner", "__inner"),
            "inner": LIBRARY["inner"].replace(" inner", " __inner")}


def test_reserved_names_are_placed_like_others(tmp_path):
    compile_c(tmp_path, CALLER)
    out = make(tmp_path, library=make_library(tmp_path, members=RESERVED))
    assert_balanced(columns(out), ["run_value", "helped", "__inner", "hidden"], 16)


@pytest.mark.parametrize("name, body, refused", [
    ("__helped", CALLER.replace("helped", "__helped"), True),  # a user's, for all that the name is reserved
    ("__udivti3", CALLER.replace("helped(i)", "(uint64_t) (((unsigned __int128) i << 70) / (i | 1))"),
     False),  # libgcc's
])
def test_only_the_compilers_own_helpers_are_left_unplaced(tmp_path, name, body, refused):
    compile_c(tmp_path, body)
    library = make_library(tmp_path, members={"helped": LIBRARY["inner"].replace(" inner", " __helped")})
    done = run_tool(tmp_path, f"--link-arg={library}")
    assert (done.returncode == 1) == refused and (f"{name}: comes from a static library" in done.stderr) == refused, done.stderr
    if not refused:
        assert name in table_of(tmp_path / "out")["units"][0]["value_calls"]


def test_an_object_of_ones_own_is_placed(tmp_path):
    make_library(tmp_path)
    compile_c(tmp_path, CALLER)
    out = make(tmp_path, f"--library={tmp_path / 'lib/helped.o'}", library=tmp_path / "lib/inner.o")
    assert_balanced(columns(out), ["run_value", "helped", "inner", "hidden"], 16)


def test_both_compilers_of_a_lesson_are_told(tmp_path):
    compile_c(tmp_path, CALLER)
    out = make(tmp_path, library=make_library(tmp_path, ["-O1"]))
    assert [unit["flags"][[flag[:2] for flag in unit["flags"]].index("-O")] for unit in table_of(out)["compiled"]] == [
        "-O2", "-O1"]


def test_calls_of_shared_libraries_are_told(tmp_path):
    source = (kernel("run_value", ["getenv_of", "random_of"]).replace("static uint64_t run_value", (
        "static AMP_NOINLINE uint64_t getenv_of(uint64_t i) { amp_keep(&i); return i + (getenv(\"x\") != 0); }\n"
        "static AMP_NOINLINE uint64_t random_of(uint64_t i) { free(malloc(i & 7)); return i; }\nstatic uint64_t "
        "run_value"))
        + kernel("run_pointer", []) + PAIR.format("small", "run_value", "run_pointer", "8"))
    compile_c(tmp_path, source, flags=["-fno-builtin"])
    unit, = table_of(make(tmp_path))["units"]
    assert unit["value_calls"] == ["getenv", "malloc", "free"] and unit["pointer_calls"] == []


UNPLACED = {  # what is linked in: flags of the library, how it is given, what is said
    "behind our back": ([], "link-arg", ["helped", "--library"]),
    "without sections": (["-fno-function-sections"], "library", ["inner", "-ffunction-sections"]),
    "not there": (None, "library", ["nonesuch.a"]),
}


@pytest.mark.parametrize("name", UNPLACED)
def test_what_cannot_be_placed_is_refused_by_name(tmp_path, name):
    flags, how, words = UNPLACED[name]
    compile_c(tmp_path, CALLER)
    library = tmp_path / "nonesuch.a" if flags is None else make_library(tmp_path, flags)
    done = run_tool(tmp_path, **{how: library})
    assert done.returncode == 1 and done.stderr.startswith("ampersand: layouts: ") and "Traceback" not in done.stderr
    assert all(word in done.stderr for word in words), done.stderr
    assert not (tmp_path / "out/small.layouts.json").exists()


def test_two_static_functions_of_one_name(tmp_path):
    twins = {name: LIBRARY["inner"].replace("inner", name) for name in ("inner", "other")}
    twins["helped"] = LIBRARY["helped"].replace("inner(i) +", "inner(i) + other(i) +").replace(
        "uint64_t helped", "uint64_t other(uint64_t i);\nuint64_t helped", 1)
    compile_c(tmp_path, CALLER)
    done = run_tool(tmp_path, library=make_library(tmp_path, members=twins))
    assert done.returncode == 1 and "hidden: two files have a static function of this name" in done.stderr
