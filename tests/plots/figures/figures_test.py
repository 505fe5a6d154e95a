# SPDX-License-Identifier: MIT
"""The figures, held against the summary that they were drawn from: marks at its numbers, words inside the page."""

import argparse
import copy
import errno
import io
import itertools
import json
import math
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.text import Text

from places import ROOT
import synthetic
from plots import __main__ as plots_main
from plots.figures import allocations_figure, charts, crossover_figure, style, verdicts_figure

MANIFEST = synthetic.manifest([synthetic.Truth("pass", 64)], synthetic.Plan())
MANIFEST["machine"].update(cpu="Synthetic $CPU$ 7763", virtual="kvm")
QUESTION = "What does it cost?"


def three(estimate, width=0.01):
    if estimate is None:
        return None
    if width is None:
        return {"estimate": estimate, "low": None, "high": None}
    return {"estimate": estimate, "low": estimate / (1 + width), "high": estimate * (1 + width)}


def count(allocs, asked, granted):
    return {"allocs_per_op": allocs, "asked_b_per_op": asked, "granted_b_per_op": granted, "peak_b": granted}


def row(name, ratio=1.5, verdict="value faster", value_ns=4.0, width=0.01, spread=0.05, value=(0, 0, 0),
        pointer=(0, 0, 0), status="exact", detail=None, equal_within=None, question=QUESTION, failed=None):
    """A row of summary.json; `name` as pair/size=n, widths relative, None: no interval. Failed rows have no numbers."""
    pair, size = name.split("/size=")
    if failed:
        ratio, value_ns, status, verdict = None, None, "missing", "failed"
    counted = status in ("exact", "differs")
    return {
        "row": name, "pair": pair, "size": int(size), "lesson": pair, "question": question, "launches": 20, "left_out": 0,
        "layouts": 64, "value_ns_per_op": three(value_ns, width), "ratio": three(ratio, width),
        "pointer_ns_per_op": three(ratio and value_ns * ratio, width),
        "spread": ratio and {"p10": ratio / (1 + spread), "p90": ratio * (1 + spread)},
        "verdict": verdict, "equal_within": equal_within, "sentence": "a sentence",
        "stopped": {"look": 1, "of": 1, "why": "failed" if failed else "fixed"}, "solo": None,
        "counts": {"status": status, "detail": detail, "value": count(*value) if counted else None,
                   "pointer": count(*pointer) if counted else None},
        "failed": failed and {"reason": failed[0], "detail": failed[1]}}


def summary(rows, quick=False, floors=None, crossovers=()):
    return {"schema": "ampersand/summary/1", "quick": quick, "configuration": "default",
            "rule": {"threshold": 0.002, "confidence": 0.95, "correction": f"Bonferroni over {len(rows)} rows",
                     "interval": "order statistics of the launches"},
            "floors": floors or {"clockwork": None, "placement": None},
            "neighbours": {"blocks": 0, "disturbed": 0, "launches": 0, "left_out": 0}, "rows": list(rows),
            "crossovers": list(crossovers), "geometric_mean": []}


def floor(name, low, high, p10, p90):
    return {"row": name, "ratio": {"estimate": 1.0, "low": low, "high": high}, "spread": {"p10": p10, "p90": p90}}


def crossing(pair, *sizes):
    return {"pair": pair, "sentence": "value wins below, pointer above", "sizes": [
        {"estimate": e, "low": low, "high": high, "faster_below": "value"} for e, low, high in sizes]}


FLOORS = {"clockwork": floor("null/size=16", 0.999, 1.002, 0.998, 1.003),
          "placement": floor("null_placed/size=16", 0.996, 1.001, 0.88, 1.13)}
VERDICTS = [("value faster", 1.5), ("leans value", 1.1), ("pointer faster", 0.6), ("leans pointer", 0.95),
            ("equal", 1.001), ("placement decides", 0.999), ("undecided", 1.004)]


def sweep(pair="pass", verdict=None, **kwargs):
    """Value grows with the size and jumps at 257; pointer does not. They cross between 16 and 24."""
    rows = []
    for n in synthetic.SWEEP:
        value_ns = (1.0 + n / 24) * (1.5 if n > 256 else 1)
        ratio = 1.9 / value_ns
        faster = "value faster" if ratio > 1 else "pointer faster"
        rows.append(row(f"{pair}/size={n}", ratio, verdict or faster, value_ns, value=(0, 0, 0),
                        pointer=(1, n, synthetic.size_class(n)), **kwargs))
    return rows


def wide():
    return [row(f"wide/size={2 ** n}", 30 ** ((n - 5) / 5), "value faster" if n > 5 else "pointer faster")
            for n in range(11)]


CASES = {
    "every verdict": summary([row(f"v/size={n + 1}", ratio, verdict, equal_within=0.005 if verdict == "equal" else None)
                              for n, (verdict, ratio) in enumerate(VERDICTS)], floors=FLOORS),
    "a hundred rows": summary([*sweep("pass"), *sweep("factory"), *sweep("mutate"), *wide(), row("null/size=16", 1.0),
                               row("null_placed/size=16", 1.0), row("known_five/size=1000", 1.05)],
                              floors=FLOORS, crossovers=[crossing("pass", (20, 18, 23))]),
    "one row": summary([row("pass/size=64")]),
    "two sizes": summary([row("pass/size=64"), row("pass/size=65", 0.7, "pointer faster")]),
    "quick": summary([*sweep(width=None, verdict="no verdict"), row("null/size=16", 1, "no verdict", width=None)],
                     quick=True, crossovers=[crossing("pass", (20, None, None))]),
    "failed": summary([row("pass/size=8"), row("pass/size=16", failed=("signal", "SIGSEGV")), row("pass/size=24"),
                       row("mutate/size=8", failed=("timeout", "no end within 60 s, and killed"))]),
    "all failed": summary([row(f"pass/size={n}", failed=("memory", "limit reached")) for n in (8, 16)]),
    "extremes": summary([*wide(), row("beyond/size=1", 900.0),
                         row("beyond/size=33554432", 1 / 2500, "pointer faster"), row("beyond/size=1234567890")]),
    "counts refused": summary([row(f"pass/size={n}", status="refused", detail="malloc is not jemalloc's")
                               for n in (8, 16)]),
    "counts differ": summary([row("factory/size=17", value=(0, 0, 0), pointer=(2, 17, 32), status="differs"),
                              row("factory/size=24", pointer=(1, 24, 32))]),
    "many counts": summary([row("list/size=1", value=(1000, 123456, 131072), pointer=(0.25, 8, 8)),
                            row("list/size=2", value=(3, 4e9, 4.1e9), pointer=(1, 1, 8))]),
    "many crossovers": summary(sweep(), crossovers=[crossing("pass", (8.5, 8, 9), (9, 8, 10), (17, 16.5, 20),
                                                             (60000, 50000, 65000))]),
    "long words": summary([row("a_pair_with_a_rather_long_name_that_someone_chose/size=8",
                               question="Is it " + "very " * 40 + "long?"),
                           row("dollar/size=4096", question="What do $5 and 100 % and a_b^c cost in $?")]),
}


class Once(dict):
    """What `make` gives for a case, made when it is first asked for."""

    def __init__(self, make):
        super().__init__()
        self.make = make

    def __missing__(self, case):
        self[case] = self.make(case)
        return self[case]


@pytest.fixture(scope="module")
def figures():
    return Once(lambda case: charts.draw(copy.deepcopy(CASES[case]), MANIFEST))


def texts(fig):
    """(text, box in pixels) of all letters on a figure that has been drawn."""
    fig.canvas.draw()
    renderer = fig.canvas.get_renderer()
    return [(text.get_text(), text.get_window_extent(renderer)) for text in fig.findobj(Text)
            if text.get_visible() and text.get_text().strip()]


@pytest.fixture(scope="module")
def words(figures):
    """{case: {figure: (fig, its texts with their boxes)}}"""
    return Once(lambda case: {name: (fig, texts(fig)) for name, fig in figures[case].items()})


def check_no_text_leaves_the_page(drawn):
    for name, (fig, found) in drawn.items():
        assert found
        for text, box in found:
            assert 0 <= box.x0 and box.x1 <= fig.bbox.x1, f"{name}: {text!r} leaves the page sideways: {box}"
            assert 0 <= box.y0 and box.y1 <= fig.bbox.y1, f"{name}: {text!r} leaves the page: {box}"


def check_no_text_covers_another(drawn):
    for name, (_, found) in drawn.items():
        x0, y0, x1, y1 = (edge[:, None] for edge in np.array([box.extents for _, box in found]).T)
        across = np.minimum(x1, x1.T) - np.maximum(x0, x0.T)
        along = np.minimum(y1, y1.T) - np.maximum(y0, y0.T)
        # Boxes of neighbouring lines touch, their letters do not: that is what 3 pixels are for.
        covering = np.argwhere(np.triu((across > 1.5) & (along > 3), 1))
        assert len(covering) == 0, [f"{name}: {found[a][0]!r} covers {found[b][0]!r}" for a, b in covering]


@pytest.mark.parametrize("case", CASES)
def test_no_text_leaves_the_page(words, case):
    check_no_text_leaves_the_page(words[case])


@pytest.mark.parametrize("case", CASES)
def test_no_text_covers_another(words, case):
    check_no_text_covers_another(words[case])


@pytest.mark.parametrize("case, names", [
    ("one row", {"verdicts", "allocations"}),
    ("two sizes", {"verdicts", "crossover_pass", "allocations"}),
    ("failed", {"verdicts", "crossover_pass", "allocations"}),
    ("all failed", {"verdicts", "allocations"}),
    ("a hundred rows", {"verdicts", "crossover_pass", "crossover_factory", "crossover_mutate", "crossover_wide",
                        "allocations"}),
])
def test_which_figures_there_are(figures, case, names):
    assert set(figures[case]) == names


def letters(fig):
    """What a reader of the SVG reads: the text of its <text> elements."""
    svg = io.BytesIO()
    with style.applied():
        fig.savefig(svg, format="svg")
    return [" ".join("".join(element.itertext()).split())
            for element in ElementTree.fromstring(svg.getvalue()).iter("{http://www.w3.org/2000/svg}text")]


@pytest.mark.parametrize("case, figure, words", [
    ("every verdict", "verdicts", ["← pointer faster", "value faster →", "1×", "equal (0.5 %)", "undecided",
                                   "placement decides", "leans value", "leans pointer", "0.600", "0.594..0.606",
                                   "noise floor, spread", "v: What does it cost?"]),
    ("quick", "verdicts", ["no verdict", "spread over layouts", "A quick run: ratios and spreads, no verdicts"]),
    ("failed", "verdicts", ["failed", "signal: SIGSEGV", "timeout: no end within 60 s, and killed"]),
    ("extremes", "verdicts", ["30.00", "1/30.00", "900", "1/2500", "33554432"]),
    ("long words", "verdicts", ["dollar: What do $5 and 100 % and a_b^c cost in $?"]),
    ("a hundred rows", "crossover_pass", ["crossover 20 B (18 B to 23 B)", "256 | 257", "value", "pointer", "64Ki",
                                          "Crossover: value wins below, pointer above", "value faster ↑",
                                          "pointer faster ↓", "size in bytes"]),
    ("quick", "crossover_pass", ["crossover 20 B"]),
    ("failed", "crossover_pass", ["failed"]),
    ("a hundred rows", "allocations", ["factory", "allocations/op", "65,536"]),
    ("counts refused", "allocations", ["Counts refused (malloc is not jemalloc's): pass."]),
    ("one row", "allocations", ["No allocation on either side: pass."]),
    ("counts differ", "allocations", ["Counts that changed between launches, which is an error: factory (size 17).",
                                      "hollow: changed between launches"]),
    ("many counts", "allocations", ["1000", "0.25", "131,072"]),
])
def test_words_in_the_svg(figures, case, figure, words):
    found = letters(figures[case][figure])
    for word in words:
        assert word in found, f"{word!r} is not among {found}"


@pytest.mark.parametrize("figure", ["verdicts", "crossover_pass", "allocations"])
def test_figure_names_machine_and_compiler(figures, figure):
    found = " ".join(letters(figures["two sizes"][figure]))
    for word in ("Synthetic $CPU$ 7763, 2 CPUs, in a virtual machine (kvm)", "gcc 12.2.0 -O2", "jemalloc 5.3.0",
                 "20 launches, 64 layouts"):
        assert word in found


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
    lines_of = rows_of_verdicts(figures["every verdict"]["verdicts"], document)
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
    lines_of = rows_of_verdicts(figures["quick"]["verdicts"], document)
    for wanted in document["rows"]:
        spread, mark = lines_of[wanted["row"]]
        assert mark.get_markerfacecolor() == "white"
        assert list(spread.get_xdata()) == [wanted["spread"]["p10"], wanted["spread"]["p90"]]


def test_failed_row_has_no_mark(figures):
    lines_of = rows_of_verdicts(figures["failed"]["verdicts"], CASES["failed"])
    assert lines_of["pass/size=16"] == [] and len(lines_of["pass/size=8"]) == 3


def test_ratio_beyond_the_axis_is_an_arrowhead_at_its_edge(figures):
    fig = figures["extremes"]["verdicts"]
    low, high = fig.axes[0].get_xlim()
    assert low < 1 / 30 and 30 < high
    lines_of = rows_of_verdicts(fig, CASES["extremes"])
    for name, edge, marker in (("beyond/size=1", high, ">"), ("beyond/size=33554432", low, "<")):
        mark = lines_of[name][-1]
        assert (list(mark.get_xdata()), mark.get_marker()) == ([edge], marker)
    assert list(lines_of["wide/size=1"][-1].get_xdata()) == [1 / 30]


@pytest.mark.parametrize("case", CASES)
def test_verdict_axis_is_log2_with_a_line_at_1(figures, case):
    ax, = figures[case]["verdicts"].axes
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
    ax, = figures["every verdict"]["verdicts"].axes
    assert spans(ax, style.FLOOR_INTERVAL) == [(0.996, 1.002)]
    assert spans(ax, style.FLOOR_SPREAD) == [(0.88, 1.13)]
    ax, = figures["one row"]["verdicts"].axes
    assert spans(ax, style.FLOOR_INTERVAL) == spans(ax, style.FLOOR_SPREAD) == []


def test_crossover_curves_are_the_numbers(figures):
    low_ax, top_ax = figures["a hundred rows"]["crossover_pass"].axes
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


def test_value_and_pointer_differ_without_colour(figures):
    _, top_ax = figures["two sizes"]["crossover_pass"].axes
    value, pointer = (next(line for line in top_ax.lines if line.get_label() == side) for side in ("value", "pointer"))
    assert value.get_marker() != pointer.get_marker()
    assert value.get_linestyle() == "-" and pointer.get_linestyle() == "--"


@pytest.mark.parametrize("case, bands, lines", [
    ("a hundred rows", [(18, 23)], [20]),
    ("quick", [], [20]),
    ("many crossovers", [(8, 9), (8, 10), (16.5, 20), (50000, 65000)], [8.5, 9, 17, 60000]),
    ("two sizes", [], []),
])
def test_crossover_is_marked_with_its_interval(figures, case, bands, lines):
    for ax in figures[case]["crossover_pass"].axes:
        assert spans(ax, crossover_figure.CROSSOVER) == bands
        assert [line.get_xdata()[0] for line in ax.lines if line.get_color() == crossover_figure.CROSSOVER] == lines


def test_failed_size_leaves_a_gap_and_a_cross(figures):
    _, top_ax = figures["failed"]["crossover_pass"].axes
    line, = (line for line in top_ax.lines if line.get_label() == "value")
    assert list(line.get_xdata()) == [8, 16, 24] and [math.isnan(y) for y in line.get_ydata()] == [False, True, False]
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
    assert crossover_figure.cliffs(crossover_figure.load(summary(rows), "p")) == want


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


@pytest.mark.parametrize("name, rows, want", [
    ("nothing allocates", [row("a/size=1"), row("a/size=2"), row("b/size=1")],
     ["No allocation on either side: a, b."]),
    ("some do", [row("a/size=1"), row("a/size=2", pointer=(1, 8, 8)), row("a/size=3")],
     ["No allocation on either side: a (size 1, 3)."]),
    ("none silent", [row("a/size=1", value=(1, 8, 8))], []),
    ("two reasons", [row("a/size=1", status="refused", detail="x"), row("b/size=1", status="refused", detail="y"),
                     row("c/size=1", failed=("exit", "1"))],
     ["Counts refused (x): a.", "Counts refused (y): b.", "Not counted: c."]),
])
def test_sentences(name, rows, want):
    loaded = allocations_figure.load(summary(rows))
    assert allocations_figure.problems(loaded) + allocations_figure.silence(loaded) == want


@pytest.mark.parametrize("low, high, most, want", [
    (1 / 32, 8, 12, [1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8]),
    (1 / 4096, 4, 6, [1 / 4096, 1 / 512, 1 / 64, 1 / 8, 1]),
    (0.93, 1.07, 12, [0.94, 0.96, 0.98, 1, 1.02, 1.04, 1.06]),
    (0.999, 1.001, 12, [1]),
    (0.6, 3, 12, [1, 1.5, 2, 2.5, 3]),
])
def test_ratio_ticks(low, high, most, want):
    assert style.ratio_ticks(low, high, most) == pytest.approx(want)


@pytest.mark.parametrize("text, width_in, want", [
    ("one two", 5, ["one two"]), ("one\ntwo", 5, ["one", "two"]), ("", 5, [""]), ("ab", 0.01, ["a", "b"]),
])
def test_wrap(text, width_in, want):
    assert style.wrap(text, 9, width_in) == want


def test_wrap_loses_no_letter_and_fits():
    text = "A line of words, " * 30 + "x" * 400
    lines = style.wrap(text, 9, 3)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(style.text_width_in(line, 9) <= 3 for line in lines)


def luminance(colour):
    """Relative luminance, as WCAG 2 defines it."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a, b):
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_colours_are_told_apart_in_grey_and_letters_are_readable():
    assert contrast(style.VALUE.colour, style.POINTER.colour) >= 3
    for colour in {mark.text for mark in style.VERDICTS.values()} | {style.FAINT, crossover_figure.CROSSOVER}:
        assert contrast(colour, style.STRIPE) >= 4.5


def run_folder(path, document, manifest=MANIFEST):
    path.mkdir(exist_ok=True)
    for name, content in (("summary.json", document), ("manifest.json", manifest)):
        (path / name).write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def draw_charts(*arguments):
    return plots_main.guarded(["charts", *map(str, arguments)])


def test_charts_writes_prints_and_repeats_itself(tmp_path, capsys):
    run = run_folder(tmp_path / "run", CASES["failed"])
    assert draw_charts(run) == 0
    printed = capsys.readouterr().out.split()
    names = [f"{name}.{kind}" for name in ("verdicts", "crossover_pass", "allocations") for kind in ("svg", "png")]
    assert printed == [str(run / "figures" / name) for name in names]
    assert sorted(path.name for path in (run / "figures").iterdir()) == sorted(names)
    again = subprocess.run([sys.executable, "-m", "plots", "charts", run, "--out", tmp_path / "again"], cwd=ROOT,
                           env=os.environ | {"SOURCE_DATE_EPOCH": "1", "PYTHONHASHSEED": "7"}, capture_output=True)
    assert again.returncode == 0, again.stderr
    for name in names:
        first, second = (run / "figures" / name).read_bytes(), (tmp_path / "again" / name).read_bytes()
        assert first == second, f"{name} differs from one drawing to the next"
    svg = (run / "figures" / "verdicts.svg").read_text()
    assert "<dc:date>" not in svg and not re.search(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}T", svg)


def test_png_is_twice_a_readme_wide_and_not_blank(figures):
    png = charts.encode({"verdicts": figures["two sizes"]["verdicts"]})["verdicts.png"]
    pixels = matplotlib.image.imread(io.BytesIO(png))
    assert pixels.shape[1] == 1660
    edge = np.concatenate([pixels[0, :, :3], pixels[-1, :, :3], pixels[:, 0, :3], pixels[:, -1, :3]])
    assert (edge == 1).all(), "ink at the very edge"
    assert 0.005 < (pixels[..., :3].min(axis=2) < 0.5).mean() < 0.3


def test_a_users_matplotlibrc_changes_nothing(figures):
    want = charts.encode({"v": figures["one row"]["verdicts"]})["v.svg"]
    with matplotlib.rc_context({"svg.fonttype": "path", "font.size": 30, "savefig.bbox": "tight", "text.color": "red"}):
        assert charts.encode({"v": charts.draw(CASES["one row"], MANIFEST)["verdicts"]})["v.svg"] == want


def test_no_pyplot_and_no_display():
    code = "import sys, plots.figures.charts; sys.exit('matplotlib.pyplot' in sys.modules)"
    environment = {key: value for key, value in os.environ.items() if key not in ("DISPLAY", "MPLBACKEND")}
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment).returncode == 0


def test_old_crossover_goes_and_other_files_stay(tmp_path):
    run = run_folder(tmp_path / "run", CASES["one row"])
    (run / "figures").mkdir()
    for name in ("crossover_gone.svg", "crossover_gone.png", "crossover_notes.txt", "mine.svg"):
        (run / "figures" / name).write_text("old")
    assert draw_charts(run) == 0
    left = {path.name for path in (run / "figures").iterdir()}
    assert left == {"verdicts.svg", "verdicts.png", "allocations.svg", "allocations.png", "crossover_notes.txt",
                    "mine.svg"}


def test_a_full_disk_leaves_what_was_there(tmp_path, monkeypatch, capsys):
    run = run_folder(tmp_path / "run", CASES["one row"])
    (run / "figures").mkdir()
    (run / "figures" / "verdicts.svg").write_text("old")
    calls = itertools.count()

    def full(_):
        if next(calls) == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    assert draw_charts(run) == 2
    assert [path.name for path in (run / "figures").iterdir()] == ["verdicts.svg"]
    assert (run / "figures" / "verdicts.svg").read_text() == "old"
    assert capsys.readouterr().err == f"ampersand: {run / 'figures'}: cannot be written: No space left on device\n"


def changed(change):
    document = copy.deepcopy(CASES["two sizes"])
    change(document)
    return document


def without_floor(document):
    document["rows"][1]["ratio"]["low"] = 0


@pytest.mark.parametrize("name, document, words", [
    ("not JSON", "{", ["summary.json", "not JSON"]),
    ("another schema", changed(lambda d: d.update(schema="ampersand/summary/9")), ["summary.json", "summary/9"]),
    ("no schema", "[]", ["summary.json"]),
    ("no rows", changed(lambda d: d.update(rows=[])), ["summary.json", "rows", "empty"]),
    ("no key", changed(lambda d: d["rows"][1].pop("ratio")), ["summary.json", "rows[1]", "ratio"]),
    ("a text for a number", changed(lambda d: d["rows"][0]["ratio"].update(estimate="1")), ["rows[0].ratio.estimate"]),
    ("unknown verdict", changed(lambda d: d["rows"][0].update(verdict="maybe")), ["rows[0].verdict", "maybe"]),
    ("a ratio of 0", changed(without_floor), ["pass/size=65", "ratio.low", "0 has no place"]),
    ("not a number", json.dumps(CASES["one row"]).replace("1.5", "NaN"), ["summary.json", "NaN"]),
])
def test_bad_summary_is_named_in_one_line(tmp_path, capsys, name, document, words):
    run = run_folder(tmp_path / "run", document)
    assert draw_charts(run) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("ampersand: ") and err.count("\n") == 1, err
    for word in words:
        assert word in err
    assert not (run / "figures").exists()


@pytest.mark.parametrize("name, prepare, words", [
    ("no folder", lambda run: None, ["no such run folder"]),
    ("no summary", lambda run: run.mkdir(), ["no manifest.json: not a run folder"]),
    ("not judged", lambda run: (run_folder(run, CASES["one row"]) / "summary.json").unlink(),
     ["no summary yet: ./ampersand bench --resume", "writes it"]),
    ("no manifest", lambda run: (run_folder(run, CASES["one row"]) / "manifest.json").unlink(), ["manifest.json"]),
    ("another manifest", lambda run: run_folder(run, CASES["one row"], {"schema": "ampersand/counts/1"}),
     ["manifest.json", "ampersand/counts/1"]),
    ("figures is a file", lambda run: (run_folder(run, CASES["one row"]) / "figures").write_text(""),
     ["figures", "cannot be written: File exists"]),
])
def test_bad_folder_is_named_in_one_line(tmp_path, capsys, name, prepare, words):
    prepare(tmp_path / "run")
    assert draw_charts(tmp_path / "run") == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("ampersand: ") and err.count("\n") == 1, err
    for word in words:
        assert word in err


def test_machine_that_told_little_is_drawn(figures):
    manifest = copy.deepcopy(MANIFEST)
    manifest.update(machine={"cpu": None}, build={}, allocator=None)
    fig = charts.draw(CASES["one row"], manifest)["verdicts"]
    assert any("unknown processor" in text and "unknown compiler" in text for text, _ in texts(fig))


def test_arguments_are_documented():
    parser = argparse.ArgumentParser()
    charts.add_arguments(parser)
    assert parser.parse_args(["run"]).out is None
    assert parser.parse_args(["run", "--out", "there"]).out == Path("there")
