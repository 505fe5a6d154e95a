/* SPDX-License-Identifier: MIT
 *
 * Loading modules: those that the build made, and what may lie in their place. */
#include "harness/lesson/layout.h"
#include "harness/lesson/missing.h"

/* clang-format off: cmocka.h wants the two before it */
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
/* clang-format on */

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <sys/stat.h>

static const char *built;                         /* the folder of the build's modules */
static char folder[] = "/tmp/layout_test.XXXXXX"; /* the one of the case */
static char first_lesson[64], first_module[80];
static char *module_bytes; /* the build's first module */
static size_t module_size;

static const char *join(const char *dir, const char *name)
{
    static char path[PATH_MAX];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static void write_file(const char *name, const void *bytes, size_t size)
{
    FILE *file = fopen(join(folder, name), "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static void write_text(const char *name, const char *text)
{
    write_file(name, text, strlen(text));
}

/* Where in its file the module's amp_lesson is. The first member is the ABI. */
static size_t lesson_offset(void)
{
    const ElfW(Ehdr) *header = (const ElfW(Ehdr) *) (const void *) module_bytes;
    const ElfW(Phdr) *segments = (const ElfW(Phdr) *) (const void *) (module_bytes + header->e_phoff);
    struct link_map *map;
    size_t offset = 0;
    void *handle;

    handle = dlopen(join(built, first_module), RTLD_NOW | RTLD_LOCAL);
    assert_non_null(handle);
    assert_int_equal(dlinfo(handle, RTLD_DI_LINKMAP, &map), 0);
    uintptr_t address = (uintptr_t) dlsym(handle, "amp_lesson") - map->l_addr;
    for (unsigned i = 0; i < header->e_phnum; i++)
        if (segments[i].p_type == PT_LOAD && address >= segments[i].p_vaddr &&
            address < segments[i].p_vaddr + segments[i].p_filesz)
            offset = address - segments[i].p_vaddr + segments[i].p_offset;
    assert_true(offset != 0);
    dlclose(handle);
    return offset;
}

/* The module of the case. Each has a name of its own: the loader remembers what it once found under a name. */
static char case_lesson[16] = "case", case_module[32] = "case.00.so";

static void name_case(size_t i)
{
    snprintf(case_lesson, sizeof case_lesson, "case%zu", i % 100);
    snprintf(case_module, sizeof case_module, "%s.00.so", case_lesson);
}

static void put_cut(size_t size)
{
    write_file(case_module, module_bytes, size);
}

static void put_nothing(void)
{
}

static void put_folder(void)
{
    assert_int_equal(mkdir(join(folder, case_module), 0777), 0);
}

static void put_empty(void)
{
    put_cut(0);
}

static void put_header(void)
{
    put_cut(64);
}

static void put_half(void)
{
    put_cut(module_size / 2);
}

static void put_all_but_one_byte(void)
{
    put_cut(module_size - 1);
}

static void put_text(void)
{
    write_text(case_module,
               "a page of plain text, longer than the header of an ELF file, which has sixty-four bytes\n");
}

static void put_other_magic(void)
{
    module_bytes[1] = 'e';
    put_cut(module_size);
    module_bytes[1] = 'E';
}

static void put_wild_header(void)
{
    ElfW(Ehdr) *header = (ElfW(Ehdr) *) (void *) module_bytes;
    ElfW(Off) right = header->e_shoff;

    header->e_shoff = UINT64_MAX - 8; /* a sum with what follows would wrap around to a small one */
    put_cut(module_size);
    header->e_shoff = right;
}

static void put_other_abi(void)
{
    size_t at = lesson_offset();
    uint32_t right, other = 999;

    memcpy(&right, module_bytes + at, sizeof right);
    assert_int_equal(right, AMP_LESSON_ABI);
    memcpy(module_bytes + at, &other, sizeof other);
    put_cut(module_size);
    memcpy(module_bytes + at, &right, sizeof right);
}

/* Any shared library that is no lesson: cmocka itself. */
static void put_foreign(void)
{
    Dl_info info;

    assert_true(dladdr(dlsym(RTLD_DEFAULT, "_cmocka_run_group_tests"), &info) != 0);
    assert_int_equal(symlink(info.dli_fname, join(folder, case_module)), 0);
}

static const struct {
    const char *name;
    void (*put)(void);
    int error;
    const char *word; /* that the reason holds, beside the file's name */
} bad_modules[] = {
    { "nothing there", put_nothing, -ENOENT, "No such file" },
    { "a folder", put_folder, -EPROTO, "not a whole module" },
    { "empty", put_empty, -EPROTO, "not a whole module" },
    { "a header only", put_header, -EPROTO, "not a whole module" },
    { "cut in half", put_half, -EPROTO, "not a whole module" },
    { "a byte short", put_all_but_one_byte, -EPROTO, "not a whole module" },
    { "text", put_text, -EPROTO, "not a whole module" },
    { "a header that points nowhere", put_wild_header, -EPROTO, "not a whole module" },
    { "no ELF file", put_other_magic, -EPROTO, "invalid ELF header" },
    { "another library", put_foreign, -EPROTO, "not a lesson" },
    { "another ABI", put_other_abi, -EPROTO, "ABI is 999" },
};

static void test_bad_modules(void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof bad_modules / sizeof *bad_modules; i++) {
        struct amp_module module = { 0 }, untouched = { 0 };
        const char *why = "";
        int error;

        name_case(i);
        bad_modules[i].put();
        error = amp_layout_load(case_lesson, 0, &module, &why);
        if (error != bad_modules[i].error || strstr(why, bad_modules[i].word) == NULL ||
            strstr(why, case_module) == NULL || memcmp(&module, &untouched, sizeof module) != 0)
            fail_msg("%s: %d, %s", bad_modules[i].name, error, why);
        remove(join(folder, case_module));
    }
}

static const struct {
    const char *name, *text; /* of case.layouts.json; NULL: no file */
    int error;
    unsigned count;
} tables[] = {
    { "none", NULL, -ENOENT, 0 },
    { "sixteen", "{\"schema\": \"ampersand/layouts/1\", \"n\": 16}", 0, 16 },
    { "cut", "{\"schema\": \"ampersand/layouts/1\", \"n\": 1", -EPROTO, 0 },
    { "no number", "{\"schema\": \"ampersand/layouts/1\"}", -EPROTO, 0 },
    { "a word", "{\"n\": \"16\"}", -EPROTO, 0 },
    { "nought", "{\"n\": 0}", -EPROTO, 0 },
    { "negative", "{\"n\": -4}", -EPROTO, 0 },
    { "too large", "{\"n\": 4294967312}", -EPROTO, 0 },
    { "a list", "[16]", -EPROTO, 0 },
    { "empty", "", -EPROTO, 0 },
};

static void test_counts(void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        unsigned count = 0;
        const char *why = "";
        int error;

        if (tables[i].text != NULL)
            write_text("case.layouts.json", tables[i].text);
        error = amp_layout_count("case", &count, &why);
        if (error != tables[i].error || count != tables[i].count ||
            (error != 0 && strstr(why, "case.layouts.json") == NULL))
            fail_msg("%s: %d, %u, %s", tables[i].name, error, count, why);
        remove(join(folder, "case.layouts.json"));
    }
}

/* Every module of the build's first lesson, side by side: the same pairs, at addresses of their own. */
static void test_built_modules(void **state)
{
    struct amp_module first, module;
    const char *why = "";
    unsigned count;

    (void) state;
    assert_int_equal(setenv("AMPERSAND_LESSONS", built, 1), 0);
    assert_int_equal(amp_layout_count(first_lesson, &count, &why), 0);
    assert_true(count >= 4);
    assert_int_equal(amp_layout_load(first_lesson, 0, &first, &why), 0);
    assert_true(first.n_pairs > 0);
    for (unsigned k = 1; k < count; k++) {
        assert_int_equal(amp_layout_load(first_lesson, k, &module, &why), 0);
        assert_int_equal(module.n_pairs, first.n_pairs);
        for (size_t i = 0; i < module.n_pairs; i++) {
            assert_string_equal(module.pairs[i]->name, first.pairs[i]->name);
            assert_int_equal(module.pairs[i]->sizes[0], first.pairs[i]->sizes[0]);
            assert_ptr_not_equal(module.pairs[i]->value.run, first.pairs[i]->value.run);
        }
        amp_layout_unload(&module);
        assert_null(module.handle);
    }
    assert_int_equal(amp_layout_load(first_lesson, count, &module, &why), -ENOENT);
    amp_layout_unload(&first);
    assert_int_equal(setenv("AMPERSAND_LESSONS", folder, 1), 0);
}

static void check_all(const char *dir)
{
    struct amp_registry registry = { 0 };
    struct amp_missing missing = { .n = 0 };
    const char *why = "";
    size_t row = 0;
    char line[256];

    assert_int_equal(setenv("AMPERSAND_LESSONS", dir, 1), 0);
    assert_int_equal(amp_missing_register(&registry, 1, true, &missing, &why), 0);
    if (missing.n > 0)
        fail_msg("%s", missing.list[0].why);
    FILE *list = fopen(join(dir, "lessons.txt"), "r");
    assert_non_null(list);
    while (fgets(line, sizeof line, list) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        assert_true(row < registry.n);
        assert_string_equal(registry.rows[row].lesson, line);
        while (row < registry.n && strcmp(registry.rows[row].lesson, line) == 0)
            row++;
    }
    assert_int_equal(row, registry.n);
    fclose(list);
    amp_registry_free(&registry);
    assert_int_equal(setenv("AMPERSAND_LESSONS", folder, 1), 0);
}

static void test_register(void **state)
{
    struct amp_registry registry = { 0 };
    struct amp_missing missing = { .n = 0 };
    const char *why = "";
    char name[128];
    size_t n;

    (void) state;
    assert_int_equal(amp_missing_register(&registry, 0, false, &missing, &why), -ENOENT);
    assert_non_null(strstr(why, "lessons.txt"));

    write_file("case.00.so", module_bytes, module_size);
    write_text("lessons.txt", "missing\n\ncase\ncase"); /* an empty line is no lesson; no newline at the end */
    assert_int_equal(amp_missing_register(&registry, 0, false, &missing, &why), 0);
    n = registry.n;
    assert_true(n > 0);
    assert_string_equal(registry.rows[0].lesson, "case");
    amp_row_name(&registry.rows[0], name, sizeof name);
    assert_non_null(amp_registry_find(&registry, name));
    assert_int_equal(missing.n, 2); /* the third would have the same rows again */
    assert_string_equal(missing.list[0].lesson, "missing");
    assert_non_null(strstr(missing.list[0].why, "missing.00.so"));
    assert_string_equal(missing.list[1].lesson, "case");
    assert_non_null(strstr(missing.list[1].why, "another lesson has one of its rows"));
    amp_missing_free(&missing);

    assert_int_equal(amp_layout_register(&registry, "case", 0, &why), -EEXIST);
    assert_int_equal(registry.n, n); /* as it was */
    amp_registry_free(&registry);

    assert_int_equal(amp_missing_register(&registry, 0, true, &missing, &why), 0); /* "case" has no table */
    assert_int_equal(registry.n, 0);
    assert_int_equal(missing.n, 3);
    amp_missing_free(&missing);
    check_all(built);
}

/* The folder beside the program's own, in which the build makes what it links, unless the environment names another. */
static void test_folder(void **state)
{
    (void) state;
    assert_string_equal(amp_layout_dir(), folder);
    assert_int_equal(setenv("AMPERSAND_LESSONS", "", 1), 0);
    assert_string_equal(amp_layout_dir(), built);
    assert_int_equal(setenv("AMPERSAND_LESSONS", folder, 1), 0);
}

static int read_build(void **state)
{
    FILE *file;

    (void) state;
    unsetenv("AMPERSAND_LESSONS");
    built = amp_layout_dir();
    file = fopen(join(built, "lessons.txt"), "r");
    if (file == NULL || fscanf(file, "%63s", first_lesson) != 1)
        return -1;
    fclose(file);
    snprintf(first_module, sizeof first_module, "%s.00.so", first_lesson);
    file = fopen(join(built, first_module), "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0)
        return -1;
    module_size = (size_t) ftell(file);
    module_bytes = malloc(module_size);
    rewind(file);
    if (module_bytes == NULL || fread(module_bytes, 1, module_size, file) != module_size)
        return -1;
    fclose(file);
    return mkdtemp(folder) == NULL || setenv("AMPERSAND_LESSONS", folder, 1) != 0 ? -1 : 0;
}

static int clean_up(void **state)
{
    (void) state;
    remove(join(folder, "case.00.so"));
    remove(join(folder, "lessons.txt"));
    free(module_bytes);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_modules), cmocka_unit_test(test_counts), cmocka_unit_test(test_built_modules),
        cmocka_unit_test(test_register),    cmocka_unit_test(test_folder),
    };

    return cmocka_run_group_tests(tests, read_build, clean_up);
}
