/* SPDX-License-Identifier: MIT */
#include "harness/files/record.h"

#include "harness/files/results.h"
#include "harness/text/complain.h"
#include "harness/text/utf8.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *key_of(const struct amp_field *field)
{
    const char *dot = strrchr(field->key, '.');

    return dot ? dot + 1 : field->key;
}

/* ---- The writer */

static json_int_t integer_at(const struct amp_field *field, const void *at)
{
    unsigned narrow;
    json_int_t wide;

    memcpy(field->size == sizeof narrow ? (void *) &narrow : &wide, at, field->size);
    if (field->size == sizeof narrow)
        return field->kind == AMP_SIGNED ? (int) narrow : (json_int_t) narrow;
    return wide;
}

static bool is_absent(const struct amp_field *field, const void *at)
{
    if (field->kind == AMP_TEXT || field->kind == AMP_JSON)
        return !*(const void *const *) at;
    if (field->kind == AMP_BOOL)
        return !*(const bool *) at;
    return field->kind == AMP_UNSIGNED && integer_at(field, at) == (json_int_t) AMP_NONE;
}

static json_t *write_item(const struct amp_field *field, const void *at)
{
    if (field->is_nullable && is_absent(field, at))
        return json_null();
    switch (field->kind) {
    case AMP_BOOL:
        return json_boolean(*(const bool *) at);
    case AMP_REAL:
        return json_real(*(const double *) at);
    case AMP_TEXT:
        return (field->is_foreign ? amp_text_json : json_string)(*(const char *const *) at);
    case AMP_JSON:
        return *(json_t *const *) at;
    case AMP_OBJECT:
        return amp_record_write(field->record, at);
    default:
        return json_integer(integer_at(field, at));
    }
}

/* `from` is the struct, `at` its first item. */
static json_t *write_list(const struct amp_field *field, const void *from, const char *at)
{
    json_t *list = json_array();
    size_t n = SIZE_MAX;

    if (!field->ends_in_null)
        memcpy(&n, (const char *) from + field->count, sizeof n);
    for (size_t i = 0; list && i < n; i++, at += field->size) {
        if (field->ends_in_null && is_absent(field, at))
            break;
        if (json_array_append_new(list, write_item(field, field->are_behind ? *(const void *const *) at : at)) &&
            field->kind != AMP_TEXT) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

/* Goes on after a field fails, since the writer must take over every reference of the struct. */
static bool write_fields(const struct amp_record *record, const void *from, json_t *into)
{
    bool well = true;

    for (size_t i = 0; i < record->n; i++) {
        const struct amp_field *field = &record->fields[i];
        const void *at = (const char *) from + field->offset;
        bool absent;

        if (field->is_behind)
            at = *(const void *const *) at;
        absent = !at || (!field->is_list && is_absent(field, at));
        if (absent && (field->is_optional || !*field->key))
            continue;
        if (!*field->key)
            well = write_fields(field->record, at, into) && well;
        else {
            assert(at || field->is_list || field->is_nullable);
            well = !json_object_set_new(into, key_of(field),
                                        absent && field->is_nullable ? json_null()
                                        : field->is_list             ? write_list(field, from, at)
                                                                     : write_item(field, at)) &&
                   well;
        }
    }
    return well;
}

json_t *amp_record_write(const struct amp_record *record, const void *from)
{
    json_t *object = json_object();
    bool well = !record->schema || !json_object_set_new(object, "schema", json_string(record->schema));

    if (write_fields(record, from, object) && well)
        return object;
    json_decref(object);
    return NULL;
}

int amp_record_print(const struct amp_record *record, const void *from, FILE *out)
{
    json_t *json = amp_record_write(record, from);
    int err = !json ? -ENOMEM : json_dumpf(json, out, JSON_INDENT(2)) || fputc('\n', out) == EOF ? -EIO : 0;

    json_decref(json);
    return err;
}

int amp_record_save(const struct amp_record *record, const void *from, const char *path)
{
    json_t *json = amp_record_write(record, from);
    int err = amp_results_write(path, json);

    json_decref(json);
    return err ? amp_complain(2, path, "%s", strerror(-err)) : 0;
}

/* ---- The reader */

/* The beginning of a value; a task's JSON may not be freed by free(), see harness/allocators/workload/main.c. */
struct shown {
    char text[65];
    size_t n;
};

static int show(const char *text, size_t size, void *data)
{
    struct shown *shown = data;
    size_t left = sizeof shown->text - 1 - shown->n;

    size = size < left ? size : left;
    memcpy(shown->text + shown->n, text, size);
    shown->n += size;
    shown->text[shown->n] = '\0';
    return 0;
}

/* Say what a key holds and what is wrong with it, in printable ASCII. */
static int refuse(const char *key, const json_t *value, const char *wrong, const char **why)
{
    static char words[256];
    struct shown shown = { "", 0 };

    if (value)
        json_dump_callback(value, show, &shown, JSON_ENCODE_ANY | JSON_COMPACT | JSON_ENSURE_ASCII);
    snprintf(words, sizeof words, "%.64s: %s%s%s", key, shown.text, shown.n > 0 ? " " : "", wrong);
    *why = words;
    return -EPROTO;
}

static int read_number(const struct amp_field *field, const json_t *value, void *into, const char **why)
{
    bool is_real = field->kind == AMP_REAL, is_narrow = field->size == sizeof(int);
    double most = field->most > 0 || !is_narrow ? field->most : field->kind == AMP_SIGNED ? INT_MAX : UINT_MAX;
    double number = json_number_value(value);
    json_int_t wide = json_integer_value(value);
    unsigned narrow = (unsigned) wide;
    char wrong[96];

    if (is_real ? !json_is_number(value) : !json_is_integer(value))
        return refuse(key_of(field), value, is_real ? "is no number" : "is no integer", why);
    if (number < field->least || (most > 0 && number > most)) {
        snprintf(wrong, sizeof wrong, "is out of its range, %.15g %s", field->least, most > 0 ? "to " : "or more");
        if (most > 0)
            snprintf(wrong + strlen(wrong), 32, "%.15g", most);
        return refuse(key_of(field), value, wrong, why);
    }
    memcpy(into, is_real ? (void *) &number : is_narrow ? (void *) &narrow : &wide, field->size);
    return 0;
}

static int read_item(const struct amp_field *field, const json_t *value, void *into, const char **why)
{
    switch (field->kind) {
    case AMP_BOOL:
        *(bool *) into = json_is_true(value);
        return json_is_boolean(value) ? 0 : refuse(key_of(field), value, "is not true or false", why);
    case AMP_TEXT:
        *(const char **) into = json_string_value(value);
        return json_is_string(value) ? 0 : refuse(key_of(field), value, "is no string", why);
    case AMP_OBJECT:
        return json_is_object(value) ? amp_record_read(field->record, value, into, why)
                                     : refuse(key_of(field), value, "is no object", why);
    default:
        return read_number(field, value, into, why);
    }
}

static int read_list(const struct amp_field *field, const json_t *list, char *into, const char **why)
{
    size_t n = json_array_size(list);
    int err = 0;

    if (!json_is_array(list) || n > field->room / field->size)
        return refuse(key_of(field), list, json_is_array(list) ? "is too long a list" : "is no list", why);
    memcpy(into + field->count, &n, sizeof n);
    for (size_t i = 0; i < n && !err; i++)
        err = read_item(field, json_array_get(list, i), into + field->offset + i * field->size, why);
    return err;
}

static bool knows(const struct amp_record *record, const char *key)
{
    size_t i = 0;

    while (i < record->n && strcmp(key_of(&record->fields[i]), key) != 0)
        i++;
    return i < record->n;
}

int amp_record_read(const struct amp_record *record, const json_t *json, void *into, const char **why)
{
    const char *key;
    json_t *value;
    int err = 0;

    for (size_t i = 0; i < record->n && !err; i++) {
        const struct amp_field *field = &record->fields[i];

        value = json_object_get(json, key_of(field));
        if (!value && !field->is_optional)
            err = refuse(key_of(field), NULL, "it is missing", why);
        else if (value && !(field->is_nullable && json_is_null(value)))
            err = field->is_list ? read_list(field, value, into, why)
                                 : read_item(field, value, (char *) into + field->offset, why);
    }
    json_object_foreach((json_t *) json, key, value)
        if (!err && record->is_strict && !knows(record, key))
            err = refuse(key, value, "is unknown", why);
    return err;
}

json_t *amp_record_parse(const struct amp_record *record, const char *text, void *into, const char *what)
{
    json_error_t error;
    const char *why = error.text;
    json_t *json = json_loads(text, 0, &error);

    if (json && amp_record_read(record, json, into, &why) == 0)
        return json;
    amp_complain(2, what, "%s", why);
    json_decref(json);
    return NULL;
}
