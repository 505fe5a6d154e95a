/* SPDX-License-Identifier: MIT
 *
 * Records: a C struct and the JSON object with the same fields. One table of fields drives the writer, the reader and
 * the reader's range checks. A test compares the tables of result files with results/schema/ and results/SCHEMA.md.
 *
 *     struct clock { double cost_ns; uint64_t resolution_ns; };
 *     #define CLOCK(member, ...) AMP_FIELD(struct clock, member, __VA_ARGS__)
 *     const struct amp_record clock = { AMP_FIELDS(CLOCK(cost_ns), CLOCK(resolution_ns, .least = 1)) };
 *
 *     {"cost_ns": 45.1, "resolution_ns": 10}
 *
 * JSON has the keys in the order of the table. A key is the name of the member: "cost_ns" also for clock.cost_ns. */
#ifndef AMP_RECORD_H
#define AMP_RECORD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* The macros find it by the member's type. The reader knows no AMP_JSON and follows no pointer. */
enum amp_field_kind {
    AMP_BOOL,
    AMP_UNSIGNED,
    AMP_SIGNED,
    AMP_REAL,
    AMP_TEXT,   /* const char *; the reader borrows it from the JSON */
    AMP_JSON,   /* json_t *; the writer takes the reference */
    AMP_OBJECT, /* with the fields of `record` */
};

struct amp_field {
    const char *key; /* "": the fields of this object stand among those around it, or are left out if there is none */
    enum amp_field_kind kind;
    size_t offset, size;             /* size: of a list's item */
    const struct amp_record *record; /* of an object */
    size_t count, room;              /* of a list: the offset of the size_t that counts it; its bytes in the struct */
    bool is_list;
    bool is_behind;     /* the member points to the object, or to the first item of the list */
    bool are_behind;    /* each item of the list points to its object */
    bool ends_in_null;  /* a list of strings that a NULL ends */
    bool is_optional;   /* the writer leaves out what is absent: NULL, false, AMP_NONE; the reader keeps the member */
    bool is_foreign;    /* a string that may be no UTF-8: the writer replaces what is not */
    bool is_nullable;   /* the writer writes null for what is absent, and for an absent item of a list */
    double least, most; /* of a number; most 0: what the member can hold */
};

#define AMP_NONE UINT64_MAX /* a number that is absent */

struct amp_record {
    const struct amp_field *fields;
    size_t n;
    const char *schema; /* the value of the first key, "schema"; NULL: no such key */
    bool is_strict;     /* the reader refuses a key that is not in the table */
};

#define AMP_FIELDS(...)                                                                                                \
    .fields = (const struct amp_field[]){ __VA_ARGS__ },                                                               \
    .n = sizeof((const struct amp_field[]){ __VA_ARGS__ }) / sizeof(struct amp_field)
#define AMP_MEMBER(type, member) (((type *) 0)->member)
#define AMP_KIND_OF(member)                                                                                            \
    _Generic(&(member), bool *: AMP_BOOL, unsigned *: AMP_UNSIGNED, unsigned long *: AMP_UNSIGNED,                     \
        const unsigned long *: AMP_UNSIGNED, unsigned long long *: AMP_UNSIGNED, const unsigned *: AMP_UNSIGNED,       \
        int *: AMP_SIGNED, long *: AMP_SIGNED, long long *: AMP_SIGNED,                                                \
        double *: AMP_REAL, char **: AMP_TEXT, const char **: AMP_TEXT, const char *const *: AMP_TEXT,                 \
        json_t **: AMP_JSON)

#define AMP_FIELD_AS(name, type, member, ...)                                                                          \
    { .key = name, .kind = AMP_KIND_OF(AMP_MEMBER(type, member)), .offset = offsetof(type, member),                    \
      .size = sizeof AMP_MEMBER(type, member), __VA_ARGS__ }
#define AMP_FIELD(type, member, ...) AMP_FIELD_AS(#member, type, member, __VA_ARGS__)

/* A list: an array in the struct, or one that a member points to; `n` is the size_t that counts its items. */
#define AMP_ITEMS(name, type, member, n)                                                                               \
    .key = name, .offset = offsetof(type, member), .size = sizeof AMP_MEMBER(type, member)[0], .is_list = true,        \
    .count = offsetof(type, n), .room = sizeof AMP_MEMBER(type, member),                                               \
    .is_behind =                                                                                                       \
        _Generic(&AMP_MEMBER(type, member), __typeof__(&AMP_MEMBER(type, member)[0]) *: true, default: false)
#define AMP_LIST_AS(name, type, member, n, ...)                                                                        \
    { AMP_ITEMS(name, type, member, n), .kind = AMP_KIND_OF(AMP_MEMBER(type, member)[0]), __VA_ARGS__ }
#define AMP_LIST(type, member, n, ...) AMP_LIST_AS(#member, type, member, n, __VA_ARGS__)
#define AMP_WORDS(type, member) /* strings to the first that is NULL */                                                \
    { .key = #member, .kind = AMP_KIND_OF(AMP_MEMBER(type, member)[0]), .offset = offsetof(type, member),              \
      .size = sizeof(char *), .is_list = true, .is_behind = true, .ends_in_null = true }
#define AMP_OBJECTS(name, type, member, n, of, ...)                                                                    \
    { AMP_ITEMS(name, type, member, n), .kind = AMP_OBJECT, .record = (of), __VA_ARGS__ }

/* An object: of members of the same struct, of a struct in it, of a struct that a member points to. */
#define AMP_OF(...) (&(const struct amp_record){ AMP_FIELDS(__VA_ARGS__) })
#define AMP_GROUP(name, of) { .key = name, .kind = AMP_OBJECT, .record = (of) }
#define AMP_INNER(name, type, member, of)                                                                              \
    { .key = name, .kind = AMP_OBJECT, .offset = offsetof(type, member), .record = (of) }
#define AMP_BEHIND(name, type, member, of, ...)                                                                        \
    { .key = name, .kind = AMP_OBJECT, .offset = offsetof(type, member), .is_behind = true, .record = (of),            \
      __VA_ARGS__ }

/* Returns a new reference. NULL if there is no memory, a number is NaN or infinite, or a string is not UTF-8; a list
 * leaves such a string out. */
json_t *amp_record_write(const struct amp_record *record, const void *from);

/* Writes it as JSON and a newline. 0 or a negative errno. */
int amp_record_print(const struct amp_record *record, const void *from, FILE *out);

/* Writes it into a file, as amp_results_write() does. Returns an exit status: 0, or 2 after it has said why. */
int amp_record_save(const struct amp_record *record, const void *from, const char *path);

/* Fills a struct from a text, JSON. Returns that, a new reference, which lends the struct its strings; or NULL after it
 * has said what is wrong with `what`. */
json_t *amp_record_parse(const struct amp_record *record, const char *text, void *into, const char *what);

/* Fills a struct. 0, or -EPROTO with *why (static storage), which names the key, its value and what is wrong. */
int amp_record_read(const struct amp_record *record, const json_t *json, void *into, const char **why);

#endif
