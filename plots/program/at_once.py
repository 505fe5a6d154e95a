# SPDX-License-Identifier: MIT
"""Do many pieces of work in several processes at once.

    caller --job--> process 1 --result--> caller
           --job--> process 2 --result--> caller        whoever is free gets the next

Each process is a fork: it has all that the caller has, and sends back its results only. If a job fails, its error is
raised here, of several that of the first job, as if they had been done in order. An interruption of the caller ends all
of them; if the caller is killed they end after the job that they are at."""

import os
import signal
import traceback
from multiprocessing import connection

from plots.program.errors import Refused

MOST = 4  # each takes memory of its own
SIGNALS = signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1  # that a verb takes for an interruption


def each(jobs, do, processes=None):
    """[do(job) for job in jobs], by so many processes; None: one for each CPU that may be used."""
    jobs = list(jobs)
    processes = min(len(jobs), processes or min(MOST, len(os.sched_getaffinity(0))))
    if processes < 2:
        return [do(job) for job in jobs]
    team = {}
    try:
        while len(team) < processes:
            ours, pid = _fork(jobs, do, list(team))
            team[ours] = pid
        return _results(len(jobs), team)
    finally:
        for ours, pid in team.items():
            ours.close()
            os.kill(pid, signal.SIGKILL)  # not waited for yet, so it is still ours
            os.waitpid(pid, 0)


def _fork(jobs, do, others):
    """(our end of the pipe, the process)"""
    ours, theirs = connection.Pipe()
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    pid = os.fork()
    if not pid:
        try:
            for number in SIGNALS:
                if signal.getsignal(number) != signal.SIG_IGN:
                    signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
            for end in (ours, *others):  # else nobody notices when the caller is gone
                end.close()
            _work(jobs, do, theirs)
        finally:
            os._exit(0)
    signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
    theirs.close()
    return ours, pid


def _work(jobs, do, pipe):
    while True:
        try:
            number = pipe.recv()
        except EOFError:
            return
        try:
            done = do(jobs[number]), None
        except Exception as error:
            error.add_note(traceback.format_exc())  # an exception that is sent leaves its traceback behind
            done = None, error
        pipe.send((number, *done))


def _results(count, team):
    results, failed, given, at_work = {}, {}, 0, set()

    def give(end):
        nonlocal given
        if given < count and not failed:
            end.send(given)
            at_work.add(end)
            given += 1

    for end in team:
        give(end)
    while at_work:
        for end in connection.wait(at_work):
            at_work.discard(end)
            try:
                number, result, error = end.recv()
            except (EOFError, ConnectionError):
                raise Refused("a process that helped ended before its work was done: is there memory enough?") from None
            (failed if error else results)[number] = error or result
            give(end)
    if failed:
        raise failed[min(failed)]
    return [results[number] for number in range(count)]
