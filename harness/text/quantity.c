/* SPDX-License-Identifier: MIT */
#include "harness/text/quantity.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Digits only: strtoull() would also accept blanks, signs and numbers that are too large. */
bool amp_quantity_read_digits(const char **text, uint64_t *out)
{
    const char *p = *text;
    uint64_t n = 0;

    for (; *p >= '0' && *p <= '9'; p++)
        if (__builtin_mul_overflow(n, 10u, &n) || __builtin_add_overflow(n, (unsigned) (*p - '0'), &n))
            return false;
    if (p == *text)
        return false;
    *text = p;
    *out = n;
    return true;
}

bool amp_quantity_read_size(const char **text, uint64_t *out)
{
    static const char units[] = "KMGT";
    const char *unit;

    if (!amp_quantity_read_digits(text, out))
        return false;
    unit = **text ? strchr(units, toupper((unsigned char) **text)) : NULL;
    if (!unit)
        return true;
    (*text)++;
    for (const char *u = units; u <= unit; u++)
        if (__builtin_mul_overflow(*out, 1024u, out))
            return false;
    *text += strcmp(*text, "iB") == 0 ? 2 : strcmp(*text, "B") == 0 ? 1 : 0;
    return true;
}

bool amp_quantity_read_percent(const char **text, uint64_t *out)
{
    uint64_t n, decimals = 0, unit = 10000; /* what the last digit counts, in millionths */

    if (!amp_quantity_read_digits(text, &n))
        return false;
    if (**text == '.') {
        const char *point = (*text)++;

        if (!amp_quantity_read_digits(text, &decimals) || *text - point > 5)
            return false;
        for (const char *digit = point + 1; digit < *text; digit++)
            unit /= 10;
    }
    if (**text != '%' || __builtin_mul_overflow(n, 10000u, &n))
        return false;
    (*text)++;
    return !__builtin_add_overflow(n, decimals * unit, out);
}

bool amp_quantity_read_duration(const char **text, uint64_t *out)
{
    static const struct {
        char name;
        unsigned seconds;
    } units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 } };

    if (!amp_quantity_read_digits(text, out))
        return false;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (**text == units[i].name) {
            (*text)++;
            return !__builtin_mul_overflow(*out, units[i].seconds, out);
        }
    return false;
}

const char *amp_quantity_size(uint64_t bytes, char out[static AMP_QUANTITY_SIZE])
{
    static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
    double value = (double) bytes;
    unsigned unit = 0;

    for (; value >= 1024 && unit < 4; unit++)
        value /= 1024;
    snprintf(out, AMP_QUANTITY_SIZE, unit == 0 || value >= 100 ? "%.0f %s" : "%.1f %s", value, units[unit]);
    return out;
}
