/* SPDX-License-Identifier: MIT */
#include "harness/files/results.h"

#include "harness/files/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

/* Every double keeps 15 digits, so 45.1 is written as 45.1. */
#define JSON_FLAGS (JSON_REAL_PRECISION(15) | JSON_PRESERVE_ORDER)

/* Write all bytes, however often write() must be called. */
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

    if (!text || asprintf(&line, "%s\n", text) < 0)
        line = NULL;
    free(text);
    return line;
}

/* The name of a file is on the disk only once its folder is. */
static int flush_folder_of(const char *path)
{
    char folder[PATH_MAX];
    int err = amp_folder_of(path, folder), fd;

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

/* Open a new file for writing: a descriptor, or a negative errno. A file of that name, from a killed writer or from
 * somebody else who can write into the folder, is removed first. Links are never followed. */
static int create(const char *path)
{
    int fd;

    if (unlink(path) && errno != ENOENT)
        return -errno;
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    return fd < 0 ? -errno : fd;
}

int amp_results_look(const char *path)
{
    struct stat st;

    if (stat(path, &st) || access(path, R_OK))
        return -errno;
    return S_ISREG(st.st_mode) ? 0 : S_ISDIR(st.st_mode) ? -EISDIR : -ESPIPE;
}

static int write_file(const char *path, const char *text)
{
    int fd = create(path), err;

    if (fd < 0)
        return fd;
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
    fd = open(tmp, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
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
    int err = amp_folder_of(path, folder);

    if (!err && (size_t) snprintf(tmp, sizeof tmp, "%s.tmp", path) >= sizeof tmp)
        err = -ENAMETOOLONG;
    if (!err)
        err = amp_folder_make(folder);
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
    int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666), err;
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
    if (err && ftruncate(fd, end)) /* remove half a line; if this fails, the next writer does it */
        goto out;
out:
    free(line);
    if (close(fd) && !err)
        err = -errno;
    return err;
}

int amp_results_probe(const char *dir, uint64_t need_b)
{
    static const char zeros[65536];
    char path[PATH_MAX];
    int fd, err = 0;

    if ((size_t) snprintf(path, sizeof path, "%s/probe.tmp", dir) >= sizeof path)
        return -ENAMETOOLONG;
    fd = create(path);
    if (fd < 0)
        return fd;
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

int amp_results_crc32(const char *path, uint32_t *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), err = 0;
    unsigned char chunk[16384];
    uLong crc = crc32_z(0, NULL, 0);
    ssize_t n;

    if (fd < 0)
        return -errno;
    while ((n = read(fd, chunk, sizeof chunk)) != 0) {
        if (n < 0 && errno != EINTR) {
            err = -errno;
            break;
        }
        if (n > 0)
            crc = crc32_z(crc, chunk, (size_t) n);
    }
    close(fd);
    if (!err)
        *out = (uint32_t) crc;
    return err;
}

const char *amp_results_now(char out[32])
{
    time_t now = time(NULL);
    struct tm utc;

    gmtime_r(&now, &utc);
    strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &utc);
    return out;
}
