# SPDX-License-Identifier: MIT
"""The command line of ampersand-bench: every wrong use is one line on stderr that names it, and exit status 2.

AMPERSAND_BUILD names the build folder. What right values do is in options_test.c."""
import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from waiting import HANGS_S

BUILD = Path(os.environ.get("AMPERSAND_BUILD", "build")).resolve()
BENCH = BUILD / "harness" / "ampersand-bench"
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "AMPERSAND_COMMAND"}  # of the door


def bench(*words, **more):
    more.setdefault("env", ENVIRONMENT)
    return subprocess.run([BENCH, *words], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=HANGS_S,
                          **{"stdout": subprocess.PIPE, **more})


WRONG = [
    # words, what the line says after "ampersand: "
    # ---- verbs
    ("lst", "lst: no such verb; the nearest is 'list'"),
    ("pared --out x", "pared: no such verb; the nearest is 'paired'"),
    ("PAIRED", "PAIRED: no such verb; the nearest is 'paired'"),
    ("frobnicate",
     "frobnicate: no such verb; there are paired, counters, allocators, list, check-budgets, machine, child, "
     "help and version"),
    ("machine now", "now: 'machine' takes no such word; 'ampersand-bench help' says what it takes"),
    ("help --quick", "--quick: 'help' has no such flag; 'ampersand-bench help' lists them"),
    ("list --quick", "--quick: 'list' has no such flag"),
    ("list --question", "--question: 'list' has no such flag; the nearest is '--questions'"),
    ("child", "child: needs one word, its task as JSON"),
    ("child {} {}", "child: needs one word, its task as JSON"),
    # ---- flags of paired
    ("paired", "paired: needs --out DIR, or --resume RUN"),
    ("paired --out", "--out: needs a value"),
    ("paired --out=", "--out: its value is empty"),
    ("paired --ou x", "--ou: 'paired' has no such flag; the nearest is '--out'"),
    ("paired --ou=x", "--ou: 'paired' has no such flag; the nearest is '--out'"),
    ("paired --out x y", "y: 'paired' takes no such word; 'ampersand-bench help' says what it takes"),
    ("paired y --out x", "y: 'paired' takes no such word; 'ampersand-bench help' says what it takes"),
    ("paired --out x -- --quick", "--quick: 'paired' takes no such word"),
    ("paired --out x --lauches 3", "--lauches: 'paired' has no such flag; the nearest is '--launches'"),
    ("paired --out x --lauches=3", "--lauches: 'paired' has no such flag; the nearest is '--launches'"),
    ("paired --out x --frobnicate", "--frobnicate: 'paired' has no such flag; 'ampersand-bench help' lists them"),
    ("paired --out x --l 3", "--l: 'paired' has no such flag"),
    ("paired --out x -q", "-q: 'paired' has no such flag"),
    ("paired --out x -qv --quick", "-qv: 'paired' has no such flag"),
    ("paired --out x --questions", "--questions: 'paired' has no such flag"),
    ("paired --out x --quick=yes", "--quick: takes no value"),
    ("paired --out x --launches", "--launches: needs a value"),
    ("paired --out x --precision 0.5% --layout 3", "--precision: not with --layout"),
    ("paired --resume x --out y", "--out: not with --resume"),
    ("paired --resume x --launches 3", "--launches: not with --resume"),
    ("paired --resume x --quick", "--quick: not with --resume"),
    # ---- flags of allocators
    ("allocators", "allocators: needs --out DIR, or --resume RUN"),
    ("allocators --out x --confg y", "--confg: 'allocators' has no such flag; the nearest is '--config'"),
    ("allocators --out x --config", "--config: needs a value"),
    ("allocators --out x --config=", "--config: its value is empty"),
    ("allocators --out x --filter y", "--filter: 'allocators' has no such flag"),
    ("allocators --resume x --config y", "--config: not with --resume"),
    ("allocators --out x --timelines 101", "--timelines: '101' is not a whole number from 0 to 100"),
    ("allocators --out x " + "--config y " * 65, "--config: more than 64 of them"),
    ("paired --out x --config y", "--config: 'paired' has no such flag"),
    # ---- numbers
    ("paired --out x --launches 12x", "--launches: '12x' is not a whole number from 1 to 1000"),
    ("paired --out x --launches=0", "--launches: '0' is not a whole number from 1 to 1000"),
    ("paired --out x --launches=1001", "--launches: '1001' is not a whole number from 1 to 1000"),
    ("paired --out x --launches=-1", "--launches: '-1' is not a whole number from 1 to 1000"),
    ("paired --out x --launches=+1", "--launches: '+1' is not a whole number from 1 to 1000"),
    ("paired --out x --launches=", "--launches: '' is not a whole number from 1 to 1000"),
    ("paired --out x --launches=1.5", "--launches: '1.5' is not a whole number from 1 to 1000"),
    ("paired --out x --launches=1e2", "--launches: '1e2' is not a whole number from 1 to 1000"),
    ("paired --out x --launches=0x10", "--launches: '0x10' is not a whole number from 1 to 1000"),
    ("paired --out x --launches=18446744073709551617", "--launches: '18446744073709551617' is not a whole number"),
    ("paired --out x --launches=36893488147419103240", "--launches: '36893488147419103240' is not a whole number"),
    ("paired --out x --counts-launches 1001", "--counts-launches: '1001' is not a whole number from 0 to 1000"),
    ("paired --out x --solo-launches x", "--solo-launches: 'x' is not a whole number from 0 to 1000"),
    ("paired --out x --seed 9007199254740992",
     "--seed: '9007199254740992' is not a whole number from 0 to 9007199254740991"),
    ("paired --out x --epoch-us 0", "--epoch-us: '0' is not a whole number from 1 to 1000000"),
    ("paired --out x --rounds 3", "--rounds: '3' is not an even number from 2 to 10000"),
    ("paired --out x --rounds 0", "--rounds: '0' is not an even number from 2 to 10000"),
    ("paired --out x --timeout 86401", "--timeout: '86401' is not a whole number from 1 to 86400"),
    ("paired --out x --layout -1", "--layout: '-1' is not a whole number from 0 to 9999"),
    ("paired --out x --layout 9999", "--layout: '9999' is not a layout; they were built with numbers 0 to "),
    ("paired --out x --memory-limit 8X", "--memory-limit: '8X' is not a size such as 512M or 8G, from 1M to 1024T"),
    ("paired --out x --memory-limit G", "--memory-limit: 'G' is not a size"),
    ("paired --out x --memory-limit 8Gi", "--memory-limit: '8Gi' is not a size"),
    ("paired --out x --memory-limit 1023K", "--memory-limit: '1023K' is not a size"),
    ("paired --out x --memory-limit 1025T", "--memory-limit: '1025T' is not a size"),
    ("paired --out x --memory-limit 99999999999T", "--memory-limit: '99999999999T' is not a size"),
    # ---- filters
    ("paired --out x --filter pss/size=8", "--filter: 'pss/size=8' matches nothing; the nearest is 'pass/size=8'"),
    ("paired --out x --filter fctory", "--filter: 'fctory' matches nothing; the nearest is 'factory'"),
    ("paired --out x --filter ^colection", "--filter: '^colection' matches nothing; the nearest is 'collection'"),
    ("list --filter muate", "--filter: 'muate' matches nothing; the nearest is 'mutate'"),
    ("list --filter (", "--filter: '(' is not a regular expression: "),
    ("list --filter=", "--filter: its value is empty"),
    # ---- libbenchmark's flags
    ("--benchmark_filter=fctory", "--benchmark_filter: 'fctory' matches nothing; the nearest is 'factory'"),
    ("--benchmark_filter=fctory --benchmark_list_tests", "--benchmark_filter: 'fctory' matches nothing"),
    ("--benchmark_filter=(", "--benchmark_filter: '(' is not a regular expression"),
    ("--benchmark_repetition=3", "--benchmark_repetition: no such flag; the nearest is '--benchmark_repetitions'"),
    ("--benchmark_repetitions=abc", "--benchmark_repetitions: 'abc' is not a whole number from 1 to 1000000"),
    ("--benchmark_repetitions=-3", "--benchmark_repetitions: '-3' is not a whole number from 1 to 1000000"),
    ("--benchmark_repetitions", "--benchmark_repetitions: needs a value, after '='"),
    *((f"--benchmark_{flag}={value}", f"--benchmark_{flag}: '{value}' is not a time in seconds, such as 0.5")
      for flag in ("min_time", "min_warmup_time")
      for value in ("soon", "", "-1", "-0.5s", "nan", "inf", "1e99", "0x1p3", "5m", "1ss", "0.1sx", "1,5", ".", "0x",
                    "1.5x")),
    ("--benchmark_min_warmup_time=3x", "--benchmark_min_warmup_time: '3x' is not a time in seconds, such as 0.5"),
    *((f"--benchmark_{flag}={value}", f"--benchmark_{flag}: '{value}' is none of true, false")
      for flag, value in (("list_tests", "maybe"), ("list_tests", ""), ("report_aggregates_only", "2"),
                          ("display_aggregates_only", "auto"), ("enable_random_interleaving", "tru"),
                          ("counters_tabular", "-"))),
    ("--benchmark_color=red", "--benchmark_color: 'red' is none of true, false, auto"),
    ("--v=abc", "--v: 'abc' is not a whole number from 0 to 9"),
    ("--benchmark_format=yaml", "--benchmark_format: 'yaml' is none of console, json, csv"),
    ("--benchmark_out_format=yaml", "--benchmark_out_format: 'yaml' is none of json, console, csv"),
    ("--benchmark_time_unit=min", "--benchmark_time_unit: 'min' is none of ns, us, ms, s"),
    ("--benchmark_out=/dev/null/x", "--benchmark_out: '/dev/null/x': Not a directory"),
    ("--benchmark_context=a", "--benchmark_context: cannot have this value"),
    ("--frobnicate", "--frobnicate: no such flag; 'ampersand-bench --help' lists them"),
    ("--benchmark_list_tests pass", "pass: neither a verb, which comes first, nor a flag"),
    ("-x", "-x: no such flag"),
    # ---- ours beside them
    ("--layout", "--layout: needs a value"),
    ("--layout=3x", "--layout: '3x' is not a whole number from 0 to 9999"),
    ("--layout 9999 --benchmark_list_tests", "--layout: '9999' is not a layout; they were built with numbers 0 to "),
    ("--iterations 0", "--iterations: '0' is not a whole number from 1 to 1000000000000"),
    ("--layuot=3", "--layuot: no such flag; the nearest is '--layout'"),
    ("--quick", "--quick: no such flag"),
]


@pytest.mark.parametrize("words, want", WRONG, ids=[words for words, _ in WRONG])
def test_wrong_use_is_one_line_and_status_2(words, want, tmp_path):
    done = bench(*words.split(), cwd=tmp_path)
    if want is None:
        assert (done.returncode, done.stderr) == (0, "")
        return
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"ampersand: {want}"), done.stderr
    assert done.stderr.count("\n") == 1 and done.stderr.endswith("\n")
    assert list(tmp_path.iterdir()) == [], "nothing is written"


@pytest.mark.parametrize("words, want", [
    ("paired --qick",
     "--qick: 'bench' has no such flag; the nearest is '--quick', and './ampersand help bench' lists them"),
    ("paired foo", "foo: 'bench' takes no such word; './ampersand help bench' says what it takes"),
    ("allocators foo", "foo: 'allocators' takes no such word; './ampersand help allocators' says what it takes"),
    ("paired", "bench: needs --out DIR, or --resume RUN"),
])
def test_from_the_door_words_are_those_of_the_door(words, want):
    done = bench(*words.split(), env={**os.environ, "AMPERSAND_COMMAND": "./ampersand"})
    assert (done.returncode, done.stderr) == (2, f"ampersand: {want}\n")


def test_a_word_with_a_line_break_is_still_one_line():
    done = bench("a\nb\x1b[31m")
    assert done.returncode == 2
    assert done.stderr.startswith("ampersand: a?b?[31m: no such verb")
    assert done.stderr.count("\n") == 1


def test_an_endless_word_is_one_line():
    done = bench("paired", "--out", "x", "--launches", "9" * 100000)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and len(done.stderr) < 5000


@pytest.mark.parametrize("words", ["list", "help", "--version", "--benchmark_list_tests"])
def test_a_full_disk_is_told(words):
    with open("/dev/full", "w") as full:
        done = bench(words, stdout=full)
    assert (done.returncode, done.stderr) == (2, "ampersand: standard output: cannot be written\n")


@pytest.mark.parametrize("words", [["--benchmark_list_tests"], ["paired", "--out", "/dev/null/x", "--seed", "1"]])
def test_the_first_layout_that_is_not_there(words):
    n = int(re.search(r"numbers 0 to (\d+)$", bench("--layout", "9999").stderr.strip())[1]) + 1
    refused, taken = bench(*words, f"--layout={n}"), bench(*words, f"--layout={n - 1}")
    assert refused.returncode == 2
    assert refused.stderr == f"ampersand: --layout: '{n}' is not a layout; they were built with numbers 0 to {n - 1}\n"
    assert "--layout" not in taken.stderr


def test_no_lessons_is_told(tmp_path):
    done = bench("list", env={**os.environ, "AMPERSAND_LESSONS": str(tmp_path)})
    assert done.returncode == 2
    assert done.stderr == f"ampersand: lessons: {tmp_path}/lessons.txt: No such file or directory\n"
    (tmp_path / "lessons.txt").write_text("")
    done = bench("list", env={**os.environ, "AMPERSAND_LESSONS": str(tmp_path)})
    assert (done.returncode, done.stderr) == (2, f"ampersand: lessons: '{tmp_path}' has none\n")


def test_list():
    rows = bench("list").stdout.split()
    some = bench("list", "--filter", "^(pass|factory)/size=(8|64)$").stdout.split()
    assert some == ["pass/size=8", "pass/size=64", "factory/size=8", "factory/size=64"]
    lines = bench("list", "--questions").stdout.splitlines()
    questions = [line for line in lines if line[0] != " "]  # below a question stands when to prefer which
    assert all(re.fullmatch(r" {25}[A-Z`].*\.", line) for line in lines if line[0] == " ")
    pairs = list(dict.fromkeys(row.split("/")[0] for row in rows))
    assert [line.split()[0] for line in questions] == pairs
    assert all(re.fullmatch(r"\w+ +[A-Z].*\?", line) for line in questions)


def test_version_names_the_linked_library():
    linked = subprocess.run(["ldd", BENCH], capture_output=True, text=True).stdout
    library = Path(re.search(r"libbenchmark\S* => (\S+)", linked)[1]).resolve()
    done = bench("--version")
    assert re.fullmatch(r"ampersand-bench \d+\.\d+\.\d+ \(libbenchmark (\S+)\)\n", done.stdout)
    assert library.name.endswith(".so." + re.search(r"libbenchmark (\S+)\)", done.stdout)[1])
    assert bench("version").stdout == done.stdout


def test_a_wrong_word_in_the_environment():
    for name, value, why in (("FORMAT", "yaml", "'yaml' is none of console, json, csv"),
                             ("MIN_TIME", "soon", "'soon' is not a time in seconds, such as 0.5"),
                             ("REPETITIONS", "0", "'0' is not a whole number from 1 to 1000000"),
                             ("COUNTERS_TABULAR", "maybe", "'maybe' is none of true, false"),
                             ("CONTEXT", "a", None)):
        done = bench("--benchmark_list_tests", env={**os.environ, f"BENCHMARK_{name}": value})
        assert (done.returncode, done.stdout) == ((2, "") if why else (0, done.stdout)), done.stderr
        # Before main() begins, libbenchmark may have words of its own.
        assert not why or done.stderr.endswith(f"ampersand: BENCHMARK_{name}: {why}\n")


@pytest.mark.parametrize("environment, flags, iterations", [
    ({}, ("--benchmark_min_time=7x",), 7),
    ({}, ("--benchmark_min_time=7x", "--iterations=5"), 5),
    ({}, ("--iterations=5", "--benchmark_min_time=7x"), 5),
    ({"BENCHMARK_MIN_TIME": "7x"}, (), 7),
    ({"BENCHMARK_MIN_TIME": "7x"}, ("--benchmark_min_time=9x",), 9),
    ({}, ("--benchmark_min_time=1e-9",), 1),
    ({}, ("--benchmark_min_time=0.000000001s", "--benchmark_min_warmup_time=0s"), 1),
    ({"BENCHMARK_MIN_TIME": "0.000000001"}, ("--benchmark_color=auto", "--benchmark_counters_tabular=off"), 1),
])
def test_times_as_any_version_of_the_library_writes_them(environment, flags, iterations):
    done = bench("--benchmark_filter=^null/size=16/side=value", "--benchmark_format=json", *flags,
                 env={**os.environ, **environment})
    assert done.returncode == 0, done.stderr
    found, = json.loads(done.stdout)["benchmarks"]
    assert found["iterations"] == iterations
    # What stands in the environment a library of 1.8 and later reads before main() begins, and has words of its own
    # about.
    assert environment or not [line for line in done.stderr.splitlines() if "suffix" in line]


@pytest.mark.parametrize("words", ["help", "--help", "--layout 1 --help"])
def test_help(words, tmp_path):
    done = bench(*words.split(), env={**os.environ, "AMPERSAND_LESSONS": str(tmp_path)})
    assert (done.returncode, done.stderr) == (0, "")
    assert max(map(len, done.stdout.splitlines())) <= 120
    for flag in ("--out --resume --filter --quick --launches --counts-launches --solo-launches --precision --budget "
                 "--rows --solo-rows --seed --layout "
                 "--epoch-us --rounds --no-wait --timeout --memory-limit --iterations").split():
        assert re.search(rf"^  {flag} ", done.stdout, re.M), flag
    assert ("--benchmark_repetitions" in done.stdout) == (words != "help")
