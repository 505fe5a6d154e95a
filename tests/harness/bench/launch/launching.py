# SPDX-License-Identifier: MIT
"""A run of `ampersand-bench paired`, for the tests of launches.

AMPERSAND_BUILD names the build folder; the lessons are those of tests/lessons, one good and the others bad, each in
its own way."""
import collections
import json
import os
import re
import resource
import signal
import subprocess
from pathlib import Path

import pytest

from plots.files.pair_run import load
from waiting import HANGS_S, wait_for

BUILD = os.environ.get("AMPERSAND_BUILD")
if not BUILD:
    pytest.skip("AMPERSAND_BUILD does not name a build folder", allow_module_level=True)
BENCH = Path(BUILD).resolve() / "harness" / "ampersand-bench"
LESSONS = Path(BUILD).resolve() / "tests" / "lessons"
ENVIRONMENT = {**os.environ, "AMPERSAND_LESSONS": str(LESSONS)}
FAST = "--epoch-us 5 --rounds 2 --solo-launches 1 --no-wait".split()
KINDS = {"paired": "launches", "counts": "counts", "solo": "solo"}
GOOD = ["good/size=8", "good/size=16"]
HELD = ["held/size=8", "held/size=16"]
each_begins = pytest.mark.skipif(b"__asan_report_load8" in BENCH.read_bytes(),
                                 reason="where AddressSanitizer's malloc is not counted, no side begins to be")
LAUNCHES = {"paired": 5, "counts": 2, "solo": 1}
PLAN = [*FAST, "--filter", "^good/", "--seed", "7", "--launches", "5"]
HELD_PLAN = [*FAST, "--filter", "^held/", "--seed", "7", "--launches", "5"]


def without_notice(said):
    """What is said but for the line that nothing is counted, as in a build with a sanitizer."""
    return re.sub(r"ampersand: allocations: they are not counted: [^\r\n]*\r?\n", "", said)


def bench(*words, **how):
    return subprocess.run([BENCH, "paired", *map(str, words)], env=ENVIRONMENT, capture_output=True, text=True,
                          timeout=HANGS_S, **how)


def start(*words, held=None, **how):
    return subprocess.Popen([BENCH, "paired", *map(str, words)], env=ENVIRONMENT | (held.environment if held else {}),
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, **how)


def journal(run, event=None):
    lines = [json.loads(line) for line in (run / "journal.jsonl").read_text().splitlines()]
    return [line for line in lines if event in (None, line["event"])]


def child_of(line):
    return line["kind"], f"{line['pair']}/size={line['size']}", line["launch"]


def results(run):
    return [path for folder in KINDS.values() for path in (run / folder).rglob("*.json")]


def children_of(run):
    """The files that are there, as the journal names children; each is read, and knows its own place."""
    found = []
    for kind, folder in KINDS.items():
        for path in sorted((run / folder).glob("default/*/size=*/*.json")):
            row = f"{path.parent.parent.name}/{path.parent.name}"
            document = json.loads(path.read_text())
            if kind != "solo":
                assert (document["pair"], document["size"]) == (row.split("/")[0], int(row.split("=")[1])), path
                assert document["launch"] == int(path.stem), path
            else:
                assert [b["name"] for b in document["benchmarks"]] == [f"{row}/side={s}" for s in ("value", "pointer")]
            found.append((kind, row, int(path.stem)))
    return found


def planned(rows=GOOD, launches=LAUNCHES):
    return sorted((kind, row, i) for kind, n in launches.items() for row in rows for i in range(n))


def check_whole(run, launches=LAUNCHES, names=GOOD):
    """Every row, none twice, none half, and a reader that trusts nothing reads all of it."""
    assert sorted(children_of(run)) == planned(names, launches)
    done = collections.Counter(child_of(line) for line in journal(run, "done"))
    assert not {child: n for child, n in done.items() if n > 1}
    assert not list(run.rglob("*.tmp"))
    rows = {row.name: row for row in load(run).rows}
    assert list(rows) == names
    for row in rows.values():
        assert (len(row.launches), len(row.counts), len(row.solo)) == tuple(launches.values())
        assert row.failed is None


def started(run, event="start", n=1):
    """That many lines of this event are in the journal; its last line may be cut while it is written."""
    try:
        return (run / "journal.jsonl").read_text().count(f'"event": "{event}"') >= n
    except FileNotFoundError:
        return False


PARENT, GROUP = 1, 2  # fields of /proc/PID/stat behind the name


def processes(field, wanted):
    """The processes, not dead, in whose /proc/PID/stat the field is the wanted one."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):  # glob() would look at what has ended meanwhile
        try:
            pid, _, rest = Path("/proc", name, "stat").read_text().partition(" (")
        except (FileNotFoundError, ProcessLookupError):
            continue
        fields = rest.rpartition(") ")[2].split()
        if int(fields[field]) == wanted and fields[0] not in "ZX":
            found.append(int(pid))
    return found


def is_jemalloc():
    facts = json.loads(subprocess.run([BENCH, "machine"], capture_output=True, text=True, check=True).stdout)
    return facts["allocator"]["name"] == "jemalloc"


def status_of(pid, key):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(line.split(":", 1)[1].strip() for line in lines if line.startswith(f"{key}:"))


def environment_of(pid):
    raw = Path(f"/proc/{pid}/environ").read_bytes().decode()
    return dict(variable.split("=", 1) for variable in raw.split("\0") if "=" in variable)


def allow_core_files():
    """So that it is the launch loop that forbids them."""
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))


def command_of(pid):
    return [word.decode() for word in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")]


def hanging_child(tmp_path, row, before=(), solo=()):
    """A run whose child is in the kernel that never ends: the run's process, the child's pid, and its task unless it is
    a solo child."""
    parent = subprocess.Popen([*before, BENCH, "paired", "--out", tmp_path / "run", *FAST, "--filter", f"^{row}/",
                               "--launches", "1", "--counts-launches", "0", "--solo-launches", *(solo or "0"),
                               "--timeout", str(HANGS_S), "--memory-limit", "7G"],
                              env={**ENVIRONMENT, "AMPERSAND_PADDING": "outer"}, stderr=subprocess.PIPE,
                              stdout=subprocess.DEVNULL, stdin=subprocess.PIPE, text=True, preexec_fn=allow_core_files)
    child = wait_for(lambda: processes(PARENT, parent.pid), parent)[0]
    wait_for(lambda: processes(PARENT, child), parent)  # it has started one of its own: it hangs
    return parent, child, None if solo else json.loads(command_of(child)[2])


def stop(parent):
    parent.send_signal(signal.SIGINT)
    _, err = parent.communicate(timeout=HANGS_S)
    return err
