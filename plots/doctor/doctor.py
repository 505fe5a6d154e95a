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

from plots.doctor import doctor_measure
from plots.program.errors import Refused
from plots.words import machine_text, quantity, screen
from plots.words.table import of_texts

# What the pointer side does more of, and by how many percent.
KNOWN = {"known_half": ("steps", 0.5), "known_one": ("steps", 1.0), "known_five": ("steps", 5.0),
         "known_loads": ("loads", 2.0), "known_stores": ("stores", 2.0), "known_malloc": ("malloc, free", 2.0),
         "known_branches": ("mispredicted branches", 2.0), "known_misses": ("cache misses", 2.0)}


def error_row(name, result):
    errors = np.abs(result.ln_ratios)
    return {"method": name, "launches": len(errors), "median": float(np.median(errors)),
            "p90": float(np.percentile(errors, 90)), "max": float(errors.max()), "seconds": result.seconds}


def known_row(pair, result):
    """How far the ratio that each launch read is from the true one, in percentage points."""
    work, truth = KNOWN[pair][0], KNOWN[pair][1] / 100
    off = np.abs(np.expm1(result.ln_ratios) - truth)
    return {"pair": pair, "work": work, "truth": truth, "launches": len(off),
            "median": float(np.median(np.expm1(result.ln_ratios))),
            "p95_off": float(np.percentile(off, 95)), "within_0.2_point": float((off <= 0.002).mean())}


def placement_row(google, designs):
    outside = [interval.low > 0 or interval.high < 0 for interval in designs]
    return {
        "google_pairs": len(google), "google_different": sum(one.p_value < 0.05 for one in google),
        "google_apart": float(np.median([abs(one.ln_ratio) for one in google])),
        "designs": len(designs), "intervals_without_1": sum(outside),
        "headline_off": float(np.median([abs(interval.estimate) for interval in designs])),
        "headline_off_max": float(max(abs(interval.estimate) for interval in designs)),
    }


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
    return {"methods": methods, "known": [known_row(pair, paired[pair]) for pair in KNOWN], "placement": placement}


def show(result, condition, on=screen.PIPE):
    """Lines."""
    methods = [(row["method"], *(quantity.percent(row[key]) for key in ("median", "p90", "max")),
                quantity.time(row["seconds"] * 1e9)) for row in result["methods"]]
    known = [(row["work"], quantity.level(row["truth"]), quantity.percent(row["median"]),
              f"{quantity.percent(row['p95_off']).removesuffix(' %')} points",
              f"{quantity.percent(row['within_0.2_point'])} of {quantity.count(row['launches'])}")
             for row in result["known"]]
    row = result["placement"]
    google = (f"Google Benchmark, 10 repetitions and U test, one binary: {row['google_different']} of "
              f"{row['google_pairs']} placements called different, "
              f"{quantity.percent(row['google_apart'])} apart in the median")
    ours = (f"ampersand, 6 launches over a design of {doctor_measure.LAYOUTS}: {row['intervals_without_1']} of "
            f"{row['designs']} intervals leave out 1; headline {quantity.percent(row['headline_off'])} from 1 in the "
            f"median, {quantity.percent(row['headline_off_max'])} at most")
    parts = [of_texts(("method", "median", "p90", "max", "a launch"), methods, (0,),
                      title=f"Identical code on both sides, {condition}: |ln ratio| of a launch, which should be 0"),
             of_texts(("more", "truth", "median", "95 % of launches within", "within 0.2 point"), known, (0,),
                      title=f"Known differences, {condition}: what a launch of paired rounds reads")]
    lines = [line for part in parts for line in [*part.terminal(on, indent=2), ""]]
    lines.append(on.paint(f"Two identical functions, {condition}: any difference is the linker's", screen.BOLD))
    return lines + [line for sentence in (google, ours) for line in on.wrapped(sentence, "  ", "    ")]


def add_arguments(parser):
    parser.add_argument("--build", type=Path, default=Path(os.environ.get("AMPERSAND_BUILD", "build")),
                        help="the build folder (default: AMPERSAND_BUILD, else build)")
    parser.add_argument("--facts", action="store_true", help="only the facts; measure nothing")
    parser.add_argument("--busy", action="store_true", help="measure again with a busy loop on every CPU")
    parser.add_argument("--launches", type=int, default=40, help="launches of each method (default 40)")
    parser.add_argument("--designs", type=int, default=20, help="how often the null pair is linked anew (default 20)")
    parser.add_argument("--seed", type=int, help="draws these links (default: drawn, and printed)")
    parser.add_argument("--format", choices=["table", "json"], default="table")


def main(args):
    if args.launches < 2 or args.designs < 1:
        raise Refused("doctor: --launches wants at least 2 and --designs at least 1")
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
