/* SPDX-License-Identifier: MIT */
#include "harness/results.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* 15 digits are what every double keeps: 45.1 is written as 45.1. */
#define JSON_FLAGS (JSON_REAL_PRECISION(15) | JSON_PRESERVE_ORDER)

static int write_all(int fd, const char *text, size_t n)
{
    while (n > 0) {
        ssize_t written = write(fd, text, n);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -errno;
        text += written;
        n -= (size_t) written;
    }
    return 0;
}

/* A line of JSON, malloc()ed, or NULL. */
static char *dump_line(const json_t *value)
{
    char *text = json_dumps(value, JSON_FLAGS), *line;
    size_t n;

    if (!text)
        return NULL;
    n = strlen(text);
    line = realloc(text, n + 2);
    if (!line) {
        free(text);
        return NULL;
    }
    memcpy(line + n, "\n", 2);
    return line;
}

/* A path's folder into out; "." where it names none. */
static int folder_of(const char *path, char out[PATH_MAX])
{
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t) (slash - path) : 1;

    if (n >= PATH_MAX)
        return -ENAMETOOLONG;
    if (!slash) {
        strcpy(out, ".");
    } else if (n == 0) {
        strcpy(out, "/");
    } else {
        memcpy(out, path, n);
        out[n] = '\0';
    }
    return 0;
}

static int make_one(const char *path)
{
    struct stat st;

    if (mkdir(path, 0777) == 0)
        return 0;
    if (errno != EEXIST)
        return -errno;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

int amp_results_make_folder(const char *path)
{
    char part[PATH_MAX];
    size_t n = strlen(path);

    if (n == 0)
        return -ENOENT;
    if (n >= sizeof part)
        return -ENAMETOOLONG;
    for (size_t i = 1; i <= n; i++) {
        int err;

        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        err = make_one(part);
        if (err)
            return err;
    }
    return 0;
}

/* The name of a file is on the disk only once its folder is. */
static int flush_folder_of(const char *path)
{
    char folder[PATH_MAX];
    int err = folder_of(path, folder), fd;

    if (err)
        return err;
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (fsync(fd) && errno != EINVAL) /* some file systems cannot flush a folder */
        err = -errno;
    close(fd);
    return err;
}

static int write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666), err;

    if (fd < 0)
        return -errno;
    err = write_all(fd, text, strlen(text));
    if (!err && fsync(fd))
        err = -errno;
    if (close(fd) && !err)
        err = -errno;
    return err;
}

int amp_results_publish(const char *path)
{
    char tmp[PATH_MAX];
    int fd, err = 0;

    if ((size_t) snprintf(tmp, sizeof tmp, "%s.tmp", path) >= sizeof tmp)
        return -ENAMETOOLONG;
    fd = open(tmp, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (fsync(fd))
        err = -errno;
    close(fd);
    if (!err && rename(tmp, path))
        err = -errno;
    if (err) {
        unlink(tmp);
        return err;
    }
    return flush_folder_of(path);
}

int amp_results_write(const char *path, const json_t *value)
{
    char tmp[PATH_MAX], folder[PATH_MAX];
    char *line = NULL;
    int err = folder_of(path, folder);

    if (!err && (size_t) snprintf(tmp, sizeof tmp, "%s.tmp", path) >= sizeof tmp)
        err = -ENAMETOOLONG;
    if (!err)
        err = amp_results_make_folder(folder);
    if (err)
        return err;
    line = dump_line(value);
    if (!line)
        return -ENOMEM;
    err = write_file(tmp, line);
    free(line);
    if (err) {
        unlink(tmp);
        return err;
    }
    return amp_results_publish(path);
}

/* Where the last whole line ends. */
static int end_of_lines(int fd, off_t *out)
{
    off_t end = lseek(fd, 0, SEEK_END);
    char chunk[4096];

    if (end < 0)
        return -errno;
    while (end > 0) {
        off_t begin = end > (off_t) sizeof chunk ? end - (off_t) sizeof chunk : 0;
        ssize_t n = pread(fd, chunk, (size_t) (end - begin), begin);

        if (n != end - begin)
            return n < 0 ? -errno : -EIO;
        for (; n > 0; n--, end--)
            if (chunk[n - 1] == '\n') {
                *out = end;
                return 0;
            }
    }
    *out = 0;
    return 0;
}

int amp_results_append(const char *path, const json_t *value)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666), err;
    char *line = NULL;
    off_t end;

    if (fd < 0)
        return -errno;
    err = end_of_lines(fd, &end);
    if (err)
        goto out;
    line = dump_line(value);
    if (!line) {
        err = -ENOMEM;
        goto out;
    }
    if (ftruncate(fd, end) || lseek(fd, end, SEEK_SET) < 0) {
        err = -errno;
        goto out;
    }
    err = write_all(fd, line, strlen(line));
    if (!err && fdatasync(fd))
        err = -errno;
    if (err && ftruncate(fd, end)) /* half a line is no line; where even this fails, the next writer does it */
        goto out;
out:
    free(line);
    if (close(fd) && !err)
        err = -errno;
    return err;
}

/* The nearest folder at or above `dir` that exists, into out. */
static int existing_part(const char *dir, char out[PATH_MAX])
{
    struct stat st;

    if (strlen(dir) >= PATH_MAX)
        return -ENAMETOOLONG;
    strcpy(out, dir);
    while (stat(out, &st)) {
        char above[PATH_MAX];
        size_t n = strlen(out);

        if (errno != ENOENT)
            return -errno;
        while (n > 1 && out[n - 1] == '/')
            out[--n] = '\0';
        folder_of(out, above);
        if (strcmp(above, out) == 0)
            return -ENOENT;
        strcpy(out, above);
    }
    if (!S_ISDIR(st.st_mode))
        return -ENOTDIR;
    return access(out, W_OK | X_OK) ? -errno : 0;
}

/* What a writer leaves that was killed before its manifest was whole. */
static bool is_left_over(const char *name)
{
    static const char *const names[] = { ".", "..", "manifest.json.tmp", "probe.tmp" };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

/* 0 if empty or missing, -EEXIST for a run, -ENOTEMPTY for anything else. */
static int look_inside(const char *dir)
{
    DIR *stream = opendir(dir);
    struct dirent *entry;
    int err = 0;

    if (!stream)
        return errno == ENOENT ? 0 : -errno;
    while (err != -EEXIST && (entry = readdir(stream))) {
        if (strcmp(entry->d_name, "manifest.json") == 0)
            err = -EEXIST;
        else if (!is_left_over(entry->d_name))
            err = -ENOTEMPTY;
    }
    closedir(stream);
    return err;
}

static int find_room(const char *folder, uint64_t need_b, char *words, size_t cap)
{
    struct statvfs fs;
    uint64_t free_b;

    if (statvfs(folder, &fs))
        return -errno;
    free_b = (uint64_t) fs.f_bavail * fs.f_frsize;
    if (free_b >= need_b)
        return 0;
    snprintf(words, cap, "the run needs about %.1f MB there and %.1f MB are free: free some space or choose another disk",
             (double) need_b / 1e6, (double) free_b / 1e6);
    return -ENOSPC;
}

static int explain(int err, const char *dir, char *words, size_t cap)
{
    switch (-err) {
    case EEXIST:
        snprintf(words, cap, "it holds a run already: go on with --resume %s, or choose another folder", dir);
        break;
    case ENOTEMPTY:
        snprintf(words, cap, "it holds something that is not a run: choose another folder");
        break;
    case ENOTDIR:
        snprintf(words, cap, "a file is in the way: choose another folder");
        break;
    default:
        snprintf(words, cap, "it cannot be written: %s", strerror(-err));
    }
    return err;
}

int amp_results_prepare(const char *dir, uint64_t need_b, const char **why)
{
    static char words[PATH_MAX + 128];
    char folder[PATH_MAX];
    int err = existing_part(dir, folder);

    *why = words;
    if (!err)
        err = look_inside(dir);
    if (!err) {
        err = find_room(folder, need_b, words, sizeof words);
        if (err == -ENOSPC)
            return err;
    }
    if (!err)
        err = amp_results_make_folder(dir);
    return err ? explain(err, dir, words, sizeof words) : 0;
}

int amp_results_probe(const char *dir, uint64_t need_b)
{
    static const char zeros[65536];
    char path[PATH_MAX];
    int fd, err = 0;

    if ((size_t) snprintf(path, sizeof path, "%s/probe.tmp", dir) >= sizeof path)
        return -ENAMETOOLONG;
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return -errno;
    for (uint64_t left_b = need_b; left_b > 0 && !err;) {
        size_t n = left_b < sizeof zeros ? (size_t) left_b : sizeof zeros;

        err = write_all(fd, zeros, n);
        left_b -= n;
    }
    if (!err && fsync(fd))
        err = -errno;
    close(fd);
    unlink(path);
    return err;
}

static int clean_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    size_t n = strlen(path);

    (void) st;
    (void) ftw;
    if (type == FTW_F && n > 4 && strcmp(path + n - 4, ".tmp") == 0 && unlink(path))
        return -errno;
    return 0;
}

int amp_results_clean(const char *dir)
{
    int err = nftw(dir, clean_one, 16, FTW_PHYS);

    return err == -1 ? -errno : err;
}
