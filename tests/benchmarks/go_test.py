# SPDX-License-Identifier: MIT
"""Go beside C: what is read from `go test`, how it is judged and shown; and the Go files themselves, where go is."""
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from places import ROOT
from plots.files import records
from plots.files.pair_run import load
from plots.files.strict_json import faults
from plots.go import go
from plots.pages import report
from plots.program.errors import Refused
from plots.verbs import check
from plots.words.pair_sentences import summarize
from synthetic_go import ESCAPES, write
from tables import TABLES
from waiting import HANGS_S

PEER = ROOT / "benchmarks" / "go"
GOES = [one for one in (shutil.which("go"), "/usr/lib/go-1.19/bin/go") if one and Path(one).exists()]


def test_what_go_printed_is_read(tmp_path):
    document = go.read(write(tmp_path / "go"))
    assert faults(records.write(document), "go") == []
    assert document.version == "go1.26.8 linux/amd64"
    assert [row.row for row in document.rows] == ["pass/size=8", "factory/size=4096"]
    assert document.rows[0].value == go.Side(runs=3, ns_per_op=4.0, b_per_op=0, allocs_per_op=0)
    assert document.rows[1].value is None and document.rows[1].pointer.b_per_op == 4096
    cases = {case.case: case for case in document.teaching}
    assert cases["indirect_assignment"].holds is True
    assert cases["indirect_assignment"].explanation == "as published"
    assert cases["interface"].holds is False and cases["interface"].published_allocs_per_op == 4
    assert "devirtualized" in cases["interface"].explanation
    assert cases["unheard_of"].holds is None and cases["unheard_of"].explanation is None


def test_the_compilers_words_go_to_the_case_they_are_about():
    assert go.said_of(0, ESCAPES) == ["&holder{...} does not escape", "moved to heap: lost"]
    assert go.said_of(1, ESCAPES) == ["devirtualizing by_value.method to name", "inlining call to through"]
    assert go.said_of(2, ESCAPES) == []


@pytest.mark.parametrize("part, text, says", [
    ("bench", "BenchmarkPass/size=8/side=value x 1 ns/op\n", "bench.txt: line 1"),
    ("bench", "PASS\n", "bench.txt: holds no benchmark of ours"),
    ("version", "sh: go: not found\n", "version.txt: not what `go version` prints"),
])
def test_what_is_damaged_is_refused(tmp_path, part, text, says):
    with pytest.raises(Refused, match=re.escape(says)):
        go.read(write(tmp_path / "go", **{part: text}))


def test_what_is_missing_is_refused(tmp_path):
    write(tmp_path / "go")
    (tmp_path / "go" / "escapes.txt").unlink()
    with pytest.raises(Refused, match="escapes.txt"):
        go.read(tmp_path / "go")


def test_a_run_shows_go_beside_c(small_run, capsys):
    write(small_run / "go")
    args = type("Args", (), {"run": small_run, "quiet": False})
    assert go.main(args) == 0
    printed = capsys.readouterr().out
    assert check.check(small_run)[1] == []
    (line,) = [line for line in printed.splitlines() if line.startswith("pass ")]
    c = summarize(load(small_run))[0].rows[0]
    cells = line.split()
    assert cells[:2] == ["pass", "8"] and float(cells[2]) == pytest.approx(c.value_ns_per_op.estimate, rel=1e-3)
    assert cells[4:6] == ["4.000", "1.500"] and cells[6:] == ["0", "0", "0", "0"]
    assert re.search(r"^factory +4096 .* - +512\.0 +0 +1 +- +1$", printed, re.M)
    assert "as published" in printed and all(len(line) <= 120 for line in printed.splitlines())
    page = report.page(load(small_run), go.made(small_run))
    assert "go1.26.8 linux/amd64" in page and "moved to heap: lost" in page and 'href="#go"' in page
    assert 'href="#go"' not in report.page(load(small_run)), "without it there is no section"


def test_a_go_json_of_another_kind_is_refused(small_run):
    write(small_run / "go")
    document = go.read(small_run / "go")
    (small_run / "go" / "go.json").write_text(json.dumps(records.write(document) | {"version": 3}))
    with pytest.raises(Refused, match="version"):
        go.made(small_run)
    assert check.check(small_run)[1]


# ---- The Go files themselves

TWINS = {"pass", "factory", "mutate", "collection", "stack_copy", "pass_read_one", "pass_read_quarter",
         "pass_read_half", "pass_read_all", "pass_write", "pass_made", "pass_depth", "return_out"}

needs_go = pytest.mark.skipif(not GOES, reason="go is not here: apt-get install golang")


def run_go(program, *words, **environment):
    return subprocess.run([program, *words], cwd=PEER, text=True, capture_output=True, timeout=HANGS_S,
                          env={**os.environ, "GOFLAGS": "-buildvcs=false", "GOTOOLCHAIN": "local", **environment})


@needs_go
@pytest.mark.parametrize("program", GOES)
def test_every_lesson_is_that_of_c_and_allocates_as_it_says(program, tmp_path):
    version = run_go(program, "version").stdout
    escapes = run_go(program, "test", "-c", "-gcflags=-m", "-o", os.devnull, ".")
    assert escapes.returncode == 0, escapes.stderr
    done = run_go(program, "test", "-run", "^$", "-bench", ".", "-benchmem", "-benchtime", "200x", ".")
    assert done.returncode == 0, done.stdout + done.stderr
    document = go.read(write(tmp_path / "go", done.stdout, escapes.stderr, version))
    assert faults(records.write(document), "go") == []
    pairs = {row.pair for row in document.rows}
    in_c = "".join(path.read_text() for path in (ROOT / "benchmarks").glob("*/*.c"))
    declared = set(re.findall(r"^AMP_PAIR\((\w+)", in_c, re.M))
    assert pairs == TWINS <= declared
    rows_of_c = {(name, size) for made in TABLES.values() for name, sizes in made for size in sizes}
    assert {(row.pair, row.size) for row in document.rows} <= rows_of_c
    for row in document.rows:
        allocates = row.pair == "factory"
        assert row.value.allocs_per_op == 0, row
        assert row.pointer.allocs_per_op == (1 if allocates else 0), row
        if allocates:
            assert row.pointer.b_per_op == pytest.approx(row.size, rel=0.02, abs=1)
    cases = {case.case: case for case in document.teaching}
    assert set(cases) == set(go.CASES)
    for name, case in cases.items():
        assert case.b_per_op <= case.published_b_per_op, name
        assert case.allocs_per_op <= case.published_allocs_per_op, name
        if case.holds:
            continue
        assert case.explanation and case.explanation != "as published"
        assert name == "buffer" or case.compiler_says, f"{name}: a difference that the compiler says nothing about"


@needs_go
def test_a_filter_chooses_rows(tmp_path):
    done = run_go(GOES[0], "test", "-run", "^$", "-bench", ".", "-benchtime", "1x", ".",
                  AMPERSAND_FILTER="^pass/size=(8|64)$")
    names = set(re.findall(r"^Benchmark(\S+/\S+?)(?:-\d+)?\s", done.stdout, re.M))
    assert names == {f"Pass/size={size}/side={side}" for size in (8, 64) for side in ("value", "pointer")}


@needs_go
def test_a_filter_knows_each_lesson_by_the_name_that_go_prints():
    done = run_go(GOES[0], "test", "-run", "^$", "-bench", ".", "-benchtime", "1x", ".",
                  AMPERSAND_FILTER=f"^({'|'.join(TWINS)})/")
    names = set(re.findall(r"^Benchmark(\w+)/size=", done.stdout, re.M))
    assert {name[0].lower() + name[1:] for name in names} == TWINS


@needs_go
def test_the_go_files_are_as_gofmt_writes_them():
    gofmt = Path(GOES[0]).resolve().parent / "gofmt"
    if not gofmt.exists():
        pytest.skip("gofmt is not here: apt-get install golang")
    assert subprocess.run([gofmt, "-l", "."], cwd=PEER, text=True, capture_output=True).stdout == ""
    assert run_go(GOES[0], "vet", "./...").returncode == 0
