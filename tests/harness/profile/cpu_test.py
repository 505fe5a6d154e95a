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
# How far what the program says of a function may be from what the profile finds: KNOWN_MS of looks.h on either side,
# and a tick.
FEW_MS = 6
REST_MOST_MS = 100  # of sampler.c


@pytest.fixture(scope="session")
def spin(tmp_path_factory):
    return compiled(tmp_path_factory.mktemp("cpu") / "spin", HERE / "spin.c", "-D_GNU_SOURCE",
                    "-fno-plt")  # no callers are found from the middle of a stub that binds a name


def ms_in(report, function):
    return sum(sample["cpu_ns"] for sample in report["samples"]
               if any(frame["function"] == function for frame in sample["stack"])) / 1e6


def said(stdout):
    """{what: [milliseconds]}, in the order in which spin.c says it."""
    found = {}
    for line in stdout.decode().splitlines():
        what, _, ms = line.rpartition(" ")
        found.setdefault(what, []).append(float(ms))
    return found


MODES = [  # mode, exit status, calls of hot() and cool(), threads and processes that do it
    ("both", 0, 1, 1, 1), ("exec", 0, 2, 2, 2), ("_exit", 3, 1, 1, 1), ("kill", 128 + signal.SIGKILL, 1, 1, 1),
    ("threads", 0, 2, 2, 5), ("children", 0, 3, 0, 4)]


@with_names
@pytest.mark.skipif(SANITIZED, reason="nothing can be preloaded before AddressSanitizer")
@pytest.mark.parametrize("mode, status, hot, cool, n", MODES, ids=[mode[0] for mode in MODES])
def test_time_is_where_it_was_spent(mode, status, hot, cool, n, spin):
    done, report, _ = profile(spin, mode, flags=["--cpu"])
    assert done.returncode == status
    told = said(done.stdout)
    for function, calls in (("hot", hot), ("cool", cool)):
        ms = told.get(function, [])
        assert len(ms) == calls and abs(ms_in(report, function) - sum(ms)) <= calls * FEW_MS, function
    assert sum(told["seen"]) - n * FEW_MS <= report["cpu_ns"] / 1e6 <= report["kernel_ns"] / 1e6 + n * FEW_MS
    assert report["cpu_ns"] == sum(sample["samples"] for sample in report["samples"]) * TICK_MS * 1_000_000
    assert report["lost"] == 0


@with_names
@pytest.mark.skipif(SANITIZED, reason="nothing can be preloaded before AddressSanitizer")
def test_what_is_too_short_to_be_seen_is_added_when_it_ends(spin):
    done, report, _ = profile(spin, "short", flags=["--cpu"])
    told = {what: ms for what, [ms] in said(done.stdout).items()}
    assert report["lost"] == 0 or told["longest"] > REST_MOST_MS
    for function in ("brief", "brief_c11"):
        assert told[function] - FEW_MS <= ms_in(report, function) + report["lost"] * TICK_MS, function
        assert ms_in(report, function) <= told[f"{function} with start"] + FEW_MS, function


@pytest.mark.skipif(SANITIZED, reason="nothing can be preloaded before AddressSanitizer")
def test_what_a_process_took_since_the_last_look_is_added_when_it_ends(spin):
    done, report, _ = profile(spin, "ends", flags=["--cpu"])
    seen_ms = said(done.stdout)["seen"]
    assert len(seen_ms) == report["processes"] == 61
    assert report["cpu_ns"] / 1e6 >= sum(seen_ms) - len(seen_ms) * TICK_MS - FEW_MS


@with_names
@pytest.mark.skipif(SANITIZED, reason="nothing can be preloaded before AddressSanitizer")
def test_what_a_shell_ran_before_is_not_the_program_s(spin):
    done = subprocess.run(["sh", "-c", f"'{spin}' both; exec '{PROFILE}' --cpu --format json -- '{spin}' short"],
                          capture_output=True)
    report = json.loads(done.stderr)
    before_ms, own_ms = said(done.stdout)["took"]
    assert before_ms > 400 and report["cpu_ns"] <= report["kernel_ns"] + FEW_MS * 1e6
    assert own_ms - FEW_MS <= report["kernel_ns"] / 1e6 <= own_ms + before_ms / 2


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
    done = subprocess.run([PROFILE, "--cpu", "-o", file, "--", spin, "both"], capture_output=True)
    lines, told = done.stderr.decode().splitlines(), said(done.stdout)
    assert done.returncode == 0 and len(lines) <= 20
    assert "of CPU time in" in lines[0]
    names = [line.split()[6] for line in lines[2:-1]]
    assert {"inlined", "cool"} <= set(names)
    assert names.index("inlined") < names.index("cool") or told["hot"] <= told["cool"]
    read = pprof.read(file)
    assert read.types == ["samples", "cpu"] and read.default_type == "cpu"
    assert read.total("cpu") == read.total("samples") * TICK_MS * 1_000_000
    assert read.total("cpu") / 1e6 >= sum(told["seen"]) - FEW_MS
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
