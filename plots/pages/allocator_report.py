# SPDX-License-Identifier: MIT
"""The page about a run over allocator configurations: one file that needs no other and no network.

Judgements are allocator_summary.py's, words allocators_text.py's, figures those of allocator_charts.py; the frame, the
sheet and the script are report.py's."""

import math
import shlex

from markupsafe import Markup

from plots.doctor import doctor
from plots.figures import allocator_charts, charts, inline_figures
from plots.figures import allocator_style
from plots.files.allocator_run import load
from plots.judge import allocator_metrics, allocator_summary
from plots.judge.allocator_metrics import METRICS
from plots.pages import report
from plots.stats import crossover
from plots.stats import multiplicity
from plots.words import allocators_text as text
from plots.words import terminal

RANKED = 5  # in a card
TITLES = {"heat_time": "Time of every configuration in every workload",
          "heat_time_pairs": "Time of every pair that allocates", "heat_p99": "99th percentiles",
          "heat_peak": "Peak memory", "heat_retained": "Retained memory", "heat_faults": "Page faults",
          "pareto": "Time against peak memory", "rss_over_time": "Memory over time",
          "size_classes": "Requests by size class", "answers": "Does the allocator change the answer?"}
COLUMNS = ("workload", "configuration", "verdict", "ns/op", "ratio", "interval", "p99", "peak RSS", "retained RSS",
           "faults/op")
PROVENANCE = ("configuration", "state", "asked", "read back", "effects", "library", "source")
LIBRARY = ("file", "version", "sha256", "configurations")


def page_of(folder):
    run = load(folder)
    summary = allocator_summary.summarize(run)
    return page(run, summary, charts.encode(allocator_charts.draw(run, summary), ("svg",)))


def page(run, summary, pictures):
    """The page, as text; `pictures` are the figures as charts.encode() gives them."""
    manifest, script = run.manifest, report.read_template("report.js")
    machine = report.complete(manifest["machine"])
    out = [column for column in summary["columns"] if column["state"] != "in force"]
    table = [_row(cell, summary) for cell in summary["cells"]] + [
        _reason_row(["all", column["configuration"]], column, len(COLUMNS)) for column in out]
    return report.environment().get_template("allocators.html.j2").render(
        summary=summary, manifest=manifest, title=f"ampersand: allocators, {machine['host'] or 'a run'}, "
        f"{manifest['created'][:10]}", place=allocator_style.small_print(run), tally=_tally(summary),
        again=_again(summary), ranked=_ranked(summary), unfinished=report.unfinished(run),
        unsound=bool(_wrong(summary)), wrong=_wrong(summary),
        works=[_work(work, summary) for work in summary["workloads"]],
        provenance=[_provenance(column) for column in summary["columns"]],
        provenance_columns=[{"name": name, "words": True} for name in PROVENANCE], libraries=_libraries(summary),
        library_columns=[{"name": name, "words": name != "configurations"} for name in LIBRARY],
        figures=[(TITLES[name], Markup(inline_figures.clean(pictures[f"{name}.svg"], name))) for name in TITLES
                 if f"{name}.svg" in pictures],
        warnings=doctor.warnings(machine), facts=doctor.facts(machine, report.built(manifest)),
        legend=text.legend(summary), table=table, columns=[{"name": name, "words": name in (
            "workload", "configuration", "verdict")} for name in COLUMNS],
        verdicts=sorted({row["verdict"] for row in table}), rule_text=report.blocks(multiplicity.__doc__),
        metrics_text=report.blocks(allocator_metrics.__doc__), crossover_text=report.blocks(crossover.__doc__),
        repeat=report.repeat(manifest, "allocators"), command=shlex.join(manifest["command"]),
        settings=_settings(manifest), css=Markup(report.read_template("report.css")), script=Markup(script),
        script_hash=report.policy_hash(script))


# ---- Answers

def _tally(summary):
    in_force = sum(column["state"] == "in force" for column in summary["columns"])
    decided, cells, _, _ = text.counted(summary)
    said = f"{in_force} of {len(summary['columns'])} configurations in force, {len(summary['workloads'])} workloads, " \
           f"against {summary['baseline']}"
    return said + "." if summary["quick"] or not cells else (
        f"{said}; {decided} of {cells} cells ({decided / cells * 100:.0f} %) decided in time per operation.")


def _again(summary):
    _, _, different, cells = text.counted(summary)
    if not summary["again"] or summary["quick"] or not cells:
        return ""
    return (f"The check of it all: {summary['again']} is {summary['baseline']} under a second name, and {different} of "
            f"its {cells} cells were decided different. {'. '.join(text.disturbances(summary))}.")


def _ranked(summary):
    """What the numbers of the rankings are."""
    if summary["quick"]:
        return f"Each with its median time (of timeline: memory) and its ratio to {summary['baseline']}."
    return (f"Each with its median time (of timeline: memory), its ratio to {summary['baseline']}, and in brackets the "
            "ratio's interval. Tied: not shown to be worse than the first.")


def _wrong(summary):
    found = [{"name": column["configuration"], "why": f"{column['state']}: {column['reason']}"}
             for column in summary["columns"] if column["state"] != "in force"]
    return found + [{"name": f"{cell['configuration']} in {cell['workload']}",
                     "why": f"{cell['state']}: {cell['reason']}"}
                    for cell in summary["cells"] if cell["state"] != "measured"]


def _work(work, summary):
    metric = text.main_metric(work)
    by_name = {cell["configuration"]: cell for cell in summary["cells"] if cell["workload"] == work["workload"]}
    paste = {column["configuration"]: column["paste"] for column in summary["columns"]}
    ranking = []
    for place, one in enumerate(work["ranking"][:RANKED], start=1):
        found = by_name[one["configuration"]]["metrics"][metric.name]
        number = text.number(found["value"]["estimate"], metric.unit)
        ratio = f", {text.ratio(found['ratio']['estimate'])}" if found["ratio"] else ""
        between = f" ({text.interval(found['ratio'])})" if found["ratio"] and found["ratio"]["low"] is not None else ""
        ranking.append({"place": place, "name": one["configuration"], "number": f"{number}{ratio}{between}",
                        "tied": one["tied"] and place > 1})
    shown = [one for one in METRICS if any(one.name in cell["metrics"] for cell in by_name.values())]
    measured, out = text.cells_of(summary, work)
    columns = ["configuration", "verdict", *(part for one in shown for part in (one.title, "ratio"))]
    rows = [_full_row(cell, shown, metric) for cell in measured]
    rows += [_reason_row([cell["configuration"]], cell, len(columns)) for cell in out]
    rows += [_reason_row([column["configuration"]], column, len(columns)) for column in summary["columns"]
             if column["state"] != "in force"]
    pick = work["pick"]
    return {"name": work["workload"], "purpose": work["purpose"], "operation": work["operation"], "ranking": ranking,
            "sentence": f"{work['sentence'][:1].upper()}{work['sentence'][1:]}.", "pick": pick,
            "paste": paste.get(pick), "plainest": bool(pick) and pick != work["ranking"][0]["configuration"],
            "floors": _floors(work), "table": rows,
            "columns": [{"name": name, "words": name in ("configuration", "verdict")} for name in columns]}


def _floors(work):
    if not work["floors"]:
        return ""
    return "Floors: " + "; ".join(f"{allocator_metrics.BY_NAME[name].title}: {floor * 100:.1f} %"
                                  for name, floor in work["floors"].items()) + "."


# ---- Rows of tables

def _cell(words, key=None, classes=""):
    return {"text": words, "key": key, "classes": classes}


def _side(decision):
    return {"faster": " value", "less": " value", "slower": " pointer", "more": " pointer"}.get(decision, "")


def _ratio_cell(one):
    if one is None:
        return _cell("-")
    if one["ratio"] is None:
        return _cell("1" if one["decision"] == "baseline" else "-", 1.0 if one["decision"] == "baseline" else None)
    between = f" ({text.interval(one['ratio'])})" if one["ratio"]["low"] is not None else ""
    return _cell(text.marked(one).strip() + between, one["ratio"]["estimate"], _side(one["decision"]).strip())


def _value_cell(one, metric):
    if one is None:
        return _cell("-")
    return _cell(text.number(one["value"]["estimate"], metric.unit), one["value"]["estimate"])


def _full_row(cell, shown, main):
    found = cell["metrics"][main.name]
    cells = [_cell(cell["configuration"], None, "words"),
             _cell(text.verdict(found), None, "words" + _side(found["decision"]))]
    for metric in shown:
        one = cell["metrics"].get(metric.name)
        cells += [_value_cell(one, metric), _ratio_cell(one)]
    return {"cells": cells, "verdict": found["decision"], "kind": ""}


def _row(cell, summary):
    work = next(work for work in summary["workloads"] if work["workload"] == cell["workload"])
    metric = text.main_metric(work)
    names = [cell["workload"], cell["configuration"]]
    if metric.name not in cell["metrics"]:
        return _reason_row(names, cell, len(COLUMNS))
    one = cell["metrics"][metric.name]
    ratio = one["ratio"] and one["ratio"]["estimate"]
    time = cell["metrics"].get("ns_per_op")
    cells = [_cell(name, None, "words") for name in names]
    cells.append(_cell(text.verdict(one), None, "words" + _side(one["decision"])))
    cells += [_cell(terminal.ns(time["value"]["estimate"]), time["value"]["estimate"]) if time else _cell("-"),
              _cell(text.ratio(ratio), ratio) if ratio else _cell("1" if one["decision"] == "baseline" else "-"),
              _cell(text.interval(one["ratio"]), one["ratio"] and one["ratio"]["low"])]
    cells += [_value_cell(cell["metrics"].get(name), allocator_metrics.BY_NAME[name])
              for name in ("p99_ns", "peak_rss_b", "retained_rss_b", "faults_per_op")]
    return {"cells": cells, "verdict": one["decision"], "kind": ""}


def _reason_row(names, holder, width):
    why = _cell(f"{holder['state']}: {holder['reason']}", None, "words long" + " wrong" * (holder["state"] != "absent"))
    cells = [*(_cell(name, None, "words") for name in names), why]
    return {"cells": cells + [_cell("-")] * (width - len(cells)), "verdict": holder["state"], "kind": ""}


def _knobs(variable, words):
    """The names under which an allocator tells what a variable sets."""
    if variable == "MALLOC_CONF":
        names = [part.partition(":")[0].strip() for part in words.split(",")]
        return [f"opt.{'tcache_max' if name == 'lg_tcache_max' else name}" for name in names]
    if variable == "GLIBC_TUNABLES":
        return [part.partition("=")[0].strip() for part in words.split(":")]
    return [variable]


def _provenance(column):
    found = column["provenance"] or {}
    library = found.get("library") or {}
    asked = found.get("asked") or {}
    knobs = {knob for variable, words in asked.items() for knob in _knobs(variable, str(words))}
    read_back = {name: value for name, value in (found.get("read_back") or {}).items() if name in knobs}
    state = column["state"] + (f": {column['reason']}" if column["reason"] else "")
    words = [column["configuration"], state, _pairs(asked), _pairs(read_back), _pairs(found.get("effects")),
             str(library.get("file") or "-").rpartition("/")[2], str(found.get("source") or "-")]
    wrong = column["state"] in ("not in force", "failed", "wrong")
    return {"cells": [_cell(one, None, "words" + " long" * (len(one) > 40) + " wrong" * (wrong and i == 1))
                      for i, one in enumerate(words)], "verdict": column["state"], "kind": ""}


def _libraries(summary):
    """Each library once, with the configurations that it served."""
    found = {}
    for column in summary["columns"]:
        library = (column["provenance"] or {}).get("library")
        if library:
            key = tuple(str(library[part] or "unknown") for part in ("file", "version", "sha256"))
            found.setdefault(key, []).append(column["configuration"])
    return [{"cells": [_cell(part, None, "words") for part in key] + [_cell(str(len(names)), len(names))],
             "verdict": "", "kind": ""} for key, names in found.items()]


def _pairs(parts):
    def shown(value):
        return {True: "true", False: "false", None: "null"}[value] if value is None or isinstance(value, bool) else (
            f"{value:g}" if isinstance(value, float) and math.isfinite(value) else str(value))
    return ", ".join(f"{name}={shown(value)}" for name, value in (parts or {}).items()) or "-"


def _settings(manifest):
    return [("seed", manifest["seed"]),
            *((name.replace("_", " "), value) for name, value in manifest["settings"].items()),
            ("baseline", manifest["baseline"]), ("again", manifest["again"] or "no A/A column"),
            ("configurations", ", ".join(entry["name"] for entry in manifest["configurations"])),
            ("workloads", ", ".join(entry["name"] for entry in manifest["workloads"]))]
