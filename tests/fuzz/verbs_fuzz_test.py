# SPDX-License-Identifier: MIT
"""Damaged folders and odd command lines for every verb: an exit status that is documented, lines that begin with
"ampersand:", never a traceback, never the line that says "defect". AMPERSAND_FUZZ is the number of cases of each test.
Fixed seeds: a failure names the case that repeats it."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import synthetic
import synthetic_allocators
from fuzz import loader_fuzz_test as loader
from synthetic_go import write as write_go
from plots.__main__ import VERBS, guarded
from synthetic_stack import make_document
from synthetic_allocators import Truth
from waiting import HANGS_S

CASES = int(os.environ.get("AMPERSAND_FUZZ", 15))
STATUSES = {0, 1, 2, 3, 130}
BUILD = os.environ.get("AMPERSAND_BUILD")
ODD = [None, True, False, -1, 0, 1, 0.5, -0.0, 1e308, 5e-324, 1 << 53, 1 << 63, 1 << 200, "", "0", "x" * 5000,
       "\x1b[2J<b>&",
       "a\x00b", "../..", "\ud800", "\u202e", [], {}, [[]], [None], {"": 0}, "2026-01-31T12:00:00Z"]


# ---- Damage

def put_an_odd_value(raw, random, _):
    """Another value, or none, at a place of a JSON document, or of a line of one."""
    lines = raw.split(b"\n") if raw.count(b"\n") > 1 else [raw]
    i = random.integers(len(lines))
    try:
        document = json.loads(lines[i])
    except ValueError:
        return raw[:-1]
    holder = document
    while isinstance(holder, (dict, list)) and holder:
        key = list(holder)[random.integers(len(holder))] if isinstance(holder, dict) else random.integers(len(holder))
        if not isinstance(holder[key], (dict, list)) or not holder[key] or random.random() < 0.2:
            if random.random() < 0.2:
                del holder[key]
            else:
                holder[key] = ODD[random.integers(len(ODD))]
            break
        holder = holder[key]
    lines[i] = json.dumps(document).encode()
    return b"\n".join(lines)


def nest_deeply(raw, random, _):
    return b"[" * 100000 if random.random() < 0.5 else raw.replace(b":", b":" + b"[" * 5000, 1)


def put_a_huge_number(raw, random, _):
    return raw.replace(b":1", b":1" + b"0" * 400, 1) if b":1" in raw else b"1e999"


def repeat_a_key(raw, random, _):
    return raw.replace(b'{"', b'{"schema":1,"', 1)


def make_empty(raw, random, _):
    return b""


def put_bad_utf8(raw, random, _):
    return raw.replace(b'"', b'"\xff', 1)


DAMAGES = loader.DAMAGES + (put_an_odd_value,) * 8 + (nest_deeply, put_a_huge_number, repeat_a_key, make_empty,
                                                      put_bad_utf8)


def make_pipe(path):
    os.mkfifo(path)


def make_folder(path):
    path.mkdir()


def make_loop(path):
    path.symlink_to(path.name)


def make_dangling_link(path):
    path.symlink_to("gone")


def make_endless(path):
    path.symlink_to("/dev/zero")


def leave_out(path):
    pass


KINDS = (make_pipe, make_folder, make_loop, make_dangling_link, make_endless, leave_out)


def damage(folder, random):
    """Damage one file of a folder; what was done."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix not in (".svg", ".png"))
    path = files[random.integers(len(files))]
    raw = path.read_bytes()
    if random.random() < 0.15:
        kind = KINDS[random.integers(len(KINDS))]
        path.unlink()
        kind(path)
        return f"{kind.__name__} of {path.relative_to(folder)}"
    how = DAMAGES[random.integers(len(DAMAGES))]
    path.write_bytes(how(raw, random, [one.read_bytes() for one in files]))
    return f"{how.__name__} in {path.relative_to(folder)}"


class Kept:
    """A copy of a sound folder, and what is in it, to undo what was done to it: folders cost more than files to
    make."""

    def __init__(self, sound, folder):
        shutil.copytree(sound, folder)
        self.folder = folder
        self.folders = {path for path in folder.rglob("*") if path.is_dir()}
        self.files = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    def restore(self):
        for path in sorted(self.folder.rglob("*"), reverse=True):
            if path.is_symlink() or (path not in self.folders and not path.is_dir() and path not in self.files):
                path.unlink()
            elif path.is_dir() and path not in self.folders:
                shutil.rmtree(path)
            elif path in self.files and not path.is_file():
                path.unlink()
        for path, raw in self.files.items():
            if not path.exists() or path.read_bytes() != raw:
                path.write_bytes(raw)


def ends_well(words, what, capsys):
    """That a verb of plots ends as it should; what it printed."""
    try:
        status = guarded([str(word) for word in words])
    except SystemExit as end:
        status = end.code
    out, err = capsys.readouterr()
    told = f"{what}: {words}: {status}\n{err[-2000:]}"
    assert status in STATUSES and "defect" not in err and "Traceback" not in out + err, told
    assert all(line.startswith("ampersand: ") for line in err.splitlines()), told
    assert err or status in (0, 1), told
    return out


def no_drawing(figures, kinds=("svg", "png")):
    """In the place of pictures.encode()."""
    return {f"{name}.{kind}": b"<svg/>" for name in figures for kind in kinds}


def run_of_pairs(folder):
    plan = synthetic.Plan(launches=6, layouts=2, rounds=2, counts_launches=1, solo=1, fail=loader.FAILED,
                          checksums=False)
    synthetic.write_run(folder, loader.ROWS, plan)
    write_go(folder / "go")
    assert guarded(["summary", str(folder)]) == 1 and guarded(["go", str(folder), "--quiet"]) == 0
    return folder


def run_of_allocators(folder):
    plan = synthetic_allocators.Plan(launches=2, timelines=1, again=None, checksums=False)
    synthetic_allocators.write_run(folder, (Truth("jemalloc"), Truth("glibc", "glibc")), (synthetic_allocators.WORKS[0],
                                   synthetic_allocators.WORKS[-1]), plan)
    assert guarded(["allocators", str(folder)]) == 0
    return folder


def run_of_stacks(folder):
    folder.mkdir()
    (folder / "stack.json").write_text(json.dumps(make_document()))
    return folder


FOLDERS = {  # what folder, its verbs: their words, where B is a sound one
    "pairs": (run_of_pairs,
              [["summary"], ["undecided"], ["check"], ["compare", "B"], ["go"], ["summary", "--format", "csv"],
               ["compare", "B", "--fail-on-change", "--across", "--all"], ["summary", "--format", "markdown"]] * 2
              + [["charts"], ["report"]]),  # what is drawn takes most of the time
    "allocators": (run_of_allocators, [["allocators"], ["check"], ["charts"], ["report"], ["summary"],
                                       ["allocators", "--format", "markdown"]]),
    "stacks": (run_of_stacks, [["stack", "--from"], ["check"], ["stack", "--format", "json", "--from"]]),
}


@pytest.mark.parametrize("name", FOLDERS)
def test_damaged_folders(tmp_path, capsys, monkeypatch, name):
    monkeypatch.setattr("plots.figures.pictures.encode", no_drawing)  # what is drawn takes all the time
    make, verbs = FOLDERS[name]
    sound = make(tmp_path / "sound")
    capsys.readouterr()
    random = np.random.default_rng(3)
    kept = Kept(sound, tmp_path / "run")
    for case in range(CASES):
        what = f"case {case}: {damage(kept.folder, random)}"
        verb = verbs[random.integers(len(verbs))]
        ends_well([str(sound) if word == "B" else word for word in verb] + [kept.folder], what, capsys)
        kept.restore()


def test_damaged_runs_are_gone_on_with_or_refused(tmp_path):
    if not BUILD:
        pytest.skip("AMPERSAND_BUILD does not name a build folder")
    program = Path(BUILD).resolve() / "harness/ampersand-bench"
    how = {"capture_output": True, "errors": "replace", "timeout": HANGS_S,
           "env": {**os.environ, "AMPERSAND_LESSONS": str(Path(BUILD).resolve() / "tests/lessons")}}
    sound = tmp_path / "sound"
    subprocess.run([program, "paired", "--out", sound, "--filter", "^good/size=8$", "--launches", "2", "--epoch-us",
                    "5",
                    "--rounds", "2", "--counts-launches", "1", "--solo-launches", "1", "--no-wait"], check=True, **how)
    random = np.random.default_rng(4)
    kept = Kept(sound, tmp_path / "run")
    for case in range(CASES):
        what = f"case {case}: {damage(kept.folder, random)}"
        done = subprocess.run([program, "paired", "--resume", kept.folder], **how)
        assert done.returncode in STATUSES, f"{what}: {done.returncode}: {done.stderr}"
        assert all(line.startswith("ampersand: ") for line in done.stderr.splitlines()), f"{what}: {done.stderr}"
        kept.restore()


# ---- Command lines

FLAGS = ["--format", "--config", "--out", "--across", "--all", "--fail-on-change", "--quiet", "--launches", "--rounds",
         "--designs",
         "--seed", "--from", "--facts", "--busy", "--build", "--help", "-h", "--qick", "--", "-", "-x", "--format=",
         "--out=", "--all=1"]
VALUES = ["", "0", "-1", "1", "1e9", "NaN", "9" * 400, "9" * 5000, "ü", "a b", "\udcff", "json", "csv", "markdown",
          "table",
          "default", "*", "(", "%s%n", "\x1b[2J", "x" * 5000, "y" * 300 + "/z", "5%", "/dev/null", "/dev/null/x",
          "/proc/x", "gone", ".", "..",
          "RUN", "MATRIX", "STACK", "BUILD", "RUN/manifest.json"]


def words_of(random, first, flags):
    """A command line: `first`, then words drawn at random."""
    drawn = (flags if random.random() < 0.4 else VALUES for _ in range(random.integers(0, 6)))
    return [first] + [words[random.integers(len(words))] for words in drawn]


def test_command_lines_of_plots(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("plots.figures.pictures.encode", no_drawing)
    monkeypatch.setenv("PATH", "/nonexistent")  # no go, no objdump
    for name, make in (("RUN", run_of_pairs), ("MATRIX", run_of_allocators), ("STACK", run_of_stacks)):
        make(tmp_path / name)
    program = tmp_path / "BUILD/harness/ampersand-bench"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\necho 'ampersand: nothing is built' >&2\nexit 2\n")
    program.chmod(0o755)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("AMPERSAND_BUILD", str(tmp_path / "BUILD"))
    capsys.readouterr()
    random = np.random.default_rng(5)
    places = {name: str(tmp_path / name) for name in ("RUN", "MATRIX", "STACK", "BUILD")}
    verbs = [*VERBS, "help", "-h", "", "sumary", "\udcff"]
    for case in range(CASES * 4):
        words = words_of(random, verbs[random.integers(len(verbs))], FLAGS)
        words = [places.get(word.split("/")[0], word) + ("/manifest.json" if word.endswith("manifest.json") else "")
                 if word.split("/")[0] in places else word for word in words]
        ends_well(words, f"case {case}", capsys)


PROGRAM_FLAGS = ["--filter", "--quick", "--launches", "--counts-launches", "--solo-launches", "--seed", "--layout",
                 "--epoch-us",
                 "--rounds", "--no-wait", "--timeout", "--memory-limit", "--precision", "--budget", "--config",
                 "--workload", "--baseline",
                 "--timelines", "--questions", "--resume", "--rows", "--help", "--qick", "--", "-", "--seed=",
                 "--filter=^good/"]


def test_command_lines_of_the_program(tmp_path):
    """Nothing is measured: the folder cannot be made."""
    if not BUILD:
        pytest.skip("AMPERSAND_BUILD does not name a build folder")
    random = np.random.default_rng(6)
    for case in range(CASES * 2):
        verb = ("paired", "allocators", "list", "machine", "", "pared")[random.integers(6)]
        words = words_of(random, verb, PROGRAM_FLAGS) + ["--out", "/dev/null/x"] * (verb in ("paired", "allocators"))
        words = [word for word in words if word not in ("MATRIX", "RUN")]
        done = subprocess.run([os.fsencode(word)
                               for word in [str(Path(BUILD).resolve() / "harness/ampersand-bench"), *words]],
                              capture_output=True, errors="replace", timeout=HANGS_S, cwd=tmp_path,
                              env={**os.environ, "AMPERSAND_LESSONS": str(Path(BUILD).resolve() / "tests/lessons")})
        told = f"case {case}: {words}: {done.returncode}\n{done.stderr}"
        assert done.returncode in STATUSES, told
        assert done.returncode in (0, 1) or done.stderr.startswith(("ampersand: ", "usage: ", "Usage: ")), told
