# SPDX-License-Identifier: MIT
"""Threads on a time line: when they begin, wait and end. AMPERSAND_BUILD names the build folder."""
import errno
from collections import Counter

from traced import HERE, compiled, trace


def test_threads_start_wait_and_end(program, tmp_path):
    done, events, report = trace(tmp_path, program, "threads")
    assert done.returncode == 0 and report["threads"] == 4
    names = {(one["pid"], one["tid"]): one["args"]["name"] for one in events.of("M") if one["name"] == "thread_name"}
    assert sorted(names.values()) == ["marked", "one", "three", "two"]
    assert len(events.of("i", "thread starts")) == len(events.of("i", "thread ends")) == 3
    for lane, slices in events.by_lane("X").items():
        found = Counter(one["name"] for one in slices)
        if names[lane] == "marked":
            assert found["wait for a thread"] == 3 and found["wait at a barrier"] == 1
        else:
            assert found["waiter"] == found["wait at a barrier"] == 1
            assert found["wait for a mutex"] == 1  # main held it until all of them slept


def test_reading_writing_and_waiting_until_a_time(program, tmp_path):
    """Of shared locks, and what C++ calls for wait_for(), which is over at once here. A lock that is free is no
    event."""
    done, events, _ = trace(tmp_path, program, "locks")
    assert done.returncode == 0 and int(done.stdout) == errno.ETIMEDOUT
    found = events.names("X")
    assert [found.count(name) for name in ("wait to read", "wait to write", "wait for a condition")] == [1, 1, 1]


def test_each_way_to_wait(tmp_path):
    """Once, by the thread that slept by the kernel's word; where nothing is to be waited for, nothing is recorded."""
    program = compiled(tmp_path / "waiting", HERE / "waiting.c")
    done, events, _ = trace(tmp_path, program)
    assert done.returncode == 0, done.said
    lines = done.stdout.decode().splitlines()
    assert len(lines) == 30
    for line in lines:
        tid, _, (way, recorded) = *line.partition(" ")[:2], line.partition(" ")[2].split(": ")
        assert [one["name"] for one in events.of("X") if one["tid"] == int(tid)] == [recorded], way
    assert len(events.of("i", "thread starts")) == len(events.of("i", "thread ends")) == len(lines)


ALLOCATOR = """#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>
void *__libc_malloc(size_t);
void *malloc(size_t n) { return syscall(SYS_getpid) > 0 ? __libc_malloc(n) : NULL; }
"""


def test_an_allocator_that_calls_the_kernel(tmp_path):
    """As jemalloc does when it begins: before any of our constructors has run."""
    (tmp_path / "early.c").write_text(
        "#include <stdlib.h>\nvoid *volatile kept;\n"
        "__attribute__((constructor)) static void begin(void) { kept = malloc(1); }\n")
    (tmp_path / "a.c").write_text(ALLOCATOR + "int main(void) { return 5; }\n")
    compiled(tmp_path / "libearly.so", tmp_path / "early.c", "-shared", "-fPIC")
    program = compiled(tmp_path / "a", tmp_path / "a.c", "-rdynamic", "-Wl,--no-as-needed", f"-L{tmp_path}", "-learly",
                       f"-Wl,-rpath,{tmp_path}")
    done, events, _ = trace(tmp_path, program)
    assert done.returncode == 5 and len(events.of("i", "process ends")) == 1
