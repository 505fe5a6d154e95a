# SPDX-License-Identifier: MIT
"""What this machine does to measurements, and how true a ratio is on it.

First the facts, with a warning for each that is known to harm. Then the proof, by pairs whose true ratio is known:
the same function on both sides; dependent chains that differ by 0.5, 1 and 5 %; loads, stores, branches, misses and
allocations that differ by 2 %; and two identical functions at other places. They are measured by paired rounds and, in
the same minutes and with as much time, by Google Benchmark's repetitions."""

import json
import os
import secrets
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy import special

from plots.doctor import doctor_measure
from plots.files import records
from plots.files.records import ABSENT, Absent
from plots.program.errors import Refused
from plots.words import machine_text, quantity, screen
from plots.words.table import of_texts

NEAR = 0.002  # of the true ratio: 0.2 percentage points
WANTED = 0.95  # of the launches as near as that
OF_MEMORY = ("known_misses",)  # waits for memory, which others use as well: told apart


def keyed(key="within_0.2_point"):
    return field(metadata={"key": key})


@dataclass(frozen=True)
class Errors:
    """|ln ratio| of launches whose true ratio is 1."""
    method: str
    launches: int
    median: float
    p90: float
    max: float
    seconds: float


@dataclass(frozen=True)
class Known:
    """How far the ratio that each launch read is from the true one, in percentage points."""
    pair: str
    of_memory: bool
    truth: float
    launches: int
    median: float
    median_off: float
    p95_off: float
    within: float = keyed()


@dataclass(frozen=True)
class Near:
    """How near the launches of some known pairs were read."""
    launches: int
    worst: str
    worst_within: float = keyed("worst_within_0.2_point")
    within: float = keyed()


@dataclass(frozen=True)
class Placement:
    """Two identical functions, at other places each time."""
    google_pairs: int
    google_different: int
    google_apart: float
    designs: int
    intervals_without_1: int
    headline_off: float
    headline_off_max: float


@dataclass(frozen=True, kw_only=True)
class Measured:
    """The proof; of a run only what it read of known pairs."""
    methods: tuple[Errors, ...] | Absent = ABSENT
    known: tuple[Known, ...]
    known_together: dict[str, Near]
    placement: Placement | Absent = ABSENT


def errors_of(name, result):
    errors = np.abs(result.ln_ratios)
    return Errors(name, len(errors), float(np.median(errors)), float(np.percentile(errors, 90)), float(errors.max()),
                  result.seconds)


def known_of(pair, result):
    off = np.expm1(result.ln_ratios) - result.truth
    return Known(pair, pair in OF_MEMORY, result.truth, len(off), float(np.median(off)) + result.truth,
                 float(np.median(off)), float(np.percentile(np.abs(off), 95)), float((np.abs(off) <= NEAR).mean()))


def together(known):
    """{"others", "memory": the Near of a kind}."""
    kinds = {"others": [one for one in known if not one.of_memory], "memory": [one for one in known if one.of_memory]}
    return {kind: _near(mine) for kind, mine in kinds.items() if mine}


def _near(known):
    launches = sum(one.launches for one in known)
    worst = min(known, key=lambda one: one.within)
    return Near(launches, worst.pair, worst.within, sum(one.within * one.launches for one in known) / launches)


def placement_of(google, designs):
    off = [abs(interval.estimate) for interval in designs]
    return Placement(
        google_pairs=len(google), google_different=sum(one.p_value < 0.05 for one in google),
        google_apart=float(np.median([abs(one.ln_ratio) for one in google])), designs=len(designs),
        intervals_without_1=sum(interval.low > 0 or interval.high < 0 for interval in designs),
        headline_off=float(np.median(off)), headline_off_max=float(max(off)))


def chance(outside, designs):
    """What to think of so many intervals that leave out 1."""
    expected = designs * doctor_measure.MISSES
    if not outside:
        return f"{expected:.1f} expected"
    p = float(special.bdtrc(outside - 1, designs, doctor_measure.MISSES))
    more = f"{expected:.1f} expected; so many or more by chance: {quantity.percent(p)}"
    return more if p >= 0.05 else (
        f"{more}: intervals are probably too narrow here, by luck that the layouts do not cover")


def measure(bench, launches, designs, seed, say):
    """The Measured, under whatever load there is."""
    say("identical code at one address, differences that are known")
    paired = bench.paired("^(null|known_[a-z]+)/", launches)
    methods = [errors_of("paired rounds", paired["null"])]
    for name, interleaved in (("Google Benchmark, one side after the other", False),
                              ("Google Benchmark, randomly interleaved", True)):
        methods.append(errors_of(name, bench.google("^null/", launches, interleaved)))
    say("two identical functions, many placements")
    placement = placement_of(bench.google_placements("^null_placed/", launches),
                             bench.designs("null_placed", designs, seed))
    known = [known_of(pair, result) for pair, result in paired.items() if result.truth is not None]
    return Measured(methods=tuple(methods), known=tuple(known), known_together=together(known), placement=placement)


def show(result, condition, on=screen.PIPE):
    """Lines."""
    methods = [(one.method, *map(quantity.percent, (one.median, one.p90, one.max)), quantity.time(one.seconds * 1e9))
               for one in result.methods]
    found = result.placement
    google = (f"Google Benchmark, 10 repetitions and U test, one binary: {found.google_different} of "
              f"{found.google_pairs} placements called different, {quantity.percent(found.google_apart)} apart in the "
              "median")
    ours = (f"ampersand, 6 launches over a design of {doctor_measure.LAYOUTS}: {found.intervals_without_1} of "
            f"{found.designs} intervals leave out 1 ({chance(found.intervals_without_1, found.designs)}); headline "
            f"{quantity.percent(found.headline_off)} from 1 in the median, {quantity.percent(found.headline_off_max)} "
            "at most")
    identical = of_texts(("method", "median", "p90", "max", "a launch"), methods, (0,),
                         title=f"Identical code on both sides, {condition}: |ln ratio| of a launch, which should be 0")
    lines = identical.terminal(on, indent=2) + [""]
    lines += show_known(result, f"{condition}: what a launch of paired rounds reads", on) + [""]
    lines.append(on.paint(f"Two identical functions, {condition}: any difference is the linker's", screen.BOLD))
    return lines + [line for sentence in (google, ours) for line in on.wrapped(sentence, "  ", "    ")]


def of_run(folder):
    known = [known_of(pair, result) for pair, result in doctor_measure.known_of(folder).items()]
    return Measured(known=tuple(known), known_together=together(known))


def show_known(result, title, on=screen.PIPE):
    """Lines: each known pair, and how many launches read it well."""
    known = [(one.pair, quantity.level(one.truth), quantity.percent(one.median), _points(one.median_off, signed=True),
              _points(one.p95_off), f"{quantity.percent(one.within)} of {quantity.count(one.launches)}")
             for one in sorted(result.known, key=lambda one: one.of_memory)]
    titles = ("pair", "truth", "median", "median off", "95 % of launches within", "within 0.2 point")
    lines = of_texts(titles, known, (0,), title=f"Known differences, {title}").terminal(on, indent=2)
    return lines + [line for name, one in result.known_together.items()
                    for line in on.wrapped(_together(name, one), "  ", "    ")]


def _points(x, signed=False):
    return f"{quantity.percent(x, signed).removesuffix(' %')} points"


def _together(name, one):
    words = "What waits for memory" if name == "memory" else "All that does not wait for memory"
    worst = f"; the worst: {one.worst}, {quantity.percent(one.worst_within)}" if name == "others" else ""
    reached = "" if name == "memory" else (
        f" ({quantity.level(WANTED)} wanted{'' if one.within >= WANTED else ': missed'})")
    return (f"{words}: {quantity.percent(one.within)} of {quantity.count(one.launches)} launches within 0.2 point"
            f"{reached}{worst}")


def add_arguments(parser):
    parser.add_argument("--build", type=Path, default=Path(os.environ.get("AMPERSAND_BUILD", "build")),
                        help="the build folder (default: AMPERSAND_BUILD, else build)")
    parser.add_argument("--run", type=Path, help="measure nothing: how the launches of this run read its known pairs")
    parser.add_argument("--facts", action="store_true", help="only the facts; measure nothing")
    parser.add_argument("--busy", action="store_true", help="measure again with a busy loop on every CPU")
    parser.add_argument("--launches", type=int, default=40, help="launches of each method (default 40)")
    parser.add_argument("--designs", type=int, default=20, help="how often the null pair is linked anew (default 20)")
    parser.add_argument("--seed", type=int, help="draws these links (default: drawn, and printed)")
    parser.add_argument("--format", choices=["table", "json"], default="table")


def main_of_run(args):
    result = of_run(args.run)
    title = f"{args.run}: what a launch over the whole design reads"
    print(json.dumps({"run": str(args.run), **records.write(result)}, indent=2) if args.format == "json"
          else "\n".join(show_known(result, title, screen.of(sys.stdout))))
    return 0


def main(args):
    if args.launches < 2 or args.designs < 1:
        raise Refused("doctor: --launches wants at least 2 and --designs at least 1")
    if args.run:
        return main_of_run(args)
    bench = doctor_measure.Bench(args.build)
    about = bench.machine()
    table = args.format == "table"
    on, warnings = screen.of(sys.stdout), machine_text.warnings(about["machine"])
    if table:
        print("\n".join(on.definitions(machine_text.facts(about["machine"], about["build"]))))
        print("\n".join(["", *(line for why in warnings for line in on.wrapped(why, "  warning: ", "    ")), ""]))
    seed = secrets.randbelow(2**31) if args.seed is None else args.seed
    if not args.facts:
        print(f"ampersand: doctor: seed {seed}", file=sys.stderr)
    results = {}
    for condition in [] if args.facts else ["as the machine is"] + ["a busy loop on every CPU"] * args.busy:
        def say(what, condition=condition):
            print(f"ampersand: doctor: {condition}: {what}", file=sys.stderr)

        with doctor_measure.busy(len(os.sched_getaffinity(0)) if condition != "as the machine is" else 0):
            results[condition] = measure(bench, args.launches, args.designs, seed, say)
        if table:
            print("\n".join(show(results[condition], condition, on) + [""]), flush=True)
    if not table:
        print(json.dumps({**about, "warnings": warnings, "measured": records.write(results)}, indent=2))
    return 0
