# SPDX-License-Identifier: MIT
"""examples/ab/accuracy: the versions that it makes, what it still has to run, and the table of its runs."""
import json
import re
import subprocess
import sys
from types import SimpleNamespace

import pytest
from scipy import stats

from places import ROOT

sys.path.insert(0, str(ROOT / "examples/ab/accuracy"))
import accuracy
import beside

LINIT = "LUALIB_API void luaL_openlibs (lua_State *L) {\n  f();\n}\n"
CODE = "int f(void)\n{\n    return 1;\n}\nint g(void)\n{\n    return 2;\n}\n"


@pytest.mark.parametrize("name", ["accuracy", "beside"])
def test_they_start_as_the_page_says(name):
    """docs/ab.md calls them by their path."""
    done = subprocess.run([ROOT / f"examples/ab/accuracy/{name}.py"], capture_output=True, text=True)
    assert done.returncode == 2 and "apt-get source lua5.4" in done.stderr


@pytest.mark.parametrize("found, runs", [(0, 300), (3, 300), (300, 300), (19, 20)])
def test_the_interval_of_a_share(found, runs):
    want = stats.binomtest(found, runs).proportion_ci(0.95, "exact")
    assert accuracy.exactly(found, runs) == pytest.approx((100 * want.low, 100 * want.high))


@pytest.fixture
def sources(tmp_path):
    made = tmp_path / "src"
    made.mkdir()
    for name in ("lapi.c", "ldo.c", "lgc.c", "lvm.c", "lstring.c", "ltable.c", "lstrlib.c", "lua.c"):
        (made / name).write_text(CODE)
    (made / "linit.c").write_text(LINIT), (made / "luaconf.h").write_text("/* */\n")
    return made


def test_the_versions(sources, tmp_path):
    accuracy.make_all(sources, tmp_path / "made")
    texts = {path.name: {file.name: file.read_text() for file in path.iterdir()}
             for path in (tmp_path / "made").iterdir()}
    assert texts["again"]["lapi.c"] == texts["base"]["lapi.c"] + "/* the same code */\n"
    assert texts["again"] | {"lapi.c": texts["base"]["lapi.c"]} == texts["base"] and "lua.c" not in texts["base"]
    assert "#define CHAIN 1000\n" in texts["base"]["plants.h"] and "#define RARE 0\n" in texts["base"]["plants.h"]
    assert "#define CHAIN 1020\n" in texts["2%"]["plants.h"]
    for name in ("1%", "2%"):
        assert [file for file in texts[name] if texts[name][file] != texts["base"][file]] == ["plants.h"]
    for k in range(accuracy.UNRELATED):
        changed = {file: text for file, text in texts[f"unrelated{k}"].items() if text != texts["base"][file]}
        assert len(changed) == 2 and "if (L == NULL) unrelated(0);" in changed.pop("linit.c")
        text, = changed.values()
        before, _, more = text.partition("unsigned unrelated(unsigned x);\n")
        assert before + more.partition("    return x;\n}\n")[2] == CODE


def test_what_is_there_is_not_run_again():
    asked = SimpleNamespace(runs=4, planted=2, memory=1)
    whole = accuracy.plan(asked, set())
    assert sorted(whole) == sorted([("memory", 0), *((kind, k) for kind in ("again", "unrelated", "1%", "2%")
                                                     for k in (0, 1))])
    assert accuracy.plan(asked, set(whole[:3])) == whole[3:]


def row(kind, **verdicts):
    rows = [{"kernel": kernel, "verdict": verdict, "seconds": 1.0, "floor": 0.05, "difference": {
        "estimate": 0.06, "low": 0.01, "high": 0.1}} for kernel, verdict in verdicts.items()]
    return {"kind": kind, "number": 0, "load": 3.0, "seconds": 10.0, "rows": rows}


def test_the_table():
    text = "\n".join(accuracy.table([
        row("again", fib="same", sort="undecided"), row("unrelated", fib="faster", sort="same"),
        row("1%", chain="slower", turns="undecided", find="slower", rare="slower"), row("memory", hops="same"),
        {"kind": "again", "number": 1, "load": 3.0, "seconds": 1.0, "status": 2, "why": "no disk"}]))
    for line in ("both: calls some kernel different +1 of +2 +50.0 % \\(1.3 to 98.7 %\\)",
                 "unrelated 0: fib faster, \\+1.00 to \\+10.00 %", "planted 1% in all: slower +2 of +3 .*1 undecided",
                 "memory: beyond the floor +1 of +1 ", "1 runs failed: no disk", "planted 2% in all: slower +no runs"):
        assert re.search(line, text), (line, text)


def test_the_other_ways_in_a_table():
    rows = [{"way": "ab", "version": "again", "called": called, "ratio": ratio, "seconds": 4.0, "load": 2.0}
            for called, ratio in (("slower", 1.1), ("faster", 0.9), (None, 1.2))]
    first = next(beside.table(rows))
    assert "1 of    3" in first and "1 faster; median error 10.00 %, largest 20.00 %" in first
    assert [beside.called(p, ratio)["called"] for p, ratio in ((0.04, 1.1), (0.04, 0.9), (0.06, 1.2))] == [
        "slower", "faster", None]


def test_compare_py_is_held_to_its_time(tmp_path, monkeypatch):
    """One that takes three times as long as it is told to: what it is told goes down until it takes what it may."""
    now, told = [0.0], []

    def run(words, **_):
        if "benchmarks" not in words:
            now[0] += 2.0  # it starts, and ends
            return
        told.append(float(words[-1].partition("=")[2]))
        now[0] += 2.0 + 3 * told[-1] * 2 * beside.REPETITIONS
        measured = [{"real_time": 1.0, "real_time_other": 1.1}] * beside.REPETITIONS
        (tmp_path / "compared.json").write_text(json.dumps(
            [{"name": "chain", "utest": {"time_pvalue": 0.01}, "measurements": measured}]))

    monkeypatch.setattr(beside.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(beside.subprocess, "run", run)
    comparing = beside.Comparing("compare.py", tmp_path)
    found = [comparing.tell("base", "head", "chain", 4.0) for _ in range(8)]
    assert found[0]["seconds"] == pytest.approx(4 * 3 / 1.4,
                                                rel=0.001) and found[-1]["seconds"] == pytest.approx(4, rel=0.02)
    assert found[-1]["called"] == "slower" and found[-1]["ratio"] == pytest.approx(1.1)
