# SPDX-License-Identifier: MIT
"""The figure of a program under every configuration: a mark for each number, and nothing off the page."""
from types import SimpleNamespace

import pytest
from matplotlib.colors import to_hex

from plots.figures import allocator_style, program_figure, style
from plots.judge.allocators import summary as records
from plots.judge.pair_summary import Estimate

DECISIONS = {"first": "faster", "second": "slower", "third": "equal", "fourth": "undecided"}


def number(decision, ratio):
    value = Estimate(estimate=2e9, low=None, high=None)
    found = ratio and Estimate(estimate=ratio, low=ratio / 1.01, high=ratio * 1.01)
    return records.Number(launches=13, value=value, ratio=found, decision=decision, equal_within=None)


def cell(name, decision, ratio, own=None, state="measured", reason=None):
    metrics = {} if reason else {"wall_ns": number(decision, ratio)} | ({"metric": own} if own else {})
    return records.Cell(configuration=name, workload="program_p", state=state, reason=reason, launches=13, disturbed=0,
                        apart=0, metrics=metrics)


def summary(quick=False, own=None, kind="program"):
    cells = [cell("base", "baseline", None, own and number("baseline", None)),
             *(cell(name, decision, 0.9, own) for name, decision in DECISIONS.items()),
             cell("broken", "", None, state="failed", reason="it ended with signal 11")]
    columns = [records.Column(configuration=one.configuration, purpose="", allocator="", paste="", state="in force",
                              reason=None, provenance=None) for one in cells]
    columns.append(records.Column(configuration="absent", purpose="", allocator="", paste="", state="absent",
                                  reason="libnone.so is not here", provenance=None))
    ranking = [records.Ranked(configuration=one.configuration, tied=False) for one in cells if one.metrics]
    metrics = [records.Decided(name=name, title=name, unit="", cells=5, decided=3, confidence=0.99, launches_needed=8,
                               again_cells=0, again_different=0) for name in ("wall_ns", "metric")]
    work = records.Work(workload="program_p", kind=kind, purpose="", operation="", threads=1, floors={"wall_ns": 0.02},
                        ranking=tuple(ranking), pick=None)
    return records.Summary(quick=quick, baseline="base", again=None, rule=None, metrics=tuple(metrics),
                           columns=tuple(columns), workloads=(work,), cells=tuple(cells), crossovers=())


@pytest.fixture(autouse=True)
def no_small_print(monkeypatch):
    monkeypatch.setattr(allocator_style, "small_print", lambda run: "")


def drawn(**more):
    with style.applied():
        return program_figure.figures(None, summary(**more))["program"]()


def words(fig):
    return [text for text in fig.findobj(lambda one: hasattr(one, "get_text")) if text.get_text()]


def test_a_mark_says_how_it_was_decided():
    ax, = drawn().axes
    markers = "o", "s", style.VALUE.marker, style.POINTER.marker
    marks = [line for line in ax.lines if line.get_marker() in markers]
    looks = {round(line.get_ydata()[0] - 0.5): (to_hex(line.get_color()), to_hex(line.get_markerfacecolor()),
                                                line.get_marker()) for line in marks}
    better, worse = style.VALUE, style.POINTER
    assert looks == {0: (style.INK, style.INK, "o"), 1: (better.colour, better.colour, better.marker),
                     2: (worse.colour, worse.colour, worse.marker), 3: (style.FAINT, style.FAINT, "s"),
                     4: (style.FAINT, "#ffffff", "o")}


def test_a_configuration_without_numbers_has_its_reason():
    said = " ".join(text.get_text() for text in words(drawn()))
    assert "failed: it ended with signal 11" in said and "absent: libnone.so is not here" in said
    assert "2.000 s" in said  # of the baseline


@pytest.mark.parametrize("decision, want", [("worse", "← better  worse →"), ("better", "← worse  better →")])
def test_more_may_be_better(decision, want):
    assert drawn(own=number(decision, 1.2)).axes[1].get_xlabel() == want


def test_nothing_leaves_the_page():
    fig = drawn(own=number("better", 1.2))
    fig.canvas.draw()
    width, height = fig.canvas.get_width_height()
    for text in words(fig):
        box = text.get_window_extent()
        assert -1 <= box.x0 and box.x1 <= width + 1 and -1 <= box.y0 and box.y1 <= height + 1, text.get_text()


def test_workloads_have_other_figures():
    assert program_figure.figures(None, summary(kind="workload")) == {}
    assert "no verdict" in [text.get_text() for text in words(drawn(quick=True))]
