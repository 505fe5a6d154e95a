# SPDX-License-Identifier: MIT
"""record and its traces: what a program did is what the trace says, what is replayed is the trace, and a file that is
cut is refused.

AMPERSAND_BUILD names the build folder. Oracles: programs whose calls are written down here; a reader of the format that
shares nothing with C's; the profiler, which counts; the kernel's count of resident memory."""
import gzip
import json
import os
import subprocess
import zlib
from pathlib import Path

import pytest

from waiting import HANGS_S

BUILD = Path(os.environ.get("AMPERSAND_BUILD", "build")).resolve()
RECORD, PROFILE = BUILD / "harness/record/ampersand-record", BUILD / "harness/profile/ampersand-profile"
WORKLOAD, BENCH = BUILD / "harness/ampersand-workload", BUILD / "harness/ampersand-bench"
CC = os.environ.get("CC", "cc").split()
MIB = 1 << 20
LARGE = 65536
LOOSE_B = 4 * 4096
ASAN = WORKLOAD.exists() and b"__asan_report_load8" in WORKLOAD.read_bytes()
by_sanitizer = pytest.mark.skipif(ASAN,
                                  reason="AddressSanitizer's malloc is not the one of the recording, nor can it be "
                                               "recorded")


@pytest.fixture(autouse=True)
def memory_as_it_is(monkeypatch):
    """MALLOC_PERTURB_, which Meson sets, has glibc fill what it gives out, and so touch all of it."""
    monkeypatch.delenv("MALLOC_PERTURB_", raising=False)


def program(folder, name, body, *flags):
    head = "".join(f"#include <{header}.h>\n" for header in (
        "malloc", "pthread", "stdlib", "string", "unistd", "signal", "stdio", "fcntl", "sys/wait"))
    (folder / f"{name}.c").write_text(head + body)
    subprocess.run([*CC, "-O1", "-fno-builtin", "-pthread", "-w", *flags, "-o", folder / name, folder / f"{name}.c"],
                   check=True)
    return folder / name


def record(trace, *command, status=0):
    done = subprocess.run([RECORD, "-o", trace, "--", *command], capture_output=True, text=True, timeout=HANGS_S)
    assert done.returncode == status, done.stderr
    return done


def read(path):
    """(the head, [(what, thread, slot, size, pages)]) by the words on top of harness/trace/trace.h."""
    with gzip.open(path) as file:
        head, data = json.loads(file.readline()), file.read()
    at, thread, free, n, calls = 0, 0, [], 0, []

    def number():
        nonlocal at
        value, shift = 0, 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value
    while data[at] != 7:
        byte = data[at]
        at += 1
        if byte & 8:
            thread = number()
        what = ("malloc", "calloc", "aligned", "free", "realloc")[byte & 7]
        slot, size, pages, alignment = None, None, None, None
        if what in ("free", "realloc"):
            slot = number()
        if what == "aligned":
            alignment = number()
        if what != "free":
            size = number()
            pages = number() if size >= LARGE else None
        if what == "free":
            free.append(slot)
        elif what != "realloc":
            slot = free.pop() if free else (n := n + 1) - 1
        calls.append((what, thread, slot, size, pages if alignment is None else alignment))
    assert at + 1 == len(data)
    return head, calls


def live(calls):
    """Live bytes after each call."""
    sizes, now, found = {}, 0, []
    for what, _, slot, size, _ in calls:
        now += (size or 0) - (sizes.pop(slot, 0) if what in ("free", "realloc") else 0)
        if what != "free":
            sizes[slot] = size
        found.append(now)
    return found


EXACT = """
    int main(void)
    {
        char *a = malloc(10), *b = calloc(3, 100), *c, *d = NULL, *e;
        a = realloc(a, 5000);
        c = realloc(NULL, 7);
        free(b);
        if (posix_memalign((void **) &d, 256, 999)) return 1;
        e = malloc(3 << 20);
        memset(e, 1, 1 << 20);
        free(e);
        e = realloc(c, (size_t) -4096);
        c = realloc(c, 0);
        free(NULL);
        free(a);
        (void) e; (void) d; (void) c;
        _exit(0);
    }
    """


def test_calls_are_those_of_the_program(tmp_path):
    record(tmp_path / "t", program(tmp_path, "exact", EXACT))
    head, calls = read(tmp_path / "t")
    pages = calls[6][4]
    assert 256 <= pages <= 258, "of 3 MiB, one was touched"
    assert calls == [("malloc", 0, 0, 10, None), ("calloc", 0, 1, 300, None), ("realloc", 0, 0, 5000, None),
                     ("malloc", 0, 2, 7, None), ("free", 0, 1, None, None), ("aligned", 0, 1, 999, 8),
                     ("malloc", 0, 3, 3 << 20, pages), ("free", 0, 3, None, None), ("free", 0, 2, None, None),
                     ("free", 0, 0, None, None)]
    assert (head["calls"], head["allocs"], head["slots"], head["threads"], head["lost"]) == (10, 5, 4, 1, 0)
    assert head["peak_b"] == max(live(calls)) and head["end_b"] == live(calls)[-1] == 999
    assert head["live_b"] == live(calls)[::head["step"]]


THREADS = """
    static void *kept[100];
    static pthread_barrier_t turn;
    static void *work(void *unused)
    {
        for (int i = 0; i < 100; i++) kept[i] = malloc((size_t) i + 1);
        pthread_barrier_wait(&turn);
        return unused;
    }
    int main(void)
    {
        pthread_t other;
        pthread_barrier_init(&turn, NULL, 2);
        if (pthread_create(&other, NULL, work, NULL)) return 1;
        pthread_barrier_wait(&turn);
        for (int i = 0; i < 100; i++) free(kept[i]);
        pthread_join(other, NULL);
        return 0;
    }
    """


def test_threads_and_order(tmp_path):
    record(tmp_path / "t", program(tmp_path, "threads", THREADS))
    head, calls = read(tmp_path / "t")
    mine = [call for call in calls if call[0] == "malloc" and call[1] == 1]
    assert head["threads"] == 2 and [call[3] for call in mine] == list(range(1, 101))
    freed = [call[2] for call in calls if call[0] == "free" and call[1] == 0][:100]
    assert freed == [call[2] for call in mine]


def test_the_process_with_most_calls(tmp_path):
    body = """int main(void)
        {
            free(malloc(1));
            if (fork() == 0) { for (int i = 0; i < 500; i++) free(malloc(77)); _exit(0); }
            wait(NULL);
            return 0;
        }"""
    done = record(tmp_path / "t", program(tmp_path, "forks", body))
    head, calls = read(tmp_path / "t")
    assert head["calls"] == 1000 and {call[3] for call in calls} == {77, None} and "of 2 processes" in done.stderr


@pytest.mark.parametrize("end, status", [("raise(SIGKILL);", 128 + 9), ("_exit(4);", 4), ("abort();", 128 + 6)])
def test_however_it_ends(end, status, tmp_path):
    body = f"int main(void) {{ for (int i = 0; i < 1000; i++) if (!malloc(8)) return 1; {end} return 0; }}"
    record(tmp_path / "t", program(tmp_path, "ends", body), status=status)
    assert read(tmp_path / "t")[0]["allocs"] == 1000


def test_totals_are_the_profilers(tmp_path):
    """Of a program that nobody here wrote."""
    command = ["awk",
               "BEGIN { for (i = 0; i < 3000; i++) a[i % 701] = a[i % 701] i; "
               "for (k in a) n += length(a[k]); print n }"]
    record(tmp_path / "t", *command)
    done = subprocess.run([PROFILE, "--format", "json", "--", *command], capture_output=True, text=True,
                          timeout=HANGS_S)
    profiled = json.loads(done.stderr[done.stderr.index("{\n"):])  # behind what is missing here
    head, calls = read(tmp_path / "t")
    moved = sum(call[0] == "realloc" for call in calls)  # each the end of an object and the beginning of another
    assert head["allocs"] + moved == profiled["total"]["allocs"]
    assert sum(call[3] for call in calls if call[3] is not None) == profiled["total"]["bytes"]
    assert head["end_b"] == profiled["total"]["bytes"] - profiled["total"]["freed_b"]


# ---- Replay

def replay(tmp_path, trace, **environment):
    task = {"file": str(tmp_path / "replayed.json"), "configuration": "test", "workload": "trace_t",
            "trace": str(trace),
            "launch": 0, "seed": 7, "cpu": -1, "environment_padding_b": 0, "quiet_ns": 1000, "timeline_s": 1,
            "quick": True, "classes": False, "sizes": []}
    done = subprocess.run([WORKLOAD, "workload", json.dumps(task)], capture_output=True, text=True, timeout=HANGS_S,
                          env=os.environ | environment)
    return done, json.loads((tmp_path / "replayed.json").read_text()) if done.returncode == 0 else None


# Blocks of 1 to 200 KB, of which half is touched where they are large; then half of them go, then as many come again.
SHAPE = """
    static char *kept[2000];
    static void fill(int i)
    {
        size_t size = (size_t) (i * 7919 % 200 + 1) * 1000;
        kept[i] = malloc(size);
        memset(kept[i], 1, size < 65536 ? size : size / 2);
    }
    static long kb(const char *key)
    {
        static char text[4096];
        int fd = open("/proc/self/status", O_RDONLY);
        ssize_t n = read(fd, text, sizeof text - 1);
        close(fd);
        text[n > 0 ? n : 0] = 0;
        return atol(strstr(text, key) + strlen(key));
    }
    int main(void)
    {
        long before = kb("VmRSS:");
        for (int i = 0; i < 2000; i++) fill(i);
        for (int i = 0; i < 2000; i += 2) free(kept[i]);
        for (int i = 0; i < 2000; i += 2) fill(i);
        for (int i = 0; i < 1000; i++) free(kept[i]);
        dprintf(1, "%ld", (kb("VmHWM:") - before) * 1024);
        return 0;
    }
    """


@by_sanitizer
def test_replayed_memory_is_the_programs(tmp_path):
    """Within 3 %: what the kernel says of the program when nobody records it, of its recording, and of its replay."""
    shape = program(tmp_path, "shape", SHAPE)
    alone = int(subprocess.run([shape], capture_output=True, check=True).stdout)
    record(tmp_path / "t", shape)
    head, calls = read(tmp_path / "t")
    done, found = replay(tmp_path, tmp_path / "t")
    assert done.returncode == 0, done.stderr
    assert found["memory"]["asked_peak_b"] == head["peak_b"] == max(live(calls))
    replayed = found["memory"]["peak_rss_b"] - found["memory"]["start_rss_b"]
    recorded = head["peak_own_b"]
    assert alone > 100 * MIB and abs(replayed / alone - 1) <= 0.03 and abs(recorded / alone - 1) <= 0.03, (
        alone, recorded, replayed)


# 60 KB in small objects and a large one that is touched in part, then freed; besides, 20 pages of variables and 16 of
# stack are written to, which are no heap. It prints what the kernel counts of [heap] and of the large one's mapping.
SMALL = """
    static char text[65536], variables[81920] = { 1 }, others[40960];
    static long heap_kb(const char *large)
    {
        int fd = open("/proc/self/smaps", O_RDONLY), counts = 0;
        ssize_t n, all = 0;
        long sum = 0;
        while ((n = read(fd, text + all, sizeof text - 1 - all)) > 0) all += n;
        close(fd);
        text[all] = 0;
        for (char *line = text, *next; *line; line = next) {
            unsigned long from, to;
            next = strchr(line, 10) + 1;
            if (sscanf(line, "%lx-%lx", &from, &to) == 2)
                counts = (from <= (unsigned long) large && (unsigned long) large < to) ||
                         (memmem(line, next - line, "[heap]", 6) != NULL);
            else if (counts && strncmp(line, "Anonymous:", 10) == 0)
                sum += atol(line + 10);
        }
        return sum;
    }
    static int deep(void)
    {
        volatile char room[65536];
        for (int i = 0; i < 65536; i += 4096) room[i] = 1;
        return room[4096];
    }
    int main(void)
    {
        char *large;
        for (int i = 0; i < 30; i++) memset(malloc(2000), 1, 2000);
        memset(variables, 2, sizeof variables);
        memset(others, 2, sizeof others);
        large = malloc(578144);
        memset(large, 1, 27 * 4096);
        dprintf(1, "%ld", heap_kb(large) * 1024 + 0 * deep());
        free(large);
        return 0;
    }
    """


@by_sanitizer
def test_a_small_heap_is_counted_and_replayed_to_the_page(tmp_path):
    small = program(tmp_path, "small", SMALL)
    alone = int(subprocess.run([small], capture_output=True, check=True).stdout)
    said = record(tmp_path / "t", small).stderr
    head, _ = read(tmp_path / "t")
    done, found = replay(tmp_path, tmp_path / "t")
    assert done.returncode == 0, done.stderr
    replayed = found["memory"]["peak_rss_b"] - found["memory"]["start_rss_b"]
    assert alone > 40 * 4096 and abs(head["peak_own_b"] - alone) <= LOOSE_B and abs(replayed - alone) <= LOOSE_B, (
        alone, head["peak_own_b"], replayed)
    assert "627 KiB live at most, 58.6 KiB at the end" in said


@by_sanitizer
@pytest.mark.parametrize("command", [
    ("grep", "-c", "77", "numbers"), ("awk", "{ seen[$1 % 701] = $1 } END { print length(seen) }", "numbers"),
    ("sort", "-n", "numbers")], ids=lambda command: command[0])
def test_the_memory_of_small_programs(command, tmp_path, monkeypatch):
    """Within 3 %, or some pages where that is more, which vary with the C library."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "numbers").write_text("".join(f"{n}\n" for n in range(2000)))
    record(tmp_path / "t", *command)
    head, _ = read(tmp_path / "t")
    done, found = replay(tmp_path, tmp_path / "t")
    assert done.returncode == 0, done.stderr
    replayed = found["memory"]["peak_rss_b"] - found["memory"]["start_rss_b"]
    assert abs(replayed - head["peak_own_b"]) <= max(LOOSE_B, 0.03 * head["peak_own_b"])


@pytest.mark.parametrize("body", [EXACT, THREADS, SHAPE])
def test_what_was_recorded_can_be_replayed(body, tmp_path):
    record(tmp_path / "t", program(tmp_path, "any", body))
    done, found = replay(tmp_path, tmp_path / "t")
    assert done.returncode == 0, done.stderr
    assert found["threads"] == read(tmp_path / "t")[0]["threads"]


@by_sanitizer
def test_a_replay_of_a_replay_is_the_same(tmp_path):
    """The replaying process recorded in turn: between its set-up and its end it makes the trace's calls."""
    record(tmp_path / "t", program(tmp_path, "exact", EXACT))
    _, calls = read(tmp_path / "t")
    task = {"file": str(tmp_path / "r.json"), "configuration": "test", "workload": "trace_t",
            "trace": str(tmp_path / "t"),
            "launch": 0, "seed": 7, "cpu": -1, "environment_padding_b": 0, "quiet_ns": 1000, "timeline_s": 1,
            "quick": True, "classes": False, "sizes": []}
    record(tmp_path / "again", WORKLOAD, "workload", json.dumps(task))
    _, again = read(tmp_path / "again")
    sizes = [call[3] for call in calls if call[0] != "free"]
    seen = [call[3] for call in again if call[0] != "free"]
    first = seen.index(3 << 20)
    want = sizes[:3] + sizes[3:4] + [1024] + sizes[5:]  # 999 to 256 is 1024 by aligned_alloc
    assert seen[first - 5:first + 1] == want


def forged(path, head=None, data=None):
    with gzip.open(path) as file:
        old, rest = json.loads(file.readline()), file.read()
    with gzip.open(path, "wb") as file:
        file.write(json.dumps(old | (head or {})).encode() + b"\n" + (data(rest) if data else rest))


def half(path):
    path.write_bytes(path.read_bytes()[:path.stat().st_size // 2])


def flipped(path):
    """One bit of what is compressed."""
    data = bytearray(path.read_bytes())
    data[-12] ^= 4
    path.write_bytes(data)


DAMAGES = [
    ("cut", half, "cut or damaged"),
    ("damaged", flipped, "/t: it "),  # is no trace, is damaged, has too many slots: as far as zlib comes
    ("no end", lambda path: forged(path, data=lambda calls: calls[:-1]), "cut or damaged: 4000 of its 4000 calls"),
    ("cut and compressed again", lambda path: forged(path, data=lambda calls: calls[:len(calls) // 2]),
     "cut or damaged: "),
    ("more behind", lambda path: forged(path, data=lambda calls: calls + b"\0\5"), "cut or damaged"),
    ("a slot that is not", lambda path: forged(path, data=lambda calls: b"\3\x63" + calls[2:]), "cut or damaged: 0 of"),
    ("too few slots", lambda path: forged(path, {"slots": 0}), "more slots than its head says"),
    ("no points", lambda path: forged(path, {"live_b": [8]}), "points do not cover"),
    ("no threads", lambda path: forged(path, {"threads": 0}), "threads: 0 is out of its range"),
    ("another schema", lambda path: forged(path, {"schema": "ampersand/trace/2"}), "it is no trace"),
    ("text", lambda path: path.write_text("hello\n"), "it is no trace"),
    ("empty", lambda path: path.write_bytes(b""), "it is no trace"),
    ("none", lambda path: path.unlink(), "No such file"),
]


@pytest.mark.parametrize("damage, message", [row[1:] for row in DAMAGES], ids=[row[0] for row in DAMAGES])
def test_a_damaged_trace_is_refused(damage, message, tmp_path):
    body = "int main(void) { for (int i = 0; i < 2000; i++) free(malloc((size_t) i + 1)); _exit(0); }"
    record(tmp_path / "t", program(tmp_path, "plain", body))
    damage(tmp_path / "t")
    done, _ = replay(tmp_path, tmp_path / "t")
    assert done.returncode == 2 and message in done.stderr and done.stderr.count("\n") == 1, done.stderr


def test_live_bytes_that_differ_end_the_replay(tmp_path):
    record(tmp_path / "t", program(tmp_path, "shape", SHAPE))
    head, _ = read(tmp_path / "t")
    head["live_b"][9] += 1
    forged(tmp_path / "t", {"live_b": head["live_b"]})
    done, _ = replay(tmp_path, tmp_path / "t")
    assert done.returncode == 72 and f"after call {9 * head['step']}, {head['live_b'][9] - 1} bytes live" in done.stderr


@by_sanitizer
def test_as_a_workload(tmp_path, monkeypatch):
    folder = tmp_path / "allocators"
    folder.mkdir()
    (folder / "glibc.conf").write_text("for = A test.\nallocator = glibc\n")
    monkeypatch.setenv("AMPERSAND_ALLOCATORS", str(folder))
    record(tmp_path / "my shape.trace", program(tmp_path, "shape", SHAPE))
    words = ["--out", tmp_path / "run", "--quick", "--seed", "5", "--launches", "2", "--timelines", "0", "--no-wait",
             "--timeout", HANGS_S, "--baseline", "glibc", "--trace", tmp_path / "my shape.trace",
             "--workload", "my_shape"]
    done = subprocess.run([BENCH, "allocators", *map(str, words)], capture_output=True, text=True, timeout=HANGS_S)
    assert done.returncode == 0, done.stderr
    assert len(list(tmp_path.glob("run/launches/*/trace_my_shape/*.json"))) == 4
    assert zlib.crc32((tmp_path / "my shape.trace").read_bytes()) == json.loads(
        (tmp_path / "run/manifest.json").read_text())["build"]["tables_crc32"]["trace_my_shape"]
    half(tmp_path / "my shape.trace")
    done = subprocess.run([BENCH, "allocators", "--resume", tmp_path / "run"], capture_output=True, text=True)
    assert done.returncode == 2 and "the build: not the same" in done.stderr


@pytest.mark.parametrize("words, message", [
    (["-o", "t"], "record: names no program"),
    (["-o", "t", "true"], "true: a program stands behind --"),
    (["--", "true"], "record: needs -o FILE"),
    (["-o", "t", "--", "no-such-program"], "no-such-program: there is no such program"),
    (["-o", "no/t", "--", "true"], "no/t: cannot be written: No such file"),
    (["-o", ".", "--", "true"], ".: is no regular file, so the trace cannot take its place"),
    (["-x", "--", "true"], "-x: no such flag"),
])
def test_wrong_use(words, message, tmp_path):
    done = subprocess.run([RECORD, *words], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2 and message in done.stderr and done.stderr.count("\n") == 1, done.stderr
    assert not list(tmp_path.iterdir())
