# SPDX-License-Identifier: MIT
"""The page about a run of pairs, one file that needs no other and no network. On top stands what first_screen.py makes:
the answers. Below, a card for each question, its numbers, figures and code folded; then every row, the controls, the
machine, the rule, and how to repeat the run.

Judgements are summary.py's, words pair_text.py's and overview_text.py's, figures those of `charts`; the page's own are
distribution.py's and sparkline.py's."""

import dataclasses
import hashlib
import os
import re
from collections import Counter
from pathlib import Path

from markupsafe import Markup, escape

from plots.figures import pictures, style
from plots.files import compiled
from plots.files.strict_json import printable
from plots.go import go
from plots.judge import overview, pair_summary, tidy
from plots.pages import distribution, first_screen, inline_figures, page_table, shell, sparkline
from plots.profile import of_run
from plots.program import at_once
from plots.stats import statistics
from plots.words import allocations_text, counters_text, overview_text, pair_text, quantity, sentences
from plots.words.pair_sentences import summarize
from plots.words.sentences import capital

LESSONS = Path(__file__).resolve().parents[2] / "benchmarks"

FIRST = ("pair", "size", "verdict")  # columns of a table of rows


def shown(run, summary):
    """(summary, manifest) of a run as far as they are shown, harmless whatever is in them."""
    return (pair_summary.read(printable(pair_summary.document(summary))),
            printable(run.manifest | {"layouts": _of_lessons(run.manifest["layouts"])}))


def page(run, in_go=None, judged=None, images=None):
    """The page about a loaded run, as text. in_go: what plots/go/go.py made of the same lessons in Go. Where they are
    at hand, judged: the run's Summary, and images: its figures, as pictures.made() gives them."""
    summary, manifest = shown(run, judged or summarize(run)[0])
    kinds = overview.kinds(summary, manifest)
    pairs = _pairs(summary, manifest, kinds, _prefer(run), _claims(summary))
    found, sheet = _pictures(summary, manifest, in_go, images)
    distributions = _distributions(run, summary, manifest)
    for pair in pairs:
        pair["figures"] = [(f"{pair['name']}: {words}", found[name]) for name, words in (
            (f"crossover_{pair['name']}", "time against size"), (f"dots_{pair['name']}", "two sizes")) if name in found]
        pair["distribution"] = distributions[pair["name"]]
    _lay_code_beside(pairs, run)
    numbers = {pair["name"]: pair["number"] for pair in pairs}
    return shell.render(
        "report.html.j2", run, manifest, "bench", summary=summary, pairs=pairs, sheet=sheet,
        measured=_measured(summary, manifest, kinds),
        short=first_screen.answers(summary, manifest, numbers), maps=first_screen.maps(summary, numbers),
        cells=first_screen.legend(summary),
        **{key: first_screen.questions(summary, manifest, numbers, kinds, kind)
           for key, kind in (("asked", "question"), ("variants", "variant"))},
        place=style.small_print(manifest), tally=f"{overview_text.tally(summary, manifest)}.",
        unsound="Some rows failed, or their counts differ" if summary.unsound else "",
        wrong=_wrong(summary), go=_go(in_go, summary, found), allocating=_allocating(run, summary),
        floors=pair_text.floors(summary.floors),
        neighbours=pair_text.neighbours(summary), known=pair_text.known(summary), lost=pair_text.lost(summary),
        legend=pair_text.legend(summary), table=rows_of(summary),
        verdicts=[name for name in style.VERDICTS if any(row.verdict == name for row in summary.rows)],
        overview=[(words, found[name]) for name, words in (("ratios", "Every ratio with its verdict"),
                                                           ("allocations", "Allocations")) if name in found],
        rule=pair_text.rule(summary.rule), rule_text=shell.rule("verdict_rule"), settings=_settings(manifest))


def _of_lessons(layouts):
    """Of the tables of layouts, what the page tells of each lesson."""
    return {lesson: {key: part for key, part in table.items() if key in ("flags", "compiled", "source")}
            for lesson, table in layouts.items()}


def _measured(summary, manifest, kinds):
    """What was measured, and where: one line."""
    asked = quantity.counted(sum(kind == "question" for kind in kinds.values()), "question")
    machine, how = style.place(manifest)
    settings = manifest["settings"]
    return " · ".join([f"{asked}, {quantity.counted(len(summary.rows), 'row')}", machine, how.partition(" (")[0],
                       f"{settings['launches']} launches, {settings['layouts']} layouts", manifest["created"][:10]])


CLAIM = {True: "holds here", False: "does not hold here", None: "not decided here"}


def _claims(summary):
    """{pair: [(claim, what this run says of it)]}"""
    found = {}
    for claim in summary.claims or ():
        against = f": {', '.join(claim.against)}" if claim.against else ""
        found.setdefault(claim.pair, []).append({"text": claim.text, "here": CLAIM[claim.holds] + against,
                                                 "wrong": claim.holds is False})
    return found


def _prefer(run):
    """What no run can check about which side to prefer, of the pairs whose lesson says so."""
    return {row.pair: printable(row.declared["prefer"]) for row in run.rows if row.declared.get("prefer")}


# ---- Pairs and rows

def _pairs(summary, manifest, kinds, prefer, claims):
    pairs = []
    for name, rows in summary.pairs.items():
        unit = overview_text.unit_of(manifest, name)
        show = _size_shower(unit)
        pairs.append({"name": name, "number": len(pairs) + 1, "lesson": rows[0].lesson, "kind": kinds[name],
                      "question": rows[0].question, "prefer": prefer.get(name, ""), "claims": claims.get(name, []),
                      "spark": sparkline.make(rows, show), "tally": _tally(rows),
                      "short": overview_text.of_pair(rows, unit).whole, "answer": _answer(name, rows, summary, show),
                      "asides": _asides(name, summary), "table": rows_of(summary, rows, pair=False),
                      "executed": _executed(rows), "counted": " ".join(counters_text.note(rows)),
                      "allocating": _table(allocations_text.of_pair(rows, show))})
    return pairs


def _executed(rows):
    """The table of what both sides execute, where anybody counted it."""
    return page_table.of(counters_text.table(rows)) if any(row.why and row.why.counters for row in rows) else None


def _table(table):
    return table and page_table.of(table)


def _allocating(run, summary):
    """What allocates in the whole run; None where nothing does, or nobody looked."""
    allocated = run.allocated and dataclasses.replace(run.allocated, refused=printable(run.allocated.refused))
    table, missing = allocations_text.of_run(summary.rows), allocations_text.missing(allocated, summary.rows)
    return {"table": _table(table), "graph": of_run.svg(summary.rows, run.allocated), "missing": missing} \
        if table or missing else None


def _size_shower(unit):
    return lambda size: quantity.size(size, unit)


def _tally(rows):
    """How many rows have which verdict; of one pair, with the names of its sides."""
    counts = Counter(row.verdict for row in rows)
    one_pair = len({row.pair for row in rows}) == 1
    shown = {name: sentences.named(name, rows[0].labels) if one_pair else name for name in counts}
    return f"{quantity.counted(len(rows), 'row')}: " + ", ".join(
        f"{n} {shown[name]}" for name, n in sorted(counts.items(), key=lambda one: list(style.VERDICTS).index(one[0])))


def _answer(pair, rows, summary, show):
    """The verdict in sentences that others wrote: crossover, and both ends of the sweep; or the only row."""
    crossing = [found.sentence for found in summary.crossovers if found.pair == pair]
    if len(rows) == 1:
        sentences = [rows[0].sentence + _numbers(rows[0]) + _because(rows[0])]
    else:
        ends = sorted(rows, key=lambda row: row.size)
        sentences = [f"crossover: {sentence}" for sentence in crossing]
        sentences += [f"at {show(row.size)}, {row.sentence}{_numbers(row)}{_because(row)}"
                      for row in (ends[0], ends[-1])]
        sentences += [] if summary.quick else [_tally(rows)]
    return [f"{capital(sentence)}." for sentence in sentences]


def _numbers(row):
    if not row.ratio:
        return ""
    return f"; pointer/value {quantity.with_interval(row.ratio.estimate, *row.ratio.ends)}"


def _because(row):
    return "".join(f"; {sentence}" for sentence in (row.why and row.why.sentence, allocations_text.sentence(row))
                   if sentence)


def _asides(pair, summary):
    means = [mean.ratio for mean in summary.geometric_mean if mean.pair == pair and mean.ratio]
    return [f"Geometric mean of pointer/value over the sizes that were chosen, a summary and no more: "
            f"{quantity.ratio(mean)}." for mean in means]


def rows_of(summary, some=None, pair=True):
    """A table of rows, with the pair's name or without."""
    whole = pair_text.rows(summary.rows, some)
    columns = sorted(whole.columns, key=lambda column: FIRST.index(column.key) if column.key in FIRST else len(FIRST))
    if not pair:
        columns = [column for column in columns if column.key != "pair"]
    return page_table.of(
        dataclasses.replace(whole, columns=columns, kept=2 if pair else 1), verdict=lambda row: row.verdict,
        wrong=lambda row: row.failed or row.counts.status == "differs", classes=_classes)


def _classes(row, column):
    if column.key == "verdict":
        return next((name for name in style.SIDES if name in row.verdict.split()), "")
    return "wrong" if column.shown(row) == "differs" else ""


def _wrong(summary):
    found = [{"name": row.row, "why": why} for row, why in pair_text.wrong(summary)]
    return found + [dict(zip(("name", "why"), sentence.split(": ", 1))) for sentence in pair_text.no_counts(summary)]


# ---- Go beside it

def _go(document, summary, figures):
    if document is None:
        return None
    return {"version": document.version, "figure": figures.get("go"),
            "table": page_table.of(go.beside(document, summary)),
            "teaching": page_table.of(go.teaching(document, says=True)) if document.teaching else None}


# ---- Lessons and their figures

def _lay_code_beside(pairs, run):
    """A lesson's code stands with the first of its pairs; the others name that one."""
    first = {}
    for pair in pairs:
        pair["code_with"] = first.setdefault(pair["lesson"], pair)
        pair["code"] = _lesson(pair["lesson"], run.manifest["layouts"][pair["lesson"]], run) \
            if pair["code_with"] is pair else None


def _lesson(name, table, run):
    return {"name": name, "compiled": printable(compiled.of_lesson(run.manifest, name, telling=False)),
            "calls": printable(_calls(table)),
            "source": source(name, table.get("source_sha256"), file=table.get("source"))}


def _calls(table):
    """[(side, the functions of shared libraries that its functions call)]"""
    found = {side: list(dict.fromkeys(name for unit in table["units"] for name in unit.get(f"{side}_calls", ())))
             for side in style.SIDES}
    return [(side, ", ".join(names)) for side, names in found.items() if names]


def source(lesson, measured_sha256=None, folder=None, file=None):
    """A lesson's file in this checkout: name, text as HTML (None: not there), and whether it is what was measured."""
    file = file or f"{lesson}.c"
    named = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*\.c", file)
    path = next((folder or LESSONS).glob(f"*/{file}"), None) if named else None  # in its chapter
    name = f"benchmarks/{path.parent.name}/{file}" if path else f"benchmarks/{file}"
    others = os.environ.get("AMPERSAND_SOURCES")  # of pairs that are not ours
    if others and not folder and named and not path:
        name, path = file, Path(others) / file
    if not path or not path.is_file():
        return {"name": name, "text": None, "note": f"The code of both kernels, {name}, is not in this checkout."}
    try:
        raw = path.read_bytes()
    except OSError as error:
        return {"name": name, "text": None, "note": f"{name} cannot be read here: {error.strerror}."}
    if measured_sha256 is None:
        note = "As it is in the checkout that made this page; the run does not record which version it measured."
    elif hashlib.sha256(raw).hexdigest() == measured_sha256:
        note = "This is the version that was measured."
    else:
        note = "Not the version that was measured: the file in the checkout has changed since."
    return {"name": name, "text": highlight(printable(raw.decode("utf-8", "replace"))), "note": note}


def highlight(code):
    """C as HTML, its comments set apart."""
    parts = re.split(r"(/\*.*?\*/|//[^\n]*)", code, flags=re.DOTALL)
    return Markup("").join(Markup('<span class="comment">{}</span>').format(part) if i % 2 else escape(part)
                           for i, part in enumerate(parts))


def _pictures(summary, manifest, in_go, images):
    """({its file's name: a figure as inline SVG}, the sheet for them)"""
    plans = pictures.plans(summary, manifest, pictures.OF_ROWS, in_go)
    images = images or pictures.made(plans, ("svg",))
    cleaned = at_once.each(enumerate(plans), lambda one: inline_figures.clean(images[f"{one[1]}.svg"], f"f{one[0]}"))
    return inline_figures.shared(dict(zip(plans, cleaned)))


def _distributions(run, summary, manifest):
    """{pair: its Distribution or None}"""
    launches = {row.name: tidy.launches(row) for row in run.rows}
    measured = {row.row: statistics.measure(launches[row.row], row.launches) for row in summary.rows}
    order = distribution.order_of(run.journal)
    return {pair: distribution.make(
        distribution.load(rows, launches, measured, order, _size_shower(overview_text.unit_of(manifest, pair))),
        {side: rows[0].name_of(side) for side in style.SIDES}, bool(order)) for pair, rows in summary.pairs.items()}


# ---- The run and its machine

def _settings(manifest):
    allocator = manifest["allocator"] or {}
    options = " ".join(f"{name}={value}" for name, value in (allocator.get("options") or {}).items())
    return [("seed", manifest["seed"]),
            *((name.replace("_", " "), value) for name, value in manifest["settings"].items()),
            ("configurations", ", ".join(entry["name"] for entry in manifest["configurations"])),
            ("build", f"{manifest['build'].get('build_type', '')}, {manifest['build'].get('linker', '')}"),
            ("allocator", " ".join(str(allocator[key]) for key in ("name", "version", "file") if allocator.get(key))
             or "unknown"),
            ("its options", options or "none recorded")]
