/* SPDX-License-Identifier: MIT */
#include "harness/profile/preload/budget.h"

#include "harness/budget.h"
#include "harness/profile/record/modules.h"
#include "harness/profile/record/region.h"
#include "harness/profile/unwind/thread.h"

#include <fcntl.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define KEPT 16   /* sites that a text names */
#define FRAMES 12 /* of each */
#define TEXT_B 16384

struct amp_budget_state {
    uint64_t allocs, bytes;
    unsigned n; /* sites kept, those that allocated first */
    struct {
        const struct amp_profile_site *site; /* NULL: of all that found no room */
        uint64_t allocs, bytes;
    } kept[KEPT];
    size_t length;
    char text[TEXT_B];
};

static __thread struct amp_budget_state *own __attribute__((tls_model("initial-exec")));

void amp_budget_count(struct amp_budget_state *state, const struct amp_profile_site *site, uint64_t size_b)
{
    unsigned i = 0;

    state->allocs++;
    state->bytes += size_b;
    while (i < state->n && state->kept[i].site != site)
        i++;
    if (i == KEPT)
        return;
    if (i == state->n)
        state->n++;
    state->kept[i].site = site;
    state->kept[i].allocs++;
    state->kept[i].bytes += size_b;
}

__attribute__((format(printf, 2, 3))) static void say(struct amp_budget_state *state, const char *format, ...)
{
    va_list list;
    int n;

    va_start(list, format);
    n = vsnprintf(state->text + state->length, TEXT_B - state->length, format, list);
    va_end(list);
    if (n > 0)
        state->length += (size_t) n < TEXT_B - state->length ? (size_t) n : TEXT_B - 1 - state->length;
}

/* The line of addr2line about an address in a file: "function at file:line"; false if that is not to be had. */
static bool ask_addr2line(const char *file, uint64_t address, char *out, size_t cap)
{
    char hex[32];
    char *arguments[] = { "addr2line", "-Cfpe", (char *) (uintptr_t) file, hex, NULL };
    posix_spawn_file_actions_t actions;
    size_t n = 0;
    ssize_t got;
    char *rest;
    pid_t child;
    int ends[2], status = 0;

    snprintf(hex, sizeof hex, "0x%" PRIx64, address);
    if (pipe2(ends, O_CLOEXEC)) /* one that another thread's child kept open would have no end */
        return false;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    if (posix_spawnp(&child, arguments[0], &actions, NULL, arguments, (char *[]){ "PATH=/usr/bin:/bin", NULL }))
        child = -1;
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    while (child > 0 && n < cap - 1 && (got = read(ends[0], out + n, cap - 1 - n)) > 0)
        n += (size_t) got;
    close(ends[0]);
    if (child > 0)
        waitpid(child, &status, 0);
    out[n] = '\0';
    out[strcspn(out, "\n")] = '\0';
    if ((rest = strstr(out, " (discriminator")) != NULL)
        *rest = '\0';
    return child > 0 && status == 0 && n > 0 && out[0] != '?';
}

static void say_frame(struct amp_budget_state *state, uint64_t pc, bool is_first)
{
    struct amp_found found;
    char line[1024];

    amp_modules_look(pc - 1, &found);
    if (!found.module.start)
        say(state, "    %s 0x%" PRIx64 "\n", is_first ? "in" : "by", pc);
    else if (ask_addr2line(found.path, pc - 1 - found.bias, line, sizeof line))
        say(state, "    %s %s\n", is_first ? "in" : "by", line);
    else
        say(state, "    %s %s+0x%" PRIx64 "\n", is_first ? "in" : "by", found.path, pc - 1 - found.bias);
}

static void say_site(struct amp_budget_state *state, unsigned i)
{
    const struct amp_profile_site *site = state->kept[i].site;

    say(state, "\n  %" PRIu64 " allocation%s, %" PRIu64 " B", state->kept[i].allocs,
        state->kept[i].allocs == 1 ? "" : "s", state->kept[i].bytes);
    say(state, site ? "\n" : " in a place that found no room to be remembered\n");
    for (unsigned frame = 0; site && frame < site->n && frame < FRAMES; frame++)
        say_frame(state, site->pcs[frame], frame == 0);
}

__attribute__((visibility("default"))) void amp_budget_start(void)
{
    enum amp_doing before = amp_thread.doing;

    amp_thread.doing = AMP_LOOKING_UP;
    if (!own && amp_region_head() && !amp_region_sample_b)
        own = amp_region_map(sizeof *own);
    amp_thread.doing = before;
    if (own)
        memset(own, 0, offsetof(struct amp_budget_state, text));
    amp_thread.budget = own;
}

__attribute__((visibility("default"))) const char *amp_budget_stop(const struct amp_budget *limit)
{
    struct amp_budget_state *state = amp_thread.budget;
    enum amp_doing before = amp_thread.doing;

    amp_thread.budget = NULL;
    if (!state && amp_region_sample_b)
        return "allocations are sampled (profile --sample), so none is counted exactly";
    if (!state)
        return "no budget was begun in this thread, or there is no memory for one";
    if (state->allocs <= limit->allocs && (limit->bytes == 0 || state->bytes <= limit->bytes))
        return NULL;
    amp_thread.doing = AMP_LOOKING_UP;
    say(state, "%" PRIu64 " allocation%s, %" PRIu64 " B; the budget is %" PRIu64, state->allocs,
        state->allocs == 1 ? "" : "s", state->bytes, limit->allocs);
    if (limit->bytes > 0)
        say(state, ", %" PRIu64 " B", limit->bytes);
    for (unsigned i = 0; i < state->n; i++)
        say_site(state, i);
    if (state->n == KEPT)
        say(state, "\n  (the first %d places)\n", KEPT);
    amp_thread.doing = before;
    return state->text;
}
