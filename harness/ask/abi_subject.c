/* SPDX-License-Identifier: MIT
 *
 * The half of the experiment in abi.c whose functions know the type `amp_asked`; compiled with the user's flags. */
#include "harness/ask/abi.h"

typedef void (*taker)(amp_asked object, uint64_t integer, double vector);

void amp_abi_pass(void (*take)(void), const void *object)
{
    ((taker) take)(*(const amp_asked *) object, AMP_ABI_INTEGER, AMP_ABI_VECTOR);
}

static amp_asked give(const amp_asked *object)
{
    return *object;
}

void (*amp_abi_give(void))(void)
{
    return (void (*)(void)) give;
}

const size_t amp_abi_size = sizeof(amp_asked);
