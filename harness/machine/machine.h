/* SPDX-License-Identifier: MIT
 *
 * Facts of the machine, the build and the allocator, for the manifest and the doctor. Facts, not judgements: what
 * they mean for a measurement is said in plots/doctor/doctor.py. */
#ifndef AMP_MACHINE_H
#define AMP_MACHINE_H

#include <jansson.h>

/* Each returns a new reference, or NULL for want of memory. A fact that cannot be read here is null. The keys are
 * those of results/SCHEMA.md: manifest.json, "machine", "build" and "allocator". */
json_t *amp_machine_facts(void);
json_t *amp_machine_build(void);
json_t *amp_machine_allocator(void);

#endif
