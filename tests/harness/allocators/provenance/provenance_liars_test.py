# SPDX-License-Identifier: MIT
"""Provenance of libraries that lie, that are half an allocator, or that end the program."""
import signal
import subprocess

import pytest

from probing import BENCH, SHIPPED, as_allocator, judge, probe, skip_without_huge_pages, start_probe, tool
from waiting import HANGS_S

PARROTS = [
    ((), "the C library's malloc serves behind it"),
    (("-DSTILL",), "the C library's malloc serves behind it"),
    (("-DBUMP", "-DSTILL"), "its counters do not follow what is allocated"),
    (("-DBUMP",), "effect.tcached_max_b would be 32768"),
]


@pytest.mark.parametrize("flags, reason", PARROTS, ids=[" ".join(flags) or "plain" for flags, _ in PARROTS])
@pytest.mark.parametrize("by", ["name", "path", "settings"])
def test_parrot_is_found_out(flags, reason, by, liar, tmp_path):
    """It tells what jemalloc would, down to the version, and counters that move; as 'jemalloc', as the path of a file
    of that name, and with settings."""
    library = liar("parrot.c", *flags, name="libjemalloc.so.2")
    word = {"name": "jemalloc", "path": str(library), "settings": "jemalloc:tcache:true"}[by]
    environment = {} if by == "path" else as_allocator(library)
    _, judged = judge(word, tmp_path, **environment)
    assert judged["read_back"]["opt.tcache"] is True
    assert judged["in_force"] is False
    assert reason in judged["reason"]


WHISPERS = ["tcache:false", "narenas:1", "dirty_decay_ms:0", "dirty_decay_ms:-1", "background_thread:true",
            "thp:always",
            "thp:never", "metadata_thp:always", "retain:false", "lg_tcache_max:16", "oversize_threshold:0",
            "percpu_arena:percpu"]


@pytest.mark.parametrize("setting", WHISPERS)
def test_real_jemalloc_with_other_options_than_it_tells(setting, liar, tmp_path):
    [jemalloc] = tool("list", SHIPPED, "jemalloc")
    if jemalloc["state"] != "ready":
        pytest.skip(jemalloc["why"])
    _, real = judge(f"jemalloc:{setting}", tmp_path)
    skip_without_huge_pages(real)
    library = liar("whisper.c", name="libjemalloc-whisper.so",
                   links=["-Wl,--no-as-needed", jemalloc["library"], "-ldl"])
    conf = tmp_path / "whisper.conf"
    conf.write_text(f"allocator = {library}\nset = MALLOC_CONF={setting}\n")
    _, judged = judge(str(conf), tmp_path)
    key = "opt." + {"lg_tcache_max:16": "tcache_max"}.get(setting, setting.split(":")[0])
    assert judged["read_back"][key] == real["read_back"][key], "the liar tells what was asked for"
    assert judged["in_force"] is False
    assert judged["reason"].startswith(f"{key}: with ")


def test_library_of_that_name_that_is_the_c_library(liar, tmp_path):
    library = liar("broken.c", "-DPLAIN", name="libjemalloc.so.2")
    for word, environment in (("jemalloc", as_allocator(library)), (str(library), {})):
        _, judged = judge(word, tmp_path, **environment)
        assert judged["reason"] == "libjemalloc.so.2 is not jemalloc: it has no mallctl that answers"


def test_the_c_library_itself_under_that_name(tmp_path):
    _, glibc = judge("glibc", tmp_path)
    (tmp_path / "libjemalloc.so.2").symlink_to(glibc["library"]["file"])
    _, judged = judge("jemalloc", tmp_path, AMPERSAND_LIBRARIES=str(tmp_path))
    assert judged["reason"].endswith("is not jemalloc: it has no mallctl that answers")


@pytest.mark.parametrize("allocator, name", [("mimalloc", "libmimalloc.so.2"), ("tcmalloc", "libtcmalloc.so.4")])
def test_one_allocator_under_the_name_of_another(allocator, name, tmp_path):
    [jemalloc] = tool("list", SHIPPED, "jemalloc")
    if jemalloc["state"] != "ready":
        pytest.skip(jemalloc["why"])
    (tmp_path / name).symlink_to(jemalloc["library"])
    _, judged = judge(allocator, tmp_path, AMPERSAND_LIBRARIES=str(tmp_path))
    assert f"{name} is not {allocator}" in judged["reason"]


def test_half_an_allocator(liar, tmp_path):
    _, judged = judge(str(liar("broken.c", "-DHALF")), tmp_path)
    assert judged["reason"] == "libliar.so has a malloc, but calloc comes from another library"


def test_library_without_malloc(liar, tmp_path):
    _, judged = judge(str(liar("broken.c", "-DEMPTY")), tmp_path)
    assert judged["reason"] == "malloc is that of libc.so.6, not of libliar.so"


def test_any_library_by_path_is_taken_as_what_it_is(liar, tmp_path):
    _, judged = judge(str(liar("broken.c", "-DPLAIN")), tmp_path)
    assert judged["in_force"] is True
    assert judged["effects"]["served_by_libc"] is True


def test_settings_of_an_unknown_library_cannot_be_known(liar, tmp_path):
    conf = tmp_path / "unknown.conf"
    conf.write_text(f"allocator = {liar('broken.c', '-DPLAIN')}\nset = LIAR_SPEED=11\n")
    _, judged = judge(str(conf), tmp_path)
    assert judged["reason"].startswith("LIAR_SPEED: it cannot be read back")


def test_library_that_crashes_as_it_is_loaded(liar, tmp_path):
    [configuration] = tool("list", SHIPPED, liar("broken.c", "-DCRASH"))
    assert configuration["state"] == "ready"  # it is a library; what it does shows only when it runs
    done = probe(configuration, tmp_path / "facts.json")
    assert done.returncode == -signal.SIGSEGV
    assert not (tmp_path / "facts.json").exists()


def test_library_that_deadlocks(liar, tmp_path):
    [configuration] = tool("list", SHIPPED, liar("broken.c", "-DDEADLOCK"))
    with start_probe(configuration, tmp_path / "facts.json") as process:
        assert process.stderr.readline() == "malloc never comes back\n"
        assert process.poll() is None and not (tmp_path / "facts.json").exists()
        process.kill()


def test_bad_columns_say_why_and_the_others_are_measured(liar, tmp_path):
    """All at once, as in a run: one line for each, one good column. One that hangs is for matrix_test.py: it needs a
    short time-out, which a good column on a machine that stalls may not keep."""
    bad = {
        "jemalloc:tcahce:false": "jemalloc tells of no such setting; the nearest is 'tcache'",
        "jemalloc:narenas:many": "Invalid conf value: narenas:many",
        "jemalloc:dirty_decay_ms:-2": "Out-of-range conf value: dirty_decay_ms:-2",
        "jemalloc:lg_tcache_max:40": "asked for 1099511627776",
        "/etc/passwd": "it is no library",
        str(liar("broken.c", "-DCRASH", name="libcrash.so")): "SIGSEGV",
        str(liar("broken.c", "-DEMPTY", name="libempty.so")): "malloc is that of libc.so.6",
    }
    [jemalloc] = tool("list", SHIPPED, "jemalloc")
    if jemalloc["state"] != "ready":
        pytest.skip(jemalloc["why"])
    done = subprocess.run(
        [str(BENCH), "allocators", "--quick", "--seed", "1", "--launches", "1", "--timelines", "0", "--timeout",
         str(HANGS_S),
         "--workload", "^small_churn$", "--baseline", "glibc", "--config", "glibc", "--out", str(tmp_path / "run"),
         *(word for each in bad for word in ("--config", each))], capture_output=True, text=True, timeout=HANGS_S)
    assert done.returncode == 1, done.stderr
    said = [line for line in done.stderr.splitlines() if "all others go on" in line]
    for reason in bad.values():
        assert sum(reason in line for line in said) == 1, (reason, said)
    assert (tmp_path / "run" / "launches" / "glibc" / "small_churn" / "000.json").exists()
    assert not list((tmp_path / "run" / "launches").glob("*crash*"))
