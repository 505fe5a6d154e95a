/* SPDX-License-Identifier: MIT
 *
 * Conditions on what a probe found, such as "effect.arenas <= 1" or "opt.tcache = false". provenance.h describes the
 * facts. */
#ifndef AMP_EXPECTATION_H
#define AMP_EXPECTATION_H

#include <jansson.h>
#include <stdbool.h>

struct amp_expectation {
    char key[96];   /* "effect.<name>", or a key of read_back */
    char op[3];     /* = != < <= > >= */
    char value[96]; /* a number, a size such as 8M, true, false, or a word */
};

/* NULL, or what is wrong with the text, in words. */
const char *amp_expectation_parse(const char *text, struct amp_expectation *out);

/* Whether the condition holds; if not, *why is one line: "effect.arenas: expected <= 1, found 4". */
bool amp_expectation_holds(const struct amp_expectation *condition, const json_t *facts, char *why, size_t size);

/* Whether a value equals the one written as text. Numbers are compared as numbers (8M, 0x10), yes and no in all usual
 * spellings, other words without regard to case. */
bool amp_expectation_same(const json_t *found, const char *text);

/* Read a text as a number in nearly the same way; false if it is none. */
bool amp_expectation_number(const char *text, double *out);

/* Write a value the way people write it. */
void amp_expectation_print(const json_t *value, char *out, size_t size);

#endif
