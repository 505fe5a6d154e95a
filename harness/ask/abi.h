/* SPDX-License-Identifier: MIT
 *
 * How the compiled code passes and returns objects of one type, found out by calling it: see abi.c. */
#ifndef AMP_ASK_ABI_H
#define AMP_ASK_ABI_H

#include <stdint.h>

/* Calls *take with the object, the integer and the vector. */
void amp_abi_pass(void (*amp_take)(void), const void *amp_from, unsigned long long amp_integer, double amp_vector);

/* Takes the address of an object and returns that object: the type that it is called by is abi.c's to choose. */
void amp_abi_give(void);

#endif
