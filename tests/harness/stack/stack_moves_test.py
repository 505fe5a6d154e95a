# SPDX-License-Identifier: MIT
"""`./ampersand stack`: what it prints is what happens. Moves are predicted here from the growth rule and the frames
that it prints; with 1024 elements they are Go's, and Go's own moves are held against that where there is a Go."""
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from stack_parts import ROOT, call, needs

BUILD = Path(os.environ.get("AMPERSAND_BUILD", ROOT / "build"))
PROGRAM = BUILD / "benchmarks/stack/ampersand-stack"
EVENT = re.compile(r"^ +a frame of (\d+) B, (\d+) B of (\d+) (B|KiB|MiB|GiB) in use: (fits|does not fit|moves all the "
                   r"same)$")
COPY = re.compile(r"^ +(\d+) B copied to (\d+) (B|KiB|MiB|GiB) at (0x[0-9a-f]+), (\d+) address(?:es)? adjusted, "
                  r"\d+ ns$")
TOLD = re.compile(r"^ +(\d+)  (0x[0-9a-f]+)  HELLO(   <- moved)?$")
UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


def walk(*flags):
    return call(PROGRAM, "walk", *flags)


def hosted():
    """Under AddressSanitizer nothing moves."""
    return "a frame of" not in walk("--depth", "1")


def events(text):
    """[(frame, used, size before, size after, copied, adjusted)], and {call: address}."""
    found, addresses = [], {}
    for line in text.splitlines():
        if event := EVENT.match(line):
            size = int(event[3]) * UNITS[event[4]]
            found.append([int(event[1]), int(event[2]), size, size, 0, 0])
        elif copy := COPY.match(line):
            found[-1][3:] = int(copy[2]) * UNITS[copy[3]], int(copy[1]), int(copy[5])
        elif told := TOLD.match(line):
            addresses[int(told[1])] = int(told[2], 16)
            assert bool(told[3]) == (int(told[1]) > 0 and addresses[int(told[1])] != addresses[int(told[1]) - 1])
    return found, addresses


def predict(used, frame, size, factor):
    if size - used > 928 + max(frame - 128, 0):
        return size
    while size - used < frame + 928:
        size *= factor
    return size


@pytest.mark.parametrize("policy,factor", [("go", 2), ("x4", 4), ("x8", 8), ("x16", 16)])
@pytest.mark.parametrize("start", ["2K", "16K", "1M"])
@pytest.mark.parametrize("size", [1, 16, 64, 256, 1024, 4096])
@pytest.mark.parametrize("pointer", [(), ("--pointer",)], ids=["value", "pointer"])
def test_moves_follow_the_rule(policy, factor, start, size, pointer):
    if hosted():
        pytest.skip("built with AddressSanitizer: nothing moves")
    found, addresses = events(walk("--policy", policy, "--start", start, "--size", size, "--depth", 30, *pointer))
    assert len(found) == 31 and sorted(addresses) == list(range(30))
    stack = int(start[:-1]) * UNITS[start[-1] + "iB"]
    moved = []
    for n, (frame, used, before, after, copied, adjusted) in enumerate(found):
        assert before == stack
        stack = predict(used, frame, before, factor)
        assert after == stack and (copied > used) == (after > before)
        assert n == 0 or not pointer or used - found[n - 1][1] <= found[n - 1][0] + 8, "a frame larger than declared"
        moved += [n - 1] * (after > before and n > 1)
    assert [call for call in range(1, 30) if addresses[call] != addresses[call - 1]] == moved


@pytest.mark.parametrize("size,moves", [(1, []), (1024, [2, 6])])
def test_moves_are_those_of_the_course(size, moves):
    if hosted():
        pytest.skip("built with AddressSanitizer: nothing moves")
    _, addresses = events(walk("--size", size))
    assert [call for call in range(1, 10) if addresses[call] != addresses[call - 1]] == moves


def test_go_moves_there_too(tmp_path):
    needs("go", "golang")
    program = tmp_path / "go-stack"
    call("go", "build", "-o", program, ".", cwd=ROOT / "benchmarks/go/stack")
    text = call(program, "measure", "2", env=dict(os.environ, GOMAXPROCS="1", GODEBUG="adaptivestackstart=0"))
    trails = {trail["elements"]: trail["addresses"] for trail in json.loads(text)["trails"]}
    moves = {size: [call for call in range(1, 10) if trail[call] != trail[call - 1]] for size, trail in trails.items()}
    assert moves[1024] == [2, 6] and moves[1] == []


def test_forced_and_probed():
    if hosted():
        pytest.skip("built with AddressSanitizer: nothing moves")
    forced, addresses = events(walk("--policy", "force", "--size", 64))
    assert all(copied > used for _, used, _, _, copied, _ in forced) and len(set(addresses.values())) > 1
    text = walk("--policy", "probe", "--size", 64)
    probed, addresses = events(text)
    assert all(after == before and copied == 0 for _, _, before, after, copied, _ in probed)
    assert len(set(addresses.values())) == 1
    assert f"{max(frame + used for frame, used, *_ in probed) - 16} B reserved" in text


WRONG = [
    (("--start", "0"), "powers of two"), (("--start", "3000"), "powers of two"), (("--start=1K",), "2 KiB at least"),
    (("--start", "8589934592G"), "1 GiB at most"), (("--start", "99999999999G"), "not a size"),
    (("--start", "2G"), "1 GiB at most"),
    (("--limit", "0"), "powers of two"), (("--limit", "5000"), "powers of two"),
    (("--start", "64K", "--limit", "32K"), "below the size to start with"), (("--size", "0"), "1, 16, 64"),
    (("--size", "7"), "1, 16, 64"), (("--size", "-1"), "not a whole number"), (("--depth", "0"), "from 1 to 1024"),
    (("--depth", "1025"), "from 1 to 1024"), (("--policy", "best"), "go, x4"), (("--policy",), "needs a value"),
    (("--colour", "red"), "ampersand help stack' lists"), (("walk",), "no such word"),
    (("--depht", "3"), "the nearest is '--depth'"), (("--qick",), "no such flag"), (("--pointer=1",), "takes no value"),
    (("--depth=x",), "not a whole number from 1 to 1024"),
]


@pytest.mark.parametrize("flags,why", WRONG, ids=lambda part: " ".join(part) if isinstance(part, tuple) else "")
def test_wrong_use(flags, why):
    done = subprocess.run([PROGRAM, "walk", *flags], capture_output=True, text=True)
    assert done.returncode == 2 and done.stdout == ""
    assert re.match(f"ampersand: [^:]*{flags[0].split('=')[0]}", done.stderr) and why in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_beyond_the_limit():
    if hosted():
        pytest.skip("built with AddressSanitizer: nothing moves")
    done = subprocess.run([PROGRAM, "walk", "--limit", "32K"], capture_output=True, text=True)
    assert done.returncode == 1
    assert re.fullmatch(r"ampersand: stack: a frame of \d+ B does not fit: \d+ B are in use, and the limit is "
                        r"32768 B\n", done.stderr)


def test_door():
    """The door hands the flags on, and the status back."""
    environment = dict(os.environ, AMPERSAND_HELD=str(BUILD.resolve()),
                       AMPERSAND_BUILD=str(BUILD.resolve()))
    done = subprocess.run([ROOT / "ampersand", "stack", "--size", "1"], capture_output=True, text=True, env=environment)
    assert done.returncode == 0 and done.stdout.count("HELLO") == 10
    done = subprocess.run([ROOT / "ampersand", "stack", "--size", "3"], capture_output=True, text=True, env=environment)
    assert done.returncode == 2
    assert shutil.which("sh")
