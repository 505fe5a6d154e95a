# SPDX-License-Identifier: MIT
"""What `profile` counts is what an allocator behind it counted; stacks are those of backtrace(); however a program ends,
what it had allocated is there. AMPERSAND_BUILD names the build folder."""
import os
import shutil
import signal
import struct
import subprocess
from pathlib import Path

import pprof
import pytest

import built
from profiled import BUILD, HERE, PROFILE, SANITIZED, compiled, profile, with_names


@pytest.fixture(scope="session")
def program(tmp_path_factory):
    return compiled(tmp_path_factory.mktemp("profile") / "program", HERE / "program.c", "-D_GNU_SOURCE")


@pytest.fixture(scope="session")
def counting(tmp_path_factory):
    """The counting allocator, and a function that reads its counts and begins anew."""
    folder = tmp_path_factory.mktemp("counting")
    library = compiled(folder / "counting.so", HERE / "counting.c", "-D_GNU_SOURCE", "-shared", "-fPIC",
                       f'-DCOUNT_FILE="{folder}/counts"')

    def counts():
        allocs, size_b, frees = struct.unpack("3Q", (folder / "counts").read_bytes()[:24])
        (folder / "counts").unlink()
        return {"allocs": allocs, "bytes": size_b, "frees": frees}

    return library, counts


def totals(report):
    return {key: report["total"][key] for key in ("allocs", "bytes", "frees")}


SCRIPT = """create table t(a integer primary key, b text); create index i on t(b);
with recursive c(x) as (select 1 union all select x+1 from c where x<2000) insert into t select x, hex(x*x) from c;
select count(*), max(b) from t;"""
PYTHON = "import json, re; print(len(json.dumps([{'a': i, 'b': [i] * 3} for i in range(3000)])), re.match('a+', 'aaa'))"
PROGRAMS = {
    "calls": ["PROGRAM", "calls"], "failing": ["PROGRAM", "failing"], "lives": ["PROGRAM", "lives"],
    "churn": ["PROGRAM", "churn"],
    "threads": ["PROGRAM", "threads", "64"], "exec": ["PROGRAM", "exec"], "handlers": ["PROGRAM", "handlers"],
    "xz": ["/usr/bin/xz", "-c", "-1", __file__], "sqlite3": ["/usr/bin/sqlite3", ":memory:", SCRIPT],
    "sizes": ["/usr/bin/python3", "-c", "for i in range(5000): bytearray(600 + i)"],  # from one stack
    "python3": ["/usr/bin/python3", "-c", PYTHON], "sh": ["/bin/sh", "-c", "ls / | sort | wc -l; exec ls /"],
}


@pytest.mark.skipif(SANITIZED, reason="nothing can be preloaded before AddressSanitizer")
@pytest.mark.parametrize("command", PROGRAMS.values(), ids=PROGRAMS)
def test_totals_are_those_of_the_allocator_behind(command, program, counting):
    library, counts = counting
    command = [program if word == "PROGRAM" else word for word in command]
    if not shutil.which(command[0]):
        pytest.skip(f"{command[0]} is not here")
    done, report, _ = profile(*command, LD_PRELOAD=str(library))
    assert done.returncode == 0
    want, have, unseen = counts(), totals(report), report["unrecorded"]
    assert want["allocs"] > 0 and report["lost"] == report["untracked"] == 0
    if command[-1] == "handlers":  # those that interrupted the allocator itself are taken for its own
        assert have["frees"] == want["frees"] and 0 <= want["allocs"] - have["allocs"] - unseen <= int(done.stdout)
        return
    if command[0] == "/bin/sh":  # a child frees what its parent allocated, and counts
        del want["frees"], have["frees"]
    assert have == want and unseen == 0


@pytest.mark.skipif(not shutil.which("valgrind"), reason="no valgrind")
def test_totals_are_those_of_valgrind(program):
    done = subprocess.run(["valgrind", program, "calls", "those of valgrind"], capture_output=True, text=True)
    [line] = [line for line in done.stderr.splitlines() if "total heap usage" in line]
    numbers = [int(word.replace(",", "")) for word in line.split() if word.replace(",", "").isdigit()]
    total = profile(program, "calls", "those of valgrind")[1]["total"]
    assert numbers == [total["allocs"], total["frees"], total["bytes"]]


def test_children_count_for_themselves(program):
    _, report, _ = profile(program, "children", "100")
    assert report["processes"] == 101
    assert report["total"]["allocs"] == 1 + 100 * 10 and report["total"]["bytes"] == 1000 + 100 * 10 * 50
    assert report["total"]["frees"] == 0
    [site] = {tuple(frame["line"] for frame in sample["stack"][:2]) for sample in report["samples"]
              if sample["least_b"] == 32}
    assert len(site) == 2  # one stack for the children of all processes


LINE_OF_MAKE = 1 + (HERE / "program.c").read_text().splitlines().index("    void *p = malloc(200);")


@with_names
def test_lives(program):
    _, report, _ = profile(program, "lives")
    lives = {}
    for sample in report["samples"]:
        name = sample["stack"][0]["function"]
        if name in ("in_frame", "make"):
            lives.setdefault(name, []).append([sample["allocs"], sample["died_in_frame"], sample["died_in_caller"],
                                               sample["frees"]])
    assert lives["in_frame"] == [[10, 10, 0, 10]]
    assert {frame["line"] for sample in report["samples"] for frame in sample["stack"][:1]
            if frame["function"] == "make"} == {LINE_OF_MAKE}
    assert sorted(lives["make"]) == [[1, 0, 0, 1], [20, 0, 20, 20], [30, 0, 0, 30], [40, 0, 0, 0]]


@with_names
@pytest.mark.parametrize("flags", [["-O2"], ["-O2", "-fno-omit-frame-pointer"]], ids=["plain", "frame_pointers"])
def test_stacks_that_differ_far_out(flags, tmp_path):
    program = compiled(tmp_path / "program", HERE / "program.c", "-D_GNU_SOURCE", *flags)
    _, report, _ = profile(program, "turns")
    counts = {}
    for sample in report["samples"]:
        names = [frame["function"] for frame in sample["stack"]]
        if names[0] == "middle":
            assert names[:17] == ["middle"] * 16 + ["of_any_frame"] and sample["ending"] == "whole"
            counts[names[17]] = counts.get(names[17], 0) + sample["allocs"]
    assert counts == {"outer_one": 1600, "outer_two": 1600}


def test_what_stays_is_known_where_addresses_come_back(program):
    total = profile(program, "churn")[1]["total"]  # under this system's own allocator
    assert total["allocs"] - total["frees"] == 30000 and total["bytes"] - total["freed_b"] == 300000


def test_calls_without_memory_are_counted_apart(program):
    _, report, _ = profile(program, "failing")
    assert report["failed"] >= 3 and report["total"]["bytes"] == 30
    done, report, _ = profile(program, "without_memory")
    assert done.returncode == 0 and report["failed"] == 1
    assert sum(each["allocs"] for each in report["samples"] if each["least_b"] == 1 << 20) == int(done.stdout)


def test_a_program_that_may_write_no_file_lives_on(program):
    done = subprocess.run([PROFILE, "--", program, "without_files"], capture_output=True, text=True)
    assert done.returncode == 0 and "0 processes\nnothing was recorded: " in done.stderr


ENDS = [("_exit", 7), ("exit", 8), ("abort", 128 + signal.SIGABRT), ("kill", 128 + signal.SIGKILL),
        ("crash", 128 + signal.SIGSEGV), ("return", 0)]


@pytest.mark.parametrize("how, status", ENDS)
def test_however_it_ends(how, status, program, tmp_path):
    done, report, _ = profile(program, "end", how, flags=["-o", tmp_path / "out.pb.gz"])
    assert done.returncode == status and report["total"]["bytes"] == 500
    assert pprof.read(tmp_path / "out.pb.gz").total("inuse_space") == 500
    assert os.listdir(tmp_path) == ["out.pb.gz"]


def stack_of(sample):
    """Its addresses; inlined functions share one."""
    return [(os.path.realpath(frame["module"] or ""), frame["address"]) for frame in sample["stack"]
            if not frame["inlined"]]


SIGNAL = "1010"  # of frames.c: what its handler allocates


@with_names
@pytest.mark.parametrize("flags", [["-O0"], ["-O2"], ["-O2", "-fno-omit-frame-pointer"], ["-O3", "-no-pie"]],
                         ids=["O0", "O2", "frame_pointers", "no_pie"])
def test_stacks_are_those_of_backtrace(flags, tmp_path):
    program = compiled(tmp_path / "frames", HERE / "frames.c", "-D_GNU_SOURCE", "-Wno-unknown-attributes", *flags)
    done, report, _ = profile(program)
    lines = done.stdout.decode().splitlines()
    assert len(lines) == 12
    found = {tuple(stack_of(sample)[1:]): sample["ending"] for sample in report["samples"]
             if sample["stack"][0]["function"] == "leaf"}
    for line in lines:
        size, *frames = line.split()
        want = []
        for frame in frames:
            module, _, address = frame.rpartition("+")
            is_own = os.path.realpath(module) == os.path.realpath(program)
            want.append((os.path.realpath(module), int(address, 16) + (0x400000 if is_own and "-no-pie" in flags else 0)))
        if size == SIGNAL: # where a signal interrupted is no return address: 1 is not to be taken off
            at = next(i for i, frame in enumerate(want) if "libc" in frame[0]) + 1
            want[at] = (want[at][0], want[at][1] + 1)
        assert found.get(tuple(want)) == "whole", line


@with_names
def test_a_library_in_the_place_of_another(program, tmp_path):
    for name in ("one", "two"):
        (tmp_path / f"{name}.c").write_text(f"""#include <stdlib.h>
void *volatile kept;
__attribute__((noinline)) void called_{name}(void) {{ kept = malloc(111); }}
void run(void) {{ called_{name}(); __asm__ volatile(""); }}\n""")
        compiled(tmp_path / f"{name}.so", tmp_path / f"{name}.c", "-shared", "-fPIC")
    _, report, _ = profile(program, "load", tmp_path / "one.so", os.path.relpath(tmp_path / "two.so"))
    stacks = [([frame["function"] for frame in sample["stack"]][:4], sample["bytes"]) for sample in report["samples"]
              if sample["stack"][2]["function"] == "load"]
    assert sorted(stacks) == [(["called_one", "run", "load", "main"], 333), (["called_two", "run", "load", "main"], 333)]


@pytest.mark.skipif(SANITIZED, reason="nothing can be preloaded before AddressSanitizer")
@pytest.mark.parametrize("library", ["jemalloc.so.2", "mimalloc.so.2.0", "tcmalloc_minimal.so.4"])
def test_any_allocator(library, program):
    found = [path for path in Path("/usr/lib").glob(f"*/lib{library}")]
    if not found:
        pytest.skip(f"lib{library} is not here")
    def ours(report):
        return sorted((each["allocs"], each["bytes"], each["died_in_frame"]) for each in report["samples"]
                      if each["stack"][0]["function"] in ("in_frame", "make"))

    done, report, _ = profile(program, "lives", LD_PRELOAD=str(found[0]))
    assert done.returncode == 0 and ours(report) == ours(profile(program, "lives")[1])


@with_names
def test_the_file_is_what_go_reads(program, tmp_path):
    file = tmp_path / "out.pb.gz"
    _, report, _ = profile(program, "calls", flags=["-o", file])
    read = pprof.read(file)
    assert read.types == ["alloc_objects", "alloc_space", "inuse_objects", "inuse_space"]
    assert read.default_type == "alloc_space"
    total = report["total"]
    assert [read.total(kind) for kind in read.types] == [
        total["allocs"], total["bytes"], total["allocs"] - total["frees"], total["bytes"] - total["freed_b"]]
    assert {sample.stack[0][0] for sample in read.samples} >= {"all_calls", "__strdup"}
    assert str(program) in {path for path, *_ in read.mappings.values()}
    if not shutil.which("go"):
        return
    raw = subprocess.run(["go", "tool", "pprof", "-raw", file], capture_output=True, text=True)
    assert raw.returncode == 0, raw.stderr
    rows = raw.stdout.split("Samples:\n")[1].split("Locations\n")[0].splitlines()[1:]
    values = [[int(word) for word in row.split(":")[0].split()] for row in rows if "bytes:[" not in row]
    assert [sum(column) for column in zip(*values)] == [read.total(kind) for kind in read.types]


@with_names
@pytest.mark.skipif(SANITIZED, reason="nothing can be preloaded before AddressSanitizer")
def test_a_row(tmp_path):
    lessons = {"AMPERSAND_LESSONS": str(Path(BUILD).resolve() / "tests/lessons/budgets")}
    done = subprocess.run([PROFILE, "-o", tmp_path / "row.pb.gz", "kept_exactly/size=24"], env=os.environ | lessons,
                          capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("12.5 KiB (12800 B) in 200 allocations; 0 B in 0 not freed\n") == 2
    for side in ("value", "pointer"):
        read = pprof.read(tmp_path / f"row-{side}.pb.gz")
        assert [read.total(kind) for kind in read.types] == [200, 12800, 0, 0]
        assert all([frame[0] for frame in sample.stack[:2]] == ["amp_alloc", "two_allocations"] for sample in read.samples)
    difference = pprof.read(tmp_path / "row-diff.pb.gz")
    assert difference.types == ["time", "alloc_space", "alloc_objects", "copied"] and difference.default_type == "time"
    assert [difference.total(kind) for kind in difference.types[1:3]] == [0, 0]
    of = {is_base: sum(sample.values[1] for sample in difference.samples if ("pprof::base" in sample.labels) == is_base)
          for is_base in (True, False)}
    assert of == {True: -128_000, False: 128_000}  # of 1,000 operations
    assert all("main" not in [frame[0] for frame in sample.stack] for sample in difference.samples)
    sides = pprof.read(tmp_path / "row-sides.pb.gz")  # for readers that take no value below 0
    for side in ("value", "pointer"):
        samples = [sample for sample in sides.samples if sample.stack[-1][0] == f"{side} side"]
        assert sum(sample.values[1] for sample in samples) == 128_000
        sides.samples = [sample for sample in sides.samples if sample not in samples]
        assert all(value >= 0 for sample in samples for value in sample.values)
        assert not any("pprof::base" in sample.labels for sample in samples)
    assert sides.types == difference.types and sides.samples == []
    assert done.stdout.splitlines()[-1].startswith("kept_exactly/size=24, pointer minus value, an operation: ")
    assert done.stdout.splitlines()[-1].endswith(" ns, +0 B in +0 allocations, +0 B copied")
    with open("/dev/full", "w") as full:
        done = subprocess.run([PROFILE, "kept_exactly/size=24"], env=os.environ | lessons, stdout=full,
                              stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (2, "ampersand: stdout: cannot be written\n")
    done = subprocess.run([PROFILE, "kept_exactly/size=25"], env=os.environ | lessons, capture_output=True, text=True)
    assert done.returncode == 2 and "the nearest is 'kept_exactly/size=24'" in done.stderr
    done = subprocess.run([PROFILE, "ls"], env=os.environ | lessons, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "ampersand: ls: there is no such row; 'ampersand list' prints all; a program stands behind --\n"


def refused(folder, kind):
    file = folder / kind
    if kind == "static":
        (folder / "main.c").write_text("int main(void) { return 0; }\n")
        return compiled(file, folder / "main.c", "-static")
    if kind == "own_malloc":
        (folder / "main.c").write_text("#include <stddef.h>\nvoid *malloc(size_t n) { (void) n; return 0; }\n"
                                       "int main(void) { return malloc(1) != 0; }\n")
        return compiled(file, folder / "main.c")
    if kind in ("set_uid", "not_executable"):
        shutil.copy("/bin/ls", file)
        if kind == "set_uid":
            os.chown(file, 65534, -1)
        file.chmod(0o4755 if kind == "set_uid" else 0o644)
    elif kind == "text":
        file.write_text("neither\n")
        file.chmod(0o755)
    elif kind == "empty":
        file.write_text("")
        file.chmod(0o755)
    elif kind == "folder":
        file.mkdir()
    return file


@pytest.mark.parametrize("kind, why", [
    ("static", "is statically linked"), ("own_malloc", "defines malloc itself"), ("set_uid", "another user's rights"),
    ("not_executable", "not executable"), ("text", "neither a program nor a script"), ("empty", "is empty"),
    ("folder", "directory"), ("missing", "there is no such program")])
def test_refused(kind, why, tmp_path):
    if kind == "set_uid" and os.getuid() != 0:
        pytest.skip("only root can give a file to another user")
    done, report, text = profile(refused(tmp_path, kind))
    assert done.returncode == 2 and report is None and done.stdout == b""
    assert text.startswith("ampersand: ") and why in text and text.count("\n") == 1


@pytest.mark.parametrize("words, why", [
    ([], "names no program"), (["a", "b"], "takes one row"), (["--every", "1s", "-o", "x", "row"], "only for a program"), (["--every", "0s", "-o", "x", "--", "ls"], "--every"), (["--every", "10"], "no time"),
    (["--every", "10s", "--", "ls"], "needs -o"), (["--format", "csv", "--", "ls"], "no such format"),
    (["--nosuch"], "no such flag"), (["-o"], "needs a value")])
def test_wrong_use(words, why):
    done = subprocess.run([PROFILE, *words], capture_output=True, text=True)
    assert done.returncode == 2 and done.stdout == "" and why in done.stderr and done.stderr.count("\n") == 1


@with_names
def test_a_script_is_its_interpreter(tmp_path):
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\nx=abc; echo $x; exit 5\n")
    script.chmod(0o755)
    done, report, text = profile(script)
    assert done.returncode == 5 and done.stdout == b"abc\n"
    assert text.count("\n") == 1 and "is a script: its interpreter /bin/sh counts" in text
    assert report["total"]["allocs"] > 0


def test_the_table_is_one_screen(program, tmp_path):
    done = subprocess.run([PROFILE, "-o", tmp_path / "out.pb.gz", "--", "/usr/bin/python3", "-c", PYTHON],
                          capture_output=True, text=True)
    assert len(done.stderr.splitlines()) <= 20
    stripped = compiled(tmp_path / "stripped", HERE / "program.c", "-D_GNU_SOURCE", "-g0", "-s")
    done = subprocess.run([PROFILE, "--", stripped, "calls"], capture_output=True, text=True)
    missing = [what for what in ("compile with -g", "libdw-dev") if what in done.stderr]
    assert missing == ["compile with -g" if built.tells_names(PROFILE) else "libdw-dev"]
    assert "stripped+0x" in done.stderr


def test_a_file_that_cannot_be_written(program):
    done = subprocess.run([PROFILE, "-o", "/proc/none/out", "--", program, "without_memory"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")  # before the program ran
    assert done.stderr == "ampersand: /proc/none/out: cannot be written: No such file or directory\n"
    done = subprocess.run([PROFILE, "-o", "/proc", "--", program, "without_memory"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "") and "/proc: cannot be written: Is a directory" in done.stderr


def test_a_pipe_or_a_device_is_written_to_and_stays(program, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    _, report, _ = profile(program, "calls", flags=["-o", tmp_path / "pipe"])
    (tmp_path / "read").write_bytes(os.read(reader, 1 << 16))
    os.close(reader)
    assert pprof.read(tmp_path / "read").total("alloc_space") == report["total"]["bytes"]
    assert (tmp_path / "pipe").is_fifo()


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="no /dev/full")
def test_a_full_disk_is_said(program, tmp_path):
    (tmp_path / "full").symlink_to("/dev/full")
    done, _, said = profile(program, "calls", flags=["-o", tmp_path / "full"])
    assert done.returncode == 2 and "full: cannot be written: No space left on device" in said
    assert Path("/dev/full").is_char_device()
