/* SPDX-License-Identifier: MIT
 *
 * ampersand-cc: clang with debug information and the plugin that names struct copies, or gcc with the plugin that lists
 * them. Everything else is passed on. */
#include "harness/text/complain.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* Our own flags stand first. 0, or 2 after it has said what is wrong. */
static int read_flags(char **words, int *n, const char **stages)
{
    for (*n = 0; words[*n] && strncmp(words[*n], "--count", strlen("--count")) == 0; ++*n) {
        if (strcmp(words[*n], "--count") == 0)
            *stages = "tag,late,settle,count";
        else if (strcmp(words[*n], "--count=source") == 0)
            *stages = "tag,source,late,settle,count";
        else
            return amp_complain(2, words[*n], "no such flag; 'ampersand help cc' lists all");
    }
    return words[*n] ? 0 : amp_complain(2, "cc", "names nothing to compile: ampersand cc [--count] FLAGS AND FILES");
}

/* By its name, such as x86_64-linux-gnu-gcc-12; cc and c++ are taken for gcc. */
static bool is_gcc(const char *name)
{
    const char *last = strrchr(name, '/');

    last = last ? last + 1 : name;
    if (strstr(last, "clang"))
        return false;
    return strstr(last, "gcc") || strstr(last, "g++") || strcmp(last, "cc") == 0 || strcmp(last, "c++") == 0;
}

/* What a compiler answers to -dumpversion, as "14". 0, or 2 after it has said why it cannot be asked. */
static int ask_version(const char *clang, char *out, size_t cap)
{
    char *question[] = { (char *) (uintptr_t) clang, "-dumpversion", NULL };
    posix_spawn_file_actions_t actions;
    int ends[2], status = 0, err;
    ssize_t n = 0;
    pid_t child;

    if (pipe(ends))
        return amp_complain(2, "cc", "%s", strerror(errno));
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    err = posix_spawnp(&child, clang, &actions, NULL, question, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    if (!err) {
        n = read(ends[0], out, cap - 1);
        waitpid(child, &status, 0);
    }
    close(ends[0]);
    if (err)
        return amp_complain(2, clang,
                            "cannot be started: %s; the package is called %s, and AMPERSAND_CLANG names another one",
                            strerror(err), is_gcc(clang) ? "gcc" : "clang");
    out[n > 0 ? n : 0] = '\0';
    out[strspn(out, "0123456789")] = '\0';
    return status || !*out ? amp_complain(2, clang, "does not say its version, so it is neither clang nor gcc") : 0;
}

/* The plugin for that compiler, which lies beside this program. */
static int find_plugin(const char *clang, const char *version, char *out, size_t cap)
{
    ssize_t n = readlink("/proc/self/exe", out, cap - 1);
    char *last;

    if (n < 0)
        return amp_complain(2, "/proc/self/exe", "%s", strerror(errno));
    out[n] = '\0';
    last = strrchr(out, '/');
    snprintf(last + 1, cap - (size_t) (last + 1 - out), "libampersand_%scopies-%s.so", is_gcc(clang) ? "gcc_" : "",
             version);
    if (access(out, R_OK) == 0)
        return 0;
    if (is_gcc(clang))
        return amp_complain(2, clang,
                            "version %s has no plugin in this build: there is one for the gcc that built ampersand, if "
                            "its headers were installed; the package is called gcc-%s-plugin-dev",
                            version, version);
    return amp_complain(2, clang,
                        "version %s has no plugin in this build: there is one for each of clang 14 to 19 whose package "
                        "llvm-%s-dev was installed",
                        version, version);
}

/* Whether the linker shall compile: -flto, unless -fno-lto comes later. */
static bool compiles_at_link(char **words)
{
    bool does = false;

    for (; *words; words++)
        if (strncmp(*words, "-flto", strlen("-flto")) == 0 || strcmp(*words, "-fno-lto") == 0)
            does = (*words)[2] == 'l';
    return does;
}

/* How the command begins: the compiler, debug information and the plugin. Returns the number of words. The gcc that the
 * linker starts gets the plugin, too; a clang does not, and its code would keep names that fit no longer: so with -flto
 * there is none. */
static int begin_command(const char *compiler, const char *plugin, char **given, char *option, size_t cap, char **words)
{
    const bool gcc = is_gcc(compiler), has_plugin = gcc || !compiles_at_link(given);
    int n = 0;

    snprintf(option, cap, "%s%s", gcc ? "-fplugin=" : "-fpass-plugin=", plugin);
    words[n++] = (char *) (uintptr_t) compiler;
    if (!gcc)
        words[n++] = "--start-no-unused-arguments"; /* a link has no use for them */
    words[n++] = "-g";
    if (has_plugin)
        words[n++] = option;
    if (!gcc)
        words[n++] = "--end-no-unused-arguments";
    if (!has_plugin)
        amp_complain(0, compiler, "-flto: no copies are named, since the linker compiles without the plugin: leave "
                                  "-flto out, or add -fno-lto");
    return n;
}

int main(int argc, char **argv)
{
    const char *compiler = getenv("AMPERSAND_CLANG"), *stages = "tag,late,settle";
    char plugin[PATH_MAX], option[PATH_MAX + 32], version[32];
    char **words = calloc((size_t) argc + 8, sizeof *words);
    int n_own, n, status = read_flags(argv + 1, &n_own, &stages);

    if (!words)
        return amp_complain(2, "cc", "there is no memory");
    compiler = compiler && *compiler ? compiler : "clang";
    if (!status && is_gcc(compiler) && n_own > 0)
        status = amp_complain(2, argv[1], "gcc's copies are listed, and not counted; clang's are counted");
    if (!status)
        status = ask_version(compiler, version, sizeof version);
    if (!status)
        status = find_plugin(compiler, version, plugin, sizeof plugin);
    if (!status) {
        n = begin_command(compiler, plugin, argv + 1 + n_own, option, sizeof option, words);
        for (int i = 1 + n_own; i < argc; i++)
            words[n++] = argv[i];
        setenv("AMPERSAND_COPIES", stages, 1);
        execvp(compiler, words);
        status = amp_complain(2, compiler, "cannot be started: %s", strerror(errno));
    }
    free(words);
    return status;
}
