# SPDX-License-Identifier: MIT
"""The same recording as Perfetto's own form and as trace event JSON says the same. AMPERSAND_BUILD names the build
folder."""
import gzip
import subprocess
from collections import Counter, defaultdict

import pytest

from events import Events
from pftrace import Trace
from traced import SANITIZED, TRACE, with_names
from waiting import HANGS_S


def of_json(events):
    """What a Trace would say."""
    begin = events.other["begin_ns"]
    slices = Counter((one["pid"], one["tid"], one["name"], one["ts"] + begin, one["dur"],
                      one.get("args", {}).get("missing"))
                     for one in events.of("X"))
    moments = Counter((one["pid"], one["tid"], one["name"], one["ts"] + begin, one.get("args", {}).get("value"),
                       one.get("args", {}).get("from")) for one in events.of("i"))
    counts = defaultdict(list)
    for one in events.of("C"):
        counts[one["pid"], one["name"]].append((one["ts"] + begin, one["args"]["value"]))
    return slices, moments, counts


@pytest.mark.parametrize("words, flags", [
    (["nested", "6"], []), (["threads"], []), (["children", "5"], []), (["killed"], []), (["exec"], []),
    (["stray"], []), (["many", "300"], []), (["long_name"], []),
    (["many", "300000"], ["--window", "1M"]), (["beside", "200000"], ["--window", "1M"])],
                         ids=lambda words: "_".join(words).strip("-") or "whole")
def test_both_forms_say_the_same(words, flags, program, tmp_path):
    kept = tmp_path / "kept"
    subprocess.run([TRACE, "--keep", kept, *flags, "--", program, *words], capture_output=True, timeout=HANGS_S)
    done = subprocess.run([TRACE, "--from", kept, "-o", tmp_path / "a.pftrace", "-o", tmp_path / "a.pftrace.gz", "-o",
                           tmp_path / "a.json", "-o", tmp_path / "a.json.gz"], capture_output=True, timeout=HANGS_S)
    assert done.returncode == 0, done.stderr
    data, text = (tmp_path / "a.pftrace").read_bytes(), (tmp_path / "a.json").read_bytes()
    assert gzip.decompress((tmp_path / "a.pftrace.gz").read_bytes()) == data
    assert gzip.decompress((tmp_path / "a.json.gz").read_bytes()) == text
    trace, events = Trace(data), Events(text)
    slices, moments, counts = of_json(events)
    assert (trace.slices, trace.moments, trace.counts) == (slices, moments, counts)
    assert len(data) < 0.6 * len(text) and sum(moments.values()) > 0
    named = {(one["pid"], one["tid"]): one["args"]["name"] for one in events.of("M", "thread_name")}
    assert {(track["thread"]["pid"], track["thread"]["tid"]): track["thread"]["name"]
            for track in trace.tracks.values() if "thread" in track} == named


@with_names
@pytest.mark.skipif(SANITIZED, reason="nothing can be preloaded before AddressSanitizer")
def test_where_allocations_were_called(program, tmp_path):
    done = subprocess.run([TRACE, "--alloc-above", "64k", "-o", tmp_path / "a.pftrace", "-o", tmp_path / "a.json", "--",
                           program, "allocations"], capture_output=True, timeout=HANGS_S)
    assert done.returncode == 0
    trace, events = Trace((tmp_path / "a.pftrace").read_bytes()), Events((tmp_path / "a.json").read_text())
    assert (trace.slices, trace.moments, trace.counts) == of_json(events)
    assert sum(n for (*_, called), n in trace.moments.items() if called and "main" in called) >= 4
    assert any(name == "heap, bytes" for _, name in trace.counts)


def test_only_the_last_time(program, tmp_path):
    """Slices that began before the window do so at its begin."""
    kept, out = tmp_path / "kept", tmp_path / "out.pftrace"
    subprocess.run([TRACE, "--keep", kept, "--", program, "late"], capture_output=True, timeout=HANGS_S)
    done = subprocess.run([TRACE, "--from", kept, "--window", "1s", "-o", out, "-o", tmp_path / "out.json"],
                          capture_output=True, timeout=HANGS_S)
    assert done.returncode == 0
    trace, events = Trace(out.read_bytes()), Events((tmp_path / "out.json").read_text())
    assert (trace.slices, trace.moments, trace.counts) == of_json(events)
    [outer] = [one for one in trace.slices if one[2] == "outer"]
    [inner] = [one for one in trace.slices if one[2] == "inner"]
    assert outer[3] == inner[3] == events.other["begin_ns"] and outer[5] == inner[5] == "begin" and outer[4] > inner[4]
    assert "early" not in [one[2] for one in trace.slices]


@pytest.mark.parametrize("name", ["x.pftrace.zst", "x.html.gz", "x.gz"])
def test_other_names(name, program, tmp_path):
    done = subprocess.run([TRACE, "-o", tmp_path / name, "--", program], capture_output=True, text=True)
    assert done.returncode == 2 and "must end with" in done.stderr and done.stderr.count("\n") == 1


def test_a_full_disk(program, tmp_path):
    """A file must not grow beyond 1 KiB: as on a full disk, writing fails in the middle."""
    kept = tmp_path / "kept"
    subprocess.run([TRACE, "--keep", kept, "--", program, "nested", "9"], capture_output=True, timeout=HANGS_S)
    done = subprocess.run(["/bin/sh", "-c", "trap '' XFSZ; ulimit -f 2; exec \"$@\"", "sh", TRACE, "--from", kept, "-o",
                           tmp_path / "x.pftrace", "-o", tmp_path / "x.pftrace.gz", "-o", tmp_path / "x.json.gz"],
                          capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr.count("cannot be written: File too large") == 3
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith("x.")] == []
