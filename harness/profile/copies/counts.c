/* SPDX-License-Identifier: MIT */
#include "harness/profile/copies/places.h"
#include "harness/profile/copies/preload/sections.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file in memory. */
struct image {
    const char *bytes;
    size_t size_b;
};

static int map(const char *path, struct image *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat found;
    void *bytes;

    if (fd < 0)
        return -errno;
    if (fstat(fd, &found) || found.st_size == 0) {
        close(fd);
        return -ENODATA;
    }
    bytes = mmap(NULL, (size_t) found.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (bytes == MAP_FAILED)
        return -errno;
    *out = (struct image){ bytes, (size_t) found.st_size };
    return 0;
}

static void unmap(struct image *image)
{
    munmap((void *) (uintptr_t) image->bytes, image->size_b);
}

static int find_section(const char *path, const char *name, struct amp_copies_place *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), err = fd < 0 ? -errno : amp_copies_find(fd, name, out);

    if (fd >= 0)
        close(fd);
    return err;
}

/* The counts of a process, and where in its address space they lie as the file has it. */
struct counts {
    const struct amp_copies_head *head;
    const uint64_t *numbers;
};

/* A counter by its address; 0 if it lies outside. */
static uint64_t count_at(const struct counts *c, uint64_t address)
{
    uint64_t into = address - c->head->address;
    bool is_inside = address >= c->head->address && into + sizeof(uint64_t) <= c->head->size_b;

    return is_inside ? c->numbers[into / sizeof(uint64_t)] : 0;
}

static const char *text_at(const struct amp_copies_tables *tables, uint32_t at)
{
    return at < tables->size_b ? (const char *) tables + at : "";
}

static int add_site(const struct counts *c, const struct amp_copies_tables *tables, uint64_t counters,
                    const struct amp_copies_site *site, struct amp_copy_places *places)
{
    uint64_t address = counters + site->counter * sizeof(uint64_t), times = count_at(c, address), bytes;
    struct amp_copy_place *place;

    bytes = site->bytes > 0 ? times * site->bytes : count_at(c, address + sizeof(uint64_t));
    places->has_source = places->has_source || site->is_source;
    if (times == 0)
        return 0;
    place = amp_copy_place_of(places, text_at(tables, site->name), text_at(tables, site->file), site->line,
                              text_at(tables, site->function));
    if (!place)
        return -ENOMEM;
    if (site->is_source) {
        place->source_b += bytes;
    } else {
        place->bytes += bytes;
        place->copies += times * site->copies;
    }
    return 0;
}

/* The tables of a program, one block after the other. */
static int add_tables(const struct counts *c, const struct image *program, const struct amp_copies_place *at,
                      struct amp_copy_places *places)
{
    int err = 0;

    if (at->offset > program->size_b || at->size_b > program->size_b - at->offset)
        return -EBADMSG;
    for (uint64_t i = 0; !err && i + sizeof(struct amp_copies_tables) <= at->size_b;) {
        const struct amp_copies_tables *tables = (const void *) (program->bytes + at->offset + i);
        const struct amp_copies_site *sites = (const void *) (tables + 1);

        if (tables->magic != AMP_COPIES_MAGIC || tables->size_b < sizeof *tables || tables->size_b > at->size_b - i ||
            tables->n_sites > (tables->size_b - sizeof *tables) / sizeof *sites)
            return -EBADMSG;
        for (uint32_t k = 0; !err && k < tables->n_sites; k++)
            err = add_site(c, tables, at->address + i + (uint64_t) tables->to_counts, &sites[k], places);
        i += tables->size_b;
    }
    return err;
}

static int read_counts(const char *path, struct amp_copy_places *places)
{
    struct image file, program;
    struct amp_copies_place at;
    struct counts counts;
    int err = map(path, &file);

    if (err)
        return err;
    counts = (struct counts){ (const void *) file.bytes, (const void *) (file.bytes + AMP_COPIES_PAGE_B) };
    if (file.size_b < sizeof *counts.head || counts.head->magic != AMP_COPIES_MAGIC ||
        file.size_b - AMP_COPIES_PAGE_B < counts.head->size_b) {
        unmap(&file);
        return 0; /* it has just been made */
    }
    err = find_section(counts.head->path, AMP_COPIES_SITES, &at);
    if (!err)
        err = map(counts.head->path, &program);
    if (!err) {
        places->is_counted = true;
        err = add_tables(&counts, &program, &at, places);
        unmap(&program);
    }
    unmap(&file);
    return err;
}

int amp_copies_read_counts(const char *folder, struct amp_copy_places *places)
{
    DIR *files = opendir(folder);
    int err = files ? 0 : -errno;
    char path[PATH_MAX];

    for (struct dirent *file; !err && files && (file = readdir(files)) != NULL;)
        if (strncmp(file->d_name, AMP_COPIES_FILE, strlen(AMP_COPIES_FILE)) == 0) {
            snprintf(path, sizeof path, "%s/%s", folder, file->d_name);
            err = read_counts(path, places);
        }
    if (files)
        closedir(files);
    return err;
}

/* Whether a text is the name of a copy: it begins so, and its kind comes behind a size. */
static bool is_name(const char *text, size_t cap)
{
    size_t n = strnlen(text, cap);

    return n < cap && memmem(text, n, " B, ", strlen(" B, ")) != NULL;
}

bool amp_copies_are_marked(const char *path)
{
    size_t prefix = strlen(AMP_COPIES_NAME);
    struct amp_copies_place at;
    struct image program;
    bool are = false;

    if (find_section(path, AMP_COPIES_SITES, &at) == 0 || find_section(path, AMP_COPIES_LIST, &at) == 0)
        return true;
    if (map(path, &program))
        return false;
    for (const char *from = program.bytes, *end = from + program.size_b; !are; from += prefix) {
        from = memmem(from, (size_t) (end - from), AMP_COPIES_NAME, prefix);
        if (!from)
            break;
        are = is_name(from, (size_t) (end - from));
    }
    unmap(&program);
    return are;
}
