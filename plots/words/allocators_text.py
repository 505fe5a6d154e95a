# SPDX-License-Identifier: MIT
"""The summary of a run over allocator configurations, as people and programs read it: table, JSON, CSV, Markdown.

A grid of all configurations and workloads fits no terminal, so the table goes workload by workload: those that differ
from the baseline in a line each, best first; those that do not, by name."""

import csv
import io
import json
import sys
import textwrap

from plots.judge.allocator_metrics import APART, BY_NAME, METRICS, TIMELINE
from plots.stats import multiplicity
from plots.words import terminal

WIDTH = terminal.WIDTH
FORMATS = terminal.FORMATS
BESIDE = ("p99_ns", "peak_rss_b", "retained_rss_b", "faults_per_op")  # beside the time, as ratios
SHORT = {"p99_ns": "p99", "peak_rss_b": "peak RSS", "retained_rss_b": "retained", "faults_per_op": "faults"}
MARKS = {"slower": "+", "more": "+", "faster": "-", "less": "-", "equal": "=", "undecided": "?"}
COLOURS = {"slower": "33", "more": "33", "faster": "34", "less": "34", "equal": "32", "undecided": "2",
           "no verdict": "2", "failed": "1;31"}
NAME = 28


def show(summary, form, out=None):
    out = out or sys.stdout
    text = {"table": lambda: table(summary, terminal.wants_colour(out)),
            "json": lambda: json.dumps(summary, indent=1) + "\n", "csv": lambda: comma_separated(summary),
            "markdown": lambda: markdown(summary)}[form]()
    out.write(text)
    out.flush()


def _wrapped(words, width=WIDTH, **kwargs):
    """Lines; a configuration's name is not broken at its hyphens."""
    return textwrap.wrap(words, width, break_on_hyphens=False, **kwargs)


def number(x, unit):
    """A measured number with its unit: 21.4 ns, 1.2 ms, 3.4 MiB, 0.012."""
    if x is None:
        return "-"
    if unit == "B":
        return terminal.size(x)
    if unit != "ns":
        return "0" if x == 0 else f"{x:.3g}"
    for step, factor in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if x >= 0.9995 * factor:
            return f"{_three(x / factor)} {step}"
    return f"{_three(x)} ns"


def _three(x):
    return f"{x:.0f}" if x >= 99.95 else f"{x:.1f}" if x >= 9.995 else f"{x:.2f}"


def ratio(x):
    """Three digits: no cell is known better."""
    return f"{x:.3f}" if 0.0995 <= x < 0.9995 else f"{x:.2f}" if 0.9 < x < 9.995 else terminal.ratio(x)


def interval(part):
    return "-" if part is None or part["low"] is None else f"{ratio(part['low'])}..{ratio(part['high'])}"


def verdict(one):
    return f"equal ({one['equal_within'] * 100:g} %)" if one["decision"] == "equal" else one["decision"]


def marked(one):
    """A ratio with the sign of its decision."""
    if one is None or (one["ratio"] is None and one["decision"] != "baseline"):
        return "-"
    if one["decision"] == "baseline":
        return "1   "
    return ratio(one["ratio"]["estimate"]) + " " + MARKS.get(one["decision"], " ")


def main_metric(work):
    """What a workload is ranked by."""
    return BY_NAME["retained_rss_b" if work["kind"] == "timeline" else "ns_per_op"]


def cells_of(summary, work):
    """The cells of a workload that have the number it is ranked by, best first, and the others."""
    metric = main_metric(work).name
    mine = [cell for cell in summary["cells"] if cell["workload"] == work["workload"]]
    with_number = [cell for cell in mine if metric in cell["metrics"]]
    with_number.sort(key=lambda cell: (cell["metrics"][metric]["ratio"] or {"estimate": 1.0})["estimate"])
    return with_number, [cell for cell in mine if metric not in cell["metrics"]]


# ---- The table of a terminal

def table(summary, colour=False):
    lines = []
    for work in summary["workloads"]:
        lines += _workload(summary, work, colour) + [""]
    lines += _columns_out(summary, colour)
    lines += closing(summary)
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _workload(summary, work, colour):
    metric = main_metric(work)
    threads = "1 thread" if work["threads"] == 1 else f"{work['threads']} threads"
    floor = work["floors"].get(metric.name)
    known = "" if floor is None else f"; floor {floor * 100:.1f} %"
    lines = _wrapped(f"{work['workload']}: {work['purpose']}", WIDTH, subsequent_indent="  ")
    lines += _wrapped(f"{work['operation']}; {threads}{known}", WIDTH, initial_indent="  ", subsequent_indent="  ")
    measured, out = cells_of(summary, work)
    folded = {"equal": [], "undecided": []}
    if measured:
        what = "ns/op" if metric.name == "ns_per_op" else "retained"
        beside = [name for name in BESIDE if name != metric.name]
        lines.append(f"    {'configuration':<{NAME}} {what:>9} {'ratio':>7}  {'interval':<14} {'verdict':<13}"
                     + "".join(f"{SHORT[name]:>10}" for name in beside))
    tied = {one["configuration"] for one in work["ranking"] if one["tied"]}
    for cell in measured:
        one = cell["metrics"][metric.name]
        if one["decision"] in folded and cell["configuration"] not in tied | {summary["again"]}:
            folded[one["decision"]].append(cell)
            continue
        lines.append(_line(cell, one, metric, cell["configuration"] in tied, colour))
    if folded["equal"]:
        lines += _folded("equal", [cell["configuration"] for cell in folded["equal"]])
    if folded["undecided"]:
        lines += _folded("undecided", [f"{cell['configuration']} "
                                       f"{ratio(cell['metrics'][metric.name]['ratio']['estimate'])}"
                                       for cell in folded["undecided"]])
    for cell in out:
        lines += _reason(cell, "    ", "failed", colour)
    return lines + _wrapped(f"=> {work['sentence']}", WIDTH, initial_indent="  ", subsequent_indent="     ")


def _line(cell, one, metric, tied, colour):
    value = one["value"]["estimate"]
    number_text = terminal.ns(value) if metric.unit == "ns" else number(value, "B")
    found = "1" if one["decision"] == "baseline" else ratio(one["ratio"]["estimate"]) if one["ratio"] else "-"
    text = (f"  {'*' if tied else ' '} {_fit(cell['configuration'], NAME):<{NAME}} {number_text:>9} {found:>7}  "
            f"{interval(one['ratio']):<14} ")
    beside = [name for name in BESIDE if name != metric.name]
    return text + paint(f"{verdict(one):<13}", one["decision"], colour) + "".join(
        f"{marked(cell['metrics'].get(name)):>10}" for name in beside)


def _fit(name, width):
    return name if len(name) <= width else name[: width - 3] + "..."


def _folded(word, names):
    return _wrapped(f"{word}: {', '.join(names)}", WIDTH, initial_indent="    ", subsequent_indent="      ")


def paint(text, decision, colour):
    code = COLOURS.get(decision)
    return f"\033[{code}m{text}\033[0m" if colour and code else text


def _columns_out(summary, colour):
    out = [column for column in summary["columns"] if column["state"] != "in force"]
    if not out:
        return ["Every configuration was in force.", ""]
    lines = ["Without numbers:"]
    for column in out:
        lines += _reason(column, "  ", "failed" if column["state"] != "absent" else "undecided", colour)
    return lines + [""]


def _reason(holder, indent, decision, colour):
    """Why a column or a cell has no numbers."""
    text = f"{indent}{holder['configuration']:<{NAME}} {holder['state']}: {holder['reason']}"
    return [paint(line, decision, colour) for line in
            _wrapped(text, subsequent_indent=" " * (len(indent) + NAME + 3))]


def counted(summary):
    """(decided, cells, of the A/A column called different, its cells) of the time per operation."""
    metric = next(one for one in summary["metrics"] if one["name"] == "ns_per_op")
    return metric["decided"], metric["cells"], metric["again_different"], metric["again_cells"]


def closing(summary):
    decided, cells, different, again = counted(summary)
    lines = []
    if not summary["quick"]:
        lines.append(f"Decided: {decided} of {cells} cells" + (f" ({decided / cells * 100:.0f} %)" if cells else "")
                     + " in time per operation")
        every = [sum(one[key] for one in summary["metrics"]) for key in ("again_different", "again_cells")]
        if again:
            lines += _wrapped(f"A/A: {summary['again']} is {summary['baseline']} again; {different} of its {again} "
                              f"cells in time per operation, {every[0]} of {every[1]} in all metrics, were decided "
                              "different")
    for sentence in disturbances(summary):
        lines += _wrapped(sentence)
    return lines + [""] + [line for name, meaning in legend(summary) for line in _wrapped(
        meaning, WIDTH, initial_indent=f"  {name:<10}", subsequent_indent=" " * 12)]


def disturbances(summary):
    """Sentences: what else moved the times."""
    return list(filter(None, (neighbours(summary), distances(summary))))


def neighbours(summary):
    """A sentence: how often another program was on the core."""
    timed = [cell for cell in summary["cells"] if cell["workload"] != TIMELINE]
    launches, disturbed = (sum(cell[key] for cell in timed) for key in ("launches", "disturbed"))
    if not disturbed:
        return f"Neighbours: the core was quiet for long enough in all of {launches} launches"
    return (f"Neighbours: in {disturbed} of {launches} launches the core was not quiet for long enough; their times "
            "are those of its quietest moments")


def distances(summary):
    """A sentence: how often the threads' CPUs were elsewhere than the baseline's; empty where there are no threads, or it
    never was so."""
    threaded = {work["workload"] for work in summary["workloads"] if work["threads"] > 1}
    cells = [cell for cell in summary["cells"] if cell["workload"] in threaded and
             cell["configuration"] != summary["baseline"]]
    launches, apart = (sum(cell[key] for cell in cells) for key in ("launches", "apart"))
    if not apart:
        return ""
    return (f"Distances: in {apart} of {launches} launches with several threads a cache line's way from CPU to CPU was "
            f"not that of {summary['baseline']}'s launch beside it, by a factor of {APART:g} or more; their times are in no "
            f"ratio to {summary['baseline']} while enough others remain")


def legend(summary):
    """(name, meaning)"""
    baseline = summary["baseline"]
    time = next(one for one in summary["metrics"] if one["name"] == "ns_per_op")
    entries = [("ratio", f"to {baseline}, launch by launch: below 1 is better, that is faster or less memory"),
               ("*", "the best, and all that the launches do not tell from the best"),
               ("p99 ...", f"ratios too: 99th percentile of single operations, memory, page faults per operation; "
                           f"+ worse than {baseline}, - better, = equal within "
                           f"{multiplicity.EQUAL_WITHIN[-1] * 100:g} %, ? undecided")]
    if summary["quick"]:
        return entries + [("verdict", "a quick run gives none: take it as a first look, and decide without --quick")]
    return entries + [
        ("interval", "where the ratio lies, by order statistics of the launches, at "
                     f"{time['confidence'] * 100:.4g} %: of the cells that are decided, "
                     f"{summary['rule']['rate'] * 100:g} % are wrong at most, on average"),
        ("floor", f"the larger of {summary['rule']['least'] * 100:g} % and what {summary['again'] or 'an A/A column'} "
                  "reads beside 1"),
        ("verdict", "slower, faster: the interval lies wholly beyond the floor; equal: it lies within the percentage; "
                    "undecided: measure more; no verdict: too few launches")]


# ---- For programs, and for other pages

CSV_COLUMNS = ("workload", "configuration", "state", "reason", "metric", "unit", "launches", "value", "value_low",
               "value_high", "ratio", "ratio_low", "ratio_high", "floor", "decision", "equal_within")


def comma_separated(summary):
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for work in summary["workloads"]:
        for cell in summary["cells"]:
            if cell["workload"] != work["workload"]:
                continue
            for metric in METRICS:
                one = cell["metrics"].get(metric.name)
                if one:
                    writer.writerow([work["workload"], cell["configuration"], cell["state"], None, metric.name,
                                     metric.unit, one["launches"], *_three_numbers(one["value"]),
                                     *_three_numbers(one["ratio"]), work["floors"].get(metric.name), one["decision"],
                                     one["equal_within"]])
            if not cell["metrics"]:
                writer.writerow([work["workload"], cell["configuration"], cell["state"], cell["reason"]] + [None] * 12)
        for column in summary["columns"]:
            if column["state"] != "in force":
                writer.writerow([work["workload"], column["configuration"], column["state"], column["reason"]]
                                + [None] * 12)
    return out.getvalue()


def _three_numbers(part):
    return [(part or {}).get(key) for key in ("estimate", "low", "high")]


def markdown(summary):
    parts = []
    for work in summary["workloads"]:
        metric = main_metric(work)
        beside = [one for one in METRICS if one.name != metric.name]
        measured, out = cells_of(summary, work)
        lines = [["configuration", metric.title, "ratio", "interval", "verdict", *(one.title for one in beside)],
                 ["---", "---:", "---:", "---", "---", *("---:" for _ in beside)]]
        for cell in measured:
            one = cell["metrics"][metric.name]
            lines.append([cell["configuration"], number(one["value"]["estimate"], metric.unit),
                          ratio(one["ratio"]["estimate"]) if one["ratio"] else "1", interval(one["ratio"]),
                          verdict(one), *(marked(cell["metrics"].get(other.name)).strip() for other in beside)])
        lines += [[cell["configuration"], *[""] * 3, f"{cell['state']}: {cell['reason']}", *([""] * len(beside))]
                  for cell in out]
        answer = work["sentence"][:1].upper() + work["sentence"][1:]
        body = "\n".join("| " + " | ".join(text.replace("|", "\\|") for text in line) + " |" for line in lines)
        parts.append(f"## {work['workload']}\n\n{work['purpose']} {answer}.\n\n{body}")
    out = _columns_out(summary, False)
    return "\n\n".join(parts) + "\n\n```\n" + "\n".join(out + closing(summary)) + "\n```\n"
