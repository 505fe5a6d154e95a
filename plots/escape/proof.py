# SPDX-License-Identifier: MIT
"""Each change compiles, and the user's own tests pass with it under sanitizers, in a copy of the tree; what does not is
taken back."""

import contextlib
import difflib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from plots.escape import fix, passing, recorded
from plots.program.errors import Refused, one_line

SANITIZERS = (["-fsanitize=address,undefined", "-fno-sanitize-recover=undefined", "-g"], ["-fsanitize=address", "-g"])


def compiles(clang, unit, text):
    """"" or the compiler's words. The file is not touched: clang reads the text in its place."""
    with tempfile.TemporaryDirectory(prefix="ampersand-fix-") as folder:
        changed, overlay = Path(folder, "changed.c"), Path(folder, "overlay.json")
        changed.write_bytes(text.encode("latin-1"))
        path = os.path.abspath(unit.source.file)
        overlay.write_text(json.dumps({"version": 0, "roots": [
            {"type": "directory", "name": os.path.dirname(path),
             "contents": [{"type": "file", "name": os.path.basename(path), "external-contents": str(changed)}]}]}))
        flags = [flag for flag in unit.source.flags if flag not in unit.dropped]
        done = subprocess.run([clang, *flags, "-w", "-fsyntax-only", "-ivfsoverlay", overlay, "-x", "c", path],
                              cwd=unit.source.folder, capture_output=True, text=True, errors="replace",
                              stdin=subprocess.DEVNULL)
    said = [line for line in done.stderr.splitlines() if "error" in line] or ["it does not compile"]
    return one_line(said[0]) if done.returncode else ""


def identity(finding):
    return os.path.realpath(finding["file"]), finding["line"], finding["column"], finding.get("name")


def plan(found, units, clang):
    """[Fix], each with one way that compiles, together with all others of its file, or the reason why there is none."""
    by_file = {os.path.realpath(unit.source.file): unit for unit in units}
    texts, taken, fixes, at = {}, set(), [], {}
    for finding in (*found["allocations"], *found["passed"]):
        at.setdefault(identity(finding), []).append(finding)
    for finding in (*found["allocations"], *found["passed"]):
        if "to" not in finding and (finding["obstacle"] is not None or not fix.bytes_of(finding)):
            continue
        if len(at[identity(finding)]) > 1:
            fixes.append(fix.Fix(finding, Path(finding["file"]), why_not="its line is compiled more than once"))
            continue
        unit = by_file.get(os.path.realpath(finding["file"]))
        if unit is None:
            fixes.append(fix.Fix(finding, Path(finding["file"]), why_not="it stands in a header"))
            continue
        text = texts.setdefault(finding["file"], fix.read(finding["file"]))
        one = passing.of(finding, text, unit, clang) if "to" in finding else fix.of(finding, text, taken)
        beside = [edit for other in fixes if not other.why_not and other.file == one.file for edit in other.edits]
        choose(one, beside, text, clang, unit)
        fixes.append(one)
    return fixes, texts


def choose(one, beside, text, clang, unit):
    """Keep the first way that compiles beside the others."""
    for way in one.ways:
        edits, sizes = way
        changed = fix.apply(text, [*beside, *edits, sizes])
        one.why_not = "another change meets it" if changed is None else compiles(clang, unit, changed)
        if not one.why_not:
            one.ways = [way]
            return


def changed_texts(fixes, texts):
    """{file: its new text} of those that change."""
    made = {}
    for file, text in texts.items():
        edits = [edit for one in fixes if str(one.file) == file for edit in one.edits]
        if edits:
            made[file] = fix.apply(text, edits)
    return made


def patch(made, texts):
    lines = []
    for file in sorted(made):
        name = os.path.relpath(file)
        before, after = (re.findall(r"[^\n]*\n|[^\n]+", text) for text in (texts[file], made[file]))
        lines += difflib.unified_diff(before, after, f"a/{name}", f"b/{name}")
    return "".join(line if line.endswith("\n") else line + "\n\\ No newline at end of file\n" for line in lines)


class Check:
    """The user's command in a copy of the folder, with compilers that add sanitizers."""

    def __init__(self, command, folder, texts):
        self.command, self.texts, self.scratch = command, texts, Path(folder)
        self.copy = self.scratch / "tree"
        shutil.copytree(os.getcwd(), self.copy, symlinks=True, ignore=shutil.ignore_patterns(".git"))
        for file in texts:
            if not Path(file).resolve().is_relative_to(Path.cwd().resolve()):
                raise Refused("--check", file, f"lies outside of {os.getcwd()}, of which a copy is tested")
        self.tries, self.sanitize = 0, None

    def inside(self, file):
        return self.copy / Path(file).resolve().relative_to(Path.cwd().resolve())

    def begin(self):
        """Find the sanitizers under which the command passes as things stand."""
        for flags in SANITIZERS:
            if self.run({}, flags):
                self.sanitize = flags
                return
        raise Refused("--check", self.command,
                      "fails in a copy of this folder without any change, under AddressSanitizer")

    def run(self, made, flags=None):
        self.tries += 1
        folder = self.scratch / f"try{self.tries}"
        folder.mkdir()
        environment = recorded.wrap(folder / "compilers", folder / "record", flags or self.sanitize)
        environment.setdefault("ASAN_OPTIONS", "detect_leaks=0")
        environment["PWD"] = str(self.copy)
        now = time.time()
        for path in self.copy.rglob("*.c"):  # all is built again, with the sanitizers
            with contextlib.suppress(OSError):
                os.utime(path, (now, now))
        for file, text in self.texts.items():
            self.inside(file).write_bytes(made.get(file, text).encode("latin-1"))
        log = folder / "log"
        with open(log, "wb") as out:
            status = subprocess.run(["sh", "-c", self.command], cwd=self.copy, env=environment, stdout=out, stderr=out,
                                    stdin=subprocess.DEVNULL).returncode
        built = {(place / word).resolve() for place, words in recorded.commands(folder / "record") for word in words
                 if word.endswith(".c")}
        missing = [file for file in made if self.inside(file).resolve() not in built]
        if status == 0 and missing:
            raise Refused("--check", self.command, f"does not compile {os.path.relpath(missing[0])}")
        return status == 0

    def passing(self, fixes):
        """The largest part of the changes with which the command passes, found by halves."""
        if not fixes or self.run(changed_texts(fixes, self.texts)):
            return fixes
        if len(fixes) == 1:
            fixes[0].why_not = f"taken back: {self.command} fails with it"
            return []
        half = len(fixes) // 2
        kept = self.passing(fixes[:half]) + self.passing(fixes[half:])
        if len(kept) < len(fixes) and (not kept or self.run(changed_texts(kept, self.texts))):
            return kept
        for one in kept:
            one.why_not = f"taken back: {self.command} fails with all of them together"
        return []


def report(fixes):
    for what, is_parameter in (("objects that could live in the frame", False),
                               ("parameters that could be passed in another way", True)):
        some = [one for one in fixes if ("to" in one.finding) == is_parameter]
        if some or not is_parameter:
            print(f"ampersand: fix: {sum(not one.why_not for one in some)} of {len(some)} {what} are in the patch",
                  file=sys.stderr)
    for one in fixes:
        if one.why_not:
            name = f"{os.path.relpath(one.file)}:{one.finding['line']}:{one.finding['column']}"
            print(f"ampersand: fix: {name}: left as it is: {one.why_not}", file=sys.stderr)
