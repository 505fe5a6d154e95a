# SPDX-License-Identifier: MIT
"""Names from programs are in any encoding; what is written is UTF-8, and whole. And a file of a profile is what Perfetto
asks of one. AMPERSAND_BUILD names the build folder."""
import gzip
from pathlib import Path

import pytest

import pprof
from protobuf import fields, varint
from profiled import HERE, PROFILE, SANITIZED, compiled, profile, with_names

needs_preload = pytest.mark.skipif(SANITIZED, reason="nothing can be preloaded before AddressSanitizer")
REPLACED = "\N{REPLACEMENT CHARACTER}"


def renamed(path, before, after):
    """In each table of the file."""
    assert len(before) == len(after)
    data = path.read_bytes()
    assert before in data
    path.write_bytes(data.replace(before, after))


@with_names
@needs_preload
@pytest.mark.parametrize("flags", [[], ["--cpu"]], ids=["allocations", "cpu"])
def test_names_that_are_not_utf8(flags, tmp_path):
    folder = tmp_path / "pr\udcfcfung"
    folder.mkdir()
    program = compiled(folder / "program", HERE / "program.c", "-D_GNU_SOURCE")
    renamed(program, b"all_calls", b"all_c\xe4lls")
    renamed(program, b"program.c", b"pr\xf6gram.c")
    done, report, _ = profile(program, "calls", flags=flags)
    assert done.returncode == 0 and done.stderr.decode("utf-8")
    name = str(program).replace("\udcfc", REPLACED)
    assert report["program"] == name
    if flags:  # it may be too short for a tick
        return
    frames = [frame for sample in report["samples"] for frame in sample["stack"] if frame["module"] == name]
    assert {frame["function"] for frame in frames} >= {f"all_c{REPLACED}lls", "main"}
    assert {Path(frame["file"]).name for frame in frames if frame["function"] == "main"} == {f"pr{REPLACED}gram.c"}


# By field: the type on the wire that src/trace_processor/importers/pprof asks for in Perfetto's source before it takes a
# file for a profile; another field makes it no profile. What Perfetto names a sample's types, mappings and places by,
# follows from it.
PERFETTO = {1: 2, 2: 2, 3: 2, 4: 2, 5: 2, 6: 2, 7: 0, 8: 0, 9: 0, 10: 0, 11: 2, 12: 0, 14: 0}


@with_names
@needs_preload
@pytest.mark.parametrize("flags", [[], ["--cpu"], ["--sample", "1K"]], ids=["allocations", "cpu", "sampled"])
def test_perfetto_takes_it_for_a_profile(flags, tmp_path):
    program = compiled(tmp_path / "program", HERE / "program.c", "-D_GNU_SOURCE")
    profile(program, "churn", flags=[*flags, "-o", tmp_path / "out.pb.gz"])
    data, at, seen = gzip.decompress((tmp_path / "out.pb.gz").read_bytes()), 0, set()
    while at < len(data):
        key, at = varint(data, at)
        number, kind = key >> 3, key & 7
        assert PERFETTO.get(number, kind) == kind and (number in PERFETTO or number == 13), (number, kind)
        value, at = varint(data, at)
        at += value if kind == 2 else 0
        seen.add(number)
    assert at == len(data) and seen >= {1, 3, 4, 5, 6, 11, 12, 14}
    ids = [dict(fields(value))[1] for number, value in fields(data) if number == 3]
    assert all(ids), "a mapping without number is passed over"
