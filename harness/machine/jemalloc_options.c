/* SPDX-License-Identifier: MIT */
#include "harness/machine/jemalloc_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct text {
    char *text;
    size_t n, cap;
};

static void append(void *opaque, const char *part)
{
    struct text *text = opaque;
    size_t n = strlen(part);

    if (text->n + n < text->cap) {
        memcpy(text->text + text->n, part, n + 1);
        text->n += n;
    }
}

/* Its statistics as JSON, without the arenas. The buffer is allocated before: jemalloc's callback must not allocate. */
static json_t *statistics_of(amp_stats_print print)
{
    struct text text = { .cap = 1 << 18 };
    json_t *statistics = NULL;

    text.text = calloc(1, text.cap);
    if (text.text && print) {
        print(append, &text, "Jmdablxeh");
        statistics = json_loads(text.text, 0, NULL);
    }
    free(text.text);
    return statistics;
}

json_t *amp_jemalloc_options(amp_stats_print print)
{
    json_t *statistics = statistics_of(print), *options = json_object(), *value;
    const char *key;

    json_object_foreach(json_object_get(json_object_get(statistics, "jemalloc"), "opt"), key, value)
    {
        char name[128];

        snprintf(name, sizeof name, "opt.%s", key);
        json_object_set(options, name, value);
    }
    json_decref(statistics);
    return options;
}
