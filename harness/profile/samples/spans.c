/* SPDX-License-Identifier: MIT */
#include "harness/profile/samples/spans.h"

#include "harness/profile/samples/store.h"

#include <errno.h>
#include <stdlib.h>

int amp_spans_add(struct amp_spans *spans, const struct amp_span *span)
{
    if (!amp_store_has_room(&spans->all, spans->n, sizeof *spans->all))
        return -ENOMEM;
    spans->all[spans->n++] = *span;
    return 0;
}

static int compare(const void *a, const void *b)
{
    const struct amp_span *p = a, *q = b;

    if (p->low != q->low)
        return p->low < q->low ? -1 : 1;
    if (p->rank != q->rank)
        return p->rank < q->rank ? -1 : 1;
    return (p->of < q->of) - (p->of > q->of); /* the first of equals is the last here */
}

void amp_spans_sort(struct amp_spans *spans)
{
    if (spans->n > 0)
        qsort(spans->all, spans->n, sizeof *spans->all, compare);
}

/* How many begin at an address or before it. */
static size_t count_before(const struct amp_spans *spans, uint64_t address)
{
    size_t from = 0, to = spans->n;

    while (from < to) {
        size_t middle = from + (to - from) / 2;

        if (spans->all[middle].low <= address)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

const struct amp_span *amp_spans_before(const struct amp_spans *spans, uint64_t address)
{
    size_t n = count_before(spans, address);

    return n > 0 ? &spans->all[n - 1] : NULL;
}

const struct amp_span *amp_spans_find(const struct amp_spans *spans, uint64_t address)
{
    for (size_t n = count_before(spans, address); n > 0; n--)
        if (address < spans->all[n - 1].high)
            return &spans->all[n - 1];
    return NULL;
}

void amp_spans_free(struct amp_spans *spans)
{
    free(spans->all);
    *spans = (struct amp_spans){ 0 };
}
