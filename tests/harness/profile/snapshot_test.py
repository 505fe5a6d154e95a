# SPDX-License-Identifier: MIT
"""What is known of a program while it runs, and what is left of `profile` when it is killed. AMPERSAND_BUILD names the
build folder."""
import contextlib
import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

import pprof
from profiled import HERE, PROFILE, SANITIZED, compiled, with_names
from waiting import wait_for


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    return compiled(tmp_path_factory.mktemp("profile") / "program", HERE / "program.c", "-D_GNU_SOURCE")


@with_names
def test_snapshots_while_it_runs(program, tmp_path):
    file = tmp_path / "out.pb.gz"
    ours = subprocess.Popen([PROFILE, "-o", file, "--", program, "wait"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        for n in (1, 2):
            ours.stdin.write(b"x")
            ours.stdin.flush()
            assert ours.stdout.read(1) == b"\n"  # it has allocated
            before = file.stat().st_ino if file.exists() else 0
            ours.send_signal(signal.SIGUSR2)
            while not file.exists() or file.stat().st_ino == before:
                assert ours.poll() is None
            found = [sample.values[:2] for sample in pprof.read(file).samples if sample.stack[0][0] == "main"]
            assert found == [[n, 600 * n]]
    finally:
        ours.kill()
        ours.wait()
    assert pprof.read(file).total("alloc_space") >= 1200  # the last snapshot, whole


@with_names
def test_snapshots_after_each_time(program, tmp_path):
    file = tmp_path / "out.pb.gz"
    ours = subprocess.Popen([PROFILE, "--every", "1s", "-o", file, "--", program, "wait"], stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def main_has():
        found = [sample.values[:2] for sample in pprof.read(file).samples if sample.stack[0][0] == "main"]
        return found[0] if found else [0, 0]

    try:
        for n in (1, 2):
            ours.stdin.write(b"x")
            ours.stdin.flush()
            assert ours.stdout.read(1) == b"\n"  # it has allocated
            while not file.exists() or main_has() != [n, 600 * n]:
                assert ours.poll() is None
                time.sleep(0.1)
        ours.stdin.close()
        assert ours.wait() == 0 and main_has() == [2, 1200]
        assert os.listdir(tmp_path) == ["out.pb.gz"]
    finally:
        ours.kill()
        ours.wait()


def opened_by(pid):
    """What a process has open; it may close some of it meanwhile."""
    for fd in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            yield os.readlink(fd)


@pytest.mark.skipif(SANITIZED, reason="nothing can be preloaded before AddressSanitizer")
@pytest.mark.parametrize("age_s, ends, left", [(0, True, True), (120, True, False), (120, False, True)])
def test_what_a_killed_one_leaves_is_removed_by_the_next(program, age_s, ends, left):
    ours = subprocess.Popen([PROFILE, "--", program, "wait"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL)
    try:
        ours.stdin.write(b"x")
        ours.stdin.flush()
        assert ours.stdout.read(1) == b"\n"  # it has allocated
        [folder] = {Path(name) for name in opened_by(ours.pid) if "ampersand-profile." in name}
        if ends:
            ours.kill()
            ours.wait()
        os.utime(folder, (time.time() - age_s,) * 2)
        subprocess.run([PROFILE, "--", "true"], check=True, capture_output=True)
        assert folder.exists() == left
    finally:
        ours.kill()
        ours.wait()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.skipif(SANITIZED, reason="nothing can be preloaded before AddressSanitizer")
def test_killed_at_any_moment(program, tmp_path):
    """While it writes one snapshot after another of a program that allocates: the file is that of one of them, whole."""
    chance = random.Random(14)
    file = tmp_path / "out.pb.gz"
    for _ in range(12):
        ours = subprocess.Popen([PROFILE, "-o", file, "--", program, "wait"], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            ours.stdin.write(b"x" * 50)
            ours.stdin.flush()
            assert ours.stdout.read(1) == b"\n"  # it has allocated
            ours.send_signal(signal.SIGUSR2)
            wait_for(file.exists, ours)
            for _ in range(chance.randrange(1, 6)):
                ours.send_signal(signal.SIGUSR2)
                for _ in range(chance.randrange(20_000)):  # any time, in which it may be anywhere
                    pass
            ours.kill()
            ours.wait()
            assert pprof.read(file).total("alloc_space") >= 600
        finally:
            os.killpg(ours.pid, signal.SIGKILL)  # the program, too
        file.unlink()
        for left in tmp_path.iterdir():  # of the one that was being written, beside it
            assert left.name == f"out.pb.gz.{ours.pid}.tmp"
            left.unlink()
