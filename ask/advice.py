# SPDX-License-Identifier: MIT
"""The recommendation: what follows from the numbers, by a rule that is printed with it. Pure functions.

The value is what C programmers write when nothing speaks against it: nobody else can change it, and nobody has to free
it. So it takes no proof to recommend the value, only a bound on what that may cost; a pointer has to earn its place."""

import re

from plots.stats import worth
from plots.stats.worth import WORTH, WORTH_NS
from plots.words import quantity

RULE = (
    f"pointer: the whole interval is below 1, the pointer side is faster by a factor of {WORTH:g} or more, and it "
    f"saves {WORTH_NS:g} ns or more",
    f"value: even at the low end of the interval the pointer side is not faster by {WORTH:g}, or does not save "
    f"{WORTH_NS:g} ns",
    "no answer yet: the interval leaves both open, or there is none; --launches narrows it",
    "the advice: how to pass it, by what the callee does; then what all other answers say, or all but one, else the "
    "answers side by side; what has no answer yet is named",
)

# Besides the profiles: the question, what is said where the value side is better, and what where the pointer side is.
QUESTIONS = {
    "ask_made": ("made", "pass a new one by value", "pass a new one by const pointer"),
    "factory": ("return", "return it by value", "return a pointer to the heap"),
    "return_out": ("out", "return a new one by value", "fill a new one through an out-parameter"),
    "return_out_stored": ("out, stored", "assign what a call returns", "let the call fill it through an out-parameter"),
    "mutate": ("change", "return a changed copy", "change it through a pointer"),
    "ask_store": ("store", "keep it in arrays as itself", "keep pointers in arrays"),
    "ask_walk": ("walk", "walk an array of it", "walk an array of pointers"),
    "ask_dispatch": ("dispatch", "call with its type known", "call through a table"),
    "ask_box": ("box", "let a box keep its copy in the frame", "let a box keep its copy on the heap"),
    "ask_send": ("send", "send it to threads by value", "send threads a pointer"),
    "ask_order_pass": ("order, passed", "leave its members in their order", "reorder its members"),
    "ask_order_walk": ("order, walked", "leave its members in their order", "reorder its members"),
}
ORDERS = ("ask_order_pass", "ask_order_walk")  # about the type, not about value and pointer
READS = "ask_reads_"


def side(row):
    """value, pointer, or None, by the rule; `row` is one of summary.json's."""
    ratio = row["ratio"]
    if row["failed"] or ratio is None or ratio["low"] is None:
        return None
    value_ns = row["value_ns_per_op"]["estimate"]
    if ratio["high"] < 1 and ratio["estimate"] * WORTH <= 1 and value_ns * (1 - ratio["estimate"]) >= WORTH_NS:
        return "pointer"
    return "value" if ratio["low"] * WORTH > 1 or value_ns * (1 - ratio["low"]) < WORTH_NS else None


def why(row):
    """A few words behind the recommendation."""
    chosen, ratio = side(row), row["ratio"]
    if row["failed"]:
        return f"failed: {row['failed']['detail'] or row['failed']['reason']}"
    if chosen is None:
        has_interval = ratio and ratio["low"] is not None
        return "the interval leaves both open" if has_interval else "too few launches for an interval"
    if row["verdict"] == "equal":
        return f"equal within {quantity.level(row['equal_within'])}"
    everywhere = "" if row["verdict"].endswith("faster") else " on average"
    if chosen == "pointer" or ratio["low"] > 1:
        return quantity.faster(ratio["estimate"]) + everywhere
    saved = row["value_ns_per_op"]["estimate"] * (1 - ratio["estimate"])
    if ratio["high"] < 1:
        return f"pointer only {quantity.faster(ratio['estimate'])}{everywhere}, {quantity.time(saved, 2)}"
    return "no difference that is certain and matters"


# Why a row failed, by the reason that the run gives, and what that means for who asks.
MEANS = {
    "disagreement": "both sides do the same and come to different results: your compiler does not keep this object "
                    "in a copy",
    "signal": "the code that was compiled about it crashed",
    "timeout": "it took longer than a process may, as on a machine that is busy: ask once more",
    "memory": "it found no memory: ulimit -v, or a machine that has none left",
    "declaration": "it allocated otherwise than its lesson says",
}


def meaning(failed, flags=()):
    """What it means that a row failed; "" where its detail says all that is known."""
    found = MEANS.get(failed["reason"], "")
    if failed["detail"] and "SIGILL" in failed["detail"]:
        found = "this processor lacks an instruction that was compiled"
        likely = [flag for flag in flags if re.match(r"-m(?!tune)", flag)]
        found += f": {', '.join(likely)} asked for another processor" if likely else ""
    return found


def recommend(rows, profiles=(), not_copied=(), questions=None):
    """One dictionary a row, and the sentence about the whole. Times decide nothing where a copy is wrong: then no row
    has a side, and `not_copied` says what is wrong with it. `questions`: instead of QUESTIONS."""
    found, of_pair = [], {one.pair: one for one in profiles}
    for row in rows:
        profile = of_pair.get(row["pair"])
        question, value, pointer = (profile.question, *profile.by) if profile else (questions or QUESTIONS)[row["pair"]]
        chosen = None if not_copied else side(row)
        none = "no answer" if row["failed"] else "not to be copied" if not_copied else "no answer yet"
        found.append({"question": question, "pair": row["pair"], "side": chosen, "why": why(row),
                      "sentence": {"value": value, "pointer": pointer, None: none}[chosen]})
    failed = sum(1 for row in rows if row["failed"])
    if not_copied and not failed:
        return found, f"pass its address and never copy it: {', '.join(not_copied)}"
    return found, whole(found, rows, profiles, failed)


def whole(found, rows=(), profiles=(), failed=0):
    """The sentence holds for the questions that have an answer; the others are named behind it."""
    if failed:
        return f"none: {failed} of {len(found)} rows failed"
    decided = [one for one in found if one["side"]]
    if not decided:
        return "no answer yet: measure more with --launches"
    passing = {one.pair for one in profiles}
    rest = [one for one in decided if one["pair"] not in passing and one["pair"] not in ORDERS]
    parts = [of_passing([one for one in decided if one["pair"] in passing], rows, profiles),
             _of_decided(rest) if rest else "", *_of_orders(decided)]
    open_ = _asked(one for one in found if not one["side"])
    return "; ".join(part for part in parts if part) + (f"; no answer yet: {open_}" if open_ else "")


def of_passing(decided, rows, profiles):
    """by value if the callee reads at least 4 of 8 members, by const pointer if it reads at most 2, ..."""
    of_pair = {one.pair: one for one in profiles}
    reads = [(of_pair[one["pair"]], one["side"]) for one in decided if one["pair"].startswith(READS)]
    others = [one for one in decided if not one["pair"].startswith(READS)]
    sides = {chosen for _, chosen in reads}
    if not reads:
        return ", ".join(f"{one['sentence']} if it {of_pair[one['pair']].does}" for one in others)
    said = [f"{NAMES[chosen]} where it {' or '.join(does)}" for chosen in NAMES if sides != {chosen}
            if (does := [of_pair[one["pair"]].besides for one in others if one["side"] == chosen])]
    return "; ".join([_of_reads(reads) + _either_way(reads, rows), *said])


NAMES = {"value": "by value", "pointer": "by const pointer"}


def _of_reads(reads):
    """Of [(profile, side)] by how much is read."""
    first, total = reads[0][1], reads[0][0].total
    if all(chosen == first for _, chosen in reads):
        return f"pass it {NAMES[first]}, whatever the callee reads"
    changes = [i for i in range(1, len(reads)) if reads[i][1] != reads[i - 1][1]]
    if len(changes) == 1:
        below, above = reads[changes[0] - 1], reads[changes[0]]
        least = f"at least {above[0].read}" if above[0].read < total else "all"
        return (f"pass it {NAMES[above[1]]} if the callee reads {least} of its {total} members, {NAMES[below[1]]} if "
                f"at most {below[0].read}")
    by = {chosen: [str(one.read) for one, other in reads if other == chosen] for chosen in NAMES}
    return "pass it " + ", ".join(f"{NAMES[chosen]} if the callee reads {' or '.join(some)} of its {total} members"
                                  for chosen, some in by.items())


def _either_way(reads, rows):
    """How little there is between the sides, where it is little in all of these rows."""
    pairs = {one.pair for one, _ in reads}
    saved = [worth.saved_ns(row["value_ns_per_op"]["estimate"], row["ratio"]["estimate"])
             for row in rows if row["pair"] in pairs and row["ratio"]]
    small = saved and max(saved) < WORTH_NS
    return f" ({quantity.time(max(saved), 2)} at most between them)" if small else ""


def _of_orders(decided):
    orders = {one["side"]: one["sentence"] for one in decided if one["pair"] in ORDERS}
    return [orders["pointer"]] if "pointer" in orders else []


def _of_decided(decided):
    sides = {chosen: [one for one in decided if one["side"] == chosen] for chosen in ("value", "pointer")}
    for chosen, other, words in (("value", "pointer", "treat it as a value"),
                                 ("pointer", "value", "handle it through pointers")):
        if not sides[other]:
            return words
        if len(sides[other]) == 1 and len(decided) > 2:
            return f"{words}, but {sides[other][0]['sentence']}"
    return "; ".join(f"by {chosen}: {_asked(sides[chosen])}" for chosen in ("value", "pointer"))


def _asked(some):
    return ", ".join(one["question"].replace(",", "") for one in some)
