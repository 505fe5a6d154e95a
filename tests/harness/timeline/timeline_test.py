# SPDX-License-Identifier: MIT
"""What `trace` records is what the program did, by its own clock; however it ends, that is kept. AMPERSAND_BUILD names
the build folder."""
import os
import shutil
import signal
import struct
import subprocess
from collections import Counter

import pytest

from events import Events
from traced import HERE, SANITIZED, TRACE, compiled, trace
from waiting import HANGS_S, wait_for

HEAD_B, NAMES_B, CHUNK_B = 4096, 1 << 20, 1 << 16


@pytest.mark.parametrize("flags", [(), ("-no-pie", "-fno-pie"), ("-s",), ("-O0",)],
                         ids=["plain", "no_pie", "stripped", "O0"])
def test_marks_are_where_the_program_s_clock_has_them(flags, tmp_path):
    program = compiled(tmp_path / "marked", HERE / "marked.c", *flags)
    done, events, report = trace(tmp_path, program, "nested", "3")
    assert done.returncode == 0
    begin_ns, open_, slices = events.other["begin_ns"], [], iter(events.of("X"))
    [*_, end] = events.of("C")  # what is counted ends with its process
    assert end["args"] == {"value": 0} and end["ts"] == events.of("i", "process ends")[0]["ts"]
    events.all.remove(end)
    others = iter([one for one in events.all if one["ph"] in "iC" and not one["name"].startswith("process")])
    for line in done.stdout.decode().splitlines():
        kind, _, rest = line.partition(" ")
        name, low, high = rest.rsplit(" ", 2)
        low, high = int(low) - begin_ns - 1000, int(high) - begin_ns + 1000  # the clocks agree to a microsecond
        if kind == "B":
            open_.append((low, high))
        elif kind == "E":
            one, (from_, to) = next(slices), open_.pop()
            assert one["name"] == name and "args" not in one
            assert from_ <= one["ts"] <= to and low <= one["ts"] + one["dur"] <= high
        else:
            one = next(others)
            assert (one["ph"], one["name"]) == (kind, name) and low <= one["ts"] <= high
    assert next(slices, None) is None and next(others, None) is None
    assert Counter(one["args"]["value"] for one in events.of("C", "left")) == {3: 1, 2: 2, 1: 4, 0: 8}
    [total] = [one for one in report["names"] if one["name"] == "nested"]
    assert total["n"] == 15 and total["ns"] == sum(one["dur"] for one in events.of("X"))
    assert report["overwritten"] == report["lost"] == report["no_end"] == report["stray"] == 0


def test_without_a_tracer_nothing_happens(program):
    done = subprocess.run([program, "nested", "1"], capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == "" and len(done.stdout.splitlines()) == 3 * 4


def test_64_threads(program, tmp_path):
    done, events, report = trace(tmp_path, program, "crowd")
    assert done.returncode == 0 and report["threads"] == 65 and report["overwritten"] == report["lost"] == 0
    assert len(events.of("X", "turn")) == 64 * 500


def test_the_ring_keeps_the_last_events_and_says_how_many_it_lost(program, tmp_path):
    made = 200_000
    done, events, report = trace(tmp_path, program, "many", str(made), flags=["--window", "1M"])
    *kept, end = [one["args"]["value"] for one in events.of("C", "n")]
    assert end == 0
    assert done.returncode == 0 and kept == list(range(kept[0], made))
    per_chunk = (CHUNK_B - 48) // 16
    assert 15 * per_chunk / 2 <= len(kept) <= 16 * per_chunk / 2
    # Each has a place for its value; besides them, 2 begins and the process's begin were overwritten.
    assert report["overwritten"] == 2 * (made - len(kept)) + 3 == events.other["overwritten"]
    slices = {one["name"]: one for one in events.of("X")}
    assert slices["whole"]["args"] == slices["early"]["args"] == {"missing": "begin"}
    assert slices["whole"]["ts"] == slices["early"]["ts"] == 0
    assert slices["never ends"]["args"] == {"missing": "end"} and "args" not in slices["late"]
    assert slices["never ends"]["ts"] + slices["never ends"]["dur"] == slices["late"]["ts"] + slices["late"]["dur"]


def test_what_a_thread_writes_into_is_not_overwritten_by_another(program, tmp_path):
    done, events, report = trace(tmp_path, program, "beside", "200000", flags=["--window", "1M"])
    assert done.returncode == 0 and report["overwritten"] > 0
    [idle] = events.of("X", "idle")
    assert "args" not in idle
    assert len(events.of("i", "thread starts")) == len(events.of("i", "thread ends")) == 1


def test_a_window_of_time(program, tmp_path):
    trace(tmp_path, program, "threads", flags=["--keep", str(tmp_path / "kept")])
    out = tmp_path / "part.json"
    done = subprocess.run([TRACE, "--from", tmp_path / "kept", "--window", "1s", "-o", out], capture_output=True)
    assert done.returncode == 0
    assert max(one["ts"] + one.get("dur", 0) for one in Events(out.read_text()).all if "ts" in one) <= 1_000_000_000


def test_handlers_that_interrupt(program, tmp_path):
    """An event of a handler that interrupted the writing of another is counted as lost."""
    done, events, report = trace(tmp_path, program, "signals", flags=["--window", "512M"])
    handled, plain = map(int, done.stdout.split())
    assert len(events.of("i", "plain")) == plain
    assert len(events.of("i", "handled")) + report["lost"] == handled


def test_children(program, tmp_path):
    done, events, report = trace(tmp_path, program, "children", "100")
    assert done.returncode == 0 and report["processes"] == 101
    names = Counter(events.names("i"))
    assert names["before"] == 101 and names["behind"] == 1 and names["process starts, by fork"] == 100
    assert names["process ends"] == 101 and len({one["pid"] for one in events.of("i", "process ends")}) == 101
    assert len({one["pid"] for one in events.of("X", "child")}) == 100


def test_a_shell_and_what_it_starts(program, tmp_path):
    done, events, report = trace(tmp_path, "/bin/sh", "-c",
                                 f"{program} nested 0 >&2; ls / | wc -l; exec {program} nested 1")
    assert done.returncode == 0 and len(events.of("X", "nested")) == 4 and report["processes"] >= 4
    assert set(Counter(one["pid"] for one in events.of("i", "process ends")).values()) == {1}
    assert {one["pid"] for one in events.of("i", "process ends")} == {one["pid"] for one in events.all}


def test_exec(program, tmp_path):
    done, events, _ = trace(tmp_path, program, "exec")
    [old], [new] = events.of("X", "is replaced"), events.of("X", "nested")
    assert done.returncode == 0 and old["pid"] == new["pid"] and old["args"] == {"missing": "end"}


@pytest.mark.parametrize("mode, number", [("killed", signal.SIGKILL), ("abort", signal.SIGABRT)])
def test_what_was_recorded_is_kept(mode, number, program, tmp_path):
    done, events, _ = trace(tmp_path, program, mode)
    assert done.returncode == 128 + number and len(events.of("i", "alive")) == 1
    assert f"ended by signal {number}" in done.said and "is recorded" in done.said
    if mode == "killed":
        assert events.of("X", "is killed")[0]["args"] == {"missing": "end"}


def test_a_snapshot_while_it_runs(program, tmp_path):
    out = tmp_path / "out.json"
    with subprocess.Popen([TRACE, "-o", out, "--", program, "snapshot"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as running:
        assert running.stdout.readline() == b"ready\n"
        running.send_signal(signal.SIGUSR2)
        wait_for(out.exists, running)
        early = Events(out.read_text())
        running.communicate(b"\n")
    assert early.of("X", "is killed") and not early.of("i", "process ends")
    assert running.returncode == 0 and Events(out.read_text()).of("i", "process ends")


def test_the_tracer_is_killed(program, tmp_path):
    kept = tmp_path / "kept"
    with subprocess.Popen([TRACE, "--keep", kept, "--", program, "snapshot"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout.readline() == b"ready\n"
        running.kill()
        running.communicate(b"\n")
    done = subprocess.run([TRACE, "--from", kept, "-o", tmp_path / "out.json"], capture_output=True, text=True)
    assert done.returncode == 0 and Events((tmp_path / "out.json").read_text()).of("i", "alive")


def test_an_end_without_a_begin_is_left_out(program, tmp_path):
    done, events, report = trace(tmp_path, program, "stray")
    assert done.returncode == 0 and report["stray"] == 1 and not events.of("X")


def test_a_script_is_its_interpreter(tmp_path):
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\nexit 5\n")
    script.chmod(0o755)
    done, events, _ = trace(tmp_path, script)
    assert done.returncode == 5 and "is a script: its interpreter /bin/sh counts" in done.said
    assert events.of("i", "process starts")


def refused(folder, kind):
    file = folder / kind
    if kind == "static":
        (folder / "main.c").write_text("int main(void) { return 0; }\n")
        return compiled(file, folder / "main.c", "-static")
    if kind in ("set_uid", "not_executable"):
        shutil.copy("/bin/ls", file)
        if kind == "set_uid":
            os.chown(file, 65534, -1)
        file.chmod(0o4755 if kind == "set_uid" else 0o644)
    return file


@pytest.mark.parametrize("kind, why", [
    ("static", "is statically linked"), ("set_uid", "another user's rights"), ("not_executable", "not executable"),
    ("missing", "there is no such program")])
def test_refused(kind, why, tmp_path):
    if kind == "set_uid" and os.getuid() != 0:
        pytest.skip("only root can give a file to another user")
    done, events, report = trace(tmp_path, refused(tmp_path, kind))
    assert done.returncode == 2 and done.stdout == b"" and events is None and report is None
    assert done.said.startswith("ampersand: ") and why in done.said and done.said.count("\n") == 1


@pytest.mark.parametrize("words, why", [
    ([], "names no program"), (["a", "b"], "takes one row"), (["--nosuch"], "no such flag"), (["-o"], "needs a value"),
    (["--window", "10", "--", "ls"], "no time"), (["--window", "0s", "--", "ls"], "no time"),
    (["--window", "2s..1s", "--", "ls"], "no time"), (["--window", "1s..x", "--", "ls"], "no time"),
    (["--page-events", "0", "--", "ls"], "no number"), (["--page-events", "1x", "--", "ls"], "no number"),
    (["--window", "100k", "--", "ls"], "no time"), (["--window", "100T", "--", "ls"], "no time"),
    (["--alloc-above", "x", "--", "ls"], "no size"), (["--format", "csv", "--", "ls"], "no such format"),
    (["-o", "x.txt", "--", "ls"], "must end with"), (["-o", "/no/x.json", "--", "ls"], "cannot be written"),
    (["-o", ".html", "--", "ls"], "must end with"), (["--from", "/no/such"], "cannot be read"),
    (["--from", "x", "ls"], "nothing runs"), (["--from", "x", "--keep", "y"], "makes none"),
    (["--keep", "/", "--", "ls"], "not empty")])
def test_wrong_use(words, why, tmp_path):
    done = subprocess.run([TRACE, *words], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2 and done.stdout == "" and why in done.stderr and done.stderr.count("\n") == 1


@pytest.fixture
def kept(program, tmp_path):
    """A recording, and its only file."""
    done, _, _ = trace(tmp_path, program, "nested", "4", flags=["--keep", tmp_path / "kept"])
    assert done.returncode == 0
    (tmp_path / "out.json").unlink()
    [file] = (tmp_path / "kept").iterdir()
    return file


def read_again(kept):
    out = kept.parent.parent / "again.json"
    done = subprocess.run([TRACE, "--from", kept.parent, "-o", out], capture_output=True, text=True, timeout=HANGS_S)
    return done, Events(out.read_text()) if done.returncode == 0 else None


CHUNK_AT = HEAD_B + NAMES_B
DAMAGES = {  # where, what; the reason, or what is left of 31 slices
    "no_magic": (0, b"\0", "is no recording"), "newer": (8, struct.pack("<I", 3), "a newer ampersand"),
    "more_chunks": (56, struct.pack("<Q", 1 << 40), "shorter than it says"),
    "names": (HEAD_B, b"\xff\xff", 31), "many_names": (88, b"\xff\xff\xff\x7f", 31),
    "used": (CHUNK_AT + 28, b"\xff\xff\xff\xff", 31), "kind": (CHUNK_AT + 48 + 12, b"\x55", 31),
    "name": (CHUNK_AT + 48 + 8, b"\xff\xff\xff\xff", 31), "no_order": (CHUNK_AT, bytes(8), 0),
}


@pytest.mark.parametrize("at, put, want", DAMAGES.values(), ids=DAMAGES)
def test_damaged(at, put, want, kept):
    with open(kept, "r+b") as file:
        file.seek(at)
        file.write(put)
    done, events = read_again(kept)
    if isinstance(want, str):
        assert done.returncode == 2 and want in done.stderr and done.stderr.count("\n") == 1
        assert done.stderr.startswith("ampersand: ")
    else:
        assert done.returncode == 0 and len(events.of("X")) == want and done.stderr == ""


def test_a_name_that_is_too_long_ends_the_names(kept):
    """Of the first event; a page has a key for each name."""
    long = b"x" * 60000
    with open(kept, "r+b") as file:
        for at, put in ((HEAD_B, struct.pack("<H", len(long)) + long + b"\0"), (80, struct.pack("<Q", NAMES_B)),
                        (CHUNK_AT + 48 + 8, struct.pack("<I", 1))):
            file.seek(at)
            file.write(put)
    out = kept.parent.parent / "again.html"
    done = subprocess.run([TRACE, "--from", kept.parent, "-o", out], capture_output=True, timeout=HANGS_S)
    assert done.returncode == 0 and long[:100] not in out.read_bytes()  # times in base 64 may have three of them


@pytest.mark.parametrize("left_b, want", [(0, 2), (100, 2), (HEAD_B, 2), (CHUNK_AT, 2), (CHUNK_AT + CHUNK_B // 2, 2)])
def test_cut(left_b, want, kept):
    os.truncate(kept, left_b)
    done, _ = read_again(kept)
    assert done.returncode == want and done.stderr.startswith("ampersand: ") and "Traceback" not in done.stderr


def test_a_full_disk(kept, tmp_path):
    """A file must not grow beyond 1 KiB: as on a full disk, writing fails in the middle."""
    script = "trap '' XFSZ; ulimit -f 2; exec \"$@\""
    done = subprocess.run(["/bin/sh", "-c", script, "sh", TRACE, "--from", kept.parent, "-o", tmp_path / "x.json", "-o",
                           tmp_path / "x.html"], capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr.count("cannot be written: File too large") == 2
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith("x.")] == []


def test_an_older_file_stays_if_the_new_one_cannot_be_written(kept, tmp_path):
    (tmp_path / "x.json").write_text("older")
    script = "trap '' XFSZ; ulimit -f 2; exec \"$@\""
    done = subprocess.run(["/bin/sh", "-c", script, "sh", TRACE, "--from", kept.parent, "-o", tmp_path / "x.json"],
                          capture_output=True, text=True)
    assert done.returncode == 2 and (tmp_path / "x.json").read_text() == "older"


def test_no_room_for_the_ring(program, tmp_path):
    """The program goes on, and nothing is recorded."""
    script = "ulimit -f 2; exec \"$@\""
    done = subprocess.run(["/bin/sh", "-c", script, "sh", TRACE, "--", program, "nested", "1"], capture_output=True,
                          text=True)
    assert done.returncode == 2 and len(done.stdout.splitlines()) == 12
    assert "holds nothing that was recorded" in done.stderr


PLUGIN = """#include "harness/marks.h"
void plug(void); void plug(void) { AMP_TRACE("in the plugin"); }
"""
HOST = """#include <dlfcn.h>
#include <stdio.h>
int main(int n, char **a) { void *l = dlopen(a[1], RTLD_NOW); void (*f)(void) = l ? (void (*)(void)) dlsym(l, "plug") : 0;
  (void) n; if (!f) { puts(dlerror()); return 1; } f(); return 0; }
"""


def test_a_library_that_is_loaded_later(tmp_path):
    (tmp_path / "plugin.c").write_text(PLUGIN)
    (tmp_path / "host.c").write_text(HOST)
    plugin = compiled(tmp_path / "plugin.so", tmp_path / "plugin.c", "-shared", "-fPIC")
    host = compiled(tmp_path / "host", tmp_path / "host.c", "-w")
    done, events, _ = trace(tmp_path, host, plugin)
    assert done.returncode == 0 and len(events.of("i", "in the plugin")) == 1
    # By its bare name it is found along the program's own path.
    host = compiled(tmp_path / "host", tmp_path / "host.c", "-w", f"-Wl,-rpath,{tmp_path}")
    assert trace(tmp_path, host, "plugin.so")[0].returncode == 0


NEEDY = """#include "harness/timeline/preload/write.h"
#include <stdio.h>
#include <stdlib.h>
void plug(void); void plug(void) { AMP_TRACE("in the plugin"); amp_ring_begin_here(1 << 20); if (AMP_MARK_HOOK) exit(3); }
"""


def test_a_library_that_needs_the_ring_and_is_not_traced(tmp_path):
    """As the lesson about marks, which times one that is off: what comes with it switches none on."""
    (tmp_path / "needy.c").write_text(NEEDY)
    (tmp_path / "host.c").write_text(HOST)
    needy = compiled(tmp_path / "needy.so", tmp_path / "needy.c", "-shared", "-fPIC", f"-L{TRACE.parent}",
                     "-lampersand_trace", f"-Wl,-rpath,{TRACE.parent}")
    host = compiled(tmp_path / "host", tmp_path / "host.c", "-w")
    assert subprocess.run([host, needy]).returncode == 0
    assert trace(tmp_path, host, needy)[0].returncode == 3


@pytest.mark.parametrize("command", [["/usr/bin/python3", "-c", "import threading\nt = threading.Thread(target=print)\n"
                                      "t.start(); t.join()"], ["/usr/bin/xz", "-T2", "-c", __file__]],
                         ids=["python3", "xz"])
def test_programs_without_marks(command, tmp_path):
    if not shutil.which(command[0]):
        pytest.skip(f"{command[0]} is not here")
    plain = subprocess.run(command, capture_output=True)
    done, events, _ = trace(tmp_path, *command)
    assert (done.returncode, done.stdout) == (plain.returncode, plain.stdout)
    assert events.of("i", "process starts") and events.of("i", "process ends")


@pytest.mark.skipif(SANITIZED, reason="growable stacks stay on the host's under AddressSanitizer")
def test_cycles_of_the_collector_and_growths_of_a_stack(tmp_path):
    """Both stops of each cycle lie where the collector's own clock has them, on the lane of who stopped the others."""
    gc, stack = (TRACE.parents[1] / name for name in ("gc", "stack"))
    program = compiled(tmp_path / "collected", HERE / "collected.c", "-fno-stack-protector", f"-L{gc}", f"-L{stack}",
                       "-lampgc", "-lampstack", f"-Wl,-rpath,{gc}:{stack}", "-Wl,-z,now")
    done, events, report = trace(tmp_path, program)
    assert done.returncode == 0 and report["overwritten"] == report["stray"] == 0
    cycles = [list(map(int, line.split()[1:])) for line in done.stdout.decode().splitlines()]
    stops = sorted((one["ts"] + events.other["begin_ns"], one["dur"]) for one in events.of("X", "gc: stop"))
    assert len(cycles) >= 3 and len(events.of("i", "gc: cycle begins")) >= len(cycles)
    assert len(events.of("i", "gc: cycle ends")) == len(cycles) and len(stops) >= 2 * len(cycles)
    for stop1, go1, stop2, go2 in cycles:
        for from_, to in ((stop1, go1), (stop2, go2)):
            begin, lasts = next(one for one in stops if one[0] >= from_ - 1000)
            assert begin <= to + 1000 and begin + lasts >= to - 1000
    names = Counter(events.names("X"))
    assert names["gc: mark"] > 0 and names["gc: sweep"] > 0 and names["gc: scan own stack"] > 0
    *sizes, end = [one["args"]["value"] for one in events.of("C", "stack, bytes")]
    assert end == 0 and names["stack grows"] == len(sizes) >= 3 and sizes == [4096 << k for k in range(len(sizes))]


RECURSING = """#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
__attribute__((noinline)) int fib(int n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
int main(int n, char **a) { if (n > 2) raise(SIGKILL); printf("%d\\n", fib(10)); return n > 1 ? atoi(a[1]) : 0; }
"""


@pytest.mark.skipif(not shutil.which("uftrace"), reason="no uftrace: apt-get install uftrace")
@pytest.mark.skipif(SANITIZED, reason="nothing can be preloaded before AddressSanitizer")
def test_functions(tmp_path):
    (tmp_path / "fib.c").write_text(RECURSING)
    program = compiled(tmp_path / "fib", tmp_path / "fib.c", "-O1", "-pg")
    done, events, report = trace(tmp_path, program, flags=["--functions"])
    assert (done.returncode, done.stdout) == (0, b"55\n") and report["no_end"] == report["stray"] == 0
    assert len(events.of("X", "fib")) == 177 and len(events.of("X", "main")) == 1  # the calls of the plain recursion
    assert trace(tmp_path, program, "7", flags=["--functions"])[0].returncode == 7
    assert trace(tmp_path, program, "7", "by a signal", flags=["--functions"])[0].returncode == 128 + signal.SIGKILL


SMALL_MEMORY = """mount -t tmpfs -o size=1m none /dev/shm && exec "$@" """  # then files lie below TMPDIR


@pytest.mark.skipif(not shutil.which("uftrace"), reason="no uftrace: apt-get install uftrace")
@pytest.mark.skipif(SANITIZED, reason="nothing can be preloaded before AddressSanitizer")
@pytest.mark.skipif(subprocess.run(["unshare", "-m", "sh", "-c", SMALL_MEMORY, "sh", "true"],
                                   capture_output=True).returncode != 0, reason="nothing may be mounted here")
def test_functions_in_a_folder_of_any_name(tmp_path):
    (tmp_path / "fib.c").write_text(RECURSING)
    program, folder, out = tmp_path / "fib", tmp_path / "it's $HOME", tmp_path / "out.json"
    compiled(program, tmp_path / "fib.c", "-O1", "-pg")
    folder.mkdir()
    words = ["unshare", "-m", "sh", "-c", SMALL_MEMORY, "sh", TRACE, "--functions", "-o", out, "--", program]
    done = subprocess.run(words, capture_output=True, text=True, env=os.environ | {"TMPDIR": str(folder)})
    assert (done.returncode, done.stdout) == (0, "55\n"), done.stderr
    assert len(Events(out.read_text()).of("X", "fib")) == 177
    assert os.listdir(folder) == []


def test_functions_without_uftrace(program, tmp_path):
    done = subprocess.run([TRACE, "--functions", "--", program], capture_output=True, text=True,
                          env=os.environ | {"PATH": str(tmp_path)})
    assert done.returncode == 2 and "the package is called uftrace" in done.stderr and done.stderr.count("\n") == 1
