# SPDX-License-Identifier: MIT
"""What ask found, for people and for programs. Pure functions of the subject, the judged rows and the advice."""

from dataclasses import replace

from ask import advice, allocator, class_words, reasons
from plots.files import records
from plots.judge.pair_summary import Floor, Row
from plots.program.guard import COMMAND
from plots.words import pair_text, quantity, screen
from plots.words.quantity import counted
from plots.words.sentences import listed
from plots.words.table import Column, of_texts

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
        "abi": dict(subject.abi), "reordered": reordered(subject), "notes": notes(subject, compiler),
    }


def reordered(subject):
    """The same members with less padding; None where there is no padding, or no order with less."""
    found = subject.reordered
    return found and {"size_b": found.size_b, "saved_b": subject.size_b - found.size_b, "order": list(found.names),
                      "abi": dict(found.abi)}


def document(subject, compiler, profiles, rows, floors, rule, seconds, settings):
    """`ampersand/ask/1`, as results/SCHEMA.md has it."""
    found, whole = advice.recommend(rows, profiles, subject.not_copied)
    facts = of_type(subject, compiler, settings["flags"])
    of_pair = {one.pair: one for one in profiles}
    because = {row["pair"]: reasons.of(records.read(Row, row), of_pair.get(row["pair"]), subject) for row in rows}
    return {
        **facts, "notes": [*facts["notes"], *uncounted(rows)], "allocator": settings["allocator"],
        "settings": {key: settings[key] for key in ("seed", "launches", "layouts")}, "rule": rule, "floors": floors,
        "profiles": [{"pair": one.pair, "members": one.total, "reads": one.read, "changes": one.changes,
                      "writes": one.writes, "calls": one.calls} for one in profiles],
        "answers": [{"question": one["question"], "row": row} for one, row in zip(found, rows)],
        "advice": {"rule": list(advice.RULE), "worth": advice.WORTH, "worth_ns": advice.WORTH_NS, "whole": whole,
                   "each": [{key: one[key] for key in ("pair", "question", "side", "sentence", "why")}
                            | {"because": because[one["pair"]]} for one in found]},
        "seconds": seconds,
    }


def padding(layout):
    """The first holes one by one, and all of them by what they have in common."""
    first = layout.padding
    return {"bytes": sum(n for _, n in layout.holes),
            "holes": [{"offset_b": at, "bytes": n, "after": name} for at, n, name in first],
            "more_holes": len(layout.holes) - len(first),
            "patterns": [{"bytes": n, "after": name, "times": times, "first_offset_b": at}
                         for n, name, times, at in layout.patterns]}


def notes(subject, compiler):
    found = list(subject.notes)
    if subject.fixed:
        found.append(f"{subject.fixed}, so what assigns one is left out: change, store, send, and an out-parameter "
                     "that is stored")
    if subject.not_reordered:
        found.append(f"not measured in another order: {subject.not_reordered}")
    return found + left_out(compiler)


def left_out(compiler):
    """Which flags are not used, each reason once."""
    of_reason = {}
    for flag, why in compiler.left_out:
        of_reason.setdefault(why, []).append(flag)
    return [f"left out of --cflags: {', '.join(flags)}: {why}" for why, flags in of_reason.items()]


def uncounted(rows):
    """Why allocations are not counted, each reason once."""
    return [f"allocations are not counted: {why}" for why in dict.fromkeys(
        row["counts"]["detail"] for row in rows if row["counts"]["status"] == "refused")]


def text(answer, on=screen.PIPE):
    on = replace(on, width=min(on.width, WIDTH))
    lines = [f"{answer['type']} of {answer['header']}, {answer['compiler']} {' '.join(answer['flags'])}".rstrip(), ""]
    lines += on.definitions(_facts(answer))
    if "answers" in answer:
        lines += ["", *table(answer).terminal(on, indent=2), ""]
        floors = pair_text.floors(records.read(dict[str, Floor | None], answer["floors"]))
        lines += [line for floor in floors for line in on.wrapped(floor, "", "  ")] + [""] * bool(floors)
        lines += _advice(answer, on)
    return "\n".join(lines) + "\n"


def _facts(answer):
    facts = [("size", f"{answer['size_b']} B, aligned to {answer['alignment_b']} B"), ("padding", _padding(answer))]
    facts += class_words.facts(answer["class"]) if "class" in answer else []
    if answer["bit_fields"]:
        facts.append(("bit-fields", listed((f"{one['member']}:{one['bits']}" for one in answer["bit_fields"]), FEW)))
    if answer["unions"]:
        facts.append(("unions", listed((name or "itself" for name in answer["unions"]), FEW)))
    facts += [("passed", passed(answer["abi"], answer["size_b"])), ("returned", returned(answer["abi"]))]
    if answer["reordered"]:
        facts.append(("reordered", _reordered(answer["reordered"], answer["abi"])))
    if "allocator" in answer:
        facts.append(("allocator", allocator.words(answer["allocator"])))
    return facts + [("note", note) for note in answer["notes"]]


def _padding(answer):
    """Each hole where there are few; else those that are alike in one."""
    padding = answer["padding"]
    if padding is None:
        return "not found out: the debugging information does not tell"
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
    return words[0] if len(parts) == 1 and parts[0][3] == 1 else f"{padding['bytes']} B: " + listed(words, FEW)


def _reordered(other, abi):
    names = listed((name or "(without a name)" for name in other["order"]), FEW)
    then = "" if other["abi"] == abi else f", and is then passed {passed(other['abi'], other['size_b'])}"
    return f"{other['size_b']} B, {other['saved_b']} B less, with its members in the order {names}{then}"


def _registers(abi, integers, vectors):
    return " and ".join([*integers[:abi["integers"]], *vectors[:abi["vectors"]]])


def _some(abi):
    return "a register" if abi["integers"] + abi["vectors"] == 1 else "registers"


def passed(abi, size_b):
    return {"reference": "by a hidden reference: who calls makes a copy, passes its address, and destroys it",
            "memory": f"in memory: each call copies {size_b} B onto the stack",
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


WANTED = ("value ns/op", "pointer ns/op", f"ratio {pair_text.RATIO}", "interval", "spread over layouts",
          "value allocs/op", "pointer allocs/op", "verdict")  # columns of the summary's table


def table(answer):
    rows = [records.read(Row, one["row"] | {"question": one["question"]}) for one in answer["answers"]]
    of_run = pair_text.rows(rows)
    question = Column("question", asked, "question", words=True)
    return replace(of_run, columns=(question, *(column for column in of_run.columns if column.title in WANTED)), kept=1)


def asked(row):
    """With the names of the sides, where these are not value and pointer: dispatch (direct, table)."""
    if not row.labels:
        return row.question
    return f"{row.question} ({row.name_of('value')}, {row.name_of('pointer')})"


def _failures(answer):
    """Which rows failed, and what that means, each meaning once."""
    found = {}
    for one in answer["answers"]:
        if one["row"]["failed"]:
            meaning = advice.meaning(one["row"]["failed"], answer["flags"])
            found.setdefault(meaning, []).append(one["question"].replace(",", ""))
    return [f"Failed: {', '.join(asked)}" + (f": {meaning}." if meaning else ".") for meaning, asked in found.items()]


def _advice(answer, on):
    given, settings, rule = answer["advice"], answer["settings"], answer["rule"]
    each = [[one[key] for key in ("question", "sentence", "why")] for one in given["each"]]
    words = ("A ratio is pointer/value: above 1 the value side is faster. Intervals hold for all of them together at "
             f"{quantity.level(rule['confidence'])} ({rule['correction']}), over "
             f"{counted(settings['launches'], 'launch', 'launches')}; the spread is that over "
             f"{counted(settings['layouts'], 'layout')}. What a verdict means: {COMMAND} help ask. Seed "
             f"{settings['seed']}, {quantity.time(1e9 * answer['seconds'], 2)}. In brackets: what the sides are called "
             "where they are not value and pointer.")
    said = _failures(answer) or [f"Advice: {given['whole']}."]
    because = [(one["question"], one["because"]) for one in given["each"] if one.get("because")]
    return [*(line for sentence in said for line in on.wrapped(sentence)),
            *of_texts(("", "", ""), each, range(3)).terminal(on, indent=2), "",
            *(["Because", *on.definitions(because), ""] if because else []), "The rule",
            *(line for rule in given["rule"] for line in on.wrapped(rule, "  ", "    ")), "", *on.wrapped(words)]
