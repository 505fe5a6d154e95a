/* SPDX-License-Identifier: MIT
 *
 * As cases.c, but for a whole program: which functions a call through a pointer may reach is known. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

void *kept;

/* ---- hooks, as libraries have them */
static struct hooks {
    void *(*make)(size_t);
    void (*drop)(void *);
} hooks = { malloc, free };
void set_hooks(const struct hooks *given) { hooks = *given; }
int by_hooks(void) { char *p = hooks.make(24); /* want frame */
    p[0] = 1; int r = p[0]; hooks.drop(p); return r; }
static void *wrapped(const struct hooks *h, size_t n) { void *p = h->make(n); /* want outlives: returned */
    if (!p) abort(); return p; }
static void unwrapped(const struct hooks *h, void *p) { h->drop(p); }
int by_wrapped_hooks(void) { char *p = wrapped(&hooks, 24); /* want frame */
    p[0] = 1; int r = p[0]; unwrapped(&hooks, p); return r; }
char *hooks_returned(void) { return hooks.make(24); } /* want outlives: returned */

/* ---- one function makes, resizes and frees */
static void *all_in_one(void *own, void *p, size_t old, size_t n) { (void) own; (void) old;
    if (n == 0) { free(p); return NULL; }
    return realloc(p, n); } /* want outlives: returned */
static struct state { void *(*allocate)(void *, void *, size_t, size_t); void *own; } state = { all_in_one, NULL };
static void *make(struct state *s, size_t n) { return s->allocate(s->own, NULL, 0, n); } /* want outlives: returned */
static void drop(struct state *s, void *p, size_t n) { s->allocate(s->own, p, n, 0); } /* want resized */
char *all_in_one_returned(void) { return make(&state, 8); } /* want outlives: returned */
void *all_in_one_kept(void) { void *p = make(&state, 8); /* want outlives: global `kept` */
    kept = p; return 0; }
int all_in_one_dropped(void) { char *p = make(&state, 8); /* want resized */
    p[0] = 1; int r = p[0]; drop(&state, p, 8); return r; }

/* ---- one of two */
static int only_reads(int *p, char how) { return *p + how; }
static int keeps(int *p, char how) { kept = p; return how; }
static int adds(int *p, short how) { return *p + how; }
static int (*one_of_two)(int *, char) = only_reads;
static int (*one)(int *, short) = adds;
void choose(int n) { one_of_two = n ? keeps : only_reads; }
int to_one_of_two(void) { int *p = malloc(4); /* want outlives: passed to keeps() */
    *p = 1; int r = one_of_two(p, 2); free(p); return r; }
int to_one(void) { int *p = malloc(4); /* want frame */
    *p = 1; int r = one(p, 2); free(p); return r; }
static void *fresh(char n) { return malloc((size_t) n); } /* want outlives: returned */
static void *stale(char n) { (void) n; return kept; }
static void *(*fresh_or_stale)(char) = fresh;
void choose_stale(void) { fresh_or_stale = stale; }
int of_one_of_two(void) { char *p = fresh_or_stale(8); /* want mixed: another function may be called */
    return p[0]; }
static void *of_8(short n) { (void) n; return malloc(8); } /* want outlives: returned */
static void *of_16(short n) { (void) n; return malloc(16); } /* want outlives: returned */
static void *(*of_8_or_16)(short) = of_8;
void choose_16(void) { of_8_or_16 = of_16; }
int of_two_sizes(void) { char *p = of_8_or_16(1); /* want frame */
    return p[0]; }
static void *of_4(int n, short k) { (void) n; (void) k; return malloc(4); } /* want outlives: returned */
static void *of_70000(int n, short k) { (void) n; (void) k; return malloc(70000); } /* want outlives: returned */
static void *(*of_4_or_70000)(int, short) = of_4;
void choose_70000(void) { of_4_or_70000 = of_70000; }
int of_a_large_one(void) { char *p = of_4_or_70000(1, 2); /* want large */
    return p[0]; }
static void frees(short *p, int n) { (void) n; free(p); }
static void counts(short *p, int n) { *p += (short) n; }
static void (*frees_or_counts)(short *, int) = frees;
void choose_counts(void) { frees_or_counts = counts; }
int freed_by_one_of_two(void) { short *p = malloc(2); /* want freed_elsewhere */
    *p = 1; frees_or_counts(p, 1); return 0; }
static void spares(void *p) { (void) p; }
static void (*frees_or_spares)(void *) = free;
void choose_spares(void) { frees_or_spares = spares; }
int freed_or_spared(void) { float *p = malloc(4); /* want freed_elsewhere */
    *p = 1; frees_or_spares(p); return 0; }
static int with_short(short *p, float x) { return *p + (int) x; }
static int (*fewer)(short *, float, int) = (int (*)(short *, float, int)) with_short;
static int with_short_kept(short *p, float x) { kept = p; return (int) x; }
void choose_fewer(void) { fewer = (int (*)(short *, float, int)) with_short_kept; }
int passed_beyond(void) { short *p = malloc(2); /* want outlives: with_short_kept() */
    *p = 1; return fewer(p, 1, 2); }
static double old_style(p) double *p; { kept = p; return *p; }
static double (*without_prototype)() = old_style;
double to_old_style(void) { double *p = malloc(8); /* want outlives: old_style() */
    *p = 1; return without_prototype(p); }
static float wide(p, n) float *p; long n; { kept = p; return *p + (float) n; }
static float (*of_int)() = wide;
float to_wide(void) { float *p = malloc(4); /* want outlives: wide() */
    *p = 1; return of_int(p, 1); }

/* ---- tables and parameters */
static long longer(long *p) { return *p; }
static long keeps_long(long *p) { kept = p; return 0; }
static long (*const table[])(long *) = { longer, longer };
static long (*const other_table[])(long *) = { longer, keeps_long };
static long (*table_that_changes[])(long *) = { longer, keeps_long };
long by_table(int n) { long *p = malloc(8); /* want frame */
    *p = n; long r = table[n & 1](p); free(p); return r; }
long by_other_table(int n) { long *p = malloc(8); /* want outlives: keeps_long() */
    *p = n; long r = other_table[n & 1](p); free(p); return r; }
long by_changed_table(int n) { long *p = malloc(8); /* want outlives: keeps_long() */
    *p = n; table_that_changes[0] = longer; long r = table_that_changes[n & 1](p); free(p); return r; }
static int apply(int (*f)(const char *, long), const char *p) { return f(p, 1); }
static int first(const char *p, long x) { return *p + (int) x; }
int by_parameter(void) { char *p = malloc(4); /* want frame */
    *p = 1; int r = apply(first, p); free(p); return r; }
static int walk(int (*f)(float *, int), float *p, int n) { return n ? f(p, n) : 0; }
static int again(float *p, int n) { if (n == 1) kept = p; return walk(again, p, n - 1); }
int by_circle(void) { float *p = malloc(4); /* want outlives: again() */
    return again(p, 4); }
int by_cast(void) { short *p = malloc(2); /* want frame */
    *p = 1; return (int) ((long (*)(void *, double)) (void *) with_short)(p, 1); }

int main(void)
{
    choose_stale();
    choose_16();
    choose_70000();
    choose_counts();
    choose_spares();
    frees_or_counts((short *) "a", 1);
    choose_fewer();
    return by_hooks() + by_wrapped_hooks() + to_one() + of_one_of_two();
}
