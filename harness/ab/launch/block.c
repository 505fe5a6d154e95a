/* SPDX-License-Identifier: MIT */
#include "harness/ab/launch/block.h"

#include "harness/ab/launch/modules.h"
#include "harness/ab/launch/side.h"
#include "harness/run/outcome.h"
#include "harness/text/complain.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

enum { SHORTEST = 50, HEAP_B = 65536, PAGES = 1024, PAGE_B = 4096, LOOK_NS = 200000000, WORDS = 8 };

static const char *const names[] = { "base", "head" };

struct block {
    const struct amp_ab_duel *duel;
    pid_t sides[2];
    size_t heap_b, mapped_b; /* taken before the sides begin */
};

static void name_of(const struct amp_ab_task *task, int side, uint64_t layout, char out[PATH_MAX])
{
    snprintf(out, PATH_MAX, "%s/%s.%03u%s", task->modules, names[task->floor ? AMP_AB_BASE : side], (unsigned) layout,
             task->programs ? "" : ".so");
}

/* In a child: become the side. */
static void become(const struct block *block, int side, uint64_t layout)
{
    const struct amp_ab_task *task = block->duel->task;
    char path[PATH_MAX], fd[16], me[16], heap[24], mapped[24];
    const struct amp_ab_module module = { .path = path, .kernel = task->kernel };
    char *const words[WORDS] = { path, fd, me, (char *) task->kernel, heap, mapped };

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    name_of(task, side, layout, path);
    if (!task->programs)
        amp_ab_side_run(block->duel->turns, (enum amp_ab_actor) side, amp_ab_module_load, &module);
    snprintf(fd, sizeof fd, "%d", block->duel->fd);
    snprintf(me, sizeof me, "%d", side);
    snprintf(heap, sizeof heap, "%zu", block->heap_b);
    snprintf(mapped, sizeof mapped, "%zu", block->mapped_b);
    execv(path, words);
    snprintf(block->duel->turns->why[side], sizeof block->duel->turns->why[0], "%s", strerror(errno));
    _exit(2);
}

static void end(struct block *block)
{
    for (int side = 0; side < 2; side++) {
        if (block->sides[side] <= 0)
            continue;
        kill(block->sides[side], SIGKILL);
        while (waitpid(block->sides[side], NULL, 0) < 0 && errno == EINTR)
            continue;
    }
}

static bool has_steps_left(struct amp_ab_turns *turns, int side)
{
    for (uint32_t i = atomic_load(&turns->at); i < turns->n; i++)
        if (turns->steps[i].who == side)
            return true;
    return false;
}

/* Say how a side ended, if one did. */
static int look(struct block *block)
{
    for (int side = 0; side < 2; side++) {
        static const struct amp_exit exits[] = { { AMP_EXIT_NO_MEMORY, "memory", "it got no memory" }, { 0 } };
        const char *why = block->duel->turns->why[side];
        const struct amp_tail silent = { .n = 0 };
        struct amp_outcome outcome = { .ending = AMP_DONE };
        int status;

        if (block->sides[side] <= 0 || waitpid(block->sides[side], &status, WNOHANG) != block->sides[side])
            continue;
        block->sides[side] = 0;
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && !has_steps_left(block->duel->turns, side))
            continue;
        amp_outcome_describe(exits, 0, status, &silent, &outcome);
        amp_complain(0, block->duel->task->kernel, "%s: %s", names[side], *why ? why : outcome.detail);
        return -ECHILD;
    }
    return 0;
}

/* Until it is step i, or a side has ended. */
static int wait_for(struct block *block, uint32_t i)
{
    int err = 0;

    while (!err && !amp_ab_turns_wait(block->duel->turns, AMP_AB_PARENT, i, LOOK_NS))
        err = look(block);
    return err;
}

/* Start both sides, in an order that is drawn: the second one finds caches warmer. Each waits for its first step. */
static int begin(struct block *block, uint64_t layout, uint64_t *random)
{
    int first = (int) (amp_random_next(random) & 1), err = 0;
    void *heap, *mapped;

    block->heap_b = 16 + amp_random_next(random) % (HEAP_B / 16) * 16;
    block->mapped_b = PAGE_B * (1 + amp_random_next(random) % PAGES);
    heap = malloc(block->heap_b);
    mapped = mmap(NULL, block->mapped_b, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    for (int i = 0; i < 2 && !err; i++) {
        int side = i == 0 ? first : !first;

        block->sides[side] = fork();
        if (block->sides[side] == 0)
            become(block, side, layout);
        err = block->sides[side] < 0 ? -errno : 0;
    }
    free(heap);
    if (mapped != MAP_FAILED)
        munmap(mapped, block->mapped_b);
    return err;
}

static void add(const struct amp_ab_duel *duel, enum amp_ab_actor who, enum amp_ab_what what)
{
    amp_ab_turns_add(duel->turns, (struct amp_ab_step){ .who = (uint8_t) who, .what = (uint8_t) what });
}

static void add_both(const struct amp_ab_duel *duel, int first, enum amp_ab_what what)
{
    add(duel, first ? AMP_AB_HEAD : AMP_AB_BASE, what);
    add(duel, first ? AMP_AB_BASE : AMP_AB_HEAD, what);
}

/* A round: an epoch of each side. */
static void add_round(const struct amp_ab_duel *duel, size_t round, int first, uint64_t times)
{
    for (int i = 0; i < 2; i++)
        amp_ab_turns_add(duel->turns, (struct amp_ab_step){ .who = (uint8_t) (i == 0 ? first : !first),
                                                            .what = AMP_AB_EPOCH, .round = (uint16_t) round,
                                                            .times = (uint32_t) times });
}

/* So many operations that the mean of both sides fills an epoch, and the faster side at least a part of it. */
static uint64_t choose_ops(const uint64_t found[2])
{
    uint64_t more = found[0] > found[1] ? found[0] : found[1];
    double mean = 2 / (1 / (double) found[0] + 1 / (double) found[1]);
    uint64_t ops = (uint64_t) (mean + 0.5);

    ops = ops < more / SHORTEST ? more / SHORTEST : ops;
    return ops > 0 ? ops : 1;
}

static void clear(const struct amp_ab_duel *duel, uint64_t *random)
{
    amp_ab_turns_clear(duel->turns);
    duel->turns->stack_shift_b = amp_random_next(random) % (PAGE_B / 16) * 16;
}

int amp_ab_block_first(const struct amp_ab_duel *duel, uint64_t *random, struct amp_ab_found *out)
{
    struct amp_ab_turns *turns = duel->turns;
    struct block block = { .duel = duel };
    uint32_t choose;
    int err;

    clear(duel, random);
    turns->epoch_ns = duel->task->epoch_ns;
    add_both(duel, AMP_AB_BASE, AMP_AB_LOAD);
    add_both(duel, AMP_AB_BASE, AMP_AB_AGREE);
    add_both(duel, AMP_AB_BASE, AMP_AB_CALIBRATE);
    choose = turns->n;
    add(duel, AMP_AB_PARENT, AMP_AB_END);
    add_round(duel, 0, AMP_AB_BASE, 1);
    add_round(duel, 1, AMP_AB_HEAD, 1);
    err = begin(&block, duel->task->layouts[0], random);
    if (!err)
        err = wait_for(&block, choose);
    if (!err) {
        turns->ops = choose_ops(turns->found_ops);
        amp_ab_turns_done(turns, choose);
        err = wait_for(&block, turns->n);
    }
    end(&block);
    *out = (struct amp_ab_found){ .ops = turns->ops, .agreed = { turns->agreed[0], turns->agreed[1] } };
    out->memory_b = turns->memory_b[0] > turns->memory_b[1] ? turns->memory_b[0] : turns->memory_b[1];
    for (int side = 0; side < 2; side++) /* the mean of both sides, of each the faster epoch */
        out->epoch_ns += (turns->ns[side][0] < turns->ns[side][1] ? turns->ns[side][0] : turns->ns[side][1]) / 2;
    return err;
}

/* Its steps: in couples of rounds, ABBA BAAB or BAAB ABBA drawn at random; every few couples on other pages.
 *
 *     warm A, warm B, A B B A B A A B
 *                         ^     ^      an epoch behind one of its own side finds warmer caches, and takes less time
 *
 * Each side has as many of these. So what warms up, or moves to other pages, goes in the order of the next round:
 * always in one order, the second side's first epoch would be such a one more often, and A would seem slower by 0.2 to
 * 0.5 % where it allocates. */
static void plan(const struct amp_ab_duel *duel, const struct amp_block *block, size_t long_rounds, uint64_t *random)
{
    size_t short_rounds = block->rounds - long_rounds;

    int first = (int) (amp_random_next(random) & 1);

    add_both(duel, first, AMP_AB_LOAD);
    add_both(duel, first, AMP_AB_WARM);
    for (size_t round = 0; round + 1 < block->rounds; round += 2) {
        uint64_t times = round < short_rounds ? 1 : duel->task->long_times;

        if (round > 0 && round < short_rounds && round % duel->same_pages == 0) {
            add_both(duel, first, AMP_AB_REDEAL);
            add_both(duel, first, AMP_AB_WARM);
        }
        add_round(duel, round, first, times);
        add_round(duel, round + 1, !first, times);
        first = round % 4 == 0 ? !first : (int) (amp_random_next(random) & 1);
    }
}

int amp_ab_block_run(const struct amp_ab_duel *duel, uint64_t layout, size_t long_rounds, struct amp_block *out,
                     uint64_t *random)
{
    struct amp_ab_turns *turns = duel->turns;
    struct block block = { .duel = duel };
    int err;

    clear(duel, random);
    turns->stack_shift_b = out->stack_shift_b;
    turns->ops = out->ops;
    plan(duel, out, long_rounds, random);
    err = begin(&block, layout, random);
    if (!err)
        err = wait_for(&block, turns->n);
    end(&block);
    for (int side = 0; side < 2; side++) {
        out->checksum[side] = duel->task->results_differ ? 0 : turns->checksum[side];
        for (size_t round = 0; round < out->rounds; round++)
            out->ns[side][round] = (double) turns->ns[side][round] > duel->cost_ns ? turns->ns[side][round] : 0;
    }
    return err;
}
