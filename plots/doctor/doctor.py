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
from pathlib import Path

import numpy as np
from scipy import special

from plots.doctor import doctor_measure
from plots.program.errors import Refused
from plots.words import machine_text, quantity, screen
from plots.words.table import of_texts

NEAR = 0.002  # of the true ratio: 0.2 percentage points
WANTED = 0.95  # of the launches as near as that
OF_MEMORY = ("known_misses",)  # waits for memory, which others use as well: told apart


def error_row(name, result):
    errors = np.abs(result.ln_ratios)
    return {"method": name, "launches": len(errors), "median": float(np.median(errors)),
            "p90": float(np.percentile(errors, 90)), "max": float(errors.max()), "seconds": result.seconds}


def known_row(pair, result):
    """How far the ratio that each launch read is from the true one, in percentage points."""
    off = np.expm1(result.ln_ratios) - result.truth
    return {"pair": pair, "of_memory": pair in OF_MEMORY, "truth": result.truth, "launches": len(off),
            "median": float(np.median(off)) + result.truth, "median_off": float(np.median(off)),
            "p95_off": float(np.percentile(np.abs(off), 95)),
            "within_0.2_point": float((np.abs(off) <= NEAR).mean())}


def together(rows):
    """{"others", "memory": how near the known rows of a kind were read, and the worst of them}."""
    kinds = {"others": [row for row in rows if not row["of_memory"]],
             "memory": [row for row in rows if row["of_memory"]]}
    return {kind: _near(mine) for kind, mine in kinds.items() if mine}


def _near(rows):
    launches = sum(row["launches"] for row in rows)
    worst = min(rows, key=lambda row: row["within_0.2_point"])
    return {"launches": launches, "worst": worst["pair"], "worst_within_0.2_point": worst["within_0.2_point"],
            "within_0.2_point": sum(row["within_0.2_point"] * row["launches"] for row in rows) / launches}


def placement_row(google, designs):
    outside = [interval.low > 0 or interval.high < 0 for interval in designs]
    return {
        "google_pairs": len(google), "google_different": sum(one.p_value < 0.05 for one in google),
        "google_apart": float(np.median([abs(one.ln_ratio) for one in google])),
        "designs": len(designs), "intervals_without_1": sum(outside),
        "headline_off": float(np.median([abs(interval.estimate) for interval in designs])),
        "headline_off_max": float(max(abs(interval.estimate) for interval in designs)),
    }


def chance(placement):
    """What to think of the number of intervals that leave out 1."""
    outside = placement["intervals_without_1"]
    expected = placement["designs"] * doctor_measure.MISSES
    if not outside:
        return f"{expected:.1f} expected"
    p = float(special.bdtrc(outside - 1, placement["designs"], doctor_measure.MISSES))
    more = f"{expected:.1f} expected; so many or more by chance: {quantity.percent(p)}"
    return more if p >= 0.05 else (
        f"{more}: intervals are probably too narrow here, by luck that the layouts do not cover")


def measure(bench, launches, designs, seed, say):
    """All of the proof, under whatever load there is."""
    say("identical code at one address, differences that are known")
    paired = bench.paired("^(null|known_[a-z]+)/", launches)
    methods = [error_row("paired rounds", paired["null"])]
    for name, interleaved in (("Google Benchmark, one side after the other", False),
                              ("Google Benchmark, randomly interleaved", True)):
        methods.append(error_row(name, bench.google("^null/", launches, interleaved)))
    say("two identical functions, many placements")
    placement = placement_row(bench.google_placements("^null_placed/", launches),
                              bench.designs("null_placed", designs, seed))
    known = [known_row(pair, result) for pair, result in paired.items() if result.truth is not None]
    return {"methods": methods, "known": known, "known_together": together(known), "placement": placement}


def show(result, condition, on=screen.PIPE):
    """Lines."""
    methods = [(row["method"], *(quantity.percent(row[key]) for key in ("median", "p90", "max")),
                quantity.time(row["seconds"] * 1e9)) for row in result["methods"]]
    row = result["placement"]
    google = (f"Google Benchmark, 10 repetitions and U test, one binary: {row['google_different']} of "
              f"{row['google_pairs']} placements called different, "
              f"{quantity.percent(row['google_apart'])} apart in the median")
    ours = (f"ampersand, 6 launches over a design of {doctor_measure.LAYOUTS}: {row['intervals_without_1']} of "
            f"{row['designs']} intervals leave out 1 ({chance(row)}); headline {quantity.percent(row['headline_off'])} "
            f"from 1 in the median, {quantity.percent(row['headline_off_max'])} at most")
    identical = of_texts(("method", "median", "p90", "max", "a launch"), methods, (0,),
                         title=f"Identical code on both sides, {condition}: |ln ratio| of a launch, which should be 0")
    lines = identical.terminal(on, indent=2) + [""]
    lines += show_known(result, f"{condition}: what a launch of paired rounds reads", on) + [""]
    lines.append(on.paint(f"Two identical functions, {condition}: any difference is the linker's", screen.BOLD))
    return lines + [line for sentence in (google, ours) for line in on.wrapped(sentence, "  ", "    ")]


def of_run(folder):
    """The known part of measure()'s result, of the launches that a run has."""
    known = [known_row(pair, result) for pair, result in doctor_measure.known_of(folder).items()]
    return {"known": known, "known_together": together(known)}


def show_known(result, title, on=screen.PIPE):
    """Lines: each known pair, and how many launches read it well."""
    known = [(row["pair"], quantity.level(row["truth"]), quantity.percent(row["median"]),
              _points(row["median_off"], signed=True), _points(row["p95_off"]),
              f"{quantity.percent(row['within_0.2_point'])} of {quantity.count(row['launches'])}")
             for row in sorted(result["known"], key=lambda row: row["of_memory"])]
    titles = ("pair", "truth", "median", "median off", "95 % of launches within", "within 0.2 point")
    lines = of_texts(titles, known, (0,), title=f"Known differences, {title}").terminal(on, indent=2)
    return lines + [line for name, one in result["known_together"].items()
                    for line in on.wrapped(_together(name, one), "  ", "    ")]


def _points(x, signed=False):
    return f"{quantity.percent(x, signed).removesuffix(' %')} points"


def _together(name, one):
    words = "What waits for memory" if name == "memory" else "All that does not wait for memory"
    worst = (f"; the worst: {one['worst']}, {quantity.percent(one['worst_within_0.2_point'])}"
             if name == "others" else "")
    reached = "" if name == "memory" else (
        f" ({quantity.level(WANTED)} wanted{'' if one['within_0.2_point'] >= WANTED else ': missed'})")
    return (f"{words}: {quantity.percent(one['within_0.2_point'])} of {quantity.count(one['launches'])} launches "
            f"within 0.2 point{reached}{worst}")


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
    print(json.dumps({"run": str(args.run), **result}, indent=2) if args.format == "json"
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
        print(json.dumps({**about, "warnings": warnings, "measured": results}, indent=2))
    return 0
