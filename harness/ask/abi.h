/* SPDX-License-Identifier: MIT
 *
 * How the compiled code passes and returns objects of one type, found out by calling it: see abi.c. */
#ifndef AMP_ASK_ABI_H
#define AMP_ASK_ABI_H

#include <stddef.h>
#include <stdint.h>

/* Arguments that stand behind the object: the registers in which they arrive tell how many it took. */
#define AMP_ABI_INTEGER 0x0123456789abcdefull
#define AMP_ABI_VECTOR 1.2345678901234567e89

/* Calls *take with the object, AMP_ABI_INTEGER and AMP_ABI_VECTOR. */
void amp_abi_pass(void (*take)(void), const void *object);

/* A function that takes the address of an object and returns that object. */
void (*amp_abi_give(void))(void);

extern const size_t amp_abi_size;

#endif
