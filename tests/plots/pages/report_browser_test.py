# SPDX-License-Identifier: MIT
"""The report in a browser, headless Chromium driven by Selenium: what a person sees and can do.

Skipped where one of the three is missing; Debian's packages are chromium, chromium-driver and python3-selenium."""

import dataclasses

import pytest

import chromium
import synthetic
from chromium import ask, luminance, show
from plots.files.pair_run import load
from plots.pages import report

SIZES = (8, 16, 64, 256, 4096, 65536)
LESSONS = ("pass", "factory", "mutate", "collection", "stack_copy", "known", "null")
LONG = "What does_a_question_cost_that_has_words_" + "without_end_" * 20 + "?"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    driver = chromium.started(tmp_path_factory)
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """A full run with a failed row, counts that differ and a question without end; and a quick one."""
    rows = [row for row in synthetic.lessons() if row.size in SIZES or row.pair in ("known_five", "empty")]
    rows[0] = dataclasses.replace(rows[0], question=LONG)
    plan = synthetic.Plan(launches=13, layouts=16, rounds=4, fail={"pass/size=64": ("signal", "SIGSEGV")},
                          differ=("factory/size=16",))
    made = {}
    for name, one in (("full", plan), ("quick", dataclasses.replace(plan, launches=1, quick=True))):
        folder = tmp_path_factory.mktemp(name)
        run = load(synthetic.write_allocations(synthetic.write_run(folder / "run", rows, one), rows))
        made[name] = folder / "report.html"
        made[name].write_text(report.page(run), encoding="utf-8")
    return made


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1400])
@pytest.mark.parametrize("name", ["full", "quick"])
def test_looks_right(browser, pages, name, width, scheme):
    show(browser, pages[name], width, scheme)
    assert browser.get_log("browser") == []
    assert ask(browser, "performance.getEntriesByType('resource').map(entry => entry.name)") == []
    wide, room, page = ask(browser, "[innerWidth, document.documentElement.clientWidth,"
                                    " document.documentElement.scrollWidth]")
    assert wide == width and page == room, "no sideways scrolling"
    boxes = ask(browser, "Array.from(document.querySelectorAll('svg:not(.key)'), svg => {"
                         " const box = svg.getBoundingClientRect();"
                         " return [box.width, box.height, svg.querySelectorAll('path,line,circle,rect').length]; })")
    assert len(boxes) > 10 and all(wide > 100 and high > 30 and marks for wide, high, marks in boxes), boxes
    cut = ask(browser, "Array.from(document.querySelectorAll('p, li, dd, h1, h2, h3')).filter(one =>"
                       " one.getBoundingClientRect().right > document.documentElement.clientWidth)"
                       ".map(one => one.textContent)")
    assert cut == []


COLOURS = """(function () {
  const style = (one, what) => getComputedStyle(one)[what], svg = document.querySelector("figure svg");
  const page = style(document.documentElement, "backgroundColor");
  const words = ["p", ".rows td", "a", "th", "dt", "pre", ".question", "h2", ".rows td.pointer", ".wrong strong"];
  return { page, words: words.map(selector => [selector, style(document.querySelector(selector), "color")]),
           paper: style(svg.querySelector("path"), "fill"),
           cells: Array.from(document.querySelectorAll("td.cell"), cell =>
             [cell.className, style(cell, "color"), style(cell, "backgroundColor")]),
           letters: Array.from(document.querySelectorAll("svg text"), text => [style(text, "fill"),
             text.matches(".flame rect + text") ? style(text.previousElementSibling, "fill") : page]) };
})()"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_can_be_read_in_the_light_and_in_the_dark(browser, pages, scheme):
    show(browser, pages["full"], scheme=scheme)
    seen = ask(browser, COLOURS)
    page = luminance(seen["page"])
    assert (page > 0.8) == (scheme == "light") and (page < 0.1) == (scheme == "dark")
    assert seen["paper"] == seen["page"], "a figure's paper is the page's"
    letters = [("a figure", colour, paper) for colour, paper in seen["letters"]]
    words = [(name, colour, seen["page"]) for name, colour in seen["words"]]
    for name, colour, paper in [*words, *letters, *seen["cells"]]:
        light, dark = sorted((luminance(colour), luminance(paper)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, f"{name}: {colour} on {paper}"  # WCAG 2, AA


def column(browser, number, table="#all-rows"):
    return ask(browser, f"Array.from(document.querySelector('{table}').tBodies[0].rows).filter(row => row.offsetHeight)"
                        f".map(row => row.cells[{number}].textContent)")


def click(browser, number, table="#all-rows"):
    browser.execute_script(f"document.querySelectorAll('{table} th [role=button]')[{number}].click()")


def test_sorts(browser, pages):
    show(browser, pages["full"])
    before = column(browser, 0), column(browser, 1)
    click(browser, 1)
    assert column(browser, 1) == sorted(before[1], key=int), "sizes as numbers"
    click(browser, 1)
    assert column(browser, 1) == sorted(before[1], key=int, reverse=True)
    assert ask(browser, "document.querySelector('#all-rows th:nth-child(2)').ariaSort") == "descending"
    click(browser, 0)
    assert column(browser, 0) == sorted(before[0])
    assert ask(browser, "document.querySelectorAll('#all-rows th[aria-sort]').length") == 1
    for _ in "up", "down":
        click(browser, 3)
        assert column(browser, 3)[-1] == "-", "a failed row has no time: it stands last, either way"
    times = [float(text) for text in column(browser, 3)[:-1]]
    assert times == sorted(times, reverse=True)


def test_sorts_by_keyboard(browser, pages):
    show(browser, pages["full"])
    heading = browser.find_elements("css selector", "#all-rows th [role=button]")[1]
    heading.send_keys("\ue007")  # Enter
    assert column(browser, 1) == sorted(column(browser, 1), key=int)
    heading.send_keys(" ")
    assert column(browser, 1) == sorted(column(browser, 1), key=int, reverse=True)


def test_sorts_a_lessons_own_table(browser, pages):
    show(browser, pages["full"])
    click(browser, 0, "#pair-2 table")
    click(browser, 0, "#pair-2 table")
    assert column(browser, 0, "#pair-2 table") == ["65536", "4096", "256", "64", "16", "8"]
    assert column(browser, 1)[:2] == ["8", "16"], "the others stay as they are"


@pytest.mark.parametrize("words, verdict, want", [
    ("", "", lambda pair, size, verdict: True),
    ("PASS", "", lambda pair, size, verdict: pair == "pass"),
    ("64", "", lambda pair, size, verdict: size == "64"),
    ("pass 16", "", lambda pair, size, verdict: pair == "pass" and size == "16"),
    ("sigsegv", "", lambda pair, size, verdict: "SIGSEGV" in verdict),
    ("", "pointer faster", lambda pair, size, verdict: verdict.endswith("pointer faster")),
    ("factory", "value faster", lambda pair, size, verdict: pair == "factory" and verdict.endswith("value faster")),
    ("no such thing", "", lambda pair, size, verdict: False),
], ids=["nothing", "a pair", "a size", "pair and size", "a reason", "a verdict", "pair and verdict", "no match"])
def test_filters(browser, pages, words, verdict, want):
    show(browser, pages["full"])
    every = list(zip(column(browser, 0), column(browser, 1), column(browser, 2)))
    browser.execute_script("""const [words, verdict] = arguments;
        document.getElementById("words").value = words;
        document.getElementById("words").dispatchEvent(new Event("input"));
        document.getElementById("verdict").value = verdict;
        document.getElementById("verdict").dispatchEvent(new Event("change"));""", words, verdict)
    left = list(zip(column(browser, 0), column(browser, 1), column(browser, 2)))
    assert left == [row for row in every if want(*row)]
    assert ask(browser, "document.getElementById('shown').textContent") == f"{len(left)} of {len(every)} rows"
    assert browser.get_log("browser") == []


def test_can_be_read_without_javascript(browser, pages):
    show(browser, pages["full"], script=False)
    text = browser.find_element("tag name", "body").text
    assert "factory" in text and "SIGSEGV" in text and "Find a question" not in text, "what cannot work is not shown"
    assert len(browser.find_elements("css selector", "th [role=button]")) == 0
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_prints_the_code_too(browser, pages):
    show(browser, pages["full"], unfolded=False)
    browser.execute_cdp_cmd("Page.printToPDF", {})
    opened = ask(browser, "Array.from(document.querySelectorAll('details'), one => one.open)")
    assert len(opened) > len(LESSONS) and all(opened)


BOTTOMS = """(function () {
  const bottom = selector => Array.from(document.querySelectorAll(selector), one => one.getBoundingClientRect().bottom);
  return { place: bottom(".place"), answers: bottom(".short p"), map: bottom(".map"), legend: bottom(".legend"),
           question: bottom("#questions tr:nth-child(3)"), find: bottom("#find"), links: bottom("nav") };
})()"""


def test_the_first_screen_of_a_desktop_answers(browser, pages):
    show(browser, pages["full"], 1400, unfolded=False)
    seen = ask(browser, BOTTOMS)
    assert len(seen["answers"]) == 3
    for name in ("place", "answers", "map", "legend", "question", "find"):
        assert seen[name] and all(0 < bottom < 900 for bottom in seen[name]), (name, seen[name])


def test_the_first_screen_of_a_phone_answers(browser, pages):
    show(browser, pages["full"], 390, unfolded=False)
    seen = ask(browser, BOTTOMS)
    assert len(seen["answers"]) == 3 and max(seen["answers"]) < 900 < min(seen["links"])


@pytest.mark.parametrize("width", [390, 1400])
def test_no_cell_is_clipped(browser, pages, width):
    show(browser, pages["full"], width, unfolded=False)
    clipped = ask(browser, "Array.from(document.querySelectorAll('.cell, .map th, .questions th')).filter(one =>"
                           " one.scrollWidth > one.clientWidth + 1 || one.getBoundingClientRect().right > innerWidth)"
                           ".map(one => one.textContent)")
    assert clipped == []


def visible(browser, selector):
    return ask(browser, f"Array.from(document.querySelectorAll('{selector}')).filter(one => one.offsetHeight)"
                        ".map(one => one.querySelector('a, h3').textContent)")


def test_finds_questions(browser, pages):
    show(browser, pages["full"], unfolded=False)
    browser.find_element("id", "find-words").send_keys("FACTORY pointer")
    assert visible(browser, "#questions tbody tr") == visible(browser, ".card") == ["factory"]
    assert ask(browser, "document.getElementById('found').textContent") == "1 found"
    browser.find_element("id", "find-words").send_keys(" nonesuch")
    assert visible(browser, "#questions tbody tr") == visible(browser, ".card") == []


def test_a_link_opens_its_card(browser, pages):
    show(browser, pages["full"], unfolded=False)
    browser.find_element("css selector", "#questions a[href='#pair-2']").click()
    opened = ask(browser, "Array.from(document.querySelectorAll('.card details[open]'), one => one.parentNode.id)")
    assert opened == ["pair-2"]
