# SPDX-License-Identifier: MIT
"""What the page of a run over allocator configurations shows first, as data for its template: what to use in a few
sentences, and the table of workloads by allocator: in each cell the allocator's configuration with the least time (of
timeline: memory) of those that are decided."""

from collections import Counter

from plots.files.allocator_run import TIMELINE
from plots.judge import overview
from plots.judge.allocators.metrics import main_metric
from plots.pages import first_screen
from plots.stats import worth
from plots.words import allocator_text as text, quantity

BETTER, WORSE = ("faster", "less"), ("slower", "more")


def answers(summary):
    """[(lead, rest)]; none of a quick run, which decides nothing."""
    works = [work for work in summary.workloads if work.ranking and work.pick]
    if summary.quick or not works:
        return []
    baseline, said = summary.baseline, []
    picks = Counter(work.pick for work in works)
    if picks[baseline]:
        said.append((f"Keep {baseline} as it is in {picks[baseline]} of {quantity.counted(len(works), 'workload')}",
                     "there no other is shown to be better"))
    others = [f"{name} in {n}" for name, n in picks.most_common() if name != baseline]
    if others:
        said.append((f"Use {', '.join(others[:4])}",
                     "none is shown to be better there, and they need the fewest settings"))
    gain = {work.workload: one for work in works if (one := _best(summary, work))}
    if gain:
        name = min(gain, key=lambda one: gain[one][1])
        configuration, ratio = gain[name]
        of = "memory" if name == TIMELINE else "time"
        said.append((f"Most is gained in {name}",
                     f"{configuration} takes {quantity.percent(ratio)} of {baseline}'s {of}"))
    return said


def _best(summary, work):
    """(configuration, ratio) of the least that is decided better; None where there is none."""
    found = [(cell.configuration, one.place) for cell, one in _decided(summary, work, BETTER)]
    return min(found, key=lambda one: one[1], default=None)


def _decided(summary, work, decisions):
    metric = main_metric(work.kind).name
    return [(cell, one) for cell in summary.cells_of(work)
            if (one := cell.metrics.get(metric)) and one.decision in decisions]


def table(summary):
    """{"columns", "rows"}: a row for each workload, a column for each allocator that was in force."""
    of = {column.configuration: column.allocator for column in summary.columns
          if column.state == "in force" and column.configuration != summary.again}
    allocators = list(dict.fromkeys(of.values()))
    return {"columns": [name or "another library" for name in allocators],
            "rows": [{"pair": work.workload, "question": work.purpose, "number": n, "unit": "",
                      "cells": [_cell(summary, work, {name for name in of if of[name] == allocator})
                                for allocator in allocators]}
                     for n, work in enumerate(summary.workloads, start=1)]}


def _cell(summary, work, names):
    for decisions in (BETTER, ("baseline",), ("equal",), ("undecided", "no verdict"), WORSE):
        found = [(cell.configuration, one) for cell, one in _decided(summary, work, decisions)
                 if cell.configuration in names]
        if found:
            name, one = min(found, key=lambda each: each[1].place)
            return {"classes": _classes(one.place, decisions), "who": name, "saved": text.ratio(one)}
    return None


def _classes(ratio, decisions):
    if decisions not in (BETTER, WORSE):
        return "open" if "undecided" in decisions else "equal"
    factor = max(ratio, 1 / ratio)
    depth = "deep" if factor >= overview.TWICE else "mid" if factor >= worth.WORTH else "pale"
    return f"{'value' if decisions is BETTER else 'pointer'} {depth}"


def legend(summary):
    """[(looks of cells, what they mean)] of the cells that the table has."""
    shown = {cell["classes"] for row in table(summary)["rows"] for cell in row["cells"] if cell}
    least = quantity.level(worth.WORTH - 1)
    return first_screen.explained(shown, {"value": "better", "pointer": "worse"}, (
        (("equal",), f"as {summary.baseline}"), (("open",), "no verdict" if summary.quick else "undecided")),
        small=f"less than {least}")
