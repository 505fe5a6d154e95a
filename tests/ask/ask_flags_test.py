# SPDX-License-Identifier: MIT
"""ask: the user's compiler and flags. Each flag is used, left out and said to be, or refused by name; nothing is
written beside the answer; what the compiler made is looked at."""

import os
import shlex
import shutil

import pytest

from ask import answer, lessons
from ask.types import children, compiler as compilers, flags as kinds, subject as subjects
from plots.program.errors import Refused
from waiting import is_gone, wait_for

needs_clang = pytest.mark.skipif(not shutil.which("clang"), reason="clang is not here: apt-get install clang")
COMPILERS = ["gcc", pytest.param("clang", marks=needs_clang)]
PLAIN = "struct plain { int id; double price; };\n"


@pytest.fixture
def header(tmp_path):
    path = tmp_path / "plain.h"
    path.write_text(PLAIN)
    return path


def compiler_in(folder, cc="gcc", flags=""):
    made = folder / "made"
    made.mkdir(exist_ok=True)
    return compilers.make(cc, (), flags, made)


# ---- What becomes of each flag

SORTED = [
    # flags, what is used of them, what is left out
    ("", "", []),
    ("-O3 -march=native -std=c99", "-O3 -march=native -std=c99", []),
    ("-Wall -Wextra -Werror -pedantic -g3 -gsplit-dwarf -pipe -fdiagnostics-color", "", []),
    ("-D X -DY=1 -include a.h -isystem dir --param max-x=3 -pthread -undef", None, []),
    ("-Wa,-mrelax-relocations=no -Wp,-D_FORTIFY_SOURCE=2 -fopenmp -fplugin=x.so", None, []),
    ("-MMD -MP -MF keep.d -MT x -MQ y", "", ["-MMD", "-MP", "-MF keep.d", "-MT x", "-MQ y"]),
    ("-MFkeep.d -MJ x.json -Wp,-MMD,keep.d", "", ["-MFkeep.d", "-MJ x.json", "-Wp,-MMD,keep.d"]),
    ("-save-temps --save-temps -save-temps=obj", "", ["-save-temps", "--save-temps", "-save-temps=obj"]),
    ("-fdump-tree-all -fstack-usage -fcallgraph-info=su -ftime-trace=f -fopt-info-vec=f -fsave-optimization-record", "",
     ["-fdump-tree-all", "-fstack-usage", "-fcallgraph-info=su", "-ftime-trace=f", "-fopt-info-vec=f",
      "-fsave-optimization-record"]),
    ("-aux-info f -dumpbase b -dumpdir d -da -dD -Wa,-adhln=f -Wa,--MD,f -fmodules", "",
     ["-aux-info f", "-dumpbase b", "-dumpdir d", "-da", "-dD", "-Wa,-adhln=f", "-Wa,--MD,f", "-fmodules"]),
    ("-p -pg --coverage -coverage -fprofile-arcs -fprofile-use=f -fauto-profile -finstrument-functions -mfentry", "",
     ["-p", "-pg", "--coverage", "-coverage", "-fprofile-arcs", "-fprofile-use=f", "-fauto-profile",
      "-finstrument-functions", "-mfentry"]),
    ("-Wl,-O1 -lm -L lib -static -shared -pie -rdynamic -s -fuse-ld=lld -Xlinker -Map=f -T script", "",
     ["-Wl,-O1", "-lm", "-L lib", "-static", "-shared", "-pie", "-rdynamic", "-s", "-fuse-ld=lld", "-Xlinker -Map=f",
      "-T script"]),
    ("-flto=auto -ffat-lto-objects -fwhole-program -O2", "-O2", ["-flto=auto", "-ffat-lto-objects", "-fwhole-program"]),
]


@pytest.mark.parametrize("flags, used, left_out", SORTED, ids=[one[0][:24] for one in SORTED])
def test_what_is_used_and_what_is_left_out(flags, used, left_out):
    words = shlex.split(flags)
    found, out = kinds.sort(words)
    assert list(found) == (words if used is None else used.split())
    assert [flag for flag, _ in out] == left_out


BY_NAME = [
    ("-c", "says what is to be made"), ("-S", "says what is to be made"), ("-E", "says what is to be made"),
    ("-o keep", "says what is to be made"), ("-okeep", "says what is to be made"), ("-r", "says what is to be made"),
    ("-###", "says what is to be made"), ("--version", "says what is to be made"),
    ("--help", "says what is to be made"),
    ("-dumpmachine", "says what is to be made"), ("-print-search-dirs", "says what is to be made"),
    ("-emit-llvm", "says what is to be made"), ("-x c++", "says what is to be made"),
    ("-fsyntax-only", "says what is to be made"), ("-mabi=ms", "changes how calls pass arguments"),
    ("-fsanitize=thread", "what a sanitizer adds would be measured"), ("@flags.txt", "is a file of flags"),
    ("main.c", "is no flag"), ("-", "is no flag"), ("''", "is no flag"), ("-O2 -include", "needs a value"),
    ("-Xpreprocessor -MMD", "may write a file of its own"), ("-Xclang -dependency-file", "may write a file of its own"),
]


@pytest.mark.parametrize("flags, why", BY_NAME, ids=[one[0] for one in BY_NAME])
def test_what_cannot_be_taken_is_refused_by_name(flags, why):
    with pytest.raises(Refused, match="--cflags: ") as refused:
        kinds.sort(shlex.split(flags))
    assert why in str(refused.value) and shlex.split(flags)[-1] in str(refused.value)


def test_the_answer_says_what_was_left_out(tmp_path, header):
    compiler = compiler_in(tmp_path, flags="-O3 -MMD -MF keep.d -pg -Wl,-O1")
    found = answer.notes(subjects.study(compiler, str(header), "struct plain"), compiler)
    assert found == ["left out of --cflags: -MMD, -MF keep.d: nothing is written but the answer",
                     "left out of --cflags: -pg: what counts, traces or foretells calls belongs to your program",
                     "left out of --cflags: -Wl,-O1: ask does the linking"]
    assert compiler.facts == ("-O3",)


# ---- A compiler that makes no object that can be used, and the flag that is to blame

USELESS = [
    ("true", "", "--cc true: makes no object file"),
    ("echo", "", "--cc echo: makes no object file"),
    ("g++", "", "--cc g++: error: #error this compiles C++: name a compiler of C"),
    ("{}/empty", "", "empty: makes another file than an ELF object file"),
    ("{}/program", "", "program: makes another file than an object file with the code in it"),
    ("no-such-cc", "", "--cc no-such-cc: no such command"),
    (".", "", "--cc .: no such command"),
    ("", "", "--cc: its value is empty"),
    ("'", "", "--cc: ': No closing quotation"),
    ("gcc", "-O3 -fno-such-flag", "because of -fno-such-flag: leave it out"),
    ("gcc", "-O3 -m32", "makes code for x86, 32 bits, which this machine does not run, because of -m32: leave it out"),
    ("gcc -m32", "", "because of -m32: leave it out"),
    ("gcc", "-wrapper /bin/false", "because of -wrapper /bin/false: leave it out"),
    ("gcc", "-specs=nope.specs", "because of -specs=nope.specs: leave it out"),
    ("gcc", "-O3 -mno-sse -fno-math-errno", "SSE disabled, because of -mno-sse: leave it out"),
    ("gcc", "-mindirect-branch=thunk-extern", "because of -mindirect-branch=thunk-extern: leave it out"),
]


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="flags of x86-64")
@pytest.mark.parametrize("cc, flags, says", USELESS, ids=[f"{one[0][-12:]} {one[1]}" for one in USELESS])
def test_a_compiler_that_makes_nothing_to_be_used(tmp_path, header, cc, flags, says):
    for name, command in (("empty", ': >"$made"'), ("program", 'cp /bin/true "$made"')):
        script = tmp_path / name
        script.write_text(f'#!/bin/sh\nfor made; do :; done\n{command}\n')  # -o comes last
        script.chmod(0o755)
    with pytest.raises(Refused) as refused:
        subjects.study(compiler_in(tmp_path, cc.format(tmp_path), flags), str(header), "struct plain")
    assert says in str(refused.value)


CRASHES = r"""#!/bin/sh
crash=no
for word; do
    shift
    made=$word # what follows -o comes last
    if [ "$word" = -mcrash ]; then crash=yes; else set -- "$@" "$word"; fi
done
case "$crash $* " in no* | *" -c "* | *" -E "* | *" -print-prog-name="*) exec gcc "$@" ;; esac
printf '#!/bin/sh\nkill -SEGV $$\n' >"$made"
chmod +x "$made"
"""


def test_an_experiment_that_crashes_names_the_flag(tmp_path, header):
    """Which flag does so depends on the machine, so here is a compiler that has one."""
    (tmp_path / "cc").write_text(CRASHES)
    (tmp_path / "cc").chmod(0o755)
    with pytest.raises(Refused) as refused:
        subjects.study(compiler_in(tmp_path, str(tmp_path / "cc"), "-O3 -mcrash"), str(header), "struct plain")
    assert str(refused.value) == ("how it is passed: cannot be found out: the experiment ended by SIGSEGV, because of "
                                  "-mcrash: leave it out")


# ---- Nothing is written but in ask's own folder

WRITERS = {
    "gcc": "-MMD -MF keep.d -Wp,-MMD,keep.d -save-temps -fdump-tree-optimized -fstack-usage -fcallgraph-info "
           "-ftime-report -fopt-info-vec=keep.d -gsplit-dwarf --coverage -pg -aux-info keep.d -fprofile-dir=. -da",
    "clang": "-MMD -MF keep.d -MJ keep.d -save-temps -ftime-trace -fsave-optimization-record -gsplit-dwarf --coverage "
             "-fprofile-instr-generate -fstack-usage",
}


@pytest.mark.parametrize("cc", COMPILERS)
def test_no_file_of_the_users_is_written(tmp_path, header, monkeypatch, cc):
    here = tmp_path / "here"
    here.mkdir()
    (here / "keep.d").write_text("mine\n")
    monkeypatch.chdir(here)
    for variable in ("DEPENDENCIES_OUTPUT", "SUNPRO_DEPENDENCIES"):
        monkeypatch.setenv(variable, "keep.d")
    monkeypatch.setenv("CC_PRINT_OPTIONS", "1")
    monkeypatch.setenv("CC_PRINT_OPTIONS_FILE", "keep.d")
    compiler = compiler_in(tmp_path, cc, WRITERS[cc])
    found = subjects.study(compiler, str(header), "struct plain")
    lessons.compile_lesson(compiler, found, "frames/pass", compiler.folder / "pass.o")
    assert os.listdir(here) == ["keep.d"] and (here / "keep.d").read_text() == "mine\n"


def test_a_writer_that_no_table_knows_is_noticed(tmp_path, monkeypatch):
    monkeypatch.setattr(kinds, "LEFT_OUT", ())
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Refused, match=r"probe\.\w+ is written beside the object file, because of -fstack-usage"):
        compiler_in(tmp_path, flags="-O3 -fstack-usage")
    assert sorted(os.listdir(tmp_path)) == ["made"]


# ---- Children end with ask

def test_what_runs_in_a_thread_is_killed_with_what_it_started(tmp_path):
    started = tmp_path / "started"
    script = f"sleep 1000 & echo $! >{started}.$$; mv {started}.$$ {started}; wait"
    with pytest.raises(ZeroDivisionError):
        with children.pool() as threads:
            for _ in range(os.cpu_count() + 1):  # one more than run at once
                job = threads.submit(children.run, ["sh", "-c", script])
            wait_for(started.exists)
            raise ZeroDivisionError
    assert job.cancelled() or job.exception()
    wait_for(lambda: is_gone(started.read_text()))
    assert children.run(["true"]).returncode == 0
