# SPDX-License-Identifier: MIT
"""Mutants of the collector: of the barrier, of what is scanned, of marking, sweeping, allocation, pacing, stops. Each
must be killed by random programs or by what is known of single cases; one that lives is something that no test would
notice."""
import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

import gc_pace_test
from gc_cases import CASES, PROGRAMS, program_of
from gc_parts import GC, HERE, HANGS_S, build, collector, compile_object, needs, parts, run

DEAD_S = 60  # a mutant that waits for ever is dead

MUTANTS = [
    # file, what is wrong, where, from, to, and what notices it
    ("mark.c", "no deletion barrier", "void amp_gc_store_marking", "shade(&me->marker, __atomic_load_n",
     "(void) (__atomic_load_n", "step barrier"),
    ("mark.c", "no insertion barrier", "void amp_gc_store_marking", "shade(&me->marker, (uintptr_t) pointer);", "",
     "barrier"),
    ("mark.c", "a full block loses what the barrier shades", "static uint64_t make_room",
     "amp_gc_marker_flush(marker);", "((struct amp_gc_marker *) marker)->block->n = 0;", "bursts"),
    ("mark.c", "new objects are white", "void amp_gc_black",
     "__atomic_fetch_or(word, (uint64_t) 1 << bit, __ATOMIC_RELAXED);", "(void) word, (void) bit;", "step"),
    ("mark.c", "a full block is thrown away", "void amp_gc_push", "amp_gc_block_give(marker->gc, marker->block);", "",
     "bursts"),
    ("mark.c", "what is on its way is forgotten", "uint64_t amp_gc_drain", "amp_gc_push(marker, ring[first]);", ";",
     "step"),
    ("mark.c", "only the first piece of a large object", "static void scan(", "amp_gc_push(marker, to | 1);", "",
     "step many"),
    ("mark.c", "only the first element", "static void scan_elements", "at += type->size_b)", "at = to)", "step many"),
    ("mark.c", "the last pointer of a type is not looked at", "static void scan_elements", "i < type->n_pointers",
     "i + 1 < type->n_pointers", "step"),
    ("mark.c", "the middle of an object is nothing", "void amp_gc_shade_word", "slot = amp_gc_slot_of(span, word);",
     "slot = word == amp_gc_slot_at(span, amp_gc_slot_of(span, word)) ? amp_gc_slot_of(span, word) : span->n;",
     "middle"),
    ("mark.c", "free slots are marked", "void amp_gc_shade_word", "amp_gc_is_set(span->allocs, slot) &&", "",
     "collect step"),
    ("mark.c", "another heap's pointers are overlooked", "static inline void look", "to != 0 &&", "to == 1 &&",
     "another"),
    ("roots.c", "the growable stack is not scanned", "void amp_gc_each_range",
     "each_of_stack(mutator->stack, fn, arg);", "", "collect"),
    ("roots.c", "the host stack is not scanned", "void amp_gc_each_range",
     "fn(arg, mutator->host_sp, mutator->host_base);", "", "collect host"),
    ("roots.c", "registers are not scanned", "void amp_gc_each_range",
     "fn(arg, (uintptr_t) mutator->saved, (uintptr_t) (mutator->saved + AMP_GC_SAVED));", "", "collect"),
    ("roots.c", "other stacks are not scanned", "void amp_gc_each_range",
     "each_of_stack(mutator->others[i], fn, arg);", "", "coroutines"),
    ("roots.c", "what a coroutine begins with is not scanned", "static void each_of_stack",
     "fn(arg, (uintptr_t) &begins_with, (uintptr_t) (&begins_with + 1));", "", "coroutines"),
    ("roots.c", "a stack that is registered late is not scanned", "static uint64_t add",
     "if (m->marking && m->scanned)", "if (!m)", "late"),
    ("roots.c", "stacks that are not registered are overlooked", "bool amp_gc_knows", "if (!stack ||", "if (stack ||",
     "stranger"),
    ("roots.c", "registered roots are not scanned", "bool amp_gc_scan_roots", "size_t i = 0", "size_t i = 1", "step"),
    ("roots.c", "who is away is not scanned", "bool amp_gc_scan_away", "amp_gc_scan_stack(marker, mutator);", "",
     "away"),
    ("sweep.c", "what is marked is freed", "static uint32_t sweep", "span->allocs[i] & ~span->marks[i] & ~beyond",
     "span->allocs[i] & ~beyond", "step"),
    ("sweep.c", "marks stay", "static uint32_t sweep", "span->marks[i] = 0;", "", "step"),
    ("sweep.c", "nothing is freed", "static uint32_t sweep", "span->allocs[i] = span->marks[i] | beyond;", "",
     "step"),
    ("sweep.c", "a span is given back with objects in it", "bool amp_gc_sweep_some", "live == 0", "live <= 1",
     "step"),
    ("sweep.c", "a span with free slots counts as full", "bool amp_gc_sweep_some", "live < span->n", "live > span->n",
     "reused"),
    ("sweep.c", "used memory counts as zero", "static uint32_t sweep", "if (poisons || freed > 0)", "if (poisons)",
     "used"),
    ("heap.c", "full spans are never swept", "void amp_gc_unsweep",
     "append(&gc->kinds[i]->unswept, &gc->kinds[i]->full);", "", "used step"),
    ("heap.c", "spans of mutators are lost", "size_t amp_gc_bins_release", "m->holding = NULL;", "", "step"),
    ("pages.c", "slots of a span overlap", "static struct amp_gc_span *describe",
     "(uint64_t) 1 << 40) + size_b - 1) / size_b", "(uint64_t) 1 << 39) + size_b - 1) / size_b", "step"),
    ("pages.c", "runs of pages overlap", "static uint32_t take", "insert(pages, at + n, length - n);",
     "insert(pages, at + n - 1, length - n + 1);", "step many"),
    ("cycle.c", "it ends with grey objects", "static bool is_marked", "gc->worker_marker.block->n == 0 &&", "",
     "bursts"),
    ("cycle.c", "grey objects of mutators are left out", "static bool is_marked", "collect_grey(gc);", "", "bursts"),
    ("cycle.c", "spans are not swept before the next cycle", "bool amp_gc_begin", "amp_gc_sweep_all(gc);", "",
     "step used"),
    ("stop.c", "nobody is asked", "static void ask", "== AMP_GC_RUNNING &&", "== AMP_GC_AWAY &&",
     "polled called"),
    ("stop.c", "only who polls is asked", "static void ask", "amp_stack_ask(m->stack, m->limit);", "", "called"),
    ("stop.c", "nobody is ever late", "static bool is_late", "> gc->limits", ">> 63 > gc->limits", "never_stops"),
    ("stop.c", "who goes on without a safe point while it marks is never late", "bool amp_gc_flush_round",
     "!all && is_late", "false && is_late", "spins_in_marking"),
    ("stop.c", "an hour in a debugger is late", "static bool is_late", "< MOMENT_NS ? since_ns : MOMENT_NS",
     "< MOMENT_NS ? since_ns : since_ns", "stood_still"),
    ("stop.c", "a safe point changes errno", "uint64_t amp_gc_answer_on_host", "errno = before;", "(void) before;",
     "keeps_errno"),
    ("stop.c", "the host stack of a run before is scanned", "void amp_gc_end", "m->host_base = m->host_sp = 0;", "",
     "elsewhere"),
    ("mutator.c", "who runs is run once more", "static int refuse", "if (is_listed(gc, m))", "if (!m)", "twice"),
    ("create.c", "a forked process has all threads", "static void leave_alone", "amp_gc_fail(gc, -ECHILD, ",
     "amp_gc_note(gc, ", "forked"),
    ("create.c", "locks are those of the parent's thread", "static void leave_alone", "init_locks(gc);", "", "forked"),
    ("cycle.c", "the second stop scans objects of any size", "static bool is_marked",
     "marker->counts.scanned_b - before_b < IN_STOP_B", "before_b < UINT64_MAX", "large"),
    ("stop.c", "only the worker ends cycles", "bool amp_gc_flush_round", "gc->flushing = gc->offered = !all;",
     "gc->flushing = !all;", "ended"),
    ("stop.c", "a stop has no CPU time", "static void leave", "m->gc->stop_cpu_ns = cpu_ns;", "", "owed"),
    ("stop.c", "what the last to stop did before counts, too", "static void note_cpu_times",
     "m->asked_cpu_ns = amp_gc_clock_ns(m->cpu_clock);", "m->asked_cpu_ns = 0;", "owed"),
    ("stop.c", "who is away stops once more", "uint64_t amp_gc_answer_on_host", "m != amp_gc_present()", "!m", "grows"),
    ("stop.c", "who is away goes away once more", "uint64_t amp_gc_go_outside", "amp_gc_present()", "amp_gc_me",
     "joins nested"),
    ("stop.c", "who is away allocates", "void amp_gc_away", "__atomic_store_n(m->asked, 1, __ATOMIC_RELAXED);", "",
     "allocates"),
    ("stop.c", "who is away ends as if it ran", "void amp_gc_end", "if (m->state == AMP_GC_RUNNING)", "if (m)",
     "ends_away"),
    ("stop.c", "what a mutator leaves free counts as allocated", "void amp_gc_end", "gc->heap_b - amp_gc",
     "gc->heap_b - 0 * amp_gc", "short"),
    ("walk.c", "who is away collects as if it ran", "static struct amp_gc_mutator *note", "amp_gc_present()",
     "amp_gc_me", "collects"),
    ("cycle.c", "the results of who has ended are lost", "static void turn_on", "if (m->scanned)", "if (!m)", "result"),
    ("cycle.c", "no wait is in the trace", "static void turn_off", "gc->cycle.waited_ns +=", "m->debt +=", "waited"),
    ("pace.c", "twice the goal", "static size_t goal_of", "* pace->gogc / 100;", "* pace->gogc / 50;", "pace"),
    ("pace.c", "what was born counts as live", "void amp_gc_pace_next", "gc->counts.bytes - gc->counts.born_b;",
     "gc->counts.bytes;", "pace"),
    ("pace.c", "the trigger is the goal", "void amp_gc_pace_next", "high_b = MOST * room_b;",
     "high_b = low_b = room_b;", "pace"),
    ("pace.c", "as long a runway as the worker needs", "static double runway_of", "unassisted < affordable ?", "true ?",
     "pace"),
    ("pace.c", "no longer a runway than the worker needs", "static double runway_of", "unassisted < affordable ?",
     "false ?", "pace_slow"),
    ("pace.c", "marking takes a quarter, and the stops come on top", "static double runway_of", "(AFFORDED *",
     "(SHARE *", "pace"),
    ("pace.c", "no memory limit", "static size_t goal_of", "pace->limited = gc->limits.heap_b &&",
     "pace->limited = false &&", "pace_limit"),
    ("pace.c", "no assists", "static double price_of", "return left_b", "return 0 * left_b", "pace_assist"),
    ("alloc.c", "assists pay for slots that were never free", "static void give_back", "m->debt -=", "m->price -=",
     "pace_halfway"),
    ("pace.c", "nobody waits at the goal", "void amp_gc_assist", "amp_gc_wait_done(gc, m", "(void) sizeof(gc, m",
     "pace"),
]

RANDOM = {
    "step": (0, 5, "pvs", 1, 60, 100), "collect": (0, 2, "cpvs", 1, 25, 100), "many": (0, 8, "pv", 2, 250, 50),
    "used": (0, 8, "-", 2, 250, 25),
}
TRIES = 5  # what a mutant does may need two threads to meet
PACE = {"barrier": ["barrier"], "pace": ["pace"], "pace_slow": ["slow"],
        "pace_halfway": ["halfway"], "pace_limit": ["limit"], "pace_assist": ["assist"]}


def mutate(text, block, old, new):
    """Change what stands first in the function that begins with `block`."""
    begin = text.find(f"\n{block}")
    begin = begin if begin >= 0 else text.find(block)
    assert begin >= 0, f"{block}: is not there"
    end = text.index("\n}", begin)
    body = text[begin:end]
    assert old in body, f"{old!r} is not in {block}"
    return text[:begin] + body.replace(old, new, 1) + text[end:]


@pytest.fixture(scope="module")
def units(tmp_path_factory):
    """The programs' objects, and what each random program prints without a collector."""
    needs("gcc", "gcc")
    place = tmp_path_factory.mktemp("units")
    made = {name: compile_object("gcc", HERE / f"{name}.c", place / f"{name}.o", "-O2", "-fno-stack-protector")
            for name in ("gc_random", "gc_cases", *PROGRAMS, "gc_pace")}
    kept = build(place / "kept", "gcc", "gc_random.c", "-DON_MALLOC", "-O2", objects=[])
    return made, {name: run(kept, *arguments).stdout for name, arguments in RANDOM.items()}


def passes(folder, objects, units, check, dead_s):
    """Whether one check is content with the collector made of these objects."""
    made, sums = units
    program = "gc_random" if check in RANDOM else "gc_pace" if check in PACE else program_of(check)
    if not (folder / program).exists():
        done = run("gcc", "-rdynamic", "-Wl,-z,now", "-o", folder / program, made[program], *objects,
                   *parts("gcc", "-O2"), "-pthread", "-ldl")
        assert done.returncode == 0, done.stderr
    try:
        if check in RANDOM:
            done = subprocess.run([folder / program, *map(str, RANDOM[check])], capture_output=True, text=True,
                                  timeout=dead_s)
            return (done.returncode, done.stdout) == (0, sums[check])
        if check in PACE:
            gc_pace_test.CHECKS[PACE[check][0]](folder / program)
            return True
        done = subprocess.run([folder / program, check], capture_output=True, text=True, timeout=dead_s)
        return done.returncode == 0 and re.fullmatch(CASES[check], done.stdout) is not None
    except (subprocess.TimeoutExpired, AssertionError, ValueError, IndexError, StopIteration):
        return False


def lives(folder, mutant, units, tries=TRIES, dead_s=DEAD_S):
    file, _, block, old, new, checks = mutant
    folder.mkdir()
    (folder / file).write_text(mutate((GC / file).read_text(), block, old, new))
    mutated = compile_object("gcc", folder / file, folder / "mutant.o", "-O2", "-w")
    rest = [made for made in collector("gcc", "-O2") if made.name != f"{file}.o"]
    return all(passes(folder, [mutated, *rest], units, check, dead_s) for _ in range(tries) for check in checks.split())


def test_every_mutant_is_killed(tmp_path, units):
    assert len({mutant[:2] for mutant in MUTANTS}) == len(MUTANTS)
    collector("gcc", "-O2"), parts("gcc", "-O2")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        alive = pool.map(lambda numbered: lives(tmp_path / str(numbered[0]), numbered[1], units), enumerate(MUTANTS))
        names = [f"{mutant[0]}: {mutant[1]}" for mutant, is_alive in zip(MUTANTS, alive) if is_alive]
    assert not names, f"alive: {'; '.join(names)}"


def test_what_is_not_mutated_lives(tmp_path, units):
    every = " ".join(sorted({check for mutant in MUTANTS for check in mutant[5].split()}))
    assert lives(tmp_path / "same", ("sweep.c", "", "static uint32_t sweep", "*live = 0;", "*live = 0;", every), units,
                 tries=1, dead_s=HANGS_S)
