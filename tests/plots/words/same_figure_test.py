# SPDX-License-Identifier: MIT
"""The same row has the same figure wherever it stands: on a terminal, in Markdown, on the page, in a figure; the number
that programs get, in CSV and JSON, reads as that figure."""

import csv
import html
import io
import re

import pytest
import synthetic
import synthetic_allocators

from plots.figures import allocator_charts, pictures, style, verdicts_figure
from plots.files import allocator_run
from plots.files.pair_run import load
from plots.pages import allocator_report, report
from plots.words import allocator_sentences, allocator_text, pair_text, quantity
from plots.words.pair_sentences import summarize

ROWS = [synthetic.Truth("pass", 8, -0.0894, 1.5, launch_sd=0.0004, layout_sd=0.0004, round_sd=0.004),  # 0.9145, closely
        synthetic.Truth("pass", 64, 0.25, 4.0, layout_sd=0.02), synthetic.Truth("pass", 4096, -3.0, 180.0),
        synthetic.Truth("factory", 65536, 3.1, 40000.0, layout_sd=0.3, allocs=(0, 1), bytes=(0, 65536)),
        synthetic.Truth("null", 16, 0.0, 2.0, "null", layout_sd=0, launch_sd=0.0006, round_sd=0.004)]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    plan = synthetic.Plan(launches=16, layouts=4, rounds=4, checksums=False)
    return load(synthetic.write_run(tmp_path_factory.mktemp("same") / "run", ROWS, plan))


@pytest.fixture(scope="module")
def summary(run):
    return summarize(run)[0]


def of_terminal(text):
    """{row: {column: text}}, read by where its columns stand."""
    _, head, *lines = text.split("\n\n")[0].splitlines()
    found = {}
    for line in lines:
        pair, size, value, pointer, saves, ratio, interval, spread, *counts = line.split()[:12]
        found[f"{pair}/size={size}"] = {"saves": saves, "value": value, "pointer": pointer, "ratio": ratio,
                                        "interval": interval, "spread": spread, "counts": counts,
                                        "verdict": line[head.index("verdict"):]}
    return found


def of_cells(head, lines):
    """The same of a table with a heading for each column, of Markdown or of a page."""
    names = {"saves": "the faster side saves ns/op", "value": "value ns/op", "pointer": "pointer ns/op",
             "ratio": "ratio pointer/value", "interval": "interval", "spread": "spread over layouts",
             "verdict": "verdict"}
    found = {}
    for line in lines:
        cells = dict(zip(head, line))
        found[f"{cells['pair']}/size={cells['size']}"] = {key: cells[name] for key, name in names.items()} | {
            "counts": [cells[f"{side} {unit}"] for unit in ("B/op", "allocs/op") for side in ("value", "pointer")]}
    return found


def of_markdown(text):
    head, _, *lines = [[cell.strip().replace("\\", "") for cell in line.strip("|").split("|")]
                       for line in text.splitlines()
                       if line.startswith("|")]
    return of_cells(head, lines)


def table_of_page(text, label):
    part = re.search(rf'aria-label="{label}">.*?</table>', text, re.DOTALL)[0]
    head = [html.unescape(name).replace("\u200b", "") for name in re.findall(r"<th [^>]*>(.*?)</th>", part)]
    return head, [[html.unescape(cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", line, re.DOTALL)]
                  for line in part.split("<tr")[2:]]


def number(text):
    """(the number, half the worth of its last digit as a share of it)"""
    bare = text.removeprefix("1/").replace(",", "")
    decimals = len(bare.partition(".")[2])
    share = 0.5000001 * 10 ** -decimals / float(bare)
    return (1 / float(bare) if text.startswith("1/") else float(bare)), share


def test_every_form_shows_the_same(run, summary):
    shown = of_terminal(pair_text.table(summary, wide=True))
    assert set(shown) == {row.row for row in summary.rows}
    assert shown["pass/size=8"]["ratio"].count("9") and len(shown["pass/size=8"]["ratio"]) == 6  # four decimals
    page = report.page(run)
    assert of_markdown(pair_text.markdown(summary)) == shown
    assert of_cells(*table_of_page(page, "Every row of the run")) == shown
    written = {row["row"]: row for row in csv.DictReader(io.StringIO(pair_text.rows(summary.rows).csv()))}
    for name, row in shown.items():
        low, high = row["interval"].split("..")
        for text, key in ((row["value"], "value_ns_per_op"), (row["pointer"], "pointer_ns_per_op"),
                          (row["ratio"], "ratio"),
                          (low, "ratio_low"), (high, "ratio_high")):
            found, share = number(text)
            assert found == pytest.approx(float(written[name][key]), rel=share), (name, key, text)


def test_the_figure_shows_the_same(summary, run):
    shown = of_terminal(pair_text.table(summary, wide=True))
    with style.applied():
        fig = verdicts_figure.figures(summary, run.manifest)["ratios"]()
    lines = {}
    for text in fig.axes[0].texts:
        lines.setdefault(round(text.get_position()[1], 3), []).append(text.get_text())
    lines = [texts for texts in lines.values() if len(texts) == 5]  # size, ratio, interval, saves, verdict
    sizes = [row.size for row in summary.rows]
    assert [line[0] for line in lines] == [str(size) for size in sizes]
    svg = pictures.encode({"ratios": fig}, ("svg",))["ratios.svg"].decode()
    for row, line in zip(summary.rows, lines):
        mine = shown[row.row]
        assert [*line[1:3], line[4]] == [mine["ratio"], mine["interval"], mine["verdict"]], row.row
        assert line[3].removesuffix(" ns").removesuffix(" µs") == (
            mine["saves"] if "µs" not in line[3] else quantity.digits(float(mine["saves"].replace(",", "")) / 1000, 2))
        assert f">{mine['ratio']}<" in svg and f">{mine['interval']}<" in svg


def test_floors_and_sentences_show_the_same(run, summary):
    shown = of_terminal(pair_text.table(summary, wide=True))["null/size=16"]
    floor, = [line for line in pair_text.floors(summary.floors) if "clockwork" in line]
    assert f"ratio {shown['ratio']}, interval {shown['interval']}, spread {shown['spread']}" in floor
    page = report.page(run)
    assert floor in page and f"; pointer/value {shown['ratio']} ({shown['interval']})." in page


def test_the_rule_in_words(run, summary):
    found = pair_text.rule(summary.rule)
    assert found == (
        "the smallest difference worth a word is 0.2 %; intervals hold with 95 % for the whole table (Bonferroni over "
        f"5 rows, order statistics of the launches) and need {summary.rule.launches_needed} launches; "
        "stopping: fixed: 16 launches of every row, one look; a carry-over is called beyond 10 %")
    assert f"In this run: {found}." in report.page(run)


def test_configurations_show_the_same(tmp_path):
    works = tuple(work for work in synthetic_allocators.WORKS if work.name in ("small_churn", "large_blocks"))
    known = tuple(one for one in synthetic_allocators.configurations() if one.name in (
        "jemalloc", "jemalloc-again", "glibc", "mimalloc"))
    plan = synthetic_allocators.Plan(launches=12, timelines=0, sd=(0.005, 0.01))
    made = allocator_run.load(synthetic_allocators.write_run(tmp_path / "run", known, works, plan))
    judged = allocator_sentences.summarize(made)
    figures = pictures.draw(allocator_charts.plans(made, judged))
    page = allocator_report.page(made, judged, pictures.encode(figures, ("svg",)))
    table, heat = allocator_text.table(judged), [text.get_text() for text in figures["heat_time"].axes[0].texts]
    head, lines = table_of_page(page, "Every cell of the run")
    on_page = {(line[0], line[1]): dict(zip(head, line)) for line in lines}
    for cell in judged.cells:
        one = cell.metrics["ns_per_op"]
        if not one.ratio:
            continue
        want = {"ratio": allocator_text.ratio(one), "interval": allocator_text.interval(one)}
        mine = on_page[cell.workload, cell.configuration]
        assert {key: mine[key] for key in want} == want
        assert want["ratio"] in heat
        assert re.search(rf"{cell.configuration} .*{re.escape(want['ratio'])}", table)
        assert f"| {want['ratio']} | {want['interval']} |" in allocator_text.markdown(judged)
        found, share = number(want["ratio"])
        assert found == pytest.approx(one.ratio.estimate, rel=share)
