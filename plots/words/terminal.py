# SPDX-License-Identifier: MIT
"""The summary as people and programs read it: table, JSON, CSV, Markdown."""

import csv
import io
import json
import math
import os
import sys
import textwrap

FORMATS = ("table", "json", "csv", "markdown")
WIDTH = 120
BAR = 3  # characters a side
MARK = " *"  # at a verdict: the row has carry-over

_COLOURS = {"value faster": "34", "leans value": "34", "pointer faster": "33", "leans pointer": "33", "equal": "32",
            "failed": "1;31", "differs": "1;31", "undecided": "2", "no verdict": "2"}


def show(summary, form, out=None):
    out = out or sys.stdout
    text = {"table": lambda: table(summary, wants_colour(out)), "json": lambda: json.dumps(summary, indent=1) + "\n",
            "csv": lambda: comma_separated(summary), "markdown": lambda: markdown(summary)}[form]()
    out.write(text)
    out.flush()


def wants_colour(out):
    """Only on a terminal, and never where the user says no (no-color.org: any value that is not empty)."""
    return out.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def ratio(x):
    """Three decimals around 1, where they tell 0.2 % apart; three digits far above, and 1/228 far below."""
    if x is None:
        return "-"
    if 0.0995 <= x < 9.9995:
        return f"{x:.3f}"
    return _three_digits(x) if x > 1 else f"1/{_three_digits(1 / x)}"


def _three_digits(x):
    return f"{x:.{max(0, 2 - math.floor(math.log10(x * 1.0005)))}f}" if x < 1000 else f"{float(f'{x:.3g}'):.0f}"


def ns(x):
    """Four digits, as Go's -benchmem prints them."""
    if x is None:
        return "-"
    return f"{x:.0f}" if x >= 1000 else f"{x:.{max(0, 3 - math.floor(math.log10(x)))}f}" if x >= 0.001 else f"{x:.2g}"


def size(x, unit="B"):
    """17 B, 4 KiB, 1.5 MiB; other units than bytes plainly. Of no known unit ("") 17, 4 Ki, 1.5 Mi."""
    if unit == "":
        return size(x).removesuffix("B").rstrip()
    if unit != "B":
        return f"{x:.3g} {one_of(unit) if x == 1 else unit}".strip() if x < 1000 else f"{x:.0f} {unit}".strip()
    for step in ("B", "KiB", "MiB", "GiB"):
        if x < 1023.5 or step == "GiB":
            return f"{x:.3g} {step}" if x < 999.5 else f"{x:.0f} {step}"
        x /= 1024


def one_of(unit):
    """elements: element; entries: entry."""
    return unit[:-3] + "y" if unit.endswith("ies") else unit.removesuffix("s")


def count(x):
    if x is None:
        return "-"
    return str(x) if isinstance(x, int) else f"{x:.4g}"


def interval(part, low="low", high="high"):
    return "-" if part is None or part[low] is None else f"{ratio(part[low])}..{ratio(part[high])}"


def verdict(row):
    if row["failed"]:
        return f"failed: {row['failed']['detail'] or row['failed']['reason']}"
    text = row["verdict"] + (MARK if carried_over(row) else "")
    if row["equal_within"]:
        text += f" ({row['equal_within'] * 100:g} %)"
    if row.get("observable", True) is False:
        text = "not observable here"
    elif row.get("observable", True) is None and row["verdict"] != "undecided":
        text += " (not calibrated)"
    return f"counts differ; {text}" if row["counts"]["status"] == "differs" else text


def carried_over(row):
    return bool(row["solo"] and row["solo"]["carry_over"])


def bar(row):
    """Towards the faster side, value on the left: a character for up to 1.6 times, two up to 2.5, three beyond."""
    if row["ratio"] is None or row["verdict"] not in ("value faster", "pointer faster", "leans value",
                                                      "leans pointer"):
        return " " * BAR + "|" + " " * BAR
    steps = math.log2(row["ratio"]["estimate"]) / 2 * BAR
    length = min(BAR, max(1, math.ceil(abs(steps))))
    mark = ("=" if row["verdict"].endswith("faster") else "-") * length
    return f"{mark:>{BAR}}|{'':{BAR}}" if steps > 0 else f"{'':{BAR}}|{mark:<{BAR}}"


def _per_op(row, key):
    counts = row["counts"]
    if counts["status"] in ("refused", "missing"):
        return ["-", "-"]
    return ["differs" if counts[side][key] is None else count(counts[side][key]) for side in ("value", "pointer")]


def has_stack(summary):
    """Whether the run counted what stack an operation takes; older runs did not."""
    return any("stack_touched_b_per_op" in (row["counts"][side] or {}) for row in summary["rows"]
               for side in ("value", "pointer"))


def stack(row, both=False):
    """What each side reserved, "~" what it touched where only that is known; or reserved / touched."""
    texts = []
    for side in ("value", "pointer"):
        counts = row["counts"][side] or {}
        reserved, touched = (counts.get(f"stack_{what}_b_per_op") for what in ("reserved", "touched"))
        if touched is None:
            texts.append("-")
        elif both:
            texts.append(f"{'?' if reserved is None else count(reserved)} / {count(touched)}")
        else:
            texts.append(f"~{count(touched)}" if reserved is None else count(reserved))
    return texts


def cells(row):
    times = [row[f"{side}_ns_per_op"] for side in ("value", "pointer")]
    return [row["pair"], str(row["size"]), *(ns(t and t["estimate"]) for t in times),
            ratio(row["ratio"] and row["ratio"]["estimate"]), interval(row["ratio"]),
            interval(row["spread"], "p10", "p90"), *_per_op(row, "asked_b_per_op"), *_per_op(row, "allocs_per_op")]


# Name, left-aligned, gap before it. A group has one header over its columns.
COLUMNS = (("pair", True, 0), ("size", False, 1), ("value", False, 2), ("ptr", False, 1), ("ratio", False, 2),
           ("interval", True, 1), ("spread", True, 2), ("val", False, 2), ("ptr", False, 1), ("val", False, 2),
           ("ptr", False, 1))
STACK_NAMES = ("value stack B, reserved / touched", "pointer stack B, reserved / touched")
STACK_COLUMNS = (("val", False, 2), ("ptr", False, 1))
GROUPS = {2: ("ns/op", 2), 4: ("pointer/value", 3), 7: ("B/op", 2), 9: ("allocs/op", 2), 11: ("stack B", 2)}


def table(summary, colour=False):
    stacks = has_stack(summary)
    columns = COLUMNS + STACK_COLUMNS * stacks
    rows = [cells(row) + stack(row) * stacks for row in summary["rows"]]
    widths = [max(len(line[i]) for line in rows + [[name for name, _, _ in columns]]) for i in range(len(columns))]
    for first, (title, n) in groups(widths):  # a group is at least as wide as its header
        widths[first] += max(0, len(title) + 2 - _span(widths, first, n))
    verdicts = [verdict(row) for row in summary["rows"]]
    used = _span(widths, 0, len(widths)) + 2
    bars = used + max(map(len, verdicts), default=0) + 2 * BAR + 3 <= WIDTH
    room = max(18, WIDTH - used - (2 * BAR + 3 if bars else 0))
    lines = [_group_header(widths), _line([name for name, _, _ in columns], widths)
             + ("  val|ptr" if bars else "") + "  verdict"]
    for row, line, text in zip(summary["rows"], rows, verdicts):
        start = _line(line, widths) + ("  " + bar(row) if bars else "") + "  "
        if row["ratio"] is None:  # there is nothing to align: the reason takes the place of the numbers
            text, start = row["sentence"], _line(line[:2], widths) + "  "
        lines.append(start + paint(_cut(text, max(room, WIDTH - len(start))), row, colour))
    return "\n".join(line.rstrip() for line in lines) + "\n\n" + closing(summary, colour)


def _cut(text, room):
    return text if len(text) <= room else text[: room - 3] + "..."


def groups(widths):
    return [(first, group) for first, group in GROUPS.items() if first < len(widths)]


def _span(widths, first, n):
    return sum(widths[first:first + n]) + sum(gap for _, _, gap in (COLUMNS + STACK_COLUMNS)[first + 1:first + n])


def _line(fields, widths):
    return "".join(" " * gap + (f"{text:<{width}}" if left else f"{text:>{width}}")
                   for text, width, (_, left, gap) in zip(fields, widths, COLUMNS + STACK_COLUMNS))


def _group_header(widths):
    text = ""
    for first, (title, n) in groups(widths):
        start = _span(widths, 0, first) + (COLUMNS + STACK_COLUMNS)[first][2]
        text = f"{text:<{start}}" + f" {title} ".center(_span(widths, first, n), "-")
    return text


def paint(text, row, colour):
    wrong = row["counts"]["status"] == "differs"
    code = _COLOURS.get("differs" if wrong else row["verdict"])
    return f"\033[{code}m{text}\033[0m" if colour and code else text


def closing(summary, colour=False):
    """What stands under the table: what failed, crossovers, floors, how to read it."""
    lines = []
    for row in summary["rows"]:
        if row["failed"]:
            lines.append((row, f"{row['row']}: {row['sentence']}"))
        elif row["counts"]["status"] == "differs":
            lines.append((row, f"{row['row']}: counts differ between launches: {row['counts']['detail']}"))
    out = [paint(text, row, colour) for row, text in lines]
    out += carry_overs(summary) + stops(summary)
    refused = [row for row in summary["rows"] if row["counts"]["status"] == "refused"]
    if refused:
        out.append(f"No counts in {len(refused)} rows: {refused[0]['counts']['detail']}.")
    if summary["crossovers"]:
        how = "" if summary["quick"] else ", with its 95 % bootstrap interval over launches"
        out.append(f"Crossover by size{how}")
        wide = max(len(one["pair"]) for one in summary["crossovers"])
        out += [f"  {one['pair']:<{wide}}  {one['sentence']}" for one in summary["crossovers"]]
    out += floors(summary) + neighbours(summary) + [f"Compiled by {summary['compiled']}"] * ("compiled" in summary)
    out += [""] + legend(summary)
    return "\n".join(out).lstrip("\n") + "\n"


def carry_overs(summary):
    found = [row for row in summary["rows"] if carried_over(row)]
    if not found:
        return []
    out = ["* Carry-over: a side is another one beside the other than alone, because of what each leaves in caches and",
           "  predictors. The table shows them by turns (paired); each alone (solo), at the same layouts:"]
    wide = max(len(row["row"]) for row in found)
    for row in found:
        solo = row["solo"]
        out.append(f"  {row['row']:<{wide}}  paired {ratio(solo['paired_ratio'])}, solo "
                   f"{ratio(solo['ratio']['estimate'])}: {ratio(solo['difference']['estimate'])} times as much "
                   f"({interval(solo['difference'])})")
    return out


_STOPS = (("decided", "decided"), ("precise", "undecided, but known within the precision"),
          ("looks", "undecided after the last look"), ("budget", "undecided when the budget was spent"),
          ("open", "undecided, and wanting more launches"))


def stops(summary):
    """Which rule ended the launches of how many rows; nothing where their number was fixed."""
    out = []
    for why, words in _STOPS:
        rows = [row for row in summary["rows"] if row["stopped"]["why"] == why]
        looks = sorted({(row["stopped"]["look"], row["launches"] + row["left_out"]) for row in rows})
        if rows:
            parts = []
            for look, launches in looks:
                n = sum((row["stopped"]["look"], row["launches"] + row["left_out"]) == (look, launches) for row in rows)
                parts.append(f"{n} at look {look} ({launches} launches)")
            out.append(f"Stopped, {words}: {', '.join(parts)}")
    return out


def floors(summary):
    words = {"clockwork": "one function against itself", "placement": "two identical functions"}
    out = []
    for name, floor in summary["floors"].items():
        if floor and floor["ratio"]:
            out.append(f"Noise floor, {name} ({words[name]}): ratio {ratio(floor['ratio']['estimate'])}, interval "
                       f"{interval(floor['ratio'])}, spread {interval(floor['spread'], 'p10', 'p90')}")
    return out


def neighbours(summary):
    """A sentence, or none where nothing was measured."""
    found = summary["neighbours"]
    if not found["blocks"]:
        return []
    out = f"; {found['left_out']} of {found['launches']} launches are left out" if found["left_out"] else ""
    share = found["disturbed"] / found["blocks"] * 100
    return [f"Neighbours: something else was on the core during {share:.1f} % of the blocks, after all attempts{out}"]


def legend(summary):
    rule = summary["rule"]
    least = f"{rule['threshold'] * 100:g} %"
    lines = [
        "How to read it",
        "  ratio     pointer/value: above 1 the value side is faster, below 1 the pointer side; 1/29: pointer takes a "
        "29th",
        f"  interval  where the ratio lies, by launches; {rule['confidence'] * 100:g} % for the whole table "
        f"({rule['correction']})",
        "  spread    the ratio from p10 to p90 of the layouts, that is of where the linker may put the same code",
        "  B/op      bytes as asked for, and allocations: exact counts",
    ]
    if has_stack(summary):
        lines.append("  stack B   how far down an operation moves the stack pointer, all that it calls included; ~: "
                     "the lowest byte")
        lines.append("            that it writes, where the pointer was not followed")
    if not summary["quick"] and all(row["verdict"] in ("no verdict", "failed") for row in summary["rows"]):
        return lines + ["  verdict   one layout gives none: the linker's luck is in it"]
    if summary["quick"]:
        return lines + ["  verdict   a quick run gives none: take it as a first look, and decide without --quick"]
    lines += [
        f"  verdict   faster: interval beyond {least}, and one layout in ten at most says the opposite; leans: more do;",
        "            equal: interval and spread within the percentage; placement decides: the layout matters more than "
        "the",
        "            side; undecided: measure more",
    ]
    lines += [f"  {'stopping' if i == 0 else '':<8}  {line}" for i, line in
              enumerate(textwrap.wrap(rule["stopping"], WIDTH - 12))]
    if any(carried_over(row) for row in summary["rows"]):
        lines.append(f"  *         carry-over: alone, the sides differ by {rule['carry_over_threshold'] * 100:g} % more "
                     "or less than beside each other, for certain")
    if any(0 < row["launches"] < rule["launches_needed"] for row in summary["rows"]):
        lines.append(f"  launches  an interval over this table needs {rule['launches_needed']} of a row; with fewer there "
                     "is none, and it is undecided")
    return lines


CSV_COLUMNS = ("row", "pair", "size", "launches", "layouts", "value_ns_per_op", "value_ns_per_op_low",
               "value_ns_per_op_high", "pointer_ns_per_op", "pointer_ns_per_op_low", "pointer_ns_per_op_high", "ratio",
               "ratio_low", "ratio_high", "spread_p10", "spread_p90", "value_b_per_op", "pointer_b_per_op",
               "value_allocs_per_op", "pointer_allocs_per_op", "counts", "verdict", "equal_within", "sentence",
               "look", "stopped", "solo_ratio", "solo_ratio_low", "solo_ratio_high", "solo_paired_ratio", "carry_over",
               "value_stack_reserved_b_per_op", "pointer_stack_reserved_b_per_op", "value_stack_touched_b_per_op",
               "pointer_stack_touched_b_per_op")


def comma_separated(summary):
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for row in summary["rows"]:
        numbers = []
        for key in ("value_ns_per_op", "pointer_ns_per_op", "ratio"):
            numbers += [(row[key] or {}).get(part) for part in ("estimate", "low", "high")]
        numbers += [(row["spread"] or {}).get(part) for part in ("p10", "p90")]
        for key in ("asked_b_per_op", "allocs_per_op"):
            numbers += [(row["counts"][side] or {}).get(key) for side in ("value", "pointer")]
        writer.writerow([row["row"], row["pair"], row["size"], row["launches"], row["layouts"], *numbers,
                         row["counts"]["status"], row["verdict"], row["equal_within"], row["sentence"],
                         row["stopped"]["look"], row["stopped"]["why"], *_solo_fields(row["solo"]),
                         *((row["counts"][side] or {}).get(f"stack_{what}_b_per_op") for what in ("reserved", "touched")
                           for side in ("value", "pointer"))])
    return out.getvalue()


def _solo_fields(solo):
    if solo is None:
        return [None] * 5
    return [*(solo["ratio"][part] for part in ("estimate", "low", "high")), solo["paired_ratio"], solo["carry_over"]]


def markdown(summary):
    stacks = has_stack(summary)
    names = ["pair", "size", "value ns/op", "pointer ns/op", "ratio", "interval", "spread", "value B/op",
             "pointer B/op", "value allocs/op", "pointer allocs/op", *STACK_NAMES * stacks, "verdict"]
    columns = COLUMNS + STACK_COLUMNS * stacks
    lines = [names, ["---" if i == len(columns) or columns[i][1] else "---:" for i in range(len(names))]]
    lines += [cells(row) + stack(row, both=True) * stacks + [verdict(row)] for row in summary["rows"]]
    body = "\n".join("| " + " | ".join(field.replace("|", "\\|") for field in line) + " |" for line in lines)
    return f"{body}\n\n```\n{closing(summary)}```\n"
