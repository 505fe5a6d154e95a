/* SPDX-License-Identifier: MIT */
#include "harness/ab/launch/modules.h"

#include "harness/ab/launch/pages.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>

const struct amp_ab_kernel *amp_ab_module_load(const void *module, char *why, size_t size)
{
    const struct amp_ab_module *wanted = module;
    const struct amp_ab_kernel *found;
    const struct amp_ab_side *side;
    char path[PATH_MAX]; /* as /proc/self/maps has it */
    void *handle = realpath(wanted->path, path) ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
    int err;

    if (!handle) {
        const char *said = dlerror();

        snprintf(why, size, "%s", said ? said : "its module is gone");
        return NULL;
    }
    side = dlsym(handle, "amp_ab_side");
    if (!side || side->abi != AMP_AB_ABI) {
        snprintf(why, size, "its module is of another version of ampersand");
        return NULL;
    }
    found = amp_ab_find(side, wanted->kernel);
    if (!found) {
        snprintf(why, size, "it has no kernel %s", wanted->kernel);
        return NULL;
    }
    err = wanted->as_mapped ? 0 : amp_ab_pages_of_file(path);
    if (err) {
        snprintf(why, size, "its code cannot be copied to fresh pages: %s", strerror(-err));
        return NULL;
    }
    return found;
}
