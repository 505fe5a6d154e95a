# SPDX-License-Identifier: MIT
"""The sentences of a summary of pairs: what each row, each crossover and the rule of stopping says in words."""

import sys
from dataclasses import replace

from plots.judge import causes, pair_summary, tidy
from plots.judge.pair_summary import SIDES, Why
from plots.judge.summary import judgement
from plots.program.errors import Refused
from plots.words import because, quantity, sentences


def summarize(run, among=None):
    """(the Summary, the text of bench.txt). `among` is how many rows hold together, where that is more than the run's
    own. A published run has been judged: its Summary, and None."""
    if run.published:
        return pair_summary.read(run.published), None
    found = judgement(run, among)
    summary = found.summary
    one_layout = run.manifest["settings"].get("layout", -1) >= 0
    units = {row.pair: row.declared.get("size_unit", "B") for row in run.rows}
    names = {row.pair: {side: row.name_of(side) for side in SIDES} for row in summary.rows}
    start = causes.start(summary.pairs, causes.cycle_ns(summary.rows))
    inside = _between(run)
    rows = [replace(row, counts=_in_words(row.counts, names[row.pair]), sentence=_of_row(
        row, measured, summary.rule.launches_needed, one_layout)) for row, measured in zip(summary.rows, run.rows)]
    return replace(
        summary, rule=replace(summary.rule, stopping=stopping(found.rule)),
        rows=tuple(replace(row, why=replace(row.why or Why(), sentence=because.sentence(
            row, names[row.pair], start))) for row in rows),
        crossovers=tuple(
            replace(one, sentence=sentences.crossover(result, units[result.pair], names[result.pair])
                    + inside.get(result.pair, ""))
            for one, result in zip(summary.crossovers, found.crossings))), found.bench


BETWEEN = "between"  # the folder within a run's of the run of sizes within its widest brackets


def _between(run):
    """{pair: where its winner changes, by the run of sizes between}, in words that follow the sentence of this run.
    None where that run was killed before it had a launch, or is damaged, which is said: this run is judged without."""
    folder = run.folder / BETWEEN
    if not (folder / "manifest.json").exists():
        return {}
    try:
        inside = summarize(tidy.load(folder))[0]
    except Refused as error:
        print(f"ampersand: sizes between are left out: {error}", file=sys.stderr)
        return {}
    return {one.pair: f"; measured between them, {one.sentence}" for one in inside.crossovers if one.sizes}


def _in_words(counts, names):
    if counts.status != "differs":
        return counts
    return replace(counts, detail="; ".join(of_counts(one, names) for one in counts.detail))


def stopping(rule):
    if rule.fixed:
        return f"fixed: {rule.looks[0]} launches of every row, one look"
    looks = ", ".join(map(str, rule.looks))
    return (f"a row that is undecided and not known within {quantity.level(rule.precision)} is launched again: looks "
            f"after {looks} launches, for at most {rule.budget_s} s beyond the first {rule.looks[0]}")


def _of_row(row, measured, needed, one_layout):
    if row.failed:
        return f"failed ({row.failed.kind}): {row.failed.reason}, {row.failed.detail}"
    if row.observable is False:
        return f"not observable here: on this machine {measured.declared['observed_by']} shows no effect either"
    if not measured.launches:
        return "not measured: no launch is finished"
    if row.ratio is None:
        return "not measured: in every launch some layout took less time than the clock can see"
    side = row.name_of("value" if row.ratio.estimate >= 1 else "pointer")
    alone = "alone, " if row.paired else ""
    told = alone + _of_verdict(row, side, _faster(row), needed, one_layout)
    told += f"; by turns pointer/value is {sentences.ratio(row.paired.ratio)}" if row.paired else ""
    return f"{told}; {OUTSIDE}" if row.outside_spread else told


OUTSIDE = ("the ratio, a mean over all layouts, lies outside of p10 to p90: fewer than one layout in ten differ so "
           "much that they move it")


def _faster(row):
    """4.7 % faster, 0.063 ns (small)"""
    said = quantity.faster(row.ratio.estimate)
    if row.difference_ns and row.difference_ns.estimate:
        said += f", {quantity.time(abs(row.difference_ns.estimate), 2)}"
    return said + " (small)" * bool(row.small)


COUNTED = {"allocs": "allocated {} per operation", "frees": "freed {} per operation",
           "asked_b": "asked for {} per operation", "granted_b": "was granted {} per operation",
           "peak_b": "held at most {}"}


def of_counts(difference, names):
    """the pointer side allocated 1 time per operation in launch 0, 1.001 times in launch 1"""
    (first, one), (other, two) = difference.first, difference.other
    texts = next(texts for texts in ([quantity.digits(float(x), n, exact=True) for x in (one, two)]
                                     for n in (4, 7, 10, 17)) if len(set(texts)) > 1)
    unit = ["B", "B"] if difference.key.endswith("_b") else ["time" if x == 1 else "times" for x in (one, two)]
    did = COUNTED[difference.key].format(f"{texts[0]} {unit[0]}")
    return f"the {names[difference.side]} side {did} in launch {first}, {texts[1]} {unit[1]} in launch {other}"


def _of_verdict(row, side, faster, needed, one_layout):
    verdict, spread = row.verdict, row.spread
    if verdict == "no verdict" and one_layout:
        return f"one layout gives no verdict, because its place may be a lucky one; here {side} is {faster}"
    if verdict == "no verdict":
        return f"a quick run gives no verdict; so far {side} looks {faster}"
    if row.ratio.low is None:
        return f"undecided: {row.launches} of the {needed} launches that an interval needs"
    return {"value faster": f"{side} is {faster}", "pointer faster": f"{side} is {faster}",
            "leans value": f"{side} is {faster} on average, but not in all layouts",
            "leans pointer": f"{side} is {faster} on average, but not in all layouts",
            "equal": f"equal within {quantity.level(row.equal_within or 0)}",
            "placement decides": "the place of the code decides: over the layouts, pointer/value goes from "
                                 f"{quantity.interval(spread.p10, spread.p90, ' to ')}",
            "undecided": f"undecided: {STOPPED.get(row.stopped.why, 'measure more launches')}"}[verdict]


STOPPED = {"precise": "known within the precision, but at the border of two verdicts",
           "looks": "after the last look", "budget": "the budget is spent", "open": "it wants more launches"}
