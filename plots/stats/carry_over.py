# SPDX-License-Identifier: MIT
"""Is a side as fast beside the other as it is alone?

    paired   value pointer pointer value ...     each side finds caches and predictors as the other left them
    solo     value value value value ...         Google Benchmark times each side alone, in a process of its own

In a program that uses both sides by turns the paired ratio is the true one, in a program that uses one of them it is
the solo ratio. Mostly they are the same. Where they certainly are not, the solo ratio is the answer of the row.

A solo launch i times both sides at one layout k, drawn from the design; a row's solo launches go through the layouts in
random order. With m_k, the median over paired launches of ln(pointer/value) at layout k, two samples are compared:

    alone      d_i = ln(solo pointer / solo value) - m_k of its layout
    by turns   e_j = the mean, over the layouts of the solo launches, of what paired launch j differs from m_k

Solo times are CPU times, unless the kernels start threads: in 5 ms at a stretch the system takes the CPU away now and
then, which paired rounds leave to their medians. Single solo times are noisy by several percent, by tens of them on a
busy machine, and an outlier must not count. A solo launch waits for a quiet core as others do, but who comes while it
runs is not noticed: libbenchmark has no place for a sensor. So the difference is that of 20 % trimmed means, with
Yuen's interval (yuen.py), as in a comparison of two runs. Three answers:

    found      the interval lies wholly beyond the threshold, in either direction: the row's answer is the solo ratio
    none       it lies wholly within the threshold
    not told   anything else, and too few launches: the row's answer is the paired ratio, and it may differ alone

Whoever reads a table looks at the rows that are told, so it is their share of wrong ones that is limited: the false
coverage rate of Benjamini and Yekutieli, at most 5 %. With R of m rows told, each interval is at 1 - 0.05 R / m; R is
the largest number for which R rows are told at that level. A simulation in ampersand's tests shows that it holds.

A row may be looked at twice: after its first solo launches and, unless these say none, after more (stopping.py).
Each look has a share of the rate, half of it, so that an interval of a row is at 1 - 0.05 share R / m.

The threshold is above what solo and paired medians differed by where there is no carry-over to speak of (null pairs,
known chains, `pass` and `mutate`: 0 to 7 % with 15 solo launches on a machine with five times as much to do as CPUs):
the stack stands still in a solo process, and its loop runs for milliseconds at a stretch where epochs begin anew each
50 us.
What a side costs whose cache the other really spoils is a factor and no percentage."""

import math
from dataclasses import dataclass

import numpy as np

from plots.stats import statistics, yuen

THRESHOLD = 0.10
RATE = 0.05
_NS = {"ns": 1.0, "us": 1e3, "ms": 1e6, "s": 1e9}


@dataclass(frozen=True)
class CarryOver:
    """In ln units. `found` is None where it is not told."""

    launches: int
    solo: statistics.Estimate
    spread: tuple  # p10 and p90 over the solo launches, each at a layout of its own
    ln_sides: tuple  # [ln value ns, ln pointer ns][launch]
    paired: float  # at the same layouts
    difference: statistics.Estimate
    found: bool | None


def solo_times(document, clock="cpu_time"):
    """(ln value ns, ln pointer ns, layout) of a solo launch, or None where it has not all of them."""
    times = {}
    for one in document["benchmarks"]:
        time = one.get(clock, one.get("real_time"))
        if one.get("run_type", "iteration") == "iteration" and time and not one.get("error_occurred"):
            times[str(one["name"]).rpartition("/side=")[2]] = math.log(time * _NS[one.get("time_unit", "ns")])
    layout = str(document["context"].get("layout", ""))
    if not layout.isdecimal() or not {"value", "pointer"} <= times.keys():
        return None
    return times["value"], times["pointer"], int(layout)


def clock_of(threads):
    """`threads` are those that the kernels start."""
    return "real_time" if threads else "cpu_time"


@dataclass(frozen=True)
class Cell:
    """A row's solo launches beside its paired ones, in ln units."""

    ln_value_ns: np.ndarray  # [solo launch]
    ln_pointer_ns: np.ndarray
    paired: np.ndarray  # [paired launch][solo launch]: ln ratio at the layout of this solo launch

    @property
    def ln_ratio(self):
        return self.ln_pointer_ns - self.ln_value_ns


def cell(solo, measured, threads=0):
    """None without a solo launch at a layout that was measured."""
    if not measured.launches:
        return None
    column = {layout: i for i, layout in enumerate(measured.layouts)}
    usable = [one for one in (solo_times(document, clock_of(threads)) for document in solo)
              if one and (one[2], one[2]) in column]
    if not usable:
        return None
    value, pointer, layouts = zip(*usable)
    return Cell(np.array(value), np.array(pointer), measured.ln_ratio[:, [column[k, k] for k in layouts]])


def levels(cells, shares):
    """The confidence of the interval of each of a table of cells, by the false coverage rate. `shares`: of the rate,
    what the look at each has."""
    m = told = sum(one is not None for one in cells)

    def at(told):
        return [1 - RATE * share * max(1, told) / max(1, m) for share in shares]
    while told:
        fewer = sum(judge(one, confidence).found is not None for one, confidence in zip(cells, at(told)) if one)
        if fewer >= told:
            break
        told = fewer
    return at(told)


def judge(of, confidence):
    """The CarryOver of a Cell, or None of None."""
    if of is None:
        return None
    middle = np.median(of.paired, axis=0)
    difference = yuen.difference((of.paired - middle).mean(axis=1), of.ln_ratio - middle, confidence)
    solo = statistics.estimate(of.ln_ratio, confidence)
    found = _told(difference.low, difference.high, math.log1p(THRESHOLD)) if difference.has_interval else None
    if found and not solo.has_interval:  # which would be the row's answer
        found = None
    return CarryOver(len(of.ln_ratio), solo,
                     tuple(np.percentile(of.ln_ratio, [10, 90]).tolist()), (of.ln_value_ns, of.ln_pointer_ns),
                     float(np.median(middle)), difference, found)


def _told(low, high, x):
    if low > x or high < -x:
        return True
    return False if -x <= low and high <= x else None
