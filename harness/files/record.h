/* SPDX-License-Identifier: MIT
 *
 * Records: a C struct and the JSON object that mirrors it. One table of fields drives the writer, the reader and its
 * range checks; a test holds the tables of results to results/schema/ and results/SCHEMA.md.
 *
 *     struct clock { double cost_ns; uint64_t resolution_ns; };
 *     const struct amp_record clock = {
 *         AMP_FIELDS(AMP_FIELD(struct clock, cost_ns, .most = 1000), AMP_FIELD(struct clock, resolution_ns, .least = 1))
 *     };                                                           {"cost_ns": 45.1, "resolution_ns": 10}
 *
 * The keys stand in the order of the table. A key is the member's name: "cost_ns" also for the member clock.cost_ns. */
#ifndef AMP_RECORD_H
#define AMP_RECORD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Follows from the member's type. The reader knows no AMP_JSON, and nothing behind a pointer but text. */
enum amp_field_kind {
    AMP_BOOL,
    AMP_UNSIGNED,
    AMP_SIGNED,
    AMP_REAL,
    AMP_TEXT,   /* const char *: read, it is borrowed from the JSON */
    AMP_JSON,   /* json_t *: the writer takes the reference */
    AMP_OBJECT, /* of `record` */
};

struct amp_field {
    const char *key; /* "": an object whose keys stand among those around it; it may be absent */
    enum amp_field_kind kind;
    size_t offset, size;             /* size: of one item of a list */
    const struct amp_record *record; /* of an object */
    size_t count, room;              /* of a list: the offset of its size_t, and the bytes that the struct has for it */
    bool is_list;
    bool is_behind;     /* the member is a pointer to the object or to the list's first item */
    bool are_behind;    /* each item of a list is a pointer to its object */
    bool ends_in_null;  /* a list of strings, with no size_t */
    bool is_optional;   /* left out where it is absent: NULL, false, or AMP_NONE. The reader then leaves the member be */
    bool is_nullable;   /* null where it is absent; in a list the items, too */
    double least, most; /* of a number; most 0: the most that the member holds */
};

#define AMP_NONE UINT64_MAX /* an absent number */

struct amp_record {
    const struct amp_field *fields;
    size_t n;
    const char *schema; /* the first key is "schema" with this value; NULL: there is none */
    bool is_strict;     /* the reader refuses keys that it does not know */
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

/* An array in the struct, or one that a pointer of it leads to, with its number of items. */
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

/* An object whose fields are members of the very struct; of a struct in it; and of the struct that a member points to. */
#define AMP_OF(...) (&(const struct amp_record){ AMP_FIELDS(__VA_ARGS__) })
#define AMP_GROUP(name, of) { .key = name, .kind = AMP_OBJECT, .record = (of) }
#define AMP_INNER(name, type, member, of)                                                                              \
    { .key = name, .kind = AMP_OBJECT, .offset = offsetof(type, member), .record = (of) }
#define AMP_BEHIND(name, type, member, of, ...)                                                                        \
    { .key = name, .kind = AMP_OBJECT, .offset = offsetof(type, member), .is_behind = true, .record = (of), __VA_ARGS__ }

/* A new reference; NULL for want of memory, and where a number is none or a string is no UTF-8. (A list leaves such a
 * string out.) */
json_t *amp_record_write(const struct amp_record *record, const void *from);

/* The same into a file, as amp_results_write() has it. */
int amp_record_save(const struct amp_record *record, const void *from, const char *path);

/* Fill a struct. 0, or -EPROTO with *why (static storage): the key, what it holds, and what is wrong with that. */
int amp_record_read(const struct amp_record *record, const json_t *json, void *into, const char **why);

#endif
