# SPDX-License-Identifier: MIT
"""The figures' marks stand at the numbers that they show."""
import math

import pytest
from matplotlib.colors import to_rgb

from drawn import CASES, row, summary
from plots.figures import crossover_figure, style, verdicts_figure
from plots.judge import pair_summary


def rows_of_verdicts(fig, document):
    """{row name: its lines}, by the height of the row's mark in the picture."""
    ax, = fig.axes
    sizes = {text.get_position()[1]: text.get_text() for text in ax.texts
             if text.get_position()[0] == verdicts_figure.beside(verdicts_figure.LABEL_IN)
             and text.get_text() != "size"}
    assert len(sizes) == len(document["rows"])
    heights = sorted(sizes)
    for y, wanted in zip(heights, document["rows"]):
        assert sizes[y] == str(wanted["size"])
    return {wanted["row"]: [line for line in ax.lines if len(line.get_ydata()) and line.get_ydata()[0] == y]
            for y, wanted in zip(heights, document["rows"])}


def test_verdict_marks_stand_at_their_numbers(figures):
    document = CASES["every verdict"]
    lines_of = rows_of_verdicts(figures["every verdict"]["ratios"], document)
    looks = set()
    for wanted in document["rows"]:
        spread, bar, mark = lines_of[wanted["row"]]
        assert list(mark.get_xdata()) == [wanted["ratio"]["estimate"]]
        assert list(bar.get_xdata()) == [wanted["ratio"]["low"], wanted["ratio"]["high"]]
        assert list(spread.get_xdata()) == [wanted["spread"]["p10"], wanted["spread"]["p90"]]
        assert bar.get_linewidth() > 2 * spread.get_linewidth()
        hollow = mark.get_markerfacecolor() == "white"
        assert hollow == (wanted["verdict"] in ("leans value", "leans pointer", "placement decides", "undecided"))
        looks.add((mark.get_marker(), hollow))
    assert len(looks) == len(document["rows"]), "two verdicts look alike without colour"


def test_verdicts_without_interval_are_hollow_and_bare(figures):
    document = CASES["quick"]
    lines_of = rows_of_verdicts(figures["quick"]["ratios"], document)
    for wanted in document["rows"]:
        spread, mark = lines_of[wanted["row"]]
        assert mark.get_markerfacecolor() == "white"
        assert list(spread.get_xdata()) == [wanted["spread"]["p10"], wanted["spread"]["p90"]]


def test_failed_row_has_no_mark(figures):
    lines_of = rows_of_verdicts(figures["failed"]["ratios"], CASES["failed"])
    assert lines_of["pass/size=16"] == [] and len(lines_of["pass/size=8"]) == 3


def test_ratio_beyond_the_axis_is_an_arrowhead_at_its_edge(figures):
    fig = figures["extremes"]["ratios"]
    low, high = fig.axes[0].get_xlim()
    assert low < 1 / 30 and 30 < high
    lines_of = rows_of_verdicts(fig, CASES["extremes"])
    for name, edge, marker in (("beyond/size=1", high, ">"), ("beyond/size=33554432", low, "<")):
        mark = lines_of[name][-1]
        assert (list(mark.get_xdata()), mark.get_marker()) == ([edge], marker)
    assert list(lines_of["wide/size=1"][-1].get_xdata()) == [1 / 30]


@pytest.mark.parametrize("case", CASES)
def test_verdict_axis_is_log2_with_a_line_at_1(figures, case):
    ax, = figures[case]["ratios"].axes
    assert ax.get_xscale() == "log" and ax.xaxis.get_transform().base == 2
    assert any(list(line.get_xdata()) == [1, 1] and line.get_linewidth() >= 0.9 for line in ax.lines)
    assert 1 in ax.get_xticks()
    assert ax.get_xlim()[0] < 1 < ax.get_xlim()[1]


def spans(ax, colour):
    # Bands are polygons or rectangles, as the version of matplotlib has it: from bottom to top in each.
    extents = [p.get_patch_transform().transform_path(p.get_path()).get_extents() for p in ax.patches
               if to_rgb(p.get_facecolor()) == to_rgb(colour)]
    return [(box.x0, box.x1) for box in extents if (box.y0, box.y1) == (0, 1)]


def test_noise_floor_is_the_wider_of_both_floors(figures):
    ax, = figures["every verdict"]["ratios"].axes
    assert spans(ax, style.FLOOR_INTERVAL) == [(0.996, 1.002)]
    assert spans(ax, style.FLOOR_SPREAD) == [(0.88, 1.13)]
    ax, = figures["one row"]["ratios"].axes
    assert spans(ax, style.FLOOR_INTERVAL) == spans(ax, style.FLOOR_SPREAD) == []


def test_crossover_curves_are_the_numbers(figures):
    low_ax, top_ax, _ = figures["a hundred rows"]["crossover_pass"].axes
    rows = [r for r in CASES["a hundred rows"]["rows"] if r["pair"] == "pass"]
    assert top_ax.get_xscale() == top_ax.get_yscale() == "log"
    for side, band in zip(("value", "pointer"), top_ax.collections):
        line, = (line for line in top_ax.lines if line.get_label() == side)
        assert list(line.get_xdata()) == [r["size"] for r in rows]
        assert list(line.get_ydata()) == [r[f"{side}_ns_per_op"]["estimate"] for r in rows]
        corners = {tuple(corner) for corner in band.get_paths()[0].vertices}
        for r in rows:
            assert (r["size"], r[f"{side}_ns_per_op"]["low"]) in corners
            assert (r["size"], r[f"{side}_ns_per_op"]["high"]) in corners
    marks = {line.get_xdata()[0]: line.get_ydata()[0] for line in low_ax.lines
             if len(line.get_xdata()) == 1 and line.get_marker() != "None"}
    assert marks == {r["size"]: r["ratio"]["estimate"] for r in rows}


def test_what_octaves_hide_is_drawn_once_more(figures):
    """Ratios near 1 at their places, the others as arrowheads at the edge that they lie beyond."""
    rows = [r for r in CASES["a hundred rows"]["rows"] if r["pair"] == "wide"]
    low_ax, _, near_ax = figures["a hundred rows"]["crossover_wide"].axes
    assert near_ax.get_ylim() == (0.8, 1.25) and low_ax.get_ylim()[1] > 30
    arrows = {line.get_xdata()[0]: line.get_marker() for line in near_ax.lines if line.get_marker() in ("^", "v")}
    assert arrows == {r["size"]: "^" if r["ratio"]["estimate"] > 1 else "v" for r in rows
                      if not 0.8 <= r["ratio"]["estimate"] <= 1.25} and 0 < len(arrows) < len(rows)
    assert len(figures["a failed size"]["crossover_pass"].axes) == 2, "where nothing is hidden, nothing is repeated"


def test_value_and_pointer_differ_without_colour(figures):
    _, top_ax = figures["a failed size"]["crossover_pass"].axes
    value, pointer = (next(line for line in top_ax.lines if line.get_label() == side) for side in ("value", "pointer"))
    assert value.get_marker() != pointer.get_marker()
    assert value.get_linestyle() == "-" and pointer.get_linestyle() == "--"


@pytest.mark.parametrize("case, bands, lines", [
    ("a hundred rows", [(18, 23)], [20]),
    ("quick", [], [20]),
    ("many crossovers", [(8, 9), (8, 10), (16.5, 20), (50000, 65000)], [8.5, 9, 17, 60000]),
    ("a failed size", [], []),
])
def test_crossover_is_marked_with_its_interval(figures, case, bands, lines):
    for ax in figures[case]["crossover_pass"].axes:
        assert spans(ax, crossover_figure.CROSSOVER) == bands
        assert [line.get_xdata()[0] for line in ax.lines if line.get_color() == crossover_figure.CROSSOVER] == lines


def test_failed_size_leaves_a_gap_and_a_cross(figures):
    _, top_ax = figures["a failed size"]["crossover_pass"].axes
    line, = (line for line in top_ax.lines if line.get_label() == "value")
    assert list(line.get_xdata()) == [8, 16, 24, 32]
    assert [math.isnan(y) for y in line.get_ydata()] == [False, True, False, False]
    assert [list(line.get_xdata()) for line in top_ax.lines if line.get_marker() == "x"] == [[16]]


@pytest.mark.parametrize("name, sizes, value_ns, want", [
    ("jump up", (16, 17), (1, 1.3), [(16, 17)]),
    ("jump down", (256, 257), (2, 1.5), [(256, 257)]),
    ("too small a jump", (16, 17), (1, 1.2), []),
    ("sizes too far apart", (16, 24), (1, 9), []),
    ("two of three", (255, 256, 257), (1, 2, 4), [(255, 256), (256, 257)]),
])
def test_cliffs(name, sizes, value_ns, want):
    rows = [row(f"p/size={n}", 1 / ns, value_ns=ns) for n, ns in zip(sizes, value_ns)]
    assert crossover_figure.cliffs(crossover_figure.load(pair_summary.read(summary(rows)), "p")) == want


def test_allocation_marks_are_the_counts(figures):
    document = CASES["a hundred rows"]
    shown = [r for r in document["rows"] if r["pair"] in ("pass", "factory", "mutate")]
    left, right = figures["a hundred rows"]["allocations"].axes
    for ax, key in ((left, "allocs_per_op"), (right, "granted_b_per_op")):
        for side, marker in (("value", "o"), ("pointer", "D")):
            marks = sorted((line.get_ydata()[0], line.get_xdata()[0]) for line in ax.lines
                           if line.get_marker() == marker)
            assert [x for _, x in marks] == [r["counts"][side][key] for r in shown]
    asked = sorted((line.get_ydata()[0], line.get_xdata()[0]) for line in right.lines if line.get_marker() == "|")
    assert [x for _, x in asked] == [r["counts"]["pointer"]["asked_b_per_op"] for r in shown
                                     if r["counts"]["pointer"]["asked_b_per_op"] !=
                                     r["counts"]["pointer"]["granted_b_per_op"]]


def test_counts_that_differ_are_hollow(figures):
    for ax in figures["counts differ"]["allocations"].axes:
        marks = sorted((line.get_ydata()[0], line.get_markerfacecolor()) for line in ax.lines
                       if line.get_marker() == "D")
        assert [face for _, face in marks] == ["white", style.POINTER.colour]


@pytest.mark.parametrize("sizes, value_ns, how, want", [
    ((16, 24), (1, 9), "vector moves", [(16, 24)]),
    ((16, 24), (1, 1.5), "vector moves", []),  # the size explains it
    ((16, 24), (1, 9), None, []),
    ((16, 32), (1, 9), "vector moves", []),
])
def test_a_cliff_where_the_code_changes(sizes, value_ns, how, want):
    rows = [row(f"p/size={n}", 1 / ns, value_ns=ns) for n, ns in zip(sizes, value_ns)]
    for one, ways in zip(rows, ([], [how] if how else [])):
        one["why"] = {"counters": None, "copies": {"value": [{"how": way, "bytes": 16, "moves": 1, "width_b": 16}
                                                             for way in ways], "pointer": []}}
    assert crossover_figure.cliffs(crossover_figure.load(pair_summary.read(summary(rows)), "p")) == want


@pytest.mark.parametrize("names, want", [
    (({},), ("pointer faster", "value faster")),
    (({"value": "table", "pointer": "tree"},) * 2, ("tree faster", "table faster")),
    (({"pointer": "list"},), ("list faster", "value faster")),
    (({"pointer": "list"}, {"pointer": "tree"}), ("pointer faster", "value faster")),  # two pairs
    (({"value": "a name that is long", "pointer": "another name that is long"},), ("pointer faster", "value faster")),
])
def test_the_axis_of_one_pair_calls_its_sides_by_their_names(names, want):
    rows = pair_summary.read(summary([row(f"p/size={n}") | ({"labels": each} if each else {})
                                      for n, each in enumerate(names, start=1)])).rows
    assert verdicts_figure.directions(verdicts_figure.arrange(rows)[0]) == want
