/* SPDX-License-Identifier: MIT
 *
 * The SHA-256 of files, by a sha256sum that is really there, and how often that is started. */
#include "harness/files/sha256.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/ampersand-sha256-XXXXXX";

static void put(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

/* In an empty folder, with a sha256sum before the system's that notes each start. */
static int set_up(void **state)
{
    char path[4096];

    (void) state;
    if (!mkdtemp(folder) || chdir(folder) || mkdir("bin", 0700))
        return -1;
    put("bin/sha256sum", "#!/bin/sh\necho x >> starts\nPATH=${PATH#*:} exec sha256sum \"$@\"\n");
    snprintf(path, sizeof path, "%s/bin:%s", folder, getenv("PATH"));
    return mkfifo("pipe", 0600) || chmod("bin/sha256sum", 0700) || setenv("PATH", path, 1);
}

static int tear_down(void **state)
{
    static const char *const files[] = { "bin/sha256sum", "starts", "one", "two", "-n", "pipe" };

    (void) state;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        unlink(files[i]);
    return rmdir("bin") || chdir("/") || rmdir(folder);
}

static long starts(void)
{
    struct stat file;

    return stat("starts", &file) ? 0 : (long) file.st_size / 2;
}

/* source   FIPS 180-4's examples */
#define OF_EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define OF_ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static void test_a_file_is_read_once_while_it_does_not_change(void **state)
{
    static const struct {
        const char *name, *write, *path, *want;
        long starts;
    } steps[] = {
        { "empty", "", "one", OF_EMPTY, 1 },
        { "the same file", NULL, "one", OF_EMPTY, 1 },
        { "a name like an option", "abc", "-n", OF_ABC, 2 },
        { "the first again", NULL, "one", OF_EMPTY, 2 },
        { "changed", "abc", "one", OF_ABC, 3 },
        { "another file of that content", "abc", "two", OF_ABC, 4 },
        { "no such file", NULL, "nowhere", NULL, 4 },
        { "a folder", NULL, "bin", NULL, 4 },
        { "a pipe, which nobody writes", NULL, "pipe", NULL, 4 },
    };

    (void) state;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        char hex[65] = "";

        if (steps[i].write)
            put(steps[i].path, steps[i].write);
        if (amp_sha256(steps[i].path, hex) != (steps[i].want != NULL))
            fail_msg("%s: %s", steps[i].name, steps[i].want ? "none" : hex);
        if (steps[i].want && strcmp(hex, steps[i].want) != 0)
            fail_msg("%s: %s", steps[i].name, hex);
        if (starts() != steps[i].starts)
            fail_msg("%s: %ld starts", steps[i].name, starts());
    }
}

static void test_more_files_than_are_kept(void **state)
{
    (void) state;
    for (int i = 0; i < 40; i++) {
        char hex[65];

        put("one", i % 2 ? "abc" : "");
        assert_true(amp_sha256("one", hex));
        assert_string_equal(hex, i % 2 ? OF_ABC : OF_EMPTY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_file_is_read_once_while_it_does_not_change),
        cmocka_unit_test(test_more_files_than_are_kept),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
