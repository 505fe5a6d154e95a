# SPDX-License-Identifier: MIT
"""module.py MODULE ARGUMENTS: what `python3 -m MODULE` does in the checkout, whatever the current folder holds.

A signal that tells it to end is a KeyboardInterrupt, so that temporary folders and children go with it; a second one
does not wait for that. If the door is killed, it ends, too."""

import ctypes
import os
import runpy
import signal
import sys

PR_SET_PDEATHSIG = 1
ENDS = signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT


def end(number, _):
    for each in ENDS:
        signal.signal(each, lambda *_: os._exit(128 + number))
    raise KeyboardInterrupt


def main():
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    del sys.argv[0]
    for number in ENDS:
        if signal.getsignal(number) != signal.SIG_IGN:  # nohup stays nohup
            signal.signal(number, end)
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
