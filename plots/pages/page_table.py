# SPDX-License-Identifier: MIT
"""A Table as the pages' template draws it: headings, and rows of cells with what they are sorted by."""

LONG = 40  # letters: a cell of words that is longer is wrapped


def of(table, verdict=lambda row: "", wrong=lambda row: False, classes=lambda row, column: ""):
    """`verdict`: by what the rows are filtered; `classes`: more of a cell's."""
    return {"columns": [{"name": column.title.replace("pointer/", "pointer/\u200b"), "words": column.words}
                        for column in table.titled()],
            "rows": [{"cells": list(_cells(table, row, classes)), "verdict": verdict(row),
                      "kind": "wrong" if wrong(row) else ""} for row in table.rows]}


def _cells(table, row, classes):
    reason = table.instead(row)
    for i, column in enumerate(table.titled()):
        if not reason or i < table.kept:
            key = column.value(row) if column.value else None
            text, key = column.shown(row), key if isinstance(key, (int, float)) else None
            words = ["words"] * column.words + ["long"] * (column.words and len(text) > LONG)
        else:
            text, key, words = (reason, None, ["words", "long"]) if i == table.kept else ("-", None, [])
        more = classes(row, column) if not reason or i <= table.kept else ""
        yield {"text": text, "key": key, "classes": " ".join([*words, more]).strip()}
