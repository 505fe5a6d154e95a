# SPDX-License-Identifier: MIT
"""The doctor: which facts are warned of, what its tables say of known data, and the whole of it on the real program."""
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from places import ROOT
from plots.doctor import doctor, doctor_measure
from plots.words import machine_text
from waiting import is_gone, wait_for

GOOD = {"virtual": None, "governor": "performance", "turbo": False, "thp": "madvise", "aslr": 2, "load_1min": 0.1,
        "cpus": 2, "cpus_allowed": 2, "hardware_counters": True, "clock_source": "tsc"}


@pytest.mark.parametrize("fact, value, word", [
    ("virtual", "kvm", "virtual machine (kvm)"),
    ("governor", "powersave", "governor is powersave"),
    ("turbo", True, "turbo is on"),
    ("thp", "always", "huge pages"),
    ("aslr", 0, "randomisation is off"),
    ("load_1min", 1.5, "load is 1.5"),
    ("cpus", 1, "one CPU"),
    ("cpus_allowed", 1, "1 of 2 CPUs allowed (taskset, a cpuset): pairs with threads need 2"),
    ("hardware_counters", False, "no hardware counters"),
    ("clock_source", "hpet", "clock is hpet"),
])
def test_a_harmful_fact_is_warned_of(fact, value, word):
    told = machine_text.warnings({**GOOD, fact: value})
    assert len(told) == 1 and word in told[0]


@pytest.mark.parametrize("fact", sorted(GOOD))
def test_a_good_or_unreadable_fact_is_not_warned_of(fact):
    assert machine_text.warnings(GOOD) == []
    assert machine_text.warnings({**GOOD, fact: None}) == []


def test_errors_are_absolute():
    found = doctor.errors_of("m", doctor_measure.Ratios(np.array([-0.03, 0.01, 0.02, -0.04, 0.0]), 0.1))
    assert (found.median, found.max) == pytest.approx((0.02, 0.04))
    assert found.p90 == pytest.approx(np.percentile([0.03, 0.01, 0.02, 0.04, 0.0], 90))


def test_known_differences_are_judged_in_points():
    read = np.log1p([0.0030, 0.0049, 0.0055, 0.0075])  # truth 0.5 %: off by 0.20, 0.01, 0.05, 0.25 points
    found = doctor.known_of("known_half", doctor_measure.Ratios(read, 0.1, truth=0.005))
    assert found.median == pytest.approx(0.0052) and found.median_off == pytest.approx(0.0002)
    assert found.within == pytest.approx(0.75)
    assert found.p95_off == pytest.approx(np.percentile([0.0020, 0.0001, 0.0005, 0.0025], 95))


def known(pair, within, launches=40, off=0.0):
    return doctor.known_of(pair, doctor_measure.Ratios(
        np.log1p([0.02 + off] * round(within * launches) + [0.05] * round((1 - within) * launches)), 0.1, truth=0.02))


TOGETHER = [  # shares of pairs within 0.2 point; what is said
    ({"known_loads": 1, "known_stores": 0.95}, "97.5 % of 80 launches within 0.2 point (95 % wanted); the worst: "
     "known_stores, 95.0 %"),
    ({"known_loads": 1, "known_stores": 0.5}, "75.0 % of 80 launches within 0.2 point (95 % wanted: missed); the "
     "worst: known_stores, 50.0 %"),
]


@pytest.mark.parametrize("shares, said", TOGETHER)
def test_what_waits_for_memory_is_told_apart(shares, said):
    found = [known(pair, share) for pair, share in {**shares, "known_misses": 0.25}.items()]
    assert [one.of_memory for one in found] == [False, False, True]
    result = doctor.Measured(methods=(), known=tuple(found[::-1]), known_together=doctor.together(found),
                             placement=doctor.Placement(1, 0, 0.0, 1, 0, 0.0, 0.0))
    lines = " ".join(" ".join(doctor.show(result, "as the machine is")).split())
    assert f"All that does not wait for memory: {said}" in lines
    assert "What waits for memory: 25.0 % of 40 launches within 0.2 point Two identical" in lines
    assert lines.index("known_loads 2 %") < lines.index("known_misses 2 %")


PUBLISHED = ROOT / "results/reference"


def test_a_run_says_how_its_launches_read_known_pairs():
    """The median launch is what the run's summary published, made by other code."""
    done = run("--run", str(PUBLISHED), "--format", "json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    summary = [row for row in json.loads((PUBLISHED / "summary.json").read_text())["rows"] if "truth" in row]
    read = {row["pair"]: row for row in found["known"]}
    assert read.keys() == {row["pair"] for row in summary}
    for row in summary:
        assert read[row["pair"]]["launches"] == row["launches"]
        assert read[row["pair"]]["median"] == pytest.approx(row["ratio"]["estimate"] - 1, abs=1e-4)
    assert {row["pair"] for row in found["known"] if row["of_memory"]} == {"known_misses"}
    table = run("--run", str(PUBLISHED)).stdout
    assert f"Known differences, {PUBLISHED}: " in table and "All that does not wait for memory: " in table


def test_how_far_off_is_signed():
    found = known("known_loads", 1, off=-0.0015)
    assert found.median_off == pytest.approx(-0.0015) and found.p95_off == pytest.approx(0.0015)


def test_placement_counts_both_kinds_of_wrong():
    compared = [doctor_measure.Compared(0.2, 0.001), doctor_measure.Compared(-0.1, 0.2),
                doctor_measure.Compared(0, 0.04)]
    estimate = doctor_measure.statistics.Estimate
    designs = [estimate(0.004, 0.001, 0.005), estimate(-0.002, -0.003, 0.001), estimate(-0.001, -0.002, -0.0005)]
    found = doctor.placement_of(compared, designs)
    assert (found.google_different, found.google_pairs, found.intervals_without_1, found.designs) == (2, 3, 2, 3)
    assert found.google_apart == pytest.approx(0.1)
    assert found.headline_off == pytest.approx(0.002)


CHANCES = [  # of 20 intervals of six launches, each of which misses with 1/32, by exact binomials
    (0, "0.6 expected"),
    (1, "0.6 expected; so many or more by chance: 47.0 %"),
    (2, "0.6 expected; so many or more by chance: 12.8 %"),
    (3, "0.6 expected; so many or more by chance: 2.3"),
]


@pytest.mark.parametrize("outside, said", CHANCES)
def test_missed_intervals_are_held_against_chance(outside, said):
    text = doctor.chance(outside, 20)
    assert text.startswith(said) and ("too narrow here" in text) == (outside == 3)


def test_busy_loops_run_and_end():
    with doctor_measure.busy(2) as loops:
        assert [loop.poll() for loop in loops] == [None, None]
    assert [loop.returncode for loop in loops] == [-9, -9]


def test_busy_loops_end_with_whoever_started_them():
    code = ("import os, sys; sys.path[:0] = ['.']; from plots.doctor import doctor_measure\n"
            "with doctor_measure.busy(2) as loops: print(*[one.pid for one in loops], flush=True); input()")
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              text=True)
    loops = parent.stdout.readline().split()
    assert len(loops) == 2 and all(Path(f"/proc/{pid}").exists() for pid in loops)
    parent.kill()
    parent.communicate()
    wait_for(lambda: all(is_gone(pid) for pid in loops))


PROGRAMS = [  # what stands in the place of ampersand-bench, what is said
    ("not JSON", "#!/bin/sh\necho hello\n", "line 1, column 1: not JSON"),
    ("a word before the JSON", "#!/bin/sh\necho 'note: {}'\n", "line 1, column 1: not JSON"),
    ("another JSON", "#!/bin/sh\necho '[1]'\n", "says nothing of the machine: build it again"),
    ("nothing", "#!/bin/sh\n", "not JSON"),
    ("not UTF-8", "#!/bin/sh\nprintf '\\377'\n", "not JSON"),
    ("fails", "#!/bin/sh\necho 'ampersand: lessons: gone' >&2; exit 2\n", "ampersand: lessons: gone\n"),
    ("of another machine", "\x7fELF and no more", "no program of this machine"),
    ("not to be run", None, "Permission denied"),
]


@pytest.mark.parametrize("name, text, said", PROGRAMS, ids=[row[0] for row in PROGRAMS])
def test_a_program_that_does_not_say_what_it_should(tmp_path, name, text, said):
    program = tmp_path / "harness" / "ampersand-bench"
    program.parent.mkdir()
    program.write_text(text or "#!/bin/sh\n")
    program.chmod(0o755 if text else 0o644)
    done = run("--facts", "--build", str(tmp_path))
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("ampersand: ") and said in done.stderr


def run(*arguments):
    return subprocess.run([sys.executable, "-m", "plots", "doctor", *arguments], cwd=ROOT, capture_output=True,
                          text=True)


def test_the_whole_on_the_real_program():
    build = os.environ.get("AMPERSAND_BUILD")
    if not build:
        pytest.skip("AMPERSAND_BUILD does not name a build folder")
    done = run("--build", build, "--launches", "2", "--designs", "1", "--format", "json")
    assert done.returncode == 0, done.stderr
    measured = json.loads(done.stdout)["measured"]["as the machine is"]
    assert [row["launches"] for row in measured["methods"]] == [2, 2, 2]
    assert [round(row["truth"], 3) for row in measured["known"]] == [0.005, 0.01, 0.05] + 5 * [0.02]
    assert [measured["known_together"][kind]["launches"] for kind in ("others", "memory")] == [14, 2]
    assert measured["placement"]["designs"] == 1 and measured["placement"]["google_pairs"] == 2


@pytest.mark.parametrize("arguments, word", [
    (["--build", "/nonexistent"], "build first"),
    (["--launches", "1"], "--launches"),
    (["--launches", "many"], "--launches"),
    (["--frobnicate"], "--frobnicate"),
    (["--run", "/nonexistent"], "/nonexistent: there is no such folder"),
    (["--run", str(ROOT / "tests")], "not a run folder"),
])
def test_wrong_use_is_told_in_one_line(arguments, word):
    done = run(*arguments)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1 and done.stderr.startswith("ampersand: ") and word in done.stderr
