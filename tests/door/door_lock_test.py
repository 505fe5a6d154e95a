# SPDX-License-Identifier: MIT
"""Two doors at once: the test is the other one."""
import fcntl
import signal

import pytest

from stubs import CONFIGURED, wait_for_line
from waiting import HANGS_S


class Held:
    """The lock of a build folder, held from here."""

    def __init__(self, door, how):
        (door.build).mkdir(exist_ok=True)
        self.file = open(door.build / "ampersand.lock", "a")
        fcntl.flock(self.file, how)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()


@pytest.fixture(params=["flock", "python"])
def locker(request, door):
    if request.param == "python":
        (door.bin / "flock").unlink()
    return door


@pytest.mark.parametrize("how, environment, does", [
    (fcntl.LOCK_EX, {}, "is building"), (fcntl.LOCK_EX, {"CC": "cc -m64"}, "is building"),
    (fcntl.LOCK_SH, {"CC": "cc -m64"}, "uses what is built"), (fcntl.LOCK_EX, CONFIGURED, "is building"),
], ids=["list while another builds", "build while another builds", "build while another measures",
        "a target of ninja's while another builds"])
def test_the_second_waits_and_says_so(locker, how, environment, does):
    assert locker("list") == 0
    (locker.stubs / "log").write_text("")
    with Held(locker, how):
        started = locker.start("list", **environment)
        line = started.stderr.readline()
        assert line == f"ampersand: another ampersand {does} in {locker.build}: waiting until it has ended\n"
        assert started.poll() is None and locker.log == []
    assert started.communicate(timeout=HANGS_S) is not None and started.returncode == 0
    assert [word for word in locker.log[0].split() if word == "--wipe"] == ["--wipe"] * ("CC" in environment)


def test_what_is_up_to_date_is_used_by_several(locker):
    assert locker("list") == 0
    with Held(locker, fcntl.LOCK_SH):
        assert locker("list") == 0 and locker.err == ""


@pytest.mark.parametrize("environment", [{}, CONFIGURED], ids=["door", "target"])
def test_a_run_holds_its_build(locker, tmp_path, environment):
    assert locker("list") == 0
    started = locker.start("bench", "--out", tmp_path / "run", STUB_SLEEP="1", **environment)
    wait_for_line(locker, started, "asleep")
    with open(locker.build / "ampersand.lock", "a") as file:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        fcntl.flock(file, fcntl.LOCK_UN)
        with pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    started.send_signal(signal.SIGINT)
    started.communicate(timeout=HANGS_S)
    with Held(locker, fcntl.LOCK_EX):  # as soon as the last process of the run is gone
        pass


def test_a_door_that_waits_can_be_interrupted(locker):
    assert locker("list") == 0
    with Held(locker, fcntl.LOCK_EX):
        started = locker.start("list")
        assert "waiting" in started.stderr.readline()
        started.send_signal(signal.SIGINT)
        started.communicate(timeout=HANGS_S)
        assert started.returncode == 130


def test_two_that_find_no_build_configure_once(door):
    (door.stubs / "log").write_text("")
    both = [door.start("list") for _ in range(2)]
    for started in both:
        _, err = started.communicate(timeout=HANGS_S)
        assert started.returncode == 0, err
    assert len(door.logged("setup")) == 1


def test_a_folder_that_is_configured_otherwise_again_and_again_is_given_up(door):
    """Another door is faster each time: what it notes differs from what is wanted."""
    door.stub("ninja", door.bin)
    (door.bin / "ninja").write_text((door.bin / "ninja").read_text() + f'echo other '
                                    f'>"{door.build}/ampersand.configured"\n')
    assert door("list") == 2
    assert door.err.splitlines()[-1] == (f"ampersand: {door.build}: others configure it for another compiler each "
                                         "time: set AMPERSAND_BUILD to a folder of your own")
    assert len(door.logged("setup")) == 3 and not door.logged("ampersand-bench")


def test_samurai_says_otherwise_that_there_is_nothing_to_do(door):
    assert door("list") == 0
    assert door("list", STUB_WORK="nothing to do") == 0 and door.log == ["ampersand-bench list --questions"]


def test_a_door_under_a_door_does_not_wait_for_it(door):
    """As a test does that calls the door in the build folder that its own door holds."""
    assert door("list") == 0
    with Held(door, fcntl.LOCK_SH):
        assert door("list", CC="cc -m64", AMPERSAND_HELD=str(door.build)) == 0
        assert door.log == ["ampersand-bench list --questions"]
