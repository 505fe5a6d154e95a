/* SPDX-License-Identifier: MIT
 *
 * An experiment: does compiled C++ pass an object of a class by a hidden reference?
 *
 *   caller, here                       calls amp_abi_address() with the address p where an object is due
 *   callee, compiled for the class     returns the address of its parameter
 *
 *   it returns p             the parameter was a reference in truth: who calls makes a copy, and passes its address
 *   it returns another       the parameter is an object in registers or on the stack
 *
 * No object is made or touched, so that the class may be any. The call through another type is undefined in C, but not
 * in the System V ABI for x86-64 and that of AArch64; both have an address and an object of a class in the same
 * places. */
#include <stdio.h>

#if (defined(__x86_64__) || defined(__aarch64__)) && defined(__LP64__) && !defined(_WIN32)

void amp_abi_address(void);

int main(void)
{
    char place;
    const void *(*address)(void *) = (const void *(*) (void *) ) amp_abi_address;

    printf("{\"known\": true, \"hidden\": %s}\n", address(&place) == &place ? "true" : "false");
    return 0;
}

#else

int main(void)
{
    puts("{\"known\": false, \"hidden\": false}");
    return 0;
}

#endif
