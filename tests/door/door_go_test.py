# SPDX-License-Identifier: MIT
"""The door: Go beside a run."""
import pytest


def test_a_run_of_everything_has_go_beside_it_where_go_is(door, tmp_path):
    door.have("go")
    (door.root / "benchmarks" / "go").mkdir(parents=True)
    run = tmp_path / "run"
    assert door("bench", "--out", run) == 0
    calls = [line for line in door.log if line.startswith(("go ", "go.test ", "plots "))]
    assert calls == ["go version AMPERSAND_FILTER=", f"go test -c -gcflags=-m -o {run}/go/go.test . AMPERSAND_FILTER=",
                     "go.test -test.run ^$ -test.bench . -test.benchmem -test.benchtime=20ms -test.count=6 "
                     "AMPERSAND_FILTER=",
                     f"plots go {run} --quiet", f"plots summary {run} --format table --pages"]
    assert sorted(path.name for path in (run / "go").iterdir()) == ["bench.txt", "escapes.txt", "version.txt"]
    assert door("bench", "--resume", run) == 0 and not door.logged("go"), "what is there is not measured again"


@pytest.mark.parametrize("manifest, measured", [
    ('{"command": ["bench", "--out", "x"], "quick": false}', True),
    ('{"command": ["bench", "--filter", "pass"], "quick": false}', False),
    ('{"command": ["bench"], "quick": true}', False)])
def test_a_run_that_is_gone_on_with_was_of_everything_or_not(door, tmp_path, manifest, measured):
    door.have("go")
    (door.root / "benchmarks" / "go").mkdir(parents=True)
    run = tmp_path / "run"
    (run / "launches" / "default").mkdir(parents=True)
    (run / "launches" / "default" / "0.json").touch()
    (run / "manifest.json").write_text(manifest)
    assert door("bench", "--resume", run, STUB_EMPTY="1") == 0
    assert bool(door.logged("go")) == measured


def test_a_folder_beside_one_gets_its_go_too(door, tmp_path):
    door.have("go")
    (door.root / "benchmarks" / "go").mkdir(parents=True)
    assert door("bench", "--out", "beside", cwd=tmp_path) == 0
    assert sorted(path.name for path in (tmp_path / "beside" / "go").iterdir()) == ["bench.txt", "escapes.txt",
                                                                                    "version.txt"]


def test_hardened_is_a_filter(door, tmp_path):
    assert door("bench", "--hardened", "--out", tmp_path / "run") == 0
    said = door.logged("ampersand-bench")[0]
    assert "--hardened" not in said and "--filter=^(pass|factory)(_hardened)?/size=(64|1024|4096)$" in said


@pytest.mark.parametrize("flags, effort, filter", [
    ("--quick", None, None), ("--filter pass", None, None), ("--filter=pass", None, None),
    ("--quick --go", "-test.benchtime=5ms -test.count=1", ""),
    ("--go --filter pass/size=64", "-test.benchtime=20ms -test.count=6", "pass/size=64"),
    ("--filter=^pass --go", "-test.benchtime=20ms -test.count=6", "^pass"),
])
def test_go_is_asked_for_or_belongs_to_everything(door, tmp_path, flags, effort, filter):
    door.have("go")
    (door.root / "benchmarks" / "go").mkdir(parents=True)
    assert door("bench", "--out", tmp_path / "run", *flags.split()) == 0
    assert "--go" not in door.logged("ampersand-bench")[0].split()
    benches = door.logged("go.test")
    assert benches == ([] if effort is None else [
        f"go.test -test.run ^$ -test.bench . -test.benchmem {effort} AMPERSAND_FILTER={filter}"])
    assert door("allocators", "--go", "--out", tmp_path / "other") == 0
    assert "--go" in door.logged("ampersand-bench")[0].split(), "for the program to refuse"


def test_lessons_of_ones_own_have_no_go_beside_them(door, tmp_path):
    door.have("go")
    assert door("bench", "--out", tmp_path / "run", AMPERSAND_LESSONS=str(tmp_path)) == 0 and not door.logged("go")


def test_go_that_is_asked_for_and_is_not_here(door, tmp_path):
    assert door("bench", "--out", tmp_path / "run", "--go") == 2
    assert door.err == "ampersand: --go: go is not here; the package is called golang\n" and door.log == []


@pytest.mark.parametrize("command, quick, filter", [
    ('["x", "--filter", "^pass/size=\\\\d+$", "--out", "r"]', "true", "^pass/size=\\d+$"),
    ('["x", "--filter=a b"]', "false", "a b"),
    ('["x"]', "false", ""), ('["x", "--filter", "first", "--filter", "\\u00fc"]', "true", "ü")])
def test_go_beside_a_run_that_is_gone_on_with_has_its_filter(door, tmp_path, command, quick, filter):
    door.have("go")
    (door.root / "benchmarks" / "go").mkdir(parents=True)
    run = tmp_path / "run"
    (run / "launches").mkdir(parents=True)
    (run / "launches" / "0.json").touch()
    (run / "manifest.json").write_text(f'{{"command": {command}, "quick": {quick}}}')
    assert door("bench", "--resume", run, "--go", STUB_EMPTY="1") == 0, door.err
    effort = "5ms -test.count=1" if quick == "true" else "20ms -test.count=6"
    assert door.logged("go.test")[0].endswith(f"-test.benchtime={effort} AMPERSAND_FILTER={filter}")


def test_without_go_a_notice_names_the_package(door, tmp_path):
    assert door("bench", "--out", tmp_path / "run") == 0
    assert "ampersand: go: not here, so the same lessons in Go are left out; the package is called golang" in door.err
    assert not (tmp_path / "run" / "go").exists()


def test_a_go_that_fails_leaves_the_run_as_it_is(door, tmp_path):
    door.have("go")
    (door.root / "benchmarks" / "go").mkdir(parents=True)
    assert door("bench", "--out", tmp_path / "run", STUB_GO_FAILS="1") == 0
    assert "go test failed" in door.err and "plots summary" in " ".join(door.log)
    assert door("bench", "--out", tmp_path / "asked", "--go", STUB_GO_FAILS="1") == 1, "it was asked for"
    assert not (tmp_path / "run" / "go" / "bench.txt").exists()
