/* SPDX-License-Identifier: MIT */
#include "harness/profile/record/modules.h"

#include <link.h>
#include <string.h>
#include <unistd.h>

const struct amp_module *amp_modules_find(const struct amp_modules *modules, uintptr_t pc)
{
    for (uint32_t i = modules->n; i > 0; i--)
        if (pc >= modules->known[i - 1].start && pc < modules->known[i - 1].end)
            return &modules->known[i - 1];
    return NULL;
}

static bool has_name(const char *path, const char *name)
{
    const char *last = strrchr(path, '/');

    return strncmp(last ? last + 1 : path, name, strlen(name)) == 0;
}

static int look(struct dl_phdr_info *info, size_t size, void *argument)
{
    struct amp_found *found = argument;

    (void) size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        uintptr_t start = info->dlpi_addr + header->p_vaddr, into = header->p_vaddr % 4096;

        if (header->p_type != PT_LOAD || !(header->p_flags & PF_X) || found->pc < start ||
            found->pc >= start + header->p_memsz)
            continue;
        found->module.start = start - into;
        found->module.end = start + header->p_memsz;
        found->offset = header->p_offset - into;
        found->bias = info->dlpi_addr;
        strncpy(found->path, info->dlpi_name, sizeof found->path - 1);
        return 1;
    }
    return 0;
}

/* A program may load "./plugin.so"; the reader may stand elsewhere, and what has no folder is the kernel's own. */
static void make_absolute(char *path, size_t cap)
{
    const size_t size = strlen(path) + 1;
    char *name = path + cap - size;
    ssize_t n;

    if (path[0] == '/' || !strchr(path, '/'))
        return;
    memmove(name, path, size);
    n = readlink("/proc/self/cwd", path, cap - size);
    if (n < 0 || (size_t) n + 1 + size > cap)
        n = 0;
    else
        path[n++] = '/';
    memmove(path + n, name, size);
}

void amp_modules_look(uintptr_t pc, struct amp_found *out)
{
    out->pc = pc;
    out->module = (struct amp_module){ 0 };
    memset(out->path, 0, sizeof out->path);
    if (!dl_iterate_phdr(look, out))
        return;
    if (!out->path[0] && readlink("/proc/self/exe", out->path, sizeof out->path - 1) < 0)
        out->path[0] = '\0';
    make_absolute(out->path, sizeof out->path);
    out->module.is_allocating = has_name(out->path, "libc.so") || has_name(out->path, "libc-2") ||
                                has_name(out->path, "libstdc++.so") || has_name(out->path, "libc++.so") ||
                                has_name(out->path, "ld-");
}

void amp_modules_add(struct amp_modules *modules, const struct amp_found *found)
{
    size_t length = strlen(found->path);
    struct amp_profile_module *module;

    if (!found->module.start || modules->n == AMP_MODULES || amp_modules_find(modules, found->pc))
        return;
    module = amp_region_add(sizeof *module + length + 1);
    if (!module)
        return;
    module->start = found->module.start;
    module->end = found->module.end;
    module->offset = found->offset;
    module->bias = found->bias;
    memcpy(module->path, found->path, length);
    __atomic_store_n(&module->record.kind, AMP_PROFILE_MODULE, __ATOMIC_RELEASE);
    modules->known[modules->n++] = found->module;
    modules->n_written++;
}
