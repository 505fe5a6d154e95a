/* SPDX-License-Identifier: MIT
 *
 * Finds out about a library by reading its file, not by loading it: an allocator that is loaded into this process, even
 * for a moment, runs its constructors here. */
#include "harness/allocators/configuration/allocator.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* tcmalloc: the minimal one first, which is the same allocator without the profiler and what that needs. */
static const struct amp_allocator allocators[] = {
    { .name = "jemalloc",
      .files = { "libjemalloc.so.2" },
      .package = "libjemalloc2",
      .variables = { "MALLOC_CONF" },
      .guard = "abort_conf:true,confirm_conf:true" },
    { .name = "glibc",
      .package = "libc6",
      .variables = { "GLIBC_TUNABLES", "MALLOC_ARENA_MAX", "MALLOC_ARENA_TEST", "MALLOC_MMAP_MAX_",
                     "MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "MALLOC_TOP_PAD_", "MALLOC_PERTURB_" } },
    { .name = "mimalloc",
      .files = { "libmimalloc.so.[0-9]", "libmimalloc.so.[0-9].*" },
      .package = "libmimalloc3 (Debian 12, Ubuntu 24.04: libmimalloc2.0)",
      .variables = { "MIMALLOC_*" } },
    { .name = "tcmalloc",
      .files = { "libtcmalloc_minimal.so.4", "libtcmalloc.so.4" },
      .package = "libtcmalloc-minimal4",
      .variables = { "TCMALLOC_*" } },
};

size_t amp_allocator_all(const struct amp_allocator **out)
{
    *out = allocators;
    return sizeof allocators / sizeof allocators[0];
}

const struct amp_allocator *amp_allocator_find(const char *name)
{
    for (size_t i = 0; i < sizeof allocators / sizeof allocators[0]; i++)
        if (strcmp(name, allocators[i].name) == 0)
            return &allocators[i];
    return NULL;
}

const struct amp_allocator *amp_allocator_of_file(const char *path)
{
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;

    for (size_t i = 0; i < sizeof allocators / sizeof allocators[0]; i++)
        if (allocators[i].files[0] && strstr(base, allocators[i].name))
            return &allocators[i];
    return NULL;
}

bool amp_allocator_reads(const struct amp_allocator *allocator, const char *variable)
{
    for (const char *const *each = allocator->variables; *each; each++) {
        size_t n = strcspn(*each, "*");

        if ((*each)[n] ? strncmp(variable, *each, n) == 0 && variable[n] : strcmp(variable, *each) == 0)
            return true;
    }
    return false;
}

bool amp_allocator_path(const char *file, char out[PATH_MAX])
{
    const char *slash = strrchr(file, '/'), *base = slash ? slash + 1 : file;
    char folder[PATH_MAX];
    struct stat status;
    size_t n;

    if (snprintf(folder, sizeof folder, "%.*s", slash ? (int) (slash - file) + 1 : 1, slash ? file : ".") >= PATH_MAX)
        return false;
    if (stat(file, &status) || !realpath(folder, out))
        return false;
    n = strlen(out);
    if (n + strlen(base) + 2 > PATH_MAX) {
        errno = ENAMETOOLONG;
        return false;
    }
    snprintf(out + n, PATH_MAX - n, "/%s", base);
    return true;
}

/* The last file of this pattern in the folder: the newest version. */
static bool find_in(const char *folder, size_t n, const char *pattern, char out[PATH_MAX])
{
    char text[PATH_MAX];
    glob_t found;
    bool is_there;

    if (n == 0 || snprintf(text, sizeof text, "%.*s/%s", (int) n, folder, pattern) >= (int) sizeof text)
        return false;
    is_there = glob(text, 0, NULL, &found) == 0 && amp_allocator_path(found.gl_pathv[found.gl_pathc - 1], out);
    globfree(&found);
    return is_there;
}

/* The other libraries are in the folder of the C library, such as "/lib/x86_64-linux-gnu": packages of the distribution
 * install into it. The dynamic loader's cache is not searched. */
static void usual_folders(char *out, size_t size)
{
    Dl_info info = { .dli_fname = "" };
    const char *slash;

    dladdr(dlsym(RTLD_DEFAULT, "gnu_get_libc_version"), &info);
    slash = strrchr(info.dli_fname, '/');
    snprintf(out, size, "%.*s:/usr/local/lib:/usr/lib64:/usr/lib:/lib64:/lib",
             slash ? (int) (slash - info.dli_fname) : 0, info.dli_fname);
}

bool amp_allocator_locate(const struct amp_allocator *allocator, char out[PATH_MAX])
{
    const char *folders = getenv("AMPERSAND_LIBRARIES");
    char usual[PATH_MAX];

    if (!folders) {
        usual_folders(usual, sizeof usual);
        folders = usual;
    }
    for (const char *const *file = allocator->files; file < allocator->files + 3 && *file; file++)
        for (const char *folder = folders; *folder;) {
            size_t n = strcspn(folder, ":");

            if (find_in(folder, n, *file, out))
                return true;
            folder += n + (folder[n] == ':');
        }
    return false;
}

/* Read the beginning of a file; false with errno if it cannot be read. */
static bool read_header(const char *path, ElfW(Ehdr) * out, size_t *n)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* do not wait for a FIFO */
    ssize_t got = fd < 0 ? -1 : read(fd, out, sizeof *out);
    int err = errno;

    if (fd >= 0)
        close(fd);
    errno = err;
    *n = got < 0 ? 0 : (size_t) got;
    return got >= 0;
}

const char *amp_allocator_refuse(const char *path)
{
    ElfW(Ehdr) own, header;
    size_t n;

    if (strpbrk(path, " :\t\n"))
        return "its path has a blank or a colon, which LD_PRELOAD cannot hold";
    if (!read_header(path, &header, &n))
        return strerror(errno);
    if (n < sizeof header || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
        return "it is no library";
    if (!read_header("/proc/self/exe", &own, &n) || n < sizeof own)
        return "it cannot be compared with this program";
    if (memcmp(header.e_ident, own.e_ident, EI_VERSION) != 0 || header.e_machine != own.e_machine)
        return "it is made for another machine";
    return header.e_type == ET_DYN ? NULL : "it is no shared library";
}
