# SPDX-License-Identifier: MIT
"""C beside Go: marks stand at the ratios of both, filled for C and hollow for Go, and no word covers another."""
import pytest

from drawn import CASES, MANIFEST, check_no_text_covers_another, check_no_text_leaves_the_page, row, summary, texts
from plots.figures import go_figure, pictures
from plots.go import go
from plots.judge import pair_summary


def of_go(name, value, pointer):
    pair, size = name.split("/size=")
    return go.Row(name, pair, int(size), *(ns and go.Side(runs=6, ns_per_op=ns, b_per_op=0, allocs_per_op=0)
                                          for ns in (value, pointer)))


def document(rows):
    return go.Document("ampersand/go/1", "go1.26", tuple(rows), ())


ROWS = [("pass/size=8", 1.5, 2.0, 3.0), ("pass/size=64", 0.5, 8.0, 4.0), ("pass/size=4096", 1 / 60, 900.0, 9.0),
        ("factory/size=64", 8.0, 3.0, 24.0), ("factory/size=4096", 0.9, 500.0, 250.0)]
SUMMARY = pair_summary.read(summary([row(name, ratio) for name, ratio, _, _ in ROWS]))
DOCUMENT = document(of_go(name, value, pointer) for name, _, value, pointer in ROWS)


@pytest.fixture(scope="module")
def fig():
    return pictures.draw(go_figure.figures(SUMMARY, MANIFEST, DOCUMENT))["go"]


def test_marks_stand_at_both_ratios(fig):
    ax, = fig.axes
    marks = {}
    for line in ax.lines:
        if line.get_marker() != "None" and len(line.get_xdata()) == 1:
            marks.setdefault(line.get_ydata()[0], []).append(line)
    assert len(marks) == len(ROWS)
    for (_, ratio, value, pointer), y in zip(ROWS, sorted(marks)):
        for mark, wanted, filled in zip(marks[y], (ratio, pointer / value), (True, False)):
            assert mark.get_xdata()[0] == pytest.approx(max(wanted, 1 / 32)), "at most 32 either way"
            assert (mark.get_markerfacecolor() != "white") == filled
            assert mark.get_marker() == ("<" if wanted < 1 / 32 else "o" if wanted >= 1 else "D")


def test_words_fit_and_times_stand_beside(fig):
    found = {"go": (fig, texts(fig))}
    check_no_text_leaves_the_page(found)
    check_no_text_covers_another(found)
    shown = [text for text, _ in found["go"][1]]
    assert {"pass (B)", "factory (B)", "4.00 ns", "900 ns", "24.0 ns", "beyond the axis",
            "Go, pointer faster"} <= set(shown)
    assert any("go1.26" in text for text in shown)


@pytest.mark.parametrize("rows", [[], [of_go("elsewhere/size=8", 1.0, 2.0)], [of_go("pass/size=8", 1.0, None)]])
def test_nothing_in_common_gives_no_figure(rows):
    assert go_figure.figures(SUMMARY, MANIFEST, document(rows)) == {}


def test_a_row_that_failed_in_c_is_left_out():
    found = document([of_go("pass/size=8", 1.0, 2.0), of_go("pass/size=16", 1.0, 2.0)])
    assert [one.size for one in go_figure.load(pair_summary.read(CASES["failed"]), found)] == [8]
