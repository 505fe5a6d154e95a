/* SPDX-License-Identifier: MIT */
#include "harness/lesson/pair.h"

#include <errno.h>
#include <stdio.h>

#define GATE_NS 50000000 /* the comparison takes about this long at most: slow pairs do fewer operations */

#define MOVED_B 4096 /* larger blocks begin on a page anyway */
#define CLASSES 28   /* from 16 B to there */
#define POWER_OF_TWO_IN(x) ((size_t) 1 << (63 - __builtin_clzll(x)))

#define LABEL_MOST 16

#if defined(__x86_64__)
#define OURS AMP_SYSV
#elif defined(__aarch64__)
#define OURS AMP_AAPCS64
#else
#define OURS ""
#endif

bool amp_claim_is_ours(const struct amp_claim *claim)
{
    return !claim->abi || strcmp(claim->abi, OURS) == 0;
}

static bool is_one_of(const char *word, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(word, words[i]) == 0)
            return true;
    return false;
}

static int check_claim(const struct amp_claim *claim)
{
    static const char *const faster[] = { AMP_VALUE, AMP_POINTER, AMP_NEITHER };
    static const char *const abis[] = { AMP_SYSV, AMP_AAPCS64 };

    if (!claim->faster || !claim->text || !claim->text[0] || (claim->to > 0 && claim->to < claim->from))
        return -EINVAL;
    if (claim->abi && !is_one_of(claim->abi, abis, sizeof abis / sizeof abis[0]))
        return -EINVAL;
    return is_one_of(claim->faster, faster, sizeof faster / sizeof faster[0]) ? 0 : -EINVAL;
}

static int check_label(const char *label)
{
    return !label || (label[0] && strlen(label) <= LABEL_MOST) ? 0 : -EINVAL;
}

static int check_pair(const struct amp_pair *pair)
{
    for (size_t i = 0; i < pair->n_claims; i++)
        if (check_claim(&pair->claims[i]))
            return -EINVAL;
    if (check_label(pair->value.label) || check_label(pair->pointer.label))
        return -EINVAL;
    if (!pair->name || !pair->question || !pair->value.run || !pair->pointer.run || !pair->sizes || !pair->sizes[0])
        return -EINVAL;
    if (!pair->value.set_up != !pair->value.tear_down || !pair->pointer.set_up != !pair->pointer.tear_down)
        return -EINVAL;
    return 0;
}

/* Insert it beside the other rows of its pair: a template declares its pairs again for each type. */
static int add_row(struct amp_registry *registry, const struct amp_row *row)
{
    struct amp_row *rows;
    size_t at = registry->n;

    for (size_t i = 0; i < registry->n; i++) {
        if (strcmp(registry->rows[i].pair->name, row->pair->name) != 0)
            continue;
        if (registry->rows[i].size == row->size)
            return -EEXIST;
        if (strcmp(registry->rows[i].lesson, row->lesson) == 0)
            at = i + 1;
    }
    rows = realloc(registry->rows, (registry->n + 1) * sizeof *rows);
    if (!rows)
        return -ENOMEM;
    memmove(rows + at + 1, rows + at, (registry->n - at) * sizeof *rows);
    rows[at] = *row;
    registry->n++;
    registry->rows = rows;
    return 0;
}

int amp_registry_add(struct amp_registry *registry, const char *lesson, const struct amp_pair *const *pairs, size_t n)
{
    size_t index = 0;

    for (size_t i = 0; i < n; i++) {
        int err = check_pair(pairs[i]);

        if (err)
            return err;
        for (const size_t *size = pairs[i]->sizes; *size; size++) {
            struct amp_row row = { .lesson = lesson, .pair = pairs[i], .size = *size, .index = index++ };

            err = add_row(registry, &row);
            if (err)
                return err;
        }
    }
    return 0;
}

void amp_registry_drop(struct amp_registry *registry, const char *lesson)
{
    size_t kept = 0;

    for (size_t i = 0; i < registry->n; i++)
        if (registry->rows[i].lesson != lesson)
            registry->rows[kept++] = registry->rows[i];
    registry->n = kept;
}

void amp_registry_free(struct amp_registry *registry)
{
    free(registry->rows);
    *registry = (struct amp_registry){ 0 };
}

void amp_row_name(const struct amp_row *row, char *out, size_t cap)
{
    snprintf(out, cap, "%s/size=%zu", row->pair->name, row->size);
}

const struct amp_row *amp_registry_find(const struct amp_registry *registry, const char *name)
{
    for (size_t i = 0; i < registry->n; i++) {
        char row[256];

        amp_row_name(&registry->rows[i], row, sizeof row);
        if (strcmp(row, name) == 0)
            return &registry->rows[i];
    }
    return NULL;
}

int amp_pair_agree_on(const struct amp_pair *pair, void *value, void *pointer, amp_clock now,
                      struct amp_agreement *out)
{
    uint64_t ops[] = { 1, 2, 3, 1000 }, begin_ns = now(), done = 0;

    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        uint64_t passed_ns = now() - begin_ns + 1, fit = GATE_NS / passed_ns * done;

        if (i > 0 && ops[i] > fit)
            ops[i] = fit;
        if (ops[i] == 0)
            break;
        done += ops[i];
        out->ops = ops[i];
        out->value = pair->value.run(value, ops[i]);
        out->pointer = pair->pointer.run(pointer, ops[i]);
        if (out->value != out->pointer)
            return -EDOM;
    }
    return 0;
}

void *amp_side_set_up(const struct amp_side *side, size_t size)
{
    return side->set_up ? side->set_up(size) : NULL;
}

void amp_side_tear_down(const struct amp_side *side, void *fixture)
{
    if (side->tear_down)
        side->tear_down(fixture);
}

void amp_pair_set_up(const struct amp_pair *pair, size_t size, uint64_t draw, void *fixtures[2])
{
    const struct amp_side *sides[2] = { &pair->value, &pair->pointer };
    size_t first = draw & 1, n = 0;
    void *blocks[7 * CLASSES];

    /* Four size classes from each power of two to the next, as in jemalloc; this also moves blocks of other
     * allocators. */
    for (size_t block_b = 16; block_b <= MOVED_B; block_b += block_b < 64 ? 16 : POWER_OF_TWO_IN(block_b) / 4)
        for (uint64_t i = draw >> 1 & 7; i > 0; i--)
            amp_keep(blocks[n++] = malloc(block_b));
    fixtures[first] = amp_side_set_up(sides[first], size);
    fixtures[!first] = amp_side_set_up(sides[!first], size);
    while (n > 0)
        free(blocks[--n]);
}

int amp_pair_agree(const struct amp_pair *pair, size_t size, amp_clock now, struct amp_agreement *out)
{
    void *value = amp_side_set_up(&pair->value, size);
    void *pointer = amp_side_set_up(&pair->pointer, size);
    int err = amp_pair_agree_on(pair, value, pointer, now, out);

    amp_side_tear_down(&pair->pointer, pointer);
    amp_side_tear_down(&pair->value, value);
    return err;
}
