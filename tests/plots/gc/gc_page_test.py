# SPDX-License-Identifier: MIT
"""What is made of a run of collectors: lines of gctrace, points beside the model, and the page in a browser."""
import dataclasses
import re

import pytest

import chromium
from plots.gc import gctrace, judge, model, page, runs, text
from synthetic_gc import GRAPH, MIB, cycle, launch, modelled, whole


def test_a_line_of_gctrace():
    """The times and sizes are those of a line that Go 1.26 wrote; the share is of the time up to its end."""
    found = cycle(begin_ns=100_000_000, first_stop_ns=36_000, mark_ns=12_300_000, second_stop_ns=4_000, worker_ns=6_100_000,
                  assist_ns=250_000, idle_ns=1_900_000, stopped_ns=80_000, trigger_b=112 * MIB, end_b=120 * MIB,
                  live_b=64 * MIB, goal_b=128 * MIB, stacks_b=MIB, globals_b=2 * MIB)
    assert list(gctrace.lines(launch([found]))) == [
        "gc 1 @0.100s 3%: 0.036+12+0.004 ms clock, 0.072+0.25/6.1/1.9+0.008 ms cpu, 112->120->64 MB, 128 MB goal, "
        "1 MB stacks, 2 MB globals, 2 P"]


def points_of(launches):
    points = {(one.collector, one.workload, one.live_b, one.gogc): [one] for one in launches}
    return {(point.live_b // MIB, point.gogc): point for point in judge.points(runs.Run(None, {}, (), points, {}, {}))}


def test_points_beside_the_model():
    """Boehm's collector stops the program: cycles that follow the model are off by nothing, at every GOGC and live
    heap."""
    boehm = {"collector": "boehm", "concurrent": False}
    launches = [modelled(live_b * MIB, gogc, **boehm) for live_b in (16, 64) for gogc in (50, 100, 400)]
    found = points_of(launches)
    assert len(found) == 6
    for point in found.values():
        assert abs(point.heap_off) < 1e-6 and abs(point.cpu_off) < 1e-6
    worse = cycle(live_b=64 * MIB, end_b=6 * 64 * MIB, goal_b=5 * 64 * MIB, worker_ns=34_000_000)
    few = launches[-1].cycles
    off = points_of([dataclasses.replace(launches[-1], cycles=(worse, few[0], *[worse, few[0]] * 4))])[64, 400]
    assert off.heap_off == pytest.approx(0.2) and off.cpu_off == pytest.approx(34 / 16.977216 * 256 / 320 - 1)
    assert points_of([dataclasses.replace(launches[-1], cycles=few[:2])])[64, 400].cpu_off is None


def test_what_is_left_of_the_room_when_marking_is_over():
    """Ours, of 64 MiB of room: a quarter is born while it marks, an eighth is left; so a cycle allocates five eighths,
    and what that costs is off by nothing, but the heap is lower."""
    cycles = [cycle(live_b=80 * MIB, trigger_b=104 * MIB, end_b=120 * MIB, goal_b=128 * MIB, worker_ns=10 ** 7)] * 8
    found, = points_of([launch(cycles, collector="ours")]).values()
    assert (found.cost.born, found.cost.left) == (0.25, 0.125) and found.cost.ns_per_b == 10 ** 7 / (64 * MIB)
    assert found.heap_off == pytest.approx(120 / 128 - 1) and found.cpu_off == pytest.approx(0)


def test_costs_between_those_measured():
    low, high = model.Cost(100, 0.1, 0), model.Cost(300, 0.3, 0.2)
    known = [(400, high), (100, low)]
    assert [model.between(known, gogc) for gogc in (50, 100, 400, 800)] == [low, low, high, high]
    assert model.between(known, 200) == model.Cost(pytest.approx(200), pytest.approx(0.2), pytest.approx(0.1))
    assert model.between([], 100) is None


@pytest.mark.parametrize("collector, peak, allocated", [
    ("boehm", 128, 64), ("ours", 128, 48), ("go", 160, 80)])
def test_what_is_born_while_marking(collector, peak, allocated):
    """Of 64 MiB of room a quarter: it stays for a cycle, or counts as live, or is not there."""
    found = model.steady(collector, model.Cost(1, 0.25, 0), 64 * MIB, 0, 100)
    assert (found.peak_b, found.allocated_b) == (peak * MIB, allocated * MIB)
    assert found.cpu_ns_per_b(model.Cost(3, 0.25, 0)) == 3 * 64 / allocated
    early = model.steady(collector, model.Cost(1, 0.25, 0.125), 64 * MIB, 0, 100)
    assert (early.peak_b, early.allocated_b) == (peak * MIB, (allocated - 8) * MIB)


def test_the_first_quarter_of_collections_of_a_shape_is_left_out():
    cycles = [cycle(mark_ns=ns, worker_ns=ns + 10) for ns in (5, 1, 1, 3)]
    found, = judge.shapes(runs.Run(None, {}, (), {}, {}, {}, {("ours", "list"): launch(cycles, workload="list")}))
    assert (found.ns, found.cpu_ns) == (1, 11)


@pytest.mark.parametrize("cycle_ns, program_ns, mutators, cpus, want", [
    (1, 3, 2, 2, 0.25), (1, 1, 1, 2, 0.25), (1, 1, 8, 2, 0.5), (0, 1, 1, 1, 0)])
def test_the_least_share(cycle_ns, program_ns, mutators, cpus, want):
    assert model.least_share(cycle_ns, program_ns, mutators, cpus) == want


def test_the_share_is_of_whole_cycles():
    cycles = [cycle(begin_ns=1000 * i, mark_ns=500, worker_ns=400, assist_ns=100, live_b=MIB, end_b=2 * MIB,
                    goal_b=2 * MIB)
              for i in range(8)]
    found, = points_of([launch(cycles, seconds=1.0)]).values()
    assert found.share == pytest.approx(500 / 2000) and found.cpu_ns_per_b == pytest.approx(500 / MIB)


@pytest.mark.parametrize("ratio, words", [(-0.0004, "+0.0 %"), (0.0004, "+0.0 %"), (-0.148, "-14.8 %")])
def test_how_far_off(ratio, words):
    assert text.off(ratio) == words


def test_small_heaps_have_room():
    assert model.room_b("ours", MIB, 0, 100) == 3 * MIB and model.room_b("boehm", MIB, 0, 100) == MIB
    assert model.room_b("go", 64 * MIB, MIB, 50) == pytest.approx(32.5 * MIB)


@pytest.mark.parametrize("concurrent, want", [(True, [3, 9]), (False, [3 + 50 + 9])])
def test_stops(concurrent, want):
    assert judge.stops(cycle(first_stop_ns=3, mark_ns=50, second_stop_ns=9, longest_stop_ns=9), concurrent) == want


def test_a_stop_that_was_given_up_counts():
    assert judge.stops(cycle(first_stop_ns=3, second_stop_ns=9, longest_stop_ns=20), True) == [3, 9, 20]


@pytest.mark.parametrize("stops_ns, want", [
    ([(90_000, 0), (200_000, 0)], None),                               # not known
    ([(90_000, 1), (200_000, 99_000), (300_000, 150_000)], (1, 300_000)),
    ([(900_000, 10)], (1, None)),
])
def test_stops_that_other_programs_held_up(stops_ns, want):
    assert judge.held(stops_ns) == want


@pytest.mark.parametrize("stops_ns, words", [
    ([(90_000, 9_000)] * 4, "first stop 90.00 µs and 90.00 µs"),
    ([(90_000, 9_000)] * 3 + [(900_000, 9_000)],
     "first stop 900.0 µs and 900.0 µs (1 of 4 held up by other programs, p99 of the others 90.00 µs)"),
    ([(900_000, 9_000)], "first stop 900.0 µs and 900.0 µs (1 of 1 held up by other programs)"),
])
def test_the_page_tells_at_once_what_was_held_up(stops_ns, words):
    cycles = [cycle(first_stop_ns=ns, first_stop_cpu_ns=cpu_ns) for ns, cpu_ns in stops_ns]
    found, = judge.pauses(runs.Run(None, {}, (), {}, {"ours": launch(cycles, collector="ours")}, {}))
    assert page._stops(found).split(", second")[0] == words


# ---- The page

def made(tmp_path_factory):
    run = whole()
    path = tmp_path_factory.mktemp("gc") / "report.html"
    path.write_text(page.page(run, judge.points(run), judge.pauses(run), judge.shapes(run)), encoding="utf-8")
    return path


def test_the_page_needs_nothing_else(tmp_path_factory):
    text = made(tmp_path_factory).read_text(encoding="utf-8")
    assert not re.search(r'(src|href)="(?!#)', text) and "://" not in text.replace("http://www.w3.org/2000/svg", "")
    assert "ours first stop" in text and "boehm the one stop" in text
    assert "1,000 objects" in text or "1000 objects" in text
    assert "... 28 more ..." in text
    assert "else p99: of the others." in text and "least: what no collector" in text  # the columns' meaning
    assert set(re.findall(r'href="#([\w-]+)"', text)) <= set(re.findall(r'id="([\w-]+)"', text))


def test_no_line_of_what_was_not_measured():
    """A run of two cycles has none to make a model of: that has a heap, and no CPU; null, which nothing draws."""
    for launched, is_known in ((modelled(64 * MIB, 100, 2), False), (modelled(64 * MIB, 100), True)):
        points = list(points_of([launched]).values())
        line = page._point(points[0], points)["model"]
        assert all(one["peak_b"] > 0 and (one["cpu_ns_per_kib"] is not None) == is_known for one in line)


def test_the_graph_of_the_page_is_a_tree():
    shown = page._graph("tree", GRAPH)["lines"]
    assert [(line["name"], line["depth"], line["share"]) for line in shown] == [("top", 0, "1.0000"), ("node", 1, "1.0000")]


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    browser = chromium.started(tmp_path_factory)
    browser.get(made(tmp_path_factory).as_uri())
    yield browser
    browser.quit()


def ask(browser, script, *arguments):
    return browser.execute_script(f"return {script}", *arguments)


def count(browser, selector):
    return ask(browser, "document.querySelectorAll(arguments[0]).length", selector)


def test_drawings(browser):
    assert browser.get_log("browser") == []
    assert ask(browser, "performance.getEntriesByType('resource').length") == 0
    assert count(browser, "#saw-run option") == 36
    assert count(browser, "#saw-chart .cycle") == 3  # of ten cycles the first quarter
    ask(browser, "(x => { x.value = '1'; x.dispatchEvent(new Event('change')); })(document.getElementById('saw-part'))")
    assert count(browser, "#saw-chart .cycle") == 10 and count(browser, "#saw-chart .stop") == 20
    assert count(browser, "#pauses-chart .line") == 8
    assert count(browser, "#knob-heap .mark") == 9 and count(browser, "#knob-heap .line") == 3


@pytest.mark.parametrize("slider, at, want", [("gogc", 0, "50"), ("gogc", 2, "400"), ("live", 0, "16 MiB")])
def test_sliders_stop_where_something_was_measured(browser, slider, at, want):
    ask(browser, "(x => { x.value = arguments[1]; x.dispatchEvent(new Event('input')); })"
                 "(document.getElementById('knob-' + arguments[0]))", slider, at)
    assert ask(browser, "document.getElementById('knob-' + arguments[0] + '-is').textContent", slider) == want
    assert count(browser, "#knob-now tr") == 4 and count(browser, "#knob-heap .chosen") == 3


def test_widths(browser):
    for wide in (390, 1400):
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                {"width": wide, "height": 900, "deviceScaleFactor": 1, "mobile": False})
        page, room = ask(browser, "[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert page == room, f"sideways scrolling at {wide}"


# ---- Stepping through the heap of the page

def press(browser, name):
    ask(browser, "document.getElementById(arguments[0]).click()", name)


def colours(browser):
    found = ask(browser, "[...document.querySelectorAll('#step-chart .node')].map(n => n.dataset.colour)")
    return {colour: {i for i, one in enumerate(found) if one == colour} for colour in set(found)}


def test_stepping_with_and_without_a_barrier(browser):
    """Marked here once more, from the edges of the page: with the barrier what is freed cannot be reached, without it what
    hangs on the moved pointer is lost."""
    edges, roots = ask(browser, "EDGES"), ask(browser, "ROOTS")
    black, grey, moved = (ask(browser, name) for name in ("BLACK", "GREY", "MOVED"))
    edges = [edge for edge in edges if edge != [grey, moved]] + [[black, moved]]
    live, before = set(), set(roots)
    while live != before:
        live, before = before, before | {to for origin, to in edges if origin in before}
    press(browser, "step-reset")
    assert colours(browser) == {"white": set(range(30))}
    press(browser, "step-all")
    done = colours(browser)
    assert done == {"black": live, "freed": set(range(30)) - live}
    press(browser, "step-barrier")
    press(browser, "step-all")
    done = colours(browser)
    assert done["lost"] == {moved, 22} and done["lost"] <= live and done["freed"] == set(range(30)) - live
    assert "It has lost them" in ask(browser, "document.getElementById('step-says').textContent")
    press(browser, "step-barrier")


def test_no_black_object_points_to_a_white_one(browser):
    """At every step with the barrier; without it at some."""
    def broken(barrier):
        return ask(browser, """(barrier => { const found = [];
            for (let n = 0, s; !(s = play(n, barrier)).done; n++)
              if (s.edges.some(([from, to, look]) => look !== "cut" && s.colours[from] === "black" && s.colours[to] === "white"))
                found.push(n);
            return found; })(arguments[0])""", barrier)
    assert broken(True) == [] and broken(False) != []


def test_back_undoes_a_step(browser):
    press(browser, "step-reset")
    seen = []
    for _ in range(6):
        seen.append(colours(browser))
        press(browser, "step-next")
    for before in reversed(seen):
        press(browser, "step-back")
        assert colours(browser) == before
