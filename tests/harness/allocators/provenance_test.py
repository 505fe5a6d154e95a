# SPDX-License-Identifier: MIT
"""Is what was asked for in force? Probes of real allocators, of settings that they swallow silently, and of liars.

AMPERSAND_BUILD names the build folder. A probe is a fresh `ampersand-workload` under the configuration; what it finds is
judged by the harness, as in a run."""

import itertools
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
from pathlib import Path
from random import Random

import pytest

from places import ROOT
from waiting import HANGS_S

BUILD = Path(os.environ.get("AMPERSAND_BUILD", "build")).resolve()
WORKLOAD = BUILD / "harness" / "ampersand-workload"
BENCH = BUILD / "harness" / "ampersand-bench"
TOOL = BUILD / "tests" / "judge_configuration"
SHIPPED = ROOT / "benchmarks" / "allocators"
LIARS = ROOT / "tests/harness/allocators/liars"
CONFIGURES = ("MALLOC_", "MIMALLOC_", "TCMALLOC_", "GLIBC_TUNABLES", "LD_PRELOAD")


@pytest.fixture(scope="module", autouse=True)
def built():
    for file in (BENCH, WORKLOAD, TOOL):
        if not file.exists():
            pytest.fail(f"{file} is not there: set AMPERSAND_BUILD to the build folder")
    if b"__asan_init" in WORKLOAD.read_bytes() or b"__tsan_init" in WORKLOAD.read_bytes():
        pytest.skip("built with a sanitizer: no other malloc can be put before its own")


def tool(*words, **environment):
    done = subprocess.run([str(TOOL), *map(str, words)], capture_output=True, text=True, timeout=HANGS_S,
                          env={**os.environ, **environment})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def shipped():
    return tool("list", SHIPPED) if TOOL.exists() else []


def probe(configuration, file, timeout=HANGS_S):
    """The finished process and, where it wrote them, the facts' file."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(CONFIGURES)}
    environment.update(configuration["environment"])
    if configuration["library"]:
        environment["LD_PRELOAD"] = configuration["library"]
    task = json.dumps({"file": str(file)})
    return subprocess.run([str(WORKLOAD), "probe", task], env=environment, capture_output=True, text=True,
                          timeout=timeout)


def judge(word, folder, directory=SHIPPED, **environment):
    """(configuration, judgement) of a word of the command line."""
    [configuration] = tool("list", directory, word, **environment)
    if configuration["state"] == "absent":
        pytest.skip(configuration["why"])
    assert configuration["state"] == "ready", configuration["why"]
    file = Path(folder) / "facts.json"
    done = probe(configuration, file)
    assert done.returncode == 0, done.stderr
    return configuration, tool("judge", directory, word, file, **environment)


def skip_without_huge_pages(judged):
    """Where the kernel gives none, or nobody can know since /sys is not there."""
    enabled = Path("/sys/kernel/mm/transparent_hugepage/enabled")
    if re.search("huge|thp", judged["reason"] or "") and (not enabled.exists() or "[never]" in enabled.read_text()):
        pytest.skip(f"no transparent huge pages here: {judged['reason']}")


# ---- What is shipped

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
    ("jemalloc:tcache:true,narenas", "'narenas': it is no setting"), ("jemalloc:,", "no setting behind the first colon"),
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


# ---- Liars

@pytest.fixture(scope="session")
def liar(tmp_path_factory):
    """Build a liar, once, as a library of any name in a folder of its own."""
    done = {}

    def build(source, *flags, name="libliar.so", links=()):
        key = (source, flags, name)
        if key not in done:
            folder = tmp_path_factory.mktemp("liar")
            done[key] = folder / name
            subprocess.run([*os.environ.get("CC", "cc").split(), "-std=gnu11", "-O1", "-fno-builtin", "-fPIC", "-shared",
                            "-o", str(done[key]), str(LIARS / source), *flags, *links], check=True)
        return done[key]

    return build


def as_allocator(library):
    """The search of libraries, sent to this one's folder."""
    return {"AMPERSAND_LIBRARIES": str(library.parent)}


PARROTS = [
    ((), "the C library's malloc serves behind it"),
    (("-DSTILL",), "the C library's malloc serves behind it"),
    (("-DBUMP", "-DSTILL"), "its counters do not follow what is allocated"),
    (("-DBUMP",), "effect.tcached_max_b would be 32768"),
]


@pytest.mark.parametrize("flags, reason", PARROTS, ids=[" ".join(flags) or "plain" for flags, _ in PARROTS])
@pytest.mark.parametrize("by", ["name", "path", "settings"])
def test_parrot_is_found_out(flags, reason, by, liar, tmp_path):
    """It tells what jemalloc would, down to the version, and counters that move; as 'jemalloc', as the path of a file of
    that name, and with settings."""
    library = liar("parrot.c", *flags, name="libjemalloc.so.2")
    word = {"name": "jemalloc", "path": str(library), "settings": "jemalloc:tcache:true"}[by]
    environment = {} if by == "path" else as_allocator(library)
    _, judged = judge(word, tmp_path, **environment)
    assert judged["read_back"]["opt.tcache"] is True
    assert judged["in_force"] is False
    assert reason in judged["reason"]


WHISPERS = ["tcache:false", "narenas:1", "dirty_decay_ms:0", "dirty_decay_ms:-1", "background_thread:true", "thp:always",
            "thp:never", "metadata_thp:always", "retain:false", "lg_tcache_max:16", "oversize_threshold:0",
            "percpu_arena:percpu"]


@pytest.mark.parametrize("setting", WHISPERS)
def test_real_jemalloc_with_other_options_than_it_tells(setting, liar, tmp_path):
    [jemalloc] = tool("list", SHIPPED, "jemalloc")
    if jemalloc["state"] != "ready":
        pytest.skip(jemalloc["why"])
    _, real = judge(f"jemalloc:{setting}", tmp_path)
    skip_without_huge_pages(real)
    library = liar("whisper.c", name="libjemalloc-whisper.so", links=["-Wl,--no-as-needed", jemalloc["library"], "-ldl"])
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
    with pytest.raises(subprocess.TimeoutExpired):
        probe(configuration, tmp_path / "facts.json", timeout=3)
    assert not (tmp_path / "facts.json").exists()


def test_bad_columns_say_why_and_the_others_are_measured(liar, tmp_path):
    """All at once, as in a run: one line for each, one good column."""
    bad = {
        "jemalloc:tcahce:false": "jemalloc tells of no such setting; the nearest is 'tcache'",
        "jemalloc:narenas:many": "Invalid conf value: narenas:many",
        "jemalloc:dirty_decay_ms:-2": "Out-of-range conf value: dirty_decay_ms:-2",
        "jemalloc:lg_tcache_max:40": "asked for 1099511627776",
        "/etc/passwd": "it is no library",
        str(liar("broken.c", "-DCRASH", name="libcrash.so")): "SIGSEGV",
        str(liar("broken.c", "-DDEADLOCK", name="libdeadlock.so")): "killed after 8 s",
        str(liar("broken.c", "-DEMPTY", name="libempty.so")): "malloc is that of libc.so.6",
    }
    [jemalloc] = tool("list", SHIPPED, "jemalloc")
    if jemalloc["state"] != "ready":
        pytest.skip(jemalloc["why"])
    done = subprocess.run(
        [str(BENCH), "allocators", "--quick", "--seed", "1", "--launches", "1", "--timelines", "0", "--timeout", "8",
         "--workload", "^small_churn$", "--baseline", "glibc", "--config", "glibc", "--out", str(tmp_path / "run"),
         *(word for each in bad for word in ("--config", each))], capture_output=True, text=True, timeout=HANGS_S)
    assert done.returncode == 1, done.stderr
    said = [line for line in done.stderr.splitlines() if "all others go on" in line]
    for reason in bad.values():
        assert sum(reason in line for line in said) == 1, (reason, said)
    assert (tmp_path / "run" / "launches" / "glibc" / "small_churn" / "000.json").exists()
    assert not list((tmp_path / "run" / "launches").glob("*crash*"))


# ---- Expectations and facts that are not there

def test_expectation_that_is_not_met(tmp_path):
    conf = tmp_path / "hopeful.conf"
    conf.write_text("allocator = glibc\nexpect = effect.arenas <= 1\n")
    _, judged = judge(str(conf), tmp_path)
    assert judged["reason"] == "effect.arenas: expected <= 1, found 9" or judged["reason"].startswith(
        "effect.arenas: expected <= 1, found ")


def test_expectation_that_nobody_knows(tmp_path):
    conf = tmp_path / "vague.conf"
    conf.write_text("allocator = glibc\nexpect = effect.luck >= 1\n")
    _, judged = judge(str(conf), tmp_path)
    assert judged["reason"] == "effect.luck: cannot be known here"


MIB = 1 << 20
CONTRADICTIONS = [
    ("jemalloc", "tcached_max_b", 0), ("jemalloc", "tcached_max_b", 65536), ("jemalloc", "library_threads", 1),
    ("jemalloc", "retained_mapped_b", 0), ("jemalloc", "counters_move", False), ("jemalloc", "served_by_libc", True),
    ("jemalloc-tcache-off", "tcached_max_b", 8), ("jemalloc-tcache-64k", "tcached_max_b", 32768),
    ("jemalloc-background", "library_threads", 0), ("jemalloc-retain-off", "retained_mapped_b", 64 * MIB),
    ("jemalloc-arenas-1", "arenas", 2), ("jemalloc-memory", "arenas", 3), ("jemalloc-arenas-1", "automatic_arenas", 2), ("jemalloc-arenas-1", "highest_arena", 1),
    ("jemalloc-percpu", "arena_by_cpu", False),
    ("jemalloc-decay-0", "retained_b", 40 * MIB), ("jemalloc-decay-never", "retained_b", 40 * MIB),
    ("jemalloc-oversize-1m", "oversize_least_b", 8 * MIB), ("jemalloc-oversize-1m", "oversize_least_b", MIB // 2),
    ("jemalloc-oversize-off", "oversize_least_b", 8 * MIB), ("jemalloc-thp-always", "huge_b", 0),
    ("jemalloc-thp-never", "huge_b", 2 * MIB), ("jemalloc-thp-never", "huge_declined_b", 0),
    ("jemalloc-metadata-thp", "metadata_huge_b", 0), ("jemalloc:dss:primary", "in_brk", False),
    ("glibc", "counters_move", False),
    ("glibc-arenas-1", "arenas", 2), ("glibc:malloc.tcache_count=3", "tcached_count", 7),
    ("glibc:malloc.tcache_max=64", "tcached_max_b", 1032), ("glibc:malloc.mxfast=64", "fast_max_b", 120),
    ("glibc-mmap-16k", "mmap_least_b", 131072), ("glibc-mmap-16k", "mmap_least_b", 8192),
    ("glibc:malloc.mmap_threshold=100", "mmap_least_b", 131072),
    ("glibc:malloc.mmap_threshold=0x40000000", "mmap_least_b", 131072),
    ("glibc:malloc.mmap_max=0", "mmap_least_b", 131072), ("glibc:malloc.hugetlb=1", "huge_b", 0),
    ("mimalloc", "counters_move", False), ("mimalloc", "served_by_libc", True),
    ("mimalloc-decommit-0", "retained_b", 64 * MIB), ("mimalloc-decommit-off", "retained_b", 0),
    ("mimalloc:MIMALLOC_LARGE_OS_PAGES=1", "huge_b", 0),
    ("tcmalloc", "counters_move", False), ("tcmalloc", "served_by_libc", True),
    ("tcmalloc:TCMALLOC_MAX_TOTAL_THREAD_CACHE_BYTES=1048576", "thread_cache_b", 11 * MIB),
    ("tcmalloc-decommit", "retained_b", 64 * MIB), ("tcmalloc:TCMALLOC_SKIP_SBRK=1", "in_brk", True),
    ("tcmalloc:TCMALLOC_SKIP_MMAP=1", "in_brk", False),
]


@pytest.mark.parametrize("word, effect, lie", CONTRADICTIONS, ids=[f"{w} {e} {v}" for w, e, v in CONTRADICTIONS])
def test_effect_that_contradicts(word, effect, lie, tmp_path):
    """True facts are in force; the same with one effect as if the setting were not there are not, and it is named. What
    files expect besides is left out."""
    [configuration] = tool("list", SHIPPED, word)
    if configuration["state"] == "ready" and word == configuration["name"]:
        conf = tmp_path / "bare.conf"
        conf.write_text("\n".join(line for line in (SHIPPED / f"{word}.conf").read_text().splitlines()
                                  if not line.startswith("expect")))
        word = str(conf)
    _, judged = judge(word, tmp_path)
    if other := re.match(r"(\w+): this version calls it (\w+)$", judged["reason"] or ""):
        word = word.replace(other[1], other[2])
        _, judged = judge(word, tmp_path)
    skip_without_huge_pages(judged)
    if judged["reason"] and "huge" in judged["reason"]:
        pytest.skip(judged["reason"])
    assert (judged["in_force"], judged["reason"]) == (True, None)
    facts = json.loads((tmp_path / "facts.json").read_text())
    facts["effects"][effect] = lie
    (tmp_path / "facts.json").write_text(json.dumps(facts))
    judged = tool("judge", SHIPPED, word, tmp_path / "facts.json")
    assert judged["in_force"] is False
    named = {"counters_move": "counters", "served_by_libc": "the C library's malloc serves"}.get(effect, f"effect.{effect}")
    assert named in judged["reason"]


def test_a_c_library_that_does_not_tell_is_no_reason(tmp_path):
    """musl has no counters: whether it serves behind an allocator cannot be known there."""
    judge("jemalloc", tmp_path)
    facts = json.loads((tmp_path / "facts.json").read_text())
    facts["effects"]["served_by_libc"] = None
    (tmp_path / "facts.json").write_text(json.dumps(facts))
    assert tool("judge", SHIPPED, "jemalloc", tmp_path / "facts.json")["in_force"] is True


def test_facts_of_another_allocator(tmp_path):
    judge("jemalloc", tmp_path)
    judged = tool("judge", SHIPPED, "glibc", tmp_path / "facts.json")
    assert judged["reason"] == "malloc is that of libjemalloc.so.2, not of the C library"
    [tcmalloc] = tool("list", SHIPPED, "tcmalloc")
    if tcmalloc["state"] != "ready":
        pytest.skip(tcmalloc["why"])
    judge("glibc", tmp_path)
    judged = tool("judge", SHIPPED, "tcmalloc", tmp_path / "facts.json")
    assert judged["reason"].startswith("malloc is that of libc.so.6, not of libtcmalloc")


def test_what_mimalloc_warns_of_is_not_in_force(tmp_path):
    """As it does where pages of 1 GiB are asked for and there are none. Where nothing is asked it may warn."""
    for word, reason in (("mimalloc-decommit-0", "mimalloc warns: no pages"), ("mimalloc", None)):
        judge(word, tmp_path)
        facts = json.loads((tmp_path / "facts.json").read_text())
        facts["read_back"]["warning"] = "no pages"
        (tmp_path / "facts.json").write_text(json.dumps(facts))
        assert tool("judge", SHIPPED, word, tmp_path / "facts.json")["reason"] == reason


NAMES = {"MIMALLOC_DECOMMIT_DELAY", "MIMALLOC_PURGE_DELAY"}  # of one setting in mimalloc 2.0 and since 2.1


@pytest.mark.parametrize("told, value", itertools.product(sorted(NAMES), (0, 10)))
def test_a_setting_under_its_name_in_this_version(told, value, tmp_path):
    """Asked for by both names; the version that is here tells one of them."""
    for word, asked in (("mimalloc-decommit-0", NAMES), *((f"mimalloc:{name}=0", {name}) for name in sorted(NAMES))):
        facts = tmp_path / "facts.json"
        if not facts.exists():
            judge(word, tmp_path)
            found = json.loads(facts.read_text())
            for name in NAMES:
                found["read_back"].pop(name, None)
            found["read_back"][told] = value
            facts.write_text(json.dumps(found))
        reason = tool("judge", SHIPPED, word, facts)["reason"]
        if told not in asked:
            assert reason == f"{asked.pop()}: this version calls it {told}"
        else:
            assert reason == (f"{told}: asked for 0, in force is {value}" if value else None)


@pytest.mark.parametrize("lost", ["library", "source", "read_back", "effects"])
def test_facts_with_a_hole_are_not_in_force(lost, tmp_path):
    [configuration] = tool("list", SHIPPED, "jemalloc-tcache-off")
    if configuration["state"] != "ready":
        pytest.skip(configuration["why"])
    file = tmp_path / "facts.json"
    assert probe(configuration, file).returncode == 0
    facts = json.loads(file.read_text())
    del facts[lost]
    file.write_text(json.dumps(facts))
    judged = tool("judge", SHIPPED, "jemalloc-tcache-off", file)
    assert judged["in_force"] is False and judged["reason"]


# ---- Files that nobody meant to write

def test_any_bytes_are_a_configuration_or_say_what_is_wrong(tmp_path):
    """Shipped files with bytes changed, doubled and lost: each is ready, absent or wrong, and says why in one line."""
    random = Random(4)
    seeds = [path.read_bytes() for path in sorted(SHIPPED.glob("*.conf"))]
    for i in range(300):
        text = bytearray(random.choice(seeds))
        for _ in range(random.randrange(1, 6)):
            at = random.randrange(len(text))
            change = random.randrange(4)
            if change == 0:
                text[at] = random.randrange(256)
            elif change == 1:
                text[at:at] = bytes(random.choice(b"=:,#\n 0a/") for _ in range(random.randrange(1, 4)))
            elif change == 2:
                del text[at:at + random.randrange(1, 9)]
            else:
                text += text[at:]
        (tmp_path / f"{i:03}.conf").write_bytes(text)
    listed = tool("list", tmp_path)
    assert [each["name"] for each in listed] == [f"{i:03}" for i in range(300)]
    states = {each["state"] for each in listed}
    assert {"ready", "wrong"} <= states <= {"ready", "wrong", "absent"}
    for each in listed:
        assert (each["why"] is None) == (each["state"] == "ready")
        assert not each["why"] or re.fullmatch(r"[ -~]+", each["why"])


# ---- What is not here

@pytest.mark.parametrize("allocator, package", [("jemalloc", "libjemalloc2"), ("mimalloc", "libmimalloc3 (Debian 12, Ubuntu 24.04: libmimalloc2.0)"),
                                                ("tcmalloc", "libtcmalloc-minimal4")])
def test_missing_allocator_is_absent(allocator, package, tmp_path):
    everything = tool("list", SHIPPED, AMPERSAND_LIBRARIES=str(tmp_path))
    mine = [each for each in everything if each["allocator"] == allocator]
    assert mine
    for each in mine:
        assert (each["state"], each["why"]) == (
            "absent", f"{allocator} is not installed: apt-get install {package}")
    assert all(each["state"] == "ready" for each in everything if each["allocator"] == "glibc")
