/* SPDX-License-Identifier: MIT
 *
 * Functions that keep something wherever a function may: in registers, in its frame, behind pointers to its
 * callers'. */
#ifndef TESTS_STACK_KERNELS_H
#define TESTS_STACK_KERNELS_H

#include "harness/stack/stack.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define KEEP(p) __asm__ volatile("" : : "r"(p) : "memory")

/* Room for whatever a compiler makes of these at -O0. */
#define FRAME 1024

/* A check of its own within a function's life: whatever calls it has moved when it comes back. */
AMP_GROWS(uint64_t, move, FRAME, uint64_t x)
{
    KEEP(&x);
    return x;
}

/* Writes through pointers to the caller's locals, after having moved them. */
AMP_GROWS(void, write_through, FRAME, uint64_t *a, uint64_t *b, unsigned n)
{
    uint64_t mine = n;

    if (n > 0)
        write_through(b, &mine, n - 1);
    *a += 3 * n + 1;
    *b += mine;
    KEEP(&mine);
}

AMP_GROWS(uint64_t, writes, FRAME, void *arg)
{
    uint64_t a = 1, b = 2;

    KEEP(arg);
    write_through(&a, &b, 20);
    return 1000 * a + b;
}

/* Ten pointers live across each call: all callee-saved registers, and spilled ones. */
AMP_GROWS(uint64_t, registers, FRAME, void *arg)
{
    uint64_t v[10] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 };
    uint64_t *p0 = &v[0], *p1 = &v[1], *p2 = &v[2], *p3 = &v[3], *p4 = &v[4];
    uint64_t *p5 = &v[5], *p6 = &v[6], *p7 = &v[7], *p8 = &v[8], *p9 = &v[9];
    uint64_t sum = 0;

    KEEP(arg);
    __asm__("" : "+r"(p0), "+r"(p1), "+r"(p2), "+r"(p3)); /* no compiler may know what they are */
    __asm__("" : "+r"(p4), "+r"(p5), "+r"(p6), "+r"(p7));
    __asm__("" : "+r"(p8), "+r"(p9));
    for (unsigned i = 0; i < 8; i++) {
        sum += move(i);
        *p0 += *p9, *p1 += *p8, *p2 += *p7, *p3 += *p6, *p4 += *p5;
        sum += move(*p0);
        *p5 += *p4, *p6 += *p3, *p7 += *p2, *p8 += *p1, *p9 += *p0;
    }
    for (unsigned i = 0; i < 10; i++)
        sum = 31 * sum + v[i];
    return sum;
}

struct large {
    uint64_t word[12];
};

/* Registers and memory of every kind of argument, a result through a hidden pointer to the caller's local. */
AMP_GROWS(struct large, arguments, FRAME, uint64_t *a, uint64_t *b, double x, uint64_t *c, float y, uint64_t *d,
          uint64_t *e, uint64_t *f, double z, uint64_t *g, struct large by_value, uint64_t *h, double w)
{
    struct large out = by_value;

    out.word[0] += *a + 2 * *b + 3 * *c + 4 * *d + 5 * *e + 6 * *f + 7 * *g + 8 * *h;
    out.word[1] += (uint64_t) (x + 10 * (double) y + 100 * z + 1000 * w);
    *a = 1, *b = 2, *c = 3, *d = 4, *e = 5, *f = 6, *g = 7, *h = 8;
    return out;
}

AMP_GROWS(uint64_t, passes, FRAME, void *arg)
{
    uint64_t v[8] = { 11, 12, 13, 14, 15, 16, 17, 18 }, sum = 0;
    struct large large = { { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 } };

    KEEP(arg);
    for (unsigned i = 0; i < 4; i++) {
        large = arguments(&v[0], &v[1], 1.0, &v[2], 2.0F, &v[3], &v[4], &v[5], 3.0, &v[6], large, &v[7], 4.0);
        for (unsigned j = 0; j < 12; j++)
            sum = 31 * sum + large.word[j];
        for (unsigned j = 0; j < 8; j++)
            sum = 31 * sum + v[j];
        v[i] += sum % 100;
    }
    return sum;
}

/* Where 16 arguments of vectors go through a check, none may change. */
AMP_GROWS(double, doubles, FRAME, double a, double b, double c, double d, double e, double f, double g, double h)
{
    return a + 10 * b + 100 * c + 1000 * d + 1e4 * e + 1e5 * f + 1e6 * g + 1e7 * h;
}

AMP_GROWS(uint64_t, floats, FRAME, void *arg)
{
    double sum = 0;

    KEEP(arg);
    for (unsigned i = 1; i <= 9; i++)
        sum += doubles(i, 2, 3, 4, 5, 6, 7, i);
    return (uint64_t) sum;
}

/* Eight numbers that outlive calls: on AArch64 they are in d8 to d15. */
AMP_GROWS(uint64_t, doubles_kept, FRAME, void *arg)
{
    double a = 1, b = 2, c = 3, d = 4, e = 5, f = 6, g = 7, h = 8;
    uint64_t sum = 0;

    KEEP(arg);
#if defined(__aarch64__)
    __asm__("" : "+w"(a), "+w"(b), "+w"(c), "+w"(d), "+w"(e), "+w"(f), "+w"(g), "+w"(h));
#endif
    for (unsigned i = 0; i < 6; i++) {
        sum += move(i);
        a += h, b += g, c += f, d += e;
        sum += move((uint64_t) a);
        e += d, f += c, g += b, h += a;
    }
    return sum + (uint64_t) (a + 3 * b + 5 * c + 7 * d + 11 * e + 13 * f + 17 * g + 19 * h);
}

/* What is aligned more than the ABI asks for stays so. */
AMP_GROWS(uint64_t, aligned, FRAME, void *arg)
{
    _Alignas(256) uint64_t line[32];
    uint64_t *p = line, wrong = 0;

    KEEP(arg);
    __asm__("" : "+r"(p));
    for (unsigned i = 0; i < 32; i++) {
        p[i] = move(i);
        wrong += (uintptr_t) p % 256;
        wrong += p != line;
    }
    return wrong * 1000000 + p[31] + line[7];
}

/* A tree of frames: pointers to several outer frames at once, each depth writes in all. */
AMP_GROWS(uint64_t, tree, FRAME, uint64_t **outer, unsigned depth)
{
    uint64_t mine[3] = { depth, depth + 1, depth + 2 };
    uint64_t *known[8];
    uint64_t sum = 0;

    for (unsigned i = 0; i < depth; i++)
        known[i] = outer[i];
    known[depth] = &mine[1];
    if (depth < 7)
        for (unsigned i = 0; i < 2; i++)
            sum += tree(known, depth + 1);
    for (unsigned i = 0; i <= depth; i++)
        sum += ++*known[i];
    return sum + mine[0] + mine[2];
}

AMP_GROWS(uint64_t, trees, FRAME, void *arg)
{
    uint64_t *none[1] = { NULL };

    KEEP(arg);
    return tree(none, 0);
}

/* An integer that only resembles an address of the stack: its high half does. It must not change. */
AMP_GROWS(uint64_t, lookalike, FRAME, void *arg)
{
    uint64_t local = 5, high = (uint64_t) (uintptr_t) &local >> 32, values[4];
    unsigned wrong = 0;

    KEEP(arg);
    for (unsigned i = 0; i < 4; i++)
        values[i] = high << 32 | i; /* 4 GiB below, where no stack is */
    KEEP(values);
    for (unsigned i = 0; i < 6; i++)
        local += move(i);
    for (unsigned i = 0; i < 4; i++)
        wrong += (uint32_t) values[i] != i || values[i] >> 32 != high;
    return wrong * 1000 + local;
}

/* A variable number of arguments: how many are in vector registers is told in rax. */
AMP_GROWS(uint64_t, variable, FRAME, unsigned n, ...)
{
    va_list args;
    double sum = 0;

    va_start(args, n);
    for (unsigned i = 0; i < n; i++)
        sum += va_arg(args, double);
    va_end(args);
    KEEP(&sum);
    return (uint64_t) sum;
}

AMP_GROWS(uint64_t, varies, FRAME, void *arg)
{
    uint64_t sum = 0;

    KEEP(arg);
    for (unsigned i = 0; i < 4; i++)
        sum = 10 * sum + variable(3, 1.0, 2.0, (double) i);
    return sum;
}

static uint64_t print_into(void *arg)
{
    if (move(5) != 5) /* here an ordinary function */
        return 0;
    return (uint64_t) snprintf(arg, 40, "%d and %s", 12345, "libc needs much stack");
}

/* libc on the host stack writes into a local here. */
AMP_GROWS(uint64_t, prints, FRAME, void *arg)
{
    char text[40];
    char *p = text;
    uint64_t sum = 0;

    KEEP(arg);
    for (unsigned i = 0; i < 4; i++) {
        sum += move(i) + amp_stack_call(print_into, p);
        sum += (unsigned char) text[i];
    }
    return sum;
}

static const struct {
    const char *name;
    amp_stack_fn *fn;
    unsigned checks; /* the function itself, and what it calls */
} kernels[] = {
    { "writes", writes, 22 },      { "registers", registers, 17 },
    { "passes", passes, 5 },       { "floats", floats, 10 },
    { "aligned", aligned, 33 },    { "trees", trees, 256 },
    { "lookalike", lookalike, 7 }, { "prints", prints, 5 },
    { "varies", varies, 5 },       { "doubles_kept", doubles_kept, 13 },
};

#endif
