/* SPDX-License-Identifier: MIT */
#include "harness/run/outcome.h"

#include "harness/kernel.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SMALL_B ((uint64_t) 64 << 20) /* of address space; the program and its libraries take a part of it */

/* Lines of jemalloc that are no reason: the last one about refused settings only points to the line above, and others
 * are about settings that it accepts. They are dropped. */
void amp_tail_end(struct amp_tail *tail)
{
    tail->line[tail->n] = '\0';
    if (tail->n > 0 && !strstr(tail->line, "(see above)") && !strstr(tail->line, "-- Set conf value: "))
        memcpy(tail->last, tail->line, tail->n + 1);
    tail->n = 0;
}

void amp_tail_add(struct amp_tail *tail, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (text[i] == '\n')
            amp_tail_end(tail);
        else if (tail->n < sizeof tail->line - 1)
            tail->line[tail->n++] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
    }
}

/* "SEGV", or NULL. */
static const char *short_name(int signal)
{
#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 32)
    return sigabbrev_np(signal);
#else
    static const char *const names[] = {
        [SIGSEGV] = "SEGV", [SIGBUS] = "BUS",   [SIGABRT] = "ABRT", [SIGFPE] = "FPE",
        [SIGILL] = "ILL",   [SIGKILL] = "KILL", [SIGTERM] = "TERM", [SIGTRAP] = "TRAP",
    };

    return signal > 0 && (size_t) signal < sizeof names / sizeof names[0] ? names[signal] : NULL;
#endif
}

static const char *signal_name(int signal)
{
    static char name[16];
    const char *known = short_name(signal);

    if (known)
        snprintf(name, sizeof name, "SIG%s", known);
    else
        snprintf(name, sizeof name, "signal %d", signal);
    return name;
}

static const char *last_line(const struct amp_tail *tail)
{
    static const char prefix[] = "ampersand: ";
    size_t n = sizeof prefix - 1;

    return strncmp(tail->last, prefix, n) == 0 ? tail->last + n : tail->last;
}

/* "16M", as it is given. */
static void print_limit(uint64_t limit_b, char *out, size_t cap)
{
    static const char units[] = " KMGT";
    size_t unit = 0;

    while (units[unit + 1] && limit_b % 1024 == 0) {
        limit_b /= 1024;
        unit++;
    }
    snprintf(out, cap, "--memory-limit %llu%.*s", (unsigned long long) limit_b, unit > 0, units + unit);
}

/* No more words: what the loader or an allocator prints when memory is short explains nothing. */
static bool is_too_small(uint64_t limit_b, int status, const char *last)
{
    bool at_start = WIFEXITED(status) && WEXITSTATUS(status) == 127;

    if (limit_b == 0)
        return false;
    if (at_start)
        return strstr(last, "failed to map") || strstr(last, strerror(ENOMEM));
    return WIFSIGNALED(status) && !last[0] && limit_b <= SMALL_B;
}

void amp_outcome_describe(const struct amp_exit *exits, uint64_t memory_limit_b, int status,
                          const struct amp_tail *tail, struct amp_outcome *out)
{
    const char *last = last_line(tail), *words = "";
    char limit[48];

    out->ending = WIFSIGNALED(status) ? AMP_SIGNAL : AMP_EXIT;
    if (is_too_small(memory_limit_b, status, last)) {
        print_limit(memory_limit_b, limit, sizeof limit);
        snprintf(out->detail, sizeof out->detail, "%s%sit did not start, or not get far, within %s%s%.200s",
                 WIFSIGNALED(status) ? signal_name(WTERMSIG(status)) : "", WIFSIGNALED(status) ? ": " : "", limit,
                 last[0] ? ": " : "", last);
        return;
    }
    if (WIFSIGNALED(status)) {
        snprintf(out->detail, sizeof out->detail, "%s%s%s", signal_name(WTERMSIG(status)), last[0] ? ": " : "", last);
        return;
    }
    snprintf(out->detail, sizeof out->detail, "status %d%s%s", WEXITSTATUS(status), last[0] ? ": " : "", last);
    if (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == AMP_EXIT_NO_MEMORY) {
        out->ending = WEXITSTATUS(status) == 0 ? AMP_DONE : AMP_MEMORY;
        words = out->ending == AMP_DONE ? "" : "a kernel or a fixture found no memory";
    }
    for (const struct amp_exit *known = exits; known && known->status > 0; known++)
        if (known->status == WEXITSTATUS(status)) {
            out->ending = AMP_REFUSED;
            out->reason = known->reason;
            words = known->words;
        }
    if (out->ending != AMP_EXIT)
        snprintf(out->detail, sizeof out->detail, "%s", last[0] ? last : words);
}

void amp_outcome_hold_to(const char *file, struct amp_outcome *outcome)
{
    bool is_there = access(file, F_OK) == 0;

    if (outcome->ending == AMP_INTERRUPTED && is_there)
        outcome->ending = AMP_DONE;
    if (outcome->ending == AMP_DONE && !is_there) {
        outcome->ending = AMP_EXIT;
        snprintf(outcome->detail, sizeof outcome->detail, "it ended without a result");
    }
}

const char *amp_outcome_reason(const struct amp_outcome *outcome)
{
    static const char *const names[] = {
        [AMP_DONE] = "done",       [AMP_SIGNAL] = "signal", [AMP_EXIT] = "exit",
        [AMP_TIMEOUT] = "timeout", [AMP_MEMORY] = "memory", [AMP_INTERRUPTED] = "interrupted",
    };

    return outcome->ending == AMP_REFUSED ? outcome->reason : names[outcome->ending];
}
