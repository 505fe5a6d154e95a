# SPDX-License-Identifier: MIT
"""Runs of allocators with known numbers."""
import numpy as np

import synthetic_allocators as synthetic
from synthetic_allocators import Plan, Truth

WORKS = tuple(work for work in synthetic.WORKS if work.name in ("small_churn", "burst_idle", "pair_factory"))
QUIET = (0.003, 0.006)
PLAN = Plan(launches=12, timelines=10, sd=QUIET)


def truths():
    known = {truth.name: truth for truth in synthetic.configurations()}
    return tuple(known[name] for name in (
        "jemalloc", "jemalloc-decay-forever", "jemalloc-decay-zero", "jemalloc-narenas-4", "jemalloc-tcache-false",
        "jemalloc-narenas-minus-5", "jemalloc-again", "glibc", "mimalloc", "tbbmalloc", "typo"))


def write(folder, plan=PLAN, configurations=None, works=WORKS):
    return synthetic.write_run(folder, truths() if configurations is None else configurations, works, plan)


def cell(summary, configuration, work):
    return next(one for one in summary.cells if (one.configuration, one.workload) == (configuration, work))


def decision(summary, configuration, work, metric="ns_per_op"):
    return cell(summary, configuration, work).metrics[metric].decision


def document():
    return synthetic.of_work(Truth("jemalloc"), synthetic.WORKS[0], 0, PLAN, 0.0, 0.0, np.random.default_rng(1))

TIME = "timelines/glibc/003.json"


def put(*keys, value):
    def change(found):
        for key in keys[:-1]:
            found = found[key]
        found[keys[-1]] = value
    return change


def drop(key):
    return lambda found: found.pop(key)
