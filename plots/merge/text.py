# SPDX-License-Identifier: MIT
"""A merged table, as people and programs read it: table, JSON, CSV, Markdown."""

import json

from plots.files import records
from plots.words import quantity, screen
from plots.words.sentences import listed, ratio
from plots.words.table import Column, Table

SHORT = {"value faster": "value", "pointer faster": "pointer"}
COLOURS = {"flips": screen.ALARM, "differs": screen.YELLOW, "same": screen.GREEN, "alone": screen.DIM}


def show(merged, form, everything=False, out=None):
    screen.show(form, {"table": lambda on: table(merged, on, everything),
                       "markdown": lambda: markdown(merged, everything),
                       "json": lambda: json.dumps(records.write(merged), indent=1, allow_nan=False) + "\n",
                       "csv": lambda: numbers(merged).csv()}, out)


def table(merged, on=screen.PIPE, everything=False):
    lines = [line for column in merged.columns for line in on.wrapped(told(column), "", "   ")]
    lines += ["", on.paint(headline(merged), screen.BOLD), ""]
    shown = rows(merged, everything)
    lines += [*shown.terminal(on, indent=2), ""] if shown.rows else []
    return "\n".join([*lines, *on.definitions(legend(merged))]) + "\n"


def markdown(merged, everything=False):
    shown = rows(merged, everything)
    lines = [f"### ampersand: {headline(merged)}", "", *(f"- {told(column)}" for column in merged.columns), ""]
    return "\n".join(lines) + "\n" + (shown.markdown() if shown.rows else "")


def told(column):
    """A sentence about a column."""
    machines = [f"{one.cpu} ({one.host})" for one in column.machines]
    shards = f"{quantity.counted(len(column.runs), 'shard')} of {column.shards}, " if column.shards else ""
    caches = ", ".join(f"L{one.level} {quantity.size(one.size_b)}" for one in column.caches)
    quick = "; a quick run, without verdicts" if column.quick else ""
    return (f"{column.name}: {shards}{listed(machines, 3)}, {column.arch}, {caches or 'caches unknown'}, "
            f"{column.compiled}{quick}")


def headline(merged):
    states = [row.state for row in merged.rows]
    kinds = (("same", "the same"), ("flips", "flipped"), ("differs", "different"), ("alone", "on one machine only"))
    parts = [f"{states.count(state)} {words}" for state, words in kinds if state in states]
    return f"{quantity.counted(len(states), 'row')}: {', '.join(parts)}"


def rows(merged, everything=False):
    kept = [row for row in merged.rows if everything or row.state in ("flips", "differs")]
    kept.sort(key=lambda row: row.state != "flips")
    names = [column.name for column in merged.columns]
    columns = [Column(title="row", text=lambda row: row.row, words=True),
               Column(title="", text=lambda row: row.state, words=True)]
    columns += [Column(title=name, text=lambda row, i=i: _cell(row.cells[i]), words=True)
                for i, name in enumerate(names)]
    columns += [Column(title="what differs", text=because, words=True)]
    return Table(tuple(columns), kept, colour=lambda row: COLOURS[row.state])


def _cell(cell):
    if cell is None:
        return "-"
    verdict = f"equal ({quantity.level(cell.equal_within)})" if cell.verdict == "equal" and cell.equal_within else (
        SHORT.get(cell.verdict, cell.verdict))
    return f"{verdict} {ratio(cell.ratio)}" if cell.ratio else verdict


def because(row):
    if not row.because:
        return "nothing that the runs tell" if row.state in ("flips", "differs") else ""
    return ", ".join("the CPU" if one.fact == "CPU" else f"{one.fact}: {one.a} / {one.b}" for one in row.because)


def legend(merged):
    entries = [("ratio", "pointer/value: above 1 the value side is faster"),
               ("flips", "value is faster on one machine, pointer on another"),
               ("differs", "one machine decides what another calls equal, or leaves undecided"),
               ("what differs",
                "facts that the two machines do not share, the most telling first; no proof of a cause")]
    if any(column.shards for column in merged.columns):
        entries += [("shards", "each is judged by itself: its intervals are corrected for its own rows")]
    return entries


def numbers(merged):
    """A line for each row and column."""
    def of(part, key):
        return lambda line: getattr(line[part], key)

    def of_ratio(end):
        return lambda line: line[2].ratio and getattr(line[2].ratio, end)
    columns = (Column("row", of(0, "row")), Column("state", of(0, "state")), Column("column", of(1, "name")),
               *(Column(key, of(2, key)) for key in ("verdict", "equal_within")),
               Column("ratio", of_ratio("estimate")), Column("ratio_low", of_ratio("low")),
               Column("ratio_high", of_ratio("high")), *(Column(key, of(2, key)) for key in ("launches", "host")),
               Column("because", lambda line: because(line[0])))
    return Table(columns, [(row, column, cell) for row in merged.rows for column, cell in zip(merged.columns, row.cells)
                           if cell])
