# SPDX-License-Identifier: MIT
"""The maps: what each cell says, which columns and which maps there are, and that nothing covers anything."""
import pytest

from drawn import MANIFEST, check_no_text_covers_another, check_no_text_leaves_the_page, contrast, row, summary, texts
from plots.figures import map_figure, pictures, style
from plots.figures.map_figure import Cell
from plots.judge import pair_summary

SIDES = {"value": "value", "pointer": "out-parameter"}
# name, the row's words (ratio, verdict, value ns), words and number of its cell, side, look
CELLS = [
    ("value wins", (3.0, "value faster", 2.0), "value", "4.0 ns", "value", ""),
    ("pointer wins, under its label", (0.5, "pointer faster", 100.0), "out-parameter", "50 ns", "pointer", ""),
    ("a tenth, and enough", (1.1, "value faster", 20.0), "value", "2.0 ns", "value", ""),
    ("less than a tenth", (1.09, "value faster", 100.0), "value", "9.0 ns", "value", "small"),
    ("less than half a nanosecond", (1.4, "value faster", 1.2), "value", "0.48 ns", "value", "small"),
    ("half a nanosecond", (1.5, "value faster", 1.0), "value", "0.50 ns", "value", ""),
    ("not in all layouts", (0.5, "leans pointer", 100.0), "leans out-parameter", "50 ns", "pointer", "hatched"),
    ("placement", (1.2, "placement decides", 10.0), "placement", "2.0 ns", None, "hatched"),
    ("equal", (1.001, "equal", 10.0), "equal", "0.010 ns", None, "equal"),
    ("open", (1.2, "undecided", 10.0), "undecided", "2.0 ns", None, "open"),
    ("quick", (1.2, "no verdict", 10.0), "no verdict", "2.0 ns", None, "open"),
    ("hundreds", (0.5, "pointer faster", 2468.0), "out-parameter", "1234 ns", "pointer", ""),
]


def one_row(name="p/size=8", **facts):
    return pair_summary.read(summary([row(name, **facts)])).rows[0]


@pytest.mark.parametrize("name, facts, words, number, side, look", CELLS, ids=[case[0] for case in CELLS])
def test_cell(name, facts, words, number, side, look):
    ratio, verdict, value_ns = facts
    cell = map_figure.cell_of(one_row(ratio=ratio, verdict=verdict, value_ns=value_ns), SIDES)
    assert (cell.words, cell.number, cell.side, cell.look) == (words, number, side, look)


def test_what_failed_has_no_number():
    assert map_figure.cell_of(one_row(failed=("signal", "SIGSEGV")), SIDES) == Cell("failed", "", look="open")


def test_columns_that_most_pairs_have_come_first():
    rows = [one_row(f"p/size={size}") for size in range(1, 20)] + [one_row(f"q/size={size}") for size in (3, 5, 16)]
    assert map_figure.sizes_of(rows) == [3, 5, 16]


@pytest.mark.parametrize("sizes, want", [
    ((8, 16, 24), [8, 16, 24]),
    (range(1, 20), [1, 2, 4, 8, 16]),
    ([2 ** n for n in range(20)], [2 ** n for n in range(0, 20, 2)]),
    (range(15, 105, 3), list(range(15, 105, 9))),  # no powers of two among them
])
def test_columns(sizes, want):
    rows = [one_row(f"p/size={size}") for size in sizes]
    assert map_figure.sizes_of(rows) == want


def drawn(rows, quick=False):
    manifest = dict(MANIFEST, rows=[*MANIFEST["rows"], *(
        MANIFEST["rows"][0] | {"pair": pair, "pointer": {"label": label}}
        for pair, label in (("return_out", "out-parameter"), ("factory", "heap")))])
    return pictures.draw(map_figure.figures(pair_summary.read(summary(rows, quick=quick)), manifest))


def reads(suffix=""):
    return [row(f"pass_read_{share}{suffix}/size={size}", 1.5 if size < 32 else 0.4,
                "value faster" if size < 32 else "pointer faster", value_ns=size / 8)
            for share in ("one", "half", "all") for size in (8, 16, 64, 4096)]


WHICH = [("words alone", reads(), {"map_pass": 1}), ("and doubles", [*reads(), *reads("_double")], {"map_pass": 2}),
         ("return", [row("factory/size=8"), row("return_out/size=8")], {"map_return": 1}),
         ("change", [row("mutate/size=8")], {"map_change": 1}), ("none of them", [row("pass/size=8")], {})]


@pytest.mark.parametrize("name, rows, want", WHICH, ids=[case[0] for case in WHICH])
def test_which_maps_there_are(name, rows, want):
    assert {name: len(fig.axes) for name, fig in drawn(rows).items()} == want


def test_a_map_shows_its_rows():
    rows = [*reads(), *reads("_double"), row("return_out/size=8", 0.5, "pointer faster", value_ns=8.0),
            row("factory/size=8", failed=("signal", "SIGSEGV")), row("mutate/size=64", 1.2, "placement decides")]
    figs = {name: (fig, texts(fig)) for name, fig in drawn(rows).items()}
    check_no_text_leaves_the_page(figs)
    check_no_text_covers_another(figs)
    shown = [text for text, _ in figs["map_pass"][1]]
    numbers = [text for text in shown if text.endswith(" ns") and "saves" not in text]
    assert len(numbers) == 2 * 12, "a number with its unit in each cell"
    assert shown.count("pointer") == 2 * 6 and shown.count("value") == 2 * 6
    assert {"out-parameter", "4.0 ns", "failed"} <= {text for text, _ in figs["map_return"][1]}
    assert "placement" in {text for text, _ in figs["map_change"][1]}


def test_letters_can_be_read_on_every_shade():
    for side in style.SIDES:
        for share in range(11):
            for look in ("", "small", "hatched"):
                fill = map_figure.face(Cell("", "", side, share / 10, look))
                letters = map_figure.BLACK if look == "hatched" else map_figure.ink(fill)
                assert contrast(letters, fill) >= 4.5, (side, share, look)
