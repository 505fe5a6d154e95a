# SPDX-License-Identifier: MIT
"""The recommendation: what follows from the verdicts, by a rule that is printed with it. Pure functions.

A verdict speaks for a side if it is that side faster, or leans to it, and the ratio is at least 1.1 either way."""

WORTH = 1.1

RULE = (
    f"faster or leaning, by {(WORTH - 1) * 100:.0f} % or more: that side",
    f"equal, placement decides, or less than {(WORTH - 1) * 100:.0f} %: the value, which nobody else changes or frees",
    "undecided, or not measured: nothing; measure more with --launches",
    "the whole: what at least all of the decided answers but one say; else each case for itself",
)

# The question, what is said where the value side is better, and what where the pointer side is.
QUESTIONS = {
    "pass": ("pass", "pass it by value", "pass it by const pointer"),
    "factory": ("return", "return it by value", "return a pointer to the heap"),
    "mutate": ("change", "return a changed copy", "change it through a pointer"),
    "ask_store": ("store", "keep it in arrays as itself", "keep pointers in arrays"),
    "ask_walk": ("walk", "walk an array of it", "walk an array of pointers"),
    "ask_send": ("send", "send it to threads by value", "send threads a pointer"),
    "ask_box": ("box", "call with its type known", "box a copy on the heap"),
    "ask_box_here": ("box, lent", "call with its type known", "box its address"),
}


def factor(ratio):
    return max(ratio, 1 / ratio)


def side(row):
    """value, pointer, or None, by the rule; `row` is one of summary.json's."""
    verdict, ratio = row["verdict"], (row["ratio"] or {}).get("estimate")
    if row["failed"] or verdict in ("undecided", "no verdict", "failed") or ratio is None:
        return None
    if verdict in ("equal", "placement decides") or factor(ratio) < WORTH:
        return "value"
    return "value" if verdict in ("value faster", "leans value") else "pointer"


def why(row):
    """A few words behind the recommendation."""
    verdict, ratio = row["verdict"], (row["ratio"] or {}).get("estimate")
    if side(row) is None:
        return "failed" if row["failed"] else "undecided"
    times = f"{float(f'{factor(ratio):.3g}'):g} times as fast"
    if verdict == "equal":
        return f"equal within {row['equal_within'] * 100:g} %"
    if verdict == "placement decides":
        return "placement decides, so the simpler one"
    if factor(ratio) < WORTH:
        percent = (factor(ratio) - 1) * 100
        return f"{verdict}, but by {percent:.2g} % only, so the simpler one" if not verdict.startswith(
            ("value", "leans value")) else f"{percent:.2g} % faster"
    return f"{times} {'on average' if verdict.startswith('leans') else ''}".strip()


def recommend(rows):
    """One dictionary a row, and the sentence about the whole."""
    found = []
    for row in rows:
        question, value, pointer = QUESTIONS[row["pair"]]
        chosen = side(row)
        found.append({"question": question, "pair": row["pair"], "side": chosen, "why": why(row),
                      "sentence": {"value": value, "pointer": pointer, None: "no answer yet"}[chosen]})
    return found, whole(found)


def whole(found):
    decided = [one for one in found if one["side"]]
    if not decided:
        return "nothing is decided: measure more with --launches"
    for chosen, other, words in (("value", "pointer", "treat it as a value"),
                                 ("pointer", "value", "handle it through pointers")):
        against = [one for one in decided if one["side"] == other]
        if len(against) == 0:
            return words
        if len(against) == 1 and len(decided) > 2:
            return f"{words}, but {against[0]['sentence']}"
    groups = {chosen: ", ".join(one["question"].replace(",", "") for one in decided if one["side"] == chosen)
              for chosen in ("value", "pointer")}
    return f"by value: {groups['value']}; through a pointer: {groups['pointer']}"
