/* SPDX-License-Identifier: MIT
 *
 * source   elfutils, libdwfl.h and libdw.h
 */
#include "harness/profile/samples/debug.h"

#include "harness/profile/samples/store.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <stdlib.h>

static bool is_code(const GElf_Sym *symbol, GElf_Word section)
{
    const int type = GELF_ST_TYPE(symbol->st_info);

    return section != SHN_UNDEF && (type == STT_FUNC || type == STT_GNU_IFUNC || type == STT_NOTYPE);
}

static uint32_t rank_of(const GElf_Sym *symbol)
{
    const int binding = GELF_ST_BIND(symbol->st_info);

    return binding == STB_GLOBAL ? 2 : binding == STB_WEAK ? 1 : 0;
}

static int read_symbols(struct amp_debug *debug)
{
    const int n = dwfl_module_getsymtab(debug->module);
    int err = 0;

    debug->has_symbols = true;
    for (int i = 1; !err && i < n; i++) {
        GElf_Sym symbol;
        GElf_Addr address;
        GElf_Word section;
        const char *name = dwfl_module_getsym_info(debug->module, i, &symbol, &address, &section, NULL, NULL);

        if (!name || !*name || !is_code(&symbol, section))
            continue;
        const struct amp_span span = { address, address + symbol.st_size, (uint32_t) i, rank_of(&symbol) };
        err = amp_spans_add(symbol.st_size > 0 ? &debug->symbols : &debug->labels, &span);
    }
    amp_spans_sort(&debug->symbols);
    amp_spans_sort(&debug->labels);
    return err;
}

int amp_debug_symbol(struct amp_debug *debug, uint64_t address, const char **name)
{
    const struct amp_span *found, *before;
    int err = debug->has_symbols ? 0 : read_symbols(debug);
    GElf_Sym symbol;
    GElf_Addr value;

    *name = NULL;
    if (err)
        return err;
    found = amp_spans_find(&debug->symbols, address);
    if (!found) { /* code of assembly goes on to where the next function begins */
        before = amp_spans_before(&debug->symbols, address);
        found = amp_spans_before(&debug->labels, address);
        if (found && before && found->low <= before->low)
            found = NULL;
    }
    if (found)
        *name = dwfl_module_getsym_info(debug->module, (int) found->of, &symbol, &value, NULL, NULL, NULL);
    return 0;
}

bool amp_debug_begin(struct amp_debug *debug, uint64_t address, uint64_t *begin)
{
    Dwarf_Addr bias, low, high;
    Dwarf_CFI *tables = dwfl_module_eh_cfi(debug->module, &bias);
    Dwarf_Frame *frame;

    if (!tables || dwarf_cfi_addrframe(tables, address - bias, &frame))
        return false;
    if (dwarf_frame_info(frame, &low, &high, NULL) < 0)
        low = 0;
    free(frame);
    *begin = low + bias;
    return low > 0;
}

/* Add the addresses of a unit or function under its number. */
static int add_ranges(struct amp_spans *spans, Dwarf_Die *die, size_t number)
{
    Dwarf_Addr base, low, high;
    ptrdiff_t at = 0;
    int err = 0;

    while (!err && (at = dwarf_ranges(die, at, &base, &low, &high)) > 0)
        if (low < high)
            err = amp_spans_add(spans, &(struct amp_span){ low, high, (uint32_t) number, 0 });
    return err;
}

static int read_units(struct amp_debug *debug)
{
    Dwarf_Die *die = NULL;
    int err = 0;

    debug->has_units = true;
    while (!err && (die = dwfl_module_nextcu(debug->module, die, &debug->bias)) != NULL) {
        if (!amp_store_has_room(&debug->units, debug->n_units, sizeof *debug->units))
            return -ENOMEM;
        debug->units[debug->n_units] = (struct amp_debug_unit){ .die = *die };
        err = add_ranges(&debug->spans, die, debug->n_units++);
    }
    amp_spans_sort(&debug->spans);
    return err;
}

/* The functions below an entry, at any depth: those of namespaces, classes and other functions are some. */
static int read_functions(struct amp_debug_unit *unit, Dwarf_Die *parent)
{
    Dwarf_Die die;
    int err = 0;

    if (dwarf_child(parent, &die))
        return 0;
    do {
        const size_t before = unit->spans.n;

        if (dwarf_tag(&die) == DW_TAG_subprogram)
            err = add_ranges(&unit->spans, &die, unit->n_functions);
        if (!err && unit->spans.n > before) {
            if (!amp_store_has_room(&unit->functions, unit->n_functions, sizeof *unit->functions))
                return -ENOMEM;
            unit->functions[unit->n_functions++] = die;
        }
        if (!err && dwarf_haschildren(&die) > 0)
            err = read_functions(unit, &die);
    } while (!err && dwarf_siblingof(&die, &die) == 0);
    return err;
}

int amp_debug_find(struct amp_debug *debug, uint64_t address, struct amp_debug_unit **unit, Dwarf_Die **function)
{
    const struct amp_span *found;
    int err = debug->has_units ? 0 : read_units(debug);

    *unit = NULL;
    *function = NULL;
    found = err ? NULL : amp_spans_find(&debug->spans, address - debug->bias);
    if (!found)
        return err;
    *unit = &debug->units[found->of];
    if (!(*unit)->is_read) {
        (*unit)->is_read = true;
        err = read_functions(*unit, &(*unit)->die);
        amp_spans_sort(&(*unit)->spans);
    }
    found = err ? NULL : amp_spans_find(&(*unit)->spans, address - debug->bias);
    if (found)
        *function = &(*unit)->functions[found->of];
    return err;
}

void amp_debug_free(struct amp_debug *debug)
{
    for (size_t i = 0; i < debug->n_units; i++) {
        amp_spans_free(&debug->units[i].spans);
        free(debug->units[i].functions);
    }
    free(debug->units);
    amp_spans_free(&debug->spans);
    amp_spans_free(&debug->symbols);
    amp_spans_free(&debug->labels);
}
