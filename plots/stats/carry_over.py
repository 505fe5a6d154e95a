# SPDX-License-Identifier: MIT
"""Is a side as fast beside the other as it is alone?

    paired   value pointer pointer value ...     each side finds caches and predictors as the other left them
    solo     value value value value ...         Google Benchmark times each side alone, in a process of its own

In a program that uses both sides by turns the paired ratio is the true one, in a program that uses one of them it is
the solo ratio. Mostly they are the same. Where they are not, the row says "carry-over" and shows both.

A solo launch i times both sides at one layout k, drawn from the design; a row's solo launches go through the layouts in
random order. Its difference is

    d_i = ln(solo pointer / solo value)  -  the median over paired launches of ln(pointer/value) at the same layout k

Solo times are CPU times, unless the kernels start threads: in 10 ms at a stretch the system takes the CPU away now and
then, which paired rounds leave to their medians. The estimate is the median of the d_i: single solo times are noisy by
several percent, by tens of them on a busy machine, and an outlier must not count. A solo launch waits for a quiet core
as others do, but who comes while it runs is not noticed: libbenchmark has no place for a sensor.

The interval is that of order statistics over the solo launches, from the d_i less the upper ends of the paired
intervals at k to the d_i less their lower ends, all corrected as every interval of the table is. A row has carry-over
if the interval lies wholly beyond the threshold, in either direction. Too few solo launches give no answer.

The threshold is above what solo and paired medians differed by where there is no carry-over to speak of (null pairs,
known chains, `pass` and `mutate`: 0 to 7 % with 15 solo launches on a machine with five times as much to do as CPUs):
the stack stands still in a solo process, and its loop runs for 10 ms at a stretch where epochs begin anew each 50 us.
What a side costs whose cache the other really spoils is a factor and no percentage."""

import math
from dataclasses import dataclass

import numpy as np

from plots.stats import statistics

THRESHOLD = 0.10
_NS = {"ns": 1.0, "us": 1e3, "ms": 1e6, "s": 1e9}


@dataclass(frozen=True)
class CarryOver:
    """In ln units. `found` is None where there are too few launches for an answer."""

    launches: int
    solo: statistics.Estimate
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


def judge(solo, measured, confidence, threads=0):
    """None without a solo launch at a layout that was measured. `threads` are those that the kernels start."""
    if not measured.launches:
        return None
    column = {layout: i for i, layout in enumerate(measured.layouts)}
    clock = "real_time" if threads else "cpu_time"
    usable = [one for one in (solo_times(document, clock) for document in solo) if one and (one[2], one[2]) in column]
    if not usable:
        return None
    at = [column[layout, layout] for _, _, layout in usable]
    alone = np.array([pointer - value for value, pointer, _ in usable])
    middle, low, high = (None if part is None else part[at] for part in
                         statistics.median_interval(measured.ln_ratio, confidence))
    difference = alone - middle
    estimate = statistics.estimate(difference, confidence)
    if low is None or not estimate.has_interval:
        estimate = statistics.Estimate(estimate.estimate, None, None)
        found = None
    else:
        estimate = statistics.Estimate(estimate.estimate, statistics.estimate(alone - high, confidence).low,
                                       statistics.estimate(alone - low, confidence).high)
        found = estimate.low > math.log1p(THRESHOLD) or estimate.high < -math.log1p(THRESHOLD)
    return CarryOver(len(usable), statistics.estimate(alone, confidence), float(np.median(middle)), estimate, found)
