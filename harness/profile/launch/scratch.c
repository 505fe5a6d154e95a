/* SPDX-License-Identifier: MIT */
#include "harness/profile/launch/scratch.h"

#include "harness/text/complain.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#define PREFIX "ampersand-profile."
#define FREE_B ((uint64_t) 256 << 20) /* that memory for temporary files must have to be used */
#define YOUNG_S 60                    /* its owner may not have locked it yet */

static const char *find_parent(void)
{
    const char *temporary = getenv("TMPDIR");
    struct statvfs memory;

    if (access("/dev/shm", W_OK) == 0 && statvfs("/dev/shm", &memory) == 0 &&
        memory.f_bavail * memory.f_frsize >= FREE_B)
        return "/dev/shm";
    return temporary && *temporary ? temporary : "/tmp";
}

static int remove_one(const char *path, const struct stat *found, int type, struct FTW *place)
{
    (void) found;
    (void) type;
    (void) place;
    remove(path);
    return 0;
}

void amp_scratch_remove(const char *folder)
{
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS); /* a row's run has folders */
}

/* Its owner holds a lock on it for as long as it lives. */
static bool is_left_behind(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat stat;
    bool left;

    if (fd < 0)
        return false;
    left = fstat(fd, &stat) == 0 && stat.st_uid == geteuid() && stat.st_mtime < time(NULL) - YOUNG_S &&
           flock(fd, LOCK_EX | LOCK_NB) == 0;
    close(fd);
    return left;
}

static void sweep(const char *parent)
{
    DIR *folders = opendir(parent);
    char path[PATH_MAX];

    for (struct dirent *folder; folders && (folder = readdir(folders)) != NULL;)
        if (strncmp(folder->d_name, PREFIX, strlen(PREFIX)) == 0 &&
            snprintf(path, sizeof path, "%s/%s", parent, folder->d_name) < (int) sizeof path && is_left_behind(path))
            amp_scratch_remove(path);
    if (folders)
        closedir(folders);
}

int amp_scratch_make(char *out)
{
    const char *parent = find_parent();
    int fd;

    sweep(parent);
    if (snprintf(out, PATH_MAX, "%s/" PREFIX "XXXXXX", parent) >= PATH_MAX)
        return amp_complain(2, parent, "%s", strerror(ENAMETOOLONG));
    if (!mkdtemp(out))
        return amp_complain(2, out, "cannot be made: %s", strerror(errno));
    fd = open(out, O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* open until this process ends */
    if (fd < 0 || flock(fd, LOCK_EX)) {
        int err = errno;

        amp_scratch_remove(out);
        return amp_complain(2, out, "cannot be locked: %s", strerror(err));
    }
    return 0;
}
