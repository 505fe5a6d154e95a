/* SPDX-License-Identifier: MIT */
#include "harness/files/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

int amp_folder_of(const char *path, char out[PATH_MAX])
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

int amp_folder_make(const char *path)
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
        amp_folder_of(out, above);
        if (strcmp(above, out) == 0)
            return -ENOENT;
        strcpy(out, above);
    }
    if (!S_ISDIR(st.st_mode))
        return -ENOTDIR;
    return faccessat(AT_FDCWD, out, W_OK | X_OK, AT_EACCESS) ? -errno : 0;
}

/* Files that a writer leaves if it is killed before its manifest is complete. */
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
    snprintf(words, cap,
             "the run needs about %.1f MB there and %.1f MB are free: free some space or choose another disk",
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

int amp_folder_prepare(const char *dir, uint64_t need_b, const char **why)
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
        err = amp_folder_make(dir);
    return err ? explain(err, dir, words, sizeof words) : 0;
}

static int clean_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    size_t n = strlen(path);

    (void) st;
    (void) ftw;
    if ((type == FTW_F || type == FTW_SL) && n > 4 && strcmp(path + n - 4, ".tmp") == 0 && unlink(path))
        return -errno;
    return 0;
}

int amp_folder_clean(const char *dir)
{
    int err = nftw(dir, clean_one, 16, FTW_PHYS);

    return err == -1 ? -errno : err;
}
