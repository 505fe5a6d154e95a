/* SPDX-License-Identifier: MIT
 *
 * Conditions on what a probe found: "effect.arenas <= 1", "opt.tcache = false". Facts are those of provenance.h. */
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

/* What a key stands for in the facts: a borrowed reference, NULL if they have none such. */
const json_t *amp_expectation_find(const json_t *facts, const char *key);

/* Whether it holds; if not, why, in one line: "effect.arenas: expected <= 1, found 4". */
bool amp_expectation_holds(const struct amp_expectation *condition, const json_t *facts, char *why, size_t size);

/* Whether a value found is the one written as text: numbers as numbers (8M, 0x10), yes and no in any of the usual
 * words or as 1 and 0, all else letter by letter but for upper and lower case. */
bool amp_expectation_same(const json_t *found, const char *text);

/* A text as a number in the same way, nearly; false if it is none. */
bool amp_expectation_number(const char *text, double *out);

/* A value found as people write it. */
void amp_expectation_print(const json_t *value, char *out, size_t size);

#endif
