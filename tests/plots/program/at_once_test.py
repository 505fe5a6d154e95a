# SPDX-License-Identifier: MIT
"""Work in several processes at once: results in order, the first error, and nobody left behind."""
import os
import signal
import subprocess
import sys

import pytest

from places import ROOT
from plots.program import at_once
from plots.program.errors import Refused
from waiting import HANGS_S, is_gone, wait_for


@pytest.mark.parametrize("jobs, processes", [([], 3), ([7], 3), (range(50), 1), (range(50), 3), (range(2), 8)])
def test_results_come_in_the_order_of_the_jobs(jobs, processes):
    assert at_once.each(jobs, lambda job: job * job, processes) == [job * job for job in jobs]


def test_it_is_done_by_others_and_by_several(tmp_path):
    """The first two jobs wait for each other, so two processes are at them at once."""
    def do(job):
        (tmp_path / f"{job}").touch()
        wait_for(lambda: len(list(tmp_path.iterdir())) >= 2)
        return os.getpid()
    found = set(at_once.each(range(6), do, 2))
    assert len(found) == 2 and os.getpid() not in found
    assert all(is_gone(pid) for pid in found)


def test_a_result_that_fills_no_pipe():
    assert [len(one) for one in at_once.each(range(4), lambda job: bytes(3_000_000), 2)] == [3_000_000] * 4


@pytest.mark.parametrize("bad", [{3}, {3, 4}, {19, 4, 3}])
def test_the_error_is_that_of_the_first_job(bad):
    def do(job):
        if job in bad:
            raise Refused(f"job {job}", "cannot be done")
    with pytest.raises(Refused, match="^job 3: cannot be done$"):
        at_once.each(range(20), do, 3)


def test_an_error_tells_where_it_was():
    with pytest.raises(ZeroDivisionError) as caught:
        at_once.each(range(3), lambda job: 1 // job, 2)
    assert any("at_once_test.py" in note for note in caught.value.__notes__)


def test_a_process_that_is_killed_is_told():
    def do(job):
        if job == 2:
            os.kill(os.getpid(), signal.SIGKILL)
    with pytest.raises(Refused, match="ended before its work was done"):
        at_once.each(range(8), do, 2)


PROGRAM = """import os, sys, time
sys.path.insert(0, {root!r})
from plots.program import guard
guard.enter("verb")
from plots.program import at_once
caller = os.getpid()
def do(job):
    os.write(2, b"%d\\n" % os.getpid())
    while os.getppid() == caller:
        time.sleep(0.01)
print("before")
sys.exit(guard.guarded([], lambda _: at_once.each(range(2), do, 2), "verb"))
"""


@pytest.mark.parametrize("sent, status, words", [
    (signal.SIGINT, 130, "ampersand: interrupted\n"), (signal.SIGTERM, 143, "ampersand: interrupted\n"),
    (signal.SIGKILL, -9, "")])
def test_an_interruption_ends_all_of_them_in_one_line(sent, status, words):
    program = subprocess.Popen([sys.executable, "-c", PROGRAM.format(root=str(ROOT))], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    helpers = [int(program.stderr.readline()) for _ in range(2)]
    program.send_signal(sent)
    out, err = program.communicate(timeout=HANGS_S)
    assert (program.returncode, out, err) == (status, "before\n", words)
    for pid in helpers:
        wait_for(lambda: is_gone(pid))
