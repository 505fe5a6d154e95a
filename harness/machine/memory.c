/* SPDX-License-Identifier: MIT */
#include "harness/machine/memory.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool read_kb(const char *text, const char *key, uint64_t *out_b)
{
    const char *at = strstr(text, key);

    if (!at)
        return false;
    *out_b = strtoull(at + strlen(key), NULL, 10) * 1024;
    return true;
}

bool amp_memory_of(pid_t pid, struct amp_memory *out)
{
    char path[64] = "/proc/self/status", text[4096];
    ssize_t n;
    int fd;

    if (pid > 0)
        snprintf(path, sizeof path, "/proc/%ld/status", (long) pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    if (n <= 0)
        return false;
    text[n] = '\0';
    return read_kb(text, "VmRSS:", &out->rss_b) && read_kb(text, "VmHWM:", &out->peak_rss_b) &&
           read_kb(text, "VmSize:", &out->mapped_b) && read_kb(text, "VmPeak:", &out->peak_mapped_b);
}
