# SPDX-License-Identifier: MIT
"""The summary of a run over allocator configurations, as people and programs read it: table, JSON, CSV, Markdown.

A grid of all configurations and workloads fits no terminal, so each workload has a table of its own: a line for each
configuration that differs from the baseline, best first; those that do not differ follow by name."""

import json
from dataclasses import replace

from plots.files.allocator_run import PROGRAM, TIMELINE
from plots.judge.allocators.metrics import APART, BY_NAME, main_metric, time_of
from plots.judge.allocators.summary import document
from plots.stats import multiplicity
from plots.stats.top_group import CONFIDENCE
from plots.words import quantity, screen, sentences
from plots.words.fitting import cut
from plots.words.table import Column, Table, of_values

# Shown beside what a workload is ranked by.
BESIDE = ("metric", "user_ns", "system_ns", "p99_ns", "peak_rss_b", "retained_rss_b", "faults", "faults_per_op")
MARKS = {"slower": "+", "more": "+", "worse": "+", "faster": "-", "less": "-", "better": "-", "equal": "=",
         "undecided": "?"}
COLOURS = {"slower": screen.YELLOW, "more": screen.YELLOW, "worse": screen.YELLOW,
           "faster": screen.BLUE, "less": screen.BLUE, "better": screen.BLUE,
           "equal": screen.GREEN, "undecided": screen.DIM, "no verdict": screen.DIM}
NAME = 28


def show(summary, form, out=None):
    screen.show(form,
                {"table": lambda on: table(summary, on), "json": lambda: json.dumps(document(summary), indent=1) + "\n",
                 "csv": numbers(summary).csv, "markdown": lambda: markdown(summary)}, out)


def metrics_of(summary):
    return [BY_NAME[one.name] for one in summary.metrics]


def verdict(one):
    return f"equal ({quantity.level(one.equal_within)})" if one.decision == "equal" else one.decision


def ratio(one):
    """Of a metric of a cell, or of nothing."""
    return "1" if one and one.decision == "baseline" else sentences.ratio(one and one.ratio)


def interval(one):
    return sentences.interval(one and one.ratio)


def with_interval(one):
    """Of a metric of a cell, or of nothing."""
    found = one and one.ratio
    return quantity.with_interval(found.estimate, *found.ends) if found else ratio(one)


def marked(one):
    """A ratio with the sign of its decision, for a column of such."""
    text = ratio(one)
    return text if text == quantity.NONE else f"{text} {MARKS.get(one.decision, ' ')}"


def cells_of(summary, work):
    """The cells of a workload that have the number it is ranked by, best first, and the others."""
    metric, mine = main_metric(work.kind).name, summary.cells_of(work)
    with_number = sorted((cell for cell in mine if metric in cell.metrics), key=lambda cell: cell.metrics[metric].place)
    return with_number, [cell for cell in mine if metric not in cell.metrics]


def why(holder):
    """Of a column or a cell that has no numbers."""
    return f"{holder.state}: {holder.reason}"


# ---- For people

def of_workload(summary, work):
    """The Table of a workload."""
    metric = main_metric(work.kind)
    tied = {one.configuration for one in work.ranking if one.tied}
    measured, out = cells_of(summary, work)

    def mine(cell, name=metric.name):
        return cell.metrics.get(name)

    def value(cell):
        estimate = mine(cell).value.estimate
        return quantity.time_ns(estimate) if metric.name == "ns_per_op" else quantity.of_unit(estimate, metric.unit)
    columns = [
        Column(title="*", text=lambda cell: "*" if cell.configuration in tied else "", words=True),
        Column(title="configuration", text=lambda cell: cell.configuration, words=True, gap=1, least=NAME,
               brief=lambda cell: cut(cell.configuration, NAME, middle=True)),
        Column(title=metric.short, text=value, least=9, gap=1),
        Column(title="ratio", text=lambda cell: ratio(mine(cell)), gap=1, least=7),
        Column(title="interval", text=lambda cell: interval(mine(cell)), words=True, least=14),
        Column(title="verdict", text=lambda cell: verdict(mine(cell)), words=True, least=11, painted=True),
        *(_beside(one, lambda cell, name=one.name: marked(mine(cell, name)))
          for one in metrics_of(summary) if one != metric and
          (one.name in BESIDE or any(one.name in cell.metrics for cell in measured)))]
    return Table(tuple(columns), measured + out, kept=2, instead=lambda cell: "" if mine(cell) else why(cell),
                 colour=lambda cell: COLOURS.get(mine(cell).decision, "") if mine(cell) else screen.ALARM)


def _beside(metric, text):
    """A column of another metric: on a screen those of BESIDE, the first of which goes first where room is short."""
    wide = metric.name not in BESIDE
    return Column(title=metric.short, text=text, least=8, wide=wide,
                  spare=0 if wide else len(BESIDE) - BESIDE.index(metric.name))


def table(summary, on=screen.PIPE):
    lines = []
    for work in summary.workloads:
        lines += _workload(summary, work, on) + [""]
    lines += of_workload(summary, summary.workloads[0]).left_out(on, indent=2) if summary.workloads else []
    return "\n".join(line.rstrip() for line in lines + _columns_out(summary, on) + closing(summary, on)) + "\n"


def _workload(summary, work, on):
    metric, whole = main_metric(work.kind), of_workload(summary, work)
    tied = {one.configuration for one in work.ranking if one.tied}
    floor = work.floors.get(metric.name)
    known = "" if floor is None else f"; floor {quantity.percent(floor)}"
    kept, folded = [], {"equal": [], "undecided": []}
    for cell in whole.rows:
        one = cell.metrics.get(metric.name)
        alone = not one or one.decision not in folded or cell.configuration in (summary.again, *tied)
        (kept if alone else folded[one.decision]).append(cell)
    lines = on.wrapped(f"{work.workload}: {work.purpose}", "", "  ")
    threads = "" if work.kind == PROGRAM else f"; {quantity.counted(work.threads, 'thread')}"
    lines += on.wrapped(f"{work.operation}{threads}{known}", "  ", "  ")
    if kept:
        lines += replace(whole, rows=kept).terminal(on, indent=2, silent=True)
    for word, cells in folded.items():
        names = [cell.configuration + (f" {ratio(cell.metrics[metric.name])}" if word == "undecided" else "")
                 for cell in cells]
        lines += on.wrapped(f"{word}: {', '.join(names)}", "    ", "      ") if names else []
    return lines + on.wrapped(f"=> {work.sentence}", "  ", "     ")


def _columns_out(summary, on):
    if not summary.out:
        return ["Every configuration was in force.", ""]
    lines = ["Without numbers:"]
    for column in summary.out:
        code = screen.DIM if column.state == "absent" else screen.ALARM
        lines += [on.paint(line, code) for line in
                  on.wrapped(why(column), f"  {column.configuration:<{NAME}} ", " " * (NAME + 5))]
    return lines + [""]


def markdown(summary):
    parts = [f"## {work.workload}\n\n{work.purpose} {sentences.capital(work.sentence)}.\n\n"
             f"{of_workload(summary, work).markdown()}" for work in summary.workloads]
    under = "\n".join(_columns_out(summary, screen.PIPE) + closing(summary))
    return "\n".join(parts) + f"\n```\n{under}\n```\n"


# ---- What stands under the tables

def counted(summary):
    """(decided, cells, of the A/A column called different, its cells) of the time per operation."""
    metric = summary.decided(time_of(summary))
    return metric.decided, metric.cells, metric.again_different, metric.again_cells


def closing(summary, on=screen.PIPE):
    shares = [] if summary.quick else [decided(summary), again(summary)]
    lines = [line for sentence in filter(None, [*shares, *disturbances(summary)]) for line in on.wrapped(sentence)]
    return [*lines, "", *on.definitions(legend(summary))]


def decided(summary):
    of_time, cells, _, _ = counted(summary)
    share = f" ({quantity.percent(of_time / cells)})" if cells else ""
    return f"Decided: {quantity.count(of_time)} of {quantity.counted(cells, 'cell')}{share} in {time_of(summary).title}"


def again(summary):
    _, _, different, cells = counted(summary)
    every = [sum(getattr(one, key) for one in summary.metrics) for key in ("again_different", "again_cells")]
    return cells and (f"A/A: {summary.again} is {summary.baseline} again. {quantity.count(different)} of its "
                      f"{quantity.counted(cells, 'cell')} in {time_of(summary).title}, and {quantity.count(every[0])} "
                      f"of {quantity.count(every[1])} in all metrics, were decided different")


def disturbances(summary):
    """Sentences: what else moved the times."""
    return list(filter(None, (neighbours(summary), distances(summary), lost(summary))))


def lost(summary):
    return sentences.lost([(f"{cell.configuration} in {cell.workload}", cell.lost) for cell in summary.cells])


def neighbours(summary):
    """A sentence: how often another program was on the core."""
    timed = [cell for cell in summary.cells if cell.workload != TIMELINE]
    launches, disturbed = sum(cell.launches for cell in timed), sum(cell.disturbed for cell in timed)
    launches = quantity.counted(launches, "launch", "launches")
    if not disturbed:
        return f"Neighbours: the core was quiet for long enough in all of {launches}"
    return (f"Neighbours: in {quantity.count(disturbed)} of {launches} the core was not quiet for long enough; their "
            "times are those of its quietest moments")


def distances(summary):
    """A sentence: how often the threads' CPUs were elsewhere than the baseline's; empty where they never were."""
    baseline, threaded = summary.baseline, {work.workload for work in summary.workloads if work.threads > 1}
    cells = [cell for cell in summary.cells if cell.workload in threaded and cell.configuration != baseline]
    launches, apart = sum(cell.launches for cell in cells), sum(cell.apart for cell in cells)
    launches = quantity.counted(launches, "launch", "launches")
    return apart and (f"Distances: in {quantity.count(apart)} of {launches} with several threads, a cache line took "
                      f"{quantity.count(APART)} times as long (or as short) from CPU to CPU as in {baseline}'s launch "
                      f"beside it; their times are not compared with {baseline}'s as long as enough other launches "
                      f"remain")


def legend(summary):
    """[(name, meaning)]"""
    baseline, rule, time = summary.baseline, summary.rule, summary.decided(time_of(summary))
    of_program = time.name == "wall_ns"
    entries = [("ratio", f"to {baseline}, within each launch: below 1 is better, that is faster or less memory"),
               ("*", f"in the top group, which holds the best with {quantity.level(CONFIDENCE)}: no other is shown to "
                "be better"),
               ("time", f"{baseline}'s median times the ratio, so that both have one order"),
               ("user ..." if of_program else "p99 ...",
                "ratios as well: " + ("of CPU time" if of_program else
                                      "of single operations (median, 99th percentile, longest)") +
                f", of memory, of page faults{'' if of_program else ' per operation'}; + worse than {baseline}, - "
                f"better, = equal within {quantity.level(multiplicity.EQUAL_WITHIN[-1])}, ? undecided")]
    if summary.quick:
        return entries + [("verdict", "a quick run has none: take it as a first look, and decide without --quick")]
    return entries + [
        ("interval", f"where the ratio lies, by order statistics of the launches, at "
                     f"{quantity.level(time.confidence)}: on average at most "
                     f"{quantity.level(rule.rate)} of the decided cells are wrong, by simulation"),
        ("floor", f"the larger of {quantity.level(rule.least)} and how far {summary.again or 'an A/A column'} may lie "
                  "from 1"),
        ("slower, faster", "the whole interval is beyond the floor"),
        ("equal", "the interval lies within the percentage"),
        ("undecided", "neither is certain: measure more launches"),
        ("no verdict", "too few launches")]


# ---- For programs

KEYS = ("workload", "configuration", "state", "reason", "metric", "unit", "launches", "value", "value_low",
        "value_high", "ratio", "ratio_low", "ratio_high", "floor", "decision", "equal_within")


def numbers(summary):
    """The Table of every number, and of what has none."""
    rows = []
    for work in summary.workloads:
        for holder in (*summary.cells_of(work), *summary.out):
            found = getattr(holder, "metrics", {})
            start = {"workload": work.workload, "configuration": holder.configuration, "state": holder.state}
            rows += [{**start, "metric": metric.name, "unit": metric.unit, "launches": one.launches,
                      **_ends("value", one.value), **_ends("ratio", one.ratio), "floor": work.floors.get(metric.name),
                      "decision": one.decision, "equal_within": one.equal_within}
                     for metric in metrics_of(summary) if (one := found.get(metric.name))] or [
                         {**start, "reason": holder.reason}]
    return of_values(KEYS, rows)


def _ends(key, found):
    return {key: found.estimate, f"{key}_low": found.low, f"{key}_high": found.high} if found else {}
