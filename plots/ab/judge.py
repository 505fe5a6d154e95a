# SPDX-License-Identifier: MIT
"""What a run of `ab` says of each kernel."""

import math
from dataclasses import dataclass

import numpy as np

from plots.files.ab_run import FLOOR
from plots.stats import quads

LONG_NS = 2e6  # an epoch of one operation that is longer than that
L2_B = 1 << 20  # where the machine does not say
RARE = 0.002    # what the mean must show beyond the median to be told
# A mean that shows so much of its interval's reach beyond the median is looked at again: of kernels without rare slow
# calls one in eight, since the interval reaches five standard errors.
SUSPICIOUS = 1 / 3


@dataclass(frozen=True)
class Row:
    kernel: str
    verdict: quads.Verdict
    interval: quads.Interval | None = None
    rare: quads.Interval | None = None  # of the mean, with rare slow calls, where it says something else for certain
    rare_most: float | None = None  # what rare slow calls may add to either side's mean, at most
    is_suspicious: bool = False  # the mean hints at rare slow calls, but does not tell them for certain
    base_ns: float | None = None
    head_ns: float | None = None
    p10: float | None = None  # of the layouts' ln ratios
    p90: float | None = None
    visits: float = 0
    quiet: float = 0  # share of blocks
    same: float = 1  # share of blocks with the same addresses on both sides
    floor: float = quads.LEAST  # what cannot be told apart
    memory_b: int = 0
    is_memory_bound: bool = False
    is_long: bool = False  # one operation fills much more than an epoch
    seconds: float = 0
    failure: dict | None = None


def cache_b(manifest):
    """The second level of the data cache: what is larger depends on which physical pages it gets."""
    for cache in manifest.get("machine", {}).get("caches") or ():
        if cache.get("level") == 2 and cache.get("size_b"):
            return cache["size_b"]
    return L2_B


def judge(run, allowed):
    """{kernel: Row}, in the order of the run."""
    settings = run.manifest["settings"]
    kernels = [name for name in run.manifest["rows"] if not name.endswith(FLOOR)]
    looks = len(settings["looks"])
    found = {}
    for kernel in kernels:
        if kernel in run.failures:
            found[kernel] = Row(kernel, quads.Verdict("failed"), failure=run.failures[kernel])
        elif kernel in run.rows:
            found[kernel] = _row(run, kernel, len(kernels), looks, allowed)
        else:
            found[kernel] = Row(kernel, quads.Verdict("undecided"))
    return found


def _figure(blocks, values, count, confidence, middle=np.median):
    by_layout = quads.per_layout(blocks.layouts, values, blocks.quiet, count, middle)
    return by_layout, quads.interval(by_layout, confidence)


def _row(run, kernel, rows, looks, allowed):
    blocks, count = run.rows[kernel], run.manifest["settings"]["layouts"]
    confidence = quads.confidence_of(rows, looks, 2)
    by_layout, interval = _figure(blocks, blocks.ln_ratio, count, confidence)
    _, whole = _figure(blocks, blocks.ln_mean, count, confidence, np.mean)
    _, beyond = _figure(blocks, blocks.ln_mean - blocks.ln_ratio, count, confidence, np.mean)
    bound = blocks.memory_b > cache_b(run.manifest)
    floor = _floor(run, kernel, count, confidence) if bound else quads.LEAST
    decided = quads.verdict(interval, floor, allowed) if math.isfinite(floor) else quads.Verdict("undecided")
    rare = whole if beyond and (beyond.low > math.log1p(RARE) or beyond.high < -math.log1p(RARE)) else None
    if rare and math.isfinite(floor) and decided.name in ("same", "undecided"):
        decided = quads.verdict(rare, max(floor, RARE), allowed)
    suspicious = rare is None and _hints(beyond)
    spread = by_layout[np.isfinite(by_layout)]
    p10, p90 = np.percentile(spread, (10, 90)) if len(spread) else (None, None)
    rare_most = math.expm1(max(beyond.high, -beyond.low)) if beyond else None
    return Row(kernel, decided, interval, rare, rare_most, suspicious, _ns(blocks, blocks.base_ns, count),
               _ns(blocks, blocks.head_ns, count), p10, p90, len(blocks.layouts) / count, float(blocks.quiet.mean()),
               blocks.same, floor, blocks.memory_b, bound, blocks.epoch_ns > LONG_NS,
               run.seconds.get(kernel, 0) + run.seconds.get(kernel + FLOOR, 0))


def _hints(beyond):
    """Whether more visits may tell rare slow calls."""
    return beyond is not None and abs(beyond.estimate) > max(
        math.log1p(RARE), SUSPICIOUS * (beyond.high - beyond.low) / 2)


def _ns(blocks, values, count):
    """Over the same layouts and by the same mean as the interval, so that base and head say the same as it does: where
    placement matters, medians of all blocks would not."""
    by_layout = quads.per_layout(blocks.layouts, np.log(values), blocks.quiet, count)
    whole = quads.means(by_layout)
    return float(np.exp(whole.mean() if len(whole) else np.nanmean(by_layout)))


def _floor(run, kernel, count, confidence):
    """What base against itself cannot be told from: the end of its interval that is farther from 0. Before it is
    measured, nothing of such a kernel is told."""
    blocks = run.rows.get(kernel + FLOOR)
    interval = _figure(blocks, blocks.ln_ratio, count, confidence)[1] if blocks else None
    return math.inf if interval is None else max(quads.LEAST, math.expm1(max(abs(interval.low), abs(interval.high))))


def wanting(run, judged, looks, look, budget_s):
    """The rows that get the visits of the next look; floors of kernels that are bound by memory along with them, the
    first time whatever was spent: without a floor nothing can be told."""
    allowed = run.manifest.get("allowed")
    found = []
    for kernel, row in judged.items():
        if row.failure or row.interval is None:
            continue
        lacks_floor = row.is_memory_bound and kernel + FLOOR not in run.rows
        open_ = row.seconds < budget_s and (row.is_suspicious or quads.is_open(row.interval, row.verdict, allowed))
        found += [kernel] * open_ + [kernel + FLOOR] * (lacks_floor or open_ and row.is_memory_bound)
    return found
