# SPDX-License-Identifier: MIT
"""What this machine does to measurements, and how true a ratio is on it.

First the facts, with a warning for each that is known to harm. Then the proof, by pairs whose true ratio is known:
the same function on both sides, dependent chains that differ by 0.5, 1 and 5 %, and two identical functions at other
places; measured by paired rounds and, in the same minutes and with as much time, by Google Benchmark's repetitions."""

import json
import os
import secrets
import sys
from pathlib import Path

import numpy as np

from plots.doctor import doctor_measure
from plots.program.errors import Refused

KNOWN = {"known_half": 0.5, "known_one": 1.0, "known_five": 5.0}  # percent by which the pointer side does more


def warnings(machine):
    """[(fact, why it harms and what helps)] for the manifest's `machine`. A fact that cannot be read harms nothing."""
    rules = [
        (machine.get("virtual"), f"a virtual machine ({machine.get('virtual')}): others share its cores and caches, "
         "unseen; trust ratios, re-measure times"),
        (machine.get("governor") not in (None, "performance"), f"the frequency governor is {machine.get('governor')}: "
         "the clock rises while you measure; cpupower frequency-set -g performance"),
        (machine.get("turbo"), "turbo is on: the frequency depends on heat and on the other cores"),
        (machine.get("thp") == "always", "transparent huge pages are always on: a large block's speed depends on when "
         "it was made; echo madvise > /sys/kernel/mm/transparent_hugepage/enabled"),
        (machine.get("aslr") == 0, "address randomisation is off: every launch repeats one draw of addresses; "
         "sysctl kernel.randomize_va_space=2"),
        ((machine.get("load_1min") or 0) > 0.5, f"something else is running: the load is "
         f"{machine.get('load_1min') or 0:.1f}"),
        ((machine.get("cpus_allowed") or machine.get("cpus") or 1) < (machine.get("cpus") or 1),
         f"{machine.get('cpus_allowed')} of {machine.get('cpus')} CPUs allowed (taskset, a cpuset): "
         + ("pairs with threads need 2" if machine.get("cpus_allowed") == 1 else "the others are not used")),
        (machine.get("cpus") == 1, "one CPU only: the harness runs on the core that it measures"),
        (machine.get("hardware_counters") is False, "no hardware counters: instructions and misses cannot be counted; "
         "valgrind --tool=callgrind counts instructions anywhere"),
        (machine.get("clock_source") not in (None, "tsc", "kvm-clock", "arch_sys_counter"),
         f"the clock is {machine.get('clock_source')}: reading it is a system call"),
    ]
    return [why for harms, why in rules if harms]


def facts(machine, build):
    def shown(value, unit=""):
        return "not to be read here" if value is None else f"{value}{unit}"

    caches = ", ".join(f"L{cache['level']} {cache['type'].lower()} {cache['size_b'] // 1024} KiB"
                       for cache in machine.get("caches") or [] if cache.get("size_b"))
    return [
        ("processor", f"{shown(machine['cpu'])}, {machine['cpus']} CPUs"
         + (f" ({machine['cpus_allowed']} allowed)" if machine.get("cpus_allowed") not in (None, machine["cpus"]) else "")
         + f", {machine['arch']}"),
        ("caches", caches or shown(None)),
        ("memory", f"{machine['memory_b'] / 2**30:.1f} GiB" if machine["memory_b"] else shown(None)),
        ("virtual machine", "none seen" if machine["virtual"] is None else machine["virtual"]),
        ("frequency governor", shown(machine["governor"])),
        ("turbo", {True: "on", False: "off", None: shown(None)}[machine["turbo"]]),
        ("huge pages", shown(machine["thp"])),
        ("ASLR", {0: "off", None: shown(None)}.get(machine["aslr"], "on")),
        ("load, 1 minute", shown(None if machine["load_1min"] is None
                                 else f"{machine['load_1min']:.2f}")),
        ("hardware counters", {True: "there", False: "none", None: shown(None)}[machine["hardware_counters"]]),
        ("clock", shown(machine["clock_source"])),
        ("compiler", build["compiler"]),
        ("kernels' flags", " ".join(build["kernel_args"])),
        ("libraries", ", ".join(f"{name} {version.split('-')[0]}" for name, version in build["libraries"].items())),
    ]


def percent(x, digits=2):
    return f"{100 * x:.{digits}f} %"


def error_row(name, result):
    errors = np.abs(result.ln_ratios)
    return {"method": name, "launches": len(errors), "median": float(np.median(errors)),
            "p90": float(np.percentile(errors, 90)), "max": float(errors.max()), "seconds": result.seconds}


def known_row(pair, result):
    """How far the ratio that each launch read is from the true one, in percentage points."""
    truth = KNOWN[pair] / 100
    off = np.abs(np.expm1(result.ln_ratios) - truth)
    return {"pair": pair, "truth": truth, "launches": len(off), "median": float(np.median(np.expm1(result.ln_ratios))),
            "p95_off": float(np.percentile(off, 95)), "within_0.1_point": float((off <= 0.001).mean())}


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


def show(result, condition):
    lines = [f"Identical code on both sides, {condition}: |ln ratio| of a launch, which should be 0",
             f"  {'method':<44}{'median':>9}{'p90':>10}{'max':>10}{'a launch':>11}"]
    for row in result["methods"]:
        lines.append(f"  {row['method']:<44}{percent(row['median'], 3):>9}{percent(row['p90'], 3):>10}"
                     f"{percent(row['max'], 3):>10}{row['seconds']:>9.2f} s")
    lines += ["", f"Known differences, {condition}: what a launch of paired rounds reads",
              f"  {'truth':<10}{'median':>10}{'95 % of launches within':>26}{'within 0.1 point':>19}"]
    for row in result["known"]:
        lines.append(f"  {percent(row['truth'], 1):<10}{percent(row['median'], 3):>10}"
                     f"{100 * row['p95_off']:>19.3f} point{100 * row['within_0.1_point']:>13.0f} % "
                     f"of {row['launches']}")
    row = result["placement"]
    lines += ["", f"Two identical functions, {condition}: any difference is the linker's",
              f"  Google Benchmark, 10 repetitions and U test, one binary: {row['google_different']} of "
              f"{row['google_pairs']} placements called different, {percent(row['google_apart'], 1)} apart "
              "in the median",
              f"  ampersand, 6 launches over a design of {doctor_measure.LAYOUTS}: {row['intervals_without_1']} of "
              f"{row['designs']} intervals leave out 1; headline {percent(row['headline_off'])} from 1 in the median, "
              f"{percent(row['headline_off_max'])} at most"]
    return lines


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
    if table:
        print("\n".join(f"  {name:<20}{fact}" for name, fact in facts(about["machine"], about["build"])))
        print("\n".join(["", *(f"  warning: {why}" for why in warnings(about["machine"])), ""]))
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
            print("\n".join(show(results[condition], condition) + [""]), flush=True)
    if not table:
        print(json.dumps({**about, "warnings": warnings(about["machine"]), "measured": results}, indent=2))
    return 0
