/* SPDX-License-Identifier: MIT
 *
 * What settings do. A value can be read back without being in force: glibc silently ignores values that its malloc does
 * not accept, and a library may repeat whatever it was told. So a setting that has a visible effect must show it. */
#include "harness/allocators/provenance/rules.h"

#include "harness/allocators/configuration/expectation.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define MIB 1048576.0
#define ANY HUGE_VAL

struct rule {
    const char *key, *word; /* of a setting with this value; word NULL: with a number from `from` to `to` */
    double from, to;        /* yes and no are 1 and 0 */
    const char *effect;     /* must lie from low_of * value + low to high_of * value + high */
    double low_of, low, high_of, high;
    const char *unless; /* a condition on the facts; if it holds, another setting hides the effect */
    bool is_always;     /* applies to a reported setting even if nobody asked for it */
};

/* Bytes of the bursts and blocks are those of allocators/provenance/effects.c: 64 MiB are freed, half of them is a wide
 * margin. Sizes are rounded: to size classes (jemalloc, a quarter), to 16 bytes and a header (glibc), and where an
 * effect is looked for at powers of two, by up to two. */
static const struct rule rules[] = {
    { "opt.tcache", "false", 0, 0, "tcached_max_b", 0, 0, 0, 0, NULL, true },
    { "opt.tcache_max", NULL, 16, 8 * MIB, "tcached_max_b", 1, 0, 1.25, 16, "opt.tcache = false", true },
    { "opt.background_thread", "true", 0, 0, "library_threads", 0, 1, 0, ANY, NULL, true },
    { "opt.background_thread", "false", 0, 0, "library_threads", 0, 0, 0, 0, NULL, true },
    { "opt.retain", "false", 0, 0, "retained_mapped_b", 0, 0, 0, 32 * MIB, NULL, true },
    { "opt.retain", "true", 0, 0, "retained_mapped_b", 0, 32 * MIB, 0, ANY, NULL, true },
    { "opt.narenas", NULL, 1, 7, "arenas", 0, 1, 1, 0, "opt.percpu_arena != disabled", false },
    { "opt.narenas", NULL, 1, ANY, "automatic_arenas", 1, 0, 1, 0, NULL, false },
    { "opt.narenas", NULL, 1, ANY, "highest_arena", 0, 0, 1, -1, NULL, false },
    { "opt.percpu_arena", "percpu", 0, 0, "arena_by_cpu", 0, 1, 0, 1, NULL, false },
    { "opt.dirty_decay_ms", NULL, 0, 0, "retained_b", 0, 0, 0, 32 * MIB, "opt.muzzy_decay_ms != 0", false },
    { "opt.dirty_decay_ms", NULL, -1, -1, "retained_b", 0, 60 * MIB, 0, ANY, "opt.oversize_threshold <= 1M", false },
    { "opt.oversize_threshold", NULL, 65536, 256 * MIB, "oversize_least_b", 1, 0, 2, 0, NULL, false },
    { "opt.oversize_threshold", NULL, 0, 0, "oversize_least_b", 0, 0, 0, 0, NULL, false },
    { "opt.thp", "always", 0, 0, "huge_b", 0, 2 * MIB, 0, ANY, NULL, false },
    { "opt.thp", "never", 0, 0, "huge_declined_b", 0, 16 * MIB, 0, ANY, NULL, false },
    { "opt.thp", "never", 0, 0, "huge_b", 0, 0, 0, 0, NULL, false },
    { "opt.metadata_thp", "always", 0, 0, "metadata_huge_b", 0, 2 * MIB, 0, ANY, NULL, false },
    { "opt.dss", "primary", 0, 0, "in_brk", 0, 1, 0, 1, NULL, false },

    { "glibc.malloc.arena_max", NULL, 1, ANY, "arenas", 0, 1, 1, 0, NULL, false },
    { "glibc.malloc.tcache_count", NULL, 0, ANY, "tcached_count", 1, 0, 1, 0, NULL, false },
    { "glibc.malloc.tcache_max", NULL, 0, ANY, "tcached_max_b", 1, 0, 1, 24, NULL, false },
    { "glibc.malloc.mxfast", NULL, 0, ANY, "fast_max_b", 1, -24, 1, 8, NULL, false },
    { "glibc.malloc.mmap_threshold", NULL, 0, 1024, "mmap_least_b", 0, 1024, 0, 1024, NULL, false },
    { "glibc.malloc.mmap_threshold", NULL, 1025, 512 * MIB, "mmap_least_b", 1, -16, 2, 0, NULL, false },
    { "glibc.malloc.mmap_threshold", NULL, 512 * MIB + 17, ANY, "mmap_least_b", 0, 0, 0, 0, NULL, false },
    { "glibc.malloc.mmap_max", NULL, 0, 0, "mmap_least_b", 0, 0, 0, 0, NULL, false },
    { "glibc.malloc.hugetlb", NULL, 1, ANY, "huge_b", 0, 2 * MIB, 0, ANY, NULL, false },

    { "MIMALLOC_DECOMMIT_DELAY", NULL, 0, 0, "retained_b", 0, 0, 0, 32 * MIB, "MIMALLOC_ALLOW_DECOMMIT = 0", false },
    { "MIMALLOC_ALLOW_DECOMMIT", NULL, 0, 0, "retained_b", 0, 60 * MIB, 0, ANY, NULL, false },
    { "MIMALLOC_PURGE_DELAY", NULL, 0, 0, "retained_b", 0, 0, 0, 32 * MIB, NULL, false },
    { "MIMALLOC_PURGE_DELAY", NULL, -1, -1, "retained_b", 0, 60 * MIB, 0, ANY, NULL, false },
    { "MIMALLOC_LARGE_OS_PAGES", NULL, 1, ANY, "huge_b", 0, 2 * MIB, 0, ANY, NULL, false },
    { "MIMALLOC_ALLOW_LARGE_OS_PAGES", NULL, 1, 1, "huge_b", 0, 2 * MIB, 0, ANY, NULL, false },

    { "TCMALLOC_MAX_TOTAL_THREAD_CACHE_BYTES", NULL, 0, ANY, "thread_cache_b", 0, 0, 1, 0, NULL, false },
    { "TCMALLOC_AGGRESSIVE_DECOMMIT", NULL, 1, 1, "retained_b", 0, 0, 0, 32 * MIB, NULL, false },
    { "TCMALLOC_SKIP_SBRK", NULL, 1, 1, "in_brk", 0, 0, 0, 0, NULL, false },
    { "TCMALLOC_SKIP_MMAP", NULL, 1, 1, "in_brk", 0, 1, 0, 1, NULL, false },
};
enum { N_RULES = sizeof rules / sizeof rules[0] };

/* Does the rule apply to this value? *number is the value as a number. */
static bool is_about(const struct rule *rule, const char *value, double *number)
{
    *number = 0;
    if (rule->word)
        return strcasecmp(rule->word, value) == 0;
    return amp_expectation_number(value, number) && *number >= rule->from && *number <= rule->to;
}

static bool is_hidden(const struct rule *rule, const json_t *facts)
{
    struct amp_expectation condition;
    char unused[8];

    return rule->unless && !amp_expectation_parse(rule->unless, &condition) &&
           amp_expectation_holds(&condition, facts, unused, sizeof unused);
}

static bool holds(const struct rule *rule, const char *value, const json_t *facts, char *why, size_t size)
{
    double number, found, low, high;
    char text[128];
    const json_t *effect = json_object_get(json_object_get(facts, "effects"), rule->effect);

    if (!is_about(rule, value, &number) || is_hidden(rule, facts))
        return true;
    low = rule->low_of * number + rule->low;
    high = rule->high_of * number + rule->high;
    amp_expectation_print(effect, text, sizeof text);
    if (!effect || !amp_expectation_number(text, &found)) {
        snprintf(why, size, "%s: %s is asked for, and effect.%s, where it would show, cannot be known here", rule->key,
                 value, rule->effect);
        return false;
    }
    if (found >= low && found <= high)
        return true;
    if (low < high && isinf(high))
        snprintf(why, size, "%s: with %s, effect.%s would be %.0f or more; it is %s", rule->key, value, rule->effect,
                 low, text);
    else if (low < high)
        snprintf(why, size, "%s: with %s, effect.%s would be %.0f to %.0f; it is %s", rule->key, value, rule->effect,
                 fmax(low, 0), high, text);
    else
        snprintf(why, size, "%s: with %s, effect.%s would be %.0f; it is %s", rule->key, value, rule->effect, low,
                 text);
    return false;
}

bool amp_rules_hold(const struct amp_settings *settings, const json_t *facts, char *why, size_t size)
{
    for (size_t i = 0; i < N_RULES; i++) {
        const struct rule *rule = &rules[i];
        const json_t *told = json_object_get(json_object_get(facts, "read_back"), rule->key);
        const char *value;
        char text[128];

        if (!amp_setting_find(settings, rule->key, &value)) {
            if (!rule->is_always || !told)
                continue;
            amp_expectation_print(told, text, sizeof text);
            value = text;
        }
        if (!holds(rule, value, facts, why, size))
            return false;
    }
    return true;
}
