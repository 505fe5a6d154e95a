# SPDX-License-Identifier: MIT
"""One case for each rule of the analysis: cases.c says beside each allocation what must be found."""
from pathlib import Path

import pytest

import escaping
from plots.escape import explain

SOURCE = Path(__file__).with_name("cases.c")
WANTED = escaping.wanted(SOURCE)


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    out = tmp_path_factory.mktemp("cases") / "cases.bc"
    sites = escaping.analyse(escaping.bitcode(SOURCE, out, "-fexceptions"))["allocations"]
    assert len({site["line"] for site in sites}) == len(sites), "one allocation a line"
    return {site["line"]: site for site in sites}


def test_every_allocation_is_judged(found):
    assert sorted(found) == sorted(WANTED)


@pytest.mark.parametrize("line", WANTED, ids=[f"line{line}" for line in WANTED])
def test_case(found, line):
    obstacle, words = WANTED[line]
    site = found[line]
    assert (site["obstacle"] or "frame") == obstacle, explain.why(site)
    assert words in explain.why(site)


def hops(path):
    for hop in path:
        yield hop
        yield from hops(hop.get("within", []))


def test_every_step_of_every_reason_is_a_place_in_the_source(found):
    lines = SOURCE.read_text().splitlines()
    steps = [hop for site in found.values() for hop in hops(site.get("path", []))]
    assert len(steps) > 60
    for hop in steps:
        text = lines[hop["line"] - 1]
        assert hop["file"] == str(SOURCE) and 1 <= hop["column"] <= len(text)
        for name in hop["what"].split("`")[1::2]:  # what a step names stands on its line
            assert name.split(".")[0] in text, hop


def test_a_way_that_outlives_has_steps(found):
    for site in found.values():
        assert (site["obstacle"] == "outlives") == bool(site.get("path")), site
