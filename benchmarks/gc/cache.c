/* SPDX-License-Identifier: MIT
 *
 * A cache of fixed size: a table of entries, each with a value that holds no pointer. Two keys share a slot. A look-up
 * that misses replaces the entry, so garbage arises everywhere in the heap.
 *
 *     table [ * ] [ * ] [ * ] ...
 *             `-> entry 32 B --> value 96 B */
#include "benchmarks/gc/collector.h"

struct value {
    uint64_t words[12];
};

struct entry {
    struct value *value;
    uint64_t key, hits, born;
};

static struct type value_type = { .name = "value", .size_b = sizeof(struct value) };
static struct type entry_type = { .name = "entry", .size_b = sizeof(struct entry),
                                  MEMBERS({ "value", offsetof(struct entry, value) }) };
static struct type table_type = { .name = "table", .size_b = sizeof(void *), MEMBERS({ "slot", 0 }) };
static struct type *const types[] = { &value_type, &entry_type, &table_type };

#define PAIR_B (sizeof(struct entry) + sizeof(struct value))

static struct entry **table;
static const struct root roots[] = { { "table", &table } };
static uint64_t n, random_state, births;

FUNCTION(struct entry *, make_entry, 128, uint64_t key)
{
    struct entry *entry = new_object(&entry_type);
    struct value *value = new_object(&value_type);

    for (unsigned i = 0; i < 12; i++)
        value->words[i] = key + i;
    STORE(entry->value, value);
    entry->key = key;
    entry->born = births++;
    return entry;
}

FUNCTION(uint64_t, cache_set_up, 128, uint64_t live_b, uint64_t seed)
{
    n = live_b / (PAIR_B + sizeof(void *));
    random_state = seed;
    STORE(table, new_array(&table_type, n));
    for (uint64_t i = 0; i < n; i++)
        STORE(table[i], make_entry(2 * i));
    return n;
}

FUNCTION(uint64_t, cache_run, 160, unsigned mutator, uint64_t bytes)
{
    uint64_t sum = mutator, done = 0;

    while (done < bytes) {
        uint64_t key = amp_random_below(&random_state, 2 * n);
        struct entry *entry = table[key / 2];

        if (entry->key == key) {
            entry->hits++;
            sum += entry->value->words[key % 12] + entry->born;
            continue;
        }
        sum += entry->hits;
        STORE(table[key / 2], make_entry(key));
        done += PAIR_B;
    }
    return sum;
}

static uint64_t live_b(void)
{
    return n * (PAIR_B + sizeof(void *));
}

const struct workload cache = {
    .name = "cache", .purpose = "Look-ups in a full cache: a miss replaces an entry anywhere in the heap.",
    .mutators = 1, .types = types, .n_types = sizeof types / sizeof *types,
    .roots = roots, .n_roots = sizeof roots / sizeof *roots,
    .set_up = cache_set_up, .run = cache_run, .live_b = live_b,
};
