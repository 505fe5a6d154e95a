# SPDX-License-Identifier: MIT
"""A summary.json of pairs as types: its form is here, its numbers come from summary.py, its sentences from
words/pair_sentences.py. read() and document() are the only way from the file and to it.

What older runs do not say has a default (records.ABSENT where nothing stands for it). Times are in ns, sizes in the
unit of the pair, ratios pointer/value: above 1 the value side is faster. None is null: not measured, or no interval."""

from dataclasses import dataclass

from plots.files import records
from plots.files.records import ABSENT, Absent
from plots.judge.numbers import exponentials

SIDES = ("value", "pointer")


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A ratio, or ns an operation: the median over launches and its interval from order statistics."""
    estimate: float | None
    low: float | None  # None: too few launches
    high: float | None

    @property
    def has_interval(self):
        return self.low is not None

    @property
    def ends(self):
        return self.low, self.high


def estimate_of(ln):
    """The Estimate of one in ln units (statistics.Estimate)."""
    return Estimate(**exponentials(**vars(ln)))


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Of the ratio over layouts, and how well the launches know both of its ends."""
    p10: float
    p90: float
    p10_low: float | None | Absent = ABSENT
    p10_high: float | None | Absent = ABSENT
    p90_low: float | None | Absent = ABSENT
    p90_high: float | None | Absent = ABSENT

    @property
    def ends(self):
        return self.p10, self.p90


@dataclass(frozen=True, kw_only=True)
class Design:
    """How the layouts were chosen."""
    kind: str  # full factorial, orthogonal array
    error: float  # of the headline, in ln units: what an orthogonal array cannot tell apart


@dataclass(frozen=True, kw_only=True)
class Stopped:
    """Why a row has no more launches (stopping.py)."""
    look: int
    of: int
    why: str


@dataclass(frozen=True, kw_only=True)
class Solo:
    """Each side alone, at the same layouts."""
    launches: int
    ratio: Estimate
    paired_ratio: float
    difference: Estimate  # paired by solo, a ratio of ratios
    carry_over: bool | None  # False: within the threshold for certain; None: not told (in older runs False, too)


@dataclass(frozen=True, kw_only=True)
class SideCounts:
    """Exact; a quantity that differs between launches is None."""
    allocs_per_op: float | None
    asked_b_per_op: float | None
    granted_b_per_op: float | None
    peak_b: float | None
    stack_reserved_b_per_op: int | None | Absent = ABSENT  # None: the stack pointer could not be followed
    stack_touched_b_per_op: int | None | Absent = ABSENT


@dataclass(frozen=True, kw_only=True)
class Counts:
    status: str  # exact, differs, refused, missing
    detail: str | None  # why it is not exact; of summary.py statistics.Differences, for which words stand later
    value: SideCounts | None
    pointer: SideCounts | None

    @property
    def known(self):
        return self.status not in ("refused", "missing")


@dataclass(frozen=True, kw_only=True)
class SideCounters:
    """What a side executes an operation; None: nobody can tell."""
    instructions: float | None
    loads: float | None
    stores: float | None
    branches: float | None
    branch_misses: float | None
    cache_misses: float | None  # of data, in the first level


@dataclass(frozen=True, kw_only=True)
class Counters:
    source: str  # processor, valgrind
    value: SideCounters
    pointer: SideCounters


@dataclass(frozen=True, kw_only=True)
class Copy:
    """What one operation copies in one way, by the compiled code."""
    how: str  # moves, vector moves, rep movs, call of memcpy, not told
    bytes: int | None = None
    moves: int | None = None
    width_b: int | None = None  # of a move
    why: str | Absent = ABSENT  # it is not told


@dataclass(frozen=True, kw_only=True)
class Copies:
    """Empty: none, or in registers."""
    value: tuple[Copy, ...]
    pointer: tuple[Copy, ...]


@dataclass(frozen=True, kw_only=True)
class InRegisters:
    """What calls get in registers, loaded from memory, by the compiled code."""
    bytes: int
    moves: int


@dataclass(frozen=True, kw_only=True)
class Handed:
    """Each side has one, or none."""
    value: tuple[InRegisters, ...]
    pointer: tuple[InRegisters, ...]


@dataclass(frozen=True, kw_only=True)
class Wait:
    """A load that no single store can serve, by the compiled code."""
    load_b: int
    store_b: int  # of the last store to a part of what is loaded


@dataclass(frozen=True, kw_only=True)
class Waits:
    value: tuple[Wait, ...]
    pointer: tuple[Wait, ...]


@dataclass(frozen=True, kw_only=True)
class Placed:
    """Why some places of its code make a side slower."""
    side: str
    slower: float  # in the layouts that have it, on average, as a fraction
    layouts: int  # that have it
    of: int
    explains: float  # of the variance of the side's times over the layouts
    reaches: tuple[str, ...]  # what is so there, in words; more than one: the same layouts have all of it


@dataclass(frozen=True, kw_only=True)
class Why:
    """What makes the sides differ."""
    counters: Counters | None = None
    not_counted: str | Absent = ABSENT  # why there are no counters
    copies: Copies | None = None
    handed: Handed | Absent = ABSENT  # of runs whose tables of layouts tell of any
    waits: Waits | Absent = ABSENT  # of runs whose tables of layouts tell of some
    code_not_read: str | Absent = ABSENT  # why there are no copies and no placement
    placement: tuple[Placed, ...] | Absent = ABSENT  # of rows with a wide spread, where the code was read
    sentence: str | None = None  # None: no fact shows it


@dataclass(frozen=True, kw_only=True)
class AllocatingLine:
    """A line of a side that allocates."""
    function: str | None
    file: str | None  # without its folder
    line: int  # 0: unknown
    bytes_per_op: float  # as asked
    allocs_per_op: float
    others: int | Absent = ABSENT  # so many lines together, that have no line of their own here


@dataclass(frozen=True, kw_only=True)
class Allocating:
    value: tuple[AllocatingLine, ...]  # with most bytes first
    pointer: tuple[AllocatingLine, ...]
    not_recorded: str | Absent = ABSENT  # why both are empty


@dataclass(frozen=True, kw_only=True)
class Failed:
    kind: str | Absent = ABSENT  # of launch: paired, counts, solo
    reason: str
    detail: str


@dataclass(frozen=True, kw_only=True)
class Disturbed:
    """What else ran on the core while a row was measured. Its answer is that on a quiet core."""
    share: float  # of the blocks of all of its launches
    kept: float  # of the blocks of those that take part
    ratio_with: Estimate | None  # of all launches, with everything that was disturbed


@dataclass(frozen=True, kw_only=True)
class ByTurns:
    """What a row reads by turns, where its answer is that of each side alone."""
    value_ns_per_op: Estimate
    pointer_ns_per_op: Estimate
    ratio: Estimate
    spread: Spread
    outside_spread: str | None | Absent = ABSENT
    verdict: str
    equal_within: float | None


@dataclass(frozen=True, kw_only=True)
class Row:
    """A pair at one size. Times, ratio, spread and verdict are the row's answer: by turns, or alone."""
    row: str  # pair/size=n
    pair: str
    size: int
    lesson: str
    question: str
    launches: int
    left_out: int  # launches that something else on the core disturbed
    lost: int = 0  # launches that ended badly twice
    disturbed: Disturbed | None | Absent = ABSENT
    layouts: int
    value_ns_per_op: Estimate | None = None
    pointer_ns_per_op: Estimate | None = None
    ratio: Estimate | None = None
    spread: Spread | None = None
    outside_spread: str | None | Absent = ABSENT  # why the ratio lies there; None: it lies within
    paired: ByTurns | Absent = ABSENT  # the sides carry over: the answer is that of each alone
    design: Design | Absent = ABSENT
    difference_ns: Estimate | None | Absent = ABSENT  # pointer less value, an operation
    verdict: str
    equal_within: float | None
    small: bool | None | Absent = ABSENT  # the winner's advantage (stats/worth.py); None: no winner
    stopped: Stopped
    sentence: str | None = None
    solo: Solo | None
    counts: Counts
    failed: Failed | None
    why: Why | None | Absent = ABSENT  # of runs with counters.json, or whose tables of layouts tell of the code
    allocating: Allocating | Absent = ABSENT  # of rows that allocate, in runs with allocations.json
    observable: bool | None | Absent = ABSENT  # whether this machine can show the effect; None: not known
    labels: dict[str, str] | Absent = ABSENT  # {side: its name}, where the lesson names them otherwise
    truth: float | Absent = ABSENT  # of a control pair: the true ratio, known by construction

    @property
    def by_turns(self):
        """What its paired launches read: the row itself, unless its answer is that of each side alone."""
        return self.paired or self

    def ns_per_op(self, side):
        return getattr(self, f"{side}_ns_per_op")

    def name_of(self, side):
        """What the side is called where it is shown."""
        return self.labels.get(side, side) if self.labels else side

    def counted(self, side):
        return getattr(self.counts, side)


@dataclass(frozen=True, kw_only=True)
class Floor:
    """What a pair reads whose sides are the same."""
    row: str
    ratio: Estimate | None
    spread: Spread | None


@dataclass(frozen=True, kw_only=True)
class Neighbours:
    """In how many of all blocks something else was on the core, after all attempts, and how many launches it cost."""
    blocks: int
    disturbed: int
    launches: int
    left_out: int


@dataclass(frozen=True, kw_only=True)
class Crossing:
    """The winner changes between two sizes that were measured, low and high; probably near the estimate. In older runs
    low and high are the ends of a bootstrap interval, None where there was none."""
    estimate: float
    low: float | None
    high: float | None
    faster_below: str


@dataclass(frozen=True, kw_only=True)
class Crossover:
    """Of a pair over its sizes."""
    pair: str
    sizes: tuple[Crossing, ...]
    sentence: str | None = None


@dataclass(frozen=True, kw_only=True)
class GeometricMean:
    pair: str
    ratio: float | None


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What a lesson says of some sizes of a pair, held against the run's rows (claims.py)."""
    pair: str
    text: str
    faster: str  # value, pointer, neither
    from_size: int
    to_size: int  # 0: no end
    rows: int  # that it is about
    holds: bool | None  # None: no row decides it
    against: tuple[str, ...]  # the rows that contradict it


@dataclass(frozen=True, kw_only=True)
class Rule:
    threshold: float  # the least difference worth a word, as a fraction
    confidence: float
    correction: str
    interval: str
    launches_needed: int | Absent = ABSENT  # for an interval
    stopping: str | None | Absent = ABSENT
    carry_over_threshold: float | Absent = ABSENT


@dataclass(frozen=True, kw_only=True)
class Summary:
    schema: str = "ampersand/summary/1"
    quick: bool
    configuration: str
    rule: Rule
    floors: dict[str, Floor | None]
    neighbours: Neighbours
    compiled: str | Absent = ABSENT
    rows: tuple[Row, ...]
    crossovers: tuple[Crossover, ...]
    geometric_mean: tuple[GeometricMean, ...]
    claims: tuple[Claim, ...] | Absent = ABSENT  # older runs declare none

    @property
    def pairs(self):
        """{pair: its rows}, in the run's order."""
        found = {}
        for row in self.rows:
            found.setdefault(row.pair, []).append(row)
        return found

    @property
    def unsound(self):
        """Whether a row failed or its counts differ between launches: exit status 1."""
        return any(row.failed or row.counts.status == "differs" for row in self.rows)


def read(document):
    """A Summary from the JSON of a summary.json that follows its schema."""
    return records.read(Summary, document)


def document(summary):
    """The JSON of summary.json."""
    return records.write(summary)
