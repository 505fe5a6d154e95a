/* SPDX-License-Identifier: MIT
 *
 * In which function a mutator is that comes by no safe point: a signal makes its thread note where it is. */
#include "harness/gc/state.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <ucontext.h>

#define WAIT_NS 1000000
#define WAITS 2000

static uintptr_t noted;

static void note(int signal, siginfo_t *info, void *context)
{
    const ucontext_t *at = context;

    (void) signal;
    (void) info;
#if defined(__x86_64__)
    AMP_GC_STORE(&noted, (uintptr_t) at->uc_mcontext.gregs[REG_RIP]);
#else
    AMP_GC_STORE(&noted, (uintptr_t) at->uc_mcontext.pc);
#endif
}

static void name(uintptr_t at, char *out, size_t out_b)
{
    Dl_info info;

    if (!dladdr((const void *) at, &info))
        snprintf(out, out_b, "code at %#lx", (unsigned long) at);
    else if (info.dli_sname)
        snprintf(out, out_b, "%s", info.dli_sname);
    else
        snprintf(out, out_b, "%s+%#lx", info.dli_fname, (unsigned long) (at - (uintptr_t) info.dli_fbase));
}

void amp_gc_where(const struct amp_gc_mutator *m, char *out, size_t out_b)
{
    const struct sigaction action = { .sa_sigaction = note, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART };
    const struct timespec pause = { .tv_nsec = WAIT_NS };
    struct sigaction before;
    uintptr_t at = 0;

    AMP_GC_STORE(&noted, 0);
    sigaction(SIGURG, &action, &before);
    if (pthread_kill(m->thread, SIGURG) == 0)
        for (unsigned i = 0; i < WAITS && !(at = AMP_GC_LOAD(&noted)); i++)
            nanosleep(&pause, NULL);
    sigaction(SIGURG, &before, NULL);
    if (at)
        name(at, out, out_b);
    else
        snprintf(out, out_b, "code that no signal interrupts");
}
