# SPDX-License-Identifier: MIT
"""The page about a run over allocator configurations: one file that needs no other and no network.

Judgements are those of judge/allocators, words allocator_text.py's, figures those of allocator_charts.py; the frame,
the sheet and the script are shell.py's."""

from collections import Counter
from dataclasses import dataclass

from plots.figures import allocator_charts, allocator_style, heat_figure, pictures
from plots.files.allocator_run import load
from plots.judge.allocators.metrics import BY_NAME, main_metric, time_of
from plots.judge.allocators.summary import Cell, Column as Configuration
from plots.pages import allocators_first, inline_figures, page_table, shell
from plots.stats.top_group import CONFIDENCE
from plots.words import allocator_text as text, quantity
from plots.words.allocator_sentences import summarize
from plots.words.sentences import capital
from plots.words.table import Column, Table, of_texts

RANKED = 5  # in a card
TITLES = {"program": "Every number of the program",
          **{name: capital(BY_NAME[metric].title) for metric, name in heat_figure.SHOWN.items()},
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
        works=[_work(work, summary) for work in summary.workloads],
        provenance=page_table.of(_provenance(summary), _state, classes=_classes),
        libraries=page_table.of(_libraries(summary)),
        figures=[(TITLES[name], figure) for name, figure in figures.items()], sheet=sheet,
        legend=text.legend(summary), table=table, verdicts=sorted({row["verdict"] for row in table["rows"]}),
        rule_text=shell.rule("allocator_rule"), metrics_text=shell.rule("allocator_metrics"),
        settings=_settings(run.manifest))


# ---- Answers

def _tally(summary):
    in_force = sum(column.state == "in force" for column in summary.columns)
    said = f"{in_force} of {quantity.counted(len(summary.columns), 'configuration')} in force, " \
           f"{quantity.counted(len(summary.workloads), 'workload')}, against {summary.baseline}"
    return f"{said}." if summary.quick or not text.counted(summary)[1] else f"{said}. {text.decided(summary)}."


def _again(summary):
    if not summary.again or summary.quick or not text.again(summary):
        return ""
    return f"{'. '.join([text.again(summary), *text.disturbances(summary)])}."


def _ranked(summary):
    """What the numbers of the rankings are."""
    if summary.quick:
        return f"Each with its median time (of timeline: memory) and its ratio to {summary.baseline}."
    return (f"Each with its ratio to {summary.baseline}, in brackets the ratio's interval, and as its time (of "
            f"timeline: memory) {summary.baseline}'s median times the ratio. The top group holds the best with "
            f"{quantity.level(CONFIDENCE)}: no other is shown to be better than one of it.")


def _wrong(summary):
    found = [(column.configuration, column) for column in summary.out]
    found += [(f"{cell.configuration} in {cell.workload}", cell) for cell in summary.cells if cell.state != "measured"]
    return [{"name": name, "why": text.why(holder)} for name, holder in found]


def _work(work, summary):
    metric = main_metric(work.kind)
    by_name = {cell.configuration: cell for cell in summary.cells_of(work)}
    paste = {column.configuration: column.paste for column in summary.columns}
    ranking = []
    for place, one in enumerate(work.ranking[:RANKED], start=1):
        found = by_name[one.configuration].metrics[metric.name]
        number = quantity.of_unit(found.value.estimate, metric.unit)
        between = f", {text.with_interval(found)}" if found.ratio else ""
        ranking.append({"place": place, "name": one.configuration, "number": number + between, "tied": one.tied})
    pick = work.pick
    return {"name": work.workload, "purpose": work.purpose, "operation": work.operation, "ranking": ranking,
            "sentence": f"{capital(work.sentence)}.", "pick": pick,
            "paste": paste.get(pick), "plainest": bool(pick) and pick != work.ranking[0].configuration,
            "floors": _floors(work), "table": page_table.of(_every_metric(summary, work), _state, classes=_classes)}


def _floors(work):
    if not work.floors:
        return ""
    return "Floors: " + "; ".join(f"{BY_NAME[name].title}: {quantity.percent(floor)}"
                                  for name, floor in work.floors.items()) + "."


# ---- Rows of tables

@dataclass(frozen=True)
class Line:
    """A row of a table: a cell, or a configuration that is not in force."""
    of: Cell | Configuration
    main: str | None  # the metric that the cell's workload is ranked by; None: there is no number of it

    @property
    def workload(self):
        return getattr(self.of, "workload", "all")

    @property
    def configuration(self):
        return self.of.configuration

    def number(self, name):
        return getattr(self.of, "metrics", {}).get(name)


def _classes(line, column):
    """Of a table's cell: whose colour its verdict has, or that it says what went wrong."""
    of = line.of if isinstance(line, Line) else line
    if column.title not in ("verdict", "state"):
        return ""
    if of.state not in ("measured", "in force"):
        return "wrong" * (of.state != "absent")
    return {"faster": "value", "less": "value", "slower": "pointer", "more": "pointer"}.get(_state(line), "")


def _state(line):
    """What the rows of a table are filtered by: the decision on what a workload is ranked by, or why there is none."""
    if isinstance(line, Line):
        return line.number(line.main).decision if line.main else line.of.state
    return line.state


def _lines(summary, works):
    lines = []
    for work in works:
        main = main_metric(work.kind).name
        lines += [Line(cell, main if main in cell.metrics else None)
                  for part in text.cells_of(summary, work) for cell in part]
    return lines + [Line(column, None) for column in summary.out]


def _table(names, columns, lines):
    names = [Column("", lambda line, key=key: getattr(line, key), key, words=True) for key in names]
    verdict = Column(title="verdict", text=lambda line: text.verdict(line.number(line.main)), words=True)
    return Table((*names, verdict, *columns), lines, kept=len(names),
                 instead=lambda line: "" if line.main else text.why(line.of))


def _value(name, title=None, show=None):
    metric = BY_NAME[name]
    show = show or (lambda x: quantity.of_unit(x, metric.unit))

    def value(line):
        one = line.number(name)
        return one and one.value.estimate
    return Column("", value, title or metric.title, lambda line: show(value(line)))


def _ratio(found, title, show, end="estimate"):
    def value(line):
        one = found(line)
        if one and one.ratio:
            return getattr(one.ratio, end)
        return 1.0 if one and one.decision == "baseline" else None
    return Column("", value, title, lambda line: show(found(line)))


def _every_cell(summary):
    def main(line):
        return line.number(line.main)
    time, shown = time_of(summary), [metric.name for metric in text.metrics_of(summary) if metric.name in text.BESIDE]
    columns = [_value(time.name, time.short, quantity.time_ns), _ratio(main, "ratio", text.ratio),
               _ratio(main, "interval", text.interval, "low"), *map(_value, shown)]
    return _table(("workload", "configuration"), columns, _lines(summary, summary.workloads))


def _every_metric(summary, work):
    lines = _lines(summary, [work])
    shown = [metric.name for metric in text.metrics_of(summary) if any(line.number(metric.name) for line in lines)]

    def marked(one):
        sign = one and text.MARKS.get(one.decision)
        return text.with_interval(one) + (f" {sign}" if sign else "")
    columns = [column for name in shown for column in (
        _value(name), _ratio(lambda line, name=name: line.number(name), "ratio", marked))]
    return _table(("configuration",), columns, lines)


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
        return lambda column: (column.provenance or {}).get(key) or {}
    asked, library = found("asked"), found("library")

    def read_back(column):
        knobs = {knob for variable, words in asked(column).items() for knob in _knobs(variable, str(words))}
        return {name: value for name, value in found("read_back")(column).items() if name in knobs}
    texts = {"configuration": lambda column: column.configuration,
             "state": lambda column: text.why(column) if column.reason else column.state,
             "asked": lambda column: _pairs(asked(column)), "read back": lambda column: _pairs(read_back(column)),
             "effects": lambda column: _pairs(found("effects")(column)),
             "library": lambda column: str(library(column).get("file") or "-").rpartition("/")[2],
             "source": lambda column: str(found("source")(column) or "-")}
    return Table(tuple(Column(title=title, text=show, words=True) for title, show in texts.items()), summary.columns)


def _libraries(summary):
    """Each library once, with the number of configurations that it served."""
    found = Counter(tuple(str(library[part] or "unknown") for part in ("file", "version", "sha256")) for library in
                    ((column.provenance or {}).get("library") for column in summary.columns) if library)
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
