/* SPDX-License-Identifier: MIT
 *
 * source   elfutils, libdwfl.h and libdw.h
 */
#include "harness/profile/samples/symbols.h"

#include <errno.h>

#ifdef AMP_HAS_LIBDW
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const Dwfl_Callbacks callbacks = {
    .find_elf = dwfl_build_id_find_elf,
    .find_debuginfo = dwfl_standard_find_debuginfo,
    .section_address = dwfl_offline_section_address,
};

static void read_build_id(Dwfl_Module *module, struct amp_mapping *mapping)
{
    const unsigned char *bits;
    GElf_Addr address;
    int n = dwfl_module_build_id(module, &bits, &address);

    for (int i = 0; i < n && i < (int) sizeof mapping->build_id / 2 - 1; i++)
        snprintf(mapping->build_id + 2 * i, 3, "%02x", bits[i]);
}

/* A frame of a location; the text is the library's, which ends before the profile: it is copied. */
static int add_line(struct amp_profile *profile, struct amp_location *location, const char *function, const char *file,
                    unsigned line)
{
    struct amp_line *lines = amp_profile_alloc(profile, (location->n_lines + 1) * sizeof *lines);

    if (!lines)
        return -ENOMEM;
    if (location->n_lines > 0)
        memcpy(lines, location->lines, location->n_lines * sizeof *lines);
    lines[location->n_lines] = (struct amp_line){ function ? amp_profile_text(profile, function) : NULL,
                                                  file ? amp_profile_text(profile, file) : NULL, line };
    location->lines = lines;
    location->n_lines++;
    return 0;
}

/* Where an inlined function was called. */
static void call_place(Dwarf_Die *die, const char **file, unsigned *line)
{
    Dwarf_Attribute attribute;
    Dwarf_Word number = 0;
    Dwarf_Die cu;
    Dwarf_Files *files;
    size_t n;

    *file = NULL;
    *line = 0;
    if (dwarf_formudata(dwarf_attr(die, DW_AT_call_line, &attribute), &number) == 0)
        *line = (unsigned) number;
    if (dwarf_formudata(dwarf_attr(die, DW_AT_call_file, &attribute), &number) == 0 &&
        dwarf_diecu(die, &cu, NULL, NULL) && dwarf_getsrcfiles(&cu, &files, &n) == 0 && number < n)
        *file = dwarf_filesrc(files, number, NULL, NULL);
}

/* The functions that are inlined here, then the one that they are in. */
static int add_scopes(struct amp_profile *profile, struct amp_location *location, Dwarf_Die *cu, Dwarf_Addr address,
                      const char *symbol, const char *file, unsigned line)
{
    Dwarf_Die *at = NULL, *scopes = NULL;
    int n = dwarf_getscopes(cu, address, &at), err = 0;

    n = n > 0 ? dwarf_getscopes_die(&at[0], &scopes) : 0;
    for (int i = 0; !err && i < n; i++) {
        int tag = dwarf_tag(&scopes[i]);

        if (tag == DW_TAG_subprogram) {
            const char *name = dwarf_diename(&scopes[i]);

            err = add_line(profile, location, name ? name : symbol, file, line);
            break;
        }
        if (tag != DW_TAG_inlined_subroutine)
            continue;
        err = add_line(profile, location, dwarf_diename(&scopes[i]), file, line);
        call_place(&scopes[i], &file, &line);
    }
    free(scopes);
    free(at);
    return err;
}

/* The compilation unit of an address. clang writes no table of them (.debug_aranges): then each is asked. */
static Dwarf_Die *find_unit(Dwfl_Module *module, Dwarf_Addr address, Dwarf_Addr *bias)
{
    Dwarf_Die *unit = dwfl_module_addrdie(module, address, bias);
    Dwarf *debug = unit ? NULL : dwfl_module_getdwarf(module, bias);
    Dwarf_Aranges *table;
    size_t n = 0;

    if (!debug || (dwarf_getaranges(debug, &table, &n) == 0 && n > 0))
        return unit;
    while ((unit = dwfl_module_nextcu(module, unit, bias)) != NULL)
        if (dwarf_haspc(unit, address - *bias) > 0)
            break;
    return unit;
}

static int name_location(struct amp_profile *profile, Dwfl *dwfl, struct amp_location *location)
{
    Dwfl_Module *module = location->mapping ? dwfl_addrmodule(dwfl, location->address) : NULL;
    const char *symbol = module ? dwfl_module_addrname(module, location->address) : NULL, *file = NULL;
    Dwarf_Addr bias = 0;
    Dwarf_Die *unit = module ? find_unit(module, location->address, &bias) : NULL;
    Dwarf_Line *found = unit ? dwarf_getsrc_die(unit, location->address - bias) : NULL;
    int line = 0, column = 0, err;

    if (found && dwarf_lineno(found, &line) == 0)
        file = dwarf_linesrc(found, NULL, NULL);
    if (found && dwarf_linecol(found, &column) == 0)
        location->column = (unsigned) column;
    if (symbol)
        location->mapping->has_functions = true;
    if (file)
        location->mapping->has_lines = true;
    if (unit) {
        err = add_scopes(profile, location, unit, location->address - bias, symbol, file, (unsigned) line);
        if (err || location->n_lines > 0)
            return err;
    }
    return symbol || file ? add_line(profile, location, symbol, file, (unsigned) line) : 0;
}

int amp_symbols_name(struct amp_profile *profile)
{
    Dwfl *dwfl;
    int err = 0;

    unsetenv("DEBUGINFOD_URLS"); /* nothing is fetched from a network */
    dwfl = dwfl_begin(&callbacks);
    if (!dwfl)
        return -ENOMEM;
    dwfl_report_begin(dwfl);
    for (size_t i = 0; i < profile->n_mappings; i++) {
        struct amp_mapping *mapping = profile->mappings[i];
        Dwfl_Module *module = mapping->path[0] == '/' /* else it is the kernel's own, and no file */
                                  ? dwfl_report_elf(dwfl, mapping->path, mapping->path, -1, mapping->bias, true)
                                  : NULL;

        if (module)
            read_build_id(module, mapping);
    }
    dwfl_report_end(dwfl, NULL, NULL);
    for (size_t i = 0; !err && i < profile->n_locations; i++)
        err = name_location(profile, dwfl, profile->locations[i]);
    dwfl_end(dwfl);
    return err;
}
#else
int amp_symbols_name(struct amp_profile *profile)
{
    (void) profile;
    return -ENOTSUP;
}
#endif
