# SPDX-License-Identifier: MIT
"""A comparison of two runs, as people and programs read it: table, Markdown for a pull request, JSON, CSV.

What is robust comes first, what depends on equal conditions last."""

import json
import math
import statistics
from dataclasses import replace

from plots.files import records
from plots.judge.compare_runs import CALLED, LEAST_LAUNCHES
from plots.judge.comparison import FIGURES, TIMES
from plots.words import quantity, screen
from plots.words.fitting import cut
from plots.words.quantity import counted
from plots.words.sentences import listed, named
from plots.words.table import Column, Table, escaped, of_texts

QUANTITIES = {"allocs_per_op": "allocs/op", "asked_b_per_op": "B/op", "granted_b_per_op": "granted B/op",
              "peak_b": "peak B"}
FACT_WIDTH = 60
LONG = 20  # rows of a table that says how many it has


def show(compared, form, out, everything=False):
    screen.show(form, {"table": lambda on: table(compared, on, everything), "markdown": lambda: markdown(compared),
                       "json": lambda: json.dumps(records.write(compared), indent=1, allow_nan=False) + "\n",
                       "csv": lambda: numbers(compared).csv()}, out)


def table(compared, on=screen.PIPE, everything=False):
    out = [*runs(compared), "", on.paint(headline(compared), screen.BOLD), ""]
    for one in tables(compared, everything):
        out += one.terminal(on, indent=2) + [""]
    if compared.refused:
        return "\n".join(out)
    out += [line for note in notes(compared) for line in on.wrapped(note)]
    return "\n".join([*out, "", "How to read it", *on.definitions(legend(compared))]) + "\n"


def markdown(compared):
    out = [f"### ampersand: {headline(compared)}", "", *(f"- {escaped(line)}" for line in runs(compared)), ""]
    out += [one.markdown() for one in tables(compared)]
    if compared.refused:
        return "\n".join(out).rstrip("\n") + "\n"
    return "\n".join([*out, *(f"- {escaped(note)}" for note in notes(compared)), "",
                      "<details><summary>All rows, and how to read them</summary>", "", all_rows(compared).markdown(),
                      "```", *screen.PIPE.definitions(legend(compared)), "```", "", "</details>"]) + "\n"


def tables(compared, everything=False):
    """Those that have something to say."""
    if compared.refused:
        return [facts(compared)]
    rows = compared.rows
    mixed = len(set(compared.code.values())) > 1  # else a note says it of all
    rows = [row if mixed else replace(row, code="") for row in rows]
    found = [facts(compared), _ratios(rows), _counts(rows), _verdicts(rows), _failed(rows), _times(rows)]
    found += [all_rows(compared)] if everything or compared.quick else []
    return [replace(one, title=one.title + (f" ({len(one.rows)} lines)" if len(one.rows) > LONG else ""),
                    without_empty=True) for one in found if one.rows]


# ---- Sentences

def headline(compared):
    if compared.refused:
        return f"Not compared: the runs differ in {counted(len(compared.differences), 'fact')}"
    rows, changed = compared.rows, [row for row in compared.rows if row.changes]
    text = (f"{len(changed)} of {counted(len(rows), 'row')} changed" if changed
            else f"No change shown in {counted(len(rows), 'row')}")
    if compared.quick:
        return text + "; a quick run gives no verdict on times"
    few = sum(not row.control and row.ratio.call == "too few launches" for row in rows)
    return text + (f"; {counted(few, 'row has', 'rows have')} too few launches to be judged" if few else "")


def runs(compared):
    """A line for each run."""
    for name, one in (("A", compared.a), ("B", compared.b)):
        load = "" if one.load_1min is None else f", load {quantity.load(one.load_1min)}"
        yield (f"{name}: {one.folder}, {one.created.replace('T', ' ').rstrip('Z')} UTC, "
               f"{counted(one.launches, 'launch', 'launches')}{', quick' * one.quick}{load}")


def notes(compared):
    """What has to be known to read the tables, a paragraph each."""
    if compared.same_run:
        yield "A and B are the same run."
    if compared.differences:
        yield ("The runs differ in the facts above and are compared all the same (--across). Ratios and counts compare "
               "the pairs; a change of ns/op may also come from the machine, the compiler or a library.")
    else:
        yield "Machine, compiler, flags, libraries and configuration are the same in both runs."
    yield from _code(compared)
    yield from _drift(compared)
    yield from _at_once(compared)
    for name, rows in (("A", compared.only_in_a), ("B", compared.only_in_b)):
        if rows:
            yield f"Only in {name}: {listed(rows)}."


def _code(compared):
    by = {state: [lesson for lesson, is_ in compared.code.items() if is_ == state]
          for state in ("same", "changed", "unknown")}
    if by["changed"]:
        also = "; the other lessons' code is the same, byte for byte" if by["same"] else ""
        yield f"Built again, so code or placement may differ: {listed(by['changed'])}{also}."
    elif by["same"] and not by["unknown"]:
        yield "The lessons' code is the same, byte for byte: whatever changed, its cause is not in the lessons."
    if by["unknown"]:
        yield f"Whether the code is the same is not known: {listed(by['unknown'])}."
    moved = [row.row for row in compared.rows if not row.same_layouts]
    if moved:
        yield (f"{counted(len(moved), 'row was', 'rows were')} measured at other placements in B. The means over all "
               "placements still compare, to within the drift of the controls' ratios.")


def _drift(compared):
    drift = compared.drift
    if drift.times is None:
        yield ("No control: the runs share no measured row of the lessons known and null. So no change of ns/op is "
               "called, and ratios are not held against a drift.")
        return
    few = sum(one.call == "within drift" for row in compared.rows for one in row.figures)
    called = f" A change is called beyond that plus {quantity.level(compared.rule.threshold)}."
    if few:
        called += f" {counted(few, 'figure')} moved, but not so far: \"drift\" in the table of all rows (--all)."
    spans = [quantity.changes(*one.ends) for one in (drift.times, drift.ratios)]
    still = quantity.changes(1, 1)
    moved = [f"by {span} in {what}" if span != still else f"not at all in {what}"
             for span, what in zip(spans, ("ns/op", "ratios"))]
    said = "did not move" if spans == [still] * 2 else f"moved {' and '.join(moved)}"
    yield (f"Drift: {counted(drift.controls, 'control row')}, which cannot change, {said}."
           + ("" if compared.quick else called))


def _at_once(compared):
    sides = [one.call for row in compared.rows for _, one in row.times if not row.control]
    for word in ("slower", "faster"):
        if sides.count(word) > max(3, len(sides) / 2):
            yield (f"{sides.count(word)} of {len(sides)} sides are {word}: so many at once look like the machine, "
                   "the compiler or a library, not like the pairs.")


def legend(compared):
    """[(name, meaning)]"""
    rule = compared.rule
    halves = [_resolution(compared, keys) for keys in (("ratio",), TIMES.values())]
    here = "" if None in halves else (f". Here half of the intervals are within ±{quantity.percent(halves[0])} for "
                                      f"ratios and ±{quantity.percent(halves[1])} for ns/op; more launches narrow them")
    return [("A, B", "20 % trimmed means of the launches; the summary of a run shows medians"),
            ("change", "B against A: +5 % of ns/op is slower; +5 % of the ratio favours the value side"),
            ("interval", f"{rule.interval}; {quantity.level(rule.confidence)} for the whole table "
             f"({rule.correction}); from {rule.launches_needed} launches of each run"),
            ("±, ~", "in the table of all rows: half the width of the interval; no change is shown"),
            ("not shown", f"does not mean equal: a change as wide as the interval could still be there{here}")]


UNJUDGED = {"quick": "in quick runs", "only in A": "not in B", "failed": "failed in both",
            "not measured": "not measured", "too few launches": f"fewer than {LEAST_LAUNCHES} launches",
            "no control": "times without a control", "not counted": "allocations not counted"}


def unjudged(found):
    """Why nothing can be said of which rows; `found` is compare_runs.unjudged()'s."""
    return "; ".join(f"{UNJUDGED[why]}: {listed(rows, 3)}" for why, rows in found.items())


def _resolution(compared, keys):
    """The median half-width of the intervals."""
    changes = [getattr(row, key).change for row in compared.rows for key in keys if not row.control]
    halves = [_half_width(change) for change in changes if change and change.has_interval]
    return statistics.median(halves) if halves else None


# ---- Tables

def facts(compared):
    words = {"settings.layout": lambda layout: "all" if layout == -1 else f"{layout} only"}
    rows = [(one.fact, *_fact(*map(words.get(one.fact, lambda value: value), (one.a, one.b))))
            for one in compared.differences]
    return of_texts(("fact", "A", "B"), rows, (0, 1, 2), title="What differs")


def _fact(a, b):
    """Both as text; of two lists only what the other has not."""
    if isinstance(a, list) and isinstance(b, list):
        only = [[x for x in one if x not in other] for one, other in ((a, b), (b, a))]
        a, b = (one or ["none"] for one in only) if any(only) else ("another order", "another order")
    return [cut(_plain_fact(x, quantity.NONE), FACT_WIDTH) for x in (a, b)]


def _plain_fact(fact, absent=None):
    return absent if fact is None else " ".join(map(str, fact)) if isinstance(fact, list) else str(fact)


def _change(one, show):
    """A, B, the change and its interval."""
    return show(one.a), show(one.b), quantity.change(one.change.estimate), quantity.changes(*one.change.ends)


def _ratios(rows):
    moved = [row for row in rows if row.ratio.call in CALLED]
    fields = [(row.row, *_change(row.ratio, quantity.ratio),
               row.name_of("value" if row.ratio.call == "higher" else "pointer"), row.code) for row in moved]
    return of_texts(("row", "A", "B", "change", "interval", "gained", "code"), fields, (0, 5, 6),
                    [screen.BOLD] * len(moved), title="pointer/value moved",
                    note="Robust: both sides ran within the same microseconds, so other load hit both alike.")


def _counts(rows):
    fields, colours = [], []
    for row in rows:
        for side in TIMES:
            mine = {one.quantity: one for one in row.counts.changes if one.side == side}
            if mine:
                fields.append((row.row, row.name_of(side), *(_from_to(mine.get(key)) for key in QUANTITIES), row.code))
                more = any(one.b is None or one.a is not None and one.b > one.a for one in mine.values())
                colours.append(screen.RED if more else screen.GREEN)
    return of_texts(("row", "side", *QUANTITIES.values(), "code"), fields, (0, 1, 6), colours,
                    title="Allocations changed", note="Exact: counted, not timed.")


def _from_to(one):
    """1 -> 2; a quantity that differs between the launches of a run is no number."""
    return one and " -> ".join("differs" if n is None else quantity.count(n) for n in (one.a, one.b)) or ""


def _verdicts(rows):
    mine = sorted((row for row in rows if row.verdict.change), key=lambda row: row.verdict.change != "flipped")
    fields = [(row.row, *(named(verdict, row.labels) for verdict in (row.verdict.a, row.verdict.b)),
               "flipped" if row.verdict.change == "flipped" else "other verdict",
               "moved" if row.ratio.call in CALLED else "not shown to have moved") for row in mine]
    note = ("Where the ratio is not shown to have moved, the row lies at the border of two verdicts, or one run "
            "measured it more closely.") if any(row.ratio.call not in CALLED for row in mine) else ""
    return of_texts(("row", "A", "B", "change", "ratio"), fields, range(5),
                    [screen.RED if row.verdict.change == "flipped" else "" for row in mine], title="Verdicts changed",
                    note=note)


def _failed(rows):
    mine = [row for row in rows if row.failed.of_one]
    fields = [(row.row, *(f"failed: {cut(one.detail or one.reason, FACT_WIDTH)}" if one else "works"
                          for one in (row.failed.a, row.failed.b))) for row in mine]
    colours = [screen.RED if row.failed.b else screen.GREEN for row in mine]
    return of_texts(("row", "A", "B"), fields, (0, 1, 2), colours, title="Failed in one run")


def _times(rows):
    fields, colours = [], []
    for row in rows:
        alike = row.value_ns_per_op.call == row.pointer_ns_per_op.call and row.ratio.call not in CALLED
        for side, one in row.times:
            if one.call in CALLED:
                fields.append((row.row, row.name_of(side), *_change(one, quantity.time_ns), one.call,
                               "both sides alike" if alike else "", row.code))
                colours.append(screen.RED if one.call == "slower" else screen.GREEN)
    return of_texts(("row", "side", "A", "B", "change", "interval", "is", "and", "code"), fields, (0, 1, 6, 7, 8),
                    colours, title="ns/op of a side changed",
                    note="Only if the machine was equally busy in both runs: other load makes times longer, and the "
                         "small control loops show only a part of it.")


def all_rows(compared):
    shows = quantity.time_ns, quantity.time_ns, quantity.ratio
    fields = [(row.row, *(text for one, show in zip(row.figures, shows)
                          for text in (show(one.a), _with_half_width(one.change))), shown(row))
              for row in compared.rows]
    return of_texts(("row", "value A", "change %", "ptr A", "change %", "ratio A", "change %", "shown"), fields, (0, 7),
                    [screen.BOLD if row.changes else "" for row in compared.rows], title="All rows",
                    note="ns/op of the value and of the pointer side, and their ratio pointer/value.")


def _with_half_width(change):
    text = quantity.change(change and change.estimate).removesuffix(" %")
    if change is None or not change.has_interval:
        return text
    return f"{text} ±{quantity.percent(_half_width(change)).removesuffix(' %')}"


def _half_width(change):
    """Intervals are symmetric in ln."""
    return math.sqrt(change.high / change.low) - 1


def shown(row):
    """What may be said of the row: `~` where no change is shown."""
    changes = ["counts"] if row.counts.changes else []
    calls = {name: one.call.removeprefix("within ") for name, one in zip(("value", "ptr", "ratio"), row.figures)}
    if len(set(calls.values())) == 1:
        word = calls["ratio"]
        return ", ".join(([] if word == "not shown" else [word]) + changes) or "~"
    if calls["value"] == calls["ptr"]:
        calls = {"both": calls["value"], "ratio": calls["ratio"]}
    return ", ".join([f"{name} {word}" for name, word in calls.items() if word != "not shown"] + changes)


# ---- For programs

def numbers(compared):
    if compared.refused:
        return Table(tuple(Column(key, lambda one, key=key: _plain_fact(getattr(one, key)))
                           for key in ("fact", "a", "b")),
                     compared.differences)
    return Table(COLUMNS, compared.rows)


def counts_word(counts):
    changes = "; ".join(f"{one.side} {one.quantity} {one.a} -> {one.b}" for one in counts.changes)
    return changes or next((status for status in (counts.a, counts.b) if status != "exact"), "same")


def _of(*path):
    """What a row has there: its attribute's attribute and so on; None where one of them is."""
    def value(row):
        for name in path:
            row = row and getattr(row, name)
        return row
    return value


COLUMNS = (
    *(Column(key, _of(key)) for key in ("row", "control", "code")),
    *(column for key in FIGURES for column in (
        *(Column(f"{key}_{run}", _of(key, run)) for run in "ab"),
        *(Column(f"{key}_change{end and '_'}{end}", _of(key, "change", end or "estimate"))
          for end in ("", "low", "high")),
        Column(f"{key}_call", _of(key, "call")))),
    *(Column(f"verdict_{key}", _of("verdict", key)) for key in ("a", "b", "change")),
    Column("counts", lambda row: counts_word(row.counts)),
    *(Column(f"failed_{run}", _of("failed", run, "reason")) for run in "ab"))
