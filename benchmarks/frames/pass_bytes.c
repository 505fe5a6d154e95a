/* SPDX-License-Identifier: MIT
 *
 * `pass` for objects whose members are bytes: what does a small copy in registers cost a callee that reads members?
 *
 *   value     register [b7 b6 b5 b4 b3 b2 b1 b0] --shift, mask--> byte    up to 16 B: no byte in it has an address
 *   pointer   [ & ]--> [b0 ... bN] --load--> byte
 *
 * Same on both sides:  as in `pass`, but the callee reads the first byte and the last one.
 * Different:           as in `pass`; and up to 16 B the value side shifts where the pointer side loads.
 */
#define AMP_VARIANT _bytes
#define AMP_SUBJECT_OF AMP_BYTES
#define AMP_SUBJECT_ONLY(n) ((n) <= 32 || (n) == 256 || (n) == 257)
#define PASS_QUESTION "What does an argument cost by value, and what by const pointer, if its members are bytes?"
#define PASS_CLAIMS \
    { AMP_NEITHER, .to = 32, .text = \
      "Small structs of bytes or flags: members cost a shift in registers and a load behind a pointer, little either " \
      "way." }, \
    { AMP_POINTER, .from = 256, .text = "Large ones by const pointer, whatever their members." }
#include "benchmarks/frames/pass.c"
