# SPDX-License-Identifier: MIT
"""When a row has been launched often enough.

    n launches of every row -> look 1 -> n more of the rows that want them -> look 2 -> 2 n more -> look 3 ... look L

Without --precision the number of launches is fixed: one look, and no row wants more. With --precision P and a budget,
the manifest fixes before anything is measured after how many launches a row may be looked at (`looks`, such as 21, 42,
84, 168 and 336), and the journal's events `extend` say which rows had which block. At a look a row wants more launches
if all of this holds:

    it has not failed, and its verdict is undecided
    it is not known within P: the half-width of what its verdict rests on is above P. That is the widest of three
    intervals, the headline's and the bounds of p10 and of p90, each as sqrt(high / low) - 1; without an interval,
    for lack of launches, it is above any P
    it has not had the last look, and the blocks so far have not spent the budget

So a decided row gets no more launches, however wide its interval. A row that is known within P and has no verdict lies
at the border between two verdicts; more launches would not move it, so it gets none either.

Looking again and again, and stopping at a pleasing result, finds differences that are not there. So each look has a
share of a row's error probability, and the shares add up to 1: half for the first look, half of the rest for the next,
and so on; the last has all that is left. Most rows are looked at once, and later looks have launches enough for more
confidence. An interval is that of the look which the row has had. That is correct for any rule of when to stop, as long
as the looks and their shares are fixed before anything is seen. The budget adds no look. It only cuts a block short, at
a moment that depends on the clock and not on the numbers, and the block's launches are in random order.

The time that the blocks have spent is the sum of what the journal says of their children; the first launches are not
part of it."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """`looks`: after how many launches of a row; one number where it is fixed, and then the rest is None."""

    looks: tuple[int, ...]
    precision: float | None
    budget_s: int | None

    @property
    def fixed(self):
        return self.precision is None


SOLO = "solo"


def solo_looks(manifest):
    """After how many solo launches of a row it is judged whether its sides disturb each other."""
    settings = manifest["settings"]
    return tuple(settings.get("solo_looks") or [settings.get("solo_launches", 0)])


def rule(manifest):
    settings = manifest["settings"]
    if not settings.get("looks"):
        return Rule((settings["launches"],), None, None)
    return Rule(tuple(settings["looks"]), settings["precision"], settings["budget_s"])


def share(looks, look):
    """Of a row's error probability, what the look (from 1) of so many has."""
    return 0.5 ** min(look, looks - 1)


def spent_s(run):
    """What the blocks have taken of the budget; milliseconds are what the journal keeps, and their sum is exact."""
    first = run.manifest["settings"]["launches"]
    return sum(round(event.get("seconds", 0) * 1000) for event in run.journal if event["event"] in ("done", "failed")
               and event["kind"] == "paired" and event["launch"] >= first) / 1000


def looks_had(run, kind="paired"):
    """{row: how often it has been looked at, or is just being} for the rows that had a block of this kind at all."""
    had = {}
    for event in run.journal:
        if event["event"] == "extend" and event.get("kind", "paired") == kind:
            had |= {row: had.get(row, 1) + 1 for row in event["rows"]}
    return had


def half_width(ratio, over_layouts):
    """The widest of the intervals that the verdict rests on, as the module says; infinite without one."""
    bounds = [(ratio.low, ratio.high), (over_layouts.p10_low, over_layouts.p10_high),
              (over_layouts.p90_low, over_layouts.p90_high)]
    if any(low is None for low, _ in bounds):
        return math.inf
    return math.expm1(max(high - low for low, high in bounds) / 2)


def state(the_rule, look, verdict, width, spent):
    """Why a row has no more launches: fixed, failed, decided, precise, looks or budget; or open: it wants more. `width`
    is its half_width(), `look` the number of looks that it has had."""
    if the_rule.fixed:
        return "fixed"
    if verdict == "failed":
        return "failed"
    if verdict != "undecided":
        return "decided"
    if width <= the_rule.precision:
        return "precise"
    if look >= len(the_rule.looks):
        return "looks"
    return "budget" if spent >= the_rule.budget_s else "open"
