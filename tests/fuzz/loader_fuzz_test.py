# SPDX-License-Identifier: MIT
"""Damage to a run folder, a thousand times over: cut, flipped, swapped, lost, mixed up.

With the journal's checksums a damaged run is either refused in one line or means exactly what it meant before; without
them it is refused or judged, and never ends in a traceback. Fixed seeds: a failure names the case that repeats it."""

import os
import shutil

import numpy as np
import pytest
import synthetic

from plots.files.pair_run import load
from plots.program.errors import Refused
from plots.words.pair_sentences import summarize

CASES = 3000 if os.environ.get("AMPERSAND_HEAVY") else 1000
ROWS = [synthetic.Truth("pass", 8, 0.3, 2.0, layout_sd=0.02),
        synthetic.Truth("factory", 4096, -0.5, 90.0, "factory", allocs=(0, 1), bytes=(0, 4096)),
        synthetic.Truth("broken", 72, 0.0, 2.0, "pass")]
FAILED = {"broken/size=72": ("signal", "SIGSEGV")}


def make(folder, checksums):
    plan = synthetic.Plan(launches=2, layouts=2, rounds=2, counts_launches=1, fail=FAILED, checksums=checksums)
    return synthetic.write_run(folder, ROWS, plan)


def meaning(run):
    """All that a figure could come from; equal for two runs that mean the same. Why a row without a launch has none is
    left out: a journal that is cut before the failure reads as that of a run that was killed there."""
    return [(row.name, row.question, row.threads, row.failed if row.launches else None,
             [(one.number, one.ops, one.clock_cost_ns, one.layouts.tolist(), one.value_ns.tolist(),
               one.pointer_ns.tolist()) for one in row.launches],
             [(one.ops, one.value, one.pointer, one.refused) for one in row.counts],
             row.solo) for row in run.rows] + [run.quick, run.manifest["settings"]]


def truncate(raw, random, _):
    return raw[: random.integers(len(raw))]


def flip_a_bit(raw, random, _):
    i = random.integers(len(raw))
    return raw[:i] + bytes([raw[i] ^ 1 << random.integers(8)]) + raw[i + 1:]


def put_another_character(raw, random, _):
    i = random.integers(len(raw))
    return raw[:i] + bytes([random.choice(list(b'0123456789-.eE{}[]",:ntf \n\0\xff'))]) + raw[i + 1:]


def swap_two_parts(raw, random, _):
    a, b, c, d = sorted(random.integers(0, len(raw) + 1, 4))
    return raw[:a] + raw[c:d] + raw[b:c] + raw[a:b] + raw[d:]


def drop_a_part(raw, random, _):
    a, b = sorted(random.integers(0, len(raw) + 1, 2))
    return raw[:a] + raw[b:]


def double_a_part(raw, random, _):
    a, b = sorted(random.integers(0, len(raw) + 1, 2))
    return raw[:b] + raw[a:b] + raw[b:]


def put_a_word(raw, random, _):
    words = (b"NaN", b"-1", b"1e999", b"null", b"true", b"[]", b"{}", b'""', b"99999999999999999999", b"-0", b"0.5")
    i = random.integers(len(raw))
    return raw[:i] + words[random.integers(len(words))] + raw[i + random.integers(1, 4):]


def put_another_file(raw, random, others):
    return others[random.integers(len(others))]


DAMAGES = (truncate, flip_a_bit, put_another_character, swap_two_parts, drop_a_part, double_a_part, put_a_word,
           put_another_file)


def damaged(folder, cases, seed):
    """Damage one file after another; yields (what was done) while the damage is there."""
    random = np.random.default_rng(seed)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    originals = [path.read_bytes() for path in files]
    for case in range(cases):
        i = random.integers(len(files))
        damage = DAMAGES[random.integers(len(DAMAGES))]
        files[i].write_bytes(damage(originals[i], random, originals))
        yield f"case {case} of seed {seed}: {damage.__name__} in {files[i].relative_to(folder)}"
        files[i].write_bytes(originals[i])


def test_with_checksums_a_run_is_refused_or_means_the_same(tmp_path):
    folder = make(tmp_path / "run", checksums=True)
    want = meaning(load(folder))
    refused = 0
    for what in damaged(folder, CASES, seed=1):
        try:
            assert meaning(load(folder)) == want, what
        except Refused as refusal:
            refused += 1
            assert "\n" not in str(refusal), what
    assert refused > CASES * 0.8  # most damage is damage: were nothing refused, nothing would be tested


def test_without_checksums_there_is_never_a_traceback(tmp_path):
    folder = make(tmp_path / "run", checksums=False)
    refused = 0
    for what in damaged(folder, CASES, seed=2):
        try:
            summarize(load(folder))
        except Refused:
            refused += 1
        except Exception as error:
            pytest.fail(f"{what}: {error!r}")
    assert CASES * 0.5 < refused < CASES


def test_a_missing_file_is_refused(tmp_path):
    folder = make(tmp_path / "run", checksums=True)
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        raw = path.read_bytes()
        path.unlink()
        with pytest.raises(Refused):
            load(folder)
        path.write_bytes(raw)
    load(folder)


def test_exchanged_files_are_refused(tmp_path):
    folder = make(tmp_path / "run", checksums=False)
    launches = sorted((folder / "launches").rglob("*.json"))
    for a in launches:
        for b in launches:
            if a < b:
                swap(a, b)
                with pytest.raises(Refused):
                    load(folder)
                swap(a, b)
    load(folder)


def swap(a, b):
    beside = a.with_suffix(".swap")
    shutil.move(a, beside)
    shutil.move(b, a)
    shutil.move(beside, b)
