#!/usr/bin/python3
"""The versions of accuracy.py, told apart by other means in as much time: Google Benchmark's compare.py (both programs
one after the other, the U test at 0.05), and whole processes by turns (Wilcoxon's signed-rank test at 0.05).

    examples/ab/accuracy/beside.py --sources lua5.4-*/src --seconds 4 --rounds 20 --out beside.jsonl

compare.py is in the package libbenchmark-tools. `--seconds` is what each may take for a kernel."""

import argparse
import json
import os
import random
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from scipy import stats

import accuracy

ALPHA = 0.05
REPETITIONS = 10  # compare.py asks for 9 or more
PROCESS_S = 0.05
VERSIONS = "again", "1%", "2%"


def build(folder, name, cc, cxx, harness):
    """The program of a version."""
    where = folder / name
    flags = ["-O2", "-D_GNU_SOURCE", f"-I{where}", f"-I{harness}"]

    def call(*words):
        done = subprocess.run([*map(str, words)], cwd=where, capture_output=True, text=True)
        if done.returncode:
            sys.exit(done.stderr)

    call(*shlex.split(cc), *flags, "-c", *sorted(where.glob("l*.c")), accuracy.HERE / "kernels.c")
    call(*shlex.split(cxx), *flags, accuracy.HERE / "alone.cpp", *sorted(where.glob("*.o")), "-lbenchmark", "-lpthread",
         "-lm", "-o", where / "program")
    return where / "program"


# ---- Google Benchmark

def compared(asked, base, head, kernel, folder):
    """The p-values of compare.py, of wall and CPU time, and the ratio of the medians."""
    out = folder / "compared.json"
    flags = [f"--benchmark_filter=^{kernel}$", f"--benchmark_repetitions={REPETITIONS}",
             f"--benchmark_min_time={asked.seconds / 2 / REPETITIONS / 1.4:.4f}"]  # it takes 1.4 times that at least
    subprocess.run([sys.executable, asked.compare, "-d", out, "benchmarks", base, head, *flags], check=True,
                   capture_output=True)
    row = next(one for one in json.loads(out.read_text()) if one["name"].startswith(kernel) and one.get("utest"))
    medians = [sorted(one[key] for one in row["measurements"])[len(row["measurements"]) // 2] for key in (
        "real_time", "real_time_other")]
    return {"p": row["utest"]["time_pvalue"], "cpu_p": row["utest"]["cpu_pvalue"], "ratio": medians[1] / medians[0]}


# ---- Whole processes

def seconds_of(program, kernel, ops):
    begun = time.monotonic()
    subprocess.run([program, "--run", kernel, str(ops)], check=True)
    return time.monotonic() - begun


def by_turns(asked, base, head, kernel):
    ops = 1000
    while seconds_of(base, kernel, ops) < PROCESS_S:
        ops *= 2
    end, times = time.monotonic() + asked.seconds, ([], [])
    while time.monotonic() < end:
        for side in random.choice(((0, 1), (1, 0))):
            times[side].append(seconds_of((base, head)[side], kernel, ops))
    ratios = sorted(other / one for one, other in zip(*times))
    return {"p": float(stats.wilcoxon(*times).pvalue), "ratio": ratios[len(ratios) // 2], "pairs": len(ratios)}


# ---- The runs

def measure(asked, rows):
    with tempfile.TemporaryDirectory(prefix="beside-") as name, open(asked.out, "a", encoding="utf-8") as file:
        folder = Path(name)
        accuracy.make_all(asked.sources, folder)
        programs = {one: build(folder, one, asked.cc, asked.cxx, asked.harness) for one in ("base", *VERSIONS)}
        for _ in range(asked.rounds):
            for version in VERSIONS:
                for kernel in accuracy.PLANTED:
                    for way, how in (("compare.py", lambda *what: compared(asked, *what, folder)),
                                     ("processes", lambda *what: by_turns(asked, *what))):
                        begun = time.monotonic()
                        row = {"way": way, "version": version, "kernel": kernel, "load": os.getloadavg()[0]}
                        row |= how(programs["base"], programs[version], kernel)
                        row["seconds"] = time.monotonic() - begun
                        rows.append(row)
                        file.write(json.dumps(row) + "\n")
                        file.flush()


def table(rows):
    for way in ("compare.py", "processes"):
        for version in VERSIONS:
            these = [row for row in rows if row["way"] == way and row["version"] == version]
            slower = sum(row["p"] < ALPHA and row["ratio"] > 1 for row in these)
            faster = sum(row["p"] < ALPHA and row["ratio"] < 1 for row in these)
            off = sorted(abs(100 * (row["ratio"] - 1) - accuracy.PERCENT.get(version, 0)) for row in these) or [0]
            yield accuracy.line(f"{way}, {version}: calls it slower", slower, len(these), f"{faster} faster; median "
                                f"error {off[len(off) // 2]:.1f} %, largest {off[-1]:.1f} %")
        taken = sorted(row["seconds"] for row in rows if row["way"] == way)
        if taken:
            yield f"    {taken[len(taken) // 2]:.1f} s a kernel (median)"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sources", metavar="DIR", type=Path, help="Lua's src/")
    parser.add_argument("--seconds", type=float, default=4, help="for each kernel and way")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--compare", default="/usr/share/benchmark/compare.py", metavar="FILE")
    parser.add_argument("--cc", default=os.environ.get("CC", "cc"))
    parser.add_argument("--cxx", default=os.environ.get("CXX", "c++"))
    parser.add_argument("--harness", type=Path, default=accuracy.HERE.parents[2], metavar="DIR",
                        help="where harness/ab.h is")
    parser.add_argument("--out", default="beside.jsonl", metavar="FILE")
    parser.add_argument("--table", action="store_true", help="only print what the file has")
    asked = parser.parse_args()
    rows = accuracy.begun(parser, asked)
    if not asked.table:
        if not os.path.isfile(asked.compare):
            parser.error(f"--compare: there is no {asked.compare}: apt-get install libbenchmark-tools")
        measure(asked, rows)
    print("\n".join(table(rows)))


if __name__ == "__main__":
    main()
