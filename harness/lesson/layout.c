/* SPDX-License-Identifier: MIT */
#include "harness/lesson/layout.h"

#include "harness/files/results.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <link.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>

#ifndef AMP_LESSONS_DIR
#error "the build defines AMP_LESSONS_DIR, the folder that it links the lessons into"
#endif

static char reason[PATH_MAX + 512];

__attribute__((format(printf, 3, 4))) static int fail(const char **why, int error, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    *why = reason;
    return error;
}

const char *amp_layout_beside(const char *name, char *out, const char *otherwise)
{
    char program[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
    char *folder;

    if (n < 0)
        return otherwise;
    program[n] = '\0';
    folder = strrchr(program, '/');
    *folder = '\0';
    folder = strrchr(program, '/');
    if (folder == NULL || snprintf(out, PATH_MAX, "%.*s/%s", (int) (folder - program), program, name) >= PATH_MAX)
        return otherwise;
    return access(out, R_OK) == 0 ? out : otherwise;
}

const char *amp_layout_dir(void)
{
    static char beside[PATH_MAX];
    const char *dir = getenv("AMPERSAND_LESSONS");

    return dir != NULL && dir[0] != '\0' ? dir : amp_layout_beside("benchmarks", beside, AMP_LESSONS_DIR);
}

int amp_layout_crc32(const char *lesson, uint32_t *out)
{
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%s/%s.layouts.json", amp_layout_dir(), lesson);
    return amp_results_crc32(path, out);
}

/* Is the file complete? The loader maps a truncated file as if it were, and touching the missing part ends the process
 * with SIGBUS. Linkers write the table of sections last, so a file that has it has the rest. */
static bool is_whole(const char *path)
{
    struct stat file;
    ElfW(Ehdr) header;
    bool whole = false;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return false;
    if (fstat(fd, &file) == 0 && pread(fd, &header, sizeof header, 0) == (ssize_t) sizeof header) {
        uint64_t size = (uint64_t) file.st_size, table = (uint64_t) header.e_shnum * header.e_shentsize;

        whole = table > 0 && table <= size && header.e_shoff <= size - table;
    }
    close(fd);
    return whole;
}

int amp_layout_load(const char *lesson, unsigned k, struct amp_module *out, const char **why)
{
    char path[PATH_MAX];
    const struct amp_lesson *found;
    void *handle;

    snprintf(path, sizeof path, "%s/%s.%02u.so", amp_layout_dir(), lesson, k);
    if (access(path, R_OK) != 0)
        return fail(why, -errno, "%s: %s", path, strerror(errno));
    if (!is_whole(path))
        return fail(why, -EPROTO, "%s: not a whole module; build it again", path);
    handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL)
        return fail(why, -EPROTO, "%s", dlerror());
    found = dlsym(handle, "amp_lesson");
    if (found == NULL) {
        fail(why, -EPROTO, "%s: not a lesson (it has no amp_lesson)", path);
        goto refuse;
    }
    if (found->abi != AMP_LESSON_ABI) {
        fail(why, -EPROTO, "%s: its ABI is %u, this program knows %u; build both again", path, found->abi,
             AMP_LESSON_ABI);
        goto refuse;
    }
    *out = (struct amp_module){ handle, found->begin, (size_t) (found->end - found->begin) };
    return 0;
refuse:
    dlclose(handle);
    return -EPROTO;
}

void amp_layout_unload(struct amp_module *module)
{
    if (module->handle != NULL)
        dlclose(module->handle);
    *module = (struct amp_module){ 0 };
}

int amp_layouts_open(const char *lesson, struct amp_layouts *out, const char **why)
{
    char path[PATH_MAX];
    json_error_t error;
    json_int_t n;

    snprintf(path, sizeof path, "%s/%s.layouts.json", amp_layout_dir(), lesson);
    if (access(path, R_OK) != 0)
        return fail(why, -errno, "%s: %s", path, strerror(errno));
    *out = (struct amp_layouts){ .lesson = lesson, .table = json_load_file(path, 0, &error) };
    if (!out->table)
        return fail(why, -EPROTO, "%s: line %d: %s", path, error.line, error.text);
    n = json_integer_value(json_object_get(out->table, "n"));
    if (n < 1 || n > AMP_LAYOUTS_MAX) {
        amp_layouts_close(out);
        return fail(why, -EPROTO, "%s: \"n\" is not a number of layouts", path);
    }
    out->n = (unsigned) n;
    return 0;
}

void amp_layouts_close(struct amp_layouts *layouts)
{
    json_decref(layouts->table);
    *layouts = (struct amp_layouts){ 0 };
}

int amp_layout_count(const char *lesson, unsigned *out, const char **why)
{
    struct amp_layouts layouts;
    int err = amp_layouts_open(lesson, &layouts, why);

    if (err)
        return err;
    *out = layouts.n;
    amp_layouts_close(&layouts);
    return 0;
}

#define BUILD_ID_CHARS 64

/* The build ID that the linker wrote into the module which holds `address`, read from its mapping. */
static void read_build_id(const void *address, char out[BUILD_ID_CHARS + 1])
{
    const ElfW(Ehdr) *header;
    const ElfW(Phdr) *segments;
    Dl_info info;

    out[0] = '\0';
    if (!dladdr(address, &info))
        return;
    header = info.dli_fbase;
    segments = (const ElfW(Phdr) *) (const void *) ((const char *) info.dli_fbase + header->e_phoff);
    for (unsigned i = 0; i < header->e_phnum; i++) {
        const char *at = (const char *) info.dli_fbase + segments[i].p_vaddr, *end = at + segments[i].p_memsz;

        while (segments[i].p_type == PT_NOTE && end - at > (ptrdiff_t) sizeof(ElfW(Nhdr))) {
            const ElfW(Nhdr) *note = (const ElfW(Nhdr) *) (const void *) at;
            const unsigned char *id = (const unsigned char *) at + sizeof *note + (note->n_namesz + 3u) / 4 * 4;

            if (note->n_type == NT_GNU_BUILD_ID && 2 * note->n_descsz <= BUILD_ID_CHARS)
                for (unsigned k = 0; k < note->n_descsz; k++)
                    snprintf(out + 2 * k, 3, "%02x", id[k]);
            at = (const char *) id + (note->n_descsz + 3u) / 4 * 4;
        }
    }
}

int amp_layouts_hold(const struct amp_layouts *layouts, unsigned k, const void *pairs, const char **why)
{
    const json_t *ids = json_object_get(layouts->table, "build_ids");
    const char *wanted = json_string_value(json_array_get(ids, k));
    char id[BUILD_ID_CHARS + 1];

    read_build_id(pairs, id);
    if (!ids || (wanted && strcmp(id, wanted) == 0))
        return 0;
    return fail(why, -ESTALE, "%s.%02u.so is not the module that %s.layouts.json tells of: build the lessons again",
                layouts->lesson, k, layouts->lesson);
}

int amp_layout_hold_row(const struct amp_row *row, unsigned k, const char **why)
{
    struct amp_layouts layouts;
    int err = amp_layouts_open(row->lesson, &layouts, why);

    if (err)
        return err;
    err = amp_layouts_hold(&layouts, k, row->pair, why);
    amp_layouts_close(&layouts);
    return err;
}

int amp_layout_declared(const struct amp_row *row, const char **why)
{
    struct amp_layouts layouts;
    char name[256];
    const char *breach;
    int err = amp_layouts_open(row->lesson, &layouts, why);

    if (err)
        return err;
    amp_row_name(row, name, sizeof name);
    breach = json_string_value(json_object_get(json_object_get(layouts.table, "breaches"), name));
    err = breach ? fail(why, -EBADMSG, "%s", breach) : 0;
    amp_layouts_close(&layouts);
    return err;
}

/* A registry borrows the names of its lessons, so they are never freed; this list keeps them reachable. */
static struct kept_name {
    struct kept_name *next;
    char text[];
} * kept_names;

static const char *keep_name(const char *text)
{
    size_t size = strlen(text) + 1;
    struct kept_name *name = malloc(sizeof *name + size);

    if (name == NULL)
        return NULL;
    memcpy(name->text, text, size);
    name->next = kept_names;
    kept_names = name;
    return name->text;
}

int amp_layout_register(struct amp_registry *registry, const char *lesson, unsigned k, const char **why)
{
    struct amp_module module;
    const char *name = keep_name(lesson);
    int error;

    if (name == NULL)
        return fail(why, -ENOMEM, "%s: %s", lesson, strerror(ENOMEM));
    error = amp_layout_load(name, k, &module, why);
    if (error != 0)
        return error;
    error = amp_registry_add(registry, name, module.pairs, module.n_pairs);
    if (error == 0)
        return 0;
    amp_registry_drop(registry, name);
    amp_layout_unload(&module);
    return fail(why, error, "%s: its pairs cannot be registered: %s", lesson,
                error == -EEXIST ? "another lesson has one of its rows" : strerror(-error));
}

int amp_layout_lessons(char **out, const char **why)
{
    char path[PATH_MAX];
    size_t size = 0;
    FILE *list;

    *out = NULL;
    snprintf(path, sizeof path, "%s/lessons.txt", amp_layout_dir());
    list = fopen(path, "re");
    if (list == NULL)
        return fail(why, -errno, "%s: %s", path, strerror(errno));
    if (getdelim(out, &size, '\0', list) < 0) { /* empty, or unreadable, such as a folder */
        free(*out);
        *out = ferror(list) ? NULL : strdup("");
    }
    fclose(list);
    return *out != NULL ? 0 : fail(why, -EIO, "%s: it cannot be read", path);
}
