/* SPDX-License-Identifier: MIT */
#include "harness/profile/copies/places.h"

#include "harness/profile/copies/preload/sections.h"
#include "harness/profile/samples/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct amp_copy_known {
    char *key;
    size_t number;
    UT_hash_handle hh;
};

/* Take "struct order, 144 B, assignment" apart; commas may be in a type's name. */
static bool read_name(char *text, struct amp_copy_place *out)
{
    char *kind = strrchr(text, ','), *size, *end;

    if (!kind)
        return false;
    *kind = '\0';
    size = strrchr(text, ',');
    if (!size)
        return false;
    *size = '\0';
    out->type = text;
    out->kind = kind + 2;
    out->size_b = strtoull(size + 2, &end, 10);
    return strcmp(end, " B") == 0 && kind[1] == ' ';
}

static struct amp_copy_place *append(struct amp_copy_places *places)
{
    if (places->n == 0 || (places->n & (places->n - 1)) == 0) {
        size_t cap = places->n > 0 ? 2 * places->n : 16;
        struct amp_copy_place *larger = realloc(places->places, cap * sizeof *larger);

        if (!larger)
            return NULL;
        places->places = larger;
    }
    places->places[places->n] = (struct amp_copy_place){ 0 };
    return &places->places[places->n];
}

/* Debug information and counters may write one path in two ways, so a file is known by its name. */
static char *make_key(const char *name, const char *file, unsigned line, const char *function)
{
    char *key;

    return asprintf(&key, "%s\n%s\n%u\n%s", name, amp_store_file_name(file), line, function) < 0 ? NULL : key;
}

static void free_texts(struct amp_copy_place *place)
{
    free(place->text);
    free(place->file);
    free(place->function);
}

/* A new place, known by `key`, which becomes the table's. NULL: no memory, or a name that is none. */
static struct amp_copy_place *add(struct amp_copy_places *places, char *key, struct amp_copy_place place)
{
    struct amp_copy_known *known = calloc(1, sizeof *known);
    struct amp_copy_place *added = append(places);
    size_t before = HASH_COUNT(places->known);

    if (known && added && place.text && place.file && place.function && read_name(place.text, &place)) {
        known->key = key;
        known->number = places->n;
        HASH_ADD_KEYPTR(hh, places->known, known->key, strlen(known->key), known);
        if (HASH_COUNT(places->known) > before) {
            *added = place;
            places->n++;
            return added;
        }
    }
    free(known);
    free(key);
    free_texts(&place);
    return NULL;
}

struct amp_copy_place *amp_copy_place_of(struct amp_copy_places *places, const char *name, const char *file,
                                         unsigned line, const char *function)
{
    size_t prefix = strlen(AMP_COPIES_NAME);
    struct amp_copy_known *known;
    char *key;

    if (!name || strncmp(name, AMP_COPIES_NAME, prefix) != 0)
        return NULL;
    file = file ? file : "";
    function = function ? function : "";
    key = make_key(name, file, line, function);
    if (!key)
        return NULL;
    HASH_FIND_STR(places->known, key, known);
    if (!known)
        return add(places, key, (struct amp_copy_place){ .text = strdup(name + prefix), .file = strdup(file),
                                                         .function = strdup(function), .line = line });
    free(key);
    return &places->places[known->number];
}

static int compare(const void *a, const void *b)
{
    const struct amp_copy_place *p = a, *q = b;

    if (p->bytes != q->bytes)
        return p->bytes > q->bytes ? -1 : 1;
    if (p->samples != q->samples)
        return p->samples > q->samples ? -1 : 1;
    return (p->source_b < q->source_b) - (p->source_b > q->source_b);
}

static void forget(struct amp_copy_places *places)
{
    struct amp_copy_known *known, *next;

    HASH_ITER(hh, places->known, known, next) {
        HASH_DEL(places->known, known);
        free(known->key);
        free(known);
    }
}

void amp_copies_sort(struct amp_copy_places *places)
{
    forget(places); /* numbers change */
    if (places->n > 0)
        qsort(places->places, places->n, sizeof *places->places, compare);
}

void amp_copies_free(struct amp_copy_places *places)
{
    forget(places);
    for (size_t i = 0; i < places->n; i++)
        free_texts(&places->places[i]);
    free(places->places);
    *places = (struct amp_copy_places){ 0 };
}
