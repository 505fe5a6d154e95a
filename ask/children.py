# SPDX-License-Identifier: MIT
"""Programs that ask starts: none outlives it, nor do the programs that they start, wherever ask is interrupted."""

import os
import signal
import subprocess
import threading

PATIENCE_S = 20  # for a program that is told to end

_lock = threading.Lock()
_running = set()
_ended = False


def run(words, timeout_s=None, **how):
    """subprocess.run() of a program that is in a process group of its own, which is killed as a whole."""
    with _lock:
        if _ended:
            raise KeyboardInterrupt
        child = subprocess.Popen([_word(word) for word in words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 start_new_session=True, errors="replace", **how)
        _running.add(child)
    try:
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
    child = subprocess.Popen([_word(word) for word in words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, errors="replace", **how)
    try:
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


def end():
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
