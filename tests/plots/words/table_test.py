# SPDX-License-Identifier: MIT
"""The one table: what is read back from each of its forms, whatever its cells hold."""

import csv
import io
import itertools
import json
import re

import pytest

from plots.words import screen
from plots.words.screen import Screen
from plots.words.table import Column, Table, of_texts

HOSTILE = ["plain", "a|b", "a\\|b", "`code`", "``", "**bold**", "_x_", "a_b", "__init__", "<script>", "[x](y)",
           "~~no~~",
           "&amp;", "a,b", 'say "x"', "=1+1", "+1", "-1", "@cmd", "\ttab", "line\nbreak", "cr\rlf\r\n", "'", "",
           " lead",
           "\\", "a\\", "ü\u200b", "\033[31mred", "#1", "1. x", "- x", "| a | b |", "<!-- -->", "\\*", "$x$"]


def column(key, **kwargs):
    return Column(key, lambda row: row[key], kwargs.pop("title", key), **kwargs)


def table(values, **kwargs):
    return Table((column("name", words=True), column("value", words=True), column("n")),
                 [{"name": name, "value": value, "n": n} for n, (name, value) in enumerate(values)], **kwargs)


PAIRS = list(itertools.product(HOSTILE, repeat=2))


def test_csv_reads_back_as_it_was():
    made = table(PAIRS)
    read = list(csv.DictReader(io.StringIO(made.csv(), newline="")))
    assert [(row["name"], row["value"], row["n"]) for row in read] == [
        (name, value, str(n)) for n, (name, value) in enumerate(PAIRS)]


def test_json_reads_back_as_it_was():
    made = Table(table(PAIRS).columns + (Column("none", lambda row: None), Column("yes", lambda row: True)),
                 table(PAIRS).rows)
    assert json.loads(made.json()) == [row | {"none": None, "yes": True} for row in made.rows]


def test_json_refuses_what_is_no_number():
    with pytest.raises(ValueError):
        Table((column("n"),), [{"n": float("nan")}]).json()


PUNCTUATION = re.escape("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")  # what a backslash takes back, says CommonMark


def cells(line):
    """The cells of a line of a table as GitHub reads it, and which of its marks are not taken back."""
    parts = re.split(r"(?<!\\)(?:\\\\)*\|", line)
    assert parts[0] == "" and parts[-1].strip() == ""
    texts = [re.sub(rf"\\([{PUNCTUATION}])", r"\1", part.strip()) for part in parts[1:-1]]
    bare = [re.sub(rf"\\[{PUNCTUATION}]", "", part) for part in parts[1:-1]]
    return texts, "".join(bare)


def test_markdown_reads_back_as_words():
    made = table(PAIRS)
    lines = made.markdown().splitlines()
    assert len(lines) == len(PAIRS) + 2, "a line break in a cell makes no line"
    assert lines[1] == "| --- | --- | ---: |"
    for line, (name, value) in zip(lines[2:], PAIRS):
        texts, bare = cells(line)
        assert texts[:2] == [screen.printable(name).strip(), screen.printable(value).strip()]
        assert not re.search(r"[`*<>\[\]~&]|(?<![^\W_])_|_(?![^\W_])", bare), line
    assert "\033" not in made.markdown()


def test_markdown_escapes_titles_notes_and_footnotes():
    made = table([("a", "b")], title="<T>", note="x|y", footnotes=("`f`",)).markdown()
    assert made.startswith("**\\<T\\>**. x\\|y\n\n| name |") and made.endswith("|\n\n\\`f\\`\n")


def test_a_terminal_gets_aligned_columns_and_no_commands():
    lines = table([("a", "x"), ("bbbb", "\033[2Jy\n")]).terminal()
    assert lines == ["name  value   n", "a     x       0", "bbbb   [2Jy   1"]


def test_a_heading_over_a_group_of_columns():
    columns = (column("pair", words=True), column("v", group="ns/op"), column("p", group="ns/op", gap=1), column("r"))
    lines = Table(columns, [{"pair": "x", "v": 1, "p": 2, "r": 3}]).terminal()
    assert lines == ["       ns/op", "pair      v p  r", "x         1 2  3"]
    assert lines[0].index("ns/op") > lines[1].index("pair")


def test_columns_without_anything_are_left_out():
    made = of_texts(("row", "A", "none", "is"), [("pass/size=8", "1.05", "", "slower"), ("x", "12.05", "", "")], (0, 3),
                    ["31", ""],
                    title="Title", without_empty=True)
    assert made.terminal(Screen(colour=True), indent=2) == [
        "\033[1mTitle\033[0m", "  row              A  is", "  \033[31mpass/size=8   1.05  slower\033[0m",
        "  x            12.05"]
    assert made.markdown().splitlines()[2] == "| row | A | is |"


def test_only_the_painted_column_is_painted_where_there_is_one():
    made = Table((column("a"), column("b", words=True, painted=True)), [{"a": 1, "b": "bad"}], colour=lambda row: "31")
    assert made.terminal(Screen(colour=True))[1] == "1  \033[31mbad\033[0m"
    assert made.terminal()[1] == "1  bad"


def test_a_reason_takes_the_place_of_numbers():
    made = Table((column("a", words=True), column("b"), column("c")),
                 [{"a": "x", "b": 1, "c": 2}, {"a": "y", "b": 0, "c": 0}],
                 instead=lambda row: "failed: a | b" if row["a"] == "y" else "")
    assert made.terminal() == ["a  b  c", "x  1  2", "y  failed: a | b"]
    assert made.markdown().splitlines()[3] == "| y |  | failed: a \\| b |"
    assert made.csv() == "a,b,c\nx,1,2\ny,0,0\n"


WIDE = (column("pair", words=True), column("bar", spare=9), column("b", group="B/op", spare=7, least=8),
        column("c", group="B/op", spare=7, least=8), column("verdict", words=True))


@pytest.mark.parametrize("width, shown, said", [
    (120, ["pair", "bar", "b", "c", "verdict"], []), (60, ["pair", "b", "c", "verdict"], []),
    (40, ["pair", "verdict"], ["B/op"])])
def test_what_does_not_fit_is_left_out_and_the_last_column_is_wrapped(width, shown, said):
    rows = [{"pair": "p" * 8, "bar": "|", "b": 1, "c": 2, "verdict": "word " * 12}]
    lines = Table(WIDE, rows).terminal(Screen(width, narrow=True))
    head = next(line for line in lines if line.startswith("pair"))
    assert head.split() == shown and max(map(len, lines)) <= width
    assert " ".join(" ".join(lines).split()).count("word") == 12
    assert (lines[-1] == f"Left out at this width: {', '.join(said)}") == bool(said)
    body = lines[lines.index(head) + 1:len(lines) - bool(said)]
    assert all(line.index("word") == head.index("verdict") for line in body)


def test_a_column_of_programs_only_is_not_shown_and_one_of_people_has_no_key():
    made = Table((Column("raw", lambda row: row), Column(title="shown", text=lambda row: f"{row:.1f}")), [1.25])
    assert made.terminal() == ["shown", "  1.2"] and made.csv() == "raw\n1.25\n"


def test_a_table_without_rows_has_its_headings():
    made = table([])
    assert made.terminal() == ["name  value  n"] and made.csv() == "name,value,n\n" and json.loads(made.json()) == []
    assert made.markdown() == "| name | value | n |\n| --- | --- | ---: |\n"


def test_what_has_no_width_keeps_its_columns_but_for_ornaments():
    rows = [{"pair": "p" * 70, "bar": "|", "b": 1, "c": 2, "verdict": "word " * 12}]
    head = Table(WIDE, rows).terminal()[1].split()
    assert head == ["pair", "b", "c", "verdict"]


@pytest.mark.parametrize("terminal, columns, want", [(False, "80", 120), (True, "80", 80), (True, "20", 60),
                                                     (True, "200", 200)])
def test_the_width_is_that_of_a_terminal(monkeypatch, terminal, columns, want):
    class Out(io.StringIO):
        def isatty(self):
            return terminal
    monkeypatch.setenv("COLUMNS", columns)
    found = screen.of(Out())
    assert (found.width, found.narrow) == (want, terminal)


def test_definitions_hang_behind_their_names():
    lines = Screen(40).definitions([("a", "word " * 20), ("longer", "x")])
    assert lines[0].startswith("  a       word") and lines[1].startswith(" " * 10 + "word")
    assert lines[-1] == "  longer  x"
    assert max(map(len, lines)) <= 40
