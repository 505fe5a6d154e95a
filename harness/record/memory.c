/* SPDX-License-Identifier: MIT */
#include "harness/record/memory.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE_B 4096u
/* What is right behind a file is its variables, unless it is large: then it has grown together with a mapping of an
 * allocator. glibc's have 128 KiB and more. */
#define VARIABLES_B ((uintptr_t) 128 << 10)

size_t amp_memory_own(void)
{
    char text[128];
    int fd = (int) syscall(SYS_openat, AT_FDCWD, "/proc/self/statm", O_RDONLY | O_CLOEXEC);
    long n = fd < 0 ? -1 : syscall(SYS_read, fd, text, sizeof text - 1);
    unsigned long pages[3] = { 0 };
    char *at = text;

    if (fd >= 0)
        syscall(SYS_close, fd);
    if (n <= 0)
        return 0;
    text[n] = '\0';
    for (int i = 0; i < 3; i++)
        pages[i] = strtoul(at, &at, 10);
    return pages[1] > pages[2] ? pages[1] - pages[2] : 0;
}

size_t amp_memory_resident(uintptr_t address, size_t size_b)
{
    uintptr_t first = address / PAGE_B * PAGE_B, page = first, end = (address + size_b) / PAGE_B * PAGE_B;
    unsigned char resident[1024];
    size_t n = 0;

    while (page < end) {
        size_t pages = (end - page) / PAGE_B;

        pages = pages < sizeof resident ? pages : sizeof resident;
        if (syscall(SYS_mincore, page, pages * PAGE_B, resident))
            return SIZE_MAX;
        for (size_t i = 0; i < pages; i++)
            n += resident[i] & 1;
        page += pages * PAGE_B;
    }
    return n + (n == (end - first) / PAGE_B);
}

/* ---- /proc/self/smaps, line by line */

struct mappings {
    uintptr_t ours;     /* an address in memory of ours */
    uintptr_t file_end; /* of the mapping before, if it was a file's */
    bool is_besides;    /* the present one */
    size_t pages;
};

/* "7f0000000000-7f0000001000 rw-p 00002000 fe:00 1234    /lib/libc.so.6" */
static void take_mapping(struct mappings *mappings, char *line)
{
    uintptr_t from = strtoul(line, &line, 16), to = *line == '-' ? strtoul(line + 1, &line, 16) : 0;
    unsigned long inode = 0;
    bool is_behind = from == mappings->file_end;

    for (int i = 0; i < 3 && line; i++) /* permissions, offset, device */
        line = strchr(line + 1, ' ');
    if (line)
        inode = strtoul(line, &line, 10);
    while (line && *line == ' ')
        line++;
    mappings->is_besides = inode > 0 || (from <= mappings->ours && mappings->ours < to) ||
                           (line && strncmp(line, "[stack", strlen("[stack")) == 0) ||
                           (line && !*line && is_behind && to - from <= VARIABLES_B);
    mappings->file_end = inode > 0 ? to : 0;
}

static void take_line(struct mappings *mappings, char *line)
{
    static const char key[] = "Anonymous:";

    if (*line >= 'A' && *line <= 'Z') {
        if (mappings->is_besides && strncmp(line, key, sizeof key - 1) == 0)
            mappings->pages += strtoul(line + sizeof key - 1, NULL, 10) * 1024 / PAGE_B;
        return;
    }
    take_mapping(mappings, line);
}

size_t amp_memory_besides(const void *ours)
{
    struct mappings mappings = { .ours = (uintptr_t) ours };
    char text[512], line[128]; /* of a longer one, the beginning */
    size_t length = 0;
    int fd = (int) syscall(SYS_openat, AT_FDCWD, "/proc/self/smaps", O_RDONLY | O_CLOEXEC);
    long n;

    while (fd >= 0 && (n = syscall(SYS_read, fd, text, sizeof text)) > 0)
        for (long i = 0; i < n; i++) {
            if (text[i] != '\n') {
                line[length] = text[i];
                length += length + 1 < sizeof line;
                continue;
            }
            line[length] = '\0';
            length = 0;
            take_line(&mappings, line);
        }
    if (fd >= 0)
        syscall(SYS_close, fd);
    return mappings.pages;
}
