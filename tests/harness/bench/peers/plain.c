/* SPDX-License-Identifier: MIT
 *
 * The pointer side of the lesson that it is linked with, run without any harness: usage: plain OPS */
#include "harness/kernel.h"

extern const struct amp_pair *const __start_amp_pairs[];

int main(int argc, char **argv)
{
    const struct amp_side *side = &__start_amp_pairs[0]->pointer;

    return argc == 2 && side->run(NULL, strtoull(argv[1], NULL, 10)) ? 0 : 1;
}
