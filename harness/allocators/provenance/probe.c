/* SPDX-License-Identifier: MIT
 *
 * Runs in the process whose allocator is examined. It links no allocator, and finds everything by name at run time. */
#include "harness/allocators/provenance/probe.h"

#include "harness/text/complain.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

#ifdef __GLIBC__
/* Whether the address is a program's stub for a function that it does not define. */
static bool is_stub(void *at)
{
    const ElfW(Sym) *symbol = NULL;
    Dl_info info;

    return dladdr1(at, &info, (void **) &symbol, RTLD_DL_SYMENT) && symbol && symbol->st_shndx == SHN_UNDEF;
}

/* The first library that defines it, in the order in which the loader looks. */
static void *find_behind(const char *name)
{
    void *program = dlopen(NULL, RTLD_LAZY), *found = NULL;
    struct link_map *map = NULL;

    if (!program || dlinfo(program, RTLD_DI_LINKMAP, &map))
        map = NULL;
    for (; map && !found; map = map->l_next) {
        void *library = map->l_name[0] ? dlopen(map->l_name, RTLD_LAZY | RTLD_NOLOAD) : NULL;
        void *at = library ? dlsym(library, name) : NULL;
        Dl_info info;

        if (at && dladdr(at, &info) && (uintptr_t) info.dli_fbase == (uintptr_t) map->l_addr)
            found = at;
        if (library)
            dlclose(library);
    }
    if (program)
        dlclose(program);
    return found;
}
#endif

void *amp_probe_find(const char *name)
{
    void *at = dlsym(RTLD_DEFAULT, name);

#ifdef __GLIBC__
    if (at && is_stub(at))
        at = find_behind(name);
#endif
    return at;
}

void *amp_probe_symbol(const struct amp_probe *probe, const char *name)
{
    void *at = amp_probe_find(name);
    Dl_info info;

    return at && dladdr(at, &info) && info.dli_fname && info.dli_fbase == probe->base ? at : NULL;
}

void amp_probe_effect(struct amp_probe *probe, const char *name, uint64_t value)
{
    json_object_set_new(probe->effects, name, json_integer((json_int_t) value));
}

void amp_probe_effect_bool(struct amp_probe *probe, const char *name, bool value)
{
    json_object_set_new(probe->effects, name, json_boolean(value));
}

struct visitor {
    void (*visit)(void *);
    void *opaque;
    pthread_mutex_t one;
    pthread_barrier_t all; /* wait after the visit, so that no thread inherits the arena of an ended one */
};

static void *visit_one(void *argument)
{
    struct visitor *visitor = argument;

    pthread_mutex_lock(&visitor->one);
    visitor->visit(visitor->opaque);
    pthread_mutex_unlock(&visitor->one);
    pthread_barrier_wait(&visitor->all);
    return NULL;
}

void amp_probe_in_threads(unsigned n, void (*visit)(void *), void *opaque)
{
    struct visitor visitor = { .visit = visit, .opaque = opaque };
    pthread_t threads[64];

    if (n == 0 || n > 64 || pthread_barrier_init(&visitor.all, NULL, n))
        return;
    pthread_mutex_init(&visitor.one, NULL);
    for (unsigned i = 0; i < n; i++)
        if (pthread_create(&threads[i], NULL, visit_one, &visitor)) {
            amp_complain(0, "probe", "a thread cannot be started");
            _exit(1); /* the others wait for it */
        }
    for (unsigned i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&visitor.all);
    pthread_mutex_destroy(&visitor.one);
}

/* This process's environment with one more assignment, unless that variable is set already. */
static char **environment_with(char *assignment)
{
    size_t n = 0, name = assignment ? strcspn(assignment, "=") + 1 : 0;
    bool is_set = !assignment;
    char **list;

    for (; environ[n]; n++)
        is_set = is_set || strncmp(environ[n], assignment, name) == 0;
    list = calloc(n + 2, sizeof *list);
    if (!list)
        return NULL;
    memcpy(list, environ, n * sizeof *list);
    if (!is_set)
        list[n] = assignment;
    return list;
}

static char *read_all(int fd)
{
    size_t n = 0, cap = 1 << 16;
    char *text = malloc(cap);
    ssize_t got = 1;

    while (text && got > 0 && n < cap - 1) {
        got = read(fd, text + n, cap - 1 - n);
        if (got < 0 && errno == EINTR)
            got = 1;
        else if (got > 0)
            n += (size_t) got;
    }
    if (text)
        text[n] = '\0';
    return text;
}

char *amp_probe_output(const char *program, const char *argument, const char *assignment)
{
    char *const argv[] = { (char *) program, (char *) argument, NULL };
    char **environment = environment_with((char *) assignment), *text = NULL;
    posix_spawn_file_actions_t actions;
    bool is_started;
    int output[2];
    pid_t child;

    if (!environment || pipe2(output, O_CLOEXEC)) {
        free(environment);
        return NULL;
    }
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output[1], STDERR_FILENO);
    is_started = posix_spawn(&child, program, &actions, NULL, argv, environment) == 0;
    posix_spawn_file_actions_destroy(&actions);
    close(output[1]);
    if (is_started)
        text = read_all(output[0]);
    close(output[0]);
    while (is_started && waitpid(child, NULL, 0) < 0 && errno == EINTR)
        continue;
    free(environment);
    return text;
}
