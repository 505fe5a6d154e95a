/* SPDX-License-Identifier: MIT */
#include "harness/files/sha256.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* Read up to n bytes, until the end; returns how many. */
static size_t read_up_to(int fd, char *out, size_t n)
{
    size_t done = 0;

    while (done < n) {
        ssize_t got = read(fd, out + done, n - done);

        if (got == 0 || (got < 0 && errno != EINTR))
            break;
        done += got > 0 ? (size_t) got : 0;
    }
    return done;
}

static bool run_sha256sum(const char *path, char out[65])
{
    char *const argv[] = { (char *) "sha256sum", (char *) "--", (char *) path, NULL };
    posix_spawn_file_actions_t actions;
    int output[2];
    pid_t child;
    bool is_started;

    if (pipe2(output, O_CLOEXEC))
        return false;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    is_started = posix_spawnp(&child, argv[0], &actions, NULL, argv, environ) == 0;
    posix_spawn_file_actions_destroy(&actions);
    close(output[1]);
    out[is_started ? read_up_to(output[0], out, 64) : 0] = '\0';
    close(output[0]); /* the rest of its output is not needed; writing it may end sha256sum by SIGPIPE */
    while (is_started && waitpid(child, NULL, 0) < 0 && errno == EINTR)
        continue;
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

    if (stat(path, &now))
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
