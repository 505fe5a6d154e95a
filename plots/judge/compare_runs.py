# SPDX-License-Identifier: MIT
"""What changed from run A to run B. A change is B/A: 1.05 is five percent slower, or a ratio five percent higher.

A row has three figures per launch (statistics.py): ns/op of the value side, of the pointer side, and their ratio, each
the mean of ln over the layouts. The launches of two runs are independent samples, so a figure's change is the
difference of their 20 % trimmed means, with the interval of Yuen's t test: Welch's test on trimmed means, which needs
neither equal spreads nor freedom from outliers. (Mann and Whitney's interval for the Hodges-Lehmann shift takes the
samples for copies of one another, and between an idle and a busy run finds several times as many false changes as it
should.) Bonferroni over the table: three figures of each row that is no control.

Two kinds of change, of different worth:

    ratio    moves only if the pair itself changed: both sides are measured within the same microseconds, so whatever
             else the machine did fell on both alike. This statement is robust.
    ns/op    of a side also contains what else the machine did. No number of launches tells that from a slower side.

So both are held against a control: the pairs that cannot have changed, chains of known length and functions against
themselves. How far their figures moved between the runs is the drift, and a change is called only where its interval
lies beyond the drift and x, the least change worth a word (the runs' threshold), on top of it:

    slower, faster, higher, lower    the interval lies wholly beyond drift and x
    within drift                     wholly beyond x, but not beyond drift and x
    no control                       beyond x, of a side's ns/op, where the runs share no control pair
    not shown                        everything else: not that it is equal, only that no change is shown
    too few launches                 fewer than 6 in either run: no interval
    no verdict                       either run is a quick one

The launches are those that the summaries of the runs keep. Where a run's answer is that of each side alone
(alone.py), the row is compared by its solo launches in both.

The controls are short loops over registers and the first cache. Where a neighbour takes memory bandwidth or the last
cache, large objects slow down and the controls do not. Counts are exact: any difference is a change."""

import math
from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

from plots.judge import compare_facts, comparison, tidy
from plots.judge.comparison import (FIGURES, TIMES, About, Changed, Comparison, CountChange, Drift, Failures, Figure,
                                    Range, Rule, Verdicts)
from plots.judge.numbers import exponentials, of_rows
from plots.judge.pair_summary import SIDES, estimate_of
from plots.judge.summary import summary_of
from plots.program.errors import Refused
from plots.stats import statistics
from plots.stats.statistics import CONFIDENCE, Estimate

TRIM = 0.2
LEAST_LAUNCHES = 6
CONTROLS = ("known", "null")  # lessons whose pairs cannot change
COUNTED = ("allocs_per_op", "asked_b_per_op", "granted_b_per_op", "peak_b")
CALLED = ("slower", "faster", "higher", "lower")


def compare(a, b, across=False):
    """The Comparison of two loaded runs."""
    quick, found = a.quick or b.quick, tuple(compare_facts.differences(a, b))
    conditions = {"across": across, "quick": quick, "a": _about(a), "b": _about(b),
                  "same_run": _identity(a) == _identity(b), "differences": found}
    if found and not across:
        return Comparison(status="refused", **conditions)
    names_a, names_b = ([row.name for row in run.rows] for run in (a, b))
    shared = [row.name for row in a.rows if row.name in set(names_b)]
    if not shared:
        raise Refused(b.folder, f"no row in common with {a.folder}: there is nothing to compare")
    for run in (a, b):
        if run.published and not any(row.launches for row in run.rows):
            raise Refused(run.folder, "a published run without launches.csv.gz: it can be read, checked, drawn and "
                          "reported, but not compared")
    code = compare_facts.code(a, b)
    judged_rows = [{row.row: row for row in summary_of(run).rows} for run in (a, b)]
    measured = {name: [statistics.measure(run.row(name).launches, rows[name].launches)  # that the summary keeps
                       for run, rows in zip((a, b), judged_rows)] for name in shared}
    if not any(one.launches or two.launches for one, two in measured.values()):
        raise Refused(b.folder, f"nothing is measured, here or in {a.folder}: there is nothing to compare")
    judged = sum(a.row(name).lesson not in CONTROLS for name in shared)
    confidence = statistics.corrected(len(FIGURES) * judged)
    threshold = max(run.manifest["settings"]["threshold"] for run in (a, b))
    alone = {name for name in shared if _is_alone([a.row(name), b.row(name)], [rows[name] for rows in judged_rows])}
    samples = {name: [_alone(run.row(name)) if name in alone else _by_turns(one)
                      for run, one in zip((a, b), measured[name])] for name in shared}
    figures = {name: {figure: Change(*(one[figure] for one in samples[name]), confidence) for figure in FIGURES}
               for name in shared}
    drift = _drift([figures[name] for name in shared if a.row(name).lesson in CONTROLS])
    rows = [_row(a.row(name), figures[name], drift, threshold, quick, [one[name] for one in judged_rows],
                 measured="alone" if name in alone else "by turns", code=code[a.row(name).lesson],
                 same_layouts=compare_facts.same_layouts(a.row(name), a, b))
            for name in shared]
    return Comparison(
        status="compared", **conditions,
        rule=Rule(threshold=threshold, confidence=CONFIDENCE, launches_needed=LEAST_LAUNCHES,
                  correction=f"Bonferroni over {len(FIGURES)} figures of {of_rows(judged)}",
                  interval="Yuen's t test on 20 % trimmed means of the launches"),
        drift=Drift(controls=drift.controls, times=_range(drift.times), ratios=_range(drift.ratios)), code=code,
        only_in_a=tuple(name for name in names_a if name not in set(shared)),
        only_in_b=tuple(name for name in names_b if name not in set(shared)), rows=tuple(rows))


def _about(run):
    return About(folder=str(run.folder), created=run.manifest["created"], configuration=run.configuration,
                 quick=run.quick, launches=run.manifest["settings"]["launches"],
                 load_1min=run.manifest["machine"].get("load_1min"))


def _identity(run):
    return run.manifest["created"], run.manifest["seed"], run.configuration


def _is_alone(rows, judged):
    """Whether a row is compared by its solo launches: they are its answer in a run, and both have enough of them."""
    return (any(row.paired for row in judged)
            and all(sum(1 for _ in tidy.alone(row)) >= LEAST_LAUNCHES for row in rows))


def _by_turns(measured):
    """{figure: one number a launch, in ln units}"""
    matrices = zip(FIGURES, (measured.ln_value_ns, measured.ln_pointer_ns, measured.ln_ratio))
    return {figure: measured.over_layouts(matrix) if measured.launches else np.empty(0)
            for figure, matrix in matrices}


def _alone(row):
    value, pointer = np.log([(one.value_ns, one.pointer_ns) for one in tidy.alone(row)]).T
    return dict(zip(FIGURES, (value, pointer, pointer - value)))


class Change:
    """Of one figure, from the launches of A to those of B, in ln units. `by` is an Estimate; everything is None where a
    run has no launch of it."""

    def __init__(self, a, b, confidence):
        self.a, self.b = (float(stats.trim_mean(x, TRIM)) if len(x) else None for x in (a, b))
        self.by = None
        if None not in (self.a, self.b):
            half = half_width(a, b, confidence)
            middle = self.b - self.a
            self.by = Estimate(middle, *((None, None) if half is None else (middle - half, middle + half)))


def half_width(a, b, confidence):
    """Of the interval of the difference, or None: the distance between the samples at which Yuen's test gives just
    1 - confidence. Its t is the distance by a standard error that no shift changes, so the interval is symmetric."""
    kept = [np.sort(x)[int(TRIM * len(x)) : len(x) - int(TRIM * len(x))] for x in (a, b)]
    if min(len(a), len(b)) < LEAST_LAUNCHES or not any(np.ptp(x) > 0 for x in kept):
        return None
    apart = float(stats.trim_mean(b, TRIM) - stats.trim_mean(a, TRIM))

    def surplus(distance):  # in ln p, which falls with the distance
        p = stats.ttest_ind(b - apart + distance, a, equal_var=False, trim=TRIM).pvalue
        return math.log(max(p, 1e-300)) - math.log(1 - confidence)

    far = max(float(np.ptp(x)) for x in kept)
    while surplus(far) > 0:
        far *= 2
    return optimize.brentq(surplus, 0, far, xtol=1e-9, rtol=1e-4)


@dataclass(frozen=True)
class LnDrift:
    """comparison.Drift in ln units, a range as (low, high)."""
    controls: int
    times: tuple | None
    ratios: tuple | None


def _drift(controls):
    """How far the controls moved, 0 always within."""
    def span(figures):
        found = [one[figure].by.estimate for one in controls for figure in figures if one[figure].by]
        return (min([0.0, *found]), max([0.0, *found])) if found else None
    return LnDrift(sum(one["ratio"].by is not None for one in controls), span(TIMES.values()), span(("ratio",)))


def call(estimate, drift, threshold, quick, words, unchecked):
    """What may be said of a change; `words` are for more and for less. `drift` is None without a control, and then
    `unchecked` is what is said of a change, if anything else than its word."""
    if estimate is None:
        return "not measured"
    if quick:
        return "no verdict"
    if not estimate.has_interval:
        return "too few launches"
    x = math.log1p(threshold)
    if -x <= estimate.high and estimate.low <= x:
        return "not shown"
    low, high = drift or (0.0, 0.0)
    if low - x <= estimate.high and estimate.low <= high + x:
        return "within drift"
    if drift is None and unchecked:
        return unchecked
    return words[0] if estimate.low > 0 else words[1]


def _row(row, changes, drift, threshold, quick, judged, **more):
    (a, b), control, figures = judged, row.lesson in CONTROLS, {}
    for name, change in changes.items():
        by = (drift.ratios, threshold, quick, ("higher", "lower"), None) if name == "ratio" else (
            drift.times, threshold, quick, ("slower", "faster"), "no control")
        figures[name] = Figure(**exponentials(a=change.a, b=change.b), change=change.by and estimate_of(change.by),
                               call="control" if control else call(change.by, *by))
    verdict = Verdicts(a=a.verdict, b=b.verdict, change=_verdict_change(a.verdict, b.verdict))
    failed = Failures(a=a.failed, b=b.failed)
    counts = comparison.Counts(a=a.counts.status, b=b.counts.status,
                               changes=count_changes(a.counts, b.counts, row.threads))
    labels = b.labels or a.labels
    return comparison.Row(row=row.name, pair=row.pair, size=row.size, lesson=row.lesson, control=control,
                          **({"labels": labels} if labels else {}), **figures, verdict=verdict, failed=failed,
                          counts=counts, changes=tuple(_changed(figures, verdict, counts, failed)), **more)


def _verdict_change(a, b):
    """flipped: decided for opposite sides. class: any other change, but that of a row that failed; None."""
    if "failed" in (a, b):
        return None
    sides = [verdict.split()[0 if verdict.endswith("faster") else -1] for verdict in (a, b)]
    if set(sides) == {"value", "pointer"}:
        return "flipped"
    return None if a == b else "class"


def count_changes(a, b, threads=0):
    """The CountChanges between two pair_summary.Counts. A quantity that differs between the launches of one run is
    None there; where several threads allocate at once, their race sets the peak, and it says nothing."""
    if not a.known or not b.known:
        return ()
    found = (CountChange(side=side, quantity=key, **{
        run: getattr(getattr(counts, side), key) for run, counts in (("a", a), ("b", b))})
        for side in SIDES for key in COUNTED if not (key == "peak_b" and threads))
    return tuple(one for one in found if one.a != one.b)


def _changed(figures, verdict, counts, failed):
    """What changed for certain."""
    for key in ("ratio", *TIMES.values()):
        if figures[key].call in CALLED:
            yield Changed(what=key, percent=(figures[key].change.estimate - 1) * 100)
    for what, has in (("verdict", verdict.change == "flipped"), ("counts", counts.changes), ("failed", failed.of_one)):
        if has:
            yield Changed(what=what, percent=None)


def beyond(compared, percent):
    """The rows with a change of more than `percent`; counts, flips and failures always are."""
    return [row for row in compared.rows
            if any(one.percent is None or abs(one.percent) > percent for one in row.changes)]


def unjudged(compared):
    """{why: rows} of what is no control and of which nothing certain can be said: no change there is no good news.
    words/comparison_text.py has a text for each why."""
    found = {"quick": [row.row for row in compared.rows]} if compared.quick else {}
    if compared.only_in_a:
        found["only in A"] = compared.only_in_a
    for row in compared.rows if not compared.quick else ():
        why = None if row.control else _unjudged(row, {figure.call for figure in row.figures})
        if why:
            found.setdefault(why, []).append(row.row)
    return found


def _unjudged(row, calls):
    if row.failed.a and row.failed.b:
        return "failed"
    found = next((why for why in ("not measured", "too few launches", "no control") if why in calls), None)
    return found or ("not counted" if _uncounted(row.counts.a) != _uncounted(row.counts.b) else None)


def _uncounted(status):
    return status in ("refused", "missing")


def _range(span):
    return span and Range(**exponentials(low=span[0], high=span[1]))
