# SPDX-License-Identifier: MIT
"""The doctor's measurements: paired rounds and Google Benchmark on the pairs `null`, `null_placed` and `known_*`.

Each method gets about 0.1 s a launch: 1000 rounds of two epochs of 50 us, or 10 repetitions of 5 ms a side. A launch is
a fresh process in either case."""

import contextlib
import json
import math
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from plots.files import pair_run, strict_json
from plots.judge import tidy
from plots.program import scratch
from plots.program.errors import Refused
from plots.stats import statistics

ROUNDS = 1000
REPETITIONS = 10
LAYOUTS = 64
LAUNCHES_OF_A_DESIGN = 6  # the fewest that have an order-statistic interval of 95 %,
MISSES = 2 ** -5  # which reaches from the least to the greatest, and misses the truth so often
LOOP = """import os, sys
while os.getppid() == int(sys.argv[1]):  # until whoever started it is gone, killed or not
    for _ in range(1000000):
        pass
"""
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Ratios:
    ln_ratios: np.ndarray  # one a launch
    seconds: float  # a launch, in the mean
    truth: float | None = None  # the true ratio less 1, as the lesson declares it


@dataclass(frozen=True)
class Compared:
    ln_ratio: float
    p_value: float


@contextlib.contextmanager
def busy(n):
    """n processes that do nothing but use a CPU, for as long as the block runs."""
    loops = [subprocess.Popen([sys.executable, "-S", "-c", LOOP, str(os.getpid())]) for _ in range(n)]
    try:
        yield loops
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def truth(row):
    return float(row.declared["truth"]) - 1 if "truth" in row.declared else None


def known_of(folder):
    """{pair: Ratios} of the known pairs of a run, each launch over its whole design."""
    run = tidy.load(folder)
    rows = [row for row in run.rows if truth(row) is not None and len(row.launches) and not row.failed]
    if not rows:
        raise Refused(folder, "has no launches of pairs whose true ratio is known")
    return {row.pair: Ratios(statistics.measure(row.launches).headlines, math.nan, truth(row)) for row in rows}


class Bench:
    """ampersand-bench of a build folder."""

    def __init__(self, build):
        self.build = Path(build)
        self.program = self.build / "harness" / "ampersand-bench"
        if not self.program.exists():
            raise Refused(f"doctor: {self.program} is not there: build first, or name the folder by --build")

    def _run(self, arguments, lessons=None):
        environment = dict(os.environ, **({"AMPERSAND_LESSONS": str(lessons)} if lessons else {}))
        done = subprocess.run([self.program, *arguments], capture_output=True, text=True, errors="replace",
                              env=environment)
        if done.returncode:
            last = (done.stderr.strip() or f"exit status {done.returncode}").splitlines()[-1]
            raise Refused(last.removeprefix("ampersand: "))
        return done.stdout

    def machine(self):
        about = strict_json.parse(self._run(["machine"]).encode(), f"the output of {self.program} machine")
        if not isinstance(about, dict) or not all(isinstance(about.get(key), dict) for key in ("machine", "build")):
            raise Refused(self.program, "says nothing of the machine: build it again")
        return about

    def _load_paired(self, arguments, lessons=None):
        with scratch.folder("doctor") as folder:
            out = Path(folder) / "run"
            self._run(["paired", "--out", out, "--counts-launches", "0", "--solo-launches", "0", *arguments], lessons)
            return pair_run.load(out)

    def paired(self, pattern, launches):
        """{pair: Ratios}, every row at one address."""
        run = self._load_paired(["--filter", pattern, "--launches", str(launches), "--layout", "0",
                                 "--rounds", str(ROUNDS)])
        return {row.pair: Ratios(statistics.measure(row.launches).headlines,
                                 float(np.mean([launch.facts["seconds"] for launch in row.launches])), truth(row))
                for row in run.rows}

    def _google_times(self, pattern, layout, interleaved):
        """{side: real time of each repetition}."""
        flags = ["--layout", str(layout), f"--benchmark_filter={pattern}", "--benchmark_format=json",
                 f"--benchmark_repetitions={REPETITIONS}", "--benchmark_min_time=0.005"]
        text = self._run(flags + ["--benchmark_enable_random_interleaving=true"] * interleaved)
        times = {"value": [], "pointer": []}
        try:
            for entry in json.loads(text)["benchmarks"]:
                if entry["run_type"] == "iteration":
                    times[entry["run_name"].rsplit("side=", 1)[1]].append(entry["real_time"])
        except (ValueError, LookupError, TypeError):
            raise Refused(self.program, "did not print what libbenchmark prints") from None
        return times

    def google(self, pattern, launches, interleaved):
        """Ratios of the medians over repetitions."""
        begin = time.monotonic()
        logs = []
        for _ in range(launches):
            times = self._google_times(pattern, 0, interleaved)
            logs.append(np.log(np.median(times["pointer"]) / np.median(times["value"])))
        return Ratios(np.array(logs), (time.monotonic() - begin) / launches)

    def google_placements(self, pattern, n):
        """One comparison for each of n placements, as compare.py would make it: medians, and Mann and Whitney's U."""
        from scipy import stats  # pylint: disable=import-outside-toplevel  # half a second, for this only

        compared = []
        for layout in range(min(n, LAYOUTS)):
            times = self._google_times(pattern, layout, False)
            test = stats.mannwhitneyu(times["value"], times["pointer"], alternative="two-sided")
            compared.append(Compared(float(np.log(np.median(times["pointer"]) / np.median(times["value"]))),
                                     float(test.pvalue)))
        return compared

    def designs(self, pair, n, seed):
        """The headline's interval for each of n builds: the lesson `null` linked anew, in another order and with other
        paddings, then measured over its whole design."""
        intervals = []
        for k in range(n):
            with scratch.folder("doctor") as folder:
                self._link("null", seed + k, folder)
                run = self._load_paired(["--filter", f"^{pair}/", "--launches", str(LAUNCHES_OF_A_DESIGN)], folder)
            measured = statistics.measure(run.row(f"{pair}/size=16").launches)
            intervals.append(statistics.tell(measured.fit, statistics.CONFIDENCE).ratio)
        return intervals

    def _link(self, lesson, seed, folder):
        objects = [next((found for pattern in patterns for found in self.build.glob(pattern)), None) for patterns in
                   ((f"benchmarks/lib{lesson}.a.p/*.o", f"benchmarks/{lesson}.o"),  # of a build folder, or installed
                    ("harness/lesson/liblesson.a.p/*.o", "harness/lesson/lesson.o"))]
        if None in objects:
            raise Refused(self.build, f"no object of {lesson} is there: build again")
        command = [sys.executable, ROOT / "harness/lesson/make_layouts.py", "--lesson", lesson, "--object", objects[0],
                   "--extra", objects[1], "--count", str(LAYOUTS), "--seed", str(seed), "--out", folder]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise Refused(f"doctor: {lesson} cannot be linked anew: {done.stderr.strip()}")
        (Path(folder) / "lessons.txt").write_text(lesson + "\n")
