# SPDX-License-Identifier: MIT
"""What a run of collectors says on a terminal, and for programs."""

from plots.gc import gctrace, judge
from plots.words import quantity, screen
from plots.words.table import Column, Table

SHAPES = {"values": "values", "ordered": "pointers in order", "shuffled": "pointers shuffled", "list": "list",
          "balanced": "tree", "stores": "a store", "marked": "a store, while it marks (clock)",
          "fresh": "a page's first store after a collection (clock)", "churn": "an allocation",
          "loop": "a stop, beside a loop (clock)", "checked": "a stop, beside a loop that checks (clock)"}
FORMATS = (*screen.FORMATS, "trace")


def off(x):
    return quantity.NONE if x is None else f"{round(100 * x, 1) + 0.0:+.1f} %"  # and no -0.0


def pause(ns):
    return quantity.time(ns)


def table(points):
    def column(title, key, value, text=None, **more):
        return Column(key, value, title, (lambda row: text(value(row))) if text else None, **more)
    return Table((
        column("collector", "collector", lambda p: p.collector, words=True),
        column("workload", "workload", lambda p: p.workload, words=True),
        column("live", "live_b", lambda p: p.live_b, quantity.size),
        column("GOGC", "gogc", lambda p: p.gogc),
        column("cycles", "cycles", lambda p: p.cycles, quantity.count),
        column("peak heap", "peak_b", lambda p: p.peak_b, quantity.size),
        column("of model", "heap_off", lambda p: p.heap_off, off),
        column("GC CPU", "share", lambda p: p.share, quantity.percent),
        column("least", "least_share", lambda p: p.least_share,
               lambda x: quantity.NONE if x is None else quantity.percent(x)),
        column("GC ns/KiB", "cpu_ns_per_kib", lambda p: 1024 * p.cpu_ns_per_b, lambda x: quantity.digits(x, 3)),
        column("of model", "cpu_off", lambda p: p.cpu_off, off),
        column("ns/KiB", "ns_per_kib", lambda p: 1024 * p.ns_per_b, lambda x: quantity.digits(x, 3)),
        column("stop p50", "stop_p50_ns", lambda p: p.pauses_ns[0], pause),
        column("p99", "stop_p99_ns", lambda p: p.pauses_ns[1], pause),
        column("max", "stop_max_ns", lambda p: p.pauses_ns[2], pause),
        Column("live_reached_b", lambda p: p.reached_b), Column("most_b", lambda p: p.most_b),
        Column("model_peak_b", lambda p: p.model_peak_b), Column("of_process", lambda p: p.of_process),
        Column("launches", lambda p: p.launches),
    ), points, title="Heap and CPU by GOGC",
        note="peak heap: median of cycles. GC CPU: of all CPUs' time, as Go counts it: without idle CPUs. least: "
             "what no collector that keeps the heap and marks as fast falls below, if no mutator waits, for it or for a "
             "CPU. GC ns/KiB: CPU time of collecting for each KiB allocated, idle CPUs included; ns/KiB: all that a "
             "mutator takes for it. of model: what the other half of the cycles say")


def shapes_table(found):
    """A row for each shape, a column for each collector."""
    collectors = list(dict.fromkeys(one.collector for one in found))
    cells = {(one.shape, one.collector): one for one in found}

    def column(collector):
        def number(row):
            one = cells.get((row, collector))
            return one and (one.ns if one.cpu_ns is None else one.cpu_ns)
        return Column(f"{collector}_cpu_ns", number, collector, lambda row: quantity.time(number(row)))

    def clock(collector):
        return Column(f"{collector}_ns", lambda row: (one := cells.get((row, collector))) and one.ns)
    sized = f", {quantity.size(found[0].live_b)} live" if found else ""
    return Table((Column("shape", lambda row: row, "shape", lambda row: SHAPES[row], words=True),
                  *map(column, collectors), *map(clock, collectors)), [name for name in SHAPES if any(one.shape == name for one in found)],
                 title=f"CPU time to mark a heap of a shape{sized}; to store a pointer; to allocate 64 B that die at once")


def pauses_table(found):
    rows = [(one, what, times) for one in found for what, times in parts(one)]
    return Table((
        Column("collector", lambda row: row[0].collector, "collector", words=True),
        Column("part", lambda row: row[1], "part", words=True),
        Column("n", lambda row: len(row[2]), "n"),
        *(Column(f"{name}_ns", lambda row, i=i: judge.quantiles(row[2])[i], name,
                 lambda row, i=i: quantity.time(judge.quantiles(row[2])[i]))
          for i, name in enumerate(("p50", "p99", "max"))),
        Column("held_up", lambda row: held(*row[:2])[0], "held up", lambda row: quantity.count(held(*row[:2])[0])),
        Column("else_p99_ns", lambda row: held(*row[:2])[1], "else p99", lambda row: quantity.time(held(*row[:2])[1])),
    ), rows, title=_title(found),
        note="held up: stops beyond 100 µs in which who owed them had a CPU for less than half of the time, as other "
             "programs had it: the last to stop and the collector's thread, then who makes the stop. else p99: of the "
             "others")


def held(one, part):
    """How many of the part's stops were held up, and p99 of the others: not known of all."""
    return {"first stop": one.first_held, "second stop": one.second_held}.get(part) or (None, None)


def _title(found):
    if not found:
        return "Pauses"
    one = found[0]
    return f"Pauses: {one.workload}, {quantity.size(one.live_b)} live, GOGC {one.gogc}"


def parts(one):
    """What is kept apart, and its times."""
    if one.concurrent:
        yield "first stop", one.first_ns
        yield "second stop", one.second_ns
        yield "marking, beside the program", one.mark_ns
    else:
        yield "the one stop", one.whole_ns
        yield "marking, within it", one.mark_ns


def graph_lines(run):
    for name, graph in run.graphs.items():
        yield (f"heap of {name}: {quantity.count(graph['objects'])} objects, {quantity.size(graph['reached_b'])} live; "
               f"dominators in {quantity.time(1e9 * graph['seconds'], 3)}")


def show(run, points, found, shapes, form):
    def terminal(on):
        parts = [table(points).terminal(on), pauses_table(found).terminal(on),
                 shapes_table(shapes).terminal(on) if shapes else [], list(graph_lines(run)),
                 [f"failed: {what}: {why}" for what, why in run.failures]]
        return "\n\n".join("\n".join(part) for part in parts if part) + "\n"
    launches = [launch for many in run.points.values() for launch in many]
    launches += [*run.pauses.values(), *run.shapes.values()]
    screen.show(form if form != "trace" else "json", {
        "table": terminal, "json": table(points).json if form == "json" else lambda: gctrace.text(launches),
        "csv": table(points).csv, "markdown": table(points).markdown})
