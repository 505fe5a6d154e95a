# SPDX-License-Identifier: MIT
"""The summary of a run of pairs, as people and programs read it: table, JSON, CSV, Markdown."""

import json
import math
from dataclasses import replace

from plots.files.records import ABSENT
from plots.judge import overview, pair_summary
from plots.judge.pair_summary import SIDES
from plots.program.guard import COMMAND
from plots.stats.sensor import MOST
from plots.words import counters_text, overview_text, quantity, rules, screen, sentences
from plots.words.sentences import carried_over, interval, ratio, verdict
from plots.words.table import Column, Table

BAR = 3  # characters a side
WIDTH = 100  # where no terminal has another
VERDICT_WIDTH = 17  # placement decides
COLOURS = {"value faster": screen.BLUE, "leans value": screen.BLUE, "pointer faster": screen.YELLOW,
           "leans pointer": screen.YELLOW, "equal": screen.GREEN, "failed": screen.ALARM, "undecided": screen.DIM,
           "no verdict": screen.DIM}


def show(summary, form, out=None, why=False, wide=False, manifest=None):
    screen.show(form, {"table": lambda on: table(summary, on, why, wide, manifest), "csv": rows(summary.rows).csv,
                       "json": lambda: json.dumps(pair_summary.document(summary), indent=1) + "\n",
                       "markdown": lambda: markdown(summary, why)}, out)


def table(summary, on=screen.PIPE, why=False, wide=False, manifest=None):
    """`wide`: all columns, however wide that is. With the run's manifest, its answers in short stand below."""
    on = on if on.narrow else replace(on, width=WIDTH)
    return "\n".join([*of_rows(summary.rows, replace(on, narrow=not wide)), "",
                      *(executed(summary, on) if why else []), *closing(summary, on),
                      *(in_short(summary, manifest, on) if manifest else []), *next_step(summary, on)]) + "\n"


def of_rows(everything, on):
    """Lines: the table, and below it which columns are left out."""
    made = rows(everything)
    return [*made.terminal(on, silent=True),
            *(line for note in made.left_out(on) for line in on.wrapped(f"{note}; --wide shows all"))]


def in_short(summary, manifest, on):
    """Lines."""
    said = [line for answer in overview_text.in_short(summary, manifest)
            for line in on.wrapped(answer.whole, "  ", "    ")]
    return ["", "In short", *said] if said else []


def executed(summary, on):
    """Lines: what both sides execute."""
    said = [line for sentence in counters_text.note(summary.rows) for line in on.wrapped(sentence, "", "  ")]
    return [*counters_text.table(summary.rows).terminal(on), "", *said, *[""] * bool(said)]


def markdown(summary, why=False):
    more = f"{counters_text.table(summary.rows).markdown()}\n" if why else ""
    below = "\n".join([*closing(summary), *next_step(summary)])
    return f"{rows(summary.rows).markdown()}\n{more}```\n{below}\n```\n"


# ---- The rows

def rows(everything, some=None):
    """The Table of all rows, or of some of them."""
    columns = COLUMNS + STACK * has_stack(everything) + VERDICT + STACK_OF_PROGRAMS
    return Table(columns, everything if some is None else some, colour=colour_of, kept=2, least_wrapped=VERDICT_WIDTH,
                 instead=lambda row: row.sentence if row.ratio is None else "")


def colour_of(row):
    return screen.ALARM if row.counts.status == "differs" else COLOURS.get(row.verdict, "")


def part(row, key, end="estimate"):
    return getattr(getattr(row, key), end, None)


def per_op(row, side, key):
    found = getattr(row.counted(side), f"{key}_per_op", None)
    return None if found is ABSENT else found


def counted(row, side, key):
    if not row.counts.known:
        return quantity.NONE
    number = per_op(row, side, key)
    return "differs" if number is None else quantity.count(number)


def bar(row):
    """Towards the faster side, value on the left: a character for up to 1.6 times, two up to 2.5, three beyond."""
    if row.ratio is None or row.verdict not in ("value faster", "pointer faster", "leans value", "leans pointer"):
        return " " * BAR + "|" + " " * BAR
    steps = math.log2(row.ratio.estimate) / 2 * BAR
    length = min(BAR, max(1, math.ceil(abs(steps))))
    mark = ("=" if row.verdict.endswith("faster") else "-") * length
    return f"{mark:>{BAR}}|{'':{BAR}}" if steps > 0 else f"{'':{BAR}}|{mark:<{BAR}}"


def has_stack(rows):
    """Whether the run counted what stack an operation takes; older runs did not."""
    sides = [row.counted(side) for row in rows for side in SIDES]
    return any(side and side.stack_touched_b_per_op is not ABSENT for side in sides)


def stack(row, side, brief=False):
    """Reserved / touched; in brief what it reserved, or "~" what it touched where only that is known."""
    reserved, touched = (per_op(row, side, f"stack_{what}_b") for what in ("reserved", "touched"))
    if touched is None:
        return quantity.NONE
    if brief:
        return f"~{quantity.count(touched)}" if reserved is None else quantity.count(reserved)
    return f"{'?' if reserved is None else quantity.count(reserved)} / {quantity.count(touched)}"


def saved_ns(row):
    """What the faster side saves an operation; None where no side is faster."""
    said = overview.outcome(row)
    return said.saved_ns if said.side else None


def saves(row):
    saved = saved_ns(row)
    return quantity.NONE if saved is None else "<0.01" if saved < quantity.LEAST_NS else quantity.digits(saved, 2)


def size(row):
    """Of many digits with a binary unit, where that says the same."""
    return str(row.size) if row.size < 1 << 20 else quantity.size_tick(row.size)


def _of_programs(key, value):
    return Column(key, value)


def _ends(key, *ends):
    return tuple(_of_programs(f"{key}_{end}", lambda row, end=end: part(row, key, end)) for end in ends)


def _time(side, short, gap):
    key = f"{side}_ns_per_op"
    return (Column(key, lambda row: part(row, key), f"{side} ns/op", lambda row: quantity.time_ns(part(row, key)),
                   short=short, group="ns/op", gap=gap), *_ends(key, "low", "high"))


def _count(side, short, gap, key, of_summary, spare):
    unit = key.replace("_per_op", "/op").replace("b/", "B/")
    return Column(f"{side}_{key}", lambda row: per_op(row, side, of_summary), f"{side} {unit}",
                  lambda row: counted(row, side, of_summary), short=short, group=unit, gap=gap, spare=spare)


def _solo(key, value):
    return _of_programs(key, lambda row: row.solo and value(row.solo))


RATIO = "pointer/value"  # heading of a group
COLUMNS = (
    _of_programs("row", lambda row: row.row),
    Column("pair", lambda row: row.pair, "pair", words=True),
    Column("size", lambda row: row.size, "size", brief=lambda row: size(row), gap=1),
    _of_programs("launches", lambda row: row.launches), _of_programs("layouts", lambda row: row.layouts),
    _of_programs("disturbed", lambda row: part(row, "disturbed", "share")),
    _of_programs("ratio_with_disturbed", lambda row: row.disturbed and part(row.disturbed, "ratio_with") or None),
    *_time("value", "value", 2), *_time("pointer", "ptr", 1),
    Column("saves_ns_per_op", lambda row: saved_ns(row), "the faster side saves ns/op", lambda row: saves(row),
           short="saves", group="ns/op", gap=1, spare=4),
    Column("ratio", lambda row: part(row, "ratio"), f"ratio {RATIO}", lambda row: ratio(row.ratio), short="ratio",
           group=RATIO),
    *_ends("ratio", "low", "high"),
    Column("", lambda row: part(row, "ratio", "low"), "interval", lambda row: interval(row.ratio), words=True,
           group=RATIO, gap=1),
    Column("", lambda row: part(row, "spread", "p10"), "spread over layouts",
           lambda row: interval(row.spread), words=True, short="spread", group=RATIO, spare=6),
    *_ends("spread", "p10", "p90"),
    _of_programs("difference_ns", lambda row: part(row, "difference_ns")), *_ends("difference_ns", "low", "high"),
    _count("value", "val", 2, "b_per_op", "asked_b", 7), _count("pointer", "ptr", 1, "b_per_op", "asked_b", 7),
    _count("value", "val", 2, "allocs_per_op", "allocs", 5), _count("pointer", "ptr", 1, "allocs_per_op", "allocs", 5))
STACK = tuple(Column("", lambda row, side=side: per_op(row, side, "stack_touched_b"),
                     f"{side} stack B, reserved / touched", lambda row, side=side: stack(row, side),
                     brief=lambda row, side=side: stack(row, side, brief=True), short=short, group="stack B", gap=gap,
                     spare=8)
              for side, short, gap in (("value", "val", 2), ("pointer", "ptr", 1)))
VERDICT = (
    _of_programs("counts", lambda row: row.counts.status),
    Column(title="val|ptr", text=bar, spare=9),
    Column("verdict", lambda row: row.verdict, "verdict", verdict, words=True, painted=True),
    *(_of_programs(key, lambda row, key=key: getattr(row, key)) for key in ("equal_within", "sentence")),
    _of_programs("small", lambda row: None if row.small is ABSENT else row.small),
    _of_programs("look", lambda row: row.stopped.look),
    _of_programs("stopped", lambda row: row.stopped.why),
    _solo("solo_ratio", lambda solo: solo.ratio.estimate),
    *(_solo(f"solo_ratio_{end}", lambda solo, end=end: getattr(solo.ratio, end)) for end in ("low", "high")),
    _solo("solo_paired_ratio", lambda solo: solo.paired_ratio),
    _solo("carry_over", lambda solo: solo.carry_over),
    _of_programs("answer", lambda row: "alone" if row.paired else "by turns"),
    _of_programs("paired_ratio", lambda row: part(row.by_turns, "ratio")),
    _of_programs("paired_verdict", lambda row: row.by_turns.verdict))
STACK_OF_PROGRAMS = tuple(_of_programs(f"{side}_stack_{what}_b_per_op",
                                       lambda row, side=side, what=what: per_op(row, side, f"stack_{what}_b"))
                          for what in ("reserved", "touched") for side in SIDES)


# ---- What stands under them: what failed, crossovers, floors, how to read it

def closing(summary, on=screen.PIPE):
    """Lines."""
    out = [on.paint(line, colour_of(row)) for row, why in wrong(summary)
           for line in on.wrapped(f"{row.row}: {why}", "", "  ")]
    out += carry_overs(summary, on)
    for sentence in [*stops(summary), *no_counts(summary), *counters_text.missing(summary.rows)]:
        out += on.wrapped(sentence, "", "  ")
    out += crossovers(summary, on)
    for sentence in [*floors(summary.floors), *neighbours(summary), *lost(summary)]:
        out += on.wrapped(sentence, "", "  ")
    for sentence in [*known(summary), *claims(summary)]:
        out += on.wrapped(sentence, "", "  ")
    out += [f"Compiled by {summary.compiled}"] if summary.compiled else []
    return [*out, *[""] * bool(out), "How to read it", *on.definitions(key(summary))]


def key(summary):
    """[(name, meaning)]: the legend in five lines of at most WIDTH; legend() says all."""
    rule = summary.rule
    lines = [("ratio", "pointer/value on a quiet core; above 1 value is faster; 1/29: pointer takes a 29th"),
             ("interval", f"where the ratio lies, {quantity.level(rule.confidence)} sure for the whole table")]
    if not overview.has_verdicts(summary):
        return [*lines, *((name, meaning) for name, meaning in _verdicts(summary) if name == "verdict")]
    alone = "; *: each alone, see above" if any(map(carried_over, summary.rows)) else ""
    return [*lines,
            ("saves", f"ns an operation; small: {overview_text.SMALL}{alone}"),
            ("faster", f"by over {quantity.level(rule.threshold)}, in 9 of 10 places of the code or more; leans: in "
             "fewer"),
            ("equal", "within the percentage; placement decides: where the code stands matters more")]


DECIDES = {"a larger --budget": ("budget", "open"), "a finer --precision": ("precise",),
           "more --launches": ("looks", "fixed")}  # by what ended the launches of a row


def next_step(summary, on=screen.PIPE):
    """Lines: a blank one and a sentence, or none where nothing is left to do but to read."""
    undecided = [row.stopped.why for row in summary.rows if row.verdict == "undecided"]
    if summary.quick:
        return ["", *on.wrapped(f"Next: this was a first look; {COMMAND} bench without --quick decides", "", "  ")]
    what = [name for name, whys in DECIDES.items() if set(undecided) & set(whys)]
    said = (f"Next: {quantity.counted(len(undecided), 'row is', 'rows are')} undecided; "
            f"{' or '.join(what)} decides more")
    return ["", *on.wrapped(said, "", "  ")] if undecided else []


def wrong(summary):
    """[(row, why)] of those that failed, or whose counts are not exact."""
    whys = {row.row: row.sentence if row.failed else
            f"counts differ between launches: {row.counts.detail}" for row in summary.rows
            if row.failed or row.counts.status == "differs"}
    return [(row, whys[row.row]) for row in summary.rows if row.row in whys]


def no_counts(summary):
    refused = [row for row in summary.rows if row.counts.status == "refused"]
    rows = quantity.counted(len(refused), "row")
    return [f"No counts in {rows}: {refused[0].counts.detail}."] if refused else []


def carry_overs(summary, on=screen.PIPE):
    """Lines: which rows are answered by each side alone, and how many rows it is told of."""
    found = [row for row in summary.rows if carried_over(row)]
    said = ("* Alone: the sides of these rows disturb each other, because each leaves caches and predictors in another "
            "state. The row's answer is each side alone, in a process of its own (solo); by turns it reads:")
    out = on.wrapped(said, "", "  ") * bool(found) + on.definitions([(row.row, _by_turns(row)) for row in found])
    return out + [line for sentence in carry_over_tally(summary) for line in on.wrapped(sentence, "", "  ")]


def _by_turns(row):
    paired = ratio(row.paired.ratio) if row.paired else quantity.ratio(row.solo.paired_ratio)
    return (f"by turns {paired}, alone {ratio(row.solo.ratio)}: {ratio(row.solo.difference)} times as much "
            f"({interval(row.solo.difference)})")


def carry_over_tally(summary):
    """A sentence, or none where no row was also measured alone, or nothing is told of any."""
    count = {told: sum(1 for row in summary.rows if row.solo and row.solo.carry_over is told)
             for told in (True, False, None)}
    if not count[True] + count[False]:
        return []
    beyond = quantity.level(summary.rule.carry_over_threshold)
    return [f"Carry-over, alone against by turns: beyond {beyond} in {quantity.counted(count[True], 'row')}, within it "
            f"for certain in {quantity.count(count[False])}, not told in {quantity.count(count[None])}"]


STOPS = {"decided": "decided", "precise": "undecided, but known within the precision",
         "looks": "undecided after the last look", "budget": "undecided when the budget was spent",
         "open": "undecided, and wanting more launches"}


def stops(summary):
    """Which rule ended the launches of how many rows; nothing where their number was fixed."""
    looks = {}
    for row in summary.rows:
        key = row.stopped.look, row.launches + row.left_out
        of = looks.setdefault(row.stopped.why, {})
        of[key] = of.get(key, 0) + 1
    return [f"Stopped, {words}: " + ", ".join(f"{n} at look {look} ({launches} launches)"
                                              for (look, launches), n in sorted(looks[why].items()))
            for why, words in STOPS.items() if why in looks]


def crossovers(summary, on=screen.PIPE):
    """Lines: a sentence for each pair whose winner changes, one for all others, and one for all that have too few
    launches for any."""
    known = {row.pair for row in summary.rows if part(row, "ratio", "low") is not None}
    told = [(one.pair, one.sentence) for one in summary.crossovers if one.pair in known and not _same(one)]
    few = sum(one.pair not in known for one in summary.crossovers)
    rest = len(summary.crossovers) - len(told) - few
    head = ["Crossover by size: between which sizes the winner changes, by their verdicts"]
    none = f"Crossover by size: {quantity.counted(few, 'pair has', 'pairs have')} too few launches to show one"
    same = f"The winner does not change within the sizes of {quantity.counted(rest, 'pair')}"
    return head * bool(told) + on.definitions(told) + [same] * bool(rest) + [none] * bool(few)


def _same(one):
    """Whether no size of a pair is shown to have another winner."""
    return not one.sizes and "; undecided between them: " not in one.sentence


FLOORS = {"clockwork": "one function against itself", "placement": "two identical functions"}


def floors(found):
    return [f"Noise floor, {name} ({FLOORS[name]}): ratio {ratio(floor.ratio)}, "
            + (f"interval {interval(floor.ratio)}, " if floor.ratio.low is not None else "")
            + f"spread {interval(floor.spread)}"
            for name, floor in found.items() if floor and floor.ratio]


def neighbours(summary):
    """A sentence, or none where nothing was measured."""
    found = summary.neighbours
    if not found.blocks:
        return []
    if not found.disturbed:
        return ["Neighbours: none; nothing else ran on the core"]
    launches = quantity.counted(found.launches, "launch", "launches")
    out = f"; {quantity.count(found.left_out)} of {launches} are left out because of that" if found.left_out else ""
    told = [f"Neighbours: in {quantity.percent(found.disturbed / found.blocks)} of the blocks something else ran "
            f"on the core at every attempt{out}"]
    noisy = sorted((row for row in summary.rows if row.disturbed and row.disturbed.share >= NOISY),
                   key=lambda row: -row.disturbed.share)
    told += [f"Most of it in {_shares(noisy, 'share')}"] * bool(noisy)
    busy = [row for row in noisy if row.disturbed.kept >= MOST]
    return told + [f"Not on a quiet core, for lack of quiet launches: {_shares(busy, 'kept')}"] * bool(busy)


NOISY = 0.1  # share of blocks


def _shares(rows, key):
    return sentences.listed([f"{row.row} ({quantity.percent(getattr(row.disturbed, key))})" for row in rows])


def known(summary):
    """A sentence: how the control pairs were read whose true ratio is known. None where none was measured."""
    told = [f"{row.pair} {quantity.percent(row.truth - 1)} as {ratio_as_percent(row)}" for row in summary.rows
            if row.truth and row.ratio]
    return ["Known differences: " + ", ".join(told)] if told else []


def ratio_as_percent(row):
    low, high = row.ratio.ends
    read = quantity.percent(row.ratio.estimate - 1)
    return read if low is None else f"{read} ({quantity.changes(low, high)})"


def claims(summary):
    """Sentences: how many claims of the lessons hold in this run, and each that does not."""
    if not summary.claims:
        return []
    count = {holds: sum(one.holds is holds for one in summary.claims) for holds in (True, False, None)}
    told = [f"Claims of the lessons, held against this run: {count[True]} hold, {count[False]} do not, "
            f"{count[None]} are not decided" if count[False] or count[None] else f"All {count[True]} claims of the "
            "lessons hold in this run"]
    return told + [f"Does not hold here: {one.pair}: {one.text} Against it: {sentences.listed(one.against)}"
                   for one in summary.claims if one.holds is False]


def lost(summary):
    """A sentence, or none where no launch was lost."""
    return [said] if (said := sentences.lost([(row.row, row.lost) for row in summary.rows])) else []


def rule(found):
    """A sentence: the numbers of a run's rule."""
    return (f"the smallest difference worth a word is {quantity.level(found.threshold)}; intervals hold with "
            f"{quantity.level(found.confidence)} for the whole table ({found.correction}, {found.interval}) "
            f"and need {quantity.counted(found.launches_needed, 'launch', 'launches')}; "
            f"stopping: {found.stopping}; a carry-over is called beyond "
            f"{quantity.level(found.carry_over_threshold)}")


def legend(summary):
    """[(name, meaning)]"""
    rule = summary.rule
    lines = [("ratio", "pointer/value on a quiet core: above 1 the value side is faster, below 1 the pointer side; "
              "1/29: the pointer side takes a 29th of the time"),
             ("interval", f"where the ratio lies, judged by launches: {quantity.level(rule.confidence)} for the "
              f"whole table ({rule.correction})"),
             ("spread", "the ratio from p10 to p90 of the layouts, the places where the linker may put the code"),
             ("B/op", "bytes as asked for; like allocs/op an exact count")]
    if has_stack(summary.rows):
        lines.append(("stack B", "how far an operation moves the stack pointer, with all that it calls; ~: how far "
                      "down it writes, where the pointer was not followed"))
    return lines + [(name, meaning) for name, meaning in _verdicts(summary) if meaning]


def _verdicts(summary):
    rule, rows = summary.rule, summary.rows
    if summary.quick:
        return [("verdict", "a quick run has none: take it as a first look, and decide without --quick")]
    if all(row.verdict in ("no verdict", "failed") for row in rows):
        return [("verdict", "one layout gives none: its place may be a lucky one")]
    small = any(row.small for row in rows)
    few = any(0 < row.launches < rule.launches_needed for row in rows)
    return [*rules.entries("verdicts", least=quantity.level(rule.threshold)),
            ("small", small and f"the difference matters to few: {overview_text.SMALL}"),
            ("stopping", rule.stopping),
            ("*", any(map(carried_over, rows)) and "each side alone: by turns the ratio certainly differs by more than "
             f"{quantity.level(rule.carry_over_threshold)}"),
            ("launches", few and f"a row needs {rule.launches_needed} for an interval; with fewer it has none, and is "
             "undecided")]
