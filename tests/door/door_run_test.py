# SPDX-License-Identifier: MIT
"""The door's verbs that measure: their flags, folders and statuses."""
import os
import shutil
import time

import pytest


@pytest.mark.parametrize("path, why", [
    ("file/run", "Not a directory"), ("file", "Not a directory"), ("/proc/run", None),
])
@pytest.mark.parametrize("form", ["--out {}", "--out={}"])
def test_out_that_cannot_be_written_is_said_before_the_build(door, tmp_path, path, why, form):
    (tmp_path / "file").touch()
    assert door("bench", *form.format(tmp_path / path).split()) == 2
    assert door.err.startswith(f"ampersand: --out {tmp_path / path}: cannot be ") and door.err.count("\n") == 1
    assert why is None or "file" == path or why in door.err
    assert door.log == [] and not door.build.exists()


def test_out_is_tried_without_a_trace(door, tmp_path):
    assert door("bench", "--out", tmp_path / "a/b/run", STUB_EMPTY="1") == 0
    assert not (tmp_path / "a").exists()
    (tmp_path / "a").mkdir()
    for out in ("a", "a/b/run"):
        assert door("bench", "--out", tmp_path / out, STUB_EMPTY="1") == 0
        assert (tmp_path / "a").is_dir() and not list((tmp_path / "a").iterdir()), "what was there stays, no more"


@pytest.mark.parametrize("status, judged, says", [
    (0, True, "everything is in"), (1, True, "everything is in"), (130, True, "--resume"),
    (2, False, None), (134, False, None),
])
def test_status_of_bench_is_passed_on(door, tmp_path, status, judged, says):
    run = tmp_path / "run"
    assert door("bench", "--quick", "--out", run, STUB_STATUS=str(status)) == status
    plots = [line for line in door.log if line.startswith("plots")]
    assert plots == ([f"plots summary {run} --format table --pages"] if judged else [])
    assert says is None or says in door.err.splitlines()[-1] and str(run) in door.err.splitlines()[-1]


@pytest.mark.parametrize("status, judged", [(0, True), (1, True), (130, True), (2, False)])
def test_allocators_are_measured_and_judged(door, tmp_path, status, judged):
    run = tmp_path / "run"
    words = ["--config", "jemalloc:narenas:1,tcache:false", "--config=glibc"]
    assert door("allocators", "--out", run, *words, "--format", "csv", STUB_STATUS=str(status)) == status
    assert door.logged("ampersand-bench") == [f"ampersand-bench allocators --out {run} {' '.join(words)}"]
    assert door.logged("plots") == ([f"plots allocators {run} --format csv"] if judged else [])
    if status == 130:
        assert f"./ampersand allocators --resume {run}" in door.err


@pytest.mark.parametrize("form", ["--out {}", "--out={}"])
@pytest.mark.parametrize("out", ["-x", "--quick", "-"])
def test_out_that_is_a_flag(door, tmp_path, out, form):
    assert door("bench", *form.format(out).split(), cwd=tmp_path) == 2
    assert door.err == f"ampersand: --out {out}: is a flag and no folder; for a folder of that name: --out ./{out}\n"
    assert door("bench", "--out", f"./{out}", cwd=tmp_path) == 0 and (tmp_path / out / "manifest.json").exists()
    assert door("bench", f"--resume={out}", cwd=tmp_path) == 2 and "is a flag and no run" in door.err


@pytest.mark.parametrize("out", ["a" * 300, "/".join("folder" for _ in range(700)), "b/" * 30 + "a" * 300],
                         ids=["name", "path", "name far down"])
def test_out_that_is_too_long_leaves_nothing(door, tmp_path, out):
    assert door("bench", "--out", out, cwd=tmp_path) == 2
    assert door.err.count("\n") == 1 and door.err.endswith(": cannot be made: File name too long\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkout", "stubs"] and door.log == []


def test_trying_a_folder_follows_no_link_of_somebody_elses(door, tmp_path):
    """A file named after the door's process, which anybody who may write there can foresee, and every name like it."""
    letter, out = tmp_path / "letter", tmp_path / "run"
    letter.write_text("dear")
    out.mkdir()
    door.write(door.bin / "mkdir", f"""
        case "$*" in *"{out}") ln -sf "{letter}" "{out}/.ampersand.$PPID" ;; esac
        exec {shutil.which("mkdir")} "$@" """)
    (door.bin / "ln").symlink_to(shutil.which("ln"))
    assert door("bench", "--out", out, STUB_EMPTY="1") == 0, door.err
    left, = out.iterdir()
    assert left.is_symlink() and letter.read_text() == "dear", "the link that was there, and what it leads to"


def test_a_run_of_allocators_without_a_name_gets_the_date(door):
    assert door("allocators") == 0
    run, = (door.root / "results" / "runs").iterdir()
    time.strptime(run.name, "%Y-%m-%dT%H-%M-%SZ-allocators")


def test_interrupted_before_anything_was_finished(door, tmp_path):
    assert door("bench", "--out", tmp_path / "run", STUB_STATUS="130", STUB_EMPTY="1") == 130
    assert not door.logged("plots")


def test_failure_of_the_summary_shows_in_the_status(door, tmp_path):
    assert door("bench", "--out", tmp_path / "run", STUB_PLOTS_STATUS="2") == 2
    assert door("bench", "--out", tmp_path / "run2", STUB_PLOTS_STATUS="2", STUB_STATUS="1") == 1


@pytest.mark.parametrize("given, passed, format", [
    ("--filter a|b --seed 3", "--filter a|b --seed 3", "table"),
    ("--format json --quick", "--quick", "json"),
    ("--quick --format=csv", "--quick", "csv"),
    ("--wrong --format markdown", "--wrong", "markdown"),
    ("--filter --format", "--filter", None),
])
def test_flags_go_through(door, tmp_path, given, passed, format):
    status = door("bench", "--out", tmp_path, *given.split())
    if format is None:
        assert status == 2 and door.err == "ampersand: --format: needs a value\n"
        return
    assert door.logged("ampersand-bench") == [f"ampersand-bench paired --out {tmp_path} {passed}",
                                              f"ampersand-bench counters {tmp_path}"]
    assert door.logged("plots")[0] == f"plots summary {tmp_path} --format {format} --pages"


@pytest.mark.parametrize("verb, formats", [("bench", "table, json, csv or markdown"),
                                           ("gc", "table, json, csv, markdown or trace")])
def test_format_that_is_none(door, verb, formats):
    assert door(verb, "--format", "yaml") == 2
    assert door.err == f"ampersand: --format yaml: no such format: {formats}\n"


@pytest.mark.parametrize("given, passed", [("", "--questions"), ("--filter pass", "--filter pass")])
def test_list(door, given, passed):
    assert door("list", *given.split()) == 0
    assert door.log[-1] == f"ampersand-bench list {passed}"


def test_ask_gets_its_words_as_they_are(door):
    assert door("ask", "a header.h", "struct order", "--cflags", "-O3 -march=native", STUB_PLOTS_STATUS="2") == 2
    assert door.log[-1] == "ask a header.h struct order --cflags -O3 -march=native"
    assert door("ask", "a.h", "struct order") == 0


def test_a_run_without_a_name_gets_the_date(door):
    assert door("bench") == 0
    run, = (door.root / "results" / "runs").iterdir()
    time.strptime(run.name, "%Y-%m-%dT%H-%M-%SZ")
    assert door.log[1] == f"ampersand-bench paired --out {run}"


def test_resume_names_the_run(door, tmp_path):
    run = tmp_path / "run"
    assert door("bench", "--resume", run) == 0
    assert door.log[1:5] == [f"ampersand-bench paired --resume {run}", f"ampersand-bench counters {run}",
                             f"ampersand-profile --rows {run}", f"plots summary {run} --format table --pages"]
    assert door("bench", "--resume", run, "--no-profile") == 0
    assert door.logged("ampersand-bench")[0] == f"ampersand-bench paired --resume {run}"
    assert not door.logged("ampersand-profile")


def test_newest_run(door):
    assert door("charts") == 2 and "no run in" in door.err
    for name, age_s in (("a", 20), ("b", 10), ("c", 30)):
        manifest = door.root / "results" / "runs" / name / "manifest.json"
        manifest.parent.mkdir(parents=True)
        manifest.touch()
        os.utime(manifest, (time.time() - age_s,) * 2)
    for verb in ("charts", "check"):
        assert door(verb) == 0
        assert door.log == [f"plots {verb} {door.root}/results/runs/b"]


def test_two_runs_in_one_second_have_folders_of_their_own(door):
    door.write(door.bin / "date", "echo 2026-01-02T03-04-05Z")
    for _ in range(3):
        assert door("bench") == 0, door.err
    assert sorted(path.name for path in (door.root / "results/runs").iterdir()) == [
        "2026-01-02T03-04-05Z", "2026-01-02T03-04-05Z-2", "2026-01-02T03-04-05Z-3"]


@pytest.mark.parametrize("how", [{"STUB_STATUS": "2", "STUB_EMPTY": "1"}, {"CC": "nocc"}])
def test_a_run_that_never_began_leaves_no_folder(door, how):
    assert door("bench", **how) == 2
    assert not list((door.root / "results" / "runs").iterdir())


def test_a_folder_for_stacks_is_named_once(door, tmp_path):
    """By the door, and left only where something is put into it."""
    runs = tmp_path / "runs"
    date = {"date": "echo 2026-01-31T12-00-00Z"}
    for name, text in date.items():
        door.write(door.bin / name, text + "\n")
    (runs / "stack-2026-01-31T12-00-00Z").mkdir(parents=True)
    assert door("stack", "--bench", "--launches", "1", AMPERSAND_RUNS=str(runs)) == 0, door.err
    assert door.log[-1].endswith(f"stack --out {runs}/stack-2026-01-31T12-00-00Z-2 --launches 1")
    assert [path.name for path in runs.iterdir()] == ["stack-2026-01-31T12-00-00Z"]
    assert door("stack", "--bench", "--from", "there", AMPERSAND_RUNS=str(runs)) == 0
    assert door.log[-1].endswith("stack --from there")


def test_runs_go_where_they_are_told(door, tmp_path):
    assert door("bench", AMPERSAND_RUNS=str(tmp_path / "mine")) == 0
    run, = (tmp_path / "mine").iterdir()
    assert door("charts", AMPERSAND_RUNS=str(tmp_path / "mine")) == 0 and door.log == [f"plots charts {run}"]


@pytest.mark.parametrize("verb, program", [("bench", "paired"), ("allocators", "allocators")])
def test_flags_of_the_environment(door, tmp_path, verb, program):
    """As `ninja -C build bench` needs them; a star is a star."""
    (tmp_path / "file").touch()
    assert door(verb, "--out", "run", AMPERSAND_FLAGS="--quick --filter  ^pass/size=6*$ --format csv",
                cwd=tmp_path) == 0
    assert door.logged("ampersand-bench") == [f"ampersand-bench {program} --quick --filter ^pass/size=6*$ --out run",
                                              *["ampersand-bench counters run"] * (verb == "bench")]
    assert "ampersand: AMPERSAND_FLAGS: --quick" in door.err and any("--format csv" in line for line in door.log)


@pytest.mark.parametrize("status, says", [("2", "but judging it failed"), ("1", "open its report.html")])
def test_a_run_that_cannot_be_judged(door, tmp_path, status, says):
    """What the summary refuses is refused once; that a row failed is no refusal."""
    run = tmp_path / "run"
    assert door("bench", "--out", run, STUB_PLOTS_STATUS=status) == int(status)
    last = door.err.splitlines()[-1]
    assert says in last and ("everything is in" in last) == (status == "1")
    assert len(door.logged("plots")) == 1
    if status == "2":
        assert f"./ampersand bench --resume {run}" in last and "delete" in last


@pytest.mark.parametrize("first, more, status", [
    ("0", "0", 0), ("1", "0", 1), ("0", "1", 1), ("0", "130", 130), ("130", None, 130),
])
def test_rows_that_want_more_launches_get_them(door, tmp_path, first, more, status):
    run = tmp_path / "run"
    (door.stubs / "undecided").write_text("pass/size=16\n")
    assert door("bench", "--out", run, "--precision", "1%", STUB_LOOKS="20, 30", STUB_STATUS=first,
                STUB_MORE_STATUS=more or "") == status
    further = [line for line in door.log if f"paired --resume {run} --rows " in line]
    assert len(further) == (0 if more is None else 1), "until no row wants any, and none after an interruption"
    assert len(door.logged("summary")) == 1


@pytest.mark.parametrize("looks, solo_looks, wanted, first, more, blocks, status", [
    ("", "8, 16", True, "0", "0", ["--solo-rows"], 0),
    ("", "8, 16", True, "0", "1", ["--solo-rows"], 1),
    ("", "8, 16", True, "1", "0", ["--solo-rows"], 1),
    ("20, 30", "8, 16", True, "0", "0", ["--rows", "--solo-rows"], 0),
    ("", "8, 16", False, "0", "0", [], 0),
    ("20, 30", "", True, "0", "0", ["--rows"], 0),
    ("", "8, 16", True, "130", None, [], 130),
])
def test_rows_whose_sides_are_timed_alone_again(door, tmp_path, looks, solo_looks, wanted, first, more, blocks, status):
    run = tmp_path / "run"
    (door.stubs / "undecided").write_text("pass/size=16\n")
    if wanted:
        (door.stubs / "undecided-alone").write_text("pass/size=8\n")
    assert door("bench", "--out", run, STUB_LOOKS=looks, STUB_SOLO_LOOKS=solo_looks, STUB_STATUS=first,
                STUB_MORE_STATUS=more or "") == status
    further = [line.split(f"--resume {run} ")[1].split()[0] for line in door.log if f"paired --resume {run} --" in line]
    assert further == blocks
    assert len(door.logged("summary")) == 1


BETWEEN = [  # flags, what may have looks, the status of the first launches, whether sizes between are measured
    ([], "20, 30", "0", True),
    ([], "20, 30", "1", True),
    (["--no-refine"], "20, 30", "0", False),
    ([], "", "0", False),
    ([], "20, 30", "130", False),
]


@pytest.mark.parametrize("flags, looks, first, measured", BETWEEN)
def test_sizes_within_wide_brackets_are_measured(door, tmp_path, flags, looks, first, measured):
    run = tmp_path / "run"
    (door.stubs / "refine").write_text("^(pass)/\n")
    assert door("bench", "--out", run, *flags, STUB_LOOKS=looks, STUB_STATUS=first, STUB_MORE_STATUS="0") == int(first)
    inside = [line for line in door.logged("ampersand-bench") if f"--out {run}/between" in line]
    assert inside == [f"ampersand-bench paired --out {run}/between --filter ^(pass)/ --launches 16 "
                      "--counts-launches 0 --solo-launches 0"] * measured
    assert not any("--no-refine" in line for line in door.log)


def test_no_wide_bracket_no_sizes_between(door, tmp_path):
    assert door("bench", "--out", tmp_path / "run", STUB_LOOKS="20, 30") == 0
    assert any(" refine " in line for line in door.log) and not any("/between --filter" in line for line in door.log)


def test_a_program_keeps_its_words_and_gets_its_input(door, tmp_path):
    """What stands behind -- is the program's; a file on standard input is named, since each run reads it anew."""
    (tmp_path / "script").write_text("select 1;\n")
    words = ["--", "sqlite3", "--format", "json"]
    under = ["sh", "-c", 'exec "$@" <"$0"', tmp_path / "script"]
    assert door("allocators", "--out", "run", *words, under=under, AMPERSAND_FLAGS="--quick",
                cwd=tmp_path) == 0, door.err
    assert door.logged("ampersand-bench") == [
        f"ampersand-bench allocators --input {tmp_path}/script --quick --out run {' '.join(words)}"]
    assert door.logged("plots") == ["plots allocators run --format table"]
    assert door("allocators", "--out", "run", "--", "true", cwd=tmp_path) == 0
    assert door.logged("ampersand-bench") == ["ampersand-bench allocators --out run -- true"]
