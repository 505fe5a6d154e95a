# SPDX-License-Identifier: MIT
"""Provenance of what is shipped, of settings that allocators swallow silently, and of harmless ones."""
import json
import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from probing import BENCH, SHIPPED, WORKLOAD, judge, shipped, skip_without_huge_pages, tool


@pytest.mark.parametrize("name", [each["name"] for each in shipped()])
def test_shipped_configuration_is_in_force(name, tmp_path):
    configuration, judged = judge(name, tmp_path)
    skip_without_huge_pages(judged)
    assert (judged["in_force"], judged["reason"]) == (True, None)
    assert configuration["purpose"]
    asked = {key: value for key, value in configuration["environment"].items()}
    if configuration["allocator"] == "jemalloc":
        asked = asked["MALLOC_CONF"].removeprefix("abort_conf:true,confirm_conf:true").removeprefix(",")
        asked = {"MALLOC_CONF": asked} if asked else {}
    assert judged["asked"] == asked
    if configuration["library"]:
        assert Path(judged["library"]["file"]).samefile(configuration["library"])
    said = subprocess.run(["sha256sum", judged["library"]["file"]], capture_output=True, text=True, check=True).stdout
    assert judged["library"]["sha256"] == said.split()[0]
    assert judged["library"]["version"]


def test_paste_line_is_what_runs(tmp_path):
    """The line to paste, run by a shell, gives the options that were read back in the probe, but for the guard."""
    configuration, judged = judge("jemalloc-least", tmp_path)
    assert "abort_conf" not in configuration["paste"]
    task = shlex.quote(json.dumps({"file": str(tmp_path / "pasted.json")}))
    subprocess.run(["sh", "-c", f"{configuration['paste']} {shlex.quote(str(WORKLOAD))} probe {task}"], check=True)
    pasted = json.loads((tmp_path / "pasted.json").read_text())["read_back"]
    differ = {key for key, value in judged["read_back"].items() if pasted[key] != value}
    assert differ == {"opt.abort_conf", "opt.confirm_conf"}


def test_every_option_of_jemalloc_is_read_back(tmp_path):
    _, judged = judge("jemalloc", tmp_path)
    said = subprocess.run([str(BENCH), "machine"], capture_output=True, text=True, check=True)
    options = json.loads(said.stdout)["allocator"]["options"]
    assert options and set(options) <= set(judged["read_back"])


def test_cpus_of_the_allowed_set_whichever_they_are(tmp_path):
    """The probe looks at the CPUs that it may use, be they not the first ones. narenas, since jemalloc without it gives
    up arenas of CPUs where it may not use all of them."""
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {max(allowed)})
        _, judged = judge("jemalloc:percpu_arena:percpu,narenas:4", tmp_path)
    finally:
        os.sched_setaffinity(0, allowed)
    assert (judged["in_force"], judged["reason"]) == (True, None)
    assert (judged["effects"]["arena_by_cpu"], judged["effects"]["arenas"]) == (True, 1)


# ---- What is swallowed silently

SWALLOWED = [
    ("jemalloc:lg_tcache_max:40", "opt.tcache_max: asked for 1099511627776 by lg_tcache_max:40, in force is 8388608"),
    ("jemalloc:narenas:-5", "opt.narenas: asked for -5, in force is "),
    ("jemalloc:narenas:99999", "opt.narenas: with 99999, effect.automatic_arenas would be 99999; it is 4094"),
    ("jemalloc:narenas:4095", "effect.automatic_arenas would be 4095; it is 4094"),
    ("jemalloc:tcache_nslots_small_max:100000", "asked for 100000, in force is 2048"),
    ("jemalloc:max_background_threads:99999", "opt.max_background_threads: asked for 99999, in force is "),
    ("jemalloc:tcache:true,lg_tcache_max:3,lg_tcache_max:40", "opt.tcache_max: asked for 1099511627776"),
    ("glibc:malloc.arena_maxx=1", "glibc.malloc.arena_maxx: it cannot be read back"),
    ("glibc:malloc.tcache_cnt=0", "the nearest that can is 'glibc.malloc.tcache_count'"),
    ("glibc:malloc.arena_max=0", "0 is also told where nothing is set"),
    ("glibc:malloc.arena_max=1x", "glibc.malloc.arena_max: asked for 1x, in force is "),
    ("glibc:malloc.perturb=256", "glibc.malloc.perturb: asked for 256, in force is 0"),
    ("glibc:malloc.tcache_count=65536", "effect.tcached_count would be 65536; it is 7"),
    ("glibc:malloc.tcache_max=5000", "effect.tcached_max_b would be 5000 to 5024; it is 1032"),
    ("glibc:malloc.mxfast=1000", "effect.fast_max_b would be 976 to 1008; it is 120"),
    ("glibc:malloc.check=3", "libc_malloc_debug.so.0"),
    ("glibc:malloc.trim_threshold=0", "0 is also told where nothing is set"),
    ("glibc:malloc.arena_max=1:malloc.nonsense=2", "glibc.malloc.nonsense: it cannot be read back"),
    ("mimalloc:MIMALLOC_EAGER_COMIT=0", "the nearest that can is 'MIMALLOC_EAGER_COMMIT'"),
    ("mimalloc:MIMALLOC_EAGER_COMMIT=maybe", "MIMALLOC_EAGER_COMMIT: asked for maybe, in force is 1"),
    ("tcmalloc:TCMALLOC_MAX_TOTAL_THREAD_CACHE_BYTES=1", "asked for 1, in force is 524288"),
    ("tcmalloc:TCMALLOC_AGRESSIVE_DECOMMIT=1", "the nearest that can is 'TCMALLOC_AGGRESSIVE_DECOMMIT'"),
    ("tcmalloc:TCMALLOC_TRANSFER_NUM_OBJ=40", "TCMALLOC_TRANSFER_NUM_OBJ: it cannot be read back"),
]


@pytest.mark.parametrize("word, reason", SWALLOWED, ids=[word for word, _ in SWALLOWED])
def test_silent_failure_is_caught(word, reason, tmp_path):
    _, judged = judge(word, tmp_path)
    assert judged["in_force"] is False
    assert reason in judged["reason"]
    assert "\n" not in judged["reason"]


def test_arena_of_a_cpu_beyond_the_arenas(tmp_path):
    """With percpu_arena a block of CPU 1 is of arena 1, be there one arena only: it is in no statistics."""
    allowed = os.sched_getaffinity(0)
    if max(allowed) < 1:
        pytest.skip("it takes a CPU that is not CPU 0")
    try:
        os.sched_setaffinity(0, {max(allowed)})
        _, judged = judge("jemalloc:percpu_arena:percpu,narenas:1", tmp_path)
    finally:
        os.sched_setaffinity(0, allowed)
    assert judged["in_force"] is False
    assert judged["reason"].startswith("opt.narenas: with 1, effect.highest_arena would be 0; it is ")


MALFORMED = [
    ("jemalloc:narenas:1,", "'narenas:1,': it ends with ','"), ("jemalloc:,narenas:1", "an empty setting"),
    ("jemalloc:narenas:1,,tcache:true", "an empty setting"),
    ("jemalloc:narenas", "'narenas': it is no setting"), ("jemalloc::1", "':1': it is no setting"),
    ("jemalloc:tcache:true,narenas", "'narenas': it is no setting"),
    ("jemalloc:,", "no setting behind the first colon"),
    ("glibc::", "no setting behind the first colon"), ("mimalloc:,", "no setting behind the first colon"),
    ("glibc:malloc.arena_max", "it is no setting"),
]


@pytest.mark.parametrize("word, why", MALFORMED, ids=[word for word, _ in MALFORMED])
def test_malformed_settings_are_told_before_anything_runs(word, why):
    [configuration] = tool("list", SHIPPED, word)
    assert configuration["state"] == "wrong" and why in configuration["why"]


def test_unknown_experimental_setting_is_caught(tmp_path):
    """jemalloc takes every name that begins so. Asked of a copy of it, so that nothing is known of it beforehand."""
    [jemalloc] = tool("list", SHIPPED, "jemalloc")
    if jemalloc["state"] != "ready":
        pytest.skip(jemalloc["why"])
    copy = tmp_path / "libjemalloc.so.2"
    shutil.copy(jemalloc["library"], copy)
    conf = tmp_path / "strange.conf"
    conf.write_text(f"allocator = {copy}\nset = MALLOC_CONF=experimental_speed:true\n")
    _, judged = judge(str(conf), tmp_path)
    assert judged["reason"].startswith("opt.experimental_speed: it cannot be read back")


def test_older_variable_of_glibc(tmp_path):
    conf = tmp_path / "old.conf"
    conf.write_text("allocator = glibc\nset = MALLOC_ARENA_MAX=1\nset = MALLOC_MMAP_THRESHOLD_=65536\n")
    _, judged = judge(str(conf), tmp_path)
    assert (judged["in_force"], judged["effects"]["mmap_least_b"]) == (True, 65536)


HARMLESS = [
    "jemalloc:tcache:false,tcache:true", "jemalloc:max_background_threads:2", "jemalloc:junk:true",
    "jemalloc:dss:primary", "jemalloc:lg_tcache_max:23", "jemalloc:oversize_threshold:100000",
    "glibc:malloc.tcache_count=0:malloc.tcache_count=5", "glibc:malloc.mxfast=64", "glibc:malloc.tcache_max=64",
    "glibc:glibc.malloc.mmap_threshold=0x10000", "glibc:malloc.mmap_threshold=100000", "glibc:malloc.mmap_max=0",
    "glibc:malloc.tcache_count=65535",
    "mimalloc:MIMALLOC_EAGER_COMMIT=off", "mimalloc:MIMALLOC_RESERVE_OS_MEMORY=64MiB",
    "tcmalloc:TCMALLOC_RELEASE_RATE=10", "tcmalloc:TCMALLOC_SKIP_SBRK=true",
]


@pytest.mark.parametrize("word", HARMLESS)
def test_setting_in_another_spelling_is_in_force(word, tmp_path):
    _, judged = judge(word, tmp_path)
    assert (judged["in_force"], judged["reason"]) == (True, None)
