# SPDX-License-Identifier: MIT
"""What a comparison says, in sections and notes, before it takes the form of a table or of Markdown.

What is robust comes first, what depends on equal conditions last."""

import math
import statistics
from dataclasses import dataclass

from plots.judge.compare_runs import CALLED
from plots.words import terminal

QUANTITIES = {"allocs_per_op": "allocs/op", "asked_b_per_op": "B/op", "granted_b_per_op": "granted B/op",
              "peak_b": "peak B"}
RED, GREEN, BOLD = "31", "32", "1"
FACT_WIDTH = 60
FIGURES = ("value_ns_per_op", "pointer_ns_per_op", "ratio")


@dataclass(frozen=True)
class Section:
    title: str
    note: str
    header: tuple
    left: tuple  # the columns that are words
    rows: list  # of fields
    colours: list  # of each row, or None


def percent(ratio):
    """A change in percent: +0.3 %, -12.0 %, +131 %."""
    if ratio is None:
        return "-"
    x = (ratio - 1) * 100
    if abs(x) < 0.005:
        return "+0.0 %"
    return f"{x:+.{digits(abs(x))}f} %"


def digits(percent):
    return 2 if percent < 0.0995 else 1 if percent < 99.95 else 0


def interval(change):
    if change is None or change["low"] is None:
        return "-"
    return f"{percent(change['low'])[:-2]} to {percent(change['high'])}"


def headline(document):
    if document["status"] == "refused":
        return f"Not compared: the runs differ in {number(len(document['differences']), 'fact')}"
    rows, changed = document["rows"], [row for row in document["rows"] if row["changes"]]
    text = (f"{len(changed)} of {number(len(rows), 'row')} changed" if changed
            else f"No change shown in {number(len(rows), 'row')}")
    if document["quick"]:
        return text + "; a quick run gives no verdict on times"
    few = sum(not row["control"] and row["ratio"]["call"] == "too few launches" for row in rows)
    return text + (f"; {number(few, 'row')} of too few launches to be judged" if few else "")


def number(n, noun, plural="s"):
    return f"{n} {noun}" + ("" if n == 1 else plural)


def runs(document):
    """A line for each run."""
    for name in ("a", "b"):
        one = document[name]
        load = "" if one["load_1min"] is None else f", load {one['load_1min']:g}"
        yield (f"{name.upper()}: {one['folder']}, {one['created'].replace('T', ' ').rstrip('Z')} UTC, "
               f"{number(one['launches'], 'launch', 'es')}{', quick' if one['quick'] else ''}{load}")


def notes(document):
    """What has to be known to read the sections, a paragraph each."""
    if document["same_run"]:
        yield "A and B are the same run."
    if document["differences"]:
        yield ("The runs differ in what is listed, and are compared all the same (--across). Ratios and counts say how "
               "the pairs fare there and here; a change of ns/op is one of machine, compiler and libraries, too.")
    else:
        yield "Machine, compiler, flags, libraries and configuration are the same in both runs."
    yield from _code(document)
    yield from _drift(document)
    yield from _at_once(document)
    for key, name in (("only_in_a", "A"), ("only_in_b", "B")):
        if document[key]:
            yield f"Only in {name}: {some(document[key])}."


def _code(document):
    by = {state: [lesson for lesson, is_ in document["code"].items() if is_ == state]
          for state in ("same", "changed", "unknown")}
    if by["changed"]:
        also = "; the other lessons' is the same, byte for byte" if by["same"] else ""
        yield f"Built anew, so that code or placement may differ: {some(by['changed'])}{also}."
    elif by["same"] and not by["unknown"]:
        yield "The lessons' code is the same, byte for byte: whatever changed has its cause outside them."
    if by["unknown"]:
        yield f"Whether the code is the same is not known: {some(by['unknown'])}."
    moved = [row["row"] for row in document["rows"] if not row["same_layouts"]]
    if moved:
        yield (f"{number(len(moved), 'row')} measured at other placements in B: the means over the design compare, to "
               "within the drift of the control's ratios.")


def _drift(document):
    drift = document["drift"]
    if drift["times"] is None:
        yield ("No control: the runs share no measured row of the lessons known and null, so no change of ns/op is "
               "called, and ratios are held against no drift.")
        return
    few = sum(row[key]["call"] == "within drift" for row in document["rows"] for key in FIGURES)
    called = f" A change is called beyond that and {document['rule']['threshold'] * 100:g} %."
    if few:
        called += f" {number(few, 'figure')} moved, but not beyond it: drift in the table of all rows (--all)."
    yield (f"Drift, by {number(drift['controls'], 'control row')} that cannot change: ns/op {_span(drift['times'])}, "
           f"ratios {_span(drift['ratios'])}." + ("" if document["quick"] else called))


def _span(part):
    return f"{percent(part['low'])[:-2]} to {percent(part['high'])}"


def _at_once(document):
    sides = [row[key]["call"] for row in document["rows"] for key in ("value_ns_per_op", "pointer_ns_per_op")
             if not row["control"]]
    for word in ("slower", "faster"):
        if sides.count(word) > max(3, len(sides) / 2):
            yield (f"{sides.count(word)} of {len(sides)} sides are {word}: so many at once look like the machine, "
                   "the compiler or a library, not like the pairs.")


def some(names, most=6):
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def facts(document):
    words = {"settings.layout": lambda layout: "all" if layout == -1 else f"{layout} only"}
    rows = [(one["fact"], *_fact(*map(words.get(one["fact"], lambda value: value), (one["a"], one["b"]))))
            for one in document["differences"]]
    return Section("What differs", "", ("fact", "A", "B"), (0, 1, 2), rows, [None] * len(rows))


def _fact(a, b):
    """Both as text; of two lists only what the other has not."""
    if isinstance(a, list) and isinstance(b, list):
        only = [[x for x in one if x not in other] for one, other in ((a, b), (b, a))]
        a, b = (one or ["none"] for one in only) if any(only) else ("another order", "another order")
    return [_cut(" ".join(map(str, x)) if isinstance(x, list) else "-" if x is None else str(x)) for x in (a, b)]


def _cut(text):
    text = "".join(c if c.isprintable() else " " for c in text)
    return text if len(text) <= FACT_WIDTH else text[: FACT_WIDTH - 3] + "..."


def sections(document):
    """Those that have something to say."""
    rows = document["rows"]
    mixed = len(set(document["code"].values())) > 1  # else a note says it of all
    rows = [row | {"code": row["code"] if mixed else ""} for row in rows]
    return [one for one in (_ratios(rows), _counts(rows), _verdicts(rows), _failed(rows), _times(rows)) if one.rows]


def _ratios(rows):
    moved = [row for row in rows if row["ratio"]["call"] in CALLED]
    fields = []
    for row in moved:
        one = row["ratio"]
        fields.append((row["row"], terminal.ratio(one["a"]), terminal.ratio(one["b"]),
                       percent(one["change"]["estimate"]), interval(one["change"]),
                       "value" if one["call"] == "higher" else "pointer", row["code"]))
    return Section("pointer/value moved", "Robust: both sides were measured within the same microseconds, so other "
                   "load fell on both alike.", ("row", "A", "B", "change", "interval", "gained", "code"), (0, 5, 6),
                   fields, [BOLD] * len(moved))


def _counts(rows):
    fields, colours = [], []
    for row in rows:
        for side in ("value", "pointer"):
            mine = {one["quantity"]: one for one in row["counts"]["changes"] if one["side"] == side}
            if mine:
                fields.append((row["row"], side, *(_from_to(mine.get(key)) for key in QUANTITIES), row["code"]))
                more = any(one["b"] is None or one["a"] is not None and one["b"] > one["a"] for one in mine.values())
                colours.append(RED if more else GREEN)
    return Section("Allocations changed", "Exact: counted, not timed.", ("row", "side", *QUANTITIES.values(), "code"),
                   (0, 1, 6), fields, colours)


def _from_to(one):
    """1 -> 2; a quantity that differs between the launches of a run is no number."""
    return one and " -> ".join("differs" if one[run] is None else terminal.count(one[run]) for run in "ab") or ""


def _verdicts(rows):
    mine = [row for row in rows if row["verdict"]["change"]]
    mine.sort(key=lambda row: row["verdict"]["change"] != "flipped")
    fields = [(row["row"], row["verdict"]["a"], row["verdict"]["b"],
               "flipped" if row["verdict"]["change"] == "flipped" else "another class",
               "moved" if row["ratio"]["call"] in CALLED else "not shown to have moved") for row in mine]
    note = ("A class that changed without its ratio: it lies at the border of two classes, or was measured better in "
            "one run.") if any(row["ratio"]["call"] not in CALLED for row in mine) else ""
    return Section("Verdicts changed", note, ("row", "A", "B", "change", "ratio"), (0, 1, 2, 3, 4),
                   fields, [RED if row["verdict"]["change"] == "flipped" else None for row in mine])


def _failed(rows):
    mine = [row for row in rows if bool(row["failed"]["a"]) != bool(row["failed"]["b"])]
    fields = [(row["row"], *("works" if not row["failed"][run] else
                             f"failed: {_cut(row['failed'][run]['detail'] or row['failed'][run]['reason'])}"
                             for run in "ab")) for row in mine]
    return Section("Failed in one run", "", ("row", "A", "B"), (0, 1, 2), fields,
                   [RED if row["failed"]["b"] else GREEN for row in mine])


def _times(rows):
    fields, colours = [], []
    for row in rows:
        calls = [row[f"{side}_ns_per_op"]["call"] for side in ("value", "pointer")]
        alike = calls[0] == calls[1] and row["ratio"]["call"] not in CALLED
        for side, word in zip(("value", "pointer"), calls):
            if word in CALLED:
                one = row[f"{side}_ns_per_op"]
                fields.append((row["row"], side, *(terminal.ns(one[run]) for run in "ab"),
                               percent(one["change"]["estimate"]), interval(one["change"]), word,
                               "both sides alike" if alike else "", row["code"]))
                colours.append(RED if word == "slower" else GREEN)
    return Section("ns/op of a side changed", "Only if the machine was equally busy in both runs: times of another "
                   "hour contain other load, which the drift of small control loops shows only in part.",
                   ("row", "side", "A", "B", "change", "interval", "is", "and", "code"), (0, 1, 6, 7, 8), fields,
                   colours)


def all_rows(document):
    fields = []
    for row in document["rows"]:
        cells = [row["row"]]
        for key, show_one in (("value_ns_per_op", terminal.ns), ("pointer_ns_per_op", terminal.ns),
                              ("ratio", terminal.ratio)):
            one = row[key]
            cells += [show_one(one["a"]), _with_half_width(one["change"])]
        fields.append((*cells, _words(row)))
    colours = [BOLD if row["changes"] else None for row in document["rows"]]
    return Section("All rows", "ns/op of the value and of the pointer side, and their ratio pointer/value.",
                   ("row", "value A", "change %", "ptr A", "change %", "ratio A", "change %", "shown"), (0, 7), fields,
                   colours)


def _with_half_width(change):
    if change is None or change["low"] is None:
        return percent(change and change["estimate"]).removesuffix(" %")
    half = _half_width(change)
    return f"{percent(change['estimate'])[:-2]} +-{half:.{digits(half)}f}"


def _half_width(change):
    """In percent; intervals are symmetric in ln."""
    return (math.sqrt(change["high"] / change["low"]) - 1) * 100


def _words(row):
    """What may be said of the row: `~` where no change is shown."""
    changes = ["counts"] if row["counts"]["changes"] else []
    calls = {name: row[key]["call"].removeprefix("within ") for name, key in (
        ("value", "value_ns_per_op"), ("ptr", "pointer_ns_per_op"), ("ratio", "ratio"))}
    if len(set(calls.values())) == 1:
        word = calls["ratio"]
        return ", ".join(([] if word == "not shown" else [word]) + changes) or "~"
    if calls["value"] == calls["ptr"]:
        calls = {"both": calls["value"], "ratio": calls["ratio"]}
    return ", ".join([f"{name} {word}" for name, word in calls.items() if word != "not shown"] + changes)


def counts_word(counts):
    if counts["changes"]:
        return "changed"
    return next((counts[run] for run in "ab" if counts[run] != "exact"), "same")


def closing(document):
    rule = document["rule"]
    yield "How to read it"
    yield "  A, B       20 % trimmed means of the launches; the summary of a run shows medians"
    yield "  change     B against A: +5 % of ns/op is slower, +5 % of the ratio is in the value side's favour"
    yield (f"  interval   {rule['interval']}; {rule['confidence'] * 100:g} % for the whole table")
    yield f"             ({rule['correction']}); from {rule['launches_needed']} launches of each run"
    yield "  not shown  is not equal: no change is shown, and one as wide as the interval could be there"
    halves = [_resolution(document, keys) for keys in (("ratio",), ("value_ns_per_op", "pointer_ns_per_op"))]
    if None not in halves:
        yield (f"             here, half of the intervals are within +-{halves[0]:.2g} % for ratios, "
               f"+-{halves[1]:.2g} % for ns/op; more launches narrow them")


def _resolution(document, keys):
    """The median half-width of the intervals, in percent."""
    changes = [row[key]["change"] for row in document["rows"] for key in keys if not row["control"]]
    halves = [_half_width(change) for change in changes if change and change["low"]]
    return statistics.median(halves) if halves else None


