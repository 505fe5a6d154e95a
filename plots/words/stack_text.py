# SPDX-License-Identifier: MIT
"""What a run of `./ampersand stack --bench` says: its four tables, and the goals as JSON."""

import json
from dataclasses import asdict

from plots.judge.stack_summary import DEPTH, goals, moves, number
from plots.words import quantity, screen
from plots.words.table import Column, Table, of_texts

NAMES = {"native": "native", "growable": "growable", "fresh": "growable, fresh", "split": "segments (gcc)",
         "go": "goroutine", "go_fresh": "goroutine, fresh"}
GOALS = {"growth in a walk": "growth to {to}, within stack_copy 1024, against Go",
         "growth of a full stack": "growth to {to}, of a full stack, against Go",
         "copy": "B copied a ns, growth to {to}, against memcpy", "check": "entry check, a call",
         "check of a small frame": "entry check, instructions, frame to 128 B, against Go's and its jump",
         "check of a large frame": "entry check, instructions, larger frame, against Go's and its jump",
         "fresh walk": "fresh stack_copy 1024, by value, against Go",
         "memory": "memory of {n} idle coroutines, each, without {book} of bookkeeping, against Go"}
CROWDS = {"growable": "growable stacks", "fixed": "fixed stacks of 64 KiB", "go": "goroutines"}
REACHED = {True: "reached", False: "MISSED", None: "not compared"}


def tables(result, on=screen.PIPE):
    parts = [walks(result).terminal(on), trails(result), crowds(result).terminal(on), goal_table(result).terminal(on)]
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def as_json(result):
    found = [{"what": what(goal), "ours": measured(goal.ours, goal.unit), "theirs": measured(goal.theirs, goal.unit),
              "ratio": goal.ratio and asdict(goal.ratio), "wanted": wanted(goal), "reached": goal.reached}
             for goal in goals(result)]
    return json.dumps(found, indent=2) + "\n"


def measured(found, unit):
    """A number of launches with its unit."""
    if found is None:
        return quantity.NONE
    if unit == "B/ns":
        return f"{quantity.digits(found.estimate, 3)} {unit}"
    return quantity.of_unit(found.estimate, unit)


def what(goal):
    """What is compared."""
    return GOALS[goal.name].format(to=quantity.size(goal.of.get("to_b")), n=quantity.count(goal.of.get("n")),
                                   book=quantity.size(goal.of.get("book_b")))


def wanted(goal):
    if goal.limit is None:
        return "no more"
    show = {"ns": lambda x: quantity.time(x, exact=True), "B": quantity.size}.get(
        goal.limit_unit, lambda x: quantity.digits(x, 3, exact=True))
    return f"{'>=' if goal.name == 'copy' else '<='} {show(goal.limit)}"


def walks(result):
    kinds = result.kinds()
    rows = [(elements, side) for elements in result.sizes() for side in ("value", "pointer")]

    def time(row, kind):
        found = result.walks(kind, row[1], row[0])
        return quantity.NONE if found is None else quantity.time_ns(number(found).estimate)
    columns = [Column(title="elements", text=lambda row: str(row[0])),
               Column(title="side", text=lambda row: row[1], words=True),
               *(Column(title=NAMES[kind], text=lambda row, kind=kind: time(row, kind)) for kind in kinds)]
    hot = [launch.split.hot_split_op_ns for launch in result.launches if launch.split]
    notes = [f"Hot split: a loop that needs a new segment at each call pays "
             f"{measured(number([one.most - one.least for one in hot]), 'ns')} for it"] if hot else []
    launches = quantity.counted(len(result.launches), "launch", "launches")
    title = f"stack_copy, {DEPTH} calls: ns/op, median of {launches}"
    return Table(tuple(columns), rows, title=title, footnotes=tuple(notes))


def trails(result):
    lines = [f"The string's address over {DEPTH} calls by value moves before call"]
    for elements in (1, 64, 1024):
        found = {kind: result.trail(kind, elements) for kind in ("native", "fresh", "split", "go")}
        lines.append(f"{elements:>8} elements: " + "; ".join(
            f"{NAMES[kind]}: {', '.join(map(str, moves(trail))) or 'none'}" for kind, trail in found.items() if trail))
    return lines


def crowds(result):
    rows = []
    for crowd in ("idle", "mixed"):
        for kind, words in CROWDS.items():
            n = result.crowd(crowd, kind, "n")
            if n is not None:
                times = [number(result.crowd(crowd, kind, f"{what}_ns")) for what in ("create", "turn", "end")]
                rows.append([quantity.count(int(n[0])), crowd, words,
                             measured(number(result.crowd(crowd, kind, "resident_b") / n), "B"),
                             *(measured(time, "ns") for time in times)])
    return of_texts(("n", "crowd", "of", "memory of each", "to be made", "a turn", "to end"), rows, (1, 2),
                    title="Coroutines at once")


def goal_table(result):
    rows = [(measured(goal.ours, goal.unit), measured(goal.theirs, goal.unit), ratio(goal.ratio), wanted(goal),
             REACHED[goal.reached], what(goal)) for goal in goals(result)]
    return of_texts(("ampersand", "compared", "ratio (95 %)", "wanted", "", "goal"), rows, (2, 3, 4, 5))


def ratio(found):
    return "" if found is None else quantity.with_interval(found.estimate, found.low, found.high)
