/* SPDX-License-Identifier: MIT
 *
 * An experiment: by which registers does compiled code pass and return an object?
 *
 *   caller, knows the type        take(object, INTEGER, VECTOR)
 *   record(), does not            sees all six integer and eight vector registers, and the stack
 *
 *   INTEGER in rdi, VECTOR in xmm0      the object took no register: its bytes lie on the stack
 *   INTEGER in rdx, VECTOR in xmm0      it took two, rdi and rsi; and so on
 *
 *   give, returns the type        called with two addresses, a and b
 *   a then holds b's object       a was the hidden address of the result: it is returned in memory
 *   a is as it was                a was the argument: its object came back in rax, rdx, xmm0, xmm1 or st0
 *
 * Calls through another type than the function's are undefined in C, but not in the System V ABI for x86-64, where this
 * file belongs; elsewhere it says that it does not know. The first argument is the object's size; the second tells for
 * each of its first 64 bytes whether it is filled by a member (1) or is padding (0), which a call need not carry
 * along. */
#include "harness/ask/abi.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__) && defined(__LP64__) && !defined(_WIN32)

/* Arguments after the object: the registers in which they arrive show how many the object took. */
#define INTEGER 0x0123456789abcdefull
#define VECTOR 1.2345678901234567e89

enum { INTEGERS = 6, VECTORS = 8, STACK_B = 64, X87_B = 10 };

struct stack {
    unsigned char b[STACK_B];
};

static struct {
    uint64_t integer[INTEGERS];
    double vector[VECTORS];
    struct stack stack;
} seen;

/* A struct of more than 16 B is passed on the stack, so the last argument is the content of the stack. */
static void record(uint64_t i0, uint64_t i1, uint64_t i2, uint64_t i3, uint64_t i4, uint64_t i5, double v0, double v1,
                   double v2, double v3, double v4, double v5, double v6, double v7, struct stack stack)
{
    const uint64_t integer[INTEGERS] = { i0, i1, i2, i3, i4, i5 };
    const double vector[VECTORS] = { v0, v1, v2, v3, v4, v5, v6, v7 };

    memcpy(seen.integer, integer, sizeof integer);
    memcpy(seen.vector, vector, sizeof vector);
    seen.stack = stack;
}

/* An object filled with bytes of its own, at the start of enough memory for any call here. One of a single byte may be
 * a _Bool, of which clang returns one bit. */
static unsigned char *make_object(size_t size, unsigned seed)
{
    size_t room = size / 64 * 64 + 128;
    unsigned char *object = aligned_alloc(64, room);

    if (!object)
        abort();
    for (size_t i = 0; i < room; i++)
        object[i] = (unsigned char) (size == 1 ? seed % 2 : (i * 37 + seed) % 251 + 2);
    return object;
}

static const char *filled; /* '0' or '1' for each byte */

/* Whether `found` holds the bytes [at, at + size) of the object. */
static bool alike(const void *found, const unsigned char *object, size_t at, size_t size)
{
    const unsigned char *byte = found;

    for (size_t i = 0; i < size; i++)
        if (at + i < strlen(filled) && filled[at + i] == '1' && byte[i] != object[at + i])
            return false;
    return true;
}

/* Whether these registers hold the object's words, each in the next register of its kind. */
static bool in_registers(const unsigned char *object, size_t size, const uint64_t integers[2], const double vectors[2])
{
    for (unsigned kinds = 0; kinds < 4; kinds++) { /* bit w: word w is in a vector register */
        unsigned next[2] = { 0, 0 };
        bool found = true;

        for (unsigned w = 0; w < 2 && w * 8 < size; w++) {
            unsigned kind = kinds >> w & 1;
            const void *holder = kind ? (const void *) &vectors[next[1]] : &integers[next[0]];

            next[kind]++;
            found = found && alike(holder, object, w * 8, size - w * 8 < 8 ? size - w * 8 : 8);
        }
        if (found)
            return true;
    }
    return false;
}

static int taken_integers(void)
{
    for (int i = 0; i < INTEGERS; i++)
        if (seen.integer[i] == INTEGER)
            return i;
    return -1;
}

static int taken_vectors(void)
{
    const double vector = VECTOR;

    for (int i = 0; i < VECTORS; i++)
        if (memcmp(&seen.vector[i], &vector, sizeof vector) == 0)
            return i;
    return -1;
}

struct integers {
    uint64_t word[2];
};

struct vectors {
    double word[2];
};

/* A vector of 16 bytes is one register; its lower half, which a struct of doubles shows, is enough. */
static const char *returned(size_t size, size_t registers)
{
    void (*give)(void) = amp_abi_give;
    unsigned char *first = make_object(size, 1), *before = make_object(size, 1), *second = make_object(size, 100);
    struct integers integers = ((struct integers(*)(void *, const void *)) give)(first, second);
    struct vectors vectors = ((struct vectors(*)(void *, const void *)) give)(first, second);
    const char *how = "unknown";

    if (integers.word[0] == (uintptr_t) first && alike(first, second, 0, size)) {
        how = "memory";
    } else if (size <= 16 && registers > 0) {
        if (in_registers(first, registers * 8 < size ? registers * 8 : size, integers.word, vectors.word))
            how = "registers";
    } else if (memcmp(first, before, size) == 0) { /* nothing was written: it was returned on the x87 stack */
        long double x87 = ((long double (*)(const void *)) give)(first);

        if (memcmp(&x87, first, X87_B) == 0)
            how = "x87";
    }
    free(second);
    free(before);
    free(first);
    return how;
}

/* {"passed": "registers", "integers": 1, "vectors": 0, "returned": "registers"} */
static void print_facts(size_t size)
{
    unsigned char *object = make_object(size, 1);
    const char *passed = "unknown", *back = "nothing";
    int integers, vectors;

    amp_abi_pass((void (*)(void)) record, object, INTEGER, VECTOR);
    integers = taken_integers();
    vectors = taken_vectors();
    if (integers > 0 || vectors > 0)
        passed = "registers";
    else if (size <= 16 && !strchr(filled, '1'))
        passed = "nothing";
    else if (alike(&seen.stack, object, 0, size < STACK_B ? size : STACK_B))
        passed = "memory";
    if (strcmp(passed, "nothing") != 0)
        back = returned(size, integers < 0 || vectors < 0 ? 0 : (size_t) (integers + vectors));
    printf("{\"passed\": \"%s\", \"integers\": %d, \"vectors\": %d, \"returned\": \"%s\"}\n", passed, integers, vectors,
           back);
    free(object);
}

#else

static const char *filled;

static void print_facts(size_t size)
{
    (void) size;
    puts("{\"passed\": \"unknown\", \"integers\": -1, \"vectors\": -1, \"returned\": \"unknown\"}");
}

#endif

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    filled = argv[2];
    print_facts(strtoul(argv[1], NULL, 10));
    return 0;
}
