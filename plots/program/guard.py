# SPDX-License-Identifier: MIT
"""The outermost layer of every Python verb: whatever goes wrong ends in one line and a status, never in a traceback.

    what                                                        line                                         status
    Refused; no space, permission, memory, file, tool, module   ampersand: <what>: <why>                          2
    Ctrl-C; SIGTERM, SIGHUP                                     ampersand: interrupted                     130; 143, 129
    our reader closed the pipe                                  none: it has seen enough                          0
    anything else                                               this is a defect, please report it with FILE      2

FILE holds the traceback, the versions and the arguments. Imports only what Python itself is made of: that numpy or
matplotlib cannot be loaded is one of the failures told here. Where the caller's stdout is not the process's own (a test
captures it), the process is left as it is."""

import errno
import io
import os
import resource
import signal
import sys
import warnings

from plots.program.errors import Refused, one_line

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
STOPS = signal.SIGINT, signal.SIGTERM, signal.SIGHUP
CALM = {"MPLBACKEND": "agg",            # another one need not exist, and is never drawn with
        "OPENBLAS_NUM_THREADS": "1"}    # its threads take memory that nothing here uses
COMMAND = os.environ.get("AMPERSAND_COMMAND", "./ampersand")  # what the door is called where it started this
LEAST_B = 1 << 30  # of address space: OpenBLAS, which gets no memory, tries for ever

stopped_by = None  # the signal that ended this process


class Unwritable(Exception):
    """stdout cannot be written."""


def guarded(arguments, run, name):
    """The status of run(arguments) for the verb `name`, with every failure told in one line."""
    enter(name)
    status = 0
    try:
        status = run(arguments)
        return _flushed(status)
    except BrokenPipeError as error:  # whoever read has seen enough; what was found stays found
        told(error, name)
        return status
    except SystemExit:  # argparse, after --help or a complaint
        try:
            _flushed(0)
        except BaseException as error:
            return told(error, name)
        raise
    except BaseException as error:
        return told(error, name)


def _flushed(status):
    sys.stdout.flush()
    return status


def enter(name):
    """Make the process one that never ends in a traceback, from here on: of an import that fails, too."""
    if sys.stdout is not None and sys.stdout is not sys.__stdout__:
        return
    for number in (0, 1, 2):  # else the next file that is opened becomes stdout
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_WRONLY if number == 2 else os.O_RDONLY)  # on 1, writing then fails
            os.set_inheritable(opened, True)
    if sys.stderr is None:
        sys.stderr = sys.__stderr__ = open(2, "w", errors="backslashreplace", closefd=False)
    encoding = sys.stdout.encoding if sys.stdout else "utf-8"
    sys.stdout = sys.__stdout__ = io.TextIOWrapper(
        io.BufferedWriter(_Output(1, "w", closefd=False)), encoding, "backslashreplace", line_buffering=os.isatty(1))
    for number in STOPS:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _stop)
    sys.excepthook = lambda kind, error, trace: sys.exit(told(error, name))
    os.environ.update(CALM)
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    for what, flag in ((resource.RLIMIT_AS, "v"), (resource.RLIMIT_DATA, "d")):
        if 0 <= resource.getrlimit(what)[0] < LEAST_B:
            raise Refused(f"memory: limited to {resource.getrlimit(what)[0] >> 20} MiB (ulimit -{flag}), where "
                          f"{LEAST_B >> 20} MiB are needed")


class _Output(io.FileIO):
    """stdout, whose failures are told apart from those of other files."""

    def write(self, data):
        try:
            return super().write(data)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise Unwritable(error.strerror) from None


def _stop(number, frame):
    global stopped_by
    stopped_by = stopped_by or number
    raise KeyboardInterrupt


def told(error, name):
    """Print the one line about an error; the status to end with."""
    if stopped_by or isinstance(error, KeyboardInterrupt):  # an import may make another error of it
        number = stopped_by or signal.SIGINT
        if stopped_by:
            for each in STOPS:  # once more would fall into what is said here
                signal.signal(each, signal.SIG_IGN)
        _say("interrupted")
        status = 128 + number
    elif isinstance(error, BrokenPipeError):
        status = 0
    else:
        _say(_foreseen(error, name) or _defect(error, name))
        status = 2
    try:
        sys.stdout.flush()  # what was printed before
    except Exception:
        if sys.stdout is sys.__stdout__:  # else Python tries once more, and complains, when it ends
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return status


def _say(line):
    try:
        print(f"ampersand: {line}", file=sys.stderr, flush=True)
    except Exception:
        pass  # there is nowhere else to say that stderr cannot be written


def _foreseen(error, name):
    """The line about what happens to sound programs, or None."""
    if isinstance(error, Refused):
        return str(error)
    if isinstance(error, Unwritable):
        return f"standard output: cannot be written: {error}"
    if isinstance(error, MemoryError):
        return f"{name}: not enough memory"
    module = _not_loaded(error)
    if module:
        first = error
        while isinstance(first.__context__, ImportError):  # numpy tells a page about it
            first = first.__context__
        why = str(first) if isinstance(first, (ImportError, OSError)) else f"{type(first).__name__}: {first}"
        return one_line(f"{name}: Python cannot load {module}: {why}; {COMMAND} setup installs what is missing")
    if isinstance(error, OSError):
        why = "no program of this machine" if error.errno == errno.ENOEXEC else error.strerror or str(error)
        return one_line(f"{os.fsdecode(error.filename) if isinstance(error.filename, (str, bytes)) else name}: {why}")
    if "subprocess" in sys.modules and isinstance(error, sys.modules["subprocess"].SubprocessError):
        return one_line(f"{name}: {error}")
    if isinstance(error, UnicodeEncodeError):
        return one_line(f"{name}: {error.object!a} cannot be written in {error.encoding}: set LC_ALL=C.UTF-8")
    return None


def _not_loaded(error):
    """The name of a module, not of ours, whose import failed, or None."""
    if isinstance(error, ModuleNotFoundError):
        return None if error.name.partition(".")[0] in ("plots", "ask") else error.name
    outside, trace = None, error.__traceback__
    while trace:
        frame, trace = trace.tb_frame, trace.tb_next
        if frame.f_code.co_filename.startswith(f"{ROOT}{os.sep}"):
            outside = None
        elif frame.f_code.co_name == "<module>":
            outside = outside or frame.f_globals.get("__name__")
    return outside


def _defect(error, name):
    import platform  # here, and not before they are needed: until this module is loaded, Ctrl-C is a traceback
    import tempfile
    import traceback

    said = f"{name}: this is a defect, please report it"
    try:
        text = "\n".join([
            "".join(traceback.format_exception(type(error), error, error.__traceback__)),
            f"verb: {name}", f"arguments: {sys.argv[1:]}", f"python: {sys.version}", f"system: {platform.platform()}",
            *(f"{module}: {sys.modules[module].__version__}" for module in ("numpy", "scipy", "matplotlib")
              if hasattr(sys.modules.get(module), "__version__")), ""])
        number, path = tempfile.mkstemp(prefix="ampersand-defect-", suffix=".txt")
        with open(number, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
        return f"{said} with {path}"
    except Exception:  # no folder can be written
        frame = traceback.extract_tb(error.__traceback__)[-1]
        return one_line(f"{said}: {type(error).__name__} at {os.path.basename(frame.filename)}:{frame.lineno}: {error}")
