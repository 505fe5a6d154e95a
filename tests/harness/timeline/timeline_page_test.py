# SPDX-License-Identifier: MIT
"""The page of a time line in a browser: what it draws is what was recorded; keys, search and pointer work.
AMPERSAND_BUILD names the build folder."""
import re
import subprocess

import pytest

import chromium
from traced import HERE, TRACE, compiled

MADE = 120_000


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("timeline_page")
    program = compiled(folder / "marked", HERE / "marked.c")
    for name, words, flags in (("threads", ["threads"], []), ("many", ["many", str(MADE)], []),
                               ("nested", ["nested", "5"], []),
                               ("more", ["many", str(MADE)], ["--page-events", "20000"]), ("exec", ["exec"], [])):
        done = subprocess.run([TRACE, "-o", folder / f"{name}.html", *flags, "--", program, *words],
                              capture_output=True)
        assert done.returncode == 0, done.stderr
    return lambda name: folder / f"{name}.html"


def test_the_page_needs_nothing_else(page):
    text = page("nested").read_text(encoding="utf-8")
    assert not re.search(r'(src|href)="(?!#)', text) and "://" not in text
    assert not re.search(r"^@\w+@$", text, re.M)
    assert text.count("<tr>") == 1 + 40 and "at \\\"depth\\\" \\u003cb>" in text
    lasts = [float(one) for one in re.findall(r"^<tr>.*?</td><td>([\d.]+)", text, re.M)]
    assert len(lasts) == 40 and lasts == sorted(lasts, reverse=True)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    browser = chromium.started(tmp_path_factory, "--window-size=1000,800")
    yield browser
    browser.quit()


def ask(browser, script, *arguments):
    return browser.execute_script(f"return {script}", *arguments)


def opened(browser, page):
    """When it has read its events."""
    browser.get(page.as_uri())
    browser.execute_async_script("started.then(arguments[0])")


def key(browser, name):
    ask(browser,
        "document.getElementById('view').dispatchEvent(new KeyboardEvent('keydown', {key: arguments[0], cancelable: "
        "true}))",
        name)


def test_lanes_and_keys(browser, page):
    opened(browser, page("threads"))
    assert browser.get_log("browser") == [] and ask(browser, "performance.getEntriesByType('resource').length") == 0
    assert ask(browser, "lanes.length") == 4
    assert sorted(ask(browser, "lanes.map(one => one.name)")) == ["marked", "one", "three", "two"]
    waiters = ask(browser,
                  "lanes.filter(one => one.name !== 'marked').map(one => one.rows.map(row => row.one(0).name))")
    assert all(rows[0] == "waiter" and rows[1].startswith("wait ") for rows in waiters)
    whole = ask(browser, "[from, to]")
    key(browser, "+")
    zoomed = ask(browser, "[from, to]")
    assert whole[0] < zoomed[0] < zoomed[1] < whole[1]
    key(browser, "ArrowRight")
    moved = ask(browser, "[from, to]")
    assert moved[0] > zoomed[0] and moved[1] - moved[0] == pytest.approx(zoomed[1] - zoomed[0])
    key(browser, "0")
    assert ask(browser, "[from, to]") == whole


def test_search(browser, page):
    opened(browser, page("threads"))
    ask(browser,
        "(x => { x.value = 'WAITER'; x.dispatchEvent(new Event('input')); })(document.getElementById('words'))")
    assert ask(browser, "document.getElementById('found').textContent") == "3 found"
    found = []
    for _ in range(4):
        key(browser, "n")
        assert "waiter" in ask(browser, "document.getElementById('detail').textContent")
        found.append(ask(browser, "[chosen.begin, chosen.lane.tid]"))
    assert found == sorted(found[:3]) + found[:1] and len({tid for _, tid in found}) == 3
    key(browser, "N")
    assert ask(browser, "[chosen.begin, chosen.lane.tid]") == found[2]


def test_a_slice_that_is_pointed_at(browser, page):
    opened(browser, page("nested"))
    said = ask(browser, """(() => { const one = lanes[0].rows[1].one(0);
        [from, to] = [one.begin, one.end]; /* it may be a small part of the whole */
        draw();
        const box = canvas.getBoundingClientRect();
        const at = { clientX: box.left + (toX(one.begin) + toX(one.end)) / 2, clientY: box.top + lanes[0].top + HEAD + ROW * 1.5,
                     bubbles: true, pointerId: 1 };
        view.dispatchEvent(new PointerEvent("pointermove", at));
        return [document.getElementById("detail").textContent, timeOf(one.end - one.begin)]; })()""")
    assert said[0].startswith(f"nested lasts {said[1]}, ")
    assert ask(browser, "lanes[0].rows.map(row => row.n)") == [1, 2, 4, 8, 16, 32]
    assert ask(browser, "[...lanes[0].counters.get('left').more.subarray(0, 3)]") == [5, 4, 3]


def test_100000_events_are_drawn_by_as_much_as_there_is_to_see(browser, page):
    """Of what falls within one pixel one is drawn: a picture has no more marks than it has pixels."""
    opened(browser, page("many"))
    assert ask(browser, "[...lanes[0].counters.values()][0].n") == MADE + 1 and ask(browser, "data.left_out") == 0
    drawn = ask(browser, """(() => { let n = 0; const real = paint.fillRect.bind(paint);
        paint.fillRect = (...all) => { n++; real(...all); }; draw(); paint.fillRect = real; return n; })()""")
    assert drawn < 4 * ask(browser, "wide")


def test_the_highest_value_of_a_pixel(browser, page):
    """As a plain loop over all of them finds it."""
    opened(browser, page("many"))
    assert ask(browser, """(() => { const points = [...lanes[0].counters.values()][0], wrong = [];
        for (const [i, n] of [[0, points.n], [0, 1], [1, 17], [15, 16], [16, 32], [255, 4097], [points.n - 3, points.n], [7, 70001]]) {
            let most = 0;
            for (let k = i; k < n; k++) most = Math.max(most, points.more[k]);
            if (highest(points, i, n) !== most) wrong.push([i, n]);
        }
        return wrong; })()""") == []


def test_a_process_before_and_after_exec_is_one_lane(browser, page):
    opened(browser, page("exec"))
    assert ask(browser, "lanes.map(lane => lane.rows.map(row => row.n))") == [[2]]
    assert ask(browser, "[0, 1].map(i => lanes[0].rows[0].one(i).name)") == ["is replaced", "nested"]


def test_more_events_than_a_page_holds(browser, page):
    opened(browser, page("more"))
    assert ask(browser, "data.left_out") > MADE - 20_000 - 5_000
    assert "are left out" in ask(browser, "document.getElementById('said').textContent")
    assert {"whole", "early",
            "late"} <= set(ask(browser,
                               "lanes[0].rows.flatMap(row => Array.from({length: row.n}, (_, i) => row.one(i).name))"))


@pytest.mark.parametrize("wide", [390, 1400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_widths(browser, page, wide, scheme):
    opened(browser, page("threads"))
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia",
                            {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                            {"width": wide, "height": 900, "deviceScaleFactor": 1, "mobile": False})
    page_b, room = ask(browser, "[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert page_b == room and browser.get_log("browser") == []


def test_without_javascript(browser, page):
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    browser.get(page("nested").as_uri())
    tables = browser.find_elements("css selector", "#longest + div tbody tr")
    hidden = [not one.is_displayed() for one in browser.find_elements("css selector", "#view, #tools")]
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    assert len(tables) == 40 and hidden == [True, True]
