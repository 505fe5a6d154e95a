/* SPDX-License-Identifier: MIT
 *
 * source   proc(5): maps, environ, fd, net/tcp, net/unix */
#include "harness/allocators/program/seen.h"

#include "harness/run/process.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum { LISTENING = 1024 };

static FILE *open_of(pid_t pid, const char *name)
{
    char path[96];

    snprintf(path, sizeof path, "/proc/%ld/%s", (long) pid, name);
    return fopen(path, "re");
}

static bool is_libc(const char *path)
{
    const char *base = strrchr(path, '/');

    return base && (strncmp(base, "/libc.so", 8) == 0 || strncmp(base, "/libc-", 6) == 0 ||
                    strncmp(base, "/ld-musl", 8) == 0);
}

void amp_seen_library(pid_t pid, const char *preload, char out[PATH_MAX])
{
    char wanted[PATH_MAX] = "", *line = NULL;
    FILE *maps = open_of(pid, "maps");
    size_t cap = 0;

    out[0] = '\0';
    if (preload && !realpath(preload, wanted))
        wanted[0] = '\0';
    while (maps && getline(&line, &cap, maps) > 0) {
        char *path = strchr(line, '/');

        if (!path)
            continue;
        path[strcspn(path, "\n")] = '\0';
        if (strlen(path) < PATH_MAX && (strcmp(path, wanted) == 0 || (is_libc(path) && !out[0])))
            strcpy(out, path);
        if (wanted[0] && strcmp(out, wanted) == 0)
            break;
    }
    free(line);
    if (maps)
        fclose(maps);
}

uint64_t amp_seen_settings(pid_t pid)
{
    FILE *environment = open_of(pid, "environ");
    uint32_t crc32 = 0;
    char *text = NULL;
    size_t cap = 0;
    ssize_t n;

    if (!environment)
        return UINT64_MAX;
    while ((n = getdelim(&text, &cap, '\0', environment)) > 0)
        if (amp_process_is_of_allocators(text) && strncmp(text, "LD_PRELOAD=", strlen("LD_PRELOAD=")) != 0)
            crc32 ^= (uint32_t) crc32_z(0, (const Bytef *) text, strlen(text));
    free(text);
    fclose(environment);
    return crc32;
}

/* ---- Sockets */

/* The inodes of the listening sockets that one file of /proc/net names. In net/tcp the state is the fourth word, 0A; in
 * net/unix the flags are, with the bit of a socket that accepts. */
static size_t read_listening(const char *path, bool is_unix, unsigned long *out, size_t n)
{
    FILE *file = fopen(path, "re");
    unsigned long inode, flags;
    char line[512], state[8];

    while (file && n < LISTENING && fgets(line, sizeof line, file)) {
        if (is_unix && sscanf(line, "%*s %*s %*s %lx %*s %*s %lu", &flags, &inode) == 2 && flags & 0x10000)
            out[n++] = inode;
        if (!is_unix && sscanf(line, " %*s %*s %*s %7s %*s %*s %*s %*s %*s %lu", state, &inode) == 2 &&
            strcmp(state, "0A") == 0)
            out[n++] = inode;
    }
    if (file)
        fclose(file);
    return n;
}

static bool has_one_of(pid_t pid, const unsigned long *inodes, size_t n)
{
    char path[64], to[64];
    bool found = false;
    DIR *descriptors;

    snprintf(path, sizeof path, "/proc/%ld/fd", (long) pid);
    descriptors = opendir(path);
    for (struct dirent *one; descriptors && !found && (one = readdir(descriptors)) != NULL;) {
        ssize_t length = readlinkat(dirfd(descriptors), one->d_name, to, sizeof to - 1);
        unsigned long inode;

        to[length > 0 ? length : 0] = '\0';
        if (sscanf(to, "socket:[%lu]", &inode) != 1)
            continue;
        for (size_t i = 0; i < n && !found; i++)
            found = inodes[i] == inode;
    }
    if (descriptors)
        closedir(descriptors);
    return found;
}

bool amp_seen_listening(const pid_t *pids, size_t n)
{
    static unsigned long inodes[LISTENING];
    size_t n_inodes = read_listening("/proc/net/tcp", false, inodes, 0);

    n_inodes = read_listening("/proc/net/tcp6", false, inodes, n_inodes);
    n_inodes = read_listening("/proc/net/unix", true, inodes, n_inodes);
    for (size_t i = 0; i < n; i++)
        if (has_one_of(pids[i], inodes, n_inodes))
            return true;
    return false;
}
