/* SPDX-License-Identifier: MIT */
#include "harness/allocators/configuration/allocator.h"
#include "harness/allocators/configuration/configuration.h"
#include "harness/allocators/configuration/make.h"
#include "harness/allocators/configuration/asked.h"

#include <errno.h>
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

#define COUNT(array) (sizeof(array) / sizeof *(array))

static char folder[] = "/tmp/ampersand-configuration-XXXXXX";

static void write_file(const char *name, const char *text, char path[PATH_MAX])
{
    FILE *file;

    snprintf(path, PATH_MAX, "%s/%s", folder, name);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fputs(text, file) < 0, 0);
    assert_int_equal(fclose(file), 0);
}

static int make_folder(void **state)
{
    char path[PATH_MAX];
    const char *const libraries[] = { "libjemalloc.so.2", "libmimalloc.so.2.7", "libtcmalloc.so.4" };

    (void) state;
    if (!mkdtemp(folder))
        return -1;
    /* This program is a shared object by its header, as every position-independent one is: good enough to be found. */
    for (size_t i = 0; i < COUNT(libraries); i++) {
        snprintf(path, sizeof path, "%s/%s", folder, libraries[i]);
        if (symlink("/proc/self/exe", path))
            return -1;
    }
    return setenv("AMPERSAND_LIBRARIES", folder, 1);
}

static int remove_folder(void **state)
{
    char command[PATH_MAX + 16];

    (void) state;
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    return system(command);
}

/* ---- Files */

static const struct {
    const char *name, *text, *why; /* why: NULL where it is right */
} files[] = {
    { "least", "allocator = glibc\n", NULL },
    { "all keys", "for = Fast.\nallocator = jemalloc\nset = MALLOC_CONF=tcache:true\nexpect = effect.arenas <= 4\n",
      NULL },
    { "comments, blanks, no last newline", "# one\n\n \t allocator\t=  glibc  # two", NULL },
    { "settings before the allocator", "set = GLIBC_TUNABLES=glibc.malloc.arena_max=1\nallocator = glibc\n", NULL },
    { "Windows' ends of lines", "allocator = glibc\r\n", NULL },
    { "two variables", "allocator = mimalloc\nset = MIMALLOC_A=1\nset = MIMALLOC_B=2\n", NULL },
    { "empty", "", "a.conf: it has no line 'allocator = ...'" },
    { "misspelt key", "for = x\n\nallocater = jemalloc\n",
      "a.conf:3: 'allocater': no such key; the nearest is 'allocator'" },
    { "no sign", "allocator glibc\n", "a.conf:1: 'allocator glibc': it wants key = value" },
    { "no value", "allocator =\n", "a.conf:1: 'allocator': it has no value" },
    { "key twice", "allocator = glibc\nallocator = jemalloc\n", "a.conf:2: 'allocator': it is there twice" },
    { "misspelt allocator", "allocator = jemaloc\n",
      "a.conf: 'allocator = jemaloc': it is no path and no allocator; the nearest is 'jemalloc'" },
    { "the first of two errors", "fro = x\nallocater = y\n", "a.conf:1: 'fro': no such key; the nearest is 'for'" },
    { "setting without value", "allocator = glibc\nset = GLIBC_TUNABLES\n",
      "a.conf:2: 'GLIBC_TUNABLES': it wants NAME=value" },
    { "setting of no variable", "allocator = glibc\nset = A B=1\n",
      "a.conf:2: 'A B=1': before '=' it wants the name of an environment variable" },
    { "misspelt variable", "allocator = jemalloc\nset = MALOC_CONF=tcache:false\n",
      "a.conf:2: 'MALOC_CONF=tcache:false': 'MALOC_CONF': jemalloc does not read it; the nearest is 'MALLOC_CONF'" },
    { "variable of another allocator", "allocator = glibc\nset = MIMALLOC_X=1\n",
      "a.conf:2: 'MIMALLOC_X=1': 'MIMALLOC_X': glibc does not read it; it reads 'GLIBC_TUNABLES'" },
    { "variable twice", "allocator = mimalloc\nset = MIMALLOC_A=1\nset = MIMALLOC_A=2\n",
      "a.conf:3: 'MIMALLOC_A=2': it is set twice" },
    { "preload", "allocator = glibc\nset = LD_PRELOAD=x.so\n",
      "a.conf:2: 'LD_PRELOAD=x.so': LD_PRELOAD follows from the allocator: give the library's path there" },
    { "setting that is none", "allocator = jemalloc\nset = MALLOC_CONF=tcache\n",
      "'tcache': it is no setting like 'name:value'" },
    { "tunable that is none", "allocator = glibc\nset = GLIBC_TUNABLES=glibc.malloc.arena_max=1::\n",
      "there is an empty setting, between separators or before the first" },
    { "expectation without a sign", "allocator = glibc\nexpect = effect.arenas\n",
      "a.conf:2: 'effect.arenas': it is no condition like 'effect.arenas <= 1'" },
    { "expectation with a strange sign", "allocator = glibc\nexpect = effect.arenas =< 1\n",
      "a.conf:2: 'effect.arenas =< 1': after its key and one of = != < <= > >= it wants one value" },
    { "expectation of two values", "allocator = glibc\nexpect = effect.arenas = 1 2\n",
      "a.conf:2: 'effect.arenas = 1 2': after its key and one of = != < <= > >= it wants one value" },
    { "no UTF-8", "allocator = glibc\nfor = \xff\xfe\n",
      "a.conf:2: 'for = ?"
      "?': it is not in UTF-8" },
    { "path of no file", "allocator = /nonexistent/lib.so\n", "/nonexistent/lib.so: No such file or directory" },
    { "path of no library", "allocator = /etc/passwd\n", "/etc/passwd: it is no library" },
    { "path of a folder", "allocator = /etc/\n", "/etc/: Is a directory" },
    { "absent, with its own package", "allocator = /nonexistent/lib.so\npackage = libfoo1\n",
      "/nonexistent/lib.so is not installed: apt-get install libfoo1" },
};

static void test_files(void **state)
{
    (void) state;
    for (size_t i = 0; i < COUNT(files); i++) {
        struct amp_configurations list = { .n = 0 }, none = { .n = 0 };
        char path[PATH_MAX];
        const char *why, *got;

        write_file("a.conf", files[i].text, path);
        assert_int_equal(amp_configurations_add(&list, &none, path, &why), 0);
        assert_int_equal(list.n, 1);
        got = list.list[0].why;
        if ((got == NULL) != (files[i].why == NULL) || (got && strcmp(got, files[i].why) != 0))
            fail_msg("%s: got '%s', want '%s'", files[i].name, got ? got : "ready",
                     files[i].why ? files[i].why : "ready");
        assert_int_equal(list.list[0].state == AMP_CONFIGURATION_READY, got == NULL);
        assert_string_equal(list.list[0].name, "a");
        amp_configurations_free(&list);
    }
}

/* ---- Words */

static const struct {
    const char *word, *name, *allocator, *environment; /* the first of it; NULL: none */
} words[] = {
    { "shipped", "shipped", "glibc", NULL },
    { "jemalloc:narenas:1,tcache:false", "jemalloc-narenas-1-tcache-false", "jemalloc",
      "MALLOC_CONF=abort_conf:true,confirm_conf:true,narenas:1,tcache:false" },
    { "jemalloc", "jemalloc", "jemalloc", "MALLOC_CONF=abort_conf:true,confirm_conf:true" },
    { "glibc", "glibc", "glibc", NULL },
    { "glibc:malloc.arena_max=1", "glibc-malloc.arena_max-1", "glibc", "GLIBC_TUNABLES=glibc.malloc.arena_max=1" },
    { "glibc:glibc.malloc.arena_max=1,malloc.perturb=3", "glibc-glibc.malloc.arena_max-1-malloc.perturb-3", "glibc",
      "GLIBC_TUNABLES=glibc.malloc.arena_max=1:glibc.malloc.perturb=3" },
    { "mimalloc:MIMALLOC_EAGER_COMMIT=0", "mimalloc-MIMALLOC_EAGER_COMMIT-0", "mimalloc", "MIMALLOC_EAGER_COMMIT=0" },
    { "tcmalloc:", "tcmalloc", "tcmalloc", NULL },
};

static void test_words(void **state)
{
    struct amp_configurations shipped = { .n = 0 };
    char path[PATH_MAX];
    const char *why;

    (void) state;
    write_file("shipped.conf", "allocator = glibc\n", path);
    assert_int_equal(amp_configurations_add(&shipped, &shipped, path, &why), 0);
    for (size_t i = 0; i < COUNT(words); i++) {
        struct amp_configurations list = { .n = 0 };
        const char *environment;

        assert_int_equal(amp_configurations_add(&list, &shipped, words[i].word, &why), 0);
        assert_int_equal(list.n, 1);
        environment = list.list[0].environment[0];
        if (list.list[0].state != AMP_CONFIGURATION_READY || strcmp(list.list[0].name, words[i].name) != 0 ||
            strcmp(list.list[0].allocator, words[i].allocator) != 0 || !environment != !words[i].environment ||
            (environment && strcmp(environment, words[i].environment) != 0))
            fail_msg("%s: got '%s', '%s', '%s', %s", words[i].word, list.list[0].name, list.list[0].allocator,
                     environment ? environment : "-", list.list[0].why ? list.list[0].why : "ready");
        amp_configurations_free(&list);
    }
    amp_configurations_free(&shipped);
}

static const struct {
    const char *word, *why;
} bad_words[] = {
    { "jemaloc", "'jemaloc' is no configuration, no path and no allocator; the nearest is 'jemalloc'" },
    { "shiped", "'shiped' is no configuration, no path and no allocator; the nearest is 'shipped'" },
    { "jemaloc:tcache:false",
      "'jemaloc:tcache:false' is no configuration, no path and no allocator; the nearest is 'jemalloc:tcache:false'" },
    { "\xff", "a word is not in UTF-8" },
};

static void test_bad_words(void **state)
{
    struct amp_configurations shipped = { .n = 0 }, list = { .n = 0 };
    char path[PATH_MAX];
    const char *why;

    (void) state;
    write_file("shipped.conf", "allocator = glibc\n", path);
    assert_int_equal(amp_configurations_add(&shipped, &shipped, path, &why), 0);
    for (size_t i = 0; i < COUNT(bad_words); i++) {
        assert_int_equal(amp_configurations_add(&list, &shipped, bad_words[i].word, &why), -EINVAL);
        assert_string_equal(why, bad_words[i].why);
        assert_int_equal(list.n, 0);
    }
    amp_configurations_free(&shipped);
}

/* Of words that are right in their shape, whose configuration is not. */
static const struct {
    const char *word;
    enum amp_configuration_state state;
    const char *why;
} failed_words[] = {
    { "/etc/passwd", AMP_CONFIGURATION_WRONG, "/etc/passwd: it is no library" },
    { "./nonexistent.conf", AMP_CONFIGURATION_WRONG, "./nonexistent.conf: No such file or directory" },
    { "mimalloc:MALLOC_CONF=a:b", AMP_CONFIGURATION_WRONG,
      "mimalloc:MALLOC_CONF=a:b: 'MALLOC_CONF': mimalloc does not read it; it reads 'MIMALLOC_*'" },
    { "jemalloc:tcache", AMP_CONFIGURATION_WRONG, "'tcache': it is no setting like 'name:value'" },
};

static void test_failed_words(void **state)
{
    struct amp_configurations list = { .n = 0 }, none = { .n = 0 };
    const char *why;

    (void) state;
    for (size_t i = 0; i < COUNT(failed_words); i++) {
        assert_int_equal(amp_configurations_add(&list, &none, failed_words[i].word, &why), 0);
        assert_int_equal(list.list[i].state, failed_words[i].state);
        assert_string_equal(list.list[i].why, failed_words[i].why);
    }
    amp_configurations_free(&list);
}

static void test_names_are_told_apart(void **state)
{
    struct amp_configurations list = { .n = 0 }, none = { .n = 0 };
    const char *why;

    (void) state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(amp_configurations_add(&list, &none, "glibc", &why), 0);
    assert_int_equal(amp_configurations_repeat(&list, 0, "again"), 0);
    assert_string_equal(list.list[0].name, "glibc");
    assert_string_equal(list.list[1].name, "glibc-2");
    assert_string_equal(list.list[2].name, "glibc-3");
    assert_string_equal(list.list[3].name, "again");
    assert_string_equal(list.list[3].allocator, "glibc");
    amp_configurations_free(&list);
}

/* ---- Names, libraries, the folder */

static const struct {
    const char *text, *want;
} names[] = {
    { "a/b/tcache-off.conf", "tcache-off" },
    { "jemalloc:tcache:false", "jemalloc-tcache-false" },
    { "lib x.so", "lib-x.so" },
    { "../..", "conf-2e2e" },
    { "\xc3\xbc.conf", "conf-c3bc" },
    { ".hidden.conf", "hidden" },
    { "a,,b,", "a-b" },
    { "\xc3\xa9t\xc3\xa9.conf", "t" },
    { "x.conf", "x" },
    { ".conf", "conf" },
};

static void test_names(void **state)
{
    (void) state;
    for (size_t i = 0; i < COUNT(names); i++) {
        char *name = amp_configuration_name(names[i].text);

        assert_string_equal(name, names[i].want);
        free(name);
    }
}

static void test_libraries(void **state)
{
    char path[PATH_MAX];

    (void) state;
    assert_true(amp_allocator_locate(amp_allocator_find("mimalloc"), path)); /* by the second pattern */
    assert_string_equal(strrchr(path, '/'), "/libmimalloc.so.2.7");
    assert_true(amp_allocator_locate(amp_allocator_find("tcmalloc"), path));
    assert_string_equal(strrchr(path, '/'), "/libtcmalloc.so.4");
    assert_false(amp_allocator_locate(amp_allocator_find("glibc"), path));
    assert_null(amp_allocator_find("ptmalloc"));
    assert_string_equal(amp_allocator_of_file("/x/libmimalloc.so.2")->name, "mimalloc");
    assert_null(amp_allocator_of_file("/jemalloc/libc.so.6"));
    assert_non_null(amp_allocator_refuse("/tmp/a b.so"));
}

static void test_elf_of_another_machine(void **state)
{
    char path[PATH_MAX], header[64] = { 0 };
    FILE *file;

    (void) state;
    file = fopen("/proc/self/exe", "r");
    assert_int_equal(fread(header, 1, sizeof header, file), sizeof header);
    fclose(file);
    header[18] = (char) (header[18] + 1); /* e_machine */
    snprintf(path, sizeof path, "%s/other.so", folder);
    file = fopen(path, "w");
    assert_int_equal(fwrite(header, 1, sizeof header, file), sizeof header);
    fclose(file);
    assert_string_equal(amp_allocator_refuse(path), "it is made for another machine");
}

static void test_folder(void **state)
{
    static const char *const want[] = { "jemalloc", "glibc", "glibc-a", "glibcx", "zz" };
    static const char *const made[] = { "d/zz.conf",    "d/glibc-a.conf", "d/jemalloc.conf",
                                        "d/glibc.conf", "d/glibcx.conf",  "d/read.me" };
    struct amp_configurations list;
    char path[PATH_MAX];
    const char *why;

    (void) state;
    snprintf(path, sizeof path, "%s/d", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    for (size_t i = 0; i < COUNT(made); i++)
        write_file(made[i], "allocator = glibc\n", path);
    snprintf(path, sizeof path, "%s/d", folder);
    assert_int_equal(amp_configurations_read_dir(path, &list, &why), 0);
    assert_int_equal(list.n, COUNT(want));
    for (size_t i = 0; i < COUNT(want); i++)
        assert_string_equal(list.list[i].name, want[i]);
    amp_configurations_free(&list);
    assert_int_equal(amp_configurations_read_dir("/nonexistent", &list, &why), -ENOENT);
    assert_int_equal(amp_configurations_read_dir("/proc/self/exe", &list, &why), -ENOTDIR);
}

static void test_json(void **state)
{
    struct amp_configurations list = { .n = 0 }, none = { .n = 0 };
    char path[PATH_MAX], want[PATH_MAX + 64];
    const char *why;
    json_t *json;

    (void) state;
    write_file("j.conf", "allocator = jemalloc\nset = MALLOC_CONF=prof_prefix:it's\nexpect = opt.tcache = true\n",
               path);
    assert_int_equal(amp_configurations_add(&list, &none, path, &why), 0);
    json = amp_configuration_json(&list.list[0]);
    snprintf(want, sizeof want, "LD_PRELOAD=%s MALLOC_CONF='prof_prefix:it'\\''s'", list.list[0].library);
    assert_string_equal(json_string_value(json_object_get(json, "paste")), want);
    assert_string_equal(json_string_value(json_object_get(json_object_get(json, "environment"), "MALLOC_CONF")),
                        "abort_conf:true,confirm_conf:true,prof_prefix:it's");
    assert_string_equal(json_string_value(json_object_get(json, "state")), "ready");
    assert_true(json_is_null(json_object_get(json, "why")));
    json_decref(json);
    amp_configurations_free(&list);
}

/* ---- Settings */

static const struct {
    const char *environment, *want; /* "key=value key=value", or "!" and why it cannot be read */
} settings[] = {
    { "MALLOC_CONF=tcache:false", "opt.tcache=false" },
    { "MALLOC_CONF=tcache:false,tcache:true,narenas:2", "opt.tcache=true opt.narenas=2" },
    { "MALLOC_CONF=lg_tcache_max:16", "opt.tcache_max=65536" },
    { "MALLOC_CONF=tcache_max:1024,lg_tcache_max:3", "opt.tcache_max=8" },
    { "MALLOC_CONF=lg_tcache_max:x", "opt.tcache_max=x" },
    { "MALLOC_CONF=lg_tcache_max:64", "opt.tcache_max=64" },
    { "MALLOC_CONF=bin_shards:1-160:16", "opt.bin_shards=1-160:16" },
    { "MALLOC_CONF=", "" },
    { "MALLOC_CONF=a:", "opt.a=" },
    { "MALLOC_CONF=:b", "!':b': it is no setting like 'name:value'" },
    { "MALLOC_CONF=a:b,", "!'a:b,': it ends with ',', behind which there is nothing" },
    { "MALLOC_CONF=a:b,,c:d", "!there is an empty setting, between separators or before the first" },
    { "MALLOC_CONF=a:b,c", "!'c': it is no setting like 'name:value'" },
    { "GLIBC_TUNABLES=glibc.malloc.a=1:glibc.malloc.b=2:glibc.malloc.a=3", "glibc.malloc.a=3 glibc.malloc.b=2" },
    { "MALLOC_ARENA_MAX=1", "glibc.malloc.arena_max=1" },
    { "MIMALLOC_X=1", "MIMALLOC_X=1" },
};

static void test_settings(void **state)
{
    (void) state;
    for (size_t i = 0; i < COUNT(settings); i++) {
        char *environment[] = { (char *) settings[i].environment, NULL };
        struct amp_configuration configuration = { .environment = environment };
        struct amp_settings read;
        char why[256], got[512] = "";

        if (!amp_settings_read(&configuration, &read, why, sizeof why))
            snprintf(got, sizeof got, "!%s", why);
        else
            for (size_t j = 0; j < read.n; j++)
                snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s=%s", j ? " " : "", read.list[j].key,
                         read.list[j].value);
        if (strcmp(got, settings[i].want) != 0)
            fail_msg("%s: got '%s', want '%s'", settings[i].environment, got, settings[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_bad_words),
        cmocka_unit_test(test_failed_words),
        cmocka_unit_test(test_names_are_told_apart),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_libraries),
        cmocka_unit_test(test_elf_of_another_machine),
        cmocka_unit_test(test_folder),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_settings),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
