/* SPDX-License-Identifier: MIT
 *
 * Result files appear whole or not at all, whatever fails or is killed; run folders are refused for the right
 * reason. */
#include "harness/files/folder.h"
#include "harness/files/results.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static char folder[] = "/tmp/ampersand-results-XXXXXX";

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void) st;
    (void) type;
    return ftw->level > 0 ? remove(path) : 0;
}

/* Each test begins in an empty folder, which is the working directory. */
static int set_up(void **state)
{
    (void) state;
    return nftw(folder, remove_one, 16, FTW_PHYS | FTW_DEPTH);
}

static int make_folder(void **state)
{
    (void) state;
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int remove_folder(void **state)
{
    set_up(state);
    return chdir("/") || rmdir(folder);
}

static void put(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* A file's text, or NULL where there is none; static. */
static const char *get(const char *path)
{
    static char text[1 << 16];
    FILE *file = fopen(path, "r");
    size_t n;

    if (!file)
        return NULL;
    n = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[n] = '\0';
    return text;
}

static void same_text(const char *name, const char *path, const char *want)
{
    const char *text = get(path);

    if (want ? !text || strcmp(text, want) != 0 : text != NULL)
        fail_msg("%s: %s holds '%.80s', not '%.80s'", name, path, text ? text : "(no file)", want ? want : "(no file)");
}

/* Files of this process can be only so long: a full disk that needs no disk. */
static void limit_files(rlim_t limit_b)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = limit_b;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static json_t *long_value(void)
{
    json_t *array = json_array();

    for (int i = 0; i < 2000; i++)
        json_array_append_new(array, json_integer(i));
    return json_pack("{s:o}", "ns", array);
}

static void test_write(void **state)
{
    static const struct {
        const char *name, *path;
    } rows[] = {
        { "here", "a.json" },
        { "in new folders", "b/c/size=8/000.json" },
        { "over another", "b/c/size=8/000.json" },
    };
    json_t *value = json_pack("{s:i, s:f}", "ops", 12, "cost_ns", 45.1);

    (void) state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char tmp[64];

        assert_int_equal(amp_results_write(rows[i].path, value), 0);
        same_text(rows[i].name, rows[i].path, "{\"ops\": 12, \"cost_ns\": 45.1}\n");
        snprintf(tmp, sizeof tmp, "%s.tmp", rows[i].path);
        same_text(rows[i].name, tmp, NULL);
    }
    json_decref(value);
}

static void test_write_fails(void **state)
{
    static const struct {
        const char *name, *path;
        rlim_t limit_b;
        int want;
        const char *before; /* what the path held and must hold after */
    } rows[] = {
        { "no room, new file", "new.json", 4096, -EFBIG, NULL },
        { "no room at all", "new.json", 0, -EFBIG, NULL },
        { "no room, over another", "old.json", 4096, -EFBIG, "{\"old\": 1}\n" },
        { "a folder has its name", "folder", RLIM_INFINITY, -EISDIR, NULL },
        { "a file is where its folder should be", "old.json/a.json", RLIM_INFINITY, -ENOTDIR, NULL },
        { "a file system that takes none", "/proc/ampersand.json", RLIM_INFINITY, -ENOENT, NULL },
    };
    json_t *value = long_value();

    (void) state;
    put("old.json", "{\"old\": 1}\n");
    assert_int_equal(mkdir("folder", 0777), 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        char tmp[64];
        int err;

        limit_files(rows[i].limit_b);
        err = amp_results_write(rows[i].path, value);
        limit_files(RLIM_INFINITY);
        if (err != rows[i].want)
            fail_msg("%s: %s, not %s", rows[i].name, strerror(-err), strerror(-rows[i].want));
        snprintf(tmp, sizeof tmp, "%s.tmp", rows[i].path);
        same_text(rows[i].name, tmp, NULL);
        if (rows[i].want == -EFBIG)
            same_text(rows[i].name, rows[i].path, rows[i].before);
    }
    same_text("what was there", "old.json", "{\"old\": 1}\n");
    json_decref(value);
    assert_int_equal(amp_results_write("null.json", NULL), -ENOMEM);
    same_text("nothing to write", "null.json", NULL);
}

/* Killed at any moment, a writer leaves the file as it was or whole. It counts what it has written: the kill comes
 * somewhere within the next file. */
static void test_write_killed(void **state)
{
    atomic_uint *written = mmap(NULL, sizeof *written, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    unsigned whole = 0, seed = 1;

    (void) state;
    assert_ptr_not_equal(written, MAP_FAILED);
    for (unsigned i = 0; i < 40; i++) {
        pid_t child;
        json_error_t error;
        json_t *read;

        atomic_store(written, 0);
        child = fork();
        if (child == 0)
            for (json_t *value = long_value();; atomic_fetch_add(written, 1))
                amp_results_write("killed.json", value);
        while (atomic_load(written) < i % 4) /* 0: perhaps before there is any */
            sched_yield();
        for (volatile int spins = rand_r(&seed) % 200000; spins > 0; spins--)
            continue;
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, NULL, 0), child);
        if (access("killed.json", F_OK))
            continue;
        read = json_load_file("killed.json", 0, &error);
        if (!read)
            fail_msg("half a file: line %d: %s", error.line, error.text);
        assert_int_equal(json_array_size(json_object_get(read, "ns")), 2000);
        json_decref(read);
        whole++;
    }
    assert_true(whole >= 30); /* where any had been written */
    munmap((void *) written, sizeof *written);
}

static void test_publish(void **state)
{
    (void) state;
    assert_int_equal(amp_results_publish("solo.json"), -ENOENT);
    put("solo.json.tmp", "{}");
    assert_int_equal(amp_results_publish("solo.json"), 0);
    same_text("published", "solo.json", "{}");
    same_text("published", "solo.json.tmp", NULL);
}

static char long_line[20002], long_cut[10001];

static void fill_long(void)
{
    memset(long_line, 'x', sizeof long_line - 2);
    long_line[sizeof long_line - 2] = '\n';
    memset(long_cut, 'x', sizeof long_cut - 1);
}

static void test_append(void **state)
{
    static const struct {
        const char *name, *before, *want_before; /* what of it stays */
    } rows[] = {
        { "no file", NULL, "" },
        { "empty", "", "" },
        { "one line", "{\"n\": 1}\n", "{\"n\": 1}\n" },
        { "two lines", "{\"n\": 1}\n{\"n\": 2}\n", "{\"n\": 1}\n{\"n\": 2}\n" },
        { "cut line", "{\"n\": 1}\n{\"n\": ", "{\"n\": 1}\n" },
        { "only a cut line", "{\"schema\": \"amper", "" },
        { "whole but for its end", "{\"n\": 1}\n{\"n\": 2}", "{\"n\": 1}\n" },
        { "longer than a buffer", long_line, long_line },
        { "cut, longer than a buffer", long_cut, "" },
    };
    json_t *value = json_pack("{s:s}", "event", "done");

    (void) state;
    fill_long();
    for (size_t i = 0; i < COUNT(rows); i++) {
        char want[sizeof long_line + 64];

        unlink("journal.jsonl");
        if (rows[i].before)
            put("journal.jsonl", rows[i].before);
        assert_int_equal(amp_results_append("journal.jsonl", value), 0);
        snprintf(want, sizeof want, "%s{\"event\": \"done\"}\n", rows[i].want_before);
        same_text(rows[i].name, "journal.jsonl", want);
        assert_int_equal(amp_results_append("journal.jsonl", value), 0);
        strcat(want, "{\"event\": \"done\"}\n");
        same_text(rows[i].name, "journal.jsonl", want);
    }
    json_decref(value);
}

static void test_append_fails(void **state)
{
    static const struct {
        const char *name;
        rlim_t limit_b;
    } rows[] = { { "no room", 9 }, { "room for a part of the line", 100 }, { "for all but its end", 9 + 10898 } };
    json_t *value = long_value();

    (void) state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int err;

        put("journal.jsonl", "{\"n\": 1}\n");
        limit_files(rows[i].limit_b);
        err = amp_results_append("journal.jsonl", value);
        limit_files(RLIM_INFINITY);
        if (err != -EFBIG)
            fail_msg("%s: %s", rows[i].name, strerror(-err));
        same_text(rows[i].name, "journal.jsonl", "{\"n\": 1}\n");
    }
    json_decref(value);
    assert_int_equal(amp_results_append("no/such/folder/journal.jsonl", value), -ENOENT);
}

static void test_prepare(void **state)
{
    static const struct {
        const char *name, *dir;
        uint64_t need_b;
        int want;
        const char *word; /* in *why */
        bool there;       /* after it */
    } rows[] = {
        { "missing", "new", 1000, 0, "", true },
        { "missing with those above", "x/y/z", 1000, 0, "", true },
        { "trailing slash", "slash/", 1000, 0, "", true },
        { "empty", "empty", 1000, 0, "", true },
        { "left by a killed run", "killed", 1000, 0, "", true },
        { "a run", "run", 1000, -EEXIST, "--resume run", true },
        { "something else", "other", 1000, -ENOTEMPTY, "not a run", true },
        { "a file", "file", 1000, -ENOTDIR, "file is in the way", true },
        { "below a file", "file/run", 1000, -ENOTDIR, "file is in the way", false },
        { "no room", "big", UINT64_MAX, -ENOSPC, "MB are free", false },
        { "no room above", "big/er", UINT64_MAX, -ENOSPC, "MB are free", false },
        { "a file system that takes none", "/proc/run", 0, -ENOENT, "cannot be written", false },
    };

    (void) state;
    assert_int_equal(mkdir("empty", 0777) | mkdir("killed", 0777) | mkdir("run", 0777) | mkdir("other", 0777), 0);
    put("killed/manifest.json.tmp", "{");
    put("run/manifest.json", "{}");
    put("run/journal.jsonl", "");
    put("other/thesis.tex", "");
    put("file", "");
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *why = "";
        int err = amp_folder_prepare(rows[i].dir, rows[i].need_b, &why);

        if (err != rows[i].want)
            fail_msg("%s: %s, not %s", rows[i].name, strerror(-err), strerror(-rows[i].want));
        if (err && !strstr(why, rows[i].word))
            fail_msg("%s: '%s' does not say '%s'", rows[i].name, why, rows[i].word);
        if ((access(rows[i].dir, F_OK) == 0) != rows[i].there)
            fail_msg("%s: %s is %sthere", rows[i].name, rows[i].dir, rows[i].there ? "not " : "");
    }
    same_text("a refused folder", "other/thesis.tex", "");
    same_text("a refused file", "file", "");
}

static void test_prepare_unwritable(void **state)
{
    const uid_t nobody = 65534;
    const char *why;
    bool is_root = geteuid() == 0;
    int below, itself;

    (void) state;
    assert_int_equal(mkdir("locked", 0755) | chmod("locked", 0555) | chmod(".", 0755), 0);
    if (is_root && seteuid(nobody)) {
        print_message("skipped: root may write everywhere, and no other user can be had\n");
        skip();
    }
    itself = amp_folder_prepare("locked", 1000, &why);
    below = amp_folder_prepare("locked/run", 1000, &why);
    if (is_root)
        assert_int_equal(seteuid(0), 0);
    assert_int_equal(itself, -EACCES);
    assert_int_equal(below, -EACCES);
    assert_non_null(strstr(why, "cannot be written"));
    assert_int_equal(chmod("locked", 0755), 0);
}

static void test_probe(void **state)
{
    static const struct {
        const char *name;
        rlim_t limit_b;
        int want;
    } rows[] = { { "room", RLIM_INFINITY, 0 }, { "just room", 200000, 0 }, { "a byte short", 199999, -EFBIG } };

    (void) state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int err;

        limit_files(rows[i].limit_b);
        err = amp_results_probe(".", 200000);
        limit_files(RLIM_INFINITY);
        if (err != rows[i].want)
            fail_msg("%s: %s, not %s", rows[i].name, strerror(-err), strerror(-rows[i].want));
        same_text(rows[i].name, "probe.tmp", NULL);
    }
    assert_int_equal(amp_results_probe("nowhere", 1), -ENOENT);
}

static void test_clean(void **state)
{
    static const struct {
        const char *path;
        bool stays;
    } rows[] = {
        { "manifest.json", true },     { "manifest.json.tmp", false }, { "a/b/000.json", true },
        { "a/b/001.json.tmp", false }, { "a/b/.tmp.json", true },      { "a/tmp", true },
    };

    (void) state;
    assert_int_equal(amp_folder_make("a/b"), 0);
    for (size_t i = 0; i < COUNT(rows); i++)
        put(rows[i].path, "x");
    assert_int_equal(amp_folder_clean("."), 0);
    for (size_t i = 0; i < COUNT(rows); i++)
        same_text("after cleaning", rows[i].path, rows[i].stays ? "x" : NULL);
    assert_int_equal(amp_folder_clean("nowhere"), -ENOENT);
}

/* The check value of the CRC catalogue, and what zlib's crc32() says of the others. */
static void test_crc32(void **state)
{
    static const struct {
        const char *text;
        uint32_t want;
    } rows[] = { { "123456789", 0xcbf43926 }, { "", 0 }, { "a", 0xe8b7be43 }, { long_line, 0xab9f326e } };
    uint32_t crc32;

    (void) state;
    fill_long();
    for (size_t i = 0; i < COUNT(rows); i++) {
        put("text", rows[i].text);
        assert_int_equal(amp_results_crc32("text", &crc32), 0);
        if (crc32 != rows[i].want)
            fail_msg("'%s': 0x%08x, not 0x%08x", rows[i].text, crc32, rows[i].want);
    }
    assert_int_equal(amp_results_crc32("nowhere", &crc32), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_write, set_up),        cmocka_unit_test_setup(test_write_fails, set_up),
        cmocka_unit_test_setup(test_write_killed, set_up), cmocka_unit_test_setup(test_publish, set_up),
        cmocka_unit_test_setup(test_append, set_up),       cmocka_unit_test_setup(test_append_fails, set_up),
        cmocka_unit_test_setup(test_prepare, set_up),      cmocka_unit_test_setup(test_prepare_unwritable, set_up),
        cmocka_unit_test_setup(test_probe, set_up),        cmocka_unit_test_setup(test_clean, set_up),
        cmocka_unit_test_setup(test_crc32, set_up),
    };

    signal(SIGXFSZ, SIG_IGN); /* a file that is too long is an error then, and not a death */
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
