/* SPDX-License-Identifier: MIT */
#include "harness/lesson/compilation.h"

#include "harness/lesson/layout.h"

#include <jansson.h>
#include <regex.h>
#include <stdbool.h>
#include <stdio.h>

#define DIFFERS "differs from lesson to lesson: see <lesson>.layouts.json"

/* Store a fact, or note that it differs from the one stored before. */
static void join(char *out, size_t size, const char *text)
{
    if (out[0] && strcmp(out, text) != 0)
        text = DIFFERS;
    snprintf(out, size, "%s", text);
}

static void add_unit(const json_t *unit, struct amp_compilation *out)
{
    const json_t *flags = json_object_get(unit, "flags");
    const char *compiler = json_string_value(json_object_get(unit, "compiler"));
    char text[sizeof out->flags] = "";

    for (size_t i = 0; i < json_array_size(flags); i++) {
        const char *flag = json_string_value(json_array_get(flags, i));
        size_t n = strlen(text);

        snprintf(text + n, sizeof text - n, "%s%s", i > 0 ? " " : "", flag ? flag : "");
    }
    join(out->compiler, sizeof out->compiler, compiler ? compiler : "unknown");
    join(out->flags, sizeof out->flags, json_is_array(flags) ? text : "not recorded");
}

static void add_lesson(const char *lesson, struct amp_compilation *out)
{
    struct amp_layouts layouts;
    const char *why;

    if (amp_layouts_open(lesson, &layouts, &why))
        return;
    for (size_t i = 0; i < json_array_size(json_object_get(layouts.table, "compiled")); i++)
        add_unit(json_array_get(json_object_get(layouts.table, "compiled"), i), out);
    amp_layouts_close(&layouts);
}

static bool is_asked_for(const struct amp_row *row, const regex_t *filter, bool negated)
{
    static const char *const sides[] = { "value", "pointer" };
    char name[256], side[280];

    amp_row_name(row, name, sizeof name);
    for (size_t i = 0; i < sizeof sides / sizeof sides[0]; i++) {
        snprintf(side, sizeof side, "%s/side=%s", name, sides[i]);
        if ((regexec(filter, side, 0, NULL, 0) == 0) != negated)
            return true;
    }
    return false;
}

void amp_compilation_of(const struct amp_registry *registry, const char *filter, struct amp_compilation *out)
{
    bool negated = filter[0] == '-';
    const char *last = "";
    regex_t compiled;

    *out = (struct amp_compilation){ "", "" };
    if (strcmp(filter, "all") == 0)
        filter = "";
    if (regcomp(&compiled, filter + negated, REG_EXTENDED | REG_NOSUB) == 0) {
        for (size_t i = 0; i < registry->n; i++) {
            const struct amp_row *row = &registry->rows[i];

            if (strcmp(row->lesson, last) != 0 && is_asked_for(row, &compiled, negated))
                add_lesson(last = row->lesson, out);
        }
        regfree(&compiled);
    }
    if (!out->compiler[0])
        *out = (struct amp_compilation){ "unknown", "unknown" };
}
