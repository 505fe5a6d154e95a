/* SPDX-License-Identifier: MIT
 *
 * Load a lesson's layouts. The build compiles each lesson once and links it many times (make_layouts): modules that
 * differ only in where their functions stand within a 64-byte line. Functions return 0 or a negative errno and
 * describe a failure in *why (static storage, overwritten by the next call). */
#ifndef AMP_LAYOUT_H
#define AMP_LAYOUT_H

#include "harness/lesson/pair.h"


/* What every module exports as `amp_lesson` (lesson.c). The offsets are those within struct amp_pair: make_layouts.py
 * reads them from the object file, to find the rows, and which functions belong to which side. */
struct amp_lesson {
    uint32_t abi; /* AMP_LESSON_ABI */
    uint32_t value_run_offset, pointer_run_offset, name_offset, sizes_offset;
    uint32_t calls_offset, copied_b_offset; /* behind those of `run` */
    const struct amp_pair *const *begin, *const *end;
};
#define AMP_LESSON_ABI 6u

struct amp_module {
    void *handle; /* of dlopen */
    const struct amp_pair *const *pairs;
    size_t n_pairs;
};

/* The folder of the modules: DIR/<lesson>.<NN>.so beside DIR/<lesson>.layouts.json and DIR/lessons.txt (their order).
 * The environment variable AMPERSAND_LESSONS names it; else it is the one beside this program, built or installed; else
 * that of the build folder. */
const char *amp_layout_dir(void);

/* The CRC-32 of a lesson's table, which a build replaces last; 0 or a negative errno. */
int amp_layout_crc32(const char *lesson, uint32_t *out);

/* <the folder above this program's>/<name>, written to `out` (PATH_MAX bytes), if that exists; else `otherwise`. */
const char *amp_layout_beside(const char *name, char *out, const char *otherwise);

/* Load module k of a lesson. -ENOENT if there is none, -EPROTO if it is not a lesson or has another ABI. */
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

/* Compare the loaded module k, which holds `pairs`, with its table: -ESTALE if it is from another lesson or another
 * build. Tables of older versions have no build IDs, and any module passes. */
int amp_layouts_hold(const struct amp_layouts *layouts, unsigned k, const void *pairs, const char **why);

/* The same for the module of a registered row, which is module k. */
int amp_layout_hold_row(const struct amp_row *row, unsigned k, const char **why);

/* Whether the compiled code of a row does what its pair declares of copies and calls, as the build has read it (see
 * harness/copies): 0, also if nobody declares or reads anything; -EBADMSG if it does not. */
int amp_layout_declared(const struct amp_row *row, const char **why);

/* How many modules the lesson has, 1 to AMP_LAYOUTS_MAX; read from the folder. */
int amp_layout_count(const char *lesson, unsigned *out, const char **why);

/* The text of lessons.txt: the names of all lessons, one a line. *out is malloc()ed, NULL on failure. */
int amp_layout_lessons(char **out, const char **why);

/* Register the rows of a lesson from its module k, which stays loaded. On failure none of its rows is registered. */
int amp_layout_register(struct amp_registry *registry, const char *lesson, unsigned k, const char **why);

#endif
