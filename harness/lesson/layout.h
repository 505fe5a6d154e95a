/* SPDX-License-Identifier: MIT
 *
 * A lesson's linked variants. The build compiles each lesson once and links it many times (make_layouts): modules
 * that differ only in where their functions stand within a 64-byte line. Functions return 0 or a negative errno and
 * describe a failure in *why (static storage, overwritten by the next call). */
#ifndef AMP_LAYOUT_H
#define AMP_LAYOUT_H

#include "harness/lesson/pair.h"


/* What every module exports as `amp_lesson` (lesson.c). make_layouts.py reads the offsets, those within struct
 * amp_pair, from the object file, to find the rows and which functions belong to which side. */
struct amp_lesson {
    uint32_t abi; /* AMP_LESSON_ABI */
    uint32_t value_run_offset, pointer_run_offset, name_offset, sizes_offset;
    const struct amp_pair *const *begin, *const *end;
};
#define AMP_LESSON_ABI 2u

struct amp_module {
    void *handle; /* of dlopen */
    const struct amp_pair *const *pairs;
    size_t n_pairs;
};

/* Where the modules are: DIR/<lesson>.<NN>.so beside DIR/<lesson>.layouts.json and DIR/lessons.txt (their order).
 * They are beside the program, in the build folder as where it was installed, unless the environment variable
 * AMPERSAND_LESSONS names another folder; a program of one's own finds those of the build folder. */
const char *amp_layout_dir(void);

/* <the folder above this program's>/<name>, written to `out` of PATH_MAX bytes, where that is there; else `otherwise`. */
const char *amp_layout_beside(const char *name, char *out, const char *otherwise);

/* Load module k of a lesson. -ENOENT if there is none, -EPROTO if it is not a lesson or of another ABI. */
int amp_layout_load(const char *lesson, unsigned k, struct amp_module *out, const char **why);
void amp_layout_unload(struct amp_module *module);

#define AMP_LAYOUTS_MAX 4096

/* A lesson's table, open. */
struct amp_layouts {
    const char *lesson; /* borrowed */
    unsigned n;         /* modules, 1 to AMP_LAYOUTS_MAX */
    struct json_t *table;
};

int amp_layouts_open(const char *lesson, struct amp_layouts *out, const char **why);
void amp_layouts_close(struct amp_layouts *layouts);

/* Hold the loaded module k, in which `pairs` are, to its table: -ESTALE where it is another lesson's, or of another build.
 * A table of a version that noted no build IDs holds nothing. */
int amp_layouts_hold(const struct amp_layouts *layouts, unsigned k, const void *pairs, const char **why);

/* The same of the module of a registered row, which is module k. */
int amp_layout_hold_row(const struct amp_row *row, unsigned k, const char **why);

/* How many modules the lesson was linked into, 1 to AMP_LAYOUTS_MAX; read from the folder. */
int amp_layout_count(const char *lesson, unsigned *out, const char **why);

/* The names of all lessons, a line each, as lessons.txt has them; *out is malloc()ed, NULL on failure. */
int amp_layout_lessons(char **out, const char **why);

/* Register a lesson through its module k, which stays loaded; on failure no row of it is there. */
int amp_layout_register(struct amp_registry *registry, const char *lesson, unsigned k, const char **why);

#endif
