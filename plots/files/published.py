# SPDX-License-Identifier: MIT
"""A published run: its judgements and launches.csv.gz, without what they were made from.

    manifest.json summary.json bench.txt figures/ report.html    as of any run
    launches.csv.gz                                              a number for each launch and layout (launches_csv.py)

A folder that has a journal, or anything that was measured, is a run of its own, whole or damaged, and none of these."""

from plots.files import strict_json
from plots.program.errors import Refused

RAW = ("journal.jsonl", "launches", "counts", "solo", "timelines")
TABLES = ("launches.csv.gz", "launches.csv")


def is_published(folder):
    return (folder / "summary.json").exists() and not any((folder / name).exists() for name in RAW)


def table(folder):
    """Where its launches are; None where they were not published."""
    return next((folder / name for name in TABLES if (folder / name).exists()), None)


def summary(folder, configuration):
    """The JSON of its summary.json."""
    path = folder / "summary.json"
    document = strict_json.load(path, "summary")
    if document["configuration"] != configuration:
        raise Refused(folder, f"published under the configuration {document['configuration']}, not {configuration}")
    return document


def refuse_published(folder):
    """Of a run over allocators, whose cells cannot be judged again."""
    if is_published(folder):
        raise Refused(folder, "a published run, without its raw rounds: it can be read and checked, but not judged, "
                      "reported or compared again")
