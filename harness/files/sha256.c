/* SPDX-License-Identifier: MIT */
#include "harness/files/sha256.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool run_sha256sum(const char *path, char out[65])
{
    int file = open(path, O_RDONLY);
    char command[64];
    FILE *output;

    if (file < 0)
        return false;
    snprintf(command, sizeof command, "sha256sum /dev/fd/%d 2>/dev/null", file); /* needs no quotes */
    output = popen(command, "re");
    if (!output || !fgets(out, 65, output))
        out[0] = '\0';
    if (output)
        pclose(output);
    close(file);
    return strspn(out, "0123456789abcdef") == 64;
}

bool amp_sha256(const char *path, char out[65])
{
    static struct {
        struct stat file;
        char hex[65];
    } known[8]; /* more than there are allocators */
    static size_t next;
    struct stat now;

    if (stat(path, &now) || !S_ISREG(now.st_mode))
        return false;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        const struct stat *file = &known[i].file;

        if (known[i].hex[0] && file->st_dev == now.st_dev && file->st_ino == now.st_ino &&
            file->st_size == now.st_size && file->st_ctim.tv_sec == now.st_ctim.tv_sec &&
            file->st_ctim.tv_nsec == now.st_ctim.tv_nsec) {
            strcpy(out, known[i].hex);
            return true;
        }
    }
    if (!run_sha256sum(path, out))
        return false;
    known[next].file = now;
    strcpy(known[next].hex, out);
    next = (next + 1) % (sizeof known / sizeof known[0]);
    return true;
}
