# SPDX-License-Identifier: MIT
"""Which part of a recording is written, where curves end, and a ring that is read while it is written. AMPERSAND_BUILD
names the build folder."""
import json
import re
import signal
import subprocess

from events import Events
from traced import TRACE, trace
from waiting import wait_for


def test_curves_end_with_their_process(program, tmp_path):
    done, events, _ = trace(tmp_path, "/bin/sh", "-c", f"{program} nested 1 >&2; {program} nested 0 >&2; {program} children 1")
    assert done.returncode == 0
    ends = {one["pid"]: max(each["ts"] + each.get("dur", 0) for each in events.all if each["pid"] == one["pid"] and "ts" in each)
            for one in events.of("C", "left")}
    assert len(ends) == 2
    for pid, end in ends.items():
        values = [(one["ts"], one["args"]["value"]) for one in events.of("C", "left") if one["pid"] == pid]
        assert values[-1] == (end, 0) and len(values) in (2, 4)


def test_a_part_of_the_time(program, tmp_path):
    """What is open when it begins has no begin, what is open when it ends no end."""
    kept, out = tmp_path / "kept", tmp_path / "part.json"
    trace(tmp_path, program, "nested", "9", flags=["--keep", kept])
    whole = Events((tmp_path / "out.json").read_text())
    times = sorted(one["ts"] for one in whole.of("i", "at \"depth\" <b>"))
    low, high = ((times[k] + times[k + 1]) // 2 for k in (len(times) * 3 // 8, len(times) * 5 // 8))
    done = subprocess.run([TRACE, "--from", kept, "--window", f"{low / 1e9:.9f}s..{high / 1e9:.9f}s", "-o", out],
                          capture_output=True, text=True)
    assert done.returncode == 0 and "came before the window" in done.stdout and "came after the window" in done.stdout
    told = subprocess.run([TRACE, "--from", kept, "--window", f"{low / 1e9:.9f}s..{high / 1e9:.9f}s", "--format",
                           "json"], capture_output=True, text=True)
    assert all(f"{json.loads(told.stdout)[key]} events came {key} the window" in done.stdout
               for key in ("before", "after"))
    part, shift = Events(out.read_text()), whole.other["begin_ns"]
    begin, end = part.other["begin_ns"], part.other["begin_ns"] + high - low
    assert abs(begin - shift - low) <= 1
    moments = [one["ts"] + shift for one in whole.of("i") if begin <= one["ts"] + shift <= end]
    assert [one["ts"] + begin for one in part.of("i")] == moments and len(moments) > 10
    counted = [(one["ts"] + shift, one["args"]["value"]) for one in whole.of("C") if begin <= one["ts"] + shift <= end]
    assert [(one["ts"] + begin, one["args"]["value"]) for one in part.of("C")] == counted  # none ends with the window
    [cut] = [one for one in part.of("X") if one.get("args") and one["ts"] == 0 and one["dur"] == max(
        each["dur"] for each in part.of("X"))][:1]
    assert cut["args"] == {"missing": "begin"} and abs(cut["dur"] - (end - begin)) <= 1


def test_a_ring_that_is_read_while_it_is_written(program, tmp_path):
    """What a snapshot has is whole and in order. How much it has depends on how often the reader was overtaken."""
    out = tmp_path / "out.json"
    with subprocess.Popen([TRACE, "--window", "1M", "-o", out, "--", program, "forever"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout.readline() == b"ready\n"
        last = -1
        for _ in range(5):
            out.unlink(missing_ok=True)
            running.send_signal(signal.SIGUSR2)
            wait_for(out.exists, running)
            events = Events(out.read_text())
            assert {one["name"] for one in events.of("X")} <= {"turn", "part"}
            values = [one["args"]["value"] for one in events.of("C", "n")]
            assert values == sorted(set(values)) and (not values or values[-1] >= last)
            last = values[-1] if values else last
        running.communicate(b"\n")
    *values, end = [one["args"]["value"] for one in Events(out.read_text()).of("C", "n")]
    assert running.returncode == 0 and end == 0
    assert len(values) > 10_000 and values == list(range(values[0], values[0] + len(values)))


def test_from_when_on_a_page_holds_all(program, tmp_path):
    """As many whole parts of the time line, 4096 of which are equally long, as have no more events than a page may."""
    kept, page = tmp_path / "kept", tmp_path / "page.html"
    trace(tmp_path, program, "many", "20000", flags=["--keep", kept])
    ends = [one["ts"] + one.get("dur", 0) for one in Events((tmp_path / "out.json").read_text()).all
            if one["ph"] in "XiC"]
    assert len(ends) > 20_000
    for most in (len(ends), len(ends) - 1, len(ends) // 2, len(ends) // 10):
        done = subprocess.run([TRACE, "--from", kept, "--page-events", str(most), "-o", page], capture_output=True)
        assert done.returncode == 0
        said = dict(re.findall(r'"(ns|from_ns|left_out)":(\d+)', page.read_text(encoding="utf-8")))
        ns, from_ns, left_out = (int(said[key]) for key in ("ns", "from_ns", "left_out"))
        assert sum(end > from_ns for end in ends) <= most, most
        if most == len(ends):
            assert (from_ns, left_out) == (0, 0)
        else: # one part more would be too much
            assert sum(end >= from_ns - ns / 4096 - 1 for end in ends) > most, most
