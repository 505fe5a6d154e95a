# SPDX-License-Identifier: MIT
"""ask: where its header lies and what surrounds it: links, files of C, names, folders, limits, variables, signals.
Nothing is measured here."""

import os
import re
import resource
import shutil
import signal
import subprocess
import sys

import pytest

from ask import lessons
from ask.types import children, compiler as compilers, subject as subjects
from places import ROOT
from plots.program.errors import Refused
from waiting import HANGS_S, is_gone, wait_for

PLAIN = "struct plain { int id; double price; };\n"
MINE = "#include <stdlib.h>\n" + PLAIN.replace("int", "mine")
SHADOW = "typedef int mine;\nvoid *malloc(unsigned long);\n#define free nope\n#define size_t nope\n"
PROGRAM = PLAIN + """#include <stdio.h>
int counter = 3;
static struct plain all[10];
__attribute__((constructor)) static void greet(void) { puts("hello"); }
int main(int argc, char **argv) { (void) argv; return all[argc].id; }
"""
ONE = PLAIN + """#ifdef ONE_IMPLEMENTATION
#include <stdlib.h>
int one_do(struct plain *p) { return p->id + abs(3); }
#endif
"""
ODD = os.fsdecode(b"d\xff/h\xfe.h")

FOUND = [
    # files, the one that is asked about, -I and -D, --cflags, variables
    ("a file of C with a main", {"main.c": PROGRAM}, "main.c", (), "", {}),
    ("a header that is all", {"one.h": ONE}, "one.h", ("-DONE_IMPLEMENTATION",), "", {}),
    ("the same by --cflags", {"one.h": ONE}, "one.h", (), "-D ONE_IMPLEMENTATION -O0", {}),
    ("own stdlib.h, -I", {"a.h": MINE, "i/stdlib.h": SHADOW}, "a.h", ("-I", "i"), "", {}),
    ("own stdlib.h, -isystem", {"a.h": MINE, "i/stdlib.h": SHADOW}, "a.h", (), "-isystem i", {}),
    ("own stdlib.h, CPATH", {"a.h": MINE, "i/stdlib.h": SHADOW}, "a.h", (), "", {"CPATH": "i"}),
    ("own stdlib.h, C_INCLUDE_PATH", {"a.h": MINE, "i/stdlib.h": SHADOW}, "a.h", (), "", {"C_INCLUDE_PATH": "i"}),
    ("a name with blanks and quotes", {"a b'$x.h": PLAIN}, "a b'$x.h", (), "", {}),
    ("a name that is no UTF-8", {ODD: PLAIN}, ODD, (), "", {}),
    ("another language", {"a.h": PLAIN}, "a.h", (), "", {"LANGUAGE": "de", "GCC_COLORS": "error=1"}),
]


@pytest.fixture
def here(tmp_path, monkeypatch):
    made = tmp_path / "here"
    made.mkdir()
    monkeypatch.chdir(made)
    return made


def write(folder, files):
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def asked(folder, header, include=(), flags=""):
    """The size that is found; pass compiles, too."""
    compiler = compilers.make(os.environ.get("CC") or "cc", include, flags, folder)
    found = subjects.study(compiler, header, "struct plain")
    lessons.compile_lesson(compiler, found, "frames/pass", folder / "pass.o")
    return found.size_b


@pytest.mark.parametrize("name, files, header, include, flags, variables", FOUND, ids=[one[0] for one in FOUND])
def test_headers_are_found_and_asked_about(tmp_path, here, monkeypatch, name, files, header, include, flags, variables):
    write(here, files)
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    assert asked(tmp_path, header, include, flags) == 16


def test_what_a_linked_header_includes_is_looked_for_beside_the_link(tmp_path, here):
    write(here, {"real/pub.h": '#include "conf.h"\n' + PLAIN.replace("int", "FIRST"),
                 "include/conf.h": "#define FIRST char\n"})
    (here / "include/pub.h").symlink_to("../real/pub.h")
    (here / "linked").symlink_to("include")
    assert asked(tmp_path, "include/pub.h") == 16 and asked(tmp_path, "linked/../include/pub.h") == 16


@pytest.mark.parametrize("header, says", [
    (".", ".: is a folder: name a header in it"), ("", "header '': not the name of a header"),
    ('a"b.h', "not the name of a header"), ("a\nb.h", "not the name of a header"),
    ("x" * 200 + ".h", "does not compile"), (os.fsdecode(b"nope\xff.h"), "does not compile: fatal error: "),
    ("/dev/null", "does not have such a type")])
def test_what_is_no_header_is_told_in_one_line(tmp_path, here, header, says):
    with pytest.raises(Refused) as refused:
        asked(tmp_path, header)
    assert says in str(refused.value) and str(refused.value).isprintable() and len(str(refused.value)) <= 300


# ---- The folder for what is made

def test_a_folder_in_which_nothing_runs_is_refused_before_anything_is_made(tmp_path, monkeypatch):
    monkeypatch.setattr(children.tempfile, "tempdir", str(tmp_path))
    with children.folder() as made:
        assert made.parent == tmp_path
    monkeypatch.setattr(os, "statvfs", lambda path: type("Flags", (), {"f_flag": os.ST_NOEXEC}))
    with pytest.raises(Refused, match="programs that are made there cannot be run .*TMPDIR"):
        with children.folder():
            pytest.fail("it goes on")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_goes_although_something_is_just_being_made(tmp_path, monkeypatch):
    monkeypatch.setattr(children.tempfile, "tempdir", str(tmp_path))
    remove, without_effect = shutil.rmtree, []

    def interfered(path, **how):
        if without_effect:
            remove(path, **how)
        without_effect.append(path)
    monkeypatch.setattr(children.shutil, "rmtree", interfered)
    with children.folder() as made:
        (made / "file").write_text("")
    assert len(without_effect) == 2 and list(tmp_path.iterdir()) == []


def test_processor_time_that_is_used_up_is_one_line():
    try:
        with pytest.raises(Refused, match="processor time: is used up: ulimit -t"):
            with children.folder():
                os.kill(os.getpid(), signal.SIGXCPU)
    finally:
        signal.signal(signal.SIGXCPU, signal.SIG_DFL)


# ---- As a program: limits and signals

def start(*words, limits=(), **variables):
    def limit():
        for what, most in limits:
            resource.setrlimit(what, (most, most))
    return subprocess.Popen([sys.executable, "-m", "ask", *map(str, words)], cwd=ROOT, text=True, preexec_fn=limit,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            env={**os.environ, **variables})


LIMITS = [("files", resource.RLIMIT_FSIZE, 0), ("large files", resource.RLIMIT_FSIZE, 4096),
          ("open files", resource.RLIMIT_NOFILE, 12), ("memory", resource.RLIMIT_AS, 200 << 20)]


@pytest.mark.parametrize("name, what, most", LIMITS, ids=[one[0] for one in LIMITS])
def test_a_limit_that_is_too_low_is_one_line(tmp_path, name, what, most):
    child = start("sys/stat.h", "struct no_such", limits=[(what, most)], TMPDIR=str(tmp_path))
    out, err = child.communicate(timeout=HANGS_S)
    assert child.returncode == 2 and out == "" and re.fullmatch(r"ampersand: [^\n]+\n", err), (child.returncode, err)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def waiting(tmp_path):
    """A compiler that waits for ever, with a child that does, and tells of both."""
    script, pids = tmp_path / "waiting", tmp_path / "pids"
    script.write_text(f"#!/bin/sh\nsleep 1000 &\necho $$ $! >{pids}.tmp\nmv {pids}.tmp {pids}\nwait\n")
    script.chmod(0o755)
    return script, pids


@pytest.mark.parametrize("number, status", [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_ends_what_was_started_and_removes_what_was_made(tmp_path, waiting, number, status):
    script, pids = waiting
    place = tmp_path / "place"
    place.mkdir()
    child = start("sys/stat.h", "struct stat", "--cc", script, TMPDIR=str(place))
    wait_for(pids.exists, child)
    child.send_signal(number)
    assert child.communicate(timeout=HANGS_S) == ("", "ampersand: interrupted\n") and child.returncode == status
    assert list(place.iterdir()) == []
    for pid in pids.read_text().split():
        wait_for(lambda: is_gone(pid))


@pytest.mark.parametrize("run", [children.run, children.run_politely])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_at_the_start_leaves_no_child(monkeypatch, run, number):
    """It comes when the child runs, and before whoever starts it knows of it."""
    started = []

    class Interrupted(subprocess.Popen):
        def __init__(self, *words, **how):
            super().__init__(*words, **how)
            started.append(self)
            os.kill(os.getpid(), number)

    def interrupt(number, frame):
        raise KeyboardInterrupt

    before = signal.signal(number, interrupt)
    monkeypatch.setattr(subprocess, "Popen", Interrupted)
    try:
        with pytest.raises(KeyboardInterrupt):
            run(["sleep", "1000"])
        assert signal.getsignal(number) is interrupt
    finally:
        signal.signal(number, before)
    assert [child.returncode is not None for child in started] == [True]


def test_what_measures_ends_where_ask_is_killed_outright(tmp_path):
    pid = tmp_path / "pid"
    script = f"echo $$ >{pid}.tmp; mv {pid}.tmp {pid}; exec sleep 1000"
    code = f"from ask.types import children; children.run_politely(['sh', '-c', {script!r}])"
    child = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)
    wait_for(pid.exists, child)
    child.kill()
    child.wait()
    wait_for(lambda: is_gone(pid.read_text()))
