# SPDX-License-Identifier: MIT
"""The page about a run of collectors: one file that needs no other and no network. gc.js draws; what it draws is
measured, and stands in the page as JSON."""

import json
import math

from markupsafe import Markup

from plots.figures import style
from plots.gc import gctrace, judge, model, runs, text
from plots.pages import page_table, shell
from plots.words import quantity
from plots.words.table import Column, Table

SHARES = [1 / 2 ** (k / 4) for k in range(4 * 11)]  # down to a 2048th: 1,000 cycles do not tell more
CYCLES = 400  # of a saw-tooth
MODEL_STEPS = 40


def page_of(folder):
    run = runs.load(folder)
    return page(run, judge.points(run), judge.pauses(run), judge.shapes(run))


def page(run, points, pauses, shapes):
    settings = run.manifest["settings"]
    pauses_table, points_table = text.pauses_table(pauses), text.table(points)
    return shell.render(
        "gc.html.j2", run, run.manifest, "gc", "gc, ", script="gc.js", sheet=Markup(shell.read_template("gc.css")),
        place=" · ".join([*style.place(run.manifest), style.made(run.manifest)]), quick=run.manifest["quick"],
        tally=_tally(run, points), failures=run.failures, short=_short(points, pauses),
        pauses_table=page_table.of(pauses_table), pauses_note=pauses_table.note,
        points_table=page_table.of(points_table), points_note=points_table.note,
        shapes_table=page_table.of(text.shapes_table(shapes)) if shapes else None,
        graphs=[_graph(name, graph) for name, graph in run.graphs.items()],
        data=_embedded({
            "saws": [_saw(launches[0]) for launches in run.points.values() if launches],
            "pauses": [one for found in pauses for one in _curves(found)],
            "points": [_point(one, points) for one in points],
            "collectors": settings["collectors"], "workloads": settings["workloads"],
            "gogcs": sorted(settings["gogc"]), "lives": sorted(settings["live_b"])}))


def _embedded(value):
    """JSON that may stand within <script>."""
    return Markup(json.dumps(value, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c"))


def _tally(run, points):
    versions = {launch.collector: launch.version for launches in run.points.values() for launch in launches}
    names = ", ".join(f"{name} ({version})" for name, version in versions.items())
    return f"{names}; {quantity.counted(sum(one.cycles for one in points), 'cycle')}."


def _short(points, pauses):
    """(what, sentence): what most want to know."""
    if pauses:
        one = pauses[0]
        said = [f"{found.collector} {_stops(found)}" for found in pauses]
        yield "Pauses", (f"p99 and largest with {quantity.size(one.live_b)} live ({one.workload}, GOGC {one.gogc}): "
                         f"{'; '.join(said)}.")
    at = [one for one in points if one.gogc == 100]
    if at:
        largest = max(one.live_b for one in at)
        said = {}
        for one in at:
            if one.live_b == largest:
                said.setdefault(one.collector, []).append(one.share)
        yield "CPU", (f"at GOGC 100 and {quantity.size(largest)} live the collector takes, of all CPUs' time: "
                      + "; ".join(f"{name} {_between(shares)}" for name, shares in said.items()) + ".")
    heap = {}
    for one in points:
        heap.setdefault(one.collector, []).append(one.heap_off)
    yield "Heap", ("at its peak, beside what the model says: "
                   + "; ".join(f"{name} {text.off(min(offs))} to {text.off(max(offs))}" for name, offs in heap.items())
                   + ".")


def _between(shares):
    low, high = quantity.percent(min(shares)), quantity.percent(max(shares))
    return low if low == high else f"{low} to {high}"


def _stops(found):
    parts = dict(text.parts(found))
    stops = [f"{name} {quantity.time(judge.quantiles(times)[1])} and {quantity.time(judge.quantiles(times)[2])}"
             + _held(text.held(found, name), len(times)) for name, times in parts.items() if "stop" in name]
    return ", ".join(stops)


def _held(known, n):
    """known: how many were held up, and p99 of the others, of n."""
    held, else_p99_ns = known
    if not held:
        return ""
    others = f", p99 of the others {quantity.time(else_p99_ns)}" if else_p99_ns else ""
    return f" ({held} of {n} held up by other programs{others})"


def _saw(launch):
    cycles = []
    for cycle, line in zip(launch.cycles[:CYCLES], gctrace.lines(launch)):
        cycles.append({"begin_ms": cycle.begin_ns / 1e6, "end_ms": cycle.end_ns / 1e6, "words": line,
                       **{name: round(getattr(cycle, f"{name}_b") / 2 ** 20, 3)
                          for name in ("trigger", "end", "live", "goal")}})
    return {"name": gctrace.name(launch), "collector": launch.collector, "cycles": cycles}


def _curves(found):
    looks = {"second stop": "second", "marking, beside the program": "marking", "marking, within it": "marking"}
    for what, times in text.parts(found):
        if max(times) == 0:
            continue
        points = [[times[min(len(times) - 1, math.ceil((1 - share) * len(times)))], share] for share in SHARES
                  if share * len(times) >= 1]
        yield {"collector": found.collector, "name": f"{found.collector}: {what}", "look": looks.get(what, "first"),
               "points": points}


def _point(one, points):
    """With the model's line over all values of GOGC, for the same live heap."""
    same = [other for other in points if (other.collector, other.workload, other.live_b)
            == (one.collector, one.workload, one.live_b)]
    low, high = min(other.gogc for other in same), max(other.gogc for other in same)
    line = []
    for step in range(MODEL_STEPS + 1):
        gogc = low * (high / low) ** (step / MODEL_STEPS)
        cost = model.between([(other.gogc, other.cost) for other in same if other.cost], gogc)
        wanted = model.steady(one.collector, cost, one.asked_b, one.others_b, gogc)
        line.append({"gogc": round(gogc, 1), "peak_b": wanted.peak_b,
                     "cpu_ns_per_kib": 1024 * wanted.cpu_ns_per_b(cost) if cost else None})
    return {"collector": one.collector, "workload": one.workload, "live_b": one.live_b, "gogc": one.gogc,
            "peak_b": one.peak_b, "heap_off": text.off(one.heap_off), "share": one.share,
            "cpu_ns_per_kib": 1024 * one.cpu_ns_per_b, "cpu_off": text.off(one.cpu_off), "pauses_ns": one.pauses_ns,
            "model": line}


# ---- The heap as a graph

def _graph(name, graph):
    title = f"{name}, {quantity.size(graph['reached_b'])} live"
    sentence = (f"{quantity.count(graph['objects'])} objects. Walking the heap took {graph['walk_seconds']:.2f} s, "
                f"the dominators and what is below {graph['seconds']:.2f} s.")
    return {"title": title, "sentence": sentence, "types": page_table.of(_types(graph["types"])),
            "lines": _lines(graph), "largest": page_table.of(_largest(graph["largest"]))}


def _types(types):
    return Table((Column("", lambda row: row["name"], "type", words=True),
                  Column("", lambda row: row["objects"], "objects", lambda row: quantity.count(row["objects"])),
                  Column("", lambda row: row["own_b"], "own", lambda row: quantity.size(row["own_b"])),
                  Column("", lambda row: row["retained_b"], "retained", lambda row: quantity.size(row["retained_b"]))),
                 sorted(types, key=lambda row: -row["own_b"]))


def _lines(graph):
    """Depth first, the largest first."""
    below = {}
    for number, line in enumerate(graph["paths"]):
        below.setdefault(line["parent"], []).append((number, line))
    found, left = [], [(number, line, 0) for number, line in _ordered(below.get(-1, ()))]
    while left:
        number, line, depth = left.pop()
        found.append({"name": line["name"], "depth": depth,
                      "share": f"{line['retained_b'] / max(1, graph['reached_b']):.4f}",
                      "numbers": f"{quantity.size(line['retained_b'])} retained, {quantity.size(line['own_b'])} own, "
                                 f"{quantity.counted(line['objects'], 'object')}"})
        left += [(n, one, depth + 1) for n, one in _ordered(below.get(number, ()))]
    return found


def _ordered(lines):
    return sorted(lines, key=lambda one: one[1]["retained_b"])


def _largest(largest):
    def way(row):
        steps, gap = row["steps"], row["length"] - len(row["steps"])
        half = len(steps) // 2
        return " → ".join([*steps[:half], f"... {gap} more ...", *steps[half:]] if gap else steps)
    return Table((Column("", lambda row: row["type"], "type", words=True),
                  Column("", lambda row: row["retained_b"], "retained", lambda row: quantity.size(row["retained_b"])),
                  Column("", lambda row: row["size_b"], "own", lambda row: quantity.size(row["size_b"])),
                  Column("", lambda row: row["length"], "the shortest way from a root", way, words=True)), largest)
