# SPDX-License-Identifier: MIT
"""What ask found about a class of C++: the facts, the advice, the reasons. answer.py prints it, as it does for C."""

from ask import advice, answer, reasons
from plots.files import records
from plots.judge.pair_summary import SIDES, Row
from plots.words import because, quantity

# The question, what is said where the value side is better, and what where the pointer side is.
QUESTIONS = {
    "class_read": ("read", "pass it by value", "pass it by const &"),
    "class_keep": ("kept", "take it by value and move it in", "take it by const & and assign it"),
    "class_hand_over": ("handed over", "take it by value", "take it by &&"),
    "class_move": ("moved", "copy it", "move it"),
    "class_return": ("return", "return it by value", "fill a default one through an out-parameter"),
    "class_return_stored": ("return, stored", "assign what a call returns", "let the call assign to it by reference"),
}
ADVICE = "the advice: what each question says, by its purpose; what has no answer yet is named"
PURPOSE = {"class_read": "to read it", "class_keep": "to keep it", "class_hand_over": "to hand it over",
           "class_move": "where it is not needed again", "class_return": "to make one",
           "class_return_stored": "to make one in the place of another"}
# What of the class runs on each side, in its order; a test holds it to the compiled code. "constructor": the expression
# that makes an object.
COPY, MOVE, END = "copy", "move", "destructor"
ASSIGN, MOVE_IN, DEFAULT, MAKE = "copy assignment", "move assignment", "default constructor", "constructor"
RUNS = {
    "class_read": ((COPY, END), ()),
    "class_keep": ((COPY, MOVE_IN, END), (ASSIGN,)),
    "class_hand_over": ((MOVE, MOVE, END, END), (MOVE, END)),
    "class_move": ((COPY, END), (MOVE, END)),
    "class_return": ((COPY, END), (DEFAULT, ASSIGN, END)),
    "class_return_stored": ((COPY, MOVE_IN, END), (ASSIGN,)),
}
RUNS_WITHOUT_COPY = {  # a new object is made by an expression
    "class_return": ((MAKE, END), (DEFAULT, MAKE, MOVE_IN, END, END)),
    "class_return_stored": ((MAKE, MOVE_IN, END), (MAKE, MOVE_IN, END)),
}
TIMES = {2: "two"}


def of_class(found, compiler, flags, make):
    """`ampersand/ask/1` without what is measured."""
    layout = found.layout
    return {
        "schema": "ampersand/ask/1", "type": found.type, "header": found.header,
        "compiler": compiler.version(), "flags": [str(flag) for flag in flags],
        "size_b": found.size_b, "alignment_b": found.alignment_b, "kind": found.kind,
        "padding": answer.padding(layout) if layout else None,
        "bit_fields": [{"member": name, "bits": bits} for name, bits in layout.bit_fields] if layout else [],
        "unions": [], "abi": dict(found.abi), "reordered": None, "notes": [*found.notes, *answer.left_out(compiler)],
        "class": {**{trait: found.traits[trait] for trait in found.traits if trait not in ("object", "array", "class")},
                  "make": make, "copy": None},
    }


def document(found, compiler, make, rows, floors, rule, seconds, settings, more_notes=()):
    """`ampersand/ask/1`, as results/SCHEMA.md has it."""
    facts = of_class(found, compiler, settings["flags"], make)
    facts["class"]["copy"] = copied(rows)
    each, _ = advice.recommend(rows, not_copied=found.not_copied, questions=QUESTIONS)
    return {
        **facts, "notes": [*facts["notes"], *of_default(found, make, facts["class"]["copy"]), *more_notes,
                           *answer.uncounted(rows)],
        "allocator": settings["allocator"],
        "settings": {key: settings[key] for key in ("seed", "launches", "layouts")}, "rule": rule, "floors": floors,
        "profiles": [],
        "answers": [{"question": one["question"], "row": row} for one, row in zip(each, rows)],
        "advice": {"rule": [*advice.RULE[:-1], ADVICE], "worth": advice.WORTH, "worth_ns": advice.WORTH_NS,
                   "whole": whole(each, found.not_copied),
                   "each": [{key: one[key] for key in ("pair", "question", "side", "sentence", "why")}
                            | {"because": reason(row, found)} for one, row in zip(each, rows)]},
        "seconds": seconds,
    }


def copied(rows):
    """What a copy and its end allocate: counted on the value side of class_read; None: not counted."""
    row = next((row for row in rows if row["pair"] == "class_read"), None)
    if not row or row["counts"]["status"] != "exact":
        return None
    side = row["counts"]["value"]
    return {"allocs": side["allocs_per_op"], "asked_b": side["asked_b_per_op"]}


def of_default(found, make, copy):
    """A default object is often an empty one, about which nobody asks."""
    if make or found.can("trivially_copyable") or copy and copy["allocs"]:
        return []
    return ["the object is a default one, and may be empty: --make gives another, as in "
            f"--make '{found.type}(...)'"]


def whole(each, not_copied):
    """Each answer with its purpose; what is left open is named."""
    failed = sum(1 for one in each if one["sentence"] == "no answer")
    if failed:
        return f"none: {failed} of {len(each)} rows failed"
    if not_copied:
        return f"pass its address and never copy it: {', '.join(not_copied)}"
    said = [f"{PURPOSE[one['pair']]}, {one['sentence']}" for one in each if one["side"]]
    open_ = [one["question"].replace(",", "") for one in each if not one["side"]]
    if not said:
        return "no answer yet: measure more with --launches"
    return "; ".join(said) + (f"; no answer yet: {', '.join(open_)}" if open_ else "")


def reason(row, found):
    """What runs on both sides, and what that allocates; of a class that is copied as bytes, how its bytes are."""
    if row["failed"]:
        return None
    one = records.read(Row, row)
    if found.can("trivially_copyable"):
        return reasons.of(one, None, found)
    value, pointer = runs(one.pair, found.move_only)
    said = [f"{one.name_of('value')} runs {in_words(value)}, {one.name_of('pointer')} "
            f"{in_words(pointer) if pointer != value else 'the same'}"]
    return "; ".join([*said, *_allocations(one)])


def runs(pair, move_only):
    """(what runs on the value side, what on the pointer side)"""
    return (RUNS_WITHOUT_COPY if move_only else {}).get(pair) or RUNS[pair]


def in_words(run):
    """("copy", "move", "move") is "a copy and two moves"."""
    counts = [(what, run.count(what)) for what in dict.fromkeys(run)]
    said = [f"a {what}" if n == 1 else f"{TIMES[n]} {what}s" for what, n in counts]
    return ", ".join(said[:-1]) + " and " * (len(said) > 1) + said[-1] if said else "nothing of it"


def _allocations(row):
    if row.counts.status != "exact":
        return []
    names = {side: row.name_of(side) for side in SIDES}
    by_side = {side: row.counted(side) for side in SIDES}
    more = max(SIDES, key=lambda side: by_side[side].allocs_per_op)
    less = next(side for side in SIDES if side != more)
    if by_side[more].allocs_per_op == by_side[less].allocs_per_op:
        n = by_side[more].allocs_per_op
        return [f"both allocate {because.times(n)} ({quantity.size(by_side[more].asked_b_per_op)})"] if n else []
    return [because.allocates(row, more, less, names)]
