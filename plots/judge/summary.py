# SPDX-License-Identifier: MIT
"""Judge a run of pairs: its Summary, all but the sentences, and its bench.txt.

What the numbers are is said in words/rules/verdict_rule.txt and crossover_rule.txt; the form of a summary is in
pair_summary.py."""

import math
from dataclasses import dataclass, replace

import numpy as np

from plots.files import bench_format, compiled
from plots.files.pair_run import unit_of
from plots.judge import alone, claims, counters, disturbed, pair_summary, placement, relevance, tidy
from plots.judge.numbers import exponentials, of_rows, short
from plots.judge.pair_summary import (SIDES, Counts, Crossing, Crossover, Design, Failed, Floor, GeometricMean,
                                      Neighbours, Row, Rule, SideCounts, Spread, Stopped, Summary, Why, estimate_of)
from plots.program import at_once
from plots.stats import carry_over, crossover, layout_error, sensor, statistics, stopping

FLOORS = {"clockwork": "null", "placement": "null_placed"}
FEW_LAYOUTS = "few layouts"  # move the mean, but neither p10 nor p90
SWEEP = 3  # a pair with at least so many sizes has a crossover, or has none


@dataclass(frozen=True)
class Judged:
    summary: Summary  # its sentences are None: words/pair_sentences.py says them
    bench: str  # the text of bench.txt
    crossings: tuple[crossover.Crossovers, ...]  # one for each of the summary's crossovers
    rule: stopping.Rule


def judgement(run, among=None):
    """`among` is how many rows hold together, where that is more than the run's own."""
    judge = Judge(run, among)
    threshold = run.manifest["settings"]["threshold"]
    launches = {row.name: tidy.launches(row) for row in run.rows}
    needed = {row.name: statistics.launches_needed(judge.confidence(row.name)) for row in run.rows}
    counts = {row.name: statistics.judge_counts(row.counts, row.threads) for row in run.rows}

    def by_turns(row):
        measured = statistics.measure(launches[row.name], needed[row.name])
        return measured, _row(row, launches[row.name], measured, counts[row.name], judge)
    parts = at_once.each(run.rows, by_turns)
    measured = {row.row: found for found, row in parts}
    rows = alone.answers(run, [row for _, row in parts], measured, threshold)
    rows = at_once.each(rows, lambda row: _with_why(relevance.told(row), measured[row.row], run))
    rows = _observe(rows, {row.name: row.declared.get("observed_by") for row in run.rows}, run.quick)
    crossings = tuple(_crossovers(rows))
    summary = Summary(
        quick=run.quick, configuration=run.configuration,
        rule=Rule(threshold=threshold, confidence=statistics.CONFIDENCE,
                  correction=f"Bonferroni over {of_rows(among or len(rows))}" + judge.looks_in_words,
                  interval="order statistics of the launches",
                  launches_needed=statistics.launches_needed(judge.confidence()), stopping=None,
                  carry_over_threshold=carry_over.THRESHOLD),
        floors={floor: _floor(pair, rows) for floor, pair in FLOORS.items()}, neighbours=_neighbours(run, rows),
        compiled=compiled.brief(run.manifest), rows=tuple(rows),
        crossovers=tuple(map(_crossover, crossings)), geometric_mean=tuple(_geometric_means(rows)))
    declared = claims.declared(run)
    if any(declared.values()):
        summary = replace(summary, claims=claims.judge(declared, summary.pairs))
    configuration = bench_format.configuration_of(run.manifest, run.configuration)
    bench = bench_format.write(configuration, _bench_lines(run, counts, launches, needed))
    return Judged(summary, bench, crossings, judge.stopping)


def summary_of(run):
    """The Summary of a run, as it was published, or judged now and without sentences."""
    return pair_summary.read(run.published) if run.published else judgement(run).summary


class Judge:
    """What every row of a run is judged by."""

    def __init__(self, run, among=None):
        self.quick = run.quick
        self.layouts = run.manifest["layouts"]
        self.allocated = run.allocated
        self.one_layout = run.manifest["settings"].get("layout", -1) >= 0  # so that the spread says nothing
        self.threshold = run.manifest["settings"]["threshold"]
        self.stopping = stopping.rule(run.manifest)
        self.looks_had, self.spent_s = stopping.looks_had(run), stopping.spent_s(run)
        self.looks_in_words = "" if self.stopping.fixed else f" and {len(self.stopping.looks)} looks"
        self.rows = among or len(run.rows)

    def _share(self, row):
        return stopping.share(len(self.stopping.looks), self.looks_had.get(row, 1))

    def confidence(self, row=None):
        """Of the intervals that a row's verdict rests on; without a row, of one that is looked at once."""
        return statistics.of_verdicts(self.rows, self._share(row))

    def uncorrected(self, row=None):
        """Of an interval by itself."""
        return 1 - self._share(row) * (1 - statistics.CONFIDENCE)

    def stopped(self, row, verdict, width):
        look = self.looks_had.get(row, 1)
        return Stopped(look=look, of=len(self.stopping.looks),
                       why=stopping.state(self.stopping, look, verdict, width, self.spent_s))


def _told(measured, unit, confidence):
    """(statistics.Told, its ratio with what the design may cause, that layout_error.Error), in ln units."""
    off, told = layout_error.error(measured, unit), statistics.tell(measured.fit, confidence)
    return told, layout_error.widen(told.ratio, off, confidence), off


def _row(row, launches, measured, counts, judge):
    numbers, width, confidence = {}, math.inf, judge.confidence(row.name)
    verdict = statistics.Verdict("undecided")
    if measured.launches:
        for key, matrix in (("value", measured.ln_value_ns), ("pointer", measured.ln_pointer_ns)):
            plain = statistics.estimate(measured.over_layouts(matrix), judge.uncorrected(row.name))
            numbers[f"{key}_ns_per_op"] = estimate_of(plain)
        unit = unit_of(judge.layouts[row.lesson], row.name)
        told, ratio, off = _told(measured, unit, confidence)
        numbers |= {"disturbed": disturbed.of(launches, measured, lambda every: _told(every, unit, confidence)[1]),
                    "design": Design(kind=unit["design"], error=short(off.error)), "ratio": estimate_of(ratio),
                    "spread": Spread(**exponentials(**vars(told.spread))),
                    "outside_spread": FEW_LAYOUTS if told.outside else None}
        verdict = statistics.verdict(ratio, told.spread, judge.threshold)
        width = stopping.half_width(ratio, told.spread)
    if judge.quick or judge.one_layout:
        verdict = statistics.Verdict("no verdict")
    if row.failed:
        verdict = statistics.Verdict("failed")
    return Row(
        row=row.name, pair=row.pair, size=row.size, lesson=row.lesson, question=row.question,
        launches=measured.launches, left_out=measured.left_out, lost=row.lost,
        layouts=measured.ln_ratio.shape[1] if measured.launches else 0, **numbers,
        verdict=verdict.name, equal_within=verdict.equal_within,
        stopped=judge.stopped(row.name, verdict.name, width),
        solo=None,
        counts=Counts(status=counts.status, detail=counts.detail, value=_plain(counts.value),
                      pointer=_plain(counts.pointer)),
        failed=row.failed and Failed(**row.failed), allocating=counters.allocating(row.name, judge.allocated),
        **_named(row.declared))


def _with_why(row, measured, run):
    table = run.manifest["layouts"][row.lesson]
    why = counters.why(row.row, run.counters, table)
    placed = placement.causes(measured, unit_of(table, row.row), table.get("places"), row.spread)
    more = {} if placed is None else {"placement": placed}
    more |= {"code_not_read": table["code_not_read"]} if "code_not_read" in table else {}
    return replace(row, why=replace(why or Why(), **more) if more else why)


def _named(declared):
    """What a lesson says of a pair besides its question: names of the sides, the true ratio."""
    labels = {side: declared[side]["label"] for side in SIDES if "label" in declared[side]}
    return {**({"labels": labels} if labels else {}),
            **({"truth": float(declared["truth"])} if "truth" in declared else {})}


def _observe(rows, calibrations, quick):
    """The rows; those whose effect not every machine can show say whether this one can: where the value side of the
    pair that calibrates them is faster, alone or by turns. None where that pair was not measured, or not to an end."""
    if quick:
        return rows

    def observable(calibration):
        verdicts = {answer.verdict for row in rows if row.pair == calibration for answer in (row, row.paired) if answer}
        return None if not verdicts - {"no verdict", "failed", "undecided"} else "value faster" in verdicts
    return [replace(row, observable=observable(calibrations[row.row])) if calibrations[row.row] else row
            for row in rows]


def _plain(side):
    """Fractions as JSON's numbers: an integer where it is one."""
    return side and SideCounts(**{key: None if x is None else int(x) if x.denominator == 1 else float(x)
                                  for key, x in side.items()})


def _floor(pair, rows):
    row = next((row for row in rows if row.pair == pair), None)
    return row and Floor(row=row.row, ratio=row.by_turns.ratio, spread=row.by_turns.spread)


def _neighbours(run, rows):
    quiet = [launch.quiet for row in run.rows for launch in row.launches]
    return Neighbours(blocks=sum(map(len, quiet)), disturbed=sum(int((~each).sum()) for each in quiet),
                      launches=len(quiet), left_out=sum(row.left_out for row in rows))


def _sweeps(rows):
    by_pair = {}
    for row in rows:
        by_pair.setdefault(row.pair, []).append(row)
    return {pair: mine for pair, mine in by_pair.items() if len(mine) >= SWEEP and pair not in FLOORS.values()}


def _crossovers(rows):
    for pair, mine in _sweeps(rows).items():
        mine = sorted((row for row in mine if row.ratio), key=lambda row: row.size)
        if len(mine) >= SWEEP:
            yield crossover.crossovers(pair, [row.size for row in mine], [math.log(row.ratio.estimate) for row in mine],
                                       [claims.winner(row) for row in mine],
                                       any(row.ratio.has_interval for row in mine))


def _crossover(result):
    return Crossover(pair=result.pair, sizes=tuple(
        Crossing(estimate=short(one.size), low=one.low, high=one.high, faster_below=one.faster_below)
        for one in result.found))


def _geometric_means(rows):
    """A summary line, no more: over sizes that somebody chose, of figures that mean different things."""
    for pair, mine in _sweeps(rows).items():
        ratios = [row.ratio.estimate for row in mine if row.ratio]
        yield GeometricMean(pair=pair, ratio=short(math.exp(np.mean(np.log(ratios)))) if ratios else None)


def _bench_lines(run, counts, launches, needed):
    for row in run.rows:
        exact, own = counts[row.name], bench_format.compilation_of(run.manifest, row.lesson)
        usable = [one for one in launches[row.name] if np.isfinite(one.medians).all()]
        kept = sensor.kept(np.stack([one.quiet for one in usable]), needed[row.name]) if usable else ()
        for one, takes_part in zip(usable, kept):
            for side, ln_ns in (("value", one.medians[1]), ("pointer", one.medians[2])):
                values = {"ns/op": math.exp(ln_ns.mean())}
                per_op = getattr(exact, side) if exact.status == "exact" else None
                if per_op:
                    values |= {"B/op": per_op["asked_b_per_op"], "allocs/op": per_op["allocs_per_op"]}
                yield (bench_format.benchmark_name(row.name, side), one.ops, values,
                       own if takes_part else own | bench_format.LEFT_OUT)
