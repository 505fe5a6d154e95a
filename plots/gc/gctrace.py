# SPDX-License-Identifier: MIT
"""A cycle as a line in the form of Go's GODEBUG=gctrace=1, and cycles as a time line for Perfetto or speedscope.

    gc 1 @0.012s 2%: 0.018+1.3+0.076 ms clock, 0.054+0.35/1.2/3.0+0.23 ms cpu, 4->4->0 MB, 5 MB goal, 0 MB stacks, ...

clock: first stop, marking, second stop. cpu: of the first stop, of mutators' assists, of the collector's threads, of
idle CPUs, of the second stop. Sizes: the heap when marking began, when it ended, and what lives. Of a collector that is
not concurrent the three times are parts of one stop."""

import json


def lines(launch):
    spent_ns = 0
    for number, cycle in enumerate(launch.cycles, 1):
        spent_ns += cycle.cpu_ns
        share = 100 * spent_ns / max(1, cycle.end_ns * launch.cpus)
        stopped = cycle.first_stop_ns + cycle.second_stop_ns
        first = cycle.stopped_ns * cycle.first_stop_ns / stopped if stopped else 0
        yield (f"gc {number} @{cycle.begin_ns / 1e9:.3f}s {share:.0f}%: "
               f"{ms(cycle.first_stop_ns)}+{ms(cycle.mark_ns)}+{ms(cycle.second_stop_ns)} ms clock, "
               f"{ms(first)}+{ms(cycle.assist_ns)}/{ms(cycle.worker_ns)}/{ms(cycle.idle_ns)}"
               f"+{ms(cycle.stopped_ns - first)} ms cpu, "
               f"{mb(cycle.trigger_b)}->{mb(cycle.end_b)}->{mb(cycle.live_b)} MB, {mb(cycle.goal_b)} MB goal, "
               f"{mb(cycle.stacks_b)} MB stacks, {mb(cycle.globals_b)} MB globals, {launch.cpus} P")


def ms(ns):
    """As Go has it: two digits below 10 ms, whole above, at most three decimals."""
    x = ns / 1e6
    if x >= 10:
        return f"{x:.0f}"
    return f"{x:.1f}" if x >= 1 else f"{x:.2f}" if x >= 0.1 else f"{x:.3f}"


def mb(b):
    return b >> 20


def name(launch):
    return f"{launch.collector}: {launch.workload}, {launch.live_b >> 20} MiB live, GOGC {launch.gogc}"


def text(launches):
    return "".join(f"# {name(one)}, {one.version}\n" + "".join(f"{line}\n" for line in lines(one)) for one in launches)


def time_line(launches):
    """A process for each launch: its stops and its marking as slices, its heap and goal as counters."""
    events = []
    for number, launch in enumerate(launches, 1):
        events.append({"ph": "M", "pid": number, "name": "process_name", "args": {"name": name(launch)}})
        for n, cycle in enumerate(launch.cycles, 1):
            at = cycle.begin_ns
            for what, took in (("first stop", cycle.first_stop_ns), ("marking", cycle.mark_ns),
                               ("second stop", cycle.second_stop_ns)):
                events.append({"ph": "X", "pid": number, "tid": 1, "name": what, "ts": at / 1e3, "dur": took / 1e3,
                               "args": {"cycle": n}})
                at += took
            for ts, heap_b in ((cycle.begin_ns, cycle.trigger_b), (at, cycle.end_b), (at + 1000, cycle.live_b)):
                events.append({"ph": "C", "pid": number, "name": "heap", "ts": ts / 1e3,
                               "args": {"heap": heap_b, "goal": cycle.goal_b}})
    return json.dumps({"displayTimeUnit": "ns", "traceEvents": events}) + "\n"
