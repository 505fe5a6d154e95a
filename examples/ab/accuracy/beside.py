#!/usr/bin/python3
"""The versions of accuracy.py, told apart by three means in the same time: `ampersand ab`; Google Benchmark's
compare.py (both programs one after the other, the U test at 0.05); whole processes by turns (Wilcoxon's signed-rank
test at 0.05).

    examples/ab/accuracy/beside.py --sources lua5.4-*/src --rounds 20 --out beside.jsonl

For each version and kernel, `ab` goes first; as long as it timed, each of the others may. What all do before they time
(building, starting Python) counts for none. compare.py is in the package libbenchmark-tools."""

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
WAYS = "ab", "compare.py", "processes"


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


# ---- ab

def by_ab(asked, folder, version, kernel):
    """What it says, and how long it timed."""
    row = accuracy.run(asked, folder, version, 0, (kernel,))
    if "rows" not in row:
        sys.exit(f"ab: {row['why']}")
    one, = row["rows"]
    return {"called": one["verdict"] if one["verdict"] in ("slower", "faster") else None,
            "ratio": 1 + one.get("difference", {"estimate": 0})["estimate"], "seconds": one["seconds"]}


# ---- Google Benchmark

class Comparing:
    """Google Benchmark's compare.py, held to a time: how much longer it takes than it is told to is learnt."""

    def __init__(self, compare, folder):
        self.compare, self.out, self.longer = compare, folder / "compared.json", 1.4
        begun = time.monotonic()
        self._run("--help")
        self.start_s = time.monotonic() - begun

    def _run(self, *words):
        subprocess.run([sys.executable, self.compare, *map(str, words)], check=True, capture_output=True)

    def tell(self, base, head, kernel, seconds):
        each = seconds / 2 / REPETITIONS / self.longer
        begun = time.monotonic()
        self._run("-d", self.out, "benchmarks", base, head, f"--benchmark_filter=^{kernel}$",
                  f"--benchmark_repetitions={REPETITIONS}", f"--benchmark_min_time={each:.4f}")
        took = max(time.monotonic() - begun - self.start_s, each)
        self.longer *= (took / seconds) ** 0.5
        row = next(one for one in json.loads(self.out.read_text()) if one["name"].startswith(kernel)
                   and one.get("utest"))
        medians = [sorted(one[key] for one in row["measurements"])[len(row["measurements"]) // 2] for key in (
            "real_time", "real_time_other")]
        return called(row["utest"]["time_pvalue"], medians[1] / medians[0]) | {"seconds": took}


def called(p, ratio):
    return {"called": None if p >= ALPHA else "slower" if ratio > 1 else "faster", "ratio": ratio}


# ---- Whole processes

def seconds_of(program, kernel, ops):
    begun = time.monotonic()
    subprocess.run([program, "--run", kernel, str(ops)], check=True)
    return time.monotonic() - begun


def by_turns(base, head, kernel, seconds):
    begun, ops = time.monotonic(), 1000
    while seconds_of(base, kernel, ops) < PROCESS_S:
        ops *= 2
    times = [], []
    while time.monotonic() < begun + seconds or len(times[0]) < 2:
        for side in random.choice(((0, 1), (1, 0))):
            times[side].append(seconds_of((base, head)[side], kernel, ops))
    ratios = sorted(other / one for one, other in zip(*times))
    p = float(stats.wilcoxon(*times).pvalue)
    return called(p, ratios[len(ratios) // 2]) | {"pairs": len(ratios), "seconds": time.monotonic() - begun}


# ---- The runs

def measure(asked, rows):
    done, end = len(rows) // len(WAYS), time.monotonic() + 60 * asked.minutes if asked.minutes else float("inf")
    with tempfile.TemporaryDirectory(prefix="beside-") as name, open(asked.out, "a", encoding="utf-8") as file:
        folder = Path(name)
        accuracy.make_all(asked.sources, folder)
        programs = {one: build(folder, one, asked.cc, asked.cxx, asked.harness) for one in ("base", *VERSIONS)}
        comparing = Comparing(asked.compare, folder)
        every = [(version, kernel) for _ in range(asked.rounds) for version in VERSIONS for kernel in accuracy.PLANTED]
        for version, kernel in every[done:]:
            if time.monotonic() > end:
                break
            both = programs["base"], programs[version]
            load = os.getloadavg()[0]
            found = {"ab": by_ab(asked, folder, version, kernel)}
            seconds = found["ab"]["seconds"]
            found |= {"compare.py": comparing.tell(*both, kernel, seconds),
                      "processes": by_turns(*both, kernel, seconds)}
            more = [{"way": way, "version": version, "kernel": kernel, "load": load} | one for way,
                    one in found.items()]
            rows += more
            file.writelines(json.dumps(row) + "\n" for row in more)
            file.flush()


def table(rows):
    for way in WAYS:
        for version in VERSIONS:
            these = [row for row in rows if row["way"] == way and row["version"] == version]
            slower, faster = (sum(row["called"] == word for row in these) for word in ("slower", "faster"))
            off = sorted(abs(100 * (row["ratio"] - 1) - accuracy.PERCENT.get(version, 0)) for row in these) or [0]
            yield accuracy.line(f"{way}, {version}: calls it slower", slower, len(these), f"{faster} faster; median "
                                f"error {off[len(off) // 2]:.2f} %, largest {off[-1]:.2f} %")
        taken = sorted(row["seconds"] for row in rows if row["way"] == way)
        if taken:
            loads = sorted(row["load"] for row in rows if row["way"] == way)
            yield (f"    {taken[len(taken) // 2]:.1f} s a kernel (median; {taken[0]:.1f} to {taken[-1]:.1f}); load "
                   f"{loads[0]:.0f} to {loads[-1]:.0f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sources", metavar="DIR", type=Path, help="Lua's src/")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--minutes", type=float, help="begin nothing after that")
    parser.add_argument("--compare", default="/usr/share/benchmark/compare.py", metavar="FILE")
    parser.add_argument("--cc", default=os.environ.get("CC", "cc"))
    parser.add_argument("--cxx", default=os.environ.get("CXX", "c++"))
    parser.add_argument("--harness", type=Path, default=accuracy.HERE.parents[2], metavar="DIR",
                        help="where harness/ab.h is")
    accuracy.add_shared(parser, "beside.jsonl")
    asked = parser.parse_args()
    rows = accuracy.begun(parser, asked)
    if not asked.table:
        if not os.path.isfile(asked.compare):
            parser.error(f"--compare: there is no {asked.compare}: apt-get install libbenchmark-tools")
        measure(asked, rows)
    print("\n".join(table(rows)))


if __name__ == "__main__":
    main()
