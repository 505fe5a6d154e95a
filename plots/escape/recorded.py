# SPDX-License-Identifier: MIT
"""A build recorded: its compilers are replaced on PATH by a wrapper that writes each command down and runs it."""

import os
import re
import shlex
import shutil
import stat
import subprocess
from pathlib import Path

from plots.escape.sources import CPLUSPLUS, Inputs, Source, of_interest
from plots.program.errors import Refused

COMPILERS = re.compile(r"(?:[\w.]+-)*(?:cc|gcc|clang|c99|c89|tcc|icx)(?:-[\d.]+)?$")

WRAPPER = """#!/bin/sh
# One file a command: the folder and the words, each ended by a zero byte.
record={record}/$$
while ! (set -C; : >"$record") 2>/dev/null; do record=$record-; done
{{ pwd; printf '%s\\0' "$@"; }} >"$record"
exec {real} {more} "$@"
"""


def compilers():
    """{name: path} of every C compiler on PATH, the first of each name."""
    found = {}
    for folder in os.get_exec_path():
        try:
            names = os.listdir(folder)
        except OSError:
            continue
        for name in names:
            if COMPILERS.match(name) and name not in found and os.access(os.path.join(folder, name), os.X_OK):
                found[name] = os.path.join(folder, name)
    return found


def wrap(folder, record, more=()):
    """The environment in which each compiler is a wrapper in `folder`, which adds the flags `more`."""
    folder.mkdir()
    record.mkdir()
    for name, path in compilers().items():
        file = folder / name
        file.write_text(WRAPPER.format(record=shlex.quote(str(record)), real=shlex.quote(path), more=shlex.join(more)))
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
    environment = {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
    cc = shlex.split(os.environ.get("CC", ""))
    if cc and os.path.isabs(cc[0]) and (folder / os.path.basename(cc[0])).exists():
        environment["CC"] = shlex.join([os.path.basename(cc[0]), *cc[1:]])
    return environment


def commands(record):
    """[(folder, words)] in the order in which they were begun."""
    for path in sorted(record.iterdir(), key=lambda path: path.stat().st_mtime_ns):
        folder, _, words = path.read_bytes().decode("utf-8", "surrogateescape").partition("\n")
        yield Path(folder), words.split("\0")[:-1]


def build(command, scratch):
    """What a build compiles, as inputs. Its output goes to stderr, since findings go to stdout."""
    if not shutil.which("sh"):
        raise Refused("sh", "is not here")
    record = Path(scratch) / "record"
    environment = wrap(Path(scratch) / "compilers", record)
    status = subprocess.run(["sh", "-c", command], env=environment, stdout=2).returncode
    if status:
        raise Refused("--make", command, f"ended with status {status}")
    inputs, seen = Inputs(), set()
    for folder, words in commands(record):
        add(inputs, seen, folder, words)
    if not inputs.sources:
        raise Refused("--make", command, "compiled no C file: is all up to date? Clean it first")
    return inputs


def add(inputs, seen, folder, words):
    """The C files of one command, each with the flags that are for all."""
    files = [word for word in words if word.endswith(".c") and not word.startswith("-")]
    inputs.cplusplus += sum(word.endswith(CPLUSPLUS) for word in words if not word.startswith("-"))
    if any(word in ("-E", "-M", "-MM", "-fsyntax-only") for word in words):
        return
    flags = of_interest(word for word in words if word not in files and not re.search(r"\.(o|a|so|lo)[\d.]*$", word)
                        and not re.match(r"-(l|L|Wl,|shared$|static$|rdynamic$)", word))
    for file in files:
        path = folder / file
        if path.is_file() and path.resolve() not in seen:  # a test of configure is gone by now
            seen.add(path.resolve())
            inputs.sources.append(Source(path, flags, folder))
