# SPDX-License-Identifier: MIT
"""A merged table, as people and programs read it: table, JSON, CSV, Markdown."""

import json

from plots.words import quantity, screen
from plots.words.sentences import listed
from plots.words.table import Column, Table, of_values

SHORT = {"value faster": "value", "pointer faster": "pointer"}
COLOURS = {"flips": screen.ALARM, "differs": screen.YELLOW, "same": screen.GREEN, "alone": screen.DIM}
KEYS = ("row", "state", "column", "verdict", "equal_within", "ratio", "ratio_low", "ratio_high", "launches", "host", "because")


def show(document, form, everything=False, out=None):
    screen.show(form, {"table": lambda on: table(document, on, everything),
                       "markdown": lambda: markdown(document, everything),
                       "json": lambda: json.dumps(document, indent=1, allow_nan=False) + "\n",
                       "csv": lambda: numbers(document).csv()}, out)


def table(document, on=screen.PIPE, everything=False):
    lines = [line for column in document["columns"] for line in on.wrapped(told(column), "", "   ")]
    lines += ["", on.paint(headline(document), screen.BOLD), ""]
    shown = rows(document, everything)
    lines += [*shown.terminal(on, indent=2), ""] if shown.rows else []
    return "\n".join([*lines, *on.definitions(legend(document))]) + "\n"


def markdown(document, everything=False):
    shown = rows(document, everything)
    lines = [f"### ampersand: {headline(document)}", "", *(f"- {told(column)}" for column in document["columns"]), ""]
    return "\n".join(lines) + "\n" + (shown.markdown() if shown.rows else "")


def told(column):
    """A sentence about a column."""
    machines = [f"{one['cpu']} ({one['host']})" for one in column["machines"]]
    shards = f"{quantity.counted(len(column['runs']), 'shard')} of {column['shards']}, " if column["shards"] else ""
    caches = ", ".join(f"L{one['level']} {quantity.size(one['size_b'])}" for one in column["caches"])
    quick = "; a quick run, without verdicts" if column["quick"] else ""
    return (f"{column['name']}: {shards}{listed(machines, 3)}, {column['arch']}, {caches or 'caches unknown'}, "
            f"{column['compiled']}{quick}")


def headline(document):
    states = [row["state"] for row in document["rows"]]
    kinds = (("same", "the same"), ("flips", "flipped"), ("differs", "different"), ("alone", "on one machine only"))
    parts = [f"{states.count(state)} {words}" for state, words in kinds if state in states]
    return f"{quantity.counted(len(states), 'row')}: {', '.join(parts)}"


def rows(document, everything=False):
    kept = [row for row in document["rows"] if everything or row["state"] in ("flips", "differs")]
    kept.sort(key=lambda row: row["state"] != "flips")
    names = [column["name"] for column in document["columns"]]
    columns = [Column(title="row", text=lambda row: row["row"], words=True),
               Column(title="", text=lambda row: row["state"], words=True)]
    columns += [Column(title=name, text=lambda row, i=i: _cell(row["cells"][i]), words=True) for i, name in enumerate(names)]
    columns += [Column(title="what differs", text=because, words=True)]
    return Table(tuple(columns), kept, colour=lambda row: COLOURS[row["state"]])


def _cell(cell):
    if cell is None:
        return "-"
    verdict = f"equal ({quantity.level(cell['equal_within'])})" if cell["verdict"] == "equal" and cell["equal_within"] else (
        SHORT.get(cell["verdict"], cell["verdict"]))
    ratio = cell["ratio"]
    return f"{verdict} {quantity.ratio(ratio['estimate'], ratio['low'], ratio['high'])}" if ratio else verdict


def because(row):
    if not row["because"]:
        return "nothing that the runs tell" if row["state"] in ("flips", "differs") else ""
    return ", ".join(f"{one['fact']}: {one['a']} / {one['b']}" for one in row["because"])


def legend(document):
    entries = [("ratio", "pointer/value: above 1 the value side is faster"),
               ("flips", "value is faster on one machine, pointer on another"),
               ("differs", "one machine decides what another calls equal, or leaves undecided"),
               ("what differs", "facts that the two machines do not share, the most telling first; no proof of a cause")]
    if any(column["shards"] for column in document["columns"]):
        entries += [("shards", "each is judged by itself: its intervals are corrected for its own rows")]
    return entries


def numbers(document):
    found = []
    for row in document["rows"]:
        for column, cell in zip(document["columns"], row["cells"]):
            if cell:
                ratio = cell["ratio"] or {}
                found.append({"row": row["row"], "state": row["state"], "column": column["name"], "because": because(row),
                              "verdict": cell["verdict"], "equal_within": cell["equal_within"],
                              "ratio": ratio.get("estimate"), "ratio_low": ratio.get("low"),
                              "ratio_high": ratio.get("high"), "launches": cell["launches"], "host": cell["host"]})
    return of_values(KEYS, found)
