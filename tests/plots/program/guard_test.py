# SPDX-License-Identifier: MIT
"""Whatever goes wrong in a Python verb is one line and a status (plots/program/guard.py), and never a traceback."""

import errno
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from places import ROOT
from plots.program import guard
from plots.program.errors import Refused
from waiting import HANGS_S

PROGRAM = """import sys
sys.path.insert(0, {root!r})
from plots.program import guard
guard.enter("verb")
def run(arguments):
    {body}
    return 0
sys.exit(guard.guarded([], run, "verb"))
"""


def verb(body, shell="exec \"$@\"", **environment):
    """The end of a process that runs `body` as a verb."""
    command = ["sh", "-c", shell, "sh", sys.executable, "-c", PROGRAM.format(root=str(ROOT), body=body)]
    return subprocess.run(command, capture_output=True, text=True, timeout=HANGS_S,
                          env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **environment})


@pytest.mark.parametrize("status", [0, 1, 3])
def test_a_reader_that_has_seen_enough_changes_no_status(status):
    """As in `compare --fail-on-change A B | head -1`."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        program = PROGRAM.format(root=str(ROOT), body=f"print('x'); return {status}")
        done = subprocess.run([sys.executable, "-c", program], stdout=writer, stderr=subprocess.PIPE, text=True,
                              timeout=HANGS_S)
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (status, "")


FORESEEN = [  # what is raised, the line
    (Refused("x.json", "rows", "missing"), "x.json: rows: missing"),
    (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "verb: No space left on device"),
    (PermissionError(errno.EACCES, os.strerror(errno.EACCES), "/out"), "/out: Permission denied"),
    (OSError(errno.ENOEXEC, os.strerror(errno.ENOEXEC), b"/prog\xff"), "/prog : no program of this machine"),
    (OSError(errno.EMFILE, os.strerror(errno.EMFILE), "a\nb"), "a b: Too many open files"),
    (FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "objdump"), "objdump: No such file or directory"),
    (OSError("needs a folder that can be written"), "verb: needs a folder that can be written"),
    (MemoryError(), "verb: not enough memory"),
    (subprocess.CalledProcessError(3, "nm"), "verb: Command 'nm' returned non-zero exit status 3."),
    (subprocess.TimeoutExpired("nm", 5), "verb: Command 'nm' timed out after 5 seconds"),
    (UnicodeEncodeError("ascii", "ü", 0, 1, "x"), "verb: '\\xfc' cannot be written in ascii: set LC_ALL=C.UTF-8"),
    (ModuleNotFoundError("No module named 'numpy'", name="numpy"),
     "verb: Python cannot load numpy: No module named 'numpy'; ./ampersand setup installs what is missing"),
]


@pytest.mark.parametrize("error, line", FORESEEN, ids=[type(error).__name__ for error, _ in FORESEEN])
def test_what_happens_to_sound_programs_is_one_line(error, line, capsys):
    def run(arguments):
        raise error
    assert guard.guarded([], run, "verb") == 2
    assert capsys.readouterr().err == f"ampersand: {line}\n"


@pytest.mark.parametrize("error", [ValueError("no\nidea"), KeyError("rows"), RecursionError(), AssertionError("a"),
                                   ModuleNotFoundError("No module named 'plots.gone'", name="plots.gone")],
                         ids=lambda error: type(error).__name__)
def test_the_rest_is_a_defect_with_a_file_to_report(error, capsys, tmp_path, monkeypatch):
    def run(arguments):
        raise error
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert guard.guarded(["a"], run, "verb") == 2
    found = re.fullmatch(r"ampersand: verb: this is a defect, please report it with (\S+)\n", capsys.readouterr().err)
    text = Path(found[1]).read_text(encoding="utf-8")
    assert type(error).__name__ in text and "in run" in text and f"python: {sys.version}" in text
    monkeypatch.setattr("tempfile.tempdir", "/proc")
    assert guard.guarded(["a"], run, "verb") == 2
    said = capsys.readouterr().err
    assert said.startswith(f"ampersand: verb: this is a defect, please report it: {type(error).__name__} at "
                           f"guard_test.py")
    assert said.count("\n") == 1


BAD = "standard output: cannot be written: "
OUTPUTS = [  # what the shell does, what the verb does, status, the line
    ("full disk", '"$@" >/dev/full', "print('x')", 2, BAD + "No space left on device"),
    ("full disk, much", '"$@" >/dev/full', "print('x' * 100000)", 2, BAD + "No space left on device"),
    ("closed", '"$@" >&-', "print('x')", 2, BAD + "Bad file descriptor"),
    ("closed, all three", '"$@" <&- >&- 2>&-', "print('x')", 2, None),
    ("closed, nothing to say", '"$@" >&-', "pass", 0, None),
    ("a reader that has seen enough", '{ "$@"; echo $? >&3; } 3>&1 | true; exit 0', "print('x' * 1000000)", 0, None),
    ("full disk, and refused", '"$@" >/dev/full', "print('x'); raise guard.Refused('no')", 2, "no"),
    ("--help", '"$@" >/dev/full', "print('x'); sys.exit(0)", 2, BAD + "No space left on device"),
]


@pytest.mark.parametrize("shell, body, status, line", [row[1:] for row in OUTPUTS], ids=[row[0] for row in OUTPUTS])
def test_output_that_cannot_be_written(shell, body, status, line):
    done = verb(body, shell)
    assert (done.returncode, done.stderr) == (status, f"ampersand: {line}\n" if line else "")


def test_what_the_encoding_does_not_have_is_escaped():
    done = verb(r"print('\xfc \udcff')", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stdout, done.stderr) == (0, "\\xfc \\udcff\n", "")
    assert verb(r"print('\udcff')").stdout == "\\udcff\n"


@pytest.mark.parametrize("number, status", [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
@pytest.mark.parametrize("body", ["os.kill(0, NUMBER)", "try: os.kill(0, NUMBER)\n    except KeyboardInterrupt: 1 / 0"],
                         ids=["told", "made another error of"])
def test_a_signal_is_one_line(number, status, body):
    body = f"import os; print('before'); os.setpgid(0, 0); {body.replace('NUMBER', str(int(number)))}"
    done = verb(body.replace("; try", "\n    try"))
    assert (done.returncode, done.stdout, done.stderr) == (status, "before\n", "ampersand: interrupted\n")


def test_an_import_that_fails_in_another_place_is_named(tmp_path):
    (tmp_path / "broken_module.py").write_text("1 / 0\n")
    done = verb("import broken_module", PYTHONPATH=str(tmp_path))
    assert done.returncode == 2
    assert done.stderr.startswith("ampersand: verb: Python cannot load broken_module: ZeroDivisionError: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("module, needs", [("plots", ["check", "x"]), ("ask", ["x.h", "int"])])
@pytest.mark.parametrize("name", ["numpy", "jsonschema"])
def test_modules_that_cannot_be_loaded(tmp_path, module, needs, name):
    (tmp_path / f"{name}.py").write_text("raise OSError('broken')\n")
    done = subprocess.run([sys.executable, "-m", module, *needs], capture_output=True, text=True, cwd=ROOT,
                          timeout=HANGS_S,
                          env={**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"})
    assert done.returncode == 2
    assert re.fullmatch(rf"ampersand: \w+: Python cannot load {name}: broken; [^\n]+\n", done.stderr)


def test_little_memory_is_told_before_it_is_missing():
    done = verb("print('not reached')", 'ulimit -v 500000; exec "$@"')
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "ampersand: memory: limited to 488 MiB (ulimit -v), where 1024 MiB are needed\n"


def test_the_backend_of_the_environment_is_not_used(small_run):
    for command in ("summary", "charts"):
        done = subprocess.run([sys.executable, "-m", "plots", command, small_run], capture_output=True, text=True,
                              cwd=ROOT,
                              timeout=HANGS_S, env={**os.environ, "MPLBACKEND": "garbage", "HOME": "/proc"})
        assert (done.returncode, done.stderr) == (0, "")
