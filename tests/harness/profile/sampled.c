/* SPDX-License-Identifier: MIT
 *
 * What is profiled by samples: one mode each.
 *
 *   sizes    so many objects of each size as is printed, every second of which is freed
 *   gone     objects of all kinds, which other threads move and free: none is left
 *   lent     large objects that are made small, and such that their maker's caller frees
 *   again    more objects at one place, one after the other, than 16 bits count
 *   stays    objects that cannot be moved for lack of memory, and then are freed */
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define N 30000

static const struct {
    size_t size_b;
    unsigned n;
} groups[] = { { 0, 200000 }, { 24, 400000 }, { 1000, 40000 }, { 4096, 10000 }, { 12000, 4000 }, { 1 << 20, 50 } };

static void *volatile sink;
static void *objects[N];

static void sizes(void)
{
    for (size_t g = 0; g < sizeof groups / sizeof *groups; g++)
        for (unsigned i = 0; i < groups[g].n; i++) {
            sink = malloc(groups[g].size_b);
            if (i % 2 == 0)
                free(sink);
        }
}

static void *make(void *unused)
{
    uint64_t random = 1;

    (void) unused;
    for (int i = 0; i < N; i++) {
        size_t size_b;

        random = random * 6364136223846793005u + 1442695040888963407u;
        size_b = (random >> 33) % 300;
        objects[i] = i % 4 == 0   ? calloc(2, size_b)
                     : i % 4 == 1 ? memalign(64, size_b)
                     : i % 4 == 2 ? realloc(malloc(20), size_b + 1)
                                  : malloc(size_b);
    }
    return NULL;
}

static void *move_and_free(void *unused)
{
    (void) unused;
    for (int i = 0; i < N; i += 2) {
        objects[i] = realloc(objects[i], 40 + (size_t) i % 1000);
        if (i % 4 == 0)
            objects[i] = realloc(objects[i], 1 + (size_t) i % 7);
        free(objects[i]);
        objects[i] = NULL;
    }
    return NULL;
}

static void gone(void)
{
    void *(*const volatile steps[])(void *) = { make, move_and_free };

    for (int i = 0; i < 2; i++) {
        pthread_t thread;

        if (pthread_create(&thread, NULL, steps[i], NULL))
            _exit(92);
        pthread_join(thread, NULL);
    }
    for (int i = 0; i < N; i++)
        free(objects[i]);
}

static __attribute__((__noinline__)) void *made(size_t size_b)
{
    sink = malloc(size_b);
    return sink;
}

/* As good as certainly, what is moved is sampled; what it becomes, by chance. */
static __attribute__((__noinline__)) void lent(void)
{
    free(realloc(made(1 << 17), 1000));
    free(made(3000));
    sink = NULL;
}

static void again(void)
{
    for (int i = 0; i < 70000; i++) {
        sink = malloc(200);
        free(sink);
    }
}

static void stays(void)
{
    for (int i = 0; i < 1000; i++) {
        void *p = malloc(200);

        sink = realloc(p, SIZE_MAX / 4);
        free(p);
    }
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "sizes") == 0)
        sizes();
    else if (argc > 1 && strcmp(argv[1], "gone") == 0)
        gone();
    else if (argc > 1 && strcmp(argv[1], "lent") == 0)
        for (int i = 0; i < N; i++)
            lent();
    else if (argc > 1 && strcmp(argv[1], "again") == 0)
        again();
    else if (argc > 1 && strcmp(argv[1], "stays") == 0)
        stays();
    else
        return 95;
    return 0;
}
