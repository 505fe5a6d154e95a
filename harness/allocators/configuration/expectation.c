/* SPDX-License-Identifier: MIT */
#include "harness/allocators/configuration/expectation.h"

#include "harness/text/quantity.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const ops[] = { "<=", ">=", "!=", "=", "<", ">" };

const char *amp_expectation_parse(const char *text, struct amp_expectation *out)
{
    size_t key = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._"), value;
    const char *at = text + key + strspn(text + key, " \t"), *op = NULL;

    for (size_t i = 0; i < sizeof ops / sizeof ops[0] && !op; i++)
        if (strncmp(at, ops[i], strlen(ops[i])) == 0)
            op = ops[i];
    if (key == 0 || !op)
        return "it is no condition like 'effect.arenas <= 1'";
    at += strlen(op);
    at += strspn(at, " \t");
    value = strcspn(at, " \t");
    if (value == 0 || at[value] || strspn(at, "=<>!") > 0)
        return "after its key and one of = != < <= > >= it wants one value";
    if (key >= sizeof out->key || value >= sizeof out->value)
        return "it is too long";
    snprintf(out->key, sizeof out->key, "%.*s", (int) key, text);
    snprintf(out->op, sizeof out->op, "%s", op);
    snprintf(out->value, sizeof out->value, "%s", at);
    return NULL;
}

/* The value of a key in the facts: a borrowed reference, NULL if they do not have it. */
static const json_t *find(const json_t *facts, const char *key)
{
    if (strncmp(key, "effect.", strlen("effect.")) == 0)
        return json_object_get(json_object_get(facts, "effects"), key + strlen("effect."));
    return json_object_get(json_object_get(facts, "read_back"), key);
}

static bool word_is(const char *word, const char *const *words)
{
    for (; *words; words++)
        if (strcasecmp(word, *words) == 0)
            return true;
    return false;
}

/* A long double of 80 or 128 bits holds every 64-bit number exactly. A smaller one rounds the largest numbers, but
 * equal numbers stay equal. */
static bool number_of_text(const char *text, long double *out)
{
    static const char *const yes[] = { "true", "yes", "on", "y", "t", NULL };
    static const char *const no[] = { "false", "no", "off", "n", "f", NULL };
    const char *after = text;
    uint64_t size_b;
    char *end;

    if (word_is(text, yes) || word_is(text, no)) {
        *out = word_is(text, yes);
        return true;
    }
    if (amp_quantity_read_size(&after, &size_b) && !*after) {
        *out = (long double) size_b;
        return true;
    }
    if (!isdigit((unsigned char) text[text[0] == '-']))
        return false;
    *out = strtold(text, &end);
    return !*end;
}

static bool number_of(const json_t *value, long double *out)
{
    if (json_is_boolean(value))
        *out = json_is_true(value);
    else if (json_is_integer(value))
        *out = (long double) json_integer_value(value);
    else if (json_is_real(value))
        *out = (long double) json_real_value(value);
    else
        return json_is_string(value) && number_of_text(json_string_value(value), out);
    return true;
}

bool amp_expectation_same(const json_t *found, const char *text)
{
    long double a, b;

    if (json_is_string(found) && strcasecmp(json_string_value(found), text) == 0)
        return true;
    return number_of(found, &a) && number_of_text(text, &b) && !(a < b) && !(a > b);
}

bool amp_expectation_number(const char *text, double *out)
{
    long double number;
    bool is_number = number_of_text(text, &number);

    *out = is_number ? (double) number : 0;
    return is_number;
}

void amp_expectation_print(const json_t *value, char *out, size_t size)
{
    if (json_is_string(value))
        snprintf(out, size, "%s", json_string_value(value));
    else if (json_is_boolean(value))
        snprintf(out, size, "%s", json_is_true(value) ? "true" : "false");
    else if (json_is_integer(value))
        snprintf(out, size, "%lld", (long long) json_integer_value(value));
    else if (json_is_real(value))
        snprintf(out, size, "%g", json_real_value(value));
    else
        snprintf(out, size, "nothing");
}

static bool is_ordered(long double a, const char *op, long double b)
{
    bool strictly = op[0] == '<' ? a < b : a > b, beyond = op[0] == '<' ? a > b : a < b;

    return op[1] ? !beyond : strictly;
}

bool amp_expectation_holds(const struct amp_expectation *condition, const json_t *facts, char *why, size_t size)
{
    const json_t *found = find(facts, condition->key);
    char text[128];
    long double a, b;
    bool holds;

    if (!found || json_is_null(found)) {
        snprintf(why, size, "%s: cannot be known here", condition->key);
        return false;
    }
    if (condition->op[0] == '=' || condition->op[0] == '!')
        holds = amp_expectation_same(found, condition->value) == (condition->op[0] == '=');
    else
        holds = number_of(found, &a) && number_of_text(condition->value, &b) && is_ordered(a, condition->op, b);
    if (!holds) {
        amp_expectation_print(found, text, sizeof text);
        snprintf(why, size, "%s: expected %s %s, found %s", condition->key, condition->op, condition->value, text);
    }
    return holds;
}
