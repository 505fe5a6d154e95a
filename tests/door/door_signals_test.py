# SPDX-License-Identifier: MIT
"""The door: signals and what is left behind."""
import os
import shutil
import signal
from pathlib import Path

import pytest

from places import ROOT
from stubs import wait_for_line
from waiting import HANGS_S, is_gone, wait_for


@pytest.mark.parametrize("to_group", [True, False], ids=["group", "door"])
@pytest.mark.parametrize("sent, status, judged", [(signal.SIGINT, 130, True), (signal.SIGTERM, 143, False)])
def test_a_signal_ends_the_children_too(door, tmp_path, to_group, sent, status, judged):
    started = door.start("bench", "--out", tmp_path / "run", STUB_SLEEP="1")
    sleeper = wait_for_line(door, started, "asleep").split()[1]
    (os.killpg if to_group else os.kill)(started.pid, sent)
    started.communicate(timeout=HANGS_S)
    assert started.returncode == status
    assert bool(door.logged("summary")) == judged
    wait_for(lambda: is_gone(sleeper))


@pytest.mark.parametrize("phase", ["counters", "--rows"])
@pytest.mark.parametrize("sent, status, judged", [(signal.SIGINT, 130, True), (signal.SIGTERM, 143, False)])
def test_a_signal_while_counters_or_lines_are_recorded(door, tmp_path, phase, sent, status, judged):
    """What comes behind is left out; --resume does it."""
    run = tmp_path / "run"
    started = door.start("bench", "--out", run, STUB_SLEEP=phase)
    wait_for_line(door, started, "asleep")
    started.send_signal(sent)
    _, err = started.communicate(timeout=HANGS_S)
    assert (started.returncode, bool(door.logged("summary"))) == (status, judged)
    assert bool(door.logged("ampersand-profile")) == (phase == "--rows")
    last = err.splitlines()[-1]
    assert last.endswith(f"what was finished is in {run}; for the rest: ./ampersand bench --resume {run}")
    assert "everything is in" not in err


@pytest.mark.parametrize("second", [False, True], ids=["once", "twice"])
def test_an_interrupted_run_says_what_goes_on(door, tmp_path, second):
    """Once: what was finished is judged. Twice, here while Python judges: the door ends at once and names the run."""
    real_python(door,
                'import signal, sys, time\nprint("judging", flush=True)\n' + "while True: time.sleep(0.01)\n" * second)
    run = tmp_path / "run"
    started = door.start("bench", "--out", run, STUB_SLEEP="1", STUB_STATUS="130")
    wait_for_line(door, started, "asleep")
    started.send_signal(signal.SIGINT)
    if second:
        assert started.stdout.readline() == "judging\n"
        started.send_signal(signal.SIGINT)
    _, err = started.communicate(timeout=HANGS_S)
    assert started.returncode == 130
    lines = [line for line in err.splitlines() if line.startswith("ampersand: ")]
    assert lines[1:3] == ["ampersand: ending it; what was finished is kept (a second time: at once)",
                         "ampersand: interrupted; judging what was finished (interrupt again to leave that out)"]
    assert lines[-1].endswith(f"what was finished is in {run}; for the rest: ./ampersand bench --resume {run}")
    assert "Traceback" not in err


def test_a_second_signal_does_not_wait_for_the_child(door, tmp_path):
    stubborn = door.build / "harness/ampersand-bench"
    assert door("list") == 0
    door.write(stubborn, """
        trap 'say deaf' TERM
        mkdir -p "$3/launches"; touch "$3/launches/0.json"
        say "asleep $$"
        while :; do sleep 60 & wait; done""")
    started = door.start("bench", "--out", tmp_path / "run")
    pid = wait_for_line(door, started, "asleep").split()[1]
    started.send_signal(signal.SIGINT)
    wait_for_line(door, started, "deaf")
    started.send_signal(signal.SIGINT)
    started.wait(timeout=HANGS_S)
    assert started.returncode == 130
    wait_for(lambda: is_gone(pid))
    os.killpg(started.pid, signal.SIGKILL)  # its sleep, which has the other end of the pipe
    assert started.stderr.readlines()[-1].endswith(f"for the rest: ./ampersand bench --resume {tmp_path}/run\n")


MEASURES = """
import os, signal, sys, tempfile, time
with tempfile.TemporaryDirectory(prefix="ampersand-test-") as folder:
    print(folder, flush=True)
    while True:  # signal.pause() would sleep through a signal that comes just before it
        time.sleep(0.01)
"""


def real_python(door, text):
    """The checkout's `plots` and `ask` become this text, run by a Python that is no stub, and guarded as they are."""
    (door.stubs / "real").touch()
    for package in ("plots", "ask"):
        (door.root / package).mkdir(exist_ok=True)
        (door.root / package / "__main__.py").write_text(
            "from plots.program.guard import guarded\nimport sys\n"
            f"def run(_):\n    exec({text!r})\n    return 0\nsys.exit(guarded([], run, 'it'))\n")
    (door.root / "plots" / "program").mkdir(exist_ok=True)
    for name in ("guard.py", "errors.py"):
        shutil.copy(ROOT / "plots" / "program" / name, door.root / "plots" / "program")


@pytest.mark.parametrize("verb", ["ask", "doctor", "check"])
@pytest.mark.parametrize("sent, status", [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129),
                                          (signal.SIGQUIT, 131), (signal.SIGKILL, -9)])
def test_python_ends_with_the_door_and_leaves_no_folder(door, verb, sent, status):
    real_python(door, MEASURES)
    started = door.start(verb, "RUN", "struct a")
    folder = Path(started.stdout.readline().strip())
    assert folder.is_dir(), started.communicate()
    started.send_signal(sent)
    _, err = started.communicate(timeout=HANGS_S)  # until Python has ended, too: it has the other ends of the pipes
    assert started.returncode == status and not folder.exists()
    assert "Traceback" not in err
    if sent == signal.SIGINT:
        assert err.endswith("ampersand: interrupted\n")
