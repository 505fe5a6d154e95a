# SPDX-License-Identifier: MIT
"""A profile in pprof's form is read as it was written, and drawn to scale; what is none is refused in one line."""
import gzip
import re
import types

import pytest

from plots.__main__ import guarded
from plots.files import allocated, pprof
from plots.profile import flame, of_run


def varint(number):
    number &= (1 << 64) - 1
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out) + bytes([number])


def number(field, value):
    return varint(field << 3) + varint(value)


def message(field, data):
    return varint(field << 3 | 2) + varint(len(data)) + data


TEXTS = ["", "time", "nanoseconds", "alloc_space", "bytes", "main", "a.c", "leaf", "pprof::base", "true", "a<b>"]


def profile(samples, packed=True):
    """Of types time and alloc_space; a sample: (values, whether it is the base)."""
    data = b"".join(message(6, text.encode()) for text in TEXTS)
    data += message(1, number(1, 1) + number(2, 2)) + message(1, number(1, 3) + number(2, 4)) + number(14, 1)
    for n, name in ((1, 5), (2, 7), (3, 10)):
        data += message(5, number(1, n) + number(2, name) + number(4, 6))
        data += message(4, number(1, n) + number(3, 4096 + n) + message(4, number(1, n) + number(2, 10 * n)))
    for values, is_base in samples:
        numbers = (lambda field, all_of: message(field, b"".join(map(varint, all_of)))) if packed else (
            lambda field, all_of: b"".join(number(field, each) for each in all_of))
        label = message(3, number(1, 8) + number(2, 9)) if is_base else b""
        data += message(2, numbers(1, [3, 2, 1]) + numbers(2, values) + label)
    return gzip.compress(data)


DIFFERENCE = [((300, 0), False), ((-100, -64), True)]


@pytest.mark.parametrize("packed", [True, False])
def test_read(packed):
    read = pprof.parse(profile(DIFFERENCE, packed))
    assert read.types == (("time", "nanoseconds"), ("alloc_space", "bytes")) and read.default == "time"
    assert [(sample.values, sample.is_base) for sample in read.samples] == DIFFERENCE
    assert [(frame.function, frame.file, frame.line) for frame in read.samples[0].stack] == [
        ("main", "a.c", 10), ("leaf", "a.c", 20), ("a<b>", "a.c", 30)]


def boxes(svg):
    """{what is told of a box: its width}"""
    return {told: float(width) for told, width in re.findall(r"<title>(.*?)</title><rect .*? width=\"([\d.]+)\"", svg)}


def test_widths_are_parts_of_the_whole():
    drawn = boxes(flame.svg(pprof.parse(profile(DIFFERENCE)), "a row", per=100))
    whole = flame.WIDTH - 2 * flame.MARGIN
    assert drawn["pointer: 3.000 ns an operation, 75.0 %"] == pytest.approx(0.75 * whole, abs=1)
    assert drawn["value: 1.000 ns an operation, 25.0 %"] == pytest.approx(0.25 * whole, abs=1)
    assert drawn["value: 0.64 B an operation, 100 %"] == pytest.approx(whole, abs=1)
    assert sum("a&lt;b&gt; (a.c:30)" in told for told in drawn) == 3  # time of both sides, bytes of one
    plain = boxes(flame.svg(pprof.parse(profile([((5, 7), False)])), "a program"))
    assert "all: 7 B, 100 %" in plain and "leaf (a.c:20): 5.000 ns, 100 %" in plain


def test_a_run_by_pairs_and_sides():
    """Sizes of a pair are joined; what one operation takes counts, however many were recorded."""
    stack = (pprof.Frame("run", "a.c", 1), pprof.Frame("leaf", "a.c", 2))
    rows = [types.SimpleNamespace(row=f"{pair}/size={size}", pair=pair, name_of=str)
            for pair, size in (("one", 1), ("one", 2), ("two", 1), ("none", 1), ("lost", 1))]

    def of(ops, value=(), pointer=(), refused=None):
        sides = {side: tuple(pprof.Sample(*each, False) for each in found)
                 for side, found in (("value", value), ("pointer", pointer))}
        return allocated.Recorded(ops, sides, refused)
    recorded = {"one/size=1": of(10, pointer=[((60, 10), stack)]), "one/size=2": of(2, pointer=[((4, 4), stack[:1])]),
                "two/size=1": of(1, value=[((8, 1), stack)]), "lost/size=1": of(0, refused="SIGSEGV")}
    drawn = boxes(of_run.svg(rows, allocated.Allocated(None, recorded)))
    whole = flame.WIDTH - 2 * flame.MARGIN
    for told, part in (("each row: 16 B, 100 %", 1), ("one: 8 B, 50.0 %", 0.5), ("pointer: 8 B, 50.0 %", 0.5),
                       ("run (a.c:1): 8 B, 50.0 %", 0.5), ("leaf (a.c:2): 6 B, 37.5 %", 0.375),
                       ("one: 3, 75.0 %", 0.75), ("leaf (a.c:2): 1, 25.0 %", 0.25)):
        assert drawn[told] == pytest.approx(part * whole, abs=1), told
    assert not [told for told in drawn if told.startswith(("none", "lost"))]
    assert of_run.svg(rows, None) == of_run.svg(rows[3:], allocated.Allocated(None, recorded)) == ""


def test_nothing_was_recorded():
    assert "nothing was recorded" in flame.svg(pprof.parse(profile([])), "a program")


WHOLE = profile(DIFFERENCE)
BAD = [("empty", b""), ("text", b"neither"), ("cut", WHOLE[:-20]), ("no gzip", b"\x1f\x8bnothing"),
       ("a field too long", gzip.compress(message(6, b"") + b"\x12\x7f")), ("a place that is not there", gzip.compress(
           b"".join(message(6, text.encode()) for text in TEXTS) + message(2, number(1, 9))))]


@pytest.mark.parametrize("data", [row[1] for row in BAD], ids=[row[0] for row in BAD])
def test_refused(data, tmp_path, capsys):
    (tmp_path / "bad.pb.gz").write_bytes(data)
    assert guarded(["flame", str(tmp_path / "bad.pb.gz"), str(tmp_path / "out.svg")]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"ampersand: {tmp_path}/bad.pb.gz: is no profile") and said.count("\n") == 1
    assert not (tmp_path / "out.svg").exists()


def test_files(tmp_path, capsys):
    (tmp_path / "good.pb.gz").write_bytes(WHOLE)
    assert guarded(["flame", str(tmp_path / "good.pb.gz"), str(tmp_path / "out.svg")]) == 0
    assert (tmp_path / "out.svg").read_text().startswith("<svg ")
    assert guarded(["flame", str(tmp_path / "good.pb.gz"), str(tmp_path / "none" / "out.svg")]) == 2
    assert guarded(["flame", str(tmp_path / "none.pb.gz"), str(tmp_path / "out.svg")]) == 2
    assert capsys.readouterr().err.count("\n") == 3
