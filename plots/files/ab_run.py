# SPDX-License-Identifier: MIT
"""A run of `ab`: its manifest, its journal, and the blocks of each row."""

from dataclasses import dataclass

import numpy as np

from plots.files import strict_json
from plots.files.journal import Form, read_journal
from plots.files.quiet import is_quiet
from plots.program.errors import Refused

FLOOR = "/floor"
MOST_BEYOND = 0.5  # ordinary epochs: what an epoch takes beyond its usual time counts up to that much
FORM = Form({"kind": str, "configuration": str, "row": str, "launch": int}, {"ab": "launches"},
            lambda event: event["row"])
CONFIGURATION = "default"


@dataclass(frozen=True)
class Blocks:
    """Of one row: an array of an entry for each block."""

    layouts: np.ndarray
    ln_ratio: np.ndarray  # ln(head / base), the median over rounds
    ln_mean: np.ndarray  # the same of the mean over all epochs, so that rare slow calls count
    base_ns: np.ndarray  # of an operation
    head_ns: np.ndarray
    quiet: np.ndarray
    same: float  # share of blocks in which code and fixtures had the same addresses on both sides
    memory_b: int  # of a fixture
    epoch_ns: float
    launches: int
    ops: int


@dataclass(frozen=True)
class AbRun:
    manifest: dict
    rows: dict  # name -> Blocks; only those with some
    failures: dict  # name -> {"reason", "detail"}
    seconds: dict  # name -> of all its launches


def load(folder):
    manifest = strict_json.load(folder / "manifest.json", "ab-manifest")
    names = manifest["rows"]
    journal = read_journal(folder, set(names), {CONFIGURATION}, FORM)
    rows, failures = {}, {}
    for name in names:
        launches = sorted(journal.finished("launches", CONFIGURATION, name))
        parts = [_read(folder / "launches" / CONFIGURATION / name / f"{launch:03d}.json") for launch in launches]
        if parts:
            rows[name] = _joined(parts)
        failure = journal.failure(CONFIGURATION, name)
        if failure:
            failures[name] = failure
    seconds = {}
    for event in journal.events:
        if event["event"] in ("done", "failed"):
            seconds[event["row"]] = seconds.get(event["row"], 0) + event.get("seconds", 0)
    return AbRun(manifest, rows, failures, seconds)


def _read(path):
    launch = strict_json.load(path, "ab-launch")
    try:
        return reduced(launch)
    except (KeyError, TypeError, ValueError) as error:
        raise Refused(path, f"is no launch of ab: {type(error).__name__}: {error}") from None


def reduced(launch):
    """From raw epochs to one number a block."""
    blocks, n = launch["blocks"], len(launch["blocks"]["layout"])
    rounds, cost_ns = launch["short_rounds"] + launch["long_rounds"], launch["clock"]["cost_ns"]
    base, head = (np.asarray(launch[f"{side}_ns"], float).reshape(n, rounds) for side in ("base", "head"))
    base, head = (np.where(one > cost_ns, one - cost_ns, np.nan) for one in (base, head))
    short, times = launch["short_rounds"], launch["long_times"]
    ln = np.log(head) - np.log(base)
    with np.errstate(all="ignore"):
        middle = np.nanmedian(ln[:, :short], axis=1)
        return {"layouts": np.asarray(blocks["layout"]), "ln_ratio": middle,
                "ln_mean": middle + _beyond(head, short, times) - _beyond(base, short, times),
                "base_ns": np.nanmedian(base[:, :short], axis=1) / launch["ops"],
                "head_ns": np.nanmedian(head[:, :short], axis=1) / launch["ops"],
                "quiet": is_quiet(blocks["sensor_ns"], launch["quiet_ns"]),
                "same": np.asarray([launch["same"], sum(blocks["attempts"])]), "memory_b": launch["memory_b"],
                "epoch_ns": float(np.nanmedian(base[:, :short])), "ops": launch["ops"]}


def _beyond(ns, short, times):
    """Of each block of a side: ln of the mean over its epochs by their usual time, which is the median of the short
    ones. An epoch that took much longer was interrupted, or had a slow call: it counts, but it does not decide."""
    usual = np.nanmedian(ns[:, :short], axis=1, keepdims=True)
    weights = np.where(np.arange(ns.shape[1]) < short, 1.0, times)
    more = np.minimum(ns / usual - weights, MOST_BEYOND)
    return np.log1p(np.nansum(more, axis=1) / np.where(np.isfinite(more), weights, 0).sum(axis=1))


def _joined(parts):
    arrays = {key: np.concatenate([part[key] for part in parts])
              for key in ("layouts", "ln_ratio", "ln_mean", "base_ns", "head_ns", "quiet")}
    same = sum(part["same"] for part in parts)
    return Blocks(**arrays, same=float(same[0] / max(same[1], 1)), memory_b=max(part["memory_b"] for part in parts),
                  epoch_ns=max(part["epoch_ns"] for part in parts), launches=len(parts),
                  ops=int(np.median([part["ops"] for part in parts])))
