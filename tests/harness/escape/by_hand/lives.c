/* SPDX-License-Identifier: MIT
 *
 * How long each object of a program lives, against the frames that it was made in. Built into the program:
 *
 *   clang -c -O1 lives.c
 *   make CC=clang CFLAGS='-g -O0 -finstrument-functions' LDFLAGS="-no-pie $PWD/lives.o $(python3 lives.py --flags)"
 *
 * Each process appends to the file $LIVES a line for each call that made an object, or that led to one:
 *
 *   ADDRESS made died in_callee outlived left resized met least_b most_b
 *
 * ADDRESS is behind the call. "died": freed while the frame that made the call was there, "in_callee" of these by a
 * function that it had called; "outlived": freed later; "left": never freed; "resized": by realloc(); "met": made while
 * an older one of the same line and frame was there. A use behind the frame that is no free() is not seen. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEVELS = 10, FRAMES = 1 << 16, OBJECTS = 1 << 21, SITES = 1 << 15, PAIRS = 1 << 21 };

struct frame {
    void *function, *call, *at; /* at: its place on the stack */
    uint64_t id;
};

struct level {
    uintptr_t call;
    int32_t depth;
    uint64_t frame;
};

struct object {
    void *at;
    size_t size;
    pthread_t thread;
    int levels;
    struct level level[LEVELS];
};

struct site {
    uintptr_t call;
    uint64_t made, died, in_callee, outlived, left, resized, met, least, most;
};

struct pair { /* a call in a frame, and how many of its objects are there */
    uintptr_t call;
    uint64_t frame, there;
};

void *__real_malloc(size_t);
void *__real_calloc(size_t, size_t);
void *__real_realloc(void *, size_t);
char *__real_strdup(const char *);
char *__real_strndup(const char *, size_t);
void __real_free(void *);
void __cyg_profile_func_enter(void *, void *);
void __cyg_profile_func_exit(void *, void *);
void *__wrap_malloc(size_t);
void *__wrap_calloc(size_t, size_t);
void *__wrap_realloc(void *, size_t);
void *__wrap_reallocarray(void *, size_t, size_t);
char *__wrap_strdup(const char *);
char *__wrap_strndup(const char *, size_t);
void __wrap_free(void *);

static _Thread_local struct frame stack[FRAMES];
static _Thread_local int depth;
static uint64_t frames;
static struct object object[OBJECTS];
static struct site site[SITES];
static struct pair pair[PAIRS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* What longjmp() has left lies deeper than who calls now. */
static void leave_below(const void *at)
{
    while (depth > 0 && (char *) stack[depth - 1].at < (char *) at)
        depth--;
}

void __cyg_profile_func_enter(void *function, void *call)
{
    void *at = __builtin_frame_address(1);

    leave_below((char *) at + 1);
    if (depth == FRAMES)
        abort();
    stack[depth++] = (struct frame){ function, call, at, __atomic_add_fetch(&frames, 1, __ATOMIC_RELAXED) };
}

void __cyg_profile_func_exit(void *function, void *call)
{
    (void) function;
    (void) call;
    leave_below(__builtin_frame_address(1));
    if (depth > 0)
        depth--;
}

static size_t hash(uint64_t a, uint64_t b, size_t room)
{
    return (size_t) ((a * 0x9e3779b97f4a7c15u ^ (b + 1) * 0xc2b2ae3d27d4eb4fu) >> 20) & (room - 1);
}

static struct site *site_of(uintptr_t call)
{
    size_t at = hash(call, 0, SITES);

    while (site[at].call && site[at].call != call)
        at = (at + 1) & (SITES - 1);
    if (!site[at].call)
        site[at] = (struct site){ .call = call, .least = UINT64_MAX };
    return &site[at];
}

static struct pair *pair_of(uintptr_t call, uint64_t frame)
{
    size_t at = hash(call, frame, PAIRS), first = SIZE_MAX;

    for (int n = 0; pair[at].call && n < 4096; n++, at = (at + 1) & (PAIRS - 1)) {
        if (pair[at].call == call && pair[at].frame == frame)
            return &pair[at];
        if (pair[at].there == 0 && first == SIZE_MAX)
            first = at;
    }
    at = first != SIZE_MAX ? first : at;
    pair[at] = (struct pair){ call, frame, 0 };
    return &pair[at];
}

static struct object *object_of(const void *at)
{
    size_t o = hash((uintptr_t) at, 0, OBJECTS);

    for (int n = 0; n < OBJECTS && object[o].at != at; n++)
        o = (o + 1) & (OBJECTS - 1);
    return object[o].at == at ? &object[o] : NULL;
}

static void made(void *at, size_t size, void *call)
{
    size_t o = hash((uintptr_t) at, 0, OBJECTS);

    if (!at)
        return;
    pthread_mutex_lock(&lock);
    for (int n = 0; object[o].at && object[o].at != (void *) 1 && n < OBJECTS; n++)
        o = (o + 1) & (OBJECTS - 1);
    if (object[o].at && object[o].at != (void *) 1)
        abort();
    object[o] = (struct object){ .at = at, .size = size, .thread = pthread_self() };
    for (int l = 0; l < LEVELS && l < depth; l++) {
        const struct frame *frame = &stack[depth - 1 - l];
        const uintptr_t from = (uintptr_t) (l == 0 ? call : stack[depth - l].call);
        struct site *one = site_of(from);
        struct pair *together = pair_of(from, frame->id);

        object[o].level[object[o].levels++] = (struct level){ from, depth - 1 - l, frame->id };
        one->made++;
        one->met += together->there++ > 0;
        one->least = size < one->least ? size : one->least;
        one->most = size > one->most ? size : one->most;
    }
    pthread_mutex_unlock(&lock);
}

static void gone(void *at, int resized)
{
    struct object *one;

    if (!at)
        return;
    pthread_mutex_lock(&lock);
    one = object_of(at);
    for (int l = 0; one && l < one->levels; l++) {
        const struct level *level = &one->level[l];
        const int there = one->thread == pthread_self() && level->depth < depth &&
                          stack[level->depth].id == level->frame;
        struct site *by = site_of(level->call);

        pair_of(level->call, level->frame)->there--;
        by->died += (uint64_t) there;
        by->outlived += !there;
        by->in_callee += there && level->depth != depth - 1;
        by->resized += (uint64_t) resized;
    }
    if (one)
        one->at = (void *) 1;
    pthread_mutex_unlock(&lock);
}

void *__wrap_malloc(size_t size)
{
    void *at = __real_malloc(size);

    leave_below((char *) __builtin_frame_address(0) + 1);
    made(at, size, __builtin_return_address(0));
    return at;
}

void *__wrap_calloc(size_t n, size_t size)
{
    void *at = __real_calloc(n, size);

    leave_below((char *) __builtin_frame_address(0) + 1);
    made(at, n * size, __builtin_return_address(0));
    return at;
}

void *__wrap_realloc(void *old, size_t size)
{
    void *at;

    leave_below((char *) __builtin_frame_address(0) + 1);
    gone(old, 1);
    at = __real_realloc(old, size);
    made(at, size, __builtin_return_address(0));
    return at;
}

void *__wrap_reallocarray(void *old, size_t n, size_t size)
{
    void *at;

    leave_below((char *) __builtin_frame_address(0) + 1);
    gone(old, 1);
    at = __real_realloc(old, n * size);
    made(at, n * size, __builtin_return_address(0));
    return at;
}

char *__wrap_strdup(const char *text)
{
    char *at = __real_strdup(text);

    leave_below((char *) __builtin_frame_address(0) + 1);
    made(at, strlen(text) + 1, __builtin_return_address(0));
    return at;
}

char *__wrap_strndup(const char *text, size_t most)
{
    char *at = __real_strndup(text, most);

    leave_below((char *) __builtin_frame_address(0) + 1);
    made(at, at ? strlen(at) + 1 : 0, __builtin_return_address(0));
    return at;
}

void __wrap_free(void *at)
{
    leave_below((char *) __builtin_frame_address(0) + 1);
    gone(at, 0);
    __real_free(at);
}

__attribute__((destructor)) static void report(void)
{
    const char *name = getenv("LIVES");
    FILE *out = name ? fopen(name, "a") : NULL;

    for (size_t o = 0; o < OBJECTS; o++)
        for (int l = 0; object[o].at && object[o].at != (void *) 1 && l < object[o].levels; l++)
            site_of(object[o].level[l].call)->left++;
    for (size_t s = 0; out && s < SITES; s++)
        if (site[s].call)
            fprintf(out, "%lx %lu %lu %lu %lu %lu %lu %lu %lu %lu\n", site[s].call, site[s].made, site[s].died,
                    site[s].in_callee, site[s].outlived, site[s].left, site[s].resized, site[s].met, site[s].least,
                    site[s].most);
    if (out)
        fclose(out);
}
