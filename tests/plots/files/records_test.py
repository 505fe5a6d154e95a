# SPDX-License-Identifier: MIT
"""Dataclasses from JSON and back."""
import json
from dataclasses import dataclass, field

import pytest

from places import ROOT
from plots.files import records
from plots.files.records import ABSENT, Absent
from plots.judge import pair_summary


@dataclass(frozen=True, kw_only=True)
class Leaf:
    n: float | None
    late: bool | None | Absent = ABSENT


@dataclass(frozen=True, kw_only=True)
class Tree:
    leaf: Leaf | None
    old: int = 0
    leaves: tuple[Leaf, ...] = ()
    named: dict[str, Leaf | None] | Absent = ABSENT


@dataclass(frozen=True, kw_only=True)
class Dotted:
    within: float = field(metadata={"key": "within_0.2_point"})


def test_a_key_that_is_no_word_of_python():
    assert records.read(Dotted, {"within_0.2_point": 0.5}) == Dotted(within=0.5)
    assert records.write(Dotted(within=0.5)) == {"within_0.2_point": 0.5}


PLAIN = {"leaf": None, "old": 0, "leaves": []}
CASES = [
    ("nothing that may be missing", {"leaf": None}, Tree(leaf=None), PLAIN),
    ("null is not absent", {"leaf": {"n": None, "late": None}}, Tree(leaf=Leaf(n=None, late=None)),
     PLAIN | {"leaf": {"n": None, "late": None}}),
    ("a list", {"leaf": None, "leaves": [{"n": 1}, {"n": 2.5, "late": False}]},
     Tree(leaf=None, leaves=(Leaf(n=1), Leaf(n=2.5, late=False))),
     PLAIN | {"leaves": [{"n": 1}, {"n": 2.5, "late": False}]}),
    ("by name", {"leaf": None, "named": {"a": {"n": 1}, "b": None}}, Tree(leaf=None, named={"a": Leaf(n=1), "b": None}),
     PLAIN | {"named": {"a": {"n": 1}, "b": None}}),
    ("a newer key", {"leaf": {"n": 1, "newer": [1]}, "more": 2}, Tree(leaf=Leaf(n=1)), PLAIN | {"leaf": {"n": 1}}),
]


@pytest.mark.parametrize("name, document, record, written", CASES, ids=[case[0] for case in CASES])
def test_read_and_written(name, document, record, written):
    assert records.read(Tree, document) == record
    assert json.dumps(records.write(record)) == json.dumps(written), "the order of keys is that of the fields"
    assert records.read(Tree, written) == record


def test_what_must_be_there_is_asked_for():
    with pytest.raises(TypeError, match="leaf"):
        records.read(Tree, {})


def test_the_published_run_is_read_whole():
    """Every key of the published summary has a field, and comes back as it was."""
    text = (ROOT / "results/reference/summary.json").read_text()
    document = json.loads(text)
    again = pair_summary.document(pair_summary.read(document))
    for row in (*document["rows"], *again["rows"]):
        row.setdefault("lost", 0)  # which older runs do not say
    assert again == document
