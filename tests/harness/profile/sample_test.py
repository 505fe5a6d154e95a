# SPDX-License-Identifier: MIT
"""`profile --sample`: sums are right on average for all sizes, what is sampled is followed to its end, and where a sample
is certain, all is as without. AMPERSAND_BUILD names the build folder."""
import gzip
import math
import os
import re
import subprocess

import pprof
from protobuf import fields
import pytest

from profiled import HERE, PROFILE, SANITIZED, compiled, profile, with_names

DISTANCE_B = 4096
SIGMAS = 6  # of 2 in a thousand million runs, one number is farther off
# The groups of sampled.c, of different powers of two.
GROUPS = [(int(size, 0) if size.isdigit() else 1 << 20, int(n)) for size, n in re.findall(
    r"\{ (\d+|1 << 20), (\d+) \}", (HERE / "sampled.c").read_text())]
needs_preload = pytest.mark.skipif(SANITIZED, reason="nothing can be preloaded before AddressSanitizer")


@pytest.fixture(scope="module")
def sampled(tmp_path_factory):
    return compiled(tmp_path_factory.mktemp("sampled") / "sampled", HERE / "sampled.c", "-D_GNU_SOURCE")


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    return compiled(tmp_path_factory.mktemp("program") / "program", HERE / "program.c", "-D_GNU_SOURCE")


def with_samples(distance, *command, flags=()):
    done, report, _ = profile(*command, flags=["--sample", str(distance), *flags])
    assert done.returncode == 0
    return report


def standard_error(n, size_b):
    """Of the estimate of n objects: each is sampled with the probability p, and then counts for 1/p, rounded by chance."""
    p = -math.expm1(-(size_b | 1) / DISTANCE_B)
    above = 1 / p % 1
    return math.sqrt(n * (1 - p) / p + n * p * above * (1 - above))


@needs_preload
def test_sums_are_right_on_average(sampled, tmp_path):
    assert len(GROUPS) == 6
    report = with_samples(DISTANCE_B, sampled, "sizes", flags=["-o", tmp_path / "out.pb.gz"])
    assert report["sample_b"] == DISTANCE_B and 0 < report["sampled"] < sum(n for _, n in GROUPS) / 10
    for size_b, n in GROUPS:
        least_b = 1 << size_b.bit_length() - 1 if size_b else 0
        have = {key: sum(sample[key] for sample in report["samples"] if sample["least_b"] == least_b)
                for key in ("allocs", "bytes", "frees", "freed_b")}
        assert abs(have["allocs"] - n) <= SIGMAS * standard_error(n, size_b), size_b
        assert abs(have["frees"] - n / 2) <= SIGMAS * standard_error(n / 2, size_b), size_b
        assert (have["bytes"], have["freed_b"]) == (have["allocs"] * size_b, have["frees"] * size_b)
    read = pprof.read(tmp_path / "out.pb.gz")
    total = report["total"]
    assert [read.total(kind) for kind in read.types] == [
        total["allocs"], total["bytes"], total["allocs"] - total["frees"], total["bytes"] - total["freed_b"]]


@needs_preload
def test_what_is_sampled_is_followed_to_its_end(sampled):
    report = with_samples(DISTANCE_B, sampled, "gone")
    own = [sample for sample in report["samples"] if sample["stack"][0]["module"] == str(sampled)]
    assert sum(sample["allocs"] for sample in own) > 10_000 and report["sampled"] > 500
    assert all((sample["frees"], sample["freed_b"]) == (sample["allocs"], sample["bytes"]) for sample in own)


@needs_preload
def test_what_is_moved_and_lent(sampled):
    """Where a sampled object moves, its new size is drawn once; how it died counts for as many as it does."""
    report, n = with_samples(DISTANCE_B, sampled, "lent"), 30_000
    for size_b, death in ((1000, "died_in_frame"), (3000, "died_in_caller")):
        own = [sample for sample in report["samples"] if sample["stack"][0]["module"] == str(sampled)
               and sample["least_b"] == 1 << size_b.bit_length() - 1]
        allocs = sum(sample["allocs"] for sample in own)
        assert abs(allocs - n) <= SIGMAS * standard_error(n, size_b), size_b
        assert sum(sample[death] for sample in own) == allocs, size_b


CERTAIN_B = 32  # of those, none is passed over if each byte is drawn on average


@needs_preload
@pytest.mark.parametrize("command", [["calls"], ["lives"], ["churn"], ["threads", "64"]], ids=lambda one: one[0])
def test_where_samples_are_certain_nothing_changes(command, program):
    def counts(report):
        found = {}
        for sample in report["samples"]:
            if sample["least_b"] >= CERTAIN_B:
                stack = tuple((frame["module"], frame["address"]) for frame in sample["stack"])
                found[stack, sample["least_b"]] = [sample[key] for key in (
                    "allocs", "bytes", "frees", "freed_b", "died_in_frame", "died_in_caller")]
        return found

    every = counts(profile(program, *command)[1])
    assert every and counts(with_samples(1, program, *command)) == every


@needs_preload
@pytest.mark.parametrize("mode, n", [("again", 70_000), ("stays", 1000)])
def test_no_end_is_missed(mode, n, sampled):
    """Of objects that come to lie where others were, and of those that realloc() could not move."""
    own = [sample for sample in with_samples(1, sampled, mode)["samples"] if sample["least_b"] == 128
           and sample["stack"][0]["module"] == str(sampled)]
    assert sum(sample["allocs"] for sample in own) == n
    assert all((sample["frees"], sample["freed_b"]) == (sample["allocs"], sample["bytes"]) for sample in own)


@needs_preload
def test_each_child_draws_for_itself(program):
    """100 children that do the same: 49 objects of theirs are sampled on average, with a standard error of 7. If they
    drew the same numbers, it would be none of them, or a hundred."""
    assert 49 - 5 * 7 < with_samples(1024, program, "children", "100")["sampled"] < 49 + 5 * 7


@needs_preload
@with_names
def test_it_is_said(sampled, tmp_path):
    done = subprocess.run([PROFILE, "--sample", "64K", "-o", tmp_path / "out.pb.gz", "--", sampled, "sizes"],
                          capture_output=True, text=True)
    line = done.stderr.splitlines()[1]
    said = re.fullmatch(r"sampled: (\d+) allocations, one in each 64.0 KiB on average; all counts are estimates, the bytes of "
                        r"all with a standard error of at most ([\d.]+) %", line)
    assert said and int(said[1]) > 1000
    total_b = int(re.search(r"\((\d+) B\)", done.stderr)[1])
    assert float(said[2]) == pytest.approx(100 * math.sqrt(65536 / total_b), rel=0.05)
    parts = list(fields(gzip.decompress((tmp_path / "out.pb.gz").read_bytes())))
    texts = [value.decode() for number, value in parts if number == 6]
    comments = [texts[value] for number, value in parts if number == 13]
    assert comments[-1] == "sampled: one allocation in each 65536 bytes on average; values are scaled"
    assert [value for number, value in parts if number == 12] == [65536]


@needs_preload
def test_no_budget_is_kept(tmp_path):
    program = compiled(tmp_path / "budget", HERE / "budget.c", "-I", HERE.parents[2])
    done = subprocess.run([PROFILE, "--sample", "64K", "--", program, "0"], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stdout == 2 * "allocations are sampled (profile --sample), so none is counted exactly\n"


@needs_preload
def test_a_variable_left_behind_does_not_sample(program):
    report = profile(program, "lives", AMPERSAND_PROFILE_SAMPLE="4096")[1]
    assert "sampled" not in report and report["total"]["allocs"] > 100


@pytest.mark.parametrize("words, why", [
    (["--sample", "0", "--", "ls"], "no size such as 512K"), (["--sample", "2G", "--", "ls"], "no size such as 512K"),
    (["--sample", "some", "--", "ls"], "no size such as 512K"), (["--sample", "1K", "row"], "only for a program"),
    (["--sample", "1K", "--cpu", "--", "ls"], "--cpu samples time")])
def test_wrong_use(words, why):
    done = subprocess.run([PROFILE, *words], capture_output=True, text=True, env=os.environ)
    assert done.returncode == 2 and done.stdout == "" and why in done.stderr and done.stderr.count("\n") == 1
