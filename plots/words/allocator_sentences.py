# SPDX-License-Identifier: MIT
"""The sentences of a summary over allocator configurations: which may be best in each workload, and where a pair's
sides cross."""

from dataclasses import replace

from plots.judge.allocators.judging import judgement
from plots.judge.allocators.metrics import main_metric
from plots.judge.pair_summary import SIDES
from plots.stats.top_group import CONFIDENCE
from plots.words import quantity, sentences

MOST = 5  # names in a sentence


def summarize(run):
    """The Summary of a run, with its sentences."""
    summary, crossings = judgement(run)
    units = {work["name"]: work.get("size_unit", "") for work in run.workloads}
    names = {work["name"]: {side: work.get(f"{side}_label", side) for side in SIDES} for work in run.workloads}
    return replace(
        summary, workloads=tuple(replace(work, sentence=_of_workload(summary, work)) for work in summary.workloads),
        crossovers=tuple(replace(one, sentence=sentences.crossover(result, units[work], names[work]))
                         for one, (work, result) in zip(summary.crossovers, crossings)))


def _of_workload(summary, work):
    ranking, baseline, metric = work.ranking, summary.baseline, main_metric(work.kind)
    if not ranking:
        return f"no numbers to compare: {baseline} was not measured"
    best, group = ranking[0].configuration, [one.configuration for one in ranking if one.tied]
    if summary.quick:
        return f"a first look, no verdict: {best} has the best number"
    found = next(cell.metrics[metric.name] for cell in summary.cells
                 if (cell.workload, cell.configuration) == (work.workload, best))
    if found.decision == "no verdict":
        return f"too few launches for a verdict: {best} has the best number"
    which = "fastest" if metric.unit == "ns" else "one that keeps least"
    where = f", {baseline} among them" if baseline in group and len(group) > 1 else ""
    return (f"in the top group, which holds the {which} with {quantity.level(CONFIDENCE)}: "
            f"{sentences.listed(group, MOST)} ({len(group)} of {len(ranking)}{where})")
