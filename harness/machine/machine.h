/* SPDX-License-Identifier: MIT
 *
 * Facts about the machine, the build and the allocator, for the manifest and the doctor. What they mean for a
 * measurement is judged elsewhere (plots/doctor/doctor.py). */
#ifndef AMP_MACHINE_H
#define AMP_MACHINE_H

#include <jansson.h>

/* Each returns a new reference, or NULL if there is no memory. A fact that cannot be read is null. results/SCHEMA.md
 * lists the keys: manifest.json, "machine", "build" and "allocator". */
json_t *amp_machine_facts(void);
json_t *amp_machine_build(void);
json_t *amp_machine_allocator(void);

/* The version of libbenchmark that this process has loaded, "1.7.1", or "unknown"; NULL where it has none. */
const char *amp_machine_benchmark(void);

/* How many CPUs this process may use; a negative errno where that cannot be told. */
int amp_machine_cpus(void);

#endif
