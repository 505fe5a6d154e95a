# SPDX-License-Identifier: MIT
"""Generated programs: what the analysis says of each allocation, against what a run of the program shows.

AMPERSAND_ESCAPE_PROGRAMS=N generates N programs of each style instead of a few, AMPERSAND_ESCAPE_SEED=S starts with
program S. With `pytest -s` the counts and the table of obstacles are printed."""
import os
import subprocess

import pytest

import escaping
import programs
from places import ROOT

MANY = int(os.environ.get("AMPERSAND_ESCAPE_PROGRAMS", "4"))
SEED = int(os.environ.get("AMPERSAND_ESCAPE_SEED", "1"))
FUNCTIONS = 40
LEAST = {"mixed": 0.55, "inner": 0.5, "lent": 0.5}  # of what dies


def run_observed(source, folder):
    """{line: dies, outlives or overlaps}."""
    subprocess.run(["cc", "-DOBSERVED", "-O0", "-w", "-I", ROOT / "tests/harness/escape", "-o", folder / "observed",
                    source], check=True)
    done = subprocess.run([folder / "observed"], capture_output=True, text=True, check=True)
    return {int(line): fate for line, fate in map(str.split, done.stdout.splitlines())}


def judge(seed, style, folder):
    """[(line, obstacle, fate)] of each allocation that ran."""
    source = folder / f"{style}{seed}.c"
    source.write_text(programs.program(seed, FUNCTIONS, style))
    fates = run_observed(source, folder)
    found = escaping.analyse(escaping.bitcode(source, folder / "program.bc"))
    return [(site["line"], site["obstacle"], fates[site["line"]]) for site in found["allocations"]
            if site["line"] in fates]


@pytest.fixture(scope="module", params=programs.STYLES)
def judged(tmp_path_factory, request):
    folder = tmp_path_factory.mktemp("programs")
    return request.param, {seed: judge(seed, request.param, folder) for seed in range(SEED, SEED + MANY)}


def test_nothing_that_outlives_its_frame_could_live_there(judged):
    _, judged = judged
    wrong = [(seed, *site) for seed, sites in judged.items() for site in sites if site[1] is None and site[2] != "dies"]
    assert wrong == []


def test_what_dies_is_found(judged):
    style, judged = judged
    sites = [site for found in judged.values() for site in found]
    dying = [site for site in sites if site[2] == "dies"]
    found = [site for site in dying if site[1] is None]
    missed = {}
    for _, obstacle, _ in dying:
        missed[obstacle] = missed.get(obstacle, 0) + 1
    print(f"{style}: {len(sites)} sites, {len(sites) - len(dying)} outlive or overlap, {len(found)} of {len(dying)}: "
          f"{missed}")
    assert len(sites) > 40 * MANY
    assert len([site for site in sites if site[2] == "outlives"]) > 5 * MANY, "the programs must be able to catch it"
    assert len(found) >= LEAST[style] * len(dying), missed
