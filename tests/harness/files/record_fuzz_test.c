/* SPDX-License-Identifier: MIT
 *
 * Damaged records, seeded: bits flipped, texts cut, values exchanged for others, keys taken away and put in. A reader
 * refuses each with a reason in one printable line that begins with a key, or has read all of it: written again, it is
 * the same. AMPERSAND_FUZZ_CASES says how many cases a record has. */
#include "harness/allocators/matrix_manifest.h"
#include "harness/allocators/workload/child.h"
#include "harness/bench/child.h"
#include "harness/measure/rounds.h"

#include <ctype.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static uint64_t state;

static size_t draw(size_t n)
{
    return (size_t) (amp_random_next(&state) % n);
}

static json_t *other_value(void)
{
    static const char *const texts[] = {
        "null", "true", "false", "0", "-1", "-2", "1", "4294967295", "4294967296", "9223372036854775807",
        "-9223372036854775808", "0.5", "-0.0", "1e300", "\"\"", "\"7\"", "\"\\u0007\\u001b[2J\\u00e9\"", "[]", "{}",
        "[[]]", "[1,2]", "[0]", "[\"a\"]", "[null]", "{\"launches\": 1}",
    };
    json_t *value;

    if (draw(10) > 0)
        return json_loads(texts[draw(sizeof texts / sizeof texts[0])], JSON_DECODE_ANY, NULL);
    value = json_array();
    for (size_t i = draw(3) == 0 ? 5000 : 65; i > 0; i--)
        json_array_append_new(value, draw(2) ? json_integer((json_int_t) i) : json_string("x"));
    return value;
}

/* Something about one key of an object, or of one in it. */
static void damage_key(json_t *object)
{
    size_t at = draw(json_object_size(object) + 1);
    const char *key;
    json_t *value;
    void *next;

    if (at == json_object_size(object)) {
        json_object_set_new(object, draw(2) ? "unknown" : "", other_value());
        return;
    }
    json_object_foreach_safe(object, next, key, value) if (at-- == 0) {
        if (json_object_size(value) > 0 && draw(4) > 0)
            damage_key(value);
        else if (draw(4) == 0)
            json_object_del(object, key);
        else
            json_object_set_new(object, key, other_value());
        return;
    }
}

/* NULL where no JSON is left of it. */
static json_t *damaged(const char *text)
{
    size_t n = strlen(text);
    char *copy = strdup(text);
    json_t *json;

    assert_non_null(copy);
    if (draw(4) == 0)
        copy[draw(n)] = '\0';
    for (size_t flips = draw(2) ? draw(3) : 0; flips > 0; flips--)
        copy[draw(n)] ^= (char) (1 << draw(8));
    json = json_loads(copy, 0, NULL);
    free(copy);
    for (size_t keys = draw(3); keys > 0 && json_is_object(json); keys--)
        damage_key(json);
    return json;
}

/* As the same JSON, but that a number is one however it is written. */
static bool same(const json_t *a, const json_t *b)
{
    const char *key;
    json_t *value;
    size_t i;

    if (json_is_number(a) && json_is_number(b))
        return !(json_number_value(a) < json_number_value(b)) && !(json_number_value(a) > json_number_value(b));
    if (json_is_object(a)) {
        json_object_foreach((json_t *) a, key, value) if (!same(value, json_object_get(b, key))) return false;
        return json_object_size(a) == json_object_size(b);
    }
    if (json_is_array(a)) {
        json_array_foreach(a, i, value) if (!same(value, json_array_get(b, i))) return false;
        return json_array_size(a) == json_array_size(b);
    }
    return json_equal(a, b);
}

static void hold_reason(const char *name, uint64_t seed, int err, const char *why)
{
    size_t key = strcspn(why, ":");

    if (err != -EPROTO || (key == 0 && why[0] != ':') || why[key] != ':' || strlen(why) > 240)
        fail_msg("%s, seed %llu: %d, '%s'", name, (unsigned long long) seed, err, why);
    for (const char *c = why; *c; c++)
        if (!isprint((unsigned char) *c))
            fail_msg("%s, seed %llu: not printable: '%s'", name, (unsigned long long) seed, why);
}

static uint64_t cases(void)
{
    const char *text = getenv("AMPERSAND_FUZZ_CASES");

    return text ? strtoull(text, NULL, 10) : 4000;
}

static void fuzz(const char *name, const struct amp_record *record, const void *whole, void *into, size_t size)
{
    json_t *json = amp_record_write(record, whole);
    char *text = json_dumps(json, JSON_COMPACT);
    unsigned read = 0, refused = 0;

    json_decref(json);
    for (uint64_t seed = 0; seed < cases(); seed++) {
        const char *why = "";
        json_t *again;
        int err;

        state = seed;
        json = damaged(text);
        memset(into, 0, size);
        err = json ? amp_record_read(record, json, into, &why) : 0;
        if (json && err) {
            refused++;
            hold_reason(name, seed, err, why);
        } else if (json) {
            read++;
            again = amp_record_write(record, into);
            if (!same(json, again))
                fail_msg("%s, seed %llu: read as another", name, (unsigned long long) seed);
            json_decref(again);
        }
        json_decref(json);
    }
    free(text);
    assert_true(cases() < 1000 || (read > cases() / 20 && refused > cases() / 4)); /* neither is rare */
}

static void test_tasks(void **unused)
{
    static const struct amp_task task = {
        .kind = "paired", .lesson = "pass", .name = "pass/size=64", .file = "/f/0.json", .configuration = "default",
        .launch = 3, .seed = (1ull << 53) - 1, .cpu = -1, .stack_offset_b = 1234, .epoch_ns = 50000, .quiet_ns = 991,
        .layout = -1
    };
    static const struct amp_workload_task workload = {
        .file = "/f/0.json", .configuration = "glibc", .workload = "small_churn", .seed = 77, .cpu = 1, .quiet_ns = 991,
        .timeline_s = 12, .quick = true, .sizes = { 8, 64 }, .n_sizes = 2
    };
    struct amp_task read;
    struct amp_workload_task read_workload;

    (void) unused;
    fuzz("task", &amp_task_record, &task, &read, sizeof read);
    fuzz("workload's task", &amp_workload_task_record, &workload, &read_workload, sizeof read_workload);
}

static void test_settings(void **unused)
{
    static const char text[] =
        "{\"quick\": true, \"seed\": 5, \"settings\": {\"launches\": 13, \"timeline_launches\": 8, \"timeline_s\": 12, "
        "\"timeout_s\": 20, \"memory_limit_b\": 8589934592, \"quiet_ns\": 991, \"config\": [\"glibc\", \"a:b\"], "
        "\"workload\": null, \"baseline\": \"jemalloc\", \"no_wait\": true}}";

    unsigned read = 0;

    (void) unused;
    for (uint64_t seed = 0; seed < cases(); seed++) {
        struct amp_matrix_options options = { .launches = 1 };
        const char *why = "";
        json_t *json;
        int err;

        state = seed;
        json = damaged(text);
        err = json ? amp_matrix_restore(json, &options, &why) : 0;
        if (err)
            hold_reason("settings", seed, err, why);
        else if (json && (options.launches > 100000 || options.timeline_launches > 100000 || options.timeline_s < 1 ||
                          options.timeline_s > 86400 || options.timeout_s < 1 || options.timeout_s > 86400 ||
                          options.quiet_ns < 1 || options.n_configs > AMP_CONFIGS || !options.baseline))
            fail_msg("settings, seed %llu: read out of range", (unsigned long long) seed);
        read += json && !err;
        for (size_t i = 0; json && !err && i < options.n_configs; i++)
            assert_true(strlen(options.configs[i]) < 100000);
        json_decref(json);
    }
    assert_true(read >= cases() / 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_tasks), cmocka_unit_test(test_settings) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
