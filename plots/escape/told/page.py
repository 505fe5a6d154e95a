# SPDX-License-Identifier: MIT
"""The findings as a page of its own: the source with a note at each line, the steps of each reason folded.

Of a long file only the lines around the notes are shown."""

import os
from pathlib import Path

from markupsafe import Markup

from plots.escape.told import explain, listing, sarif
from plots.pages import shell
from plots.words import quantity

AROUND = 6  # lines before and behind a noted one
RULES = {
    "local-outlives-frame": ("bug", "bugs: a local's address outlives it"),
    "could-live-in-frame": ("frame", "could live in the frame"),
    "never-freed": ("never freed", "could live in the frame, and is never freed"),
    "must-be-on-heap": ("heap", "must be on the heap"),
    "copied": ("copy", "copies"),
}


class Links:
    """An anchor for each file that is shown, and for its lines."""

    def __init__(self, files):
        self.of_file = {file: f"f{n}" for n, file in enumerate(files, 1)}

    def line(self, at):
        return f"{self.of_file[at['file']]}-{at['line']}" if at["file"] in self.of_file else ""


def notes(found):
    """[(rule, the finding, its sentence)], in the order of the list."""
    for one in sorted(found["locals"], key=listing.by_place):
        yield "local-outlives-frame", one, explain.local(one)
    for one in sorted(found["allocations"], key=lambda one: (one["obstacle"] is not None, *listing.order(one))):
        yield sarif.rule_of(one), one, f"{explain.allocation(one)}: {explain.why(one)}"
    for one in sorted(found["copies"], key=listing.by_size):
        yield "copied", one, explain.copied(one)


def way(path, links):
    return [{"place": explain.place(hop), "link": links.line(hop), "what": hop["what"], "assumed": hop.get("assumed"),
             "within": way(hop.get("within", []), links)} for hop in path]


def source(file):
    """(its lines, why there are none)."""
    try:
        return Path(file).read_text(errors="replace").splitlines(), ""
    except OSError as error:
        return [], f"The source cannot be shown: {error.strerror}."


def parts(lines, at_lines):
    """The file in parts, each ending where notes stand; what nobody noted is left out."""
    wanted = sorted({n for line in at_lines for n in range(line - AROUND, line + AROUND + 1) if 1 <= n <= len(lines)})
    made, shown, last = [], [], 0
    for number in wanted:
        if number != last + 1:
            made += close(shown, [])
            shown = []
            made.append({"gap": f"{quantity.counted(number - last - 1, 'line')} without a note"})
        shown.append((number, lines[number - 1].expandtabs(4)))
        last = number
        if number in at_lines:
            made += close(shown, at_lines[number])
            shown = []
    made += close(shown, [])
    if last < len(lines):
        made.append({"gap": f"{quantity.counted(len(lines) - last, 'line')} without a note"})
    return made


def close(shown, found):
    return [{"gap": "", "lines": shown, "notes": found}] if shown or found else []


def of_file(file, found, links):
    lines, why_not = source(file)
    at_lines = {}
    for note in found:
        at_lines.setdefault(min(note["line"], len(lines)) if lines else 0, []).append(note)
    made = parts(lines, at_lines) if lines else [{"gap": "", "lines": [], "notes": found}]
    return {"name": os.path.relpath(file), "link": links.of_file[file], "why_not": why_not, "parts": made}


def of(found):
    """The page, as text."""
    listed = list(notes(found))
    links = Links(dict.fromkeys(one["file"] for _, one, _ in listed if one["file"]))
    by_file, findings = {file: [] for file in links.of_file}, []
    for rule, one, text in listed:
        note = {"rule": rule, "tag": RULES[rule][0], "text": text, "link": links.line(one), "place": explain.place(one),
                "line": one["line"], "path": way(one.get("path", []), links)}
        findings.append(note)
        if one["file"]:
            by_file[one["file"]].append(note)
    script = shell.read_template("escape.js")
    return shell.environment().get_template("escape.html.j2").render(
        title="ampersand: where each object lives", manifest={"version": found["version"]}, place="",
        css=Markup(shell.read_template("report.css")), sheet=Markup(shell.read_template("escape.css")),
        script=Markup(script), script_hash=shell.policy_hash(script), counts=list(listing.counts(found)),
        rules=[(rule, words) for rule, (_, words) in RULES.items()], findings=findings,
        files=[of_file(file, by_file[file], links) for file in sorted(by_file, key=os.path.relpath)])
