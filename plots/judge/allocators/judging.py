# SPDX-License-Identifier: MIT
"""Judge a run over allocator configurations: its Summary, all but the sentences.

What a launch comes to is said in words/rules/allocator_metrics.txt, how a cell is decided in allocator_rule.txt."""

import math

import numpy as np

from plots.files.allocator_run import PROGRAM, TIMELINE
from plots.judge.allocators import metrics
from plots.judge.allocators.metrics import metrics_of
from plots.judge.allocators.summary import (Cell, Column, Crossover, Decided, Number, Ranked, Rule, Summary, Winner,
                                            Work)
from plots.judge.numbers import short
from plots.judge.pair_summary import Crossing, Estimate, estimate_of
from plots.stats import crossover, multiplicity, statistics, top_group
from plots.stats.multiplicity import LEAST

READ = {"workload": metrics.of_workload, "pair": metrics.of_pair, PROGRAM: metrics.of_program,
        TIMELINE: metrics.of_timeline}


def judgement(run):
    """(the Summary, for each of its crossovers the workload's name and a crossover.Crossovers). Its sentences are
    None: words/allocator_sentences.py says them."""
    table = Table(run)
    crossings = list(_crossovers(run))
    summary = Summary(
        quick=run.quick, baseline=run.baseline, again=run.manifest["again"],
        rule=Rule(rate=multiplicity.RATE, least=short(math.expm1(LEAST)), equal_within=multiplicity.EQUAL_WITHIN,
                  correction="false coverage rate over each metric's table",
                  interval="order statistics of the launches"),
        metrics=tuple(_metric(table, metric) for metric in table.metrics),
        columns=tuple(Column(configuration=column.name, purpose=column.declared["purpose"],
                             allocator=column.declared["allocator"], paste=column.declared["paste"],
                             state=column.state, reason=column.reason, provenance=column.provenance)
                      for column in run.columns),
        workloads=tuple(_workload(table, work) for work in run.workloads),
        cells=tuple(_cell(table, column, work) for work in run.workloads for column in run.in_force),
        crossovers=tuple(one for one, _ in crossings))
    return summary, [result for _, result in crossings]


class Table:
    """Every number of a run, and every decision on it."""

    def __init__(self, run):
        self.run, self.again, self.metrics = run, run.manifest["again"], metrics_of(run)
        self.numbers = {key: self._numbers(cell) for key, cell in run.cells.items()}
        self.disturbed = {key: {i for i, document in cell.launches.items() if metrics.is_disturbed(document)}
                          for key, cell in run.cells.items()}
        self.grains = {work["name"]: self._grain_ns(work["name"]) for work in run.workloads}
        self.floors = {(work["name"], metric.name): multiplicity.floor_of(self.ratios(self.again, work["name"], metric))
                       for work in run.workloads for metric in self.metrics}
        self.levels, self.decisions = {}, {}
        for metric in self.metrics:
            found = {key: self.ratios(*key, metric) for key in self.numbers if key[0] != run.baseline}
            found = {key: (values, self.floor(*key, metric)) for key, values in found.items() if len(values)}
            level = self.levels[metric.name] = multiplicity.level_of(found.values())
            for key, (values, floor) in found.items():
                self.decisions[(*key, metric.name)] = multiplicity.decide(values, floor, level.confidence)

    def _numbers(self, cell):
        """{metric: {launch: number}}"""
        kind = next(work["kind"] for work in self.run.workloads if work["name"] == cell.workload)
        found = {}
        for number, document in cell.launches.items():
            for name, value in READ[kind](document).items():
                found.setdefault(name, {})[number] = value
        return found

    def _grain_ns(self, work):
        found = [metrics.grain_ns(document) for (_, name), cell in self.run.cells.items() if name == work
                 for document in cell.launches.values() if "latency" in document]
        return float(np.median(found)) if found else 0.0

    def values(self, configuration, work, metric):
        """{launch: number}, empty where there are none."""
        return self.numbers.get((configuration, work), {}).get(metric, {})

    def ratios(self, configuration, work, metric, to=None):
        """ln of the numbers by the baseline's (or another configuration's) of the same launch; times where both were
        measured alike."""
        both = configuration, to or self.run.baseline
        mine, other = (self.values(name, work, metric.name) for name in both)
        launches = sorted(mine.keys() & other.keys())
        if metric.name in metrics.TIMES:
            launches = self.alike(*both, work, launches)
        return np.array([metrics.ln(metric.name, mine[i]) - metrics.ln(metric.name, other[i]) for i in launches])

    def alike(self, one, other, work, launches):
        """Those in which nothing else disturbed either, and the CPUs were at the same distance; if fewer than ENOUGH
        are left, those of the same distance, which counts for more; then those undisturbed; then all."""
        apart = self.apart(one, other, work)
        disturbed = set().union(*(self.disturbed.get((name, work), ()) for name in (one, other)))
        for out in (apart | disturbed, apart, disturbed):
            left = [i for i in launches if i not in out]
            if len(left) >= metrics.ENOUGH:
                return left
        return launches

    def apart(self, one, other, work):
        """The launches for which the threads' CPUs were at other distances in these two configurations."""
        if one == other or not {(one, work), (other, work)} <= self.run.cells.keys():
            return set()
        one, other = (self.run.cells[name, work].launches for name in (one, other))
        return {i for i in one.keys() & other.keys() if metrics.are_apart(one[i], other[i])}

    def floor(self, configuration, work, metric):
        """Of a cell: its workload's, or for the A/A column the least; and the clock's grain at its size."""
        floor = LEAST if configuration == self.again else self.floors[work, metric.name]
        if not metric.clocked:
            return floor
        sizes = [np.median(list(self.values(name, work, metric.name).values()))
                 for name in (configuration, self.run.baseline)]
        return max(floor, math.log1p(self.grains[work] / min(sizes)))


def _metric(table, metric):
    level = table.levels[metric.name]
    again = [decision.name for (name, _, found), decision in table.decisions.items()
             if name == table.again and found == metric.name and decision.name != "few"]
    return Decided(name=metric.name, title=metric.title, unit=metric.unit, cells=level.cells,
                   decided=0 if table.run.quick else level.decided, confidence=short(level.confidence),
                   launches_needed=level.launches_needed, again_cells=len(again),
                   again_different=sum(name in ("above", "below") for name in again))


def _cell(table, column, work):
    name = work["name"]
    cell = table.run.cells[column.name, name]
    return Cell(configuration=column.name, workload=name, state=cell.state, reason=cell.reason,
                launches=len(cell.launches), lost=cell.lost, disturbed=len(table.disturbed[column.name, name]),
                apart=len(table.apart(column.name, table.run.baseline, name)),
                metrics={metric.name: _number(table, column.name, name, metric) for metric in table.metrics
                         if table.values(column.name, name, metric.name)})


def _number(table, configuration, work, metric):
    name, decision = _decision(table, configuration, work, metric)
    shown = _shown(table, configuration, work, metric, decision)
    return Number(launches=len(table.values(configuration, work, metric.name)),
                  value=Estimate(**{key: short(part) for key, part in vars(shown).items()}),
                  ratio=estimate_of(decision.ratio) if decision and decision.ratio else None, decision=name,
                  equal_within=decision.equal_within if decision and name == "equal" else None)


def _shown(table, configuration, work, metric, decision):
    """The Estimate of a cell's number. Times and sizes are the baseline's median times the ratio, which is made within
    launches: so the order of numbers is that of ratios."""
    base = table.values(table.run.baseline, work, metric.name)
    if not decision or not decision.ratio or metric.offset or not base:
        return statistics.estimate(np.array(list(table.values(configuration, work, metric.name).values())),
                                   statistics.CONFIDENCE)
    middle = float(np.median(list(base.values())))
    return statistics.Estimate(*(None if ln is None else middle * math.exp(ln) for ln in vars(decision.ratio).values()))


def _decision(table, configuration, work, metric):
    if configuration == table.run.baseline:
        return "baseline", None
    decision = table.decisions.get((configuration, work, metric.name))
    if decision is None or table.run.quick or decision.name == "few":
        return "no verdict", decision
    above, below = metric.worse, metric.better
    if metric.name == "metric" and table.run.program["more_is_better"]:
        above, below = below, above
    return {"above": above, "below": below}.get(decision.name, decision.name), decision


# ---- Which is best?

def _workload(table, work):
    metric = metrics.main_metric(work["kind"])
    ranked = [(float(np.median(ratios)) if len(ratios) else 0.0, column.name, ratios) for column in table.run.in_force
              if column.name != table.again and (ratios := table.ratios(column.name, work["name"], metric)) is not None
              and table.values(column.name, work["name"], metric.name) and len(ratios)]
    ranked.sort(key=lambda one: one[0])
    names = [name for _, name, _ in ranked]
    group = top_group.top_group(names, lambda one, other: table.ratios(one, work["name"], metric, other),
                                table.floors[work["name"], metric.name])
    ranking = tuple(Ranked(configuration=name, tied=name in group) for name in names)
    floors = {one.name: short(math.expm1(table.floors[work["name"], one.name])) for one in table.metrics
              if len(table.ratios(table.run.baseline, work["name"], one))}
    return Work(workload=work["name"], kind=work["kind"], purpose=work["purpose"], operation=work["operation"],
                threads=work["threads"], floors=floors, ranking=ranking, pick=_pick(table, ranking))


def _pick(table, ranking):
    """Of the top group, the plainest: the baseline, else what sets least."""
    tied = [one.configuration for one in ranking if one.tied]
    settings = {column.name: (column.provenance or {}).get("asked") or {} for column in table.run.columns}
    return min(tied, default=None,
               key=lambda name: (name != table.run.baseline, sum(map(len, settings[name].values()))))


# ---- Does the allocator change the answer?

def _crossovers(run):
    for work in run.workloads:
        if work["kind"] != "pair":
            continue
        sweeps = {}
        for column in run.in_force:
            sizes = _headlines(run.cells[column.name, work["name"]])
            if sizes:
                sweeps[column.name] = sizes
        level = multiplicity.level_of([(np.array(values), LEAST) for sizes in sweeps.values()
                                       for values in sizes.values()])
        for name, sizes in sweeps.items():
            yield _crossover(work, name, sizes, level.confidence)


def _winner(one):
    """The side that is faster at a size by its Estimate; NEITHER where both are equal within the widest margin; None
    where neither is shown."""
    if not one.has_interval:
        return None
    if one.low > LEAST or one.high < -LEAST:
        return "value" if one.low > LEAST else "pointer"
    widest = math.log1p(multiplicity.EQUAL_WITHIN[-1])
    return crossover.NEITHER if -widest <= one.low and one.high <= widest else None


def _headlines(cell):
    """{size: [ln pointer/value of each launch]}, sizes ascending."""
    found = {}
    for document in cell.launches.values():
        for size, ratio, _ in metrics.pair_rows(document):
            if math.isfinite(ratio):
                found.setdefault(size, []).append(ratio)
    return dict(sorted(found.items()))


def _crossover(work, configuration, sizes, confidence):
    found = {size: statistics.estimate(values, confidence) for size, values in sizes.items()}
    winners = {size: _winner(one) for size, one in found.items()}
    result = crossover.crossovers(work["pair"] or work["name"], list(found), [one.estimate for one in found.values()],
                                  list(winners.values()), any(one.has_interval for one in found.values()))
    one = Crossover(
        pair=result.pair, configuration=configuration, state=result.state, faster=result.faster,
        smallest=result.smallest, largest=result.largest,
        winners=tuple(Winner(size=size, faster=None if winner == crossover.NEITHER else winner)
                      for size, winner in winners.items()),
        sizes=tuple(Crossing(estimate=short(each.size), low=each.low, high=each.high, faster_below=each.faster_below)
                    for each in result.found))
    return one, (work["name"], result)
