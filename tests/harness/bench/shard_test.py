# SPDX-License-Identifier: MIT
"""bench --shard K/N: every pair is in exactly one shard, with all of its sizes.

AMPERSAND_BUILD names the build folder. The lessons are the tests' own."""
import json
import os
import shutil
import subprocess
import zlib
from pathlib import Path

import pytest
from waiting import HANGS_S

BUILD = Path(os.environ.get("AMPERSAND_BUILD", "build")).resolve()
BENCH = BUILD / "harness/ampersand-bench"
FAST = ["--seed", "5", "--quick", "--launches", "1", "--counts-launches", "0", "--solo-launches", "0", "--no-wait"]


@pytest.fixture(autouse=True)
def lessons(tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("lessons")
    (folder / "lessons.txt").write_text("good\ncarry_over\n")
    for lesson in ("good", "carry_over"):
        for path in (BUILD / "tests/lessons").glob(f"{lesson}.*"):
            shutil.copy(path, folder)
    monkeypatch.setenv("AMPERSAND_LESSONS", str(folder))


def rows(*words):
    listed = subprocess.run([BENCH, "list", *words], capture_output=True, text=True)
    return listed.stdout.split()


def paired(out, *words):
    return subprocess.run([BENCH, "paired", "--out", out, *FAST, *words], capture_output=True, text=True,
                          timeout=HANGS_S)


def test_every_pair_is_in_one_shard(tmp_path):
    all_rows, found = rows("--filter", "."), []
    for k in (1, 2):
        done = paired(tmp_path / str(k), "--shard", f"{k}/2")
        assert done.returncode == 0, done.stderr
        manifest = json.loads((tmp_path / str(k) / "manifest.json").read_text())
        assert manifest["shard"] == {"k": k, "n": 2, "bench_crc32": zlib.crc32(BENCH.read_bytes())}
        found.append({f"{row['pair']}/size={row['size']}" for row in manifest["rows"]})
    assert found[0] | found[1] == set(all_rows)
    pairs = [{row.split("/")[0] for row in shard} for shard in found]
    floors = pairs[0] & pairs[1]  # measured in each
    assert all(shard - floors for shard in pairs)


@pytest.mark.parametrize("words, message", [
    (["--shard", "1/2"], "--shard: needs --seed N"),
    (["--shard", "0/2", "--seed", "1"], "--shard: '0/2' is not K/N"),
    (["--shard", "3/2", "--seed", "1"], "--shard: '3/2' is not K/N"),
    (["--shard", "1/2x", "--seed", "1"], "--shard: '1/2x' is not K/N"),
    (["--shard", "1/-2", "--seed", "1"], "--shard: '1/-2' is not K/N"),
    (["--shard", "9/9", "--filter", "^good", "--seed", "1"], "--shard: '9/9': so many pairs do not match"),
])
def test_wrong_use(words, message, tmp_path):
    done = subprocess.run([BENCH, "paired", "--out", tmp_path / "run", *words], capture_output=True, text=True)
    assert done.returncode == 2 and message in done.stderr, done.stderr
    assert not (tmp_path / "run").exists()
