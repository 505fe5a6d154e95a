/* SPDX-License-Identifier: MIT */
#include "harness/profile/copies/listed.h"

#include "harness/profile/copies/preload/sections.h"
#include "harness/profile/samples/store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct amp_copies_listed {
    char *key;               /* file, line and column */
    char *name, *function;   /* "copy: struct order, 144 B, assignment" */
    uint64_t size_b;
    UT_hash_handle hh;
};

enum { ASKED, LEFT, BYTES, LINE, COLUMN, PATH, KIND, TYPE, FUNCTION, N_FIELDS };

/* A file is known by its name, since debug information may write its path in another way. */
static char *make_key(const char *file, const char *line, const char *column)
{
    char *key;

    return asprintf(&key, "%s:%s:%s", amp_store_file_name(file), line, column) < 0 ? NULL : key;
}

static void free_one(struct amp_copies_listed *one)
{
    free(one->key);
    free(one->name);
    free(one->function);
    free(one);
}

/* Of several copies at one place, such as two arguments, the largest stands for its instructions. */
static int keep(struct amp_copies_listed **listed, struct amp_copies_listed *made)
{
    struct amp_copies_listed *known;
    size_t before = HASH_COUNT(*listed);

    HASH_FIND_STR(*listed, made->key, known);
    if (known && known->size_b >= made->size_b) {
        free_one(made);
        return 0;
    }
    if (known) {
        HASH_DEL(*listed, known);
        free_one(known);
        before--;
    }
    HASH_ADD_KEYPTR(hh, *listed, made->key, strlen(made->key), made);
    if (HASH_COUNT(*listed) > before)
        return 0;
    free_one(made);
    return -ENOMEM;
}

/* The linker's gcc knows fewer types: what the source asks for there, of the same size, has the right name. */
static void rename_as_asked(struct amp_copies_listed *made, struct amp_copies_listed *listed)
{
    struct amp_copies_listed *asked;

    HASH_FIND_STR(listed, made->key, asked);
    if (!asked || asked->size_b != made->size_b)
        return;
    free(made->name);
    free(made->function);
    made->name = strdup(asked->name);
    made->function = strdup(asked->function);
}

static struct amp_copies_listed *make(char *field[N_FIELDS])
{
    struct amp_copies_listed *made = calloc(1, sizeof *made);

    if (!made)
        return NULL;
    made->size_b = strtoull(field[BYTES], NULL, 10);
    made->key = make_key(field[PATH], field[LINE], field[COLUMN]);
    made->function = strdup(field[FUNCTION]);
    if (asprintf(&made->name, AMP_COPIES_NAME "%s, %s B, %s", field[TYPE], field[BYTES], field[KIND]) < 0)
        made->name = NULL;
    return made;
}

static int add(char *field[N_FIELDS], struct amp_copies_listed **listed, struct amp_copy_places *places)
{
    const unsigned asked = (unsigned) strtoul(field[ASKED], NULL, 10);
    struct amp_copies_listed *made = make(field);
    struct amp_copy_place *place;

    if (!made)
        return -ENOMEM;
    if (made->key && asked == 0)
        rename_as_asked(made, *listed);
    place = made->key && made->function && made->name
                ? amp_copy_place_of(places, made->name, field[PATH], (unsigned) strtoul(field[LINE], NULL, 10),
                                    made->function)
                : NULL;
    if (!place) {
        free_one(made);
        return -ENOMEM;
    }
    place->asked += asked;
    place->left += (unsigned) strtoul(field[LEFT], NULL, 10);
    return keep(listed, made);
}

/* Take a line apart at its tabs; whether it has all fields. */
static bool split(char *line, char *field[N_FIELDS])
{
    for (int i = 0; i < N_FIELDS; i++) {
        field[i] = line;
        line = strchr(line, i + 1 < N_FIELDS ? '\t' : '\0');
        if (!line)
            return false;
        *line++ = '\0';
    }
    return true;
}

/* First what the source asks for, then what is left of it. */
static int add_lines(char *text, size_t size_b, struct amp_copies_listed **listed, struct amp_copy_places *places)
{
    const char *behind = text + size_b;
    char *field[N_FIELDS];
    int err = 0;

    for (int is_left = 0; is_left < 2; is_left++)
        for (char *line = text, *end; !err && line < behind; line = end + 1) {
            end = memchr(line, '\n', (size_t) (behind - line));
            if (!end)
                return -EBADMSG;
            if (is_left != (strncmp(line, "0\t", 2) == 0))
                continue;
            *end = '\0';
            err = split(line, field) ? add(field, listed, places) : -EBADMSG;
            *end = '\n';
        }
    return err;
}

int amp_copies_read_listed(const char *path, struct amp_copies_listed **listed, struct amp_copy_places *places)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), err = 0;
    struct amp_copies_place at;
    char *text = NULL;

    if (fd < 0)
        return 0; /* it is no longer there, or no file */
    if (amp_copies_find(fd, AMP_COPIES_LIST, &at) == 0 && (text = calloc(1, at.size_b + 1)) == NULL)
        err = -ENOMEM;
    if (text && pread(fd, text, at.size_b, (off_t) at.offset) != (ssize_t) at.size_b)
        err = -EIO;
    close(fd);
    if (text && !err) {
        places->is_listed = true;
        err = add_lines(text, at.size_b, listed, places);
    }
    free(text);
    return err;
}

struct amp_copy_place *amp_copies_find_listed(struct amp_copies_listed *listed, struct amp_copy_places *places,
                                              const char *file, unsigned line, unsigned column)
{
    struct amp_copies_listed *found = NULL;
    char line_text[16], column_text[16], *key;

    snprintf(line_text, sizeof line_text, "%u", line);
    snprintf(column_text, sizeof column_text, "%u", column);
    key = listed && file ? make_key(file, line_text, column_text) : NULL;
    if (key)
        HASH_FIND_STR(listed, key, found);
    free(key);
    return found ? amp_copy_place_of(places, found->name, file, line, found->function) : NULL;
}

void amp_copies_forget_listed(struct amp_copies_listed *listed)
{
    struct amp_copies_listed *one, *next;

    HASH_ITER(hh, listed, one, next) {
        HASH_DEL(listed, one);
        free_one(one);
    }
}
