/* SPDX-License-Identifier: MIT */
#include "harness/profile/copies/preload/sections.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

static int read_at(int fd, void *out, size_t size_b, uint64_t at)
{
    return pread(fd, out, size_b, (off_t) at) == (ssize_t) size_b ? 0 : -ENOEXEC;
}

int amp_copies_find(int fd, const char *name, struct amp_copies_place *out)
{
    Elf64_Ehdr head;
    Elf64_Shdr strings, section;
    char text[32];

    if (read_at(fd, &head, sizeof head, 0) || memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 ||
        head.e_ident[EI_CLASS] != ELFCLASS64 || head.e_shentsize != sizeof section || head.e_shstrndx >= head.e_shnum ||
        read_at(fd, &strings, sizeof strings, head.e_shoff + head.e_shstrndx * sizeof section))
        return -ENOEXEC;
    for (unsigned i = 0; i < head.e_shnum; i++) {
        if (read_at(fd, &section, sizeof section, head.e_shoff + i * sizeof section))
            return -ENOEXEC;
        if (read_at(fd, text, strlen(name) + 1, strings.sh_offset + section.sh_name) ||
            memcmp(text, name, strlen(name) + 1) != 0)
            continue;
        *out = (struct amp_copies_place){ section.sh_addr, section.sh_offset, section.sh_size };
        return 0;
    }
    return -ENOENT;
}
