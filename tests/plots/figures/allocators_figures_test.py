# SPDX-License-Identifier: MIT
"""The figures about configurations, held against the summary that they were drawn from: marks at its numbers, words
inside the page."""

import dataclasses
import math

import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgb
from matplotlib.patches import Rectangle

import synthetic_allocators as synthetic
from drawn import (Once, check_no_text_covers_another, check_no_text_leaves_the_page, contrast, letters, luminance,
                   texts)
from plots.figures import (allocator_charts, allocator_crossover_figure, allocator_style, heat_figure, pareto_figure,
                           pictures, style, timeline_figure)
from plots.files.allocator_run import load
from plots.judge.allocators.summary import Crossover, Winner
from plots.judge.pair_summary import Crossing, Estimate
from plots.pages import shell
from plots.words import allocator_sentences, allocator_text
from synthetic_allocators import FEW, SOME, Plan, Truth

LONG = "a-name-that-somebody-chose-for-a-configuration-of-their-own"
PLAN = Plan(launches=12, timelines=8, sd=(0.005, 0.01))
CASES = {
    "everything": (synthetic.configurations(), synthetic.WORKS, PLAN),
    "some": (FEW, SOME, PLAN),
    "noise": (FEW, SOME, dataclasses.replace(PLAN, sd=(0.1, 0.2))),
    "quick": (FEW, SOME, dataclasses.replace(PLAN, launches=1, timelines=1, quick=True)),
    "two": (FEW[:1] + FEW[-2:-1], SOME[:1], dataclasses.replace(PLAN, timelines=0, again=None)),
    "failed cells": (FEW, SOME, dataclasses.replace(PLAN, fail={("glibc", "large_blocks"): ("signal", "SIGSEGV"),
                                                                ("mimalloc", "timeline"): ("timeout", "20 s")})),
    "no baseline": (FEW, SOME, dataclasses.replace(PLAN, fail={("jemalloc", "small_churn"): ("signal", "SIGSEGV")})),
    "long names": (FEW + (Truth(LONG, "/opt/lib/liballoc.so"),
                          Truth(LONG + "-2", in_force=False, reason="opt.x: " * 60),
                          Truth("dollar", state="wrong", why="a $x$ of $5")), SOME, PLAN),
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    def make(case):
        truths, works, plan = CASES[case]
        run = load(synthetic.write_run(tmp_path_factory.mktemp("run") / "run", truths, works, plan))
        return run, allocator_sentences.summarize(run)
    return Once(make)


@pytest.fixture(scope="module")
def figures(runs):
    return Once(lambda case: pictures.draw(allocator_charts.plans(*runs[case])))


@pytest.fixture(scope="module")
def words(figures):
    return Once(lambda case: {name: (fig, texts(fig)) for name, fig in figures[case].items()})


@pytest.mark.parametrize("case", CASES)
def test_no_text_leaves_the_page(words, case):
    check_no_text_leaves_the_page(words[case])


@pytest.mark.parametrize("case", CASES)
def test_no_text_covers_another(words, case):
    check_no_text_covers_another(words[case])


@pytest.mark.parametrize("case, figure, expected", [
    ("some", "heat_time", ["glibc", "not in force: opt.narenas: asked for -5, in force is 8", "large_blocks",
                           "jemalloc-again",
                           "absent: libtbbmalloc_proxy.so.2 is not here: apt-get install libtbbmalloc2",
                           "1/8 or faster",
                           "undecided: crosses the floor",
                           "Below 1 is faster, above 1 slower; the number is the median over "
                           "launches."]),
    ("some", "pareto", ["small_churn", "time →", "peak memory →", "Pareto front"]),
    ("some", "rss_over_time", ["jemalloc-decay-forever", "glibc", "jemalloc, to compare",
                               "Medians of 8 launches; seconds since all was freed."]),
    ("some", "size_classes", ["small_churn", "large_blocks"]),
    ("some", "answers", ["factory", "size in bytes", "the winner changes here; the dot is a guess"]),
    ("quick", "heat_time", ["A quick run: a first look, and no verdicts.", "no verdict"]),
    ("quick", "answers", ["too few launches"]),
    ("noise", "heat_time", ["jemalloc-tcache-false"]),
    ("long names", "heat_time", ["wrong: a $x$ of $5"]),
])
def test_what_is_written(figures, case, figure, expected):
    found = letters(figures[case][figure])
    for text in expected:
        assert text in found, f"{text!r} is not among {found}"


@pytest.mark.parametrize("case, missing", [("two", {"rss_over_time", "answers"}), ("some", set()), ("quick", set())])
def test_which_figures_there_are(figures, case, missing):
    every = {"heat_time", "heat_p99", "heat_peak", "heat_retained", "heat_faults", "pareto", "rss_over_time",
             "size_classes", "answers"}
    assert set(figures[case]) == every - missing


# ---- Heat map

def grid(fig):
    """{(row, column): (fill, text, colour of the text)} of a heat map."""
    ax, = fig.axes
    found = {}
    for text in ax.texts:
        x, y = text.get_position()
        if 0 <= x and 0 <= y and text.get_rotation() == 0:
            found[int(y), int(x)] = [None, text.get_text(), text.get_color()]
    for patch in ax.patches:
        if isinstance(patch, Rectangle) and not patch.get_hatch():
            found[int(patch.get_y()), int(patch.get_x())][0] = to_hex(patch.get_facecolor())
    return found


@pytest.mark.parametrize("case", ["everything", "noise", "quick", "failed cells"])
@pytest.mark.parametrize("figure, metric", [("heat_time", "ns_per_op"), ("heat_retained", "retained_rss_b")])
def test_heat_cells_are_the_numbers(runs, figures, case, figure, metric):
    _, summary = runs[case]
    drawn = grid(figures[case][figure])
    works = [work.workload for work in summary.workloads if any(
        metric in cell.metrics for cell in summary.cells if cell.workload == work.workload)]
    cells = {(cell.configuration, cell.workload): cell for cell in summary.cells}
    for y, column in enumerate(summary.columns):
        for x, work in enumerate(works):
            cell = cells.get((column.configuration, work))
            one = cell and cell.metrics.get(metric)
            fill, text, _ = drawn.get((y, x), (None, None, None))
            if one is None:
                assert fill is None, "a cell without numbers is hatched"
            elif one.decision == "baseline":
                assert text == "1" and fill == "#ffffff"
            else:
                assert text == allocator_text.ratio(one)
                want = {"undecided": heat_figure.UNDECIDED, "no verdict": heat_figure.UNDECIDED, "equal": "#ffffff"}
                assert fill == want.get(one.decision, to_hex(heat_figure.colour(one.ratio.estimate)))


def test_hatched_rows_have_no_number(figures):
    ax, = figures["everything"]["heat_time"].axes
    hatched = {int(patch.get_y()) for patch in ax.patches if patch.get_hatch()}
    rows = [y for y, truth in enumerate(CASES["everything"][0]) if truth.state != "ready" or not truth.in_force]
    assert hatched == set(rows)
    for text in ax.texts:
        x, y = text.get_position()
        if int(y) in hatched and 0 <= x and text.get_rotation() == 0:
            assert text.get_text().startswith(("not in force:", "absent:", "wrong:"))


@pytest.mark.parametrize("ratio", [1 / 50, 1 / 8, 0.3, 0.5, 0.8, 0.95, 1.05, 1.3, 2, 4, 8, 50])
def test_letters_can_be_read_on_every_colour(ratio):
    fill = to_hex(heat_figure.colour(ratio))
    assert contrast(fill, heat_figure.ink(fill)) >= 4.5
    assert (to_rgb(fill)[2] > to_rgb(fill)[0]) == (ratio < 1), "blue is better, orange is worse"


def test_a_page_in_the_dark_leaves_the_cells_as_they_are():
    sheet = shell.read_template("report.css")
    for ratio in (1 / 50, 1 / 8, 0.3, 2, 8, 50):
        fill = to_hex(heat_figure.colour(ratio))
        assert f"--c{fill[1:]}" not in sheet and f"--c{heat_figure.ink(fill)[1:]}" not in sheet


def test_deeper_is_further():
    for ratios in ((1.02, 1.1, 1.5, 3, 8), (0.98, 0.9, 0.7, 0.3, 0.125)):
        found = [luminance(heat_figure.colour(x)[:3]) for x in ratios]
        assert found == sorted(found, reverse=True)
    assert heat_figure.colour(8) == heat_figure.colour(100)
    assert contrast(to_hex(heat_figure.colour(1 / 8)), to_hex(heat_figure.colour(8))) >= 3, "told apart in grey print"


# ---- Pareto front

def point(name, time, peak, counts=None):
    return pareto_figure.Point(name, "jemalloc", Estimate(estimate=time, low=time, high=time),
                               Estimate(estimate=peak, low=peak, high=peak), counts or (math.log(time), math.log(peak)))


ONE = Estimate(estimate=1.0, low=None, high=None)
BASELINE = pareto_figure.Point("base", "jemalloc", ONE, ONE, (0.0, 0.0))


@pytest.mark.parametrize("name, points, want", [
    ("one beats all", [point("a", 0.5, 0.5), BASELINE, point("b", 0.6, 0.9)], ["a"]),
    ("a choice", [point("fast", 0.5, 2), BASELINE, point("small", 3, 0.5), point("bad", 3, 3)],
     ["fast", "base", "small"]),
    ("undecided counts as the baseline", [point("lucky", 0.98, 0.99, (0.0, 0.0)), BASELINE], ["base"]),
    ("a step is one per cent", [point("a", 0.5, 0.5), point("b", 0.6, 0.499)], ["a"]),
    ("alone", [BASELINE], ["base"]),
])
def test_front(name, points, want):
    assert [one.name for one in pareto_figure.front(points)] == want


def test_a_quick_run_has_no_front_but_the_baseline(runs):
    """Without verdicts every configuration counts as the baseline does."""
    for work in ("small_churn", "large_blocks"):
        points = pareto_figure.load(runs["quick"][1], work)
        assert len(points) > 3 and not any(one.decided for one in points)
        assert [one.name for one in pareto_figure.front(points)] == ["jemalloc"]


def test_pareto_marks_are_the_numbers(runs, figures):
    _, summary = runs["some"]
    for ax, work in zip(figures["some"]["pareto"].axes, summary.workloads):
        points = pareto_figure.load(summary, work.workload)
        marks = {(line.get_xdata()[0], line.get_ydata()[0]) for line in ax.lines
                 if len(line.get_xdata()) == 1 and line.get_marker() not in ("None", "")}
        assert marks == {(one.time.estimate, one.peak.estimate) for one in points}
        named = " ".join(text.get_text() for text in ax.texts)
        assert all(f": {one.name}" in named for one in pareto_figure.front(points))


# ---- Memory over time

def test_a_panel_shows_its_configuration_and_the_baseline(runs, figures):
    run, summary = runs["some"]
    _, curves = timeline_figure.load(run)
    axes = figures["some"]["rss_over_time"].axes
    assert {ax.get_title(loc="left") for ax in axes} == set(curves) and len(axes) == len(curves) > 3
    for ax in axes:
        name = ax.get_title(loc="left")
        mine = [line for line in ax.lines if line.get_label() == name]
        assert np.allclose(mine[0].get_ydata(), np.median(curves[name], axis=0)) and len(mine) == 1
        others = [line.get_ydata() for line in ax.lines if line.get_linewidth() == 0.7]
        assert len(others) == (name != summary.baseline)
        assert all(np.allclose(y, np.median(curves[summary.baseline], axis=0)) for y in others)
        assert ax.get_ylim() == axes[0].get_ylim() and ax.get_xlim() == axes[0].get_xlim()


def test_allocators_have_no_colour_of_a_side():
    assert not {look.colour for look in allocator_style.LOOKS.values()} & {side.colour for side in style.SIDES.values()}


def test_equal_is_framed_and_undecided_is_not(figures):
    def widths(case, colour):
        ax, = figures[case]["heat_time"].axes
        return {patch.get_linewidth() for patch in ax.patches if to_rgb(patch.get_facecolor()) == to_rgb(colour)}
    assert widths("quick", heat_figure.UNDECIDED) == {0.4} and 0.7 in widths("some", "#ffffff")



# ---- Does the allocator change the answer?

def crossing(configuration, *sizes, state="crossing", faster=None, winner="pointer"):
    return Crossover(pair="factory", configuration=configuration, state=state, faster=faster, sentence="", smallest=8,
                     largest=4096, winners=(Winner(size=8, faster="value"), Winner(size=4096, faster=winner)),
                     sizes=tuple(Crossing(estimate=e, low=low, high=high, faster_below=below)
                                 for e, low, high, below in sizes))


@pytest.mark.parametrize("name, row, want, words", [
    ("one", crossing("a", (64, 60, 70, "value")), [(8, 64, "value"), (64, 4096, "pointer")], "between 60 and 70 B"),
    ("two", crossing("a", (64, 60, 70, "value"), (512, 500, 600, "pointer")),
     [(8, 64, "value"), (64, 512, "pointer"), (512, 4096, "value")], "2 crossovers"),
    ("none", crossing("a", state="none", faster="value"), [(8, 4096, "value")], "value wins throughout"),
    ("not everywhere", crossing("a", state="none", faster="value", winner=None), [(8, 4096, "value")],
     "value wins at 1 of 2 sizes"),
    ("unclear", crossing("a", state="unclear"), [], "no clear winner"),
    ("few", crossing("a", state="few"), [], "too few launches"),
])
def test_segments(name, row, want, words):
    assert allocator_crossover_figure.segments(row) == want and allocator_crossover_figure.words(row) == words


@pytest.mark.parametrize("name, rows, want", [
    ("moved both ways", [crossing("base", (64, 60, 70, "value")), crossing("up", (200, 150, 300, "value")),
                         crossing("down", (20, 16, 30, "value")), crossing("same", (66, 61, 72, "value"))],
     "factory: the crossover lies higher than with base: up; lower than with base: down."),
    ("not moved", [crossing("base", (64, 60, 70, "value")), crossing("same", (66, 61, 72, "value"))],
     "factory: no configuration moves the crossover for certain."),
    ("a crossover that the baseline has not", [crossing("base", state="none", faster="value"),
                                               crossing("a", (66, 61, 72, "value")), crossing("b", state="unclear"),
                                               crossing("c", state="none", faster="pointer")],
     "factory: with base, value wins wherever a winner is clear; not so with a, c."),
    ("one winner for all", [crossing("base", state="none", faster="value"),
                            crossing("a", state="none", faster="value")],
     "factory: with base, value wins wherever a winner is clear; no configuration changes that."),
    ("nothing to compare with", [crossing("base", state="few"), crossing("a", (66, 61, 72, "value"))],
     "factory: base has no single crossover to compare others with."),
])
def test_who_moves_the_crossover(name, rows, want):
    assert allocator_crossover_figure.sentence(rows, "base") == want


@pytest.mark.parametrize("rows, want", [
    ([crossing("up", (200, 150, 300, "value")), crossing("base", (64, 60, 70, "value")),
      crossing("same", (66, 61, 72, "value"))], ["base", "up"]),
    ([crossing("base", state="none", faster="value"), crossing("a", state="none", faster="value"),
      crossing("b", state="unclear"), crossing("c", state="none", faster="pointer")], ["base", "c"]),
    ([crossing("a", state="unclear"), crossing("base", state="few")], ["a", "base"]),
    ([crossing("a", state="unclear"), crossing("b", state="none", faster="value")], ["a", "b"]),
])
def test_only_who_differs_is_drawn(rows, want):
    assert [row.configuration for row in allocator_crossover_figure.shown(rows, "base")] == want


def test_allocators_are_told_apart_without_colour():
    looks = [*allocator_style.LOOKS.values(), allocator_style.OTHER]
    assert len({look.marker for look in looks}) == len({look.colour for look in looks}) == len(looks)
    assert all(contrast(look.colour, "#ffffff") >= 2.5 for look in looks)


def test_fitted_fits():
    text = allocator_style.fitted("word " * 40, 1.0, style.TEXT_PT)
    assert text.endswith("…") and style.text_width_in(text, style.TEXT_PT) <= 1.0
    assert allocator_style.fitted("short", 1.0, style.TEXT_PT) == "short"
    names = [allocator_style.fitted(LONG + end, 1.5, style.TEXT_PT, middle=True) for end in ("-1", "-2")]
    assert names[0] != names[1] and all(style.text_width_in(name, style.TEXT_PT) <= 1.5 for name in names)
    assert names[0].startswith("a-name") and names[0].endswith("own-1") and "…" in names[0]
    assert allocator_style.fitted("short", 1.0, style.TEXT_PT, middle=True) == "short"
