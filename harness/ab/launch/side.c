/* SPDX-License-Identifier: MIT */
#include "harness/ab/launch/side.h"

#include "harness/ab/launch/pages.h"
#include "harness/measure/rounds.h"

#include <alloca.h>
#include <stdio.h>
#include <sys/resource.h>

enum { REFUSED = 2, PATIENCE_NS = 1000000000 };

struct side {
    struct amp_ab_turns *turns;
    enum amp_ab_actor me;
    amp_ab_loader load;
    const void *context;
    struct amp_kernel kernel;
};

static void get(struct side *side)
{
    struct amp_ab_turns *turns = side->turns;
    const struct amp_ab_kernel *found = side->load(side->context, turns->why[side->me], sizeof turns->why[0]);
    uint64_t before_b = amp_ab_pages_private_b(), after_b;

    if (!found)
        _exit(REFUSED);
    side->kernel.run = found->run;
    side->kernel.fixture = found->set_up ? found->set_up(found->size) : NULL;
    after_b = amp_ab_pages_private_b();
    turns->memory_b[side->me] = after_b > before_b ? after_b - before_b : 0;
    turns->fixture[side->me] = (uint64_t) (uintptr_t) side->kernel.fixture;
    turns->code[side->me] = (uint64_t) (uintptr_t) found->run;
}

/* A checksum over several numbers of operations: of each the result counts, not only the sum of all. */
static uint64_t agree(const struct amp_kernel *kernel)
{
    uint64_t sum = 0;

    for (uint64_t ops = 1; ops <= 3; ops++)
        sum = (sum ^ kernel->run(kernel->fixture, ops)) * 0x100000001b3u;
    return sum;
}

static void calibrate(struct side *side)
{
    const struct amp_kernel twice[2] = { side->kernel, side->kernel };
    struct amp_ab_turns *turns = side->turns;

    if (amp_rounds_calibrate(amp_clock_monotonic, twice, turns->epoch_ns, &turns->found_ops[side->me])) {
        snprintf(turns->why[side->me], sizeof turns->why[0], "no number of operations fills an epoch");
        _exit(REFUSED);
    }
}

/* How often this process was taken off the CPU before its time was over. */
static long interruptions(void)
{
    struct rusage usage;

    return getrusage(RUSAGE_SELF, &usage) ? 0 : usage.ru_nivcsw;
}

/* A long epoch that was interrupted says nothing of rare slow calls, and counts as 0: it is left out. */
static void time_epoch(struct side *side, const struct amp_ab_step *step)
{
    struct amp_ab_turns *turns = side->turns;
    const struct amp_kernel *kernel = &side->kernel;
    uint64_t ops = turns->ops * step->times, sum = kernel->run(kernel->fixture, turns->ops / 8 + 1), begin_ns;
    long before = step->times > 1 ? interruptions() : 0;

    begin_ns = amp_clock_monotonic();
    sum += kernel->run(kernel->fixture, ops);
    turns->ns[side->me][step->round] = amp_clock_monotonic() - begin_ns;
    if (step->times > 1 && interruptions() > before)
        turns->ns[side->me][step->round] = 0;
    turns->checksum[side->me] += sum;
}

static void take(struct side *side, const struct amp_ab_step *step)
{
    struct amp_ab_turns *turns = side->turns;

    switch ((enum amp_ab_what) step->what) {
    case AMP_AB_LOAD:
        get(side);
        break;
    case AMP_AB_AGREE:
        turns->agreed[side->me] = agree(&side->kernel);
        break;
    case AMP_AB_CALIBRATE:
        calibrate(side);
        break;
    case AMP_AB_WARM:
        turns->checksum[side->me] += side->kernel.run(side->kernel.fixture, turns->ops);
        break;
    case AMP_AB_EPOCH:
        time_epoch(side, step);
        break;
    case AMP_AB_REDEAL: /* without memory for it, the pages stay as they are */
        amp_ab_pages_of_all();
        break;
    case AMP_AB_END:
        break;
    }
}

void amp_ab_side_run(struct amp_ab_turns *turns, enum amp_ab_actor me, amp_ab_loader load, const void *context)
{
    struct side side = { .turns = turns, .me = me, .load = load, .context = context };
    void *shift = alloca(turns->stack_shift_b + 16);

    amp_keep(shift); /* or the compiler would leave the stack where it is */
    for (uint32_t i = 0; i < turns->n; i++) {
        if (turns->steps[i].who != me)
            continue;
        while (!amp_ab_turns_wait(turns, me, i, PATIENCE_NS))
            continue;
        take(&side, &turns->steps[i]);
        amp_ab_turns_done(turns, i);
    }
    _exit(0);
}
