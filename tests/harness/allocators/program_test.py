# SPDX-License-Identifier: MIT
"""A program of the user's under allocator configurations, end to end, and the programs and columns that cannot be
measured.

AMPERSAND_BUILD names the build folder. Oracles: a program that is told what to take, /proc, the shell."""
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from places import ROOT
from waiting import HANGS_S

BUILD = Path(os.environ.get("AMPERSAND_BUILD", "build")).resolve()
BENCH = BUILD / "harness" / "ampersand-bench"
CC = os.environ.get("CC", "cc").split()
MIB = 1 << 20
FAST = ["--quick", "--seed", "5", "--launches", "2", "--timeout", str(HANGS_S), "--no-wait", "--baseline", "glibc"]

# What it is told to, word by word.
PROGRAM = r"""
    #include <stdio.h>
    #include <stdlib.h>
    #include <string.h>
    #include <sys/mman.h>
    #include <sys/resource.h>
    #include <sys/socket.h>
    #include <sys/un.h>
    #include <signal.h>
    #include <unistd.h>
    static void *held;
    static void take(size_t mib)      /* past malloc, so that no allocator keeps it */
    {
        held = mmap(NULL, mib << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        memset(held, 1, mib << 20);
    }
    static void serve(const char *path)
    {
        struct sockaddr_un at = { .sun_family = AF_UNIX };
        char byte;
        int fd = socket(AF_UNIX, SOCK_STREAM, 0), one;
        strcpy(at.sun_path, path);
        unlink(path);
        if (bind(fd, (struct sockaddr *) &at, sizeof at) || listen(fd, 5))
            exit(9);
        for (;;) {
            one = accept(fd, NULL, NULL);
            while (read(one, &byte, 1) == 1) {
                take(16);
                if (write(one, &byte, 1) != 1)
                    exit(9);
            }
            close(one);
        }
    }
    int main(int argc, char **argv)
    {
        char line[99];
        struct rusage usage;
        for (int i = 1; i < argc; i++) {
            const char *word = argv[i], *value = strchr(word, '=') ? strchr(word, '=') + 1 : "";
            if (strncmp(word, "take=", 5) == 0)
                take((size_t) atoi(value));
            if (strncmp(word, "drop=", 5) == 0)
                munmap(held, (size_t) atoi(value) << 20);
            if (strncmp(word, "spin=", 5) == 0)
                for (volatile long n = atol(value) * 1000000; n > 0; n--) {}
            if (strncmp(word, "sleep=", 6) == 0)
                usleep((unsigned) atoi(value) * 1000);
            if (strcmp(word, "used") == 0 && getrusage(RUSAGE_SELF, &usage) == 0)
                printf("used %ld us\n", usage.ru_utime.tv_sec * 1000000 + usage.ru_utime.tv_usec +
                       usage.ru_stime.tv_sec * 1000000 + usage.ru_stime.tv_usec);
            if (strncmp(word, "say=", 4) == 0)
                puts(value);
            if (strncmp(word, "unless=", 7) == 0 && getenv(value))
                return 0;
            if (strncmp(word, "fail=", 5) == 0 && getenv(value))
                return fprintf(stderr, "%s spoils it\n", value), 3;
            if (strncmp(word, "crash=", 6) == 0 && getenv(value))
                raise(SIGSEGV);
            if (strcmp(word, "echo") == 0 && fgets(line, sizeof line, stdin))
                printf("read %s", line);
            if (strncmp(word, "serve=", 6) == 0)
                serve(value);
        }
        free(malloc(100));
        return 0;
    }
    """


@pytest.fixture(scope="session")
def program(tmp_path_factory):
    folder = tmp_path_factory.mktemp("program")
    (folder / "told.c").write_text(PROGRAM)
    subprocess.run([*CC, "-O1", "-o", folder / "told", folder / "told.c"], check=True)
    return folder / "told"


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """Two configurations of one allocator."""
    folder = tmp_path / "allocators"
    folder.mkdir()
    (folder / "glibc.conf").write_text("for = A test.\nallocator = glibc\n")
    (folder / "other.conf").write_text("for = A test.\nallocator = glibc\n"
                                       "set = GLIBC_TUNABLES=glibc.malloc.arena_max=1\n")
    monkeypatch.setenv("AMPERSAND_ALLOCATORS", str(folder))
    return folder


def allocators(*words, **keys):
    return subprocess.run([BENCH, "allocators", *map(str, words)], capture_output=True, text=True, timeout=HANGS_S,
                          **keys)


def documents(run, configuration="*"):
    return [json.loads(path.read_text()) for path in sorted(run.glob(f"launches/{configuration}/*/*.json"))]


def failures(run):
    lines = [json.loads(line) for line in (run / "journal.jsonl").read_text().splitlines()]
    return {line["configuration"]: (line["reason"], line["detail"]) for line in lines if line["event"] == "failed"}


def judged(run):
    checked = subprocess.run([sys.executable, "-m", "plots", "check", run], capture_output=True, text=True, cwd=ROOT)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    shown = subprocess.run([sys.executable, "-m", "plots", "allocators", run, "--format", "json"], capture_output=True,
                           text=True, cwd=ROOT)
    assert shown.stdout, shown.stderr
    return shown.returncode, json.loads(shown.stdout)


def test_a_run_end_to_end(shipped, program, tmp_path):
    run = tmp_path / "run"
    done = allocators("--out", run, *FAST, "--", program, "take=32", "drop=24", "sleep=20")
    assert done.returncode == 0, done.stderr
    found = documents(run)
    assert len(found) == 6 and {one["workload"] for one in found} == {"program_told"}
    for one in found:
        peak, kept = one["memory"]["peak_rss_b"], one["memory"]["retained_rss_b"]
        assert 32 * MIB <= peak < 40 * MIB and 8 * MIB <= kept <= peak - 20 * MIB
        assert one["faults"]["minor"] >= 32 * MIB // 4096 and one["wall_ns"] >= 20_000_000
        assert Path(one["in_force"]["library"]).name.startswith("libc")
    settings = {name: {one["in_force"]["settings"] for one in documents(run, name)} for name in ("glibc", "other")}
    assert len(settings["glibc"]) == len(settings["other"]) == 1 and settings["glibc"] != settings["other"]
    probed = json.loads((run / "provenance" / "other.json").read_text())
    assert probed["in_force"] and probed["read_back"]["glibc.malloc.arena_max"] == 1
    assert probed["effects"]["arenas"] == 1
    status, summary = judged(run)
    assert status == 0
    assert [metric["name"] for metric in summary["metrics"]] == [
        "wall_ns", "user_ns", "system_ns", "peak_rss_b", "retained_rss_b", "faults"]
    cell = next(cell for cell in summary["cells"] if cell["configuration"] == "other")
    assert set(cell["metrics"]) == {metric["name"] for metric in summary["metrics"]}


def test_cpu_time_is_the_programs(shipped, program, tmp_path):
    """All that it says to have used, though a shell starts it; and not the second in which it sleeps, however long the
    machine stands still besides."""
    run = tmp_path / "run"
    done = allocators("--out", run, *FAST, "--config", "glibc", "--metric", "used ([0-9]+) us", "--", "sh", "-c",
                      f"{program} spin=100 sleep=1000 used; true")
    assert done.returncode == 0, done.stderr
    for one in documents(run):
        used_ns = one["user_ns"] + one["system_ns"]
        assert 1000 * one["metric"] <= used_ns + 1_000_000 and one["user_ns"] > 0
        assert used_ns <= one["wall_ns"] - 500_000_000  # half a second may go by before the clock of its run begins


def test_memory_is_that_of_the_process_with_most(shipped, program, tmp_path):
    run = tmp_path / "run"
    done = allocators("--out", run, *FAST, "--config", "glibc", "--", "sh", "-c",
                      f"{program} take=40; {program} take=2")
    assert done.returncode == 0, done.stderr
    assert all(40 * MIB <= one["memory"]["peak_rss_b"] < 48 * MIB for one in documents(run))


@pytest.mark.parametrize("word, reason, detail", [
    ("fail=GLIBC_TUNABLES", "program", "told: ended with status 3: GLIBC_TUNABLES spoils it"),
    ("crash=GLIBC_TUNABLES", "program", "told: ended by signal 11"),
    ("unless=GLIBC_TUNABLES say=took_5_ms", "metric", "matches no number"),
])
def test_what_fails_under_one_configuration_is_one_column(word, reason, detail, shipped, program, tmp_path):
    run = tmp_path / "run"
    metric = ["--metric", "took_([0-9]+)_ms"] if reason == "metric" else []
    done = allocators("--out", run, *FAST, *metric, "--", program, *word.split())
    assert done.returncode == 1, done.stderr
    found = failures(run)
    assert list(found) == ["other"] and found["other"][0] == reason and detail in found["other"][1], found
    assert len(documents(run, "glibc")) == len(documents(run, "glibc-again")) == 2 and not documents(run, "other")
    status, summary = judged(run)
    cell = next(cell for cell in summary["cells"] if cell["configuration"] == "other")
    assert status == 1 and cell["state"] == "failed" and detail in cell["reason"]


def test_a_metric_is_the_last_that_is_printed(shipped, program, tmp_path):
    run = tmp_path / "run"
    done = allocators("--out", run, *FAST, "--metric", "rate ([0-9.]+)/s", "--more-is-better", "--", program,
                      "say=rate 1/s", "say=rate 12.5/s and rate 0.25/s", "say=rate none/s")
    assert done.returncode == 0, done.stderr
    assert {one["metric"] for one in documents(run)} == {0.25}
    assert "metric" in {metric["name"] for metric in judged(run)[1]["metrics"]}


@pytest.mark.parametrize("metric, reason, detail", [
    ([], "program", "sh: ended with status 3"), (["--metric", "([0-9]+)"], "metric", "matches no number")])
def test_what_jemalloc_says_of_its_settings_is_not_the_programs(metric, reason, detail, tmp_path):
    run = tmp_path / "run"
    done = allocators("--out", run, *FAST, "--config", "glibc", *metric, "--", "sh", "-c",
                      f"echo '<jemalloc>: malloc_conf #5: \"x\"' >&2; exit {0 if metric else 3}")
    found = failures(run)["glibc"]
    assert done.returncode == 1 and found[0] == reason and detail in found[1] and "jemalloc" not in found[1]


def test_each_run_reads_the_input(shipped, program, tmp_path):
    (tmp_path / "input").write_text("77 words\n")
    run = tmp_path / "run"
    done = allocators("--out", run, *FAST, "--input", "input", "--metric", "read ([0-9]+)", "--", program, "echo",
                      cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert {one["metric"] for one in documents(run)} == {77}


CLIENT = ("import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); "
          "s.sendall(b'xx'); s.recv(1); s.recv(1)")


def test_a_server_under_a_load(shipped, program, tmp_path):
    run, socket = tmp_path / "run", tmp_path / "socket"
    load = f"{sys.executable} -c \"{CLIENT}\" {socket}; sleep 0.05; echo 8 requests"
    done = allocators("--out", run, *FAST, "--config", "glibc", "--metric", "([0-9]+) requests", "--load", load, "--",
                      program,
                      f"serve={socket}")
    assert done.returncode == 0, done.stderr
    for one in documents(run):
        assert one["metric"] == 8 and one["wall_ns"] >= 50_000_000
        assert 32 * MIB <= one["memory"]["retained_rss_b"] < 40 * MIB, "two requests of 16 MiB, before it was ended"


@pytest.mark.parametrize("words, load, reason", [
    (["serve=SOCKET"], "echo no such host; exit 4", ("load", "ended with status 4: no such host")),
    (["fail=HOME"], "true", ("program", "told: ended with status 3 before it listened: HOME spoils it")),
])
def test_a_load_that_fails(words, load, reason, shipped, program, tmp_path):
    words = [word.replace("SOCKET", str(tmp_path / "socket")) for word in words]
    run = tmp_path / "run"
    done = allocators("--out", run, *FAST, "--config", "glibc", "--load", load, "--", program, *words)
    assert done.returncode in (1, 2), done.stderr
    found = next(iter(failures(run).values()))
    assert found[0] == reason[0] and reason[1] in found[1], found


def test_a_program_that_loses_its_configuration_is_not_in_force(shipped, program, tmp_path):
    """The environment is cleared on the way: the probe saw it in the first process, the measured one has it no more."""
    run = tmp_path / "run"
    done = allocators("--out", run, *FAST, "--", "sh", "-c", f"exec env -i {program} take=20")
    assert done.returncode == 1, done.stderr
    assert list(failures(run)) == ["other"] and "another allocator, or other settings" in failures(run)["other"][1]
    assert judged(run)[1]["cells"][-1]["state"] == "not in force"


def test_a_program_that_is_not_position_independent(shipped, tmp_path):
    """It takes malloc's address, so that the address is that of a stub of its own, in libraries too."""
    (tmp_path / "fixed.c").write_text("#include <stdlib.h>\nint main(void)\n{\n"
                                      "    void *(*volatile allocate)(size_t) = malloc;\n    free(allocate(9));\n"
                                      "    return 0;\n}\n")
    subprocess.run([*CC, "-no-pie", "-fno-pie", "-o", tmp_path / "fixed", tmp_path / "fixed.c"], check=True)
    run = tmp_path / "run"
    done = allocators("--out", run, *FAST, "--", tmp_path / "fixed")
    assert done.returncode == 0, done.stderr
    assert json.loads((run / "provenance" / "other.json").read_text())["in_force"]


def test_resume(shipped, program, tmp_path):
    run = tmp_path / "run"
    assert allocators("--out", run, *FAST, "--metric", "took ([0-9]+)", "--", program, "say=took 5").returncode == 0
    missing = next(run.glob("launches/other/*/001.json"))
    missing.unlink()
    done = allocators("--resume", run, cwd=tmp_path)
    assert done.returncode == 0 and json.loads(missing.read_text())["metric"] == 5, done.stderr
    missing.unlink()
    with program.open("ab") as file:
        file.write(b" ")
    done = allocators("--resume", run)
    with program.open("ab") as file:
        file.truncate(file.tell() - 1)
    assert done.returncode == 2 and "the build: not the same as when the run began" in done.stderr


@pytest.mark.parametrize("words, message", [
    (["--"], "--: names no program"),
    (["--", "no-such-program"], "no-such-program: there is no such program"),
    (["--", "./static"], "./static: is statically linked"),
    (["--", "./text"], "./text: is not executable"),
    (["--", "./own"], "./own: defines malloc itself"),
    (["--metric", "took", "--", "true"], "--metric: 'took': it has no group"),
    (["--metric", "(", "--", "true"], "--metric: '('"),
    (["--metric", "(a)"], "--metric: only with a program"),
    (["--more-is-better", "--", "true"], "--more-is-better: only with --metric"),
    (["--input", "nothing", "--", "true"], "nothing: No such file"),
    (["--workload", "churn", "--", "true"], "--workload: not with a program"),
    (["--trace", "a.trace", "--", "true"], "--trace: not with a program"),
])
def test_what_cannot_be_measured_is_refused_in_one_line(words, message, shipped, tmp_path):
    (tmp_path / "text").write_text("no program\n")
    (tmp_path / "main.c").write_text("int main(void) { return 0; }\n")
    (tmp_path / "own.c").write_text("#include <stddef.h>\nvoid *malloc(size_t n) { (void) n; return 0; }\n"
                                    "int main(void) { return malloc(1) != 0; }\n")
    subprocess.run([*CC, "-static", "-o", "static", "main.c"], cwd=tmp_path, check=True)
    subprocess.run([*CC, "-fno-builtin-malloc", "-o", "own", "own.c"], cwd=tmp_path, check=True)
    done = allocators("--out", "run", *FAST, *words, cwd=tmp_path)
    assert done.returncode == 2 and message in done.stderr and done.stderr.count("\n") == 1, done.stderr
    assert not (tmp_path / "run").exists()
