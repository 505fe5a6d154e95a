/* SPDX-License-Identifier: MIT
 *
 * Two processes on one CPU that take turns, and their parent.
 *
 *     parent   load?                 wait....................................
 *     base           load      .warm      .epoch            .epoch
 *     head                load      .warm       .epoch.epoch       ...
 *     step     0     1    2    3     4     5     6     7     8
 *
 * All three know the whole list of steps, which lies in shared memory. A counter there says which step it is. Whoever's
 * step it is works; all others sleep on a futex. Two steps of one process in a row need no system call in between.
 * Functions return 0 or a negative errno. */
#ifndef AMP_AB_TURNS_H
#define AMP_AB_TURNS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum amp_ab_actor { AMP_AB_BASE, AMP_AB_HEAD, AMP_AB_PARENT };

enum amp_ab_what {
    AMP_AB_LOAD,      /* get the kernel and set up its fixture */
    AMP_AB_AGREE,     /* a few operations, whose checksums are compared */
    AMP_AB_CALIBRATE, /* find how many operations fill an epoch */
    AMP_AB_WARM,      /* an epoch that is not timed */
    AMP_AB_EPOCH,     /* warm up a little, then time an epoch */
    AMP_AB_REDEAL,    /* other physical pages for code and data */
    AMP_AB_END,
};

struct amp_ab_step {
    uint8_t who, what;
    uint16_t round; /* of an epoch */
    uint32_t times; /* so many times the operations of an ordinary epoch */
};

enum { AMP_AB_ROUNDS = 256, AMP_AB_STEPS = 2 * AMP_AB_ROUNDS + 32 };

/* In shared memory. A side writes only at its steps. */
struct amp_ab_turns {
    _Atomic uint32_t at; /* the present step */
    uint32_t n;          /* steps */
    struct amp_ab_step steps[AMP_AB_STEPS];
    uint64_t epoch_ns;   /* for AMP_AB_CALIBRATE */
    uint64_t stack_shift_b;
    uint64_t ops;        /* of an epoch */
    uint64_t found_ops[2], agreed[2], checksum[2];
    uint64_t ns[2][AMP_AB_ROUNDS];
    uint64_t fixture[2], code[2]; /* addresses, which should be the same on both sides */
    uint64_t memory_b[2];         /* that the fixture took */
    char why[2][256];             /* why a side cannot go on; it then ends with a status that is not 0 */
};

/* Shared with what is forked later. *fd can be passed on through exec. */
int amp_ab_turns_map(struct amp_ab_turns **out, int *fd);
void amp_ab_turns_unmap(struct amp_ab_turns *turns, int fd);

/* Empty the list of steps, and go back to its beginning. What was found stays. */
void amp_ab_turns_clear(struct amp_ab_turns *turns);
void amp_ab_turns_add(struct amp_ab_turns *turns, struct amp_ab_step step);

/* Sleep until it is step i, which must be one's own, or the end for the parent; for about so long at most. Whether it
 * is. */
bool amp_ab_turns_wait(struct amp_ab_turns *turns, enum amp_ab_actor me, uint32_t i, uint64_t ns);

/* Step i is done: wake the one whose step is next, and nobody else, since all share one CPU. */
void amp_ab_turns_done(struct amp_ab_turns *turns, uint32_t i);

#endif
