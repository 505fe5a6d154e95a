/* SPDX-License-Identifier: MIT
 *
 * As cases.c: what the order of execution says. look() keeps a local in memory, and does nothing with it that is a way
 * out. */
#include <stdlib.h>
#include <string.h>

struct node {
    struct node *next;
    void *any;
    int length;
};
struct three {
    void *first;
    long number;
    void *last;
};
void *kept;
extern void *given;
static int look(void **at) { return *at != 0 && *(char *) *at; }
static int look_at(struct node *n) { return n->length; }
static int look_in(struct node *n) { return look(n->any); }
static void put(void **to, void *p) { *to = p; }

/* ---- a load sees what was stored before, and not what was overwritten */
void *loaded_before(void) { void *p = given; look(&p); void *r = p; p = malloc(8); /* want frame */
    look(&p); free(p); return r; }
void *loaded_behind(void) { void *p = given; look(&p); p = malloc(8); /* want outlives: returned */
    void *r = p; look(&p); return r; }
void *overwritten(void) { void *p = malloc(8); /* want frame */
    look(&p); free(p); p = 0; look(&p); return p; }
void *overwritten_by_copy(void *q) { void *p = malloc(8); /* want frame */
    look(&p); free(p); memcpy(&p, &q, sizeof p); look(&p); return p; }
void *overwritten_by_zeros(void) { struct three t = { malloc(8), 1, 0 }; /* want frame */
    look(&t.first); free(t.first); memset(&t, 0, sizeof t); look(&t.first); return t.first; }
void *half_overwritten(void) { union { void *p; unsigned half[2]; } u = { malloc(8) }; /* want outlives: returned */
    look(&u.p); u.half[0] = 0; look(&u.p); return u.p; }
void *other_overwritten(void) { struct three t = { malloc(8), 1, 0 }; /* want outlives: returned */
    look(&t.first); t.last = 0; look(&t.last); return t.first; }
void *copied_too_short(void *q) { struct three t = { 0, 1, malloc(8) }; /* want outlives: returned */
    look(&t.last); memcpy(&t, &q, sizeof q); look(&t.last); return t.last; }
void *overwritten_on_one_way(int n) { void *p = malloc(8); /* want outlives: returned */
    look(&p); if (n) p = 0; look(&p); return p; }
void *overwritten_on_each_way(int n) { void *p = malloc(8); /* want frame */
    look(&p); free(p); if (n) p = 0; else p = given; look(&p); return p; }
void *overwritten_volatile(void) { void *volatile p = malloc(8); /* want outlives: returned */
    p = 0; return p; }
void *overwritten_elsewhere(int n) { void *a[4]; a[n & 3] = malloc(8); /* want outlives: returned */
    a[1] = 0; look(a); return a[2]; }
void *overwritten_by_chance(int n) { void *a[4] = { malloc(8) }; look(a); a[n & 3] = 0; look(a); /* want outlives: returned */
    return a[0]; }
void *at_one_of_two(int n) { struct three t = { 0 }; void **at = &t.first; if (n) at = &t.last;
    *at = malloc(8); /* want outlives: returned */
    look(&t.first); return t.last; }
unsigned half_of_packed(void) { struct __attribute__((packed)) { int i; void *p; } s = { 1, given }; look((void **) &s);
    s.p = malloc(8); /* want outlives: returned */
    look((void **) &s); return ((unsigned *) &s)[2]; }
void *beside_what_is_read(void *q) {
    struct three t; t.last = given; look(&t.last); t.last = q; t.first = malloc(8); /* want frame */
    free(t.first); return t.last; }
void *by_called(void) { void *p = 0; look(&p); put(&p, malloc(8)); /* want outlives: returned */
    return p; }
void *by_called_before(void) { void *p = 0; put(&p, malloc(8)); /* want frame */
    free(p); p = given; look(&p); return p; }
void *by_pointer(void) { void *p = 0, **at = &p; look(at); void ***of = &at; look((void **) of);
    **of = malloc(8); /* want outlives: returned */
    return p; }
void *round_before(int n) { void *p = 0, *r = 0; while (n--) { r = p; look(&p); p = malloc(8); } /* want outlives: returned */
    return r; }
void *round_of_one_block(void) { void *p = 0, *r;
more: r = p; look(&p); p = malloc(8); /* want outlives: returned */
    __asm__ goto("" : : : : more); return r; }
void *of_round(int n) { void *r = given; while (n--) { void *p = 0; look(&p); r = p; p = malloc(8); /* want frame */
        look(&p); free(p); } return r; }
static void *swap_of(void **a, void **b, void *p) { void *c = *a; *b = p; *a = *b; return c; }
void *within_called(void) { void *m = 0; swap_of(&m, &m, malloc(8)); /* want outlives: returned */
    return m; }
static void *taken(void **a, void **b, void *p) { *b = p; return *a; }
void *at_the_same_call(void) { void *m = 0; return taken(&m, &m, malloc(8)); } /* want outlives: returned by taken() */
static void *lent(void **a, void **b, void *p) { struct { void *in; } l = { 0 }; *a = &l;
    struct { void *in; } *r = *b; r->in = p; return l.in; }
void *through_lent(void) { void *m = 0; return lent(&m, &m, malloc(8)); } /* want outlives: returned by lent() */
void *in_heap_before(void) { struct node *n = calloc(1, sizeof *n); /* want frame */
    void *r = n->any; n->any = malloc(8); /* want frame */
    free(n->any); free(n); return r; }
void *in_heap_round(int k) { struct node *n = calloc(1, sizeof *n); /* want frame */
    void *r = 0; while (k--) { r = n->any; n->any = malloc(8); } /* want outlives: returned */
    free(n); return r; }

/* ---- an older object of the line */
int overwritten_at_once(int n) { void *p = 0; int r = 0; for (int i = 0; i < n; i++) { p = malloc(8); /* want frame */
        r += look(&p); free(p); } return r; }
int overwritten_later(int n) { void *p = 0; int r = 0; for (int i = 0; i < n; i++) { char *q = malloc(8); /* want loop */
        if (p) r += *(char *) p; p = q; look(&p); } return r; }
int read_by_called(int n) { void *p = 0; int r = 0; for (int i = 0; i < n; i++) { char *q = malloc(8); /* want loop */
        r += look(&p); p = q; } return r; }
int read_behind_loop(int n) { void *p = 0; int r = 0; for (int i = 0; i < n; i++) { char *q = malloc(8); /* want loop */
        if (i & 1) p = q; } return r + look(&p); }
int scope_of_round(int n) { int r = 0; for (int i = 0; i < n; i++) { void *t; if (i & 1) continue; put(&t, malloc(8)); /* want frame */
        r += look(&t); free(t); } return r; }
int list_in_heap(int n) { struct node *all = 0; int r = 0;
    for (int i = 0; i < n; i++) { struct node *p = malloc(sizeof *p); /* want loop */
        p->any = malloc(8); /* want loop */
        p->next = all; all = p; }
    for (; all; all = all->next) r += *(char *) all->any; return r; }
int holder_of_round(int n) { int r = 0; for (int i = 0; i < n; i++) { struct node *p = malloc(sizeof *p); /* want frame */
        p->any = malloc(8); /* want frame */
        p->length = look(&p->any); r += look_at(p); free(p->any); free(p); } return r; }
int holder_of_all(int n) { struct node *p = calloc(1, sizeof *p); /* want frame */
    int r = 0; for (int i = 0; i < n; i++) { char *q = malloc(8); /* want loop */
        if (p->any) r += *(char *) p->any; p->any = q; } free(p); return r; }
int used_behind_next(int n) { char *p = 0, *q; int r = 0; do { q = malloc(8); /* want loop */
        if (p) r += *p; p = q; } while (n--); return r; }
int used_before_next(int n) { char *p = 0; int r = 0; do { if (p) r += *p; p = malloc(8); /* want frame */
    } while (n--); return r; }
int inside_of_older(int n) { char *p = 0; int r = 0; do { char *q = malloc(8); /* want loop */
        r += p ? *p : 0; p = q + 4; } while (n--); return r; }
int read_in_holder(int n) { void *p = 0; int r = 0; struct node h = { 0 }; h.any = &p;
    for (int i = 0; i < n; i++) { char *q = malloc(8); /* want loop */
        r += look_in(&h); p = q; } return r; }
int heap_read_by_called(int n) { struct node *p = calloc(1, sizeof *p); /* want frame */
    int r = 0; for (int i = 0; i < n; i++) { char *q = malloc(8); /* want loop */
        r += look(&p->any); p->any = q; } free(p); return r; }
int other_ended(int n) { struct three t = { 0 }; int r = 0; for (int i = 0; i < n; i++) { char *q = malloc(8); /* want loop */
        if (t.first) r += *(char *) t.first; t.first = q; t.last = 0; look(&t.last); } return r; }
