# SPDX-License-Identifier: MIT
"""Judge a run of pairs: the document of its summary.json, all but its sentences, and its bench.txt.

What the numbers are is said in words/rules/verdict_rule.txt and crossover_rule.txt; the form of summary.json in
results/SCHEMA.md."""

import math
from dataclasses import dataclass

import numpy as np

from plots.files import bench_format, compiled
from plots.files.pair_run import unit_of
from plots.judge.numbers import exponentials, of_rows, short
from plots.stats import carry_over, crossover, layout_error, statistics, stopping

FLOORS = {"clockwork": "null", "placement": "null_placed"}
SWEEP = 3  # a pair with at least so many sizes has a crossover, or has none


@dataclass(frozen=True)
class Judged:
    document: dict  # of summary.json; its sentences are None: words/pair_sentences.py says them
    bench: str  # the text of bench.txt
    crossings: tuple[crossover.Crossovers, ...]  # one for each of the document's crossovers
    rule: stopping.Rule


def judgement(run, among=None):
    """`among` is how many rows hold together, where that is more than the run's own."""
    judge = Judge(run, among)
    confidence = judge.confidence
    threshold = run.manifest["settings"]["threshold"]
    needed = statistics.launches_needed(confidence)
    measured = {row.name: statistics.measure(row.launches, needed) for row in run.rows}
    counts = {row.name: statistics.judge_counts(row.counts, row.threads) for row in run.rows}
    rows = [_row(row, measured[row.name], counts[row.name], judge) for row in run.rows]
    _observe(rows, {row.name: row.declared.get("observed_by") for row in run.rows}, run.quick)
    crossings = tuple(_crossovers(run, measured, threshold, judge))
    document = {
        "schema": "ampersand/summary/1", "quick": run.quick, "configuration": run.configuration,
        "rule": {"threshold": threshold, "confidence": statistics.CONFIDENCE,
                 "correction": f"Bonferroni over {of_rows(among or len(rows))}" + judge.looks_in_words,
                 "interval": "order statistics of the launches",
                 "launches_needed": needed,
                 "stopping": None, "carry_over_threshold": carry_over.THRESHOLD},
        "floors": {floor: _floor(pair, rows) for floor, pair in FLOORS.items()},
        "neighbours": _neighbours(run, rows),
        "compiled": compiled.brief(run.manifest),
        "rows": rows,
        "crossovers": [_crossover(result) for result in crossings],
        "geometric_mean": list(_geometric_means(rows)),
    }
    configuration = bench_format.configuration_of(run.manifest, run.configuration)
    return Judged(document, bench_format.write(configuration, _bench_lines(run, counts)), crossings, judge.stopping)


class Judge:
    """What every row of a run is judged by."""

    def __init__(self, run, among=None):
        self.quick = run.quick
        self.layouts = run.manifest["layouts"]
        self.one_layout = run.manifest["settings"].get("layout", -1) >= 0  # so that the spread says nothing
        self.threshold = run.manifest["settings"]["threshold"]
        self.stopping = stopping.rule(run.manifest)
        self.looks_had, self.spent_s = stopping.looks_had(run), stopping.spent_s(run)
        looks = len(self.stopping.looks)
        self.looks_in_words = "" if self.stopping.fixed else f" and {looks} looks"
        self.uncorrected = statistics.corrected(looks)  # for the rows, that is
        self.confidence = statistics.corrected((among or len(run.rows)) * looks)

    def stopped(self, row, verdict, width):
        """A row's `stopped`."""
        look = self.looks_had.get(row, 1)
        return {"look": look, "of": len(self.stopping.looks),
                "why": stopping.state(self.stopping, look, verdict, width, self.spent_s)}


def _row(row, measured, counts, judge):
    document = {"row": row.name, "pair": row.pair, "size": row.size, "lesson": row.lesson, "question": row.question,
                "launches": measured.launches, "left_out": measured.left_out, "lost": row.lost,
                "layouts": measured.ln_ratio.shape[1] if measured.launches else 0,
                "value_ns_per_op": None, "pointer_ns_per_op": None, "ratio": None, "spread": None}
    verdict, width = statistics.Verdict("undecided"), math.inf
    if measured.launches:
        for key, matrix in (("value", measured.ln_value_ns), ("pointer", measured.ln_pointer_ns)):
            plain = statistics.estimate(measured.over_layouts(matrix), judge.uncorrected)
            document[f"{key}_ns_per_op"] = exponentials(**vars(plain))
        unit = unit_of(judge.layouts[row.lesson], row.name)
        off = layout_error.error(measured, unit)
        ratio = layout_error.widen(statistics.estimate(measured.headlines, judge.confidence), off, judge.confidence)
        document["design"] = {"kind": unit["design"], "error": short(off)}
        over_layouts = statistics.spread(measured.ln_ratio, judge.confidence)
        document["ratio"], document["spread"] = exponentials(**vars(ratio)), exponentials(**vars(over_layouts))
        verdict = statistics.verdict(ratio, over_layouts, judge.threshold)
        width = stopping.half_width(ratio, over_layouts)
    if judge.quick or judge.one_layout:
        verdict = statistics.Verdict("no verdict")
    if row.failed:
        verdict = statistics.Verdict("failed")
    document |= {"verdict": verdict.name, "equal_within": verdict.equal_within,
                 "stopped": judge.stopped(row.name, verdict.name, width), "sentence": None,
                 "solo": _solo(carry_over.judge(row.solo, measured, judge.confidence, row.threads), judge.quick),
                 "counts": _counts(counts), "failed": row.failed}
    return document


def _observe(rows, calibrations, quick):
    """Say of rows whose effect not every machine can show whether this one can: where the value side of the pair that
    calibrates them is faster. None where that pair was not measured, or not to an end."""
    for row in rows:
        calibration = calibrations[row["row"]]
        if not calibration or quick:
            continue
        verdicts = {other["verdict"] for other in rows if other["pair"] == calibration}
        row["observable"] = None if not verdicts - {"no verdict", "failed", "undecided"} else "value faster" in verdicts


def _solo(result, quick):
    if result is None:
        return None
    return {"launches": result.launches, "ratio": exponentials(**vars(result.solo)),
            "paired_ratio": short(math.exp(result.paired)), "difference": exponentials(**vars(result.difference)),
            "carry_over": None if quick else result.found}


def _counts(counts):
    return {"status": counts.status, "detail": counts.detail, "value": _plain(counts.value),
            "pointer": _plain(counts.pointer)}


def _plain(side):
    """Fractions as JSON's numbers: an integer where it is one."""
    if side is None:
        return None
    return {key: None if x is None else int(x) if x.denominator == 1 else float(x) for key, x in side.items()}


def _floor(pair, rows):
    row = next((row for row in rows if row["pair"] == pair), None)
    return row and {key: row[key] for key in ("row", "ratio", "spread")}


def _neighbours(run, rows):
    """In how many of all blocks something else was on the core, after all attempts, and how many launches it cost."""
    quiet = [launch.quiet for row in run.rows for launch in row.launches]
    return {"blocks": sum(map(len, quiet)), "disturbed": sum(int((~each).sum()) for each in quiet),
            "launches": len(quiet), "left_out": sum(row["left_out"] for row in rows)}


def _sweeps(rows):
    by_pair = {}
    for row in rows:
        by_pair.setdefault(row["pair"] if isinstance(row, dict) else row.pair, []).append(row)
    return {pair: mine for pair, mine in by_pair.items() if len(mine) >= SWEEP and pair not in FLOORS.values()}


def _crossovers(run, measured, threshold, judge):
    for pair, rows in _sweeps(run.rows).items():
        rows = sorted((row for row in rows if measured[row.name].launches), key=lambda row: row.size)
        if len(rows) < SWEEP:
            continue
        yield crossover.crossovers(pair, [row.size for row in rows], [measured[row.name].headlines for row in rows],
                                   threshold, judge.uncorrected, judge.confidence)


def _crossover(result):
    return {"pair": result.pair, "sizes": [{"estimate": short(one.size), "low": short(one.low),
                                            "high": short(one.high), "faster_below": one.faster_below}
                                           for one in result.found], "sentence": None}


def _geometric_means(rows):
    """A summary line, no more: over sizes that somebody chose, of figures that mean different things."""
    for pair, mine in _sweeps(rows).items():
        ratios = [row["ratio"]["estimate"] for row in mine if row["ratio"]]
        yield {"pair": pair, "ratio": short(math.exp(np.mean(np.log(ratios)))) if ratios else None}


def _bench_lines(run, counts):
    for row in run.rows:
        exact, own = counts[row.name], bench_format.compilation_of(run.manifest, row.lesson)
        for launch in row.launches:
            medians = statistics.reduce_launch(launch)
            if not np.isfinite(medians).all():
                continue
            for side, ln_ns in (("value", medians[1]), ("pointer", medians[2])):
                values = {"ns/op": math.exp(ln_ns.mean())}
                per_op = getattr(exact, side) if exact.status == "exact" else None
                if per_op:
                    values |= {"B/op": per_op["asked_b_per_op"], "allocs/op": per_op["allocs_per_op"]}
                yield bench_format.benchmark_name(row.name, side), launch.ops * launch.value_ns.size, values, own


def unsound(summary):
    """Whether a row failed or its counts differ between launches: exit status 1."""
    return any(row["failed"] or row["counts"]["status"] == "differs" for row in summary["rows"])
