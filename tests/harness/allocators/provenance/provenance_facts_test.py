# SPDX-License-Identifier: MIT
"""Provenance: expectations, facts that contradict or are not there, and files that nobody meant to write."""
import itertools
import json
import re
from random import Random

import pytest

from probing import MIB, SHIPPED, judge, probe, skip_without_huge_pages, tool


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
CONTRADICTIONS = [
    ("jemalloc", "tcached_max_b", 0), ("jemalloc", "tcached_max_b", 65536), ("jemalloc", "library_threads", 1),
    ("jemalloc", "retained_mapped_b", 0), ("jemalloc", "counters_move", False), ("jemalloc", "served_by_libc", True),
    ("jemalloc-tcache-off", "tcached_max_b", 8), ("jemalloc-tcache-64k", "tcached_max_b", 32768),
    ("jemalloc-background", "library_threads", 0), ("jemalloc-retain-off", "retained_mapped_b", 64 * MIB),
    ("jemalloc-arenas-1", "arenas", 2), ("jemalloc-memory", "arenas", 3), ("jemalloc-arenas-1", "automatic_arenas", 2),
    ("jemalloc-arenas-1", "highest_arena", 1),
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
    named = {"counters_move": "counters", "served_by_libc": "the C library's malloc serves"}.get(effect,
                                                                                                 f"effect.{effect}")
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

@pytest.mark.parametrize("allocator, package", [("jemalloc", "libjemalloc2"),
                                                ("mimalloc", "libmimalloc3 (Debian 12, Ubuntu 24.04: libmimalloc2.0)"),
                                                ("tcmalloc", "libtcmalloc-minimal4")])
def test_missing_allocator_is_absent(allocator, package, tmp_path):
    everything = tool("list", SHIPPED, AMPERSAND_LIBRARIES=str(tmp_path))
    mine = [each for each in everything if each["allocator"] == allocator]
    assert mine
    for each in mine:
        assert (each["state"], each["why"]) == (
            "absent", f"{allocator} is not installed: apt-get install {package}")
    assert all(each["state"] == "ready" for each in everything if each["allocator"] == "glibc")
