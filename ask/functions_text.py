# SPDX-License-Identifier: MIT
"""What --functions found, for people: the types, then the functions."""

from dataclasses import replace

from ask.advice import side, why
from plots.program.guard import COMMAND
from plots.words import quantity, screen
from plots.words.quantity import counted
from plots.words.sentences import listed
from plots.words.table import of_texts

WIDTH = 120
FEW = 8


def text(found, on=screen.PIPE):
    on = replace(on, width=min(on.width, WIDTH))
    n = len(found["functions"])
    lines = on.wrapped(
        f"{found['header']}, {found['compiler']} {' '.join(found['flags'])}".rstrip() + f": {n} of "
        f"{counted(found['functions_in_header'], 'function')} {'takes or returns' if n == 1 else 'take or return'} a "
        "struct or union by value")
    if not n:
        return "\n".join(lines) + "\n"
    measured = "rule" in found
    for table in (_types(found, measured), _functions(found, measured)):
        lines += ["", *table.terminal(on, indent=2)]
    lines += [""] + [line for sentence in _closing(found, measured) for line in on.wrapped(sentence)]
    return "\n".join(lines) + "\n"


def _types(found, measured):
    titles = ("type", "B", "passed", "returned", "functions", "passing it", "returning it")
    rows = [[one["type"], quantity.count(one["size_b"]), *_abi(one), str(one["functions"]),
             _judged(one, "passed", "by value", "by const pointer"),
             _judged(one, "returned", "by value", "through an out-parameter")] for one in found["types"]]
    shown = 7 if measured else 5
    return of_texts(titles[:shown], [row[:shown] for row in rows], (0, 2, 3, 5, 6))


def _abi(one):
    if not one["abi"]:
        return [f"- ({one['refused']})", "-"]
    abi = one["abi"]
    taken = abi["integers"] + abi["vectors"]
    passed = counted(taken, "register") if abi["passed"] == "registers" else abi["passed"]
    return [passed, "hidden pointer" if abi["returned"] == "memory" else abi["returned"]]


def _judged(one, key, value, pointer):
    """by value: 2.1 against 1.9 ns"""
    row = one[key]
    if one["not_copied"]:
        return f"not to be copied: {one['not_copied'][0]}"
    if not row:
        return "-"
    if row["failed"]:
        return why(row)
    chosen = {"value": value, "pointer": pointer, None: "no answer yet"}[side(row)]
    value_ns = row["value_ns_per_op"]["estimate"]
    times = f"{quantity.time_ns(value_ns)} against {quantity.time(value_ns * row['ratio']['estimate'])}"
    return f"{chosen}: {times}" + (f", as {one['measured_as']}" if one["measured_as"] != one["type"] else "")


def _functions(found, measured):
    titles = ("function", "by value", "B", "in", "by value costs")
    rows = [[one["function"], _by_value(one), str(one["bytes"]), _in(one), costs(one["costs_ns"])]
            for one in found["functions"]]
    shown = 5 if measured else 4
    return of_texts(titles[:shown], [row[:shown] for row in rows], (0, 1, 3))


def _by_value(one):
    """2 x Vector3, Color; returns Matrix"""
    counts = {}
    for taken in one["takes"]:
        counts[taken["type"]] = counts.get(taken["type"], 0) + 1
    takes = listed((name if n == 1 else f"{n} x {name}" for name, n in counts.items()), FEW)
    return "; ".join(part for part in (takes, f"returns {one['returns']['type']}" if one["returns"] else "") if part)


def _in(one):
    takes = " and ".join(dict.fromkeys(taken["in"] for taken in one["takes"]))
    returns = one["returns"] and {"memory": "hidden pointer"}.get(one["returns"]["in"], one["returns"]["in"])
    return "; ".join(part for part in (takes, f"returns: {returns}" if returns else "") if part)


def costs(ns):
    """With a sign; None: not known."""
    if ns is None:
        return quantity.NONE
    if abs(ns) < quantity.LEAST_NS:
        return "<0.01 ns"
    return f"{'+' if ns > 0 else '-'}{quantity.time(abs(ns), 2)}"


def _closing(found, measured):
    first = found["types"][0]["type"]
    said = [f"For one type, with its reasons: {COMMAND} ask {found['header']} '{first}'."]
    if not measured:
        return said
    said = ["What by value costs is what it takes longer here than by const pointer, or than an out-parameter; below "
            "0: less. It is the sum over what the function takes and returns, each measured alone, in a callee that "
            f"reads half of its members. Seed {found['settings']['seed']}, "
            f"{quantity.time(1e9 * found['seconds'], 2)}.", *said]
    if found["left_out"]:
        said.insert(0, f"Left out for time: {listed(found['left_out'], 30)}. Ask for one by its name: {COMMAND} ask "
                    f"{found['header']} '{found['left_out'][0]}'.")
    return said
