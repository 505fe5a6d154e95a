# SPDX-License-Identifier: MIT
"""A comparison of two runs as types: its form is here, its numbers come from compare_runs.py, its sentences from
words/comparison_text.py. records.write() makes the JSON of it.

`a` is of the run before, `b` of the run after. A change is b/a: 1.05 is five percent slower, or a ratio five percent
higher. None is null: not known, or not measured."""

from dataclasses import dataclass

from plots.files.records import ABSENT, Absent
from plots.judge.pair_summary import Estimate, Failed

TIMES = {"value": "value_ns_per_op", "pointer": "pointer_ns_per_op"}
FIGURES = (*TIMES.values(), "ratio")


@dataclass(frozen=True, kw_only=True)
class Fact:
    """A condition in which the runs differ; None: a run does not say."""
    fact: str
    a: object
    b: object


@dataclass(frozen=True, kw_only=True)
class About:
    """A run."""
    folder: str
    created: str
    configuration: str
    quick: bool
    launches: int
    load_1min: float | None


@dataclass(frozen=True, kw_only=True)
class Rule:
    threshold: float  # the least change worth a word, as a fraction
    confidence: float
    launches_needed: int  # of each run
    correction: str
    interval: str


@dataclass(frozen=True, kw_only=True)
class Range:
    """From the least to the greatest change, 1 always within."""
    low: float
    high: float

    @property
    def ends(self):
        return self.low, self.high


@dataclass(frozen=True, kw_only=True)
class Drift:
    """How far the control rows moved, which cannot have changed; None: the runs share none."""
    controls: int
    times: Range | None
    ratios: Range | None


@dataclass(frozen=True, kw_only=True)
class Figure:
    """ns an operation, or a ratio: the trimmed means of both runs, and the change."""
    a: float | None
    b: float | None
    change: Estimate | None
    call: str  # what may be said of the change (compare_runs.call())


@dataclass(frozen=True, kw_only=True)
class Verdicts:
    a: str
    b: str
    change: str | None  # flipped: decided for opposite sides; class: any other change


@dataclass(frozen=True, kw_only=True)
class Failures:
    a: Failed | None
    b: Failed | None

    @property
    def of_one(self):
        return bool(self.a) != bool(self.b)


@dataclass(frozen=True, kw_only=True)
class CountChange:
    """An exact count that differs; None: it differs between the launches of that run."""
    side: str
    quantity: str  # a field of pair_summary.SideCounts
    a: float | None
    b: float | None


@dataclass(frozen=True, kw_only=True)
class Counts:
    a: str  # a status, as in pair_summary.Counts
    b: str
    changes: tuple[CountChange, ...]


@dataclass(frozen=True, kw_only=True)
class Changed:
    """What changed for certain."""
    what: str  # a figure, verdict, counts, failed
    percent: float | None  # None: any change is one too many


@dataclass(frozen=True, kw_only=True)
class Row:
    row: str
    pair: str
    size: int
    lesson: str
    control: bool
    labels: dict[str, str] | Absent = ABSENT  # {side: its name}, where the lesson names them otherwise
    value_ns_per_op: Figure
    pointer_ns_per_op: Figure
    ratio: Figure
    verdict: Verdicts
    failed: Failures
    counts: Counts
    changes: tuple[Changed, ...]
    measured: str  # alone, by turns
    code: str  # of its lesson: same, changed, unknown
    same_layouts: bool

    @property
    def figures(self):
        return [getattr(self, key) for key in FIGURES]

    @property
    def times(self):
        """[(side, its Figure)]"""
        return [(side, getattr(self, key)) for side, key in TIMES.items()]

    def name_of(self, side):
        """What the side is called where it is shown."""
        return self.labels.get(side, side) if self.labels else side


@dataclass(frozen=True, kw_only=True)
class Comparison:
    schema: str = "ampersand/comparison/1"
    status: str  # compared, refused: then what follows the differences is ABSENT
    across: bool
    quick: bool  # either run is: no verdicts
    a: About
    b: About
    same_run: bool
    differences: tuple[Fact, ...]
    rule: Rule | Absent = ABSENT
    drift: Drift | Absent = ABSENT
    code: dict[str, str] | Absent = ABSENT  # {lesson: as in a row}
    only_in_a: tuple[str, ...] | Absent = ABSENT  # rows
    only_in_b: tuple[str, ...] | Absent = ABSENT
    rows: tuple[Row, ...] | Absent = ABSENT

    @property
    def refused(self):
        return self.status == "refused"
