/* SPDX-License-Identifier: MIT
 *
 * In which function a mutator is that comes by no safe point: a signal makes its thread note where it is. */
#include "harness/gc/state.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

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

/* ---- Its name: dladdr() knows exported functions only, and most growable ones are not. */

/* In a table of symbols, the name of the function at this offset of the file's image; growable ones end in _body. */
static bool find(const char *file, const Elf64_Shdr *table, const char *names, uint64_t offset, char *out, size_t out_b)
{
    const Elf64_Sym *symbol = (const Elf64_Sym *) (const void *) (file + table->sh_offset);

    for (size_t n = table->sh_size / sizeof *symbol; n > 0; n--, symbol++)
        if (ELF64_ST_TYPE(symbol->st_info) == STT_FUNC && offset - symbol->st_value < symbol->st_size) {
            snprintf(out, out_b, "%s", names + symbol->st_name);
            if (strlen(out) > 5 && strcmp(out + strlen(out) - 5, "_body") == 0)
                out[strlen(out) - 5] = 0;
            return true;
        }
    return false;
}

static bool find_in(const char *file, size_t file_b, uintptr_t base, uintptr_t at, char *out, size_t out_b)
{
    const Elf64_Ehdr *header = (const Elf64_Ehdr *) (const void *) file;
    const Elf64_Shdr *sections = (const Elf64_Shdr *) (const void *) (file + header->e_shoff);

    if (file_b < sizeof *header || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
        header->e_shoff + header->e_shnum * sizeof *sections > file_b)
        return false;
    if (header->e_type == ET_EXEC) /* its symbols have addresses, not offsets */
        base = 0;
    for (unsigned i = 0; i < header->e_shnum; i++)
        if (sections[i].sh_type == SHT_SYMTAB && sections[i].sh_offset + sections[i].sh_size <= file_b &&
            sections[i].sh_link < header->e_shnum && sections[sections[i].sh_link].sh_offset < file_b)
            return find(file, &sections[i], file + sections[sections[i].sh_link].sh_offset,
                        at - base, out, out_b);
    return false;
}

/* The program calls itself as it was called, which need not be where it is. */
static const char *file_of(const Dl_info *info)
{
    Dl_info program;

    return dladdr((const void *) getauxval(AT_ENTRY), &program) && program.dli_fbase == info->dli_fbase
               ? "/proc/self/exe"
               : info->dli_fname;
}

static bool find_local(const Dl_info *info, uintptr_t at, char *out, size_t out_b)
{
    const int fd = open(file_of(info), O_RDONLY | O_CLOEXEC);
    struct stat status;
    char *file = MAP_FAILED;
    bool found = false;

    if (fd < 0)
        return false;
    if (fstat(fd, &status) == 0 && status.st_size > 0)
        file = mmap(NULL, (size_t) status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (file != MAP_FAILED) {
        found = find_in(file, (size_t) status.st_size, (uintptr_t) info->dli_fbase, at, out, out_b);
        munmap(file, (size_t) status.st_size);
    }
    close(fd);
    return found;
}

static void name(uintptr_t at, char *out, size_t out_b)
{
    Dl_info info;

    if (!dladdr((const void *) at, &info))
        snprintf(out, out_b, "code at %#lx", (unsigned long) at);
    else if (!find_local(&info, at, out, out_b))
        snprintf(out, out_b, "%s+%#lx", info.dli_sname ? info.dli_sname : info.dli_fname,
                 (unsigned long) (at - (uintptr_t) (info.dli_sname ? info.dli_saddr : info.dli_fbase)));
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
