# SPDX-License-Identifier: MIT
"""What is shown of a run contradicts itself nowhere: crossover, verdict, sentence, tally and comparison are read as a
reader does, from their words, and held against each other. Each mutant is a contradiction, and is found."""
import copy
import json
import math
import re

import pytest
from places import ROOT
import synthetic

from plots.files import records
from plots.files.pair_run import load
from plots.judge.compare_runs import compare
from plots.judge import pair_summary
from plots.words import overview_text
from plots.words.pair_sentences import summarize

SIZE = r"([\d,.]+)(?: ([A-Za-z]+))?"
UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


def size_of(number, unit):
    return float(number.replace(",", "")) * UNITS.get(unit, 1)


def winner_of(row):
    """By the words of the verdict."""
    return {"value faster": "value", "leans value": "value", "pointer faster": "pointer",
            "leans pointer": "pointer"}.get(
        row["verdict"])


def complaints(summary, compared):
    """Everything in which two of the four disagree, as text."""
    rows = {}
    for row in summary["rows"]:
        rows.setdefault(row["pair"], {})[row["size"]] = row
        yield from of_row(row)
    for one in summary["crossovers"]:
        yield from of_crossover(one, rows[one["pair"]])
    for row in compared["rows"]:
        mine = rows[row["pair"]][row["size"]]
        if row["verdict"]["a"] != mine["verdict"]:
            yield f"{row['row']}: compare says {row['verdict']['a']}, the summary {mine['verdict']}"
        ratio = row["ratio"]["a"]
        if winner_of(mine) and (ratio > 1) != (winner_of(mine) == "value"):
            yield f"{row['row']}: compare's ratio {ratio} favours the other side than {mine['verdict']}"
        if mine["ratio"] and mine["ratio"]["low"] and not (
                mine["ratio"]["low"] * 0.9999 <= ratio <= mine["ratio"]["high"] * 1.0001):
            yield f"{row['row']}: compare's ratio {ratio} lies outside the interval of the summary"


def of_row(row):
    name, winner, said = row["row"], winner_of(row), row["sentence"]
    names = {side: row.get("labels", {}).get(side, side) for side in ("value", "pointer")}
    told = re.search(r"(\S.*?) is ([\d.,]+) (times as fast|% faster)(?:, ([\d.,]+) (ns|µs|ms|s))?( \(small\))?",
                     said.removeprefix("alone, "))
    if bool(winner) != bool(told):
        yield f"{name}: {row['verdict']}, but it says {said}"
        return
    if bool(row.get("paired")) != said.startswith("alone, "):
        yield f"{name}: alone or by turns? {said}"
    if not winner:
        return
    ratio = row["ratio"]["estimate"]
    faster = max(ratio, 1 / ratio)
    if told[1] != names[winner] or (ratio > 1) != (winner == "value"):
        yield f"{name}: {row['verdict']} at {ratio}, but it says {said}"
    read = float(told[2].replace(",", "")) if told[3].startswith("times") else 1 + float(told[2]) / 100
    if not math.isclose(read, faster, rel_tol=0.006):
        yield f"{name}: {faster} times as fast, but it says {said}"
    difference = row["pointer_ns_per_op"]["estimate"] - row["value_ns_per_op"]["estimate"]
    known = row["difference_ns"]
    reach = 0.06 * abs(difference) + 0.02 * row["value_ns_per_op"]["estimate"]  # both times are estimates of their own
    if not (known["low"] or known["estimate"]) - reach <= difference <= (known["high"] or known["estimate"]) + reach:
        yield f"{name}: the times differ by {difference}, but the difference is {row['difference_ns']}"
    if told[4] and not math.isclose(
            size_of(told[4], "") * {"ns": 1, "µs": 1e3, "ms": 1e6, "s": 1e9}[told[5]],
            abs(row["difference_ns"]["estimate"]), rel_tol=0.06, abs_tol=1e-3):
        yield f"{name}: {row['difference_ns']}, but it says {said}"
    small = faster < 1.1 or abs(row["difference_ns"]["estimate"]) < 0.5
    if row["small"] != small or bool(told[6]) != small:
        yield f"{name}: {faster} times, {row['difference_ns']['estimate']} ns, small {row['small']}, but it says {said}"
    if row["spread"] and not row.get("outside_spread") and not (
            row["spread"]["p10"] <= ratio <= row["spread"]["p90"]) and (
            not row["design"]["error"] and row["spread"]["p10"] < row["ratio"]["low"] < row["spread"]["p90"]):
        yield f"{name}: the ratio lies outside its spread"


def of_crossover(one, rows):
    """`rows` by size."""
    sizes, said = sorted(rows), one["sentence"].partition("; measured between them, ")[0]
    names = {row.get("labels", {}).get(side, side): side for row in rows.values() for side in ("value", "pointer")}
    where = f"{one['pair']}: {said}"
    none = re.fullmatch(rf"none(?: shown)? between {SIZE} and {SIZE}: (\S.*) wins at (?:(\d+) of (\d+) sizes|every "
                        rf"size)", said)
    if none:
        wins = [size for size in sizes if winner_of(rows[size])]
        if {winner_of(rows[size]) for size in wins} != {names[none[5]]}:
            yield f"{where}, but verdicts name another side"
        if len(wins) != int(none[6] or len(sizes)) or int(none[7] or len(sizes)) != len(sizes) or one["sizes"]:
            yield f"{where}, but it is {len(wins)} of {len(sizes)}"
        return
    if re.match("no size|unknown", said):
        if any(map(winner_of, rows.values())):
            yield f"{where}, but a verdict names a side"
        return
    called = []
    for part in said.split("; then "):
        change = re.fullmatch(rf"from (.+) to (.+) between {SIZE} and {SIZE}(?:, probably near {SIZE})?(?: "
                              rf"\(neither.*\))?",
                              part)
        cliff = re.fullmatch(rf"(.+) up to {SIZE}, (.+) from {SIZE}(; undecided between them: .*)?(?: \(neither.*\))?",
                             part)
        if change:
            below, above, low, low_unit, high, high_unit = change.groups()[:6]
        elif cliff:
            below, low, low_unit, above, high, high_unit = cliff.groups()[:6]
        else:
            yield f"{where}: nobody can read {part}"
            return
        low, high = size_of(low, low_unit or high_unit), size_of(high, high_unit)
        if low not in rows or high not in rows:
            yield f"{where}: {low:g} or {high:g} was not measured"
            return
        if (winner_of(rows[low]), winner_of(rows[high])) != (names[below],
                                                             names[above]) or names[below] == names[above]:
            yield f"{where}, but at {low:g} {rows[low]['verdict']}, at {high:g} {rows[high]['verdict']}"
        between = [rows[size]["verdict"] for size in sizes if low < size < high]
        if any(map(winner_of, (row for size, row in rows.items() if low < size < high))):
            yield f"{where}, but a side wins between {low:g} and {high:g}"
        undecided = any(verdict not in ("equal", "placement decides") for verdict in between)
        if undecided != bool(cliff and cliff[7]):
            yield f"{where}, but between them {between}"
        if change and change[7] and not low * 0.95 <= size_of(change[7], change[8] or high_unit) <= high * 1.05:
            yield f"{where}: near {change[7]} is not between"
        if not undecided:
            called.append((low, high, names[below]))
    if sorted(called) != sorted((one["low"], one["high"], one["faster_below"]) for one in one["sizes"]):
        yield f"{where}, but the numbers are {one['sizes']}"


ROWS = [row for row in synthetic.lessons() if row.pair in ("pass", "mutate", "stack_copy") and row.size in
        (1, 8, 16, 17, 24, 32, 64, 256, 257, 1024, 65536)] + [
    synthetic.Truth("crossing", 8, 0.4),
    synthetic.Truth("crossing", 64, 0.0, layout_sd=0, launch_sd=0.0002, round_sd=0.001, outliers=0),
    *(synthetic.Truth("cliff", size, 0.4 if size < 17 else -0.4) for size in (8, 16, 17)),
    synthetic.Truth("crossing", 512, -0.4), synthetic.Truth("unsure", 8, 0.4),
    synthetic.Truth("unsure", 64, 0.0, launch_sd=0.1),
    synthetic.Truth("unsure", 512, -0.4), synthetic.Truth("carried", 65536, -0.3, 50.0, ln_carry_over=0.9),
    synthetic.Truth("carried", 8, -0.3, 50.0, ln_carry_over=0.02), synthetic.Truth("null", 16, 0.0, layout_sd=0),
    synthetic.Truth("close", 1, 0.05, 20.0, layout_sd=0.01), synthetic.Truth("fast", 1, 0.4, 0.9, layout_sd=0.01),
    synthetic.Truth("slow", 1, 0.4, 3e6, layout_sd=0.01)]


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    run = load(synthetic.write_run(tmp_path_factory.mktemp("run") / "run", ROWS,
                                   synthetic.Plan(launches=14, layouts=8, rounds=4, solo=13)))
    return json.loads(json.dumps(pair_summary.document(summarize(run)[0]))), records.write(compare(run, run))


def test_nothing_contradicts_itself(judged):
    summary, compared = judged
    assert list(complaints(summary, compared)) == []
    said = {one["pair"]: one["sentence"] for one in summary["crossovers"]}
    assert said["crossing"].startswith("from value to pointer between 8 and 512 B, probably near ")
    assert said["unsure"] == "value up to 8 B, pointer from 512 B; undecided between them: 64 B"
    assert said["cliff"] == "value up to 16 B, pointer from 17 B"
    rows = {row["row"]: row for row in summary["rows"]}
    assert rows["carried/size=65536"]["verdict"] == "value faster", "by turns it is the pointer"
    assert rows["carried/size=65536"]["paired"]["verdict"] == "pointer faster"
    assert [rows[f"{name}/size=1"]["small"] for name in ("close", "fast", "slow")] == [True, True, False]


def crossover(pair, **new):
    def change(summary, compared):
        one = next(one for one in summary["crossovers"] if one["pair"] == pair)
        one.update({key: value for key, value in new.items() if key != "to"})
        if "to" in new:
            one["sizes"][0].update(new["to"])
    return change


def row(name, **new):
    def change(summary, compared):
        next(one for one in summary["rows"] if one["row"] == name).update(new)
    return change


def said(name, old, new):
    def change(summary, compared):
        one = next(one for one in summary["rows"] if one["row"] == name)
        assert old in one["sentence"]
        one["sentence"] = one["sentence"].replace(old, new)
    return change


def in_compare(name, **new):
    def change(summary, compared):
        one = next(one for one in compared["rows"] if one["row"] == name)
        for key, value in new.items():
            one[key]["a"] = value
    return change


MUTANTS = [
    crossover("crossing", to={"low": 64}), crossover("crossing", to={"faster_below": "pointer"}),
    crossover("crossing", sizes=[]),
    crossover("crossing", sentence="from value to pointer between 9 and 512 B, probably near 64 B"),
    crossover("crossing", sentence="from value to pointer between 8 and 512 B, probably near 1000 B"),
    crossover("crossing", sentence="from pointer to value between 8 and 512 B, probably near 64 B"),
    crossover("crossing", sentence="value wins below 1.08 B, pointer above"),
    crossover("unsure", sentence="from value to pointer between 8 and 512 B, probably near 64 B"),
    crossover("mutate", sentence="none between 8 B and 64 KiB: pointer wins at every size"),
    crossover("stack_copy", sentence="no size between 1 B and 1 KiB has a winner for certain"),
    row("crossing/size=64", verdict="undecided"), row("crossing/size=8", verdict="pointer faster"),
    row("cliff/size=16", verdict="placement decides"), row("close/size=1", small=False), row("slow/size=1", small=True),
    row("slow/size=1", difference_ns={"estimate": 5.0, "low": None, "high": None}),
    row("carried/size=8", paired={"verdict": "equal"}), said("slow/size=1", "value", "pointer"),
    said("slow/size=1", "1.", "2."),
    said("close/size=1", " (small)", ""), said("slow/size=1", " ms", " ns"), said("carried/size=65536", "alone, ", ""),
    in_compare("slow/size=1", verdict="equal"), in_compare("slow/size=1", ratio=0.7),
    in_compare("pass/size=8", ratio=9.0),
]


@pytest.mark.parametrize("mutant", range(len(MUTANTS)))
def test_a_contradiction_is_found(judged, mutant):
    summary, compared = map(copy.deepcopy, judged)
    MUTANTS[mutant](summary, compared)
    assert list(complaints(summary, compared))


def test_the_tally_counts_questions(judged):
    summary = pair_summary.read(judged[0])
    assert overview_text.tally(summary, synthetic.manifest(ROWS, synthetic.Plan())) == (
        "10 questions: the value side wins in 1, the pointer side wins in 3, the size decides in 4, no difference that "
        "matters in 2. Apart from these: 1 control")


def test_the_published_run_agrees_with_itself():
    folder = ROOT / "results/reference"
    if not (folder / "launches.csv.gz").exists():
        pytest.skip("the published run has no launches.csv.gz: it is older than this test")
    run = load(folder)
    assert list(complaints(run.published, records.write(compare(run, run)))) == []
