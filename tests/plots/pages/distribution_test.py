# SPDX-License-Identifier: MIT
"""The report's picture of launches and layouts: every one is there, at its place, in its order."""
import dataclasses
import json
import math
import re

import numpy as np
import pytest

import synthetic
from plots.judge import tidy
from plots.pages import distribution
from plots.stats import statistics
from plots.words.pair_sentences import summarize

ROWS = [dataclasses.replace(row, outliers=0.0) for row in synthetic.lessons()
        if row.pair == "pass" and row.size in (16, 64, 4096)]
PLAN = synthetic.Plan(launches=13, layouts=16, rounds=4, checksums=False)


def points(path):
    return [(float(x), float(y)) for x, y in re.findall(r"M([-\d.]+) ([-\d.]+)h0", path)]


def dots(strip, panel, sides=("value", "pointer", "value out", "pointer out")):
    left, right = distribution.PANELS[panel]
    return sorted(point for side in sides for point in points(strip.dots.get(side, "")) if left <= point[0] <= right)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return tidy.load(synthetic.write_run(tmp_path_factory.mktemp("distribution") / "run", ROWS, PLAN))


@pytest.fixture(scope="module")
def judged(run):
    return summarize(run)[0]


@pytest.fixture(scope="module")
def measured(run):
    return {row.name: statistics.measure(row.launches) for row in run.rows}


def load(run, judged, measured, launches=None, order=None):
    launches = launches or {row.name: row.launches for row in run.rows}
    order = distribution.order_of(run.journal) if order is None else order
    return distribution.load(judged.rows, launches, measured, order, str)


def test_every_launch_and_layout_has_a_dot_on_its_side(run, judged, measured):
    rows = load(run, judged, measured)
    made = distribution.make(rows, {"value": "value", "pointer": "pointer"}, True)
    assert [row.size for row in rows] == ["16", "64", "4096"]
    for row, name, strip in zip(rows, (one.row for one in sorted(judged.rows, key=lambda one: one.size)), made.strips):
        matrix = np.exp(measured[name].ln_ratio)  # [launch][layout]
        # The oracle: per launch the geometric mean over layouts; per layout the middle one of what it differs from its
        # launch, so that all layouts together have the middle of the launches as their geometric mean.
        means = np.prod(matrix, axis=1) ** (1 / matrix.shape[1])
        differs = np.sort(matrix / means[:, None], axis=0)[len(matrix) // 2]
        layouts = np.median(means) * differs / np.prod(differs) ** (1 / len(differs))
        assert np.allclose(np.sort(row.launches * row.ratio), np.sort(means), rtol=1e-5), name
        assert np.allclose(np.sort(row.layouts * row.ratio), np.sort(layouts), rtol=1e-5), name
        seen = dots(strip, "launches")
        assert len(seen) == len(means) == len({x for x, _ in seen}), "a place of its own for each launch"
        for (_, y), ratio in zip(seen, row.launches):
            assert (y < strip.middle) == (ratio > 1) or math.isclose(y, strip.middle, abs_tol=0.2)
        assert len(dots(strip, "launches", ["value"])) == (means >= 1).sum()
        assert len(dots(strip, "layouts", ["pointer"])) == (layouts < 1).sum()
        assert len(dots(strip, "layouts")) == len(layouts)


def test_layouts_of_one_mode_are_a_stack():
    """The height of a stack is how many share its place."""
    x = np.array([100.0] * 7 + [103.1] + [300.0] * 3)
    seen = distribution.stacked(x, 50)
    columns = {}
    for at, y in seen:
        columns.setdefault(at, []).append(y)
    assert sorted(map(len, columns.values())) == [1, 3, 7] and len(set(seen)) == len(seen)
    for column in columns.values():
        assert max(column) == 50 and np.allclose(np.diff(sorted(column)), distribution.DOT)
    high = distribution.stacked([100.0] * 64, 50)
    assert len(set(high)) == 64 and min(y for _, y in high) >= 50 - distribution.STACK


def test_launches_stand_in_the_order_in_which_they_were_measured(run, judged, measured):
    """By the journal: whose launches are numbered otherwise."""
    name = ROWS[0].name
    numbers = [one.number for one in run.row(name).launches]
    order = {(name, number): place for place, number in enumerate(reversed(numbers))}
    forward, backward = (load(run, judged, measured, order=one)[0] for one in ({}, order))
    assert list(forward.launches) == list(backward.launches)[::-1] and len(set(forward.launches)) > 5
    events = [json.loads(line) for line in (run.folder / "journal.jsonl").read_text().splitlines()]
    mine = [event["launch"] for event in events if event["event"] == "done" and event["kind"] == "paired"
            and f"{event['pair']}/size={event['size']}" == name]
    found = distribution.order_of(run.journal)
    assert sorted(mine, key=lambda number: found[name, number]) == mine
    caption = distribution.make([forward], {"value": "v", "pointer": "p"}, False).caption
    assert "in the order of their numbers" in caption


def test_what_the_sensor_saw_stands_under_each_launch(run, judged, measured):
    """A bar for each launch, as high as its share of disturbed blocks; one that was left out is hollow."""
    name, shares = ROWS[0].name, (0.25, 1.0)
    launches = list(run.row(name).launches)
    for number, share in enumerate(shares):
        quiet = np.arange(len(launches[number].quiet)) >= share * len(launches[number].quiet)
        launches[number] = dataclasses.replace(launches[number], quiet=quiet)
    rows = dataclasses.replace(judged, rows=tuple(dataclasses.replace(row, launches=12) if row.row == name else row
                                                  for row in judged.rows))
    kept = {**measured, name: statistics.measure(launches, 12)}
    row = load(run, rows, kept, {**{one.name: one.launches for one in run.rows}, name: launches}, {})[0]
    strip = distribution.make([row], {"value": "v", "pointer": "p"}, True).strips[0]
    bars = [float(high) for high in re.findall(r"v-([\d.]+)", strip.sensor)]
    assert bars == pytest.approx([share * distribution.SENSOR for share in shares], abs=0.06)
    assert len(dots(strip, "launches", ["value out", "pointer out"])) == 1 and list(row.takes_part).count(False) == 1
    legend = dict(distribution.make([row], {"value": "v", "pointer": "p"}, True).legend)
    assert "left out" in legend["out"] and "sensor" in legend
