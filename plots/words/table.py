# SPDX-License-Identifier: MIT
"""One table, and its four forms: lines for a terminal, Markdown, CSV, JSON.

A column takes its cell from a row by two functions: `value` is what a program reads (a number, a word, None), `text`
what a person reads. A column without a title is for programs only, one without a key for people only; its value is then
what a page sorts by.

    terminal   columns aligned, a heading over a group of them; too wide a table leaves out columns that can be spared,
               and says so; the last column is wrapped
    Markdown   the same columns, with the unit in each title; every mark of Markdown's is escaped
    CSV        the keys, then the values as they are: a leading = or - is data
    JSON       a list of objects, by key"""

import csv
import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from plots.words import screen

LEAST_WRAPPED = 28
ORNAMENT = 9  # a `spare` of what only a screen shows: it goes first, and without a word
MARKS = re.compile(r"[\\`*<>\[\]|~&]|(?<![^\W_])_|_(?![^\W_])")  # an underscore between letters is none


@dataclass(frozen=True)
class Column:
    key: str = ""
    value: Callable | None = None  # of a row
    title: str = ""  # with its unit
    text: Callable | None = None  # of a row; else the value as it is
    words: bool = False  # to the left
    short: str = ""  # the title on a screen, where a group's heading says the rest
    brief: Callable | None = None  # the text on a screen
    group: str = ""
    gap: int = 2  # spaces before it
    least: int = 0  # characters
    spare: int = 0  # on a screen that is too narrow the columns of the highest number go first; 0 stays
    painted: bool = False
    wide: bool = False  # for Markdown, which has room; no screen shows it

    def shown(self, row, brief=False):
        show = self.brief if brief and self.brief else self.text
        return show(row) if show else plain(self.value(row))


def plain(value):
    """What a person reads where nobody said otherwise."""
    return {None: "-", True: "yes", False: "no"}[value] if value is None or isinstance(value, bool) else str(value)


def of_texts(titles, rows, words=(), colours=None, **kwargs):
    """A table for people, of texts; `words`: which columns stand to the left; `colours`: a code for each row, or ""."""
    columns = tuple(Column(title=title, text=lambda row, i=i: row[0][i], words=i in words)
                    for i, title in enumerate(titles))
    return Table(columns, list(zip(rows, colours or [""] * len(rows))), colour=lambda row: row[1], **kwargs)


def of_values(keys, rows):
    """A table for programs: rows are dictionaries, in which a key may be missing."""
    return Table(tuple(Column(key, lambda row, key=key: row.get(key)) for key in keys), rows)


@dataclass(frozen=True)
class Table:
    columns: tuple
    rows: list
    title: str = ""
    note: str = ""  # under the title
    footnotes: tuple = ()
    colour: Callable = lambda row: ""  # of a row: a code of screen.py's
    instead: Callable = lambda row: ""  # of a row: what stands in place of its numbers, behind the first `kept` columns
    kept: int = 1
    without_empty: bool = False  # columns in which no row has anything
    least_wrapped: int = LEAST_WRAPPED  # characters that the last column has at least

    # ---- For people

    def terminal(self, on=screen.PIPE, indent=0, silent=False):
        """Lines; `silent`: about the columns for which there is no room."""
        columns, _ = self._fitting(on, indent)
        widths = self._widths(columns)
        lines = [line for line in _headings(columns, widths) if line.strip()]
        for row in self.rows:
            lines += self._lines(row, columns, widths, on, indent)
        notes = [self.note] * bool(self.note), [*self.footnotes, *([] if silent else self.left_out(on, indent))]
        above, below = ([line for note in some for line in on.wrapped(note)] for some in notes)
        title = [on.paint(self.title, screen.BOLD)] if self.title else []
        return [*title, *above, *((" " * indent + line).rstrip() for line in lines), *below]

    def _shown(self):
        shown = [column for column in self.columns if column.title or not column.key]
        return [column for column in shown if not self.without_empty or any(column.shown(row) for row in self.rows)]

    def left_out(self, on, indent=0):
        """A note of the columns for which there is no room, or none."""
        columns, gone = self._fitting(on, indent)
        groups = {column.group for column in columns}
        names = dict.fromkeys(column.title if column.group in groups else column.group for column in gone)
        return [f"Left out at this width: {', '.join(names)}"] if names else []

    def _fitting(self, on, indent):
        """(the columns that leave room for the last one to be wrapped in, those that are left out)"""
        columns, gone = [column for column in self._shown() if not column.wide], []
        while True:
            widths = self._widths(columns)
            wanted = indent + _span(columns, widths) - max(0, widths[-1] - self.least_wrapped) * columns[-1].words
            worst = max(column.spare for column in columns)
            if wanted <= on.width or not worst or worst < ORNAMENT and not on.narrow:
                return columns, gone
            gone += [column for column in columns if column.spare == worst < ORNAMENT]
            columns = [column for column in columns if column.spare != worst]

    def _texts(self, row, columns, brief=False):
        """(the cells of a row, what stands in place of those that are not there)"""
        instead = screen.printable(self.instead(row))
        columns = columns[:self.kept] if instead else columns
        return [screen.printable(column.shown(row, brief)) for column in columns], instead

    def _widths(self, columns):
        rows = [self._texts(row, columns, brief=True)[0] for row in self.rows]
        widths = [max([len(column.short or column.title), column.least, *(len(row[i]) for row in rows if i < len(row))])
                  for i, column in enumerate(columns)]
        for first, end, name in _groups(columns):  # a group is at least as wide as its heading
            widths[first] += max(0, len(name) + 2 - _span(columns[first:end], widths[first:end]))
        return widths

    def _lines(self, row, columns, widths, on, indent):
        texts, instead = self._texts(row, columns, brief=True)
        code = self.colour(row)
        some = any(column.painted for column in columns)  # else the whole line is
        *cells, last = [*texts, instead] if instead else texts
        margin = _span(columns[:len(cells) + 1], [*widths[:len(cells)], 0])
        start = "".join(" " * (i and column.gap) + on.paint(_aligned(text, column, wide), code * column.painted)
                        for i, (text, column, wide) in enumerate(zip(cells, columns, widths)))
        start += " " * (columns[len(cells)].gap if cells else 0)
        if instead or columns[-1].words:
            room = replace(on, width=max(self.least_wrapped, on.width - indent - margin))
            parts = room.wrapped(last) or [""]
        else:
            parts = [_aligned(last, columns[-1], widths[-1])]
        if some and (instead or columns[-1].painted):
            parts = [on.paint(part, code) for part in parts]
        lines = [start + parts[0], *(" " * margin + part for part in parts[1:])]
        return lines if some else [on.paint(line.rstrip(), code) for line in lines]

    def titled(self):
        """The columns for people, without ornaments."""
        return [column for column in self._shown() if column.spare < ORNAMENT]

    def markdown(self):
        """A block that ends in one newline."""
        columns = self.titled()
        lines = [[column.title for column in columns]]
        for row in self.rows:
            texts, instead = self._texts(row, columns)
            lines.append([*texts, *[""] * (len(columns) - len(texts) - 1), instead] if instead else texts)
        lines = [f"| {' | '.join(escaped(cell.strip()) for cell in line)} |" for line in lines]
        lines.insert(1, f"| {' | '.join('---' if column.words else '---:' for column in columns)} |")
        note = f". {escaped(self.note)}" if self.note else ""
        title = [f"**{escaped(self.title)}**{note}", ""] if self.title else []
        notes = [line for note in self.footnotes for line in ("", escaped(note))]
        return "\n".join([*title, *lines, *notes]) + "\n"

    # ---- For programs

    def _keyed(self):
        return [column for column in self.columns if column.key]

    def csv(self):
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow([column.key for column in self._keyed()])
        writer.writerows([column.value(row) for column in self._keyed()] for row in self.rows)
        return out.getvalue()

    def json(self):
        rows = [{column.key: column.value(row) for column in self._keyed()} for row in self.rows]
        return json.dumps(rows, indent=1, allow_nan=False) + "\n"


def _aligned(text, column, width):
    return f"{text:<{width}}" if column.words else f"{text:>{width}}"


def _span(columns, widths):
    """How wide columns are together."""
    return sum(widths) + sum(column.gap for column in columns[1:])


def _groups(columns):
    """(first, end, name) of each group: columns beside each other that have one name."""
    first = 0
    for end in range(1, len(columns) + 1):
        if end == len(columns) or columns[end].group != columns[first].group:
            if columns[first].group:
                yield first, end, columns[first].group
            first = end


def _headings(columns, widths):
    """The line of the groups, and that of the columns."""
    over = ""
    for first, end, name in _groups(columns):
        start = _span(columns[:first + 1], [*widths[:first], 0])
        over = f"{over:<{start}}" + f" {name} ".center(_span(columns[first:end], widths[first:end]), "-")
    return over, "".join(" " * (i and column.gap) + _aligned(column.short or column.title, column, wide)
                         for i, (column, wide) in enumerate(zip(columns, widths)))


def escaped(text):
    """For Markdown, on one line."""
    return MARKS.sub(lambda mark: "\\" + mark[0], screen.printable(text))
