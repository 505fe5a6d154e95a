/* SPDX-License-Identifier: MIT
 *
 * Records: what the writer writes of each kind of field, and what the reader takes and refuses. */
#include "harness/files/record.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

struct point {
    int x, y;
};

struct outer {
    bool yes;
    unsigned narrow;
    uint64_t wide;
    int below;
    json_int_t far_below;
    double real, reals[2];
    const char *text;
    json_t *json;
    struct point inner, corners[3], *behind;
    const struct point *each[3];
    size_t n, n_few, n_words;
    uint64_t *numbers;
    unsigned few[3];
    const char *words[2], *const *to_the_end;
};

#define POINT(member) AMP_FIELD(struct point, member, .least = -10, .most = 10)
static const struct amp_record point = { AMP_FIELDS(POINT(x), POINT(y)) };

#define FIELD(member, ...) AMP_FIELD(struct outer, member, __VA_ARGS__)
#define GROUPED AMP_OF(FIELD(inner.x), AMP_FIELD_AS("why", struct outer, inner.y))

/* ---- The writer */

static const char *const end_words[] = { "a", "\xff", "b", NULL };
static uint64_t numbers[] = { 1, AMP_NONE, 9007199254740993 };
static struct point behind = { 3, 4 };

static const struct outer full = {
    .yes = true,
    .narrow = UINT_MAX,
    .wide = INT64_MAX,
    .below = INT_MIN,
    .far_below = INT64_MIN,
    .real = 45.1,
    .text = "\"text\"",
    .inner = { 1, -2 },
    .corners = { { 5, 6 }, { 7, 8 } },
    .behind = &behind,
    .each = { &behind, &behind },
    .n = 2,
    .n_few = 3,
    .numbers = numbers,
    .few = { 7, 0, 4294967295 },
    .words = { "one", "two" },
    .n_words = 1,
    .to_the_end = end_words,
};
static const struct outer empty = { .wide = AMP_NONE };
static const struct outer nan_in_it = { .real = NAN, .reals = { 1, NAN }, .n = 2 };


static void test_write(void **state)
{
    const struct {
        const char *name;
        const struct outer *from;
        struct amp_record record;
        const char *want; /* NULL: it cannot be written */
    } rows[] = {
#define ROW(name, from, want, ...)                                                                                     \
    { name, from, { AMP_FIELDS(__VA_ARGS__) }, want }
        ROW("no field that is there", &empty, "{}", FIELD(yes, .is_optional = true)),
        ROW("bool", &full, "{\"yes\": true}", FIELD(yes)),
        ROW("false", &empty, "{\"yes\": false}", FIELD(yes)),
        ROW("only where it is true", &full, "{\"yes\": true}", FIELD(yes, .is_optional = true)),
        ROW("unsigned", &full, "{\"narrow\": 4294967295}", FIELD(narrow)),
        ROW("64 bits", &full, "{\"wide\": 9223372036854775807}", FIELD(wide)),
        ROW("no number", &empty, "{\"wide\": null}", FIELD(wide, .is_nullable = true)),
        ROW("no number, left out", &empty, "{}", FIELD(wide, .is_optional = true)),
        ROW("signed", &full, "{\"below\": -2147483648}", FIELD(below)),
        ROW("signed, 64 bits", &full, "{\"far_below\": -9223372036854775808}", FIELD(far_below)),
        ROW("real", &full, "{\"real\": 45.1}", FIELD(real)),
        ROW("a real that is an integer", &empty, "{\"real\": 0.0}", FIELD(real)),
        ROW("NaN", &nan_in_it, NULL, FIELD(real), FIELD(yes)),
        ROW("NaN before what is well", &nan_in_it, NULL, FIELD(real), AMP_GROUP("", AMP_OF(FIELD(yes)))),
        ROW("NaN in a list", &nan_in_it, NULL, AMP_LIST(struct outer, reals, n)),
        ROW("infinity", &(struct outer){ .real = INFINITY }, NULL, FIELD(real)),
        ROW("text", &full, "{\"text\": \"\\\"text\\\"\"}", FIELD(text)),
        ROW("no text", &empty, NULL, FIELD(text)),
        ROW("no text: null", &empty, "{\"text\": null}", FIELD(text, .is_nullable = true)),
        ROW("no text: left out", &empty, "{}", FIELD(text, .is_optional = true)),
        ROW("no UTF-8", &(struct outer){ .text = "\xff" }, NULL, FIELD(text)),
        ROW("under another name", &full, "{\"name\": 45.1}", AMP_FIELD_AS("name", struct outer, real)),
        ROW("inner", &full, "{\"x\": 1, \"why\": -2}", AMP_GROUP("", GROUPED)),
        ROW("group", &full, "{\"yes\": true, \"in\": {\"x\": 1, \"why\": -2}}", FIELD(yes), AMP_GROUP("in", GROUPED)),
        ROW("behind", &full, "{\"at\": {\"x\": 3, \"y\": 4}}", AMP_BEHIND("at", struct outer, behind, &point)),
        ROW("behind, among the others", &full, "{\"x\": 3, \"y\": 4, \"yes\": true}",
            AMP_BEHIND("", struct outer, behind, &point), FIELD(yes)),
        ROW("nothing behind", &empty, "{\"at\": null}",
            AMP_BEHIND("at", struct outer, behind, &point, .is_nullable = true)),
        ROW("objects", &full, "{\"corners\": [{\"x\": 5, \"y\": 6}, {\"x\": 7, \"y\": 8}]}",
            AMP_OBJECTS("corners", struct outer, corners, n, &point)),
        ROW("objects behind", &full, "{\"each\": [{\"x\": 3, \"y\": 4}, {\"x\": 3, \"y\": 4}]}",
            AMP_OBJECTS("each", struct outer, each, n, &point, .are_behind = true)),
        ROW("no objects", &empty, "{\"corners\": []}", AMP_OBJECTS("corners", struct outer, corners, n, &point)),
        ROW("numbers behind", &full, "{\"numbers\": [1, -1]}", AMP_LIST(struct outer, numbers, n)),
        ROW("numbers, or none", &full, "{\"numbers\": [1, null]}",
            AMP_LIST(struct outer, numbers, n, .is_nullable = true)),
        ROW("no numbers", &empty, "{\"numbers\": null}", AMP_LIST(struct outer, numbers, n, .is_nullable = true)),
        ROW("numbers inside", &full, "{\"few\": [7, 0, 4294967295]}", AMP_LIST(struct outer, few, n_few)),
        ROW("above 2^53", &full, "{\"all\": [1, null, 9007199254740993]}",
            AMP_LIST_AS("all", struct outer, numbers, n_few, .is_nullable = true)),
        ROW("words", &full, "{\"words\": [\"one\"]}", AMP_LIST(struct outer, words, n_words)),
        ROW("words to the end, but for one that is no UTF-8", &full, "{\"to_the_end\": [\"a\", \"b\"]}",
            AMP_WORDS(struct outer, to_the_end)),
    };

    (void) state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        json_t *json = amp_record_write(&rows[i].record, rows[i].from);
        char *text = json ? json_dumps(json, JSON_REAL_PRECISION(15)) : NULL;

        if (rows[i].want ? !text || strcmp(text, rows[i].want) != 0 : text != NULL)
            fail_msg("%s: %s, not %s", rows[i].name, text ? text : "nothing", rows[i].want ? rows[i].want : "nothing");
        free(text);
        json_decref(json);
    }
}

/* The struct's references are taken, whether the record could be written or not; a leak checker sees it, too. */
static const struct amp_record with_reference = { AMP_FIELDS(FIELD(real), FIELD(json)), .schema = "ampersand/test/1" };

static void test_write_takes_references(void **state)
{
    const double reals[] = { 0.5, NAN };

    (void) state;
    for (size_t i = 0; i < COUNT(reals); i++) {
        json_t *mine = json_integer(1), *json;

        json = amp_record_write(&with_reference, &(struct outer){ .real = reals[i], .json = json_incref(mine) });
        assert_int_equal(json != NULL, i == 0);
        assert_string_equal(json ? json_string_value(json_object_get(json, "schema")) : "ampersand/test/1",
                            "ampersand/test/1");
        json_decref(json);
        assert_int_equal(mine->refcount, 1);
        json_decref(mine);
    }
}

/* ---- The reader */

#define READ                                                                                                           \
    AMP_FIELDS(FIELD(yes), FIELD(narrow, .least = 1), FIELD(wide, .most = 9007199254740991),                           \
               FIELD(below, .least = -1), FIELD(far_below, .least = -5), FIELD(real, .most = 1),                       \
               FIELD(text, .is_nullable = true), AMP_GROUP("in", GROUPED),                                             \
               AMP_LIST(struct outer, few, n_few, .least = 2, .most = 9),                                              \
               AMP_LIST(struct outer, words, n_words, .is_optional = true))
static const struct amp_record loose = { READ };
static const struct amp_record strict = { READ, .is_strict = true };

#define GOOD                                                                                                           \
    "{'yes':true,'narrow':4294967295,'wide':9007199254740991,'below':-1,'far_below':-5,'real':0.25,'text':'t',"        \
    "'in':{'x':5,'why':6},'few':[2,9,3],'words':['v','w']}"

/* A JSON text with ' for ", some of whose text is replaced: by a key that is called "moved", say. */
static json_t *parse(const char *text, const char *old, const char *now)
{
    char all[1024], *at;
    json_t *json;

    snprintf(all, sizeof all, "%s", text);
    at = *old ? strstr(all, old) : all;
    assert_non_null(at);
    snprintf(at, sizeof all - (size_t) (at - all), "%s%s", now, text + (at - all) + strlen(old));
    for (at = all; *at; at++)
        *at = *at == '\'' ? '"' : *at;
    json = json_loads(all, 0, NULL);
    if (!json)
        fail_msg("the row is no JSON: %s", all);
    return json;
}

static void test_read(void **state)
{
    struct outer got = { .text = "before", .n_few = 77 };
    json_t *json = parse(GOOD, "", "");
    const char *why = NULL;

    (void) state;
    assert_int_equal(amp_record_read(&strict, json, &got, &why), 0);
    assert_true(got.yes && got.narrow == UINT_MAX && got.wide == 9007199254740991 && got.below == -1);
    assert_true(got.real >= 0.25 && got.real <= 0.25 && got.inner.x == 5 && got.inner.y == 6);
    assert_string_equal(got.text, "t");
    assert_true(got.n_few == 3 && got.few[0] == 2 && got.few[1] == 9 && got.few[2] == 3 && got.n_words == 2);
    assert_string_equal(got.words[1], "w");
    json_decref(json);
}

static void test_read_refuses(void **state)
{
    static const struct {
        const char *name, *old, *now;
        const char *why; /* NULL: it is read */
    } rows[] = {
        { "good", "", "", NULL },
        { "missing", "'yes'", "'moved'", "yes: it is missing" },
        { "missing, inner", "'why'", "'moved'", "why: it is missing" },
        { "missing, a list", "'few'", "'moved'", "few: it is missing" },
        { "missing, an object", "'in'", "'moved'", "in: it is missing" },
        { "missing, optional", "'words'", "'moved'", NULL },
        { "null, nullable", "'t'", "null", NULL },
        { "null", "true", "null", "yes: null is not true or false" },
        { "a number for a bool", "true", "1", "yes: 1 is not true or false" },
        { "a string for a number", "4294967295", "'1'", "narrow: \"1\" is no integer" },
        { "a real for an integer", "4294967295", "1.0", "narrow: 1.0 is no integer" },
        { "a list for a number", "4294967295", "[1]", "narrow: [1] is no integer" },
        { "a string for a real", "0.25", "'NaN'", "real: \"NaN\" is no number" },
        { "an integer for a real", "0.25", "1", NULL },
        { "a number for a text", "'t'", "7", "text: 7 is no string" },
        { "a number for an object", "{'x':5,'why':6}", "7", "in: 7 is no object" },
        { "a list for an object", "{'x':5,'why':6}", "[7]", "in: [7] is no object" },
        { "a number for a list", "[2,9,3]", "7", "few: 7 is no list" },
        { "an object for a list", "[2,9,3]", "{}", "few: {} is no list" },
        { "below", "4294967295", "0", "narrow: 0 is out of its range, 1 to 4294967295" },
        { "negative", "4294967295", "-1", "narrow: -1 is out of its range, 1 to 4294967295" },
        { "the least", "4294967295", "1", NULL },
        { "more than the member holds", "4294967295", "4294967296",
          "narrow: 4294967296 is out of its range, 1 to 4294967295" },
        { "above", "9007199254740991", "9007199254740992",
          "wide: 9007199254740992 is out of its range, 0 to 9.00719925474099e+15" },
        { "below a signed one's", "-1", "-2", "below: -2 is out of its range, -1 to 2147483647" },
        { "below what has no limit above", "-5", "-6", "far_below: -6 is out of its range, -5 or more" },
        { "above a signed one's", "-1", "2147483648", "below: 2147483648 is out of its range, -1 to 2147483647" },
        { "above a real's", "0.25", "1.25", "real: 1.25 is out of its range, 0 to 1" },
        { "below a real's", "0.25", "-0.25", "real: -0.25 is out of its range, 0 to 1" },
        { "below a half-open range", "'x':5", "'x':-1", "x: -1 is out of its range, 0 to 2147483647" },
        { "an item below", "[2,9,3]", "[2,1]", "few: 1 is out of its range, 2 to 9" },
        { "an item above", "[2,9,3]", "[2,10]", "few: 10 is out of its range, 2 to 9" },
        { "an item of another type", "[2,9,3]", "[2,null]", "few: null is no integer" },
        { "a list that is too long", "[2,9,3]", "[2,9,3,4]", "few: [2,9,3,4] is too long a list" },
        { "words that are too many", "['v','w']", "['u','v','w']", "words: [\"u\",\"v\",\"w\"] is too long a list" },
        { "an empty list", "[2,9,3]", "[]", NULL },
        { "a long value", "4294967295", "'0123456789012345678901234567890123456789012345678901234567890123456789'",
          "narrow: \"012345678901234567890123456789012345678901234567890123456789012 is no integer" },
        { "a value with controls", "4294967295", "'\\u001b[2J\xc3\xa9'",
          "narrow: \"\\u001B[2J\\u00E9\" is no integer" },
    };

    (void) state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct outer got = { .text = "before" };
        json_t *json = parse(GOOD, rows[i].old, rows[i].now);
        const char *why = "";
        int err = amp_record_read(&loose, json, &got, &why);

        if (err != (rows[i].why ? -EPROTO : 0) || strcmp(why, rows[i].why ? rows[i].why : "") != 0)
            fail_msg("%s: %d, '%s', not '%s'", rows[i].name, err, why, rows[i].why ? rows[i].why : "");
        json_decref(json);
    }
}

static void test_unknown_keys(void **state)
{
    json_t *json = parse(GOOD, "{'yes'", "{'no such':1,'yes'");
    const char *why = "";
    struct outer got;

    (void) state;
    assert_int_equal(amp_record_read(&loose, json, &got, &why), 0);
    assert_int_equal(amp_record_read(&strict, json, &got, &why), -EPROTO);
    assert_string_equal(why, "no such: 1 is unknown");
    json_decref(json);
}

static void test_no_object(void **state)
{
    static const char *const texts[] = { "[]", "7", "null", "'yes'" };
    const char *why = "";
    struct outer got;

    (void) state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        json_t *list = parse("[_]", "_", texts[i]);

        assert_int_equal(amp_record_read(&strict, json_array_get(list, 0), &got, &why), -EPROTO);
        assert_string_equal(why, "yes: it is missing");
        json_decref(list);
    }
    assert_int_equal(amp_record_read(&strict, NULL, &got, &why), -EPROTO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_write),        cmocka_unit_test(test_write_takes_references),
        cmocka_unit_test(test_read),         cmocka_unit_test(test_read_refuses),
        cmocka_unit_test(test_unknown_keys), cmocka_unit_test(test_no_object),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
