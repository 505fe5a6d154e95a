# SPDX-License-Identifier: MIT
"""A run in short, in words: what to do with an object that is passed, returned or changed; the answer of any pair in a
few sentences; the words of a cell in the table of questions."""

from collections import Counter
from dataclasses import dataclass

from plots.judge import overview
from plots.judge.pair_summary import SIDES
from plots.stats import worth
from plots.words import quantity
from plots.words.sentences import capital

MOST = 3  # answers on top, where the run has none of the topics
SMALL = f"less than {quantity.level(worth.WORTH - 1)} or {quantity.time(worth.WORTH_NS, exact=True)}"


@dataclass(frozen=True)
class Topic:
    pair: str
    asked: str
    ways: dict  # side: how it is done
    names: dict  # side: what it is called where it is faster


TOPICS = (
    Topic("pass", "Pass", {"value": "by value", "pointer": "by const pointer"},
          {"value": "a copy", "pointer": "a const pointer"}),
    Topic("factory", "Return a new object",
          {"value": "by value instead of allocating it", "pointer": "as a pointer to the heap"},
          {"value": "a value", "pointer": "a pointer to the heap"}),
    Topic("mutate", "Change an object", {"value": "by returning a changed copy", "pointer": "through a pointer"},
          {"value": "a changed copy", "pointer": "a pointer"}),
)


@dataclass(frozen=True)
class Answer:
    pair: str
    lead: str  # what to do, and at which sizes
    rest: str  # what that saves, and where it is otherwise; ends in a full stop

    @property
    def whole(self):
        return f"{self.lead}: {self.rest[:1].lower()}{self.rest[1:]}"


def in_short(summary, manifest):
    """[Answer] to the topics that the run has; if it has none, to its first questions."""
    found = [of_topic(topic, summary.pairs[topic.pair], unit_of(manifest, topic.pair)) for topic in TOPICS
             if topic.pair in summary.pairs]
    if found:
        return found
    kinds = overview.kinds(summary, manifest)
    return [of_pair(rows, unit_of(manifest, pair), asked=pair) for pair, rows in summary.pairs.items()
            if kinds[pair] == "question"][:MOST]


def unit_of(manifest, pair):
    return next((row.get("size_unit", "B") for row in manifest["rows"] if row["pair"] == pair), "B")


def of_pair(rows, unit, asked=""):
    """The Answer of a pair, with the names that its sides have."""
    names = {side: rows[0].name_of(side) for side in SIDES}
    return of_topic(Topic(rows[0].pair, f"{asked}:" if asked else "", {side: f"{name} faster" for side, name in
                                                                       names.items()}, names), rows, unit)


def of_topic(topic, rows, unit):
    rows = sorted(rows, key=lambda row: row.size)
    parts = {}
    for key, stretch in overview.stretches(rows):
        parts.setdefault(key, []).append(stretch)
    side, rest = overview.ahead(rows), []
    if side:
        other = "pointer" if side == "value" else "value"
        won = [row for stretch in parts[WINS, side] for row in stretch]
        lead = f"{topic.ways[side]}{_throughout(won, rows, unit)}"
        rest += [f"it saves {_saved(won, unit)}"]
        rest += [f"{_at(stretch, rows, unit)} {topic.names[other]} saves {_saved(stretch, unit)}"
                 for stretch in parts.get((WINS, other), ())]
    elif ("small", None) in parts:
        lead = "either way"
    else:  # after words, as in: Pass (no clear winner)
        lead = UNCLEAR if topic.asked.endswith(":") or not topic.asked else f"({UNCLEAR})"
    for (state, _), stretches in parts.items():
        if state != WINS:
            little = _little(stretches) if state == "small" else ""
            rest.append(SAID[state].format(at=_places(stretches, rows, unit), little=little))
    so_far = "so far " * any(row.verdict == "no verdict" for row in rows)
    return Answer(topic.pair, capital(f"{topic.asked} {so_far}{lead}".strip()),
                  " ".join(f"{capital(one)}." for one in rest))


# ---- Parts of an answer. A stretch: rows of sizes beside each other that say the same

WINS = "wins"
UNCLEAR = "no clear winner"
SAID = {"small": "{at} it hardly matters: {little}", "placement": "{at} the place of the code decides",
        "open": "undecided {at}", "failed": "failed {at}"}


def _little(stretches):
    """0.27 ns at most; from half a nanosecond on it says of how many: 3.8 ns of 45 ns at most"""
    row = max((row for stretch in stretches for row in stretch), key=lambda row: overview.outcome(row).saved_ns)
    saved, longer = overview.outcome(row).saved_ns, row.value_ns_per_op.estimate * max(row.ratio.estimate, 1)
    of = f" of {ns(longer)}" * (saved >= worth.WORTH_NS)
    return f"{ns(saved)}{of}{' at most' * (saved >= quantity.LEAST_NS)}"


def _places(stretches, rows, unit):
    """at 8 B, from 1 KiB to 4 KiB and at 32 KiB"""
    *said, last = [_at(stretch, rows, unit) for stretch in stretches]
    return f"{', '.join(said)} and {last}" if said else last


def _at(stretch, rows, unit):
    low, high = stretch[0].size, stretch[-1].size
    if low == high:
        return f"at {exact_size(low, unit)}"
    if len(stretch) == len(rows):
        return "at every size"
    if low == rows[0].size:
        return f"up to {exact_size(high, unit)}"
    return f"from {exact_size(low, unit)}" + ("" if high == rows[-1].size else f" to {exact_size(high, unit)}")


def _throughout(won, rows, unit):
    """From the first size that a side wins to the last; nothing where that is from the smallest to the largest."""
    low, high = won[0].size, won[-1].size
    if (low, high) == (rows[0].size, rows[-1].size):
        return ""
    return f" {_at([row for row in rows if low <= row.size <= high], rows, unit)}"


def _saved(rows, unit):
    """0.54 ns at 96 B, 1.2 µs at 64 KiB"""
    first, last = (ns(overview.outcome(row).saved_ns) for row in (rows[0], rows[-1]))
    if first == last:
        return first
    return f"{first} at {exact_size(rows[0].size, unit)}, {last} at {exact_size(rows[-1].size, unit)}"


def ns(saved):
    """As a part of a sentence."""
    return "under 0.01 ns" if saved < quantity.LEAST_NS else quantity.time(saved, 2)


def saved(row):
    """What the faster side of a row saves; "-" where neither is faster."""
    said = overview.outcome(row)
    if not said.side:
        return quantity.NONE
    return "<0.01 ns" if said.saved_ns < quantity.LEAST_NS else quantity.time(said.saved_ns, 2)


def exact_size(size, unit):
    """1.5 KiB, but 4,112 B: no digit of a size that somebody chose is lost."""
    text = quantity.size(size, unit)
    if unit not in ("", "B"):
        return text
    number, _, name = text.partition(" ")
    exact = float(number.replace(",", "")) * 1024 ** quantity.PREFIXES.index(name.removesuffix("B")) == size
    return text if exact else f"{size:,} {unit}".rstrip()


# ---- Cells of the table of questions

CLASS_NAMES = ("up to 16", "to 64", "to 256", "to 4 Ki", "to 64 Ki", "above")  # overview.CLASSES
WORDS = {"small": "small", "equal": "equal", "placement": "placement", "open": "undecided", "failed": "failed"}


def cell_words(cell, names):
    """(who wins, what that saves an operation)"""
    said = ", ".join(names[side] for side in cell.sides) or WORDS[cell.state]
    return said, _range(cell.saved_ns) if cell.state in (WINS, "small") else ""


def _range(saved_ns):
    """0.06..0.27 ns; 43 ns..1.2 µs"""
    low, high = map(ns, saved_ns)
    if low == high or saved_ns[0] < quantity.LEAST_NS:
        return high if low == high else f"up to {high}"
    (number, unit), (_, other) = low.split(" "), high.split(" ")
    return f"{number if unit == other else low}..{high}"


# ---- How many questions have which answer

TALLY = {"value": "the value side wins in {}", "pointer": "the pointer side wins in {}",
           "size": "the size decides in {}", "small": "no difference that matters in {}",
           "placement": "the place of the code decides in {}", "open": "undecided are {}", "failed": "{} failed"}


def tally(summary, manifest):
    """How many questions have which answer: a sentence, or two; of a run without verdicts how many it asked. A question
    is a pair, at however many sizes; controls and variants, which ask again under other flags, stand apart."""
    kinds = overview.kinds(summary, manifest)
    count = Counter(kinds.values())
    found = Counter(_wins(rows) for pair, rows in summary.pairs.items() if kinds[pair] == "question")
    told = [words.format(found[name]) for name, words in TALLY.items() if found[name]]
    text = quantity.counted(count["question"], "question")
    text += f": {', '.join(told)}" if told and overview.has_verdicts(summary) else ""
    apart = [quantity.counted(count[kind], *words) for kind, *words in (
        ("variant", "variant of flags", "variants of flags"), ("control", "control")) if count[kind]]
    return text + (f". Apart from these: {' and '.join(apart)}" if apart else "")


def _wins(rows):
    """Of a pair: the side that wins, by enough to matter, wherever one does; `size` where each wins at some; else why
    there is none."""
    found = overview.cell(rows)
    if found.state == "wins":
        return "size" if overview.both(found) else found.sides[0]
    return "small" if found.state == "equal" else found.state
