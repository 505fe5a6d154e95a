# SPDX-License-Identifier: MIT
"""A summary.json of allocator configurations as types: its form is here, its numbers come from judging.py, its
sentences from words/allocator_sentences.py. read() and document() are the only way from the file and to it.

A ratio is to the baseline: below 1 is less, which is better. None is null: not measured, or no interval."""

from dataclasses import dataclass

from plots.files import records
from plots.judge.pair_summary import Crossing, Estimate


@dataclass(frozen=True, kw_only=True)
class Rule:
    rate: float  # of wrong decisions among the cells that are decided
    least: float  # the smallest difference worth a word, as a fraction
    equal_within: tuple[float, ...]
    correction: str
    interval: str


@dataclass(frozen=True, kw_only=True)
class Decided:
    """Of a metric's table: how many of its cells are decided."""
    name: str  # of metrics.BY_NAME
    title: str
    unit: str
    cells: int
    decided: int
    confidence: float  # of each interval
    launches_needed: int
    again_cells: int  # of the A/A column
    again_different: int


@dataclass(frozen=True, kw_only=True)
class Column:
    """A configuration, as files/allocator_run.py has it."""
    configuration: str
    purpose: str
    allocator: str
    paste: str
    state: str
    reason: str | None
    provenance: dict | None


@dataclass(frozen=True, kw_only=True)
class Ranked:
    configuration: str
    tied: bool  # it is in the top group


@dataclass(frozen=True, kw_only=True)
class Work:
    workload: str
    kind: str
    purpose: str
    operation: str
    threads: int
    floors: dict[str, float]  # {metric: as a fraction}
    ranking: tuple[Ranked, ...]  # best first
    pick: str | None  # the plainest of the top group
    sentence: str | None = None


@dataclass(frozen=True, kw_only=True)
class Number:
    """A metric of a cell."""
    launches: int
    value: Estimate  # in the metric's unit
    ratio: Estimate | None
    decision: str
    equal_within: float | None

    @property
    def place(self):
        """Where it stands among the others: its ratio, that of the baseline being 1."""
        return self.ratio.estimate if self.ratio else 1.0


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A configuration in a workload, as files/allocator_run.py has it."""
    configuration: str
    workload: str
    state: str
    reason: str | None
    launches: int
    lost: int = 0
    disturbed: int
    apart: int  # launches whose threads ran on CPUs at another distance than the baseline's
    metrics: dict[str, Number]


@dataclass(frozen=True, kw_only=True)
class Winner:
    size: int
    faster: str | None  # None: neither side for certain


@dataclass(frozen=True, kw_only=True)
class Crossover:
    """Of a pair over its sizes, with one configuration (stats/crossover.py)."""
    pair: str
    configuration: str
    state: str
    faster: str | None
    sentence: str | None = None
    smallest: int
    largest: int
    winners: tuple[Winner, ...]
    sizes: tuple[Crossing, ...]


@dataclass(frozen=True, kw_only=True)
class Summary:
    schema: str = "ampersand/allocators-summary/1"
    quick: bool
    baseline: str
    again: str | None  # the A/A column
    rule: Rule
    metrics: tuple[Decided, ...]
    columns: tuple[Column, ...]
    workloads: tuple[Work, ...]
    cells: tuple[Cell, ...]
    crossovers: tuple[Crossover, ...]

    @property
    def out(self):
        """The columns without numbers."""
        return [column for column in self.columns if column.state != "in force"]

    def cells_of(self, work):
        return [cell for cell in self.cells if cell.workload == work.workload]

    def decided(self, metric):
        return next(one for one in self.metrics if one.name == metric.name)


def read(document):
    """A Summary from the JSON of a summary.json that follows its schema."""
    return records.read(Summary, document)


def document(summary):
    """The JSON of summary.json."""
    return records.write(summary)
