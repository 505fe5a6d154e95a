/* SPDX-License-Identifier: MIT
 *
 * source   elf(5), ld.so(8), execve(2)
 */
#include "harness/program/program.h"

#include "harness/text/complain.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define SCRIPTS 4 /* as Linux: a script's interpreter may be a script */

#if defined(__x86_64__)
#define MACHINE EM_X86_64
#else
#define MACHINE EM_AARCH64
#endif

struct image {
    const unsigned char *bytes;
    size_t n;
    const Elf64_Ehdr *head;
};

/* `n` bytes at an offset; NULL if the file is shorter. */
static const void *at(const struct image *image, uint64_t offset, uint64_t n)
{
    return offset <= image->n && n <= image->n - offset ? image->bytes + offset : NULL;
}

static const Elf64_Shdr *section(const struct image *image, unsigned i)
{
    uint64_t offset = image->head->e_shoff + (uint64_t) i * sizeof(Elf64_Shdr);

    return image->head->e_shoff && i < image->head->e_shnum ? at(image, offset, sizeof(Elf64_Shdr)) : NULL;
}

static bool has_interpreter(const struct image *image)
{
    for (unsigned i = 0; i < image->head->e_phnum; i++) {
        const Elf64_Phdr *header = at(image, image->head->e_phoff + (uint64_t) i * sizeof *header, sizeof *header);

        if (header && header->p_type == PT_INTERP)
            return true;
    }
    return false;
}

/* Whether the program has such a symbol: one of its own, or one that it wants from a library. */
static bool has_symbol(const struct image *image, const char *name, bool own)
{
    const Elf64_Shdr *table, *strings;

    for (unsigned i = 0; (table = section(image, i)) != NULL; i++) {
        uint64_t n = table->sh_size / sizeof(Elf64_Sym);
        const Elf64_Sym *symbols = at(image, table->sh_offset, table->sh_size);

        if ((table->sh_type != SHT_SYMTAB && table->sh_type != SHT_DYNSYM) || !symbols)
            continue;
        strings = section(image, table->sh_link);
        for (uint64_t s = 0; strings && s < n; s++) {
            const char *text = at(image, strings->sh_offset + symbols[s].st_name, strlen(name) + 1);

            if (text && memcmp(text, name, strlen(name) + 1) == 0 && (symbols[s].st_shndx != SHN_UNDEF) == own &&
                ELF64_ST_BIND(symbols[s].st_info) != STB_LOCAL)
                return true;
        }
    }
    return false;
}

static const char *why_not_image(const struct image *image, bool sees_malloc)
{
    const Elf64_Ehdr *head = image->head;

    if (image->n < sizeof *head || memcmp(head->e_ident, ELFMAG, SELFMAG) != 0)
        return "is neither a program nor a script";
    if (head->e_ident[EI_CLASS] != ELFCLASS64 || head->e_machine != MACHINE)
        return "is a program for another processor than this build's";
    if (!has_interpreter(image))
        return "is statically linked: no library can be loaded into it; link it dynamically";
    if (has_symbol(image, "__asan_init", false) || has_symbol(image, "__tsan_init", false) ||
        has_symbol(image, "__asan_init", true) || has_symbol(image, "__tsan_init", true))
        return "is built with a sanitizer, which replaces malloc; build it without";
    if (sees_malloc && has_symbol(image, "malloc", true))
        return "defines malloc itself, which no library can replace; link its allocator as a shared library";
    return NULL;
}

/* Whether the kernel would give it other rights; the loader then ignores preloaded libraries. */
static bool changes_rights(const char *path, const struct stat *found)
{
    char capabilities[64];

    if ((found->st_mode & S_ISUID) && found->st_uid != getuid())
        return true;
    if ((found->st_mode & S_ISGID) && (found->st_mode & S_IXGRP) && found->st_gid != getgid())
        return true;
    return getxattr(path, "security.capability", capabilities, sizeof capabilities) > 0 && getuid() != 0;
}

/* The interpreter that a script names in its first line; false: it is no script. */
static bool read_interpreter(const struct image *image, char *out, size_t cap)
{
    size_t i = 2, n = 0;

    if (image->n < 3 || memcmp(image->bytes, "#!", 2) != 0)
        return false;
    while (i < image->n && (image->bytes[i] == ' ' || image->bytes[i] == '\t'))
        i++;
    while (i < image->n && n + 1 < cap && !strchr(" \t\n", image->bytes[i]))
        out[n++] = (char) image->bytes[i++];
    out[n] = '\0';
    return n > 0;
}

static int check_file(const char *path, const char *shown, bool sees_malloc, unsigned scripts)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), status = 0;
    char interpreter[PATH_MAX];
    const char *why = NULL;
    struct image image;
    struct stat found;

    if (fd < 0 || fstat(fd, &found) || found.st_size == 0) {
        why = fd < 0 ? strerror(errno) : "is empty";
        if (fd >= 0)
            close(fd);
        return amp_complain(2, shown, "%s", why);
    }
    image.n = (size_t) found.st_size;
    image.bytes = mmap(NULL, image.n, PROT_READ, MAP_PRIVATE, fd, 0);
    image.head = (const Elf64_Ehdr *) image.bytes;
    close(fd);
    if (image.bytes == MAP_FAILED)
        return amp_complain(2, shown, "cannot be read: %s", strerror(errno));
    if (changes_rights(path, &found)) {
        status = amp_complain(2, shown, "runs with another user's rights: the loader loads no library into it");
    } else if (read_interpreter(&image, interpreter, sizeof interpreter)) {
        amp_complain(0, shown, "is a script: its interpreter %s counts", interpreter);
        status = scripts == 0 ? amp_complain(2, shown, "too many scripts name each other as interpreter")
                              : check_file(interpreter, interpreter, sees_malloc, scripts - 1);
    } else if ((why = why_not_image(&image, sees_malloc)) != NULL) {
        status = amp_complain(2, shown, "%s", why);
    }
    munmap((void *) (uintptr_t) image.bytes, image.n);
    return status;
}

/* Look for a program in the folders of PATH. 0, or the errno of the best candidate. */
static int find(const char *program, char *path, size_t cap)
{
    const char *folders = getenv("PATH");
    int err = ENOENT;

    for (const char *from = folders ? folders : "/usr/bin:/bin", *to;; from = to + 1) {
        struct stat found;

        to = strchrnul(from, ':');
        snprintf(path, cap, "%.*s%s%s", (int) (to - from), from, to > from ? "/" : "", program);
        if (stat(path, &found) == 0 && S_ISREG(found.st_mode)) {
            if (access(path, X_OK) == 0)
                return 0;
            err = errno;
        }
        if (!*to)
            return err;
    }
}

static int check(const char *program, bool sees_malloc, char *path, size_t cap)
{
    struct stat found;
    int err = 0;

    if (!strchr(program, '/')) {
        err = program[0] ? find(program, path, cap) : ENOENT;
    } else {
        snprintf(path, cap, "%s", program);
        if (stat(path, &found) || access(path, X_OK))
            err = errno;
        else if (S_ISDIR(found.st_mode))
            err = EISDIR;
    }
    if (err == ENOENT)
        return amp_complain(2, program, "there is no such program");
    if (err == EACCES)
        return amp_complain(2, program, "is not executable, or may not be executed by you");
    if (err)
        return amp_complain(2, program, "%s", strerror(err));
    return check_file(path, program, sees_malloc, SCRIPTS);
}

int amp_program_check(const char *program, char *path, size_t cap)
{
    return check(program, true, path, cap);
}

int amp_program_check_code(const char *program, char *path, size_t cap)
{
    return check(program, false, path, cap);
}
