# SPDX-License-Identifier: MIT
"""One case for each rule of the analysis: cases.c says beside each allocation what must be found."""
from pathlib import Path

import pytest

import escaping
from plots.escape.told import explain

SOURCES = [Path(__file__).with_name(name) for name in escaping.CASES]
WANTED = {(source, line): want for source in SOURCES for line, want in escaping.wanted(source).items()}


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """{(source, line): site}."""
    sites = {}
    for source in SOURCES:
        out = tmp_path_factory.mktemp("cases") / "cases.bc"
        for site in escaping.analyse(escaping.bitcode(source, out, "-fexceptions"))["allocations"]:
            assert (source, site["line"]) not in sites, "one allocation a line"
            sites[source, site["line"]] = site
    return sites


def test_every_allocation_is_judged(found):
    assert set(found) == set(WANTED)


@pytest.mark.parametrize("case", WANTED, ids=[f"{source.stem}{line}" for source, line in WANTED])
def test_case(found, case):
    obstacle, words = WANTED[case]
    site = found[case]
    assert (site["obstacle"] or "frame") == obstacle, explain.why(site)
    assert words in explain.why(site)


def hops(path):
    for hop in path:
        yield hop
        yield from hops(hop.get("within", []))


def test_every_step_of_every_reason_is_a_place_in_the_source(found):
    steps = [(source, hop) for (source, _), site in found.items() for hop in hops(site.get("path", []))]
    lines = {source: source.read_text().splitlines() for source in SOURCES}
    assert len(steps) > 60
    for source, hop in steps:
        text = lines[source][hop["line"] - 1]
        assert hop["file"] == str(source) and 1 <= hop["column"] <= len(text)
        for name in hop["what"].split("`")[1::2]:  # what a step names stands on its line
            assert name.split(".")[0] in text, hop


def test_a_way_that_outlives_has_steps(found):
    for site in found.values():
        assert (site["obstacle"] == "outlives") == bool(site.get("path")), site
