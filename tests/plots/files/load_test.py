# SPDX-License-Identifier: MIT
"""A run folder is loaded as it is, or refused in one line that says which file, where in it, and why."""

import json
import os
import shutil
import zlib

import numpy as np
import pytest
from places import ROOT
import synthetic

from plots.__main__ import guarded
from plots.files import strict_json
from plots.files.pair_run import load
from plots.program.errors import Refused
from plots.verbs.check import check
from plots.words import pair_text
from plots.words.pair_sentences import summarize

LAUNCH = "launches/default/pass/size=8/002.json"
COUNTS = "counts/default/factory/size=4096/001.json"


@pytest.fixture
def unsummed_run(tmp_path, small_rows):
    """As small_run, but with a journal that keeps no CRC-32: what a file says must be enough to refuse it."""
    plan = synthetic.Plan(launches=6, layouts=4, rounds=4, checksums=False)
    return synthetic.write_run(tmp_path / "run", small_rows, plan)


def test_loads_what_was_written(small_run, small_rows):
    run = load(small_run)
    assert [row.name for row in run.rows] == [truth.name for truth in small_rows]
    for row in run.rows:
        assert [launch.number for launch in row.launches] == list(range(6))
        for launch in row.launches:
            written = json.loads((small_run / f"launches/default/{row.name}/{launch.number:03d}.json").read_text())
            assert launch.value_ns.ravel().tolist() == written["value_ns"]
            assert launch.pointer_ns.ravel().tolist() == written["pointer_ns"]
            assert launch.value_ns.shape == (4, 4)
            assert launch.layouts.T.tolist() == [written["blocks"][f"{side}_layout"] for side in ("value", "pointer")]
            assert launch.stack_shift_b.tolist() == written["blocks"]["stack_shift_b"]
            assert (launch.ops, launch.clock_cost_ns) == (written["ops"], written["clock"]["cost_ns"])
        assert [one.number for one in row.counts] == [0, 1]
        assert len(row.solo) == 1 and row.failed is None
    assert run.rows[1].counts[0].pointer["allocs"] == 1000


def edit(path, change):
    """Apply `change` to the JSON document of a file."""
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def put(*keys, value):
    """A change that puts `value` at document[keys[0]][keys[1]]..."""
    def change(document):
        for key in keys[:-1]:
            document = document[key]
        document[keys[-1]] = value
    return change


def drop(*keys):
    def change(document):
        for key in keys[:-1]:
            document = document[key]
        del document[keys[-1]]
    return change


def text(before, after):
    """A change to the bytes of a file, which must be there."""
    def change(path):
        raw = path.read_bytes()
        assert before in raw
        path.write_bytes(raw.replace(before, after, 1))
    return change


def cut(share):
    return lambda path: path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])


DAMAGE = [
    # name, file, change of the document or (path in a tuple) of the file, what the line must say
    ("newer manifest", "manifest.json", put("schema", value="ampersand/run/2"),
     ["manifest.json: schema", "ampersand/run/2 is newer"]),
    ("older manifest", "manifest.json", put("schema", value="ampersand/run/0"), ["schema", "is not ampersand/run/1"]),
    ("another kind", "manifest.json", put("schema", value="ampersand/launch/1"), ["schema", "is not ampersand/run/1"]),
    ("no schema", "manifest.json", drop("schema"), ["manifest.json: schema", "missing"]),
    ("not an object", "manifest.json", (lambda p: p.write_text("[]"),), ["manifest.json", "not a JSON object"]),
    ("a flag that is none", "manifest.json", put("build", "kernel_args", value=["-O2", None]),
     ["build.kernel_args[1]", "None"]),
    ("manifest cut", "manifest.json", (cut(0.5),), ["manifest.json: line 1, column", "not JSON"]),
    ("manifest empty", "manifest.json", (cut(0),), ["manifest.json: line 1", "not JSON", "cut off"]),
    ("a key twice", "manifest.json", (text(b'"seed":1,', b'"seed":1,"seed":1,'),), ["the key 'seed' is there twice"]),
    ("a row twice", "manifest.json", lambda d: d["rows"].append(d["rows"][0]), ["rows[2]", "there twice"]),
    ("no rows", "manifest.json", put("rows", value=[]), ["manifest.json: rows"]),
    ("threshold of a wrong type", "manifest.json", put("settings", "threshold", value="0.002"),
     ["settings.threshold", "not of type 'number'"]),
    ("threshold NaN", "manifest.json", put("settings", "threshold", value=float("nan")), ["manifest.json", "NaN"]),
    ("lesson without layouts", "manifest.json", drop("layouts", "pass"), ["rows[0].lesson", "no table under layouts"]),
    ("offsets too short", "manifest.json", lambda d: d["layouts"]["pass"]["units"][0]["offsets"]["run_value_8"].pop(),
     ["offsets.run_value_8", "3 offsets for 4 layouts"]),
    ("not UTF-8", "manifest.json", (text(b"Synthetic", b"Synth\xfftic"),), ["manifest.json: byte", "not UTF-8"]),
    ("nested without end", "manifest.json", (lambda p: p.write_text("[" * 100000),), ["manifest.json"]),
    ("newer launch", LAUNCH, put("schema", value="ampersand/launch/7"), [LAUNCH, "ampersand/launch/7 is newer"]),
    ("launch cut", LAUNCH, (cut(0.7),), [LAUNCH, "line 1, column", "not JSON"]),
    ("a time NaN", LAUNCH, put("value_ns", 3, value=float("nan")), [LAUNCH, "NaN"]),
    ("a time infinite", LAUNCH, put("value_ns", 3, value=float("inf")), [LAUNCH, "Infinity"]),
    ("a time beyond numbers", LAUNCH, (text(b'"cost_ns":45.0', b'"cost_ns":1e999'),), [LAUNCH, "1e999"]),
    ("a negative time", LAUNCH, put("value_ns", 3, value=-1), [LAUNCH, "value_ns[3]", "-1 is negative"]),
    ("a time with a fraction", LAUNCH, put("pointer_ns", 0, value=1.5), [LAUNCH, "pointer_ns[0]", "1.5"]),
    ("a time in quotes", LAUNCH, put("pointer_ns", 0, value="15"), [LAUNCH, "pointer_ns[0]", "'15'"]),
    ("a time missing", LAUNCH, put("pointer_ns", 0, value=None), [LAUNCH, "pointer_ns[0]", "None"]),
    ("a time that is true", LAUNCH, put("pointer_ns", 0, value=True), [LAUNCH, "pointer_ns", "true or false"]),
    ("a time of ages", LAUNCH, put("pointer_ns", 0, value=1 << 60), [LAUNCH, "pointer_ns[0]", "beyond any epoch"]),
    ("a time that no integer holds", LAUNCH, put("pointer_ns", 0, value=1 << 70), [LAUNCH, "pointer_ns[0]"]),
    ("one time too few", LAUNCH, lambda d: d["value_ns"].pop(), [LAUNCH, "value_ns", "15 long", "are 16"]),
    ("times missing", LAUNCH, drop("value_ns"), [LAUNCH, "value_ns: missing"]),
    ("times not a list", LAUNCH, put("value_ns", value={}), [LAUNCH, "value_ns: not a list"]),
    ("one layout too few", LAUNCH, lambda d: d["blocks"]["pointer_layout"].pop(),
     [LAUNCH, "blocks.pointer_layout", "3 long, where value_layout is 4"]),
    ("no layouts", LAUNCH, put("blocks", "value_layout", value=[]), [LAUNCH, "blocks.value_layout", "empty"]),
    ("a layout that is not there", LAUNCH, put("blocks", "value_layout", 0, value=4), [LAUNCH, "layout 4", "has 4"]),
    ("other layouts than before", LAUNCH, put("blocks", "value_layout", value=[0, 0, 1, 2]), [LAUNCH, "other layouts"]),
    ("zero rounds that are none", LAUNCH, put("zero_rounds", value=1), [LAUNCH, "zero_rounds", "1, where 0"]),
    ("no operations", LAUNCH, put("ops", value=0), [LAUNCH, "ops", "0 is not an integer of at least 1"]),
    ("a whole number, written with a point", LAUNCH, put("launch", value=2.0), [LAUNCH, "launch", "2.0 in a file"]),
    ("operations beyond any number", LAUNCH, (text(b'"ops":', b'"ops":1' + b"0" * 400 + b',"x":'),),
     ["beyond what a number"]),
    ("operations true", LAUNCH, put("ops", value=True), [LAUNCH, "ops", "true or false"]),
    ("a negative clock", LAUNCH, put("clock", "cost_ns", value=-1.0), [LAUNCH, "clock.cost_ns", "-1.0"]),
    ("no clock", LAUNCH, drop("clock"), [LAUNCH, "clock.cost_ns: missing"]),
    ("another pair's launch", LAUNCH, put("pair", value="factory"), [LAUNCH, "pair", "'factory'", "'pass'"]),
    ("another launch's number", LAUNCH, put("launch", value=3), [LAUNCH, "launch", "3", "2"]),
    ("another configuration's", LAUNCH, put("configuration", value="glibc"), [LAUNCH, "configuration", "'glibc'"]),
    ("no launch of a run", LAUNCH, (lambda p: p.rename(p.with_name("x.json")),), ["x.json", "expected <launch>.json"]),
    ("the same launch twice", LAUNCH, (lambda p: shutil.copy(p, p.with_name("2.json")),), ["the same launch as"]),
    ("a row of another run", LAUNCH, (lambda p: p.parent.rename(p.parent.with_name("size=9")),),
     ["size=9", "a row that manifest.json does not have"]),
    ("a configuration of another run", LAUNCH,
     (lambda p: p.parent.parent.parent.rename(p.parent.parent.parent.with_name("x")),),
     ["launches/x", "a configuration that manifest.json does not name"]),
    ("a launch lost", LAUNCH, (lambda p: p.unlink(),), [LAUNCH, "missing, though the journal says"]),
    ("a folder for a file", LAUNCH, (lambda p: (p.unlink(), p.mkdir()),), [LAUNCH, "directory"]),
    ("negative counts", COUNTS, put("pointer", "allocs", value=-1), [COUNTS, "pointer.allocs", "-1"]),
    ("counts missing", COUNTS, put("pointer", value=None), [COUNTS, "pointer", "no reason"]),
    ("counts with a fraction", COUNTS, put("pointer", "asked_b", value=0.5), [COUNTS, "pointer.asked_b", "0.5"]),
    ("counts of no operations", COUNTS, put("ops", value=0), [COUNTS, "ops", "at least 1"]),
    ("classes broken", COUNTS, put("pointer", "classes", value=[{}]), [COUNTS, "pointer.classes"]),
    ("another row's solo", "solo/default/pass/size=8/000.json",
     put("benchmarks", 0, "name", value="pass/size=16/side=value"),
     ["benchmarks[0].name", "pass/size=16"]),
    ("journal gone", "journal.jsonl", (lambda p: p.unlink(),), ["journal.jsonl", "No such file"]),
    ("journal empty", "journal.jsonl", (cut(0),), ["journal.jsonl", "does not name its schema"]),
    ("newer journal", "journal.jsonl", (text(b"journal/1", b"journal/2"),), ["journal.jsonl", "journal/2 is newer"]),
    ("journal broken in the last line", "journal.jsonl", (text(b'complete"}\n', b'complete"\n'),),
     ["journal.jsonl: line"]),
    ("journal broken in the middle", "journal.jsonl", (text(b'{"time"', b'{"tim'),),
     ["journal.jsonl: line 2", "not JSON"]),
    ("journal of another run", "journal.jsonl", (text(b'"size": 8', b'"size": 9'),),
     ["line 2", "is not in manifest.json"]),
    ("an event unknown", "journal.jsonl", (text(b'"start"', b'"stirt"'),), ["line 2", "'stirt' is not an event"]),
    ("an event without its row", "journal.jsonl", (text(b'"pair": "pass", ', b""),), ["line 2: pair"]),
]


@pytest.mark.parametrize("name, file, change, said", DAMAGE, ids=[row[0] for row in DAMAGE])
def test_damage_is_refused_in_one_line(unsummed_run, capsys, name, file, change, said):
    if isinstance(change, tuple):
        change[0](unsummed_run / file)
    else:
        edit(unsummed_run / file, change)
    assert guarded(["summary", str(unsummed_run)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("ampersand: ") and captured.err.count("\n") == 1
    for words in said:
        assert words in captured.err
    assert not (unsummed_run / "summary.json").exists()  # nothing is written from a damaged run
    assert guarded(["check", str(unsummed_run)]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err and all(line.startswith("ampersand: ") for line in err.splitlines())


def make_pipe(path):
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize("file", ["manifest.json", LAUNCH, "journal.jsonl"])
def test_a_pipe_is_no_file_of_a_run(unsummed_run, capsys, file):
    make_pipe(unsummed_run / file)
    for verb in ("summary", "check"):
        assert guarded([verb, str(unsummed_run)]) == 2
        assert f"{file}: not a file that can be read" in capsys.readouterr().err


def test_a_published_run_is_checked_drawn_and_reported(unsummed_run, capsys):
    assert guarded(["summary", str(unsummed_run)]) == 0
    for name in ("launches", "counts", "solo"):
        shutil.rmtree(unsummed_run / name, ignore_errors=True)
    (unsummed_run / "journal.jsonl").unlink()
    capsys.readouterr()
    assert guarded(["check", str(unsummed_run)]) == 0
    assert "4 files follow their schemas; a published run" in capsys.readouterr().out
    assert guarded(["charts", str(unsummed_run)]) == 0
    capsys.readouterr()
    for words in (["summary"], ["report"], ["undecided"]):
        assert guarded([*words, str(unsummed_run)]) == 0
    capsys.readouterr()
    (unsummed_run / "launches.csv").unlink()
    assert guarded(["compare", str(unsummed_run), str(unsummed_run)]) == 2
    assert capsys.readouterr().err == (f"ampersand: {unsummed_run}: a published run without launches.csv.gz: it can be "
                                       "read, checked, drawn and reported, but not compared\n")
    (unsummed_run / "launches").mkdir()  # no longer all that was published
    assert guarded(["check", str(unsummed_run)]) == 2
    assert "journal.jsonl: No such file" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["allocators", "charts", "report"])
def test_the_published_matrix_is_checked_and_no_more(capsys, verb):
    run = str(ROOT / "results/allocators")
    assert guarded([verb, run]) == 2
    assert "a published run, without its raw rounds" in capsys.readouterr().err
    assert guarded(["check", run]) == 0


def test_the_published_run_is_checked_and_compared(capsys):
    run, launches = str(ROOT / "results/reference"), (ROOT / "results/reference/launches.csv.gz").exists()
    assert guarded(["check", run]) == 0
    assert guarded(["compare", run, run]) == (0 if launches else 2)
    assert ("No change shown" in capsys.readouterr().out) == launches


def test_a_run_gone_on_with_under_another_manifest_is_refused(unsummed_run, capsys):
    """The journal of a run whose manifest was edited before --resume, which once noted the new one's CRC-32."""
    journal = unsummed_run / "journal.jsonl"
    lines = journal.read_text().splitlines()
    crc32 = zlib.crc32((unsummed_run / "manifest.json").read_bytes())
    lines[0] = json.dumps(json.loads(lines[0]) | {"manifest_crc32": crc32 ^ 1})
    end = json.loads(lines[-1])
    lines.append(json.dumps({"time": end["time"], "event": "resume", "children": 0, "manifest_crc32": crc32}))
    journal.write_text("".join(line + "\n" for line in lines))
    for verb in ("summary", "check"):
        assert guarded([verb, str(unsummed_run)]) == 2
        said = f"line {len(lines)}: manifest.json was changed before the run was gone on with"
        assert said in capsys.readouterr().err


def test_every_damage_starts_from_a_sound_run(unsummed_run):
    load(unsummed_run)
    assert check(unsummed_run)[1] == []


FOLDERS = [
    ("empty", lambda run: [shutil.rmtree(run), run.mkdir()], ["empty: not a run folder"]),
    ("absent", shutil.rmtree, ["there is no such folder"]),
    ("a file", lambda run: [shutil.rmtree(run), run.write_text("{}")], ["not a folder"]),
    ("something else", lambda run: (run / "manifest.json").unlink(), ["no manifest.json"]),
    ("two manifests", lambda run: shutil.copy(run / "manifest.json", run / "old-manifest.json"),
     ["2 manifests", "manifest.json, old-manifest.json"]),
]


@pytest.mark.parametrize("name, change, said", FOLDERS, ids=[row[0] for row in FOLDERS])
def test_no_run_folder(small_run, capsys, name, change, said):
    change(small_run)
    for verb in ("summary", "check"):
        assert guarded([verb, str(small_run)]) == 2
        captured = capsys.readouterr()
        line = captured.err + captured.out
        assert line.count("\n") == 1
        assert all(words in line for words in said)


@pytest.mark.parametrize("file", ["manifest.json", LAUNCH, COUNTS])
def test_one_changed_digit_is_refused_where_the_journal_keeps_checksums(small_run, file):
    raw = bytearray((small_run / file).read_bytes())
    i = max(i for i, byte in enumerate(raw) if byte in b"12345678")
    raw[i] += 1
    (small_run / file).write_bytes(bytes(raw))
    with pytest.raises(Refused, match="changed since"):
        load(small_run)


@pytest.mark.parametrize("left", [b'{"time": "2026', b'{"ti\xff', b"{", b""],
                         ids=["half", "not UTF-8", "a byte", "none"])
def test_a_last_line_that_a_killed_writer_left_is_ignored(small_run, left):
    with open(small_run / "journal.jsonl", "ab") as journal:
        journal.write(left)
    assert len(load(small_run).rows) == 2


def test_leftovers_of_a_killed_writer_are_ignored(small_run):
    (small_run / LAUNCH).with_name("009.json.tmp").write_text("{")
    assert len(load(small_run).rows[0].launches) == 6


@pytest.mark.parametrize("goes_on, failed", [({"goes_on": True}, None), ({}, "signal")], ids=["lost", "failed"])
def test_a_lost_launch_fails_no_row(small_run, goes_on, failed):
    """A child that crashed twice while its row went on, and the same where it did not."""
    (small_run / LAUNCH).unlink()
    lines = [json.loads(line) for line in (small_run / "journal.jsonl").read_text().splitlines()]
    for line in lines:
        if line["event"] == "done" and (line["kind"], line["pair"], line["size"], line["launch"]) == ("paired", "pass",
                                                                                                      8, 2):
            line.update({"event": "failed", "reason": "signal", "detail": "SIGSEGV"} | goes_on)
    (small_run / "journal.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    row = load(small_run).rows[0]
    assert (row.name, row.failed and row.failed["reason"]) == ("pass/size=8", failed)
    assert [launch.number for launch in row.launches] == [0, 1, 3, 4, 5]
    assert row.lost == (failed is None)


FAILED, GOES_ON = ({"event": "failed", "reason": "signal", "detail": "SIGSEGV"},
                         {"event": "failed", "reason": "signal", "detail": "SIGSEGV", "goes_on": True})


@pytest.mark.parametrize("history, reason, lost", [
    ([FAILED], "signal", 0), ([GOES_ON], None, 1), ([GOES_ON, GOES_ON], None, 1), ([GOES_ON, FAILED], "signal", 0),
    ([FAILED, GOES_ON, GOES_ON], None, 1), ([GOES_ON, GOES_ON, FAILED], "signal", 0)],
    ids=["failed", "once", "lost", "failed twice", "failed, and lost by a resumed run", "lost, and failed by one"])
def test_what_a_launch_came_to(small_run, history, reason, lost):
    """Each attempt takes the place of what an earlier one came to, that of an interrupted run's too."""
    (small_run / LAUNCH).unlink()
    out = []
    for line in map(json.loads, (small_run / "journal.jsonl").read_text().splitlines()):
        ours = (line["event"], line.get("kind"), line.get("pair"), line.get("size"), line.get("launch"))
        out += [line | event for event in history] if ours == ("done", "paired", "pass", 8, 2) else [line]
    (small_run / "journal.jsonl").write_text("".join(json.dumps(line) + "\n" for line in out))
    row = load(small_run).rows[0]
    assert (row.failed and row.failed["reason"], row.lost) == (reason, lost)
    assert (f"pass/size=8 ({lost})" in pair_text.table(summarize(load(small_run))[0])) == (lost > 0)


def test_a_later_success_makes_a_failure_good(small_run):
    journal = small_run / "journal.jsonl"
    lines = journal.read_text().splitlines()
    done = next(i for i, line in enumerate(lines) if '"done"' in line)
    failed = json.loads(lines[done]) | {"event": "failed", "reason": "timeout", "detail": "killed after 60 s"}
    for order, want in ((lines[:done] + [json.dumps(failed)] + lines[done:], None),
                        (lines + [json.dumps(failed)], "timeout")):
        journal.write_text("\n".join(order) + "\n")
        failure = load(small_run).rows[0].failed
        assert (failure and failure["reason"]) == want


REFUSED_COUNTS = [put("value", value=None), put("pointer", value=None), put("refused", value="another malloc")]
KEPT = [  # a name, what is done to the files of both launches, what of the row is failed
    ("as declared", [], None),
    ("fewer", [put("pointer", "allocs", value=0)],
     "pointer: 1 allocations (4096 B) an operation declared, 0 (4096 B) counted"),
    ("half", [put("pointer", "allocs", value=500), put("pointer", "asked_b", value=2048500)],
     "pointer: 1 allocations (4096 B) an operation declared, 0.5 (2048.5 B) counted"),
    ("both sides", [put("value", "asked_b", value=8000), put("pointer", "allocs", value=2000)],
     "value: 0 allocations (0 B) an operation declared, 0 (8 B) counted; "
     "pointer: 1 allocations (4096 B) an operation declared, 2 (4096 B) counted"),
    ("other operations", [put("ops", value=500), put("pointer", "allocs", value=500),
                          put("pointer", "asked_b", value=2048000)], None),
    ("granted more", [put("pointer", "granted_b", value=1 << 30)], None),
    ("refused", REFUSED_COUNTS, None),
]


@pytest.mark.parametrize("name, changes, said", KEPT, ids=[row[0] for row in KEPT])
def test_a_row_is_held_to_the_allocations_that_it_declares(unsummed_run, capsys, name, changes, said):
    for launch in "000", "001":
        for change in changes:
            edit(unsummed_run / COUNTS.replace("001", launch), change)
    row, = (row for row in load(unsummed_run).rows if row.name == "factory/size=4096")
    assert row.failed == (said and {"kind": "counts", "reason": "declaration", "detail": said})
    assert check(unsummed_run)[1] == []
    assert guarded(["check", str(unsummed_run)]) == (1 if said else 0)
    assert capsys.readouterr().err == (f"ampersand: {unsummed_run}: {row.name}: declaration: {said}\n" if said else "")


def test_launches_that_differ_are_that_and_no_breach(unsummed_run):
    edit(unsummed_run / COUNTS, put("pointer", "allocs", value=2000))
    assert all(row.failed is None for row in load(unsummed_run).rows)


def test_configurations(tmp_path, small_rows):
    run = synthetic.write_run(tmp_path / "run", small_rows, synthetic.Plan(launches=2, layouts=4, rounds=4,
                                                                          checksums=False))
    edit(run / "manifest.json", lambda d: d["configurations"].append({"name": "glibc"}))
    assert load(run).configuration == "default"
    assert [len(row.launches) for row in load(run, "glibc").rows] == [0, 0]
    with pytest.raises(Refused, match="there are: default, glibc"):
        load(run, "jemaloc")


def test_schema_and_loader_agree_on_what_is_sound(small_run):
    """The loader checks launches and counts by hand, for speed; the schemas must say the same."""
    for name, file, change, _ in DAMAGE:
        if file not in (LAUNCH, COUNTS) or isinstance(change, tuple):
            continue
        kind = "launch" if file == LAUNCH else "counts"
        document = json.loads((small_run / file).read_text())
        assert strict_json.faults(document, kind) == []
        change(document)
        between = ("one time too few", "one layout too few", "a layout that is not there", "other layouts than before",
                   "zero rounds that are none", "another pair's launch", "another launch's number",
                   "another configuration's", "a time of ages", "a time that no integer holds",
                   "counts missing")  # what no schema can say
        assert bool(strict_json.faults(document, kind)) == (name not in between), name


def test_check_tells_every_fault(small_run):
    edit(small_run / LAUNCH, put("ops", value=0))
    edit(small_run / COUNTS, put("pointer", "allocs", value=-1))
    _, faults = check(small_run)
    assert len(faults) == 2
    assert "ops" in faults[1] + faults[0] and "pointer.allocs" in faults[0] + faults[1]


def test_control_characters_never_reach_the_terminal(small_run):
    edit(small_run / "manifest.json", put("schema", value="\033[2Jx\n"))
    with pytest.raises(Refused) as refused:
        load(small_run)
    assert str(refused.value).isprintable()


def test_arrays_are_exact_integers(small_run):
    launch = load(small_run).rows[0].launches[0]
    assert launch.value_ns.dtype == np.int64 and launch.layouts.dtype == np.int64
