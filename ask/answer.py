# SPDX-License-Identifier: MIT
"""What ask found, for people and for programs. Pure functions of the subject, the judged rows and the advice."""

import textwrap

from ask import advice, allocator
from plots.program.guard import COMMAND
from plots.words import terminal

WIDTH = 100
INTEGER_REGISTERS, VECTOR_REGISTERS = ("rdi", "rsi"), ("xmm0", "xmm1")  # of a first argument; a type takes at most two
RETURN_INTEGER, RETURN_VECTOR = ("rax", "rdx"), ("xmm0", "xmm1")


FEW = 8  # of anything that is listed in a line


def of_type(subject, compiler, flags):
    """`ampersand/ask/1` without what is measured: all that --facts prints."""
    layout = subject.layout
    return {
        "schema": "ampersand/ask/1", "type": subject.type, "header": subject.header,
        "compiler": compiler.version(), "flags": [str(flag) for flag in flags],
        "size_b": subject.size_b, "alignment_b": subject.alignment_b, "kind": layout.kind,
        "padding": padding(layout),
        "bit_fields": [{"member": name, "bits": bits} for name, bits in layout.bit_fields],
        "unions": layout.unions,
        "abi": dict(subject.abi), "notes": notes(subject, compiler),
    }


def document(subject, compiler, rows, floors, rule, seconds, settings):
    """`ampersand/ask/1`, as results/SCHEMA.md has it."""
    found, whole = advice.recommend(rows)
    facts = of_type(subject, compiler, settings["flags"])
    return {
        **facts, "notes": [*facts["notes"], *uncounted(rows)], "allocator": settings["allocator"],
        "settings": {key: settings[key] for key in ("seed", "launches", "layouts")}, "rule": rule, "floors": floors,
        "answers": [{"question": one["question"], "row": row} for one, row in zip(found, rows)],
        "advice": {"rule": list(advice.RULE), "worth": advice.WORTH, "worth_ns": advice.WORTH_NS, "whole": whole,
                   "each": [{key: one[key] for key in ("pair", "question", "side", "sentence", "why")}
                            for one in found]},
        "seconds": seconds,
    }


def padding(layout):
    """The first holes one by one, and all of them by what they have in common."""
    listed = layout.padding
    return {"bytes": sum(n for _, n in layout.holes),
            "holes": [{"offset_b": at, "bytes": n, "after": name} for at, n, name in listed],
            "more_holes": len(layout.holes) - len(listed),
            "patterns": [{"bytes": n, "after": name, "times": times, "first_offset_b": at}
                         for n, name, times, at in layout.patterns]}


def notes(subject, compiler):
    found = list(subject.notes)
    if subject.fixed:
        found.append(f"{subject.fixed}, so change, store and send are left out")
    for why in dict.fromkeys(why for _, why in compiler.left_out):
        words = ", ".join(flag for flag, other in compiler.left_out if other == why)
        found.append(f"left out of --cflags: {words}: {why}")
    return found


def uncounted(rows):
    """Why allocations are not counted, each reason once."""
    return [f"allocations are not counted: {why}" for why in dict.fromkeys(
        row["counts"]["detail"] for row in rows if row["counts"]["status"] == "refused")]


def text(answer, colour=False):
    lines = [f"{answer['type']} of {answer['header']}, {answer['compiler']} {' '.join(answer['flags'])}".rstrip(), ""]
    lines += _facts(answer)
    if "answers" not in answer:
        return "\n".join(lines) + "\n"
    lines += [""] + _table(answer, colour) + [""]
    floor = terminal.floors({"floors": answer["floors"]})
    lines += floor + ([""] if floor else [])
    lines += _advice(answer)
    return "\n".join(lines) + "\n"


def _facts(answer):
    facts = [("size", f"{answer['size_b']} B, aligned to {answer['alignment_b']} B"), ("padding", _padding(answer))]
    if answer["bit_fields"]:
        facts.append(("bit-fields", _listed(f"{one['member']}:{one['bits']}" for one in answer["bit_fields"])))
    if answer["unions"]:
        facts.append(("unions", _listed(name or "itself" for name in answer["unions"])))
    facts += [("passed", passed(answer["abi"], answer["size_b"])), ("returned", returned(answer["abi"]))]
    if "allocator" in answer:
        facts.append(("allocator", allocator.words(answer["allocator"])))
    facts += [("note", note) for note in answer["notes"]]
    lines = []
    for name, words in facts:
        lines += textwrap.wrap(words, WIDTH, initial_indent=f"  {name:<12}", subsequent_indent=" " * 14,
                               break_on_hyphens=False)
    return lines


def _listed(words, most=FEW):
    words = list(words)
    return ", ".join(words[:most]) + (f" and {len(words) - most} more" if len(words) > most else "")


def _padding(answer):
    """Each hole where there are few; else those that are alike in one."""
    padding = answer["padding"]
    if not padding["bytes"]:
        return "none"
    if len(padding["holes"]) <= FEW:
        parts = [(one["bytes"], one["offset_b"], one["after"], 1) for one in padding["holes"]]
    else:
        parts = [(one["bytes"], one["first_offset_b"], one["after"], one["times"]) for one in padding["patterns"]]
    words = []
    for n, at, name, times in parts:
        after = f" after {name}" if name else ""
        if times > 1:
            words.append(f"{n} B {times} times{after}, first at offset {at}")
        else:
            words.append(f"{n} B {'at the end' if at + n == answer['size_b'] else f'at offset {at}'}{after}")
    return f"{padding['bytes']} B: " + _listed(words, FEW)


def _registers(abi, integers, vectors):
    return " and ".join([*integers[:abi["integers"]], *vectors[:abi["vectors"]]])


def _some(abi):
    return "a register" if abi["integers"] + abi["vectors"] == 1 else "registers"


def passed(abi, size_b):
    return {"memory": f"in memory: each call copies {size_b} B onto the stack",
            "registers": f"in {_some(abi)}: as a first argument in "
                         + _registers(abi, INTEGER_REGISTERS, VECTOR_REGISTERS),
            "nothing": "as nothing: no register and no memory is used",
            "unknown": "not found out: known only for the System V ABI of x86-64"}[abi["passed"]]


def returned(abi):
    return {"memory": "in memory: into an object of the caller's, whose address is a hidden first argument",
            "registers": f"in {_some(abi)}: {_registers(abi, RETURN_INTEGER, RETURN_VECTOR)}",
            "x87": "in a register of the x87: st(0)",
            "nothing": "as nothing",
            "unknown": "not found out: known only for the System V ABI of x86-64"}[abi["returned"]]


COLUMNS = (("", True), ("value", False), ("ptr", False), ("ratio", False), ("interval", True), ("spread", True),
           ("val", False), ("ptr", False))


def _table(answer, colour):
    rows = []
    for one in answer["answers"]:
        cells = terminal.cells(one["row"])
        rows.append([one["question"], *cells[2:7], *cells[9:11]])
    widths = [max(len(row[i]) for row in [[name for name, _ in COLUMNS], *rows]) for i in range(len(COLUMNS))]
    widths[1] = max(widths[1], 6)
    widths[6] = max(widths[6], 5)
    widths[7] = max(widths[7], 5)

    def line(cells):
        return "  ".join(f"{cell:<{w}}" if left else f"{cell:>{w}}"
                         for cell, w, (_, left) in zip(cells, widths, COLUMNS))

    def over(first, last, title):
        return f" {title} ".center(sum(widths[first:last]) + 2 * (last - first - 1), "-")

    head = "  ".join([" " * widths[0], over(1, 3, "ns/op"), over(3, 6, "pointer/value"), over(6, 8, "allocs/op")])
    lines = [head, line([name for name, _ in COLUMNS]) + "  verdict"]
    for row, one in zip(rows, answer["answers"]):
        lines.append(line(row) + "  " + terminal.paint(terminal.verdict(one["row"]), one["row"], colour))
    return ["  " + text.rstrip() for text in lines]


def _failures(answer):
    """Which rows failed, and what that means, each meaning once."""
    failed = [one for one in answer["answers"] if one["row"]["failed"]]
    lines = []
    for meaning in dict.fromkeys(advice.meaning(one["row"]["failed"], answer["flags"]) for one in failed):
        asked = ", ".join(one["question"].replace(",", "") for one in failed
                          if advice.meaning(one["row"]["failed"], answer["flags"]) == meaning)
        lines += textwrap.wrap(f"Failed: {asked}" + (f": {meaning}." if meaning else "."), WIDTH)
    return lines


def _advice(answer):
    given = answer["advice"]
    lines = _failures(answer) or textwrap.wrap(f"Advice: {given['whole']}.", WIDTH)
    wide = max(len(one["question"]) for one in given["each"])
    words = max(len(one["sentence"]) for one in given["each"])
    lines += [f"  {one['question']:<{wide}}  {one['sentence']:<{words}}  {one['why']}" for one in given["each"]]
    lines += ["", "The rule"] + [f"  {line}" for line in given["rule"]]
    settings, rule = answer["settings"], answer["rule"]
    launches = f"{settings['launches']} launch{'es' if settings['launches'] != 1 else ''}"
    words = ("A ratio is pointer/value: above 1 the value side is faster. Intervals: "
             f"{rule['confidence'] * 100:g} % for all of them together ({rule['correction']}), over {launches}; the "
             f"spread is that over {settings['layouts']} layouts. What a verdict means: {COMMAND} help ask. Seed "
             f"{settings['seed']}, {answer['seconds']:.0f} s.")
    return lines + [""] + textwrap.wrap(words, WIDTH)
