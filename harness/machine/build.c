/* SPDX-License-Identifier: MIT */
#include "harness/machine/machine.h"

#include "harness/build_info.h"
#include "harness/machine/jemalloc_options.h"

#include <dlfcn.h>
#include <jemalloc/jemalloc.h>
#include <limits.h>
#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __GLIBC__
#include <gnu/libc-version.h>
#endif

static json_t *arguments(const char *text)
{
    json_t *array = json_array();

    while (array && *text) {
        size_t n = strcspn(text, " ");

        if (n > 0)
            json_array_append_new(array, json_stringn(text, n));
        text += n + strspn(text + n, " ");
    }
    return array;
}

static const char *jemalloc_version(void)
{
    const char *version = NULL;
    size_t size = sizeof version;

    return mallctl("version", &version, &size, NULL, 0) == 0 ? version : NULL;
}

static int find_benchmark(struct dl_phdr_info *library, size_t size, void *path)
{
    (void) size;
    return strstr(library->dlpi_name, "/libbenchmark.so") && realpath(library->dlpi_name, path);
}

const char *amp_machine_benchmark(void)
{
    static char path[PATH_MAX];
    const char *version;

    /* 1.7 has no call for it; the file behind libbenchmark.so.1 is named for its version. */
    if (!dl_iterate_phdr(find_benchmark, path))
        return NULL;
    version = strstr(path, ".so.");
    return version ? version + 4 : "unknown";
}

static json_t *libc(void)
{
#ifdef __GLIBC__
    return json_sprintf("glibc %s", gnu_get_libc_version());
#else
    return json_string("unknown"); /* musl has no call for it */
#endif
}

json_t *amp_machine_build(void)
{
    return json_pack("{s:s, s:s, s:o, s:o, s:s, s:{s:s?, s:s?, s:s, s:o}}", "compiler", AMP_BUILD_COMPILER,
                     "build_type", AMP_BUILD_TYPE, "c_args", arguments(AMP_BUILD_C_ARGS), "kernel_args",
                     arguments(AMP_BUILD_KERNEL_ARGS), "linker", AMP_BUILD_LINKER, "libraries", "jemalloc",
                     jemalloc_version(), "benchmark", amp_machine_benchmark(), "jansson",
                     jansson_version_str(), "libc", libc());
}

/* The file from which this process got a function; "" if unknown. */
static const char *file_of(const char *function)
{
    void *address = dlsym(RTLD_DEFAULT, function);
    Dl_info info;

    return address && dladdr(address, &info) && info.dli_fname ? info.dli_fname : "";
}

static const char *name_of(const char *file)
{
    static const struct {
        const char *part, *name;
    } names[] = {
        { "jemalloc", "jemalloc" },    { "mimalloc", "mimalloc" }, { "tcmalloc", "tcmalloc" },
        { "libc.so", "glibc" },        { "libc-", "glibc" },       { "asan", "AddressSanitizer" },
        { "tsan", "ThreadSanitizer" }, { "ld-musl", "musl" },
    };
    const char *slash = strrchr(file, '/'), *base = slash ? slash + 1 : file;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strstr(base, names[i].part))
            return names[i].name;
    return base[0] ? base : "unknown";
}

json_t *amp_machine_allocator(void)
{
    const char *file = file_of("malloc");
    bool is_jemalloc = strcmp(file, file_of("mallctl")) == 0 && jemalloc_version();

    return json_pack("{s:s, s:s?, s:s, s:o}", "name", is_jemalloc ? "jemalloc" : name_of(file), "version",
                     is_jemalloc ? jemalloc_version() : NULL, "file", file, "options",
                     amp_jemalloc_options(is_jemalloc ? malloc_stats_print : NULL));
}
