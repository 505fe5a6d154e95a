/* SPDX-License-Identifier: MIT
 *
 * One small function for each rule of the analysis, and on the line of each allocation what it must say:
 *
 *   want frame               it could live in the frame
 *   want outlives: WORDS     it outlives the frame, by a way whose one-line reason has these words
 *   want OBSTACLE            another obstacle */
#include <libgen.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct node {
    struct node *next;
    void *any;
    int length;
    char text[40];
};
struct both {
    char *p;
    long n;
};
extern void unknown(void *);
extern void *unknown_result(void);
extern int number;
void *kept, *table[8];
static void (*callback)(void *);

/* ---- what stays */
int dies(void) { char *p = malloc(24); /* want frame */
    p[0] = 1; int r = p[0]; free(p); return r; }
int leaks(void) { int *p = calloc(2, 4); /* want frame */
    return p[1]; }
int by_libc(const char *s) { char *p = malloc(64); /* want frame */
    strncpy(p, s, 63); p[63] = 0; int n = (int) strlen(p); free(p); return n; }
int in_local_struct(void) { struct both b; b.p = malloc(8); /* want frame */
    b.n = 3; b.p[0] = 2; long r = b.n + b.p[0]; free(b.p); return (int) r; }
int distance(void) { char *p = malloc(16), *q = p; /* want frame */
    while (*q) q++; int n = (int) (q - p); free(p); return n; }
int in_local_heap(void) { struct node *n = malloc(sizeof *n); /* want frame */
    n->any = malloc(10); /* want frame */
    free(n->any); free(n); return 0; }
static int reads(const struct node *n) { return n->length + n->next->length; }
int to_reader(void) { struct node a = { 0 }, *n = malloc(sizeof *n); /* want frame */
    n->next = &a; int r = reads(n); free(n); return r; }
int each_round(int n) { int r = 0; for (int i = 0; i < n; i++) { int *p = malloc(8); /* want frame */
        *p = i; r += *p; free(p); } return r; }
int one_or_local(int n) { struct node here = { 0 }, *p = &here; if (n) p = malloc(sizeof *p); /* want frame */
    p->length = n; int r = p->length; if (n) free(p); return r; }
int joined_in_round(int n) { int r = 0, x = 3; for (int i = 0; i < n; i++) { int *p = malloc(4), *q = &x; /* want frame */
        *p = i; if (i & 1) q = p; r += *q; free(p); } return r; }
int joined_in_inner_loop(int n) { int r = 0, x = 3; for (int i = 0; i < n; i++) { int *q = malloc(4); /* want frame */
        *q = i; for (int j = 0; j < i; j++) { r += *q; if (j == n) q = &x; } } return r; }
int joined_behind_loop(int n) { int x = 3, *q = &x, *p; for (int i = 0;; i++) { p = malloc(4); /* want frame */
        *p = i; if (i == n) { q = p; break; } if (i > 2 * n) break; } return *q; }
static void release(void *p) { free(p); }
static void release_in_two(void *p, int n) { if (n) free(p); else free(p); }
int by_free_in_two(int n) { int *p = malloc(8); /* want frame */
    *p = 1; int r = *p; release_in_two(p, n); return r; }
static void release_both(void *p, void *q) { free(p); free(q); }
int by_free_of_both(void) { int *p = malloc(8), r; /* want frame: if release_both() did not free it */
    *p = 1; r = *p; release_both(p, 0); return r; }
int by_own_free(void) { int *p = malloc(8); /* want frame */
    *p = 1; int r = *p; release(p); return r; }

/* ---- wrappers */
static void *xmalloc(size_t n) { void *p = malloc(n); /* want outlives: returned */
    if (!p) abort(); return p; }
static void *xcalloc(size_t n, size_t size) { return xmalloc(n * size); } /* want outlives: returned */
static void *x24(void) { return xmalloc(24); } /* want outlives: returned */
int wrapped(void) { char *p = xmalloc(24); /* want frame */
    p[0] = 1; int r = p[0]; free(p); return r; }
int wrapped_twice(void) { char *p = xcalloc(3, 8); /* want frame */
    int r = p[0]; free(p); return r; }
int wrapped_constant(void) { char *p = x24(); /* want frame */
    int r = p[0]; free(p); return r; }
char *wrapped_returned(void) { char *p = xmalloc(24); /* want outlives: returned */
    return p; }
static void *keeps(size_t n) { void *p = malloc(n); /* want outlives: returned */
    kept = p; return p; }
int wrapper_keeps(void) { char *p = keeps(8); /* want outlives: global `kept` */
    return p[0]; }
static void *behind(size_t n) { char *p = malloc(n + 8); /* want outlives: returned */
    return p + 8; }
static void *rounded(int n) { return malloc(((size_t) n + 7) & ~(size_t) 7); } /* want outlives: returned */
int wrapped_rounded(void) { char *p = rounded(21); /* want frame */
    int r = p[0]; free(p); return r; }
int wrapped_just_fits(void) { char *p = rounded(65532); /* want frame */
    int r = p[0]; free(p); return r; }
int wrapped_too_large(void) { char *p = rounded(65537); /* want large */
    int r = p[0]; free(p); return r; }
static void *anywhere(size_t n) { char *p = malloc(n + 8); /* want outlives: returned */
    return p + n % 8; }
int wrapper_moves_anywhere(void) { char *p = anywhere(8); /* want mixed: another object */
    return p[0]; }
int wrapper_moves(void) { char *p = behind(8); /* want frame */
    int r = p[0]; return r; }

/* ---- ways out */
void *returned(void) { return malloc(8); } /* want outlives: returned */
void *returned_inside(void) { char *p = malloc(8); /* want outlives: returned */
    return p + 4; }
void to_global(void) { kept = malloc(8); } /* want outlives: global `kept` */
void to_table(int i) { table[i & 7] = malloc(8); } /* want outlives: global `table` */
void to_argument(struct node *n) { n->any = malloc(8); } /* want outlives: argument `n` */
void behind_argument(struct node *n) { n->next->next->any = malloc(8); } /* want outlives: argument leads to */
void to_pointer(void **out) { *out = malloc(8); } /* want outlives: argument `out` */
void to_unknown(void) { unknown(malloc(8)); } /* want outlives: no body */
void by_callback(void) { callback(malloc(8)); } /* want outlives: through a pointer */
void to_assembly(void) { void *p = malloc(8); /* want outlives: assembly */
    __asm__ volatile("" : : "r"(p) : "memory"); }
void below_unknown(void) { struct node n = { 0 }; n.any = malloc(8); /* want outlives: no body */
    unknown(&n); }
void into_unknown_memory(void) { struct node *n = unknown_result(); n->any = malloc(8); } /* want outlives: outlives the call */
struct both in_struct(void) { struct both b = { malloc(8), 1 }; /* want outlives: returned */
    return b; }
struct node in_large_struct(void) { struct node n = { 0 }; n.any = malloc(8); /* want outlives: the result */
    return n; }
void *in_heap(void) { struct node *n = malloc(sizeof *n); /* want outlives: returned */
    n->any = malloc(8); /* want outlives: returned */
    return n; }
static void put(void **to, void *p) { *to = p; }
void put_global(void) { put(&kept, malloc(8)); } /* want outlives: passed to put() */
int put_local(void) { void *to = 0; put(&to, malloc(8)); /* want frame */
    return to != 0; }
void *put_and_return(void) { void *to = 0; put(&to, malloc(8)); /* want outlives: returned */
    return to; }
static void *same(void *p) { return p; }
void *by_same(void) { return same(malloc(8)); } /* want outlives: same() */
static void link_below(struct node *a, void *p) { a->next->any = p; }
void *by_alias(void) { struct node a = { 0 }, b = { 0 }; a.next = &b; link_below(&a, malloc(8)); /* want outlives: returned */
    return b.any; }
static void *take(void **a, void **b, void *p) { *a = p; return *b; }
void *by_same_argument(void) { void *m = 0; return take(&m, &m, malloc(8)); } /* want outlives: returned */
static void *through_frame(void **a, void **b, void *p) { struct { void *f; } l = { p }; *a = &l;
    struct { void *f; } *r = *b; return r->f; }
void *by_frame(void) { void *m = 0; return through_frame(&m, &m, malloc(8)); } /* want outlives: returned */
static void recurse(struct node **p, int n) { struct node here = { *p }; if (n) { *p = &here; recurse(p, n - 1); }
    else kept = here.next->next; }
void by_recursion(void) { struct node a = { malloc(8) }, *p = &a; recurse(&p, 1); } /* want outlives: recurse() */
static void *even(void *p, int n);
static void *odd(void *p, int n) { return n ? even(p, n - 1) : 0; }
static void *even(void *p, int n) { return n ? odd(p, n - 1) : p; }
void *by_two(int n) { return odd(malloc(8), n); } /* want outlives: odd() */
static void *deeper(void *p, int n);
static void *upper(void *p, int n) { return n ? deeper(p, n - 1) : p; }
static void *deeper(void *p, int n) { return n ? upper(p, n - 1) : 0; }
void *by_second_round(int n) { upper(0, n); return deeper(malloc(8), n); } /* want outlives: deeper() */

/* ---- pointers in disguise */
uintptr_t as_integer(void) { return (uintptr_t) malloc(8); } /* want outlives: returned */
uintptr_t xored(uintptr_t key) { return (uintptr_t) malloc(8) ^ key; } /* want outlives: returned */
uintptr_t apart(void *other) { return (uintptr_t) malloc(8) - (uintptr_t) other; } /* want outlives: returned */
void *tagged(void) { uintptr_t u = (uintptr_t) malloc(8) | 1; /* want outlives: returned */
    return (void *) (u & ~(uintptr_t) 1); }
static void bytes(void *to, const void *from, size_t n) { char *t = to; const char *f = from; while (n--) *t++ = *f++; }
void by_bytes(void **out) { void *p = malloc(8); /* want outlives: bytes() */
    bytes(out, &p, sizeof p); }
void by_memcpy(void **out, int i) { void *a[3] = { 0 }; a[i] = malloc(8); /* want outlives: copied into the caller's memory */
    memcpy(out, a, sizeof a); }
void by_half(unsigned *out) { union { void *p; unsigned half[2]; } u = { malloc(8) }; /* want outlives: argument `out` */
    out[0] = u.half[0]; out[1] = u.half[1]; }
void *by_index(void) { uintptr_t u = (uintptr_t) malloc(8); /* want outlives: returned */
    return (char *) 16 + u; }
static void *vary(int n, ...) { va_list l; va_start(l, n); void *p = va_arg(l, void *); va_end(l); return p; }
void *by_list(void) { return vary(1, malloc(8)); } /* want outlives: passed to */
void *exchanged(void **at) { void *p = malloc(8); /* want outlives */
    return __atomic_exchange_n(at, p, __ATOMIC_SEQ_CST); }
void compared(void **at) { void *none = 0; /* the third operand */
    __atomic_compare_exchange_n(at, &none, malloc(8), 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); } /* want outlives: argument `at` */
char *found_in(const char *s) { char *p = malloc(8); /* want outlives: returned */
    strcpy(p, s); return strchr(p, 'a'); }
char *folder_of(const char *s) { char *p = malloc(80); /* want outlives: returned */
    strncpy(p, s, 79); p[79] = 0; return dirname(p); }
int in_folder(void) { char *p = malloc(16); /* want frame */
    strcpy(p, "a/b-XXXXXX"); int file = mkstemp(p); free(p); return file; }
char *end_of(void) { char *p = malloc(8), *end; /* want outlives: returned */
    strtol(p, &end, 10); return end; }
void *either(int n) { void *p = malloc(8), *q = unknown_result(); /* want outlives: returned */
    return n ? p : q; }
void *volatile_slot(void) { void *volatile p = malloc(8); /* want outlives: returned */
    return p; }
static void swap(void **a, void **b) { void *c = *a; *a = *b; *b = c; }
void swapped(void **out) { void *p = malloc(8); /* want outlives */
    swap(out, &p); }
void *last_field(void) { struct { char pad[600]; void *p; } far; far.p = malloc(8); /* want outlives: returned */
    return far.p; }
void *any_field(int i) { void *a[4] = { 0 }; a[i & 3] = malloc(8); /* want outlives: returned */
    return a[2]; }
static void second_half(const unsigned *s, unsigned *out) { *out = s[2]; }
void across_words(unsigned *out) { struct __attribute__((packed)) { int i; void *p; } s = { 1, malloc(8) }; /* want outlives */
    second_half((unsigned *) &s, out); }
void others_write(void) { struct node a = { 0 }; kept = &a; unknown(0); struct node *c = a.next;
    if (c) c->any = malloc(8); } /* want outlives: outlives the call */
void others_write_below(void) { struct node a = { 0 }, b = { 0 }; a.next = &b; kept = &a; unknown(0); struct node *c = b.next;
    if (c) c->any = malloc(8); } /* want outlives: outlives the call */
int other_field(void) { struct { void *p; void *q; } s = { malloc(8), 0 }; /* want frame */
    kept = s.q; free(s.p); return 0; }
__attribute__((weak)) void weak(void *p) { (void) p; }
void to_weak(void) { weak(malloc(8)); } /* want outlives: not followed */
void by_pipe(int fd) { struct node *n = malloc(sizeof *n); /* want outlives: passed to write() */
    write(fd, &n, sizeof n); }
void by_file(FILE *file) { struct node *n = malloc(sizeof *n); /* want outlives: passed to fwrite() */
    fwrite(&n, sizeof n, 1, file); }
void into_received(int fd) { struct node *n = 0; read(fd, &n, sizeof n);
    n->any = malloc(8); } /* want outlives: outlives the call */
void into_scanned(const char *s) { struct node *n = 0; sscanf(s, "%p", (void **) &n);
    n->any = malloc(8); } /* want outlives: outlives the call */
int text_to_file(FILE *file) { char *p = malloc(8); /* want frame */
    strcpy(p, "text"); int n = (int) fwrite(p, 1, 4, file); free(p); return n; }
static uintptr_t between(void **a, int i, int j) { return (uintptr_t) a[i] - (uintptr_t) a[j]; }
void *by_distance_of_two(void) { void *a[2] = { malloc(8), kept }; /* want outlives: returned by between() */
    return (void *) ((uintptr_t) kept + between(a, 0, 1)); }
static int read_last(int *p, int n) { return *p + n; }
int by_jump_to_callee(int *unused, int n) { int *p = malloc(4); /* want outlives: passed to read_last() */
    *p = 1; __attribute__((musttail)) return read_last(p, n); }
static void keep_later(void *p);
static void clean_up(int *x) { *x = 0; }
void beside_cleanup(void) { __attribute__((cleanup(clean_up))) int x = 1; /* with -fexceptions an invoke */
    keep_later(malloc(8)); } /* want outlives: passed to keep_later() */
static void keep_later(void *p) { kept = p; }

uintptr_t less_a_length(const char *s) { return (uintptr_t) malloc(8) - strlen(s); } /* want outlives: returned */
uintptr_t apart_from_either(int n, void *other) { char *p = malloc(8), *q = n ? p : other; /* want outlives: returned */
    return (uintptr_t) p - (uintptr_t) q; }
static uintptr_t deep_between(struct node *n) { return (uintptr_t) n->next->any - (uintptr_t) n->next->next->any; }
void *by_distance_below(void) { struct node a = { 0 }, b = { 0 }, c = { 0 }; a.next = &b; b.next = &c; c.any = kept;
    b.any = malloc(8); /* want outlives: returned by deep_between() */
    return (void *) ((uintptr_t) kept + deep_between(&a)); }
static void *second_of(struct node *n) { return n->next->any; }
void *by_second(void) { struct node a = { 0 }, b = { 0 }; a.next = &b; b.any = malloc(8); /* want outlives: returned */
    return second_of(&a); }

/* ---- not on the stack for another reason */
int resized(void) { char *p = malloc(8); /* want freed_elsewhere */
    p = realloc(p, 16); /* want resized */
    int r = p[0]; free(p); return r; }
int of_any_size(size_t n) { char *p = malloc(n); /* want size */
    int r = p[0]; free(p); return r; }
int bounded(size_t n) { if (n > 64) return 0; char *p = malloc(n + 1); /* want frame */
    int r = p[0]; free(p); return r; }
int bounded_from_below(size_t n) { if (n < 64) return 0; char *p = malloc(n); /* want size */
    int r = p[0]; free(p); return r; }
int bounded_on_one_way(size_t n, int k) { if (k && n > 64) return 0; char *p = malloc(n); /* want size */
    int r = p[0]; free(p); return r; }
int bounded_too_high(size_t n) { if (n > 65535) return 0; char *p = malloc(n + 2); /* want large */
    int r = p[0]; free(p); return r; }
int bounded_with_sign(int n) { if (n < 0 || n > 64) return 0; char *p = malloc((size_t) n); /* want frame */
    int r = p[0]; free(p); return r; }
int bounded_but_negative(int n) { if (n > 64) return 0; char *p = malloc((size_t) n); /* want size */
    int r = p[0]; free(p); return r; }
int bounded_before_change(size_t n, size_t more) { if (n > 64) return 0; n += more; char *p = malloc(n); /* want size */
    int r = p[0]; free(p); return r; }
int bounded_by_type(unsigned char n) { char *p = malloc(n + 1u); /* want frame */
    int r = p[0]; free(p); return r; }
int bounded_by_type_with_sign(signed char n) { char *p = malloc((size_t) n); /* want size */
    int r = p[0]; free(p); return r; }
int bounded_by_mask(unsigned n) { char *p = malloc(n & 63); /* want frame */
    int r = p[0]; free(p); return r; }
int bounded_by_rest(unsigned n) { char *p = malloc(n % 64); /* want frame */
    int r = p[0]; free(p); return r; }
int bounded_product(size_t n) { if (n > 16) return 0; char *p = calloc(n, 8); /* want frame */
    int r = p[0]; free(p); return r; }
int bounded_product_too_high(size_t n) { if (n > 16) return 0; char *p = calloc(n, 8000); /* want large */
    int r = p[0]; free(p); return r; }
int bounded_for_wrapper(unsigned n) { if (n >= 32) return 0; char *p = xmalloc(n); /* want frame */
    int r = p[0]; free(p); return r; }
int bounded_by_other(size_t n, size_t k) { if (k > 64) return 0; char *p = malloc(n); /* want size */
    int r = p[0]; free(p); return r; }
int bounded_just_fits(size_t n) { if (n >= 65537) return 0; char *p = malloc(n); /* want frame */
    int r = p[0]; free(p); return r; }
int bounded_just_fits_with_sign(long n) {
    if (n < 0 || n >= 65537) return 0; char *p = malloc((size_t) n); /* want frame */
    int r = p[0]; free(p); return r; }
int bounded_above_minus_one(int n) { if (n > -1 && n < 9) { char *p = malloc((size_t) n); /* want frame */
        int r = p[0]; free(p); return r; } return 0; }
int bounded_above_minus_two(int n) { if (n > -2 && n < 9) { char *p = malloc((size_t) n); /* want size */
        int r = p[0]; free(p); return r; } return 0; }
int bounded_at_minus_one(int n) { if (n >= -1 && n < 9) { char *p = malloc((size_t) n); /* want size */
        int r = p[0]; free(p); return r; } return 0; }
int only_positive(long n) { if (n < 0) return 0; char *p = malloc((size_t) n); /* want size */
    int r = p[0]; free(p); return r; }
int bounded_sum_wraps(size_t n) { if (n > SIZE_MAX - 8) return 0; char *p = malloc(n + 16); /* want size */
    int r = p[0]; free(p); return r; }
int bounded_times_wraps(size_t n) {
    if (n > (1ul << 32) + 1) return 0; char *p = malloc(n * (1ul << 32)); /* want size */
    int r = p[0]; free(p); return r; }
int bounded_shift_wraps(size_t n) { if (n > (1ul << 60) + 1) return 0; char *p = malloc(n << 8); /* want size */
    int r = p[0]; free(p); return r; }
int bounded_shift(unsigned k) { if (k > 4) return 0; char *p = malloc((size_t) 8 << k); /* want frame */
    int r = p[0]; free(p); return r; }
int bounded_shift_too_far(unsigned k) { if (k > 14) return 0; char *p = malloc((size_t) 8 << k); /* want large */
    int r = p[0]; free(p); return r; }
int bounded_rest_just_fits(size_t n) { char *p = malloc(n % 65537); /* want frame */
    int r = p[0]; free(p); return r; }
int bounded_part(size_t n) { if (n > 300000) return 0; char *p = malloc((n + 2) / 5); /* want frame */
    int r = p[0]; free(p); return r; }
int bounded_part_with_sign(int n) { if (n > 300000) return 0; char *p = malloc((size_t) (n / 5)); /* want size */
    int r = p[0]; free(p); return r; }
int bounded_then_signed(unsigned n) { char *p = malloc((size_t) (signed char) (n & 255)); /* want size */
    int r = p[0]; free(p); return r; }
int bounded_choice_large(int k) { char *p = malloc(k ? 70000 : 8); /* want large */
    int r = p[0]; free(p); return r; }
int bounded_on_each_way(int k, size_t n) {
    if (k) { if (n > 70000) return 0; } else n = 8; char *p = malloc(n); /* want large */
    int r = p[0]; free(p); return r; }
int bounded_on_some_ways(int k, size_t n) { if (k) n = 8; char *p = malloc(n); /* want size */
    int r = p[0]; free(p); return r; }
int bounded_part_of_positive(int n) {
    if (n < 0 || n > 300000) return 0; char *p = malloc((size_t) (n / 5)); /* want frame */
    int r = p[0]; free(p); return r; }
int bounded_on_the_other_way(int k, size_t n) {
    if (k) n = 8; else if (n > 70) return 0; char *p = malloc(n); /* want frame */
    int r = p[0]; free(p); return r; }
int bounded_choice(int k) { char *p = malloc(k ? 16 : 24); /* want frame */
    int r = p[0]; free(p); return r; }
int large(void) { char *p = malloc(65537); /* want large */
    int r = p[0]; free(p); return r; }
int just_fits(void) { char *p = malloc(65536); /* want frame */
    int r = p[0]; free(p); return r; }
int one_or_other(int n) { int *p = malloc(4); /* want frame */
    int *q = malloc(4); /* want frame */
    free(n ? p : q); return 0; }
int one_or_large(int n) { int *p = malloc(4); /* want freed_with_others */
    int *q = malloc(400000); /* want large */
    free(n ? p : q); return 0; }
int by_way_of_others(int n) { int *p = malloc(4); /* want freed_with_others */
    int *q = malloc(8); /* want freed_with_others */
    int *r = malloc(400000); /* want large */
    free(n ? p : q); free(n ? q : r); return 0; }
int one_or_given(int n, int *q) { int *p = malloc(4); /* want freed_with_others */
    free(n ? p : q); return 0; }
static struct node *make_node(void *any) { struct node *n = malloc(sizeof *n); /* want outlives: returned */
    n->any = any; return n; }
static void drop_node(struct node *n) { free(n->any); free(n); }
int made_and_dropped(void) {
    struct node *n = make_node(0); /* want frame: if make_node() filled what it is given and drop_node() did not */
    int r = n->length; drop_node(n); return r; }
static void drop_first(struct node *a, struct node *b, int n) { free(n ? a : b); }
int dropped_as_one_of_two(struct node *b, int n) { struct node *a = malloc(sizeof *a); /* want freed_elsewhere */
    drop_first(a, b, n); return 0; }
static void *grow(void *p) { return realloc(p, 80); } /* want outlives: returned */
int grown_by_called(void) { char *p = malloc(8); /* want freed_elsewhere */
    p = grow(p); /* want resized */
    int r = p[0]; free(p); return r; }
int made_by_realloc(void) { char *p = realloc(0, 8); /* want frame */
    p[0] = 1; int r = p[0]; free(p); return r; }
static void *made_or_kept(int n) { return n ? malloc(8) : kept; } /* want outlives: returned */
int made_or_given(int n) { char *p = made_or_kept(n); /* want mixed: another object */
    return p[0]; }
static void clear(struct node *n) { free(n->any); n->any = 0; }
int freed_below(void) { struct node n = { 0 }; n.any = malloc(8); /* want freed_elsewhere */
    clear(&n); return 0; }
int list_of_rounds(int n) { struct node *all = 0; for (int i = 0; i < n; i++) { struct node *p = malloc(sizeof *p); /* want loop */
        p->next = all; all = p; } return all != 0; }
int last_of_rounds(int n) { int *last = 0, r = 0; for (int i = 0; i < n; i++) { int *p = malloc(4); /* want loop */
        *p = i; if (last) r += *last; last = p; } return r; }
int some_rounds(int n) { int x = 3, *p = &x, r = 0; for (int i = 0; i < n; i++) { if (i & 1) p = malloc(4); /* want frame */
        r += *p; *p = i; } return r; }
int joined_in_its_block(int n) { int *last = 0, r = 0; do { int *p = malloc(4); /* want loop */
        *p = n; r += last != 0 && last != p; last = p; } while (n-- > 0); return r + *last; }
int slot_of_rounds(int n) { void *slot[2] = { 0 }; for (int i = 0; i < n; i++) slot[i & 1] = malloc(8); /* want loop */
    return slot[0] != slot[1]; }
static jmp_buf again;
int round_by_jump(void) { int *volatile last = 0; int r = setjmp(again); if (last) r += *last; last = malloc(8); /* want loop */
    *last = r; if (r < 3) longjmp(again, r + 1); return r; }
static void *jump_to[5];
int round_by_builtin(void) { int *volatile last = 0; int r = 0; __builtin_setjmp(jump_to); if (last) r += *last;
    last = malloc(8); /* want loop */
    *last = 1; if (r < 3) __builtin_longjmp(jump_to, 1); return r; }
static struct both make_two(void) { struct both b = { malloc(8), /* want outlives: returned */
    (long) malloc(8) }; return b; } /* want outlives: returned */
int two_of_one_call(void) { struct both b = make_two(); /* want mixed: within a struct */
    int r = b.p[0] + (b.n != 0); free(b.p); free((void *) b.n); return r; }
int round_by_asm(int n) { void *last = 0, *p; /* one block that leads to itself */
more: p = malloc(8); /* want loop */
    n += last != p; last = p;
    __asm__ goto("" : : : : more); return n; }
int round_by_goto(int n) { void *slot = 0; void **at = &slot;
more: if (*at) n += *(int *) *at; *at = malloc(8); /* want frame */
    *(int *) *at = 1; if (n-- > 0) goto more; return 0; }
int held_by_goto(int n) { void *slot = 0, *p; void **at = &slot;
more: p = malloc(8); /* want loop */
    if (*at) n += *(int *) *at; *at = p; *(int *) *at = 1; if (n-- > 0) goto more; return 0; }
