# SPDX-License-Identifier: MIT
"""Two runs compared: what differs beside the numbers, damaged runs, and --fail-on-change."""
import csv
import io
import json
import math
import re
import shutil

import pytest

import synthetic
from comparing import F64, P64, P8, QUIET, changed, compared, comparison, contents, edit, put, run_of, slower_value
from plots.__main__ import guarded
from plots.files.pair_run import load
from plots.judge.compare_runs import compare
from plots.judge.comparison import Fact
from plots.words import comparison_text


def test_rows_in_one_run_only(tmp_path, a, capsys):
    b = run_of(tmp_path / "b", QUIET[:3] + [synthetic.Truth("pass", 9)], seed=2)
    document = compared(a, b)
    assert document["rule"]["correction"] == "Bonferroni over 3 figures of 1 row"
    assert document["only_in_a"] == [P64.name, F64.name] and document["only_in_b"] == ["pass/size=9"]
    assert guarded(["compare", str(a), str(b), "--fail-on-change"]) == 2
    out, err = capsys.readouterr()
    assert err == "ampersand: compare: --fail-on-change cannot be judged: not in B: pass/size=64, factory/size=64\n"
    assert guarded(["compare", str(b), str(b), "--fail-on-change"]) == 0
    assert "Only in A: pass/size=64, factory/size=64." in out and "Only in B: pass/size=9." in out


def test_what_failed_in_both_runs_or_has_no_control_is_not_judged(tmp_path, capsys):
    fail = {P64.name: ("signal", "SIGSEGV")}
    a, b = (run_of(tmp_path / name, QUIET[2:] if name == "a" else changed(P8.name, value_ns=3.0)[2:], seed=seed,
                   fail=fail)
            for name, seed in (("a", 1), ("b", 2)))
    assert guarded(["compare", str(a), str(b), "--fail-on-change"]) == 2
    assert capsys.readouterr().err == ("ampersand: compare: --fail-on-change cannot be judged: "
                                       f"times without a control: {P8.name}; failed in both: {P64.name}\n")


CONDITIONS = [
    # name, change of B's manifest, the facts that differ
    ("another machine", put("machine", "cpu", value="Another CPU"), ["machine.cpu"]),
    ("another host", put("machine", "host", value="elsewhere"), ["machine.host"]),
    ("no ASLR", put("machine", "aslr", value=0), ["machine.aslr"]),
    ("another cache", put("machine", "caches", 0, "size_b", value=1 << 16), ["machine.caches"]),
    ("another compiler", put("build", "compiler", value="clang 14.0.6"), ["build.compiler"]),
    ("other flags", put("build", "kernel_args", value=["-O3"]), ["build.kernel_args"]),
    ("another library", put("build", "libraries", "jemalloc", value="5.2.1"), ["build.libraries.jemalloc"]),
    ("another allocator", put("allocator", "options", "opt.tcache", value=False), ["allocator.options.opt.tcache"]),
    ("no allocator", put("allocator", value=None),
     ["allocator.name", "allocator.version", "allocator.file", "allocator.options.opt.tcache"]),
    ("longer epochs", put("settings", "epoch_ns", value=100000), ["settings.epoch_ns"]),
    ("a single layout", put("settings", "layout", value=3), ["settings.layout"]),
    ("another tool", put("version", value="0.2.0"), ["ampersand"]),
    ("another load", put("machine", "load_1min", value=9.5), []),
    ("layout as if not named", put("settings", "layout", value=-1), []),
    ("another seed", put("seed", value=99), []),
    ("more launches planned", put("settings", "launches", value=40), []),
    ("other code", put("build", "modules_crc32", value={"pass": 2}), []),
]


@pytest.mark.parametrize("name, change, facts", CONDITIONS, ids=[row[0] for row in CONDITIONS])
def test_conditions(a, b, capsys, name, change, facts):
    edit(b / "manifest.json", change)
    before = contents(a.parent)
    status = guarded(["compare", str(a), str(b), "--format", "json"])
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert [one["fact"] for one in document["differences"]] == facts
    assert status == (2 if facts else 0)
    assert document["status"] == ("refused" if facts else "compared") and ("rows" in document) == (not facts)
    assert captured.err.count("\n") == bool(facts)
    for fact in facts:
        assert fact in captured.err and "--across" in captured.err
    assert guarded(["compare", str(a), str(b), "--across"]) == 0
    out = capsys.readouterr().out
    assert all(f"  {fact} " in out for fact in facts) and ("What differs" in out) == bool(facts)
    assert contents(a.parent) == before


def test_facts_are_told_in_words(a, b, capsys):
    for folder, cpus, layout, flags in ((a, 2, None, []), (b, 1, 3, ["-mavx2"])):
        edit(folder / "manifest.json", put("machine", "cpus_allowed", value=cpus))
        edit(folder / "manifest.json", put("build", "c_args", value=["-O2", *flags]))
        if layout:
            edit(folder / "manifest.json", put("settings", "layout", value=layout))
    assert guarded(["compare", str(a), str(b)]) == 2
    out, err = capsys.readouterr()
    assert f"{b}: not comparable with {a}: run B was allowed 1 CPU, run A 2; they differ in build.c_args" in err
    assert re.search(r"machine.cpus_allowed +2 +1\n", out) and re.search(r"settings.layout +all +3 only\n", out)
    assert re.search(r"build.c_args +none +-mavx2\n", out)
    assert guarded(["compare", str(a), str(b), "--format", "csv"]) == 2
    rows = {row["fact"]: row for row in csv.DictReader(io.StringIO(capsys.readouterr().out))}
    assert rows["build.c_args"] == {"fact": "build.c_args", "a": "-O2", "b": "-O2 -mavx2"}


def test_a_run_from_before_the_allowed_cpus_were_noted_can_be_compared(a, b):
    edit(b / "manifest.json", put("machine", "cpus_allowed", value=2))
    assert guarded(["compare", str(a), str(b)]) == 0


def test_another_configuration_is_a_difference(a, b, capsys):
    for folder in (a, b):
        edit(folder / "manifest.json", put("configurations", value=[{"name": "default"}, {"name": "glibc"}]))
    assert guarded(["compare", str(a), str(b), "--config", "jemaloc"]) == 2
    assert "there are: default, glibc" in capsys.readouterr().err
    assert guarded(["compare", str(a), str(b), "--config", "glibc"]) == 2
    assert "nothing is measured" in capsys.readouterr().err
    assert compare(load(a), load(b, "glibc")).differences == (
        Fact(fact="configuration.name", a="default", b="glibc"),)


CODE = [
    # name, A's checksums, B's, states, what the notes say
    ("the same", {"pass": 1, "factory": 2, "null": 3, "known": 4}, {"pass": 1, "factory": 2, "null": 3, "known": 4},
     {"pass": "same"}, "The lessons' code is the same, byte for byte"),
    ("one changed", {"pass": 1, "factory": 2, "null": 3, "known": 4}, {"pass": 9, "factory": 2, "null": 3, "known": 4},
     {"pass": "changed", "factory": "same"}, "differ: pass; the other lessons' code is the same"),
    ("not kept", {"pass": 1}, {}, {"pass": "unknown", "factory": "unknown"},
     "is not known: null, known, pass, factory"),
]


@pytest.mark.parametrize("name, crc_a, crc_b, states, said", CODE, ids=[row[0] for row in CODE])
def test_the_lessons_own_sources(tmp_path, a, name, crc_a, crc_b, states, said):
    b = run_of(tmp_path / "b", changed(P8.name, **slower_value(P8, 5)), seed=2)
    for folder, crc in ((a, crc_a), (b, crc_b)):
        edit(folder / "manifest.json", put("build", "modules_crc32", value=crc))
    found = comparison(a, b)
    assert found.status == "compared"  # code is what a comparison is for
    assert states.items() <= found.code.items()
    text = comparison_text.table(found)
    assert said in text.replace("\n ", "")
    line = next(line for line in text.splitlines() if line.startswith(f"  {P8.name} "))
    assert line.endswith("changed") == (name == "one changed")
    assert not line.endswith(("same", "unknown"))  # what is so of every row, a note says once


def test_other_placements_are_said(a, b):
    edit(b / "manifest.json", put("layouts", "pass", "units", 0, "offsets", "run_value_8", value=[48, 48, 48, 48]))
    found = comparison(a, b)
    assert [row.row for row in found.rows if not row.same_layouts] == [P8.name]
    assert any("1 row was measured at other placements" in note for note in comparison_text.notes(found))


LAUNCH = "launches/default/pass/size=8/002.json"
BAD = [
    # name, damage to B, what the line must say
    ("a newer schema", lambda run: edit(run / "manifest.json", put("schema", value="ampersand/run/2")),
     "is newer than"),
    ("a newer launch", lambda run: edit(run / LAUNCH, put("schema", value="ampersand/launch/2")), "is newer than"),
    ("an empty folder", lambda run: [shutil.rmtree(run), run.mkdir()], "empty: not a run folder"),
    ("no folder", shutil.rmtree, "there is no such folder"),
    ("another machine", lambda run: edit(run / "manifest.json", put("machine", "cpu", value="Another")),
     "they differ in machine.cpu"),
    ("JSON cut", lambda run: (run / LAUNCH).write_bytes((run / LAUNCH).read_bytes()[:200]), "not JSON"),
    ("NaN", lambda run: edit(run / LAUNCH, lambda d: d["value_ns"].__setitem__(0, math.nan)), "NaN"),
    ("a negative time", lambda run: edit(run / LAUNCH, lambda d: d["value_ns"].__setitem__(0, -5)), "-5 is negative"),
    ("two manifests", lambda run: shutil.copy(run / "manifest.json", run / "manifest (1).json"), "2 manifests"),
    ("no row in common", lambda run: [shutil.rmtree(run), run_of(run, [synthetic.Truth("other", 1)])],
     "no row in common"),
    ("nothing measured", lambda run: [shutil.rmtree(run), run_of(run, launches=0)], None),
]


@pytest.mark.parametrize("bad_first", [False, True], ids=["bad B", "bad A"])
@pytest.mark.parametrize("name, damage, said", BAD, ids=[row[0] for row in BAD])
def test_bad_input(a, b, capsys, name, damage, said, bad_first):
    damage(b)
    if said is None:  # only where neither run has anything
        damage(a)
        said = "nothing is measured"
    before = contents(a.parent)
    assert guarded(["compare", *map(str, (b, a) if bad_first else (a, b))]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("ampersand: ") and captured.err.count("\n") == 1 and said in captured.err
    assert ("machine.cpu  " in captured.out) if name == "another machine" else captured.out == ""
    assert contents(a.parent) == before


THRESHOLDS = [(None, 0), ("--fail-on-change", 3), ("--fail-on-change=4", 3), ("--fail-on-change=4%", 3),
              ("--fail-on-change=7", 0), ("--fail-on-change=0.5 %", 3)]


@pytest.mark.parametrize("flag, status", THRESHOLDS)
def test_fail_on_change(tmp_path, a, capsys, flag, status):
    b = run_of(tmp_path / "b", changed(P8.name, **slower_value(P8, 5.5)), seed=2)
    assert guarded(["compare", str(a), str(b)] + [flag] * bool(flag)) == status
    assert (P8.name in capsys.readouterr().err) == (status == 3)


def test_counts_fail_at_any_threshold(tmp_path, a):
    b = run_of(tmp_path / "b", changed(F64.name, allocs=(0, 2)), seed=2)
    assert guarded(["compare", str(a), str(b), "--fail-on-change", "1000"]) == 3


@pytest.mark.parametrize("percent", ["nan", "-1", "inf", "x", ""])
def test_fail_on_change_wants_a_percentage(a, capsys, percent):
    with pytest.raises(SystemExit) as stopped:
        guarded(["compare", str(a), str(a), f"--fail-on-change={percent}"])
    assert stopped.value.code == 2 and "not a percentage" in capsys.readouterr().err
