# SPDX-License-Identifier: MIT
"""Is a change to your own code slower? Two versions of it, side by side: commits, folders, flags or compilers.

Both are built in a temporary place. Each kernel of yours is timed in two processes, one for each version, by turns on
one CPU, with all functions at the same addresses in both, over many placements of the code."""

import math
import os
import random
import re
import sys
import time
from dataclasses import replace
from pathlib import Path

from plots.ab import because, bisect, checkout, counts, exact, kept, link, measure, settings as asked, text
from plots.program import scratch
from plots.program.errors import Refused
from plots.words import quantity, screen


def add_arguments(parser):
    parser.add_argument("--base", metavar="REF", help="the version to compare with: a commit or a folder")
    parser.add_argument("--head", metavar="REF", help="the new version; without it the checkout as it is")
    parser.add_argument("--config", metavar="FILE", help="instead of ampersand.toml")
    parser.add_argument("--kernels", action="append", metavar="FILE")
    parser.add_argument("--build", metavar="COMMAND")
    parser.add_argument("--link", action="append", metavar="FILE")
    parser.add_argument("--include", action="append", metavar="DIR")
    parser.add_argument("--source", action="append", metavar="PATTERN")
    for name in ("cc", "cflags", "base-cc", "base-cflags", "head-cc", "head-cflags"):
        parser.add_argument(f"--{name}", metavar=name[-6:].upper().strip("-"))
    parser.add_argument("--filter", metavar="REGEX", default="")
    parser.add_argument("--fail-on", metavar="PERCENT")
    parser.add_argument("--results-differ", action="store_true")
    parser.add_argument("--time-same", action="store_true")
    parser.add_argument("--exact", action="store_true")
    parser.add_argument("--bisect", nargs=3, metavar=("GOOD", "BAD", "KERNEL"))
    parser.add_argument("--format", choices=("table", "markdown", "json", "sarif"), default="table")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--layouts", type=int, choices=(16, 64, 256), default=64)
    parser.add_argument("--budget", metavar="T", default="60s")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--out", metavar="DIR")
    parser.add_argument("--no-wait", action="store_true")
    parser.add_argument("--rebuild", action="store_true")


def say(words):
    print(f"ampersand: ab: {words}", file=sys.stderr)


def seconds_of(words):
    found = re.fullmatch(r"(\d+)(s|m|h)", words)
    if not found or not int(found[1]):
        raise Refused("--budget", f"{words}: is no time such as 90s, 10m or 1h")
    return int(found[1]) * {"s": 1, "m": 60, "h": 3600}[found[2]]


def pattern_of(words):
    try:
        return re.compile(words)
    except re.error as error:
        raise Refused("--filter", f"{words}: is no regular expression: {error}") from None


def matching(names, pattern):
    wanted = pattern_of(pattern)
    found = [name for name in names if wanted.search(name)]
    if names and not found:
        raise Refused("--filter", f"'{pattern}' matches no kernel: there are {', '.join(sorted(names))}")
    return found


def missing_of(facts, built, settings):
    """{kernel: (side, why)}, with the compiler's words where a file of kernels does not compile on one side."""
    words = {side.name: " / ".join(f"{Path(file).name}: {why}" for file, why in built[side.name].left_out.items())
             for side in settings.sides}
    return {name: (one["side"], one["why"] if one["lacks"] or not words[one["side"]] else words[one["side"]])
            for name, one in facts["missing"].items()}


def compare(settings, args, folder):
    """The report, and the exit status."""
    begun = time.monotonic()
    checkouts = checkout.Checkouts(settings.folder, folder, say, settings.kernels)
    sources = {side.name: checkouts.find(side) for side in settings.sides}
    built = {side.name: kept.side_of(settings, side, checkouts, sources[side.name], folder, args.rebuild)
             for side in settings.sides}
    for side in settings.sides:
        for file, why in built[side.name].left_out.items():
            say(f"{Path(file).name}: left out of {side.name}: it does not compile there: {why}")
    facts, why_programs = link.examine(settings, built, folder / "facts", args.rebuild)
    missing = missing_of(facts, built, settings)
    kernels = matching([*facts["kernels"], *missing], args.filter)
    missing = {name: missing[name] for name in missing if name in kernels}
    facts["kernels"] = [name for name in facts["kernels"] if name in kernels]
    if args.time_same:
        facts["same"] = []
    differing = [name for name in facts["kernels"] if name not in facts["same"]]
    titles = {name: title(sources[name], side, settings, built) for name, side in zip(sources, settings.sides)}
    linked, judged, counted, why, status = None, {}, {}, None, 0
    if differing:
        layouts = 4 if args.exact else args.layouts  # counts need one
        linked = link.link(settings, built, folder / "modules", layouts, args.seed, facts, why_programs,
                           args.rebuild)
        counted, why = counts.count(linked, built, facts["kernels"], args.rebuild)
    if differing and not args.exact:
        building = quantity.time(1e9 * (time.monotonic() - begun), 2)
        say(f"{quantity.counted(len(differing), 'kernel')} to time; building took {building}")
        judged, status = measure.measure(linked, differing, args, titles, folder, run_folder(args, folder),
                                         settings.fail_on)
    if args.exact:
        judged = exact.judge(differing, counted, settings.fail_on)
    report = text.Report(settings, titles, linked, facts, judged.values(), counted, missing, why,
                         because.of(facts, counted))
    return report, status


def find_commit(settings, args, folder):
    """Of --bisect: print the first bad commit."""
    good, bad, kernel = args.bisect
    top = checkout.top_of(settings.folder)
    if top is None:
        raise Refused("--bisect", "this is no git checkout")
    args.filter, places_made = f"^{re.escape(kernel)}$", iter(range(1, 1000))

    def against_good(commit, allowed):
        pair = replace(settings, base=replace(settings.base, place=good), head=replace(settings.head, place=commit),
                       fail_on=allowed)
        report = compare(pair, args, folder / str(next(places_made)))[0]
        return report, next(iter(report.rows), None)

    report, whole = against_good(bad, None)
    if whole is None or whole.verdict.name != "slower":
        raise Refused(f"--bisect {kernel}", f"it is not slower in {bad} than in {good}: {report.summary()}")
    half = math.expm1(whole.interval.estimate / 2)
    say(f"{kernel}: {text.signed(whole.interval.estimate)} from {good} to {bad}; a commit is bad above "
        f"{text.signed(whole.interval.estimate / 2)}")

    def is_bad(commit):
        title = checkout.git(top, "log", "-1", "--format=%h %s", commit)
        try:
            report, row = against_good(commit, half)
        except Refused as error:
            say(f"{title}: left out: {error}")
            return None
        if row is None:
            say(f"{title}: {'good: the same code' if report.same else 'left out: it has no such kernel'}")
            return False if report.same else None
        if row.interval is None:
            say(f"{title}: left out: {report.said(row)}")
            return None
        bad = row.verdict.fails or row.interval.estimate > math.log1p(half)
        say(f"{title}: {'bad' if bad else 'good'}: {text.signed(row.interval.estimate)} ({text.between(row.interval)})")
        return bad

    found = bisect.bisect(bisect.on_the_way(checkout.git, top, good, bad), is_bad)
    print(f"{kernel}: slower since {checkout.git(top, 'log', '-1', '--format=%h %s', found.first_bad)}")
    for commit in found.also:
        print(f"  or since {checkout.git(top, 'log', '-1', '--format=%h %s', commit)}, which could not be compared")
    return 0


def title(source, side, settings, built):
    """The commit or the folder; flags and compilers where they are what differs."""
    other = [one for one in settings.sides if one is not side][0]
    words = [source.title]
    words += [f"[{side.cflags}]"] * (side.cflags != other.cflags)
    words += [f"[{built[side.name].compiler}]"] * (side.cc != other.cc)
    return " ".join(words)


def run_folder(args, folder):
    return Path(args.out).absolute() if args.out else folder / "run"


def main(args):
    args.budget, _ = seconds_of(args.budget), pattern_of(args.filter)
    settings = asked.gather(args)
    if args.seed is None:
        args.seed = random.SystemRandom().randrange(1 << 53)
    with scratch.folder("ab") as folder:
        if args.bisect:
            return find_commit(settings, args, Path(folder))
        report, status = compare(settings, args, Path(folder))
    forms = {"table": lambda on: "".join(f"{line}\n" for line in report.lines(on, args.all)), "json": report.json,
             "markdown": report.markdown, "sarif": lambda: report.sarif(places(settings))}
    screen.show(args.format, forms)
    if report.fails:
        return 3
    return 1 if status or report.count("failed") else 0


def places(settings):
    """Where each kernel is declared: the place that a finding of it gets, as code scanning knows files: from the top of
    the checkout on."""
    found, top = {}, checkout.top_of(settings.folder) or settings.folder
    for file in settings.kernels:
        for number, line in enumerate(Path(file).read_text(errors="replace").splitlines(), start=1):
            for name in re.findall(r"\bAMP_KERNEL\(\s*(\w+)", line):
                found[name] = os.path.relpath(os.path.realpath(file), os.path.realpath(top)), number
    return found
