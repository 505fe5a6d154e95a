# SPDX-License-Identifier: MIT
"""Two runs compared: tables, CSV, Markdown, colours and words."""
import csv
import io
import re
from dataclasses import replace
from types import SimpleNamespace

import pytest

from comparing import F64, NS, P64, P8, QUIET, changed, comparison, edit, put, run_of
from plots.judge.comparison import Drift, Range
from plots.words import comparison_text, quantity


@pytest.fixture
def eventful(tmp_path, a):
    """A comparison that has every section."""
    rows = changed(P8.name, ln_ratio=-0.3)
    rows = [replace(row, allocs=(0, 2)) if row.name == F64.name else row for row in rows]
    b = run_of(tmp_path / "b", rows, seed=2, fail={P64.name: ("signal", "SIG|SEGV\033[2J")})
    edit(b / "manifest.json", put("build", "compiler", value="clang 14"))
    return comparison(a, b, across=True)


def test_csv_reads_back(eventful):
    rows = list(csv.DictReader(io.StringIO(comparison_text.numbers(eventful).csv())))
    assert [row["row"] for row in rows] == [row.row for row in eventful.rows]
    assert float(rows[2]["ratio_change_high"]) == eventful.rows[2].ratio.change.high
    assert rows[2]["verdict_change"] == "flipped" and rows[3]["failed_b"] == "signal"
    assert rows[4]["counts"].startswith("pointer allocs_per_op 1 -> 2")


def test_sides_have_the_names_that_the_lesson_gives_them(tmp_path):
    named = [replace(row, labels=("pool", "malloc")) if row.pair == "pass" else row for row in QUIET]
    slow = [replace(row, ln_ratio=-0.5) if row.name == P8.name else row for row in named]
    slow = [replace(row, allocs=(0, 1)) if row.name == P64.name else row for row in slow]
    document = comparison(run_of(tmp_path / "named", named), run_of(tmp_path / "slow", slow, seed=2))
    for text in (comparison_text.table(document), comparison_text.markdown(document)):
        cells = [re.split(r"\s\s+|\s*\|\s*", line.strip(" |")) for line in text.splitlines()]
        mine = [line for line in cells if line[0] in (P8.name, P64.name)]
        assert any("pool faster" in line and "malloc faster" in line for line in mine)  # the verdict flipped
        said = {word for line in mine for word in line}
        assert "malloc" in said and not {"value", "pointer", "value faster", "pointer faster"} & said, text
    row = next(row for row in document.rows if row.row == P8.name)
    assert row.labels == {"value": "pool", "pointer": "malloc"} and row.verdict.a == "value faster"
    assert "value_ns_per_op_a" in comparison_text.numbers(document).csv()  # what programs read is called as ever


def drift(low, high):
    return Range(low=low, high=high)


@pytest.mark.parametrize("times, ratios, want", [
    (drift(1, 1), drift(1, 1), "did not move"), (drift(1, 1.00001), drift(0.99999, 1), "did not move"),
    (drift(0.99, 1.05), drift(1, 1), "moved by -1.0 to +5.0 % in ns/op and not at all in ratios"),
    (drift(0.99, 1.05), drift(1, 1.002), "moved by -1.0 to +5.0 % in ns/op and by +0.0 to +0.2 % in ratios")])
def test_drift_in_words(eventful, times, ratios, want):
    document = replace(eventful, drift=Drift(controls=2, times=times, ratios=ratios))
    assert f"Drift: 2 control rows, which cannot change, {want}." in " ".join(comparison_text.notes(document))


TITLES = ("What differs", "pointer/value moved", "Allocations changed", "Verdicts changed", "Failed in one run",
          "ns/op of a side changed")


def test_the_table_says_what_is_robust_first(eventful):
    text = comparison_text.table(eventful, everything=True)
    places = [text.index(f"\n{title}\n") for title in TITLES + ("All rows",)]
    assert places == sorted(places)
    assert max(map(len, text.splitlines()[2:])) <= 120  # but for where the folders are
    assert text.startswith("A: ") and "\n3 of 5 rows changed\n" in text and "\033" not in text
    assert "Robust:" in text and "Only if the machine was equally busy" in text


def test_markdown_holds_the_same_sections(eventful):
    text = comparison_text.markdown(eventful)
    assert all(f"**{title}**" in text for title in TITLES)
    blocks = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
    assert len(blocks) == len(TITLES) + 1
    for block in blocks:
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}) == 1
    assert "\033" not in text and "SIG\\|SEGV" in text


class Screen(io.StringIO):
    def isatty(self):
        return True


COLOURS = [("a terminal", Screen, {}, True), ("NO_COLOR", Screen, {"NO_COLOR": "1"}, False),
           ("a pipe", io.StringIO, {}, False)]


@pytest.mark.parametrize("name, stream, environment, colour", COLOURS, ids=[row[0] for row in COLOURS])
def test_colour(monkeypatch, eventful, name, stream, environment, colour):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    for key, value in environment.items():
        monkeypatch.setenv(key, value)
    out = stream()
    comparison_text.show(eventful, "table", out)
    assert ("\033[31m" in out.getvalue()) == colour
    assert re.sub(r"\033\[\d+m", "", out.getvalue()) == comparison_text.table(eventful)


PERCENTS = [(1.0, "+0.0 %"), (1.00001, "+0.0 %"), (1.0005, "+0.05 %"), (0.988, "-1.2 %"), (1.05, "+5.0 %"),
            (3.0, "+200 %"), (0.001, "-99.9 %"), (None, "-")]


@pytest.mark.parametrize("ratio, want", PERCENTS)
def test_percent(ratio, want):
    assert quantity.change(ratio) == want


def test_many_changes_at_once_look_like_the_machine(tmp_path, a):
    rows = [replace(row, value_ns=row.value_ns * 1.2) if row.lesson not in ("null", "known") else row for row in QUIET]
    notes = " ".join(comparison_text.notes(comparison(a, run_of(tmp_path / "b", rows, seed=2))))
    assert "6 of 6 sides are slower: so many at once look like the machine" in notes


WORDS = [((NS, NS, NS), [], "~"), ((NS, NS, NS), [1], "counts"), (("control",) * 3, [], "control"),
         (("slower", "slower", NS), [], "both slower"),
         (("slower", NS, "lower"), [1], "value slower, ratio lower, counts"),
         (("within drift", "slower", "higher"), [], "value drift, ptr slower, ratio higher")]


@pytest.mark.parametrize("figures, counts, want", WORDS)
def test_what_is_shown_in_words(figures, counts, want):
    row = SimpleNamespace(figures=[SimpleNamespace(call=word) for word in figures],
                          counts=SimpleNamespace(changes=counts))
    assert comparison_text.shown(row) == want
