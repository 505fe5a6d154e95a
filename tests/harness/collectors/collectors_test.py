# SPDX-License-Identifier: MIT
"""Runs of collectors: wrong use, the same work under every collector, a run from end to end, and results that differ.
AMPERSAND_BUILD names the build folder."""
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from places import ROOT
from plots.gc import judge, runs

BUILD = os.environ.get("AMPERSAND_BUILD")
if not BUILD:
    pytest.skip("AMPERSAND_BUILD does not name a build folder", allow_module_level=True)
BUILD = Path(BUILD).resolve()
GC = BUILD / "harness/collectors/ampersand-gc"
WORKLOADS = ("cache", "queue", "tree", "server")
SMALL = ("--live", "1M", "--gogc", "100", "--launches", "1", "--no-wait", "--quick", "--seed", "14")


def program(collector):
    return BUILD / f"benchmarks/gc/ampersand-gc-{collector}"


BUILT = [name for name in ("ours", "boehm") if program(name).exists()]


@pytest.fixture(scope="module")
def go(tmp_path_factory):
    """The workloads in Go."""
    if not shutil.which("go"):
        pytest.skip("no Go: apt-get install golang")
    out = tmp_path_factory.mktemp("go") / "ampersand-gc-go"
    subprocess.run(["go", "build", "-o", out, "."], cwd=ROOT / "benchmarks/go/gc", check=True)
    return out


WRONG = [
    (["--gogc", "0"], "--gogc: '0' is not a whole number from 25 to 800"),
    (["--gogc", "-5"], "--gogc: '-5' is not a whole number from 25 to 800"),
    (["--gogc", "100,24"], "--gogc: '24' is not a whole number from 25 to 800"),
    (["--gogc", "100,,200"], "--gogc: '' is not a whole number from 25 to 800"),
    (["--gogc", "100,100"], "--gogc: '100' is there twice"),
    (["--live", "100"], "--live: '100' is not a size such as 64M, from 1M to 16G"),
    (["--live", "64X"], "--live: '64X' is not a size such as 64M, from 1M to 16G"),
    (["--workload", "trees"], "--workload: 'trees' is none of cache, queue, tree, server"),
    (["--collector", "bohm"], "--collector: 'bohm' is none of ours, boehm, go"),
    (["--collector", "go"], "go: go is not here, or did not build its program; the package is called golang"),
    (["--collector", "go", "--go", "/nowhere"], "go: go is not here, or did not build its program; the package is called golang"),
    (["--collector"], "--collector: needs a value"),
    (["--quick=yes"], "--quick: takes no value"),
    (["--lives", "1M"], "--lives: 'gc' has no such flag; the nearest is '--live', and 'ampersand help gc' lists them"),
    (["tree"], "tree: 'gc' takes no such word; 'ampersand help gc' says what it takes"),
    (["--resume", "x"], "--resume: stands alone: a run goes on with its own settings"),
    (["--launches", "0"], "--launches: '0' is not a whole number from 1 to 100"),
]


@pytest.mark.parametrize("words, why", WRONG, ids=[" ".join(words) for words, _ in WRONG])
def test_wrong_use(tmp_path, words, why):
    done = subprocess.run([GC, "--out", tmp_path / "run", "--seed", "1", *words], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"ampersand: {why}\n")
    assert not (tmp_path / "run").exists()


def test_neither_out_nor_resume():
    done = subprocess.run([GC, "--quick"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (2, "ampersand: gc: needs --out DIR, or --resume RUN\n")


def one(command, folder, **more):
    """What a collector's program writes for a task."""
    task = {"file": str(folder / "out.json"), "workload": "tree", "live_b": 1 << 20, "gogc": 100, "turnover": 12,
            "launch": 0, "seed": 14, "graph": False} | more
    subprocess.run([command, json.dumps(task)], check=True, env=os.environ | {"GODEBUG": "gctrace=1"})
    return json.loads((folder / "out.json").read_text())


@pytest.mark.skipif(not BUILT, reason="no collector was built: apt-get install libgc-dev")
@pytest.mark.parametrize("workload", WORKLOADS)
def test_go_computes_the_same(go, tmp_path, workload):
    found = [one(program(name), tmp_path, workload=workload) for name in BUILT] + [one(go, tmp_path, workload=workload)]
    assert len({result["checksum"] for result in found}) == 1
    assert len({(result["asked_live_b"], result["allocated_b"], result["mutators"]) for result in found}) == 1
    assert all(result["cycles"] for result in found)
    other = one(program(BUILT[0]), tmp_path, workload=workload, seed=15)["checksum"]
    assert other != found[0]["checksum"]


@pytest.mark.parametrize("task, why", [
    ("{}", "file"), ("[]", "task"), ('{"file": "x", "workload": "bush", "live_b": 1048576, "gogc": 100, "turnover": 1, '
                                     '"launch": 0, "seed": 1, "graph": false}', "bush: there is no such workload"),
])
@pytest.mark.skipif(not BUILT, reason="no collector was built")
def test_wrong_task(task, why):
    done = subprocess.run([program(BUILT[0]), task], capture_output=True, text=True)
    assert done.returncode == 2 and why in done.stderr and len(done.stderr.splitlines()) == 1


def measured(folder, *flags, status=0):
    done = subprocess.run([GC, "--out", folder, *SMALL, *flags], capture_output=True, text=True)
    assert done.returncode == status, done.stderr
    return done


def plots(*words, status=0):
    done = subprocess.run([sys.executable, "-m", "plots", *words], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == status, done.stderr
    return done.stderr if status == 2 else done.stdout


def shown(folder, *flags, status=0):
    done = subprocess.run([sys.executable, "-m", "plots", "gc", folder, *flags], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (status, ""), done.stderr
    return done.stdout


@pytest.mark.skipif(not BUILT, reason="no collector was built")
def test_a_run_from_end_to_end(tmp_path):
    folder = tmp_path / "run"
    done = measured(folder, "--collector", ",".join(BUILT), "--workload", "tree")
    assert re.search(r"pauses of 200 cycles for each collector; about [1-9]\d* minutes, as fast as trials went\n",
                     done.stderr)
    assert not (folder / "trial.json").exists()
    lines = shown(folder, "--format", "trace").splitlines()
    run = runs.load(folder)
    launches = [launch for many in run.points.values() for launch in many]
    launches += [*run.pauses.values(), *run.shapes.values()]
    assert len(launches) == (2 + 11) * len(BUILT)
    assert set(run.graphs) == ({"tree"} if "ours" in BUILT else set())
    for graph in run.graphs.values():  # as the collector marked it, off by nothing
        assert graph["reached_b"] == graph["marked_b"] == sum(line["own_b"] for line in graph["paths"]) == 1 << 20
    assert sum(line.startswith("gc ") for line in lines) == sum(len(launch.cycles) for launch in launches)
    assert {line[0] for line in lines} == {"g", "#"}
    assert (folder / "gctrace.txt").read_text().splitlines() == lines
    summary = json.loads((folder / "summary.json").read_text())
    assert [row["collector"] for row in summary["points"]] == [key[0] for key in run.points]
    assert all(row["peak_b"] > row["live_reached_b"] > 0 for row in summary["points"])
    slices = [event for event in json.loads((folder / "trace.json").read_text())["traceEvents"] if event["ph"] == "X"]
    assert len(slices) == 3 * sum(len(many[0].cycles) for many in run.points.values())
    assert "<title>ampersand: gc, " in (folder / "report.html").read_text()
    assert shown(folder).count("tree") >= len(BUILT)
    page = (folder / "report.html").read_text()
    assert plots("check", folder) == f"{folder}: {2 + len(launches) + len(run.graphs)} files follow their schemas\n"
    points = {(row["collector"], row["gogc"]): row for row in summary["points"]}
    assert all(row["cpu_off"] is not None and 0 < row["least_share"] < 1 for row in points.values())
    assert all(point.cost.ns_per_b > 0 for point in judge.points(run))
    assert plots("report", folder) == f"{folder}/report.html\n" and (folder / "report.html").read_text() == page
    assert "report draws it" in plots("charts", folder, status=2)
    again = subprocess.run([GC, "--resume", folder], capture_output=True, text=True)
    assert again.returncode == 0 and "go on" not in again.stderr
    assert subprocess.run([GC, "--out", folder, *SMALL], capture_output=True).returncode == 2


@pytest.mark.skipif("boehm" not in BUILT, reason="Boehm's collector is not built in: apt-get install libgc-dev")
@pytest.mark.parametrize("change, why", [
    ("result['checksum'] = '0' * 16", "checksum"), ("result['cycles'] = []", "no cycle"), ("sys.exit(3)", "exit"),
])
def test_a_result_that_differs_is_refused(tmp_path, change, why):
    """`go` is here Boehm's program with a lie; it comes after the others, or is compared with what they found."""
    liar = tmp_path / "liar"
    liar.write_text(f"""#!{sys.executable}
import json, os, subprocess, sys
subprocess.run([{str(program('boehm'))!r}, sys.argv[1]], check=True)
file = json.loads(sys.argv[1])["file"]
result = json.load(open(file))
result["collector"] = "go"
os.remove(file)
{change}
json.dump(result, open(file, "w"))
""")
    liar.chmod(0o755)
    folder = tmp_path / "run"
    done = measured(folder, "--collector", "boehm,go", "--workload", "tree", "--go", str(liar), status=1)
    assert f"failed: {why}" in done.stderr
    run = runs.load(folder)
    assert run.failures and all(why in said for _, said in run.failures)
    assert "failed: " in shown(folder, status=1)
