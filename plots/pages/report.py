# SPDX-License-Identifier: MIT
"""Write the page about a run that people read: python3 -m plots report RUN

RUN/report.html is one file that needs no other and no network: what was asked and answered, the machine, the noise
floors, every row, each lesson with its code and figures, the rule, and how to repeat it. Judgements are summary.py's,
words pair_text.py's, figures those of `charts`; the page's own are the distributions and the sparklines."""

import base64
import dataclasses
import hashlib
import os
import re
import shlex
from collections import Counter
from pathlib import Path

import jinja2
from markupsafe import Markup, escape

from plots.figures import charts, distribution_figure, inline_figures, sparkline, style
from plots.files import strict_json
from plots.files.pair_run import is_of_allocators, load
from plots.files.strict_json import printable
from plots.go import go
from plots.judge import compiled, summary as summaries
from plots.program.errors import Refused
from plots.program.guard import COMMAND
from plots.pages import page_table
from plots.stats import statistics
from plots.words import machine_text, pair_text, quantity, rules
from plots.words.sentences import capital, interval, ratio

TEMPLATES = Path(__file__).resolve().parent / "templates"
LESSONS = Path(__file__).resolve().parents[2] / "benchmarks"

FIRST = ("pair", "size", "verdict")  # columns of a table of rows


def add_arguments(parser):
    parser.add_argument("run", metavar="RUN", type=Path, help="a run folder")
    parser.add_argument("--config", metavar="NAME", help="one of the run's configurations (default: its first)")
    parser.add_argument("--out", metavar="FILE", type=Path, help="where the page goes (default: RUN/report.html)")


def main(args):
    out = args.out or args.run / "report.html"
    if is_of_allocators(args.run):
        if args.config:
            raise Refused("--config", "a run over configurations has all of them on its page")
        from plots.pages import allocator_report  # which takes its parts from here
        strict_json.write_whole(out, allocator_report.page_of(args.run))
    else:
        strict_json.write_whole(out, page(load(args.run, args.config), go.made(args.run)))
    print(out)
    return 0


def page(run, in_go=None):
    """The page about a loaded run, as text; in_go: what plots/go/go.py made of the same lessons in Go."""
    summary = printable(summaries.summarize(run)[0])
    manifest = printable(run.manifest | {"layouts": _without_units(run.manifest["layouts"])})
    pairs = _pairs(summary, _units(run), _prefer(run))
    pictures = _pictures(run, summary, manifest)
    for pair in pairs:
        pair["figures"] = [(f"{pair['name']}: {words}", pictures[name]) for name, words in (
            (f"crossover_{pair['name']}", "time against size"),
            (f"distribution_{pair['name']}", "launches and layouts")) if name in pictures]
    machine = complete(manifest["machine"])
    script = read_template("report.js")
    return environment().get_template("report.html.j2").render(
        summary=summary, manifest=manifest, pairs=pairs, lessons=_lessons(pairs, run),
        title=f"ampersand: {machine['host'] or 'a run'}, {manifest['created'][:10]}",
        place=style.small_print(manifest), tally=_tally(summary["rows"]), unfinished=unfinished(run),
        unsound="Some rows failed, or their counts differ" if summaries.unsound(summary) else "",
        wrong=_wrong(summary), warnings=machine_text.warnings(machine), facts=machine_text.facts(machine, built(manifest)),
        go=_go(in_go, summary), floors=pair_text.floors(summary),
        neighbours=pair_text.neighbours(summary), legend=pair_text.legend(summary), table=rows_of(summary),
        verdicts=[name for name in style.VERDICTS if any(row["verdict"] == name for row in summary["rows"])],
        overview=[(words, pictures[name]) for name, words in (("verdicts", "Every ratio with its verdict"),
                                                              ("allocations", "Allocations")) if name in pictures],
        rule=", ".join(f"{name.replace('_', ' ')}: {part}" for name, part in summary["rule"].items()),
        rule_text=blocks(rules.text("verdict_rule")), crossover_text=blocks(rules.text("crossover_rule")), repeat=repeat(manifest),
        command=shlex.join(manifest["command"]), settings=_settings(manifest), css=Markup(read_template("report.css")),
        script=Markup(script), script_hash=policy_hash(script))


def _without_units(layouts):
    return {lesson: {key: part for key, part in table.items() if key in ("flags", "compiled")}
            for lesson, table in layouts.items()}


def environment():
    return jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True,
                              undefined=jinja2.StrictUndefined, keep_trailing_newline=True)


def policy_hash(script):
    """How the page's Content-Security-Policy names its only script: a text of others that became one would not run."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def read_template(name):
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _units(run):
    """What the sizes of each pair are in, as summary.py has it."""
    return {row.pair: row.declared.get("size_unit", "B") for row in run.rows}


def _prefer(run):
    """When to prefer which side, of the pairs whose lesson says so."""
    return {row.pair: printable(row.declared["prefer"]) for row in run.rows if row.declared.get("prefer")}


# ---- Pairs and rows

def _pairs(summary, units, prefer):
    pairs = []
    for name in dict.fromkeys(row["pair"] for row in summary["rows"]):
        rows = [row for row in summary["rows"] if row["pair"] == name]
        show = _size_shower(units[name])
        pairs.append({"name": name, "number": len(pairs) + 1, "lesson": rows[0]["lesson"],
                      "question": rows[0]["question"], "prefer": prefer.get(name, ""),
                      "spark": sparkline.make(rows, show), "tally": _tally(rows),
                      "answer": _answer(name, rows, summary, show), "asides": _asides(name, summary),
                      "table": rows_of(summary, rows, pair=False)})
    return pairs


def _size_shower(unit):
    return lambda size: quantity.size(size, unit)


def _tally(rows):
    counts = Counter(row["verdict"] for row in rows)
    return f"{quantity.counted(len(rows), 'row')}: " + ", ".join(
        f"{n} {name}" for name, n in sorted(counts.items(), key=lambda one: list(style.VERDICTS).index(one[0])))


def _answer(pair, rows, summary, show):
    """The verdict in sentences that others wrote: crossover, and both ends of the sweep; or the only row."""
    crossing = [found["sentence"] for found in summary["crossovers"] if found["pair"] == pair]
    if len(rows) == 1:
        sentences = [rows[0]["sentence"] + _numbers(rows[0])]
    else:
        ends = sorted(rows, key=lambda row: row["size"])
        sentences = [f"crossover: {sentence}" for sentence in crossing]
        sentences += [f"at {show(row['size'])}, {row['sentence']}{_numbers(row)}" for row in (ends[0], ends[-1])]
        sentences += [] if summary["quick"] else [_tally(rows)]
    return [f"{capital(sentence)}." for sentence in sentences]


def _numbers(row):
    if not row["ratio"]:
        return ""
    between = interval(row["ratio"])
    between = "" if between == quantity.NONE else f", interval {between}"
    return f" (pointer/value {ratio(row['ratio'])}{between})"


def _asides(pair, summary):
    means = [mean["ratio"] for mean in summary["geometric_mean"] if mean["pair"] == pair and mean["ratio"]]
    return [f"Geometric mean of pointer/value over the sizes that were chosen, a summary and no more: "
            f"{quantity.ratio(mean)}." for mean in means]


def rows_of(summary, some=None, pair=True):
    """A table of rows, with the pair's name or without."""
    whole = pair_text.rows(summary, some)
    columns = sorted(whole.columns, key=lambda column: FIRST.index(column.key) if column.key in FIRST else len(FIRST))
    if not pair:
        columns = [column for column in columns if column.key != "pair"]
    return page_table.of(
        dataclasses.replace(whole, columns=columns, kept=2 if pair else 1), verdict=lambda row: row["verdict"],
        wrong=lambda row: row["failed"] or row["counts"]["status"] == "differs", classes=_classes)


def _classes(row, column):
    if column.key == "verdict":
        return next((name for name in style.SIDES if name in row["verdict"].split()), "")
    return "wrong" if column.shown(row) == "differs" else ""


def _wrong(summary):
    found = [{"name": row["row"], "why": why} for row, why in pair_text.wrong(summary)]
    return found + [dict(zip(("name", "why"), sentence.split(": ", 1))) for sentence in pair_text.no_counts(summary)]


# ---- Go beside it

def _go(document, summary):
    if document is None:
        return None
    document = printable(document)
    return {"version": document["version"], "table": page_table.of(go.beside(document, summary)),
            "teaching": page_table.of(go.teaching(document, says=True)) if document["teaching"] else None}


# ---- Lessons and their figures

def _lessons(pairs, run):
    return [{"name": name, "pairs": [pair for pair in pairs if pair["lesson"] == name],
             "compiled": printable(compiled.of_lesson(run.manifest, name, telling=False)),
             "calls": printable(_calls(run.manifest["layouts"][name])),
             "source": source(name, run.manifest["layouts"][name].get("source_sha256"),
                              file=run.manifest["layouts"][name].get("source"))}
            for name in dict.fromkeys(pair["lesson"] for pair in pairs)]


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


def _pictures(run, summary, manifest):
    """Every figure as inline SVG, by its file's name."""
    measured = {row.name: statistics.measure(row.launches, summary["rule"]["launches_needed"]) for row in run.rows}
    figures = charts.draw(summary, manifest)
    with style.applied():
        figures |= distribution_figure.figures(summary, manifest, measured)
    return {name: inline_figures.inline(fig, f"f{i}") for i, (name, fig) in enumerate(figures.items())}


# ---- The run and its machine

def unfinished(run):
    last = next((event for event in reversed(run.journal) if event["event"] in ("end", "resume")), {})
    status = last.get("status")
    if status is None:
        return "The run has not come to its end: what is here is what was finished."
    return "The run was interrupted: what is here is what was finished." if status == "interrupted" else ""


def complete(machine):
    """Facts that the manifest lacks are facts that could not be read."""
    known = dict.fromkeys(("host", "cpu", "cpus", "arch", "caches", "memory_b", "virtual", "governor", "turbo", "thp",
                           "aslr", "load_1min", "hardware_counters", "clock_source"))
    return known | machine


def built(manifest):
    """The manifest's `build`, complete, with the compiler and the flags of the run's lessons, if it has any."""
    facts = {"compiler": "unknown", "kernel_args": [], "libraries": {}} | manifest["build"]
    found = compiled.ways(manifest, telling=False)
    if found:
        how, *others = found
        facts |= {"compiler": compiled.brief(manifest),
                  "kernel_args": [how] + ["(most lessons; how the others, see at each)"] * bool(others)}
    return facts


def blocks(text):
    """A rule as HTML: its paragraphs, and as they stand its drawings and tables, which are indented."""
    parts = []
    for block in re.split(r"\n\s*\n", text.strip("\n")):
        indented = block.startswith(" ")
        if indented and parts and parts[-1][0]:
            parts[-1][1].append(block)
        else:
            parts.append((indented, [block]))
    return [Markup('<pre class="scroll" tabindex="0">{}</pre>' if indented else "<p>{}</p>").format("\n\n".join(found))
            for indented, found in parts]


def repeat(manifest, verb="bench"):
    """The command that makes the same run again, into a folder of its own."""
    given, kept = iter(manifest["command"][2:]), []
    for word in given:
        if word in ("--out", "--resume", "--seed"):
            next(given, None)
        elif not word.startswith(("--out=", "--resume=", "--seed=")):
            kept.append(word)
    return shlex.join([COMMAND, verb, *kept, "--seed", str(manifest["seed"])])


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
