# SPDX-License-Identifier: MIT
"""`profile --cpu`: where a program that measures its own time says that it spent it. AMPERSAND_BUILD names the build
folder."""
import json
import shutil
import signal
import subprocess

import pprof
import pytest

from profiled import HERE, PROFILE, SANITIZED, compiled, profile, with_names

TICK_MS = 1
MORE_MS = 10  # a thread may have, by the clocks' own errors
# What a thread took since the kernel last looked at its timer, which on a busy machine it does seldom: that is missed
# at its end, and said of what runs then.
LATE_MS = 80
LOST = ("exec", "kill")  # only there the sum misses it, too


@pytest.fixture(scope="session")
def spin(tmp_path_factory):
    return compiled(tmp_path_factory.mktemp("cpu") / "spin", HERE / "spin.c", "-D_GNU_SOURCE")


def ms_in(report, function):
    return sum(sample["cpu_ns"] for sample in report["samples"]
               if any(frame["function"] == function for frame in sample["stack"])) / 1e6


MODES = [  # mode, exit status, CPU milliseconds in hot() and cool(), threads and processes that do it
    ("both", 0, 300, 100, 1), ("exec", 0, 600, 200, 2), ("_exit", 3, 300, 100, 1),
    ("kill", 128 + signal.SIGKILL, 300, 100, 1), ("threads", 0, 300, 300, 4), ("children", 0, 300, 0, 3)]


@with_names
@pytest.mark.skipif(SANITIZED, reason="nothing can be preloaded before AddressSanitizer")
@pytest.mark.parametrize("mode, status, hot_ms, cool_ms, n", MODES, ids=[mode[0] for mode in MODES])
def test_time_is_where_it_was_spent(mode, status, hot_ms, cool_ms, n, spin):
    done, report, _ = profile(spin, mode, flags=["--cpu"])
    assert done.returncode == status
    for function, ms in (("hot", hot_ms), ("cool", cool_ms)):
        assert ms - n * LATE_MS <= ms_in(report, function) <= ms + n * LATE_MS
    kernel_ms = report["kernel_ns"] / 1e6
    less_ms = LATE_MS if mode in LOST else MORE_MS
    assert 0.98 * kernel_ms - n * less_ms <= report["cpu_ns"] / 1e6 <= kernel_ms + n * MORE_MS
    assert report["cpu_ns"] == sum(sample["samples"] for sample in report["samples"]) * TICK_MS * 1_000_000
    assert report["lost"] == 0


@with_names
@pytest.mark.skipif(SANITIZED, reason="nothing can be preloaded before AddressSanitizer")
def test_what_is_too_short_to_be_seen_is_added_when_it_ends(spin):
    _, report, _ = profile(spin, "short", flags=["--cpu"])
    for function in ("brief", "brief_c11"):
        assert 150 - MORE_MS <= ms_in(report, function) <= 200, function


@with_names
@pytest.mark.skipif(SANITIZED, reason="nothing can be preloaded before AddressSanitizer")
def test_what_a_shell_ran_before_is_not_the_program_s(spin):
    done = subprocess.run(["sh", "-c", f"'{spin}' both; exec '{PROFILE}' --cpu --format json -- '{spin}' short"],
                          capture_output=True, text=True)
    report = json.loads(done.stderr)
    assert report["cpu_ns"] * 0.98 <= report["kernel_ns"] <= 300e6 + 390e6, "both takes 400 ms"


@with_names
@pytest.mark.skipif(SANITIZED, reason="nothing can be preloaded before AddressSanitizer")
def test_stacks(spin):
    _, report, _ = profile(spin, "both", flags=["--cpu"])
    stacks = {tuple((frame["function"], frame["inlined"]) for frame in sample["stack"])[:4]
              for sample in report["samples"]}
    assert (("inlined", True), ("hot", False), ("both", False), ("main", False)) in stacks
    lines = (HERE / "spin.c").read_text().splitlines()
    first = 1 + next(i for i, line in enumerate(lines) if "void inlined" in line)
    assert {frame["line"] for sample in report["samples"] for frame in sample["stack"][:1]
            if frame["function"] == "inlined"} <= set(range(first, first + 5))


@with_names
@pytest.mark.skipif(SANITIZED, reason="nothing can be preloaded before AddressSanitizer")
def test_the_file_and_the_table(spin, tmp_path):
    file = tmp_path / "out.pb.gz"
    done = subprocess.run([PROFILE, "--cpu", "-o", file, "--", spin, "both"], capture_output=True, text=True)
    assert done.returncode == 0 and len(done.stderr.splitlines()) <= 20
    assert "of CPU time in" in done.stderr.splitlines()[0]
    rows = [line.split() for line in done.stderr.splitlines()[2:4]]
    assert [row[6] for row in rows] == ["inlined", "cool"]
    read = pprof.read(file)
    assert read.types == ["samples", "cpu"] and read.default_type == "cpu"
    assert read.total("cpu") == read.total("samples") * TICK_MS * 1_000_000 >= 340_000_000
    if not shutil.which("go"):
        return
    top = subprocess.run(["go", "tool", "pprof", "-top", file], capture_output=True, text=True)
    assert top.returncode == 0 and "Type: cpu" in top.stdout and "hot" in top.stdout


@with_names
@pytest.mark.skipif(SANITIZED, reason="nothing can be preloaded before AddressSanitizer")
def test_a_program_that_is_too_short_says_so(tmp_path):
    file = tmp_path / "out.pb.gz"
    done = subprocess.run([PROFILE, "--cpu", "-o", file, "--", "/bin/true"], capture_output=True, text=True)
    first, *rest = done.stderr.splitlines()
    read = pprof.read(file)
    assert done.returncode == 0 and read.types == ["samples", "cpu"]
    if read.total("samples"):
        pytest.skip("the start of a program takes more than a tick here")
    assert first.startswith("/bin/true: too short to be sampled: ") and first.endswith(" and no tick of 1 ms behind it")
    assert rest == [f"{file}: go tool pprof -top {file}"]


def test_wrong_use():
    done = subprocess.run([PROFILE, "--cpu", "row"], capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr.startswith("ampersand: --cpu: only for a program")
