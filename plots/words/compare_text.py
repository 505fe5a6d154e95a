# SPDX-License-Identifier: MIT
"""A comparison as people and programs read it: table, Markdown for a pull request, JSON, CSV."""

import csv
import io
import json
from dataclasses import replace

from plots.words import terminal
from plots.words.compare_sections import (BOLD, FIGURES, all_rows, closing, counts_word, facts, headline, notes,
                                          number, runs, sections)


def show(document, form, out, everything=False):
    colour = terminal.wants_colour(out)
    text = {"table": lambda: table(document, colour, everything), "markdown": lambda: markdown(document),
            "json": lambda: json.dumps(document, indent=1, allow_nan=False) + "\n",
            "csv": lambda: comma_separated(document)}[form]()
    out.write(text)
    out.flush()


def table(document, colour, everything=False):
    out = [*runs(document), ""]
    out += [_paint(headline(document), BOLD, colour), ""]
    if document["status"] == "refused":
        return "\n".join(out + _aligned(facts(document), colour)) + "\n"
    for one in [*([facts(document)] if document["differences"] else []), *sections(document),
                *([all_rows(document)] if everything or document["quick"] else [])]:
        out += _aligned(one, colour) + [""]
    out += [line for note in notes(document) for line in _wrapped(note)]
    return "\n".join(out + ["", *closing(document)]) + "\n"


def _wrapped(text):
    lines = [""]
    for word in text.split(" "):
        if lines[-1] and len(lines[-1]) + 1 + len(word) > terminal.WIDTH:
            lines.append(" ")
        lines[-1] += (" " if lines[-1] else "") + word
    return lines


def _aligned(section, colour):
    section = _without_empty_columns(section)
    widths = [max(len(row[i]) for row in [section.header, *section.rows]) for i in range(len(section.header))]

    def line(fields):
        return ("  " + "  ".join(f"{text:<{width}}" if i in section.left else f"{text:>{width}}" for i, (text, width) in
                                 enumerate(zip(fields, widths)))).rstrip()
    title = section.title + (f" ({number(len(section.rows), 'line')})" if len(section.rows) > 20 else "")
    return [_paint(title, BOLD, colour), *(_wrapped(section.note) if section.note else ()), line(section.header)] + [
        _paint(line(fields), code, colour) for fields, code in zip(section.rows, section.colours)]


def _without_empty_columns(section):
    kept = [i for i in range(len(section.header)) if any(row[i] for row in section.rows)]
    return replace(section, header=[section.header[i] for i in kept],
                   rows=[[row[i] for i in kept] for row in section.rows],
                   left=[new for new, old in enumerate(kept) if old in section.left])


def _paint(text, code, colour):
    return f"\033[{code}m{text}\033[0m" if colour and code else text


def markdown(document):
    out = [f"### ampersand: {headline(document)}", "", *(f"- {_escape(line)}" for line in runs(document)), ""]
    if document["differences"]:
        out += _pipes(facts(document))
    if document["status"] == "refused":
        return "\n".join(out).rstrip("\n") + "\n"
    for one in sections(document):
        out += _pipes(one)
    out += [f"- {_escape(note)}" for note in notes(document)]
    out += ["", "<details><summary>All rows, and how to read them</summary>", "", *_pipes(all_rows(document)),
            "```", *closing(document), "```", "", "</details>"]
    return "\n".join(out) + "\n"


def _pipes(section):
    section = _without_empty_columns(section)
    rule = ["---" if i in section.left else "---:" for i in range(len(section.header))]
    title = f"**{section.title}**" + (f". {section.note}" if section.note else "")
    lines = [section.header, rule, *section.rows]
    return [title, "", *("| " + " | ".join(map(_escape, line)) + " |" for line in lines), ""]


def _escape(text):
    for mark in "\\|*_`<":
        text = text.replace(mark, "\\" + mark)
    return text


def comma_separated(document):
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    if document["status"] == "refused":
        writer.writerow(("fact", "a", "b"))
        writer.writerows((one["fact"], one["a"], one["b"]) for one in document["differences"])
        return out.getvalue()
    writer.writerow(["row", "control", "code"] + [f"{key}_{part}" for key in FIGURES for part in
                    ("a", "b", "change", "change_low", "change_high", "call")]
                    + ["verdict_a", "verdict_b", "verdict_change", "counts", "failed_a", "failed_b"])
    for row in document["rows"]:
        numbers = []
        for key in FIGURES:
            change = row[key]["change"] or {}
            numbers += [row[key]["a"], row[key]["b"], *(change.get(part) for part in ("estimate", "low", "high")),
                        row[key]["call"]]
        counts = "; ".join(f"{one['side']} {one['quantity']} {one['a']} -> {one['b']}"
                           for one in row["counts"]["changes"])
        writer.writerow([row["row"], row["control"], row["code"], *numbers, *row["verdict"].values(),
                         counts or counts_word(row["counts"]),
                         *((row["failed"][run] or {}).get("reason") for run in "ab")])
    return out.getvalue()
