# SPDX-License-Identifier: MIT
"""The figures' words: they fit, say what is right, and can be read."""
import pytest

from drawn import CASES, check_no_text_covers_another, check_no_text_leaves_the_page, contrast, letters, row, summary
from plots.figures import allocations_figure, crossover_figure, style
from plots.judge import pair_summary


@pytest.mark.parametrize("case", CASES)
def test_no_text_leaves_the_page(words, case):
    check_no_text_leaves_the_page(words[case])


@pytest.mark.parametrize("case", CASES)
def test_no_text_covers_another(words, case):
    check_no_text_covers_another(words[case])


@pytest.mark.parametrize("case, names", [
    ("one row", {"verdicts", "ratios", "allocations"}),
    ("two sizes", {"verdicts", "ratios", "dots_pass", "allocations"}),
    ("failed", {"map_change", "verdicts", "ratios", "allocations"}),
    ("all failed", {"verdicts", "ratios", "allocations"}),
    ("counts differ", {"map_return", "verdicts", "ratios", "dots_factory", "allocations"}),
    ("a hundred rows", {"map_return", "map_change", "verdicts", "ratios", "crossover_pass", "crossover_factory",
                        "crossover_mutate", "crossover_wide", "allocations"}),
])
def test_which_figures_there_are(figures, case, names):
    assert set(figures[case]) == names


@pytest.mark.parametrize("case, figure, words", [
    ("every verdict", "ratios", ["← pointer faster", "value faster →", "1×", "equal (0.5 %)", "undecided",
                                   "placement decides", "leans value", "leans pointer", "0.600", "0.594..0.606",
                                   "noise floor, spread", "v: What does it cost?"]),
    ("quick", "ratios", ["no verdict", "spread over layouts", "A quick run: ratios and spreads, no verdicts"]),
    ("failed", "ratios", ["failed", "signal: SIGSEGV", "timeout: no end within 60 s, and killed"]),
    ("extremes", "ratios", ["30.00", "1/30.00", "900", "1/2500", "33554432"]),
    ("long words", "ratios", ["dollar: What do $5 and 100 % and a_b^c cost in $?"]),
    ("a hundred rows", "crossover_pass",
     ["crossover between 18 and 23 B, probably near 20 B", "256 | 257", "value", "pointer",
      "64Ki",
      "Crossover: value wins below, pointer above", "value faster ↑",
      "pointer faster ↓", "size in bytes"]),
    ("quick", "crossover_pass", ["crossover near 20 B"]),
    ("a failed size", "crossover_pass", ["failed"]),
    ("two sizes", "dots_pass", ["pass, at two sizes", "64", "65", "1.500", "0.700", "2.0 ns", "1.2 ns"]),
    ("two sizes", "verdicts", ["pass", "to 64", "to 256", "value 2.0 ns", "pointer 1.2 ns",
                               "pointer faster, 10 % to 2 times"]),
    ("every verdict", "verdicts", ["up to 16", "value, pointer 1.6..2.0 ns"]),
    ("quick", "verdicts", ["A quick run: a first look, and no verdicts", "no verdict"]),
    ("all failed", "verdicts", ["failed", "undecided"]),
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


@pytest.mark.parametrize("figure", ["verdicts", "ratios", "dots_pass", "allocations"])
def test_figure_names_machine_and_compiler(figures, figure):
    found = " ".join(letters(figures["two sizes"][figure]))
    for word in ("Synthetic $CPU$ 7763, 2 CPUs, in a virtual machine (kvm)", "gcc 12.2.0 -O2", "jemalloc 5.3.0",
                 "20 launches, 64 layouts"):
        assert word in found


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
    loaded = pair_summary.read(summary(rows)).rows
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


def test_colours_are_told_apart_in_grey_and_letters_are_readable():
    assert contrast(style.VALUE.colour, style.POINTER.colour) >= 3
    for colour in {mark.text for mark in style.VERDICTS.values()} | {style.FAINT, crossover_figure.CROSSOVER}:
        assert contrast(colour, style.STRIPE) >= 4.5
