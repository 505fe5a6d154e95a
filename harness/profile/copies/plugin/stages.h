/* SPDX-License-Identifier: MIT
 *
 * What the plugin does, in this order:
 *
 *   tag      before the optimiser: each copy of a struct gets its name, as an inlined function around it
 *   late     after it: copies that exist only now (arguments of inlined functions, copies that were merged)
 *   settle   after it: the name stays only where bytes still go from memory to memory
 *   count    after it: counters; of the source, before it
 *
 * Names are debug information only: the machine code is the same to the byte. */
#ifndef AMP_COPIES_STAGES_H
#define AMP_COPIES_STAGES_H

#include "harness/profile/copies/plugin/debug.h"

/* Makes debug information in a unit of the module; hook.cc. The caller disposes of it. */
LLVMDIBuilderRef amp_copies_builder(LLVMModuleRef module, LLVMMetadataRef unit);

/* Name the copies of a module that have no name yet. */
void amp_copies_tag(const struct amp_module *m);

void amp_copies_settle(const struct amp_module *m);

/* Count what bears a name, by place in the source. `is_source`: as the source asks for it. */
void amp_copies_count(const struct amp_module *m, bool is_source);

/* The stages that AMPERSAND_COPIES names (nothing: tag,late,settle), of those before the optimiser or after it. */
void amp_copies_run(LLVMModuleRef module, int is_late);

#endif
