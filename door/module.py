# SPDX-License-Identifier: MIT
"""module.py MODULE ARGUMENTS: what `python3 -m MODULE` does in the checkout, whatever the current folder holds.

It runs in the background of the door, where Ctrl-C is ignored: SIGUSR1, by which the door passes one on, is Ctrl-C
here.
If the door is killed, it is told to end. plots/program/guard.py does the rest."""

import ctypes
import os
import runpy
import signal
import sys

PR_SET_PDEATHSIG = 1


def interrupt(*_):
    raise KeyboardInterrupt


def main():
    signal.signal(signal.SIGUSR1, interrupt)
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    del sys.argv[0]
    try:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    except (OSError, AttributeError):  # another system
        pass
    try:
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    except KeyboardInterrupt:  # before the module could care for it
        print("ampersand: interrupted", file=sys.stderr)
        sys.exit(130)


main()
