/* SPDX-License-Identifier: MIT */
#include "harness/lesson/modules.h"

#include <errno.h>

enum { VALUE, POINTER };

static const struct amp_pair *pair_in(const struct amp_module *module, const struct amp_row *row)
{
    size_t index = 0;

    for (size_t i = 0; i < module->n_pairs; i++)
        for (const size_t *size = module->pairs[i]->sizes; *size; size++)
            if (index++ == row->index)
                return module->pairs[i];
    return NULL;
}

int amp_modules_load(const struct amp_row *row, const unsigned *layouts, unsigned n, struct amp_modules *out,
                     const char **why)
{
    struct amp_layouts table;
    int err = amp_layouts_open(row->lesson, &table, why);

    *out = (struct amp_modules){ .n = 0 };
    if (err)
        return err;
    out->n = layouts ? n : table.n;
    out->list = calloc(out->n, sizeof *out->list);
    if (!out->list) {
        err = -ENOMEM;
        *why = strerror(ENOMEM);
    }
    for (unsigned k = 0; k < out->n && !err; k++) {
        unsigned layout = layouts ? layouts[k] : k;

        err = amp_layout_load(row->lesson, layout, &out->list[k], why);
        if (!err)
            err = amp_layouts_hold(&table, layout, out->list[k].pairs, why);
        if (!err && !pair_in(&out->list[k], row)) {
            err = -EPROTO;
            *why = "its modules do not hold the same pairs: build again";
        }
    }
    amp_layouts_close(&table);
    return err;
}

void amp_modules_unload(struct amp_modules *modules)
{
    for (unsigned k = 0; modules->list && k < modules->n; k++)
        amp_layout_unload(&modules->list[k]);
    free(modules->list);
    *modules = (struct amp_modules){ .n = 0 };
}

void amp_modules_kernels(const struct amp_modules *modules, const struct amp_row *row, unsigned k, size_t block,
                         void *const fixtures[2], struct amp_kernel out[2])
{
    const struct amp_pair *pair = pair_in(&modules->list[k], row);
    const struct amp_pair *maker = row->pair; /* the one whose set_up made the fixtures */
    size_t exchange = maker->value.set_up == maker->pointer.set_up ? block & 1 : 0;

    out[VALUE] = (struct amp_kernel){ pair->value.run, fixtures[VALUE ^ exchange] };
    out[POINTER] = (struct amp_kernel){ pair->pointer.run, fixtures[POINTER ^ exchange] };
}
