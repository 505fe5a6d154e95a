/* SPDX-License-Identifier: MIT
 *
 * Finds the hooks of marks, by the section that they are in (harness/marks.h), and sets them.
 *
 * A library that the program loads later is found when dlopen() returns. Where that is given a name without a path, it
 * must be called by the program itself, whose own search path counts: such a library is found at the next occasion. */
#include "harness/timeline/preload/write.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECTION "amp_marks"

struct file {
    const unsigned char *bytes;
    uint64_t size_b;
};

/* `n` bytes at an offset; NULL if the file is shorter. */
static const void *at(const struct file *file, uint64_t offset, uint64_t n)
{
    return offset <= file->size_b && n <= file->size_b - offset ? file->bytes + offset : NULL;
}

static bool map(const char *path, struct file *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat found;
    void *bytes = MAP_FAILED;

    if (fd >= 0 && fstat(fd, &found) == 0 && S_ISREG(found.st_mode) && found.st_size > 0)
        bytes = mmap(NULL, (size_t) found.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (fd >= 0)
        close(fd);
    *out = (struct file){ bytes, bytes == MAP_FAILED ? 0 : (uint64_t) found.st_size };
    return bytes != MAP_FAILED;
}

static bool is_ours(const struct file *file, const ElfW(Shdr) *names, const ElfW(Shdr) *section)
{
    const char *name = at(file, names->sh_offset + section->sh_name, sizeof SECTION);

    return section->sh_type == SHT_PROGBITS && (section->sh_flags & SHF_WRITE) && (section->sh_flags & SHF_ALLOC) &&
           name && memcmp(name, SECTION, sizeof SECTION) == 0;
}

static void set(const struct file *file, ElfW(Addr) bias)
{
    const ElfW(Ehdr) *head = at(file, 0, sizeof *head);
    const ElfW(Shdr) *sections, *names;

    if (!head || memcmp(head->e_ident, ELFMAG, SELFMAG) != 0 || head->e_shentsize != sizeof *sections)
        return;
    sections = at(file, head->e_shoff, (uint64_t) head->e_shnum * sizeof *sections);
    if (!sections || head->e_shstrndx >= head->e_shnum)
        return;
    names = &sections[head->e_shstrndx];
    for (unsigned i = 0; i < head->e_shnum; i++) {
        amp_mark_fn *volatile *hooks = (amp_mark_fn *volatile *) (bias + sections[i].sh_addr);

        if (is_ours(file, names, &sections[i]))
            for (size_t k = 0; k < sections[i].sh_size / sizeof *hooks; k++)
                hooks[k] = amp_ring_write;
    }
}

static int look_at(struct dl_phdr_info *module, size_t size, void *argument)
{
    const char *path = module->dlpi_name && *module->dlpi_name ? module->dlpi_name : "/proc/self/exe";
    struct file file;

    (void) size;
    (void) argument;
    if (map(path, &file)) {
        set(&file, module->dlpi_addr);
        munmap((void *) (uintptr_t) file.bytes, file.size_b);
    }
    return 0;
}

void amp_marks_switch_on(void)
{
    if (amp_ring_is_traced()) /* else a lesson needs what is here, and times a mark that is off */
        dl_iterate_phdr(look_at, NULL);
}

static void *(*real_dlopen)(const char *, int);

static void *find_dlopen(void)
{
    void *found = dlsym(RTLD_NEXT, "dlopen");

    memcpy(&real_dlopen, &found, sizeof found);
    return found;
}

void *dlopen(const char *path, int mode);
__attribute__((visibility("default"))) void *dlopen(const char *path, int mode)
{
    void *library;

    if (!real_dlopen && !find_dlopen())
        return NULL;
    if (path && !strchr(path, '/')) {
        amp_marks_switch_on();
        return real_dlopen(path, mode); /* a jump: it sees the program as its caller */
    }
    library = real_dlopen(path, mode);
    amp_marks_switch_on();
    return library;
}
