/* SPDX-License-Identifier: MIT
 *
 * source   elfutils, libdwfl.h and libdw.h
 */
#include "harness/profile/samples/symbols.h"

#include <errno.h>

#ifdef AMP_HAS_LIBDW
#include "harness/profile/samples/debug.h"
#include "harness/profile/samples/store.h"

#include <dlfcn.h>
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEEPEST 64 /* functions that are inlined into each other */

/* Whether the file of a name in .gnu_debuglink is in one of the places for it. */
static bool has_linked(const char *file, const char *link)
{
    static const char *const places[] = { "%s%.*s/%s", "%s%.*s/.debug/%s", "%s%.*s/%s" };
    const char *last = strrchr(file, '/');
    char path[PATH_MAX];

    for (int i = 0; last && i < 3; i++) {
        snprintf(path, sizeof path, places[i], i == 2 ? "/usr/lib/debug" : "", (int) (last - file), file, link);
        if (access(path, R_OK) == 0)
            return true;
    }
    return false;
}

/* As libdwfl does, but not in a network: for nothing it would load some thirty libraries. */
static int find_debuginfo(Dwfl_Module *module, void **data, const char *name, Dwarf_Addr base, const char *file,
                          const char *link, GElf_Word crc, char **out)
{
    int fd = dwfl_build_id_find_debuginfo(module, data, name, base, file, link, crc, out);

    if (fd >= 0 || !file || !link || !has_linked(file, link))
        return fd;
    return dwfl_standard_find_debuginfo(module, data, name, base, file, link, crc, out);
}

static const Dwfl_Callbacks callbacks = {
    .find_elf = dwfl_build_id_find_elf,
    .find_debuginfo = find_debuginfo,
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

/* C++'s names as its library reads them, if that is here: what links with it would need it always. */
static const char *readable(struct amp_profile *profile, const char *name)
{
    static char *(*demangle)(const char *, char *, size_t *, int *);
    static void *library;
    const char *made = NULL;
    char *text;

    if (!library && strncmp(name, "_Z", 2) == 0 && (library = dlopen("libstdc++.so.6", RTLD_NOW)) != NULL)
        *(void **) &demangle = dlsym(library, "__cxa_demangle");
    text = demangle && strncmp(name, "_Z", 2) == 0 ? demangle(name, NULL, NULL, NULL) : NULL;
    made = amp_profile_text(profile, text ? text : name);
    free(text);
    return made;
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
    lines[location->n_lines] = (struct amp_line){ function ? readable(profile, function) : NULL,
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

/* Go to the entry below, a block or an inlined function, that holds an address. */
static bool descend(Dwarf_Die *at, Dwarf_Addr address)
{
    Dwarf_Die die;

    if (dwarf_child(at, &die))
        return false;
    do {
        const int tag = dwarf_tag(&die);

        if ((tag == DW_TAG_inlined_subroutine || tag == DW_TAG_lexical_block || tag == DW_TAG_try_block ||
             tag == DW_TAG_catch_block) && dwarf_haspc(&die, address) > 0) {
            *at = die;
            return true;
        }
    } while (dwarf_siblingof(&die, &die) == 0);
    return false;
}

/* The functions that are inlined here, then the one that they are in. */
static int add_scopes(struct amp_profile *profile, struct amp_location *location, const Dwarf_Die *function,
                      Dwarf_Addr address, const char *symbol, const char *file, unsigned line)
{
    Dwarf_Die inlined[DEEPEST], at = *function;
    const char *name;
    int n = 0, err = 0;

    while (n < DEEPEST && descend(&at, address))
        if (dwarf_tag(&at) == DW_TAG_inlined_subroutine)
            inlined[n++] = at;
    while (!err && n-- > 0) {
        err = add_line(profile, location, dwarf_diename(&inlined[n]), file, line);
        call_place(&inlined[n], &file, &line);
    }
    at = *function;
    name = dwarf_diename(&at);
    return err ? err : add_line(profile, location, name ? name : symbol, file, line);
}

/* A function without a name is known by where it begins: "libz.so.1+0x2a40". */
static int name_by_begin(struct amp_profile *profile, struct amp_debug *debug, struct amp_location *location)
{
    const struct amp_mapping *mapping = location->mapping;
    char name[300];
    uint64_t begin;

    if (!amp_debug_begin(debug, location->address, &begin))
        return 0;
    snprintf(name, sizeof name, "%.255s+0x%" PRIx64, amp_store_file_name(mapping->path), begin - mapping->bias);
    return add_line(profile, location, name, NULL, 0);
}

static int name_location(struct amp_profile *profile, struct amp_debug *debug, struct amp_location *location)
{
    struct amp_debug_unit *unit = NULL;
    Dwarf_Die *function = NULL;
    const char *symbol = NULL, *file = NULL;
    Dwarf_Line *found;
    int line = 0, column = 0, err = amp_debug_symbol(debug, location->address, &symbol);

    if (!err && !location->mapping->is_library_of_c) /* whose lines take most of the time, and nobody changes them */
        err = amp_debug_find(debug, location->address, &unit, &function);
    if (err)
        return err;
    found = unit ? dwarf_getsrc_die(&unit->die, location->address - debug->bias) : NULL;
    if (found && dwarf_lineno(found, &line) == 0)
        file = dwarf_linesrc(found, NULL, NULL);
    if (found && dwarf_linecol(found, &column) == 0)
        location->column = (unsigned) column;
    if (symbol)
        location->mapping->has_functions = true;
    if (file)
        location->mapping->has_lines = true;
    if (function)
        return add_scopes(profile, location, function, location->address - debug->bias, symbol, file, (unsigned) line);
    return symbol || file ? add_line(profile, location, symbol, file, (unsigned) line)
                          : name_by_begin(profile, debug, location);
}

static struct amp_debug *debug_of(const struct amp_profile *profile, struct amp_debug *all,
                                  const struct amp_location *location)
{
    for (size_t i = 0; i < profile->n_mappings; i++)
        if (profile->mappings[i] == location->mapping)
            return all[i].module ? &all[i] : NULL;
    return NULL;
}

/* Report each file; its module is left in `all`. */
static void report(Dwfl *dwfl, const struct amp_profile *profile, struct amp_debug *all)
{
    dwfl_report_begin(dwfl);
    for (size_t i = 0; i < profile->n_mappings; i++) {
        struct amp_mapping *mapping = profile->mappings[i];

        if (mapping->path[0] == '/') /* else it is the kernel's own, and no file */
            all[i].module = dwfl_report_elf(dwfl, mapping->path, mapping->path, -1, mapping->bias, true);
        if (all[i].module)
            read_build_id(all[i].module, mapping);
    }
    dwfl_report_end(dwfl, NULL, NULL);
    for (size_t i = 0; i < profile->n_mappings; i++)
        if (!all[i].module) /* another piece of a file that was reported */
            all[i].module = dwfl_addrmodule(dwfl, profile->mappings[i]->start);
}

int amp_symbols_name(struct amp_profile *profile)
{
    struct amp_debug *all = calloc(profile->n_mappings + 1, sizeof *all);
    Dwfl *dwfl = all ? dwfl_begin(&callbacks) : NULL;
    int err = 0;

    unsetenv("DEBUGINFOD_URLS"); /* nothing is fetched from a network */
    if (!dwfl) {
        free(all);
        return -ENOMEM;
    }
    report(dwfl, profile, all);
    for (size_t i = 0; !err && i < profile->n_locations; i++) {
        struct amp_debug *debug = debug_of(profile, all, profile->locations[i]);

        err = debug ? name_location(profile, debug, profile->locations[i]) : 0;
    }
    for (size_t i = 0; i < profile->n_mappings; i++)
        amp_debug_free(&all[i]);
    free(all);
    dwfl_end(dwfl);
    return err;
}

bool amp_symbols_are_read(void)
{
    return true;
}
#else
int amp_symbols_name(struct amp_profile *profile)
{
    (void) profile;
    return -ENOTSUP;
}

bool amp_symbols_are_read(void)
{
    return false;
}
#endif
