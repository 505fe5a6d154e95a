# SPDX-License-Identifier: MIT
"""Runs of several machines in one table: synthetic runs whose truths are known, with machines that differ in one
fact."""
import csv
import io
import json
import re
import subprocess

import pytest
import synthetic
from places import ROOT

from plots.__main__ import guarded

TRUTHS = (("a", 64, 0.3), ("b", 64, -0.3), ("c", 40960, 0.3))


def run(folder, truths=TRUTHS, shard=None, seed=1, **machine):
    """A run on a machine; `copies`: {row: how its value side copies}, `code`: {lesson: CRC-32}."""
    copies, code, build = (machine.pop(key, {}) for key in ("copies", "code", "build"))
    rows = [synthetic.Truth(pair, size, ln_ratio=ln) for pair, size, ln in truths]
    synthetic.write_run(folder, rows,
                        synthetic.Plan(launches=8, solo=0, layouts=16, rounds=8, seed=seed, checksums=False))
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["machine"] |= machine
    manifest["build"] |= build | {"modules_crc32": {pair: code.get(pair, 7) for pair, _, _ in truths}}
    if shard:
        manifest["shard"] = {"k": shard[0], "n": shard[1], "bench_crc32": shard[2] if len(shard) > 2 else 5}
    for row, how in copies.items():
        lesson = row.split("/")[0]
        manifest["layouts"][lesson]["copies"] = {row: {"value": [
            {"bytes": 64, "how": how, "moves": 4, "width_b": 16, "from": "argument 1", "to": "stack",
             "per": "operation"}],
            "pointer": []}}
    path.write_text(json.dumps(manifest))
    return folder


def merge(*words):
    return guarded(["merge", *map(str, words)])


def merged(capsys, *folders):
    assert merge("--format", "json", *folders) == 0
    return json.loads(capsys.readouterr().out)


def states(document):
    return {row["row"]: row["state"] for row in document["rows"]}


FLIPS = (("a", 64, -0.3), ("b", 64, -0.3), ("c", 40960, 0.3))


@pytest.mark.parametrize("facts, want", [
    ({"arch": "aarch64"}, [("ABI", "x86_64", "aarch64")]),
    ({"copies": {"a/size=64": "rep movs"}}, [("copy class", "value: vector moves; pointer: none",
                                              "value: rep movs; pointer: none")]),
    ({"build": {"compiler": "clang 14.0.6"}}, [("compiler", "gcc 12.2.0 -O2", "clang 14.0.6 -O2")]),
    ({"cpu": "Another CPU"}, [("CPU", "Synthetic CPU", "Another CPU")]),
    ({}, []),
    ({"arch": "aarch64", "cpu": "Another CPU"}, [("ABI", "x86_64", "aarch64")]),
])
def test_a_row_that_flips_says_what_differs(facts, want, tmp_path, capsys):
    facts = dict(facts)
    one = run(tmp_path / "one", copies={"a/size=64": "vector moves"})
    other = run(tmp_path / "other", FLIPS, **({"copies": {"a/size=64": "vector moves"}} | facts))
    document = merged(capsys, one, other)
    assert states(document) == {"a/size=64": "flips", "b/size=64": "same", "c/size=40960": "same"}
    found = document["rows"][0]["because"]
    assert [(fact["fact"], fact["a"], fact["b"]) for fact in found] == want
    assert [cell["verdict"] for cell in document["rows"][0]["cells"]] == ["value faster", "pointer faster"]


def test_a_cache_that_an_object_no_longer_fits_into(tmp_path, capsys):
    small = [{"level": 1, "type": "Data", "size_b": 32768, "line_b": 64},
             {"level": 2, "type": "Unified", "size_b": 36864, "line_b": 64}]
    one, other = run(tmp_path / "one"), run(tmp_path / "other", (*TRUTHS[:2], ("c", 40960, -0.3)), caches=small)
    row = merged(capsys, one, other)["rows"][2]
    assert row["state"] == "flips" and row["because"] == [
        {"fact": "cache sizes", "a": "fits L2, 512 KiB", "b": "fits none"}]
    assert merged(capsys, other, one)["rows"][2]["because"] == [
        {"fact": "cache sizes", "a": "fits none", "b": "fits L2, 512 KiB"}], "in the order of the columns"


def test_caches_of_other_sizes_that_an_object_fits_into_alike_are_not_named(tmp_path, capsys):
    larger = [{"level": 1, "type": "Data", "size_b": 39000, "line_b": 64},
              {"level": 2, "type": "Unified", "size_b": 1 << 20, "line_b": 64}]
    one, other = run(tmp_path / "one"), run(tmp_path / "other", FLIPS, caches=larger, cpu="Another CPU")
    row = merged(capsys, one, other)["rows"][0]
    assert row["state"] == "flips" and [fact["fact"] for fact in row["because"]] == ["CPU"]
    assert merge(one, other) == 0
    shown = capsys.readouterr().out
    assert re.search(r"^ +a/size=64 .* the CPU$", shown, re.M) and shown.count("Another CPU") == 1


@pytest.mark.parametrize("other, want", [
    ((("a", 64, 0.0), *TRUTHS[1:]), "differs"),
    (TRUTHS[1:], "alone"),
    (TRUTHS, "same"),
])
def test_states(other, want, tmp_path, capsys):
    document = merged(capsys, run(tmp_path / "one"), run(tmp_path / "other", other))
    assert states(document)["a/size=64"] == want


def test_every_form(tmp_path, capsys):
    one, other = run(tmp_path / "one"), run(tmp_path / "other", FLIPS, host="far", arch="aarch64")
    assert merge(one, other) == 0
    text = capsys.readouterr().out
    assert "3 rows: 2 the same, 1 flipped" in text and "ABI: x86_64 / aarch64" in text and "b/size=64" not in text
    assert merge("--all", "--format", "markdown", one, other) == 0
    assert capsys.readouterr().out.count("\n| ") >= 4
    assert merge("--format", "csv", one, other) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert len(rows) == 6 and {row["host"] for row in rows} == {"synthetic", "far"}


def test_shards_are_one_column(tmp_path, capsys):
    one, two = run(tmp_path / "1", TRUTHS[:1], shard=(1, 2)), run(tmp_path / "2", TRUTHS[1:], shard=(2, 2), host="far")
    whole = run(tmp_path / "whole", FLIPS)
    document = merged(capsys, one, whole, two)
    assert [(column["shards"], column["missing"], len(column["machines"])) for column in document["columns"]] == [
        (2, [], 2), (None, [], 1)]
    assert states(document) == {"a/size=64": "flips", "b/size=64": "same", "c/size=40960": "same"}


def test_a_missing_shard_is_named(tmp_path, capsys):
    one, three = (run(tmp_path / str(k), TRUTHS[k % 2:k % 2 + 1], shard=(k, 4)) for k in (1, 3))
    assert merge(one, three) == 1
    assert "ampersand: merge: A: missing: shard 2/4, 4/4" in capsys.readouterr().err


@pytest.mark.parametrize("shard, seed, truths, facts, why", [
    ((2, 2, 6), 1, TRUTHS[1:], {}, "another build than {one}: they differ in the program ampersand-bench"),
    ((2, 2), 1, TRUTHS[1:], {"build": {"compiler": "clang 14.0.6"}}, "they differ in build.compiler"),
    ((2, 2), 1, TRUTHS[1:], {"arch": "aarch64"}, "they differ in architecture"),
    ((2, 2), 1, TRUTHS, {"code": {"a": 8}}, "they differ in the code of a"),
    ((1, 2), 1, TRUTHS[1:], {}, "shard 1/2, as {one}: each only once"),
])
def test_shards_of_different_builds_are_refused(shard, seed, truths, facts, why, tmp_path, capsys):
    one, two = run(tmp_path / "1", TRUTHS[:1], shard=(1, 2)), run(tmp_path / "2", truths, shard=shard, seed=seed,
                                                                  **facts)
    assert merge(one, two) == 2
    said = capsys.readouterr()
    assert why.format(one=one) in said.err and said.err.count("\n") == 1 and not said.out


@pytest.mark.parametrize("change, why", [({"quick": True}, "quick"), ({"settings": {"launches": 9}}, "launches")])
def test_shards_that_were_asked_otherwise_are_refused(change, why, tmp_path, capsys):
    one, two = (run(tmp_path / str(k), TRUTHS[k - 1:k], shard=(k, 2)) for k in (1, 2))
    path = two / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["quick"] = change.get("quick", manifest["quick"])
    manifest["settings"] |= change.get("settings", {})
    path.write_text(json.dumps(manifest))
    assert merge(one, two) == 2
    assert f"{two}: a shard with other flags than {one}: they differ in {why}\n" in capsys.readouterr().err


def test_other_seeds_are_other_runs(tmp_path, capsys):
    folders = [run(tmp_path / str(seed), TRUTHS[:1], shard=(1, 1), seed=seed) for seed in (1, 2)]
    assert len(merged(capsys, *folders)["columns"]) == 2


def test_what_is_no_run_is_refused(tmp_path, capsys):
    assert merge(tmp_path / "nothing") == 2
    assert merge(ROOT / "results/allocators") == 2
    assert "over allocator configurations" in capsys.readouterr().err


# ---- examples/fleet, with an ampersand that only writes down how it was called

@pytest.mark.parametrize("words, environment, want", [
    (["slurm.sh"], {"SLURM_ARRAY_TASK_ID": "3", "SLURM_ARRAY_TASK_COUNT": "8", "SLURM_ARRAY_JOB_ID": "77"},
     ["bench --shard 3/8 --seed 77 --out shards-77/3"]),
    (["parallel.sh", "42", ":", ":"], {},
     ["bench --shard 1/2 --seed 42 --out shard-1", "bench --shard 2/2 --seed 42 --out shard-2",
      "merge --all shard-1 shard-2"]),
])
def test_examples(words, environment, want, tmp_path):
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "ampersand").write_text(f'#!/bin/sh\necho "$@" >>{tmp_path}/log\n')
    (tools / "parallel").write_text('''#!/bin/sh
        while [ "$1" != ampersand ]; do shift; done
        while read -r each; do mkdir "shard-$each"; sh -c "$(echo "$@" | sed "s/{}/$each/g")"; done''')
    for tool in tools.iterdir():
        tool.chmod(0o755)
    subprocess.run(["sh", ROOT / "examples/fleet" / words[0], *words[1:]], cwd=tmp_path, check=True,
                   env={"PATH": f"{tools}:/usr/bin:/bin"} | environment)
    assert (tmp_path / "log").read_text().splitlines() == want
