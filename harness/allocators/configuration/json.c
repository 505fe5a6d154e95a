/* SPDX-License-Identifier: MIT */
#include "harness/allocators/configuration/make.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *environment_of(const struct amp_configuration *configuration)
{
    json_t *object = json_object();

    for (char **each = configuration->environment; *each; each++) {
        const char *value = strchr(*each, '=') + 1;

        json_object_setn_new_nocheck(object, *each, (size_t) (value - 1 - *each), json_string(value));
    }
    return object;
}

/* One word of a shell's line: as it is, or in single quotes. */
static void print_word(FILE *out, const char *word)
{
    if (word[strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.,:/=+-@%")] == '\0') {
        fputs(word, out);
        return;
    }
    fputc('\'', out);
    for (; *word; word++)
        fputs(*word == '\'' ? "'\\''" : (const char[]){ *word, '\0' }, out);
    fputc('\'', out);
}

/* What to write before a command to run it under this configuration. */
static json_t *paste_of(const struct amp_configuration *configuration)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    const char *blank = "";
    json_t *paste;

    if (!out)
        return NULL;
    if (configuration->library) {
        fputs("LD_PRELOAD=", out);
        print_word(out, configuration->library);
        blank = " ";
    }
    for (char **each = configuration->environment; *each; each++) {
        const char *value = amp_configuration_asked(configuration, *each);

        if (!*value)
            continue;
        fprintf(out, "%s%.*s=", blank, (int) strcspn(*each, "="), *each);
        print_word(out, value);
        blank = " ";
    }
    if (fclose(out)) {
        free(text);
        return NULL;
    }
    paste = json_string(text);
    free(text);
    return paste;
}

struct written {
    const struct amp_configuration *configuration;
    json_t *environment, *paste;
    const char *state;
};

#define OF(member, ...) AMP_FIELD(struct amp_configuration, member, __VA_ARGS__)
#define PART(...) AMP_BEHIND("", struct written, configuration, AMP_OF(__VA_ARGS__))
#define FIELD(member) AMP_FIELD(struct written, member)
const struct amp_record amp_configuration_record = {
    AMP_FIELDS(PART(OF(name), OF(purpose), OF(allocator), OF(library, .is_nullable = true)), FIELD(environment),
               PART(AMP_WORDS(struct amp_configuration, expect)), FIELD(state), PART(OF(why, .is_nullable = true)),
               FIELD(paste)),
};

json_t *amp_configuration_json(const struct amp_configuration *configuration)
{
    static const char *const states[] = {
        [AMP_CONFIGURATION_READY] = "ready",
        [AMP_CONFIGURATION_ABSENT] = "absent",
        [AMP_CONFIGURATION_WRONG] = "wrong",
    };
    const struct written written = { configuration, environment_of(configuration), paste_of(configuration),
                                     states[configuration->state] };

    return amp_record_write(&amp_configuration_record, &written);
}
