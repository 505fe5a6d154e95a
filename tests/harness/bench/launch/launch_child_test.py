# SPDX-License-Identifier: MIT
"""A child is a fresh process of its own."""
import os
import shutil
from pathlib import Path

import pytest

from launching import GROUP, command_of, environment_of, hanging_child, is_jemalloc, processes, status_of, stop
from waiting import wait_for


def limits_of(pid):
    lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
    return {line[:25].strip(): line[26:46].strip() for line in lines}


def test_a_child_is_a_fresh_process_of_its_own(tmp_path):
    parent, child, task = hanging_child(tmp_path, "hang")
    try:
        environment = environment_of(child)
        assert environment["AMPERSAND_PADDING"] == "x" * task["environment_padding_b"]
        assert environment["PATH"] == os.environ["PATH"]
        assert os.readlink(f"/proc/{child}/fd/0") == "/dev/null"
        assert os.readlink(f"/proc/{child}/fd/1") == os.readlink(f"/proc/{child}/fd/2")
        assert os.getpgid(child) == child
        assert int(Path(f"/proc/{child}/personality").read_text(), 16) & 0x0040000 == 0
        assert status_of(child, "SigBlk") == status_of("self", "SigBlk")
        limits = limits_of(child)
        assert limits["Max core file size"] == "0"
        if is_jemalloc():
            assert limits["Max address space"] == str(7 << 30)
        cpus = os.sched_getaffinity(0)
        if len(cpus) > 1:
            assert os.sched_getaffinity(child) == {task["cpu"]} == {max(cpus)}
            assert os.sched_getaffinity(parent.pid) == {min(cpus)}
        else:
            assert task["cpu"] == -1
    finally:
        stop(parent)
    wait_for(lambda: not processes(GROUP, child))


def test_a_pair_with_threads_may_use_every_cpu(tmp_path):
    parent, child, task = hanging_child(tmp_path, "hang_threads")
    try:
        assert task["cpu"] == -1
        assert os.sched_getaffinity(child) == os.sched_getaffinity(0)
    finally:
        stop(parent)


def test_aslr_is_on_for_children_where_it_was_off_for_us(tmp_path):
    if not shutil.which("setarch"):
        pytest.skip("there is no setarch")
    parent, child, _ = hanging_child(tmp_path, "hang", before=["setarch", "-R"])
    try:
        assert int(Path(f"/proc/{parent.pid}/personality").read_text(), 16) & 0x0040000
        assert int(Path(f"/proc/{child}/personality").read_text(), 16) & 0x0040000 == 0
    finally:
        err = stop(parent)
    assert err.count("ASLR") == 1


def test_solo_children_are_pinned_too(tmp_path):
    cpus = os.sched_getaffinity(0)
    if len(cpus) < 2:
        pytest.skip("there is only one CPU")
    parent, child, _ = hanging_child(tmp_path, "hang", solo=["20", "--seed", "1"])  # which begins with one of these
    try:
        assert any(word.startswith("--benchmark_out=") for word in command_of(child)), "a solo child"
        assert os.sched_getaffinity(child) == {max(cpus)}
    finally:
        stop(parent)
