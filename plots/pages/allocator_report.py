# SPDX-License-Identifier: MIT
"""The page about a run over allocator configurations: one file that needs no other and no network.

Judgements are allocator_summary.py's, words allocator_text.py's, figures those of allocator_charts.py; the frame, the
sheet and the script are shell.py's."""

from collections import Counter

from plots.figures import allocator_charts, allocator_style, heat_figure, inline_figures, pictures
from plots.files.allocator_run import load
from plots.judge import allocator_metrics
from plots.judge.allocator_metrics import main_metric, time_of
from plots.pages import allocators_first, page_table, shell
from plots.stats.top_group import CONFIDENCE
from plots.words import allocator_text as text, quantity
from plots.words.allocator_sentences import summarize
from plots.words.sentences import capital
from plots.words.table import Column, Table, of_texts

RANKED = 5  # in a card
TITLES = {**{name: capital(allocator_metrics.BY_NAME[metric].title) for metric, name in heat_figure.SHOWN.items()},
          "heat_time_pairs": "Time of every pair that allocates",
          "pareto": "Time against peak memory", "rss_over_time": "Memory over time",
          "size_classes": "Requests by size class", "answers": "Does the allocator change the answer?"}


def page_of(folder):
    run = load(folder)
    summary = summarize(run)
    return page(run, summary, pictures.made(allocator_charts.plans(run, summary), ("svg",)))


def page(run, summary, images):
    """The page, as text; `images` are the figures as pictures.made() gives them."""
    table = page_table.of(_every_cell(summary), _state, classes=_classes)
    figures, sheet = inline_figures.shared({name: inline_figures.clean(images[f"{name}.svg"], name) for name in TITLES
                                            if f"{name}.svg" in images})
    return shell.render(
        "allocators.html.j2", run, run.manifest, "allocators", "allocators, ", summary=summary,
        place=allocator_style.small_print(run), tally=_tally(summary), again=_again(summary), ranked=_ranked(summary),
        short=allocators_first.answers(summary), asked=allocators_first.table(summary),
        cells=allocators_first.legend(summary),
        unsound=bool(_wrong(summary)), wrong=_wrong(summary),
        works=[_work(work, summary) for work in summary["workloads"]],
        provenance=page_table.of(_provenance(summary), _state, classes=_classes),
        libraries=page_table.of(_libraries(summary)),
        figures=[(TITLES[name], figure) for name, figure in figures.items()], sheet=sheet,
        legend=text.legend(summary), table=table, verdicts=sorted({row["verdict"] for row in table["rows"]}),
        rule_text=shell.rule("allocator_rule"), metrics_text=shell.rule("allocator_metrics"),
        settings=_settings(run.manifest))


# ---- Answers

def _tally(summary):
    in_force = sum(column["state"] == "in force" for column in summary["columns"])
    said = f"{in_force} of {quantity.counted(len(summary['columns']), 'configuration')} in force, " \
           f"{quantity.counted(len(summary['workloads']), 'workload')}, against {summary['baseline']}"
    return f"{said}." if summary["quick"] or not text.counted(summary)[1] else f"{said}. {text.decided(summary)}."


def _again(summary):
    if not summary["again"] or summary["quick"] or not text.again(summary):
        return ""
    return f"{'. '.join([text.again(summary), *text.disturbances(summary)])}."


def _ranked(summary):
    """What the numbers of the rankings are."""
    if summary["quick"]:
        return f"Each with its median time (of timeline: memory) and its ratio to {summary['baseline']}."
    return (f"Each with its ratio to {summary['baseline']}, in brackets the ratio's interval, and as its time (of "
            f"timeline: memory) {summary['baseline']}'s median times the ratio. The top group holds the best with "
            f"{quantity.level(CONFIDENCE)}: no other is shown to be better than one of it.")


def _wrong(summary):
    found = [(column["configuration"], column) for column in summary["columns"] if column["state"] != "in force"]
    found += [(f"{cell['configuration']} in {cell['workload']}", cell) for cell in summary["cells"]
              if cell["state"] != "measured"]
    return [{"name": name, "why": text.why(holder)} for name, holder in found]


def _work(work, summary):
    metric = main_metric(work)
    by_name = {cell["configuration"]: cell for cell in summary["cells"] if cell["workload"] == work["workload"]}
    paste = {column["configuration"]: column["paste"] for column in summary["columns"]}
    ranking = []
    for place, one in enumerate(work["ranking"][:RANKED], start=1):
        found = by_name[one["configuration"]]["metrics"][metric.name]
        number = quantity.of_unit(found["value"]["estimate"], metric.unit)
        between = f", {text.with_interval(found)}" if found["ratio"] else ""
        ranking.append({"place": place, "name": one["configuration"], "number": number + between,
                        "tied": one["tied"]})
    pick = work["pick"]
    return {"name": work["workload"], "purpose": work["purpose"], "operation": work["operation"], "ranking": ranking,
            "sentence": f"{capital(work['sentence'])}.", "pick": pick,
            "paste": paste.get(pick), "plainest": bool(pick) and pick != work["ranking"][0]["configuration"],
            "floors": _floors(work), "table": page_table.of(_every_metric(summary, work), _state, classes=_classes)}


def _floors(work):
    if not work["floors"]:
        return ""
    return "Floors: " + "; ".join(f"{allocator_metrics.BY_NAME[name].title}: {quantity.percent(floor)}"
                                  for name, floor in work["floors"].items()) + "."


# ---- Rows of tables

def _classes(row, column):
    """Of a cell: whose colour its verdict has, or that it says what went wrong."""
    if column.title not in ("verdict", "state"):
        return ""
    if row["state"] not in ("measured", "in force"):
        return "wrong" * (row["state"] != "absent")
    return {"faster": "value", "less": "value", "slower": "pointer", "more": "pointer"}.get(_state(row), "")


def _state(row):
    """What the rows of a table are filtered by: the decision on what a workload is ranked by, or why there is none."""
    main = row.get("main")
    return row["metrics"][main]["decision"] if main else row["state"]


def _rows(summary, works):
    """The cells of these workloads, each with its `main` metric, or None where it lacks that one."""
    rows = []
    for work in works:
        main = main_metric(work).name
        for cell in (cell for part in text.cells_of(summary, work) for cell in part):
            rows.append(cell | {"main": main if main in cell["metrics"] else None})
    return rows + [column | {"workload": "all", "main": None} for column in summary["columns"]
                   if column["state"] != "in force"]


def _table(names, columns, rows):
    names = [Column("", lambda row, key=key: row[key], key, words=True) for key in names]
    verdict = Column(title="verdict", text=lambda row: text.verdict(row["metrics"][row["main"]]), words=True)
    return Table((*names, verdict, *columns), rows, kept=len(names),
                 instead=lambda row: "" if row["main"] else text.why(row))


def _value(name, title=None, show=None):
    metric = allocator_metrics.BY_NAME[name]
    show = show or (lambda x: quantity.of_unit(x, metric.unit))

    def value(row):
        return (row["metrics"].get(name) or {"value": {"estimate": None}})["value"]["estimate"]
    return Column("", value, title or metric.title, lambda row: show(value(row)))


def _ratio(found, title, show, end="estimate"):
    def value(row):
        one = found(row)
        return (one["ratio"] or {}).get(end, 1.0 if one["decision"] == "baseline" else None) if one else None
    return Column("", value, title, lambda row: show(found(row)))


def _every_cell(summary):
    def main(row):
        return row["metrics"][row["main"]]
    columns = [_value(time_of(summary).name, time_of(summary).short, quantity.time_ns), _ratio(main, "ratio", text.ratio),
               _ratio(main, "interval", text.interval, "low"), *(_value(metric.name) for metric in text.metrics_of(summary) if metric.name in text.BESIDE)]
    return _table(("workload", "configuration"), columns, _rows(summary, summary["workloads"]))


def _every_metric(summary, work):
    rows = _rows(summary, [work])
    shown = [metric.name for metric in text.metrics_of(summary) if any(metric.name in row.get("metrics", ()) for row in rows)]

    def marked(one):
        sign = one and text.MARKS.get(one["decision"])
        return text.with_interval(one) + (f" {sign}" if sign else "")
    columns = [column for name in shown for column in (
        _value(name), _ratio(lambda row, name=name: row["metrics"].get(name), "ratio", marked))]
    return _table(("configuration",), columns, rows)


def _knobs(variable, words):
    """The names under which an allocator tells what a variable sets."""
    if variable == "MALLOC_CONF":
        names = [part.partition(":")[0].strip() for part in words.split(",")]
        return [f"opt.{'tcache_max' if name == 'lg_tcache_max' else name}" for name in names]
    if variable == "GLIBC_TUNABLES":
        return [part.partition("=")[0].strip() for part in words.split(":")]
    return [variable]


def _provenance(summary):
    def found(key):
        return lambda column: (column["provenance"] or {}).get(key) or {}
    asked, library = found("asked"), found("library")

    def read_back(column):
        knobs = {knob for variable, words in asked(column).items() for knob in _knobs(variable, str(words))}
        return {name: value for name, value in found("read_back")(column).items() if name in knobs}
    texts = {"configuration": lambda column: column["configuration"],
             "state": lambda column: text.why(column) if column["reason"] else column["state"],
             "asked": lambda column: _pairs(asked(column)), "read back": lambda column: _pairs(read_back(column)),
             "effects": lambda column: _pairs(found("effects")(column)),
             "library": lambda column: str(library(column).get("file") or "-").rpartition("/")[2],
             "source": lambda column: str(found("source")(column) or "-")}
    return Table(tuple(Column(title=title, text=show, words=True) for title, show in texts.items()), summary["columns"])


def _libraries(summary):
    """Each library once, with the number of configurations that it served."""
    found = Counter(tuple(str(library[part] or "unknown") for part in ("file", "version", "sha256")) for library in
                    ((column["provenance"] or {}).get("library") for column in summary["columns"]) if library)
    rows = [(*key, str(n)) for key, n in found.items()]
    return of_texts(("file", "version", "sha256", "configurations"), rows, (0, 1, 2))


def _pairs(parts):
    def shown(value):
        return {True: "true", False: "false", None: "null"}[value] if value is None or isinstance(value, bool) else (
            quantity.count(value) if isinstance(value, float) else str(value))
    return ", ".join(f"{name}={shown(value)}" for name, value in (parts or {}).items()) or "-"


def _settings(manifest):
    return [("seed", manifest["seed"]),
            *((name.replace("_", " "), value) for name, value in manifest["settings"].items()),
            ("baseline", manifest["baseline"]), ("again", manifest["again"] or "no A/A column"),
            ("configurations", ", ".join(entry["name"] for entry in manifest["configurations"])),
            ("workloads", ", ".join(entry["name"] for entry in manifest["workloads"]))]
