/* SPDX-License-Identifier: MIT
 *
 * Copies structs in each way that C has. A line that makes copies says which, one of each a turn unless "x2" says two.
 * A run does so many turns as its first argument says, then ends as the second says: exit, _exit, abort, kill, fork. */
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define APART __attribute__((noinline))

volatile long observed; /* what is computed is of use */

struct triple { long a, b, c; };                                        /* 24 B */
struct item { long id; int quantity; double price; };                   /* 24 B */
struct order { long id; char name[64]; struct item items[3]; };         /* 144 B */
typedef struct { float m[16]; } Matrix;                                  /* 64 B */
struct shop { int n; struct order *list; struct order last; };
struct boxed { long kind; union { struct order order; Matrix matrix; } u; };

APART void assign(struct order *to, const struct order *from)
{
    *to = *from; /* copies: struct order, assignment */
}

APART long take(struct order order)
{
    return order.id + order.items[2].quantity;
}

APART long pass(const struct order *order)
{
    return take(*order) + 1; /* copies: struct order, argument */
}

APART struct order make(const struct order *from)
{
    struct order made = *from; /* copies: struct order, return */

    made.id++;
    return made;
}

APART void by_memcpy(struct order *to, const struct order *from)
{
    memcpy(to, from, sizeof *to); /* copies: struct order, assignment */
    to->id++;
}

APART long removed(const struct order *from)
{
    struct order order = *from; /* the compiler reads the one member */

    return order.id;
}

APART void index_of(struct shop *shop, int i)
{
    shop->last = shop->list[i]; /* copies: struct order, assignment */
    shop->n++;
}

APART Matrix multiply(Matrix a, Matrix b)
{
    Matrix c;

    for (int i = 0; i < 16; i++)
        c.m[i] = a.m[i] * b.m[15 - i];
    return c;
}

APART void twice(Matrix *out, const Matrix *a, const Matrix *b)
{
    *out = multiply(*a, *b); /* copies: Matrix+, argument; Matrix, argument x2; Matrix, return */
}

APART void swap(struct item *a, struct item *b)
{
    struct item third = *a; /* copies: struct item, assignment */

    *a = *b; /* copies: struct item, assignment */
    *b = third; /* copies: struct item, assignment */
}

APART void choose(struct order *to, const struct order *a, const struct order *b, long which)
{
    *to = which ? *a : *b; /* copies: struct order, assignment */
    to->id++;
}

APART void unbox(struct order *to, const struct boxed *from)
{
    *to = from->u.order; /* copies: struct order, assignment */
    to->id++;
}

APART void part(struct order *to, const struct order *from)
{
    memcpy(to, from, offsetof(struct order, items)); /* copies: 72 B of struct order, part */
    to->id++;
}

APART void change(struct triple *to, const struct triple *from)
{
    struct triple third = *from; /* into registers */

    third.b++;
    *to = third; /* copies: 16 B of struct triple, assignment */
}

APART void gather(struct triple *to, const struct triple *a, const struct triple *b)
{
    struct triple third = { a->a, b->b, a->c }; /* members: no copy of a struct */

    *to = third;
}

/* The copy is made only when the function is inlined: before, it is the call's. */
static inline __attribute__((always_inline)) long inlined(struct order order) /* copies: struct order, argument */
{
    order.id += order.items[1].id;
    order.name[3] = 2;
    return order.id + order.name[order.items[2].quantity & 63];
}

APART long pass_inlined(const struct order *order)
{
    return inlined(*order);
}

static long inlined_once(struct order order) /* copies: struct order, argument */
{
    order.name[1] = 3;
    return order.name[order.items[1].quantity & 63];
}

APART long pass_once(const struct order *order)
{
    return inlined_once(*order);
}

static void turn(struct order *a, struct order *b, struct item *items, Matrix *m, struct shop *shop, long *sum, long i)
{
    static struct boxed box;
    static struct triple triples[2];

    assign(a, b);
    *sum += pass(a);
    *a = make(b); /* copies: struct order, return */
    by_memcpy(b, a);
    *sum += removed(b);
    index_of(shop, (int) (i & 1));
    twice(&m[0], &m[1], &m[2]);
    swap(&items[0], &items[1]);
    choose(a, b, &shop->last, i & 1);
    unbox(b, &box);
    part(a, b);
    *sum += pass_inlined(a) + pass_once(a);
    change(&triples[0], &triples[1]);
    gather(&triples[1], &triples[0], &triples[1]);
}

static void end(const char *how)
{
    if (strcmp(how, "_exit") == 0)
        _exit(7);
    if (strcmp(how, "abort") == 0)
        abort();
    if (strcmp(how, "kill") == 0)
        kill(getpid(), SIGKILL);
}

int main(int argc, char **argv)
{
    static struct order orders[2];
    static struct item items[2];
    static Matrix m[3];
    struct shop shop = { 0, orders, { 0 } };
    long n = argc > 1 ? atol(argv[1]) : 1, sum = 0;
    int is_fork = argc > 2 && strcmp(argv[2], "fork") == 0;

    if (is_fork && fork() > 0) { /* each does half of it */
        wait(NULL);
        n -= n / 2;
    } else if (is_fork) {
        n /= 2;
    }
    for (long i = 0; i < n; i++)
        turn(&orders[0], &orders[1], items, m, &shop, &sum, i);
    end(argc > 2 ? argv[2] : "exit");
    observed = sum + shop.n + (long) m[0].m[3];
    return 0;
}
