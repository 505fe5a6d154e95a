# SPDX-License-Identifier: MIT
"""What is done with blocks during which something else was on the core."""

import numpy as np
import pytest

from plots.files.pair_run import Launch
from plots.files.quiet import is_quiet
from plots.stats import sensor, statistics

Y, N = True, False
EXACT = np.array([[1.0, 2.0, 4.0], [1.5, 2.5, 4.5], [0.9, 1.9, 3.9]])  # layouts + launches


def spoilt(*places):
    """EXACT with these entries far off, and the mask that says so."""
    matrix, quiet = np.array(EXACT), np.full(EXACT.shape, True)
    for place in places:
        matrix[place], quiet[place] = 99.0, False
    return matrix, quiet


@pytest.mark.parametrize("name, places", [
    ("none", []), ("one", [(1, 2)]), ("one in two launches", [(0, 0), (2, 1)]), ("one of the first layout", [(0, 0)])])
def test_disturbed_blocks_take_what_layout_and_launch_say(name, places):
    matrix, quiet = spoilt(*places)
    # The median of a layout's quiet launches is not its mean: a launch's effect is taken off exactly only where all
    # medians are of the same launches, and to half a step of the launches here.
    assert sensor.fill(matrix, quiet) == pytest.approx(EXACT, abs=0.26)
    assert (sensor.fill(matrix, quiet)[quiet] == EXACT[quiet]).all(), "what is quiet stays as it is"


def test_exact_where_launches_are_alike():
    matrix, quiet = spoilt((1, 2), (0, 1))
    exact = np.tile(EXACT[0], (3, 1))
    assert sensor.fill(np.where(quiet, exact, 99.0), quiet) == pytest.approx(exact)


@pytest.mark.parametrize("name, places", [
    ("a launch that was disturbed nearly always", [(1, 0), (1, 1)]),
    ("a layout likewise", [(0, 1), (2, 1)]),
    ("everything", [(i, j) for i in range(3) for j in range(3)]),
    ("a launch that is quiet only where others are not", [(0, 2), (1, 0), (1, 1), (2, 0), (2, 1)])])
def test_what_too_little_is_known_of_stays(name, places):
    matrix, quiet = spoilt(*places)
    assert (sensor.fill(matrix, quiet) == matrix).all()


@pytest.mark.parametrize("readings, want", [([990, 1089, 1090, 5000], [Y, Y, N, N]), ([10], [Y]), ([], [])])
def test_quiet_is_within_a_tenth(readings, want):
    assert is_quiet(readings, 990).tolist() == want


def launch(number, pointer, quiet, layouts):
    pointer = np.array(pointer, float)[:, None]
    return Launch(number, 1, 0.0, np.array(layouts), np.zeros(len(layouts), int), np.full(pointer.shape, 100.0),
                  pointer,
                  np.array(quiet), 0, {})


def test_a_launch_is_reduced_in_the_order_of_its_layouts():
    both = [(3, 3), (1, 1)]
    launches = [launch(0, [200, 400], [Y, Y], both), launch(1, [200, 400], [Y, Y], both),
                launch(2, [900, 400], [N, Y], both)]
    assert statistics.measure(launches).quiet[2].tolist() == [True, False], "layout 1 comes before layout 3"
    assert np.exp(statistics.measure(launches).headlines)[2] == pytest.approx(6), "half of a launch is too little"
    three = [(3, 3), (1, 1), (2, 2)]
    launches = [launch(i, [200, 400, 100], [Y, Y, Y], three) for i in range(2)]
    launches.append(launch(2, [900, 400, 100], [N, Y, Y], three))
    measured = statistics.measure(launches)
    assert np.exp(measured.headlines) == pytest.approx(2), "the mean of 4, 1 and 2, in ln"
    assert np.exp(measured.ln_ratio)[2] == pytest.approx([4, 1, 9]), "the spread rests on what was measured"


def test_a_layout_of_two_blocks_is_quiet_if_both_are():
    twice = [(1, 1), (0, 0), (1, 1), (0, 0)]
    assert statistics.measure([launch(0, [1, 1, 1, 1], [Y, Y, N, Y], twice)]).quiet.tolist() == [[True, False]]


@pytest.mark.parametrize("name, shares, needed, want", [
    ("all quiet", [1, 1, 1], 2, [Y, Y, Y]),
    ("one is left out", [1, 0.2, 1], 2, [Y, N, Y]),
    ("half is not most", [1, 0.5, 1], 2, [Y, N, Y]),
    ("the quietest stays of too few", [1, 0.2, 0.4, 0.3], 2, [Y, N, Y, N]),
    ("no cliff: as many as are needed", [0.9] * 3 + [0.5, 0.4, 0.3, 0.2], 4, [Y, Y, Y, Y, N, N, N]),
    ("of equally quiet ones the first", [0.3, 0.4, 0.4, 0.4], 2, [N, Y, Y, N]),
    ("nothing is quiet", [0.2, 0.1, 0.0], 2, [Y, Y, N]),
    ("fewer than are needed", [1, 0.2], 5, [Y, Y]),
    ("no interval is asked for", [1, 0.2, 1], 0, [Y, Y, Y])])
def test_launches_that_were_disturbed_are_left_out(name, shares, needed, want):
    quiet = np.array([[i < share * 10 for i in range(10)] for share in shares])
    assert sensor.kept(quiet, needed).tolist() == want


def test_what_is_left_out_is_in_nothing():
    layouts = [(i, i) for i in range(4)]
    launches = [launch(i, [200] * 4, [Y] * 4, layouts) for i in range(3)] + [launch(3, [900] * 4, [N] * 4, layouts)]
    measured = statistics.measure(launches, needed=3)
    assert (measured.launches, measured.left_out) == (3, 1)
    assert np.exp(measured.ln_ratio) == pytest.approx(2)
    assert statistics.measure(launches, needed=4).launches == 4


def test_there_is_no_cliff_where_one_launch_more_is_disturbed():
    """12 quiet launches of 21 where 13 are needed: 13 take part, and not all 21."""
    layouts = [(i, i) for i in range(4)]
    for quiet, want in ((14, 14), (13, 13), (12, 13), (0, 13)):
        launches = [launch(i, [200] * 4, [Y] * 4 if i < quiet else [N] * 3 + [Y], layouts) for i in range(21)]
        measured = statistics.measure(launches, needed=13)
        assert (measured.launches, measured.left_out) == (want, 21 - want)


def test_a_neighbour_in_a_fifth_of_the_blocks_moves_no_headline():
    """Simulated: where a neighbour slows the value side by 40 %, the headlines' standard deviation stays what it
    was."""
    random = np.random.default_rng(7)
    truth = random.normal(0, 0.1, 64) + random.normal(0, 0.001, (20, 1)) + random.normal(0, 0.002, (20, 64))
    quiet = random.random((20, 64)) > 0.2
    measured = np.where(quiet, truth, truth - 0.34)
    assert measured.mean(axis=1).std() > 0.01
    assert sensor.fill(measured, quiet).mean(axis=1) == pytest.approx(truth.mean(axis=1), abs=0.0005)
