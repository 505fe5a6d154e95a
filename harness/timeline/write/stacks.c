/* SPDX-License-Identifier: MIT */
#include "harness/timeline/write/stacks.h"

#include "harness/profile/samples/store.h"
#include "harness/profile/samples/symbols.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* By number of a name, less 1; NULL where the name is another. */
struct of_process {
    struct amp_mapping **modules;
    struct amp_location **places;
    char **texts;
    uint32_t n;
};

struct amp_stacks {
    struct amp_profile profile;
    struct of_process *processes;
    size_t n;
};

static bool is_a(const char *name, const char *kind)
{
    return strncmp(name, kind, strlen(kind)) == 0;
}

static bool has_any(const struct amp_recording *recording)
{
    for (size_t p = 0; p < recording->n; p++)
        for (uint32_t i = 0; i < recording->processes[p].n_names; i++)
            if (is_a(recording->processes[p].names[i], AMP_RING_STACK))
                return true;
    return false;
}

static int read_module(struct amp_stacks *stacks, struct of_process *to, uint32_t i, const char *text)
{
    struct amp_mapping wanted = { 0 };
    int at = 0;

    if (sscanf(text, "%" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %n", &wanted.start, &wanted.end, &wanted.offset,
               &wanted.bias, &at) != 4 || at == 0)
        return 0;
    wanted.path = text + at;
    to->modules[i] = amp_store_mapping(&stacks->profile, &wanted);
    return to->modules[i] ? 0 : -ENOMEM;
}

static int read_place(struct amp_stacks *stacks, struct of_process *to, uint32_t i, const char *text)
{
    struct amp_mapping *module = NULL;
    uint32_t number;
    uint64_t behind;

    if (sscanf(text, "%" SCNx32 " %" SCNx64, &number, &behind) != 2)
        return 0;
    if (number > 0 && number <= to->n)
        module = to->modules[number - 1];
    to->places[i] = amp_store_location(&stacks->profile, behind + (module ? module->start : 0), module);
    return to->places[i] ? 0 : -ENOMEM;
}

static const char *last_part(const char *path)
{
    const char *last = strrchr(path, '/');

    return last ? last + 1 : path;
}

/* The functions that are inlined there, then the one that they are in. True: that is main(). */
static bool put_place(FILE *out, const struct amp_location *place)
{
    bool is_main = false;

    for (size_t i = 0; i < place->n_lines; i++) {
        const struct amp_line *line = &place->lines[i];

        fprintf(out, "%s%s", ftell(out) > 0 ? "\n" : "", line->function ? line->function : "?");
        if (line->file)
            fprintf(out, " (%s:%u)", last_part(line->file), line->line);
        is_main = is_main || (line->function && strcmp(line->function, "main") == 0);
    }
    if (place->n_lines == 0 && place->mapping)
        fprintf(out, "%s%s+%#" PRIx64, ftell(out) > 0 ? "\n" : "", last_part(place->mapping->path),
                place->address - place->mapping->bias);
    return is_main;
}

static int write_stack(struct of_process *to, uint32_t i, const char *text)
{
    size_t size;
    FILE *out = open_memstream(&to->texts[i], &size);
    uint32_t number;
    int n;

    if (!out)
        return -ENOMEM;
    for (; sscanf(text, "%" SCNx32 " %n", &number, &n) == 1; text += n)
        if (number > 0 && number <= to->n && to->places[number - 1] && put_place(out, to->places[number - 1]))
            break;
    return fclose(out) ? -ENOMEM : 0;
}

/* What follows from the names of this kind. */
static int read_names(struct amp_stacks *stacks, const struct amp_recording *recording, const char *kind)
{
    int err = 0;

    for (size_t p = 0; p < stacks->n; p++) {
        struct of_process *to = &stacks->processes[p];

        for (uint32_t i = 0; i < to->n && !err; i++) {
            const char *name = recording->processes[p].names[i], *text = name + strlen(kind);

            if (!is_a(name, kind))
                continue;
            if (strcmp(kind, AMP_RING_MODULE) == 0)
                err = read_module(stacks, to, i, text);
            else if (strcmp(kind, AMP_RING_PLACE) == 0)
                err = read_place(stacks, to, i, text);
            else
                err = write_stack(to, i, text);
        }
    }
    return err;
}

static int make_rooms(struct amp_stacks *stacks, const struct amp_recording *recording)
{
    stacks->processes = calloc(recording->n + 1, sizeof *stacks->processes);
    for (size_t p = 0; stacks->processes && p < recording->n; p++) {
        struct of_process *to = &stacks->processes[p];

        to->n = recording->processes[p].n_names;
        to->modules = calloc(to->n + 1, sizeof *to->modules);
        to->places = calloc(to->n + 1, sizeof *to->places);
        to->texts = calloc(to->n + 1, sizeof *to->texts);
        stacks->n++;
        if (!to->modules || !to->places || !to->texts)
            return -ENOMEM;
    }
    return stacks->processes ? 0 : -ENOMEM;
}

int amp_stacks_read(const struct amp_recording *recording, struct amp_stacks **out)
{
    struct amp_stacks *stacks = NULL;
    int err = 0;

    *out = NULL;
    if (!has_any(recording))
        return 0;
    stacks = calloc(1, sizeof *stacks);
    if (!stacks)
        return -ENOMEM;
    err = amp_store_begin(&stacks->profile);
    if (!err)
        err = make_rooms(stacks, recording);
    if (!err)
        err = read_names(stacks, recording, AMP_RING_MODULE);
    if (!err)
        err = read_names(stacks, recording, AMP_RING_PLACE);
    if (!err)
        err = amp_symbols_name(&stacks->profile);
    if (!err || err == -ENOTSUP)
        err = read_names(stacks, recording, AMP_RING_STACK);
    if (err) {
        amp_stacks_free(stacks);
        stacks = NULL;
    }
    *out = stacks;
    return err;
}

void amp_stacks_free(struct amp_stacks *stacks)
{
    if (!stacks)
        return;
    for (size_t p = 0; p < stacks->n; p++) {
        struct of_process *of = &stacks->processes[p];

        for (uint32_t i = 0; of->texts && i < of->n; i++)
            free(of->texts[i]);
        free(of->modules);
        free(of->places);
        free(of->texts);
    }
    free(stacks->processes);
    amp_profile_free(&stacks->profile);
    free(stacks);
}

const char *amp_stacks_text(const struct amp_stacks *stacks, size_t process, uint32_t number)
{
    const struct of_process *of = stacks && process < stacks->n ? &stacks->processes[process] : NULL;

    return of && number > 0 && number <= of->n ? of->texts[number - 1] : NULL;
}
