/* SPDX-License-Identifier: MIT
 *
 * The debug information of a program or library, by address. libdwfl looks through all symbols, and libdw through all
 * functions of a unit, for each address that is asked for; here they are sorted once. */
#ifndef AMP_PROFILE_DEBUG_H
#define AMP_PROFILE_DEBUG_H

#include "harness/profile/samples/spans.h"

#include <elfutils/libdwfl.h>

/* A compilation unit. */
struct amp_debug_unit {
    Dwarf_Die die;
    struct amp_spans spans; /* of its functions */
    Dwarf_Die *functions;   /* by a span's number */
    size_t n_functions;
    bool is_read;
};

/* All 0 but for the module: nothing is read yet. */
struct amp_debug {
    Dwfl_Module *module; /* NULL: there is no such file */
    struct amp_spans symbols, labels; /* labels: symbols without size */
    bool has_symbols, has_units;      /* they are read */
    Dwarf_Addr bias;                  /* by which addresses in memory are above those in units and functions */
    struct amp_spans spans;           /* of units */
    struct amp_debug_unit *units;
    size_t n_units;
};

/* The function's symbol that holds an address in memory; *name is NULL if there is none. 0 or -ENOMEM. */
int amp_debug_symbol(struct amp_debug *debug, uint64_t address, const char **name);

/* Where the function begins that holds an address in memory, by the unwind tables; false: they do not say. */
bool amp_debug_begin(struct amp_debug *debug, uint64_t address, uint64_t *begin);

/* The unit and the function that hold an address; *unit or *function is NULL if none does. 0 or -ENOMEM. */
int amp_debug_find(struct amp_debug *debug, uint64_t address, struct amp_debug_unit **unit, Dwarf_Die **function);

void amp_debug_free(struct amp_debug *debug);

#endif
