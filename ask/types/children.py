# SPDX-License-Identifier: MIT
"""What ask makes and starts: its folder and its programs are gone when it ends, wherever it is interrupted."""

import concurrent.futures
import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from plots.program import scratch
from plots.program.errors import Refused

PR_SET_PDEATHSIG = 1
PATIENCE_S = 20  # for a program that is told to end

STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1)  # the last is the door's Ctrl-C: door/module.py

_lock = threading.Lock()
_running = set()
_ended = False


@contextlib.contextmanager
def folder():
    """A folder for all that is made, and for nothing longer; programs that are made there can be run."""
    made = Path(tempfile.mkdtemp(prefix="ampersand-ask-"))
    signal.signal(signal.SIGXCPU, _out_of_time)
    try:
        scratch.refuse_noexec(made)
        yield made
    finally:
        before = {number: signal.signal(number, signal.SIG_IGN) for number in STOPS}  # this is done to its end
        for _ in range(100):  # a compiler that was killed may just have made one more file
            shutil.rmtree(made, ignore_errors=True)
            if not made.exists():
                break
            time.sleep(0.01)
        for number, handler in before.items():
            signal.signal(number, handler)


def _out_of_time(number, frame):
    signal.signal(number, signal.SIG_IGN)  # it comes every second from now on
    raise Refused("processor time", "is used up: ulimit -t is too low")


def run(words, timeout_s=None, **how):
    """subprocess.run() of a program that is in a process group of its own, which is killed as a whole."""
    with _signals_held_back() as let_go, _lock:
        if _ended:
            raise KeyboardInterrupt
        child = subprocess.Popen([_word(word) for word in words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 start_new_session=True, errors="replace", **how)
        _running.add(child)
    try:
        let_go()
        out, err = child.communicate(timeout=timeout_s)
    except BaseException:
        _kill(child)
        raise
    finally:
        with _lock:
            _running.discard(child)
    return subprocess.CompletedProcess(child.args, child.returncode, out, err)


def run_politely(words, **how):
    """subprocess.run() of a program that ends its own children when it is told to end."""
    with _signals_held_back() as let_go:
        child = subprocess.Popen([_word(word) for word in words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, errors="replace", preexec_fn=_end_with_us, **how)
    try:
        let_go()
        out, err = child.communicate()
    except BaseException:
        child.terminate()
        try:
            child.communicate(timeout=PATIENCE_S)
        except BaseException:
            child.kill()
            child.wait()
        raise
    return subprocess.CompletedProcess(child.args, child.returncode, out, err)


@contextlib.contextmanager
def _signals_held_back():
    """While a child is started: one that is interrupted before it is known would be left behind. Gives what lets the
    signals go that came meanwhile; where the block fails, they are let go at its end."""
    came, before = [], {}

    def let_go():
        for number, handler in before.items():
            signal.signal(number, handler)
        while came:
            number, frame = came.pop()
            before[number](number, frame)

    if threading.current_thread() is threading.main_thread():  # others are not interrupted
        before = {number: handler for number in STOPS if callable(handler := signal.getsignal(number))}
    for number in before:
        signal.signal(number, lambda number, frame: came.append((number, frame)))
    try:
        yield let_go
    except BaseException:
        let_go()
        raise


def _end_with_us():
    """Let the kernel tell the child to end where ask is killed outright. No other thread runs at this moment."""
    try:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    except (OSError, AttributeError):
        pass


@contextlib.contextmanager
def pool():
    """Threads, one a CPU, in which children run; where one of them fails, the others' are killed."""
    global _ended
    try:
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as threads:
            try:
                yield threads
            except BaseException:
                threads.shutdown(wait=False, cancel_futures=True)
                _end()
                raise
    except RuntimeError as error:
        if "thread" not in str(error):
            raise
        raise Refused("threads", "none can be started: ulimit -u or -v is too low") from None
    finally:
        _ended = False


def _end():
    """Kill what runs in other threads; what they would still start is not started."""
    global _ended
    with _lock:
        _ended = True
        running = list(_running)
    for child in running:
        _kill(child)


def _kill(child):
    try:
        os.killpg(child.pid, signal.SIGKILL)  # its process group is its own, and it is not yet waited for
    except ProcessLookupError:
        pass
    child.wait()


def _word(word):
    return word if isinstance(word, bytes) else str(word)
