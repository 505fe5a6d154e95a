# SPDX-License-Identifier: MIT
"""The sentences of a summary over allocator configurations: which is best in each workload, and where a pair's sides
cross."""

from plots.judge.allocator_metrics import main_metric
from plots.judge.allocator_summary import judgement
from plots.judge.pair_summary import SIDES
from plots.words import quantity, sentences


def summarize(run):
    """The document of summary.json."""
    document, crossings = judgement(run)
    for work in document["workloads"]:
        work["sentence"] = _of_workload(document, work)
    units = {work["name"]: work.get("size_unit", "") for work in run.workloads}
    names = {work["name"]: {side: work.get(f"{side}_label", side) for side in SIDES} for work in run.workloads}
    for one, (work, result) in zip(document["crossovers"], crossings):
        one["sentence"] = sentences.crossover(result, lambda size: quantity.size(size, units[work]), names[work])
    return document


def _of_workload(document, work):
    ranking, baseline, metric = work["ranking"], document["baseline"], main_metric(work)
    if not ranking:
        return f"no numbers to compare: {baseline} was not measured"
    best, ties = ranking[0]["configuration"], [one["configuration"] for one in ranking[1:] if one["tied"]]
    if document["quick"]:
        return f"a first look, no verdict: {best} has the best number"
    found = {cell["configuration"]: cell["metrics"][metric.name] for cell in document["cells"]
             if cell["workload"] == work["workload"] and metric.name in cell["metrics"]}
    if found[best]["decision"] == "no verdict":
        return f"too few launches for a verdict: {best} has the best number"
    time = metric.name == "ns_per_op"
    better, worse = ("faster", "be slower") if time else ("less", "keep more")
    if found[best]["decision"] != metric.better:
        shown = [one["configuration"] for one in ranking if found[one["configuration"]]["decision"] == metric.better]
        than = f"{'be' if time else 'keep'} {better} than {baseline}"
        only = f"{best} has the best number, but only {_listed(shown)}" if shown else "none is"
        return f"{only} shown to {than}"
    tied = f"; {_listed(ties)} not shown to {worse}" if ties else ""
    ratio = quantity.ratio(*(found[best]["ratio"][end] for end in ("estimate", "low", "high")))
    share = f"{ratio} of {baseline}'s {'time' if time else 'memory'}"
    return f"the {'fastest is' if time else 'least is kept by'} {best}, with {share}{tied}"


def _listed(names):
    """As the subject of a sentence: names, or how many where they are many."""
    if len(names) < 4:
        return f"{', '.join(names)} {'is' if len(names) == 1 else 'are'}"
    return f"{len(names)} others are"
